/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/phase_rule.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */

#include <cmocka.h>

#define DAY_US UINT64_C(86400000000)
#define NOW_US (100 * DAY_US)

static const struct phase_wish by_itself = {.goal = {.percent = 95}, .defer_us = DAY_US};

static void judging_follows_the_table(void **state)
{
    static const struct {
        struct phase_progress before;
        struct phase_goal goal;
        enum phase_state state;
    } rows[] = {
        /* 19 of 20 are 95 per cent, 18 are not; one that failed can be spared, two cannot */
        {{true, false, 20, 19, 0, 0}, {95, 0}, PHASE_BEGUN},
        {{true, false, 20, 18, 0, 0}, {95, 0}, PHASE_WAITING},
        {{true, false, 20, 18, 1, 1}, {95, 0}, PHASE_WAITING},
        {{true, false, 20, 18, 0, 2}, {95, 0}, PHASE_STALLED},
        {{true, false, 20, 20, 0, 0}, {100, 0}, PHASE_BEGUN},
        {{true, false, 20, 19, 0, 1}, {100, 0}, PHASE_STALLED},
        {{true, false, 100, 0, 0, 0}, {1, 0}, PHASE_WAITING},
        {{true, false, 100, 1, 0, 99}, {1, 0}, PHASE_BEGUN},
        /* nobody can succeed in an empty collection */
        {{true, false, 0, 0, 0, 0}, {95, 0}, PHASE_STALLED},
        /* a number of devices goes before the per cent */
        {{true, false, 20, 5, 0, 15}, {95, 5}, PHASE_BEGUN},
        {{true, false, 20, 4, 0, 15}, {95, 5}, PHASE_WAITING},
        {{true, false, 20, 4, 0, 16}, {95, 5}, PHASE_STALLED},
        {{true, false, 4, 0, 0, 0}, {95, 5}, PHASE_STALLED},
        /* cancelled: the few that were left have all succeeded, which says nothing */
        {{false, false, 1, 1, 0, 0}, {95, 0}, PHASE_STALLED},
        /* disabled: those that run it may make it yet */
        {{true, true, 20, 18, 1, 0}, {95, 0}, PHASE_WAITING},
        {{true, true, 20, 18, 0, 0}, {95, 0}, PHASE_STALLED},
        /* devices that left the collection after they had failed count for no more than they are */
        {{true, false, 1, 0, 0, 2}, {95, 0}, PHASE_STALLED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct phase_wish wish = {.goal = rows[i].goal};
        uint64_t reached_us = NOW_US;

        assert_int_equal(phase_judge(&wish, &rows[i].before, NOW_US, &reached_us), rows[i].state);
        assert_int_equal(reached_us == PHASE_NOT_REACHED,
                         rows[i].state == PHASE_WAITING || rows[i].state == PHASE_STALLED);
    }
}

static void the_days_count_from_when_enough_had_succeeded(void **state)
{
    const struct phase_progress good = {true, false, 20, 19, 0, 0};
    const struct phase_progress worse = {true, false, 40, 19, 0, 0};
    uint64_t reached_us = NOW_US;

    (void)state;
    assert_int_equal(phase_judge(&by_itself, &good, NOW_US, &reached_us), PHASE_DEFERRED);
    assert_int_equal(phase_judge(&by_itself, &good, NOW_US + DAY_US - 1, &reached_us),
                     PHASE_DEFERRED);
    assert_int_equal(phase_judge(&by_itself, &good, NOW_US + DAY_US, &reached_us), PHASE_BEGUN);
    assert_int_equal(phase_judge(&by_itself, &worse, NOW_US + DAY_US, &reached_us), PHASE_WAITING);
    assert_true(reached_us == PHASE_NOT_REACHED);
}

static void a_clock_that_is_put_back_lets_it_wait_no_longer_than_was_said(void **state)
{
    const struct phase_progress good = {true, false, 20, 19, 0, 0};
    uint64_t reached_us = NOW_US;

    (void)state;
    assert_int_equal(phase_judge(&by_itself, &good, NOW_US - 50 * DAY_US, &reached_us),
                     PHASE_DEFERRED);
    assert_true(reached_us == NOW_US - 50 * DAY_US);
}

static void what_is_begun_by_hand_never_begins_by_itself(void **state)
{
    const struct phase_wish wish = {.goal = {.percent = 95}, .is_by_hand = true};
    const struct phase_progress good = {true, false, 20, 20, 0, 0};
    uint64_t reached_us = NOW_US;

    (void)state;
    assert_int_equal(phase_judge(&wish, &good, NOW_US + 1000 * DAY_US, &reached_us), PHASE_BY_HAND);
}

static void the_per_cent_are_whole_and_never_too_many(void **state)
{
    (void)state;
    assert_int_equal(phase_percent(&(struct phase_progress){.n_devices = 0}), 0);
    assert_int_equal(phase_percent(&(struct phase_progress){.n_devices = 3, .n_succeeded = 2}), 66);
    assert_int_equal(phase_percent(&(struct phase_progress){.n_devices = 3, .n_succeeded = 3}),
                     100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judging_follows_the_table),
        cmocka_unit_test(the_days_count_from_when_enough_had_succeeded),
        cmocka_unit_test(a_clock_that_is_put_back_lets_it_wait_no_longer_than_was_said),
        cmocka_unit_test(what_is_begun_by_hand_never_begins_by_itself),
        cmocka_unit_test(the_per_cent_are_whole_and_never_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
