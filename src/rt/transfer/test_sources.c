/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/transfer/sources.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */

#include <cmocka.h>

static const char *const urls[] = {"http://a", "http://b", "http://c"};

enum {
    NOW_US = 1000 * 1000,
    MIB = 1024 * 1024,
    SECOND_US = 1000 * 1000,
};

static struct sources three(size_t n_shared)
{
    struct sources s;

    sources_init(&s, urls, 3, n_shared);
    return s;
}

static void choose_takes_the_best_that_failed_least_for_this_thing(void **state)
{
    (void)state;
    struct sources s = three(1);
    struct sources_tried tried = {0};
    struct sources_tried other = {0};

    assert_int_equal(sources_choose(&s, &tried, SOURCES_NONE, NOW_US), 0);
    sources_bad(&s, &tried, 0, NOW_US);
    assert_int_equal(sources_choose(&s, &tried, SOURCES_NONE, NOW_US), 1);
    assert_int_equal(sources_choose(&s, &other, SOURCES_NONE, NOW_US), 0);
    sources_bad(&s, &tried, 1, NOW_US);
    sources_bad(&s, &tried, 2, NOW_US);
    assert_int_equal(sources_choose(&s, &tried, SOURCES_NONE, NOW_US), 0); /* once more */
    assert_int_equal(sources_choose(&s, &tried, 0, NOW_US), 1);
}

static void choose_lets_equally_good_ones_share_the_work(void **state)
{
    (void)state;
    struct sources s = three(2);
    struct sources_tried tried = {0};

    for (int i = 0; i < 6; i++)
        s.all[sources_choose(&s, &tried, SOURCES_NONE, NOW_US)].n_loading++;
    assert_int_equal(s.all[0].n_loading, 3);
    assert_int_equal(s.all[1].n_loading, 3);
    assert_int_equal(s.all[2].n_loading, 0);
}

static void is_hopeless_only_when_every_source_was_wrong_twice(void **state)
{
    (void)state;
    struct sources s = three(1);
    struct sources_tried tried = {0};

    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 3; i++) {
            assert_false(sources_is_hopeless(&s, &tried));
            sources_bad(&s, &tried, i, NOW_US);
        }
    assert_true(sources_is_hopeless(&s, &tried));
    assert_int_equal(sources_choose(&s, &tried, SOURCES_NONE, UINT64_MAX), SOURCES_NONE);
}

static void broke_leaves_a_source_alone_for_longer_each_time_and_not_for_ever(void **state)
{
    (void)state;
    struct sources s = three(1);
    struct sources_tried tried = {0};
    uint64_t now_us = NOW_US;
    uint64_t last_us = 0;

    for (int i = 0; i < 12; i++) {
        uint64_t pause_us;

        sources_broke(&s, 0, now_us);
        sources_broke(&s, 0, now_us); /* at the same moment: counts once */
        pause_us = sources_next_us(&s, now_us) - now_us;
        assert_true(pause_us >= last_us && pause_us <= (uint64_t)10 * SECOND_US);
        assert_int_equal(sources_choose(&s, &tried, SOURCES_NONE, now_us), 1);
        last_us = pause_us;
        now_us += pause_us;
        assert_int_equal(sources_choose(&s, &tried, SOURCES_NONE, now_us), 0);
    }
    assert_int_equal(last_us, (uint64_t)10 * SECOND_US);
    sources_good(&s, 0, MIB, 1000);
    sources_broke(&s, 0, now_us);
    assert_int_equal(sources_next_us(&s, now_us) - now_us, SECOND_US / 4);
}

static void bad_gives_a_pause_only_to_who_is_wrong_often(void **state)
{
    (void)state;
    struct sources s = three(1);
    struct sources_tried tried[3] = {{{0}}, {{0}}, {{0}}};

    sources_bad(&s, &tried[0], 0, NOW_US);
    sources_bad(&s, &tried[1], 0, NOW_US);
    assert_int_equal(sources_next_us(&s, NOW_US), UINT64_MAX);
    sources_bad(&s, &tried[2], 0, NOW_US);
    assert_true(sources_next_us(&s, NOW_US) < UINT64_MAX);
}

static void is_slow_compares_with_what_the_other_one_gave(void **state)
{
    (void)state;
    struct sources s = three(1);

    /* nobody knows the other one: after 5 s it is worth a try */
    assert_false(sources_is_slow(&s, 0, 1, MIB, (uint64_t)5 * SECOND_US - 1));
    assert_true(sources_is_slow(&s, 0, 1, MIB, (uint64_t)5 * SECOND_US));
    /* the other one gave a MiB in a second: four times that is slow */
    sources_good(&s, 1, MIB, SECOND_US);
    assert_false(sources_is_slow(&s, 0, 1, MIB, (uint64_t)4 * SECOND_US - 1));
    assert_true(sources_is_slow(&s, 0, 1, MIB, (uint64_t)4 * SECOND_US + 8));
    /* nothing is slow that took less than two seconds */
    sources_good(&s, 2, MIB, 1000);
    assert_false(sources_is_slow(&s, 0, 2, MIB, (uint64_t)2 * SECOND_US - 1));
    assert_true(sources_is_slow(&s, 0, 2, MIB, (uint64_t)2 * SECOND_US));
    /* on a slow line nobody is */
    sources_good(&s, 2, MIB, (uint64_t)1000 * SECOND_US);
    assert_false(sources_is_slow(&s, 0, 2, MIB, (uint64_t)60 * SECOND_US));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choose_takes_the_best_that_failed_least_for_this_thing),
        cmocka_unit_test(choose_lets_equally_good_ones_share_the_work),
        cmocka_unit_test(is_hopeless_only_when_every_source_was_wrong_twice),
        cmocka_unit_test(broke_leaves_a_source_alone_for_longer_each_time_and_not_for_ever),
        cmocka_unit_test(bad_gives_a_pause_only_to_who_is_wrong_often),
        cmocka_unit_test(is_slow_compares_with_what_the_other_one_gave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
