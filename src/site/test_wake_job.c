/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wake_job.h"

#include <stdio.h>

#include "site/test_wake.h"

static void what_was_sent_is_in_the_history_and_what_was_not_too(void **state)
{
    (void)state;
    static const struct {
        const char *end;
        const char *action;
        const char *text;
    } table[] = {
        {ALL_SENT, "device.wake-up", "DP00001: magic packets were sent for " FIXTURE_MAC},
        {"{'state': 'succeeded', 'result': {'failed': [{'target': 0, 'to': '255.255.255.255',"
         " 'why': 'SLW-0265: no route'}]}}",
         "device.wake-up-failed",
         "SLW-0265: no route"},
        {"{'state': 'failed', 'error_id': 'SLW-0316', 'message': 'what?'}",
         "device.wake-up-failed",
         "SLW-0316: what?"},
        /* what it makes up is no result */
        {"{'state': 'succeeded', 'result': {'failed': [{'target': 1, 'to': '', 'why': ''}]}}",
         "device.wake-up-failed",
         "SLW-0102"},
        {"{'state': 'succeeded', 'result': {}}", "device.wake-up-failed", "SLW-0102"},
    };
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_import(site, "PC-1", FIXTURE_MAC);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        OWN(json_freep) json_t *job = NULL;

        assert_int_equal(ask(site, "PC-1"), 0);
        fixture_wait(site, SECOND_US);
        job = take_job(site, JOB_OWN_DP);
        assert_non_null(job);
        fixture_dp_finish(site, JOB_OWN_DP, job, table[i].end);
        assert_history(site, "PC-1", table[i].action, table[i].text);
        assert_history(site, "PC-1", table[i].action, "(by hand)");
        fixture_wait(site, FIXTURE_MINUTE_US);
    }
}

/* Whose name it is not all may know who read the history. */
static void a_job_that_was_cancelled_when_it_ran_may_have_sent_some(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *cancelled = NULL;

    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US);
    job = take_job(site, JOB_OWN_DP);
    assert_int_equal(job_cancel(site, "mallory", field_text(job, "id", ""), &cancelled), 0);
    assert_history(site,
                   "PC-1",
                   "device.wake-up-failed",
                   "SLW-0134: It was cancelled. Packets may have been sent for " FIXTURE_MAC);
}

static void words_of_a_distribution_point_are_cut_between_characters(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *job = NULL;
    char end[512];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US);
    job = take_job(site, JOB_OWN_DP);
    (void)snprintf(
        end,
        sizeof(end),
        "{'state': 'failed', 'error_id': 'SLW-0316', 'message': '%0199d\xc3\xa4\xc3\xa4'}",
        0);
    fixture_dp_finish(site, JOB_OWN_DP, job, end);
    assert_history(site, "PC-1", "device.wake-up-failed", "may have been sent for " FIXTURE_MAC);
}

static void what_nobody_takes_in_ten_minutes_is_not_made_up_for(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(ask(site, "PC-1"), 0);
    fixture_wait(site, SECOND_US);
    fixture_wait(site, 11 * FIXTURE_MINUTE_US);
    assert_asleep(site);
    assert_history(site, "PC-1", "device.wake-up-failed", "SLW-0266");
    assert_history(site, "PC-1", "device.wake-up-failed", "Nothing was sent");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_is_in_the_history_and_what_was_not_too),
        cmocka_unit_test(a_job_that_was_cancelled_when_it_ran_may_have_sent_some),
        cmocka_unit_test(words_of_a_distribution_point_are_cut_between_characters),
        cmocka_unit_test(what_nobody_takes_in_ten_minutes_is_not_made_up_for),
    };

    return cmocka_run_group_tests_name("site/wake_job", tests, NULL, NULL);
}
