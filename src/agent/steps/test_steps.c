/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/step.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/steps/accounts.h"
#include "agent/steps/inside.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/step_types.h"
#include "ts/validate.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static char folder[64];
static const struct inside_mode plain = {0644, 0, 0};

static bool is_cancelled;

static bool until_cancelled(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx;
    (void)percent;
    (void)rate;
    (void)what;
    return !is_cancelled;
}

__attribute__((format(printf, 2, 3))) static void to_log(void *ctx, const char *format, ...)
{
    char line[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_addf(ctx, "%s\n", line);
}

/* Run one Run Command Line step; what it logged is in @log. */
static struct step_result
run_command(const char *attributes, const char *variables, struct ts_vars *vars, struct buf *log)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(8192);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    struct step_target target = {0};
    struct step_result result;
    size_t n;

    buf_addf(
        &xml,
        "<sequence version=\"3.10\"><step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"c\" %s>"
        "<action>smsswd.exe /run: true</action><defaultVarList>%s</defaultVarList></step></sequence>",
        attributes,
        variables);
    assert_int_equal(ts_document_parse(buf_bytes(&xml), &doc, &diags), 0);

    struct step_context c = {.step = ts_document_steps(doc, &n),
                             .vars = vars,
                             .target = &target,
                             .environment = STEP_IN_BOOT_IMAGE,
                             .step_name = "c",
                             .progress = until_cancelled,
                             .log = to_log,
                             .ctx = log};

    assert_int_equal(step_run_command_run(&c, &result), 0);
    step_context_fini(&c);
    return result;
}

#define COMMAND(text) "<variable name=\"CommandLine\" hidden=\"true\">" text "</variable>"

static void commands_see_variables_and_are_judged_by_their_exit_code(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf log = BUF_INIT(65536);

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "Color", "red", TS_BY_SEQUENCE), 0);
    assert_null(run_command("", COMMAND("test $Color = %Color%"), vars, &log).error_id);
    assert_null(run_command("", "", vars, &log).error_id); /* from <action> */
    assert_string_equal(run_command("", COMMAND("exit 3"), vars, &log).error_id, "SLW-0430");
    assert_null(run_command("successCodeList=\"0 3\"", COMMAND("exit 3"), vars, &log).error_id);
    assert_int_equal(run_command("", COMMAND("exit 3"), vars, &log).exit_code, 3);
    assert_string_equal(run_command("timeout=\"1\"", COMMAND("sleep 30"), vars, &log).error_id,
                        "SLW-0431");
}

static void a_command_is_ended_when_the_site_cancels(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf log = BUF_INIT(65536);

    assert_int_equal(ts_vars_new(&vars), 0);
    is_cancelled = true;
    assert_string_equal(run_command("", COMMAND("sleep 30"), vars, &log).error_id, "SLW-0406");
    is_cancelled = false;
}

static void output_goes_to_the_log_and_its_end_to_a_variable(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf log = BUF_INIT(65536);

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_null(
        run_command(
            "",
            COMMAND("printf '%01200d\\n' 7; echo end") "<variable name=\"SMSTSRunCommandLine"
                                                       "OutputVariableName\">Out</variable>",
            vars,
            &log)
            .error_id);
    assert_int_equal(strlen(ts_vars_get(vars, "Out")), 1000);
    assert_non_null(strstr(ts_vars_get(vars, "Out"), "7\nend"));
    assert_non_null(strstr(buf_str(&log), "\nend\n"));
    buf_clear(&log);
    assert_int_equal(ts_vars_set(vars, "OSDDoNotLogCommand", "TRUE", TS_BY_SEQUENCE), 0);
    assert_null(run_command("", COMMAND("echo hush"), vars, &log).error_id);
    assert_null(strstr(buf_str(&log), "hush"));
}

static void the_table_has_the_types_that_the_checker_knows(void **state)
{
    (void)state;
    for (const char *const *t = ts_supported_types(); *t; t++)
        assert_non_null(step_type_find(*t));
    assert_non_null(step_type_find("SMS_TaskSequence_PrestartCheckAction"));
    assert_null(step_type_find("SMS_TaskSequence_NobodyKnowsAction"));
}

static void a_step_that_needs_windows_says_so(void **state)
{
    (void)state;
    const struct ts_step_type *known;
    size_t n = 0;

    for (size_t i = 0; (known = ts_step_type_at(i)) != NULL; i++) {
        const struct step_type *type = step_type_find(known->type);
        const struct ts_step step = {.type = known->type};
        struct step_context c = {.step = &step, .step_name = "the step"};
        struct step_result result = {0};

        if (known->platform != TS_PLATFORM_WINDOWS)
            continue;
        assert_non_null(type);
        assert_int_equal(type->run(&c, &result), 0);
        assert_string_equal(result.error_id, "SLW-0409");
        assert_non_null(strstr(result.message, known->display_name));
        n++;
    }
    assert_int_equal(n, 12);
}

/* A simulation knows only the table of ts. */
static void a_step_runs_where_the_table_of_types_says(void **state)
{
    (void)state;
    for (const char *const *t = ts_supported_types(); *t; t++) {
        const struct ts_step_type *known = ts_step_type_find(*t);

        assert_non_null(known);
        assert_int_equal(known->run_in, step_type_find(*t)->environments);
    }
}

/* An empty volume of its own for one test. */
static int new_volume(const char *name, char *path, size_t cap)
{
    int root = -1;

    (void)snprintf(path, cap, "%s/%s", folder, name);
    assert_int_equal(dir_make(path, 0755), 0);
    assert_int_equal(inside_open(path, &root), 0);
    return root;
}

static void put(int root, const char *path, const char *text)
{
    assert_int_equal(inside_write(root, path, bytes_of(text), plain), 0);
}

static void links_of_the_image_do_not_lead_out_of_it(void **state)
{
    (void)state;
    char path[128];
    char outside[160];
    OWN(fd_closep) int root = new_volume("links", path, sizeof(path));

    (void)snprintf(outside, sizeof(outside), "%s/outside", folder);
    assert_int_equal(dir_make(outside, 0755), 0);
    assert_int_equal(inside_link(root, "etc", outside), 0);
    assert_int_equal(inside_link(root, "up", "../outside"), 0);
    (void)inside_write(root, "etc/passwd", bytes_of("x"), plain);
    (void)inside_write(root, "up/passwd", bytes_of("x"), plain);
    (void)snprintf(outside, sizeof(outside), "%s/outside/passwd", folder);
    assert_false(file_exists(outside));
}

static void accounts_get_hashed_passwords_and_groups(void **state)
{
    (void)state;
    char path[128];
    OWN(fd_closep) int root = new_volume("accounts", path, sizeof(path));
    OWN(buf_fini) struct buf shadow = BUF_INIT(4096);
    OWN(buf_fini) struct buf passwd = BUF_INIT(4096);
    OWN(buf_fini) struct buf group = BUF_INIT(4096);

    put(root, "bin/bash", "");
    put(root, "etc/passwd", "root:x:0:0::/root:/bin/sh\nold:x:1000:1000::/home/old:/bin/sh\n");
    put(root, "etc/shadow", "root::19000:0:99999:7:::\nold:*:19000::::::\n");
    put(root, "etc/group", "root:x:0:\nsudo:x:27:\n");
    assert_int_equal(accounts_set_password(root, "root", NULL), 0);
    assert_int_equal(accounts_add_user(root, "eva", "secret-1", "ssh-ed25519 AAAA"), 0);
    assert_int_equal(accounts_add_user(root, "eva", "", ""), ACCOUNTS_E_EXISTS);
    assert_int_equal(accounts_set_password(root, "nobody", "x"), ACCOUNTS_E_MISSING);
    assert_int_equal(inside_read(root, "etc/shadow", &shadow), 0);
    assert_int_equal(inside_read(root, "etc/passwd", &passwd), 0);
    assert_int_equal(inside_read(root, "etc/group", &group), 0);
    assert_non_null(
        strstr(buf_str(&shadow), "root:!*:19000:0:99999:7:::\nold:*:19000::::::\neva:$y$"));
    assert_null(strstr(buf_str(&shadow), "secret-1"));
    assert_non_null(strstr(buf_str(&passwd), "eva:x:1001:1001::/home/eva:/bin/bash\n"));
    assert_string_equal(buf_str(&group), "root:x:0:\nsudo:x:27:eva\neva:x:1001:\n");
    assert_true(inside_exists(root, "home/eva/.ssh/authorized_keys"));
}

static void an_account_that_a_power_cut_left_half_made_is_completed(void **state)
{
    (void)state;
    char path[128];
    OWN(fd_closep) int root = new_volume("half", path, sizeof(path));
    OWN(buf_fini) struct buf shadow = BUF_INIT(4096);
    OWN(buf_fini) struct buf passwd = BUF_INIT(4096);
    OWN(buf_fini) struct buf group = BUF_INIT(4096);

    put(root, "etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    put(root, "etc/shadow", "root::19000:0:99999:7:::\neva:!:19000:0:99999:7:::\n");
    put(root, "etc/group", "root:x:0:\nsudo:x:27:eva\neva:x:1000:\n");
    assert_int_equal(accounts_add_user(root, "eva", "secret-1", "ssh-ed25519 AAAA"), 0);
    assert_int_equal(inside_read(root, "etc/shadow", &shadow), 0);
    assert_int_equal(inside_read(root, "etc/passwd", &passwd), 0);
    assert_int_equal(inside_read(root, "etc/group", &group), 0);
    assert_non_null(strstr(buf_str(&shadow), "\neva:$y$"));
    assert_null(strstr(buf_str(&shadow), "\neva:!"));
    assert_string_equal(buf_str(&group), "root:x:0:\nsudo:x:27:eva\neva:x:1000:\n");
    assert_string_equal(buf_str(&passwd),
                        "root:x:0:0::/root:/bin/sh\neva:x:1000:1000::/home/eva:/bin/sh\n");
    assert_true(inside_exists(root, "home/eva/.ssh/authorized_keys"));

    /* the line in passwd says that it is whole: without a home there is none */
    put(root, "etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    put(root, "home/max", "not a folder");
    assert_true(accounts_add_user(root, "max", "", "") < 0);
    buf_clear(&passwd);
    assert_int_equal(inside_read(root, "etc/passwd", &passwd), 0);
    assert_null(strstr(buf_str(&passwd), "max"));
}

static void a_message_that_is_cut_is_text_all_the_same(void **state)
{
    (void)state;
    struct step_result result = {0};
    char name[STEP_MESSAGE_RAW_MAX + 1];

    for (size_t i = 0; i + 3 < sizeof(name); i += 3)
        (void)snprintf(name + i, 4, "%s", "\xe2\x98\x83");
    assert_int_equal(step_fail(&result, "SLW-0407", "x%s", name), 0);
    assert_true(text_is_utf8(bytes_of(result.message)));
    assert_int_equal(step_fail(&result, "SLW-0407", "xx%s", name), 0);
    assert_true(text_is_utf8(bytes_of(result.message)));
    assert_int_equal(step_fail(&result, "SLW-0407", "\"%.64s\"", name), 0);
    assert_true(text_is_utf8(bytes_of(result.message)));
}

/* Of a message that is too long for people, and of one that is too long for a step. */
static void a_secret_across_the_cut_of_a_message_is_not_shown_in_part(void **state)
{
    (void)state;
    static const int widths[] = {STEP_MESSAGE_MAX - 6, STEP_MESSAGE_RAW_MAX - 6};
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "Hidden", "correct-horse", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Hidden"), 0);
    for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++) {
        struct step_result result = {0};

        assert_int_equal(
            step_fail(&result, "SLW-0407", "%0*d%s cannot be", widths[i], 0, "correct-horse"), 0);
        step_result_mask(&result, vars);
        assert_null(strstr(result.message, "co"));
        assert_int_equal(strlen(result.message), STEP_MESSAGE_MAX - 1);
        assert_string_equal(result.error_id, "SLW-0407");
    }
}

static void a_message_is_masked_before_it_is_cut(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct step_result result = {0};
    char secret[STEP_MESSAGE_MAX + 1];

    memset(secret, 's', sizeof(secret) - 1);
    secret[sizeof(secret) - 1] = '\0';
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "Hidden", secret, TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Hidden"), 0);
    assert_int_equal(step_fail(&result, "SLW-0407", "no %s; do this", secret), 0);
    step_result_mask(&result, vars);
    assert_string_equal(result.message, "no ***; do this");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commands_see_variables_and_are_judged_by_their_exit_code),
        cmocka_unit_test(a_command_is_ended_when_the_site_cancels),
        cmocka_unit_test(output_goes_to_the_log_and_its_end_to_a_variable),
        cmocka_unit_test(the_table_has_the_types_that_the_checker_knows),
        cmocka_unit_test(a_step_that_needs_windows_says_so),
        cmocka_unit_test(a_step_runs_where_the_table_of_types_says),
        cmocka_unit_test(links_of_the_image_do_not_lead_out_of_it),
        cmocka_unit_test(accounts_get_hashed_passwords_and_groups),
        cmocka_unit_test(an_account_that_a_power_cut_left_half_made_is_completed),
        cmocka_unit_test(a_message_that_is_cut_is_text_all_the_same),
        cmocka_unit_test(a_secret_across_the_cut_of_a_message_is_not_shown_in_part),
        cmocka_unit_test(a_message_is_masked_before_it_is_cut),
    };

    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-steps-XXXXXX");
    if (!mkdtemp(folder))
        return 1;

    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    (void)dir_remove(folder);
    return n_failed;
}
