/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container_parts.h"

#include "ts/test_ts.h"
#include "ts/xml.h"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);

#define PROPERTY(name, value) "<PROPERTY NAME=\"" name "\"><VALUE>" value "</VALUE></PROPERTY>"

static void add_object(struct ts_imports *imports, const char *text)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;

    assert_int_equal(ts_xml_parse_container(bytes_of(text), TS_PART_MAX_BYTES, &xml, &diags), 0);
    assert_int_equal(ts_container_add_object(imports, xmlDocGetRootElement(xml)), 0);
}

static void is(const struct ts_reference *reference,
               const char *id,
               const char *name,
               enum ts_export_kind kind,
               size_t n_files)
{
    assert_string_equal(reference->id, id);
    assert_string_equal(reference->name, name);
    assert_int_equal(reference->kind, kind);
    assert_int_equal(reference->n_files, n_files);
    assert_true(reference->is_package);
}

static void an_object_says_what_it_is(void **state)
{
    (void)state;
    OWN(ts_imports_fini) struct ts_imports imports = {0};

    add_object(&imports,
               "<INSTANCE CLASSNAME=\"SMS_DriverPackage\">" PROPERTY("PackageID", "ABC00001")
                   PROPERTY("Name", "Drivers") PROPERTY("Version", "7") "</INSTANCE>");
    add_object(
        &imports,
        "<SMS_ImagePackage><PackageID>ABC00002</PackageID><Name>Image</Name></SMS_ImagePackage>");
    add_object(
        &imports,
        "<INSTANCE CLASSNAME=\"SMS_Application\">" PROPERTY("ModelName", "ScopeId_A/Application_1")
            PROPERTY("LocalizedDisplayName", "App") "</INSTANCE>");
    add_object(&imports,
               "<INSTANCE CLASSNAME=\"SMS_Collection\">" PROPERTY("Name", "x") "</INSTANCE>");
    assert_int_equal(imports.n_references, 3);
    is(&imports.references[0], "ABC00001", "Drivers", TS_EXPORT_DRIVER_PACKAGE, 0);
    assert_string_equal(imports.references[0].version, "7");
    is(&imports.references[1], "ABC00002", "Image", TS_EXPORT_OS_IMAGE, 0);
    is(&imports.references[2], "ScopeId_A/Application_1", "App", TS_EXPORT_APPLICATION, 0);
}

/* The one package there is, with its content before or behind its object. */
static void content_is_counted_wherever_the_object_stands(void **state)
{
    static const char object[] =
        "<INSTANCE CLASSNAME=\"SMS_Package\">" PROPERTY("PackageID", "ABC00001")
            PROPERTY("Name", "Tools") "</INSTANCE>";

    (void)state;
    for (size_t before = 0; before < 3; before++) {
        OWN(ts_imports_fini) struct ts_imports imports = {0};
        const struct ts_reference *last;

        for (size_t i = 0; i < 2; i++) {
            if (i == before)
                add_object(&imports, object);
            assert_int_equal(
                ts_container_add_content(&imports, "SMS_Package/ABC00001/CONTENT/setup.exe"), 1);
        }
        if (before == 2)
            add_object(&imports, object);
        last = &imports.references[imports.n_references - 1];
        is(last, "ABC00001", "Tools", TS_EXPORT_PACKAGE, 2);
        for (size_t i = 0; i + 1 < imports.n_references; i++)
            assert_false(imports.references[i].is_package);
    }
}

static void only_what_lies_beside_an_object_is_content(void **state)
{
    static const struct {
        const char *path;
        int r;
        size_t n_files;
    } cases[] = {
        {"SMS_Package/ABC00001/CONTENT/a/b.xml", 1, 1},
        {"Export/SMS_ImagePackage/ABC00001/x.wim", 1, 1},
        {"SMS_Package\\ABC00001\\x.wim", 1, 1},
        {"SMS_Package/ABC00001/CONTENT/", 1, 0},
        {"SMS_Package/ABC00001/object.xml", 0, 0},
        {"SMS_Package/ABC00001/", 0, 0},
        {"SMS_Package/ABC00001", 0, 0},
        {"SMS_Package/../object.xml", 0, 0},
        {"SMS_Package/../../etc/passwd", 0, 0},
        {"SMS_Package//x", 0, 0},
        {"SMS_TaskSequencePackage/ABC00001/ReferencesInfo.xml", 0, 0},
        {"Manifest.xml", 0, 0},
        {"", 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_imports_fini) struct ts_imports imports = {0};

        assert_int_equal(ts_container_add_content(&imports, cases[i].path), cases[i].r);
        assert_int_equal(imports.n_content_files, cases[i].n_files);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_says_what_it_is),
        cmocka_unit_test(content_is_counted_wherever_the_object_stands),
        cmocka_unit_test(only_what_lies_beside_an_object_is_content),
    };

    return cmocka_run_group_tests_name("ts/container_reference", tests, NULL, NULL);
}
