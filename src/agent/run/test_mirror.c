/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/mirror.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "agent/run/order.h"
#include "agent/run/state.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/vars.h"

DEFINE_FREEP(struct state *, state_free);

static const struct ts_step format = {.item = {.name = "Format"},
                                      .type = "SMS_TaskSequence_PartitionDiskAction"};
static const struct ts_step command = {.item = {.name = "Run"},
                                       .type = "SMS_TaskSequence_RunCommandLineAction"};

static const char order_text[] =
    "{\"order_id\": \"0190f5b0-0000-7000-8000-000000000001\", \"deployment_id\": \"d\", \"device_id\": \"d\", \"device_name\": \"pc\","
    "\"attempt\": 2, \"deadline_us\": 5, \"purpose\": \"required\", \"task_sequence\": {\"id\": \"t\","
    "\"name\": \"t\", \"xml\": \"x\"}, \"variables\": {\"Known\": \"again\"}, \"content\": {},"
    "\"sources\": [], \"failed_wait_s\": 0}";

static struct state *fresh(void)
{
    OWN(json_decrefp) json_t *json = json_loads(order_text, 0, NULL);
    OWN(buf_fini) struct buf why = BUF_INIT(256);
    struct state *state = NULL;

    assert_int_equal(state_new(&state), 0);
    assert_int_equal(ts_vars_new(&state->vars), 0);
    assert_int_equal(order_parse(json, &state->order, &why), 0);
    state->phase = STEP_IN_BOOT_IMAGE;
    return state;
}

/* One that was at its fourth step. */
static struct state *running(void)
{
    struct state *state = fresh();

    state->next_step = 3;
    state->is_running = true;
    state->n_starts = 1;
    assert_int_equal(ts_vars_set(state->vars, "Plain", "p", TS_BY_SEQUENCE), 0);
    return state;
}

static void add_secret(struct state *state, const char *name)
{
    assert_int_equal(ts_vars_set(state->vars, name, "hush", TS_BY_SEQUENCE), 0);
    assert_int_equal(ts_vars_set_secret(state->vars, name), 0);
}

static bool resumes(struct state *before, const struct ts_step *step, struct state *after)
{
    OWN(json_decrefp) json_t *mirror = NULL;
    bool is_resumed;

    assert_int_equal(mirror_make(before, 8, step, &mirror), 0);
    assert_int_equal(mirror_resume(mirror, after, &is_resumed), 0);
    return is_resumed;
}

static void the_site_is_told_no_secret_value_no_key_and_no_order(void **unused)
{
    (void)unused;
    OWN(state_freep) struct state *state = running();
    OWN(json_decrefp) json_t *mirror = NULL;
    OWN(freep) char *text = NULL;

    add_secret(state, "Pin");
    state->has_key = true;
    memset(state->key, 0xab, sizeof(state->key));
    assert_int_equal(mirror_make(state, 8, &format, &mirror), 0);
    text = json_dumps(mirror, JSON_COMPACT);
    assert_non_null(strstr(text, "\"Pin\""));
    assert_non_null(strstr(text, "\"Plain\":\"p\""));
    assert_null(strstr(text, "hush"));
    assert_null(strstr(text, "abab"));
    assert_null(strstr(text, "order"));
}

static void who_went_down_while_formatting_goes_on_there(void **unused)
{
    (void)unused;
    OWN(state_freep) struct state *before = running();
    OWN(state_freep) struct state *after = fresh();

    assert_true(resumes(before, &format, after));
    assert_int_equal(after->next_step, 3);
    assert_true(after->is_running);
    assert_int_equal(after->n_starts, 1);
    assert_string_equal(ts_vars_get(after->vars, "Plain"), "p");
}

static void who_went_down_anywhere_else_starts_over(void **unused)
{
    (void)unused;
    OWN(state_freep) struct state *before = running();
    OWN(state_freep) struct state *after = fresh();

    assert_false(resumes(before, &command, after));
    before->is_running = false;
    assert_false(resumes(before, &format, after));
    before->is_running = true;
    before->phase = STEP_IN_FULL_OS;
    assert_false(resumes(before, &format, after));
    assert_int_equal(after->next_step, 0);
    assert_string_equal(ts_vars_get(after->vars, "Plain"), "");
}

static void who_would_miss_a_secret_starts_over(void **unused)
{
    (void)unused;
    OWN(state_freep) struct state *before = running();
    OWN(state_freep) struct state *after = fresh();

    add_secret(before, "Known");
    assert_true(resumes(before, &format, after));
    add_secret(before, "Lost");
    assert_false(resumes(before, &format, after));
}

static void a_folder_without_an_account_is_kept_and_one_with_a_password_is_missed(void **unused)
{
    (void)unused;
    OWN(state_freep) struct state *before = running();
    OWN(state_freep) struct state *after = fresh();
    OWN(json_decrefp) json_t *mirror = NULL;
    OWN(freep) char *text = NULL;

    assert_int_equal(
        connections_keep(&before->connections, &(struct connection){"s:/a", "/mnt/a", "", ""}), 0);
    assert_true(resumes(before, &format, after));
    assert_int_equal(after->connections.n, 1);
    assert_string_equal(after->connections.list[0].path, "s:/a");
    assert_int_equal(connections_keep(&before->connections,
                                      &(struct connection){"//s/b", "/mnt/b", "x", "hush"}),
                     0);
    assert_false(resumes(before, &format, after));
    assert_int_equal(mirror_make(before, 8, &format, &mirror), 0);
    text = json_dumps(mirror, JSON_COMPACT);
    assert_null(strstr(text, "hush"));
}

static void break_points_are_kept_also_by_who_starts_over(void **unused)
{
    (void)unused;
    OWN(state_freep) struct state *before = running();
    OWN(state_freep) struct state *after = fresh();

    ts_debugger_begin(&before->debugger);
    assert_false(resumes(before, &command, after));
    assert_int_equal(after->debugger.mode, TS_DEBUG_STEP);
}

static void a_mirror_that_makes_no_sense_starts_over(void **unused)
{
    (void)unused;
    static const char *const texts[] = {
        "{}",
        "[]",
        "7",
        "{\"next\": {\"is_running\": true}, \"phase\": \"boot-image\", \"step_type\": \"SMS_TaskSequence_PartitionDiskAction\"}"};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(json_decrefp) json_t *mirror = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        OWN(state_freep) struct state *after = fresh();
        bool is_resumed = true;

        assert_int_equal(mirror_resume(mirror, after, &is_resumed), 0);
        assert_false(is_resumed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_site_is_told_no_secret_value_no_key_and_no_order),
        cmocka_unit_test(who_went_down_while_formatting_goes_on_there),
        cmocka_unit_test(who_went_down_anywhere_else_starts_over),
        cmocka_unit_test(who_would_miss_a_secret_starts_over),
        cmocka_unit_test(a_folder_without_an_account_is_kept_and_one_with_a_password_is_missed),
        cmocka_unit_test(break_points_are_kept_also_by_who_starts_over),
        cmocka_unit_test(a_mirror_that_makes_no_sense_starts_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
