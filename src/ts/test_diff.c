/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff.h"

#include "ts/test_ts.h"

#define GROUP(name, inside) "<group name=\"" name "\">" inside "</group>"
#define VAR(name, text)     "<variable name=\"" name "\">" text "</variable>"
#define TYPED(type, name, attributes, variables) \
    "<step type=\"SMS_TaskSequence_" type "Action\" name=\"" name "\" " attributes \
    "><action/><defaultVarList>" variables "</defaultVarList></step>"
#define APPLY(index) TYPED("ApplyOperatingSystem", "Apply", "", VAR("OSDImageIndex", index))

/* The sentences, one per line. */
static void tell(const char *before, const char *after, struct buf *ret)
{
    OWN(ts_document_freep) struct ts_document *a = parse_ok(before);
    OWN(ts_document_freep) struct ts_document *b = parse_ok(after);
    OWN(ts_changes_fini) struct ts_changes changes = {0};

    buf_clear(ret);
    assert_int_equal(ts_diff(a, b, &changes), 0);
    for (size_t i = 0; i < changes.n; i++) {
        assert_non_null(ts_change_name(changes.items[i].kind));
        ts_change_put(&changes.items[i], ret);
        buf_adds(ret, "\n");
    }
}

static void check(const char *before, const char *after, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    tell(before, after, &text);
    assert_string_equal(buf_str(&text), wanted);
}

static void equal_documents_have_no_changes(void **state)
{
    (void)state;
    check(SEQUENCE(GROUP("g", STEP("a", ""))),
          SEQUENCE("\n " GROUP("g", " " STEP("a", "") "\n")),
          "");
    check(SEQUENCE(STEP("a", "")),
          SEQUENCE(STEP("a", "disable=\"false\" continueOnError=\"false\"")),
          "");
}

static void what_is_added_or_removed_is_told_once_with_all_in_it(void **state)
{
    (void)state;
    check(SEQUENCE(STEP("a", "")),
          SEQUENCE(STEP("a", "") GROUP("g", STEP("b", "") STEP("c", ""))),
          "Added group \"g\" with 2 steps\n");
    check(SEQUENCE(GROUP("g", STEP("a", "") STEP("b", ""))),
          SEQUENCE(GROUP("g", STEP("b", ""))),
          "Removed step \"g/a\"\n");
    check(SEQUENCE(""), SEQUENCE(STEP("a", "")), "Added step \"a\" (Run Command Line)\n");
}

static void a_step_is_moved_to_another_group_or_within_its_own(void **state)
{
    (void)state;
    check(SEQUENCE(GROUP("g", STEP("a", "") STEP("x", "")) GROUP("h", STEP("b", ""))),
          SEQUENCE(GROUP("g", STEP("x", "")) GROUP("h", STEP("b", "") STEP("a", ""))),
          "Moved step \"h/a\" from \"g\" to \"h\", behind \"b\"\n");
    check(SEQUENCE(GROUP("g", STEP("a", "")) STEP("b", "")),
          SEQUENCE(STEP("a", "") GROUP("g", "") STEP("b", "")),
          "Moved step \"a\" from \"g\" to the beginning of the task sequence\n");
    check(SEQUENCE(STEP("a", "") STEP("b", "") STEP("c", "") STEP("d", "")),
          SEQUENCE(STEP("b", "") STEP("c", "") STEP("d", "") STEP("a", "")),
          "Moved step \"a\" behind \"d\"\n");
    check(SEQUENCE(GROUP("g", STEP("a", "") STEP("b", "") STEP("c", ""))),
          SEQUENCE(GROUP("g", STEP("c", "") STEP("a", "") STEP("b", ""))),
          "Moved step \"g/c\" to the beginning of \"g\"\n");
    check(
        SEQUENCE(GROUP("g", STEP("a", "") STEP("x", "") STEP("x", "") STEP("b", "") STEP("c", ""))),
        SEQUENCE(GROUP("g", STEP("x", "") STEP("x", "") STEP("a", "") STEP("b", "") STEP("c", ""))),
        "Moved step \"g/a\" behind \"x[2]\"\n");
}

static void of_several_with_one_name_the_one_that_stayed_is_the_same(void **state)
{
    (void)state;
    check(SEQUENCE(GROUP("g", STEP("a", "") STEP("s", "") STEP("b", ""))),
          SEQUENCE(GROUP("g", STEP("s", "") STEP("a", "") STEP("s", "") STEP("b", ""))),
          "Added step \"g/s\" (Run Command Line)\n");
    check(SEQUENCE(STEP("x", "") APPLY("1")),
          SEQUENCE(APPLY("3") STEP("x", "") APPLY("2")),
          "Added step \"Apply\" (Apply Operating System Image)\n"
          "Changed step \"Apply[2]\": Image index from \"1\" to \"2\"\n");
    check(SEQUENCE(STEP("s", "") STEP("a", "") STEP("s", "") STEP("b", "")),
          SEQUENCE(STEP("a", "") STEP("s", "") STEP("b", "")),
          "Removed step \"s\"\n");
}

static void what_has_moved_may_have_changed_too(void **state)
{
    (void)state;
    check(SEQUENCE(GROUP("g", APPLY("1")) GROUP("h", "")),
          SEQUENCE(GROUP("g", "") GROUP("h", APPLY("2"))),
          "Moved step \"h/Apply\" from \"g\" to \"h\"\n"
          "Changed step \"h/Apply\": Image index from \"1\" to \"2\"\n");
}

static void the_same_step_with_another_name_is_renamed(void **state)
{
    (void)state;
    check(SEQUENCE(STEP("a", "") APPLY("1")),
          SEQUENCE(STEP("b", "") APPLY("1")),
          "Renamed step \"a\" to \"b\"\n");
    check(SEQUENCE(GROUP("g", STEP("a", "") STEP("b", ""))),
          SEQUENCE(GROUP("h", STEP("a", "") STEP("c", "description=\"d\""))),
          "Renamed group \"g\" to \"h\"\nRenamed step \"g/b\" to \"c\"\n"
          "Changed step \"h/c\": Description from nothing to \"d\"\n");
}

static void a_property_is_told_by_the_name_people_know(void **state)
{
    (void)state;
    check(SEQUENCE(APPLY("1")),
          SEQUENCE(APPLY("2")),
          "Changed step \"Apply\": Image index from \"1\" to \"2\"\n");
    check(SEQUENCE(STEP("a", "successCodeList=\"0\"")),
          SEQUENCE(STEP("a", "successCodeList=\"0 3010\" timeout=\"900\"")),
          "Changed step \"a\": Success codes from \"0\" to \"0 3010\"\n"
          "Changed step \"a\": Time-out (seconds) from nothing to \"900\"\n");
    check(SEQUENCE(TYPED("PartitionDisk", "d", "", VAR("OSDPartitions0Size", "1"))),
          SEQUENCE(TYPED("PartitionDisk", "d", "", VAR("OSDPartitions0Size", "2"))),
          "Changed step \"d\": OSDPartitions0Size from \"1\" to \"2\"\n");
}

static void long_values_show_the_place_that_differs(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf before = BUF_INIT(8192);
    OWN(buf_fini) struct buf after = BUF_INIT(8192);
    OWN(buf_fini) struct buf text = BUF_INIT(8192);

    buf_adds(&before, "<sequence version=\"3.10\"><step name=\"a\" description=\"");
    for (int i = 0; i < 100; i++)
        buf_adds(&before, "\xc3\xa4.");
    buf_adds(&after, buf_str(&before));
    buf_adds(&before, "old\"/></sequence>");
    buf_adds(&after, "new\"/></sequence>");
    tell(buf_str(&before), buf_str(&after), &text);
    assert_non_null(strstr(buf_str(&text), " from \"..."));
    assert_non_null(strstr(buf_str(&text), ".old\" to \"..."));
    assert_non_null(strstr(buf_str(&text), ".new\"\n"));
}

static void enabling_and_disabling_have_their_own_words(void **state)
{
    (void)state;
    check(
        SEQUENCE(STEP("a", "")), SEQUENCE(STEP("a", "disable=\"true\"")), "Disabled step \"a\"\n");
    check(SEQUENCE(STEP("a", "disable=\"true\"")), SEQUENCE(STEP("a", "")), "Enabled step \"a\"\n");
}

static void a_condition_is_told_as_a_sentence(void **state)
{
    (void)state;
    check(
        SEQUENCE(
            "<group name=\"g\"><condition>" VARIABLE_IS("A", "equals", "1") "</condition></group>"),
        SEQUENCE("<group name=\"g\"><condition><operator type=\"or\">" VARIABLE_IS(
            "A", "equals", "1") "<operator type=\"not\">" WMI
                     VARIABLE_IS("B", "exists", "") "</operator></operator>"
                                                    "</condition></group>"),
        "Changed the condition of group \"g\" from A equals \"1\" to A equals \"1\" or none of (WMI "
        "\"select * from x\" or B exists)\n");
}

static void secrets_are_never_told(void **state)
{
    (void)state;
    check(SEQUENCE(TYPED("JoinDomainWorkgroup", "j", "", VAR("OSDJoinPassword", "old"))),
          SEQUENCE(TYPED("JoinDomainWorkgroup", "j", "", VAR("OSDJoinPassword", "new"))),
          "Changed step \"j\": Password (its value is secret)\n");
    check(SEQUENCE("<step type=\"X\" name=\"j\"><action/><defaultVarList/></step>"),
          SEQUENCE("<step type=\"X\" name=\"j\"><action/><defaultVarList>" VAR(
              "AdminPassword", "new") "</defaultVarList>"
                                      "</step>"),
          "Changed step \"j\": AdminPassword from nothing to \"***\"\n");
}

static void unknown_elements_and_the_sequence_itself_are_compared(void **state)
{
    (void)state;
    check("<sequence version=\"3.00\" name=\"a\"/>",
          "<sequence version=\"3.00\" name=\"b\"/>",
          "Changed the task sequence: Name from \"a\" to \"b\"\n");
    check(SEQUENCE("<step name=\"a\"><alien/></step>"),
          SEQUENCE("<step name=\"a\"><alien x=\"1\"/></step>"),
          "Changed step \"a\": x of element alien from nothing to \"1\"\n");
}

static void a_step_with_another_name_and_other_settings_is_the_same_in_its_place(void **state)
{
    (void)state;
    check(SEQUENCE(STEP("a", "") STEP("b", "") APPLY("1")),
          SEQUENCE(STEP("a", "") STEP("x", "timeout=\"60\"") APPLY("1")),
          "Renamed step \"b\" to \"x\"\n"
          "Changed step \"x\": Time-out (seconds) from nothing to \"60\"\n");
    check(SEQUENCE(STEP("a", "") STEP("b", "") APPLY("1")),
          SEQUENCE(STEP("a", "") APPLY("1") STEP("x", "timeout=\"60\"")),
          "Removed step \"b\"\n"
          "Added step \"x\" (Run Command Line)\n");
}

static void the_success_codes_are_told_once(void **state)
{
    (void)state;
    check(SEQUENCE(TYPED("RunCommandLine", "a", "successCodeList=\"0\"", VAR("SuccessCodes", "0"))),
          SEQUENCE(
              TYPED("RunCommandLine", "a", "successCodeList=\"0 5\"", VAR("SuccessCodes", "0 5"))),
          "Changed step \"a\": Success codes from \"0\" to \"0 5\"\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_with_another_name_and_other_settings_is_the_same_in_its_place),
        cmocka_unit_test(the_success_codes_are_told_once),
        cmocka_unit_test(equal_documents_have_no_changes),
        cmocka_unit_test(what_is_added_or_removed_is_told_once_with_all_in_it),
        cmocka_unit_test(a_step_is_moved_to_another_group_or_within_its_own),
        cmocka_unit_test(of_several_with_one_name_the_one_that_stayed_is_the_same),
        cmocka_unit_test(what_has_moved_may_have_changed_too),
        cmocka_unit_test(the_same_step_with_another_name_is_renamed),
        cmocka_unit_test(a_property_is_told_by_the_name_people_know),
        cmocka_unit_test(long_values_show_the_place_that_differs),
        cmocka_unit_test(enabling_and_disabling_have_their_own_words),
        cmocka_unit_test(a_condition_is_told_as_a_sentence),
        cmocka_unit_test(secrets_are_never_told),
        cmocka_unit_test(unknown_elements_and_the_sequence_itself_are_compared),
    };

    return cmocka_run_group_tests_name("ts/diff", tests, NULL, NULL);
}
