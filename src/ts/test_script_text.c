/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/script_text.h"

#include "base/own.h"
#include "ts/test_ts.h"

static void expect_text(const char *source, const char *want)
{
    OWN(buf_fini) struct buf got = BUF_INIT(4096);

    assert_true(ts_script_text(source, &got));
    assert_string_equal(buf_str(&got), want);
}

static void a_script_is_decoded_whatever_its_encoding(void **state)
{
    (void)state;
    expect_text("//5FAGMAaABvAA==", "Echo"); /* UTF-16LE with its mark, as the editor has it */
    expect_text("RQBjAGgAbwA=", "Echo");     /* without */
    expect_text("77u/IyEvYmluL3NoCg==", "#!/bin/sh\n"); /* UTF-8 with a mark */
    expect_text("IyEvYmluL3NoCg==", "#!/bin/sh\n");
}

static void what_is_no_base64_is_no_script(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf got = BUF_INIT(4096);

    assert_false(ts_script_text("Write-Host hello", &got));
    assert_false(ts_script_text("", &got));
    assert_false(ts_script_text("iVBORw==", &got)); /* no text */
    assert_false(ts_script_text("5OT8", &got));     /* of no encoding that is known */
    assert_false(ts_script_text("QQAA2EIA", &got)); /* UTF-16 with half a pair */
    assert_false(ts_script_text("QQAAAEIA", &got)); /* UTF-16 with a NUL */
    assert_int_equal(got.len, 0);
}

static void expect_diff(const char *before, const char *after, const char *want)
{
    OWN(buf_fini) struct buf got = BUF_INIT(65536);

    ts_script_put_diff(before, after, &got);
    assert_false(got.failed);
    assert_string_equal(buf_str(&got), want);
}

static void lines_that_changed_are_told_with_those_beside_them(void **state)
{
    (void)state;
    expect_diff("a\nb\nc\nd\ne\n", "a\nb\nX\nd\ne\n", "...\n  b\n- c\n+ X\n  d\n...\n");
    expect_diff("a\r\nb\r\n", "a\nb\n", "");
    expect_diff("", "a\nb", "+ a\n+ b\n");
    expect_diff("a\nb", "", "- a\n- b\n");
    expect_diff("a\nb\n", "b\n", "- a\n  b\n");
    expect_diff("a\nb\n", "a\nb\nc", "...\n  b\n+ c\n");
    expect_diff(
        "1\n2\n3\n4\n5\n6\n", "1\nx\n3\n4\n5\ny\n", "  1\n- 2\n+ x\n  3\n...\n  5\n- 6\n+ y\n");
    expect_diff("1\n2\n3\n", "x\n2\ny\n", "- 1\n+ x\n  2\n- 3\n+ y\n");
    expect_diff("1\n2\n3\n4\n", "x\n2\n3\ny\n", "- 1\n+ x\n  2\n  3\n- 4\n+ y\n");
}

static void of_too_many_lines_all_are_told(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf before = BUF_INIT(65536);
    OWN(buf_fini) struct buf after = BUF_INIT(65536);
    OWN(buf_fini) struct buf got = BUF_INIT(262144);

    for (unsigned i = 0; i < TS_SCRIPT_LINES_MAX + 2; i++) {
        buf_addf(&before, "%u\n", i);
        buf_addf(&after, "%u\n", i + 1);
    }
    ts_script_put_diff(buf_str(&before), buf_str(&after), &got);
    assert_non_null(strstr(buf_str(&got), "- 0\n- 1\n- 2\n"));
    assert_non_null(strstr(buf_str(&got), "+ 501\n+ 502\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_decoded_whatever_its_encoding),
        cmocka_unit_test(what_is_no_base64_is_no_script),
        cmocka_unit_test(lines_that_changed_are_told_with_those_beside_them),
        cmocka_unit_test(of_too_many_lines_all_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
