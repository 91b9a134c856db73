/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/yaml_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/session.h"

enum {
    WHY_MAX_BYTES = 4096,
};

static void assert_reads(const char *yaml, const char *json)
{
    OWN(session_json_freep) json_t *is = NULL;
    OWN(session_json_freep) json_t *wanted = json_loads(json, 0, NULL);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);

    assert_non_null(wanted);
    assert_int_equal(yaml_read(bytes_of(yaml), &is, &why), 0);
    assert_true(json_equal(is, wanted));
}

static void assert_refused(const char *yaml, const char *wanted)
{
    OWN(session_json_freep) json_t *is = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);

    assert_int_equal(yaml_read(bytes_of(yaml), &is, &why), 1);
    assert_null(is);
    assert_string_equal(buf_str(&why), wanted);
}

static void scalars_without_quotes_are_what_yaml_1_2_has(void **state)
{
    (void)state;
    assert_reads("[null, ~, true, False, 7, -1, 1.5, 2e3]",
                 "[[null, null, true, false, 7, -1, 1.5, 2000.0]]");
    assert_reads("[yes, on, 010, +1, 0x1f, 1., .5, 12:30, nUll, 1 2]",
                 "[[\"yes\", \"on\", \"010\", \"+1\", \"0x1f\", \"1.\", \".5\", \"12:30\", "
                 "\"nUll\", \"1 2\"]]");
    assert_reads("['null', \"7\", 'true']", "[[\"null\", \"7\", \"true\"]]");
}

static void documents_are_kept_in_their_order_and_empty_ones_left_out(void **state)
{
    (void)state;
    assert_reads("", "[]");
    assert_reads("# only words\n", "[]");
    assert_reads("a: 1\n---\n---\n- b\n- c:\n    d: |\n      two\n      lines\n",
                 "[{\"a\": 1}, [\"b\", {\"c\": {\"d\": \"two\\nlines\\n\"}}]]");
    assert_reads("{\"a\": [1, {\"b\": \"\\u00e9\"}], \"c\": null}",
                 "[{\"a\": [1, {\"b\": \"\u00e9\"}], \"c\": null}]");
}

static void what_is_refused_is_named_with_its_line(void **state)
{
    (void)state;
    assert_refused("a: &x 1\n", "line 1: anchors and tags are not understood");
    assert_refused("a: 1\nb: !!str 1\n", "line 2: anchors and tags are not understood");
    assert_refused("a: 1\nb: *x\n", "line 2: aliases are not understood");
    assert_refused("a: 1\na: 2\n", "line 2: a key stands twice");
    assert_refused("[a]: 1\n", "line 1: a key is no text");
    assert_refused("a: \"x\n", "line 2: found unexpected end of stream");
}

static void depth_is_limited(void **state)
{
    (void)state;
    char text[2 * (YAML_READ_DEPTH_MAX + 1) + 1];

    memset(text, '[', YAML_READ_DEPTH_MAX + 1);
    memset(text + YAML_READ_DEPTH_MAX + 1, ']', YAML_READ_DEPTH_MAX + 1);
    text[sizeof(text) - 1] = '\0';
    assert_refused(text, "line 1: it is nested too deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_without_quotes_are_what_yaml_1_2_has),
        cmocka_unit_test(documents_are_kept_in_their_order_and_empty_ones_left_out),
        cmocka_unit_test(what_is_refused_is_named_with_its_line),
        cmocka_unit_test(depth_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
