/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/process.h"

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
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <unistd.h>

#include "base/own.h"
#include "plat/clock.h"

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct process_result run_ok(const struct process_options *options)
{
    struct process_result result;

    assert_int_equal(process_run(options, &result), 0);
    return result;
}

static void run_feeds_input_and_collects_both_outputs(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf output = BUF_INIT(64);
    struct process_options options = {
        .argv = ARGV("sh", "-c", "cat; echo err >&2; exit 3"),
        .input = bytes_of("in\n"),
        .output = &output,
    };
    struct process_result result = run_ok(&options);

    assert_int_equal(result.exit_code, 3);
    assert_int_equal(result.signal, 0);
    assert_string_equal(buf_str(&output), "in\nerr\n");
}

static void run_says_when_there_is_no_such_program(void **state)
{
    (void)state;
    struct process_options options = {.argv = ARGV("/nonexistent/program")};
    struct process_result result;

    assert_int_equal(process_run(&options, &result), -ENOENT);
}

static void run_reports_the_signal_that_ended_it(void **state)
{
    (void)state;
    struct process_options options = {.argv = ARGV("sh", "-c", "kill -TERM $$")};

    assert_int_equal(run_ok(&options).signal, SIGTERM);
}

static void run_ends_the_whole_group_when_time_is_up(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf output = BUF_INIT(64);
    struct process_options options = {
        .argv = ARGV("sh", "-c", "sleep 60 & sleep 60"),
        .output = &output,
        .timeout_us = 20000,
    };
    struct process_result result = run_ok(&options);

    assert_true(result.is_timed_out);
    assert_int_equal(result.signal, SIGKILL);
}

static enum process_tick stop_at_two(void *ctx)
{
    unsigned *n = ctx;

    return ++*n < 2 ? PROCESS_GO_ON : PROCESS_END;
}

static void run_asks_while_it_runs_and_ends_the_group_when_told(void **state)
{
    (void)state;
    unsigned n = 1;
    struct process_options options = {
        .argv = ARGV("sh", "-c", "sleep 60 & sleep 60"),
        .on_tick = stop_at_two,
        .ctx = &n,
    };
    struct process_result result = run_ok(&options);

    assert_int_equal(n, 2);
    assert_true(result.is_stopped);
    assert_false(result.is_timed_out);
    assert_int_equal(result.signal, SIGKILL);
}

static void run_does_not_wait_for_what_the_program_left_behind(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf output = BUF_INIT(64);
    struct process_options options = {
        .argv = ARGV("sh", "-c", "sleep 1 & echo done"),
        .output = &output,
        .timeout_us = 900000,
    };

    assert_false(run_ok(&options).is_timed_out);
    assert_string_equal(buf_str(&output), "done\n");
}

static void run_drops_output_beyond_the_maximum_and_says_so(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf output = BUF_INIT(4);
    struct process_options options = {.argv = ARGV("echo", "12345"), .output = &output};

    assert_int_equal(run_ok(&options).exit_code, 0);
    assert_true(output.failed);
}

static void count(void *ctx, struct bytes piece)
{
    *(size_t *)ctx += piece.len;
}

static void run_hands_over_all_of_a_long_output(void **state)
{
    (void)state;
    size_t n = 0;
    struct process_options options = {
        .argv = ARGV("head", "-c", "3000000", "/dev/zero"),
        .on_output = count,
        .ctx = &n,
    };

    assert_int_equal(run_ok(&options).exit_code, 0);
    assert_int_equal(n, 3000000);
}

static void run_uses_folder_and_environment_and_gives_no_other_descriptor(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf output = BUF_INIT(256);
    struct process_options options = {
        .argv = ARGV("/bin/sh", "-c", "pwd; echo $A; ls /proc/self/fd | wc -w"),
        .envp = ARGV("A=b", "PATH=/usr/bin:/bin"),
        .folder = "/proc",
        .output = &output,
    };

    /* what whoever started this test left open is not what is tested */
    assert_int_equal(close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC), 0);
    assert_int_equal(run_ok(&options).exit_code, 0);
    assert_string_equal(buf_str(&output), "/proc\nb\n4\n"); /* 0 to 2, and ls's own */
}

/* Each line is the number of a process. Return: how many; each must be gone. */
static unsigned count_dead(struct bytes lines)
{
    unsigned n = 0;

    while (lines.len > 0) {
        const uint8_t *end = memchr(lines.ptr, '\n', lines.len);
        uint64_t pid = 0;

        if (!end)
            break;
        assert_true(bytes_parse_u64(
            (struct bytes){lines.ptr, (size_t)(end - lines.ptr)}, 2, INT_MAX, &pid));
        assert_int_equal(kill((pid_t)pid, 0), -1);
        assert_int_equal(errno, ESRCH);
        lines.len -= (size_t)(end - lines.ptr) + 1;
        lines.ptr = end + 1;
        n++;
    }
    return n;
}

static void run_ends_grandchildren_in_sessions_of_their_own_when_time_is_up(void **state)
{
    (void)state;
    unsigned n = 0;

    /* as much time as it takes until all three have said who they are */
    for (uint64_t timeout_us = 30000; n < 3; timeout_us *= 2) {
        OWN(buf_fini) struct buf output = BUF_INIT(256);
        struct process_options options = {
            .argv = ARGV("/bin/sh",
                         "-c",
                         "setsid sh -c 'echo $$; exec sleep 60' & "
                         "(setsid sh -c 'trap \"\" TERM HUP; echo $$; (sh -c \"echo \\$\\$; exec "
                         "sleep 60\") & sleep 60' &) ; sleep 60"),
            .output = &output,
            .timeout_us = timeout_us,
            .is_whole_tree = true,
        };
        struct process_result result = run_ok(&options);

        assert_true(result.is_timed_out);
        assert_int_equal(result.signal, SIGKILL);
        n = count_dead(buf_bytes(&output));
    }
}

static void run_of_a_tree_asks_before_it_kills(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf output = BUF_INIT(64);
    unsigned n = 1;
    struct process_options options = {
        .argv = ARGV("/bin/sh", "-c", "sleep 60"),
        .output = &output,
        .on_tick = stop_at_two,
        .ctx = &n,
        .is_whole_tree = true,
    };
    struct process_result result = run_ok(&options);

    assert_true(result.is_stopped);
    assert_int_equal(result.signal, SIGTERM);
}

struct pausing {
    unsigned n;
    uint64_t at_us[3];
};

static enum process_tick pause_at_first(void *ctx)
{
    struct pausing *p = ctx;

    p->at_us[p->n < 3 ? p->n : 2] = clock_monotonic_us();
    return p->n++ == 0 ? PROCESS_PAUSE : PROCESS_GO_ON;
}

static void run_of_a_tree_stands_still_while_it_is_paused(void **state)
{
    (void)state;
    struct process_result result = {0};
    struct pausing pausing = {0};

    /* longer and longer, as a busy computer may be too late for what is short */
    for (unsigned scale = 1; scale <= 256 && (pausing.n < 2 || result.is_timed_out); scale *= 4) {
        char command[64];

        (void)snprintf(command, sizeof(command), "sleep %u.%02u", scale / 50, scale % 50 * 2);
        pausing = (struct pausing){0};
        result = run_ok(&(struct process_options){
            .argv = ARGV("/bin/sh", "-c", command),
            .timeout_us = UINT64_C(60000) * scale, /* the pause is longer */
            .on_tick = pause_at_first,
            .tick_us = UINT64_C(80000) * scale,
            .ctx = &pausing,
            .is_whole_tree = true,
        });
    }
    assert_false(result.is_timed_out);
    assert_int_equal(pausing.n, 2);
    assert_true(pausing.at_us[1] - pausing.at_us[0] > 60000);
    assert_int_equal(result.exit_code, 0);
}

static void run_of_a_tree_leaves_what_was_left_behind_when_it_ends_by_itself(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf output = BUF_INIT(64);
    struct process_options options = {
        .argv = ARGV("/bin/sh", "-c", "setsid sleep 20 >/dev/null 2>&1 & echo $!; exit 7"),
        .output = &output,
        .timeout_us = 900000,
        .is_whole_tree = true,
    };
    struct process_result result = run_ok(&options);
    uint64_t pid = 0;

    assert_int_equal(result.exit_code, 7);
    assert_true(bytes_parse_u64(
        (struct bytes){(const uint8_t *)output.ptr, output.len - 1}, 2, INT_MAX, &pid));
    assert_int_equal(kill((pid_t)pid, 0), 0);
    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
}

static void run_of_a_tree_says_why_it_could_not_be_started(void **state)
{
    (void)state;
    struct process_options options = {.argv = ARGV("/nonexistent/program"), .is_whole_tree = true};
    struct process_result result;

    assert_int_equal(process_run(&options, &result), -ENOENT);
    options.argv = ARGV("/bin/sh", "-c", "exit 0");
    options.folder = "/nonexistent";
    assert_int_equal(process_run(&options, &result), -ENOENT);
}

static void run_as_a_user_has_its_numbers_and_nothing_of_ours(void **state)
{
    (void)state;
    static const uint32_t groups[] = {64001, 64002};
    OWN(buf_fini) struct buf output = BUF_INIT(256);
    const struct process_user user = {64000, 64001, groups, 2};
    struct process_options options = {
        .argv = ARGV("/bin/sh", "-c", "id -u; id -g; id -G; umask; ls /proc/self/fd | wc -w"),
        .user = &user,
        .output = &output,
    };

    if (geteuid() != 0) {
        struct process_result result;

        assert_int_equal(process_run(&options, &result), -EPERM);
        return;
    }
    assert_int_equal(close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC), 0);
    assert_int_equal(run_ok(&options).exit_code, 0);
    assert_string_equal(buf_str(&output), "64000\n64001\n64001 64002\n0022\n4\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(run_feeds_input_and_collects_both_outputs),
        cmocka_unit_test(run_says_when_there_is_no_such_program),
        cmocka_unit_test(run_reports_the_signal_that_ended_it),
        cmocka_unit_test(run_ends_the_whole_group_when_time_is_up),
        cmocka_unit_test(run_asks_while_it_runs_and_ends_the_group_when_told),
        cmocka_unit_test(run_does_not_wait_for_what_the_program_left_behind),
        cmocka_unit_test(run_drops_output_beyond_the_maximum_and_says_so),
        cmocka_unit_test(run_hands_over_all_of_a_long_output),
        cmocka_unit_test(run_uses_folder_and_environment_and_gives_no_other_descriptor),
        cmocka_unit_test(run_ends_grandchildren_in_sessions_of_their_own_when_time_is_up),
        cmocka_unit_test(run_of_a_tree_asks_before_it_kills),
        cmocka_unit_test(run_of_a_tree_stands_still_while_it_is_paused),
        cmocka_unit_test(run_of_a_tree_leaves_what_was_left_behind_when_it_ends_by_itself),
        cmocka_unit_test(run_of_a_tree_says_why_it_could_not_be_started),
        cmocka_unit_test(run_as_a_user_has_its_numbers_and_nothing_of_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
