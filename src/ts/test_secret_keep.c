/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret.h"

#include "ts/diff.h"
#include "ts/test_ts.h"

#define VAR(name, text) "<variable name=\"" name "\">" text "</variable>"
#define TYPED(type, name, action, variables) \
    "<step type=\"SMS_TaskSequence_" type "Action\" name=\"" name "\"><action>" action \
    "</action><defaultVarList>" variables "</defaultVarList></step>"
#define CONNECT(name, account, password) \
    TYPED("ConnectNetworkFolder", \
          name, \
          "smsnetuse.exe %SMSConnectNetworkFolderPath%", \
          VAR("SMSConnectNetworkFolderPath", "\\\\s\\x") \
              VAR("SMSConnectNetworkFolderAccount", account) \
                  VAR("SMSConnectNetworkFolderPassword", password))
#define SET(name, hides, value) \
    TYPED("SetVariable", \
          "set", \
          "tsenv.exe &quot;" name "=" value "&quot;", \
          VAR("DoNotShowVariableValue", hides) VAR("VariableName", name) \
              VAR("VariableValue", value))
#define RULE(asset, variables) \
    "&lt;Rule>&lt;condition>" asset "&lt;/condition>&lt;Variables>" variables \
    "&lt;/Variables>&lt;/Rule>"
#define RULE_VARIABLE(name, secret, value) \
    "&lt;Variable Name='" name "' IsSecret='" secret "'>" value "&lt;/Variable>"
#define DYNAMIC(rules) \
    TYPED("SetDynamicVariables", \
          "rules", \
          "OSDSetDynamicVariables.exe", \
          VAR("OSDSetDynamicVariablesRules", "&lt;Rules>" rules "&lt;/Rules>"))

/* What @xml becomes where the site has @old. */
static void keep(const char *xml, const char *old, struct buf *ret)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_document_freep) struct ts_document *stored = parse_ok(old);
    OWN(ts_document_freep) struct ts_document *kept = NULL;

    assert_int_equal(ts_document_keep_secrets(doc, stored, &kept), 0);
    assert_int_equal(ts_document_put(kept, ret), 0);
}

static void gives(const char *xml, const char *old, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    keep(xml, old, &text);
    if (!strstr(buf_str(&text), wanted))
        fail_msg("\"%s\" is not in: %s", wanted, buf_str(&text));
}

static void lacks(const char *xml, const char *old, const char *unwanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    keep(xml, old, &text);
    if (strstr(buf_str(&text), unwanted))
        fail_msg("\"%s\" is in: %s", unwanted, buf_str(&text));
}

static void an_export_that_comes_back_has_lost_nothing(void **state)
{
    (void)state;
    static const char *const olds[] = {
        SEQUENCE(CONNECT("c", "anna", "hunter2")),
        SEQUENCE(SET("AdminPwd", "true", "hunter2")),
        SEQUENCE("<globalVarList>" VAR("SitePassword", "hunter2") "</globalVarList>"),
        SEQUENCE(TYPED("Odd", "o", "odd.exe hunter2", VAR("OddPassword", "hunter2"))),
        SEQUENCE("<step type=\"Odd\" name=\"o\" OddPassword=\"hunter2\"/>"),
        SEQUENCE(
            "<step type=\"Odd\" name=\"o\"><action>o.exe hunter2</action><Cfg/><Cfg><user> eva </user>"
            "<pwd Value=\"hunter2 &amp;amp;\">\n <a> hunter2 &amp;amp; </a>\n</pwd></Cfg></step>"),
        SEQUENCE("<x><Password>hunter2</Password></x>" TYPED("Odd", "o", "odd.exe", "")),
        SEQUENCE(DYNAMIC(RULE("&lt;x a='1'/>", RULE_VARIABLE("a", "true", "hunter2"))
                             RULE("&lt;y/>", RULE_VARIABLE("b", "false", "open")))),
        SEQUENCE("<group name=\"g\">" CONNECT("c", "a", "one") "</group>" CONNECT("c", "a", "two")),
        SEQUENCE(TYPED("Odd", "o", "odd.exe", VAR("Pin", "one") VAR("Pin", "") VAR("Pin", "two"))),
    };

    for (size_t i = 0; i < sizeof(olds) / sizeof(olds[0]); i++) {
        OWN(ts_document_freep) struct ts_document *old = parse_ok(olds[i]);
        OWN(ts_document_freep) struct ts_document *safe = NULL;
        OWN(ts_document_freep) struct ts_document *kept = NULL;
        OWN(ts_changes_fini) struct ts_changes changes = {0};
        OWN(buf_fini) struct buf one = BUF_INIT(65536);
        OWN(buf_fini) struct buf two = BUF_INIT(65536);

        assert_int_equal(ts_document_export(old, &safe), 0);
        assert_int_equal(ts_document_keep_secrets(safe, old, &kept), 0);
        assert_int_equal(ts_document_canonical(old, &one), 0);
        assert_int_equal(ts_document_canonical(kept, &two), 0);
        assert_string_equal(buf_str(&one), buf_str(&two));
        assert_int_equal(ts_diff(old, kept, &changes), 0);
        assert_int_equal(changes.n, 0);
    }
}

static void the_mask_stands_for_a_secret_as_nothing_does(void **state)
{
    (void)state;
    gives(SEQUENCE(CONNECT("c", "anna", "***")),
          SEQUENCE(CONNECT("c", "anna", "hunter2")),
          "hunter2");
}

static void a_secret_that_the_file_sets_counts(void **state)
{
    (void)state;
    gives(
        SEQUENCE(CONNECT("c", "anna", "new")), SEQUENCE(CONNECT("c", "anna", "hunter2")), ">new<");
}

static void another_account_does_not_get_the_password_of_the_old_one(void **state)
{
    (void)state;
    lacks(SEQUENCE(CONNECT("c", "bob", "")), SEQUENCE(CONNECT("c", "anna", "hunter2")), "hunter2");
    lacks(SEQUENCE(SET("Other", "true", "")),
          SEQUENCE(SET("AdminPwd", "true", "hunter2")),
          "hunter2");
}

static void another_step_does_not_get_it(void **state)
{
    (void)state;
    lacks(SEQUENCE(CONNECT("d", "anna", "")), SEQUENCE(CONNECT("c", "anna", "hunter2")), "hunter2");
}

static void a_step_that_moved_keeps_it(void **state)
{
    (void)state;
    gives(SEQUENCE("<group name=\"g\">" CONNECT("c", "anna", "") "</group>"),
          SEQUENCE("<group name=\"g\"/>" CONNECT("c", "anna", "hunter2")),
          "hunter2");
}

static void what_would_be_seen_is_not_kept(void **state)
{
    (void)state;
    lacks(SEQUENCE(SET("x", "false", "")), SEQUENCE(SET("x", "true", "hunter2")), "hunter2");
    lacks(SEQUENCE(DYNAMIC(RULE("&lt;x/>", RULE_VARIABLE("a", "false", "")))),
          SEQUENCE(DYNAMIC(RULE("&lt;x/>", RULE_VARIABLE("a", "true", "hunter2")))),
          "hunter2");
}

static void a_rule_keeps_it_wherever_it_stands_and_another_rule_does_not_get_it(void **state)
{
    (void)state;
    static const char old[] =
        SEQUENCE(DYNAMIC(RULE("&lt;x/>", RULE_VARIABLE("a", "true", "hunter2"))));

    gives(SEQUENCE(DYNAMIC(RULE("&lt;y/>", RULE_VARIABLE("b", "false", "o"))
                               RULE("&lt;x/>", RULE_VARIABLE("a", "true", "")))),
          old,
          "hunter2");
    lacks(SEQUENCE(DYNAMIC(RULE("&lt;y/>", RULE_VARIABLE("a", "true", "")))), old, "hunter2");
}

static void the_command_of_a_step_that_changed_is_made_anew(void **state)
{
    (void)state;
    gives(SEQUENCE(TYPED("SetVariable",
                         "set",
                         "",
                         VAR("DoNotShowVariableValue", "true") VAR("VariableName", "x")
                             VAR("VariableValue", "") VAR("More", "y"))),
          SEQUENCE(SET("x", "true", "hunter2")),
          "tsenv.exe \"x=hunter2\"");
}

/* What is in an export is what its author meant. */
static void a_command_that_has_been_changed_in_the_export_is_the_new_one(void **state)
{
    (void)state;
    static const char account[] = VAR("SMSTSRunCommandLineUserPassword", "");
    static const char old_account[] = VAR("SMSTSRunCommandLineUserPassword", "hunter2");
    static const char *const commands[][3] = {/* in the site, in the document, what becomes of it */
                                              {"echo old", "echo new", "echo new"},
                                              {"echo old", "echo old", "echo old"},
                                              {"echo hunter2", "echo ", "echo hunter2"},
                                              {"echo old", "", "echo old"},
                                              {"echo old", "smsswd.exe /run: ", "echo old"}};

    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        OWN(buf_fini) struct buf old = BUF_INIT(4096);
        OWN(buf_fini) struct buf xml = BUF_INIT(4096);
        OWN(buf_fini) struct buf wanted = BUF_INIT(4096);
        static const char format[] = SEQUENCE(TYPED("RunCommandLine", "a", "%s", "%s"));

        buf_addf(&old, format, commands[i][0], old_account);
        buf_addf(&xml, format, commands[i][1], account);
        buf_addf(&wanted, "<action>%s</action>", commands[i][2]);
        gives(buf_str(&xml), buf_str(&old), buf_str(&wanted));
        gives(buf_str(&xml), buf_str(&old), ">hunter2</variable>");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_export_that_comes_back_has_lost_nothing),
        cmocka_unit_test(the_mask_stands_for_a_secret_as_nothing_does),
        cmocka_unit_test(a_secret_that_the_file_sets_counts),
        cmocka_unit_test(another_account_does_not_get_the_password_of_the_old_one),
        cmocka_unit_test(another_step_does_not_get_it),
        cmocka_unit_test(a_step_that_moved_keeps_it),
        cmocka_unit_test(what_would_be_seen_is_not_kept),
        cmocka_unit_test(a_rule_keeps_it_wherever_it_stands_and_another_rule_does_not_get_it),
        cmocka_unit_test(the_command_of_a_step_that_changed_is_made_anew),
        cmocka_unit_test(a_command_that_has_been_changed_in_the_export_is_the_new_one),
    };

    return cmocka_run_group_tests_name("ts/secret_keep", tests, NULL, NULL);
}
