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
#include <sys/capability.h>
#include <sys/resource.h>
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

/* Which capabilities are left, of all sets, after becoming somebody else; 200: it could not. */
static int become_and_count(bool may_bind_low_ports)
{
    const struct sandbox_identity who = {
        .uid = 61799,
        .gid = 61799,
        .may_bind_low_ports = may_bind_low_ports,
    };
    cap_t caps;
    int n = 0;

    if (sandbox_become(&who) != 0 || getuid() != 61799 || getgid() != 61799 ||
        getgroups(0, NULL) != 0)
        return 200;
    caps = cap_get_proc();
    for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++)
        for (cap_flag_t set = CAP_EFFECTIVE; set <= CAP_INHERITABLE; set++) {
            cap_flag_value_t is_set = CAP_CLEAR;

            (void)cap_get_flag(caps, cap, set, &is_set);
            n += is_set == CAP_SET;
        }
    for (cap_value_t cap = 0; cap <= CAP_LAST_CAP; cap++)
        n += (cap_get_bound(cap) > 0) + (cap_get_ambient(cap) > 0);
    (void)cap_free(caps);
    return n;
}

static int become_nobody(void)
{
    return become_and_count(false);
}

static int become_nginx(void)
{
    return become_and_count(true);
}

static void root_becomes_somebody_without_any_capability_but_the_one_named(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(become_nobody), 0);
    assert_int_equal(in_child(become_nginx), 5); /* one, in five sets */
}

/* Whether who may take real-time priority 1 gets it behind the filter, and never a higher one. */
static int take_priority(unsigned most)
{
    const struct sandbox_identity who = {.uid = 61799, .gid = 61799, .rt_priority_max = most};
    const struct sched_param one = {.sched_priority = 1};
    const struct sched_param two = {.sched_priority = 2};
    struct rlimit limit;

    if (sandbox_become(&who) != 0 || sandbox_filter(SANDBOX_CALLS_SERVE) != 0)
        return 200;
    if (getrlimit(RLIMIT_RTPRIO, &limit) != 0 || limit.rlim_max > most)
        return 1;
    if (limit.rlim_max < most)
        return EXIT_UNSUPPORTED; /* this root may not give any */
    if (pthread_setschedparam(pthread_self(), SCHED_RR, &two) == 0)
        return 2;
    return (pthread_setschedparam(pthread_self(), SCHED_RR, &one) == 0) == (most == 1) ? 0 : 3;
}

static int take_priority_of_none(void)
{
    return take_priority(0);
}

static int take_priority_of_one(void)
{
    return take_priority(1);
}

static void threads_take_no_higher_priority_than_their_process_was_given(void **state)
{
    int status;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(in_child(take_priority_of_none), 0);
    status = in_child(take_priority_of_one);
    if (status == EXIT_UNSUPPORTED)
        skip();
    assert_int_equal(status, 0);
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
        cmocka_unit_test(root_becomes_somebody_without_any_capability_but_the_one_named),
        cmocka_unit_test(threads_take_no_higher_priority_than_their_process_was_given),
        cmocka_unit_test(filter_for_servers_lets_threads_start_and_no_program),
        cmocka_unit_test(filter_for_workers_runs_programs_and_changes_no_root),
        cmocka_unit_test(confine_leaves_only_the_paths_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
