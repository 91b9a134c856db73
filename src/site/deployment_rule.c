/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment_rule.h"

#include "site/zone.h"

#define US_PER_MIN (UINT64_C(60) * 1000000)

struct moment {
    const struct zone *zone;
    uint64_t now_us;
    uint64_t last_run_us; /* when the device last began one of them that it has ended; 0: never */
    uint64_t last_end_us; /* when it ended one; 0: never */
};

static uint64_t time_us(const struct deployment_time *time, const struct zone *zone)
{
    return zone_utc_us(time->is_utc ? NULL : zone, time->at_s);
}

static uint64_t available_us(const struct deployment_candidate *c, const struct zone *zone)
{
    uint64_t at_us = c->terms.available_from.is_set ? time_us(&c->terms.available_from, zone) : 0;

    return (at_us > c->created_us ? at_us : c->created_us) + c->delay_us;
}

/* When it was last due: what lies before it was there, or could be begun, does not count. 0: never yet. */
static uint64_t last_due_us(const struct deployment_candidate *c, const struct moment *m)
{
    uint64_t from_us = available_us(c, m->zone);
    uint64_t due_us = c->terms.is_due_at_once ? from_us : 0;

    for (size_t i = 0; i < c->terms.n_assignments; i++) {
        uint64_t one = schedule_last(&c->terms.assignments[i], m->zone, m->now_us);

        if (one != SCHEDULE_NEVER && one > due_us && one >= c->created_us)
            due_us = one;
    }
    return due_us <= m->now_us ? due_us : 0;
}

static uint64_t next_due_us(const struct deployment_candidate *c, const struct moment *m)
{
    uint64_t due_us = SCHEDULE_NEVER;

    for (size_t i = 0; i < c->terms.n_assignments; i++) {
        uint64_t one = schedule_next(&c->terms.assignments[i], m->zone, m->now_us + 1);

        if (one < due_us)
            due_us = one;
    }
    return due_us;
}

static bool may_rerun(const struct deployment_candidate *c)
{
    switch (c->terms.rerun) {
    case DEPLOYMENT_RERUN_ALWAYS:
        return true;
    case DEPLOYMENT_RERUN_IF_FAILED:
        return c->past == DEPLOYMENT_FAILED;
    case DEPLOYMENT_RERUN_IF_SUCCEEDED:
        return c->past == DEPLOYMENT_SUCCEEDED;
    case DEPLOYMENT_RERUN_NEVER:
    default:
        return false;
    }
}

/* It may expire before. */
static void change_when_due(struct deployment_candidate *c, const struct moment *m)
{
    uint64_t due_us = next_due_us(c, m);

    if (due_us < c->changes_us)
        c->changes_us = due_us;
}

/* It wipes nothing that another run has made since it was due. */
static bool is_harmless(const struct deployment_candidate *c)
{
    return c->is_client && !c->wipes;
}

/* A required one that has run runs again only when it was due since, and its rerun behaviour lets it. */
static enum deployment_verdict judge_required(struct deployment_candidate *c,
                                              const struct moment *m)
{
    uint64_t due_us = last_due_us(c, m);

    if (c->past == DEPLOYMENT_NOT_RUN) {
        /* never due yet: its deadline is to come, and whoever starts from the network does not wait for it */
        uint64_t wanted_us = due_us ? due_us : available_us(c, m->zone);

        if (c->is_client && !due_us) {
            change_when_due(c, m);
            return DEPLOYMENT_NOT_DUE;
        }
        /* for who came into the collection after all that it is due from then on */
        if (m->last_run_us <= wanted_us || c->since_us > m->last_end_us || is_harmless(c))
            return DEPLOYMENT_OPEN;
        change_when_due(c, m);
        return DEPLOYMENT_SUPERSEDED;
    }
    if (may_rerun(c)) {
        if (due_us > c->ended_us && (due_us > m->last_run_us || is_harmless(c)))
            return DEPLOYMENT_OPEN;
        change_when_due(c, m);
    }
    return c->past == DEPLOYMENT_SUCCEEDED ? DEPLOYMENT_SUCCEEDED_ALREADY
                                           : DEPLOYMENT_FAILED_ALREADY;
}

/* What is required and could begin now: whether it may, with the windows of the device. */
static enum deployment_verdict judge_window(struct deployment_candidate *c, const struct moment *m)
{
    uint64_t run_us = c->terms.may_restart_outside_windows ? 0 : c->terms.max_run_min * US_PER_MIN;
    uint64_t start_us;
    uint64_t until_us;

    if (!c->windows || c->windows->n == 0 || c->terms.may_run_outside_windows)
        return DEPLOYMENT_OPEN;
    start_us = window_start(c->windows, m->now_us, run_us);
    if (start_us > m->now_us) {
        if (start_us < c->changes_us) /* it may expire before */
            c->changes_us = start_us;
        return DEPLOYMENT_OUTSIDE_WINDOW;
    }
    until_us = window_open_until(c->windows, m->now_us);
    if (until_us != SCHEDULE_NEVER && until_us - run_us < c->changes_us)
        c->changes_us = until_us - run_us;
    return DEPLOYMENT_OPEN;
}

static enum deployment_verdict judge_audience(const struct deployment_candidate *c)
{
    switch (c->terms.audience) {
    case DEPLOYMENT_FOR_CLIENTS:
        return c->is_client ? DEPLOYMENT_OPEN : DEPLOYMENT_CLIENTS_ONLY;
    case DEPLOYMENT_FOR_MEDIA_PXE:
        return c->is_client ? DEPLOYMENT_MEDIA_ONLY : DEPLOYMENT_OPEN;
    case DEPLOYMENT_FOR_MEDIA_PXE_HIDDEN:
        return c->is_client      ? DEPLOYMENT_MEDIA_ONLY
               : c->is_preferred ? DEPLOYMENT_OPEN
                                 : DEPLOYMENT_HIDDEN;
    case DEPLOYMENT_FOR_CLIENTS_MEDIA_PXE:
    default:
        return DEPLOYMENT_OPEN;
    }
}

static enum deployment_verdict judge(struct deployment_candidate *c, const struct moment *m)
{
    uint64_t from_us = available_us(c, m->zone);
    uint64_t until_us =
        c->terms.expires.is_set ? time_us(&c->terms.expires, m->zone) : SCHEDULE_NEVER;

    enum deployment_verdict audience;

    c->changes_us = SCHEDULE_NEVER;
    /* nothing was heard since a restore: it may have ended long ago */
    if (c->past == DEPLOYMENT_IN_PROGRESS)
        return c->held_us != 0 && c->heard_us <= c->held_us ? DEPLOYMENT_HELD : DEPLOYMENT_RUNS;
    if (c->is_cancelled)
        return DEPLOYMENT_CANCELLED;
    if (c->terms.is_disabled)
        return DEPLOYMENT_DISABLED;
    if (c->is_sequence_disabled)
        return DEPLOYMENT_SEQUENCE_DISABLED;
    audience = judge_audience(c);
    if (audience != DEPLOYMENT_OPEN)
        return audience;
    if (m->now_us >= until_us)
        return DEPLOYMENT_EXPIRED;
    c->changes_us = until_us;
    if (m->now_us < from_us) {
        c->changes_us = from_us;
        return DEPLOYMENT_NOT_YET;
    }
    if (c->terms.is_required && c->is_protected) {
        c->changes_us = SCHEDULE_NEVER;
        return DEPLOYMENT_PROTECTED;
    }
    if (c->terms.is_required) {
        enum deployment_verdict verdict = judge_required(c, m);

        if (verdict == DEPLOYMENT_OPEN && c->held_us != 0) {
            c->changes_us = SCHEDULE_NEVER;
            return DEPLOYMENT_HELD;
        }
        if ((verdict == DEPLOYMENT_OPEN || verdict == DEPLOYMENT_NOT_DUE) && c->is_grown) {
            c->changes_us = SCHEDULE_NEVER;
            return DEPLOYMENT_NOT_CONFIRMED;
        }
        return verdict == DEPLOYMENT_OPEN ? judge_window(c, m) : verdict;
    }
    return c->past == DEPLOYMENT_SUCCEEDED ? DEPLOYMENT_SUCCEEDED_ALREADY : DEPLOYMENT_OPEN;
}

static unsigned rank(const struct deployment_candidate *c)
{
    if (c->verdict == DEPLOYMENT_RUNS)
        return 0;
    if (c->verdict == DEPLOYMENT_OPEN)
        return c->is_preferred ? 1 : c->terms.is_required ? 2 : c->is_chosen ? 3 : 4;
    /* what it has run says most about why there is nothing more to do */
    return c->past != DEPLOYMENT_NOT_RUN ? 5 : 6;
}

bool deployment_goes_before(const struct deployment_candidate *a,
                            const struct deployment_candidate *b)
{
    bool is_open = a->verdict == DEPLOYMENT_OPEN;

    if (rank(a) != rank(b))
        return rank(a) < rank(b);
    if (is_open && a->terms.priority != b->terms.priority)
        return a->terms.priority < b->terms.priority;
    return a->created_us > b->created_us;
}

/* Whether what it has made could be wiped by another: what a client has run and leaves the disk as it was could not. */
static bool has_made_something(const struct deployment_candidate *c)
{
    return c->past != DEPLOYMENT_NOT_RUN && c->past != DEPLOYMENT_IN_PROGRESS &&
           (c->wipes || !(c->is_client || c->is_by_client));
}

size_t deployment_choose(struct deployment_candidate *list,
                         size_t n,
                         const struct zone *zone,
                         uint64_t now_us)
{
    struct moment m = {.zone = zone, .now_us = now_us};
    size_t best = n;

    for (size_t i = 0; i < n; i++) {
        if (!has_made_something(&list[i]))
            continue;
        if (list[i].begun_us > m.last_run_us)
            m.last_run_us = list[i].begun_us;
        if (list[i].ended_us > m.last_end_us)
            m.last_end_us = list[i].ended_us;
    }
    for (size_t i = 0; i < n; i++) {
        list[i].verdict = judge(&list[i], &m);
        if (list[i].verdict == DEPLOYMENT_OPEN && !list[i].is_reached)
            list[i].verdict = DEPLOYMENT_NOT_REACHED;
        if (best == n || deployment_goes_before(&list[i], &list[best]))
            best = i;
    }
    return best;
}

uint64_t
deployment_last_due(const struct deployment_candidate *c, const struct zone *zone, uint64_t now_us)
{
    const struct moment m = {.zone = zone, .now_us = now_us};

    return last_due_us(c, &m);
}

uint64_t
deployment_next_due(const struct deployment_candidate *c, const struct zone *zone, uint64_t now_us)
{
    const struct moment m = {.zone = zone, .now_us = now_us};
    uint64_t due_us = next_due_us(c, &m);
    uint64_t from_us = available_us(c, zone);

    return c->terms.is_due_at_once && from_us > now_us && from_us < due_us ? from_us : due_us;
}
