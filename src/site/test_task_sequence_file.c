/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/task_sequence.h"

#include "site/deployment_change.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/diag.h"

#include "site/test_task_sequence.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

/* What comes in files, stays beside the document, and goes out again. */

static json_t *diff(struct site *site, const char *id, const char *xml, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    if (xml)
        (void)json_object_set_new(body, "xml", json_string(xml));
    assert_int_equal(task_sequence_diff(site, id, body, &answer), 0);
    return json_incref(json_object_get(answer, "changes"));
}

static const char *sentence(const json_t *changes, size_t i)
{
    return field_text(json_array_get(changes, i), "text", "");
}

static bool has_id(const json_t *diagnostics, const char *id)
{
    for (size_t i = 0; i < json_array_size(diagnostics); i++)
        if (strcmp(field_text(json_array_get(diagnostics, i), "error_id", ""), id) == 0)
            return true;
    return false;
}

static void validate(struct site *site, const char *xml, json_t **ret)
{
    OWN(json_freep) json_t *body = json_object();

    (void)json_object_set_new(body, "xml", json_string(xml));
    assert_int_equal(task_sequence_validate(site, body, ret), 0);
}

static void a_file_is_looked_at_with_the_sequences_that_are_in_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *both = NULL;
    OWN(json_freep) json_t *alone = NULL;
    OWN(json_freep) json_t *broken = NULL;
    const json_t *finding;

    validate(site,
             FILE_OF(OBJECT("ABC00001", "Parent", "", SEQUENCE(NEST("ABC00002")))
                         OBJECT("ABC00002", "Child", "", SEQUENCE(RUN("a", "")))),
             &both);
    assert_true(field_bool(both, "is_valid"));
    validate(site, OBJECT("ABC00001", "Parent", "", SEQUENCE(NEST("ABC00002"))), &alone);
    assert_false(field_bool(alone, "is_valid"));
    assert_true(has_id(json_object_get(alone, "diagnostics"), "SLW-0173"));
    validate(site,
             FILE_OF(OBJECT("ABC00001", "Parent", "", SEQUENCE(NEST("ABC00002")))
                         OBJECT("ABC00002", "Child", "", SEQUENCE(RUN("a", "ABC00009")))),
             &broken);
    finding = json_array_get(json_object_get(broken, "diagnostics"), 0);
    assert_string_equal(field_text(finding, "sequence", ""), "Child");
    assert_string_equal(field_text(finding, "step", ""), "a");
}

static void what_else_is_in_a_file_is_looked_at_though_one_sequence_cannot_be_read(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *found = NULL;
    OWN(json_freep)
    json_t *body =
        json_pack("{s:s}",
                  "xml",
                  FILE_OF(OBJECT("ABC00001", "Good", "", SEQUENCE(RUN("a", "ABC00009")))
                              OBJECT("ABC00002", "Bad", "", "<sequence version='9.99'/>")));
    json_t *made = NULL;

    validate(site, field_text(body, "xml", ""), &found);
    assert_false(field_bool(found, "is_valid"));
    assert_true(has_id(json_object_get(found, "diagnostics"), "SLW-0170"));
    assert_true(has_id(json_object_get(found, "diagnostics"), "SLW-0173"));
    assert_int_equal(task_sequence_create(site, "eva", body, &made), SITE_E_REFUSED);
    assert_null(made);
}

static void
a_boot_image_is_found_by_its_name_and_a_sequence_of_the_file_is_not_looked_for(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *boot_image = NULL;
    OWN(json_freep) json_t *made = NULL;
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);

    assert_int_equal(content_get(site, CONTENT_BOOT_IMAGE, FIXTURE_BOOT_IMAGE, &boot_image), 0);
    buf_addf(
        &xml,
        FILE_OF(OBJECT(
            "ABC00001", "Parent", PROPERTY("BootImageID", "ABC00005"), SEQUENCE(NEST("ABC00002")))
                    OBJECT("ABC00002", "Deploy Debian", "", SEQUENCE(RUN("a", "")))
                        NAMED("ABC00005", "%s")),
        field_text(boot_image, "name", ""));
    assert_int_equal(create(site, buf_str(&xml), "{'map_by_name': true}", &made), 0);
    assert_string_equal(field_text(made, "boot_image_id", ""), FIXTURE_BOOT_IMAGE);
    assert_int_equal(json_array_size(json_object_get(made, "mapped_by_name")), 1);
    assert_int_equal(json_array_size(json_object_get(made, "missing")), 0);
    assert_int_equal(json_array_size(json_object_get(made, "imported")), 2);
}

static void an_import_tells_what_packages_the_file_holds(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    const json_t *package;

    assert_int_equal(create(site,
                            FILE_OF(OBJECT("ABC00001", "T", "", SEQUENCE(RUN("a", "ABC00009")))
                                        NAMED("ABC00009", "Tools")),
                            "{}",
                            &made),
                     0);
    assert_int_equal(json_array_size(json_object_get(made, "packages")), 1);
    package = json_array_get(json_object_get(made, "packages"), 0);
    assert_string_equal(field_text(package, "id", ""), "ABC00009");
    assert_string_equal(field_text(package, "kind", ""), "package");
    assert_string_equal(field_text(package, "name", ""), "Tools");
    assert_int_equal(field_number(package, "n_files", 9), 0);
}

static void a_boot_image_that_the_site_lacks_is_kept_until_it_is_mapped_or_chosen(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *chosen = NULL;
    OWN(json_freep) json_t *mapped = NULL;
    static const char xml[] =
        FILE_OF(OBJECT("ABC00001", "T", PROPERTY("BootImageID", "ABC00005"), SEQUENCE(RUN("a", "")))
                    NAMED("ABC00005", "Boot (x64)"));
    const json_t *missing;

    assert_int_equal(create(site, xml, "{}", &made), 0);
    missing = json_array_get(json_object_get(made, "missing"), 0);
    assert_string_equal(field_text(missing, "id", ""), "ABC00005");
    assert_string_equal(field_text(missing, "name", ""), "Boot (x64)");
    assert_string_equal(field_text(missing, "kind", ""), "boot-image");
    assert_false(field_bool(made, "is_deployable"));
    assert_int_equal(set(site,
                         field_text(made, "id", ""),
                         "{'boot_image_id': '" FIXTURE_BOOT_IMAGE "'}",
                         &chosen),
                     0);
    assert_true(field_bool(chosen, "is_deployable"));
    assert_string_equal(field_text(chosen, "boot_image_id", ""), FIXTURE_BOOT_IMAGE);
    assert_int_equal(
        create(site, xml, "{'map': {'Boot (x64)': '" FIXTURE_BOOT_IMAGE "'}}", &mapped), 0);
    assert_true(field_bool(mapped, "is_deployable"));
    assert_string_equal(field_text(mapped, "boot_image_id", ""), FIXTURE_BOOT_IMAGE);
}

static void a_circle_is_refused_with_the_way_that_it_goes(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    json_t *none = NULL;
    const json_t *finding;

    assert_int_equal(
        create(site,
               FILE_OF(OBJECT("ABC00001", "Above", "", SEQUENCE(NEST("ABC00002")))
                           OBJECT("ABC00002", "One", "", SEQUENCE(NEST("ABC00003")))
                               OBJECT("ABC00003", "Two", "", SEQUENCE(NEST("ABC00002")))),
               "{}",
               &none),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TASK_SEQUENCE);
    finding = json_array_get(json_object_get(site->refusal.more, "diagnostics"), 0);
    assert_string_equal(field_text(finding, "error_id", ""), "SLW-0179");
    assert_string_equal(field_text(finding, "step", ""), "Child");
    assert_non_null(strstr(field_text(finding, "message", ""), "ABC00002 -> ABC00003 -> ABC00002"));
}

static char *xml_of(struct site *site, const char *id)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(task_sequence_read(site, id, 0, &doc), 0);
    assert_int_equal(ts_document_put(doc, &text), 0);
    return buf_take(&text);
}

static void a_file_with_nested_ones_replaces_the_one_that_runs_them(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *body = NULL;
    OWN(buf_fini) struct buf zip = BUF_INIT(65536);
    OWN(buf_fini) struct buf file = BUF_INIT(65536);
    OWN(freep) char *child = NULL;
    const char *parent_id;
    const char *child_id;
    json_t *none = NULL;

    assert_int_equal(create(site,
                            FILE_OF(OBJECT("ABC00001", "Parent", "", SEQUENCE(NEST("ABC00002")))
                                        OBJECT("ABC00002", "Child", "", SEQUENCE(CONNECT("pw1")))),
                            "{}",
                            &made),
                     0);
    parent_id = field_text(made, "id", "");
    child_id = json_string_value(json_array_get(json_object_get(made, "imported"), 1));

    /* an export that comes back: the same two, with the password */
    assert_int_equal(task_sequence_export(site, parent_id, 0, TASK_SEQUENCE_ZIP, &zip), 0);
    base64_put(&file, buf_bytes(&zip));
    body = json_pack("{s:s,s:s}", "file", buf_str(&file), "into", "Parent");
    assert_int_equal(task_sequence_create(site, "alice", body, &again), 0);
    assert_string_equal(field_text(again, "id", ""), parent_id);
    assert_int_equal(field_number(again, "version", 0), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(again, "imported"), 1)),
                        child_id);
    child = xml_of(site, child_id);
    assert_non_null(strstr(child, "pw1"));

    /* one that it does not run is new */
    json_decref(again);
    again = NULL;
    assert_int_equal(create(site,
                            FILE_OF(OBJECT("ABC00001", "Parent", "", SEQUENCE(NEST("ABC00002")))
                                        OBJECT("ABC00002", "Child", "", SEQUENCE(CONNECT("")))),
                            "{'into': 'Parent'}",
                            &again),
                     0);
    assert_int_equal(field_number(again, "version", 0), 3);
    assert_string_not_equal(
        json_string_value(json_array_get(json_object_get(again, "imported"), 1)), child_id);

    assert_int_equal(create(site,
                            FILE_OF(OBJECT("ABC00001", "One", "", SEQUENCE(RUN("a", "")))
                                        OBJECT("ABC00002", "Two", "", SEQUENCE(RUN("a", "")))),
                            "{'into': 'Parent'}",
                            &none),
                     SITE_E_REFUSED);
    assert_non_null(strstr(site->refusal.detail, "ts export FILE --sequence"));
}

static void who_may_only_make_task_sequences_replaces_none(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *again = NULL;
    struct principal who = {
        .id = "AD00099", .name = "bob", .permissions = "task-sequence.read task-sequence.create"};
    struct db_args account =
        DB_ARGS(db_text(who.id), db_text(who.name), db_text(""), db_u64(site->now_us));
    struct db_args granted = DB_ARGS(db_text(who.id), db_text("SLP0001R"), db_text("SLP00ALL"));

    assert_int_equal(db_must(site->db, SQL_ADMINISTRATOR_ADD, account), 0);
    assert_int_equal(db_must(site->db, SQL_ADMINISTRATOR_GRANT_ADD, granted), 0);
    assert_int_equal(create(site, SEQUENCE(RUN("a", "")), "{'name': 'Mine'}", &made), 0);
    principal_set(site, &who);
    assert_int_equal(create(site, SEQUENCE(RUN("b", "")), "{'into': 'Mine'}", &again),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    (void)snprintf(who.permissions, sizeof(who.permissions), "task-sequence.*");
    principal_set(site, &who);
    assert_int_equal(create(site, SEQUENCE(RUN("b", "")), "{'into': 'Mine'}", &again), 0);
    principal_clear(site);
}

static void one_that_another_runs_gets_no_boot_image_from_the_request(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *child = NULL;

    assert_int_equal(create(site,
                            FILE_OF(OBJECT("ABC00001", "Parent", "", SEQUENCE(NEST("ABC00002")))
                                        OBJECT("ABC00002", "Child", "", SEQUENCE(RUN("a", "")))),
                            "{'boot_image_id': '" FIXTURE_BOOT_IMAGE "'}",
                            &made),
                     0);
    assert_string_equal(field_text(made, "name", ""), "Parent");
    assert_string_equal(field_text(made, "boot_image_id", ""), FIXTURE_BOOT_IMAGE);
    assert_int_equal(
        task_sequence_get(
            site, json_string_value(json_array_get(json_object_get(made, "imported"), 1)), &child),
        0);
    assert_string_equal(field_text(child, "name", ""), "Child");
    assert_true(json_is_null(json_object_get(child, "boot_image_id")));
}

static void history_and_comparison_know_what_stands_beside_the_document(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *changed = NULL;
    OWN(json_freep) json_t *disabled = NULL;
    OWN(json_freep) json_t *versions = NULL;
    OWN(json_freep) json_t *changes = NULL;
    const json_t *items;
    const char *id;

    assert_int_equal(create(site, SEQUENCE(RUN("a", "")), "{'name': 'Old'}", &made), 0);
    id = field_text(made, "id", "");
    assert_int_equal(
        set(site,
            id,
            "{'name': 'New', 'description': 'about', 'boot_image_id': '" FIXTURE_BOOT_IMAGE "'}",
            &changed),
        0);
    assert_int_equal(set(site, id, "{'is_disabled': true}", &disabled), 0);
    assert_int_equal(task_sequence_versions(site, id, &versions), 0);
    items = json_object_get(versions, "items");
    assert_string_equal(field_text(json_array_get(items, 0), "note", ""),
                        "Disabled the task sequence");
    assert_true(field_bool(json_array_get(items, 0), "is_disabled"));
    assert_string_equal(
        field_text(json_array_get(items, 1), "note", ""),
        "Renamed the task sequence from \"Old\" to \"New\"; Changed the task sequence: Description from "
        "nothing to \"about\"; Changed the task sequence: Boot image from nothing to \"" FIXTURE_BOOT_IMAGE
        "\"");
    assert_string_equal(field_text(json_array_get(items, 2), "name", ""), "Old");
    changes = diff(site, id, NULL, "{'from': 3, 'to': 1}");
    assert_int_equal(json_array_size(changes), 4);
    assert_string_equal(sentence(changes, 0), "Renamed the task sequence from \"New\" to \"Old\"");
    assert_string_equal(sentence(changes, 3), "Enabled the task sequence");
}

static void an_export_that_comes_back_changes_nothing_and_keeps_the_passwords(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *changes = NULL;
    OWN(json_freep) json_t *between = NULL;
    OWN(buf_fini) struct buf yaml = BUF_INIT(65536);
    OWN(buf_fini) struct buf into = BUF_INIT(256);
    const char *id;

    assert_int_equal(create(site, SEQUENCE(CONNECT("hunter2")), "{'name': 'T'}", &made), 0);
    id = field_text(made, "id", "");
    assert_int_equal(task_sequence_export(site, id, 0, TASK_SEQUENCE_YAML, &yaml), 0);
    assert_null(strstr(buf_str(&yaml), "hunter2"));
    changes = diff(site, id, buf_str(&yaml), "{}");
    assert_int_equal(json_array_size(changes), 0);
    buf_addf(&into, "{'into': '%s'}", id);
    assert_int_equal(create(site, buf_str(&yaml), buf_str(&into), &again), 0);
    assert_int_equal(field_number(again, "version", 0), 2);
    assert_false(has_id(json_object_get(again, "diagnostics"), "SLW-0183"));
    between = diff(site, id, NULL, "{'from': 1, 'to': 2}");
    assert_int_equal(json_array_size(between), 0);
}

static void what_a_file_says_beside_the_sequence_goes_out_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *renamed = NULL;
    OWN(json_freep) json_t *body = json_object();
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *last = NULL;
    OWN(json_freep) json_t *nothing = json_object();
    OWN(buf_fini) struct buf zip = BUF_INIT(TASK_SEQUENCE_EXPORT_MAX_BYTES);
    OWN(buf_fini) struct buf base64 = BUF_INIT(TASK_SEQUENCE_EXPORT_MAX_BYTES);
    OWN(buf_fini) struct buf second = BUF_INIT(TASK_SEQUENCE_EXPORT_MAX_BYTES);
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(
        create(site,
               FILE_OF(OBJECT("ABC00001",
                              "T",
                              PROPERTY("Category", "Lab") PROPERTY("Duration", "360")
                                  PROPERTY("BootImageID", "ABC00005"),
                              SEQUENCE(RUN("a", "ABC00009"))) NAMED("ABC00009", "Tools")),
               "{}",
               &made),
        0);
    assert_int_equal(set(site, field_text(made, "id", ""), "{'name': 'New'}", &renamed), 0);
    assert_int_equal(
        task_sequence_export(site, field_text(made, "id", ""), 0, TASK_SEQUENCE_ZIP, &zip), 0);
    base64_put(&base64, buf_bytes(&zip));
    (void)json_object_set_new(body, "file", json_string(buf_str(&base64)));
    assert_int_equal(task_sequence_create(site, "alice", body, &again), 0);
    assert_string_equal(field_text(again, "name", ""), "New");
    assert_string_equal(
        field_text(json_array_get(json_object_get(again, "missing"), 1), "name", ""), "Tools");
    assert_int_equal(task_sequence_copy(site, "bob", field_text(again, "id", ""), nothing, &last),
                     0);
    assert_int_equal(
        task_sequence_export(site, field_text(last, "id", ""), 0, TASK_SEQUENCE_ZIP, &second), 0);
    assert_int_equal(ts_container_read(buf_bytes(&second), &imports, &diags), 0);
    assert_non_null(strstr(imports.items[0].object, PROPERTY("Category", "Lab")));
    assert_non_null(strstr(imports.items[0].object, PROPERTY("Duration", "360")));
    assert_string_equal(imports.items[0].boot_image_id, "ABC00005");
}

static void one_that_is_used_is_not_deleted_and_who_uses_it_is_told(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *child = NULL;
    OWN(json_freep) json_t *parent = NULL;
    OWN(json_freep) json_t *list = NULL;
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);
    char deployment[SITE_ID_MAX];
    const char *id;

    assert_int_equal(create(site, SEQUENCE(RUN("a", "")), "{'name': 'Child'}", &child), 0);
    id = field_text(child, "id", "");
    buf_addf(&xml, SEQUENCE(NEST("%s")), id);
    assert_int_equal(create(site, buf_str(&xml), "{'name': 'Parent'}", &parent), 0);
    assert_int_equal(task_sequence_delete(site, "bob", id), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_SEQUENCE_USED);
    assert_non_null(strstr(site->refusal.detail, "Parent"));
    assert_int_equal(json_array_size(json_object_get(site->refusal.more, "users")), 1);
    assert_int_equal(task_sequence_delete(site, "bob", field_text(parent, "id", "")), 0);
    assert_int_equal(task_sequence_delete(site, "bob", id), 0);
    assert_int_equal(task_sequence_get(site, id, &list), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    fixture_deploy(site, "All Unknown Computers", "available", deployment);
    assert_int_equal(task_sequence_delete(site, "bob", FIXTURE_SEQUENCE), SITE_E_REFUSED);
    assert_non_null(strstr(site->refusal.detail, deployment));
    assert_int_equal(deployment_delete(site, "bob", deployment), 0);
    assert_int_equal(task_sequence_delete(site, "bob", FIXTURE_SEQUENCE), 0);
    assert_int_equal(task_sequence_list(site, &(struct page){.after = "", .limit = 10}, &list), 0);
    assert_int_equal(json_array_size(json_object_get(list, "items")), 0);
}

static void a_document_that_lacks_the_command_shows_no_password_of_the_site(void **state)
{
    (void)state;
#define HIDING(action) \
    SEQUENCE("<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s\">" action \
             "<defaultVarList><variable name=\"VariableName\" property=\"VariableName\">Hid" \
             "</variable><variable name=\"VariableValue\" property=\"VariableValue\">GEHEIM" \
             "</variable><variable name=\"DoNotShowVariableValue\" " \
             "property=\"DoNotShowVariableValue\">true</variable></defaultVarList></step>")
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *changes = NULL;
    OWN(freep) char *text = NULL;

    assert_int_equal(
        create(site, HIDING("<action>tsenv.exe \"Hid=GEHEIM\"</action>"), "{'name': 'T'}", &made),
        0);
    changes = diff(site, field_text(made, "id", ""), HIDING(""), "{}");
    assert_int_equal(json_array_size(changes), 1);
    text = json_dumps(changes, 0);
    assert_null(strstr(text, "GEHEIM"));
    assert_non_null(strstr(text, "***"));
}

static void a_refusal_that_cuts_a_name_is_text_all_the_same(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *list = NULL;
    char id[301];

    for (size_t i = 0; i < sizeof(id) - 1; i += 3)
        (void)snprintf(id + i, 4, "%s", "\xe2\x98\x83");
    assert_int_equal(task_sequence_get(site, id, &list), SITE_E_REFUSED);
    assert_true(text_is_utf8(bytes_of(site->refusal.detail)));
    assert_true(strlen(site->refusal.detail) < sizeof(id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_looked_at_with_the_sequences_that_are_in_it),
        cmocka_unit_test(what_else_is_in_a_file_is_looked_at_though_one_sequence_cannot_be_read),
        cmocka_unit_test(
            a_boot_image_is_found_by_its_name_and_a_sequence_of_the_file_is_not_looked_for),
        cmocka_unit_test(an_import_tells_what_packages_the_file_holds),
        cmocka_unit_test(a_boot_image_that_the_site_lacks_is_kept_until_it_is_mapped_or_chosen),
        cmocka_unit_test(a_circle_is_refused_with_the_way_that_it_goes),
        cmocka_unit_test(a_file_with_nested_ones_replaces_the_one_that_runs_them),
        cmocka_unit_test(who_may_only_make_task_sequences_replaces_none),
        cmocka_unit_test(one_that_another_runs_gets_no_boot_image_from_the_request),
        cmocka_unit_test(history_and_comparison_know_what_stands_beside_the_document),
        cmocka_unit_test(an_export_that_comes_back_changes_nothing_and_keeps_the_passwords),
        cmocka_unit_test(what_a_file_says_beside_the_sequence_goes_out_again),
        cmocka_unit_test(one_that_is_used_is_not_deleted_and_who_uses_it_is_told),
        cmocka_unit_test(a_document_that_lacks_the_command_shows_no_password_of_the_site),
        cmocka_unit_test(a_refusal_that_cuts_a_name_is_text_all_the_same),
    };

    return cmocka_run_group_tests_name("site/task_sequence_file", tests, NULL, NULL);
}
