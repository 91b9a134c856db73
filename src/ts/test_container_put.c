/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container_put.h"

#include <errno.h>

#include "ts/container.h"
#include "ts/test_ts.h"

enum {
    ZIP_MAX_BYTES = 1024 * 1024,
};

#define PARENT \
    SEQUENCE("<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"N\">" \
             "<defaultVarList><variable name=\"OSDSubTasksequencePackageID\" " \
             "property=\"TsPackageID\">SLP00004</variable></defaultVarList></subtasksequence>")
#define CHILD \
    "<?xml version=\"1.0\"?><!-- a -> b --><?odd x?>" SEQUENCE( \
        "<step type=\"x\" name=\"&lt;]]&gt;&amp;\"><a><![CDATA[x]]></a></step>")

static void put(const struct ts_document *parent, const struct ts_document *child, struct buf *ret)
{
    static const struct ts_export_reference references[] = {
        {TS_EXPORT_BOOT_IMAGE, "SLP00001", "Boot <x64> & more", "6.1"},
        {TS_EXPORT_SEQUENCE, "SLP00004", "Child", ""},
    };
    const struct ts_export items[] = {
        {.id = "SLP00003",
         .name = "A \"name\"",
         .description = "a < b",
         .boot_image_id = "SLP00001",
         .doc = parent,
         .references = references,
         .n_references = 2},
        {.id = "SLP00004",
         .name = "Child",
         .description = "",
         .boot_image_id = "",
         .is_disabled = true,
         .doc = child},
    };

    assert_int_equal(ts_container_put(items, 2, ret), 0);
}

static void assert_equal(const struct ts_document *a, const struct ts_document *b)
{
    OWN(buf_fini) struct buf one = BUF_INIT(ZIP_MAX_BYTES);
    OWN(buf_fini) struct buf two = BUF_INIT(ZIP_MAX_BYTES);

    assert_int_equal(ts_document_canonical(a, &one), 0);
    assert_int_equal(ts_document_canonical(b, &two), 0);
    assert_string_equal(buf_str(&one), buf_str(&two));
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *parent = parse_ok(PARENT);
    OWN(ts_document_freep) struct ts_document *child = parse_ok(CHILD);
    OWN(buf_fini) struct buf zip = BUF_INIT(ZIP_MAX_BYTES);
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    put(parent, child, &zip);
    assert_int_equal(ts_container_read(buf_bytes(&zip), &imports, &diags), 0);
    assert_int_equal(imports.n, 2);
    assert_string_equal(imports.items[0].id, "SLP00003");
    assert_string_equal(imports.items[0].name, "A \"name\"");
    assert_string_equal(imports.items[0].description, "a < b");
    assert_string_equal(imports.items[0].boot_image_id, "SLP00001");
    assert_false(imports.items[0].is_disabled);
    assert_true(imports.items[1].is_disabled);
    assert_equal(imports.items[0].doc, parent);
    assert_equal(imports.items[1].doc, child);
    assert_string_equal(ts_imports_name_of(&imports, "SLP00001"), "Boot <x64> & more");
    assert_int_equal(imports.n_content_files, 0);
    assert_string_equal(ts_imports_name_of(&imports, "SLP00004"), "Child");
}

/* The one package of @imports that is in the file itself and has this id; NULL: there is none. */
static const struct ts_reference *package(const struct ts_imports *imports, const char *id)
{
    const struct ts_reference *found = NULL;

    for (size_t i = 0; i < imports->n_references; i++) {
        if (!imports->references[i].is_package || strcmp(imports->references[i].id, id) != 0)
            continue;
        assert_null(found);
        found = &imports->references[i];
    }
    return found;
}

static void each_package_has_an_object_of_its_own_once(void **state)
{
    (void)state;
    static const struct ts_export_reference references[] = {
        {TS_EXPORT_OS_IMAGE, "SLP00005", "Debian", "12"},
        {TS_EXPORT_OS_IMAGE, "SLP00005", "Debian", "12"},
        {TS_EXPORT_DRIVER_PACKAGE, "SLP00006", "Drivers", ""},
        {TS_EXPORT_PACKAGE, "SLP00007", "", ""},
        {TS_EXPORT_PACKAGE, "../SLP00008", "Outside", ""},
        {TS_EXPORT_APPLICATION, "ScopeId_A/Application_1", "App", ""},
    };
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(CHILD);
    const struct ts_export items[] = {{.id = "SLP00003",
                                       .name = "A",
                                       .description = "",
                                       .boot_image_id = "",
                                       .doc = doc,
                                       .references = references,
                                       .n_references = sizeof(references) / sizeof(references[0])},
                                      {.id = "SLP00004",
                                       .name = "B",
                                       .description = "",
                                       .boot_image_id = "",
                                       .doc = doc,
                                       .references = references,
                                       .n_references = 1}};
    OWN(buf_fini) struct buf zip = BUF_INIT(ZIP_MAX_BYTES);
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_container_put(items, 2, &zip), 0);
    assert_int_equal(ts_container_read(buf_bytes(&zip), &imports, &diags), 0);
    assert_int_equal(package(&imports, "SLP00005")->kind, TS_EXPORT_OS_IMAGE);
    assert_string_equal(package(&imports, "SLP00005")->name, "Debian");
    assert_string_equal(package(&imports, "SLP00005")->version, "12");
    assert_int_equal(package(&imports, "SLP00006")->kind, TS_EXPORT_DRIVER_PACKAGE);
    assert_null(package(&imports, "SLP00007"));
    assert_null(package(&imports, "../SLP00008"));
    assert_null(package(&imports, "ScopeId_A/Application_1"));
    assert_string_equal(ts_imports_name_of(&imports, "ScopeId_A/Application_1"), "App");
}

static void the_same_is_written_as_the_same_bytes(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *parent = parse_ok(PARENT);
    OWN(ts_document_freep) struct ts_document *child = parse_ok(CHILD);
    OWN(buf_fini) struct buf one = BUF_INIT(ZIP_MAX_BYTES);
    OWN(buf_fini) struct buf two = BUF_INIT(ZIP_MAX_BYTES);

    put(parent, child, &one);
    put(parent, child, &two);
    assert_true(bytes_eq(buf_bytes(&one), buf_bytes(&two)));
}

static void what_does_not_fit_is_an_error(void **state)
{
    (void)state;
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(CHILD);
    const struct ts_export item = {
        .id = "SLP00003", .name = "", .description = "", .boot_image_id = "", .doc = doc};

    for (size_t max = 0; max < 2000; max += 97) {
        OWN(buf_fini) struct buf zip = BUF_INIT(max);

        assert_int_equal(ts_container_put(&item, 1, &zip), -ENOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(each_package_has_an_object_of_its_own_once),
        cmocka_unit_test(the_same_is_written_as_the_same_bytes),
        cmocka_unit_test(what_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests_name("ts/container_put", tests, NULL, NULL);
}
