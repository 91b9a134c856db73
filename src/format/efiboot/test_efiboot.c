/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/efiboot/efiboot.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

/* PciRoot(0x0)/Pci(0x2,0x0)/MAC(525400770001,0x1)/IPv4(0.0.0.0), as OVMF writes it */
#define PATH_PXE \
    "\x02\x01\x0c\x00\xd0\x41\x03\x0a\x00\x00\x00\x00" \
    "\x01\x01\x06\x00\x00\x02" \
    "\x03\x0b\x25\x00\x52\x54\x00\x77\x00\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01" \
    "\x7f\xff\x04\x00"
#define OPTION_PXE "\x01\x00\x00\x00\x3b\x00U\0E\0F\0I\0\x20\x26\0\0" PATH_PXE "\x4e\xac"

static const struct efiboot_partition esp = {
    .number = 1,
    .start_lba = 2048,
    .n_lbas = 1048576,
    .uuid = {0x00,
             0x11,
             0x22,
             0x33,
             0x44,
             0x55,
             0x66,
             0x77,
             0x88,
             0x99,
             0xaa,
             0xbb,
             0xcc,
             0xdd,
             0xee,
             0xff},
};

static struct bytes put_esp(struct sink *dst)
{
    efiboot_option_put(dst, "Slipway", &esp, "\\EFI\\BOOT\\BOOTX64.EFI");
    return (struct bytes){dst->ptr, dst->full ? 0 : dst->len};
}

static void parse_reads_a_network_option(void **state)
{
    (void)state;
    struct efiboot_option option;
    uint8_t mac[MAC_BYTES];

    assert_true(efiboot_option_parse(BYTES(OPTION_PXE), &option));
    assert_int_equal(option.attributes, EFIBOOT_ACTIVE);
    assert_string_equal(option.description, "UEFI?");
    assert_int_equal(option.data.len, 2);
    assert_true(efiboot_path_mac(option.path, mac));
    assert_memory_equal(mac, "\x52\x54\x00\x77\x00\x01", MAC_BYTES);
}

static void parse_refuses_every_prefix_that_cuts_the_path(void **state)
{
    (void)state;
    struct bytes whole = BYTES(OPTION_PXE);

    for (size_t len = 1; len <= whole.len; len++) {
        uint8_t *copy = malloc(len);
        struct efiboot_option option;

        assert_non_null(copy);
        memcpy(copy, whole.ptr, len);
        assert_int_equal(efiboot_option_parse((struct bytes){copy, len}, &option),
                         len >= whole.len - 2);
        free(copy);
    }
}

static void path_mac_wants_a_whole_ethernet_node(void **state)
{
    (void)state;
    struct bytes path = BYTES(PATH_PXE);
    uint8_t copy[sizeof(PATH_PXE)];
    uint8_t mac[MAC_BYTES];

    memcpy(copy, path.ptr, path.len);
    copy[12 + 6 + 4 + 32] = 32; /* InfiniBand */
    assert_false(efiboot_path_mac((struct bytes){copy, path.len}, mac));
    memcpy(copy, path.ptr, path.len);
    copy[12 + 6 + 2] = 36; /* one byte short */
    assert_false(efiboot_path_mac((struct bytes){copy, path.len}, mac));
    copy[12 + 6 + 2] = 3; /* shorter than its header: no way to go on */
    assert_false(efiboot_path_mac((struct bytes){copy, path.len}, mac));
    assert_false(efiboot_path_mac(BYTES(""), mac));
}

static void put_writes_what_parse_reads(void **state)
{
    (void)state;
    uint8_t bytes[256];
    struct sink dst = {.ptr = bytes, .cap = sizeof(bytes)};
    struct efiboot_option option;
    struct efiboot_partition partition;

    assert_true(efiboot_option_parse(put_esp(&dst), &option));
    assert_string_equal(option.description, "Slipway");
    assert_int_equal(option.data.len, 0);
    assert_true(efiboot_path_partition(option.path, &partition));
    assert_int_equal(partition.number, esp.number);
    assert_int_equal(partition.start_lba, esp.start_lba);
    assert_int_equal(partition.n_lbas, esp.n_lbas);
    assert_memory_equal(partition.uuid, esp.uuid, UUID_BYTES);
    /* the GUID lies in EFI's order in the node, which starts behind the description */
    assert_memory_equal(option.path.ptr + 4 + 4 + 16, "\x33\x22\x11\x00\x55\x44\x77\x66\x88", 9);
}

static void put_never_writes_past_the_sink(void **state)
{
    (void)state;
    uint8_t bytes[256];
    size_t whole = put_esp(&(struct sink){.ptr = bytes, .cap = sizeof(bytes)}).len;

    assert_true(whole > 0);
    for (size_t cap = 0; cap < whole; cap++)
        assert_int_equal(put_esp(&(struct sink){.ptr = bytes, .cap = cap}).len, 0);
}

static void order_puts_the_number_first_and_once(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct sink dst = {.ptr = bytes, .cap = sizeof(bytes)};

    efiboot_order_put_first(&dst, BYTES("\x01\x00\x07\x00\x02\x00\x07\x00\xff"), 7, NULL, 0);
    assert_int_equal(dst.len, 6);
    assert_memory_equal(bytes, "\x07\x00\x01\x00\x02\x00", 6);
    dst.len = 0;
    efiboot_order_put_first(&dst, BYTES(""), 0x1234, NULL, 0);
    assert_int_equal(dst.len, 2);
    assert_memory_equal(bytes, "\x34\x12", 2);
}

static void order_leaves_out_what_is_gone(void **state)
{
    (void)state;
    static const uint16_t gone[] = {1, 9};
    uint8_t bytes[64];
    struct sink dst = {.ptr = bytes, .cap = sizeof(bytes)};

    efiboot_order_put_first(&dst, BYTES("\x01\x00\x09\x00\x02\x00"), 7, gone, 2);
    assert_int_equal(dst.len, 4);
    assert_memory_equal(bytes, "\x07\x00\x02\x00", 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_a_network_option),
        cmocka_unit_test(parse_refuses_every_prefix_that_cuts_the_path),
        cmocka_unit_test(path_mac_wants_a_whole_ethernet_node),
        cmocka_unit_test(put_writes_what_parse_reads),
        cmocka_unit_test(put_never_writes_past_the_sink),
        cmocka_unit_test(order_puts_the_number_first_and_once),
        cmocka_unit_test(order_leaves_out_what_is_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
