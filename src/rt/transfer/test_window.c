/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/transfer/window.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdlib.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    N_PACKS = 6,
    COST = 150, /* of each: 100 plain, 50 compressed */
};

#define PACK(name) \
    { \
        {name}, 100, 50, \
        { \
            0 \
        } \
    }

static const struct manifest_pack packs[N_PACKS] = {
    PACK(0), PACK(1), PACK(2), PACK(3), PACK(4), PACK(5)};

#define RUN(pack) \
    { \
        pack, 0, 1 \
    }

/* Admit all that may be, and make it ready. Return: how many that were. */
static unsigned load_all(struct window *w)
{
    unsigned n = 0;
    struct slot *slot;

    while ((slot = window_admit(w))) {
        assert_int_equal(slot->state, SLOT_DUE);
        slot->plain = window_take_block(w);
        slot->state = SLOT_READY;
        window_drop_frame(w, slot);
        n++;
    }
    return n;
}

static void admit_loads_each_pack_once_in_the_order_of_use(void **state)
{
    (void)state;
    static const struct manifest_run runs[] = {RUN(2), RUN(0), RUN(2), RUN(1), RUN(0)};
    OWN(window_fini) struct window w;

    assert_int_equal(window_init(&w, packs, N_PACKS, runs, 5), 0);
    w.max_bytes = (size_t)100 * COST;
    assert_int_equal(window_admit(&w)->pack, 2);
    assert_int_equal(window_admit(&w)->pack, 0);
    assert_int_equal(window_admit(&w)->pack, 1);
    assert_null(window_admit(&w));
    assert_int_equal(w.bytes, 3 * COST);
}

static void admit_stops_where_the_memory_ends_and_goes_on_when_a_run_is_delivered(void **state)
{
    (void)state;
    static const struct manifest_run runs[] = {RUN(0), RUN(1), RUN(2), RUN(3)};
    OWN(window_fini) struct window w;

    assert_int_equal(window_init(&w, packs, N_PACKS, runs, 4), 0);
    w.max_bytes = (size_t)2 * COST;
    assert_non_null(window_admit(&w));
    assert_non_null(window_admit(&w));
    assert_null(window_admit(&w));
    w.slots[0].plain = window_take_block(&w);
    w.slots[0].state = SLOT_READY;
    window_drop_frame(&w, &w.slots[0]);
    assert_true(window_advance(&w));
    assert_int_equal(window_admit(&w)->pack, 2);
    assert_null(window_admit(&w));
    assert_in_range(w.peak_bytes, 1, 2 * COST);
}

static void one_pack_is_always_admitted(void **state)
{
    (void)state;
    static const struct manifest_run runs[] = {RUN(0), RUN(1)};
    OWN(window_fini) struct window w;

    assert_int_equal(window_init(&w, packs, N_PACKS, runs, 2), 0);
    w.max_bytes = 1;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(load_all(&w), 1);
        assert_int_equal(window_head(&w)->pack, i);
        (void)window_advance(&w);
    }
    assert_int_equal(w.bytes, 0);
}

static void what_is_needed_last_gives_way_and_is_loaded_again(void **state)
{
    (void)state;
    /* 0 and 1 are needed again: 1 soon, 0 at the end */
    static const struct manifest_run runs[] = {
        RUN(0), RUN(1), RUN(2), RUN(3), RUN(1), RUN(4), RUN(0)};
    OWN(window_fini) struct window w;
    unsigned n_loaded = 0;

    assert_int_equal(window_init(&w, packs, N_PACKS, runs, 7), 0);
    w.max_bytes = (size_t)2 * COST;
    while (w.out < w.n_runs) {
        n_loaded += load_all(&w);
        assert_non_null(window_head(&w));
        if (w.out == 4)
            assert_int_equal(n_loaded, 5); /* 1 only once, and 4 ahead */
        (void)window_advance(&w);
        assert_in_range(w.bytes, 0, w.max_bytes);
    }
    assert_int_equal(n_loaded, 6); /* 0 twice */
    assert_int_equal(w.bytes, 0);
}

static void soonest_is_by_the_next_run_that_needs_it(void **state)
{
    (void)state;
    static const struct manifest_run runs[] = {RUN(3), RUN(1), RUN(2)};
    OWN(window_fini) struct window w;

    assert_int_equal(window_init(&w, packs, N_PACKS, runs, 3), 0);
    w.max_bytes = (size_t)100 * COST;
    assert_null(window_soonest(&w, SLOT_DUE, 0));
    while (window_admit(&w))
        ;
    assert_int_equal(window_soonest(&w, SLOT_DUE, 0)->pack, 3);
    assert_int_equal(window_soonest(&w, SLOT_DUE, 1)->pack, 1);
    assert_null(window_soonest(&w, SLOT_DUE, 3));
    assert_null(window_soonest(&w, SLOT_READY, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(admit_loads_each_pack_once_in_the_order_of_use),
        cmocka_unit_test(admit_stops_where_the_memory_ends_and_goes_on_when_a_run_is_delivered),
        cmocka_unit_test(one_pack_is_always_admitted),
        cmocka_unit_test(what_is_needed_last_gives_way_and_is_loaded_again),
        cmocka_unit_test(soonest_is_by_the_next_run_that_needs_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
