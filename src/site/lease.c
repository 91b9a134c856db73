/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/lease.h"

#include <errno.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"

/* @ret: seconds; 0: it has none */
static int find_left(struct site *site, const char *name, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r =
        db_first(site->db, SQL_LEASE_LEFT, DB_ARGS(db_text(name), db_text(site->holder)), &rows);

    *ret = r == DB_ROW ? db_get_u64(&rows, 0) : 0;
    return r < 0 ? TRACE(r) : 0;
}

int lease_hold(struct site *site, const char *name, uint64_t seconds, bool *ret)
{
    uint64_t left = 0;
    uint64_t n = 0;
    int r = find_left(site, name, &left);

    *ret = r == 0 && left > seconds - seconds / 3;
    if (r < 0 || *ret)
        return TRACE(r);
    r = db_run(site->db,
               SQL_LEASE_TAKE,
               DB_ARGS(db_text(name), db_text(site->holder), db_u64(seconds)),
               &n);
    *ret = r == 0 && n > 0;
    return r > 0 ? ERR(-EIO) : TRACE(r);
}

int lease_drop(struct site *site, const char *name)
{
    return TRACE(db_must(site->db, SQL_LEASE_DROP, DB_ARGS(db_text(name), db_text(site->holder))));
}
