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

struct documented {
    const char *sentence; /* the name of the test */
    const char *xml;
    const char *variable;
    size_t position;
    const char *ran;
    bool succeeds;
};

static struct documented cases[] = {
    {"steps_run_one_after_the_other",
     SEQUENCE(STEP("a", "") "<group name=\"g\">" STEP("b", "") "</group>" STEP("c", "")),
     "",
     0,
     "a b c ",
     true},
    {"disabled_steps_and_groups_are_skipped",
     SEQUENCE(STEP("a", "disable=\"true\"") "<group name=\"g\" disable=\"true\">" STEP("b", "")
                  STEP("c", "") "</group>" STEP("d", "")),
     "",
     0,
     "[a] [g] d ",
     true},
    {"an_error_that_nothing_stops_climbs_to_the_root_and_fails_the_sequence",
     SEQUENCE(STEP("bad", "") STEP("b", "")),
     "",
     0,
     "bad ",
     false},
    {"continue_on_error_of_a_step_goes_on_with_the_next",
     SEQUENCE(STEP("bad", "continueOnError=\"true\"") STEP("b", "")),
     "",
     0,
     "bad b ",
     true},
    {"an_error_climbs_to_the_group_that_continues_on_error_and_leaves_the_rest_of_it_out",
     SEQUENCE("<group name=\"g\" continueOnError=\"true\"><group name=\"h\">" STEP("bad", "")
                  STEP("b", "") "</group>" STEP("c", "") "</group>" STEP("d", "")),
     "",
     0,
     "bad d ",
     true},
    {"try_catch_runs_the_second_group_after_a_failure_in_the_first",
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
    {"try_catch_leaves_the_second_group_out_if_the_first_succeeded",
     SEQUENCE("<group name=\"try\" continueOnError=\"true\">" STEP(
         "a", "") "</group>"
                  "<group name=\"catch\"><condition>" VARIABLE_IS(
                      "_SMSTSLastActionSucceeded",
                      "equals",
                      "false") "</condition>" STEP("c", "") "</group>" STEP("d", "")),
     "",
     0,
     "a [catch] d ",
     true},
    {"try_catch_sees_the_failure_behind_skipped_steps",
     SEQUENCE("<group name=\"try\" continueOnError=\"true\">" STEP("bad", "") "</group>" STEP(
         "off",
         "disable=\"true\"") "<group name=\"catch\"><condition>" VARIABLE_IS("_SMSTSLastActionSucceeded",
                                                                             "equals",
                                                                             "false") "</condition>" STEP("c",
                                                                                                          "") "</group>"),
     "",
     0,
     "bad [off] c ",
     true},
    {"a_false_condition_skips_the_whole_group",
     SEQUENCE("<group name=\"g\"><condition>" VARIABLE_IS("A", "equals", "1") "</condition>" STEP(
         "a", "") STEP("b", "") "</group>" STEP("c", "")),
     "2",
     0,
     "[g] c ",
     true},
    {"a_condition_that_cannot_be_answered_is_false",
     SEQUENCE("<step type=\"x\" name=\"a\"><condition>" WMI "</condition></step>" STEP("b", "")),
     "",
     0,
     "[a] b ",
     true},
    {"a_step_for_the_other_environment_fails",
     SEQUENCE(STEP("a", "runIn=\"FullOS\" continueOnError=\"true\"") STEP("b", "")),
     "",
     0,
     "!a b ",
     true},
    {"a_run_that_goes_on_within_a_group_does_not_ask_its_condition_again",
     SEQUENCE("<group name=\"g\"><condition>" VARIABLE_IS("A", "equals", "1") "</condition>" STEP(
         "a", "") STEP("b", "") "</group>"),
     "2",
     1,
     "b ",
     true},
    {"setup_windows_fails_the_sequence_whatever_continue_on_error_says",
     SEQUENCE("<step type=\"SMS_TaskSequence_SetupWindowsAndSMSAction\" name=\"bad\" "
              "continueOnError=\"true\"><action/></step>" STEP("b", "")),
     "",
     0,
     "bad ",
     false},
    {"setup_windows_in_the_boot_image_fails_it_too",
     SEQUENCE(
         "<group name=\"g\" continueOnError=\"true\"><step type=\"SMS_TaskSequence_SetupWindowsAndSMSAction\" "
         "name=\"a\" runIn=\"FullOS\" continueOnError=\"true\"/></group>" STEP("b", "")),
     "",
     0,
     "!a ",
     false},
};

static void runs_as_documented(void **state)
{
    const struct documented *c = *state;
    OWN(buf_fini) struct buf ran = BUF_INIT(1024);
    bool succeeded = run_from(c->xml, c->variable, c->position, &ran);

    assert_string_equal(buf_str(&ran), c->ran);
    assert_int_equal(succeeded, c->succeeds);
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

/* A sequence on a machine of its own, driven step by step. */
struct play {
    struct ts_document *doc;
    struct ts_document *child_doc;
    struct ts_child child;
    struct ts_vars *vars;
    struct ts_sequence *s;
    unsigned environment;
};

static void play_fini(struct play *p)
{
    ts_sequence_free(p->s);
    ts_vars_free(p->vars);
    ts_document_free(p->doc);
    ts_document_free(p->child_doc);
}

static void play_at(struct play *p, size_t position, bool is_begun)
{
    struct ts_sequence *old = p->s;

    assert_int_equal(ts_sequence_new(&(struct ts_start){.document = p->doc,
                                                        .children = &p->child,
                                                        .n_children = p->child.id ? 1 : 0,
                                                        .vars = p->vars,
                                                        .position = position,
                                                        .is_begun = is_begun},
                                     &p->s),
                     0);
    ts_sequence_free(old);
}

static void play_begin(struct play *p, const char *xml, const char *child_xml)
{
    *p = (struct play){.doc = parse_ok(xml), .environment = TS_RUN_IN_BOOT_IMAGE};
    if (child_xml) {
        p->child_doc = parse_ok(child_xml);
        p->child = (struct ts_child){"SLP00009", p->child_doc, false};
    }
    assert_int_equal(ts_vars_new(&p->vars), 0);
    play_at(p, 0, false);
}

static struct ts_next ask(struct play *p)
{
    struct ts_next next;

    assert_int_equal(ts_sequence_next(p->s, p->environment, &next), 0);
    return next;
}

static void expect_run(struct play *p, const char *name)
{
    struct ts_next next = ask(p);

    assert_int_equal(next.kind, TS_NEXT_RUN);
    assert_string_equal(next.item->name, name);
}

static struct ts_after end_step(struct play *p, struct ts_result result)
{
    struct ts_after after;

    result.environment = p->environment;
    assert_int_equal(ts_sequence_step_done(p->s, &result, &after), 0);
    return after;
}

static void set(struct play *p, const char *name, const char *value)
{
    assert_int_equal(ts_vars_set(p->vars, name, value, TS_BY_SEQUENCE), 0);
}

static const struct ts_result good = {.has_place = true};

static void exit_code_3010_restarts_into_where_the_step_ran_and_goes_on_behind_it(void **state)
{
    (void)state;
    static const int64_t codes[] = {3010, 1641};

    for (size_t i = 0; i < 2; i++) {
        OWN(play_fini) struct play p;

        play_begin(&p, SEQUENCE(STEP("a", "") STEP("b", "") STEP("c", "")), NULL);
        expect_run(&p, "a");

        struct ts_after after =
            end_step(&p, (struct ts_result){.code = codes[i], .has_place = true});

        assert_int_equal(after.restart, TS_RESTART_TO_BOOT_IMAGE);
        assert_true(after.is_by_engine);
        assert_string_equal(ts_vars_get(p.vars, "_SMSTSLastActionSucceeded"), "true");
        play_at(&p, ts_sequence_position(p.s), after.is_same_step_again);
        p.environment = TS_RUN_IN_FULL_OS;
        expect_run(&p, "b");
        after = end_step(&p, (struct ts_result){.code = codes[i], .has_place = true});
        assert_int_equal(after.restart, TS_RESTART_TO_FULL_OS);
    }
}

static void a_failure_with_exit_code_3010_restarts_nothing(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;

    play_begin(&p, SEQUENCE(STEP("a", "continueOnError=\"true\"") STEP("b", "")), NULL);
    expect_run(&p, "a");

    struct ts_after after = end_step(
        &p, (struct ts_result){.outcome = TS_STEP_FAILED, .code = 3010, .has_place = true});

    assert_int_equal(after.restart, TS_NO_RESTART);
    expect_run(&p, "b");
}

static void smsts_reboot_requested_restarts_once(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum ts_restart restart;
    } targets[] = {{"HD", TS_RESTART_TO_FULL_OS}, {"winpe", TS_RESTART_TO_BOOT_IMAGE}};

    for (size_t i = 0; i < 2; i++) {
        OWN(play_fini) struct play p;

        play_begin(&p, SEQUENCE(STEP("a", "") STEP("b", "")), NULL);
        expect_run(&p, "a");
        set(&p, "SMSTSRebootRequested", targets[i].value);
        assert_int_equal(end_step(&p, good).restart, targets[i].restart);
        assert_string_equal(ts_vars_get(p.vars, "SMSTSRebootRequested"), "");
        expect_run(&p, "b");
        assert_int_equal(end_step(&p, good).restart, TS_NO_RESTART);
    }
}

static void smsts_retry_requested_runs_the_same_step_again_after_the_restart(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;

    play_begin(&p, SEQUENCE(STEP("a", "") STEP("b", "")), NULL);
    expect_run(&p, "a");
    set(&p, "SMSTSRebootRequested", "WinPE");
    set(&p, "SMSTSRetryRequested", "true");

    struct ts_after after = end_step(&p, good);

    assert_int_equal(after.restart, TS_RESTART_TO_BOOT_IMAGE);
    assert_true(after.is_same_step_again);
    play_at(&p, ts_sequence_position(p.s), after.is_same_step_again);
    expect_run(&p, "a");
    assert_false(end_step(&p, good).is_same_step_again);
    expect_run(&p, "b");
    set(&p, "SMSTSRetryRequested", "true"); /* without a restart it means nothing */
    assert_false(end_step(&p, good).is_same_step_again);
    assert_int_equal(ask(&p).kind, TS_NEXT_SUCCEEDED);
}

static void a_step_that_always_asks_for_another_try_fails_in_the_end(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;

    play_begin(&p, SEQUENCE(STEP("a", "") STEP("b", "")), NULL);
    expect_run(&p, "a");
    set(&p, "SMSTSRebootRequested", "HD");
    set(&p, "SMSTSRetryRequested", "true");

    struct ts_after after =
        end_step(&p, (struct ts_result){.has_place = true, .n_starts = TS_RERUNS_MAX + 1});

    assert_string_equal(after.error_id, "SLW-0417");
    assert_int_equal(after.restart, TS_NO_RESTART);
    assert_int_equal(ask(&p).kind, TS_NEXT_FAILED);
}

static void
a_restart_without_a_place_for_the_state_fails_whatever_continue_on_error_says(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;

    play_begin(&p, SEQUENCE(STEP("a", "continueOnError=\"true\"") STEP("b", "")), NULL);
    expect_run(&p, "a");

    struct ts_after after = end_step(&p, (struct ts_result){.code = 3010});

    assert_string_equal(after.error_id, "SLW-0415");
    assert_int_equal(after.restart, TS_NO_RESTART);
    assert_string_equal(ts_vars_get(p.vars, "_SMSTSLastActionSucceeded"), "false");
    assert_int_equal(ask(&p).kind, TS_NEXT_FAILED);
}

static void smsts_reboot_delay_is_the_first_notice_and_delay_next_all_later_ones(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;

    play_begin(&p, SEQUENCE(STEP("a", "") STEP("b", "") STEP("c", "")), NULL);
    set(&p, "SMSTSRebootDelay", "3600");
    set(&p, "SMSTSRebootDelayNext", "60");
    set(&p, "SMSTSRebootMessage", "Save your work");
    expect_run(&p, "a");

    struct ts_after after = end_step(&p, (struct ts_result){.code = 3010, .has_place = true});

    assert_int_equal(after.notice_s, 3600);
    assert_string_equal(after.message, "Save your work");
    expect_run(&p, "b");
    assert_int_equal(end_step(&p, (struct ts_result){.code = 3010, .has_place = true}).notice_s,
                     60);
    expect_run(&p, "c");
    /* a step that restarts by itself gives notice itself */
    after = end_step(&p, (struct ts_result){.restart = TS_RESTART_TO_FULL_OS, .has_place = true});
    assert_int_equal(after.notice_s, 0);
    assert_false(after.is_by_engine);
}

static void a_step_that_goes_on_in_the_other_environment_is_not_done_yet(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;

    play_begin(&p, SEQUENCE(STEP("a", "") STEP("b", "")), NULL);
    expect_run(&p, "a");

    struct ts_after after = end_step(&p,
                                     (struct ts_result){.restart = TS_RESTART_TO_FULL_OS,
                                                        .is_same_step_again = true,
                                                        .has_place = true});

    assert_true(after.is_same_step_again);
    assert_string_equal(ts_vars_get(p.vars, "_SMSTSLastActionName"), "");
    play_at(&p, ts_sequence_position(p.s), true);
    expect_run(&p, "a");
}

#define NESTED(attributes) \
    "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"nested\" " attributes \
    "><action>x</action><defaultVarList><variable name=\"OSDSubTasksequencePackageID\" " \
    "property=\"TsPackageID\">SLP00009</variable></defaultVarList></subtasksequence>"

static void a_nested_sequence_runs_in_the_place_of_its_step(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;
    OWN(buf_fini) struct buf path = BUF_INIT(256);

    play_begin(&p,
               SEQUENCE(STEP("a", "") "<group name=\"g\">" NESTED("") "</group>" STEP("d", "")),
               SEQUENCE("<group name=\"inner\">" STEP("b", "") "</group>" STEP("c", "")));
    assert_int_equal(ts_sequence_size(p.s), 4);
    expect_run(&p, "a");
    (void)end_step(&p, good);

    struct ts_next next = ask(&p);

    assert_int_equal(next.index, 1);
    ts_sequence_put_item_path(p.s, next.index, next.item, &path);
    assert_string_equal(buf_str(&path), "g/nested/inner/b");
    assert_string_equal(ts_vars_get(p.vars, "SMSTSNextInstructionPointer"), "1");
    assert_string_equal(ts_vars_get(p.vars, "_SMSTSInstructionTableSize"), "4");
    set(&p, "Shared", "yes");
    (void)end_step(&p, good);
    play_at(
        &p, ts_sequence_position(p.s), false); /* a power cut between two steps of the nested one */
    expect_run(&p, "c");
    (void)end_step(&p, good);
    expect_run(&p, "d");
    assert_string_equal(ts_vars_get(p.vars, "Shared"), "yes");
}

static void a_failure_in_a_nested_sequence_climbs_through_its_step(void **state)
{
    (void)state;
    OWN(play_fini) struct play caught;
    OWN(play_fini) struct play uncaught;
    static const struct ts_result bad = {.outcome = TS_STEP_FAILED, .code = 5, .has_place = true};

    play_begin(&caught,
               SEQUENCE(NESTED("continueOnError=\"true\"") STEP("d", "")),
               SEQUENCE(STEP("b", "") STEP("c", "")));
    expect_run(&caught, "b");
    (void)end_step(&caught, bad);
    expect_run(&caught, "d");
    play_begin(&uncaught, SEQUENCE(NESTED("") STEP("d", "")), SEQUENCE(STEP("b", "")));
    expect_run(&uncaught, "b");
    (void)end_step(&uncaught, bad);
    assert_int_equal(ask(&uncaught).kind, TS_NEXT_FAILED);
}

static void a_disabled_step_leaves_its_nested_sequence_out(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;

    play_begin(&p,
               SEQUENCE(NESTED("disable=\"true\"") STEP("d", "")),
               SEQUENCE(STEP("b", "") STEP("c", "")));

    struct ts_next next = ask(&p);

    assert_int_equal(next.kind, TS_NEXT_SKIP);
    assert_int_equal(next.n_left_out, 2);
    expect_run(&p, "d");
}

static void a_nested_sequence_that_cannot_run_fails_the_deployment(void **state)
{
    (void)state;
    static const char xml[] =
        SEQUENCE(STEP("a", "") "<group name=\"g\" continueOnError=\"true\">" NESTED(
            "continueOnError=\"true\"") "</group>" STEP("d", ""));

    for (int i = 0; i < 3; i++) {
        OWN(play_fini) struct play p;

        /* it runs itself; it is disabled; it is missing */
        play_begin(&p, xml, i == 0 ? SEQUENCE(NESTED("")) : SEQUENCE(STEP("b", "")));
        p.child.is_disabled = i == 1;
        p.child.id = i == 2 ? NULL : p.child.id;
        play_at(&p, 0, false);
        expect_run(&p, "a");
        (void)end_step(&p, good);

        struct ts_next next = ask(&p);

        assert_int_equal(next.kind, TS_NEXT_FAIL);
        assert_string_equal(next.error_id, "SLW-0416");
        assert_int_equal(ask(&p).kind, TS_NEXT_FAILED);
    }
}

static void a_condition_that_cannot_be_answered_warns(void **state)
{
    (void)state;
    OWN(play_fini) struct play p;

    play_begin(
        &p, SEQUENCE("<step type=\"x\" name=\"a\"><condition>" WMI "</condition></step>"), NULL);

    struct ts_next next = ask(&p);

    assert_int_equal(next.kind, TS_NEXT_SKIP);
    assert_non_null(strstr(next.warnings, "select * from x"));
    assert_non_null(strstr(next.why, "its condition is false"));
}

/* Each row of the table is a test of its own. */
static int run_documented(void)
{
    enum {
        N_CASES = sizeof(cases) / sizeof(cases[0]),
    };
    struct CMUnitTest tests[N_CASES];

    for (size_t i = 0; i < N_CASES; i++)
        tests[i] = (struct CMUnitTest){
            .name = cases[i].sentence, .test_func = runs_as_documented, .initial_state = &cases[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(skipped_steps_leave_the_last_action_alone),
        cmocka_unit_test(exit_code_3010_restarts_into_where_the_step_ran_and_goes_on_behind_it),
        cmocka_unit_test(a_failure_with_exit_code_3010_restarts_nothing),
        cmocka_unit_test(smsts_reboot_requested_restarts_once),
        cmocka_unit_test(smsts_retry_requested_runs_the_same_step_again_after_the_restart),
        cmocka_unit_test(a_step_that_always_asks_for_another_try_fails_in_the_end),
        cmocka_unit_test(
            a_restart_without_a_place_for_the_state_fails_whatever_continue_on_error_says),
        cmocka_unit_test(smsts_reboot_delay_is_the_first_notice_and_delay_next_all_later_ones),
        cmocka_unit_test(a_step_that_goes_on_in_the_other_environment_is_not_done_yet),
        cmocka_unit_test(a_nested_sequence_runs_in_the_place_of_its_step),
        cmocka_unit_test(a_failure_in_a_nested_sequence_climbs_through_its_step),
        cmocka_unit_test(a_disabled_step_leaves_its_nested_sequence_out),
        cmocka_unit_test(a_nested_sequence_that_cannot_run_fails_the_deployment),
        cmocka_unit_test(a_condition_that_cannot_be_answered_warns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) + run_documented();
}
