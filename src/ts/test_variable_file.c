/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/variable_file.h"

#include "ts/test_ts.h"

static void put(void *ctx, const char *name, const char *value)
{
    buf_addf(ctx, "%s=%s;", name, value);
}

/* What was set, and why not all. */
static void apply(const char *text, const char *wanted, const char *wanted_why)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    OWN(buf_fini) struct buf why = BUF_INIT(4096);

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_variable_file_apply(bytes_of(text), vars, put, &told, &why),
                     wanted_why[0] != '\0' ? TS_VARIABLE_FILE_E_REFUSED : 0);
    assert_string_equal(buf_str(&told), wanted);
    assert_string_equal(buf_str(&why), wanted_why);
}

static void each_line_sets_a_variable(void **state)
{
    (void)state;
    apply("SMSTSRebootRequested=WinPE\nSMSTSRetryRequested=true\n",
          "SMSTSRebootRequested=WinPE;SMSTSRetryRequested=true;",
          "");
    apply("A=1=2", "A=1=2;", "");
    apply("A= with blanks \n\n# a remark\nB=\n", "A= with blanks ;B=;", "");
    apply("", "", "");
}

static void the_line_ends_and_mark_of_powershell_are_no_part_of_it(void **state)
{
    (void)state;
    apply("\xef\xbb\xbf"
          "A=1\r\nB=2\r\n",
          "A=1;B=2;",
          "");
}

static void a_line_that_is_none_is_named_and_the_others_count(void **state)
{
    (void)state;
    apply("A=1\nnothing secret\nB=2\n",
          "A=1;B=2;",
          "line 2: not NAME=VALUE with the name of a variable");
    apply("a b=1\n_SMSTSMake=x\n", "", "line 1: not NAME=VALUE with the name of a variable");
    apply("_SMSTSMake=x\n", "", "line 1: names that begin with '_' are read-only");
}

static void a_secret_is_not_told(void **state)
{
    (void)state;
    apply("MyPassword=geheim\n", "MyPassword=***;", "");
}

static void what_has_the_value_of_a_secret_is_one(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf told = BUF_INIT(4096);
    OWN(buf_fini) struct buf why = BUF_INIT(4096);

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "MyPassword", "geheim", TS_BY_SEQUENCE), 0);
    assert_int_equal(
        ts_variable_file_apply(bytes_of("Copy=is geheim!\nOther=heim\n"), vars, put, &told, &why),
        0);
    assert_string_equal(buf_str(&told), "Copy=***;Other=heim;");
    assert_true(ts_vars_is_secret(vars, "Copy"));
    assert_string_equal(ts_vars_get(vars, "Copy"), "is geheim!");
}

static void what_is_too_long_is_refused(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(2 * (size_t)TS_VARIABLE_FILE_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(4096);

    assert_int_equal(ts_vars_new(&vars), 0);
    buf_adds(&text, "A=");
    while (text.len <= TS_VAR_SEQUENCE_VALUE_MAX + 2)
        buf_adds(&text, "x");
    assert_int_equal(ts_variable_file_apply(buf_bytes(&text), vars, NULL, NULL, &why),
                     TS_VARIABLE_FILE_E_REFUSED);
    assert_string_equal(buf_str(&why), "line 1: the value is too long");
    while (text.len <= TS_VARIABLE_FILE_MAX_BYTES)
        buf_adds(&text, "x");
    buf_clear(&why);
    assert_int_equal(ts_variable_file_apply(buf_bytes(&text), vars, NULL, NULL, &why),
                     TS_VARIABLE_FILE_E_REFUSED);
    assert_string_equal(buf_str(&why), "it has more than 65536 bytes");
}

static void a_line_that_is_not_utf8_is_named_and_sets_nothing(void **state)
{
    (void)state;
    apply("A=1\nX=f\xfcr\nB=\xc3\xbc\n", "A=1;B=\xc3\xbc;", "line 2: it is not UTF-8");
    apply("X=\xe2\x98\n", "", "line 1: it is not UTF-8");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_sets_a_variable),
        cmocka_unit_test(the_line_ends_and_mark_of_powershell_are_no_part_of_it),
        cmocka_unit_test(a_line_that_is_none_is_named_and_the_others_count),
        cmocka_unit_test(a_secret_is_not_told),
        cmocka_unit_test(what_has_the_value_of_a_secret_is_one),
        cmocka_unit_test(what_is_too_long_is_refused),
        cmocka_unit_test(a_line_that_is_not_utf8_is_named_and_sets_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
