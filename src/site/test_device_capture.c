/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_capture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/content.h"
#include "site/deployment.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/task_sequence.h"

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

#define STEP(attributes) \
    "<step type='SMS_TaskSequence_CaptureSystemImageAction' name='c' runIn='WinPE' " attributes \
    "><action/><defaultVarList><variable name='OSDCaptureDestination' property='CaptureDestination'>" \
    "Of %_SMSTSMachineName%</variable></defaultVarList></step>"

#define APPLY \
    "<step type='SMS_TaskSequence_ApplyOperatingSystemAction' name='a'><defaultVarList>" \
    "<variable name='ImagePackageID' property='ImagePackageID'>" FIXTURE_OS_IMAGE "</variable>" \
    "<variable name='OSDImageIndex' property='ImageIndex'>1</variable></defaultVarList></step>"
#define NEST \
    "<subtasksequence type='SMS_TaskSequence_SubTasksequence' name='n'><defaultVarList><variable " \
    "name='OSDSubTasksequencePackageID' property='TsPackageID'>%s</variable></defaultVarList>" \
    "</subtasksequence>"

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

/* The steps are deployed to a device, which begins. */
static void deploy(struct life *life, const char *steps, const char *mac)
{
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep)
    json_t *body = json_pack("{s:o, s:s, s:o}",
                             "name",
                             json_sprintf("Capture %s", mac),
                             "boot_image_id",
                             FIXTURE_BOOT_IMAGE,
                             "xml",
                             json_sprintf("<sequence version='3.10'>%s</sequence>", steps));
    OWN(json_freep) json_t *deployed = NULL;
    OWN(json_freep) json_t *wanted = NULL;

    assert_int_equal(task_sequence_create(life->site, "test", body, &answer), 0);
    wanted = json_pack("{s:s, s:s, s:s}",
                       "task_sequence_id",
                       field_text(answer, "id", ""),
                       "collection",
                       "All Unknown Computers",
                       "purpose",
                       "required");
    assert_int_equal(deployment_create(life->site, "test", wanted, &deployed), 0);
    (void)snprintf(
        life->deployment, sizeof(life->deployment), "%s", field_text(deployed, "id", ""));
    assert_int_equal(fixture_register(life->site, mac, life->device), 0);
    assert_int_equal(fixture_order(life->site, life->device, life->order), 1);
}

/* A device with an order of this step. */
static struct life begin(const char *step)
{
    struct life life = {.site = fixture_new()};

    deploy(&life, step, FIXTURE_MAC);
    return life;
}

/* Return: outcome of device_capture_begin(); @ret may be NULL */
static int ask(struct life *life, const char *name, json_t **ret)
{
    OWN(json_freep)
    json_t *body =
        json_pack("{s:s, s:s, s:s}", "order_id", life->order, "name", name, "version", "1");
    OWN(json_freep) json_t *answer = NULL;
    int r = device_capture_begin(life->site, life->device, body, &answer);

    if (r == 0 && ret)
        *ret = json_incref(answer);
    return r;
}

static int allow(struct life *life, const char *method, const char *path)
{
    return device_capture_authorize(life->site, life->device, method, path);
}

static void assert_state(struct life *life, const char *id, const char *state)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(device_capture_get(life->site, life->device, id, &answer), 0);
    assert_string_equal(field_text(answer, "state", ""), state);
}

static void assert_no_right(const char *steps)
{
    OWN(life_fini) struct life life = begin(steps);

    assert_int_equal(ask(&life, "Of me", NULL), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_CAPTURE);
}

static void only_an_order_that_captures_gives_the_right(void **state)
{
    (void)state;
    assert_no_right(STEP("disable='true'"));
    assert_no_right("<step type='SMS_TaskSequence_RebootAction' name='r'/>");

    OWN(life_fini) struct life life = begin(STEP(""));

    assert_int_equal(ask(&life, "Of me", NULL), 0);
    (void)snprintf(life.order, sizeof(life.order), "00000000-0000-4000-8000-000000000000");
    assert_int_equal(ask(&life, "Of me", NULL), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_ORDER_MISSING);
}

/* As Run Task Sequence has it; the parent applies an image, and the child captures. */
static void a_nested_task_sequence_may_capture_and_ends_in_the_boot_image(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(APPLY);
    OWN(json_freep)
    json_t *child = json_pack("{s:s, s:s, s:s}",
                              "name",
                              "Child",
                              "boot_image_id",
                              FIXTURE_BOOT_IMAGE,
                              "xml",
                              "<sequence version='3.10'>" STEP("") "</sequence>");
    OWN(json_freep) json_t *made = NULL;
    char parent[1024];

    assert_int_equal(ask(&life, "Of me", NULL), SITE_E_REFUSED);
    assert_int_equal(task_sequence_create(life.site, "test", child, &made), 0);
    (void)snprintf(parent, sizeof(parent), APPLY NEST, field_text(made, "id", ""));

    OWN(life_fini) struct life nested = {.site = TAKE(life.site)};

    deploy(&nested, parent, "52:54:00:77:00:03");
    assert_int_equal(ask(&nested, "Of me", NULL), 0);
    assert_int_equal(ask(&nested, "Something else", NULL), SITE_E_REFUSED);
    assert_int_equal(
        fixture_report(nested.site, nested.device, nested.order, 1, "succeeded", "boot-image"), 0);
}

static void the_name_is_what_the_step_says(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(STEP(""));

    assert_int_equal(ask(&life, "Something else", NULL), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_CAPTURE);
    assert_int_equal(ask(&life, "Of SLP", NULL), 0);
}

static void a_name_that_is_taken_is_refused_before_anything_is_sent(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(STEP(""));
    OWN(json_freep)
    json_t *body =
        fixture_json("{'name': 'Of me', 'version': '1', 'source_path': '/images/of-me.wim'}");
    OWN(json_freep) json_t *package = NULL;

    assert_int_equal(content_create(life.site, CONTENT_OS_IMAGE, "test", body, &package), 0);
    assert_int_equal(ask(&life, "Of me", NULL), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_DUPLICATE);
    assert_int_equal(ask(&life, "Of you", NULL), 0);
}

static void a_device_sends_what_is_of_its_capture_and_nothing_else(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(STEP(""));
    OWN(json_freep) json_t *answer = NULL;
    char own[128];

    assert_int_equal(allow(&life, "POST", "/api/v1/captures/chunks"), SITE_E_REFUSED);
    assert_int_equal(ask(&life, "Of me", &answer), 0);
    (void)snprintf(own, sizeof(own), "/api/v1/uploads/%s", field_text(answer, "capture_id", ""));
    assert_int_equal(allow(&life, "POST", "/api/v1/captures/chunks"), 0);
    assert_int_equal(allow(&life, "PUT", "/api/v1/captures/packs/" SHA), 0);
    assert_int_equal(allow(&life, "PUT", own), 0);
    assert_int_equal(allow(&life, "PATCH", own), 0);
    assert_int_equal(allow(&life, "HEAD", own), 0);
    assert_int_equal(allow(&life, "DELETE", own), 0);

    assert_int_equal(allow(&life, "POST", own), SITE_E_REFUSED);
    assert_int_equal(allow(&life, "POST", "/api/v1/uploads"), SITE_E_REFUSED);
    assert_int_equal(allow(&life, "PATCH", "/api/v1/uploads/" FIXTURE_UUID), SITE_E_REFUSED);
    assert_int_equal(allow(&life, "PUT", "/api/v1/captures/packs/../../uploads/x"), SITE_E_REFUSED);
    assert_int_equal(allow(&life, "PUT", "/api/v1/captures/packs/" SHA "?x"), SITE_E_REFUSED);
    assert_int_equal(allow(&life, "GET", "/api/v1/exports/" FIXTURE_UUID), SITE_E_REFUSED);
    assert_int_equal(allow(&life, "", ""), SITE_E_REFUSED);
}

static void the_right_ends_with_the_order(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(STEP(""));
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *after = NULL;

    assert_int_equal(ask(&life, "Of me", &answer), 0);
    assert_int_equal(fixture_report(life.site, life.device, life.order, 1, "failed", "boot-image"),
                     0);
    assert_int_equal(allow(&life, "POST", "/api/v1/captures/chunks"), SITE_E_REFUSED);
    assert_int_equal(device_capture_publish(
                         life.site, life.device, field_text(answer, "capture_id", ""), &after),
                     SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_CAPTURE_MISSING);
    assert_int_equal(ask(&life, "Of me", NULL), SITE_E_REFUSED);
}

static void another_device_cannot_publish_it(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(STEP(""));
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *after = NULL;
    char other[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(ask(&life, "Of me", &answer), 0);
    assert_int_equal(fixture_register(life.site, "52:54:00:77:00:02", other), 0);
    assert_int_equal(
        device_capture_publish(life.site, other, field_text(answer, "capture_id", ""), &after),
        SITE_E_REFUSED);
}

static void it_becomes_one_image_however_often_it_is_asked(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(STEP(""));
    OWN(json_freep) json_t *first = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *published = NULL;
    OWN(json_freep) json_t *twice = NULL;
    const char *id;

    assert_int_equal(ask(&life, "Of me", &first), 0);
    assert_int_equal(ask(&life, "Of me", &again), 0);
    id = field_text(first, "capture_id", "");
    assert_string_equal(id, field_text(again, "capture_id", ""));
    assert_string_equal(field_text(again, "state", ""), "open");
    assert_int_equal(device_capture_publish(life.site, life.device, id, &published), 0);
    assert_string_equal(field_text(published, "state", ""), "importing");
    assert_int_equal(device_capture_publish(life.site, life.device, id, &twice), 0);
    assert_string_equal(field_text(twice, "package_id", ""),
                        field_text(published, "package_id", "?"));
    assert_int_equal(allow(&life, "POST", "/api/v1/captures/chunks"), SITE_E_REFUSED);
    fixture_finish_job(
        life.site,
        "{'state': 'succeeded', 'result': {'indexes': [{'index': 1, 'size_bytes': 10, "
        "'manifest': '" SHA "'}]}}");
    assert_state(&life, id, "ready");
}

static void what_has_failed_can_be_begun_again(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(STEP(""));
    OWN(json_freep) json_t *first = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *published = NULL;
    char job[UUID_TEXT_MAX];
    const char *id;

    assert_int_equal(ask(&life, "Of me", &first), 0);
    id = field_text(first, "capture_id", "");
    assert_int_equal(device_capture_publish(life.site, life.device, id, &published), 0);
    fixture_claim(life.site, job);
    fixture_tell(life.site,
                 job,
                 "{'state': 'failed', 'error_id': 'SLW-0363', 'error': 'A chunk is missing.'}");
    assert_state(&life, id, "failed");
    assert_int_equal(ask(&life, "Of me", &again), 0);
    assert_string_equal(field_text(again, "state", ""), "open");
    assert_int_equal(allow(&life, "POST", "/api/v1/captures/chunks"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_an_order_that_captures_gives_the_right),
        cmocka_unit_test(a_nested_task_sequence_may_capture_and_ends_in_the_boot_image),
        cmocka_unit_test(the_name_is_what_the_step_says),
        cmocka_unit_test(a_name_that_is_taken_is_refused_before_anything_is_sent),
        cmocka_unit_test(a_device_sends_what_is_of_its_capture_and_nothing_else),
        cmocka_unit_test(the_right_ends_with_the_order),
        cmocka_unit_test(another_device_cannot_publish_it),
        cmocka_unit_test(it_becomes_one_image_however_often_it_is_asked),
        cmocka_unit_test(what_has_failed_can_be_begun_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
