/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/deployment_change.h"
#include "site/fields.h"

static int
check_size(struct site *site, const char *collection, uint64_t n, bool is_usual, const json_t *body)
{
    const json_t *confirmed = json_object_get(body, "confirm_devices");
    uint64_t usual = site->settings.deployment_usual_size;
    uint64_t most = site->settings.deployment_max_size;

    if (most > 0 && n > most)
        return refuse(site,
                      REFUSAL_HIGH_RISK,
                      "The collection \"%.100s\" has %" PRIu64
                      " devices, and this site deploys an operating "
                      "system to at most %" PRIu64 " at once (deployment-max-size).",
                      collection,
                      n,
                      most);
    if (json_is_integer(confirmed) ? field_number(body, "confirm_devices", 0) == n
                                   : usual == 0 || (is_usual && n <= usual))
        return 0;
    return refuse(site,
                  REFUSAL_CONFIRM,
                  "This wipes the disks of the %" PRIu64
                  " device(s) in the collection \"%.100s\" without asking "
                  "anybody; to go on, confirm it with that number (confirm_devices).",
                  n,
                  collection);
}

int deployment_check_risk(struct site *site,
                          const char *task_sequence_id,
                          const char *collection_id,
                          const json_t *body)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(task_sequence_id), db_text(collection_id));
    bool is_usual;
    int r = db_first(site->db, SQL_DEPLOYMENT_RISK, args, &rows);

    if (r != DB_ROW || !db_get_bool(&rows, 0) ||
        strcmp(field_text(body, "purpose", ""), "required") != 0)
        return r < 0 ? TRACE(r) : 0;
    /* nobody has chosen its members, so that it is never usual */
    is_usual = strcmp(db_get_text(&rows, 1), "all-systems") != 0;
    return TRACE(check_size(site, db_get_text(&rows, 2), db_get_u64(&rows, 3), is_usual, body));
}
