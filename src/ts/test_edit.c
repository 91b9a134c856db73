/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/edit.h"

#include "ts/step_types.h"
#include "ts/test_ts.h"

#define GROUP(name, inside) "<group name=\"" name "\">" inside "</group>"
#define VAR(name, text)     "<variable name=\"" name "\">" text "</variable>"
#define S(name)             "<step name=\"" name "\"></step>"

static int try_edit(const char *xml, const struct ts_operation *op, struct buf *ret)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_document_freep) struct ts_document *edited = NULL;
    int r;

    buf_clear(ret);
    r = ts_edit(doc, op, &edited, ret);
    if (r == 0)
        assert_int_equal(ts_document_canonical(edited, ret), 0);
    assert_true(r == 0 || ret->len > 0);
    return r;
}

static void edit_is(const char *xml, struct ts_operation op, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    if (try_edit(xml, &op, &text) != 0)
        fail_msg("%s", buf_str(&text));
    assert_string_equal(buf_str(&text), wanted);
}

static void edit_has(const char *xml, struct ts_operation op, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    if (try_edit(xml, &op, &text) != 0 || !strstr(buf_str(&text), wanted))
        fail_msg("%s lacks %s", buf_str(&text), wanted);
}

static void edit_refuses(const char *xml, struct ts_operation op)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(try_edit(xml, &op, &text), TS_EDIT_E_REFUSED);
}

static void a_step_is_moved_before_after_and_into_groups(void **state)
{
    (void)state;
    static const char xml[] = SEQUENCE(S("a") GROUP("g", S("b") S("c")) S("d"));

    edit_is(xml,
            (struct ts_operation){TS_OP_MOVE, .path = "d", .where = TS_BEFORE, .target = "a"},
            SEQUENCE(S("d") S("a") GROUP("g", S("b") S("c"))));
    edit_is(xml,
            (struct ts_operation){TS_OP_MOVE, .path = "a", .where = TS_AFTER, .target = "g/b"},
            SEQUENCE(GROUP("g", S("b") S("a") S("c")) S("d")));
    edit_is(xml,
            (struct ts_operation){TS_OP_MOVE, .path = "d", .where = TS_FIRST_IN, .target = "g"},
            SEQUENCE(S("a") GROUP("g", S("d") S("b") S("c"))));
    edit_is(xml,
            (struct ts_operation){TS_OP_MOVE, .path = "2.1", .where = TS_LAST_IN},
            SEQUENCE(S("a") GROUP("g", S("c")) S("d") S("b")));
    edit_is(xml,
            (struct ts_operation){TS_OP_MOVE, .path = "a", .where = TS_BEFORE, .target = "a"},
            xml);
    edit_refuses(
        xml, (struct ts_operation){TS_OP_MOVE, .path = "g", .where = TS_LAST_IN, .target = "g"});
    edit_refuses(
        xml, (struct ts_operation){TS_OP_MOVE, .path = "a", .where = TS_LAST_IN, .target = "d"});
    edit_refuses(xml, (struct ts_operation){TS_OP_MOVE, .path = "x", .where = TS_LAST_IN});
    edit_refuses(xml, (struct ts_operation){TS_OP_MOVE, .path = "a", .where = TS_AFTER});
}

static void white_space_goes_with_a_step(void **state)
{
    (void)state;
    edit_is(
        "<sequence version=\"3.10\">\n  <step name=\"a\"></step>\n  <step name=\"b\"></step>\n</sequence>",
        (struct ts_operation){TS_OP_MOVE, .path = "a", .where = TS_LAST_IN},
        "<sequence version=\"3.10\">\n  <step name=\"b\"></step>\n  <step name=\"a\"></step>\n</sequence>");
}

static void a_copy_may_have_another_name(void **state)
{
    (void)state;
    edit_is(SEQUENCE(GROUP("g", S("a"))),
            (struct ts_operation){
                TS_OP_COPY, .path = "g", .where = TS_AFTER, .target = "g", .name = "h"},
            SEQUENCE(GROUP("g", S("a")) GROUP("h", S("a"))));
    edit_is(SEQUENCE(S("a")),
            (struct ts_operation){TS_OP_COPY, .path = "a", .where = TS_FIRST_IN},
            SEQUENCE(S("a") S("a")));
}

static void a_step_is_enabled_and_disabled(void **state)
{
    (void)state;
    edit_is(SEQUENCE(S("a")),
            (struct ts_operation){TS_OP_DISABLE, .path = "a"},
            SEQUENCE("<step disable=\"true\" name=\"a\"></step>"));
    edit_is(SEQUENCE("<step disable=\"true\" name=\"a\"></step>"),
            (struct ts_operation){TS_OP_ENABLE, .path = "a"},
            SEQUENCE(S("a")));
    edit_is("<sequence version=\"3.00\"><step disable=\"true\" name=\"a\"></step></sequence>",
            (struct ts_operation){TS_OP_ENABLE, .path = "a"},
            "<sequence version=\"3.00\"><step disable=\"false\" name=\"a\"></step></sequence>");
}

static void what_is_removed_takes_its_references_with_it(void **state)
{
    (void)state;
    static const char step[] =
        "<step name=\"a\" type=\"SMS_TaskSequence_InstallSoftwareAction\"><defaultVarList>" VAR(
            "PackageID", "SLP00001") "</defaultVarList></step>";
    OWN(buf_fini) struct buf one = BUF_INIT(4096);
    OWN(buf_fini) struct buf two = BUF_INIT(4096);

    buf_addf(
        &one,
        SEQUENCE(
            "<referenceList><reference package=\"SLP00001\"></reference><reference package=\"SLP00002\">"
            "</reference></referenceList>%s"),
        step);
    buf_addf(
        &two,
        SEQUENCE("<referenceList><reference package=\"SLP00001\"></reference></referenceList>%s%s"),
        step,
        step);
    edit_is(
        buf_str(&one),
        (struct ts_operation){TS_OP_REMOVE, .path = "a"},
        SEQUENCE("<referenceList><reference package=\"SLP00002\"></reference></referenceList>"));
    edit_has(
        buf_str(&two), (struct ts_operation){TS_OP_REMOVE, .path = "a"}, "package=\"SLP00001\"");
}

static struct ts_operation setting(const char *name, const char *value)
{
    static struct ts_assignment place;

    place = (struct ts_assignment){name, value};
    return (struct ts_operation){TS_OP_SET, .path = "a", .assignments = &place, .n_assignments = 1};
}

static void a_time_out_is_set_from_1_to_999_minutes_and_0_is_none(void **state)
{
    (void)state;
    static const char xml[] = SEQUENCE(
        "<step name=\"a\" type=\"SMS_TaskSequence_RunCommandLineAction\"><action>x</action>"
        "<defaultVarList/></step>");

    edit_has(xml, setting("timeout", "1"), "timeout=\"60\"");
    edit_has(xml, setting("timeout", "999"), "timeout=\"59940\"");
    edit_has(xml, setting("timeout", "0"), "timeout=\"0\"");
    edit_refuses(xml, setting("timeout", "1000"));
    edit_refuses(xml, setting("timeout", "-1"));
    edit_refuses(xml, setting("timeout", "1.5"));
}

static void settings_become_attributes_variables_and_the_command(void **state)
{
    (void)state;
    static const char xml[] =
        SEQUENCE("<step name=\"a\" type=\"SMS_TaskSequence_RunCommandLineAction\"><action/>"
                 "<defaultVarList/></step>");

    edit_has(xml, setting("description", "d &"), "description=\"d &amp;\"");
    edit_has(xml, setting("continue-on-error", "True"), "continueOnError=\"true\"");
    edit_has(xml, setting("timeout", "15"), "timeout=\"900\"");
    edit_has(xml, setting("retry", "3"), "retryCount=\"3\"");
    edit_has(xml, setting("run-in", "WinPE"), "runIn=\"WinPE\"");
    edit_has(xml, setting("success-codes", "0 5"), "successCodeList=\"0 5\"");
    edit_has(
        xml,
        setting("success-codes", "0 5"),
        "<variable hidden=\"true\" name=\"SuccessCodes\" property=\"SuccessCodes\">0 5</variable>");
    edit_has(xml, setting("command-line", "a <b"), "<action>smsswd.exe /run: a &lt;b</action>");
    edit_has(
        xml,
        setting("output-variable", "X"),
        "<variable name=\"SMSTSRunCommandLineOutputVariableName\" property=\"OutputVariableName\">X</variable>");
    edit_has(xml, setting("start-in", "/x"), "property=\"WorkingDirectory\">/x<");
    edit_has(
        xml, setting("package", "SLP00009"), "<referenceList><reference package=\"SLP00009\">");
    edit_has(xml,
             setting("UserName", "u"),
             "name=\"SMSTSRunCommandLineUserName\" property=\"UserName\"");
    edit_refuses(xml, setting("timeout", "long"));
    edit_refuses(xml, setting("timeout", "1000"));
    edit_refuses(xml, setting("run-in", "Moon"));
    edit_refuses(xml, setting("continue-on-error", "perhaps"));
    edit_refuses(xml, setting("ImageIndex", "1"));
    edit_refuses(xml, setting("name", ""));
}

static void elements_of_arrays_are_set_by_their_number(void **state)
{
    (void)state;
    static const char xml[] =
        SEQUENCE("<step name=\"a\" type=\"SMS_TaskSequence_PartitionDiskAction\"/>");

    edit_has(xml,
             setting("Partitions12Size", "5"),
             "<variable name=\"OSDPartitions12Size\" property=\"Partitions12Size\">5</variable>");
    edit_has(xml, setting("OSDPartitions0Type", "EFI"), "property=\"Partitions0Type\">EFI<");
}

static void a_setting_set_to_nothing_is_taken_away(void **state)
{
    (void)state;
    edit_is(
        SEQUENCE("<step name=\"a\" timeout=\"60\" type=\"X\"><defaultVarList>" VAR(
            "V", "1") "</defaultVarList></step>"),
        setting("V", ""),
        SEQUENCE(
            "<step name=\"a\" timeout=\"60\" type=\"X\"><defaultVarList></defaultVarList></step>"));
    edit_has(SEQUENCE("<step name=\"a\" timeout=\"60\" type=\"X\"/>"),
             setting("timeout", ""),
             "<step name=\"a\" type=\"X\">");
}

static void a_condition_is_a_sentence_or_xml(void **state)
{
    (void)state;
    static const char group[] = SEQUENCE(GROUP("a", S("b")));

    edit_is(group,
            setting("condition", "_SMSTSInWinPE equals false"),
            SEQUENCE(GROUP("a",
                           "<condition>" VARIABLE_IS(
                               "_SMSTSInWinPE", "equals", "false") "</condition>" S("b"))));
    edit_has(group, setting("condition", "A exists"), ">exists<");
    edit_has(group,
             setting("condition", "WMI select * from Win32_Battery"),
             "<variable name=\"Query\">select * from Win32_Battery</variable>");
    edit_has(group,
             setting("condition", "<operator type=\"or\"/>"),
             "<condition><operator type=\"or\"></operator></condition>");
    edit_is(SEQUENCE("<group name=\"a\"><condition></condition></group>"),
            setting("condition", ""),
            SEQUENCE("<group name=\"a\"></group>"));
    edit_refuses(group, setting("condition", "A resembles B"));
    edit_refuses(group, setting("condition", "<operator"));
    edit_refuses(group, setting("timeout", "1"));
}

static void a_new_step_has_what_its_type_wants(void **state)
{
    (void)state;
    static const struct ts_assignment assignments[] = {{"Target", "HD"}};

    edit_is(
        SEQUENCE(GROUP("g", "")),
        (struct ts_operation){TS_OP_ADD,
                              .where = TS_LAST_IN,
                              .target = "g",
                              .type = "restart computer",
                              .name = "R",
                              .assignments = assignments,
                              .n_assignments = 1},
        SEQUENCE(GROUP(
            "g",
            "<step description=\"\" name=\"R\" retryCount=\"0\" runFromNet=\"false\" "
            "runIn=\"WinPEandFullOS\" successCodeList=\"0\" type=\"SMS_TaskSequence_RebootAction\">"
            "<action>smsboot.exe /target:HD</action><defaultVarList><variable "
            "name=\"SMSRebootTimeout\" property=\"MessageTimeout\">60</variable><variable "
            "hidden=\"true\" name=\"SMSRebootTarget\" property=\"Target\">HD</variable>"
            "</defaultVarList></step>")));
    edit_has(SEQUENCE(""),
             (struct ts_operation){TS_OP_ADD, .type = "group"},
             "<group description=\"\" name=\"New group\">");
    edit_has(SEQUENCE(""),
             (struct ts_operation){TS_OP_ADD, .type = "Run Task Sequence"},
             "<subtasksequence description=\"\" name=\"Run Task Sequence\"");
    edit_refuses(SEQUENCE(""), (struct ts_operation){TS_OP_ADD, .type = "Dance"});
}

static void every_type_of_step_can_be_added(void **state)
{
    (void)state;
    const struct ts_step_type *type;

    for (size_t i = 0; (type = ts_step_type_at(i)) != NULL; i++)
        edit_has(SEQUENCE(""), (struct ts_operation){TS_OP_ADD, .type = type->type}, type->type);
}

static void a_name_over_the_limit_is_refused(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf name = BUF_INIT(4096);

    for (int i = 0; i <= TS_NAME_MAX; i++)
        buf_adds(&name, "x");
    edit_refuses(SEQUENCE(S("a")), setting("name", buf_str(&name)));
}

static void a_mapping_replaces_every_reference(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(
        SEQUENCE("<referenceList><reference package=\"A1\"/></referenceList><step name=\"a\">"
                 "<action>x /run:A1 A12</action><defaultVarList>" VAR("P", "A1")
                     VAR("Q", "A1 too") "</defaultVarList></step>"));
    OWN(ts_document_freep) struct ts_document *mapped = NULL;
    OWN(ts_document_freep) struct ts_document *none = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    static const struct ts_mapping good[] = {{"A1", "B2"}};
    static const struct ts_mapping bad[] = {{"A1", "B2"}, {"C3", "D4"}};

    assert_int_equal(ts_edit_map(doc, good, 1, &mapped, &why), 0);
    assert_int_equal(ts_document_canonical(mapped, &text), 0);
    assert_string_equal(
        buf_str(&text),
        SEQUENCE(
            "<referenceList><reference package=\"B2\"></reference></referenceList><step name=\"a\">"
            "<action>x /run:B2 A12</action><defaultVarList>" VAR("P", "B2")
                VAR("Q", "A1 too") "</defaultVarList></step>"));
    assert_int_equal(ts_edit_map(doc, bad, 2, &none, &why), TS_EDIT_E_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_moved_before_after_and_into_groups),
        cmocka_unit_test(white_space_goes_with_a_step),
        cmocka_unit_test(a_copy_may_have_another_name),
        cmocka_unit_test(a_step_is_enabled_and_disabled),
        cmocka_unit_test(what_is_removed_takes_its_references_with_it),
        cmocka_unit_test(a_time_out_is_set_from_1_to_999_minutes_and_0_is_none),
        cmocka_unit_test(settings_become_attributes_variables_and_the_command),
        cmocka_unit_test(elements_of_arrays_are_set_by_their_number),
        cmocka_unit_test(a_setting_set_to_nothing_is_taken_away),
        cmocka_unit_test(a_condition_is_a_sentence_or_xml),
        cmocka_unit_test(a_new_step_has_what_its_type_wants),
        cmocka_unit_test(every_type_of_step_can_be_added),
        cmocka_unit_test(a_name_over_the_limit_is_refused),
        cmocka_unit_test(a_mapping_replaces_every_reference),
    };

    return cmocka_run_group_tests_name("ts/edit", tests, NULL, NULL);
}
