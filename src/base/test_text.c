/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/text.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void hex_goes_out_and_comes_back(void **state)
{
    (void)state;
    static const uint8_t value[] = {0x00, 0x7f, 0x80, 0xff};
    char text[9];
    uint8_t again[4];

    hex_put(text, (struct bytes){value, sizeof(value)});
    assert_string_equal(text, "007f80ff");
    assert_true(hex_parse(bytes_of("007F80fF"), 4, again));
    assert_memory_equal(again, value, sizeof(value));
}

static void hex_parse_refuses_other_lengths_and_characters(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", "0", "000", "00000", "0g", "0x", " 0", "/0", ":0", "@0", "`0"};
    uint8_t byte = 7;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_false(hex_parse(bytes_of(cases[i]), 1, &byte));
        assert_int_equal(byte, 7);
    }
}

static void mac_parse_takes_the_three_ways_of_writing(void **state)
{
    (void)state;
    static const char *const cases[] = {"52:54:00:aB:cD:0f", "52-54-00-ab-cd-0F", "525400ABCD0F"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t mac[MAC_BYTES];
        char text[MAC_TEXT_MAX];

        assert_true(mac_parse(bytes_of(cases[i]), mac));
        mac_put(text, mac);
        assert_string_equal(text, "52:54:00:ab:cd:0f");
    }
}

static void mac_parse_refuses_what_is_nearly_one(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "52:54:00:ab:cd",
        "52:54:00:ab:cd:0f:",
        "52:54:00-ab:cd:0f",
        "52.54.00.ab.cd.0f",
        "52:54:00:ab:cd:0g",
        "5254:00:ab:cd:0f0",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t mac[MAC_BYTES] = {1, 2, 3, 4, 5, 6};

        assert_false(mac_parse(bytes_of(cases[i]), mac));
        assert_memory_equal(mac, ((uint8_t[]){1, 2, 3, 4, 5, 6}), MAC_BYTES);
    }
}

static void uuid_keeps_the_order_of_its_text(void **state)
{
    (void)state;
    const char *text = "00112233-4455-6677-8899-aabbccddeeff";
    char again[UUID_TEXT_MAX];
    uint8_t uuid[UUID_BYTES];

    assert_true(uuid_parse(bytes_of(text), uuid));
    for (size_t i = 0; i < UUID_BYTES; i++)
        assert_int_equal(uuid[i], i * 0x11);
    uuid_put(again, uuid);
    assert_string_equal(again, text);
}

static void uuid_parse_refuses_every_prefix_and_a_longer_text(void **state)
{
    (void)state;
    const char *text = "00112233-4455-6677-8899-aabbccddeeff0";
    uint8_t uuid[UUID_BYTES];

    for (size_t len = 0; len <= strlen(text); len++)
        assert_int_equal(uuid_parse((struct bytes){(const uint8_t *)text, len}, uuid),
                         len == UUID_TEXT_MAX - 1);
    assert_false(uuid_parse(bytes_of("00112233x4455-6677-8899-aabbccddeeff"), uuid));
}

static void what_is_no_character_becomes_a_question_mark_and_a_cut_one_goes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *wanted;
    } rules[] = {
        {"", ""},
        {"plain", "plain"},
        {"\xe2\x98\x83 \xc3\xa4 \xf0\x9f\x98\x80", "\xe2\x98\x83 \xc3\xa4 \xf0\x9f\x98\x80"},
        {"a\xe2\x98", "a"},
        {"a\xe2", "a"},
        {"a\xf0\x9f\x98", "a"},
        {"\"\xe2\x98\" is", "\"?\" is"},
        {"f\xfc"
         "r",
         "f?r"},
        {"\xff", "?"},
        {"\x80\x80", "??"},
        {"\xc0\xaf", "??"},        /* longer than it needs to be */
        {"\xed\xa0\x80", "?"},     /* half of a pair of UTF-16 */
        {"\xf4\x90\x80\x80", "?"}, /* beyond Unicode */
        {"\xe2\x98\xc3\xa4", "?\xc3\xa4"},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        char text[64];

        (void)snprintf(text, sizeof(text), "%s", rules[i].text);
        text_make_utf8(text);
        assert_string_equal(text, rules[i].wanted);
        assert_true(text_is_utf8(bytes_of(text)));
        assert_int_equal(text_is_utf8(bytes_of(rules[i].text)),
                         strcmp(rules[i].text, rules[i].wanted) == 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hex_goes_out_and_comes_back),
        cmocka_unit_test(hex_parse_refuses_other_lengths_and_characters),
        cmocka_unit_test(mac_parse_takes_the_three_ways_of_writing),
        cmocka_unit_test(mac_parse_refuses_what_is_nearly_one),
        cmocka_unit_test(uuid_keeps_the_order_of_its_text),
        cmocka_unit_test(uuid_parse_refuses_every_prefix_and_a_longer_text),
        cmocka_unit_test(what_is_no_character_becomes_a_question_mark_and_a_cut_one_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
