/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/runner.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/screen.h"
#include "agent/run/test_site.h"
#include "agent/run/wizard.h"
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
    if (strncmp(request, "DELETE ", 7) == 0)
        test_note(told_path, "dropped");
    if (body && strstr(body, "far too long")) {
        status = "422 Unprocessable Entity";
        answer = "{\"error_id\": \"SLW-0190\", \"detail\": \"The value of Room is too long.\"}";
    } else if (body && strstr(body, "overtaken")) {
        status = "409 Conflict";
        answer = "{\"error_id\": \"SLW-0218\", \"detail\": \"No variables are asked for.\"}";
    }
    return test_site_reply(status, answer, dst, cap);
}

static int set_up(void **state)
{
    struct link_options options = {
        .urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path};

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-variables.XXXXXX");
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
    wizard_free(rn.wizard);
    link_free(rn.link);
    journal_free(rn.journal);
    screen_free(rn.screen);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return dir_remove(folder);
}

static void ask(const char *text)
{
    json_t *waiting = json_loads(text, 0, NULL);

    assert_non_null(waiting);
    assert_int_equal(runner_ask_variables(&rn, waiting), 0);
    json_decref(waiting);
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

#define VARIABLES(has_list) \
    "{\"state\": \"variables\", \"deployment_id\": \"SLP2000A\", \"name\": \"Windows\", \"has_list\": " has_list \
    ", \"variables\": [{\"name\": \"JoinKey\", \"is_secret\": true}, {\"name\": \"Room\", \"is_secret\": false}]}"
#define ALONE         VARIABLES("false")
#define ONE_OF_A_LIST VARIABLES("true")

/* @lines: a turn each */
static void type_all(const char *const *lines, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        type(lines[i]);
        type("\n");
        ask(ALONE);
    }
}

static void what_is_typed_is_told_to_the_site_and_a_secret_to_nothing_else(void **state)
{
    (void)state;
    static const char *const lines[] = {"geheimnis", "4711", ""};
    OWN(buf_fini) struct buf log = BUF_INIT(TEXT_MAX);
    char page[16384] = "";

    type_all(lines, 3);
    assert_true(is_told("\"JoinKey\":\"geheimnis\""));
    assert_true(is_told("\"Room\":\"4711\""));
    assert_true(is_told("\"SLP2000A\""));
    assert_true(rn.has_chosen);
    assert_null(rn.wizard);
    assert_true(read(ends[0], page, sizeof(page) - 1) > 0);
    assert_non_null(strstr(page, "JoinKey = ***"));
    assert_non_null(strstr(page, "Room = 4711"));
    assert_null(strstr(page, "geheimnis"));
    test_read(journal_path, &log);
    assert_non_null(strstr(buf_str(&log), "Variables were typed on the screen (status 200)"));
    assert_null(strstr(buf_str(&log), "geheimnis"));
}

static void nothing_is_told_before_it_is_confirmed(void **state)
{
    (void)state;
    static const char *const lines[] = {"geheimnis", "4711"};

    ask(ALONE);
    assert_shown("JoinKey, 1 of 2");
    type_all(lines, 2);
    ask(ALONE);
    assert_shown("Enter to begin with these");
    assert_false(is_told("SLP2000A"));
}

static void a_value_that_the_site_does_not_take_is_asked_for_again(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "far too long", ""};

    type_all(lines, 3);
    assert_shown("The value of Room is too long");
    assert_false(rn.has_chosen);
    ask(ALONE);
    assert_shown("Room, 2 of 2");
}

static void when_a_required_deployment_came_nothing_is_lost(void **state)
{
    (void)state;
    static const char *const lines[] = {"", "overtaken", ""};

    type_all(lines, 3);
    assert_shown("No variables are asked for");
    assert_false(rn.has_chosen);
}

static void one_can_go_back_to_the_list_that_it_was_chosen_from(void **state)
{
    (void)state;
    rn.has_chosen = true;
    type("<\n");
    ask(ONE_OF_A_LIST);
    assert_true(is_told("dropped"));
    assert_false(rn.has_chosen);
    assert_null(rn.wizard);
    assert_int_equal(rn.choose_until_us, UINT64_MAX);
}

static void before_the_first_one_there_is_nothing_without_a_list(void **state)
{
    (void)state;
    type("<\n");
    ask(ALONE);
    assert_shown("nothing before the first");
    assert_false(is_told("dropped"));
}

static void another_deployment_is_asked_about_from_its_beginning(void **state)
{
    (void)state;
    type("geheimnis\n");
    ask(ALONE);
    assert_int_equal(wizard_at(rn.wizard), 1);
    ask(ONE_OF_A_LIST);
    assert_int_equal(wizard_at(rn.wizard), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_typed_is_told_to_the_site_and_a_secret_to_nothing_else),
        TEST(nothing_is_told_before_it_is_confirmed),
        TEST(a_value_that_the_site_does_not_take_is_asked_for_again),
        TEST(when_a_required_deployment_came_nothing_is_lost),
        TEST(one_can_go_back_to_the_list_that_it_was_chosen_from),
        TEST(before_the_first_one_there_is_nothing_without_a_list),
        TEST(another_deployment_is_asked_about_from_its_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
