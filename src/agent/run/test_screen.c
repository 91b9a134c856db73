/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/screen.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    SHORT_US = 20 * 1000,
    LONG_US = 5 * 1000 * 1000,
};

static int ends[2]; /* ours, and the screen's */
static struct screen *screen;

static int plug_in(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);

    const struct screen_output output = {.fd = ends[1], .is_page = true};

    return screen_new(&output, 1, &screen);
}

static int unplug(void **state)
{
    (void)state;
    screen_free(screen);
    (void)close(ends[0]);
    return close(ends[1]);
}

static void type(const char *text)
{
    assert_int_equal(write(ends[0], text, strlen(text)), strlen(text));
}

static void a_line_is_read_as_it_was_typed(void **state)
{
    (void)state;
    char line[16];

    type("  PC-9\b7 \r");
    assert_true(screen_read_line(screen, LONG_US, line, sizeof(line)));
    assert_string_equal(line, "PC-7");
}

static void what_is_typed_slowly_is_one_line(void **state)
{
    (void)state;
    char line[16];

    type("PC");
    assert_false(screen_read_line(screen, SHORT_US, line, sizeof(line)));
    type("-1\nrest");
    assert_true(screen_read_line(screen, LONG_US, line, sizeof(line)));
    assert_string_equal(line, "PC-1");
    assert_false(screen_read_line(screen, SHORT_US, line, sizeof(line)));
    type("\n");
    assert_true(screen_read_line(screen, LONG_US, line, sizeof(line)));
    assert_string_equal(line, "rest");
}

static void what_no_name_can_be_is_cut_and_drives_no_terminal(void **state)
{
    (void)state;
    char line[8];

    type("\x1b\x01"
         "0123456789\n");
    assert_true(screen_read_line(screen, LONG_US, line, sizeof(line)));
    assert_string_equal(line, "0123456");
}

static void a_console_that_is_gone_is_waited_for_no_more(void **state)
{
    (void)state;
    char line[8];

    assert_int_equal(shutdown(ends[0], SHUT_RDWR), 0);
    assert_false(screen_read_line(screen, SHORT_US, line, sizeof(line)));
    assert_false(screen_wait_key(screen, SHORT_US));
}

static void the_question_is_the_last_thing_on_the_page(void **state)
{
    (void)state;
    char page[4096] = "";

    screen_set(screen, SCREEN_CODE, "K7M-4QX");
    assert_true(read(ends[0], page, sizeof(page) - 1) > 0);
    assert_non_null(strstr(page, "K7M-4QX"));
    screen_set(screen, SCREEN_QUESTION, "Name");
    memset(page, 0, sizeof(page));
    assert_true(read(ends[0], page, sizeof(page) - 1) > 0);
    assert_string_equal(page + strlen(page) - strlen("Name: "), "Name: ");
}

static int plug_in_a_line(void **state)
{
    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);

    const struct screen_output output = {.fd = ends[1]};

    return screen_new(&output, 1, &screen);
}

static void expect_shown(const char *wanted)
{
    char text[4096] = "";
    ssize_t n = read(ends[0], text, sizeof(text) - 1);

    assert_int_equal(n > 0 ? n : 0, strlen(wanted));
    assert_string_equal(text, wanted);
}

static void a_line_says_percent_rate_and_what_it_does(void **state)
{
    (void)state;
    screen_set(screen, SCREEN_GROUP, "Install/Drivers");
    screen_set(screen, SCREEN_STEP, "2 of 8: Apply Operating System Image");
    expect_shown("slipway: Group: Install/Drivers\r\n"
                 "slipway: Step: 2 of 8: Apply Operating System Image\r\n");
    screen_progress(screen, 3, 12400000, "Writing");
    expect_shown("slipway: Progress: 3 %, 12 MB/s, Writing\r\n");
    screen_progress(screen, 4, 12400000, "Writing more");
    expect_shown("");
    screen_progress(screen, 14, 0, "Writing more");
    expect_shown("slipway: Progress: 14 %, Writing more\r\n");
}

static void a_line_says_what_it_waits_for_though_nobody_knows_the_percent(void **state)
{
    (void)state;
    screen_progress(screen, 255, 0, "Waiting for a source");
    expect_shown("slipway: Progress: Waiting for a source\r\n");
    screen_progress(screen, 255, 4200, "Downloading");
    expect_shown(""); /* it is too soon */
    screen_set(screen, SCREEN_STEP, "3 of 8: next");
    screen_progress(screen, 255, 4200, "Downloading");
    expect_shown("slipway: Step: 3 of 8: next\r\nslipway: Progress: 5 kB/s, Downloading\r\n");
}

static void a_page_shows_the_rate_though_nobody_knows_the_percent(void **state)
{
    (void)state;
    char page[4096] = "";

    screen_progress(screen, 255, 7000000, "Downloading");
    assert_true(read(ends[0], page, sizeof(page) - 1) > 0);
    assert_non_null(strstr(page, "  7 MB/s  Downloading"));
    assert_null(strstr(page, "%"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_read_as_it_was_typed, plug_in, unplug),
        cmocka_unit_test_setup_teardown(what_is_typed_slowly_is_one_line, plug_in, unplug),
        cmocka_unit_test_setup_teardown(
            what_no_name_can_be_is_cut_and_drives_no_terminal, plug_in, unplug),
        cmocka_unit_test_setup_teardown(
            a_console_that_is_gone_is_waited_for_no_more, plug_in, unplug),
        cmocka_unit_test_setup_teardown(
            the_question_is_the_last_thing_on_the_page, plug_in, unplug),
        cmocka_unit_test_setup_teardown(
            a_line_says_percent_rate_and_what_it_does, plug_in_a_line, unplug),
        cmocka_unit_test_setup_teardown(
            a_line_says_what_it_waits_for_though_nobody_knows_the_percent, plug_in_a_line, unplug),
        cmocka_unit_test_setup_teardown(
            a_page_shows_the_rate_though_nobody_knows_the_percent, plug_in, unplug),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
