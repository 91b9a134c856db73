/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment_rule.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */

#include <cmocka.h>

#include "base/civil.h"

enum {
    LIST_MAX = 4,
};

static int64_t seconds(const char *text)
{
    int64_t s = 0;

    assert_true(civil_parse(bytes_of(text), &s));
    return s;
}

static uint64_t utc(const char *text)
{
    return (uint64_t)seconds(text) * 1000000;
}

static struct deployment_time at(const char *text)
{
    return (struct deployment_time){.is_set = true, .is_utc = true, .at_s = seconds(text)};
}

/* A required one that is due at once, made at noon on the 1st. */
static struct deployment_candidate required(void)
{
    return (struct deployment_candidate){
        .terms = {.is_required = true,
                  .is_due_at_once = true,
                  .audience = DEPLOYMENT_FOR_CLIENTS_MEDIA_PXE,
                  .rerun = DEPLOYMENT_RERUN_ALWAYS,
                  .priority = 1},
        .created_us = utc("2026-11-01T12:00"),
        .is_reached = true,
    };
}

static struct deployment_candidate available(void)
{
    struct deployment_candidate c = required();

    c.terms.is_required = false;
    c.terms.is_due_at_once = false;
    return c;
}

static struct deployment_candidate
ran(struct deployment_candidate c, enum deployment_past past, const char *begun, const char *ended)
{
    c.past = past;
    c.begun_us = utc(begun);
    c.ended_us = utc(ended);
    return c;
}

static void every_day_at_ten(struct deployment_candidate *c)
{
    c->terms.assignments[c->terms.n_assignments++] =
        (struct schedule){.start_s = seconds("2026-11-01T22:00"),
                          .is_utc = true,
                          .repeat = SCHEDULE_DAYS,
                          .every = 1};
}

static enum deployment_verdict judge(struct deployment_candidate c, const char *now)
{
    assert_int_equal(deployment_choose(&c, 1, NULL, utc(now)), 0);
    return c.verdict;
}

static void a_required_one_is_open_until_it_was_run(void **state)
{
    struct deployment_candidate c = required();

    (void)state;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_OPEN);
    assert_int_equal(judge(ran(c, DEPLOYMENT_SUCCEEDED, "2026-11-02", "2026-11-03"), "2026-11-04"),
                     DEPLOYMENT_SUCCEEDED_ALREADY);
    assert_int_equal(judge(ran(c, DEPLOYMENT_FAILED, "2026-11-02", "2026-11-03"), "2026-11-04"),
                     DEPLOYMENT_FAILED_ALREADY);
}

static void it_is_open_from_its_time_to_before_its_expiry(void **state)
{
    struct deployment_candidate c = required();

    (void)state;
    c.terms.available_from = at("2026-11-05T22:00");
    c.terms.expires = at("2026-11-06T06:00");
    assert_int_equal(judge(c, "2026-11-05T21:59"), DEPLOYMENT_NOT_YET);
    assert_int_equal(judge(c, "2026-11-05T22:00"), DEPLOYMENT_OPEN);
    assert_int_equal(judge(c, "2026-11-06T05:59"), DEPLOYMENT_OPEN);
    assert_int_equal(judge(c, "2026-11-06T06:00"), DEPLOYMENT_EXPIRED);
    (void)deployment_choose(&c, 1, NULL, utc("2026-11-04"));
    assert_true(c.changes_us == utc("2026-11-05T22:00"));
    (void)deployment_choose(&c, 1, NULL, utc("2026-11-06"));
    assert_true(c.changes_us == utc("2026-11-06T06:00"));
}

static void a_deadline_to_come_keeps_nobody_from_starting_it_by_network(void **state)
{
    struct deployment_candidate c = required();

    (void)state;
    c.terms.is_due_at_once = false;
    every_day_at_ten(&c);
    assert_int_equal(judge(c, "2026-11-01T13:00"), DEPLOYMENT_OPEN);
}

static void when_it_is_due_again_the_rerun_behaviour_decides(void **state)
{
    static const struct {
        enum deployment_rerun rerun;
        enum deployment_verdict after_success;
        enum deployment_verdict after_failure;
    } cases[] = {
        {DEPLOYMENT_RERUN_NEVER, DEPLOYMENT_SUCCEEDED_ALREADY, DEPLOYMENT_FAILED_ALREADY},
        {DEPLOYMENT_RERUN_ALWAYS, DEPLOYMENT_OPEN, DEPLOYMENT_OPEN},
        {DEPLOYMENT_RERUN_IF_FAILED, DEPLOYMENT_SUCCEEDED_ALREADY, DEPLOYMENT_OPEN},
        {DEPLOYMENT_RERUN_IF_SUCCEEDED, DEPLOYMENT_OPEN, DEPLOYMENT_FAILED_ALREADY},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct deployment_candidate c = required();

        c.terms.rerun = cases[i].rerun;
        every_day_at_ten(&c);
        assert_int_equal(judge(ran(c, DEPLOYMENT_SUCCEEDED, "2026-11-02T22:05", "2026-11-02T23:00"),
                               "2026-11-03T22:00"),
                         cases[i].after_success);
        assert_int_equal(judge(ran(c, DEPLOYMENT_FAILED, "2026-11-02T22:05", "2026-11-02T23:00"),
                               "2026-11-03T22:00"),
                         cases[i].after_failure);
        /* not before it is due again */
        assert_int_equal(judge(ran(c, DEPLOYMENT_SUCCEEDED, "2026-11-02T22:05", "2026-11-02T23:00"),
                               "2026-11-03T21:59"),
                         DEPLOYMENT_SUCCEEDED_ALREADY);
    }
}

static void an_occurrence_within_a_run_is_not_run_again(void **state)
{
    struct deployment_candidate c = required();

    (void)state;
    every_day_at_ten(&c);
    assert_int_equal(judge(ran(c, DEPLOYMENT_SUCCEEDED, "2026-11-02T21:30", "2026-11-02T23:00"),
                           "2026-11-02T23:01"),
                     DEPLOYMENT_SUCCEEDED_ALREADY);
}

static void who_may_be_offered_it_is_kept_to(void **state)
{
    struct deployment_candidate c = required();

    (void)state;
    c.terms.audience = DEPLOYMENT_FOR_CLIENTS;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_CLIENTS_ONLY);
    c.terms.audience = DEPLOYMENT_FOR_MEDIA_PXE_HIDDEN;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_HIDDEN);
    c.is_preferred = true;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_OPEN);
}

static void what_is_switched_off_says_so(void **state)
{
    struct deployment_candidate c = required();

    (void)state;
    c.is_sequence_disabled = true;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_SEQUENCE_DISABLED);
    c.terms.is_disabled = true;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_DISABLED);
    c.is_cancelled = true;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_CANCELLED);
    c = required();
    c.is_reached = false;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_NOT_REACHED);
}

static void what_is_in_progress_goes_on_whatever_changed_meanwhile(void **state)
{
    struct deployment_candidate c =
        ran(required(), DEPLOYMENT_IN_PROGRESS, "2026-11-02", "2026-11-02");

    (void)state;
    c.terms.is_disabled = true;
    c.is_cancelled = true;
    c.is_reached = false;
    c.terms.expires = at("2026-11-02");
    assert_int_equal(judge(c, "2026-11-03"), DEPLOYMENT_RUNS);
}

static void what_was_due_before_the_device_ran_another_is_superseded(void **state)
{
    struct deployment_candidate list[2] = {required(), required()};

    (void)state;
    list[1].created_us = utc("2026-11-02");
    list[1] = ran(list[1], DEPLOYMENT_SUCCEEDED, "2026-11-03", "2026-11-04");
    assert_int_equal(deployment_choose(list, 2, NULL, utc("2026-11-05")), 1);
    assert_int_equal(list[0].verdict, DEPLOYMENT_SUPERSEDED);
    assert_int_equal(list[1].verdict, DEPLOYMENT_SUCCEEDED_ALREADY);
    /* made while the other ran: it is meant for what that leaves */
    list[0].created_us = utc("2026-11-03T06:00");
    assert_int_equal(deployment_choose(list, 2, NULL, utc("2026-11-05")), 0);
    assert_int_equal(list[0].verdict, DEPLOYMENT_OPEN);
    /* due again since */
    list[0] = required();
    every_day_at_ten(&list[0]);
    assert_int_equal(deployment_choose(list, 2, NULL, utc("2026-11-05")), 0);
    assert_int_equal(list[0].verdict, DEPLOYMENT_OPEN);
}

static void of_several_the_choice_has_an_order(void **state)
{
    struct deployment_candidate list[LIST_MAX] = {available(), required(), required(), available()};
    const uint64_t now = utc("2026-11-20");

    (void)state;
    list[3].created_us = utc("2026-11-19");
    list[2].created_us = utc("2026-11-10");
    /* required before available, then the newest */
    assert_int_equal(deployment_choose(list, LIST_MAX, NULL, now), 2);
    /* priority before age */
    list[1].terms.priority = 0;
    assert_int_equal(deployment_choose(list, LIST_MAX, NULL, now), 1);
    /* the one that is named before all */
    list[0].is_preferred = true;
    assert_int_equal(deployment_choose(list, LIST_MAX, NULL, now), 0);
    /* but for one in progress */
    list[3].past = DEPLOYMENT_IN_PROGRESS;
    assert_int_equal(deployment_choose(list, LIST_MAX, NULL, now), 3);
    assert_int_equal(deployment_choose(list, 0, NULL, now), 0);
}

static void an_available_one_may_be_chosen_again_after_a_failure(void **state)
{
    struct deployment_candidate c = available();

    (void)state;
    assert_int_equal(judge(ran(c, DEPLOYMENT_FAILED, "2026-11-02", "2026-11-03"), "2026-11-04"),
                     DEPLOYMENT_OPEN);
    assert_int_equal(judge(ran(c, DEPLOYMENT_SUCCEEDED, "2026-11-02", "2026-11-03"), "2026-11-04"),
                     DEPLOYMENT_SUCCEEDED_ALREADY);
}

/* Two hours each day from ten at night. */
static const struct schedule nights[] = {{.is_utc = true,
                                          .repeat = SCHEDULE_DAYS,
                                          .every = 1,
                                          .start_s = INT64_C(22) * 3600,
                                          .duration_min = 120}};
static const struct windows night = {nights, 1, NULL};

static void a_required_one_begins_in_a_window_only(void **state)
{
    struct deployment_candidate c = required();

    (void)state;
    c.windows = &night;
    assert_int_equal(deployment_choose(&c, 1, NULL, utc("2026-11-02T09:00")), 0);
    assert_int_equal(c.verdict, DEPLOYMENT_OUTSIDE_WINDOW);
    assert_true(c.changes_us == utc("2026-11-02T22:00"));
    assert_int_equal(deployment_choose(&c, 1, NULL, utc("2026-11-02T23:59")), 0);
    assert_int_equal(c.verdict, DEPLOYMENT_OPEN);
    assert_true(c.changes_us == utc("2026-11-03T00:00"));
    c.terms.may_run_outside_windows = true;
    assert_int_equal(judge(c, "2026-11-02T09:00"), DEPLOYMENT_OPEN);
}

static void what_takes_long_begins_where_it_fits(void **state)
{
    struct deployment_candidate c = required();

    (void)state;
    c.windows = &night;
    c.terms.max_run_min = 90;
    assert_int_equal(deployment_choose(&c, 1, NULL, utc("2026-11-02T22:30")), 0);
    assert_int_equal(c.verdict, DEPLOYMENT_OPEN);
    assert_true(c.changes_us == utc("2026-11-02T22:30"));
    assert_int_equal(deployment_choose(&c, 1, NULL, utc("2026-11-02T22:31")), 0);
    assert_int_equal(c.verdict, DEPLOYMENT_OUTSIDE_WINDOW);
    assert_true(c.changes_us == utc("2026-11-03T22:00"));
    c.terms.max_run_min = 121;
    assert_int_equal(deployment_choose(&c, 1, NULL, utc("2026-11-02T22:31")), 0);
    assert_int_equal(c.verdict, DEPLOYMENT_OUTSIDE_WINDOW);
    assert_true(c.changes_us == SCHEDULE_NEVER);
    c.terms.may_restart_outside_windows = true;
    assert_int_equal(judge(c, "2026-11-02T23:59"), DEPLOYMENT_OPEN);
}

static void windows_are_nothing_to_who_chooses_and_to_what_has_begun(void **state)
{
    struct deployment_candidate c = available();

    (void)state;
    c.windows = &night;
    assert_int_equal(judge(c, "2026-11-02T09:00"), DEPLOYMENT_OPEN);
    c = required();
    c.windows = &night;
    c.past = DEPLOYMENT_IN_PROGRESS;
    assert_int_equal(judge(c, "2026-11-02T09:00"), DEPLOYMENT_RUNS);
}

static void what_was_chosen_goes_before_what_was_not(void **state)
{
    struct deployment_candidate list[] = {available(), available(), available()};

    (void)state;
    list[1].terms.priority = 0;
    list[2].is_chosen = true;
    assert_int_equal(deployment_choose(list, 3, NULL, utc("2026-11-02")), 2);
    list[0].terms.is_required = list[0].terms.is_due_at_once = true;
    assert_int_equal(deployment_choose(list, 3, NULL, utc("2026-11-02")), 0);
}

static void what_has_grown_over_what_was_confirmed_begins_on_none(void **state)
{
    struct deployment_candidate c = required();
    struct deployment_candidate client = required();

    (void)state;
    c.is_grown = true;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_NOT_CONFIRMED);
    (void)deployment_choose(&c, 1, NULL, utc("2026-11-02"));
    assert_true(c.changes_us == SCHEDULE_NEVER);
    c.past = DEPLOYMENT_IN_PROGRESS;
    assert_int_equal(judge(c, "2026-11-02"), DEPLOYMENT_RUNS);
    assert_int_equal(judge(ran(c, DEPLOYMENT_SUCCEEDED, "2026-11-02", "2026-11-03"), "2026-11-04"),
                     DEPLOYMENT_SUCCEEDED_ALREADY);
    /* a person who begins it before its deadline has counted nobody either */
    client.is_grown = client.is_client = true;
    client.terms.is_due_at_once = false;
    every_day_at_ten(&client);
    assert_int_equal(judge(client, "2026-11-01T13:00"), DEPLOYMENT_NOT_CONFIRMED);
}

static void a_member_that_came_after_its_last_run_is_due_from_then_on(void **state)
{
    struct deployment_candidate list[2] = {required(), required()};

    (void)state;
    list[1] = ran(list[1], DEPLOYMENT_SUCCEEDED, "2026-11-02", "2026-11-03");
    list[0].since_us = utc("2026-11-03");
    (void)deployment_choose(list, 2, NULL, utc("2026-11-04"));
    assert_int_equal(list[0].verdict, DEPLOYMENT_SUPERSEDED);
    list[0].since_us += 1;
    assert_int_equal(deployment_choose(list, 2, NULL, utc("2026-11-04")), 0);
    assert_int_equal(list[0].verdict, DEPLOYMENT_OPEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_required_one_is_open_until_it_was_run),
        cmocka_unit_test(it_is_open_from_its_time_to_before_its_expiry),
        cmocka_unit_test(a_deadline_to_come_keeps_nobody_from_starting_it_by_network),
        cmocka_unit_test(when_it_is_due_again_the_rerun_behaviour_decides),
        cmocka_unit_test(an_occurrence_within_a_run_is_not_run_again),
        cmocka_unit_test(who_may_be_offered_it_is_kept_to),
        cmocka_unit_test(what_is_switched_off_says_so),
        cmocka_unit_test(what_is_in_progress_goes_on_whatever_changed_meanwhile),
        cmocka_unit_test(what_was_due_before_the_device_ran_another_is_superseded),
        cmocka_unit_test(of_several_the_choice_has_an_order),
        cmocka_unit_test(a_required_one_begins_in_a_window_only),
        cmocka_unit_test(what_takes_long_begins_where_it_fits),
        cmocka_unit_test(windows_are_nothing_to_who_chooses_and_to_what_has_begun),
        cmocka_unit_test(what_was_chosen_goes_before_what_was_not),
        cmocka_unit_test(an_available_one_may_be_chosen_again_after_a_failure),
        cmocka_unit_test(what_has_grown_over_what_was_confirmed_begins_on_none),
        cmocka_unit_test(a_member_that_came_after_its_last_run_is_due_from_then_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
