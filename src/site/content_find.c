/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"

enum {
    NAMESAKES_MAX = 100,
    LISTED_MAX = 5,
    LISTED_MAX_BYTES = 1024,
};

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

/* What is called so: how many have the version that is wanted, and what all of them are. */
struct namesakes {
    char id[SITE_ID_MAX];
    size_t n;
    size_t n_fitting;
    struct buf listed;
};

static void namesakes_fini(struct namesakes *found)
{
    buf_fini(&found->listed);
}

/* Of several that fit, or none, the first one counts. */
static void add_namesake(struct namesakes *found, const struct db_rows *rows, const char *wanted)
{
    const char *version = db_get_text(rows, 2);
    bool is_fitting = wanted[0] != '\0' && bytes_eq_nocase(bytes_of(version), wanted);

    if (found->n == 0 || (is_fitting && found->n_fitting == 0))
        (void)snprintf(found->id, sizeof(found->id), "%s", db_get_text(rows, 0));
    found->n++;
    found->n_fitting += is_fitting;
    if (found->n > LISTED_MAX)
        return;
    buf_adds(&found->listed, found->n > 1 ? ", " : "");
    if (found->n == LISTED_MAX) {
        buf_adds(&found->listed, "...");
        return;
    }
    buf_addf(&found->listed, "%s %s", db_get_text(rows, 1), db_get_text(rows, 0));
    if (version[0] != '\0')
        buf_addf(&found->listed, " (version %s)", version);
}

static int
refuse_namesakes(struct site *site, const struct content_wish *wish, const struct namesakes *found)
{
    bool is_known = wish->version[0] != '\0';

    return refuse(site,
                  REFUSAL_AMBIGUOUS,
                  "\"%.100s\"%s%.40s is the name of %s; map it to the id of one.",
                  wish->name,
                  is_known ? ", version " : "",
                  wish->version,
                  buf_str(&found->listed));
}

int content_find_named(struct site *site,
                       const struct content_wish *wish,
                       char ret_id[static SITE_ID_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(namesakes_fini) struct namesakes found = {.listed = BUF_INIT(LISTED_MAX_BYTES)};
    int r = db_first(
        site->db,
        SQL_CONTENT_NAMESAKES,
        DB_ARGS(db_text(wish->name), db_text(filter_of(wish->among)), db_u64(NAMESAKES_MAX)),
        &rows);

    for (; r == DB_ROW; r = db_next(&rows))
        add_namesake(&found, &rows, wish->version);
    if (r < 0)
        return TRACE(r);
    if (found.n == 0)
        return refuse(
            site, REFUSAL_MISSING, "There is no %s \"%.100s\".", noun_of(wish->among), wish->name);
    if (found.n > 1 && found.n_fitting != 1)
        return TRACE(refuse_namesakes(site, wish, &found));
    memcpy(ret_id, found.id, SITE_ID_MAX);
    return 0;
}
