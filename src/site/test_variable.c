/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/variable.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/device.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"

enum {
    TEXT_MAX = 8192,
};

static int set_it(struct site *site, enum variable_owner owner, const char *which, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return variable_set(site, owner, "alice", which, body, &answer);
}

static void make_collection(struct site *site, const char *name, unsigned priority)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *change = json_pack("{s:i}", "variable_priority", (int)priority);
    OWN(json_freep) json_t *member = json_pack("{s:s}", "device", "pc");
    json_t *answer = NULL;

    assert_int_equal(collection_create(site, "alice", body, &answer), 0);
    json_decref(answer);
    assert_int_equal(collection_change(site, "alice", name, change, &answer), 0);
    assert_int_equal(field_number(answer, "variable_priority", 0), priority);
    json_decref(answer);
    assert_int_equal(collection_add_member(site, "alice", name, member, &answer), 0);
    json_decref(answer);
}

/* The value that the order of the device "pc" has; "" if none. @ret_is_secret: may be NULL */
static void assert_order(struct site *site, const char *name, const char *value, bool is_secret)
{
    OWN(json_freep) json_t *variables = NULL;
    OWN(json_freep) json_t *secrets = NULL;
    bool is_named = false;
    char id[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(device_find(site, "pc", id), 0);
    assert_int_equal(variable_put_order(site, id, "", "pc", &variables, &secrets), 0);
    assert_string_equal(field_text(variables, name, ""), value);
    for (size_t i = 0; i < json_array_size(secrets); i++)
        is_named |= strcmp(json_string_value(json_array_get(secrets, i)), name) == 0;
    assert_int_equal(is_named, is_secret);
}

static void the_collection_of_the_higher_priority_counts_and_the_device_before_all(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_import(site, "pc", FIXTURE_MAC);
    make_collection(site, "high", 7);
    make_collection(site, "low", 2);
    assert_int_equal(
        set_it(site, VARIABLE_OF_COLLECTION, "low", "{'name': 'Where', 'value': 'low'}"), 0);
    assert_order(site, "Where", "low", false);
    assert_int_equal(
        set_it(site, VARIABLE_OF_COLLECTION, "high", "{'name': 'WHERE', 'value': 'high'}"), 0);
    assert_order(site, "Where", "high", false);
    assert_int_equal(set_it(site, VARIABLE_OF_DEVICE, "pc", "{'name': 'where', 'value': 'own'}"),
                     0);
    assert_order(site, "Where", "own", false);
    assert_int_equal(variable_remove(site, VARIABLE_OF_DEVICE, "alice", "pc", "WHERE"), 0);
    assert_order(site, "Where", "high", false);
    assert_int_equal(variable_remove(site, VARIABLE_OF_DEVICE, "alice", "pc", "WHERE"),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

static void only_a_variable_overrides_the_computer_name_of_a_step(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    fixture_import(site, "pc", FIXTURE_MAC);
    assert_order(site, "OSDComputerName", "", false);
    assert_order(site, "_SMSTSMachineName", "pc", false);
    assert_int_equal(
        set_it(site, VARIABLE_OF_DEVICE, "pc", "{'name': 'OSDComputerName', 'value': 'desk'}"), 0);
    assert_order(site, "OSDComputerName", "desk", false);
    assert_order(site, "_SMSTSMachineName", "pc", false);
}

static void a_secret_value_is_in_no_answer_and_in_the_order(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *list = NULL;
    OWN(json_freep) json_t *effective = NULL;
    OWN(freep) char *text = NULL;
    OWN(freep) char *all = NULL;

    fixture_import(site, "pc", FIXTURE_MAC);
    assert_int_equal(set_it(site,
                            VARIABLE_OF_COLLECTION,
                            "All Systems",
                            "{'name': 'JoinKey', 'value': 'geheimnis', 'is_secret': true}"),
                     0);
    assert_int_equal(set_it(site,
                            VARIABLE_OF_DEVICE,
                            "pc",
                            "{'name': 'LocalPassword', 'value': 'geheimnis', 'is_secret': false}"),
                     0);
    assert_int_equal(variable_list(site, VARIABLE_OF_COLLECTION, "All Systems", &list), 0);
    assert_int_equal(variable_list_effective(site, "pc", &effective), 0);
    assert_int_equal(json_array_size(json_object_get(effective, "items")), 2);
    text = json_dumps(list, 0);
    all = json_dumps(effective, 0);
    assert_null(strstr(text, "geheimnis"));
    assert_null(strstr(all, "geheimnis"));
    assert_non_null(strstr(text, "\"value\": null"));
    assert_order(site, "JoinKey", "geheimnis", true);
    assert_order(site, "LocalPassword", "geheimnis", true);
    /* It stays one when it gets another value. */
    assert_int_equal(
        set_it(
            site, VARIABLE_OF_COLLECTION, "All Systems", "{'name': 'JoinKey', 'value': 'another'}"),
        0);
    assert_order(site, "JoinKey", "another", true);
}

static void what_is_asked_on_the_screen_is_among_what_a_device_gets(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *effective = NULL;
    const json_t *items;

    fixture_import(site, "pc", FIXTURE_MAC);
    assert_int_equal(
        set_it(site, VARIABLE_OF_COLLECTION, "All Systems", "{'name': 'Room', 'value': ''}"), 0);
    assert_int_equal(
        set_it(site, VARIABLE_OF_COLLECTION, "All Systems", "{'name': 'Given', 'value': ''}"), 0);
    assert_int_equal(
        set_it(
            site, VARIABLE_OF_DEVICE, "pc", "{'name': 'JoinKey', 'value': '', 'is_secret': true}"),
        0);
    assert_int_equal(set_it(site, VARIABLE_OF_DEVICE, "pc", "{'name': 'Given', 'value': 'here'}"),
                     0);
    assert_int_equal(variable_list_effective(site, "pc", &effective), 0);
    items = json_object_get(effective, "items");
    assert_int_equal(json_array_size(items), 3);
    for (size_t i = 0; i < 3; i++) {
        static const char *const names[] = {"Given", "JoinKey", "Room"};
        const json_t *item = json_array_get(items, i);

        assert_string_equal(field_text(item, "name", ""), names[i]);
        assert_int_equal(field_bool(item, "is_asked"), i > 0);
        assert_int_equal(field_bool(item, "is_secret"), i == 1);
        assert_int_equal(json_is_null(json_object_get(item, "value")), i == 1);
        assert_string_equal(field_text(item, "value", ""), i == 0 ? "here" : "");
    }
    assert_string_equal(field_text(json_array_get(items, 1), "source", ""), "device");
}

static void names_and_values_against_the_limits_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{'name': '_SMSTSX', 'value': 'a'}",
        "{'name': 'a b', 'value': 'a'}",
        "{'name': '1a', 'value': 'a'}",
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    char text[TEXT_MAX];

    fixture_import(site, "pc", FIXTURE_MAC);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(set_it(site, VARIABLE_OF_DEVICE, "pc", bad[i]), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_VARIABLE);
    }
    (void)snprintf(text, sizeof(text), "{'name': 'a', 'value': '%04000d'}", 0);
    assert_int_equal(set_it(site, VARIABLE_OF_DEVICE, "pc", text), 0);
    (void)snprintf(text, sizeof(text), "{'name': 'a', 'value': '%04001d'}", 0);
    assert_int_equal(set_it(site, VARIABLE_OF_DEVICE, "pc", text), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_VARIABLE);
}

static void a_device_has_a_thousand_variables_and_no_more(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char text[TEXT_MAX];

    fixture_import(site, "pc", FIXTURE_MAC);
    for (unsigned i = 0; i <= VARIABLES_MAX; i++) {
        (void)snprintf(text, sizeof(text), "{'name': 'v%u', 'value': 'a'}", i);
        assert_int_equal(set_it(site, VARIABLE_OF_DEVICE, "pc", text),
                         i < VARIABLES_MAX ? 0 : SITE_E_REFUSED);
    }
    assert_int_equal(site->refusal.id, REFUSAL_VARIABLE);
    assert_int_equal(set_it(site, VARIABLE_OF_DEVICE, "pc", "{'name': 'V7', 'value': 'b'}"), 0);
    assert_order(site, "v7", "b", false);
}

static void an_unknown_computer_gets_those_of_all_unknown_computers(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *order = NULL;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(set_it(site,
                            VARIABLE_OF_COLLECTION,
                            "All Unknown Computers",
                            "{'name': 'Where', 'value': 'lab', 'is_secret': true}"),
                     0);
    assert_int_equal(
        set_it(site, VARIABLE_OF_COLLECTION, "All Systems", "{'name': 'Known', 'value': 'yes'}"),
        0);
    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(order_get(site, device, &(struct order_client){0}, &order), 0);
    assert_string_equal(field_text(json_object_get(order, "variables"), "Where", ""), "lab");
    assert_string_equal(field_text(json_object_get(order, "variables"), "Known", ""), "");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(order, "secret_variables"), 0)), "Where");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_collection_of_the_higher_priority_counts_and_the_device_before_all),
        cmocka_unit_test(only_a_variable_overrides_the_computer_name_of_a_step),
        cmocka_unit_test(a_secret_value_is_in_no_answer_and_in_the_order),
        cmocka_unit_test(what_is_asked_on_the_screen_is_among_what_a_device_gets),
        cmocka_unit_test(names_and_values_against_the_limits_are_refused),
        cmocka_unit_test(a_device_has_a_thousand_variables_and_no_more),
        cmocka_unit_test(an_unknown_computer_gets_those_of_all_unknown_computers),
    };

    return cmocka_run_group_tests_name("site/variable", tests, NULL, NULL);
}
