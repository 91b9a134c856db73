/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/smbios/smbios.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})
#define ENTRY_2_8      BYTES("_SM_\0\x1f\x02\x08")
#define ENTRY_3        BYTES("_SM3_\0\x18\x03\x02")
#define ENTRY_2_5      BYTES("_SM_\0\x1f\x02\x05")

#define UUID_RAW "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"

#define SYSTEM(strings) \
    "\x01\x1b\x00\x01" \
    "\x01\x02\x00\x03" UUID_RAW "\x06\x00\x00" strings "\0"
#define ENCLOSURE(strings) \
    "\x03\x09\x00\x03" \
    "\x00\x03\x00\x01\x02" strings "\0"
#define END "\x7f\x04\x7f\x00\0\0"

static void parse_reads_system_and_enclosure(void **state)
{
    (void)state;
    struct smbios got;

    smbios_parse(
        ENTRY_3, BYTES(ENCLOSURE("CH-1\0A-77\0") SYSTEM(" QEMU \0Standard PC\0S 1\0") END), &got);
    assert_string_equal(got.uuid, "00112233-4455-6677-8899-aabbccddeeff");
    assert_string_equal(got.manufacturer, "QEMU");
    assert_string_equal(got.model, "Standard PC");
    assert_string_equal(got.serial, "S 1");
    assert_string_equal(got.asset_tag, "A-77");
}

static void parse_takes_the_byte_order_of_the_uuid_from_the_version(void **state)
{
    (void)state;
    struct bytes table = BYTES(SYSTEM("A\0B\0C\0") END);
    struct smbios got;

    smbios_parse(ENTRY_2_8, table, &got);
    assert_string_equal(got.uuid, "00112233-4455-6677-8899-aabbccddeeff");
    smbios_parse(BYTES(""), table, &got);
    assert_string_equal(got.uuid, "00112233-4455-6677-8899-aabbccddeeff");
    smbios_parse(ENTRY_2_5, table, &got);
    assert_string_equal(got.uuid, "33221100-5544-7766-8899-aabbccddeeff");
}

static void parse_leaves_filler_empty_and_falls_back_to_the_chassis_serial(void **state)
{
    (void)state;
    struct smbios got;

    smbios_parse(ENTRY_3,
                 BYTES(SYSTEM("System manufacturer\0System Product Name\0Default string\0")
                           ENCLOSURE("CH-1\0No Asset Tag\0") END),
                 &got);
    assert_string_equal(got.manufacturer, "");
    assert_string_equal(got.model, "");
    assert_string_equal(got.serial, "CH-1");
    assert_string_equal(got.asset_tag, "");
}

static void parse_leaves_a_uuid_of_equal_bits_empty(void **state)
{
    (void)state;
    uint8_t table[] = SYSTEM("A\0B\0C\0") END;
    struct smbios got;

    memset(table + 8, 0xff, UUID_BYTES);
    smbios_parse(ENTRY_3, (struct bytes){table, sizeof(table) - 1}, &got);
    assert_string_equal(got.uuid, "");
    memset(table + 8, 0, UUID_BYTES);
    smbios_parse(ENTRY_3, (struct bytes){table, sizeof(table) - 1}, &got);
    assert_string_equal(got.uuid, "");
    table[8] = 1;
    smbios_parse(ENTRY_3, (struct bytes){table, sizeof(table) - 1}, &got);
    assert_string_equal(got.uuid, "00000001-0000-0000-0000-000000000000");
}

static void parse_replaces_what_is_not_printable(void **state)
{
    (void)state;
    struct smbios got;

    smbios_parse(ENTRY_3, BYTES(SYSTEM("A\nB\x1b\xc3z\0M\0S\0") END), &got);
    assert_string_equal(got.manufacturer, "A?B??z");
}

static void parse_stays_inside_every_prefix(void **state)
{
    (void)state;
    struct bytes table = BYTES(ENCLOSURE("CH-1\0A-77\0") SYSTEM("QEMU\0PC\0S1\0") END);

    for (size_t len = 1; len <= table.len; len++) {
        uint8_t *copy = malloc(len);
        struct smbios got;

        assert_non_null(copy);
        memcpy(copy, table.ptr, len);
        smbios_parse(ENTRY_3, (struct bytes){copy, len}, &got);
        assert_string_equal(got.model, len >= table.len - (sizeof(END) - 1) ? "PC" : "");
        free(copy);
    }
}

static void parse_cuts_a_long_string(void **state)
{
    (void)state;
    uint8_t table[512] = {1, 8, 0, 0, 1, 0, 0, 0};
    struct smbios got;

    memset(table + 8, 'x', 300);
    smbios_parse(ENTRY_3, (struct bytes){table, sizeof(table)}, &got);
    assert_int_equal(strlen(got.manufacturer), SMBIOS_TEXT_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_system_and_enclosure),
        cmocka_unit_test(parse_takes_the_byte_order_of_the_uuid_from_the_version),
        cmocka_unit_test(parse_leaves_filler_empty_and_falls_back_to_the_chassis_serial),
        cmocka_unit_test(parse_leaves_a_uuid_of_equal_bits_empty),
        cmocka_unit_test(parse_replaces_what_is_not_printable),
        cmocka_unit_test(parse_stays_inside_every_prefix),
        cmocka_unit_test(parse_cuts_a_long_string),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
