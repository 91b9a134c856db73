/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/wizard.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/boot_gate.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"
#include "site/variable.h"

/* One import, so that it is no unknown computer; what is deployed waits until @n are there. */
static struct site *site_with_available(size_t n, char deployments[][SITE_ID_MAX])
{
    struct site *site = fixture_new();

    fixture_import(site, "PC-1", FIXTURE_MAC);
    for (size_t i = 0; i < n; i++) {
        fixture_wait(site, FIXTURE_MINUTE_US);
        fixture_deploy(site, "All Systems", "available", deployments[i]);
    }
    return site;
}

static int choose(struct site *site, const char *device, const char *deployment)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "deployment_id", deployment);
    OWN(json_freep) json_t *answer = NULL;

    return boot_gate_choose(site, device, body, &answer);
}

/* What the screen asks: "", "choice" or "variables". */
static void assert_asked(struct site *site, const char *device, const char *expected)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(boot_gate_ask(site, device, &answer), 0);
    assert_string_equal(field_text(answer, "state", ""), expected);
}

static void assert_has_order(struct site *site, const char *device, bool has_order)
{
    char order[UUID_TEXT_MAX];

    (void)fixture_order(site, device, order);
    assert_int_equal(order[0] != '\0', has_order);
}

/* @text: {"name", "value", "is_secret"} with single quotes */
static void set_variable(struct site *site, enum variable_owner owner, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;
    const char *which = owner == VARIABLE_OF_DEVICE ? "PC-1" : "All Systems";

    assert_int_equal(variable_set(site, owner, "test", which, body, &answer), 0);
}

/* One of the collection, one of the device that takes its value away, and one that has a value. */
static void set_variables(struct site *site)
{
    set_variable(site, VARIABLE_OF_COLLECTION, "{'name': 'Room', 'value': 'hall'}");
    set_variable(site, VARIABLE_OF_DEVICE, "{'name': 'ROOM', 'value': ''}");
    set_variable(
        site, VARIABLE_OF_COLLECTION, "{'name': 'JoinKey', 'value': '', 'is_secret': true}");
    set_variable(site, VARIABLE_OF_COLLECTION, "{'name': 'Floor', 'value': '3'}");
}

static int
type_variables(struct site *site, const char *device, const char *deployment, const char *variables)
{
    OWN(json_freep) json_t *typed = fixture_json(variables);
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:O}", "deployment_id", deployment, "variables", typed);
    OWN(json_freep) json_t *answer = NULL;

    return boot_gate_take_variables(site, device, body, &answer);
}

static void
assert_ordered(struct site *site, const char *device, const char *name, const char *value)
{
    static const struct order_client client;
    OWN(json_freep) json_t *order = NULL;

    assert_int_equal(order_get(site, device, &client, &order), 0);
    assert_non_null(order);
    assert_string_equal(field_text(json_object_get(order, "variables"), name, ""), value);
}

static void variables_without_a_value_are_asked_for_before_there_is_an_order(void **state)
{
    (void)state;
    char deployments[1][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);
    OWN(json_freep) json_t *asked = NULL;
    OWN(json_freep)
    json_t *wanted = fixture_json(
        "[{'name': 'JoinKey', 'is_secret': true}, {'name': 'ROOM', 'is_secret': false}]");

    set_variables(site);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(boot_gate_ask(site, device, &asked), 0);
    assert_string_equal(field_text(asked, "state", ""), "variables");
    assert_string_equal(field_text(asked, "deployment_id", ""), deployments[0]);
    assert_false(field_bool(asked, "has_list"));
    assert_true(json_equal(json_object_get(asked, "variables"), wanted));
    assert_has_order(site, device, false);
    assert_int_equal(
        type_variables(site, device, deployments[0], "{'room': '4711', 'JoinKey': ''}"), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
    assert_ordered(site, device, "Room", "4711");
    assert_ordered(site, device, "Floor", "3");
    assert_ordered(site, device, "JoinKey", "");
}

static void what_was_typed_goes_before_the_device_and_stays_for_the_order_only(void **state)
{
    (void)state;
    char deployments[1][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);
    OWN(json_freep) json_t *document = NULL;
    OWN(json_freep) json_t *secrets = fixture_json("['JoinKey']");
    static const struct order_client client;

    set_variables(site);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(
        type_variables(site, device, deployments[0], "{'ROOM': '4711', 'JoinKey': 'typed'}"), 0);
    assert_asked(site, device, "");
    set_variable(site, VARIABLE_OF_DEVICE, "{'name': 'Room', 'value': 'later'}");
    /* the power fails: the order is given again, and nobody has to type */
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "");
    assert_ordered(site, device, "JoinKey", "typed");
    assert_int_equal(order_get(site, device, &client, &document), 0);
    assert_true(json_equal(json_object_get(document, "secret_variables"), secrets));
    assert_string_equal(field_text(json_object_get(document, "variables"), "Room", ""), "4711");
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "variables"); /* JoinKey */
    assert_int_equal(type_variables(site, device, deployments[0], "{}"), 0);
    assert_asked(site, device, "");
    assert_ordered(site, device, "JoinKey", "");
    json_decref(document);
    document = NULL;
    assert_int_equal(order_get(site, device, &client, &document), 0);
    assert_string_equal(field_text(json_object_get(document, "variables"), "Room", ""), "later");
}

static void a_required_deployment_asks_for_no_variables(void **state)
{
    (void)state;
    char deployments[1][SITE_ID_MAX];
    char required[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);

    set_variables(site);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "variables");
    fixture_deploy(site, "All Systems", "required", required); /* comes meanwhile */
    assert_int_equal(type_variables(site, device, deployments[0], "{'ROOM': '1'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_ASKED);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
    assert_ordered(site, device, "Room", "");
}

static void what_was_not_asked_for_cannot_be_typed(void **state)
{
    (void)state;
    static const char *const bad[] = {"{'_SMSTSMachineName': 'x'}",
                                      "{'Floor': '4'}",
                                      "{'ROOM': '1', 'room': '2'}",
                                      "{'ROOM': 7}",
                                      "{'a b': '7'}"};
    char deployments[1][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);
    OWN(freep) char *much = malloc(5000);

    assert_non_null(much);
    (void)snprintf(much, 5000, "{'ROOM': '%04001d'}", 1);
    set_variables(site);
    assert_int_equal(type_variables(site, FIXTURE_UUID, deployments[0], "{}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_ASKED);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(type_variables(site, device, deployments[0], bad[i]), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_VARIABLE);
    }
    assert_int_equal(type_variables(site, device, deployments[0], much), SITE_E_REFUSED);
    assert_non_null(strstr(site->refusal.detail, "longer than 4000 characters"));
    assert_int_equal(type_variables(site, device, "SLP2ZZZZ", "{'ROOM': '1'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CHOICE);
    assert_asked(site, device, "variables");
}

static void from_the_variables_one_can_go_back_to_the_list(void **state)
{
    (void)state;
    char deployments[2][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(2, deployments);
    OWN(json_freep) json_t *asked = NULL;
    OWN(json_freep) json_t *answer = NULL;

    set_variables(site);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(boot_gate_unchoose(site, device, &answer), SITE_E_REFUSED);
    assert_int_equal(choose(site, device, deployments[0]), 0);
    assert_int_equal(boot_gate_ask(site, device, &asked), 0);
    assert_string_equal(field_text(asked, "state", ""), "variables");
    assert_string_equal(field_text(asked, "deployment_id", ""), deployments[0]);
    assert_true(field_bool(asked, "has_list"));
    assert_int_equal(boot_gate_unchoose(site, device, &answer), 0);
    assert_asked(site, device, "choice");
    assert_int_equal(choose(site, device, deployments[1]), 0);
    assert_int_equal(type_variables(site, device, deployments[0], "{}"), SITE_E_REFUSED);
    assert_int_equal(type_variables(site, device, deployments[1], "{}"), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
}

static void what_begins_by_time_asks_nobody(void **state)
{
    (void)state;
    char deployments[2][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(2, deployments);
    OWN(json_freep) json_t *body = NULL;
    OWN(json_freep) json_t *answer = NULL;

    set_variables(site);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    body = json_pack("{s:s,s:b}", "deployment_id", deployments[1], "is_by_time", 1);
    assert_int_equal(boot_gate_choose(site, device, body, &answer), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
    assert_ordered(site, device, "Room", "");
}

static void explained_is_which_variables_the_screen_waits_for(void **state)
{
    (void)state;
    char deployments[1][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);
    OWN(json_freep) json_t *before = NULL;
    OWN(json_freep) json_t *now = NULL;

    set_variables(site);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(boot_gate_explain(site, device, DP_OWN_ID, &before), 0);
    assert_string_equal(field_text(before, "waits_for", ""), "variables");
    assert_int_equal(json_array_size(json_object_get(before, "variables")), 2);
    assert_int_equal(type_variables(site, device, deployments[0], "{'ROOM': '1'}"), 0);
    assert_int_equal(boot_gate_explain(site, device, DP_OWN_ID, &now), 0);
    assert_string_equal(field_text(now, "waits_for", ""), "");
}

static int reopen(struct site *site, const char *device)
{
    OWN(json_freep) json_t *body = fixture_json("{'boot_image': 'SLP00001'}");
    OWN(json_freep) json_t *answer = NULL;

    return order_reopen(site, device, body, &answer);
}

static void end_order(struct site *site, const char *device)
{
    char order[UUID_TEXT_MAX];

    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "failed", "boot-image"), 0);
}

static void when_what_was_chosen_cannot_begin_one_chooses_again(void **state)
{
    (void)state;
    char deployments[2][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(2, deployments);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(choose(site, device, deployments[0]), 0);
    assert_asked(site, device, "");
    assert_int_equal(reopen(site, device), SITE_E_REFUSED); /* it runs */
    assert_int_equal(site->refusal.id, REFUSAL_NOT_ASKED);
    end_order(site, device);
    assert_int_equal(reopen(site, device), 0);
    assert_asked(site, device, "choice");
    assert_int_equal(choose(site, device, deployments[1]), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
}

static void nobody_goes_back_without_end(void **state)
{
    (void)state;
    char deployments[1][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    for (unsigned i = 1; i < ORDER_REOPENED_MAX; i++) {
        end_order(site, device);
        assert_int_equal(reopen(site, device), 0);
        assert_has_order(site, device, true);
    }
    end_order(site, device);
    assert_int_equal(reopen(site, device), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_ASKED);
    site->now_us += 61 * FIXTURE_MINUTE_US;
    assert_int_equal(reopen(site, device), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_without_a_value_are_asked_for_before_there_is_an_order),
        cmocka_unit_test(what_was_typed_goes_before_the_device_and_stays_for_the_order_only),
        cmocka_unit_test(a_required_deployment_asks_for_no_variables),
        cmocka_unit_test(what_was_not_asked_for_cannot_be_typed),
        cmocka_unit_test(from_the_variables_one_can_go_back_to_the_list),
        cmocka_unit_test(what_begins_by_time_asks_nobody),
        cmocka_unit_test(when_what_was_chosen_cannot_begin_one_chooses_again),
        cmocka_unit_test(nobody_goes_back_without_end),
        cmocka_unit_test(explained_is_which_variables_the_screen_waits_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
