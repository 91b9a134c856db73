/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/encoding.h"

#include "ts/test_ts.h"

static void check(const char *src, size_t len, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(4096);

    ts_to_utf8((struct bytes){(const uint8_t *)src, len}, &text);
    assert_string_equal(buf_str(&text), wanted);
}

static void utf16_of_either_order_becomes_utf8_with_and_without_a_mark(void **state)
{
    (void)state;
    check("\xff\xfe<\0\xe4\0\x3d\xd8\x00\xde", 10, "<\xc3\xa4\xf0\x9f\x98\x80");
    check("\xfe\xff\0<\0\xe4\xd8\x3d\xde\x00", 10, "<\xc3\xa4\xf0\x9f\x98\x80");
    check("<\0a\0", 4, "<a");
    check("\0<\0a", 4, "<a");
}

static void half_a_pair_stays_one_so_that_it_is_refused_and_an_odd_byte_is_left_out(void **state)
{
    (void)state;
    check("<\0\x3d\xd8x\0", 6, "<\xed\xa0\xbdx");
    check("<\0\x00\xde", 4, "<\xed\xb8\x80");
    check("<\0a\0b", 5, "<a");
}

static void utf8_loses_its_mark_and_nothing_else(void **state)
{
    (void)state;
    check("\xef\xbb\xbf<\xc3\xa4>", 7, "<\xc3\xa4>");
    check("<a>", 3, "<a>");
    check("", 0, "");
}

static void text_longer_than_one_piece_is_whole(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf wide = BUF_INIT(8192);
    OWN(buf_fini) struct buf text = BUF_INIT(8192);

    for (int i = 0; i < 1000; i++)
        buf_add(&wide, (struct bytes){(const uint8_t *)"x", 2});
    ts_to_utf8(buf_bytes(&wide), &text);
    assert_int_equal(text.len, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf16_of_either_order_becomes_utf8_with_and_without_a_mark),
        cmocka_unit_test(half_a_pair_stays_one_so_that_it_is_refused_and_an_odd_byte_is_left_out),
        cmocka_unit_test(utf8_loses_its_mark_and_nothing_else),
        cmocka_unit_test(text_longer_than_one_piece_is_whole),
    };

    return cmocka_run_group_tests_name("ts/encoding", tests, NULL, NULL);
}
