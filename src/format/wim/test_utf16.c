/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/utf16.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static const struct {
    uint8_t utf16[8];
    size_t len;
    const char *utf8;
} pairs[] = {
    {{0}, 0, ""},
    {{'a', 0, 'b', 0}, 4, "ab"},
    {{0x7f, 0, 0x80, 0}, 4, "\x7f\xc2\x80"},
    {{0xff, 7, 0, 8}, 4, "\xdf\xbf\xe0\xa0\x80"},
    {{0xff, 0xd7, 0, 0xe0}, 4, "\xed\x9f\xbf\xee\x80\x80"}, /* beside the surrogates */
    {{0xff, 0xff}, 2, "\xef\xbf\xbf"},
    {{0, 0xd8, 0, 0xdc}, 4, "\xf0\x90\x80\x80"}, /* the first pair */
    {{0xff, 0xdb, 0xff, 0xdf}, 4, "\xf4\x8f\xbf\xbf"},
    {{0, 0xd8}, 2, "\xed\xa0\x80"}, /* a lone one, and another */
    {{0, 0xdc, 0, 0xd8}, 4, "\xed\xb0\x80\xed\xa0\x80"},
    {{0, 0xd8, 'a', 0},
     4,
     "\xed\xa0\x80"
     "a"},
};

static void text_is_the_same_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        OWN(buf_fini) struct buf back = BUF_INIT(64);
        char text[16];

        assert_true(
            utf16_to_utf8((struct bytes){pairs[i].utf16, pairs[i].len}, text, sizeof(text)));
        assert_string_equal(text, pairs[i].utf8);
        assert_true(utf16_put(&back, bytes_of(pairs[i].utf8)));
        assert_int_equal(back.len, pairs[i].len);
        if (back.len > 0)
            assert_memory_equal(back.ptr, pairs[i].utf16, back.len);
    }
}

static void to_utf8_refuses_odd_bytes_nul_and_too_little_room(void **state)
{
    (void)state;
    static const uint8_t with_nul[] = {'a', 0, 0, 0};
    static const uint8_t plain[] = {'a', 0, 0xff, 0xff};
    char text[5] = "x";

    assert_false(utf16_to_utf8((struct bytes){with_nul, 4}, text, sizeof(text)));
    assert_false(utf16_to_utf8((struct bytes){plain, 3}, text, sizeof(text)));
    assert_string_equal(text, "");
    assert_true(utf16_to_utf8((struct bytes){plain, 4}, text, 5));
    for (size_t cap = 0; cap < 5; cap++)
        assert_false(utf16_to_utf8((struct bytes){plain, 4}, text, cap));
}

static void put_refuses_what_is_no_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",     /* no first byte */
        "\xc3",     /* cut off */
        "\xc3(",    /* no second byte */
        "\xc0\x80", /* overlong */
        "\xe0\x80\x80",
        "\xf0\x80\x80\x80",
        "\xf4\x90\x80\x80", /* above the last code */
        "\xf8\x80\x80\x80\x80",
        "a\xed\xa0\x80\xed\xb0\x80", /* a pair, which is one code */
    };
    OWN(buf_fini) struct buf dst = BUF_INIT(64);

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(utf16_put(&dst, bytes_of(bad[i])));
    assert_false(utf16_put(&dst, (struct bytes){(const uint8_t *)"a\0", 2}));
    assert_int_equal(dst.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_the_same_both_ways),
        cmocka_unit_test(to_utf8_refuses_odd_bytes_nul_and_too_little_room),
        cmocka_unit_test(put_refuses_what_is_no_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
