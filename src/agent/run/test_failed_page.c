/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/runner.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/run/order.h"
#include "agent/run/screen.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/sequence.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);

/* What a person sees of a step, and at the end of one that failed. */

enum {
    PAGE_MAX = 16384,
};

static int ends[2];
static char sequence_name[] = "Install";
static struct order order;
static struct state run_state;
static struct runner rn;
static const struct run_platform platform = {.failed_wait_us = 900000000};

static int set_up(void **state)
{
    struct screen_output output = {.is_page = true};

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    output.fd = ends[1];
    order = (struct order){.task_sequence_name = sequence_name,
                           .is_progress_shown = true,
                           .failed_wait_us = 900000000};
    run_state = (struct state){.order = &order, .phase = STEP_IN_FULL_OS};
    rn = (struct runner){.platform = &platform, .state = &run_state};
    assert_int_equal(ts_vars_new(&run_state.vars), 0);
    return screen_new(&output, 1, &rn.screen);
}

static int tear_down(void **state)
{
    (void)state;
    screen_free(rn.screen);
    ts_vars_free(run_state.vars);
    (void)close(ends[0]);
    (void)close(ends[1]);
    return 0;
}

static bool is_shown(const char *text)
{
    char page[PAGE_MAX] = "";

    return read(ends[0], page, sizeof(page) - 1) > 0 && strstr(page, text) != NULL;
}

/* The only step of a sequence begins. */
static bool is_step_shown(void)
{
    static const char xml[] = "<sequence version='3.10'><step type='once' name='Only'/></sequence>";
    OWN(ts_document_freep) struct ts_document *document = NULL;
    OWN(ts_sequence_freep) struct ts_sequence *sequence = NULL;
    struct ts_diags diags = {0};

    assert_int_equal(ts_document_parse(bytes_of(xml), &document, &diags), 0);
    ts_diags_fini(&diags);
    assert_int_equal(
        ts_sequence_new(
            &(struct ts_start){.document = document, .vars = run_state.vars, .facts = &rn.facts},
            &sequence),
        0);
    rn.sequence = sequence;
    runner_show_step(&rn, ts_sequence_step(sequence, 0));
    rn.sequence = NULL;
    return is_shown("1 of 1: Only");
}

static void a_step_is_shown(void **state)
{
    (void)state;
    assert_true(is_step_shown());
}

static void who_works_at_the_computer_is_not_shown_a_step_that_is_not_to_be(void **state)
{
    (void)state;
    order.is_progress_shown = false;
    assert_false(is_step_shown());
}

static void in_the_boot_image_and_in_what_it_installed_a_step_is_shown_in_any_case(void **state)
{
    (void)state;
    order.is_progress_shown = false;
    run_state.phase = STEP_IN_BOOT_IMAGE;
    assert_true(is_step_shown());
    run_state.phase = STEP_IN_FULL_OS;
    run_state.has_applied_os = true;
    screen_set(rn.screen, SCREEN_STEP, "%s", "");
    assert_true(is_step_shown());
}

static void a_variable_hides_a_step_everywhere(void **state)
{
    (void)state;
    run_state.phase = STEP_IN_BOOT_IMAGE;
    assert_int_equal(ts_vars_set(run_state.vars, "TSDisableProgressUI", "true", TS_BY_SEQUENCE), 0);
    assert_false(is_step_shown());
}

static void at_the_end_it_says_what_has_failed_and_whom_to_ask(void **state)
{
    (void)state;
    char page[PAGE_MAX] = "";

    order.is_progress_shown = false;
    (void)is_step_shown(); /* and it is shown now */
    screen_set(rn.screen, SCREEN_PROBLEM, "SLW-0400: it did not work");
    assert_int_equal(write(ends[0], "\n", 1), 1);
    runner_wait_failed(&rn);
    assert_true(read(ends[0], page, sizeof(page) - 1) > 0);
    assert_non_null(strstr(page, "Task sequence  Failed: Install"));
    assert_non_null(strstr(page, "1 of 1: Only"));
    assert_non_null(strstr(page, "Contact your administrator"));
    assert_non_null(strstr(page, "Restarting in 900 seconds"));
}

static void it_goes_by_itself_after_the_time_that_the_sequence_gave(void **state)
{
    (void)state;
    assert_int_equal(ts_vars_set(run_state.vars, "SMSTSErrorDialogTimeout", "0", TS_BY_SEQUENCE),
                     0);
    runner_wait_failed(&rn);
    assert_true(is_shown("Restarting in 0 seconds"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_step_is_shown),
        TEST(who_works_at_the_computer_is_not_shown_a_step_that_is_not_to_be),
        TEST(in_the_boot_image_and_in_what_it_installed_a_step_is_shown_in_any_case),
        TEST(a_variable_hides_a_step_everywhere),
        TEST(at_the_end_it_says_what_has_failed_and_whom_to_ask),
        TEST(it_goes_by_itself_after_the_time_that_the_sequence_gave),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
