/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/bytes.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static void take_splits_off_and_leaves_the_rest(void **state)
{
    (void)state;
    struct bytes src = BYTES("abcd");
    struct bytes part;

    assert_true(bytes_take(&src, 1, &part));
    assert_true(bytes_eq(part, BYTES("a")));
    assert_true(bytes_eq(src, BYTES("bcd")));
    assert_true(bytes_take(&src, 0, &part));
    assert_int_equal(part.len, 0);
    assert_true(bytes_take(&src, 3, &part));
    assert_int_equal(src.len, 0);
}

static void take_changes_nothing_when_there_is_too_little(void **state)
{
    (void)state;
    struct bytes src = BYTES("ab");
    struct bytes part = BYTES("untouched");

    assert_false(bytes_take(&src, 3, &part));
    assert_false(bytes_take(&src, SIZE_MAX, &part));
    assert_true(bytes_eq(src, BYTES("ab")));
    assert_true(bytes_eq(part, BYTES("untouched")));
}

static void take_of_nothing_from_null_is_allowed(void **state)
{
    (void)state;
    struct bytes src = {NULL, 0};
    struct bytes part;

    assert_true(bytes_take(&src, 0, &part));
    assert_false(bytes_take(&src, 1, &part));
}

static void numbers_come_in_the_byte_order_named(void **state)
{
    (void)state;
    struct bytes src = BYTES("\x01\x02\x03\x04\x05\x06\x07\x08");
    struct bytes at;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;

    at = src;
    assert_true(bytes_take_u8(&at, &u8));
    assert_int_equal(u8, 1);
    at = src;
    assert_true(bytes_take_u16be(&at, &u16));
    assert_int_equal(u16, 0x0102);
    at = src;
    assert_true(bytes_take_u16le(&at, &u16));
    assert_int_equal(u16, 0x0201);
    at = src;
    assert_true(bytes_take_u32be(&at, &u32));
    assert_int_equal(u32, 0x01020304);
    at = src;
    assert_true(bytes_take_u32le(&at, &u32));
    assert_int_equal(u32, 0x04030201);
    at = src;
    assert_true(bytes_take_u64le(&at, &u64));
    assert_true(u64 == UINT64_C(0x0807060504030201));
    assert_int_equal(at.len, 0);
}

static void numbers_do_not_fit_into_one_byte_less(void **state)
{
    (void)state;
    struct bytes src = BYTES("\xff\xff\xff\xff\xff\xff\xff");
    uint64_t u64 = 7;

    assert_false(bytes_take_u64le(&src, &u64));
    assert_true(u64 == 7);
    assert_int_equal(src.len, 7);
}

static void sink_writes_what_take_reads(void **state)
{
    (void)state;
    uint8_t room[64];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};

    sink_u8(&dst, 0xfe);
    sink_u16be(&dst, 0xfedc);
    sink_u32be(&dst, 0xfedcba98);
    sink_u16le(&dst, 0xfedc);
    sink_u32le(&dst, 0xfedcba98);
    sink_u64le(&dst, UINT64_C(0xfedcba9876543210));
    sink_zero(&dst, 2);
    sink_bytes(&dst, BYTES("end"));
    assert_false(dst.full);

    struct bytes want = BYTES("\xfe\xfe\xdc\xfe\xdc\xba\x98\xdc\xfe\x98\xba\xdc\xfe"
                              "\x10\x32\x54\x76\x98\xba\xdc\xfe\0\0end");

    assert_true(bytes_eq((struct bytes){room, dst.len}, want));
}

static void sink_stays_full_once_something_did_not_fit(void **state)
{
    (void)state;
    uint8_t room[4];

    for (size_t cap = 0; cap <= sizeof(room); cap++) {
        struct sink dst = {.ptr = room, .cap = cap};

        sink_u16be(&dst, 1);
        sink_zero(&dst, 2);
        assert_int_equal(dst.full, cap < 4);
        assert_true(dst.len <= cap);

        size_t before = dst.len;

        sink_zero(&dst, SIZE_MAX);
        sink_u8(&dst, 1);
        assert_true(dst.full);
        assert_int_equal(dst.len, before);
    }
}

static void eq_compares_length_and_content(void **state)
{
    (void)state;
    assert_true(bytes_eq(BYTES(""), (struct bytes){NULL, 0}));
    assert_true(bytes_eq(BYTES("ab"), BYTES("ab")));
    assert_false(bytes_eq(BYTES("ab"), BYTES("aB")));
    assert_false(bytes_eq(BYTES("ab"), BYTES("abc")));
    assert_true(bytes_eq(bytes_of("ab"), BYTES("ab")));
}

static void parse_u64_takes_digits_in_range_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        {"5", true},
        {"9", true},
        {"0009", true},
        {"4", false},
        {"10", false},
        {"", false},
        {"+5", false},
        {" 5", false},
        {"5 ", false},
        {"-5", false},
        {"0x5", false},
        {"18446744073709551621", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t n = 77;

        assert_int_equal(bytes_parse_u64(bytes_of(cases[i].text), 5, 9, &n), cases[i].good);
        assert_true(cases[i].good == (n != 77));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take_splits_off_and_leaves_the_rest),
        cmocka_unit_test(take_changes_nothing_when_there_is_too_little),
        cmocka_unit_test(take_of_nothing_from_null_is_allowed),
        cmocka_unit_test(numbers_come_in_the_byte_order_named),
        cmocka_unit_test(numbers_do_not_fit_into_one_byte_less),
        cmocka_unit_test(sink_writes_what_take_reads),
        cmocka_unit_test(sink_stays_full_once_something_did_not_fit),
        cmocka_unit_test(eq_compares_length_and_content),
        cmocka_unit_test(parse_u64_takes_digits_in_range_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
