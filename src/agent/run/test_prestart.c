/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/runner.h"

#include <poll.h>
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
    HANGS_MS = 20 * 1000, /* nothing takes so long */
};

static char folder[64];
static char socket_path[96];
static char journal_path[96];
static char told_path[96]; /* what the site was told */
static int ends[2];
static pid_t site;
static char page[TEXT_MAX];
static size_t page_len;

static const struct run_platform platform = {.poll_us = 20000};
static struct runner rn;

static const char *answer_to(const char *request, char *dst, size_t cap)
{
    const char *body = strstr(request, "\r\n\r\n");

    if (strncmp(request, "PUT /api/v1/client/prestart ", 28) == 0 && body)
        test_note(told_path, body + 4);
    if (body && strstr(body, "SLP2FFFF"))
        return test_site_reply(
            "409 Conflict",
            "{\"error_id\": \"SLW-0223\", \"detail\": \"SLP2FFFF does not reach this computer.\"}",
            dst,
            cap);
    if (body && strstr(body, "\"told before\""))
        return test_site_reply(
            "409 Conflict", "{\"error_id\": \"SLW-0218\", \"detail\": \"None.\"}", dst, cap);
    return test_site_reply("200 OK", "{}", dst, cap);
}

static int set_up(void **state)
{
    struct link_options options = {
        .urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path};

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-prestart.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(journal_path, sizeof(journal_path), "%s/log", folder);
    (void)snprintf(told_path, sizeof(told_path), "%s/told", folder);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);

    const struct screen_output output = {.fd = ends[1]};

    page[page_len = 0] = 0;
    rn = (struct runner){.platform = &platform, .machine = {.manufacturer = "Slipway"}};
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

static int run(const char *command)
{
    json_t *waiting = json_pack("{s:s,s:s}", "state", "prestart", "command", command);
    int r;

    assert_non_null(waiting);
    r = runner_run_prestart(&rn, waiting);
    json_decref(waiting);
    return r;
}

static void type(const char *text)
{
    assert_int_equal(write(ends[0], text, strlen(text)), strlen(text));
}

static void assert_shown(const char *text)
{
    struct pollfd p = {.fd = ends[0], .events = POLLIN};

    while (!strstr(page, text)) {
        ssize_t n;

        if (poll(&p, 1, HANGS_MS) <= 0)
            fail_msg("\"%s\" is not on the screen: %s", text, page);
        n = read(ends[0], page + page_len, sizeof(page) - 1 - page_len);
        if (n <= 0)
            fail_msg("\"%s\" is not on the screen: %s", text, page);
        page_len += (size_t)n;
        page[page_len] = '\0';
    }
}

static bool is_told(const char *text)
{
    OWN(buf_fini) struct buf told = BUF_INIT(TEXT_MAX);

    if (access(told_path, F_OK) != 0)
        return false;
    test_read(told_path, &told);
    return strstr(buf_str(&told), text) != NULL;
}

static bool is_logged(const char *text)
{
    OWN(buf_fini) struct buf log = BUF_INIT(TEXT_MAX);

    test_read(journal_path, &log);
    return strstr(buf_str(&log), text) != NULL;
}

static void it_asks_the_person_and_sets_what_was_typed(void **state)
{
    (void)state;
    type("PC-7\n");
    assert_int_equal(
        run("test -t 0 && test -t 1 && : < /dev/tty && printf 'Which name? ' && read -r name && "
            "echo \"OSDComputerName=$name\" >> \"$SLW_VARIABLES\" && echo Thanks, $name"),
        0);
    assert_shown("Which name? ");
    assert_shown("Thanks, PC-7\r\n");
    assert_true(is_told("\"exit_code\":0"));
    assert_true(is_told("\"OSDComputerName\":\"PC-7\""));
    assert_false(is_told("_SMSTS"));
    assert_true(is_logged("The program has set OSDComputerName to PC-7"));
    assert_false(is_logged("Thanks, PC-7")); /* what is typed there may be a secret */
}

static void it_knows_the_computer(void **state)
{
    (void)state;
    assert_int_equal(run("echo \"Make=$_SMSTSMake\" >> \"$SLW_VARIABLES\""), 0);
    assert_true(is_told("\"Make\":\"Slipway\""));
}

static void a_secret_that_it_sets_is_in_no_log(void **state)
{
    (void)state;
    assert_int_equal(run("printf 'JoinPassword=ge%s\\n' heimnis >> \"$SLW_VARIABLES\""), 0);
    assert_true(is_told("\"JoinPassword\":\"geheimnis\""));
    assert_true(is_logged("The program has set JoinPassword to ***"));
    assert_false(is_logged("geheimnis"));
}

static void a_command_that_fails_ends_the_start(void **state)
{
    (void)state;
    assert_int_equal(run("echo 'Room=12' >> \"$SLW_VARIABLES\"; exit 7"), RUNNER_E_FAILED);
    assert_true(is_told("\"exit_code\":7"));
    assert_false(is_told("Room"));
    assert_shown("SLW-0476: the prestart command of the boot image ended with exit code 7");
}

static void one_that_is_killed_has_failed(void **state)
{
    (void)state;
    assert_int_equal(run("kill -9 $$"), RUNNER_E_FAILED);
    assert_true(is_told("\"exit_code\":137"));
    assert_shown("SLW-0430");
}

static void what_are_no_variables_ends_the_start(void **state)
{
    (void)state;
    assert_int_equal(run("echo '_SMSTSBootUEFI=true' >> \"$SLW_VARIABLES\""), RUNNER_E_FAILED);
    assert_true(is_told("\"exit_code\":1"));
    assert_shown("SLW-0468");
}

static void a_deployment_that_is_not_there_is_told_on_the_screen(void **state)
{
    (void)state;
    assert_int_equal(run("echo SMSTSPreferredAdvertID=SLP2FFFF >> \"$SLW_VARIABLES\""),
                     RUNNER_E_FAILED);
    assert_shown("SLW-0223: SLP2FFFF does not reach this computer.");
}

static void that_the_answer_was_lost_does_no_harm(void **state)
{
    (void)state;
    assert_int_equal(run("echo 'Room=told before' >> \"$SLW_VARIABLES\""), 0);
}

static void ctrl_c_on_the_console_ends_it(void **state)
{
    (void)state;
    pid_t person = fork();

    assert_true(person >= 0);
    if (person == 0) {
        assert_shown("ready");
        type("\003");
        _exit(0);
    }
    assert_int_equal(run("echo 'read''y'; read -r nothing; exit 0"), RUNNER_E_FAILED);
    (void)kill(person, SIGKILL);
    assert_int_equal(waitpid(person, NULL, 0), person);
    assert_false(is_told("\"exit_code\":0"));
}

static void the_page_is_there_again_afterwards(void **state)
{
    (void)state;
    char line[16];

    assert_int_equal(run("true"), 0);
    screen_set(rn.screen, SCREEN_STATUS, "going on");
    assert_shown("slipway: Status: going on");
    type("2\n");
    assert_true(screen_read_line(rn.screen, UINT64_C(5000000), line, sizeof(line)));
    assert_string_equal(line, "2");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_asks_the_person_and_sets_what_was_typed),
        TEST(it_knows_the_computer),
        TEST(a_secret_that_it_sets_is_in_no_log),
        TEST(a_command_that_fails_ends_the_start),
        TEST(one_that_is_killed_has_failed),
        TEST(what_are_no_variables_ends_the_start),
        TEST(a_deployment_that_is_not_there_is_told_on_the_screen),
        TEST(that_the_answer_was_lost_does_no_harm),
        TEST(ctrl_c_on_the_console_ends_it),
        TEST(the_page_is_there_again_afterwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
