/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff_parts.h"

#include "ts/test_ts.h"

enum {
    MANY = 200000,
    MAX = 9,
};

static void kept_are(const int *numbers, const char *wanted)
{
    bool is_kept[MAX];
    char got[MAX + 1] = {0};
    size_t n = strlen(wanted);

    assert_true(n <= MAX);
    assert_int_equal(ts_diff_order(numbers, n, is_kept), 0);
    for (size_t i = 0; i < n; i++)
        got[i] = is_kept[i] ? '+' : '-';
    assert_string_equal(got, wanted);
}

static void what_has_stayed_in_order_is_kept(void **state)
{
    (void)state;
    kept_are((const int[]){0}, "");
    kept_are((const int[]){7}, "+");
    kept_are((const int[]){1, 4, 9}, "+++");
}

static void the_longest_run_is_kept(void **state)
{
    (void)state;
    kept_are((const int[]){4, 1, 2, 3}, "-+++");
    kept_are((const int[]){2, 3, 4, 1}, "+++-");
    kept_are((const int[]){1, 5, 2, 3, 9, 4}, "+-+++-");
    kept_are((const int[]){3, 2, 1}, "+--");
    kept_are((const int[]){5, 6, 1, 2}, "++--");
}

/* All orders of up to eight numbers: it grows, and no other choice is longer. */
static size_t longest(const int *numbers, size_t n)
{
    size_t best = 0;

    for (unsigned choice = 0; choice < 1U << n; choice++) {
        size_t len = 0;
        int last = -1;

        for (size_t i = 0; i < n; i++) {
            if (!(choice >> i & 1))
                continue;
            len = numbers[i] > last ? len + 1 : 0;
            if (len == 0)
                break;
            last = numbers[i];
        }
        best = len > best ? len : best;
    }
    return best;
}

static void check(const int *numbers, size_t n)
{
    bool is_kept[MAX];
    size_t len = 0;
    int last = -1;

    assert_int_equal(ts_diff_order(numbers, n, is_kept), 0);
    for (size_t i = 0; i < n; i++) {
        if (!is_kept[i])
            continue;
        assert_true(numbers[i] > last);
        last = numbers[i];
        len++;
    }
    assert_int_equal(len, longest(numbers, n));
}

static void permute(int *numbers, size_t n, size_t from)
{
    if (from == n)
        check(numbers, n);
    for (size_t i = from; i < n; i++) {
        int number = numbers[from];

        numbers[from] = numbers[i];
        numbers[i] = number;
        permute(numbers, n, from + 1);
        numbers[i] = numbers[from];
        numbers[from] = number;
    }
}

static void no_choice_of_any_order_is_longer(void **state)
{
    (void)state;
    int numbers[] = {0, 1, 2, 3, 4, 5, 6};

    for (size_t n = 1; n <= sizeof(numbers) / sizeof(numbers[0]); n++)
        permute(numbers, n, 0);
}

/* As many as a document may have, in the worst order; done in a moment, or this test would not end in its time. */
static void many_that_were_turned_round_are_no_matter(void **state)
{
    (void)state;
    int *numbers = calloc(MANY, sizeof(*numbers));
    bool *is_kept = calloc(MANY, sizeof(*is_kept));

    assert_non_null(numbers);
    assert_non_null(is_kept);
    for (int i = 0; i < MANY; i++)
        numbers[i] = MANY - i;
    assert_int_equal(ts_diff_order(numbers, MANY, is_kept), 0);
    assert_true(is_kept[0]);
    assert_false(is_kept[MANY - 1]);
    free(numbers);
    free(is_kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_stayed_in_order_is_kept),
        cmocka_unit_test(the_longest_run_is_kept),
        cmocka_unit_test(no_choice_of_any_order_is_longer),
        cmocka_unit_test(many_that_were_turned_round_are_no_matter),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
