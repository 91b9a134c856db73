/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/wizard.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

DEFINE_FREEP(struct wizard *, wizard_free);

enum {
    LINE_MAX_BYTES = 200,
};

#define WAITING \
    "{\"state\": \"variables\", \"deployment_id\": \"SLP2000A\", \"variables\": [" \
    "{\"name\": \"JoinKey\", \"is_secret\": true}, {\"name\": \"Room\", \"is_secret\": false}]}"

static struct wizard *make(void)
{
    json_t *waiting = json_loads(WAITING, 0, NULL);
    struct wizard *wizard = NULL;

    assert_int_equal(wizard_new(waiting, &wizard), 0);
    assert_true(wizard_fits(wizard, waiting));
    json_decref(waiting);
    return wizard;
}

static void assert_line(const struct wizard *wizard, size_t i, const char *expected)
{
    char line[LINE_MAX_BYTES];

    wizard_put_line(wizard, i, line, sizeof(line));
    assert_string_equal(line, expected);
}

static void assert_question(const struct wizard *wizard, const char *expected)
{
    char question[LINE_MAX_BYTES];

    wizard_put_question(wizard, question, sizeof(question));
    assert_string_equal(question, expected);
}

static void assert_answer(const struct wizard *wizard, const char *key, const char *room)
{
    json_t *answer = wizard_answer(wizard);
    const json_t *variables = json_object_get(answer, "variables");

    assert_string_equal(json_string_value(json_object_get(answer, "deployment_id")), "SLP2000A");
    assert_int_equal(json_object_size(variables), 2);
    assert_string_equal(json_string_value(json_object_get(variables, "JoinKey")), key);
    assert_string_equal(json_string_value(json_object_get(variables, "Room")), room);
    json_decref(answer);
}

static void each_is_asked_for_and_then_all_are_confirmed(void **state)
{
    (void)state;
    OWN(wizard_freep) struct wizard *wizard = make();

    assert_true(wizard_is_secret(wizard));
    assert_question(wizard, "JoinKey, 1 of 2 (it is not shown); Enter: leave it empty; <: back");
    assert_int_equal(wizard_take(wizard, "geheimnis"), WIZARD_GOES_ON);
    assert_false(wizard_is_secret(wizard));
    assert_question(wizard, "Room, 2 of 2; Enter: leave it empty; <: back");
    assert_int_equal(wizard_take(wizard, "4711"), WIZARD_GOES_ON);
    assert_int_equal(wizard_at(wizard), wizard_n_lines(wizard));
    assert_question(wizard, "Enter to begin with these, < to go back");
    assert_int_equal(wizard_take(wizard, "what?"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, ""), WIZARD_DONE);
    assert_answer(wizard, "geheimnis", "4711");
}

static void a_secret_is_not_among_the_lines(void **state)
{
    (void)state;
    OWN(wizard_freep) struct wizard *wizard = make();

    assert_line(wizard, 0, "JoinKey = ");
    assert_int_equal(wizard_take(wizard, "geheimnis"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "4711"), WIZARD_GOES_ON);
    assert_line(wizard, 0, "JoinKey = ***");
    assert_line(wizard, 1, "Room = 4711");
}

static void an_empty_line_keeps_what_is_there(void **state)
{
    (void)state;
    OWN(wizard_freep) struct wizard *wizard = make();

    assert_int_equal(wizard_take(wizard, ""), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "4711"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "<"), WIZARD_GOES_ON);
    assert_question(wizard, "Room, 2 of 2; Enter: as it is, -: empty; <: back");
    assert_int_equal(wizard_take(wizard, ""), WIZARD_GOES_ON);
    assert_answer(wizard, "", "4711");
}

static void one_can_go_back_change_and_take_away(void **state)
{
    (void)state;
    OWN(wizard_freep) struct wizard *wizard = make();

    assert_int_equal(wizard_take(wizard, "<"), WIZARD_BACK);
    assert_int_equal(wizard_take(wizard, "first"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "4711"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "<"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "<"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "second"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "-"), WIZARD_GOES_ON);
    assert_answer(wizard, "second", "");
}

static void what_is_not_utf8_is_asked_for_again(void **state)
{
    (void)state;
    OWN(wizard_freep) struct wizard *wizard = make();

    assert_int_equal(wizard_take(wizard, "K\xf6nig"), WIZARD_NO_TEXT);
    assert_int_equal(wizard_at(wizard), 0);
}

static void the_last_one_is_asked_for_again_when_the_site_does_not_take_it(void **state)
{
    (void)state;
    OWN(wizard_freep) struct wizard *wizard = make();

    assert_int_equal(wizard_take(wizard, ""), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, "4711"), WIZARD_GOES_ON);
    assert_int_equal(wizard_take(wizard, ""), WIZARD_DONE);
    wizard_reopen(wizard);
    assert_int_equal(wizard_at(wizard), 1);
}

static void another_question_does_not_fit(void **state)
{
    (void)state;
    OWN(wizard_freep) struct wizard *wizard = make();
    json_t *other = json_loads("{\"state\": \"variables\", \"variables\": []}", 0, NULL);

    assert_false(wizard_fits(wizard, other));
    json_decref(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_is_asked_for_and_then_all_are_confirmed),
        cmocka_unit_test(a_secret_is_not_among_the_lines),
        cmocka_unit_test(an_empty_line_keeps_what_is_there),
        cmocka_unit_test(one_can_go_back_change_and_take_away),
        cmocka_unit_test(what_is_not_utf8_is_asked_for_again),
        cmocka_unit_test(the_last_one_is_asked_for_again_when_the_site_does_not_take_it),
        cmocka_unit_test(another_question_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
