/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/prestart.h"

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
#include "site/content.h"
#include "site/deployment_change.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"
#include "site/variable.h"

#define COMMAND "sh /run/choose \"$_SMSTSModel\""

static void set_command(struct site *site, const char *command)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "prestart_command", command);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(content_set(site, "test", FIXTURE_BOOT_IMAGE, body, &answer), 0);
    assert_string_equal(field_text(answer, "prestart_command", "?"), command);
}

static struct site *site_with_command(void)
{
    struct site *site = fixture_new();

    fixture_import(site, "PC-1", FIXTURE_MAC);
    set_command(site, COMMAND);
    return site;
}

static void start(struct site *site, char *device)
{
    assert_int_equal(fixture_register_from(site, FIXTURE_MAC, FIXTURE_BOOT_IMAGE, device), 0);
}

/* Return: "" or the state that the screen is told. */
static void assert_asked(struct site *site, const char *device, const char *expected)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(boot_gate_ask(site, device, &answer), 0);
    assert_string_equal(field_text(answer, "state", ""), expected);
}

/* @text: JSON with single quotes */
static int tell(struct site *site, const char *device, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return prestart_take(site, device, body, &answer);
}

static int name_deployment(struct site *site, const char *device, const char *deployment)
{
    char text[128];

    (void)snprintf(text,
                   sizeof(text),
                   "{'exit_code': 0, 'variables': {'smstsPreferredAdvertID': '%s'}}",
                   deployment);
    return tell(site, device, text);
}

static const char *order_of(struct site *site, const char *device, char order[static UUID_TEXT_MAX])
{
    (void)fixture_order(site, device, order);
    return order;
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

static void assert_order_is_of(struct site *site, const char *device, const char *deployment)
{
    static const struct order_client client;
    OWN(json_freep) json_t *order = NULL;

    assert_int_equal(order_get(site, device, &client, &order), 0);
    assert_string_equal(field_text(order, "deployment_id", ""), deployment);
}

static void set_audience(struct site *site, const char *deployment, const char *audience)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "make_available_to", audience);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(deployment_change(site, "test", deployment, body, &answer), 0);
}

static void a_command_runs_before_a_required_deployment_begins(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();
    OWN(json_freep) json_t *asked = NULL;

    fixture_deploy(site, "All Systems", "required", deployment);
    start(site, device);
    assert_int_equal(boot_gate_ask(site, device, &asked), 0);
    assert_string_equal(field_text(asked, "state", ""), "prestart");
    assert_string_equal(field_text(asked, "command", ""), COMMAND);
    assert_string_equal(order_of(site, device, order), "");
    assert_int_equal(
        tell(site, device, "{'exit_code': 0, 'variables': {'Room': '12', 'JoinPassword': 'x'}}"),
        0);
    assert_asked(site, device, "");
    assert_ordered(site, device, "Room", "12");
    assert_ordered(site, device, "JoinPassword", "x");
    assert_int_equal(tell(site, device, "{'exit_code': 0}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_ASKED);
}

static void what_it_has_set_comes_before_the_device_and_goes_with_the_order(void **state)
{
    (void)state;
    static const struct order_client client;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();
    OWN(json_freep) json_t *mine = fixture_json("{'name': 'Room', 'value': 'hall'}");
    OWN(json_freep) json_t *secrets = fixture_json("['JoinPassword']");
    OWN(json_freep) json_t *document = NULL;
    OWN(json_freep) json_t *answer = NULL;

    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(variable_set(site, VARIABLE_OF_DEVICE, "test", "PC-1", mine, &answer), 0);
    start(site, device);
    assert_int_equal(
        tell(site, device, "{'exit_code': 0, 'variables': {'ROOM': '12', 'JoinPassword': 'x'}}"),
        0);
    assert_asked(site, device, "");
    /* the power fails: it goes on without a command */
    start(site, device);
    assert_asked(site, device, "");
    assert_ordered(site, device, "Room", "12");
    assert_int_equal(order_get(site, device, &client, &document), 0);
    assert_true(json_equal(json_object_get(document, "secret_variables"), secrets));
    assert_int_equal(
        fixture_report(site, device, order_of(site, device, order), 1, "failed", "boot-image"), 0);
    set_command(site, "");
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_deploy(site, "All Systems", "available", deployment);
    start(site, device);
    assert_asked(site, device, "");
    assert_ordered(site, device, "Room", "hall");
}

static void a_command_that_fails_lets_nothing_begin(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();
    OWN(json_freep) json_t *explained = NULL;
    OWN(freep) char *text = NULL;

    fixture_deploy(site, "All Systems", "required", deployment);
    start(site, device);
    assert_int_equal(tell(site, device, "{'exit_code': 7, 'variables': {'Room': '12'}}"), 0);
    assert_asked(site, device, "prestart");
    assert_string_equal(order_of(site, device, order), "");
    assert_int_equal(boot_explain(site, "PC-1", true, &explained), 0);
    text = json_dumps(explained, 0);
    assert_non_null(strstr(text, "The prestart command of its boot image ended with exit code 7."));
    assert_non_null(strstr(text, "\"waits_for\": \"prestart-command\""));
}

static void a_command_that_was_taken_away_is_not_waited_for(void **state)
{
    (void)state;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();

    fixture_deploy(site, "All Systems", "required", deployment);
    start(site, device);
    assert_asked(site, device, "prestart");
    set_command(site, "");
    assert_asked(site, device, "");
    assert_string_not_equal(order_of(site, device, order), "");
}

static void it_names_a_hidden_deployment_which_goes_before_a_required_one(void **state)
{
    (void)state;
    char hidden[SITE_ID_MAX];
    char required[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();

    fixture_deploy(site, "All Systems", "available", hidden);
    set_audience(site, hidden, "media-and-pxe-hidden");
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_deploy(site, "All Systems", "required", required);
    start(site, device);
    assert_int_equal(name_deployment(site, device, hidden), 0);
    assert_asked(site, device, "");
    assert_order_is_of(site, device, hidden);
}

static void a_deployment_that_cannot_begin_is_not_replaced_by_another(void **state)
{
    (void)state;
    char disabled[SITE_ID_MAX];
    char required[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();
    OWN(json_freep) json_t *body = fixture_json("{'is_disabled': true}");
    OWN(json_freep) json_t *answer = NULL;

    fixture_deploy(site, "All Systems", "available", disabled);
    assert_int_equal(deployment_change(site, "test", disabled, body, &answer), 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_deploy(site, "All Systems", "required", required);
    start(site, device);
    assert_int_equal(name_deployment(site, device, "SLP2FFFF"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PREFERRED);
    assert_non_null(strstr(site->refusal.detail, "does not exist, or does not reach"));
    assert_int_equal(name_deployment(site, device, disabled), SITE_E_REFUSED);
    assert_non_null(strstr(site->refusal.detail, "disabled"));
    assert_asked(site, device, "prestart");
    assert_string_equal(order_of(site, device, order), "");
    assert_int_equal(name_deployment(site, device, required), 0);
    assert_asked(site, device, "");
    assert_order_is_of(site, device, required);
}

static void a_boot_image_with_a_command_is_offered_for_hidden_deployments_alone(void **state)
{
    (void)state;
    char ended[SITE_ID_MAX];
    char hidden[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();

    fixture_deploy(site, "All Systems", "required", ended);
    start(site, device);
    assert_int_equal(tell(site, device, "{'exit_code': 0}"), 0);
    assert_asked(site, device, "");
    assert_int_equal(
        fixture_report(site, device, order_of(site, device, order), 1, "failed", "boot-image"), 0);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "failed-already");
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_deploy(site, "All Systems", "available", hidden);
    set_audience(site, hidden, "media-and-pxe-hidden");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "prestart-command");
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
    set_command(site, "");
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "failed-already");
}

static void what_was_named_at_one_start_says_nothing_about_the_next(void **state)
{
    (void)state;
    char hidden[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();

    fixture_deploy(site, "All Systems", "available", hidden);
    set_audience(site, hidden, "media-and-pxe-hidden");
    start(site, device);
    assert_int_equal(name_deployment(site, device, hidden), 0);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "prestart-command");
    start(site, device);
    assert_int_equal(tell(site, device, "{'exit_code': 0}"), 0);
    assert_asked(site, device, "");
    assert_string_equal(order_of(site, device, order), "");
}

static void it_sets_no_variables_of_the_engine_and_none_twice(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{'exit_code': 0, 'variables': {'_SMSTSBootUEFI': 'true'}}",
        "{'exit_code': 0, 'variables': {'Room': '1', 'ROOM': '2'}}",
        "{'exit_code': 0, 'variables': {'Room': 1}}",
        "{'exit_code': 0, 'variables': {'no name': '1'}}",
        "{'variables': {}}",
        "{'exit_code': -1}",
    };
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_command();

    fixture_deploy(site, "All Systems", "required", deployment);
    start(site, device);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(tell(site, device, bad[i]), SITE_E_REFUSED);
    assert_asked(site, device, "prestart");
}

static void only_boot_images_have_one(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'prestart_command': 'true'}");
    OWN(json_freep) json_t *lines = fixture_json("{'prestart_command': 'true\\nfalse'}");
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(content_set(site, "test", FIXTURE_OS_IMAGE, body, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    assert_int_equal(content_set(site, "test", FIXTURE_BOOT_IMAGE, lines, &answer), SITE_E_REFUSED);
    assert_null(answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_runs_before_a_required_deployment_begins),
        cmocka_unit_test(what_it_has_set_comes_before_the_device_and_goes_with_the_order),
        cmocka_unit_test(a_command_that_fails_lets_nothing_begin),
        cmocka_unit_test(a_command_that_was_taken_away_is_not_waited_for),
        cmocka_unit_test(it_names_a_hidden_deployment_which_goes_before_a_required_one),
        cmocka_unit_test(a_deployment_that_cannot_begin_is_not_replaced_by_another),
        cmocka_unit_test(a_boot_image_with_a_command_is_offered_for_hidden_deployments_alone),
        cmocka_unit_test(what_was_named_at_one_start_says_nothing_about_the_next),
        cmocka_unit_test(it_sets_no_variables_of_the_engine_and_none_twice),
        cmocka_unit_test(only_boot_images_have_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
