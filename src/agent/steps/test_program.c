/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/program.h"

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

#include <crypt.h>

#include "agent/steps/program_output.h"
#include "agent/steps/return_code.h"
#include "agent/steps/run_as.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

static char folder[64];

struct bench {
    struct ts_document *doc;
    struct ts_vars *vars;
    struct buf log;
    struct step_context c;
    struct step_result result;
    int code;
};

static bool go_on(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx;
    (void)rate;
    assert_int_equal(percent, STEP_PERCENT_UNKNOWN);
    assert_non_null(strstr(what, " for 0:0"));
    return true;
}

__attribute__((format(printf, 2, 3))) static void to_log(void *ctx, const char *format, ...)
{
    char line[2048];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_addf(ctx, "%s\n", line);
}

/* A Run Command Line step with these variables, as XML. */
static void bench_begin(struct bench *b, const char *variables)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(8192);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    size_t n;

    *b = (struct bench){.log = BUF_INIT(8388608)};
    buf_addf(&xml,
             "<sequence version=\"3.10\"><step type=\"SMS_TaskSequence_RunCommandLineAction\" "
             "name=\"c\" successCodeList=\"0 3 3010\"><action/><defaultVarList>%s</defaultVarList>"
             "</step></sequence>",
             variables);
    assert_int_equal(ts_document_parse(buf_bytes(&xml), &b->doc, &diags), 0);
    assert_int_equal(ts_vars_new(&b->vars), 0);
    b->c = (struct step_context){.step = ts_document_steps(b->doc, &n),
                                 .vars = b->vars,
                                 .environment = STEP_IN_FULL_OS,
                                 .step_name = "c",
                                 .progress = go_on,
                                 .log = to_log,
                                 .ctx = &b->log};
}

static void bench_end(struct bench *b)
{
    step_context_fini(&b->c);
    ts_document_free(b->doc);
    ts_vars_free(b->vars);
    buf_fini(&b->log);
}

static const char *run(struct bench *b, struct program program)
{
    b->result = (struct step_result){0};
    assert_int_equal(program_run(&b->c, &program, &b->code, &b->result), 0);
    return b->result.error_id;
}

static void set(struct bench *b, const char *name, const char *value)
{
    assert_int_equal(ts_vars_set(b->vars, name, value, TS_BY_SEQUENCE), 0);
}

static void a_program_gets_variables_input_and_more_environment(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    set(&b, "Color", "red");
    set(&b, "HOME", "/nowhere");
    set(&b, "LocalPassword", "hidden");
    assert_null(run(&b,
                    (struct program){
                        .command = "cat; echo $Color $HOME $More $LocalPassword",
                        .input = bytes_of("fed\n"),
                        .environment = (const char *const[]){"More=green", "HOME=/mine", NULL},
                        .output_variable = "Out",
                    }));
    assert_string_equal(ts_vars_get(b.vars, "Out"), "fed\nred /mine green hidden");
    assert_true(ts_vars_is_secret(b.vars, "Out")); /* the site and the debugger are not told it */
    assert_int_equal(program_judge(&b.c, 3, &b.result), 0);
    assert_null(b.result.error_id);
    assert_int_equal(b.result.exit_code, 3);
    assert_int_equal(program_judge(&b.c, 4, &b.result), 0);
    assert_string_equal(b.result.error_id, "SLW-0430");
}

static void a_program_sets_variables_by_its_file_also_when_it_fails(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    assert_null(run(&b,
                    (struct program){
                        .command = "echo SMSTSRebootRequested=WinPE >> $SLW_VARIABLES;"
                                   "echo SMSTSRetryRequested=true >> $SLW_VARIABLES; exit 9",
                        .sets_variables = true,
                    }));
    assert_int_equal(b.code, 9);
    assert_string_equal(ts_vars_get(b.vars, "SMSTSRebootRequested"), "WinPE");
    assert_string_equal(ts_vars_get(b.vars, "SMSTSRetryRequested"), "true");
    assert_non_null(strstr(buf_str(&b.log), "The program has set SMSTSRetryRequested to true\n"));
    assert_null(
        run(&b, (struct program){.command = "echo $SLW_VARIABLES", .output_variable = "Out"}));
    assert_string_equal(ts_vars_get(b.vars, "Out"), "");
}

static void a_line_of_that_file_that_is_none_fails_the_step(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;
    const struct program program = {
        .command = "printf 'A=1\n_SMSTSMake=x\n' > $SLW_VARIABLES; echo $SLW_VARIABLES",
        .output_variable = "Path",
        .sets_variables = true,
    };

    bench_begin(&b, "");
    assert_string_equal(run(&b, program), "SLW-0468");
    assert_int_equal(b.result.exit_code, RETURN_PARAMETER);
    assert_string_equal(ts_vars_get(b.vars, "A"), "1");
    assert_string_equal(ts_vars_get(b.vars, "_SMSTSMake"), "");
    assert_int_equal(access(ts_vars_get(b.vars, "Path"), F_OK), -1); /* it is gone */
}

static void an_exit_code_of_eight_bits_is_the_success_code_it_must_have_been(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;
    struct program program = {.command = "exit 3010", .success_codes = "0,3 3010;3266"};

    bench_begin(&b, "");
    assert_null(run(&b, program));
    assert_int_equal(b.code, 3010);
    program.success_codes = "0 3010 194";
    assert_null(run(&b, program));
    assert_int_equal(b.code, 194);
    program.success_codes = NULL;
    assert_null(run(&b, program));
    assert_int_equal(b.code, 194);
    program = (struct program){.command = "exit 1641", .success_codes = "0 3010"};
    assert_null(run(&b, program)); /* not among them */
    assert_int_equal(b.code, 1641 % 256);
    program.command = "exit 3";
    assert_null(run(&b, program));
    assert_int_equal(b.code, 3);
}

static void a_program_that_cannot_be_started_has_the_documented_code(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    assert_string_equal(
        run(&b, (struct program){.argv = (const char *const[]){"/nonexistent", NULL}}), "SLW-0432");
    assert_int_equal((uint32_t)b.result.exit_code, 0x80070002);
    assert_string_equal(run(&b, (struct program){.command = "true", .folder = "/nonexistent"}),
                        "SLW-0432");
}

static void a_script_for_windows_script_host_is_not_begun(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    bench_begin(
        &b,
        "<variable name=\"CommandLine\">cscript.exe \"%SCRIPTROOT%\\ZTIGather.wsf\"</variable>");
    assert_int_equal(step_run_command_run(&b.c, &b.result), 0);
    assert_string_equal(b.result.error_id, "SLW-0718");
    assert_int_equal((uint32_t)b.result.exit_code, 0x80070032);
}

static void an_account_that_is_not_there_fails_with_the_documented_code(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    assert_string_equal(
        run(&b, (struct program){.command = "echo ran", .user = "nobody-of-this-name"}),
        "SLW-0425");
    assert_int_equal((uint32_t)b.result.exit_code, 0x8007052E);
    b.c.environment = STEP_IN_BOOT_IMAGE;
    assert_string_equal(run(&b, (struct program){.command = "echo ran", .user = "root"}),
                        "SLW-0425");
    assert_null(strstr(buf_str(&b.log), "ran\n"));
}

static void an_account_has_its_own_environment_and_no_secrets(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    if (geteuid() != 0)
        skip();
    bench_begin(&b, "");
    set(&b, "Color", "red");
    set(&b, "LocalPassword", "hidden");
    assert_null(run(&b,
                    (struct program){
                        .command = "id -un; echo $USER $LOGNAME $Color $LocalPassword",
                        .user = "daemon",
                        .output_variable = "Out",
                    }));
    assert_string_equal(ts_vars_get(b.vars, "Out"), "daemon\ndaemon daemon red");
    assert_false(ts_vars_is_secret(b.vars, "Out"));
    assert_non_null(strstr(buf_str(&b.log), "runs as daemon\n"));
}

static void who_it_runs_as_is_said_by_the_step_or_for_all_steps_by_variables(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;
    struct program program = {0};

    bench_begin(
        &b,
        "<variable name=\"_SMSTSRunCommandLineAsUser\" property=\"RunAsUser\">true</variable>"
        "<variable name=\"SMSTSRunCommandLineUserName\" property=\"UserName\">anna</variable>"
        "<variable name=\"SMSTSRunCommandLineUserPassword\" "
        "property=\"UserPassword\">pw</variable>");
    program_run_as(&b.c, "RunCommandLine", &program);
    assert_string_equal(program.user, "anna");
    assert_string_equal(program.password, "pw");
    set(&b, "SMSTSRunCommandLineUserName", "bert");
    program_run_as(&b.c, "RunCommandLine", &program);
    assert_string_equal(program.user, "bert");
    set(&b, "SMSTSRunCommandLineAsUser", "false");
    program = (struct program){0};
    program_run_as(&b.c, "RunCommandLine", &program);
    assert_null(program.user);
}

static void put_file(const char *name, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/etc/%s", folder, name);
    assert_int_equal(file_write(path, bytes_of(text), 0600), 0);
}

static void put_shadow(const char *name, const char *password)
{
    OWN(freep) struct crypt_data *data = calloc(1, sizeof(*data));
    char line[512];

    assert_non_null(data);
    (void)snprintf(line,
                   sizeof(line),
                   "%s:%s:19000:0:99999:7:::\n",
                   name,
                   crypt_r(password, "$6$rounds=1000$saltstring", data));
    put_file("shadow", line);
}

static void a_password_is_checked_where_there_is_one_to_check(void **state)
{
    (void)state;
    OWN(run_as_fini) struct run_as as = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(512);
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/etc", folder);
    assert_int_equal(dir_make(path, 0755), 0);
    put_file("passwd", "root:x:0:0::/root:/bin/sh\nanna:x:1000:1001:,,,:/home/anna:\n");
    put_file("group", "root:x:0:\nanna:x:1001:\nsudo:x:27:bert,anna\nvideo:x:44:bert\n");
    put_shadow("anna", "Hello world!");
    assert_int_equal(run_as_find(folder, "anna", "Hello world!", &as, &why), 0);
    assert_int_equal(as.user.uid, 1000);
    assert_int_equal(as.user.gid, 1001);
    assert_int_equal(as.user.n_groups, 2);
    assert_int_equal(as.user.groups[1], 27);
    assert_string_equal(as.home, "/home/anna");
    assert_string_equal(as.shell, "/bin/sh");
    run_as_fini(&as);
    assert_int_equal(run_as_find(folder, ".\\anna", "", &as, &why), 0);
    run_as_fini(&as);
    assert_int_equal(run_as_find(folder, "anna", "hello", &as, &why), RUN_AS_E_REFUSED);
    assert_null(strstr(buf_str(&why), "hello"));
    assert_int_equal(run_as_find(folder, "-x", "", &as, &why), RUN_AS_E_REFUSED);
}

static void a_hidden_command_and_its_output_are_not_logged(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf output = BUF_INIT(8192);
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    b.c.output = &output;
    assert_null(run(&b, (struct program){.command = "echo hush", .is_silent = true}));
    assert_null(strstr(buf_str(&b.log), "hush"));
    assert_string_equal(buf_str(&output), "");
    assert_null(run(&b, (struct program){.command = "echo heard", .shown = "other words"}));
    assert_string_equal(buf_str(&output), "heard\n");
    assert_null(run(&b, (struct program){.command = "echo $0; : hush", .shown = "other words"}));
    assert_null(strstr(buf_str(&b.log), "hush"));
    assert_non_null(strstr(buf_str(&b.log), "line: other words\n"));
}

static void much_output_is_logged_up_to_a_limit_and_its_end_kept(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    assert_null(run(&b,
                    (struct program){
                        .command = "yes 'a line of output' | head -n 60000; printf 'the end\\n\\n'",
                        .output_variable = "Out",
                    }));
    assert_true(b.log.len < PROGRAM_OUTPUT_LOG_MAX + 64 * 1024);
    assert_non_null(strstr(buf_str(&b.log), "The rest of the output is not logged"));
    assert_int_equal(strlen(ts_vars_get(b.vars, "Out")), PROGRAM_OUTPUT_VARIABLE_CHARS);
    assert_non_null(strstr(ts_vars_get(b.vars, "Out"), "output\nthe end"));
}

static void output_that_is_no_text_is_made_text(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    assert_null(
        run(&b,
            (struct program){
                .command = "printf 'a\\000b\\377\\303\\244\\303(\\033[1m\\r\\n\\355\\240\\200'",
                .output_variable = "Out",
            }));
    assert_string_equal(ts_vars_get(b.vars, "Out"), "a?b?\xc3\xa4?(?[1m\n???");
    assert_non_null(strstr(buf_str(&b.log), "a?b?\xc3\xa4?(?[1m\n???\n"));
}

static void characters_are_whole_however_the_output_is_cut(void **state)
{
    (void)state;
    static const char text[] = "\xe2\x82\xac\xf0\x9f\x98\x80";
    OWN(buf_fini) struct buf all = BUF_INIT(65536);
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    for (unsigned i = 0; i < 1000; i++)
        buf_adds(&all, text);
    for (size_t size = 1; size <= 7; size++) {
        struct program_output out;

        buf_clear(&b.log);
        program_output_begin(&out, &b.c, false);
        for (size_t i = 0; i < all.len; i += size)
            program_output_feed(
                &out,
                (struct bytes){(uint8_t *)all.ptr + i, all.len - i < size ? all.len - i : size});
        program_output_end(&out);
        program_output_fini(&out);
        assert_null(strchr(buf_str(&b.log), '?')); /* one long line, cut between characters */
        assert_true(b.log.len > all.len);
    }
}

/* A long line, with the secret wherever a cut may be. */
static void a_secret_is_masked_wherever_the_output_is_cut(void **state)
{
    (void)state;
    OWN(bench_end) struct bench b;

    bench_begin(&b, "");
    assert_int_equal(ts_vars_set(b.vars, "MyPassword", "geheim-und-lang", TS_BY_SITE), 0);
    for (size_t before = 0; before < 20; before++) {
        OWN(buf_fini) struct buf all = BUF_INIT(65536);
        struct program_output out;

        while (all.len < before)
            buf_adds(&all, "x");
        while (all.len < 40000)
            buf_adds(&all, "geheim-und-lang..");
        buf_adds(&all, "geheim-und-la"); /* and it ends */
        buf_clear(&b.log);
        program_output_begin(&out, &b.c, false);
        for (size_t i = 0; i < all.len; i += 1000)
            program_output_feed(
                &out,
                (struct bytes){(uint8_t *)all.ptr + i, all.len - i < 1000 ? all.len - i : 1000});
        program_output_end(&out);
        program_output_fini(&out);
        assert_non_null(strstr(buf_str(&b.log), "***"));
        assert_null(strstr(buf_str(&b.log), "geheim-und-lang"));
        for (char *line = buf_str(&b.log)[0] ? b.log.ptr : NULL; line; line = strchr(line, '\n')) {
            line += *line == '\n' ? 1 : 0;
            assert_int_not_equal(strncmp(line, "heim", 4), 0);
            assert_int_not_equal(strncmp(line, "und", 3), 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_gets_variables_input_and_more_environment),
        cmocka_unit_test(a_program_sets_variables_by_its_file_also_when_it_fails),
        cmocka_unit_test(a_line_of_that_file_that_is_none_fails_the_step),
        cmocka_unit_test(an_exit_code_of_eight_bits_is_the_success_code_it_must_have_been),
        cmocka_unit_test(a_program_that_cannot_be_started_has_the_documented_code),
        cmocka_unit_test(a_script_for_windows_script_host_is_not_begun),
        cmocka_unit_test(an_account_that_is_not_there_fails_with_the_documented_code),
        cmocka_unit_test(an_account_has_its_own_environment_and_no_secrets),
        cmocka_unit_test(who_it_runs_as_is_said_by_the_step_or_for_all_steps_by_variables),
        cmocka_unit_test(a_password_is_checked_where_there_is_one_to_check),
        cmocka_unit_test(a_hidden_command_and_its_output_are_not_logged),
        cmocka_unit_test(much_output_is_logged_up_to_a_limit_and_its_end_kept),
        cmocka_unit_test(output_that_is_no_text_is_made_text),
        cmocka_unit_test(characters_are_whole_however_the_output_is_cut),
        cmocka_unit_test(a_secret_is_masked_wherever_the_output_is_cut),
    };

    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-program-XXXXXX");
    if (!mkdtemp(folder))
        return 1;

    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    (void)dir_remove(folder);
    return n_failed;
}
