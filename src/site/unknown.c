/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/unknown.h"

#include <stdio.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/dp.h"
#include "site/unknown_rule.h"

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

int unknown_dp(struct site *site, const char *device_id, char *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_UNKNOWN_DP, DB_ARGS(db_text(device_id)), &rows);
    bool is_said = r == DB_ROW && db_get_text(&rows, 0)[0];

    (void)snprintf(ret, DP_ID_MAX, "%s", is_said ? db_get_text(&rows, 0) : DP_OWN_ID);
    return r < 0 ? TRACE(r) : 0;
}

int unknown_is_allowed(struct site *site, const char *dp_id, const char *device_id, bool *ret)
{
    char last[DP_ID_MAX];
    struct unknown_rule rule;
    int r = dp_id ? 0 : unknown_dp(site, device_id, last);

    if (r == 0)
        r = unknown_rule_find(site, dp_id ? dp_id : last, NULL, &rule);
    *ret = r == 0 && rule.is_allowed;
    return TRACE(r);
}
