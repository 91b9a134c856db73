/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/script.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/steps/test_bench.h"
#include "base/base64.h"
#include "plat/file.h"

static char root[] = "/tmp/slipway-test-XXXXXX";

/* As the editor keeps it: Base64 of UTF-16LE with a byte order mark. */
static void put_source(const char *script, struct buf *ret)
{
    OWN(buf_fini) struct buf wide = BUF_INIT(65536);

    buf_add(&wide, (struct bytes){(const uint8_t *)"\xff\xfe", 2});
    for (; *script != '\0'; script++)
        buf_add(&wide, (struct bytes){(const uint8_t[]){(uint8_t)*script, 0}, 2});
    buf_adds(ret,
             "<variable name=\"OSDRunPowerShellScriptSourceScript\" property=\"SourceScript\">");
    base64_put(ret, buf_bytes(&wide));
    buf_adds(ret, "</variable>");
}

static struct step_bench *bench_of(const char *script, const char *attributes, const char *more)
{
    OWN(buf_fini) struct buf variables = BUF_INIT(65536);

    put_source(script, &variables);
    buf_adds(&variables, more);
    return step_bench_new("RunPowerShellScriptAction", attributes, buf_str(&variables));
}

#define PARAMETERS(text) STEP_VARIABLE("OSDRunPowerShellScriptParameters", text)
#define INTO(name)       STEP_VARIABLE("OSDRunPowerShellScriptOutputVariableName", name)

static void a_script_is_run_by_the_program_in_its_first_line(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b =
        bench_of("#!/bin/sh -e\r\necho \"$Color $1|$2|$3 $#\"\r\nfalse\r\necho no\r\n",
                 "successCodeList=\"1\"",
                 INTO("Out") PARAMETERS("-Name 'two words' &quot;%Color%&quot;"));

    if (geteuid() != 0)
        skip(); /* scripts are kept below /run */
    step_bench_set(b, "Color", "red");
    assert_null(step_bench_run(b));
    assert_string_equal(step_bench_get(b, "Out"), "red -Name|two words|red 3");
    assert_int_equal(b->result.exit_code, 1);
    assert_null(strstr(buf_str(&b->log), "two words "));
    step_bench_set(b, "OSDLogPowerShellParameters", "TRUE");
    assert_null(step_bench_run(b));
    assert_non_null(strstr(buf_str(&b->log), "'two words'"));
}

static void perl_runs_what_is_perls(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b =
        bench_of("#!/usr/bin/perl\nprint \"sum: \", 20 + 22, \"\\n\"; exit 7;", "", INTO("Out"));

    if (geteuid() != 0)
        skip();
    assert_string_equal(step_bench_run(b), "SLW-0430");
    assert_int_equal(b->result.exit_code, 7);
    assert_string_equal(step_bench_get(b, "Out"), "sum: 42");
}

static void a_script_that_takes_too_long_is_ended(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = bench_of("#!/bin/sh\nsleep 30\n", "timeout=\"1\"", "");

    if (geteuid() != 0)
        skip();
    assert_string_equal(step_bench_run(b), "SLW-0431");
}

/* Not PowerShell, but called as it is: it prints what it gets. */
static void put_stand_in(void)
{
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/pwsh", root);
    assert_int_equal(
        file_write(
            path,
            bytes_of("#!/bin/sh\nwhile [ \"$1\" != -File ]; do printf '%s ' \"$1\"; shift; done\n"
                     "case $2 in *.ps1) ;; *) exit 9;; esac\n"
                     "cat \"$2\"; shift 2; echo \"[$*]\"\n"),
            0755),
        0);
}

static void other_scripts_are_given_to_power_shell_with_policy_and_parameters(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b =
        bench_of("Write-Host $Name\n",
                 "",
                 INTO("Out") PARAMETERS("-Name x")
                     STEP_VARIABLE("OSDRunPowerShellScriptExecutionPolicy", "Bypass"));

    if (geteuid() != 0)
        skip();
    assert_string_equal(step_bench_run(b), "SLW-0444");
    assert_int_equal((uint32_t)b->result.exit_code, 0x87D00320);
    assert_non_null(strstr(b->result.message, "there is no pwsh here"));
    put_stand_in();
    assert_null(step_bench_run(b));
    assert_string_equal(
        step_bench_get(b, "Out"),
        "-NoLogo -NoProfile -NonInteractive -ExecutionPolicy Bypass Write-Host $Name\n[-Name x]");
}

static void a_step_without_a_script_or_with_no_text_is_refused(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *none = step_bench_new("RunPowerShellScriptAction", "", "");
    OWN(step_bench_freep)
    struct step_bench *odd = step_bench_new(
        "RunPowerShellScriptAction", "", STEP_VARIABLE("OSDRunPowerShellScriptSourceScript", "?!"));
    OWN(step_bench_freep)
    struct step_bench *package =
        step_bench_new("RunPowerShellScriptAction",
                       "",
                       STEP_VARIABLE("OSDRunPowerShellScriptPackageID", "SLP00012")
                           STEP_VARIABLE("OSDRunPowerShellScriptScriptName", "x.sh"));

    assert_string_equal(step_bench_run(none), "SLW-0444");
    assert_string_equal(step_bench_run(odd), "SLW-0444");
    assert_string_equal(step_bench_run(package), "SLW-0333");
}

static void nothing_of_a_script_stays(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = bench_of("#!/bin/sh\necho $0; stat -c %a $0\n", "", INTO("Out"));
    char *end;

    if (geteuid() != 0)
        skip();
    assert_null(step_bench_run(b));

    OWN(freep) char *path = strdup(step_bench_get(b, "Out"));

    assert_non_null(path);
    end = strchr(path, '\n');
    assert_non_null(end);
    assert_string_equal(end, "\n600");
    *end = '\0';
    assert_false(file_exists(path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_run_by_the_program_in_its_first_line),
        cmocka_unit_test(perl_runs_what_is_perls),
        cmocka_unit_test(a_script_that_takes_too_long_is_ended),
        cmocka_unit_test(other_scripts_are_given_to_power_shell_with_policy_and_parameters),
        cmocka_unit_test(a_step_without_a_script_or_with_no_text_is_refused),
        cmocka_unit_test(nothing_of_a_script_stays),
    };
    char path[1024];

    if (!mkdtemp(root))
        return 1;
    (void)snprintf(path, sizeof(path), "%s:/usr/bin:/bin", root);
    (void)setenv("PATH", path, 1); // NOLINT(concurrency-mt-unsafe): one thread

    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    (void)dir_remove(root);
    return n_failed;
}
