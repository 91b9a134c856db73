/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "db/restore.h"

#include <errno.h>

#include "base/err.h"
#include "base/own.h"

static int count(struct db *db, uint64_t *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(db, SQL_RESTORE_N_HELD, DB_NO_ARGS, &rows);

    if (r != DB_ROW)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    *ret = db_get_u64(&rows, 0);
    return 0;
}

int db_hold(struct db *db, uint64_t now_us, uint64_t *ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    uint64_t n = 0;
    int r = db_begin(db, &tx);

    if (r == 0)
        r = db_must(db, SQL_RESTORE_HOLD, DB_ARGS(db_u64(now_us)));
    if (r == 0)
        r = db_must(db, SQL_RESTORE_SUSPEND, DB_NO_ARGS);
    if (r == 0)
        r = count(db, &n);
    if (r == 0)
        r = db_must(db, SQL_RESTORE_NOTE_ADD, DB_ARGS(db_u64(now_us), db_u64(n)));
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        *ret = n;
    return TRACE(r);
}
