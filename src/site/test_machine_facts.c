/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/machine_facts.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "site/access.h"
#include "site/fixture.h"
#include "site/refusal.h"
#include "site/registration.h"
#include "site/variable.h"
#include "ts/facts.h"
#include "ts/facts_json.h"
#include "ts/vars.h"

enum {
    TEXT_MAX_BYTES = 256 * 1024,
};

#define LAPTOP \
    "{'version': 1, 'environment': 'boot-image', 'classes': {'Win32_SystemEnclosure': [{'ChassisTypes': [10]}]," \
    " 'Win32_Battery': []}, 'variables': {'_SMSTSMake': 'LENOVO'}}"

/* @facts: with single quotes; NULL: an agent that has none. @ret: the site's answer; owned by the caller */
static int take(struct site *site, const char *facts, json_t **ret)
{
    char ticket[TOKEN_TEXT_MAX];
    OWN(json_freep) json_t *body = NULL;

    assert_int_equal(access_new_boot_ticket(site, FIXTURE_MAC, ticket), 0);
    body =
        fixture_json("{'environment': 'boot-image', 'macs': [], 'boot_mac': '" FIXTURE_MAC "',"
                     " 'smbios': {'manufacturer': 'LENOVO'}, 'memory_bytes': 1024, 'tpm': '2.0'}");
    assert_int_equal(json_object_set_new(body, "ticket", json_string(ticket)), 0);
    if (facts)
        assert_int_equal(json_object_set_new(body, "facts", fixture_json(facts)), 0);
    return fixture_enlist(site, body, NULL, ret);
}

static int enlist(struct site *site, const char *facts, char *ret_id)
{
    OWN(json_freep) json_t *answer = NULL;
    int r = take(site, facts, &answer);

    if (r == 0)
        (void)snprintf(ret_id,
                       ACCESS_DEVICE_ID_MAX,
                       "%s",
                       json_string_value(json_object_get(answer, "device_id")));
    return r;
}

static json_t *get(struct site *site, const char *device)
{
    json_t *facts = NULL;

    assert_int_equal(machine_facts_get(site, device, &facts), 0);
    return facts;
}

static const char *source(const json_t *facts)
{
    return json_string_value(json_object_get(facts, "source"));
}

static void what_a_device_registered_is_given_again_with_its_name(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *wanted = fixture_json(LAPTOP);
    OWN(json_freep) json_t *facts = NULL;
    char id[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(enlist(site, LAPTOP, id), 0);
    facts = get(site, id);
    assert_string_equal(source(facts), "registration");
    assert_non_null(json_string_value(json_object_get(facts, "registered_at")));
    assert_true(json_equal(json_object_get(facts, "classes"), json_object_get(wanted, "classes")));
    assert_non_null(json_object_get(json_object_get(facts, "variables"), "_SMSTSMachineName"));
}

static void what_is_given_can_be_read_as_a_file_of_facts(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *facts = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(256);
    struct ts_facts_file file = {0};
    char id[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(enlist(site, LAPTOP, id), 0);
    facts = get(site, id);
    assert_int_equal(ts_facts_read(facts, &file, &why), 0);
    assert_int_equal(ts_facts_json(&file, &again), 0);
    assert_true(json_equal(json_object_get(facts, "classes"), json_object_get(again, "classes")));
    assert_true(
        json_equal(json_object_get(facts, "variables"), json_object_get(again, "variables")));
    ts_table_free(file.table);
    ts_vars_free(file.vars);
}

static void the_last_registration_counts_and_an_older_agent_leaves_the_inventory(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *facts = NULL;
    char id[ACCESS_DEVICE_ID_MAX];
    const json_t *classes;

    assert_int_equal(enlist(site, LAPTOP, id), 0);
    assert_int_equal(enlist(site, NULL, id), 0);
    facts = get(site, id);
    classes = json_object_get(facts, "classes");
    assert_string_equal(source(facts), "inventory");
    assert_true(json_is_null(json_object_get(facts, "registered_at")));
    assert_null(json_object_get(classes, "Win32_Battery"));
    assert_string_equal(
        json_string_value(json_object_get(
            json_array_get(json_object_get(classes, "Win32_ComputerSystem"), 0), "Manufacturer")),
        "LENOVO");
    assert_int_equal(
        json_array_size(json_object_get(classes, "root\\cimv2\\Security\\MicrosoftTpm:Win32_Tpm")),
        1);
}

static void a_device_that_was_never_seen_has_no_class(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *facts = NULL;

    fixture_import(site, "PC-9", "52:54:00:77:00:09");
    facts = get(site, "PC-9");
    assert_string_equal(source(facts), "inventory");
    assert_int_equal(json_object_size(json_object_get(facts, "classes")), 0);
}

static void files_and_software_of_the_boot_image_are_not_kept(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *facts = NULL;
    char id[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(
        enlist(site, "{'version': 1, 'files': [{'path': '/x'}], 'software': [], 'more': 1}", id),
        0);
    facts = get(site, id);
    assert_null(json_object_get(facts, "files"));
    assert_null(json_object_get(facts, "software"));
    assert_null(json_object_get(facts, "more"));
}

static void facts_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[]",
        "{}",
        "{'version': 1, 'classes': []}",
        "{'version': 1, 'classes': {'X': [{'A': {}}]}}",
        "{'version': 1, 'variables': {'Mine': 'x'}}",
        "{'version': 1, 'variables': {'_SMSTSMachineName': 'other'}}",
        "{'version': 1, 'environment': 'moon'}",
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[ACCESS_DEVICE_ID_MAX];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (enlist(site, texts[i], id) != SITE_E_REFUSED)
            fail_msg("%s", texts[i]);
        assert_int_equal(site->refusal.id, REFUSAL_CLIENT_INVALID);
    }
}

static void too_many_or_too_large_facts_are_refused(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(buf_fini) struct buf many = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf large = BUF_INIT(TEXT_MAX_BYTES);
    char id[ACCESS_DEVICE_ID_MAX];

    buf_adds(&many, "{'version': 1, 'classes': {'C0': []");
    for (unsigned i = 1; i <= MACHINE_FACTS_CLASSES_MAX; i++)
        buf_addf(&many, ", 'C%u': []", i);
    buf_adds(&many, "}}");
    assert_int_equal(enlist(site, buf_str(&many), id), SITE_E_REFUSED);
    buf_adds(&large, "{'version': 1, 'classes': {'C': [");
    for (unsigned i = 0; i < 9000; i++)
        buf_addf(&large, "%s{'A': 'abcdefghi'}", i > 0 ? "," : "");
    buf_adds(&large, "]}}");
    assert_int_equal(enlist(site, buf_str(&large), id), SITE_E_REFUSED);
    assert_int_equal(enlist(site, LAPTOP, id), 0);
}

static void the_answer_says_how_to_ask_for_an_order_if_variables_do(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *interval = fixture_json("{'name': 'SMSTSAssignmentsDownloadInterval', 'value': '60'}");
    OWN(json_freep)
    json_t *retry = fixture_json("{'name': 'SMSTSAssignmentsDownloadRetry', 'value': 'often'}");
    OWN(json_freep) json_t *first = NULL;
    OWN(json_freep) json_t *second = NULL;
    OWN(json_freep) json_t *set = NULL;
    OWN(json_freep) json_t *set_too = NULL;
    const json_t *told;

    assert_int_equal(take(site, NULL, &first), 0);
    assert_int_equal(json_object_size(json_object_get(first, "assignments")), 0);

    const char *id = json_string_value(json_object_get(first, "device_id"));

    assert_int_equal(variable_set(site, VARIABLE_OF_DEVICE, "test", id, interval, &set), 0);
    assert_int_equal(variable_set(site, VARIABLE_OF_DEVICE, "test", id, retry, &set_too), 0);
    assert_int_equal(take(site, NULL, &second), 0);
    told = json_object_get(second, "assignments");
    assert_int_equal(json_integer_value(json_object_get(told, "interval_s")), 60);
    assert_null(json_object_get(told, "retry"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_device_registered_is_given_again_with_its_name),
        cmocka_unit_test(what_is_given_can_be_read_as_a_file_of_facts),
        cmocka_unit_test(the_last_registration_counts_and_an_older_agent_leaves_the_inventory),
        cmocka_unit_test(a_device_that_was_never_seen_has_no_class),
        cmocka_unit_test(files_and_software_of_the_boot_image_are_not_kept),
        cmocka_unit_test(facts_that_cannot_be_are_refused),
        cmocka_unit_test(too_many_or_too_large_facts_are_refused),
        cmocka_unit_test(the_answer_says_how_to_ask_for_an_order_if_variables_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
