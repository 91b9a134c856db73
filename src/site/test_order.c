/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "site/deployment.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/task_sequence.h"

enum {
    TEXT_MAX_BYTES = 1024,
};

struct life {
    struct site *site; /* owned */
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
};

static void life_fini(struct life *life)
{
    fixture_free(life->site);
}

/* An unknown computer that has registered and got its order. */
static struct life begin(void)
{
    struct life life = {.site = fixture_new()};

    fixture_deploy(life.site, "All Unknown Computers", "required", life.deployment);
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, life.order), 1);
    return life;
}

static int report(struct life *life, unsigned seq, const char *state, const char *environment)
{
    return fixture_report(life->site, life->device, life->order, seq, state, environment);
}

static void assert_state(struct life *life, const char *state, const char *error_id)
{
    OWN(json_freep) json_t *device = fixture_progress(life->site, life->deployment);

    assert_string_equal(field_text(device, "state", ""), state);
    assert_string_equal(field_text(device, "error_id", ""), error_id);
    if (strcmp(state, "failed") == 0)
        assert_true(field_text(device, "cause", "")[0] != '\0');
}

static void an_order_succeeds_when_the_installed_os_says_so(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(report(&life, 1, "started", "boot-image"), 0);
    assert_state(&life, "in-progress", "");
    assert_int_equal(report(&life, 2, "restarting", "boot-image"), 0);
    assert_state(&life, "restarting", "");
    assert_int_equal(report(&life, 3, "step-started", "full-os"), 0);
    assert_state(&life, "in-progress", "");
    assert_int_equal(report(&life, 4, "succeeded", "full-os"), 0);
    assert_state(&life, "succeeded", "");
}

static void success_is_not_believed_from_the_boot_image(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(report(&life, 1, "succeeded", "boot-image"), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_SUCCESS_NOT_IN_OS);
    assert_state(&life, "in-progress", "");
}

static void a_repeated_message_changes_nothing(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(report(&life, 1, "restarting", "boot-image"), 0);
    assert_int_equal(report(&life, 2, "succeeded", "full-os"), 0);
    assert_int_equal(report(&life, 2, "succeeded", "full-os"), 0);
    assert_int_equal(report(&life, 1, "failed", "boot-image"), 0);
    assert_state(&life, "succeeded", "");
}

static void a_message_after_the_end_stops_the_device(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(report(&life, 1, "failed", "boot-image"), 0);
    assert_int_equal(report(&life, 2, "step-started", "boot-image"), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_ORDER_OVER);
}

static void the_order_of_another_device_is_not_found(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    char other[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(fixture_register(life.site, "52:54:00:77:00:02", other), 0);
    assert_int_equal(fixture_report(life.site, other, life.order, 1, "failed", "boot-image"),
                     SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_ORDER_MISSING);
}

static void a_power_cut_gives_the_same_order_again(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    char again[UUID_TEXT_MAX];

    assert_int_equal(report(&life, 1, "step-progress", "boot-image"), 0);
    assert_true(fixture_ask(life.site, FIXTURE_MAC, 7).is_offer);
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, again), 2);
    assert_string_equal(again, life.order);
    assert_int_equal(report(&life, 2, "restarting", "boot-image"), 0);
    assert_int_equal(report(&life, 3, "succeeded", "full-os"), 0);
    assert_state(&life, "succeeded", "");
}

static void a_restart_on_purpose_is_no_attempt(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    char again[UUID_TEXT_MAX];

    for (unsigned i = 1; i <= 2 * ORDER_ATTEMPTS_MAX; i++) {
        OWN(json_freep)
        json_t *body = json_pack("{s:i,s:s,s:s,s:s}",
                                 "seq",
                                 (int)i,
                                 "state",
                                 "restarting",
                                 "environment",
                                 i % 2 ? "boot-image" : "full-os",
                                 "restart_to",
                                 "boot-image");
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(order_report(life.site, life.device, life.order, body, &answer), 0);
        assert_true(fixture_ask(life.site, FIXTURE_MAC, 7).is_offer);
        assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
        assert_int_equal(fixture_order(life.site, life.device, again), 1);
        assert_string_equal(again, life.order);
    }
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, again), 2);
}

static void assert_phases(struct life *life, const char *wanted)
{
    OWN(json_freep) json_t *device = fixture_progress(life->site, life->deployment);
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    const json_t *phases = json_object_get(device, "phases");

    for (size_t i = 0; i < json_array_size(phases); i++)
        buf_addf(&text,
                 "%s %llu; ",
                 field_text(json_array_get(phases, i), "state", ""),
                 (unsigned long long)field_number(json_array_get(phases, i), "duration_ms", 0));
    assert_string_equal(buf_str(&text), wanted);
}

static void a_step_that_restarts_the_computer_is_one_phase(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(report(&life, 1, "step-started", "boot-image"), 0);
    fixture_wait(life.site, FIXTURE_MINUTE_US);
    assert_phases(&life, "running 60000; ");
    assert_int_equal(report(&life, 2, "restarting", "boot-image"), 0);
    assert_phases(&life, "restarting 60000; ");
    fixture_wait(life.site, FIXTURE_MINUTE_US);
    assert_int_equal(report(&life, 3, "step-started", "full-os"), 0);
    assert_phases(&life, "running 120000; ");
    assert_int_equal(report(&life, 4, "step-succeeded", "full-os"), 0);
    assert_phases(&life, "succeeded 120000; ");
    assert_int_equal(report(&life, 5, "restarting", "full-os"), 0);
    assert_phases(&life, "succeeded 120000; ");
}

static void a_step_without_an_end_was_interrupted(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(report(&life, 1, "step-started", "boot-image"), 0);
    fixture_wait(life.site, FIXTURE_MINUTE_US);
    assert_int_equal(report(&life, 2, "step-started", "boot-image"), 0);
    assert_phases(&life, "interrupted 60000; running 0; ");
    fixture_wait(life.site, 31 * FIXTURE_MINUTE_US);
    assert_state(&life, "failed", SITE_ERROR_SILENT);
    assert_phases(&life, "interrupted 60000; interrupted 1860000; ");
}

static void a_message_about_the_whole_leaves_the_last_step(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep)
    json_t *body =
        fixture_json("{'seq': 9, 'state': 'failed', 'environment': 'boot-image', 'step': 3,"
                     "'n_steps': 3, 'step_name': '', 'error_id': 'SLW-0301', 'message': 'x'}");

    assert_int_equal(report(&life, 1, "step-failed", "boot-image"), 0);
    assert_int_equal(order_report(life.site, life.device, life.order, body, &answer), 0);
    device = fixture_progress(life.site, life.deployment);
    assert_int_equal(field_number(device, "step", 9), 1);
    assert_string_equal(field_text(device, "step_name", ""), "Apply");
}

static void progress_says_group_place_and_what_it_waits_for(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep)
    json_t *body = fixture_json(
        "{'seq': 9, 'state': 'step-progress', 'environment': 'boot-image', 'step': 3, 'n_steps': 8,"
        "'step_name': 'Drivers', 'group': 'Install/Drivers', 'percent': null, 'message': 'waits'}");

    assert_int_equal(order_report(life.site, life.device, life.order, body, &answer), 0);
    device = fixture_progress(life.site, life.deployment);
    assert_string_equal(field_text(device, "step_group", ""), "Install/Drivers");
    assert_string_equal(field_text(device, "position", ""), "4 of 8");
    assert_string_equal(field_text(device, "activity", ""), "waits");
    assert_int_equal(field_number(device, "percent", 9), 0);
}

static void the_sixth_start_fails_the_order(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    char none[UUID_TEXT_MAX];

    for (unsigned attempt = 2; attempt <= ORDER_ATTEMPTS_MAX; attempt++) {
        assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
        assert_int_equal(fixture_order(life.site, life.device, none), attempt);
    }
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, none), 0);
    assert_string_equal(none, "");
    assert_state(&life, "failed", SITE_ERROR_ATTEMPTS);
}

static void a_silent_device_fails_after_thirty_minutes(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(report(&life, 1, "step-progress", "boot-image"), 0);
    fixture_wait(life.site, 29 * FIXTURE_MINUTE_US);
    assert_state(&life, "in-progress", "");
    assert_int_equal(report(&life, 2, "step-progress", "boot-image"), 0);
    fixture_wait(life.site, 29 * FIXTURE_MINUTE_US);
    assert_state(&life, "in-progress", "");
    fixture_wait(life.site, 2 * FIXTURE_MINUTE_US);
    assert_state(&life, "failed", SITE_ERROR_SILENT);
}

static void an_os_that_never_calls_home_is_a_failure_with_evidence(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep)
    json_t *ask =
        fixture_json("{'mac': '" FIXTURE_MAC "', 'arch': 7, 'client': 'pxe', 'server_address':"
                     "'10.77.0.1', 'stage': 'discover'}");
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *device = NULL;

    assert_int_equal(report(&life, 1, "restarting", "boot-image"), 0);
    fixture_wait(life.site, FIXTURE_MINUTE_US);
    assert_int_equal(boot_decision_answer(life.site, DP_OWN_ID, ask, &answer), 0);
    assert_string_equal(field_text(answer, "reason", ""), "waits-for-installed-os");
    fixture_wait(life.site, 30 * FIXTURE_MINUTE_US);
    assert_state(&life, "failed", SITE_ERROR_NEVER_CAME_UP);
    device = fixture_progress(life.site, life.deployment);
    assert_non_null(strstr(field_text(device, "cause", ""), "from the network 1 times"));
}

static void an_order_that_takes_too_long_fails(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    unsigned seq = 1;

    for (unsigned minutes = 0; minutes < 12 * 60; minutes += 20) {
        assert_int_equal(report(&life, seq++, "step-progress", "boot-image"), 0);
        fixture_wait(life.site, 20 * FIXTURE_MINUTE_US);
    }
    assert_state(&life, "failed", SITE_ERROR_DEADLINE);
}

static void a_cancelled_deployment_tells_the_device_and_begins_nowhere(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *deployment = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep)
    json_t *body =
        fixture_json("{'seq': 1, 'state': 'step-progress', 'environment': 'boot-image'}");

    assert_int_equal(deployment_cancel(life.site, "test", life.deployment, &deployment), 0);
    assert_int_equal(order_report(life.site, life.device, life.order, body, &answer), 0);
    assert_true(field_bool(answer, "is_cancelled"));
    assert_true(field_bool(deployment, "is_cancelled"));
    assert_false(fixture_ask(life.site, "52:54:00:77:00:02", 7).is_offer);
}

static void a_deployment_made_after_success_begins_a_new_order(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    char second[SITE_ID_MAX];
    char order[UUID_TEXT_MAX];

    assert_int_equal(report(&life, 1, "succeeded", "full-os"), 0);
    assert_false(fixture_ask(life.site, FIXTURE_MAC, 7).is_offer);
    fixture_deploy(life.site, "All Systems", "required", second);
    assert_true(fixture_ask(life.site, FIXTURE_MAC, 7).is_offer);
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, order), 1);
    assert_string_not_equal(order, life.order);
}

static void the_order_names_its_content_and_the_address_asked_first(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *order = NULL;
    const json_t *sources;
    const json_t *content;
    const json_t *indexes;

    assert_int_equal(
        order_get(life.site, life.device, &(struct order_client){.host = "192.0.2.7"}, &order), 0);
    sources = json_object_get(order, "sources");
    assert_string_equal(json_string_value(json_array_get(sources, 0)), "http://192.0.2.7");
    assert_string_equal(json_string_value(json_array_get(sources, 1)), "http://10.77.0.1");
    content = json_object_get(order, "content");
    indexes = json_object_get(json_object_get(content, FIXTURE_OS_IMAGE), "indexes");
    assert_true(json_is_true(json_object_get(json_array_get(indexes, 0), "has_unix_data")));
    assert_true(json_is_null(json_object_get(json_array_get(indexes, 0), "is_windows")));
    assert_non_null(json_object_get(json_object_get(content, FIXTURE_BOOT_IMAGE), "files"));
}

static void the_order_has_the_progress_text_of_an_imported_task_sequence(void **state)
{
    (void)state;
    static const char object[] =
        "<INSTANCE CLASSNAME=\"SMS_TaskSequencePackage\"><PROPERTY NAME=\"Name\"><VALUE>x</VALUE></PROPERTY>"
        "<PROPERTY NAME=\"CustomProgressMsg\"><VALUE>Do not switch off</VALUE></PROPERTY>"
        "<PROPERTY NAME=\"Sequence\"><VALUE><![CDATA[<sequence version=\"3.10\"/>]]></VALUE></PROPERTY></INSTANCE>";
    OWN(life_fini) struct life life = {.site = fixture_new()};
    OWN(json_freep) json_t *body = json_pack("{s:s,s:s}", "xml", object, "into", FIXTURE_SEQUENCE);
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *order = NULL;

    assert_int_equal(task_sequence_create(life.site, "ada", body, &made), 0);
    fixture_deploy(life.site, "All Unknown Computers", "required", life.deployment);
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(
        order_get(life.site, life.device, &(struct order_client){.host = "192.0.2.7"}, &order), 0);
    assert_string_equal(json_string_value(json_object_get(json_object_get(order, "variables"),
                                                          "_SMSTSCustomProgressDialogMessage")),
                        "Do not switch off");
}

static void a_device_goes_on_with_the_boot_image_that_its_processor_can_run(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *order = NULL;
    const json_t *content;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char x86[SITE_ID_MAX];

    fixture_add_x86_image(site, x86);
    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register_from(site, FIXTURE_MAC, x86, device), 0);
    assert_int_equal(order_get(site, device, &(struct order_client){.host = "10.77.0.1"}, &order),
                     0);
    content = json_object_get(order, "content");
    assert_non_null(json_object_get(json_object_get(content, x86), "files"));
    assert_null(json_object_get(content, FIXTURE_BOOT_IMAGE));
    assert_non_null(json_object_get(content, FIXTURE_OS_IMAGE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_goes_on_with_the_boot_image_that_its_processor_can_run),
        cmocka_unit_test(an_order_succeeds_when_the_installed_os_says_so),
        cmocka_unit_test(success_is_not_believed_from_the_boot_image),
        cmocka_unit_test(a_repeated_message_changes_nothing),
        cmocka_unit_test(a_message_after_the_end_stops_the_device),
        cmocka_unit_test(the_order_of_another_device_is_not_found),
        cmocka_unit_test(a_power_cut_gives_the_same_order_again),
        cmocka_unit_test(a_restart_on_purpose_is_no_attempt),
        cmocka_unit_test(a_step_that_restarts_the_computer_is_one_phase),
        cmocka_unit_test(a_step_without_an_end_was_interrupted),
        cmocka_unit_test(a_message_about_the_whole_leaves_the_last_step),
        cmocka_unit_test(progress_says_group_place_and_what_it_waits_for),
        cmocka_unit_test(the_sixth_start_fails_the_order),
        cmocka_unit_test(a_silent_device_fails_after_thirty_minutes),
        cmocka_unit_test(an_os_that_never_calls_home_is_a_failure_with_evidence),
        cmocka_unit_test(an_order_that_takes_too_long_fails),
        cmocka_unit_test(a_cancelled_deployment_tells_the_device_and_begins_nowhere),
        cmocka_unit_test(a_deployment_made_after_success_begins_a_new_order),
        cmocka_unit_test(the_order_has_the_progress_text_of_an_imported_task_sequence),
        cmocka_unit_test(the_order_names_its_content_and_the_address_asked_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
