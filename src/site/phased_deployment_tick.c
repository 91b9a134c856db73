/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/fields.h"
#include "site/phase.h"
#include "site/phased_deployment.h"

#define OF_SITE "site" /* who does it, in the audit log */

int phased_deployment_begin(
    struct site *site, const char *who, const json_t *row, const json_t *confirmed, bool is_exact)
{
    const char *id = field_text(row, "id", "");
    char deployment_id[SITE_ID_MAX];
    char detail[PHASE_REASON_MAX];
    uint64_t n = 0;
    int r = phase_deploy(site, who, row, confirmed, is_exact, deployment_id);

    if (r != 0)
        return TRACE(r);
    r = db_run(site->db,
               SQL_PHASE_BEGIN,
               DB_ARGS(db_text(id),
                       db_u64(field_number(row, "number", 0)),
                       db_text(deployment_id),
                       db_u64(site->now_us)),
               &n);
    if (r != 0 || n != 1)
        return r < 0 ? TRACE(r) : ERR(-EIO);
    (void)snprintf(
        detail, sizeof(detail), "%s: %.500s", deployment_id, field_text(row, "name", ""));
    return TRACE(site_audit(site, who, "phased-deployment.begin", id, detail));
}

/* What the phase before must have come to. */
static void put_goal(char *dst, size_t max, const struct phase_wish *wish)
{
    if (wish->goal.n_devices > 0)
        (void)snprintf(dst, max, "%" PRIu64 " of its devices", wish->goal.n_devices);
    else
        (void)snprintf(dst, max, "%" PRIu64 " per cent of its devices", wish->goal.percent);
}

static void put_why_stalled(char *dst,
                            size_t max,
                            const struct phase_goal *goal,
                            const struct phase_progress *before)
{
    if (!before->is_alive)
        (void)snprintf(dst, max, "its deployment was cancelled or deleted");
    else if (before->n_devices == 0)
        (void)snprintf(dst, max, "its collection has no devices");
    else if (phase_is_too_small(goal, before))
        (void)snprintf(dst, max, "it has %" PRIu64, before->n_devices);
    else if (before->is_closed)
        (void)snprintf(
            dst, max, "its deployment or its task sequence is disabled, or it has expired");
    else
        (void)snprintf(dst, max, "too many have failed");
}

static void put_reason(char dst[static PHASE_REASON_MAX],
                       enum phase_state state,
                       const char *previous,
                       const struct phase_wish *wish,
                       const struct phase_progress *before)
{
    char goal[64];
    char why[96];

    put_goal(goal, sizeof(goal), wish);
    put_why_stalled(why, sizeof(why), &wish->goal, before);
    switch (state) {
    case PHASE_WAITING:
        (void)snprintf(
            dst, PHASE_REASON_MAX, "The phase \"%s\" must have succeeded on %s.", previous, goal);
        break;
    case PHASE_STALLED:
        (void)snprintf(dst,
                       PHASE_REASON_MAX,
                       "The phase \"%s\" cannot succeed on %s as things are: %s. Go on by hand, or "
                       "put that right.",
                       previous,
                       goal,
                       why);
        break;
    case PHASE_DEFERRED:
        (void)snprintf(dst,
                       PHASE_REASON_MAX,
                       "The phase \"%s\" has succeeded; the days after it run.",
                       previous);
        break;
    case PHASE_BY_HAND:
        (void)snprintf(dst,
                       PHASE_REASON_MAX,
                       "The phase \"%s\" has succeeded; an administrator begins the next one.",
                       previous);
        break;
    case PHASE_BLOCKED: /* by what was refused */
    case PHASE_BEGUN:
        dst[0] = '\0';
        break;
    }
}

/* Written only if it is not so already, for this runs each second. */
static int note(struct site *site,
                const json_t *row,
                enum phase_state state,
                const char *reason,
                uint64_t reached_us,
                uint64_t tried_us)
{
    const char *name = phase_state_name(state);
    const char *id = field_text(row, "id", "");
    bool is_same = strcmp(name, field_text(row, "state", "")) == 0 &&
                   strcmp(reason, field_text(row, "reason", "")) == 0;
    int r;

    if (is_same && reached_us == field_number(row, "reached_us", PHASE_NOT_REACHED) &&
        tried_us == field_number(row, "tried_us", 0))
        return 0;
    r = db_must(site->db,
                SQL_PHASE_SET,
                DB_ARGS(db_text(id),
                        db_u64(field_number(row, "number", 0)),
                        db_text(name),
                        db_text(reason),
                        reached_us == PHASE_NOT_REACHED ? db_null() : db_u64(reached_us),
                        db_u64(tried_us)));
    return r < 0 || is_same
               ? TRACE(r)
               : TRACE(site_audit(site, OF_SITE, "phased-deployment.wait", id, reason));
}

/* It is due. What is refused is said, and tried again; members that are being found are waited for. */
static int begin(struct site *site, const json_t *row, uint64_t reached_us)
{
    bool was_blocked = strcmp(field_text(row, "state", ""), "blocked") == 0;
    uint64_t tried_us = field_number(row, "tried_us", 0);
    char reason[PHASE_REASON_MAX];
    int r;

    if (was_blocked && site->now_us >= tried_us && site->now_us < tried_us + PHASED_RETRY_US)
        return 0;
    r = phased_deployment_begin(site, OF_SITE, row, json_object_get(row, "n_confirmed"), false);
    if (r != SITE_E_REFUSED)
        return TRACE(r);
    if (site->refusal.id == REFUSAL_COUNTING)
        return TRACE(note(site,
                          row,
                          PHASE_WAITING,
                          "It is due; the members of its collection are being found.",
                          reached_us,
                          tried_us));
    (void)snprintf(reason,
                   sizeof(reason),
                   "%s (%s)",
                   site->refusal.detail,
                   refusal_error_id(site->refusal.id));
    return TRACE(note(site, row, PHASE_BLOCKED, reason, reached_us, site->now_us));
}

static int judge(struct site *site, const json_t *row)
{
    uint64_t reached_us = field_number(row, "reached_us", site->now_us);
    struct phase_progress before;
    struct phase_wish wish;
    char reason[PHASE_REASON_MAX];
    enum phase_state state;

    phase_read_progress(site, row, &before);
    phase_read_wish(row, &wish);
    state = phase_judge(&wish, &before, site->now_us, &reached_us);
    if (state == PHASE_BEGUN)
        return TRACE(begin(site, row, reached_us));
    put_reason(reason, state, field_text(row, "previous_name", ""), &wish, &before);
    return TRACE(note(site, row, state, reason, reached_us, field_number(row, "tried_us", 0)));
}

/* In a part of its own: what is done for one stays or goes together, without the others. */
static int see_to(struct site *site, const char *id)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *row = NULL;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = rows_one(site->db, SQL_PHASE_NEXT, DB_ARGS(db_text(id)), &row);
    if (r == 0 && row)
        r = judge(site, row);
    return r != 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

void phased_deployment_see_to(struct site *site, const char *id)
{
    if (see_to(site, id) < 0)
        site_passed_over(site, "the next phase of the phased deployment", id);
}

int phased_deployment_tick(struct site *site)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(db_rows_fini) struct db_rows any = {0};
    OWN(json_freep) json_t *rows = NULL;
    int r = db_first(site->db, SQL_PHASED_DEPLOYMENT_WAITING, DB_NO_ARGS, &any);

    if (r != DB_ROW)
        return TRACE(r);
    db_rows_fini(&any);
    /* from here on no other site server changes what is read */
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = rows_array(site->db, SQL_PHASED_DEPLOYMENT_WAITING, DB_NO_ARGS, &rows);
    if (r < 0)
        return TRACE(r);
    for (size_t i = 0; i < json_array_size(rows); i++)
        phased_deployment_see_to(site, field_text(json_array_get(rows, i), "id", ""));
    return TRACE(db_commit(&tx));
}
