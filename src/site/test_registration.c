/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/registration.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/random.h"
#include "site/access.h"
#include "site/boot_decision.h"
#include "site/device.h"
#include "site/dp.h"
#include "site/fixture.h"

#define OTHER_MAC  "52:54:00:77:00:02"
#define DONGLE_MAC "52:54:00:77:00:0d"

/* What a machine says of itself. */
struct machine {
    const char *boot_mac;
    const char *mac; /* another interface of its own, or the same one */
    const char *uuid;
    const char *serial;
};

/* @ticket: NULL for a RAM disk, which has none. @ret: the device. */
static int take(struct site *site, const struct machine *machine, const char *ticket, char *ret)
{
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep)
    json_t *body = json_pack("{s:s?,s:s,s:[s,s],s:s,s:{s:s,s:s}}",
                             "ticket",
                             ticket,
                             "environment",
                             "boot-image",
                             "macs",
                             machine->boot_mac,
                             machine->mac,
                             "boot_mac",
                             machine->boot_mac,
                             "smbios",
                             "uuid",
                             machine->uuid,
                             "serial",
                             machine->serial);
    int r = fixture_enlist(site, body, NULL, &answer);

    if (r == 0)
        (void)snprintf(ret,
                       ACCESS_DEVICE_ID_MAX,
                       "%s",
                       json_string_value(json_object_get(answer, "device_id")));
    return r;
}

static int take_with_ticket(struct site *site,
                            const struct machine *machine,
                            const char *ticket_mac,
                            char *ret)
{
    char ticket[TOKEN_TEXT_MAX];

    assert_int_equal(access_new_boot_ticket(site, ticket_mac, ticket), 0);
    return take(site, machine, ticket, ret);
}

static void offer_by_http(struct site *site, const char *mac)
{
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep)
    json_t *ask = json_pack("{s:s,s:i,s:s,s:s,s:s}",
                            "mac",
                            mac,
                            "arch",
                            16,
                            "client",
                            "http",
                            "server_address",
                            "10.77.0.1",
                            "stage",
                            "discover");

    assert_int_equal(boot_decision_answer(site, DP_OWN_ID, ask, &answer), 0);
    assert_string_equal(json_string_value(json_object_get(answer, "answer")), "offer");
}

static void a_ticket_makes_nobody_the_device_with_another_mac(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct machine honest = {FIXTURE_MAC, FIXTURE_MAC, "", ""};
    const struct machine stranger = {.boot_mac = FIXTURE_MAC, .mac = OTHER_MAC, "", ""};
    char victim[ACCESS_DEVICE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char own[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "OTHER", OTHER_MAC);
    assert_int_equal(device_find(site, OTHER_MAC, own), 0);
    assert_int_equal(take_with_ticket(site, &honest, FIXTURE_MAC, victim), 0);
    assert_int_equal(take_with_ticket(site, &stranger, OTHER_MAC, device), 0);
    assert_string_equal(device, own);
    assert_string_not_equal(device, victim);
}

static void an_address_that_is_only_claimed_makes_nobody_another_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct machine owner = {FIXTURE_MAC, FIXTURE_MAC, FIXTURE_UUID, "S-1"};
    const struct machine stranger = {OTHER_MAC, FIXTURE_MAC, "", ""};
    const struct machine liar = {DONGLE_MAC, DONGLE_MAC, FIXTURE_UUID, ""};
    const struct machine docked = {"52:54:00:77:00:0e", FIXTURE_MAC, "", "S-1"};
    char victim[ACCESS_DEVICE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(take_with_ticket(site, &owner, FIXTURE_MAC, victim), 0);
    assert_int_equal(take_with_ticket(site, &stranger, OTHER_MAC, device), 0);
    assert_string_not_equal(device, victim);
    assert_int_equal(take_with_ticket(site, &liar, DONGLE_MAC, device), 0);
    assert_string_not_equal(device, victim);
    assert_int_equal(take_with_ticket(site, &docked, docked.boot_mac, device), 0);
    assert_string_equal(device, victim);
}

static void an_http_offer_lets_a_device_register_once_whatever_it_says_it_booted_from(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct machine machine = {.boot_mac = DONGLE_MAC, .mac = FIXTURE_MAC, "", ""};
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(take(site, &machine, NULL, device), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TICKET);
    offer_by_http(site, FIXTURE_MAC);
    assert_int_equal(take(site, &machine, NULL, device), 0);
    assert_int_equal(take(site, &machine, NULL, device), SITE_E_REFUSED);
}

static void an_offer_by_pxe_asks_for_the_ticket(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct machine machine = {FIXTURE_MAC, FIXTURE_MAC, "", ""};
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep)
    json_t *ask = fixture_json("{'mac': '" FIXTURE_MAC "', 'arch': 7, 'client': 'pxe', "
                               "'server_address': '10.77.0.1', 'stage': 'config'}");
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(boot_decision_answer(site, DP_OWN_ID, ask, &answer), 0);
    assert_int_equal(take(site, &machine, NULL, device), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TICKET);
}

static void the_uuid_finds_a_machine_whose_interface_was_replaced(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct machine before = {FIXTURE_MAC, FIXTURE_MAC, FIXTURE_UUID, "S-1"};
    const struct machine after = {OTHER_MAC, OTHER_MAC, FIXTURE_UUID, "S-1"};
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(take_with_ticket(site, &before, FIXTURE_MAC, first), 0);
    assert_int_equal(take_with_ticket(site, &after, OTHER_MAC, second), 0);
    assert_string_equal(first, second);
}

static void two_machines_with_one_uuid_stay_two_when_their_serial_numbers_differ(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct machine one = {FIXTURE_MAC, FIXTURE_MAC, FIXTURE_UUID, "S-1"};
    const struct machine two = {OTHER_MAC, OTHER_MAC, FIXTURE_UUID, "S-2"};
    char deployment[SITE_ID_MAX];
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];
    char order_of_first[UUID_TEXT_MAX];
    char order_of_second[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(take_with_ticket(site, &one, FIXTURE_MAC, first), 0);
    assert_int_equal(take_with_ticket(site, &two, OTHER_MAC, second), 0);
    assert_string_not_equal(first, second);
    assert_int_equal(fixture_order(site, first, order_of_first), 1);
    assert_int_equal(fixture_order(site, second, order_of_second), 1);
    assert_string_not_equal(order_of_first, order_of_second);
}

static void machines_without_a_uuid_are_told_apart_by_mac(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct machine one = {FIXTURE_MAC, FIXTURE_MAC, "", ""};
    const struct machine two = {OTHER_MAC, OTHER_MAC, "00000000-0000-0000-0000-000000000000", ""};
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(take_with_ticket(site, &one, FIXTURE_MAC, first), 0);
    assert_int_equal(take_with_ticket(site, &two, OTHER_MAC, second), 0);
    assert_string_not_equal(first, second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_makes_nobody_the_device_with_another_mac),
        cmocka_unit_test(an_address_that_is_only_claimed_makes_nobody_another_device),
        cmocka_unit_test(an_http_offer_lets_a_device_register_once_whatever_it_says_it_booted_from),
        cmocka_unit_test(an_offer_by_pxe_asks_for_the_ticket),
        cmocka_unit_test(the_uuid_finds_a_machine_whose_interface_was_replaced),
        cmocka_unit_test(two_machines_with_one_uuid_stay_two_when_their_serial_numbers_differ),
        cmocka_unit_test(machines_without_a_uuid_are_told_apart_by_mac),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
