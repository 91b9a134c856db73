/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/phased_deployment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/collection.h"
#include "site/content.h"
#include "site/deployment.h"
#include "site/fields.h"
#include "site/phase.h"
#include "site/summary.h"

int phased_deployment_find(struct site *site,
                           const char *which,
                           char ret[static PRINCIPAL_OBJECT_MAX])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_PHASED_DEPLOYMENT_FIND, DB_ARGS(db_text(which)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_MISSING, "There is no phased deployment \"%.100s\".", which);
    (void)snprintf(ret, SITE_ID_MAX, "%s", db_get_text(&rows, 0));
    return 0;
}

/* The collections of all phases, each one that he may deploy to. @ret: their ids */
static int find_collections(struct site *site, const json_t *phases, json_t *ret)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(phases); i++) {
        const char *which = field_text(json_array_get(phases, i), "collection", "");
        char id[SITE_ID_MAX];

        r = collection_find(site, which, id);
        if (r == 0)
            r = principal_check_object(site, "collection", "deploy", "collection", id);
        for (size_t j = 0; r == 0 && j < i; j++)
            if (strcmp(json_string_value(json_array_get(ret, j)), id) == 0)
                return refuse(site,
                              REFUSAL_INVALID,
                              "\"phases\": two of them are for the collection \"%.100s\".",
                              which);
        if (r == 0 && json_array_append_new(ret, json_string(id)) < 0)
            return ERR(-ENOMEM);
    }
    return TRACE(r);
}

static int add_phase(struct site *site,
                     const char *id,
                     size_t number,
                     const json_t *phase,
                     const char *collection_id,
                     const json_t *confirmed)
{
    OWN(json_freep) json_t *terms = phase_terms(phase);
    OWN(freep) char *text = terms ? json_dumps(terms, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    struct phase_wish wish;

    if (!text)
        return ERR(-ENOMEM);
    phase_read_wish(phase, &wish);
    return TRACE(
        db_must(site->db,
                SQL_PHASE_ADD,
                DB_ARGS(db_text(id),
                        db_u64(number),
                        db_text(field_text(phase, "name", "")),
                        db_text(collection_id),
                        db_text(text),
                        db_text(wish.is_by_hand ? "by-hand" : "automatically"),
                        db_u64(wish.goal.percent),
                        db_u64(wish.goal.n_devices),
                        db_u64(field_number(phase, "defer_days", PHASE_DEFER_DAYS)),
                        json_is_integer(confirmed) ? db_u64((uint64_t)json_integer_value(confirmed))
                                                   : db_null(),
                        db_text("The phase before it has not begun."))));
}

static int
add_phases(struct site *site, const char *id, const char *task_sequence_id, const json_t *body)
{
    const json_t *phases = json_object_get(body, "phases");
    OWN(json_freep) json_t *collections = json_array();
    OWN(json_freep) json_t *confirmed = NULL;
    int r = collections ? find_collections(site, phases, collections) : ERR(-ENOMEM);

    if (r == 0)
        r = phase_check_risk(site, task_sequence_id, collections, body, &confirmed);
    for (size_t i = 0; r == 0 && i < json_array_size(phases); i++)
        r = add_phase(site,
                      id,
                      i + 1,
                      json_array_get(phases, i),
                      json_string_value(json_array_get(collections, i)),
                      json_array_get(confirmed, i));
    return TRACE(r);
}

static int begin_first(struct site *site, const char *who, const char *id, const char *sequence_id)
{
    OWN(json_freep) json_t *phases = NULL;
    OWN(json_freep) json_t *row = NULL;
    json_t *first;
    int r = rows_array(site->db, SQL_PHASE_LIST, DB_ARGS(db_text(id)), &phases);

    if (r < 0)
        return TRACE(r);
    first = json_array_get(phases, 0);
    row = json_deep_copy(first);
    if (!row || json_object_set_new(row, "id", json_string(id)) < 0 ||
        json_object_set_new(row, "task_sequence_id", json_string(sequence_id)) < 0)
        return ERR(-ENOMEM);
    return TRACE(
        phased_deployment_begin(site, who, row, json_object_get(row, "n_confirmed"), false));
}

static int add(struct site *site, const char *who, const json_t *body, char id[static SITE_ID_MAX])
{
    const char *name = field_text(body, "name", "");
    char sequence_id[SITE_ID_MAX];
    int r = content_find(
        site, CONTENT_FIND_TASK_SEQUENCES, field_text(body, "task_sequence_id", ""), sequence_id);

    if (r == 0)
        r = site_take_id(site, SITE_ID_PHASED, id);
    if (r != 0)
        return TRACE(r);
    r = db_run(site->db,
               SQL_PHASED_DEPLOYMENT_ADD,
               DB_ARGS(db_text(id),
                       db_text(name),
                       db_text(field_text(body, "comment", "")),
                       db_text(sequence_id),
                       db_u64(site->now_us)),
               NULL);
    if (r == DB_E_EXISTS)
        return refuse(
            site, REFUSAL_EXISTS, "There is a phased deployment \"%.100s\" already.", name);
    if (r == 0)
        r = add_phases(site, id, sequence_id, body);
    if (r == 0)
        r = site_audit(site, who, "phased-deployment.create", id, name);
    if (r == 0)
        r = begin_first(site, who, id, sequence_id);
    if (r == 0)
        phased_deployment_see_to(site, id);
    return TRACE(r);
}

int phased_deployment_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, true, 1, 255, NULL},
        {"comment", FIELD_LINE, false, 0, 255, NULL},
        {"task_sequence_id", FIELD_TEXT, true, 1, 255, NULL},
        {"phases", FIELD_ARRAY, true, 0, PHASES_MAX, NULL},
        {"confirm_devices", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *made = NULL;
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = phase_check(site, json_object_get(body, "phases"));
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = add(site, who, body, id);
    if (r != 0)
        return TRACE(r);
    r = phased_deployment_get(site, id, &made);
    if (r == SITE_E_REFUSED)
        return deployment_refuse_unseen(site);
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        *ret = TAKE(made);
    return TRACE(r);
}

int phased_deployment_list(struct site *site, const struct page *page, json_t **ret)
{
    return TRACE(rows_page(site->db,
                           SQL_PHASED_DEPLOYMENT_LIST,
                           DB_ARGS(page_after(page), page_limit(page)),
                           page,
                           ret));
}

/* Of one that has begun: how it goes, by what the next one wants, or of the last that all succeed. */
static const char *state_of_begun(const struct phase_progress *progress, const json_t *next)
{
    struct phase_wish wish = {.goal = {.percent = 100}};

    if (next)
        phase_read_wish(next, &wish);
    if (phase_is_reached(&wish.goal, progress))
        return "succeeded";
    return phase_can_be_reached(&wish.goal, progress) || phase_is_too_small(&wish.goal, progress)
               ? "deployment-created"
               : "failed";
}

/* As it is shown, out of its row; @next: the row of the next one, as it is still. */
static int show_phase(struct site *site, json_t *phase, const json_t *next, bool is_suspended)
{
    static const char *const hidden[] = {
        "is_alive", "is_disabled", "expires", "terms", "n_confirmed"};
    struct phase_progress progress;
    int r;

    phase_read_progress(site, phase, &progress);
    if (strcmp(field_text(phase, "state", ""), "begun") == 0)
        r = json_object_set_new(phase, "state", json_string(state_of_begun(&progress, next)));
    else
        r = is_suspended ? json_object_set_new(phase, "state", json_string("suspended")) : 0;
    if (r == 0)
        r = json_object_set_new(
            phase, "succeeded_percent", json_integer((json_int_t)phase_percent(&progress)));
    if (r == 0)
        r = json_object_update(phase, json_object_get(phase, "terms"));
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        (void)json_object_del(phase, hidden[i]);
    if (r == 0)
        r = summary_put(phase);
    (void)json_object_del(phase, "categories");
    return r < 0 ? ERR(-ENOMEM) : 0;
}

int phased_deployment_get(struct site *site, const char *which, json_t **ret)
{
    OWN(json_freep) json_t *object = NULL;
    OWN(json_freep) json_t *phases = NULL;
    char id[PRINCIPAL_OBJECT_MAX];
    int r = phased_deployment_find(site, which, id);

    if (r == 0)
        r = rows_one(site->db, SQL_PHASED_DEPLOYMENT_GET, DB_ARGS(db_text(id)), &object);
    if (r == 0)
        r = object ? rows_array(site->db, SQL_PHASE_LIST, DB_ARGS(db_text(id)), &phases)
                   : ERR(-EIO);
    for (size_t i = 0; r == 0 && i < json_array_size(phases); i++)
        r = show_phase(site,
                       json_array_get(phases, i),
                       json_array_get(phases, i + 1),
                       field_bool(object, "is_suspended"));
    if (r != 0)
        return TRACE(r);
    if (json_object_set(object, "phases", phases) < 0)
        return ERR(-ENOMEM);
    *ret = TAKE(object);
    return 0;
}

int phased_deployment_suspend(
    struct site *site, const char *who, const char *which, bool is_suspended, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[PRINCIPAL_OBJECT_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = phased_deployment_find(site, which, id);
    if (r == 0)
        r = db_must(site->db,
                    SQL_PHASED_DEPLOYMENT_SUSPEND,
                    DB_ARGS(db_text(id), db_u64(is_suspended ? 1 : 0)));
    if (r == 0)
        r = site_audit(site,
                       who,
                       is_suspended ? "phased-deployment.suspend" : "phased-deployment.resume",
                       id,
                       "");
    if (r == 0)
        r = db_commit(&tx);
    return r != 0 ? TRACE(r) : TRACE(phased_deployment_get(site, id, ret));
}

/* What POST /deployments asks of who makes the deployment of this phase. */
static int check_deploys(struct site *site, const json_t *row)
{
    const char *sequence_id = field_text(row, "task_sequence_id", "");
    int r = principal_check(site, "deployment", "create");

    if (r == 0)
        r = principal_check_object(site, "task-sequence", "deploy", "task-sequence", sequence_id);
    if (r == 0)
        r = principal_check_object(
            site, "collection", "deploy", "collection", field_text(row, "collection_id", ""));
    return TRACE(r);
}

/* By its name; by its number, unless another one is called so. */
static int is_called(struct site *site, const json_t *row, const char *which, bool *ret)
{
    OWN(json_freep) json_t *phases = NULL;
    uint64_t number = 0;
    int r = rows_array(
        site->db, SQL_PHASE_AUDIT_LIST, DB_ARGS(db_text(field_text(row, "id", ""))), &phases);

    *ret = bytes_parse_u64(bytes_of(which), 1, PHASES_MAX, &number) &&
           number == field_number(row, "number", 0);
    for (size_t i = 0; r == 0 && i < json_array_size(phases); i++) {
        const json_t *one = json_array_get(phases, i);

        if (strcmp(field_text(one, "name", ""), which) == 0)
            *ret = field_number(one, "number", 0) == field_number(row, "number", 0);
    }
    return TRACE(r);
}

static int begin_next(struct site *site, const char *who, const char *id, const json_t *body)
{
    OWN(json_freep) json_t *row = NULL;
    bool is_meant = false;
    int r = rows_one(site->db, SQL_PHASE_NEXT, DB_ARGS(db_text(id)), &row);

    if (r < 0)
        return TRACE(r);
    if (!row)
        return refuse(
            site, REFUSAL_PHASED, "All phases of the phased deployment %s have begun.", id);
    r = is_called(site, row, field_text(body, "phase", ""), &is_meant);
    if (r < 0)
        return TRACE(r);
    if (!is_meant)
        return refuse(
            site,
            REFUSAL_PHASED,
            "The next phase of the phased deployment %s is \"%.128s\", not \"%.128s\", so "
            "nothing has begun. Look at how it goes.",
            id,
            field_text(row, "name", ""),
            field_text(body, "phase", ""));
    if (field_bool(row, "is_suspended"))
        return refuse(
            site, REFUSAL_PHASED, "The phased deployment %s is suspended; resume it first.", id);
    r = check_deploys(site, row);
    if (r != 0)
        return TRACE(r);
    if (json_is_integer(json_object_get(body, "confirm_devices")))
        return TRACE(phased_deployment_begin(
            site, who, row, json_object_get(body, "confirm_devices"), true));
    return TRACE(
        phased_deployment_begin(site, who, row, json_object_get(row, "n_confirmed"), false));
}

int phased_deployment_next(
    struct site *site, const char *who, const char *which, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"phase", FIELD_LINE, true, 1, 255, NULL},
        {"confirm_devices", FIELD_NUMBER, false, 0, UINT32_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[PRINCIPAL_OBJECT_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = phased_deployment_find(site, which, id);
    if (r == 0)
        r = begin_next(site, who, id, body);
    if (r == 0)
        phased_deployment_see_to(site, id);
    if (r == 0)
        r = db_commit(&tx);
    return r != 0 ? TRACE(r) : TRACE(phased_deployment_get(site, id, ret));
}

int phased_deployment_delete(struct site *site, const char *who, const char *which)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char id[PRINCIPAL_OBJECT_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = phased_deployment_find(site, which, id);
    if (r == 0)
        r = db_must(
            site->db, SQL_PHASED_DEPLOYMENT_DELETE, DB_ARGS(db_text(id), db_u64(site->now_us)));
    if (r == 0)
        r = site_audit(site, who, "phased-deployment.delete", id, "");
    return r != 0 ? TRACE(r) : TRACE(db_commit(&tx));
}
