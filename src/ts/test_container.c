/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container.h"

#include <archive.h>
#include <archive_entry.h>

#include "ts/test_ts.h"
#include "ts/validate.h"

#define OBJECT(id, name, inside) \
    "<INSTANCE CLASSNAME=\"SMS_TaskSequencePackage\"><PROPERTY NAME=\"BootImageID\"><VALUE>SLP00001" \
    "</VALUE></PROPERTY><PROPERTY.OBJECTARRAY NAME=\"References\"><VALUE.OBJECTARRAY><VALUE.OBJECT>" \
    "<INSTANCE CLASSNAME=\"R\"><PROPERTY NAME=\"Name\"><VALUE>inner</VALUE></PROPERTY></INSTANCE>" \
    "</VALUE.OBJECT></VALUE.OBJECTARRAY></PROPERTY.OBJECTARRAY>" \
    "<PROPERTY NAME=\"Name\"><VALUE>" name \
    "</VALUE></PROPERTY><PROPERTY NAME=\"PackageID\"><VALUE>" id \
    "</VALUE></PROPERTY><PROPERTY NAME=\"Sequence\"><QUALIFIER NAME=\"CIMTYPE\"><VALUE>string</VALUE>" \
    "</QUALIFIER><VALUE>" inside "</VALUE></PROPERTY></INSTANCE>"
#define IN_CDATA(text) "<![CDATA[" text "\n]]>"

struct part {
    const char *name;
    const char *text;
};

static void read_ok(struct bytes file, struct ts_imports *ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_container_read(file, ret, &diags), 0);
    assert_false(ts_diags_has_error(&diags));
}

static void pack(const struct part *parts, size_t n, struct buf *ret)
{
    static uint8_t place[65536];
    struct archive *zip = archive_write_new();
    size_t used = 0;

    assert_int_equal(archive_write_set_format_zip(zip), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(zip, place, sizeof(place), &used), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *entry = archive_entry_new();

        archive_entry_set_pathname(entry, parts[i].name);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_size(entry, (la_int64_t)strlen(parts[i].text));
        assert_int_equal(archive_write_header(zip, entry), ARCHIVE_OK);
        (void)archive_write_data(zip, parts[i].text, strlen(parts[i].text));
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_free(zip), ARCHIVE_OK);
    buf_add(ret, (struct bytes){place, used});
}

static void a_bare_sequence_is_read(void **state)
{
    (void)state;
    OWN(ts_imports_fini) struct ts_imports imports = {0};

    read_ok(bytes_of("<sequence version=\"3.00\" name=\"N\" description=\"D\"/>"), &imports);
    assert_int_equal(imports.n, 1);
    assert_string_equal(imports.items[0].name, "N");
    assert_string_equal(imports.items[0].description, "D");
    assert_string_equal(imports.items[0].id, "");
}

static void a_sequence_in_yaml_is_read(void **state)
{
    (void)state;
    OWN(ts_imports_fini) struct ts_imports imports = {0};

    read_ok(bytes_of("# exported\nsequence: \"3.00\"\nname: N\nsteps:\n  - step: a\n"), &imports);
    assert_int_equal(imports.n, 1);
    assert_string_equal(imports.items[0].name, "N");
}

static void an_instance_gives_the_sequence_and_what_the_site_said_of_it(void **state)
{
    (void)state;
    static const char *const cases[] = {
        OBJECT("ABC00012", "Deploy &amp; go", IN_CDATA(SEQUENCE(STEP("one", "")))),
        OBJECT("ABC00012",
               "Deploy &amp; go",
               "&lt;sequence version=\"3.10\"&gt;&lt;step name=\"one\"/&gt;&lt;/sequence&gt;"),
        "<SmsTaskSequencePackage><PackageID>ABC00012</PackageID><Name>Deploy &amp; go</Name>"
        "<BootImageID>SLP00001</BootImageID><SequenceData>" SEQUENCE(
            STEP("one", "")) "</SequenceData>"
                             "</SmsTaskSequencePackage>",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_imports_fini) struct ts_imports imports = {0};
        size_t n;

        read_ok(bytes_of(cases[i]), &imports);
        assert_int_equal(imports.n, 1);
        assert_string_equal(imports.items[0].id, "ABC00012");
        assert_string_equal(imports.items[0].name, "Deploy & go");
        assert_string_equal(imports.items[0].boot_image_id, "SLP00001");
        assert_string_equal(ts_document_steps(imports.items[0].doc, &n)->item.name, "one");
        assert_int_equal(n, 1);
    }
}

static void an_export_gives_all_its_sequences_and_the_names_of_what_they_need(void **state)
{
    (void)state;
    static const struct part parts[] = {
        {"[Content_Types].xml", "<Types/>"},
        {"SMS_TaskSequencePackage/ABC00012/object.xml",
         OBJECT("ABC00012", "Parent", IN_CDATA(SEQUENCE("")))},
        {"SMS_TaskSequencePackage/ABC00013/object.xml",
         OBJECT("ABC00013", "Child", IN_CDATA(SEQUENCE("")))},
        {"SMS_TaskSequencePackage/ABC00012/ReferencesInfo.xml",
         "<ArrayOfString><string>&lt;INSTANCE&gt;&lt;PROPERTY NAME=\"ReferencePackageID\"&gt;&lt;VALUE&gt;"
         "ABC00001&lt;/VALUE&gt;&lt;/PROPERTY&gt;&lt;PROPERTY NAME=\"ReferenceName\"&gt;&lt;VALUE&gt;Windows"
         "&lt;/VALUE&gt;&lt;/PROPERTY&gt;&lt;/INSTANCE&gt;</string><string>not XML</string></ArrayOfString>"},
        {"readme.txt", "<sequence version=\"3.10\"/>"},
        {"broken.xml", "<broken"},
    };
    OWN(buf_fini) struct buf file = BUF_INIT(65536);
    OWN(ts_imports_fini) struct ts_imports imports = {0};

    pack(parts, sizeof(parts) / sizeof(parts[0]), &file);
    read_ok(buf_bytes(&file), &imports);
    assert_int_equal(imports.n, 2);
    assert_string_equal(imports.items[1].name, "Child");
    assert_string_equal(ts_imports_name_of(&imports, "ABC00001"), "Windows");
    assert_string_equal(ts_imports_name_of(&imports, "ABC00099"), "");
}

static void refused(struct bytes file)
{
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_container_read(file, &imports, &diags), TS_E_MALFORMED);
    assert_true(ts_diags_has_error(&diags));
}

static void what_holds_no_whole_sequence_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct part none[] = {{"a.xml", "<a/>"}};
    static const struct part broken[] = {
        {"SMS_TaskSequencePackage/X/object.xml",
         OBJECT("X", "X", IN_CDATA("<sequence version=\"3.10\">"))}};
    OWN(buf_fini) struct buf file = BUF_INIT(65536);

    refused(bytes_of(""));
    refused(bytes_of("<INSTANCE/>"));
    refused(bytes_of("PK\003\004"));
    pack(none, 1, &file);
    refused(buf_bytes(&file));
    buf_clear(&file);
    pack(broken, 1, &file);
    refused(buf_bytes(&file));
    file.len /= 2;
    refused(buf_bytes(&file));
}

static void a_part_that_unpacks_to_more_than_the_limit_is_refused(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TS_PART_MAX_BYTES + 2048);
    OWN(buf_fini) struct buf file = BUF_INIT(65536);

    while (text.len <= TS_PART_MAX_BYTES)
        buf_adds(
            &text,
            "                                                                                ");

    const struct part bomb = {"SMS_TaskSequencePackage/X/object.xml", buf_str(&text)};

    pack(&bomb, 1, &file);
    assert_true(file.len < 65536);
    refused(buf_bytes(&file));
}

static void findings_have_the_lines_of_the_file(void **state)
{
    (void)state;
    static const char *const inside[] = {
        IN_CDATA("\n<sequence version=\"3.10\">\n<step type=\"odd\" name=\"x\"/></sequence>"),
        "<sequence version=\"3.10\">\n\n<step type=\"odd\" name=\"x\"/></sequence>"};

    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        OWN(ts_imports_fini) struct ts_imports imports = {0};
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        OWN(buf_fini) struct buf file = BUF_INIT(4096);
        size_t n;

        buf_addf(&file,
                 "<?xml version=\"1.0\"?>\n<SmsTaskSequencePackage>\n<SequenceData>%s",
                 inside[i]);
        buf_adds(&file, "</SequenceData></SmsTaskSequencePackage>");
        read_ok(buf_bytes(&file), &imports);
        assert_int_equal(ts_validate(imports.items[0].doc, &diags), 0);
        assert_int_equal(diags.n, 1);
        assert_int_equal(diags.items[0].line, 5);
        assert_int_equal(ts_document_steps(imports.items[0].doc, &n)[0].item.line, 5);
    }
}

static void what_is_wrong_in_several_of_an_export_is_told_together(void **state)
{
    (void)state;
    static const struct part parts[] = {
        {"SMS_TaskSequencePackage/ABC00012/object.xml",
         OBJECT("ABC00012", "One", IN_CDATA("<sequence version=\"3.10\">"))},
        {"SMS_TaskSequencePackage/ABC00013/object.xml",
         OBJECT("ABC00013", "Two", IN_CDATA("<sequence version=\"9\"/>"))}};
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf file = BUF_INIT(65536);
    unsigned n_named = 0;

    pack(parts, 2, &file);
    assert_int_equal(ts_container_read(buf_bytes(&file), &imports, &diags), TS_E_MALFORMED);
    for (size_t i = 0; i < diags.n; i++)
        n_named += strstr(diags.items[i].message, "the lines are those of") != NULL;
    assert_int_equal(n_named, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_sequence_is_read),
        cmocka_unit_test(a_sequence_in_yaml_is_read),
        cmocka_unit_test(an_instance_gives_the_sequence_and_what_the_site_said_of_it),
        cmocka_unit_test(an_export_gives_all_its_sequences_and_the_names_of_what_they_need),
        cmocka_unit_test(what_holds_no_whole_sequence_is_refused_with_a_reason),
        cmocka_unit_test(a_part_that_unpacks_to_more_than_the_limit_is_refused),
        cmocka_unit_test(findings_have_the_lines_of_the_file),
        cmocka_unit_test(what_is_wrong_in_several_of_an_export_is_told_together),
    };

    return cmocka_run_group_tests_name("ts/container", tests, NULL, NULL);
}
