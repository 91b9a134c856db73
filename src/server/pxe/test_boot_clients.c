/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/boot_clients.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */

#include <cmocka.h>

static struct boot_clients clients;

static int clear(void **state)
{
    (void)state;
    clients = (struct boot_clients){0};
    return 0;
}

/* The MAC address of the n-th machine. */
static const uint8_t *mac_of(unsigned n)
{
    static uint8_t mac[MAC_BYTES];

    mac[4] = (uint8_t)(n >> 8);
    mac[5] = (uint8_t)n;
    return mac;
}

static void client_is_found_by_what_it_was_seen_as(void **state)
{
    (void)state;
    assert_null(boot_clients_find(&clients, mac_of(0))); /* also the all-zero address */

    struct boot_client *client = boot_clients_see(&clients, mac_of(0), 5);

    client->address = 0x0a4d0853;
    assert_ptr_equal(boot_clients_find(&clients, mac_of(0)), client);
    assert_ptr_equal(boot_clients_see(&clients, mac_of(0), 6), client);
    assert_int_equal(client->seen_us, 6);
    assert_ptr_equal(boot_clients_find_address(&clients, 0x0a4d0853), client);
    assert_null(boot_clients_find_address(&clients, 0x0a4d0854));
    assert_null(boot_clients_find_address(&clients, 0));
}

static void of_two_with_one_address_the_one_seen_last_counts(void **state)
{
    (void)state;
    boot_clients_see(&clients, mac_of(1), 10)->address = 7;
    boot_clients_see(&clients, mac_of(2), 30)->address = 7;
    boot_clients_see(&clients, mac_of(3), 20)->address = 7;
    assert_int_equal(boot_clients_find_address(&clients, 7)->mac[5], 2);
}

static void full_table_drops_the_one_unseen_for_longest_and_all_it_knew(void **state)
{
    (void)state;
    for (unsigned n = 0; n < BOOT_CLIENTS_MAX; n++)
        boot_clients_see(&clients, mac_of(n), 100 + n)->needs_signed_until_us = 1;
    (void)boot_clients_see(&clients, mac_of(0), 100 + BOOT_CLIENTS_MAX);

    assert_int_equal(
        boot_clients_see(&clients, mac_of(5000), 200 + BOOT_CLIENTS_MAX)->needs_signed_until_us, 0);
    assert_null(boot_clients_find(&clients, mac_of(1)));
    assert_non_null(boot_clients_find(&clients, mac_of(0)));
    assert_non_null(boot_clients_find(&clients, mac_of(2)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(client_is_found_by_what_it_was_seen_as, clear),
        cmocka_unit_test_setup(of_two_with_one_address_the_one_seen_last_counts, clear),
        cmocka_unit_test_setup(full_table_drops_the_one_unseen_for_longest_and_all_it_knew, clear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
