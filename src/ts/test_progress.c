/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/progress.h"

#include "ts/sequence.h"
#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);

#define CALL \
    "<subtasksequence type='SMS_TaskSequence_SubTasksequence' name='nested'>" \
    "<defaultVarList><variable name='OSDSubTasksequencePackageID' property='TsPackageID'>" \
    "SLP00009</variable></defaultVarList></subtasksequence>"

/* Instructions: a, b disabled, c disabled by its group, the nested d, e and f disabled, g in a group, h. */
static void a_step_is_counted_as_people_do(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc = parse_ok(SEQUENCE(
        STEP("a", "") STEP("b", "disable=\"true\"") "<group name=\"off\" disable=\"true\">" STEP(
            "c", "") "</group>" CALL "<group name=\"on\">" STEP("g", "") "</group>" STEP("h", "")));
    OWN(ts_document_freep)
    struct ts_document *nested =
        parse_ok(SEQUENCE(STEP("d", "") STEP("e", "") STEP("f", "disable=\"true\"")));
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_sequence_freep) struct ts_sequence *s = NULL;
    const struct ts_child child = {.id = "SLP00009", .document = nested};
    static const struct {
        size_t index;
        const char *level;
        const char *text;
    } cases[] = {
        {0, "", "1 of 8"},
        {0, "1", "1 of 4"},
        {3, "1", "2 of 4"},
        {4, "1", "2 of 4"},
        {6, "1", "3 of 4"},
        {6, "2", "3 of 4 (75% complete)"},
        {7, "3", "(100% complete)"},
        {7, "4", "8 of 8"},
    };

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(
        ts_sequence_new(
            &(struct ts_start){.document = doc, .children = &child, .n_children = 1, .vars = vars},
            &s),
        0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(256);

        ts_progress_put(s, cases[i].index, cases[i].level, &text);
        assert_string_equal(buf_str(&text), cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_is_counted_as_people_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
