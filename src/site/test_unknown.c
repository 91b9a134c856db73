/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/unknown_request.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/collection.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"
#include "site/unknown_name.h"

#define HOUR_US   (60 * FIXTURE_MINUTE_US)
#define OTHER_MAC "52:54:00:77:00:02"

static void set_rule(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *rule = NULL;

    assert_int_equal(unknown_rule_change(site, "test", id, body, &rule), 0);
    assert_string_equal(field_text(rule, "id", ""), id);
}

/* What the device is answered when it asks for an order; owned by the caller, NULL: nothing to wait for. */
static json_t *ask(struct site *site, const char *device)
{
    json_t *answer = NULL;

    assert_int_equal(unknown_ask(site, device, &answer), 0);
    return answer;
}

static void assert_state(struct site *site, const char *device, const char *expected)
{
    OWN(json_freep) json_t *answer = ask(site, device);

    assert_string_equal(field_text(answer, "state", "none"), expected);
}

static void assert_has_order(struct site *site, const char *device, bool has_order)
{
    char order[UUID_TEXT_MAX];

    (void)fixture_order(site, device, order);
    assert_int_equal(order[0] != '\0', has_order);
}

static void assert_called(struct site *site, const char *device, const char *name)
{
    OWN(json_freep) json_t *row = NULL;

    assert_int_equal(device_get(site, device, &row), 0);
    assert_string_equal(field_text(row, "name", ""), name);
}

/* The code of the device's request. */
static void find_code(struct site *site, const char *device, char ret[static UNKNOWN_CODE_MAX])
{
    OWN(json_freep) json_t *answer = ask(site, device);

    (void)snprintf(ret, UNKNOWN_CODE_MAX, "%s", field_text(answer, "code", ""));
    assert_int_equal(strlen(ret), UNKNOWN_CODE_MAX - 1);
}

static int approve(struct site *site, const char *device, const char *code, const char *name)
{
    OWN(json_freep) json_t *body = json_pack("{s:s,s:s*}", "code", code, "name", name);
    OWN(json_freep) json_t *request = NULL;

    return unknown_approve(site, "test", device, body, &request);
}

static int deny(struct site *site, const char *device, const char *code)
{
    OWN(json_freep) json_t *body = json_pack("{s:s,s:s}", "code", code, "reason", "not ours");
    OWN(json_freep) json_t *request = NULL;

    return unknown_deny(site, "test", device, body, &request);
}

static int type_name(struct site *site, const char *device, const char *name)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *answer = NULL;

    return unknown_name_from_screen(site, device, body, &answer);
}

/* A deployment to unknown computers; @device registers. */
static struct site *site_with(const char *rule, char deployment[static SITE_ID_MAX])
{
    struct site *site = fixture_new();

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    if (rule)
        set_rule(site, UNKNOWN_RULE_OF_SITE, rule);
    return site;
}

static void without_rules_an_unknown_computer_begins_at_once(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with(NULL, deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_state(site, device, "none");
    assert_has_order(site, device, true);
    assert_called(site, device, "SLW-770001");
}

static void the_database_overrules_the_configuration_and_a_distribution_point_the_site(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_allowed': false}", deployment);

    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "unknown-computers-off");
    set_rule(site, DP_OWN_ID, "{'is_allowed': true}");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "unknown-computer-deployment");
    set_rule(site, DP_OWN_ID, "{'is_allowed': null}");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "unknown-computers-off");
    assert_int_equal(unknown_rule_remove(site, "test", UNKNOWN_RULE_OF_SITE), 0);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "unknown-computer-deployment");
    assert_int_equal(unknown_rule_remove(site, "test", UNKNOWN_RULE_OF_SITE), SITE_E_REFUSED);
}

static void arm64_firmware_is_decided_and_explained(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with(NULL, deployment);
    struct boot_decision decision = fixture_ask(site, FIXTURE_MAC, 11);

    assert_false(decision.is_offer);
    assert_string_equal(decision.reason, "no-boot-image");
    assert_non_null(strstr(decision.text, "arm64"));
    assert_non_null(strstr(decision.text, deployment));
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 10).reason, "arch-not-supported");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 18).reason, "arch-not-supported");
}

static void the_rule_names_a_computer_once(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep)
    struct site *site = site_with("{'name_pattern': 'PC-%counter:3%'}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, first), 0);
    assert_int_equal(fixture_register(site, OTHER_MAC, second), 0);
    assert_called(site, first, "PC-001");
    assert_called(site, second, "PC-002");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, first), 0);
    assert_called(site, first, "PC-001");
}

static void a_name_that_is_taken_is_passed_over(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep)
    struct site *site = site_with("{'name_pattern': 'pc-%counter:3%'}", deployment);

    fixture_import(site, "PC-001", OTHER_MAC);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_called(site, device, "pc-002");
}

static void firmware_that_says_nothing_leaves_the_usual_name(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'name_pattern': 'PC-%asset%'}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_called(site, device, "SLW-770001");
    assert_has_order(site, device, true);
}

static void what_needs_approval_waits_without_an_order(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char code[UNKNOWN_CODE_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_approval_needed': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_has_order(site, device, false);
    assert_state(site, device, "waiting");
    find_code(site, device, code);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "unknown-computer-deployment");
    assert_int_equal(approve(site, device, "AAA-AAA", "PC-7"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_UNKNOWN_CODE);
    assert_has_order(site, device, false);
    assert_int_equal(approve(site, device, code, "PC-7"), 0);
    assert_called(site, device, "PC-7");
    assert_has_order(site, device, false);
    assert_state(site, device, "none");
    assert_has_order(site, device, true);
}

static void nobody_below_opens_the_gate(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_approval_needed': true}", deployment);

    set_rule(site, deployment, "{'is_approval_needed': false}");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_state(site, device, "waiting");
}

static void a_deployment_may_have_a_gate_of_its_own(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with(NULL, deployment);

    set_rule(site, deployment, "{'is_approval_needed': true}");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_state(site, device, "waiting");
    set_rule(site, deployment, "{'is_approval_needed': null}");
    assert_state(site, device, "none");
    assert_has_order(site, device, true);
}

static void a_denied_computer_stays_denied_until_it_is_forgotten(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char code[UNKNOWN_CODE_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_approval_needed': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    find_code(site, device, code);
    assert_int_equal(deny(site, device, code), 0);
    assert_state(site, device, "denied");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "unknown-denied");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_state(site, device, "denied");
    assert_has_order(site, device, false);
    assert_int_equal(unknown_forget(site, "test", device), 0);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_state(site, device, "waiting");
}

static void a_request_ends_by_itself_and_the_next_boot_asks_anew(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char code[UNKNOWN_CODE_MAX];
    char later[UNKNOWN_CODE_MAX];
    OWN(fixture_freep)
    struct site *site = site_with("{'is_approval_needed': true, 'approval_hours': 2}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    find_code(site, device, code);
    fixture_wait(site, HOUR_US);
    assert_state(site, device, "waiting");
    fixture_wait(site, HOUR_US);
    assert_state(site, device, "expired");
    assert_int_equal(approve(site, device, code, NULL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_REQUEST_OVER);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_state(site, device, "waiting");
    find_code(site, device, later);
    assert_string_not_equal(code, later);
}

static void an_approval_that_is_not_used_ends_too(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char code[UNKNOWN_CODE_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_approval_needed': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    find_code(site, device, code);
    assert_int_equal(approve(site, device, code, NULL), 0);
    fixture_wait(site, 25 * HOUR_US);
    assert_state(site, device, "expired");
    assert_has_order(site, device, false);
}

static void the_screen_is_asked_for_a_name_that_can_be(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_name_asked': true}", deployment);

    fixture_import(site, "TAKEN", OTHER_MAC);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_state(site, device, "waiting");
    assert_int_equal(type_name(site, device, "taken"), SITE_E_REFUSED);
    assert_int_equal(type_name(site, device, "SIXTEEN-LETTERS1"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_COMPUTER_NAME);
    assert_int_equal(type_name(site, device, "FREE"), 0);
    assert_called(site, device, "FREE");
    assert_state(site, device, "none");
    assert_has_order(site, device, true);
}

static void a_screen_does_not_try_names_without_end(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_name_asked': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    for (int i = 0; i < UNKNOWN_NAMES_MAX; i++)
        assert_int_equal(type_name(site, device, "-"), SITE_E_REFUSED);
    assert_int_equal(type_name(site, device, "FREE"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NO_NAME_WANTED);
}

static void name_and_approval_are_both_waited_for(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char code[UNKNOWN_CODE_MAX];
    OWN(fixture_freep)
    struct site *site =
        site_with("{'is_name_asked': true, 'is_approval_needed': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    find_code(site, device, code);
    assert_int_equal(approve(site, device, code, NULL), 0);
    assert_state(site, device, "approved");
    assert_has_order(site, device, false);
    assert_int_equal(type_name(site, device, "PC-9"), 0);
    assert_state(site, device, "none");
    assert_has_order(site, device, true);
}

static void a_computer_that_is_imported_meanwhile_waits_no_more(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_approval_needed': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_state(site, device, "none");
    assert_has_order(site, device, true);
}

static void a_blocked_computer_is_not_let_through(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char code[UNKNOWN_CODE_MAX];
    OWN(json_freep) json_t *block = fixture_json("{'is_blocked': true}");
    OWN(json_freep) json_t *row = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(fixture_freep) struct site *site = site_with("{'is_approval_needed': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    find_code(site, device, code);
    assert_int_equal(approve(site, device, code, NULL), 0);
    assert_int_equal(device_change(site, "test", device, block, &row), 0);
    assert_int_equal(unknown_ask(site, device, &answer), SITE_E_REFUSED);
    assert_has_order(site, device, false);
}

static void what_was_approved_is_the_deployment_of_then(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char code[UNKNOWN_CODE_MAX];
    OWN(fixture_freep) struct site *site = site_with("{'is_approval_needed': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    find_code(site, device, code);
    assert_int_equal(approve(site, device, code, NULL), 0);
    site->now_us += FIXTURE_MINUTE_US;
    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_state(site, device, "waiting");
    assert_has_order(site, device, false);
}

static void what_waits_is_listed_with_its_code(void **state)
{
    (void)state;
    const struct page page = {.after = "", .limit = 10};
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char code[UNKNOWN_CODE_MAX];
    OWN(json_freep) json_t *list = NULL;
    OWN(fixture_freep)
    struct site *site =
        site_with("{'is_approval_needed': true, 'name_pattern': 'PC-%counter:3%'}", deployment);
    const json_t *item;

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    find_code(site, device, code);
    assert_int_equal(unknown_list(site, &page, &list), 0);
    item = json_array_get(json_object_get(list, "items"), 0);
    assert_string_equal(field_text(item, "id", ""), device);
    assert_string_equal(field_text(item, "code", ""), code);
    assert_string_equal(field_text(item, "suggested_name", ""), "PC-001");
    assert_string_equal(field_text(item, "distribution_point_id", ""), DP_OWN_ID);
    assert_true(json_is_true(json_object_get(item, "is_approval_needed")));
}

static void what_is_imported_waits_no_more(void **state)
{
    (void)state;
    const struct page page = {.after = "", .limit = 10};
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(json_freep) json_t *list = NULL;
    OWN(fixture_freep) struct site *site = site_with("{'is_approval_needed': true}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_state(site, device, "waiting");
    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(unknown_list(site, &page, &list), 0);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 0);
}

static void rules_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        const char *body;
    } bad[] = {
        {"site", "{}"},
        {"site", "{'name_pattern': 'PC %serial%'}"},
        {"site", "{'name_pattern': 'PC-%colour%'}"},
        {"site", "{'name_max': 64}"},
        {"site", "{'name_max': 0}"},
        {"site", "{'approval_hours': 721}"},
        {"site", "{'is_allowed': 'yes'}"},
        {"site", "{'colour': 1}"},
        {"SLP2FFFF", "{'is_name_asked': true}"},
        {"nowhere", "{'is_name_asked': true}"},
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    OWN(json_freep) json_t *allow = fixture_json("{'is_allowed': true}");
    json_t *rule = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep) json_t *body = fixture_json(bad[i].body);

        assert_int_equal(unknown_rule_change(site, "test", bad[i].id, body, &rule), SITE_E_REFUSED);
    }
    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(unknown_rule_change(site, "test", deployment, allow, &rule), SITE_E_REFUSED);
}

static void a_preview_changes_nothing(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *body = fixture_json("{'pattern': 'PC-%serial:4%-%counter:3%', 'serial': 'AB 123456'}");
    OWN(json_freep) json_t *bad = fixture_json("{'pattern': 'PC-%serial%'}");
    OWN(json_freep) json_t *none = NULL;

    for (int i = 0; i < 2; i++) {
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(unknown_name_preview(site, "test", body, &answer), 0);
        assert_string_equal(field_text(answer, "name", ""), "PC-3456-001");
        assert_true(json_is_null(json_object_get(answer, "problem")));
    }
    assert_int_equal(unknown_name_preview(site, "test", bad, &none), 0);
    assert_string_equal(field_text(none, "name", "?"), "");
    assert_true(field_text(none, "problem", "")[0] != '\0');
}

static void the_name_is_the_computer_name_of_the_order(void **state)
{
    (void)state;
    const struct order_client client = {0};
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(json_freep) json_t *order = NULL;
    OWN(fixture_freep)
    struct site *site = site_with("{'name_pattern': 'PC-%counter:3%'}", deployment);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(order_get(site, device, &client, &order), 0);
    assert_string_equal(field_text(order, "device_name", ""), "PC-001");
    assert_string_equal(field_text(json_object_get(order, "variables"), "OSDComputerName", ""),
                        "PC-001");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_rules_an_unknown_computer_begins_at_once),
        cmocka_unit_test(
            the_database_overrules_the_configuration_and_a_distribution_point_the_site),
        cmocka_unit_test(arm64_firmware_is_decided_and_explained),
        cmocka_unit_test(the_rule_names_a_computer_once),
        cmocka_unit_test(a_name_that_is_taken_is_passed_over),
        cmocka_unit_test(firmware_that_says_nothing_leaves_the_usual_name),
        cmocka_unit_test(what_needs_approval_waits_without_an_order),
        cmocka_unit_test(nobody_below_opens_the_gate),
        cmocka_unit_test(a_deployment_may_have_a_gate_of_its_own),
        cmocka_unit_test(a_denied_computer_stays_denied_until_it_is_forgotten),
        cmocka_unit_test(a_request_ends_by_itself_and_the_next_boot_asks_anew),
        cmocka_unit_test(an_approval_that_is_not_used_ends_too),
        cmocka_unit_test(the_screen_is_asked_for_a_name_that_can_be),
        cmocka_unit_test(a_screen_does_not_try_names_without_end),
        cmocka_unit_test(name_and_approval_are_both_waited_for),
        cmocka_unit_test(a_computer_that_is_imported_meanwhile_waits_no_more),
        cmocka_unit_test(a_blocked_computer_is_not_let_through),
        cmocka_unit_test(what_was_approved_is_the_deployment_of_then),
        cmocka_unit_test(what_waits_is_listed_with_its_code),
        cmocka_unit_test(what_is_imported_waits_no_more),
        cmocka_unit_test(rules_that_make_no_sense_are_refused),
        cmocka_unit_test(a_preview_changes_nothing),
        cmocka_unit_test(the_name_is_the_computer_name_of_the_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
