/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plat/file.h"

enum {
    EXIT_UNSUPPORTED = 77,
};

/* What @body returns in a process of its own, which keeps what it gave up to itself. */
static int in_child(int (*body)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(body());
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static bool is_refused(int e)
{
    char *const argv[] = {(char[]){"true"}, NULL};

    errno = 0;
    (void)execv("/bin/true", argv);
    return errno == e;
}

static void *do_nothing(void *ctx)
{
    return ctx;
}

/* Role `pxe` starts threads when transfers come, long after the filter. */
static bool can_start_a_thread(void)
{
    pthread_t thread;
    void *result = NULL;
    int here;

    return pthread_create(&thread, NULL, do_nothing, &here) == 0 &&
           pthread_join(thread, &result) == 0 && result == &here;
}

static int serve(void)
{
    if (sandbox_lock() != 0 || sandbox_filter(SANDBOX_CALLS_SERVE) != 0)
        return 1;

    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 2;
    if (unshare(0) != -1 || errno != EPERM)
        return 3;
    if (!can_start_a_thread())
        return 5;
    return is_refused(EPERM) ? 0 : 4;
}

static int work(void)
{
    char *const argv[] = {(char[]){"true"}, NULL};

    if (sandbox_lock() != 0 || sandbox_filter(SANDBOX_CALLS_WORK) != 0)
        return 1;
    if (chroot("/") != -1 || errno != EPERM)
        return 2;
    (void)execv("/bin/true", argv); /* which exits with 0 */
    return 3;
}

static char folder[32]; /* the only one that may be used */

static int confined(void)
{
    char inside[64];
    int result = 0;
    const struct sandbox_path paths[] = {{folder, true}, {"/nonexistent", true}, {NULL, false}};

    (void)snprintf(inside, sizeof(inside), "%s/file", folder);
    if (sandbox_lock() != 0)
        return 2;

    int r = sandbox_confine(paths, false);

    if (r == 0 && file_write(inside, bytes_of("x"), 0600) != 0)
        result = 3;
    if (r == 0 && (open("/etc/hostname", O_RDONLY | O_CLOEXEC) >= 0 || errno != EACCES))
        result = 4;
    if (r == 0 && !is_refused(EACCES))
        result = 5;
    (void)unlink(inside);
    if (r < 0)
        result = 6;
    return r == SANDBOX_E_UNSUPPORTED ? EXIT_UNSUPPORTED : result;
}

static void filter_for_servers_lets_threads_start_and_no_program(void **state)
{
    (void)state;
    assert_int_equal(in_child(serve), 0);
}

static void filter_for_workers_runs_programs_and_changes_no_root(void **state)
{
    (void)state;
    assert_int_equal(in_child(work), 0);
}

static void confine_leaves_only_the_paths_named(void **state)
{
    (void)state;
    int status;

    (void)snprintf(folder, sizeof(folder), "/tmp/test_sandbox_XXXXXX");
    assert_non_null(mkdtemp(folder));
    status = in_child(confined);
    assert_int_equal(rmdir(folder), 0);

    if (status == EXIT_UNSUPPORTED)
        skip();
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filter_for_servers_lets_threads_start_and_no_program),
        cmocka_unit_test(filter_for_workers_runs_programs_and_changes_no_root),
        cmocka_unit_test(confine_leaves_only_the_paths_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
