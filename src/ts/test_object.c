/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/object.h"

#include "ts/container.h"
#include "ts/container_put.h"
#include "ts/test_ts.h"

#define PROPERTY(name, value) \
    "<PROPERTY NAME=\"" name \
    "\" CLASSORIGIN=\"SMS_X\"><QUALIFIER NAME=\"CIMTYPE\"><VALUE>q</VALUE>" \
    "</QUALIFIER><VALUE>" value "</VALUE></PROPERTY>\n"
#define REFERENCE(id, program) \
    "<VALUE.OBJECT><INSTANCE CLASSNAME=\"SMS_TaskSequence_Reference\"><PROPERTY NAME=\"Package\"><VALUE>" id \
    "</VALUE></PROPERTY><PROPERTY NAME=\"Program\"><VALUE>" program \
    "</VALUE></PROPERTY></INSTANCE></VALUE.OBJECT>"
#define RUN_PACKAGE(id) \
    SEQUENCE( \
        "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\"><defaultVarList><variable " \
        "name=\"PackageID\">" id "</variable></defaultVarList></step>")

static const char object[] = "<INSTANCE CLASSNAME=\"SMS_TaskSequencePackage\">\n" PROPERTY(
    "__PATH", "root:SMS_TaskSequencePackage.PackageID=&quot;ABC00007&quot;")
    PROPERTY("BootImageID", "ABC00001") PROPERTY("Category", "Lab &amp; desk") PROPERTY(
        "CustomProgressMsg", "") PROPERTY("Duration", "360") PROPERTY("Name", "Old")
        PROPERTY("PackageID", "ABC00007") PROPERTY(
            "ServicePassword",
            "hunter2") "<PROPERTY.ARRAY NAME=\"Odd\"><VALUE.ARRAY><VALUE>1</VALUE><VALUE>2</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>"
                       "<PROPERTY.OBJECTARRAY NAME=\"References\"><VALUE.OBJECTARRAY>" REFERENCE(
                           "ABC00005", "Setup")
                           REFERENCE("ABC00006", "*") "</VALUE.OBJECTARRAY></PROPERTY.OBJECTARRAY>" PROPERTY("ReferencesCount", "2") "<PROPERTY NAME=\"Sequence\"><VALUE><![CDATA[" RUN_PACKAGE(
                               "ABC00005") "]]></VALUE></PROPERTY>" PROPERTY("TsEnabled",
                                                                             "TRUE") "</INSTANCE>";

/* @object_text: the template of what @text is the object.xml of; owned by the caller. */
static char *take(const char *text)
{
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_container_read(bytes_of(text), &imports, &diags), 0);
    assert_int_equal(imports.n, 1);
    return strdup(imports.items[0].object);
}

static void put(const char *template, const char *sequence, struct buf *ret)
{
    static const struct ts_export_reference references[] = {
        {TS_EXPORT_PACKAGE, "ABC00005", "Five", ""},
        {TS_EXPORT_PACKAGE, "SLP00009", "Nine", ""},
        {TS_EXPORT_BOOT_IMAGE, "SLP00001", "Boot", ""},
    };
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(sequence);
    const struct ts_export item = {
        .id = "SLP00003",
        .name = "New <name>",
        .description = "about it",
        .boot_image_id = "SLP00001",
        .is_disabled = true,
        .object = template,
        .doc = doc,
        .references = references,
        .n_references = sizeof(references) / sizeof(references[0]),
    };

    assert_int_equal(ts_object_put(&item, sequence, ret), 0);
    assert_false(ret->failed);
}

static void assert_has(const struct buf *text, const char *part)
{
    if (!strstr(buf_str(text), part))
        fail_msg("\"%s\" is not in: %s", part, buf_str(text));
}

static void assert_lacks(const struct buf *text, const char *part)
{
    if (strstr(buf_str(text), part))
        fail_msg("\"%s\" is in: %s", part, buf_str(text));
}

static void what_is_not_ours_is_written_again(void **state)
{
    (void)state;
    OWN(freep) char *template = take(object);
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    put(template, RUN_PACKAGE("ABC00005"), &text);
    assert_has(&text, PROPERTY("Category", "Lab &amp; desk"));
    assert_has(&text, PROPERTY("CustomProgressMsg", ""));
    assert_has(&text, PROPERTY("Duration", "360"));
    assert_has(&text, "<PROPERTY.ARRAY NAME=\"Odd\"><VALUE.ARRAY><VALUE>1</VALUE><VALUE>2</VALUE>");
}

static void what_is_ours_takes_its_place(void **state)
{
    (void)state;
    OWN(freep) char *template = take(object);
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    put(template, RUN_PACKAGE("ABC00005"), &text);
    assert_has(&text, PROPERTY("Name", "New &lt;name&gt;"));
    assert_has(&text, PROPERTY("PackageID", "SLP00003"));
    assert_has(&text, PROPERTY("BootImageID", "SLP00001"));
    assert_has(&text, PROPERTY("TsEnabled", "FALSE"));
    assert_has(&text, "<PROPERTY NAME=\"Description\" TYPE=\"string\"><VALUE>about it</VALUE>");
    assert_has(&text, "PackageID=\"SLP00003\"");
    assert_has(&text, "<![CDATA[" RUN_PACKAGE("ABC00005") "]]>");
}

static void references_that_are_gone_go_and_the_others_stay_as_they_are(void **state)
{
    (void)state;
    OWN(freep) char *template = take(object);
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    put(template, RUN_PACKAGE("ABC00005"), &text);
    assert_has(&text, REFERENCE("ABC00005", "Setup"));
    assert_has(&text, "<VALUE>SLP00009</VALUE>");
    assert_lacks(&text, "ABC00006");
    assert_has(&text, PROPERTY("ReferencesCount", "2"));
}

static void a_template_has_neither_the_sequence_nor_a_secret(void **state)
{
    (void)state;
    OWN(freep) char *template = take(object);

    assert_null(strstr(template, "RunCommandLine"));
    assert_null(strstr(template, "hunter2"));
    assert_non_null(strstr(template, "ServicePassword"));
}

static void a_property_that_is_too_large_is_left_out_alone(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf large = BUF_INIT(4 * (size_t)TS_OBJECT_PART_MAX_BYTES);
    OWN(freep) char *template = NULL;

    buf_adds(&large,
             "<INSTANCE><PROPERTY NAME=\"Category\"><VALUE>kept</VALUE></PROPERTY>"
             "<PROPERTY NAME=\"Icon\"><VALUE>");
    for (size_t i = 0; i < TS_OBJECT_PART_MAX_BYTES; i++)
        buf_adds(&large, "A");
    buf_adds(&large,
             "</VALUE></PROPERTY><PROPERTY NAME=\"Sequence\"><VALUE><![CDATA["
             "<sequence version=\"3.10\"/>]]></VALUE></PROPERTY></INSTANCE>");
    assert_false(large.failed);
    template = take(buf_str(&large));
    assert_non_null(strstr(template, "kept"));
    assert_null(strstr(template, "Icon"));
}

static void a_sequence_that_is_no_property_has_no_template(void **state)
{
    (void)state;
    OWN(freep) char *bare = take("<sequence version=\"3.10\"/>");
    OWN(freep)
    char *wrapped = take("<SmsTaskSequencePackage><PackageID>ABC00007</PackageID><SequenceData>"
                         "<sequence version=\"3.10\"/></SequenceData></SmsTaskSequencePackage>");

    assert_string_equal(bare, "");
    assert_string_equal(wrapped, "");
}

static void without_a_template_everything_is_there_that_a_console_asks_for(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    put("", RUN_PACKAGE("ABC00005"), &text);
    assert_has(&text, "<PROPERTY NAME=\"PackageType\" TYPE=\"uint32\">\n    <VALUE>4</VALUE>");
    assert_has(&text,
               "<PROPERTY NAME=\"Name\" TYPE=\"string\">\n    <VALUE>New &lt;name&gt;</VALUE>");
    assert_has(&text, "<VALUE>ABC00005</VALUE>");
}

static void the_end_of_a_text_within_the_sequence_does_not_end_it(void **state)
{
    (void)state;
    static const char sequence[] =
        SEQUENCE("<step type=\"x\" name=\"&lt;]]&gt;\"><a><![CDATA[x]]></a></step>");
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    put("", sequence, &text);
    assert_int_equal(ts_container_read(buf_bytes(&text), &imports, &diags), 0);
    assert_int_equal(imports.n, 1);
    assert_string_equal(imports.items[0].name, "New <name>");
}

static void a_property_of_the_template_can_be_asked_for(void **state)
{
    (void)state;
    OWN(freep) char *template = take(object);
    OWN(buf_fini) struct buf text = BUF_INIT(1024);

    assert_int_equal(ts_object_text(template, "Category", &text), 0);
    assert_string_equal(buf_str(&text), "Lab & desk");
    buf_clear(&text);
    assert_int_equal(ts_object_text(template, "CustomProgressMsg", &text), 0);
    assert_int_equal(ts_object_text(template, "NoSuchThing", &text), 0);
    assert_int_equal(ts_object_text("", "Category", &text), 0);
    assert_int_equal(ts_object_text("<broken", "Category", &text), 0);
    assert_string_equal(buf_str(&text), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_property_of_the_template_can_be_asked_for),
        cmocka_unit_test(what_is_not_ours_is_written_again),
        cmocka_unit_test(what_is_ours_takes_its_place),
        cmocka_unit_test(references_that_are_gone_go_and_the_others_stay_as_they_are),
        cmocka_unit_test(a_template_has_neither_the_sequence_nor_a_secret),
        cmocka_unit_test(a_property_that_is_too_large_is_left_out_alone),
        cmocka_unit_test(a_sequence_that_is_no_property_has_no_template),
        cmocka_unit_test(without_a_template_everything_is_there_that_a_console_asks_for),
        cmocka_unit_test(the_end_of_a_text_within_the_sequence_does_not_end_it),
    };

    return cmocka_run_group_tests_name("ts/object", tests, NULL, NULL);
}
