/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/run.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/machine.h"
#include "agent/run/screen.h"
#include "agent/run/target.h"
#include "agent/run/test_site.h"
#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    TEXT_MAX = 64 * 1024,
    HANGS_S = 20,
};

static char folder[64] = "/tmp/slipway-test-connect-XXXXXX";
static char socket_path[96];
static char journal_path[96];
static char asked_path[96]; /* what the site was asked, a word each */
static bool has_retry;      /* the device has the variable */

static int collect(struct machine *ret)
{
    *ret = (struct machine){.manufacturer = "LAB", .n_cpus = 1};
    return 0;
}

static int network_up(const struct machine *m, char *ret_interface, size_t cap, struct buf *why)
{
    (void)m;
    (void)why;
    (void)snprintf(ret_interface, cap, "eth0");
    return 0;
}

static int set_clock(uint64_t wall_us)
{
    (void)wall_us;
    return 0;
}

static int find_no_state(const struct machine *m,
                         const char *order_id,
                         struct step_target *ret,
                         struct buf *ret_state)
{
    (void)m;
    (void)order_id;
    (void)ret;
    (void)ret_state;
    return TARGET_E_MISSING;
}

static bool find_windows(const struct machine *m, char ret[static TARGET_DEVICE_MAX])
{
    (void)m;
    (void)snprintf(ret, TARGET_DEVICE_MAX, "/dev/vda9");
    return true;
}

/* A site that has nothing for the computer, after the third question not even an answer that makes sense. */
static const char *answer_to(const char *request, char *dst, size_t cap)
{
    static unsigned n_asked;

    if (strstr(request, "/client/time "))
        return test_site_reply(
            "200 OK", "{\"time_us\": 1795253405000000, \"challenge\": \"c\"}", dst, cap);
    if (strstr(request, "/registrations ")) {
        if (strstr(request, "\"_OSDDetectedWinDrive\":\"/dev/vda9\"") &&
            strstr(request, "\"_OSDDetectedWinDir\":\"/Windows\""))
            test_note(asked_path, "windows");
        if (strstr(request, "\"Win32_ComputerSystem\":[{") && strstr(request, "\"version\":1"))
            test_note(asked_path, "facts");
        return test_site_reply("201 Created",
                               has_retry ? "{\"token\": \"t\", \"assignments\": {\"retry\": 2}}"
                                         : "{\"token\": \"t\"}",
                               dst,
                               cap);
    }
    test_note(asked_path, "order");
    return ++n_asked < 5 ? test_site_reply("204 No Content", "", dst, cap)
                         : test_site_reply("403 Forbidden", "{}", dst, cap);
}

/* The computer starts, gives up, and wants to restart. @ret: what the site was asked */
static void start(struct buf *ret)
{
    static const struct run_platform platform = {
        .collect = collect,
        .network_up = network_up,
        .set_clock = set_clock,
        .find_state = find_no_state,
        .find_windows = find_windows,
        .journal_path = journal_path,
        .poll_us = 1000,
        .patience_us = 1000000,
        .failed_wait_us = 1000,
    };
    struct run_options options = {
        .site = {.urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path},
        .ticket = "",
        .boot_image = "SLP00001",
        .version = "test",
        .platform = &platform,
    };
    enum run_end end = RUN_FINISHED;
    pid_t site = test_site_start(socket_path, answer_to);

    assert_int_equal(screen_new(NULL, 0, &options.screen), 0);
    assert_int_equal(run_agent(&options, &end), 0);
    screen_free(options.screen);
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    assert_int_equal(end, RUN_RESTART);
    test_read(asked_path, ret);
}

static void the_agent_registers_its_facts_and_the_windows_that_it_found(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf asked = BUF_INIT(TEXT_MAX);

    has_retry = false;
    start(&asked);
    assert_non_null(strstr(buf_str(&asked), "windows facts "));
}

static void without_the_variable_it_asks_until_the_site_says_otherwise(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf asked = BUF_INIT(TEXT_MAX);

    has_retry = false;
    start(&asked);
    assert_int_equal(test_count(buf_str(&asked), "order"), 5);
}

static void it_gives_up_when_it_has_asked_as_often_as_the_variable_says(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf asked = BUF_INIT(TEXT_MAX);

    has_retry = true;
    start(&asked);
    assert_int_equal(test_count(buf_str(&asked), "order"), 3);
}

static int begin(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-connect-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(journal_path, sizeof(journal_path), "%s/memory/smsts.log", folder);
    (void)snprintf(asked_path, sizeof(asked_path), "%s/asked", folder);
    (void)alarm(HANGS_S);
    return 0;
}

static int end(void **state)
{
    (void)state;
    return dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_agent_registers_its_facts_and_the_windows_that_it_found, begin, end),
        cmocka_unit_test_setup_teardown(
            without_the_variable_it_asks_until_the_site_says_otherwise, begin, end),
        cmocka_unit_test_setup_teardown(
            it_gives_up_when_it_has_asked_as_often_as_the_variable_says, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
