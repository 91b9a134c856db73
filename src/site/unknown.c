/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/unknown.h"

#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"

#define USUAL_ARCH "x64" /* of one that has not said */

int unknown_record(struct site *site,
                   const char *device_id,
                   const char *arch,
                   char ret[static UNKNOWN_RECORD_MAX],
                   bool *ret_is_unknown)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_BOOT_DEVICE, DB_ARGS(db_text(device_id)), &rows);

    ret[0] = '\0';
    *ret_is_unknown = r != DB_ROW || db_get_bool(&rows, 2);
    if (r < 0 || !*ret_is_unknown)
        return r < 0 ? TRACE(r) : 0;
    if (r == DB_ROW && db_get_text(&rows, 6)[0])
        arch = db_get_text(&rows, 6);
    (void)snprintf(ret, UNKNOWN_RECORD_MAX, "unknown-%.15s", arch && arch[0] ? arch : USUAL_ARCH);
    return 0;
}
