/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"

static const char *filter_of(unsigned among)
{
    if (among == CONTENT_FIND_ALL)
        return "all";
    return among == CONTENT_FIND_TASK_SEQUENCES ? "task-sequence"
                                                : content_kind_name((enum content_kind)among);
}

static const char *noun_of(unsigned among)
{
    if (among == CONTENT_FIND_ALL)
        return "content or task sequence";
    if (among == CONTENT_FIND_TASK_SEQUENCES)
        return "task sequence";
    return among == CONTENT_FIND_ANY ? "content" : content_kind_name((enum content_kind)among);
}

int content_find(struct site *site,
                 unsigned among,
                 const char *id_or_name,
                 char ret_id[static SITE_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char kind[32];
    int r = db_first(
        site->db, SQL_CONTENT_FIND, DB_ARGS(db_text(id_or_name), db_text(filter_of(among))), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(
            site, REFUSAL_MISSING, "There is no %s \"%.100s\".", noun_of(among), id_or_name);
    (void)snprintf(ret_id, SITE_ID_MAX, "%s", db_get_text(&rows, 0));
    (void)snprintf(kind, sizeof(kind), "%s", db_get_text(&rows, 1));
    if (strcmp(ret_id, id_or_name) == 0)
        return 0;
    r = db_next(&rows);
    if (r != DB_ROW)
        return TRACE(r);
    return refuse(site,
                  REFUSAL_AMBIGUOUS,
                  "\"%.100s\" is the name of the %s %s and of the %s %s; use the id.",
                  id_or_name,
                  kind,
                  ret_id,
                  db_get_text(&rows, 1),
                  db_get_text(&rows, 0));
}
