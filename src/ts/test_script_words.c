/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/script_words.h"

#include <stdlib.h>

#include "ts/test_ts.h"

static void parameters_are_split_as_people_quote_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        const char *last; /* NULL: it is refused */
    } cases[] = {
        {"", 0, ""},
        {"  a  b ", 2, "b"},
        {"'a b'c", 1, "a bc"},
        {"'it''s'", 1, "it's"},
        {"\"say \"\"hi\"\"\"", 1, "say \"hi\""},
        {"''", 1, ""},
        {"$x `y %z%", 3, "%z%"},
        {"'open", 0, NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ts_script_words *w = calloc(1, sizeof(*w));

        assert_non_null(w);
        assert_int_equal(ts_script_words_split(w, cases[i].text), cases[i].last != NULL);
        if (cases[i].last) {
            assert_int_equal(w->n, cases[i].n);
            assert_null(w->words[w->n]);
        }
        if (w->n > 0)
            assert_string_equal(w->words[w->n - 1], cases[i].last);
        free(w);
    }
}

static void there_are_at_most_128_words(void **state)
{
    (void)state;
    OWN(freep) struct ts_script_words *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    for (size_t i = 0; i < TS_SCRIPT_WORDS_MAX; i++)
        assert_true(ts_script_words_add(w, "x"));
    assert_false(ts_script_words_add(w, "x"));
    assert_false(ts_script_words_split(w, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_split_as_people_quote_them),
        cmocka_unit_test(there_are_at_most_128_words),
    };

    return cmocka_run_group_tests_name("ts/script_words", tests, NULL, NULL);
}
