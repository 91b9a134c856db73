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

static bool stop_at_two(void *ctx)
{
    unsigned *n = ctx;

    return ++*n < 2;
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
