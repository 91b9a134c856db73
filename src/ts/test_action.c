/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/action.h"

#include "ts/step_types.h"
#include "ts/test_ts.h"
#include "ts/tree.h"

#define VAR(name, text) "<variable name=\"" name "\">" text "</variable>"
#define SMS(type)       "SMS_TaskSequence_" type "Action"

struct step {
    struct ts_document *doc;
    struct ts_tree tree;
    const xmlNode *node;
};

static struct step read_step(const char *type, const char *variables, const char *action)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(4096);
    struct step step = {0};

    buf_addf(&xml,
             SEQUENCE("<step type=\"%s\" name=\"s\"><action>%s</action><defaultVarList>%s"
                      "</defaultVarList></step>"),
             type,
             action,
             variables);
    step.doc = parse_ok(buf_str(&xml));
    assert_int_equal(ts_tree_read(ts_document_tree(step.doc), &step.tree), 0);
    step.node = step.tree.items[0].node;
    return step;
}

static void free_step(struct step *step)
{
    ts_tree_fini(&step->tree);
    ts_document_free(step->doc);
}

static void action_is(const char *type, const char *variables, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    struct step step = read_step(type, variables, "");

    ts_action_put(ts_step_type_find(type), ts_node_child(step.node, "defaultVarList"), &text);
    assert_string_equal(buf_str(&text), wanted);
    free_step(&step);
}

static void the_command_follows_from_the_variables(void **state)
{
    (void)state;
    action_is(SMS("RunCommandLine"),
              VAR("CommandLine", "a b") VAR("PackageID", "SLP00001"),
              "smsswd.exe /run:SLP00001 a b");
    action_is(SMS("ApplyOperatingSystem"),
              VAR("ImagePackageID", "SLP00001") VAR("RunFromNet", "false"),
              "OSDApplyOS.exe /image:SLP00001,%OSDImageIndex% /runfromnet:False");
    action_is(SMS("ApplyOperatingSystem"),
              VAR("InstallPackageID", "SLP00001") VAR("DestinationVariable", "D"),
              "OSDApplyOS.exe /install:SLP00001,%OSDInstallEditionIndex% /target:%D%");
    action_is(SMS("ReleaseStateStore"), "", "osdsmpclient.exe /release");
}

static bool is_made(const char *type, const char *variables, const char *action)
{
    struct step step = read_step(type, variables, action);
    bool is_made = ts_action_is_made(ts_step_type_find(type), step.node);

    free_step(&step);
    return is_made;
}

static void what_the_template_makes_is_known(void **state)
{
    (void)state;
    static const char variables[] = VAR("CommandLine", "a b");

    assert_true(is_made(SMS("RunCommandLine"), variables, ""));
    assert_true(is_made(SMS("RunCommandLine"), variables, "smsswd.exe /run: a b"));
    assert_true(is_made(SMS("RunCommandLine"), "", "SMSSWD.exe /run:"));
    assert_false(is_made(SMS("RunCommandLine"), variables, "smsswd.exe /run: a c"));
    assert_false(is_made(SMS("RunCommandLine"), variables, "smsswd.exe /run: a b c"));
    assert_false(is_made(SMS("RunCommandLine"), "", "echo hello"));
    assert_false(is_made(SMS("Reboot"), VAR("Target", ""), "smsboot.exe /target:WinPE"));
}

static void made_anew(
    const char *type, const char *before, const char *after, const char *action, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    struct step old = read_step(type, before, action);
    struct step step = read_step(type, after, action);
    bool is_new = ts_action_make_anew(ts_step_type_find(type), old.node, step.node, &text);

    assert_int_equal(is_new, wanted != NULL);
    if (wanted)
        assert_string_equal(buf_str(&text), wanted);
    free_step(&old);
    free_step(&step);
}

static void only_what_the_template_made_is_made_anew(void **state)
{
    (void)state;
    made_anew(SMS("RunCommandLine"),
              VAR("CommandLine", "a"),
              VAR("CommandLine", "b"),
              "smsswd.exe /run: a",
              "smsswd.exe /run: b");
    made_anew(SMS("RunCommandLine"), "", VAR("CommandLine", "b"), "", "smsswd.exe /run: b");
    made_anew(SMS("RunCommandLine"), "", VAR("PackageID", "P"), "echo", NULL);
    made_anew(SMS("RunCommandLine"), "", VAR("RunAsUser", "true"), "smsswd.exe /run: a", NULL);
    made_anew(SMS("PartitionDisk"), "", VAR("OSDDiskIndex", "1"), "cscript.exe x", NULL);
    made_anew(SMS("SetVariable"),
              VAR("VariableName", "A"),
              VAR("VariableName", "B"),
              "cscript.exe \"ZTISetVariable.wsf\"",
              NULL);
}

static void a_value_that_ends_the_template_and_is_nowhere_else_stays(void **state)
{
    (void)state;
    made_anew(SMS("RunCommandLine"),
              VAR("PackageID", "P1"),
              VAR("PackageID", "P2"),
              "smsswd.exe /run:P1 a b",
              "smsswd.exe /run:P2 a b");
    made_anew(SMS("RunCommandLine"),
              "",
              VAR("PackageID", "P2"),
              "smsswd.exe /run:P1 a b",
              "smsswd.exe /run:P2 a b");
    made_anew(SMS("RunCommandLine"),
              VAR("CommandLine", "a b"),
              "",
              "smsswd.exe /run:P1 a b",
              "smsswd.exe /run: ");
    made_anew(SMS("Reboot"),
              "",
              VAR("Target", "HD"),
              "smsboot.exe /target:WinPE",
              "smsboot.exe /target:HD");
}

static void own_is(const char *type, const char *text, const char *property, const char *wanted)
{
    const char *own = ts_action_find_own(type ? ts_step_type_find(type) : NULL, text, property);

    assert_int_equal(own != NULL, wanted != NULL);
    if (own)
        assert_string_equal(own, wanted);
}

static void the_command_that_is_in_the_action_only_is_found(void **state)
{
    (void)state;
    own_is(SMS("RunCommandLine"), "echo hello", "CommandLine", "echo hello");
    own_is(SMS("RunCommandLine"), "smsswd.exe /run:P1 a b", "CommandLine", "a b");
    own_is(SMS("RunCommandLine"), "smsswd.exe /run:", "CommandLine", "");
    own_is(NULL, "smsswd.exe /run:P1 a b", "CommandLine", "a b");
    own_is(NULL, "echo hello", "CommandLine", "echo hello");
    own_is(SMS("Reboot"), "smsboot.exe /target:HD", "CommandLine", NULL);
    own_is(SMS("PartitionDisk"), "osddiskpart.exe", "CommandLine", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_command_follows_from_the_variables),
        cmocka_unit_test(what_the_template_makes_is_known),
        cmocka_unit_test(only_what_the_template_made_is_made_anew),
        cmocka_unit_test(a_value_that_ends_the_template_and_is_nowhere_else_stays),
        cmocka_unit_test(the_command_that_is_in_the_action_only_is_found),
    };

    return cmocka_run_group_tests_name("ts/action", tests, NULL, NULL);
}
