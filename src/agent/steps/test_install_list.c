/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/install_list.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/steps/package_file.h"
#include "agent/steps/package_manager.h"
#include "agent/steps/rules.h"
#include "agent/steps/test_bench.h"
#include "plat/file.h"

static char root[] = "/tmp/slipway-test-XXXXXX";

/* Three programs: an exit code for each, below 0 a failure. */
struct three {
    const int *codes;
    char done[64];
};

static const char *const names[] = {"a", "b", "c", ""};

static const char *at(void *ctx, size_t i)
{
    (void)ctx;
    return names[i];
}

static int install(void *ctx, const char *element, struct step_result *ret)
{
    struct three *t = ctx;
    int code = t->codes[element[0] - 'a'];

    t->done[strlen(t->done) + 1] = 0;
    t->done[strlen(t->done)] = element[0];
    if (code < 0)
        return step_fail(ret, code == -2 ? "SLW-0406" : "SLW-0430", "it failed.");
    ret->exit_code = code;
    return 0;
}

static void run(struct step_bench *b, struct three *t, bool goes_on)
{
    const struct install_list list = {
        .c = &b->c, .at = at, .install = install, .goes_on = goes_on, .ctx = t};

    t->done[0] = '\0';
    assert_int_equal(install_list_run(&list, &b->result), 0);
}

static void a_list_goes_on_behind_a_restart_where_it_was(void **state)
{
    (void)state;
    static const int codes[] = {0, 3010, 3010};
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("InstallSoftwareAction", "", "");
    OWN(step_bench_freep) struct step_bench *other = step_bench_new("x", "", "");
    struct three t = {.codes = codes};

    run(b, &t, false);
    assert_string_equal(t.done, "ab");
    assert_int_equal(b->result.then, STEP_THEN_RESTART_TO_OS);
    assert_true(b->result.is_same_step_again);

    /* a step of another name begins at the beginning */
    step_bench_set(other, "_SLWInstallPosition", step_bench_get(b, "_SLWInstallPosition"));
    other->c.step_name = "another";
    run(other, &t, false);
    assert_string_equal(t.done, "ab");

    /* the restart of the last one is the sequence's own */
    b->result = (struct step_result){0};
    run(b, &t, false);
    assert_string_equal(t.done, "c");
    assert_int_equal(b->result.then, STEP_THEN_GO_ON);
    assert_int_equal(b->result.exit_code, 3010);
    assert_string_equal(step_bench_get(b, "_SLWInstallPosition"), "");
}

static void what_wanted_a_restart_is_asked_for_again_if_the_list_looks_again(void **state)
{
    (void)state;
    static const int before[] = {0, 0, 3010};
    static const int after[] = {0, 0, 0};
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("InstallApplicationAction", "", "");
    struct three t = {.codes = before};
    const struct install_list list = {
        .c = &b->c, .at = at, .install = install, .looks_again = true, .ctx = &t};

    assert_int_equal(install_list_run(&list, &b->result), 0);
    assert_string_equal(t.done, "abc");
    assert_int_equal(b->result.then, STEP_THEN_RESTART_TO_OS);
    assert_true(b->result.is_same_step_again);
    t = (struct three){.codes = after};
    assert_int_equal(install_list_run(&list, &b->result), 0);
    assert_string_equal(t.done, "c");
    assert_int_equal(b->result.then, STEP_THEN_GO_ON);
    assert_int_equal(b->result.exit_code, 0);
}

static void the_others_follow_one_that_fails_only_if_that_is_wanted(void **state)
{
    (void)state;
    static const int one[] = {0, -1, 0};
    static const int cancelled[] = {0, -2, 0};
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("InstallSoftwareAction", "", "");
    struct three t = {.codes = one};

    run(b, &t, false);
    assert_string_equal(t.done, "ab");
    assert_string_equal(b->result.error_id, "SLW-0430");
    run(b, &t, true);
    assert_string_equal(t.done, "abc");
    assert_null(b->result.error_id);
    t.codes = cancelled;
    run(b, &t, true);
    assert_string_equal(t.done, "ab");
    assert_string_equal(b->result.error_id, "SLW-0406");
}

static int exit_code_of(struct step_bench *b, const json_t *file, const char *name)
{
    struct package_program program;

    b->result = (struct step_result){0};
    assert_true(package_file_program(file, name, &program));
    assert_int_equal(install_program(&b->c, &program, root, NULL, &b->result), 0);
    return b->result.exit_code;
}

static void a_program_is_run_in_its_folder_and_judged_by_its_own_codes(void **state)
{
    (void)state;
    static const char text[] =
        "{\"programs\": {\"a\": {\"command\": \"test -f here\", \"start_in\": \"data\"},"
        " \"b\": {\"command\": \"exit 7\", \"success_codes\": [7]}, \"c\": {\"command\": \"exit 7\"},"
        " \"d\": {\"command\": \"exit 3010\", \"success_codes\": [194]}, \"e\": {\"command\": \"exit 3010\"},"
        " \"f\": {\"command\": \"exit 1641\", \"success_codes\": [0, 1641]},"
        " \"g\": {\"command\": \"exit 3010\", \"success_codes\": [0]}}}";
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("InstallSoftwareAction", "", "");
    OWN(buf_fini) struct buf why = BUF_INIT(512);
    OWN(json_decrefp) json_t *file = NULL;
    struct package_program program;
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/data", root);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/data/here", root);
    assert_int_equal(file_write(path, bytes_of(""), 0600), 0);
    assert_int_equal(package_file_parse(bytes_of(text), &file, &why), 0);
    for (const char *name = "abd"; *name != '\0'; name++) {
        b->result = (struct step_result){0};
        assert_true(package_file_program(file, (char[]){*name, '\0'}, &program));
        assert_int_equal(install_program(&b->c, &program, root, NULL, &b->result), 0);
        assert_null(b->result.error_id);
        assert_int_equal(b->result.exit_code, 0);
    }
    assert_int_equal(exit_code_of(b, file, "c"), 7);
    assert_string_equal(b->result.error_id, "SLW-0430");
    /* of an exit code only eight bits arrive */
    assert_int_equal(exit_code_of(b, file, "e"), 3010);
    assert_null(b->result.error_id);
    assert_int_equal(exit_code_of(b, file, "f"), 1641);
    assert_null(b->result.error_id);
    assert_int_equal(exit_code_of(b, file, "g"), 194);
    assert_string_equal(b->result.error_id, "SLW-0430");
}

/* progress() of a site that cancels @n_left calls on. */
static unsigned n_left;

static bool cancel_soon(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx, (void)percent, (void)rate, (void)what;
    if (n_left == 0)
        fail_msg("it asks again after it was told to stop");
    return --n_left > 0;
}

static void who_waits_to_try_again_is_cancelled_at_once(void **state)
{
    (void)state;
    const struct package_program program = {.command = "echo run >> tries; exit 5"};
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("InstallSoftwareAction", "", "");
    OWN(buf_fini) struct buf tries = BUF_INIT(64);
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/tries", root);
    assert_int_equal(install_program_retried(
                         &b->c, &program, root, &(struct install_retry){.n_times = 2}, &b->result),
                     0);
    assert_string_equal(b->result.error_id, "SLW-0430");
    assert_int_equal(file_read(path, &tries), 0);
    assert_string_equal(buf_str(&tries), "run\nrun\nrun\n");

    b->c.progress = cancel_soon;
    n_left = 1;
    assert_int_equal(
        install_program_retried(&b->c,
                                &program,
                                root,
                                &(struct install_retry){.n_times = 999, .wait_us = UINT32_MAX},
                                &b->result),
        0);
    assert_string_equal(b->result.error_id, "SLW-0406");
    assert_int_equal(n_left, 0);
}

static bool holds(struct step_bench *b, const char *rules)
{
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    OWN(json_decrefp) json_t *list = json_loads(rules, 0, NULL);

    assert_true(rules_check(list, &why));

    bool is_so = rules_hold(&b->c, list, root, &why);

    assert_int_equal(is_so, why.len == 0); /* what does not hold is told */
    return is_so;
}

static void rules_ask_this_computer(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = step_bench_new("InstallSoftwareAction", "", "");

    b->machine.memory_bytes = UINT64_C(512) << 20;
    step_bench_set(b, "Kind", "Lab");
    assert_true(
        holds(b, "[{\"file\": \"/etc/passwd\"}, {\"folder\": \"/etc\"}, {\"min_disk_mb\": 1}]"));
    assert_false(holds(b, "[{\"file\": \"/etc\"}]"));
    assert_false(holds(b, "[{\"folder\": \"/etc/passwd\"}]"));
    assert_true(holds(b, "[{\"command\": \"test -d .\"}]"));
    assert_false(holds(b, "[{\"command\": \"exit 3\"}]"));
    assert_true(
        holds(b, "[{\"variable\": \"Kind\"}, {\"variable\": \"Kind\", \"equals\": \"lab\"}]"));
    assert_false(holds(b, "[{\"variable\": \"Kind\", \"equals\": \"x\"}]"));
    assert_false(holds(b, "[{\"variable\": \"None\"}]"));
    assert_true(holds(b, "[{\"min_memory_mb\": 512}]"));
    assert_false(holds(b, "[{\"min_memory_mb\": 513}]"));
    assert_true(
        holds(b, "[{\"any\": [{\"architecture\": \"x64\"}, {\"architecture\": \"x86\"}]}]"));
    assert_false(holds(b, "[{\"architecture\": \"vax\"}]"));
    assert_true(holds(b, "[{\"none\": [{\"architecture\": \"vax\"}, {\"file\": \"/none\"}]}]"));
    assert_false(holds(b, "[{\"none\": [{\"file\": \"/etc/passwd\"}]}]"));
    assert_false(holds(b, "[{\"any\": [{\"file\": \"/none\"}, {\"folder\": \"/none\"}]}]"));
    if (package_manager_kind() != PACKAGE_MANAGER_APT)
        skip();
    assert_true(holds(
        b, "[{\"package\": \"libc6\", \"min_version\": \"2.0\"}, {\"distribution\": \"debian\"}]"));
    assert_false(holds(b, "[{\"package\": \"libc6\", \"min_version\": \"999\"}]"));
    assert_false(holds(b, "[{\"package\": \"no-such-package\"}]"));
    assert_false(holds(b, "[{\"distribution\": \"solaris\"}]"));
    assert_true(holds(b, "[{\"min_os_version\": \"8\"}, {\"max_os_version\": \"999\"}]"));
    assert_false(holds(b, "[{\"min_os_version\": \"999\"}]"));
}

static void updates_from_a_security_archive_are_told_from_others(void **state)
{
    (void)state;
    static const char listing[] =
        "NOTE: This is only a simulation!\n"
        "Inst libc6 [2.36-9] (2.36-9+deb12u9 Debian:12.9/stable [amd64])\n"
        "Inst curl [7.88.1-10] (7.88.1-10+deb12u5 Debian-Security:12/stable-security [amd64]) []\n"
        "Inst new-one (1.0 Ubuntu:22.04/jammy-security, Ubuntu:22.04/jammy-updates [amd64])\n"
        "Inst odd-security [1] (2 Local:x [amd64])\n"
        "Conf curl (7.88.1-10+deb12u5 Debian-Security:12/stable-security [amd64])\n";
    OWN(buf_fini) struct buf found = BUF_INIT(4096);

    assert_int_equal(package_manager_security_names(listing, &found), 2);
    assert_int_equal(found.len, sizeof("curl\0new-one"));
    assert_memory_equal(found.ptr, "curl\0new-one", found.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_goes_on_behind_a_restart_where_it_was),
        cmocka_unit_test(what_wanted_a_restart_is_asked_for_again_if_the_list_looks_again),
        cmocka_unit_test(the_others_follow_one_that_fails_only_if_that_is_wanted),
        cmocka_unit_test(a_program_is_run_in_its_folder_and_judged_by_its_own_codes),
        cmocka_unit_test(who_waits_to_try_again_is_cancelled_at_once),
        cmocka_unit_test(rules_ask_this_computer),
        cmocka_unit_test(updates_from_a_security_archive_are_told_from_others),
    };

    if (!mkdtemp(root))
        return 1;

    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    (void)dir_remove(root);
    return n_failed;
}
