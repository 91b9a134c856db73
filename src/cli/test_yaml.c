/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    TEXT_MAX_BYTES = 4096,
};

static void put_writes_json_as_block_style(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *yaml;
    } cases[] = {
        {"{}", "{}\n"},
        {"[]", "[]\n"},
        {"null", "null\n"},
        {"7", "7\n"},
        {"{\"a\": 1, \"b\": null, \"c\": true}", "a: 1\nb: null\nc: true\n"},
        {"{\"a\": {\"b\": []}, \"c\": {}}", "a:\n  b: []\nc: {}\n"},
        {"[1, \"x\"]", "- 1\n- x\n"},
        {"[{\"a\": 1, \"b\": 2}, {\"a\": 3}]", "- a: 1\n  b: 2\n- a: 3\n"},
        {"{\"l\": [{\"a\": [1, [2, 3]]}]}", "l:\n  - a:\n      - 1\n      - - 2\n        - 3\n"},
        {"[[{\"a\": 1, \"b\": 2}]]", "- - a: 1\n    b: 2\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
        json_t *value = json_loads(cases[i].json, JSON_DECODE_ANY, NULL);

        assert_non_null(value);
        yaml_put(&text, value);
        json_decref(value);
        assert_string_equal(buf_str(&text), cases[i].yaml);
    }
}

static void put_quotes_what_a_reader_could_take_for_something_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *yaml;
    } cases[] = {
        {"Windows 11 Pro", "Windows 11 Pro\n"},
        {"os-image_1.wim", "os-image_1.wim\n"},
        {"", "\"\"\n"},
        {"no", "\"no\"\n"}, /* false in YAML 1.1 */
        {"Yes", "\"Yes\"\n"},
        {"NULL", "\"NULL\"\n"},
        {"y", "\"y\"\n"},
        {"12", "\"12\"\n"},
        {"0x1f", "\"0x1f\"\n"},
        {"1e3", "\"1e3\"\n"},
        {"2026-11-21T09:30:05Z", "\"2026-11-21T09:30:05Z\"\n"},
        {"a: b", "\"a: b\"\n"},
        {"a #b", "\"a #b\"\n"},
        {"- a", "\"- a\"\n"},
        {"~", "\"~\"\n"},
        {"*a", "\"*a\"\n"},
        {"end ", "\"end \"\n"},
        {"a\"b\\c", "\"a\\\"b\\\\c\"\n"},
        {"a\nb\tc", "\"a\\nb\\tc\"\n"},
        {"\x1b[31m\x7f", "\"\\x1b[31m\\x7f\"\n"},
        {"\xc2\x9b", "\"\\x9b\"\n"}, /* U+009B, the CSI of 8-bit terminals */
        {"\xc2\xa0", "\"\xc2\xa0\"\n"},
        {"\xe2\x80\xa8\xe2\x80\xa9", "\"\\u2028\\u2029\"\n"},
        {"\xef\xbb\xbf", "\"\\ufeff\"\n"},
        {"\xef\xbf\xbe", "\"\\ufffe\"\n"},
        {"\xef\xbf\xbf", "\"\\uffff\"\n"},
        {"\xef\xbf\xbd", "\"\xef\xbf\xbd\"\n"},
        {"Stra\xc3\x9f"
         "e",
         "\"Stra\xc3\x9f"
         "e\"\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
        json_t *value = json_string(cases[i].text);

        yaml_put(&text, value);
        json_decref(value);
        assert_string_equal(buf_str(&text), cases[i].yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_writes_json_as_block_style),
        cmocka_unit_test(put_quotes_what_a_reader_could_take_for_something_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
