/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/debugger.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum ts_debug_act act(struct ts_debugger *d, enum ts_debug_kind kind, size_t index)
{
    const struct ts_debug_command command = {.kind = kind};

    return ts_debugger_apply(d, &command, index);
}

static void nobody_debugs_until_it_is_begun(void **state)
{
    (void)state;
    struct ts_debugger d = {0};

    assert_int_equal(ts_debugger_stops(&d, 0, false), TS_DEBUG_GOES_ON);
    assert_int_equal(ts_debugger_stops(&d, 0, true), TS_DEBUG_GOES_ON);
    ts_debugger_begin(&d);
    assert_int_equal(ts_debugger_stops(&d, 0, false), TS_DEBUG_AT_STEP);
}

static void what_is_debugged_from_an_error_on_stops_at_errors(void **state)
{
    (void)state;
    struct ts_debugger d = {0};

    ts_debugger_begin_at_error(&d);
    assert_int_equal(ts_debugger_stops(&d, 3, true), TS_DEBUG_AT_ERROR);
    assert_int_equal(ts_debugger_stops(&d, 4, false), TS_DEBUG_GOES_ON);
    ts_debugger_begin(&d); /* as the site says it is debugged now */
    assert_int_equal(ts_debugger_stops(&d, 4, false), TS_DEBUG_GOES_ON);
    (void)act(&d, TS_DEBUG_DO_QUIT, 0);
    ts_debugger_begin_at_error(&d);
    assert_int_equal(ts_debugger_stops(&d, 5, true), TS_DEBUG_GOES_ON);
}

static void step_stops_before_each_instruction_and_continue_at_break_points(void **state)
{
    (void)state;
    struct ts_debugger d = {0};

    ts_debugger_begin(&d);
    assert_int_equal(act(&d, TS_DEBUG_DO_STEP, 0), TS_DEBUG_LEAVES);
    assert_int_equal(ts_debugger_stops(&d, 1, false), TS_DEBUG_AT_STEP);
    assert_int_equal(act(&d, TS_DEBUG_DO_BREAK, 4), TS_DEBUG_STAYS);
    assert_int_equal(act(&d, TS_DEBUG_DO_CONTINUE, 0), TS_DEBUG_LEAVES);
    assert_int_equal(ts_debugger_stops(&d, 2, false), TS_DEBUG_GOES_ON);
    assert_int_equal(ts_debugger_stops(&d, 4, false), TS_DEBUG_AT_BREAK);
    assert_int_equal(ts_debugger_stops(&d, 5, true), TS_DEBUG_AT_ERROR);
}

static void run_to_stops_there_and_at_break_points_on_the_way(void **state)
{
    (void)state;
    struct ts_debugger d = {0};

    ts_debugger_begin(&d);
    (void)act(&d, TS_DEBUG_DO_BREAK, 3);
    assert_int_equal(act(&d, TS_DEBUG_DO_RUN_TO, 6), TS_DEBUG_LEAVES);
    assert_int_equal(ts_debugger_stops(&d, 3, false), TS_DEBUG_AT_BREAK);
    assert_int_equal(ts_debugger_stops(&d, 5, false), TS_DEBUG_GOES_ON);
    assert_int_equal(ts_debugger_stops(&d, 6, false), TS_DEBUG_AT_RUN_TO);
}

static void break_points_are_kept_once_in_order_and_cleared_one_or_all(void **state)
{
    (void)state;
    struct ts_debugger d = {0};

    ts_debugger_begin(&d);
    (void)act(&d, TS_DEBUG_DO_BREAK, 7);
    (void)act(&d, TS_DEBUG_DO_BREAK, 2);
    (void)act(&d, TS_DEBUG_DO_BREAK, 7);
    (void)act(&d, TS_DEBUG_DO_BREAK, 5);
    assert_int_equal(d.n_breaks, 3);
    assert_int_equal(d.breaks[0], 2);
    assert_int_equal(d.breaks[2], 7);
    (void)act(&d, TS_DEBUG_DO_CLEAR, 5);
    assert_int_equal(d.n_breaks, 2);
    (void)act(&d, TS_DEBUG_DO_CLEAR, SIZE_MAX);
    assert_int_equal(d.n_breaks, 0);
}

static void more_break_points_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    struct ts_debugger d = {0};

    for (size_t i = 0; i < TS_DEBUG_BREAKS_MAX; i++)
        assert_int_equal(act(&d, TS_DEBUG_DO_BREAK, i), TS_DEBUG_STAYS);
    assert_int_equal(act(&d, TS_DEBUG_DO_BREAK, TS_DEBUG_BREAKS_MAX), TS_DEBUG_FULL);
    assert_int_equal(act(&d, TS_DEBUG_DO_BREAK, 3), TS_DEBUG_STAYS);
}

static void set_current_moves_and_stands(void **state)
{
    (void)state;
    struct ts_debugger d = {0};

    ts_debugger_begin(&d);
    (void)act(&d, TS_DEBUG_DO_CONTINUE, 0);
    assert_int_equal(act(&d, TS_DEBUG_DO_SET_CURRENT, 9), TS_DEBUG_MOVES);
    assert_int_equal(ts_debugger_stops(&d, 9, false), TS_DEBUG_AT_STEP);
}

static void quit_forgets_break_points_and_a_new_one_begins_again(void **state)
{
    (void)state;
    struct ts_debugger d = {0};

    ts_debugger_begin(&d);
    (void)act(&d, TS_DEBUG_DO_BREAK, 3);
    assert_int_equal(act(&d, TS_DEBUG_DO_QUIT, 0), TS_DEBUG_LEAVES);
    ts_debugger_begin(&d);
    assert_int_equal(ts_debugger_stops(&d, 3, true), TS_DEBUG_GOES_ON);
    (void)act(&d, TS_DEBUG_DO_BREAK, 8);
    assert_int_equal(ts_debugger_stops(&d, 7, false), TS_DEBUG_GOES_ON);
    assert_int_equal(ts_debugger_stops(&d, 8, false), TS_DEBUG_AT_BREAK);
}

static void break_points_and_mode_survive_being_written_and_read(void **state)
{
    (void)state;
    struct ts_debugger d = {0};
    struct ts_debugger again;
    json_t *json;

    ts_debugger_begin(&d);
    (void)act(&d, TS_DEBUG_DO_BREAK, 3);
    (void)act(&d, TS_DEBUG_DO_RUN_TO, 5);
    d.after = 77;
    json = ts_debugger_to_json(&d);
    assert_true(ts_debugger_from_json(json, &again));
    json_decref(json);
    assert_memory_equal(&d, &again, sizeof(d));
}

static void what_makes_no_sense_is_as_if_nobody_had_debugged(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "{\"mode\": \"fly\", \"run_to\": 0, \"breaks\": [], \"after\": 0}",
        "{\"mode\": \"run\", \"run_to\": -1, \"breaks\": [], \"after\": 0}",
        "{\"mode\": \"run\", \"run_to\": 0, \"breaks\": [99999999], \"after\": 0}",
        "{\"mode\": \"run\", \"run_to\": 0, \"breaks\": [], \"after\": -4}",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        json_t *json = json_loads(texts[i], 0, NULL);
        struct ts_debugger d;

        assert_false(ts_debugger_from_json(json, &d));
        assert_int_equal(d.mode, TS_DEBUG_OFF);
        json_decref(json);
    }
}

static int parse(const char *text, enum ts_debug_kind *ret)
{
    json_t *json = json_loads(text, 0, NULL);
    struct ts_debug_command command;
    int r = ts_debug_command_parse(json, &command);

    json_decref(json);
    if (r == 0)
        *ret = command.kind;
    return r;
}

static void a_command_has_what_its_kind_needs(void **state)
{
    (void)state;
    enum ts_debug_kind kind;

    assert_int_equal(parse("{\"command\": \"run-to\", \"number\": 1, \"step\": \"3\"}", &kind), 0);
    assert_int_equal(kind, TS_DEBUG_DO_RUN_TO);
    assert_int_equal(parse("{\"command\": \"clear\", \"number\": 1}", &kind), 0);
    assert_int_equal(parse("{\"command\": \"run-to\", \"number\": 1}", &kind),
                     TS_DEBUG_E_MALFORMED);
    assert_int_equal(parse("{\"command\": \"set\", \"number\": 1, \"value\": \"x\"}", &kind),
                     TS_DEBUG_E_MALFORMED);
    assert_int_equal(parse("{\"command\": \"step\", \"number\": 0}", &kind), TS_DEBUG_E_MALFORMED);
    assert_int_equal(parse("{\"command\": \"fly\", \"number\": 1}", &kind), TS_DEBUG_E_MALFORMED);
    assert_int_equal(parse("{\"command\": 7, \"number\": 1}", &kind), TS_DEBUG_E_MALFORMED);
    assert_int_equal(parse("[]", &kind), TS_DEBUG_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_debugs_until_it_is_begun),
        cmocka_unit_test(what_is_debugged_from_an_error_on_stops_at_errors),
        cmocka_unit_test(step_stops_before_each_instruction_and_continue_at_break_points),
        cmocka_unit_test(run_to_stops_there_and_at_break_points_on_the_way),
        cmocka_unit_test(break_points_are_kept_once_in_order_and_cleared_one_or_all),
        cmocka_unit_test(more_break_points_than_there_is_room_for_are_refused),
        cmocka_unit_test(set_current_moves_and_stands),
        cmocka_unit_test(quit_forgets_break_points_and_a_new_one_begins_again),
        cmocka_unit_test(break_points_and_mode_survive_being_written_and_read),
        cmocka_unit_test(what_makes_no_sense_is_as_if_nobody_had_debugged),
        cmocka_unit_test(a_command_has_what_its_kind_needs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
