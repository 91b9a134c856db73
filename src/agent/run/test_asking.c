/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/runner.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/screen.h"
#include "agent/run/test_site.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    TEXT_MAX = 64 * 1024,
};

static char folder[64];
static char socket_path[96];
static char journal_path[96];
static char told_path[96]; /* what the site was told */
static int ends[2];
static pid_t site;

static const struct run_platform platform = {.poll_us = 20000};
static struct runner rn;

static const char *answer_to(const char *request, char *dst, size_t cap)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *status = "200 OK";
    const char *answer = "{}";

    if (strncmp(request, "PUT ", 4) == 0 && body)
        test_note(told_path, body + 4);
    if (body && strstr(body, "wrong")) {
        status = "403 Forbidden";
        answer =
            "{\"error_id\": \"SLW-0216\", \"detail\": \"The password is wrong; 4 more tries can be made.\"}";
    } else if (body && strstr(body, "hopeless")) {
        status = "403 Forbidden";
        answer = "{\"error_id\": \"SLW-0217\", \"detail\": \"for the 5th time\"}";
    } else if (body && strstr(body, "hasty")) {
        status = "429 Too Many Requests";
        answer = "{\"error_id\": \"SLW-0113\", \"detail\": \"try again in 15 seconds.\"}";
    } else if (body && strstr(body, "SLP2000B")) {
        status = "409 Conflict";
        answer = "{\"error_id\": \"SLW-0219\", \"detail\": \"It cannot be chosen any more.\"}";
    }
    return test_site_reply(status, answer, dst, cap);
}

static int set_up(void **state)
{
    struct link_options options = {
        .urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path};

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-asking.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(journal_path, sizeof(journal_path), "%s/log", folder);
    (void)snprintf(told_path, sizeof(told_path), "%s/told", folder);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);

    const struct screen_output output = {.fd = ends[1]};

    rn = (struct runner){.platform = &platform};
    site = test_site_start(socket_path, answer_to);
    assert_int_equal(screen_new(&output, 1, &rn.screen), 0);
    assert_int_equal(journal_new(journal_path, &rn.journal), 0);
    return link_new(&options, &rn.link);
}

static int tear_down(void **state)
{
    (void)state;
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    link_free(rn.link);
    journal_free(rn.journal);
    screen_free(rn.screen);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return dir_remove(folder);
}

static int ask(int (*turn)(struct runner *rn, const json_t *waiting), const char *text)
{
    json_t *waiting = json_loads(text, 0, NULL);
    int r;

    assert_non_null(waiting);
    r = turn(&rn, waiting);
    json_decref(waiting);
    return r;
}

static void assert_shown(const char *text)
{
    char page[16384] = "";

    assert_true(read(ends[0], page, sizeof(page) - 1) > 0);
    if (!strstr(page, text))
        fail_msg("\"%s\" is not on the screen: %s", text, page);
}

static void type(const char *text)
{
    assert_int_equal(write(ends[0], text, strlen(text)), strlen(text));
}

static bool is_told(const char *text)
{
    OWN(buf_fini) struct buf told = BUF_INIT(TEXT_MAX);

    if (access(told_path, F_OK) != 0)
        return false;
    test_read(told_path, &told);
    return strstr(buf_str(&told), text) != NULL;
}

#define PASSWORD "{\"state\": \"password\", \"tries_left\": 5}"
#define CHOICE \
    "{\"state\": \"choice\", \"wait_s\": 60, \"default_id\": \"SLP2000A\", \"choices\": [" \
    "{\"deployment_id\": \"SLP2000A\", \"name\": \"Windows\", \"comment\": \"for offices\"}," \
    "{\"deployment_id\": \"SLP2000B\", \"name\": \"Debian\", \"comment\": \"\"}]}"

static void the_password_is_told_to_the_site_and_to_no_log(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf log = BUF_INIT(TEXT_MAX);

    type("swordfish\n");
    assert_int_equal(ask(runner_ask_password, PASSWORD), 0);
    assert_true(is_told("\"swordfish\""));
    assert_shown("Password (it is not shown; 5 tries left)");
    test_read(journal_path, &log);
    assert_non_null(strstr(buf_str(&log), "A password was typed (status 200)"));
    assert_null(strstr(buf_str(&log), "swordfish"));
}

static void a_wrong_password_is_said_to_be_wrong(void **state)
{
    (void)state;
    type("wrong\n");
    assert_int_equal(ask(runner_ask_password, PASSWORD), 0);
    assert_shown("4 more tries");
    type("hasty\n");
    assert_int_equal(ask(runner_ask_password, PASSWORD), 0);
    assert_shown("in 15 seconds");
}

static void after_too_many_the_computer_is_switched_off(void **state)
{
    (void)state;
    type("hopeless\n");
    assert_int_equal(ask(runner_ask_password, PASSWORD), RUNNER_E_OFF);
    assert_int_equal(ask(runner_ask_password, "{\"state\": \"password\", \"tries_left\": 0}"),
                     RUNNER_E_OFF);
}

static void an_empty_line_is_no_try(void **state)
{
    (void)state;
    type("\n");
    assert_int_equal(ask(runner_ask_password, PASSWORD), 0);
    assert_false(is_told("password"));
}

static void what_is_typed_stays_dark_until_the_password_was_right(void **state)
{
    (void)state;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    struct termios mode;
    struct screen *socket_screen = rn.screen;
    char name[64];

    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);

    assert_int_equal(ptsname_r(terminal, name, sizeof(name)), 0);

    int line = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    const struct screen_output output = {.fd = line};

    assert_int_equal(screen_new(&output, 1, &rn.screen), 0);
    assert_int_equal(ask(runner_ask_password, PASSWORD), 0);
    assert_int_equal(tcgetattr(line, &mode), 0);
    assert_int_equal(mode.c_lflag & ECHO, 0);
    assert_int_equal(write(terminal, "swordfish\n", 10), 10);
    assert_int_equal(ask(runner_ask_password, PASSWORD), 0);
    assert_int_equal(tcgetattr(line, &mode), 0);
    assert_int_equal(mode.c_lflag & ECHO, ECHO);
    screen_free(rn.screen);
    rn.screen = socket_screen;
    (void)close(line);
    (void)close(terminal);
}

static void the_number_that_is_typed_is_the_choice(void **state)
{
    (void)state;
    type("1\n");
    assert_int_equal(ask(runner_ask_choice, CHOICE), 0);
    assert_shown("1: Windows (for offices)");
    assert_true(is_told("SLP2000A"));
    assert_true(rn.has_chosen);
}

static void what_cannot_be_chosen_is_said(void **state)
{
    (void)state;
    type("7\n");
    assert_int_equal(ask(runner_ask_choice, CHOICE), 0);
    assert_shown("Type one of the numbers");
    type("2\n");
    assert_int_equal(ask(runner_ask_choice, CHOICE), 0);
    assert_shown("It cannot be chosen any more");
    assert_false(rn.has_chosen);
}

static void nought_restarts_and_chooses_nothing(void **state)
{
    (void)state;
    type("0\n");
    assert_int_equal(ask(runner_ask_choice, CHOICE), RUNNER_E_RESTART);
    assert_false(is_told("SLP"));
}

static void the_default_begins_when_the_time_is_over(void **state)
{
    (void)state;
    assert_int_equal(ask(runner_ask_choice, CHOICE), 0);
    assert_false(is_told("SLP"));
    rn.choose_until_us = 1;
    assert_int_equal(ask(runner_ask_choice, CHOICE), 0);
    assert_true(is_told("SLP2000A"));
}

static void once_somebody_types_nothing_begins_by_itself(void **state)
{
    (void)state;
    type("x\n");
    assert_int_equal(ask(runner_ask_choice, CHOICE), 0);
    assert_int_equal(rn.choose_until_us, UINT64_MAX);
    assert_int_equal(ask(runner_ask_choice, CHOICE), 0);
    assert_false(is_told("SLP"));
}

static void a_long_list_has_pages(void **state)
{
    (void)state;
    json_t *waiting = json_pack(
        "{s:s,s:i,s:s,s:[]}", "state", "choice", "wait_s", 0, "default_id", "SLP20000", "choices");

    for (int i = 0; i < 20; i++)
        (void)json_array_append_new(json_object_get(waiting, "choices"),
                                    json_pack("{s:s,s:s,s:s}",
                                              "deployment_id",
                                              "SLP20000",
                                              "name",
                                              i == 19 ? "The last" : "Other",
                                              "comment",
                                              ""));
    type("n\n");
    assert_int_equal(runner_ask_choice(&rn, waiting), 0);
    assert_shown("n: more of 20");
    assert_int_equal(runner_ask_choice(&rn, waiting), 0);
    assert_shown("20: The last");
    json_decref(waiting);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_password_is_told_to_the_site_and_to_no_log),
        TEST(a_wrong_password_is_said_to_be_wrong),
        TEST(after_too_many_the_computer_is_switched_off),
        TEST(an_empty_line_is_no_try),
        TEST(what_is_typed_stays_dark_until_the_password_was_right),
        TEST(the_number_that_is_typed_is_the_choice),
        TEST(what_cannot_be_chosen_is_said),
        TEST(nought_restarts_and_chooses_nothing),
        TEST(the_default_begins_when_the_time_is_over),
        TEST(once_somebody_types_nothing_begins_by_itself),
        TEST(a_long_list_has_pages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
