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
#include "base/own.h"
#include "plat/file.h"

enum {
    TEXT_MAX = 64 * 1024,
};

static char folder[64];
static char socket_path[96];
static char journal_path[96];
static char names_path[96]; /* what the site was told */
static int ends[2];
static pid_t site;

static const struct run_platform platform = {.poll_us = 20000};
static struct runner rn = {.platform = &platform};

static const char *answer_to(const char *request, char *dst, size_t cap)
{
    const char *body = strstr(request, "\r\n\r\n");
    bool is_taken = body && strstr(body, "TAKEN");

    if (strncmp(request, "PUT /api/v1/client/name ", 24) == 0 && body)
        test_note(names_path, body + 4);
    return test_site_reply(is_taken ? "400 Bad Request" : "200 OK",
                           is_taken ? "{\"detail\": \"It is taken.\"}" : "{}",
                           dst,
                           cap);
}

static int set_up(void **state)
{
    struct link_options options = {
        .urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path};

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-waiting.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(journal_path, sizeof(journal_path), "%s/log", folder);
    (void)snprintf(names_path, sizeof(names_path), "%s/names", folder);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);

    const struct screen_output output = {.fd = ends[1]};

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
    rn.waits_for[0] = '\0';
    return dir_remove(folder);
}

static int wait_with(const char *text)
{
    json_t *waiting = json_loads(text, 0, NULL);
    int r;

    assert_non_null(waiting);
    r = runner_wait_unknown(&rn, waiting);
    json_decref(waiting);
    return r;
}

static void assert_shown(const char *text)
{
    char page[8192] = "";

    assert_true(read(ends[0], page, sizeof(page) - 1) > 0);
    if (!strstr(page, text))
        fail_msg("\"%s\" is not on the screen: %s", text, page);
}

static void type(const char *text)
{
    assert_int_equal(write(ends[0], text, strlen(text)), strlen(text));
}

static void assert_told(const char *text)
{
    OWN(buf_fini) struct buf told = BUF_INIT(TEXT_MAX);

    test_read(names_path, &told);
    assert_non_null(strstr(buf_str(&told), text));
}

#define WAITS_FOR_NAME \
    "{\"state\": \"waiting\", \"needs_approval\": false, \"needs_name\": true, \"code\": \"K7M-4QX\"," \
    " \"suggested_name\": \"PC-0007\"}"

static void the_code_is_shown_while_it_waits(void **state)
{
    (void)state;
    assert_int_equal(
        wait_with("{\"state\": \"waiting\", \"needs_approval\": true, \"needs_name\": false,"
                  " \"code\": \"K7M-4QX\"}"),
        0);
    assert_shown("K7M-4QX");
}

static void the_name_that_is_typed_is_told_to_the_site(void **state)
{
    (void)state;
    type("LAB-3\n");
    assert_int_equal(wait_with(WAITS_FOR_NAME), 0);
    assert_told("\"LAB-3\"");
}

static void enter_alone_takes_the_proposal(void **state)
{
    (void)state;
    type("\n");
    assert_int_equal(wait_with(WAITS_FOR_NAME), 0);
    assert_told("\"PC-0007\"");
}

static void what_is_wrong_with_a_name_is_shown(void **state)
{
    (void)state;
    type("TAKEN\n");
    assert_int_equal(wait_with(WAITS_FOR_NAME), 0);
    assert_shown("It is taken.");
}

static void a_site_that_is_away_ends_nothing(void **state)
{
    (void)state;
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    (void)unlink(socket_path);
    type("LAB-3\n");
    assert_int_equal(wait_with(WAITS_FOR_NAME), 0);
    assert_shown("does not answer");
}

static void one_that_is_denied_or_too_late_stops(void **state)
{
    (void)state;
    assert_int_equal(wait_with("{\"state\": \"denied\", \"reason\": \"not ours\"}"),
                     RUNNER_E_FAILED);
    assert_shown("SLW-0470");
    assert_int_equal(wait_with("{\"state\": \"expired\"}"), RUNNER_E_FAILED);
    assert_shown("SLW-0471");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_code_is_shown_while_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_name_that_is_typed_is_told_to_the_site, set_up, tear_down),
        cmocka_unit_test_setup_teardown(enter_alone_takes_the_proposal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_wrong_with_a_name_is_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_site_that_is_away_ends_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_denied_or_too_late_stops, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
