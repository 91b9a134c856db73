/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/tftp/tftp_packet.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"

static void an_error_is_its_numbers_and_a_text_with_its_nul(void **state)
{
    (void)state;
    static const uint8_t want[] = {0, 5, 0, 1, 'n', 'o', 'n', 'e', 0};
    uint8_t packet[TFTP_ERROR_PACKET_MAX];
    struct sink dst = {.ptr = packet, .cap = sizeof(packet)};

    assert_true(tftp_error_put(&dst, TFTP_ERROR_MISSING, "none"));
    assert_int_equal(dst.len, sizeof(want));
    assert_memory_equal(packet, want, sizeof(want));
}

static void the_longest_text_just_fits(void **state)
{
    (void)state;
    char text[TFTP_ERROR_TEXT_MAX + 1];
    uint8_t packet[TFTP_ERROR_PACKET_MAX];
    struct sink dst = {.ptr = packet, .cap = sizeof(packet)};

    memset(text, 'x', sizeof(text));
    text[TFTP_ERROR_TEXT_MAX - 1] = '\0';
    assert_true(tftp_error_put(&dst, TFTP_ERROR_OTHER, text));
    assert_int_equal(dst.len, TFTP_ERROR_PACKET_MAX);
    assert_int_equal(packet[TFTP_ERROR_PACKET_MAX - 1], 0);
}

static void a_text_that_is_too_long_is_not_sent(void **state)
{
    (void)state;
    char text[TFTP_ERROR_TEXT_MAX + 1];
    uint8_t packet[TFTP_ERROR_PACKET_MAX + 1];
    struct sink dst = {.ptr = packet, .cap = TFTP_ERROR_PACKET_MAX};

    packet[TFTP_ERROR_PACKET_MAX] = 0xa5;
    memset(text, 'x', sizeof(text));
    text[TFTP_ERROR_TEXT_MAX] = '\0';
    assert_false(tftp_error_put(&dst, TFTP_ERROR_OTHER, text));
    assert_int_equal(packet[TFTP_ERROR_PACKET_MAX], 0xa5);
}

static void every_code_is_two_bytes_in_network_order(void **state)
{
    (void)state;

    for (unsigned code = TFTP_ERROR_OTHER; code <= TFTP_ERROR_OPTIONS; code++) {
        uint8_t packet[TFTP_ERROR_PACKET_MAX];
        struct sink dst = {.ptr = packet, .cap = sizeof(packet)};

        assert_true(tftp_error_put(&dst, (enum tftp_error)code, ""));
        assert_int_equal(dst.len, TFTP_HEADER_BYTES + 1);
        assert_int_equal(packet[2], 0);
        assert_int_equal(packet[3], code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_its_numbers_and_a_text_with_its_nul),
        cmocka_unit_test(the_longest_text_just_fits),
        cmocka_unit_test(a_text_that_is_too_long_is_not_sent),
        cmocka_unit_test(every_code_is_two_bytes_in_network_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
