/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Devices that live through a year of deadlines and maintenance windows, in virtual time: places with and without daylight
 * saving, recurrences of every kind, clocks that jump back and forward
 *
 * Whatever the seed: the choice does not depend on the order of the list; a verdict holds until it says it changes; what is
 * required begins in a window, where it fits; and no occurrence is run twice, also when the clock was put back.
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "scenario/world.h"
#include "site/deployment_rule.h"
#include "site/zone.h"

enum {
    N_SEEDS = 20,
    N_LOOKS = 400,
    N_CANDIDATES = 3,
    N_WINDOWS = 3,
};

#define MINUTE_US (UINT64_C(60) * 1000000)
#define HOUR_US   (60 * MINUTE_US)
#define DAY_US    (24 * HOUR_US)

static const char *const places[] = {
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"};

struct life {
    struct chance chance;
    const struct zone *zone;
    struct schedule list[N_WINDOWS];
    struct windows windows;
    struct deployment_candidate candidates[N_CANDIDATES];
    uint64_t begin_us; /* of the year */
    uint64_t now_us;
};

static unsigned below(struct life *life, unsigned n)
{
    return (unsigned)chance_below(&life->chance, n);
}

static struct schedule some_schedule(struct life *life, unsigned duration_min)
{
    static const unsigned every_max[] = {1, 59, 23, 31, 4, 12, 12};
    enum schedule_repeat repeat = (enum schedule_repeat)below(life, 7);

    return (struct schedule){
        .start_s = (int64_t)(life->begin_us / 1000000) + (int64_t)below(life, 300 * 24 * 60) * 60,
        .is_utc = below(life, 4) == 0,
        .repeat = repeat,
        .every = 1 + below(life, every_max[repeat]),
        .weekday = below(life, 7),
        .day = below(life, 32),
        .week = 1 + below(life, 5),
        .duration_min = duration_min,
    };
}

static struct deployment_candidate some_deployment(struct life *life)
{
    struct deployment_candidate c = {
        .terms = {.is_required = below(life, 4) != 0,
                  .audience = DEPLOYMENT_FOR_CLIENTS_MEDIA_PXE,
                  .rerun = (enum deployment_rerun)below(life, 4),
                  .priority = below(life, 3),
                  .may_run_outside_windows = below(life, 4) == 0,
                  .may_restart_outside_windows = below(life, 4) == 0,
                  .max_run_min = below(life, 2) == 0 ? 0 : below(life, 300)},
        .created_us = life->begin_us + below(life, 100) * DAY_US,
        .is_reached = true,
        .windows = &life->windows,
    };

    c.terms.is_due_at_once = c.terms.is_required && below(life, 2) == 0;
    while (c.terms.is_required && c.terms.n_assignments < 2)
        c.terms.assignments[c.terms.n_assignments++] = some_schedule(life, 0);
    if (below(life, 3) == 0)
        c.terms.expires = (struct deployment_time){
            .is_set = true,
            .at_s = (int64_t)((life->begin_us + (100 + below(life, 200)) * DAY_US) / 1000000)};
    return c;
}

static void begin(struct life *life, uint64_t seed, const struct zone *zone)
{
    int64_t start_s = 0;

    assert_true(civil_parse(bytes_of("2026-01-01T00:00"), &start_s));
    *life = (struct life){.chance = chance_seeded(seed), .zone = zone};
    life->begin_us = life->now_us = (uint64_t)start_s * 1000000;
    life->windows = (struct windows){life->list, below(life, N_WINDOWS + 1), zone};
    for (size_t i = 0; i < life->windows.n; i++)
        life->list[i] = some_schedule(life, 1 + below(life, SCHEDULE_DURATION_MAX_MIN));
    for (size_t i = 0; i < N_CANDIDATES; i++) {
        life->candidates[i] = some_deployment(life);
        life->candidates[i].created_us += i * MINUTE_US;
    }
}

/* The same in another order is the same choice. */
static size_t choose(struct life *life)
{
    struct deployment_candidate turned[N_CANDIDATES];
    size_t chosen = deployment_choose(life->candidates, N_CANDIDATES, life->zone, life->now_us);
    size_t other;

    for (size_t i = 0; i < N_CANDIDATES; i++)
        turned[i] = life->candidates[N_CANDIDATES - 1 - i];
    other = deployment_choose(turned, N_CANDIDATES, life->zone, life->now_us);
    assert_int_equal(turned[other].verdict, life->candidates[chosen].verdict);
    assert_int_equal(turned[other].created_us, life->candidates[chosen].created_us);
    return chosen;
}

static void assert_verdicts_hold(struct life *life)
{
    struct deployment_candidate later[N_CANDIDATES];

    for (size_t i = 0; i < N_CANDIDATES; i++) {
        const struct deployment_candidate *c = &life->candidates[i];
        uint64_t span =
            c->changes_us == SCHEDULE_NEVER ? 30 * DAY_US : c->changes_us - life->now_us;
        uint64_t at = life->now_us + (span > 1 ? chance_below(&life->chance, span) : 0);

        /* so many windows are looked at, and no more (WINDOW_LOOKS) */
        if (c->verdict == DEPLOYMENT_OUTSIDE_WINDOW && c->changes_us == SCHEDULE_NEVER)
            continue;
        assert_true(c->changes_us >= life->now_us);
        memcpy(later, life->candidates, sizeof(later));
        (void)deployment_choose(later, N_CANDIDATES, life->zone, at);
        if (later[i].verdict != c->verdict)
            fail_msg(
                "verdict %d becomes %d before it should", (int)c->verdict, (int)later[i].verdict);
    }
}

static void assert_may_begin(const struct life *life, const struct deployment_candidate *c)
{
    uint64_t until_us = window_open_until(&life->windows, life->now_us);

    if (!c->terms.is_required || c->terms.may_run_outside_windows)
        return;
    assert_true(until_us > life->now_us);
    if (!c->terms.may_restart_outside_windows && until_us != SCHEDULE_NEVER)
        assert_true(until_us - life->now_us >= c->terms.max_run_min * MINUTE_US);
}

/* Since it ended last it was due again: by one of its assignments, for what is at once is so only the first time. */
static void assert_was_due_since(const struct life *life, const struct deployment_candidate *c)
{
    bool is_due = false;

    if (!c->terms.is_required || c->past == DEPLOYMENT_NOT_RUN)
        return;
    for (size_t i = 0; i < c->terms.n_assignments; i++) {
        uint64_t due_us = schedule_last(&c->terms.assignments[i], life->zone, life->now_us);

        is_due = is_due || (due_us != SCHEDULE_NEVER && due_us > c->ended_us);
    }
    assert_true(is_due);
}

static void run(struct life *life, struct deployment_candidate *c)
{
    assert_may_begin(life, c);
    assert_was_due_since(life, c);
    c->begun_us = life->now_us;
    c->ended_us = life->now_us + (1 + below(life, 240)) * MINUTE_US;
    c->past = below(life, 3) == 0 ? DEPLOYMENT_FAILED : DEPLOYMENT_SUCCEEDED;
}

/* A year goes by in steps; now and then the clock is wrong for a while. */
static void go_on(struct life *life)
{
    unsigned what = below(life, 20);

    if (what == 0 && life->now_us > life->begin_us + 3 * DAY_US)
        life->now_us -= below(life, 3 * 24 * 60) * MINUTE_US;
    else if (what == 1)
        life->now_us += below(life, 10) * DAY_US;
    else
        life->now_us += below(life, 36 * 60) * MINUTE_US;
}

static void live(uint64_t seed, const struct zone *zone, unsigned *n_runs)
{
    struct life life;

    begin(&life, seed, zone);
    for (unsigned i = 0; i < N_LOOKS; i++) {
        size_t chosen = choose(&life);

        assert_verdicts_hold(&life);
        if (life.candidates[chosen].verdict == DEPLOYMENT_OPEN) {
            run(&life, &life.candidates[chosen]);
            (*n_runs)++;
        }
        go_on(&life);
    }
}

static void no_place_and_no_clock_makes_a_deployment_run_when_it_should_not(void **state)
{
    unsigned n_runs = 0;

    (void)state;
    for (size_t place = 0; place < sizeof(places) / sizeof(places[0]); place++) {
        struct zone *zone = NULL;

        assert_int_equal(zone_open(places[place], &zone), 0);
        for (uint64_t seed = 1; seed <= N_SEEDS; seed++)
            live(seed * 7 + place, zone, &n_runs);
        zone_free(zone);
    }
    assert_true(n_runs > N_SEEDS);
    print_message(
        "%u runs in %u lives\n", n_runs, (unsigned)(N_SEEDS * sizeof(places) / sizeof(places[0])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_place_and_no_clock_makes_a_deployment_run_when_it_should_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
