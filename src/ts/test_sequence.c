/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/sequence.h"

#include "ts/test_ts.h"

DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);

static struct ts_after done(struct ts_sequence *s, enum ts_outcome outcome, int64_t code)
{
    struct ts_after after;

    assert_int_equal(ts_sequence_step_done(s,
                                           &(struct ts_result){.outcome = outcome,
                                                               .code = code,
                                                               .environment = TS_RUN_IN_BOOT_IMAGE,
                                                               .has_place = true},
                                           &after),
                     0);
    return after;
}

/* Run in the boot image; steps whose names begin with "bad" fail. What ran is written to @ran, a
   skipped step in brackets, one that failed unrun with '!'. */
static bool run_from(const char *xml, const char *variable, size_t position, struct buf *ran)
{
    OWN(ts_document_freep) struct ts_document *doc = parse_ok(xml);
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_sequence_freep) struct ts_sequence *s = NULL;
    struct ts_next next;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "A", variable, TS_BY_SEQUENCE), 0);
    assert_int_equal(
        ts_sequence_new(&(struct ts_start){.document = doc, .vars = vars, .position = position},
                        &s),
        0);
    for (;;) {
        assert_int_equal(ts_sequence_next(s, TS_RUN_IN_BOOT_IMAGE, &next), 0);

        const char *name = next.step    ? next.step->item.name
                           : next.group ? next.group->item.name
                                        : "";

        if (next.kind == TS_NEXT_SUCCEEDED || next.kind == TS_NEXT_FAILED)
            return next.kind == TS_NEXT_SUCCEEDED;
        if (next.kind == TS_NEXT_RUN) {
            bool is_bad = strncmp(name, "bad", 3) == 0;

            buf_addf(ran, "%s ", name);
            done(s, is_bad ? TS_STEP_FAILED : TS_STEP_SUCCEEDED, is_bad);
        } else {
            buf_addf(ran, next.kind == TS_NEXT_SKIP ? "[%s] " : "!%s ", name);
        }
    }
}

static const struct {
    const char *sentence;
    const char *xml;
    const char *variable;
    size_t position;
    const char *ran;
    bool succeeds;
} cases[] = {
    {"steps run one after the other",
     SEQUENCE(STEP("a", "") "<group name=\"g\">" STEP("b", "") "</group>" STEP("c", "")),
     "",
     0,
     "a b c ",
     true},
    {"disabled steps and groups are skipped",
     SEQUENCE(STEP("a", "disable=\"true\"") "<group name=\"g\" disable=\"true\">" STEP("b", "")
                  STEP("c", "") "</group>" STEP("d", "")),
     "",
     0,
     "[a] [g] d ",
     true},
    {"a failure without continue on error fails the sequence",
     SEQUENCE(STEP("bad", "") STEP("b", "")),
     "",
     0,
     "bad ",
     false},
    {"continue on error goes on with the next step",
     SEQUENCE(STEP("bad", "continueOnError=\"true\"") STEP("b", "")),
     "",
     0,
     "bad b ",
     true},
    {"a group with continue on error is left behind a failure, also from within",
     SEQUENCE("<group name=\"g\" continueOnError=\"true\"><group name=\"h\">" STEP("bad", "")
                  STEP("b", "") "</group>" STEP("c", "") "</group>" STEP("d", "")),
     "",
     0,
     "bad d ",
     true},
    {"the documented way to catch an error",
     SEQUENCE("<group name=\"try\" continueOnError=\"true\">" STEP(
         "bad", "") "</group>"
                    "<group name=\"catch\"><condition>" VARIABLE_IS(
                        "_SMSTSLastActionSucceeded",
                        "equals",
                        "false") "</condition>" STEP("c", "") "</group>"),
     "",
     0,
     "bad c ",
     true},
    {"a false condition skips the whole group",
     SEQUENCE("<group name=\"g\"><condition>" VARIABLE_IS("A", "equals", "1") "</condition>" STEP(
         "a", "") STEP("b", "") "</group>" STEP("c", "")),
     "2",
     0,
     "[g] c ",
     true},
    {"a condition that cannot be answered is false",
     SEQUENCE("<step type=\"x\" name=\"a\"><condition>" WMI "</condition></step>" STEP("b", "")),
     "",
     0,
     "[a] b ",
     true},
    {"a step for the other environment fails",
     SEQUENCE(STEP("a", "runIn=\"FullOS\" continueOnError=\"true\"") STEP("b", "")),
     "",
     0,
     "!a b ",
     true},
    {"a run that goes on within a group does not ask its condition again",
     SEQUENCE("<group name=\"g\"><condition>" VARIABLE_IS("A", "equals", "1") "</condition>" STEP(
         "a", "") STEP("b", "") "</group>"),
     "2",
     1,
     "b ",
     true},
    {"Setup fails for good",
     SEQUENCE("<step type=\"SMS_TaskSequence_SetupWindowsAndSMSAction\" name=\"bad\" "
              "continueOnError=\"true\"><action/></step>" STEP("b", "")),
     "",
     0,
     "bad ",
     false},
};

static void sequences_run_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf ran = BUF_INIT(1024);
        bool succeeded = run_from(cases[i].xml, cases[i].variable, cases[i].position, &ran);

        if (strcmp(buf_str(&ran), cases[i].ran) != 0 || succeeded != cases[i].succeeds)
            fail_msg("%s: ran \"%s\"", cases[i].sentence, buf_str(&ran));
    }
}

static void skipped_steps_leave_the_last_action_alone(void **state)
{
    (void)state;
    OWN(ts_document_freep)
    struct ts_document *doc =
        parse_ok(SEQUENCE(STEP("bad", "continueOnError=\"true\"") STEP("b", "disable=\"true\"")));
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_sequence_freep) struct ts_sequence *s = NULL;
    struct ts_next next;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_sequence_new(&(struct ts_start){.document = doc, .vars = vars}, &s), 0);
    assert_int_equal(ts_sequence_next(s, TS_RUN_IN_BOOT_IMAGE, &next), 0);
    assert_string_equal(ts_vars_get(vars, "_SMSTSCurrentActionName"), "bad");
    done(s, TS_STEP_FAILED, 7);
    assert_int_equal(ts_sequence_next(s, TS_RUN_IN_BOOT_IMAGE, &next), 0);
    assert_int_equal(next.kind, TS_NEXT_SKIP);
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionName"), "bad");
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionRetCode"), "7");
    assert_string_equal(ts_vars_get(vars, "_SMSTSLastActionSucceeded"), "false");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequences_run_as_documented),
        cmocka_unit_test(skipped_steps_leave_the_last_action_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
