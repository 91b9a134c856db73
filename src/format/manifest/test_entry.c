/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/manifest/entry.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void parse_reads_what_put_writes(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "d 0 0 0 a\n",
        "d 7777 0 9223372036854775807 a/b/c\n",
        "f 644 17592186044416 1 setup.exe\n",
        "f 600 0 0 %01%20%25%7F\n",
        "f 600 0 0 ...\n",
        "f 600 0 0 \xc3\xa4\xe2\x82\xac\xf0\x9f\x9a\xa2\n",
        "l 777 0 0 a ../../%20\n",
    };

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        OWN(manifest_entry_fini) struct manifest_entry entry = {0};
        OWN(buf_fini) struct buf text = BUF_INIT(256);
        struct bytes line = {(const uint8_t *)lines[i], strlen(lines[i]) - 1};

        assert_int_equal(entry_parse(line, &entry), 0);
        entry_put(&text, &entry);
        assert_string_equal(buf_str(&text), lines[i]);
    }
}

static void a_word_ends_at_one_space(void **state)
{
    (void)state;
    struct bytes line = bytes_of("one two");
    struct bytes word;

    assert_true(entry_take_word(&line, &word));
    assert_true(bytes_eq(word, bytes_of("one")));
    assert_true(bytes_eq(line, bytes_of("two")));
    assert_false(entry_take_word(&line, &word)); /* no space behind it */
    line = bytes_of(" two");
    assert_false(entry_take_word(&line, &word)); /* no word before it */
}

static void numbers_have_no_leading_zeros(void **state)
{
    (void)state;
    uint64_t number;

    assert_true(entry_parse_number(bytes_of("0"), 0, 9, &number));
    assert_int_equal(number, 0);
    assert_true(entry_parse_number(bytes_of("10"), 0, 10, &number));
    assert_int_equal(number, 10);
    assert_false(entry_parse_number(bytes_of("00"), 0, 9, &number));
    assert_false(entry_parse_number(bytes_of("01"), 0, 9, &number));
    assert_false(entry_parse_number(bytes_of(""), 0, 9, &number));
}

static void a_path_that_leaves_the_tree_is_not_valid(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "a/b", "..a", "a..", "...", "a b", "a\\b", "\xc3\xa4"};
    static const char *const bad[] = {
        "", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b", "\xff"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(manifest_path_is_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(manifest_path_is_valid(bad[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_what_put_writes),
        cmocka_unit_test(a_word_ends_at_one_space),
        cmocka_unit_test(numbers_have_no_leading_zeros),
        cmocka_unit_test(a_path_that_leaves_the_tree_is_not_valid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
