/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/cmdlets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/commands.h"

enum {
    LINE_MAX_BYTES = 1024,
};

static void assert_native(const char *word, const char *wanted)
{
    OWN(buf_fini) struct buf native = BUF_INIT(LINE_MAX_BYTES);
    const struct cmdlet *cmdlet = cmdlet_find(word);

    assert_non_null(cmdlet);
    cmdlet_put_native(&native, cmdlet, commands);
    assert_string_equal(buf_str(&native), wanted);
}

static void a_cmdlet_in_any_case_is_the_command_that_does_it(void **state)
{
    (void)state;
    assert_native("Copy-CMSecurityRole", "slipway security-role copy ROLE NAME");
    assert_native("copy-cmsecurityrole", "slipway security-role copy ROLE NAME");
    assert_native("New-CMTaskSequenceDeployment",
                  "slipway deployment create --task-sequence SEQUENCE --collection COLLECTION");
    assert_native("New-CMTSStepRunCommandLine",
                  "slipway ts step add SEQUENCE --type TYPE --name NAME");
    assert_native("New-CMBootableMedia", "");
    assert_null(cmdlet_find("Get-CMNothing"));
}

static void only_words_that_look_like_a_cmdlet_are_taken_for_one(void **state)
{
    (void)state;
    static const char *const others[] = {
        "device", "-CMDevice", "--cmd", "boot-image", "Get-CM", ""};

    assert_true(cmdlet_is_one("Get-CMDevice"));
    assert_true(cmdlet_is_one("get-cmdevice"));
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(cmdlet_is_one(others[i]));
    for (const struct args_command *c = commands; c->noun; c = args_next(c))
        assert_false(cmdlet_is_one(c->noun));
}

/* "--direct DEVICE" among the words behind a command */
static void assert_options_exist(const struct args_command *command, const char *more)
{
    for (const char *at = more; at && (at = strstr(at, "--")); at++) {
        const struct bytes name = {(const uint8_t *)at + 2, strcspn(at + 2, " ")};
        bool is_there = args_common_find(command, name) != NULL;

        for (const struct args_option *o = command->options; o->name; o++)
            is_there |= bytes_eq(name, bytes_of(o->name));
        assert_true(is_there);
    }
}

static void every_native_form_is_a_command_that_exists(void **state)
{
    (void)state;
    unsigned n = 0;

    for (const struct cmdlet *c = cmdlets; c->name; c++) {
        OWN(buf_fini) struct buf native = BUF_INIT(LINE_MAX_BYTES);
        const struct args_command *row = commands;

        assert_true(cmdlet_is_one(c->name));
        cmdlet_put_native(&native, c, commands);
        if (!c->noun) {
            assert_non_null(c->text);
            assert_int_equal(native.len, 0);
            continue;
        }
        n++;
        while (row->noun && !(strcmp(row->noun, c->noun) == 0 &&
                              strcmp(row->verb ? row->verb : "", c->verb ? c->verb : "") == 0))
            row = args_next(row);
        if (!row->noun)
            fail_msg("%s: there is no slipway %s %s", c->name, c->noun, c->verb ? c->verb : "");
        assert_true(native.len > 0);
        assert_options_exist(row, c->more);
    }
    assert_true(n > 100);
}

static void none_hides_another_one(void **state)
{
    (void)state;
    for (const struct cmdlet *c = cmdlets; c->name; c++)
        assert_ptr_equal(cmdlet_find(c->name), c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cmdlet_in_any_case_is_the_command_that_does_it),
        cmocka_unit_test(only_words_that_look_like_a_cmdlet_are_taken_for_one),
        cmocka_unit_test(every_native_form_is_a_command_that_exists),
        cmocka_unit_test(none_hides_another_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
