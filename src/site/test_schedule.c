/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/schedule.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/own.h"
#include "site/fixture.h"
#include "site/window.h"
#include "site/zone.h"

DEFINE_FREEP(struct zone *, zone_free);

static struct zone *open_zone(const char *name)
{
    struct zone *zone = NULL;

    assert_int_equal(zone_open(name, &zone), 0);
    return zone;
}

static struct schedule parse(const char *text)
{
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *src = fixture_json(text);
    struct schedule s = {0};

    assert_int_equal(
        schedule_parse(site, src, "schedule", json_object_get(src, "duration_min") != NULL, &s), 0);
    return s;
}

static uint64_t utc(const char *text)
{
    int64_t s = 0;

    assert_true(civil_parse(bytes_of(text), &s));
    return (uint64_t)s * 1000000;
}

static void assert_times(const char *schedule, const char *zone_name, const char *const *times)
{
    OWN(zone_freep) struct zone *zone = open_zone(zone_name);
    struct schedule s = parse(schedule);
    uint64_t at = 0;
    uint64_t before = SCHEDULE_NEVER;

    for (; *times; times++) {
        char text[CIVIL_TEXT_MAX];
        uint64_t next = schedule_next(&s, zone, at);

        assert_true(next != SCHEDULE_NEVER);
        civil_put(text, (int64_t)(next / 1000000));
        assert_string_equal(text, *times);
        assert_true(schedule_last(&s, zone, next) == next);
        assert_true(schedule_last(&s, zone, next - 1) == before);
        before = next;
        at = next + 1;
    }
}

static void once_is_once(void **state)
{
    struct schedule s = parse("{'start': '2026-11-22T22:00:00Z'}");

    (void)state;
    assert_true(schedule_next(&s, NULL, 0) == utc("2026-11-22T22:00"));
    assert_true(schedule_next(&s, NULL, utc("2026-11-22T22:00") + 1) == SCHEDULE_NEVER);
    assert_true(schedule_last(&s, NULL, utc("2026-11-22T21:59")) == SCHEDULE_NEVER);
    assert_true(schedule_last(&s, NULL, utc("2030-01-01")) == utc("2026-11-22T22:00"));
}

static void a_time_of_day_stays_when_the_clock_is_put_forward_and_back(void **state)
{
    (void)state;
    assert_times("{'start': '2026-03-28T22:00', 'repeat': 'days'}",
                 "Europe/Berlin",
                 (const char *const[]){"2026-03-28T21:00:00", "2026-03-29T20:00:00", NULL});
    assert_times("{'start': '2026-10-24T22:00', 'repeat': 'days'}",
                 "Europe/Berlin",
                 (const char *const[]){"2026-10-24T20:00:00", "2026-10-25T21:00:00", NULL});
}

static void a_time_that_is_left_out_comes_later_and_one_shown_twice_comes_once(void **state)
{
    (void)state;
    assert_times("{'start': '2026-03-28T02:30', 'repeat': 'days'}",
                 "Europe/Berlin",
                 (const char *const[]){
                     "2026-03-28T01:30:00", "2026-03-29T01:30:00", "2026-03-30T00:30:00", NULL});
    assert_times("{'start': '2026-10-24T02:30', 'repeat': 'days'}",
                 "Europe/Berlin",
                 (const char *const[]){
                     "2026-10-24T00:30:00", "2026-10-25T00:30:00", "2026-10-26T01:30:00", NULL});
}

static void utc_is_the_same_everywhere(void **state)
{
    (void)state;
    assert_times("{'start': '2026-03-28T22:00Z', 'repeat': 'days'}",
                 "America/New_York",
                 (const char *const[]){"2026-03-28T22:00:00", "2026-03-29T22:00:00", NULL});
}

static void local_time_is_each_places_own(void **state)
{
    (void)state;
    assert_times("{'start': '2026-11-22T22:00'}",
                 "Asia/Tokyo",
                 (const char *const[]){"2026-11-22T13:00:00", NULL});
    assert_times("{'start': '2026-11-22T22:00'}",
                 "America/New_York",
                 (const char *const[]){"2026-11-23T03:00:00", NULL});
}

static void hours_are_counted_in_elapsed_time(void **state)
{
    (void)state;
    assert_times("{'start': '2026-03-29T00:00', 'repeat': 'hours', 'every': 2}",
                 "Europe/Berlin",
                 (const char *const[]){
                     "2026-03-28T23:00:00", "2026-03-29T01:00:00", "2026-03-29T03:00:00", NULL});
    assert_times("{'start': '2026-03-29T00:00Z', 'repeat': 'minutes', 'every': 45}",
                 "UTC",
                 (const char *const[]){"2026-03-29T00:00:00", "2026-03-29T00:45:00", NULL});
}

static void weeks_begin_with_the_first_such_day_after_the_start(void **state)
{
    (void)state;
    assert_times("{'start': '2026-11-22T06:00Z', 'repeat': 'weekly', 'every': 2, 'weekday': 'sat'}",
                 "UTC",
                 (const char *const[]){"2026-11-28T06:00:00", "2026-12-12T06:00:00", NULL});
    assert_times("{'start': '2026-11-22T06:00Z', 'repeat': 'weekly', 'weekday': 'sun'}",
                 "UTC",
                 (const char *const[]){"2026-11-22T06:00:00", "2026-11-29T06:00:00", NULL});
}

static void a_short_month_gives_its_last_day(void **state)
{
    (void)state;
    assert_times("{'start': '2027-12-05T01:00Z', 'repeat': 'monthly-by-date', 'day': 31}",
                 "UTC",
                 (const char *const[]){
                     "2027-12-31T01:00:00", "2028-01-31T01:00:00", "2028-02-29T01:00:00", NULL});
    assert_times(
        "{'start': '2026-11-22T01:00Z', 'repeat': 'monthly-by-date', 'day': 0, 'every': 3}",
        "UTC",
        (const char *const[]){"2026-11-30T01:00:00", "2027-02-28T01:00:00", NULL});
    assert_times("{'start': '2026-11-22T01:00Z', 'repeat': 'monthly-by-date', 'day': 5}",
                 "UTC",
                 (const char *const[]){"2026-12-05T01:00:00", "2027-01-05T01:00:00", NULL});
}

static void the_second_tuesday_and_the_last_friday_are_found(void **state)
{
    (void)state;
    assert_times("{'start': '2026-11-01T03:00Z', 'repeat': 'monthly-by-weekday', 'weekday': 'tue', "
                 "'week': 2}",
                 "UTC",
                 (const char *const[]){
                     "2026-11-10T03:00:00", "2026-12-08T03:00:00", "2027-01-12T03:00:00", NULL});
    assert_times("{'start': '2026-11-28T03:00Z', 'repeat': 'monthly-by-weekday', 'weekday': 'fri', "
                 "'week': 5}",
                 "UTC",
                 (const char *const[]){"2026-12-25T03:00:00", "2027-01-29T03:00:00", NULL});
}

static void next_and_last_agree_over_decades(void **state)
{
    static const char *const texts[] = {
        "{'start': '2026-01-31T02:30', 'repeat': 'monthly-by-date', 'day': 31}",
        "{'start': '2026-01-31T02:30', 'repeat': 'monthly-by-date', 'day': 29, 'every': 12}",
        "{'start': '2026-01-31T02:30', 'repeat': 'monthly-by-weekday', 'weekday': 'sun', 'week': 5}",
        "{'start': '2026-01-31T02:30', 'repeat': 'weekly', 'weekday': 'sun', 'every': 4}",
        "{'start': '2026-01-31T02:30', 'repeat': 'days', 'every': 31}",
    };
    OWN(zone_freep) struct zone *zone = open_zone("America/New_York");

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct schedule s = parse(texts[i]);
        uint64_t at = schedule_next(&s, zone, 0);

        for (unsigned n = 0; n < 500; n++) {
            uint64_t next = schedule_next(&s, zone, at + 1);

            assert_true(next > at);
            assert_true(schedule_last(&s, zone, next - 1) == at);
            assert_true(schedule_next(&s, zone, at) == at);
            at = next;
        }
    }
}

static void what_is_no_schedule_is_refused(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "{'start': 'tomorrow'}",
        "{'start': '2026-02-30T10:00'}",
        "{'start': '2026-02-03T10:00+01:00'}",
        "{'start': '2026-02-03', 'repeat': 'yearly'}",
        "{'start': '2026-02-03', 'repeat': 'hours', 'every': 24}",
        "{'start': '2026-02-03', 'repeat': 'days', 'every': 0}",
        "{'start': '2026-02-03', 'repeat': 'weekly'}",
        "{'start': '2026-02-03', 'repeat': 'weekly', 'weekday': 'Sunday'}",
        "{'start': '2026-02-03', 'repeat': 'monthly-by-date'}",
        "{'start': '2026-02-03', 'repeat': 'monthly-by-weekday', 'weekday': 'sun'}",
        "{'start': '2026-02-03', 'duration_min': 60}",
        "{'start': '2026-02-03', 'often': true}",
    };
    OWN(fixture_freep) struct site *site = fixture_new();

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(json_freep) json_t *src = fixture_json(texts[i]);
        struct schedule s = {0};

        assert_int_equal(schedule_parse(site, src, "schedule", false, &s), SITE_E_REFUSED);
        assert_non_null(strstr(site->refusal.detail, "\""));
    }
}

static void what_the_repetition_does_not_have_is_refused(void **state)
{
    static const char *const good[] = {
        "{'start': '2026-02-03'}",
        "{'start': '2026-02-03', 'repeat': 'days', 'every': 2}",
        "{'start': '2026-02-03', 'repeat': 'weekly', 'every': 2, 'weekday': 'sun'}",
        "{'start': '2026-02-03', 'repeat': 'monthly-by-date', 'every': 2, 'day': 0}",
        "{'start': '2026-02-03', 'repeat': 'monthly-by-weekday', 'week': 5, 'weekday': 'fri'}",
    };
    static const char *const bad[] = {
        "{'start': '2026-02-03', 'every': 2}",
        "{'start': '2026-02-03', 'weekday': 'sun'}",
        "{'start': '2026-02-03', 'repeat': 'days', 'weekday': 'sun'}",
        "{'start': '2026-02-03', 'repeat': 'hours', 'day': 1}",
        "{'start': '2026-02-03', 'repeat': 'weekly', 'weekday': 'sun', 'week': 2}",
        "{'start': '2026-02-03', 'repeat': 'weekly', 'weekday': 'sun', 'day': 3}",
        "{'start': '2026-02-03', 'repeat': 'monthly-by-date', 'day': 3, 'weekday': 'sun'}",
        "{'start': '2026-02-03', 'repeat': 'monthly-by-weekday', 'week': 1, 'weekday': 'sun', 'day': 3}",
    };
    OWN(fixture_freep) struct site *site = fixture_new();

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        OWN(json_freep) json_t *src = fixture_json(good[i]);

        assert_int_equal(schedule_check(site, src, "schedule"), 0);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep) json_t *src = fixture_json(bad[i]);
        struct schedule kept = {0};

        assert_int_equal(schedule_check(site, src, "schedule"), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
        /* where one is kept from before, devices are judged by it as ever */
        assert_int_equal(schedule_parse(site, src, "schedule", false, &kept), 0);
    }
}

static void zones_have_names_and_no_paths(void **state)
{
    static const char *const names[] = {"Europe/Nowhere",
                                        "../../../etc/passwd",
                                        "/etc/localtime",
                                        "Europe",
                                        "Europe/",
                                        "a//b",
                                        "tzdata.zi"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct zone *zone = NULL;

        assert_int_equal(zone_open(names[i], &zone), ZONE_E_UNKNOWN);
        assert_null(zone);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(once_is_once),
        cmocka_unit_test(a_time_of_day_stays_when_the_clock_is_put_forward_and_back),
        cmocka_unit_test(a_time_that_is_left_out_comes_later_and_one_shown_twice_comes_once),
        cmocka_unit_test(utc_is_the_same_everywhere),
        cmocka_unit_test(local_time_is_each_places_own),
        cmocka_unit_test(hours_are_counted_in_elapsed_time),
        cmocka_unit_test(weeks_begin_with_the_first_such_day_after_the_start),
        cmocka_unit_test(a_short_month_gives_its_last_day),
        cmocka_unit_test(the_second_tuesday_and_the_last_friday_are_found),
        cmocka_unit_test(next_and_last_agree_over_decades),
        cmocka_unit_test(what_is_no_schedule_is_refused),
        cmocka_unit_test(what_the_repetition_does_not_have_is_refused),
        cmocka_unit_test(zones_have_names_and_no_paths),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
