/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_change.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/boot_decision.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/device.h"
#include "site/duplicate_id.h"
#include "site/fields.h"
#include "site/fixture.h"

static int change(struct site *site, const char *which, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *device = NULL;

    return device_change(site, "test", which, body, &device);
}

static uint64_t n_members(struct site *site, const char *collection)
{
    OWN(json_freep) json_t *found = NULL;

    assert_int_equal(collection_get(site, collection, &found), 0);
    assert_int_equal(field_number(found, "n_members", 0),
                     json_array_size(json_object_get(found, "members")));
    return field_number(found, "n_members", 0);
}

static void a_blocked_device_is_offered_nothing_and_what_it_runs_is_over(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *progress = NULL;
    char deployment[SITE_ID_MAX];
    char id[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    assert_int_equal(change(site, "PC-1", "{'is_blocked': true, 'block_reason': 'stolen'}"), 0);
    assert_false(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "device-blocked");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, NULL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BLOCKED);
    progress = fixture_progress(site, deployment);
    assert_string_equal(field_text(progress, "state", ""), "failed");
    assert_string_equal(field_text(progress, "error_id", ""), SITE_ERROR_BLOCKED);

    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(change(site, "PC-1", "{'is_blocked': false}"), 0);
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
}

static void a_device_that_runs_something_is_not_deleted(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    char id[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    assert_int_equal(device_delete(site, "test", "PC-1"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_IN_USE);
    assert_non_null(strstr(site->refusal.detail, "PC-1"));
    assert_int_equal(n_members(site, "All Systems"), 1);
    /* what is blocked runs nothing any more */
    assert_int_equal(change(site, "PC-1", "{'is_blocked': true}"), 0);
    assert_int_equal(device_delete(site, "test", "PC-1"), 0);
}

static void a_deleted_device_leaves_its_collections_and_is_unknown(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    char id[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    (void)fixture_order(site, id, order);
    assert_int_equal(fixture_report(site, id, order, 1, "succeeded", "full-os"), 0);
    assert_int_equal(n_members(site, "All Systems"), 1);
    assert_int_equal(device_delete(site, "test", "PC-1"), 0);
    assert_int_equal(n_members(site, "All Systems"), 0);
    assert_int_equal(device_find(site, FIXTURE_MAC, id), SITE_E_REFUSED);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "no-deployment");
    assert_int_equal(device_delete(site, "test", "x64 Unknown Computer"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BUILTIN);
}

static void a_new_name_moves_it_between_collections(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *create = fixture_json("{'name': 'B'}");
    OWN(json_freep)
    json_t *rule =
        fixture_json("{'type': 'query', 'name': 'q', 'filter': 'name startswith \\u0027b\\u0027'}");
    OWN(json_freep) json_t *collection = NULL;
    OWN(json_freep) json_t *again = NULL;

    fixture_import(site, "A1", FIXTURE_MAC);
    fixture_import(site, "A2", "52:54:00:77:00:02");
    assert_int_equal(collection_create(site, "test", create, &collection), 0);
    assert_int_equal(collection_rule_add(site, "test", "B", rule, &again), 0);
    assert_int_equal(n_members(site, "B"), 0);
    assert_int_equal(change(site, "A1", "{'name': 'B1'}"), 0);
    assert_int_equal(n_members(site, "B"), 1);
    assert_int_equal(change(site, "A2", "{'name': 'b1'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
    assert_int_equal(change(site, "A2", "{'name': '-x'}"), SITE_E_REFUSED);
    assert_int_equal(change(site, "A2", "{'name': '52-54-00-77-00-99'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    assert_int_equal(change(site, "A2", "{'name': '525400770099'}"), SITE_E_REFUSED);
    assert_int_equal(change(site, "A2", "{'name': '11111111-2222-3333-4444-555555555555'}"),
                     SITE_E_REFUSED);
    assert_int_equal(change(site, "A2", "{}"), SITE_E_REFUSED);
}

static void a_shared_address_says_nothing_about_a_machine(void **state)
{
    (void)state;
    static const char dock[] = "52:54:00:d0:c0:01";
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *add = fixture_json("{'id': '52-54-00-D0-C0-01', 'comment': 'dock'}");
    OWN(json_freep) json_t *added = NULL;
    OWN(json_freep) json_t *again = NULL;
    char deployment[SITE_ID_MAX];
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "PC-1", dock);
    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(duplicate_id_add(site, "test", add, &added), 0);
    assert_int_equal(duplicate_id_add(site, "test", add, &again), SITE_E_REFUSED);
    assert_string_equal(field_text(added, "id", ""), dock);
    assert_int_equal(device_find(site, dock, first), SITE_E_REFUSED);

    assert_int_equal(fixture_register(site, dock, first), 0);
    assert_int_equal(fixture_register(site, dock, second), 0);
    assert_string_not_equal(first, second);
    assert_int_equal(duplicate_id_remove(site, "test", dock), 0);
    assert_int_equal(duplicate_id_remove(site, "test", dock), SITE_E_REFUSED);
    assert_int_equal(fixture_register(site, dock, first), 0);
    assert_int_equal(fixture_register(site, dock, second), 0);
    assert_string_equal(first, second);
}

static void a_device_may_get_another_adapter_and_mainboard(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *add = fixture_json("{'id': '52:54:00:d0:c0:01'}");
    OWN(json_freep) json_t *added = NULL;
    OWN(json_freep) json_t *explained = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    char found[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "PC-1", "52:54:00:d0:c0:01");
    fixture_import(site, "PC-2", "52:54:00:00:00:02");
    assert_int_equal(device_find(site, "PC-1", id), 0);
    assert_int_equal(duplicate_id_add(site, "test", add, &added), 0);
    assert_string_equal(field_text(added, "taken_from", ""), "PC-1");
    assert_int_equal(boot_explain(site, "PC-1", true, &explained), 0);
    assert_string_equal(field_text(json_object_get(explained, "decision"), "reason", ""),
                        "no-hardware-id");

    assert_int_equal(change(site, "PC-1", "{'macs': ['52:54:00:d0:c0:01']}"), SITE_E_REFUSED);
    assert_int_equal(change(site, "PC-1", "{'macs': ['52:54:00:00:00:02']}"), SITE_E_REFUSED);
    assert_non_null(strstr(site->refusal.detail, "PC-2"));
    assert_int_equal(change(site, "PC-1", "{'macs': []}"), SITE_E_REFUSED);
    assert_int_equal(change(site, "PC-1", "{'macs': [1]}"), SITE_E_REFUSED);
    assert_int_equal(change(site, "PC-1", "{'smbios_uuid': '" FIXTURE_UUID "'}"), 0);
    assert_int_equal(device_find(site, FIXTURE_UUID, found), 0);
    assert_string_equal(found, id);
    assert_int_equal(change(site, "PC-2", "{'smbios_uuid': '" FIXTURE_UUID "'}"), SITE_E_REFUSED);
    assert_int_equal(
        change(site,
               "PC-1",
               "{'macs': ['52-54-00-00-00-0A', '52:54:00:00:00:0b'], 'smbios_uuid': null}"),
        0);
    assert_int_equal(device_find(site, "52:54:00:00:00:0a", found), 0);
    assert_string_equal(found, id);
    assert_int_equal(device_find(site, FIXTURE_UUID, found), SITE_E_REFUSED);
}

static void its_history_says_who_did_what(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *history = NULL;
    const json_t *items;

    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(change(site, "PC-1", "{'name': 'PC-2'}"), 0);
    assert_int_equal(
        device_history(
            site, "PC-2", &(struct page){.after = "", .limit = 10, .is_log = true}, &history),
        0);
    items = json_object_get(history, "items");
    assert_int_equal(json_array_size(items), 2);
    assert_string_equal(field_text(json_array_get(items, 0), "action", ""), "device.import");
    assert_string_equal(field_text(json_array_get(items, 1), "action", ""), "device.rename");
    assert_string_equal(field_text(json_array_get(items, 1), "detail", ""), "PC-2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blocked_device_is_offered_nothing_and_what_it_runs_is_over),
        cmocka_unit_test(a_device_that_runs_something_is_not_deleted),
        cmocka_unit_test(a_deleted_device_leaves_its_collections_and_is_unknown),
        cmocka_unit_test(a_new_name_moves_it_between_collections),
        cmocka_unit_test(a_shared_address_says_nothing_about_a_machine),
        cmocka_unit_test(a_device_may_get_another_adapter_and_mainboard),
        cmocka_unit_test(its_history_says_who_did_what),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
