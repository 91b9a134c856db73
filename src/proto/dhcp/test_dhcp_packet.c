/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/dhcp/dhcp_packet.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

enum {
    HEADER_BYTES = 240,
    FILE_AT = 108,
    SNAME_AT = 44,
};

/* A request's header with the cookie, and @options behind it. Return: its length. */
static size_t make(uint8_t dst[static DHCP_PACKET_MAX_BYTES], const void *options, size_t len)
{
    static const uint8_t head[] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78, 0, 4, 0x80, 0};

    memset(dst, 0, HEADER_BYTES);
    memcpy(dst, head, sizeof(head));
    memcpy(dst + 12, (const uint8_t[]){10, 77, 8, 83}, 4);
    memcpy(dst + 24, (const uint8_t[]){10, 78, 0, 1}, 4);
    memcpy(dst + 28, (const uint8_t[]){0x52, 0x54, 0, 0x77, 0, 1}, 6);
    memcpy(dst + 236, (const uint8_t[]){0x63, 0x82, 0x53, 0x63}, 4);
    if (len > 0)
        memcpy(dst + HEADER_BYTES, options, len);
    return HEADER_BYTES + len;
}

static int parse(const void *options, size_t len, struct dhcp_packet *ret)
{
    static uint8_t raw[DHCP_PACKET_MAX_BYTES];

    return dhcp_packet_parse((struct bytes){raw, make(raw, options, len)}, ret);
}

static void parse_reads_the_header(void **state)
{
    struct dhcp_packet packet;

    (void)state;
    assert_int_equal(parse("\xff", 1, &packet), 0);
    assert_int_equal(packet.op, DHCP_OP_REQUEST);
    assert_int_equal(packet.hlen, 6);
    assert_int_equal(packet.xid, 0x12345678);
    assert_int_equal(packet.secs, 4);
    assert_int_equal(packet.flags, 0x8000);
    assert_int_equal(packet.ciaddr, 0x0a4d0853);
    assert_int_equal(packet.giaddr, 0x0a4e0001);
    assert_memory_equal(packet.chaddr, "\x52\x54\x00\x77\x00\x01", 6);
    assert_int_equal(packet.store_len, 0);
}

static void parse_joins_a_repeated_option(void **state)
{
    static const uint8_t options[] = {
        43, 2, 'a', 'b', 0, 53, 1, 1, 43, 1, 'c', 43, 0, 255, 60, 1, 'x'};
    struct dhcp_packet packet;
    struct bytes value;

    (void)state;
    assert_int_equal(parse(options, sizeof(options), &packet), 0);
    assert_true(dhcp_packet_get(&packet, 43, &value));
    assert_int_equal(value.len, 3);
    assert_memory_equal(value.ptr, "abc", 3);
    assert_false(packet.has[60]); /* behind the end mark */
}

static void parse_joins_options_field_then_file_then_sname(void **state)
{
    static const uint8_t options[] = {52, 1, 3, 77, 1, 'o', 255};
    uint8_t raw[DHCP_PACKET_MAX_BYTES];
    size_t len = make(raw, options, sizeof(options));
    struct dhcp_packet packet;
    struct bytes value;

    (void)state;
    memcpy(raw + FILE_AT, (const uint8_t[]){77, 1, 'f', 255}, 4);
    memcpy(raw + SNAME_AT, (const uint8_t[]){77, 1, 's', 255}, 4);
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet), 0);
    assert_true(dhcp_packet_get(&packet, 77, &value));
    assert_int_equal(value.len, 3);
    assert_memory_equal(value.ptr, "ofs", 3);
    assert_int_equal(packet.file[0], 0);
    assert_int_equal(packet.sname[0], 0);
    assert_false(packet.has[DHCP_OPTION_OVERLOAD]);
}

static void parse_keeps_fields_that_are_not_overloaded(void **state)
{
    static const struct {
        uint8_t overload;
        const char *file;
        const char *sname;
    } cases[] = {{0, "F", "S"}, {1, "", "S"}, {2, "F", ""}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t options[] = {52, 1, cases[i].overload, 255};
        uint8_t raw[DHCP_PACKET_MAX_BYTES];
        size_t len = make(raw, options, sizeof(options));
        struct dhcp_packet packet;

        raw[FILE_AT] = cases[i].overload & 1 ? 255 : 'F';
        raw[SNAME_AT] = cases[i].overload & 2 ? 255 : 'S';
        assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet), 0);
        assert_string_equal((const char *)packet.file, cases[i].file);
        assert_string_equal((const char *)packet.sname, cases[i].sname);
    }
}

static void overload_inside_an_overloaded_field_is_not_followed(void **state)
{
    static const uint8_t options[] = {52, 1, 1, 255};
    uint8_t raw[DHCP_PACKET_MAX_BYTES];
    size_t len = make(raw, options, sizeof(options));
    struct dhcp_packet packet;

    (void)state;
    memcpy(raw + FILE_AT, (const uint8_t[]){52, 1, 2, 255}, 4);
    memcpy(raw + SNAME_AT, (const uint8_t[]){77, 1, 's', 255}, 4);
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet), 0);
    assert_false(packet.has[77]);
    assert_int_equal(packet.sname[0], 77);
}

static void parse_refuses_an_option_across_the_end_of_any_field(void **state)
{
    static const uint8_t over[] = {52, 1, 3, 255};
    uint8_t raw[DHCP_PACKET_MAX_BYTES];
    struct dhcp_packet packet;
    size_t len;

    (void)state;
    assert_int_equal(parse("\x3c\x02x", 3, &packet), DHCP_PACKET_E_MALFORMED);
    assert_int_equal(parse("\x3c", 1, &packet), DHCP_PACKET_E_MALFORMED);

    len = make(raw, over, sizeof(over));
    memset(raw + FILE_AT, 0, DHCP_FILE_BYTES);
    raw[FILE_AT + DHCP_FILE_BYTES - 2] = 60;
    raw[FILE_AT + DHCP_FILE_BYTES - 1] = 1;
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet), DHCP_PACKET_E_MALFORMED);

    len = make(raw, over, sizeof(over));
    raw[SNAME_AT + DHCP_SNAME_BYTES - 1] = 60;
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet), DHCP_PACKET_E_MALFORMED);
}

/* Only where an option ends may a packet end: that, too, firmware does. */
static void parse_takes_exactly_the_prefixes_that_end_behind_an_option(void **state)
{
    static const uint8_t options[] = {53, 1, 1, 60, 3, 'P', 'X', 'E', 0, 93, 2, 0, 7, 255, 0, 0};
    static const bool is_whole[sizeof(options) + 1] = {[0] = true,
                                                       [3] = true,
                                                       [8] = true,
                                                       [9] = true,
                                                       [13] = true,
                                                       [14] = true,
                                                       [15] = true,
                                                       [16] = true};
    uint8_t raw[DHCP_PACKET_MAX_BYTES];
    struct dhcp_packet packet;

    (void)state;
    (void)make(raw, options, sizeof(options));
    for (size_t len = 0; len < HEADER_BYTES; len++)
        assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet),
                         DHCP_PACKET_E_MALFORMED);
    for (size_t n = 0; n <= sizeof(options); n++)
        assert_int_equal(dhcp_packet_parse((struct bytes){raw, HEADER_BYTES + n}, &packet),
                         is_whole[n] ? 0 : DHCP_PACKET_E_MALFORMED);
}

static void parse_refuses_what_is_not_dhcp(void **state)
{
    uint8_t raw[DHCP_PACKET_MAX_BYTES + 1] = {0};
    struct dhcp_packet packet;
    size_t len = make(raw, "\xff", 1);

    (void)state;
    raw[236] ^= 1;
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet), DHCP_PACKET_E_MALFORMED);
    raw[236] ^= 1;
    raw[2] = DHCP_CHADDR_BYTES + 1;
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet), DHCP_PACKET_E_MALFORMED);
    raw[2] = DHCP_CHADDR_BYTES;
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, len}, &packet), 0);
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, DHCP_PACKET_MAX_BYTES}, &packet), 0);
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, DHCP_PACKET_MAX_BYTES + 1}, &packet),
                     DHCP_PACKET_E_MALFORMED);
}

static void numbers_are_read_only_in_their_own_size(void **state)
{
    static const uint8_t options[] = {
        53, 2, 1, 1, 57, 2, 5, 192, 54, 4, 10, 77, 0, 1, 93, 1, 7, 255};
    struct dhcp_packet packet;
    uint8_t u8 = 9;
    uint16_t u16 = 9;
    uint32_t u32 = 9;

    (void)state;
    assert_int_equal(parse(options, sizeof(options), &packet), 0);
    assert_false(dhcp_packet_get_u8(&packet, 53, &u8));
    assert_int_equal(u8, 9);
    assert_true(dhcp_packet_get_u16(&packet, 57, &u16));
    assert_int_equal(u16, 1472);
    assert_true(dhcp_packet_get_u32(&packet, 54, &u32));
    assert_int_equal(u32, 0x0a4d0001);
    assert_false(dhcp_packet_get_u16(&packet, 93, &u16));
    assert_false(dhcp_packet_get_u32(&packet, 50, &u32));
}

static void put_puts_the_type_first_and_the_relays_option_last_and_pads(void **state)
{
    struct dhcp_packet packet = {.op = DHCP_OP_REPLY, .htype = 1, .hlen = 6};
    uint8_t raw[DHCP_PACKET_MAX_BYTES];
    struct sink sink = {.ptr = raw, .cap = sizeof(raw)};

    (void)state;
    assert_true(dhcp_packet_set(&packet, 97, bytes_of("u")));
    assert_true(dhcp_packet_set(&packet, 82, bytes_of("r")));
    assert_true(dhcp_packet_set(&packet, 43, bytes_of("v")));
    assert_true(dhcp_packet_set_u8(&packet, 53, DHCP_TYPE_OFFER));
    assert_true(dhcp_packet_put(&sink, &packet));
    assert_int_equal(sink.len, DHCP_PACKET_MIN_BYTES);
    assert_memory_equal(raw + HEADER_BYTES, "\x35\x01\x02\x2b\x01v\x61\x01u\x52\x01r\xff\x00", 14);
}

static void put_cuts_a_long_option_into_pieces(void **state)
{
    uint8_t value[600];
    struct dhcp_packet packet = {.op = DHCP_OP_REPLY, .htype = 1, .hlen = 6};
    struct dhcp_packet again;
    uint8_t raw[DHCP_PACKET_MAX_BYTES];
    struct sink sink = {.ptr = raw, .cap = sizeof(raw)};
    struct bytes read;

    (void)state;
    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = (uint8_t)i;
    assert_true(dhcp_packet_set(&packet, 67, (struct bytes){value, sizeof(value)}));
    assert_true(dhcp_packet_put(&sink, &packet));
    assert_int_equal(raw[HEADER_BYTES + 1], 255);
    assert_int_equal(raw[HEADER_BYTES + 2 * 257 + 1], 90);
    assert_int_equal(dhcp_packet_parse((struct bytes){raw, sink.len}, &again), 0);
    assert_true(dhcp_packet_get(&again, 67, &read));
    assert_true(bytes_eq(read, (struct bytes){value, sizeof(value)}));
}

static void put_fits_or_says_so_at_every_capacity(void **state)
{
    struct dhcp_packet packet = {.op = DHCP_OP_REPLY, .htype = 1, .hlen = 6};

    (void)state;
    assert_true(dhcp_packet_set(&packet, 67, bytes_of("SLP00001/x64/shimx64.efi")));
    for (size_t cap = 0; cap <= DHCP_PACKET_MIN_BYTES + 1; cap++) {
        uint8_t raw[DHCP_PACKET_MIN_BYTES + 2];
        struct sink sink = {.ptr = raw, .cap = cap};

        raw[cap] = 0xa5;
        assert_int_equal(dhcp_packet_put(&sink, &packet), cap >= DHCP_PACKET_MIN_BYTES);
        assert_int_equal(raw[cap], 0xa5);
    }
}

static void set_refuses_a_second_time_and_more_than_there_is_room_for(void **state)
{
    static const uint8_t much[DHCP_PACKET_MAX_BYTES];
    struct dhcp_packet packet = {0};

    (void)state;
    assert_true(dhcp_packet_set(&packet, 60, bytes_of("PXEClient")));
    assert_false(dhcp_packet_set(&packet, 60, bytes_of("PXEClient")));
    assert_false(dhcp_packet_set(&packet, 67, (struct bytes){much, sizeof(much) - 8}));
    assert_true(dhcp_packet_set(&packet, 67, (struct bytes){much, sizeof(much) - 9}));
    assert_false(dhcp_packet_set_u32(&packet, 54, 1));
    assert_true(dhcp_packet_set(&packet, 43, (struct bytes){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_the_header),
        cmocka_unit_test(parse_joins_a_repeated_option),
        cmocka_unit_test(parse_joins_options_field_then_file_then_sname),
        cmocka_unit_test(parse_keeps_fields_that_are_not_overloaded),
        cmocka_unit_test(overload_inside_an_overloaded_field_is_not_followed),
        cmocka_unit_test(parse_refuses_an_option_across_the_end_of_any_field),
        cmocka_unit_test(parse_takes_exactly_the_prefixes_that_end_behind_an_option),
        cmocka_unit_test(parse_refuses_what_is_not_dhcp),
        cmocka_unit_test(numbers_are_read_only_in_their_own_size),
        cmocka_unit_test(put_puts_the_type_first_and_the_relays_option_last_and_pads),
        cmocka_unit_test(put_cuts_a_long_option_into_pieces),
        cmocka_unit_test(put_fits_or_says_so_at_every_capacity),
        cmocka_unit_test(set_refuses_a_second_time_and_more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
