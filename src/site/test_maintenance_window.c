/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/maintenance_window.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/clock.h"
#include "site/access.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/device.h"
#include "site/fields.h"
#include "site/fixture.h"

#define HOUR_US (60 * FIXTURE_MINUTE_US)

/* Two hours from @hours after the fixture's start, once. */
static int add(struct site *site, const char *collection, const char *name, unsigned hours)
{
    char at[CLOCK_TEXT_MAX];
    OWN(json_freep) json_t *answer = NULL;
    json_t *body;
    int r;

    clock_put_rfc3339(at, FIXTURE_START_US + hours * HOUR_US);
    (void)snprintf(at + 19, sizeof(at) - 19, "Z");
    body =
        json_pack("{s:s,s:{s:s,s:i}}", "name", name, "schedule", "start", at, "duration_min", 120);
    r = maintenance_window_set(site, "test", collection, body, &answer);
    json_decref(body);
    return r;
}

static void make_collection(struct site *site, const char *name, const char *device)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *rule = json_pack("{s:s,s:s}", "type", "direct", "device", device);
    OWN(json_freep) json_t *made = NULL;
    json_t *ret = NULL;

    assert_int_equal(collection_create(site, "test", body, &made), 0);
    assert_int_equal(collection_rule_add(site, "test", name, rule, &ret), 0);
    json_decref(ret);
}

static struct site *site_with_device(char id[static ACCESS_DEVICE_ID_MAX])
{
    struct site *site = fixture_new();

    fixture_import(site, "PC-1", FIXTURE_MAC);
    make_collection(site, "First", "PC-1");
    make_collection(site, "Second", "PC-1");
    assert_int_equal(device_find(site, "PC-1", id), 0);
    return site;
}

static bool is_open(struct site *site, const char *device, uint64_t at_us)
{
    OWN(device_windows_fini) struct device_windows found = {0};

    assert_int_equal(device_windows_find(site, device, "", &found), 0);
    return window_open_until(&found.windows, at_us) != 0;
}

static void a_device_has_the_windows_of_all_of_its_collections(void **state)
{
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_device(device);

    (void)state;
    assert_true(is_open(site, device, FIXTURE_START_US));
    assert_int_equal(add(site, "First", "Morning", 10), 0);
    assert_int_equal(add(site, "Second", "Noon", 12), 0);
    assert_false(is_open(site, device, FIXTURE_START_US));
    assert_true(is_open(site, device, FIXTURE_START_US + 11 * HOUR_US));
    assert_true(is_open(site, device, FIXTURE_START_US + 13 * HOUR_US));
    assert_false(is_open(site, device, FIXTURE_START_US + 15 * HOUR_US));
    assert_int_equal(maintenance_window_remove(site, "test", "First", "Morning"), 0);
    assert_int_equal(maintenance_window_remove(site, "test", "Second", "Noon"), 0);
    assert_true(is_open(site, device, FIXTURE_START_US));
    assert_int_equal(maintenance_window_remove(site, "test", "Second", "Noon"), SITE_E_REFUSED);
}

static void windows_for_updates_are_nothing_to_a_task_sequence(void **state)
{
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_device(device);
    OWN(json_freep)
    json_t *body = fixture_json("{'name': 'Patches', 'applies_to': 'updates', 'schedule':"
                                " {'start': '2026-01-01T00:00Z', 'duration_min': 1}}");
    json_t *answer = NULL;

    (void)state;
    assert_int_equal(maintenance_window_set(site, "test", "First", body, &answer), 0);
    json_decref(answer);
    assert_true(is_open(site, device, FIXTURE_START_US));
}

static void what_starts_from_the_network_waits_for_its_window(void **state)
{
    char device[ACCESS_DEVICE_ID_MAX];
    char deployment[SITE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_device(device);
    struct boot_decision decision;

    (void)state;
    assert_int_equal(add(site, "First", "Later", 5), 0);
    fixture_deploy(site, "Second", "required", deployment);
    decision = fixture_ask(site, FIXTURE_MAC, 7);
    assert_string_equal(decision.reason, "outside-window");
    assert_false(decision.is_offer);
    assert_non_null(strstr(decision.text, deployment));
    fixture_wait(site, 5 * HOUR_US);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "required-deployment");
    fixture_wait(site, 2 * HOUR_US);
    decision = fixture_ask(site, FIXTURE_MAC, 7);
    assert_string_equal(decision.reason, "outside-window");
    assert_non_null(strstr(decision.text, "none of those to come"));
}

static void one_of_the_same_name_is_replaced(void **state)
{
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_device(device);
    OWN(json_freep) json_t *list = NULL;

    (void)state;
    assert_int_equal(add(site, "First", "It", 3), 0);
    assert_int_equal(add(site, "First", "It", 9), 0);
    assert_int_equal(maintenance_window_list(site, "First", &list), 0);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
    assert_false(is_open(site, device, FIXTURE_START_US + 4 * HOUR_US));
    assert_true(is_open(site, device, FIXTURE_START_US + 10 * HOUR_US));
}

static void what_is_no_window_is_refused(void **state)
{
    static const char *const bad[] = {
        "{'name': 'A'}",
        "{'name': '', 'schedule': {'start': '2026-01-01T00:00', 'duration_min': 5}}",
        "{'name': 'A', 'schedule': {'start': '2026-01-01T00:00'}}",
        "{'name': 'A', 'schedule': {'start': '2026-01-01T00:00', 'duration_min': 1440}}",
        "{'name': 'A', 'applies_to': 'games', 'schedule': {'start': '2026-01-01T00:00', 'duration_min': 5}}",
    };
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_device(device);

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep) json_t *body = fixture_json(bad[i]);
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(maintenance_window_set(site, "test", "First", body, &answer),
                         SITE_E_REFUSED);
    }
    assert_int_equal(add(site, "All Systems", "A", 1), SITE_E_REFUSED);
    for (unsigned i = 0; i < MAINTENANCE_WINDOWS_MAX; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "%u", i);
        assert_int_equal(add(site, "First", name, i), 0);
    }
    assert_int_equal(add(site, "First", "one more", 1), SITE_E_REFUSED);
    assert_int_equal(add(site, "First", "3", 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_has_the_windows_of_all_of_its_collections),
        cmocka_unit_test(windows_for_updates_are_nothing_to_a_task_sequence),
        cmocka_unit_test(what_starts_from_the_network_waits_for_its_window),
        cmocka_unit_test(one_of_the_same_name_is_replaced),
        cmocka_unit_test(what_is_no_window_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
