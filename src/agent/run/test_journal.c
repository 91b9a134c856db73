/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/journal.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/run/journal_old.h"
#include "base/buf.h"
#include "base/own.h"
#include "format/cmtrace/log_settings.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/log.h"
#include "ts/vars.h"

DEFINE_FREEP(struct journal *, journal_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static char folder[64];
static char memory[96];
static char volume[96];

static int new_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-journal-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(memory, sizeof(memory), "%s/smsts.log", folder);
    (void)snprintf(volume, sizeof(volume), "%s/volume.log", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void note(struct journal *j, const char *text)
{
    journal_write(j, CMTRACE_WARNING, "TSManager", "%s", text);
}

static void read_file(const char *path, struct buf *ret)
{
    buf_clear(ret);
    assert_int_equal(file_read(path, ret), 0);
}

/* The numbers that the lines of @text begin with follow one another, up to @last. */
static void expect_numbers(struct bytes text, unsigned first, unsigned last)
{
    struct cmtrace_parsed line;
    struct bytes message;

    for (unsigned i = first; i <= last; i++) {
        char number[16];

        assert_true(cmtrace_take(&text, &line, &message));
        (void)snprintf(number, sizeof(number), "%u ", i);
        assert_true(message.len > strlen(number));
        assert_memory_equal(message.ptr, number, strlen(number));
    }
    assert_int_equal(text.len, 0);
}

/* Lines of about 8 KiB. */
static void write_numbers(struct journal *j, unsigned first, unsigned last)
{
    for (unsigned i = first; i <= last; i++)
        journal_write(j, CMTRACE_INFORMATION, "Test", "%u %08000u", i, i);
}

static void a_line_says_where_it_comes_from_and_no_secret(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *j = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    struct cmtrace_parsed line;
    struct bytes src;
    struct bytes message;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "OSDJoinPassword", "S3cr3t", TS_BY_ENGINE), 0);
    assert_int_equal(journal_new(memory, &j), 0);
    journal_set_vars(j, vars);
    note(j, "joins with S3cr3t");
    read_file(memory, &text);
    src = buf_bytes(&text);
    assert_true(cmtrace_take(&src, &line, &message));
    assert_string_equal(line.component, "TSManager");
    assert_int_equal(line.type, CMTRACE_WARNING);
    assert_int_equal(strncmp(line.file, "test_journal.c:", strlen("test_journal.c:")), 0);
    assert_null(strstr(buf_str(&text), "S3cr3t"));
    buf_clear(&text);
    journal_mask(j, "S3cr3t too", &text);
    assert_string_equal(buf_str(&text), "*** too");
}

enum {
    FILE_BYTES = 100000,
    FILLS = FILE_BYTES / 8000 + 3, /* lines that are more than a file has room for */
};

static void set_log(struct journal *j, unsigned n_old, enum cmtrace_type least)
{
    journal_set(j, &(struct log_settings){FILE_BYTES, n_old, least});
}

static void a_file_that_is_full_becomes_the_old_one(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *j = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)10 * FILE_BYTES);
    char old[96];

    (void)snprintf(old, sizeof(old), "%s/smsts.lo_", folder);
    assert_int_equal(journal_new(memory, &j), 0);
    set_log(j, 1, CMTRACE_INFORMATION);
    write_numbers(j, 1, FILLS);
    read_file(memory, &text);
    assert_true(text.len < FILE_BYTES / 2);
    read_file(old, &text);
    assert_true(text.len <= FILE_BYTES + 16384U);
    buf_clear(&text);
    assert_int_equal(journal_read(j, &text), 0);
    expect_numbers(buf_bytes(&text), 1, FILLS);
}

static void as_many_old_files_are_kept_as_LOGMAXHISTORY_says(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *j = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)10 * FILE_BYTES);
    struct journal_old list;

    assert_int_equal(journal_new(memory, &j), 0);
    set_log(j, 3, CMTRACE_INFORMATION);
    write_numbers(j, 1, 6 * FILLS);
    assert_int_equal(journal_old_list(memory, &list), 0);
    assert_int_equal(list.n, 3);
    for (size_t i = 0; i < list.n; i++)
        assert_int_equal(strncmp(list.files[i].name, "smsts-20", strlen("smsts-20")), 0);
    assert_int_equal(journal_read(j, &text), 0);

    struct bytes all = buf_bytes(&text);
    struct cmtrace_parsed line;
    struct bytes message;
    uint64_t first = 0;

    assert_true(cmtrace_take(&all, &line, &message));
    message.len = (size_t)(strchr((const char *)message.ptr, ' ') - (const char *)message.ptr);
    assert_true(
        bytes_parse_u64(message, 2, UINT64_C(4) * FILLS, &first)); /* the newest are there */
    expect_numbers(all, (unsigned)first + 1, 6 * FILLS);

    set_log(j, 0, CMTRACE_INFORMATION);
    write_numbers(j, 1, FILLS);
    buf_clear(&text);
    assert_int_equal(journal_old_list(memory, &list), 0);
    assert_int_equal(list.n, 3); /* nothing new */
}

static void lines_below_LOGLEVEL_are_not_written(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *j = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(journal_new(memory, &j), 0);
    set_log(j, 1, CMTRACE_WARNING);
    journal_write(j, CMTRACE_INFORMATION, "Test", "information");
    journal_write(j, CMTRACE_WARNING, "Test", "warning");
    journal_write(j, CMTRACE_ERROR, "Test", "error");
    read_file(memory, &text);
    assert_null(strstr(buf_str(&text), "information"));
    assert_non_null(strstr(buf_str(&text), "warning"));
    assert_non_null(strstr(buf_str(&text), "error"));
    assert_true(bytes_eq(journal_pending(j), buf_bytes(&text))); /* nor told to the site */
}

static void times_are_local_ones(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *j = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    struct cmtrace_parsed line;
    struct bytes message;
    struct bytes src;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): no threads */
    assert_int_equal(setenv("TZ", "EAST-5:30", 1), 0);
    assert_int_equal(journal_new(memory, &j), 0);
    note(j, "x");
    assert_int_equal(unsetenv("TZ"), 0); /* NOLINT(concurrency-mt-unsafe) */
    read_file(memory, &text);
    assert_non_null(strstr(buf_str(&text), "-330\" date="));
    src = buf_bytes(&text);
    assert_true(cmtrace_take(&src, &line, &message));
    assert_in_range(clock_wall_us() - line.wall_us, 0, 60 * 1000 * 1000);
}

static void a_volume_that_comes_later_gets_the_old_files_too(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)10 * FILE_BYTES);

    for (unsigned n_old = 1; n_old <= 3; n_old += 2) {
        OWN(journal_freep) struct journal *j = NULL;
        unsigned last = n_old * FILLS;

        assert_int_equal(journal_new(memory, &j), 0);
        set_log(j, n_old, CMTRACE_INFORMATION);
        write_numbers(j, 1, last);
        assert_int_equal(journal_attach(j, volume), 0);
        write_numbers(j, last + 1, last + 1);
        buf_clear(&text);
        assert_int_equal(journal_read(j, &text), 0);
        expect_numbers(buf_bytes(&text), 1, last + 1);
        journal_old_remove(volume);
        assert_int_equal(remove(volume), 0);
    }
}

static void of_more_than_is_wanted_the_end_is_read_in_whole_lines(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *j = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(20000);

    assert_int_equal(journal_new(memory, &j), 0);
    write_numbers(j, 1, 5);
    assert_int_equal(journal_read(j, &text), 0);
    expect_numbers(buf_bytes(&text), 4, 5);
}

static void a_volume_that_was_formatted_again_gets_everything(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *j = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(journal_new(memory, &j), 0);
    write_numbers(j, 1, 1);
    assert_int_equal(journal_attach(j, volume), 0);
    write_numbers(j, 2, 2);
    assert_int_equal(journal_attach(j, NULL), 0);
    assert_int_equal(remove(volume), 0);
    assert_int_equal(journal_attach(j, volume), 0);
    write_numbers(j, 3, 3);
    read_file(volume, &text);
    expect_numbers(buf_bytes(&text), 1, 3);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, new_folder, remove_folder)

/* The line is longer than the log takes, and its cut goes through the secret. */
static void a_secret_that_the_end_of_a_line_cuts_is_not_shown(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *j = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    OWN(buf_fini) struct buf line = BUF_INIT(2 * (size_t)CMTRACE_TEXT_MAX);

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "OSDJoinPassword", "S3cr3t", TS_BY_ENGINE), 0);
    assert_int_equal(journal_new(memory, &j), 0);
    journal_set_vars(j, vars);
    while (line.len < CMTRACE_TEXT_MAX - 5)
        buf_adds(&line, "z");
    buf_adds(&line, "S3cr3t and more");
    note(j, buf_str(&line));
    read_file(memory, &text);
    assert_non_null(strstr(buf_str(&text), "zz"));
    assert_null(strstr(buf_str(&text), "S3c"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_line_says_where_it_comes_from_and_no_secret),
        IN_FOLDER(a_file_that_is_full_becomes_the_old_one),
        IN_FOLDER(as_many_old_files_are_kept_as_LOGMAXHISTORY_says),
        IN_FOLDER(lines_below_LOGLEVEL_are_not_written),
        IN_FOLDER(times_are_local_ones),
        IN_FOLDER(a_volume_that_comes_later_gets_the_old_files_too),
        IN_FOLDER(of_more_than_is_wanted_the_end_is_read_in_whole_lines),
        IN_FOLDER(a_volume_that_was_formatted_again_gets_everything),
        IN_FOLDER(a_secret_that_the_end_of_a_line_cuts_is_not_shown),
    };

    log_init("test", LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
