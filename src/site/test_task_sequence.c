/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/task_sequence.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/own.h"
#include "site/fields.h"
#include "site/fixture.h"

#define SEQUENCE(inside) "<sequence version=\"3.10\">" inside "</sequence>"
#define RUN(name, command) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"" name \
    "\"><action>smsswd.exe /run: " command \
    "</action><defaultVarList><variable name=\"CommandLine\" property=\"CommandLine\" hidden=\"true\">" command \
    "</variable></defaultVarList></step>"
#define NEST(id) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"Child\"><defaultVarList><variable " \
    "name=\"OSDSubTasksequencePackageID\" property=\"TsPackageID\">" id \
    "</variable></defaultVarList></subtasksequence>"
#define OBJECT(id, name, sequence) \
    "<SmsTaskSequencePackage><PackageID>" id "</PackageID><Name>" name \
    "</Name><SequenceData>" sequence "</SequenceData></SmsTaskSequencePackage>"

/* Return: outcome of task_sequence_create(); @ret: owned by the caller. */
static int create(struct site *site, const char *xml, const char *more, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(more);

    (void)json_object_set_new(body, "xml", json_string(xml));
    return task_sequence_create(site, "alice", body, ret);
}

static int edit(struct site *site, const char *id, const char *text, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(text);

    return task_sequence_edit(site, "bob", id, body, ret);
}

static json_t *versions_of(struct site *site, const char *id)
{
    json_t *versions = NULL;

    assert_int_equal(task_sequence_versions(site, id, &versions), 0);
    return versions;
}

static void every_change_is_a_version_with_author_time_and_what_was_done(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *changed = NULL;
    OWN(json_freep) json_t *versions = NULL;
    const json_t *newest;
    const char *id;

    assert_int_equal(create(site, SEQUENCE(RUN("a", "x")), "{'name': 'T'}", &made), 0);
    id = field_text(made, "id", "");
    assert_int_equal(field_number(made, "version", 0), 1);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(
        edit(site, id, "{'operation': 'set', 'path': 'a', 'settings': {'name': 'b'}}", &changed),
        0);
    assert_int_equal(field_number(changed, "version", 0), 2);
    assert_string_equal(field_text(changed, "author", ""), "bob");
    versions = versions_of(site, id);
    assert_int_equal(json_array_size(json_object_get(versions, "items")), 2);
    newest = json_array_get(json_object_get(versions, "items"), 0);
    assert_string_equal(field_text(newest, "author", ""), "bob");
    assert_string_equal(field_text(newest, "note", ""), "Renamed step \"a\" to \"b\"");
    assert_string_not_equal(field_text(newest, "created_at", ""),
                            field_text(made, "created_at", ""));
}

static void a_change_that_changes_nothing_makes_no_version(void **state)
{
    (void)state;
    static const char *const edits[] = {
        "{'operation': 'set', 'path': 'a', 'settings': {'name': 'a', 'command-line': 'x'}}",
        "{'operation': 'move', 'path': 'a', 'where': 'before', 'target': 'b'}",
        "{'operation': 'enable', 'path': 'b'}",
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *same = NULL;
    OWN(json_freep) json_t *other = NULL;
    OWN(json_freep) json_t *body = fixture_json("{'name': 'T', 'is_disabled': false}");
    OWN(json_freep) json_t *renamed = fixture_json("{'name': 'U'}");
    const char *id;

    assert_int_equal(
        create(site, SEQUENCE(RUN("a", "x") "\n " RUN("b", "y") "\n"), "{'name': 'T'}", &made), 0);
    id = field_text(made, "id", "");
    for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(edit(site, id, edits[i], &answer), 0);
        assert_int_equal(field_number(answer, "version", 0), 1);
    }
    assert_int_equal(task_sequence_set(site, "bob", id, body, &same), 0);
    assert_int_equal(field_number(same, "version", 0), 1);
    assert_int_equal(task_sequence_set(site, "bob", id, renamed, &other), 0);
    assert_int_equal(field_number(other, "version", 0), 2);
}

static void an_edit_that_cannot_be_is_refused_and_makes_no_version(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *versions = NULL;
    json_t *none = NULL;
    const char *id;

    assert_int_equal(create(site, SEQUENCE(RUN("a", "x")), "{}", &made), 0);
    id = field_text(made, "id", "");
    assert_int_equal(edit(site, id, "{'operation': 'remove', 'path': 'zz'}", &none),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EDIT);
    assert_int_equal(edit(site, id, "{'operation': 'dance'}", &none), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    versions = versions_of(site, id);
    assert_int_equal(json_array_size(json_object_get(versions, "items")), 1);
}

static void what_is_malformed_is_refused_with_line_and_column(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    json_t *none = NULL;

    assert_int_equal(create(site, "<sequence version=\"3.10\">\n<step>", "{}", &none),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TASK_SEQUENCE);
    assert_non_null(strstr(site->refusal.detail, "Line 2"));
    assert_non_null(json_object_get(site->refusal.more, "diagnostics"));
}

static void a_file_in_utf16_is_taken_as_base64(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(buf_fini) struct buf wide = BUF_INIT(65536);
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);
    OWN(json_freep) json_t *body = json_object();
    OWN(json_freep) json_t *made = NULL;

    for (const char *c = SEQUENCE(RUN("a", "x")); *c; c++)
        buf_add(&wide, (struct bytes){(const uint8_t[]){(uint8_t)*c, 0}, 2});
    base64_put(&text, buf_bytes(&wide));
    (void)json_object_set_new(body, "file", json_string(buf_str(&text)));
    assert_int_equal(task_sequence_create(site, "alice", body, &made), 0);
    assert_int_equal(
        task_sequence_export(site, field_text(made, "id", ""), 0, TASK_SEQUENCE_XML, &xml), 0);
    assert_non_null(strstr(buf_str(&xml), SEQUENCE(RUN("a", "x"))));
}

static void references_are_mapped_by_id_or_name(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *mapped = NULL;
    OWN(json_freep) json_t *body = fixture_json("{'map': {'ABC00009': '" FIXTURE_OS_IMAGE "'}}");
    json_t *none = NULL;
    static const char xml[] = SEQUENCE(
        "<step type=\"SMS_TaskSequence_PartitionDiskAction\" name=\"f\"/>"
        "<step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"a\"><defaultVarList><variable "
        "name=\"ImagePackageID\">ABC00009</variable></defaultVarList></step>"
        "<step type=\"SMS_TaskSequence_SetupWindowsAndSMSAction\" name=\"s\"/>");

    assert_int_equal(create(site, xml, "{}", &made), 0);
    assert_false(field_bool(made, "is_deployable"));
    assert_int_equal(task_sequence_set(site, "bob", field_text(made, "id", ""), body, &mapped), 0);
    assert_true(field_bool(mapped, "is_deployable"));
    assert_int_equal(create(site, xml, "{'map': {'ABC00009': 'Nothing'}}", &none), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(create(site, xml, "{'map': {'ABC00001': '" FIXTURE_OS_IMAGE "'}}", &none),
                     SITE_E_REFUSED);
}

static void nested_sequences_of_one_file_find_each_other(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);
    OWN(buf_fini) struct buf wanted = BUF_INIT(256);
    const json_t *imported;

    assert_int_equal(create(site,
                            "<Export>" OBJECT("ABC00001", "Parent", SEQUENCE(NEST("ABC00002")))
                                OBJECT("ABC00002", "Child", SEQUENCE(RUN("a", "x"))) "</Export>",
                            "{}",
                            &made),
                     0);
    assert_string_equal(field_text(made, "name", ""), "Parent");
    imported = json_object_get(made, "imported");
    assert_int_equal(json_array_size(imported), 2);
    assert_int_equal(
        task_sequence_export(site, field_text(made, "id", ""), 0, TASK_SEQUENCE_XML, &xml), 0);
    buf_addf(&wanted, ">%s<", json_string_value(json_array_get(imported, 1)));
    assert_non_null(strstr(buf_str(&xml), buf_str(&wanted)));
}

static void sequences_that_run_each_other_are_refused(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *parent = NULL;
    OWN(json_freep) json_t *child = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    json_t *none = NULL;

    assert_int_equal(create(site,
                            "<Export>" OBJECT("ABC00001", "A", SEQUENCE(NEST("ABC00002")))
                                OBJECT("ABC00002", "B", SEQUENCE(NEST("ABC00001"))) "</Export>",
                            "{}",
                            &none),
                     SITE_E_REFUSED);
    assert_int_equal(create(site, SEQUENCE(RUN("a", "x")), "{}", &child), 0);
    buf_addf(&text, SEQUENCE(NEST("%s")), field_text(child, "id", ""));
    assert_int_equal(create(site, buf_str(&text), "{}", &parent), 0);
    buf_clear(&text);
    buf_addf(&text,
             "{'operation': 'add', 'type': 'Run Task Sequence', 'settings': {'TsPackageID': '%s'}}",
             field_text(parent, "id", ""));
    assert_int_equal(edit(site, field_text(child, "id", ""), buf_str(&text), &none),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EDIT);
    assert_non_null(strstr(site->refusal.detail, "runs itself"));
    /* nor as the next version of one that it runs */
    buf_clear(&text);
    buf_addf(&text, SEQUENCE(NEST("%s")), field_text(parent, "id", ""));
    OWN(buf_fini) struct buf into = BUF_INIT(256);

    buf_addf(&into, "{'into': '%s'}", field_text(child, "id", ""));
    assert_int_equal(create(site, buf_str(&text), buf_str(&into), &none), SITE_E_REFUSED);
    assert_non_null(strstr(site->refusal.detail, "runs itself"));
}

static void versions_and_documents_are_compared(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *changed = NULL;
    OWN(json_freep) json_t *diff = NULL;
    OWN(json_freep) json_t *back = NULL;
    OWN(json_freep) json_t *nothing = json_object();
    OWN(json_freep) json_t *document = json_pack("{s:s}", "xml", SEQUENCE(RUN("a", "x")));
    OWN(json_freep) json_t *future = fixture_json("{'from': 9}");
    json_t *none = NULL;
    const char *id;

    assert_int_equal(create(site, SEQUENCE(RUN("a", "x")), "{}", &made), 0);
    id = field_text(made, "id", "");
    assert_int_equal(edit(site,
                          id,
                          "{'operation': 'set', 'path': '1', 'settings': {'CommandLine': 'y'}}",
                          &changed),
                     0);
    assert_int_equal(task_sequence_diff(site, id, nothing, &diff), 0);
    assert_string_equal(field_text(json_array_get(json_object_get(diff, "changes"), 0), "text", ""),
                        "Changed step \"a\": Command line from \"x\" to \"y\"");
    assert_int_equal(task_sequence_diff(site, id, document, &back), 0);
    assert_string_equal(field_text(json_array_get(json_object_get(back, "changes"), 0), "from", ""),
                        "y");
    assert_int_equal(task_sequence_diff(site, id, future, &none), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

static void a_document_may_become_the_next_version_of_a_sequence(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *again = NULL;

    assert_int_equal(create(site, SEQUENCE(RUN("a", "x")), "{'name': 'Mine'}", &made), 0);
    assert_int_equal(create(site, SEQUENCE(RUN("a", "y")), "{'into': 'Mine'}", &again), 0);
    assert_string_equal(field_text(again, "id", ""), field_text(made, "id", "x"));
    assert_string_equal(field_text(again, "name", ""), "Mine");
    assert_int_equal(field_number(again, "version", 0), 2);
}

static void an_export_has_no_secrets_but_the_site_keeps_them(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *copy = NULL;
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Copied'}");
    OWN(buf_fini) struct buf xml = BUF_INIT(65536);
    OWN(db_rows_fini) struct db_rows rows = {0};
    const char *id;

    assert_int_equal(
        create(
            site,
            SEQUENCE(
                "<step type=\"SMS_TaskSequence_JoinDomainWorkgroupAction\" name=\"j\"><defaultVarList>"
                "<variable name=\"OSDJoinPassword\">hunter2</variable></defaultVarList></step>"),
            "{}",
            &made),
        0);
    assert_int_equal(task_sequence_copy(site, "bob", field_text(made, "id", ""), body, &copy), 0);
    id = field_text(copy, "id", "");
    assert_int_equal(task_sequence_export(site, id, 0, TASK_SEQUENCE_XML, &xml), 0);
    assert_null(strstr(buf_str(&xml), "hunter2"));
    assert_int_equal(db_first(site->db, SQL_TASK_SEQUENCE_XML, DB_ARGS(db_text(id)), &rows),
                     DB_ROW);
    assert_non_null(strstr(db_get_text(&rows, 0), "hunter2"));
}

static void what_is_exported_as_yaml_comes_back_without_a_change(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *diff = NULL;
    OWN(json_freep) json_t *nothing = json_object();
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);
    const char *id;

    assert_int_equal(create(site,
                            SEQUENCE(RUN("a", "x") "<step name=\"odd\" y=\"1\"><z/></step>"),
                            "{'name': 'Y'}",
                            &made),
                     0);
    id = field_text(made, "id", "");
    assert_int_equal(task_sequence_export(site, id, 0, TASK_SEQUENCE_YAML, &yaml), 0);
    assert_int_equal(create(site, buf_str(&yaml), "{'into': 'Y'}", &again), 0);
    assert_int_equal(field_number(again, "version", 0), 2);
    assert_int_equal(task_sequence_diff(site, id, nothing, &diff), 0);
    assert_int_equal(json_array_size(json_object_get(diff, "changes")), 0);
}

static void a_file_that_has_no_name_in_it_gives_its_own(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        const char *more;
        const char *name;
    } cases[] = {
        {SEQUENCE(RUN("a", "x")), "{'file_name': 'Gather'}", "Gather"},
        {SEQUENCE(RUN("a", "x")), "{'file_name': 'Gather', 'name': 'N'}", "N"},
        {OBJECT("XYZ00001", "Inner", SEQUENCE(RUN("a", "x"))), "{'file_name': 'Gather'}", "Inner"},
        {SEQUENCE(RUN("a", "x")), "{}", "Task sequence"},
    };
    OWN(fixture_freep) struct site *site = fixture_new();

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(json_freep) json_t *made = NULL;

        assert_int_equal(create(site, cases[i].xml, cases[i].more, &made), 0);
        assert_string_equal(field_text(made, "name", ""), cases[i].name);
    }
}

static void a_request_that_only_reads_can_look_at_a_task_sequence(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *shown = NULL;
    OWN(json_freep) json_t *validation = NULL;

    assert_int_equal(create(site, SEQUENCE(RUN("a", "x")), "{}", &made), 0);
    db_set_read_only(site->db, true);
    assert_int_equal(task_sequence_get(site, field_text(made, "id", ""), &shown), 0);
    assert_int_equal(task_sequence_validation(site, field_text(made, "id", ""), &validation), 0);
    assert_true(db_is_read_only(site->db));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_that_only_reads_can_look_at_a_task_sequence),
        cmocka_unit_test(a_file_that_has_no_name_in_it_gives_its_own),
        cmocka_unit_test(every_change_is_a_version_with_author_time_and_what_was_done),
        cmocka_unit_test(a_change_that_changes_nothing_makes_no_version),
        cmocka_unit_test(an_edit_that_cannot_be_is_refused_and_makes_no_version),
        cmocka_unit_test(what_is_malformed_is_refused_with_line_and_column),
        cmocka_unit_test(a_file_in_utf16_is_taken_as_base64),
        cmocka_unit_test(references_are_mapped_by_id_or_name),
        cmocka_unit_test(nested_sequences_of_one_file_find_each_other),
        cmocka_unit_test(sequences_that_run_each_other_are_refused),
        cmocka_unit_test(versions_and_documents_are_compared),
        cmocka_unit_test(a_document_may_become_the_next_version_of_a_sequence),
        cmocka_unit_test(what_is_exported_as_yaml_comes_back_without_a_change),
        cmocka_unit_test(an_export_has_no_secrets_but_the_site_keeps_them),
    };

    return cmocka_run_group_tests_name("site/task_sequence", tests, NULL, NULL);
}
