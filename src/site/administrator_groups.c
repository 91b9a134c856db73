/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/administrator_groups.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/directory_login.h"
#include "site/named.h"

enum {
    LIST_MAX_BYTES = DIRECTORY_WANTED_MAX * NAMED_ID_MAX,
};

/* Ids as one text; what does not fit is left out. */
static int list_groups(struct site *site, const char *id, char ret[static LIST_MAX_BYTES])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    size_t n = 0;
    int r = db_select(site->db, SQL_DIRECTORY_MEMBERS, DB_ARGS(db_text(id)), &rows);

    ret[0] = '\0';
    if (r < 0)
        return TRACE(r);
    while ((r = db_next(&rows)) == DB_ROW) {
        size_t cap = LIST_MAX_BYTES - n;
        int len = snprintf(ret + n, cap, "%s%s", n > 0 ? " " : "", db_get_text(&rows, 0));

        n = len > 0 && (size_t)len < cap ? n + (size_t)len : LIST_MAX_BYTES - 1;
    }
    return r < 0 ? TRACE(r) : 0;
}

int administrator_put_groups(
    struct site *site, const char *who, const char *id, enum db_sql add, const json_t *groups)
{
    char before[LIST_MAX_BYTES];
    char after[LIST_MAX_BYTES];
    int r = list_groups(site, id, before);

    if (r == 0)
        r = db_must(site->db, SQL_DIRECTORY_MEMBERS_DROP, DB_ARGS(db_text(id)));
    for (size_t i = 0; r == 0 && i < json_array_size(groups); i++)
        r = db_run(site->db,
                   add,
                   DB_ARGS(db_text(id), db_text(json_string_value(json_array_get(groups, i)))),
                   NULL);
    if (r == 0)
        r = list_groups(site, id, after);
    if (r == 0 && strcmp(before, after) != 0)
        r = site_audit(site, who, "administrator.groups", id, after);
    return TRACE(r);
}
