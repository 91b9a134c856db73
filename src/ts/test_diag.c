/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diag.h"

#include <stdio.h>

#include "base/text.h"
#include "ts/test_ts.h"

static void findings_are_kept_in_order_up_to_the_limit(void **state)
{
    (void)state;
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    for (int i = 0; i < TS_DIAGS_MAX; i++)
        ts_diags_add(&diags, TS_WARNING, 7, 2, "finding %d", i);
    assert_false(diags.is_cut);
    assert_false(ts_diags_has_error(&diags));
    ts_diags_add(&diags, TS_ERROR, 1, 1, "one too many");
    assert_true(diags.is_cut);
    assert_int_equal(diags.n, TS_DIAGS_MAX + 1);
    assert_string_equal(diags.items[255].message, "finding 255");
    assert_int_equal(diags.items[0].line, 7);
    assert_non_null(strstr(diags.items[TS_DIAGS_MAX].message, "there are more"));
    assert_true(ts_diags_has_error(&diags)); /* what there was no room for counts */
    ts_diags_add(&diags, TS_WARNING, 1, 1, "another");
    assert_int_equal(diags.n, TS_DIAGS_MAX + 1);
}

static void findings_are_sorted_by_their_place(void **state)
{
    (void)state;
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    ts_diags_add(&diags, TS_WARNING, 9, 1, "first");
    ts_diags_add(&diags, TS_WARNING, 0, 0, "nowhere");
    ts_diags_add(&diags, TS_WARNING, 3, 7, "d");
    ts_diags_add(&diags, TS_WARNING, 3, 5, "b");
    ts_diags_add(&diags, TS_WARNING, 3, 5, "c");
    ts_diags_sort(&diags, 1);
    assert_string_equal(diags.items[0].message, "first");
    assert_string_equal(diags.items[1].message, "b");
    assert_string_equal(diags.items[2].message, "c");
    assert_string_equal(diags.items[3].message, "d");
    assert_string_equal(diags.items[4].message, "nowhere");
}

static void findings_of_one_kind_are_kept(void **state)
{
    (void)state;
    static const char *const ids[] = {"SLW-0171", "SLW-0179", "SLW-0173", "SLW-0179"};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    for (unsigned i = 0; i < 4; i++)
        ts_diags_add_at(
            &diags, TS_ERROR, &(struct ts_diag_place){.id = ids[i], .path = "s", .line = i}, "x");
    ts_diags_keep(&diags, "SLW-0179");
    assert_int_equal(diags.n, 2);
    assert_int_equal(diags.items[0].line, 1);
    assert_int_equal(diags.items[1].line, 3);
    ts_diags_keep(&diags, "SLW-0171");
    assert_int_equal(diags.n, 0);
}

static void a_message_that_cuts_a_character_is_text_all_the_same(void **state)
{
    (void)state;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    char long_text[2048];

    for (size_t i = 0; i + 3 < sizeof(long_text); i += 3)
        (void)snprintf(long_text + i, 4, "%s", "\xe2\x98\x83");
    ts_diags_add(&diags, TS_ERROR, 1, 1, "\"%.64s\" is wrong", long_text);
    ts_diags_add(&diags, TS_ERROR, 1, 1, "%s", long_text);
    assert_int_equal(diags.n, 2);
    for (size_t i = 0; i < diags.n; i++)
        assert_true(text_is_utf8(bytes_of(diags.items[i].message)));
    assert_non_null(strstr(diags.items[0].message, "\xe2\x98\x83?\" is wrong"));
}

static void findings_say_in_which_file_of_several_they_are(void **state)
{
    (void)state;
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    ts_diags_add(&diags, TS_ERROR, 1, 1, "of none");
    ts_diags_add(&diags, TS_ERROR, 2, 3, "100%% wrong");
    assert_true(ts_diags_prefix(&diags, 1, "a/object.xml"));
    assert_string_equal(diags.items[0].message, "of none");
    assert_string_equal(diags.items[1].message, "a/object.xml: 100% wrong");
    assert_int_equal(diags.items[1].line, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(findings_are_kept_in_order_up_to_the_limit),
        cmocka_unit_test(findings_are_sorted_by_their_place),
        cmocka_unit_test(findings_of_one_kind_are_kept),
        cmocka_unit_test(findings_say_in_which_file_of_several_they_are),
        cmocka_unit_test(a_message_that_cuts_a_character_is_text_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
