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
#include "agent/run/order.h"
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

static const struct run_platform platform = {.poll_us = 20000, .patience_us = 1000000};
static const struct run_options run_options = {.boot_image = "SLP00001"};
static struct runner rn;

static bool is_reopened; /* the site takes the wish to go back */

static const char *answer_to(const char *request, char *dst, size_t cap)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *status = "200 OK";

    if (body)
        test_note(told_path, body + 4);
    if (strstr(request, "/client/choice ") && !is_reopened)
        status = "409 Conflict";
    return test_site_reply(status, "{}", dst, cap);
}

static int set_up(void **state)
{
    struct link_options options = {
        .urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path};

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-previous.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(journal_path, sizeof(journal_path), "%s/log", folder);
    (void)snprintf(told_path, sizeof(told_path), "%s/told", folder);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);

    const struct screen_output output = {.fd = ends[1]};

    rn = (struct runner){.platform = &platform, .options = &run_options};
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

static char missing_name[] = "Office";
static char missing_id[] = "SLP00007";
static char package_kind[] = "package";
static char boot_image_kind[] = "boot-image";
static char order_id[] = "0190f5b0-0000-7000-8000-000000000001";
static char sequence_name[] = "Install";
static char source[] = "http://10.77.0.1";
static char *sources[] = {source};
static struct order_content content[2];
static struct order order;

/* An order with a boot image and a package, that have no source of their own if @is_missing. */
static void make_order(bool is_missing)
{
    content[0] = (struct order_content){.package_id = missing_id,
                                        .kind = boot_image_kind,
                                        .name = missing_name,
                                        .has_sources = true};
    content[1] = (struct order_content){.package_id = missing_id,
                                        .kind = package_kind,
                                        .name = missing_name,
                                        .sources = sources,
                                        .n_sources = is_missing ? 0 : 1,
                                        .has_sources = true};
    order = (struct order){.order_id = order_id,
                           .task_sequence_name = sequence_name,
                           .attempt = 1,
                           .content = content,
                           .n_content = 2,
                           .failed_wait_us = 60000000};
}

static int check(bool *ret_is_refused)
{
    return runner_check_content(&rn, &order, ret_is_refused);
}

static void what_can_be_had_begins_without_a_word(void **state)
{
    (void)state;
    bool is_refused = true;

    make_order(false);
    assert_int_equal(check(&is_refused), 0);
    assert_false(is_refused);
    assert_false(is_told("failed"));
}

static void content_that_nobody_has_ends_the_order_and_b_goes_back_to_the_list(void **state)
{
    (void)state;
    bool is_refused = false;

    make_order(true);
    rn.has_chosen = true;
    type("what?\nb\n");
    assert_int_equal(check(&is_refused), 0);
    assert_true(is_refused);
    assert_true(is_told("\"failed\""));
    assert_true(is_told("SLW-0475"));
    assert_true(is_told("\"boot_image\":\"SLP00001\""));
    assert_false(rn.has_chosen);
    assert_int_equal(rn.choose_until_us, UINT64_MAX);
    assert_shown("no distribution point has \"Office\" (SLP00007)");
}

static void enter_restarts_and_asks_nobody(void **state)
{
    (void)state;
    bool is_refused = false;

    make_order(true);
    type("\n");
    assert_int_equal(check(&is_refused), RUNNER_E_RESTART);
    assert_true(is_told("SLW-0475"));
    assert_false(is_told("boot_image"));
    assert_shown("b and Enter: back to what can be chosen");
}

static void after_the_time_it_restarts_by_itself(void **state)
{
    (void)state;
    bool is_refused = false;

    make_order(true);
    order.failed_wait_us = 0;
    assert_int_equal(check(&is_refused), RUNNER_E_RESTART);
}

static void when_the_site_does_not_take_it_back_it_restarts(void **state)
{
    (void)state;
    bool is_refused = false;

    make_order(true);
    type("b\n");
    assert_int_equal(check(&is_refused), RUNNER_E_RESTART);
}

static void what_nobody_chose_or_what_goes_on_is_not_looked_at(void **state)
{
    (void)state;
    bool is_refused = true;

    make_order(true);
    order.is_required = true;
    assert_int_equal(check(&is_refused), 0);
    assert_false(is_refused);
    make_order(true);
    order.attempt = 2;
    assert_int_equal(check(&is_refused), 0);
    assert_false(is_refused);
}

static int set_up_taking(void **state)
{
    is_reopened = true;
    return set_up(state);
}

static int tear_down_taking(void **state)
{
    is_reopened = false;
    return tear_down(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_can_be_had_begins_without_a_word),
        cmocka_unit_test_setup_teardown(
            content_that_nobody_has_ends_the_order_and_b_goes_back_to_the_list,
            set_up_taking,
            tear_down_taking),
        TEST(enter_restarts_and_asks_nobody),
        TEST(after_the_time_it_restarts_by_itself),
        TEST(when_the_site_does_not_take_it_back_it_restarts),
        TEST(what_nobody_chose_or_what_goes_on_is_not_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
