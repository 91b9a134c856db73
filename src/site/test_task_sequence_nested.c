/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/own.h"
#include "site/access.h"
#include "site/deployment.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"
#include "site/task_sequence.h"

#define SEQUENCE(inside) "<sequence version=\"3.10\">" inside "</sequence>"
#define RUN(name) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"" name \
    "\"><action>smsswd.exe /run: true</action><defaultVarList><variable name=\"CommandLine\" " \
    "property=\"CommandLine\" hidden=\"true\">true</variable></defaultVarList></step>"
#define APPLY \
    "<step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"Apply\"><defaultVarList>" \
    "<variable name=\"ImagePackageID\" property=\"ImagePackageID\">" FIXTURE_OS_IMAGE \
    "</variable><variable name=\"ImageIndex\" property=\"ImageIndex\">1</variable>" \
    "</defaultVarList></step>"
#define NEST \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"Child\"><defaultVarList><variable " \
    "name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">%s" \
    "</variable></defaultVarList></subtasksequence>"

enum {
    XML_MAX = 64 * 1024,
};

/* @ret: room for SITE_ID_MAX */
static void create(struct site *site, const char *name, const char *xml, char *ret)
{
    OWN(json_freep)
    json_t *body =
        json_pack("{s:s,s:s,s:s}", "name", name, "xml", xml, "boot_image_id", FIXTURE_BOOT_IMAGE);
    OWN(json_freep) json_t *made = NULL;

    assert_int_equal(task_sequence_create(site, "alice", body, &made), 0);
    (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(made, "id", ""));
}

/* One that runs another, and nothing else. */
static void create_parent(struct site *site, const char *name, const char *child, char *ret)
{
    char xml[XML_MAX];

    (void)snprintf(xml, sizeof(xml), SEQUENCE(NEST), child);
    create(site, name, xml, ret);
}

static int deploy(struct site *site, const char *sequence, json_t **ret)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s,s:s}",
                             "task_sequence_id",
                             sequence,
                             "collection",
                             "All Unknown Computers",
                             "purpose",
                             "required");

    int r = deployment_create(site, "alice", body, ret);

    if (r)
        print_message("%s\n", site->refusal.detail);
    return r;
}

static json_t *order_of(struct site *site, const char *device)
{
    json_t *order = NULL;

    assert_int_equal(order_get(site, device, &(struct order_client){0}, &order), 0);
    assert_non_null(order);
    return order;
}

static void set_disabled(struct site *site, const char *id, bool is_disabled)
{
    OWN(json_freep) json_t *body = json_pack("{s:b}", "is_disabled", (int)is_disabled);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(task_sequence_set(site, "bob", id, body, &answer), 0);
    assert_int_equal(field_bool(answer, "is_disabled"), is_disabled);
}

struct family {
    struct site *site; /* owned */
    char leaf[SITE_ID_MAX];
    char middle[SITE_ID_MAX];
    char top[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
};

static void family_fini(struct family *family)
{
    fixture_free(family->site);
}

/* top runs middle, which runs leaf, which applies the image; deployed, and begun on a device. */
static struct family begin(void)
{
    struct family f = {.site = fixture_new()};
    json_t *deployment = NULL;

    create(f.site, "leaf", SEQUENCE(APPLY), f.leaf);
    create_parent(f.site, "middle", f.leaf, f.middle);
    create_parent(f.site, "top", f.middle, f.top);
    assert_int_equal(deploy(f.site, f.top, &deployment), 0);
    json_decref(deployment);
    assert_int_equal(fixture_register(f.site, FIXTURE_MAC, f.device), 0);
    return f;
}

static void an_order_has_all_nested_sequences_and_their_content(void **state)
{
    (void)state;
    OWN(family_fini) struct family f = begin();
    OWN(json_freep) json_t *order = order_of(f.site, f.device);
    const json_t *children = json_object_get(json_object_get(order, "task_sequence"), "children");

    assert_int_equal(json_array_size(children), 2);
    assert_string_equal(field_text(json_array_get(children, 0), "id", ""), f.middle);
    assert_string_equal(field_text(json_array_get(children, 1), "id", ""), f.leaf);
    assert_non_null(strstr(field_text(json_array_get(children, 1), "xml", ""), "Apply"));
    assert_false(field_bool(json_array_get(children, 0), "is_disabled"));
    assert_non_null(json_object_get(json_object_get(order, "content"), FIXTURE_OS_IMAGE));
}

static void an_order_given_again_has_the_same_documents(void **state)
{
    (void)state;
    OWN(family_fini) struct family f = begin();
    OWN(json_freep) json_t *before = order_of(f.site, f.device);
    OWN(json_freep)
    json_t *edit = fixture_json("{'operation': 'add', 'type': 'Restart Computer', 'name': 'r',"
                                " 'where': 'first-in', 'target': ''}");
    OWN(json_freep) json_t *after = NULL;
    json_t *answer = NULL;

    assert_int_equal(task_sequence_edit(f.site, "bob", f.leaf, edit, &answer), 0);
    json_decref(answer);
    assert_int_equal(task_sequence_edit(f.site, "bob", f.top, edit, &answer), 0);
    json_decref(answer);
    set_disabled(f.site, f.middle, true);
    after = order_of(f.site, f.device);
    assert_true(json_equal(json_object_get(before, "task_sequence"),
                           json_object_get(after, "task_sequence")));
}

static void success_is_believed_from_the_os_only_if_a_nested_sequence_applies_one(void **state)
{
    (void)state;
    OWN(family_fini) struct family f = begin();
    char order[UUID_TEXT_MAX];

    assert_int_equal(fixture_order(f.site, f.device, order), 1);
    assert_int_equal(fixture_report(f.site, f.device, order, 1, "succeeded", "boot-image"),
                     SITE_E_REFUSED);
    assert_int_equal(f.site->refusal.id, REFUSAL_SUCCESS_NOT_IN_OS);
}

/* And valid all the same. */
static bool is_deployable(struct site *site, const char *id)
{
    OWN(json_freep) json_t *found = NULL;
    OWN(json_freep) json_t *validation = NULL;

    assert_int_equal(task_sequence_get(site, id, &found), 0);
    assert_int_equal(task_sequence_validation(site, id, &validation), 0);
    assert_true(field_bool(validation, "is_valid"));
    return field_bool(found, "is_deployable");
}

static void a_disabled_sequence_is_begun_by_no_deployment(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    json_t *deployment = NULL;
    struct boot_decision decision;

    create(site, "one", SEQUENCE(RUN("a")), id);
    assert_int_equal(deploy(site, id, &deployment), 0);
    json_decref(deployment);
    assert_true(is_deployable(site, id));
    set_disabled(site, id, true);
    assert_false(is_deployable(site, id));
    assert_int_equal(deploy(site, id, &deployment), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DISABLED);
    decision = fixture_ask(site, FIXTURE_MAC, 7);
    assert_false(decision.is_offer);
    assert_non_null(strstr(decision.text, "SLW-0189"));
    set_disabled(site, id, false);
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    set_disabled(site, id, true); /* what has begun goes on */
    assert_int_equal(fixture_order(site, device, order), 1);
}

static void a_disabled_nested_sequence_is_an_error_and_nothing_begins(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *validation = NULL;
    OWN(json_freep) json_t *progress = NULL;
    char child[SITE_ID_MAX];
    char top[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    json_t *deployment = NULL;
    const json_t *finding;

    create(site, "child", SEQUENCE(RUN("a")), child);
    create_parent(site, "top", child, top);
    set_disabled(site, child, true);
    assert_int_equal(task_sequence_validation(site, top, &validation), 0);
    assert_false(field_bool(validation, "is_valid"));
    finding = json_array_get(json_object_get(validation, "diagnostics"), 0);
    assert_string_equal(field_text(finding, "error_id", ""), "SLW-0189");
    assert_string_equal(field_text(finding, "step", ""), "Child");
    assert_int_equal(deploy(site, top, &deployment), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_DEPLOYABLE);
    set_disabled(site, child, false);
    assert_int_equal(deploy(site, top, &deployment), 0);
    set_disabled(site, child, true); /* after it was deployed, before a device begins it */
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_string_equal(order, "");
    progress = fixture_progress(site, field_text(deployment, "id", ""));
    assert_string_equal(field_text(progress, "state", ""), "failed");
    assert_string_equal(field_text(progress, "error_id", ""), "SLW-0189");
    assert_non_null(strstr(field_text(progress, "cause", ""), child));
    json_decref(deployment);
}

static void an_export_as_zip_is_imported_as_the_same_family(void **state)
{
    (void)state;
    OWN(family_fini) struct family f = begin();
    OWN(buf_fini) struct buf zip = BUF_INIT(TASK_SEQUENCE_EXPORT_MAX_BYTES);
    OWN(buf_fini) struct buf base64 = BUF_INIT(TASK_SEQUENCE_EXPORT_MAX_BYTES);
    OWN(buf_fini) struct buf leaf = BUF_INIT(XML_MAX);
    OWN(buf_fini) struct buf copy = BUF_INIT(XML_MAX);
    OWN(json_freep) json_t *body = NULL;
    OWN(json_freep) json_t *made = NULL;
    const json_t *ids;

    set_disabled(f.site, f.middle, true);
    assert_int_equal(task_sequence_export(f.site, f.top, 0, TASK_SEQUENCE_ZIP, &zip), 0);
    base64_put(&base64, buf_bytes(&zip));
    body = json_pack("{s:s}", "file", buf_str(&base64));
    assert_int_equal(task_sequence_create(f.site, "alice", body, &made), 0);
    ids = json_object_get(made, "imported");
    assert_int_equal(json_array_size(ids), 3);
    assert_string_equal(field_text(made, "name", ""), "top");
    assert_string_equal(field_text(made, "boot_image_id", ""), FIXTURE_BOOT_IMAGE);
    for (size_t i = 0; i < 3; i++) {
        OWN(json_freep) json_t *one = NULL;
        const char *id = json_string_value(json_array_get(ids, i));

        assert_int_equal(task_sequence_get(f.site, id, &one), 0);
        assert_int_equal(field_bool(one, "is_disabled"),
                         strcmp(field_text(one, "name", ""), "middle") == 0);
        if (strcmp(field_text(one, "name", ""), "leaf") == 0)
            assert_int_equal(task_sequence_export(f.site, id, 0, TASK_SEQUENCE_XML, &copy), 0);
    }
    assert_int_equal(task_sequence_export(f.site, f.leaf, 0, TASK_SEQUENCE_XML, &leaf), 0);
    assert_string_equal(buf_str(&leaf), buf_str(&copy));
}

static void a_name_is_for_the_one_that_no_other_one_of_the_file_runs(void **state)
{
    (void)state;
    OWN(family_fini) struct family f = begin();
    OWN(buf_fini) struct buf zip = BUF_INIT(TASK_SEQUENCE_EXPORT_MAX_BYTES);
    OWN(buf_fini) struct buf base64 = BUF_INIT(TASK_SEQUENCE_EXPORT_MAX_BYTES);
    OWN(json_freep) json_t *body = NULL;
    OWN(json_freep) json_t *made = NULL;
    const json_t *ids;
    size_t n_named = 0;

    assert_int_equal(task_sequence_export(f.site, f.top, 0, TASK_SEQUENCE_ZIP, &zip), 0);
    base64_put(&base64, buf_bytes(&zip));
    body = json_pack("{s:s,s:s}", "file", buf_str(&base64), "name", "Again");
    assert_int_equal(task_sequence_create(f.site, "alice", body, &made), 0);
    assert_string_equal(field_text(made, "name", ""), "Again");
    ids = json_object_get(made, "imported");
    for (size_t i = 0; i < json_array_size(ids); i++) {
        OWN(json_freep) json_t *one = NULL;

        assert_int_equal(task_sequence_get(f.site, json_string_value(json_array_get(ids, i)), &one),
                         0);
        n_named += strcmp(field_text(one, "name", ""), "Again") == 0;
    }
    assert_int_equal(json_array_size(ids), 3);
    assert_int_equal(n_named, 1);
}

/* Each runs the next twice: 2^16 ways through them, of which nobody waits for the end. */
static void a_lattice_of_sequences_is_refused_without_going_all_ways(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *validation = NULL;
    char id[SITE_ID_MAX];
    char xml[XML_MAX];

    create(site, "leaf", SEQUENCE(RUN("a")), id);
    for (unsigned i = 0; i < 15; i++) {
        (void)snprintf(xml, sizeof(xml), SEQUENCE(NEST NEST), id, id);
        create(site, "node", xml, id);
    }
    assert_int_equal(task_sequence_validation(site, id, &validation), 0);
    assert_false(field_bool(validation, "is_valid"));
    assert_string_equal(
        field_text(json_array_get(json_object_get(validation, "diagnostics"), 0), "error_id", ""),
        "SLW-0171");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_has_all_nested_sequences_and_their_content),
        cmocka_unit_test(an_order_given_again_has_the_same_documents),
        cmocka_unit_test(success_is_believed_from_the_os_only_if_a_nested_sequence_applies_one),
        cmocka_unit_test(a_disabled_sequence_is_begun_by_no_deployment),
        cmocka_unit_test(a_disabled_nested_sequence_is_an_error_and_nothing_begins),
        cmocka_unit_test(an_export_as_zip_is_imported_as_the_same_family),
        cmocka_unit_test(a_name_is_for_the_one_that_no_other_one_of_the_file_runs),
        cmocka_unit_test(a_lattice_of_sequences_is_refused_without_going_all_ways),
    };

    return cmocka_run_group_tests_name("site/task_sequence_nested", tests, NULL, NULL);
}
