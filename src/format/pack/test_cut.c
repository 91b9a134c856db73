/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/cut.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"

enum {
    CONTENT_BYTES = 8 * 1024 * 1024,
    CUTS_MAX = CONTENT_BYTES / CUT_MIN_BYTES + 1,
};

struct cuts {
    size_t at[CUTS_MAX]; /* ends of the chunks, as offsets */
    size_t n;
};

/* Noise that is the same in every run. */
static void fill(uint8_t *dst, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        dst[i] = (uint8_t)(seed >> 24);
    }
}

static void cut_all(struct bytes content, struct cuts *ret)
{
    struct bytes rest = content;
    struct bytes chunk;
    struct cut cut;

    cut_init(&cut);
    *ret = (struct cuts){0};
    while (rest.len > 0) {
        size_t len = cut_next(&cut, rest, true);

        assert_true(bytes_take(&rest, len, &chunk));
        assert_in_range(len, rest.len > 0 ? CUT_MIN_BYTES : 1, CUT_MAX_BYTES);
        assert_true(ret->n < CUTS_MAX);
        ret->at[ret->n++] = content.len - rest.len;
    }
}

static bool has_cut(const struct cuts *cuts, size_t at)
{
    for (size_t i = 0; i < cuts->n; i++)
        if (cuts->at[i] == at)
            return true;
    return false;
}

static void gear_is_the_one_of_the_format(void **state)
{
    (void)state;
    struct cut cut;
    uint64_t sum = 0;

    cut_init(&cut);
    for (size_t i = 0; i < CUT_GEAR_COUNT; i++)
        sum = sum * 31 + cut.gear[i];
    assert_true(cut.gear[0] == UINT64_C(0x55441c36fb50ee85));
    assert_true(sum == UINT64_C(0xf7fa5447ff9bbae9));
}

static void next_cuts_noise_where_the_format_says(void **state)
{
    (void)state;
    OWN(freep) uint8_t *content = malloc(CONTENT_BYTES);
    struct cuts cuts;

    assert_non_null(content);
    fill(content, CONTENT_BYTES, 1);
    cut_all((struct bytes){content, CONTENT_BYTES}, &cuts);
    assert_in_range(cuts.n, 64, 256); /* 32 KiB to 128 KiB on average */
    assert_int_equal(cuts.at[0], 78920);
    assert_int_equal(cuts.at[1], 161943);
    assert_int_equal(cuts.at[cuts.n - 1], CONTENT_BYTES);
}

static void next_finds_the_old_cuts_again_after_an_insertion(void **state)
{
    (void)state;
    enum {
        AT = 2000000,
        N = 777
    };
    OWN(freep) uint8_t *content = malloc(CONTENT_BYTES);
    OWN(freep) uint8_t *longer = malloc(CONTENT_BYTES + N);
    struct cuts before;
    struct cuts after;
    size_t n_lost = 0;

    assert_non_null(content);
    assert_non_null(longer);
    fill(content, CONTENT_BYTES, 2);
    memcpy(longer, content, AT);
    fill(longer + AT, N, 3);
    memcpy(longer + AT + N, content + AT, CONTENT_BYTES - AT);
    cut_all((struct bytes){content, CONTENT_BYTES}, &before);
    cut_all((struct bytes){longer, CONTENT_BYTES + N}, &after);
    for (size_t i = 0; i < before.n; i++)
        n_lost += !has_cut(&after, before.at[i] + (before.at[i] <= AT ? 0 : N));
    assert_in_range(n_lost, 0, 3);
}

static void next_waits_until_it_has_seen_enough(void **state)
{
    (void)state;
    OWN(freep) uint8_t *content = calloc(1, CUT_MAX_BYTES);
    struct cut cut;

    assert_non_null(content);
    cut_init(&cut);
    assert_int_equal(cut_next(&cut, (struct bytes){content, 0}, true), 0);
    assert_int_equal(cut_next(&cut, (struct bytes){content, 1}, true), 1);
    assert_int_equal(cut_next(&cut, (struct bytes){content, CUT_MAX_BYTES - 1}, false), 0);
    assert_int_equal(cut_next(&cut, (struct bytes){content, CUT_MIN_BYTES}, true), CUT_MIN_BYTES);
}

static void next_cuts_zeros_at_the_maximum(void **state)
{
    (void)state;
    OWN(freep) uint8_t *content = calloc(2, CUT_MAX_BYTES);
    struct cut cut;

    assert_non_null(content);
    cut_init(&cut);
    assert_int_equal(cut_next(&cut, (struct bytes){content, (size_t)2 * CUT_MAX_BYTES}, false),
                     CUT_MAX_BYTES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gear_is_the_one_of_the_format),
        cmocka_unit_test(next_cuts_noise_where_the_format_says),
        cmocka_unit_test(next_finds_the_old_cuts_again_after_an_insertion),
        cmocka_unit_test(next_waits_until_it_has_seen_enough),
        cmocka_unit_test(next_cuts_zeros_at_the_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
