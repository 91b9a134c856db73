/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/show.h"

#include "ts/test_ts.h"

static int note(void *ctx, const struct ts_shown *s)
{
    buf_addf(ctx, "%s (%s) = %s%s\n", s->name, s->label, s->value, s->is_secret ? " !" : "");
    return 0;
}

static void shows(const char *xml, const char *wanted)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(8192);

    assert_int_equal(ts_tree_read(ts_document_tree(doc), &tree), 0);
    for (size_t i = 0; i < tree.n; i++)
        assert_int_equal(ts_show(NULL, &tree.items[i], note, &text), 0);
    assert_string_equal(buf_str(&text), wanted);
}

static void settings_have_the_names_that_set_takes_and_usual_ones_are_left_out(void **state)
{
    (void)state;
    shows(SEQUENCE("<group name=\"g\" description=\"d\"><condition>" VARIABLE_IS(
              "A", "equals", "b") "</condition>"
                                  "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\" "
                                  "runIn=\"WinPEandFullOS\" successCodeList=\"0 3010\" "
                                  "timeout=\"90\" retryCount=\"0\"><defaultVarList><variable "
                                  "name=\"CommandLine\" property=\"CommandLine\">x</variable>"
                                  "<variable name=\"Odd\">y</variable></defaultVarList></step>"
                                  "</group>"),
          "description (Description) = d\n"
          "condition (Condition) = A equals \"b\"\n"
          "success-codes (Success codes) = 0 3010\n"
          "timeout (Time-out (minutes)) = 90 s\n"
          "CommandLine (Command line) = x\n"
          "Odd (Odd) = y\n");
}

static void secrets_are_stars(void **state)
{
    (void)state;
    shows(SEQUENCE("<step type=\"unknown\" name=\"s\"><defaultVarList><variable "
                   "name=\"MyPassword\">hidden</variable></defaultVarList></step>"),
          "MyPassword (MyPassword) = *** !\n");
}

static void a_plain_command_without_a_type_is_shown(void **state)
{
    (void)state;
    shows(SEQUENCE("<step name=\"s\"><action>cscript.exe x.wsf</action></step>"
                   "<step name=\"t\"><action/></step>"
                   "<step name=\"u\"><action>x geheim</action><defaultVarList><variable "
                   "name=\"MyPassword\">geheim</variable></defaultVarList></step>"
                   "<step name=\"v\"><action>y</action><defaultVarList><variable "
                   "name=\"MyPassword\">geheim</variable></defaultVarList></step>"
                   "<group name=\"g\"><action>no command</action></group>"),
          "action (Command) = cscript.exe x.wsf\n"
          "action (Command) = *** !\n"
          "MyPassword (MyPassword) = *** !\n"
          "action (Command) = y\n"
          "MyPassword (MyPassword) = *** !\n");
}

static void a_command_that_no_template_made_is_shown(void **state)
{
    (void)state;
#define TYPED(type, action, variables) \
    "<step name=\"s\" type=\"" type "\"><action>" action "</action><defaultVarList>" variables \
    "</defaultVarList></step>"
    shows(SEQUENCE(TYPED("SMS_TaskSequence_RunCommandLineAction",
                         "echo %A%",
                         "<variable name=\"A\">1</variable>")
                       TYPED("SMS_TaskSequence_RebootAction", "smsboot.exe /target:WinPE", "")
                           TYPED("Vendor_X", "v.exe %A%", "")
                               TYPED("SMS_TaskSequence_RunCommandLineAction",
                                     "smsswd.exe /run: a",
                                     "<variable name=\"CommandLine\">a</variable>")),
          "action (Command) = echo %A%\n"
          "A (A) = 1\n"
          "action (Command) = smsboot.exe /target:WinPE\n"
          "action (Command) = v.exe %A%\n"
          "CommandLine (Command line) = a\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_have_the_names_that_set_takes_and_usual_ones_are_left_out),
        cmocka_unit_test(secrets_are_stars),
        cmocka_unit_test(a_plain_command_without_a_type_is_shown),
        cmocka_unit_test(a_command_that_no_template_made_is_shown),
    };

    return cmocka_run_group_tests_name("ts/show", tests, NULL, NULL);
}
