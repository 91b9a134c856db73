/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wake_target.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>

#include <cmocka.h>

static void a_broadcast_address_is_the_last_of_the_subnet(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t want;
    } table[] = {
        {"192.0.2.7/24", 0xc00002ff},
        {"10.1.2.3/8", 0x0affffff},  /* the widest */
        {"10.1.2.1/30", 0x0a010203}, /* the narrowest that has one */
        {"10.1.2.2/30", 0x0a010203},
        {"172.16.5.9/20", 0xac100fff},
        {"223.255.255.1/24", 0xdfffffff},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct wake_address address;

        assert_true(wake_address_parse(table[i].text, &address));
        assert_int_equal(wake_address_broadcast(&address), table[i].want);
    }
}

static void what_no_computer_can_have_is_no_address(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "192.0.2.7",
        "192.0.2.7/",
        "192.0.2.7/7",  /* half of the Internet */
        "192.0.2.7/31", /* no broadcast address (RFC 3021) */
        "192.0.2.7/32",
        "192.0.2.7/24 ",
        "192.0.2.7/+24",
        " 192.0.2.7/24",
        "192.0.2/24",
        "192.0.2.256/24",
        "192.0.2.0/24",   /* the subnet */
        "192.0.2.255/24", /* its broadcast address */
        "0.1.2.3/24",
        "127.0.0.1/8",
        "224.0.0.1/24",
        "255.255.255.254/24",
        "fd00:77::1/64",
        "1111111111111111111111111111/24",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct wake_address address;

        assert_false(wake_address_parse(bad[i], &address));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broadcast_address_is_the_last_of_the_subnet),
        cmocka_unit_test(what_no_computer_can_have_is_no_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
