/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_protection.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/deployment.h"
#include "site/device_change.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture.h"

#define UNKNOWN "All Unknown Computers"
#define OWN_DP  "DP00001"
#define DAYS_US (UINT64_C(24) * 3600 * 1000000)

static int protect(struct site *site, const char *which, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *device = NULL;
    int r = device_change(site, "test", which, body, &device);

    if (r == 0)
        assert_int_equal(field_bool(device, "is_protected"), field_bool(body, "is_protected"));
    return r;
}

static int deploy(struct site *site, const char *more)
{
    OWN(json_freep) json_t *body = fixture_json(more);
    OWN(json_freep) json_t *made = NULL;

    (void)json_object_set_new(body, "task_sequence_id", json_string(FIXTURE_SEQUENCE));
    (void)json_object_set_new(body, "collection", json_string("All Systems"));
    return deployment_create(site, "test", body, &made);
}

static int note(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);

    return dp_seen(site, OWN_DP, body);
}

static void no_required_deployment_begins_on_a_protected_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char order[UUID_TEXT_MAX];
    char deployment[SITE_ID_MAX];
    char id[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "FILES", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
    assert_int_equal(protect(site, "FILES", "{'is_protected': true}"), 0);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "device-protected");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    (void)fixture_order(site, id, order);
    assert_string_equal(order, "");
    assert_int_equal(protect(site, "FILES", "{'is_protected': false}"), 0);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    (void)fixture_order(site, id, order);
    assert_string_not_equal(order, "");
}

static void what_a_person_begins_at_its_screen_begins(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];

    fixture_import(site, "FILES", FIXTURE_MAC);
    assert_int_equal(protect(site, "FILES", "{'is_protected': true}"), 0);
    fixture_deploy(site, "All Systems", "available", deployment);
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
}

static void a_collection_with_a_protected_device_gets_nothing_that_wipes(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_import(site, "FILES", FIXTURE_MAC);
    fixture_import(site, "PC-1", "52:54:00:77:00:02");
    assert_int_equal(protect(site, "FILES", "{'is_protected': true}"), 0);
    assert_int_equal(deploy(site, "{'purpose': 'required', 'confirm_devices': 2}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PROTECTED);
    assert_non_null(strstr(site->refusal.detail, "FILES"));
    assert_null(strstr(site->refusal.detail, "PC-1"));
    assert_int_equal(deploy(site, "{'purpose': 'available'}"), 0);
}

static void where_the_site_only_warns_a_confirmed_one_is_made_and_begins(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    site->settings.is_protection_warning = true;
    site->settings.deployment_usual_size = 100;
    fixture_import(site, "FILES", FIXTURE_MAC);
    assert_int_equal(protect(site, "FILES", "{'is_protected': true}"), 0);
    assert_int_equal(deploy(site, "{'purpose': 'required'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CONFIRM);
    assert_int_equal(deploy(site, "{'purpose': 'required', 'confirm_devices': 1}"), 0);
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
}

static void a_computer_that_a_server_of_the_site_runs_on_is_protected(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];

    fixture_import(site, "SERVER", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(note(site, "{'macs': ['" FIXTURE_MAC "']}"), 0);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "device-protected");
    assert_int_equal(deploy(site, "{'purpose': 'required', 'confirm_devices': 1}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PROTECTED);
    fixture_wait(site, 29 * DAYS_US);
    assert_int_equal(note(site, "{'macs': ['52:54:00:99:00:01']}"), 0);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "device-protected");
    fixture_wait(site, 2 * DAYS_US);
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
}

static void an_unknown_computer_that_is_a_server_of_the_site_is_left_alone(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];

    fixture_deploy(site, UNKNOWN, "required", deployment);
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
    assert_int_equal(note(site, "{'macs': ['" FIXTURE_MAC "']}"), 0);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "device-protected");
    assert_true(fixture_ask(site, "52:54:00:77:00:09", 7).is_offer);
}

static void what_is_no_list_of_addresses_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{'macs': 'x'}", "{'macs': ['x']}", "{'macs': [1]}", "{'macs': {}}"};
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *many = json_object();
    json_t *macs = json_array();

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(note(site, bad[i]), SITE_E_REFUSED);
    for (size_t i = 0; i < 65; i++)
        (void)json_array_append_new(macs, json_string(FIXTURE_MAC));
    (void)json_object_set_new(many, "macs", macs);
    assert_int_equal(dp_seen(site, OWN_DP, many), SITE_E_REFUSED);
    assert_int_equal(note(site, "{'macs': []}"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_required_deployment_begins_on_a_protected_device),
        cmocka_unit_test(what_a_person_begins_at_its_screen_begins),
        cmocka_unit_test(a_collection_with_a_protected_device_gets_nothing_that_wipes),
        cmocka_unit_test(where_the_site_only_warns_a_confirmed_one_is_made_and_begins),
        cmocka_unit_test(a_computer_that_a_server_of_the_site_runs_on_is_protected),
        cmocka_unit_test(an_unknown_computer_that_is_a_server_of_the_site_is_left_alone),
        cmocka_unit_test(what_is_no_list_of_addresses_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
