/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/tftp/tftp_request.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) ((struct bytes){(const uint8_t *)(literal), sizeof(literal) - 1})

static int parse_named(const char *name, struct tftp_request *ret)
{
    uint8_t packet[600];
    struct sink dst = {.ptr = packet, .cap = sizeof(packet)};

    sink_u16be(&dst, TFTP_RRQ);
    sink_cstr(&dst, name);
    sink_cstr(&dst, "octet");
    assert_false(dst.full);
    return tftp_request_parse((struct bytes){packet, dst.len}, ret);
}

static void parse_reads_name_mode_and_options(void **state)
{
    (void)state;
    struct tftp_request request;
    const struct bytes packet = BYTES("\0\1a/b.efi\0OCTET\0blksize\0001468\0tsize\0000\0");

    assert_int_equal(tftp_request_parse(packet, &request), 0);
    assert_string_equal(request.name, "a/b.efi");
    assert_true(tftp_opts_asked(&request.opts, TFTP_OPT_BLKSIZE));
    assert_true(tftp_opts_asked(&request.opts, TFTP_OPT_TSIZE));
    assert_int_equal(request.opts.value[TFTP_OPT_BLKSIZE], 1468);
}

static void parse_of_every_prefix_is_no_request_until_the_mode_is_whole(void **state)
{
    (void)state;
    struct tftp_request request;
    const struct bytes whole = BYTES("\0\1a\0octet\0");

    for (size_t len = 0; len < whole.len; len++) {
        int expected = len < 2 ? TFTP_REQUEST_E_IGNORE : TFTP_REQUEST_E_BROKEN;

        assert_int_equal(tftp_request_parse((struct bytes){whole.ptr, len}, &request), expected);
    }
    assert_int_equal(tftp_request_parse(whole, &request), 0);
}

static void parse_ignores_what_is_not_a_request(void **state)
{
    (void)state;
    struct tftp_request request;

    assert_int_equal(tftp_request_parse(BYTES("\0\0a\0octet\0"), &request), TFTP_REQUEST_E_IGNORE);
    assert_int_equal(tftp_request_parse(BYTES("\0\3\0\1"), &request), TFTP_REQUEST_E_IGNORE);
    assert_int_equal(tftp_request_parse(BYTES("\0\5\0\1no\0"), &request), TFTP_REQUEST_E_IGNORE);
    assert_int_equal(tftp_request_parse(BYTES("\1\1a\0octet\0"), &request), TFTP_REQUEST_E_IGNORE);
}

static void parse_refuses_to_take_files(void **state)
{
    (void)state;
    struct tftp_request request;

    assert_int_equal(tftp_request_parse(BYTES("\0\2a\0octet\0"), &request), TFTP_REQUEST_E_WRITE);
}

static void parse_takes_netascii_for_octet_and_no_other_mode(void **state)
{
    (void)state;
    struct tftp_request request;

    assert_int_equal(tftp_request_parse(BYTES("\0\1a\0NetASCII\0"), &request), 0);
    assert_int_equal(tftp_request_parse(BYTES("\0\1a\0mail\0"), &request), TFTP_REQUEST_E_MODE);
    assert_int_equal(tftp_request_parse(BYTES("\0\1a\0\0"), &request), TFTP_REQUEST_E_MODE);
}

static void parse_cleans_names(void **state)
{
    (void)state;
    static const char *const names[][2] = {
        {"a", "a"},
        {"/a", "a"},
        {"//SLP00001//x64/shimx64.efi", "SLP00001/x64/shimx64.efi"},
        {"\\SLP00001\\x64\\shimx64.efi", "SLP00001/x64/shimx64.efi"},
        {"./a/./b/", "a/b"},
        {"a..b/...", "a..b/..."},
        {"a b", "a b"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct tftp_request request;

        assert_int_equal(parse_named(names[i][0], &request), 0);
        assert_string_equal(request.name, names[i][1]);
    }
}

static void parse_refuses_names_that_leave_or_hide(void **state)
{
    (void)state;
    static const char *const names[] = {"",
                                        "/",
                                        "\\\\",
                                        ".",
                                        "..",
                                        "../a",
                                        "a/..",
                                        "a\\..\\b",
                                        "/../a",
                                        "a\nb",
                                        "a\x7f",
                                        "\xc3\xa4"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct tftp_request request;

        assert_int_equal(parse_named(names[i], &request), TFTP_REQUEST_E_NAME);
    }
}

static void parse_takes_names_up_to_the_limit(void **state)
{
    (void)state;
    struct tftp_request request;
    char name[TFTP_NAME_MAX + 1];

    memset(name, 'x', sizeof(name));
    name[TFTP_NAME_MAX] = '\0';
    assert_int_equal(parse_named(name, &request), TFTP_REQUEST_E_NAME);
    name[TFTP_NAME_MAX - 1] = '\0';
    assert_int_equal(parse_named(name, &request), 0);
    assert_string_equal(request.name, name);
}

static void parse_ignores_padding_behind_the_options(void **state)
{
    (void)state;
    struct tftp_request request;

    assert_int_equal(tftp_request_parse(BYTES("\0\1a\0octet\0tsize\0000\0\xff\xff"), &request), 0);
    assert_true(tftp_opts_asked(&request.opts, TFTP_OPT_TSIZE));
}

static void refuse_writes_an_error_packet(void **state)
{
    (void)state;
    uint8_t packet[TFTP_ERROR_PACKET_MAX];

    for (int outcome = TFTP_REQUEST_E_BROKEN; outcome <= TFTP_REQUEST_E_NAME; outcome++) {
        struct sink dst = {.ptr = packet, .cap = sizeof(packet)};

        assert_true(tftp_request_refuse(&dst, outcome));
        assert_int_equal(packet[1], TFTP_ERROR);
        assert_string_equal((const char *)packet + TFTP_HEADER_BYTES, tftp_request_why(outcome));
        assert_int_equal(dst.len, TFTP_HEADER_BYTES + strlen(tftp_request_why(outcome)) + 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_reads_name_mode_and_options),
        cmocka_unit_test(parse_of_every_prefix_is_no_request_until_the_mode_is_whole),
        cmocka_unit_test(parse_ignores_what_is_not_a_request),
        cmocka_unit_test(parse_refuses_to_take_files),
        cmocka_unit_test(parse_takes_netascii_for_octet_and_no_other_mode),
        cmocka_unit_test(parse_cleans_names),
        cmocka_unit_test(parse_refuses_names_that_leave_or_hide),
        cmocka_unit_test(parse_takes_names_up_to_the_limit),
        cmocka_unit_test(parse_ignores_padding_behind_the_options),
        cmocka_unit_test(refuse_writes_an_error_packet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
