/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/distribution.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/distribution_job.h"
#include "site/dp.h"
#include "site/dp_group.h"
#include "site/fields.h"

enum {
    WHICH_MAX_BYTES = 255,
    MESSAGE_MAX_BYTES = 160,
};

int distribution_note(struct site *site, const struct distribution_event *event)
{
    int r = db_must(site->db,
                    SQL_DISTRIBUTION_NOTE,
                    DB_ARGS(db_text(event->dp_id),
                            db_text(event->package_id),
                            db_u64(event->version),
                            db_u64(site->now_us),
                            db_text(event->event),
                            db_text(event->error_id),
                            db_text(event->message)));

    if (r < 0)
        return TRACE(r);
    return TRACE(db_must(site->db,
                         SQL_DISTRIBUTION_HISTORY_TRIM,
                         DB_ARGS(db_text(event->dp_id),
                                 db_text(event->package_id),
                                 db_u64(DISTRIBUTION_HISTORY_MAX))));
}

/* [{"id", "current_version"}] of a package or of all that a task sequence refers to. */
static int packages_of(struct site *site, const char *content, json_t **ret)
{
    int r = rows_array(site->db, SQL_DISTRIBUTION_PACKAGES_OF, DB_ARGS(db_text(content)), ret);

    if (r < 0)
        return TRACE(r);
    if (json_array_size(*ret) == 0)
        return refuse(
            site,
            REFUSAL_MISSING,
            "There is no content \"%.100s\", or it is a task sequence that refers to none.",
            content);
    return 0;
}

/* What a distribution point has to do for a package, and how far it is. */
struct target {
    char dp_id[DP_ID_MAX];
    char package_id[SITE_ID_MAX];
    char work[16];
    char state[16];
    uint64_t version;
    uint64_t next_try_us;
    bool is_there; /* a row */
    bool has_version;
};

static int load(struct site *site, const char *dp_id, const char *package_id, struct target *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(dp_id), db_text(package_id));
    int r = db_first(site->db, SQL_DISTRIBUTION_EXISTS, args, &rows);

    *ret = (struct target){.is_there = r == DB_ROW};
    (void)snprintf(ret->dp_id, sizeof(ret->dp_id), "%s", dp_id);
    (void)snprintf(ret->package_id, sizeof(ret->package_id), "%s", package_id);
    if (r != DB_ROW)
        return TRACE(r);
    (void)snprintf(ret->work, sizeof(ret->work), "%s", db_get_text(&rows, 0));
    (void)snprintf(ret->state, sizeof(ret->state), "%s", db_get_text(&rows, 1));
    ret->version = db_get_u64(&rows, 2);
    ret->next_try_us = db_get_u64(&rows, 4);
    ret->has_version = db_get_bool(&rows, 5);
    return 0;
}

static int stop_job(struct site *site, const struct target *t, const char *why)
{
    struct db_args args =
        DB_ARGS(db_text(t->dp_id), db_text(t->package_id), db_text(why), db_u64(site->now_us));

    return TRACE(db_must(site->db, SQL_DISTRIBUTION_JOB_STOP, args));
}

static int note(struct site *site, const struct target *t, const char *event, const char *message)
{
    return TRACE(distribution_note(site,
                                   &(struct distribution_event){.dp_id = t->dp_id,
                                                                .package_id = t->package_id,
                                                                .version = t->version,
                                                                .event = event,
                                                                .message = message}));
}

int distribution_want(struct site *site,
                      const char *package_id,
                      uint64_t version,
                      const char *dp_id)
{
    const char *message = version > 0 ? "" : "waits until its content is ready";
    struct target t;
    struct db_args args;
    int r = load(site, dp_id, package_id, &t);

    if (r < 0)
        return TRACE(r);
    /* what has failed is begun anew, as the administrator may have mended what was wrong */
    if (t.is_there && t.version == version && strcmp(t.work, "remove") != 0 &&
        strcmp(t.state, "failed") != 0)
        return 0;
    r = stop_job(site, &t, "It was distributed anew");
    if (r < 0)
        return TRACE(r);
    t.version = version;
    args = DB_ARGS(db_text(dp_id),
                   db_text(package_id),
                   db_u64(version),
                   db_text(message),
                   db_u64(site->now_us));
    r = db_must(site->db, SQL_DISTRIBUTION_WANT, args);
    if (r < 0)
        return TRACE(r);
    return TRACE(note(site, &t, "distribute", message));
}

static int check_targets(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"distribution_points", FIELD_ARRAY, false, 0, DISTRIBUTION_TARGETS_MAX, NULL},
        {"groups", FIELD_ARRAY, false, 0, DISTRIBUTION_TARGETS_MAX, NULL},
        {0},
    };
    const json_t *lists[] = {json_object_get(body, "distribution_points"),
                             json_object_get(body, "groups")};
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (json_array_size(lists[0]) + json_array_size(lists[1]) == 0)
        return refuse(
            site,
            REFUSAL_INVALID,
            "Say where to: \"distribution_points\" or \"groups\" must name at least one.");
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < json_array_size(lists[l]); i++)
            if (!json_is_string(json_array_get(lists[l], i)) ||
                json_string_length(json_array_get(lists[l], i)) > WHICH_MAX_BYTES)
                return refuse(site, REFUSAL_INVALID, "A name of a target must be text.");
    return 0;
}

static int want_all(struct site *site, const json_t *packages, const char *dp_id)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(packages); i++) {
        const json_t *package = json_array_get(packages, i);

        r = distribution_want(site,
                              field_text(package, "id", ""),
                              field_number(package, "current_version", 0),
                              dp_id);
    }
    return TRACE(r);
}

static int add_to_dps(struct site *site, const json_t *packages, const json_t *dps)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(dps); i++) {
        char id[DP_ID_MAX];

        r = dp_find(site, json_string_value(json_array_get(dps, i)), id);
        if (r == 0)
            r = want_all(site, packages, id);
    }
    return TRACE(r);
}

static int add_to_groups(struct site *site, const json_t *packages, const json_t *groups)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(groups); i++) {
        const char *group = json_string_value(json_array_get(groups, i));

        for (size_t p = 0; r == 0 && p < json_array_size(packages); p++)
            r = dp_group_give(site, group, field_text(json_array_get(packages, p), "id", ""));
    }
    return TRACE(r);
}

int distribution_add(
    struct site *site, const char *who, const char *content, const json_t *body, json_t **ret)
{
    OWN(json_freep) json_t *packages = NULL;
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = check_targets(site, body);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = packages_of(site, content, &packages);
    if (r == 0)
        r = add_to_dps(site, packages, json_object_get(body, "distribution_points"));
    if (r == 0)
        r = add_to_groups(site, packages, json_object_get(body, "groups"));
    if (r == 0)
        r = site_audit(site, who, "content.distribute", content, "");
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_list(site, content, ret));
}

static json_int_t count_state(const json_t *items, const char *a, const char *b)
{
    json_int_t n = 0;

    for (size_t i = 0; i < json_array_size(items); i++) {
        const char *state = field_text(json_array_get(items, i), "state", "");

        n += strcmp(state, a) == 0 || strcmp(state, b) == 0;
    }
    return n;
}

static int append_rows(struct site *site, const char *package_id, json_t *items)
{
    OWN(json_freep) json_t *rows = NULL;
    struct db_args args = DB_ARGS(db_text(package_id), db_u64(dp_online_since(site)), db_null());
    int r = rows_array(site->db, SQL_DISTRIBUTION_LIST, args, &rows);

    for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
        r = distribution_explain_waiting(site, json_array_get(rows, i));
    if (r < 0)
        return TRACE(r);
    return json_array_extend(items, rows) < 0 ? ERR(-ENOMEM) : 0;
}

int distribution_list(struct site *site, const char *content, json_t **ret)
{
    OWN(json_freep) json_t *packages = NULL;
    OWN(json_freep) json_t *items = json_array();
    int r = packages_of(site, content, &packages);

    for (size_t i = 0; r == 0 && i < json_array_size(packages); i++)
        r = append_rows(site, field_text(json_array_get(packages, i), "id", ""), items);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:O,s:{s:I,s:I,s:I,s:I,s:I}}",
                     "items",
                     items,
                     "counts",
                     "targeted",
                     (json_int_t)json_array_size(items),
                     "success",
                     count_state(items, "success", "success"),
                     "in_progress",
                     count_state(items, "in-progress", "waiting"),
                     "failed",
                     count_state(items, "failed", "failed"),
                     "unknown",
                     count_state(items, "unknown", "unknown"));
    return *ret ? 0 : ERR(-ENOMEM);
}

int distribution_history(struct site *site, const char *package_id, const char *dp, json_t **ret)
{
    OWN(json_freep) json_t *items = NULL;
    char id[DP_ID_MAX];
    int r = dp_find(site, dp, id);

    if (r == 0)
        r = rows_array(site->db,
                       SQL_DISTRIBUTION_HISTORY_LIST,
                       DB_ARGS(db_text(id), db_text(package_id)),
                       &items);
    if (r != 0)
        return TRACE(r);
    if (json_array_size(items) == 0)
        return refuse(
            site, REFUSAL_MISSING, "\"%.100s\" was never distributed to %s.", package_id, id);
    *ret = json_pack("{s:O}", "items", items);
    return *ret ? 0 : ERR(-ENOMEM);
}

static int
set_work(struct site *site, const struct target *t, const char *work, const char *message)
{
    int r = stop_job(site, t, message);

    if (r < 0)
        return TRACE(r);
    r = db_must(site->db,
                SQL_DISTRIBUTION_WORK,
                DB_ARGS(db_text(t->dp_id),
                        db_text(t->package_id),
                        db_text(work),
                        db_text(message),
                        db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(note(site, t, work, message));
}

static int cancel(struct site *site, const char *who, const struct target *t)
{
    const bool is_copy = strcmp(t->work, "replicate") == 0 || strcmp(t->work, "redistribute") == 0;
    char message[MESSAGE_MAX_BYTES];
    int r;

    if (t->work[0] == '\0')
        return refuse(site,
                      REFUSAL_NOTHING_RUNS,
                      "Nothing is being done with %s on %s.",
                      t->package_id,
                      t->dp_id);
    (void)snprintf(message, sizeof(message), "cancelled by %s", who);
    r = stop_job(site, t, message);
    if (r < 0)
        return TRACE(r);
    /* what was there before is still there */
    if (!is_copy && t->has_version)
        r = db_must(
            site->db,
            SQL_DISTRIBUTION_DONE,
            DB_ARGS(
                db_text(t->dp_id), db_text(t->package_id), db_text(message), db_u64(site->now_us)));
    else
        r = db_must(site->db,
                    SQL_DISTRIBUTION_FAILED,
                    DB_ARGS(db_text(t->dp_id),
                            db_text(t->package_id),
                            db_text(""),
                            db_text(SITE_ERROR_CANCELLED),
                            db_text(message),
                            db_null(),
                            db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    return TRACE(note(site, t, "cancel", message));
}

static int refuse_own(struct site *site, const struct target *t)
{
    return refuse(
        site,
        REFUSAL_OWN_DP,
        "%s is on %s because the site imported it there: delete the content itself if it is not wanted.",
        t->package_id,
        t->dp_id);
}

static int
change_one(struct site *site, const char *who, const struct target *t, enum distribution_verb verb)
{
    char message[MESSAGE_MAX_BYTES];

    (void)snprintf(message, sizeof(message), "asked for by %s", who);
    switch (verb) {
    case DISTRIBUTION_REDISTRIBUTE:
        if (t->has_version && strcmp(t->dp_id, DP_OWN_ID) == 0)
            return refuse(
                site,
                REFUSAL_OWN_DP,
                "%s is where %s is sent from. Validate it there: what is damaged is fetched from a "
                "distribution point that has it.",
                t->dp_id,
                t->package_id);
        return TRACE(set_work(site, t, t->has_version ? "redistribute" : "replicate", message));
    case DISTRIBUTION_VALIDATE:
        if (!t->has_version)
            return refuse(site,
                          REFUSAL_NOT_READY,
                          "%s is not on %s as a whole yet, so it cannot be validated.",
                          t->package_id,
                          t->dp_id);
        return TRACE(set_work(site, t, "validate", message));
    case DISTRIBUTION_CANCEL:
        return TRACE(cancel(site, who, t));
    case DISTRIBUTION_REMOVE:
        if (strcmp(t->dp_id, DP_OWN_ID) == 0)
            return TRACE(refuse_own(site, t));
        return TRACE(set_work(site, t, "remove", message));
    }
    return ERR(-EINVAL);
}

/* A package of a task sequence that is not there is passed over; one that is named itself is refused. */
static int change_all(struct site *site,
                      const char *who,
                      const json_t *packages,
                      const char *dp_id,
                      enum distribution_verb verb)
{
    size_t n_found = 0;
    bool is_one = json_array_size(packages) == 1;
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(packages); i++) {
        struct target t;

        r = load(site, dp_id, field_text(json_array_get(packages, i), "id", ""), &t);
        if (r != 0 || !t.is_there)
            continue;
        if (verb == DISTRIBUTION_CANCEL && t.work[0] == '\0' && !is_one)
            continue;
        n_found++;
        r = change_one(site, who, &t, verb);
    }
    if (r == 0 && n_found == 0)
        return refuse(site, REFUSAL_MISSING, "It was not distributed to %s.", dp_id);
    return TRACE(r);
}

int distribution_change(struct site *site,
                        const char *who,
                        const char *content,
                        const char *dp,
                        enum distribution_verb verb,
                        json_t **ret)
{
    static const char *const actions[] = {
        [DISTRIBUTION_REDISTRIBUTE] = "content.redistribute",
        [DISTRIBUTION_VALIDATE] = "content.validate",
        [DISTRIBUTION_CANCEL] = "content.cancel",
        [DISTRIBUTION_REMOVE] = "content.remove",
    };
    OWN(json_freep) json_t *packages = NULL;
    OWN(db_rollbackp) struct db *tx = NULL;
    char dp_id[DP_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = packages_of(site, content, &packages);
    if (r == 0)
        r = dp_find(site, dp, dp_id);
    if (r == 0)
        r = change_all(site, who, packages, dp_id, verb);
    if (r == 0)
        r = site_audit(site, who, actions[verb], content, dp_id);
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_list(site, content, ret));
}

static int
remove_from_members(struct site *site, const char *who, const json_t *dps, const char *package_id)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < json_array_size(dps); i++) {
        struct target t;

        r = load(site, field_text(json_array_get(dps, i), "dp_id", ""), package_id, &t);
        if (r == 0 && t.is_there && strcmp(t.dp_id, DP_OWN_ID) != 0)
            r = change_one(site, who, &t, DISTRIBUTION_REMOVE);
    }
    return TRACE(r);
}

static int
take_from_group(struct site *site, const char *who, const char *group_id, const char *package_id)
{
    OWN(json_freep) json_t *dps = NULL;
    struct db_args args = DB_ARGS(db_text(group_id), db_text(package_id));
    int r = rows_array(site->db, SQL_DP_GROUP_ONLY_MEMBERS, args, &dps);

    if (r == 0)
        r = db_must(site->db, SQL_DP_GROUP_PACKAGE_DROP, args);
    if (r < 0)
        return TRACE(r);
    return TRACE(remove_from_members(site, who, dps, package_id));
}

int distribution_remove_group(
    struct site *site, const char *who, const char *content, const char *group, json_t **ret)
{
    OWN(json_freep) json_t *packages = NULL;
    OWN(db_rollbackp) struct db *tx = NULL;
    char group_id[DP_ID_MAX];
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = packages_of(site, content, &packages);
    if (r == 0)
        r = dp_group_find(site, group, group_id);
    for (size_t i = 0; r == 0 && i < json_array_size(packages); i++)
        r = take_from_group(site, who, group_id, field_text(json_array_get(packages, i), "id", ""));
    if (r == 0)
        r = site_audit(site, who, "content.remove", content, group_id);
    if (r != 0)
        return TRACE(r);
    r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    return TRACE(distribution_list(site, content, ret));
}

int distribution_check_task_sequence(struct site *site, const char *task_sequence_id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args = DB_ARGS(db_text(task_sequence_id));
    int r = db_first(site->db, SQL_DISTRIBUTION_NOWHERE, args, &rows);

    if (r != DB_ROW)
        return TRACE(r);
    return refuse(site,
                  REFUSAL_NOT_DISTRIBUTED,
                  "The task sequence %s needs %s (%.100s), which no distribution point in use has: "
                  "`slipway content status %s` shows why.",
                  task_sequence_id,
                  db_get_text(&rows, 0),
                  db_get_text(&rows, 1),
                  db_get_text(&rows, 0));
}
