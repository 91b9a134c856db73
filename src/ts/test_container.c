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

enum {
    TEXT_MAX_BYTES = 1024 * 1024,
};

struct part {
    const char *name;
    const char *text;
};

static uint8_t zip_place[4 * 1024 * 1024];

static void read_ok(struct bytes file, struct ts_imports *ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_container_read(file, ret, &diags), 0);
    assert_false(ts_diags_has_error(&diags));
}

static void pack(const struct part *parts, size_t n, struct buf *ret)
{
    struct archive *zip = archive_write_new();
    size_t used = 0;

    assert_int_equal(archive_write_set_format_zip(zip), ARCHIVE_OK);
    assert_int_equal(archive_write_open_memory(zip, zip_place, sizeof(zip_place), &used),
                     ARCHIVE_OK);
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
    buf_add(ret, (struct bytes){zip_place, used});
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

static void a_sequence_in_yaml_of_utf16_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *before; /* the mark */
        size_t n_before;
        bool is_big;
    } cases[] = {
        {"\xff\xfe", 2, false},
        {"\xfe\xff", 2, true},
        {"", 0, false},
        {"", 0, true},
    };
    static const char yaml[] = "\r\nsequence: \"3.00\"\r\nname: N\r\nsteps:\r\n  - step: a\r\n";

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_imports_fini) struct ts_imports imports = {0};
        OWN(buf_fini) struct buf file = BUF_INIT(TEXT_MAX_BYTES);

        buf_add(&file, (struct bytes){(const uint8_t *)cases[i].before, cases[i].n_before});
        for (size_t k = 0; yaml[k]; k++) {
            const uint8_t unit[] = {cases[i].is_big ? 0 : (uint8_t)yaml[k],
                                    cases[i].is_big ? (uint8_t)yaml[k] : 0};

            buf_add(&file, (struct bytes){unit, sizeof(unit)});
        }
        read_ok(buf_bytes(&file), &imports);
        assert_int_equal(imports.n, 1);
        assert_string_equal(imports.items[0].name, "N");
    }
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
    for (size_t i = 0; i < diags.n; i++)
        assert_true(diags.items[i].line > 0 && diags.items[i].column > 0);
}

/* The only finding. */
static void refused_at(struct bytes file, unsigned line, unsigned column, const char *wanted)
{
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_container_read(file, &imports, &diags), TS_E_MALFORMED);
    assert_int_equal(diags.n, 1);
    assert_string_equal(diags.items[0].message, wanted);
    assert_int_equal(diags.items[0].line, line);
    assert_int_equal(diags.items[0].column, column);
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
    text.ptr[TS_PART_MAX_BYTES - 3] = '\n';
    buf_clear(&file);
    pack(&bomb, 1, &file);
    refused_at(
        buf_bytes(&file),
        2,
        3,
        "SMS_TaskSequencePackage/X/object.xml: too many bytes unpacked; the limit is 8388608");
}

static void a_file_that_is_too_large_is_refused_at_its_beginning(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf file = BUF_INIT(TS_FILE_MAX_BYTES + 1);
    static uint8_t blank[1024 * 1024];

    memset(blank, ' ', sizeof(blank));
    while (file.len < TS_FILE_MAX_BYTES)
        buf_add(&file, (struct bytes){blank, sizeof(blank)});
    buf_adds(&file, "x");
    refused_at(buf_bytes(&file), 1, 1, "the file has too many bytes; the limit is 16777216");
}

static void too_many_sequences_are_told_where_the_first_of_them_is(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    OWN(buf_fini) struct buf whole = BUF_INIT(65536);
    OWN(buf_fini) struct buf file = BUF_INIT(65536);

    buf_adds(&text, "<a>\n");
    for (int i = 0; i < TS_IMPORTS_MAX; i++)
        buf_adds(&text, "<b><![CDATA[<sequence version=\"3.10\"/>]]></b>\n");

    buf_addf(&whole, "%s</a>", buf_str(&text));

    const struct part parts[] = {{"more.xml", buf_str(&whole)},
                                 {"x/another.xml", "<c> <sequence version=\"3.10\"/></c>"},
                                 {"x/third.xml", "<c> <sequence version=\"3.10\"/></c>"}};

    pack(parts, 3, &file);
    refused_at(buf_bytes(&file),
               1,
               29,
               "x/another.xml: there are too many task sequences; the limit is 256");
    buf_adds(&text, "<b>\n\n <![CDATA[ <sequence version=\"3.10\"/>]]></b></a>");
    refused_at(buf_bytes(&text),
               TS_IMPORTS_MAX + 4,
               12,
               "there are too many task sequences; the limit is 256");
}

static void too_many_files_are_told_with_the_name_of_the_first_of_them(void **state)
{
    (void)state;
    OWN(freep) struct part *parts = calloc(TS_PARTS_MAX + 2, sizeof(*parts));
    OWN(buf_fini) struct buf file = BUF_INIT(sizeof(zip_place));

    for (size_t i = 0; i < TS_PARTS_MAX + 2; i++)
        parts[i] = (struct part){i == TS_PARTS_MAX ? "last" : "a", ""};
    pack(parts, TS_PARTS_MAX + 2, &file);
    refused_at(
        buf_bytes(&file), 1, 1, "last: there are too many files in the .zip; the limit is 20000");
}

static void damage_is_told_with_the_file_and_where_it_begins(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf file = BUF_INIT(TEXT_MAX_BYTES);
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    static const char begin[] = "x/object.xml: it cannot be unpacked from here on: ";

    for (unsigned i = 0; i < 20000; i++)
        buf_addf(&text, "%u\n", i * i * 2654435761U);

    const struct part part = {"x/object.xml", buf_str(&text)};

    pack(&part, 1, &file);
    file.len /= 2;
    assert_int_equal(ts_container_read(buf_bytes(&file), &imports, &diags), TS_E_MALFORMED);
    assert_int_equal(diags.n, 1);
    assert_int_equal(strncmp(diags.items[0].message, begin, strlen(begin)), 0);
    assert_true(diags.items[0].line > 5000 && diags.items[0].line < 15000);
}

static void findings_have_the_lines_of_the_file(void **state)
{
    (void)state;
    static const char *const inside[] = {
        IN_CDATA("\n<sequence version=\"3.10\">\n<step type=\"odd\" name=\"x\"/></sequence>"),
        "<sequence  version=\"3.10\">\n\n<step type=\"odd\" name=\"x\"/></sequence>"};

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
        assert_int_equal(diags.items[0].column, 26);
        assert_int_equal(ts_document_steps(imports.items[0].doc, &n)[0].item.line, 5);
    }
}

static void
findings_on_the_line_where_the_sequence_begins_have_the_columns_of_the_file(void **state)
{
    (void)state;
    static const char *const files[] = {
        "<a><b><![CDATA[ <sequence version=\"3.10\"><step type=\"odd\" name=\"x\"/></sequence>]]></b></a>",
        "<a><b>    <sequence   version = \"3.10\"  ><step type=\"odd\"  name=\"x\"/></sequence></b></a>",
    };

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        OWN(ts_imports_fini) struct ts_imports imports = {0};
        OWN(ts_diags_fini) struct ts_diags diags = {0};

        read_ok(bytes_of(files[i]), &imports);
        assert_int_equal(ts_validate(imports.items[0].doc, &diags), 0);
        assert_int_equal(diags.n, 1);
        assert_int_equal(diags.items[0].line, 1);
        assert_int_equal(diags.items[0].column, strstr(files[i], "/></sequence>") - files[i] + 1);
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
    unsigned n_second = 0;

    pack(parts, 2, &file);
    assert_int_equal(ts_container_read(buf_bytes(&file), &imports, &diags), TS_E_MALFORMED);
    assert_true(diags.n >= 2);
    for (size_t i = 0; i < diags.n; i++) {
        bool is_second = strstr(diags.items[i].message, "/ABC00013/object.xml: ") != NULL;

        n_second += is_second;
        assert_true(is_second || strstr(diags.items[i].message, "/ABC00012/object.xml: "));
        assert_true(diags.items[i].line > 0 && diags.items[i].column > 0);
    }
    assert_int_equal(n_second, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_sequence_is_read),
        cmocka_unit_test(a_sequence_in_yaml_is_read),
        cmocka_unit_test(a_sequence_in_yaml_of_utf16_is_read),
        cmocka_unit_test(an_instance_gives_the_sequence_and_what_the_site_said_of_it),
        cmocka_unit_test(an_export_gives_all_its_sequences_and_the_names_of_what_they_need),
        cmocka_unit_test(what_holds_no_whole_sequence_is_refused_with_a_reason),
        cmocka_unit_test(a_part_that_unpacks_to_more_than_the_limit_is_refused),
        cmocka_unit_test(a_file_that_is_too_large_is_refused_at_its_beginning),
        cmocka_unit_test(too_many_sequences_are_told_where_the_first_of_them_is),
        cmocka_unit_test(too_many_files_are_told_with_the_name_of_the_first_of_them),
        cmocka_unit_test(damage_is_told_with_the_file_and_where_it_begins),
        cmocka_unit_test(findings_have_the_lines_of_the_file),
        cmocka_unit_test(
            findings_on_the_line_where_the_sequence_begins_have_the_columns_of_the_file),
        cmocka_unit_test(what_is_wrong_in_several_of_an_export_is_told_together),
    };

    return cmocka_run_group_tests_name("ts/container", tests, NULL, NULL);
}
