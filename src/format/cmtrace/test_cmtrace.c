/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/cmtrace/cmtrace.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"

static const struct cmtrace_line line_of_2026 = {
    .wall_us = 1795253405123456, /* 2026-11-21T09:30:05.123456Z */
    .type = CMTRACE_WARNING,
    .component = "TSManager",
    .file = "run.c:80",
    .thread = 412,
};

static void put_writes_what_log_viewers_read(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf dst = BUF_INIT(4096);

    cmtrace_put(&dst, &line_of_2026, bytes_of("The step failed"));
    assert_string_equal(buf_str(&dst),
                        "<![LOG[The step failed]LOG]!><time=\"09:30:05.123+000\" "
                        "date=\"11-21-2026\" component=\"TSManager\" context=\"\" type=\"2\" "
                        "thread=\"412\" file=\"run.c:80\">\n");
}

static void put_writes_local_time_and_what_makes_it_utc(void **state)
{
    (void)state;
    static const struct {
        int bias_min;
        const char *time;
    } cases[] = {
        {-60, "time=\"10:30:05.123-060\" date=\"11-21-2026\""},  /* Amsterdam, in winter */
        {420, "time=\"02:30:05.123+420\" date=\"11-21-2026\""},  /* Los Angeles, in summer */
        {-765, "time=\"22:15:05.123-765\" date=\"11-21-2026\""}, /* Chatham */
        {600, "time=\"23:30:05.123+600\" date=\"11-20-2026\""},  /* Honolulu: still yesterday */
        {1441, "time=\"09:30:05.123+000\" date=\"11-21-2026\""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf dst = BUF_INIT(4096);
        struct cmtrace_line line = line_of_2026;
        struct cmtrace_parsed parsed;
        struct bytes src;
        struct bytes text;

        line.bias_min = cases[i].bias_min;
        cmtrace_put(&dst, &line, bytes_of("x"));
        assert_non_null(strstr(buf_str(&dst), cases[i].time));
        src = buf_bytes(&dst);
        assert_true(cmtrace_take(&src, &parsed, &text));
        assert_int_equal(parsed.wall_us, line_of_2026.wall_us / 1000 * 1000);
    }
}

static void put_keeps_hostile_text_on_one_line_and_inside(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf dst = BUF_INIT(4096);
    struct bytes src;
    struct bytes text;
    struct cmtrace_parsed parsed;

    cmtrace_put(&dst, &line_of_2026, bytes_of("a\nb]LOG]!><time=\"x\">\x1b[2J"));
    src = buf_bytes(&dst);
    assert_true(cmtrace_take(&src, &parsed, &text));
    assert_int_equal(src.len, 0);
    assert_true(bytes_eq(text, bytes_of("a?b?LOG]!><time=\"x\">?[2J")));
}

static void take_reads_what_put_wrote(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf dst = BUF_INIT(4096);
    struct bytes src;
    struct bytes text;
    struct cmtrace_parsed parsed;

    cmtrace_put(&dst, &line_of_2026, bytes_of("one"));
    cmtrace_put(&dst, &line_of_2026, bytes_of("two"));
    src = buf_bytes(&dst);
    assert_true(cmtrace_take(&src, &parsed, &text));
    assert_true(bytes_eq(text, bytes_of("one")));
    assert_int_equal(parsed.wall_us, 1795253405123000);
    assert_int_equal(parsed.type, CMTRACE_WARNING);
    assert_int_equal(parsed.thread, 412);
    assert_string_equal(parsed.component, "TSManager");
    assert_string_equal(parsed.file, "run.c:80");
    assert_true(cmtrace_take(&src, &parsed, &text));
    assert_true(bytes_eq(text, bytes_of("two")));
}

static void take_subtracts_the_bias_of_other_writers(void **state)
{
    (void)state;
    static const struct {
        const char *time;
        uint64_t wall_us;
    } cases[] = {
        {"10:30:05.000-60", 1795253405000000},
        {"02:30:05.000+420", 1795253405000000},
        {"09:30:05.000", 1795253405000000},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf line = BUF_INIT(256);
        struct bytes src;
        struct bytes text;
        struct cmtrace_parsed parsed;

        buf_addf(&line, "<![LOG[x]LOG]!><time=\"%s\" date=\"11-21-2026\">", cases[i].time);
        src = buf_bytes(&line);
        assert_true(cmtrace_take(&src, &parsed, &text));
        assert_int_equal(parsed.wall_us, cases[i].wall_us);
    }
}

static void take_refuses_every_prefix_of_a_line(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf dst = BUF_INIT(4096);

    cmtrace_put(&dst, &line_of_2026, bytes_of("text"));
    for (size_t n = 0; n + 1 < dst.len; n++) { /* without "\n" it is whole */
        struct bytes src = {(const uint8_t *)dst.ptr, n};
        struct bytes text;
        struct cmtrace_parsed parsed;

        assert_false(cmtrace_take(&src, &parsed, &text));
        assert_int_equal(src.len, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_writes_what_log_viewers_read),
        cmocka_unit_test(put_writes_local_time_and_what_makes_it_utc),
        cmocka_unit_test(put_keeps_hostile_text_on_one_line_and_inside),
        cmocka_unit_test(take_reads_what_put_wrote),
        cmocka_unit_test(take_subtracts_the_bias_of_other_writers),
        cmocka_unit_test(take_refuses_every_prefix_of_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
