/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_ts.h"

static struct ts_vars *new_vars(void)
{
    struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    return vars;
}

static void names_ignore_case_and_empty_values_delete(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();

    assert_int_equal(ts_vars_set(vars, "OSDComputerName", "pc-1", TS_BY_SEQUENCE), 0);
    assert_string_equal(ts_vars_get(vars, "osdcomputername"), "pc-1");
    assert_int_equal(ts_vars_set(vars, "OSDCOMPUTERNAME", "", TS_BY_SEQUENCE), 0);
    assert_string_equal(ts_vars_get(vars, "OSDComputerName"), "");
}

static void only_the_engine_sets_names_with_an_underscore(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();

    assert_int_equal(ts_vars_set(vars, "_A", "1", TS_BY_SEQUENCE), TS_VARS_E_READ_ONLY);
    assert_int_equal(ts_vars_set(vars, "_A", "1", TS_BY_ENGINE), 0);
}

static void bad_names_and_long_values_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"", "1a", "a b", "a=b", "a%b", "-a"};
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf value = BUF_INIT(TS_VAR_VALUE_MAX + 1);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(ts_vars_set(vars, names[i], "1", TS_BY_ENGINE), TS_VARS_E_NAME);
    for (int i = 0; i < TS_VAR_VALUE_MAX; i++)
        buf_adds(&value, "x");
    assert_int_equal(ts_vars_set(vars, "A", buf_str(&value), TS_BY_ENGINE), 0);
    buf_adds(&value, "x");
    assert_int_equal(ts_vars_set(vars, "A", buf_str(&value), TS_BY_ENGINE), TS_VARS_E_LIMIT);
}

static void fill(struct buf *text, size_t n)
{
    buf_clear(text);
    for (size_t i = 0; i < n; i++)
        buf_adds(text, "x");
}

static void what_a_step_sets_has_the_documented_limits(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf value = BUF_INIT((size_t)3 * TS_VAR_SEQUENCE_VALUE_MAX);

    fill(&value, TS_VAR_SEQUENCE_VALUE_MAX);
    assert_int_equal(ts_vars_set(vars, "A", buf_str(&value), TS_BY_SEQUENCE), 0);
    buf_adds(&value, "x");
    assert_int_equal(ts_vars_set(vars, "B", buf_str(&value), TS_BY_SEQUENCE), TS_VARS_E_LIMIT);
    /* characters count, not bytes */
    buf_clear(&value);
    for (int i = 0; i < 1000; i++)
        buf_adds(&value, "\xe2\x82\xac");
    assert_int_equal(ts_vars_set(vars, "B", buf_str(&value), TS_BY_SEQUENCE), 0);
    /* 8 KB in all: 1 + 4,000, 1 + 3,000, and the rest */
    fill(&value, TS_VARS_ENVIRONMENT_MAX - 4001 - 3001 - 1);
    assert_int_equal(ts_vars_set(vars, "C", buf_str(&value), TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "D", "x", TS_BY_SEQUENCE), TS_VARS_E_LIMIT);
    assert_int_equal(ts_vars_set(vars, "C", "x", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "D", "x", TS_BY_SEQUENCE), 0);
}

static void what_the_site_and_the_engine_set_is_not_held_to_them(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf value = BUF_INIT(TS_VAR_VALUE_MAX);

    fill(&value, TS_VAR_VALUE_MAX);
    assert_int_equal(ts_vars_set(vars, "A", buf_str(&value), TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set(vars, "_B", buf_str(&value), TS_BY_ENGINE), 0);
    assert_int_equal(ts_vars_set(vars, "_C", "1", TS_BY_SITE), TS_VARS_E_READ_ONLY);
    assert_int_equal(ts_vars_set(vars, "A.B", "1", TS_BY_SITE), TS_VARS_E_NAME);
    /* what is over the limit may shrink, but nothing may grow */
    assert_int_equal(ts_vars_set(vars, "D", "x", TS_BY_SEQUENCE), TS_VARS_E_LIMIT);
    assert_int_equal(ts_vars_set(vars, "A", "", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "D", "x", TS_BY_SEQUENCE), 0);
}

static void a_list_ends_at_the_first_variable_that_does_not_exist(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();

    assert_int_equal(ts_vars_set(vars, "App01", "a", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "APP02", "b", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "App04", "d", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "Pkg001", "p", TS_BY_SEQUENCE), 0);
    assert_string_equal(ts_vars_list(vars, "App", 2, 0), "a");
    assert_string_equal(ts_vars_list(vars, "App", 2, 1), "b");
    assert_string_equal(ts_vars_list(vars, "App", 2, 2), "");
    assert_string_equal(ts_vars_list(vars, "App", 2, 3), "");
    assert_string_equal(ts_vars_list(vars, "Pkg", 3, 0), "p");
    assert_string_equal(ts_vars_list(vars, "Pkg", 2, 0), "");
}

static void an_array_is_named_by_base_index_and_property(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();

    assert_int_equal(ts_vars_set(vars, "OSDAdapter0EnableDHCP", "true", TS_BY_SEQUENCE), 0);
    assert_string_equal(ts_vars_array(vars, "OSDAdapter", 0, "EnableDHCP"), "true");
    assert_string_equal(ts_vars_array(vars, "OSDAdapter", 1, "EnableDHCP"), "");
}

static void expand_replaces_existing_variables_once(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *expanded;
    } cases[] = {
        {"%A%", "x"},
        {"1%a%2", "1x2"},
        {"%B%", "%A%"},
        {"%none%", "%none%"},
        {"100%", "100%"},
        {"%%A%", "%x"},
        {"50% of %A%", "50% of x"},
        {"%", "%"},
        {"", ""},
    };
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();

    assert_int_equal(ts_vars_set(vars, "A", "x", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set(vars, "B", "%A%", TS_BY_SEQUENCE), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(256);

        assert_false(ts_vars_expand(vars, cases[i].text, &text));
        assert_string_equal(buf_str(&text), cases[i].expanded);
    }
}

static void secrets_are_told_and_masked(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = new_vars();
    OWN(buf_fini) struct buf text = BUF_INIT(256);

    assert_int_equal(ts_vars_set(vars, "OSDLocalAdminPassword", "hunter22", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Key"), 0);
    assert_int_equal(ts_vars_set(vars, "Key", "abcdef", TS_BY_SEQUENCE), 0);
    assert_true(ts_vars_expand(vars, "-p %OSDLocalAdminPassword% %key%", &text));

    OWN(buf_fini) struct buf masked = BUF_INIT(256);

    ts_vars_mask(vars, buf_str(&text), &masked);
    assert_string_equal(buf_str(&masked), "-p *** ***");
    buf_clear(&masked);
    assert_int_equal(ts_vars_set(vars, "A", "abcdef", TS_BY_SEQUENCE), 0);
    ts_vars_expand_shown(vars, "-p %OSDLocalAdminPassword% %A% %B%", &masked);
    assert_string_equal(buf_str(&masked), "-p *** abcdef %B%");
}

static void a_copy_has_the_same_and_goes_its_own_way(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_vars_freep) struct ts_vars *copy = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "_SMSTSMake", "Dell", TS_BY_ENGINE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Key"), 0);
    assert_int_equal(ts_vars_set(vars, "Key", "one", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_copy(vars, &copy), 0);
    assert_string_equal(ts_vars_get(copy, "_SMSTSMAKE"), "Dell");
    assert_true(ts_vars_is_secret(copy, "key"));
    assert_int_equal(ts_vars_set(copy, "Key", "two", TS_BY_SEQUENCE), 0);
    assert_string_equal(ts_vars_get(vars, "Key"), "one");
    assert_string_equal(ts_vars_get(copy, "Key"), "two");
}

static void a_short_secret_is_masked_where_it_stands_alone(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf masked = BUF_INIT(256);

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "DoorPin", "123", TS_BY_SITE), 0);
    ts_vars_mask(vars, "123 --pin=123 at 12:01:41.123456, x123, \"123\"", &masked);
    assert_string_equal(buf_str(&masked), "*** --pin=*** at 12:01:41.123456, x123, \"***\"");
}

static void a_switch_is_no_secret_because_of_its_name(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_false(ts_vars_is_secret(vars, "OSDRandomAdminPassword"));
    assert_true(ts_vars_is_secret(vars, "AdminPwd"));
    assert_true(ts_vars_is_secret(vars, "ApiSecret"));
}

static void the_lines_of_a_secret_are_masked_too(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf masked = BUF_INIT(256);

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(
        ts_vars_set(vars, "KeyPassword", "first line\r\nend\nand the last", TS_BY_SITE), 0);
    ts_vars_mask(vars, "1: first line, 2: end, 3: and the last.", &masked);
    assert_string_equal(buf_str(&masked), "1: ***, 2: end, 3: ***.");
    buf_clear(&masked);
    ts_vars_mask(vars, "<first line\r\nend\nand the last>", &masked);
    assert_string_equal(buf_str(&masked), "<***>");
}

static void of_a_cut_text_what_may_be_the_beginning_of_a_secret_is_left(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *masked;
        size_t n_done;
    } cases[] = {
        {"nothing of it", "nothing of it", 13},
        {"says abab and", "says *** and", 13},
        {"says aba", "says ", 5},
        {"says ababab", "says ***", 9},
        {"says hunter", "says ", 5},
        {"says hunter2", "says ", 5}, /* or the longer one */
        {"says hunter2!", "says ***!", 13},
        {"a", "", 0},
        {"", "", 0},
    };
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "APassword", "abab", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set(vars, "BPassword", "hunter2", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set(vars, "CPassword", "hunter2hunter", TS_BY_SITE), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf masked = BUF_INIT(256);

        assert_int_equal(ts_vars_mask_part(vars, cases[i].text, &masked), cases[i].n_done);
        assert_string_equal(buf_str(&masked), cases[i].masked);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_ignore_case_and_empty_values_delete),
        cmocka_unit_test(only_the_engine_sets_names_with_an_underscore),
        cmocka_unit_test(bad_names_and_long_values_are_refused),
        cmocka_unit_test(what_a_step_sets_has_the_documented_limits),
        cmocka_unit_test(what_the_site_and_the_engine_set_is_not_held_to_them),
        cmocka_unit_test(a_list_ends_at_the_first_variable_that_does_not_exist),
        cmocka_unit_test(an_array_is_named_by_base_index_and_property),
        cmocka_unit_test(expand_replaces_existing_variables_once),
        cmocka_unit_test(secrets_are_told_and_masked),
        cmocka_unit_test(a_copy_has_the_same_and_goes_its_own_way),
        cmocka_unit_test(a_short_secret_is_masked_where_it_stands_alone),
        cmocka_unit_test(a_switch_is_no_secret_because_of_its_name),
        cmocka_unit_test(the_lines_of_a_secret_are_masked_too),
        cmocka_unit_test(of_a_cut_text_what_may_be_the_beginning_of_a_secret_is_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
