/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/runner.h"

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

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/report.h"
#include "agent/run/screen.h"
#include "agent/run/test_site.h"
#include "agent/steps/step.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

/*
 * Waiting in a time of its own: nothing but a sleep lets it pass (meson.build wraps the clock)
 */

enum {
    TEXT_MAX = 64 * 1024,
    US_PER_S = 1000 * 1000,
    PAUSE_S = 300,
    SECOND_RESTART_S = 90,
};

#define BEGIN_US UINT64_C(1795253405000000)
#define PAUSE_WISH \
    "\"is_cancelled\": false, \"wish\": \"pause\", \"pause_until_us\": 1795253705000000"

static char folder[64];
static char socket_path[96];
static char journal_path[96];
static char told_path[96];   /* the states that the site was told */
static char cancel_path[96]; /* while it exists, the site cancels */
static char pause_path
    [96]; /* while it exists, the site has the computer wait for PAUSE_S from BEGIN_US on */
static pid_t site;
static uint64_t slept_us;
static struct run_options options;
static struct run_platform platform;
static struct runner rn;

uint64_t __wrap_clock_wall_us(void);
uint64_t __wrap_clock_monotonic_us(void);
void __wrap_clock_sleep_us(uint64_t us);

uint64_t __wrap_clock_wall_us(void)
{
    return BEGIN_US + slept_us;
}

uint64_t __wrap_clock_monotonic_us(void)
{
    return US_PER_S + slept_us;
}

void __wrap_clock_sleep_us(uint64_t us)
{
    slept_us += us;
}

static const char *answer_to(const char *request, char *dst, size_t cap)
{
    const char *state = strstr(request, "\"state\":");
    char word[32];

    if (state) {
        state += strlen("\"state\":");
        state += strspn(state, " \"");
        (void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(state, "\""), state);
        test_note(told_path, word);
    }
    return test_site_reply("200 OK",
                           file_exists(cancel_path)  ? "{\"is_cancelled\": true}"
                           : file_exists(pause_path) ? "{" PAUSE_WISH "}"
                                                     : "{\"is_cancelled\": false}",
                           dst,
                           cap);
}

/* Its message quotes a secret, as a long one that begins before the place where messages are cut. */
static int run_failing(struct step_context *c, struct step_result *ret)
{
    return step_fail(ret,
                     "SLW-0430",
                     "%0500d %s could not be found; look for it",
                     0,
                     ts_vars_get(c->vars, "Hidden"));
}

static const struct step_type *find_type(const char *type)
{
    static const struct step_type failing = {"failing", STEP_IN_BOOT_IMAGE, true, run_failing};

    return strcmp(type, failing.type) == 0 ? &failing : NULL;
}

static void prepare_sequence(void)
{
    static const char xml[] = "<sequence version='3.10'><step type='failing' name='f'/></sequence>";
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    assert_int_equal(ts_document_parse(bytes_of(xml), &rn.document, &diags), 0);
    assert_int_equal(
        ts_sequence_new(
            &(struct ts_start){.document = rn.document, .vars = rn.state->vars, .facts = &rn.facts},
            &rn.sequence),
        0);
    rn.n_steps = ts_sequence_size(rn.sequence);
}

static int set_up(void **state)
{
    struct link_options site_options = {
        .urls = {"http://site"}, .n_urls = 1, .unix_socket = socket_path};

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-hold.XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(socket_path, sizeof(socket_path), "%s/site", folder);
    (void)snprintf(journal_path, sizeof(journal_path), "%s/log", folder);
    (void)snprintf(told_path, sizeof(told_path), "%s/told", folder);
    (void)snprintf(cancel_path, sizeof(cancel_path), "%s/cancel", folder);
    (void)snprintf(pause_path, sizeof(pause_path), "%s/pause", folder);
    slept_us = 0;
    options = (struct run_options){0};
    platform = (struct run_platform){.poll_us = UINT64_C(60) * US_PER_S, .find_type = find_type};
    rn = (struct runner){.options = &options, .platform = &platform, .output = BUF_INIT(TEXT_MAX)};
    site = test_site_start(socket_path, answer_to);
    assert_int_equal(state_new(&rn.state), 0);
    assert_int_equal(ts_vars_new(&rn.state->vars), 0);
    assert_int_equal(screen_new(NULL, 0, &rn.screen), 0);
    assert_int_equal(journal_new(journal_path, &rn.journal), 0);
    journal_set_vars(rn.journal, rn.state->vars);
    prepare_sequence();
    if (link_new(&site_options, &rn.link) != 0)
        return -1;
    return report_new(rn.link, rn.journal, "o", 1, &rn.report);
}

static int tear_down(void **state)
{
    (void)state;
    (void)kill(site, SIGKILL);
    (void)waitpid(site, NULL, 0);
    ts_sequence_free(rn.sequence);
    ts_document_free(rn.document);
    report_free(rn.report);
    link_free(rn.link);
    journal_free(rn.journal);
    screen_free(rn.screen);
    state_free(rn.state);
    buf_fini(&rn.output);
    return dir_remove(folder);
}

static void expect_told(const char *words)
{
    OWN(buf_fini) struct buf told = BUF_INIT(TEXT_MAX);

    test_read(told_path, &told);
    assert_string_equal(buf_str(&told), words);
}

static void a_pause_until_a_time_ends_at_that_time_though_the_site_says_nothing_new(void **state)
{
    (void)state;
    const struct report_wish wish = {.is_paused = true,
                                     .pause_until_us = BEGIN_US + (uint64_t)PAUSE_S * US_PER_S};

    test_note(pause_path, "yes");
    report_set_wish(rn.report, &wish);
    runner_hold(&rn);
    assert_int_equal(slept_us, (uint64_t)PAUSE_S * US_PER_S);
    expect_told("paused resumed ");
    assert_false(rn.state->is_paused);
}

static void a_time_that_is_over_is_no_pause(void **state)
{
    (void)state;
    const struct report_wish wish = {.is_paused = true, .pause_until_us = BEGIN_US};

    report_set_wish(rn.report, &wish);
    runner_hold(&rn);
    assert_int_equal(slept_us, 0);
    expect_told("");
}

static void a_pause_ends_when_the_site_has_cancelled(void **state)
{
    (void)state;
    const struct report_wish wish = {.is_paused = true};

    test_note(cancel_path, "yes");
    report_set_wish(rn.report, &wish);
    runner_hold(&rn);
    assert_true(report_is_cancelled(rn.report));
    expect_told("paused ");
}

static void set(const char *name, const char *value)
{
    assert_int_equal(ts_vars_set(rn.state->vars, name, value, TS_BY_SEQUENCE), 0);
}

static void smstswaitforsecondreboot_waits_so_many_seconds_in_the_installed_system(void **state)
{
    (void)state;
    options.is_full_os = true;
    set("SMSTSWaitForSecondReboot", "90");
    assert_int_equal(runner_wait_for_second_restart(&rn), 0);
    assert_int_equal(slept_us, (uint64_t)SECOND_RESTART_S * US_PER_S);
}

static void
there_is_no_such_wait_in_the_boot_image_nor_with_0_nor_with_what_is_no_number(void **state)
{
    (void)state;
    static const char *const values[] = {"0", "soon", "-5", "86401"};

    set("SMSTSWaitForSecondReboot", "90");
    assert_int_equal(runner_wait_for_second_restart(&rn), 0);
    options.is_full_os = true;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        set("SMSTSWaitForSecondReboot", values[i]);
        assert_int_equal(runner_wait_for_second_restart(&rn), 0);
    }
    assert_int_equal(slept_us, 0);
    expect_told("");
}

static void the_wait_for_a_second_restart_ends_when_the_site_cancels(void **state)
{
    (void)state;
    options.is_full_os = true;
    test_note(cancel_path, "yes");
    set("SMSTSWaitForSecondReboot", "90");
    assert_int_equal(runner_wait_for_second_restart(&rn), RUNNER_E_OVER);
    assert_true(slept_us < (uint64_t)SECOND_RESTART_S * US_PER_S);
}

static void of_a_failure_no_part_of_a_secret_is_told_though_its_message_is_cut(void **state)
{
    (void)state;
    struct step_result result;

    set("Hidden", "correct-horse-battery-staple");
    assert_int_equal(ts_vars_set_secret(rn.state->vars, "Hidden"), 0);
    runner_run_type(&rn, ts_sequence_step(rn.sequence, 0), &result);
    assert_string_equal(result.error_id, "SLW-0430");
    assert_null(strstr(result.message, "cor"));
    assert_non_null(strstr(result.message, "0 *** coul"));
    assert_int_equal(strlen(result.message), STEP_MESSAGE_MAX - 1);
}

#define HERE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HERE(a_pause_until_a_time_ends_at_that_time_though_the_site_says_nothing_new),
        HERE(a_time_that_is_over_is_no_pause),
        HERE(a_pause_ends_when_the_site_has_cancelled),
        HERE(smstswaitforsecondreboot_waits_so_many_seconds_in_the_installed_system),
        HERE(there_is_no_such_wait_in_the_boot_image_nor_with_0_nor_with_what_is_no_number),
        HERE(the_wait_for_a_second_restart_ends_when_the_site_cancels),
        HERE(of_a_failure_no_part_of_a_secret_is_told_though_its_message_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
