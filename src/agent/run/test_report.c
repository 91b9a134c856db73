/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/report.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/test_site.h"
#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    TEXT_MAX = 4096,
    PATIENCE_US = 10 * 1000 * 1000,
};

DEFINE_FREEP(struct journal *, journal_free);
DEFINE_FREEP(struct link *, link_free);
DEFINE_FREEP(struct report *, report_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static char folder[] = "/tmp/slipway-test-report-XXXXXX";
static char socket_path[64];
static char heard_path[64]; /* the names of the steps in what the site was told */
static char journal_path[64];
static char trouble_path[64]; /* while it exists, the site takes nothing */

static const char *answer_to(const char *request, char *dst, size_t cap)
{
    static const char member[] = "\"step_name\":\"";
    const char *name = strstr(request, member);
    char word[32] = "?";

    if (name)
        (void)snprintf(word,
                       sizeof(word),
                       "%.*s",
                       (int)strcspn(name + sizeof(member) - 1, "\""),
                       name + sizeof(member) - 1);
    if (strstr(request, "\"output\":"))
        (void)snprintf(word,
                       sizeof(word),
                       "%s",
                       strstr(request, "***xyz\"") && !strstr(request, "hush") ? "masked"
                                                                               : "not-masked");
    if (strstr(request, "PUT ") == request && strstr(request, "/orders/o/log/0 ") &&
        strstr(request, "it broke"))
        (void)snprintf(word, sizeof(word), "log");
    if (!strstr(request, "/client/log ")) /* the lines as they come */
        test_note(heard_path, word);
    return test_site_reply(file_exists(trouble_path) ? "503 Service Unavailable" : "200 OK",
                           "{\"is_cancelled\": false}",
                           dst,
                           cap);
}

static void add(struct report *report, const char *name)
{
    const struct report_status status = {.state = "step-succeeded", .step_name = name};

    assert_int_equal(report_add(report, &status), 0);
}

static void expect_heard(const char *words)
{
    OWN(buf_fini) struct buf heard = BUF_INIT(TEXT_MAX);

    test_read(heard_path, &heard);
    assert_string_equal(buf_str(&heard), words);
}

static void new_report(struct journal *journal, struct link **ret_link, struct report **ret)
{
    struct link_options options = {
        .urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path};

    (void)unlink(heard_path);
    (void)unlink(trouble_path);
    assert_int_equal(link_new(&options, ret_link), 0);
    assert_int_equal(report_new(*ret_link, journal, "o", 1, ret), 0);
}

static void what_a_site_does_not_take_is_told_later_in_order(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = NULL;
    OWN(report_freep) struct report *report = NULL;

    new_report(NULL, &link, &report);
    test_note(trouble_path, "yes");
    add(report, "a");
    add(report, "b");
    (void)unlink(trouble_path);
    (void)unlink(heard_path);
    assert_true(report_drain(report, PATIENCE_US));
    expect_heard("a b ");
}

/* Longer than what is told, with a secret over the place where it is cut. */
static void the_end_of_an_output_is_told_without_secrets(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *journal = NULL;
    OWN(link_freep) struct link *link = NULL;
    OWN(report_freep) struct report *report = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(16384);
    struct report_status status = {.state = "step-failed", .step_name = "a"};

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "Pin", "hush-hush", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Pin"), 0);
    assert_int_equal(journal_new(journal_path, &journal), 0);
    journal_set_vars(journal, vars);
    new_report(journal, &link, &report);
    while (text.len < 2 * (size_t)REPORT_OUTPUT_MAX)
        buf_adds(&text, "hush-hush ");
    buf_adds(&text, "hush-hushxyz");
    status.output = buf_str(&text);
    assert_int_equal(report_add(report, &status), 0);
    assert_true(report_drain(report, PATIENCE_US));
    expect_heard("masked ");
    journal_set_vars(journal, NULL);
}

static void how_it_came_to_a_failure_is_told_before_it(void **state)
{
    (void)state;
    OWN(journal_freep) struct journal *journal = NULL;
    OWN(link_freep) struct link *link = NULL;
    OWN(report_freep) struct report *report = NULL;
    const struct report_status failed = {.state = "failed", .step_name = "end"};

    assert_int_equal(journal_new(journal_path, &journal), 0);
    journal_write(journal, CMTRACE_ERROR, "Test", "it broke");
    new_report(journal, &link, &report);
    add(report, "a");
    assert_int_equal(report_add(report, &failed), 0);
    expect_heard("a log end ");
}

static void without_retry_nothing_more_is_tried_until_the_end(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = NULL;
    OWN(report_freep) struct report *report = NULL;

    new_report(NULL, &link, &report);
    report_set_retry(report, false);
    test_note(trouble_path, "yes");
    add(report, "a");
    add(report, "b");
    expect_heard("a ");
    assert_false(report_drain(report, PATIENCE_US));
    expect_heard("a b ");
    (void)unlink(trouble_path);
    add(report, "c");
    add(report, "d");
    assert_false(report_poll(report));
    expect_heard("a b ");
    assert_true(report_drain(report, PATIENCE_US));
    add(report, "e"); /* the site is there again */
    expect_heard("a b d e ");
}

/* A status that could not be made would end the deployment. */
static void a_message_that_is_no_text_is_told_as_well_as_it_can_be(void **state)
{
    (void)state;
    OWN(link_freep) struct link *link = NULL;
    OWN(report_freep) struct report *report = NULL;
    static const char *const messages[] = {"cut: \xe2\x98", "\"\xe2\x98\" is cut", "f\xfcr"};

    new_report(NULL, &link, &report);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        const struct report_status status = {
            .state = "step-skipped", .step_name = "a", .message = messages[i]};

        assert_int_equal(report_add(report, &status), 0);
    }
    expect_heard("a a a ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_end_of_an_output_is_told_without_secrets),
        cmocka_unit_test(what_a_site_does_not_take_is_told_later_in_order),
        cmocka_unit_test(how_it_came_to_a_failure_is_told_before_it),
        cmocka_unit_test(without_retry_nothing_more_is_tried_until_the_end),
        cmocka_unit_test(a_message_that_is_no_text_is_told_as_well_as_it_can_be),
    };

    if (!mkdtemp(folder))
        return 1;
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(heard_path, sizeof(heard_path), "%s/heard", folder);
    (void)snprintf(journal_path, sizeof(journal_path), "%s/smsts.log", folder);
    (void)snprintf(trouble_path, sizeof(trouble_path), "%s/trouble", folder);

    pid_t site = test_site_start(socket_path, answer_to);
    int n_failed = cmocka_run_group_tests(tests, NULL, NULL);

    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    (void)dir_remove(folder);
    return n_failed;
}
