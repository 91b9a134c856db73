/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Task sequences with everything that decides, on a machine that loses its power at any moment
 *
 * Random sequences, nested three deep, some of them disabled, with groups, conditions on variables that steps set, failures
 * that are gone on from or not, time-outs, restarts into boot image and operating system by exit code and by variable,
 * steps that run in one of the two only, retries, and steps that wipe the disk, are run by the real sequencer on a fake machine.
 * Its disk keeps what docs/protocol/state.md keeps, and a start goes on by the agent's own rule; before the first wipe there
 * is no disk, and a wipe takes the state with it. Whatever happens: a disk is wiped only under an order that is open and in the
 * boot image, what is disabled or of the other environment does not run, a step that must not be repeated is begun as often
 * as its retry count says, there is always an end, and it is the one that the same sequence has without a cut.
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/run/state.h"
#include "base/buf.h"
#include "base/own.h"
#include "scenario/world.h"
#include "ts/assign.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/sequence.h"
#include "ts/vars.h"

enum {
    N_SEQUENCES = 4000,
    N_STEPS =
        24, /* of a sequence, half as many of its child, and of that one's child half of those */
    N_INSTRUCTIONS = 4000, /* at most, with the children in several places */
    N_CHILDREN = 2,
    N_RUNS_MAX = 20000,  /* power-ons of one machine */
    N_RETRIES = 2,       /* what a step that wants another try asks for */
    RETRY_COUNT_MAX = 2, /* how often an interrupted step may be begun again, if it says so */
    HISTORY_MAX = 16 * 1024,
    STATE_MAX = 64 * 1024,
    CHILD_PERCENT = 15,
    TIMED_OUT = 1460,
};

DEFINE_FREEP(struct ts_vars *, ts_vars_free);
DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);

/* What survives a power cut, if there is a place for it. */
struct disk {
    bool has_state;
    size_t position;
    bool is_running;
    bool is_continued; /* it restarted on purpose, and goes on */
    unsigned phase;    /* of enum ts_run_in: where the position is to run */
    unsigned n_starts;
    struct buf variables; /* "name\0value\0" one after the other */
};

struct site {
    bool is_open; /* the order; false once it has ended or was cancelled */
    enum ts_next_kind result;
    unsigned cancel_after; /* steps; 0: never */
};

struct machine {
    const struct ts_document *doc;
    const struct ts_child *children;
    struct chance chance;
    unsigned cut_percent;
    unsigned environment; /* of this start */
    bool is_repeatable;   /* whether interrupted steps may be run again */
    bool has_place;       /* a volume was made in this run, or holds the state */
    struct disk disk;
    struct site site;
    struct ts_vars *vars;
    size_t done
        [HISTORY_MAX]; /* instructions completed since the state began, repetitions in a row once */
    size_t n_done;
    unsigned n_begun[N_INSTRUCTIONS]; /* the same */
    unsigned n_steps_run;
    unsigned n_in_system; /* of these, in the operating system */
    unsigned n_wipes;
};

static void put_condition(struct chance *c, struct buf *xml)
{
    if (!chance_percent(c, 30))
        return;
    buf_addf(xml,
             "<condition><operator type=\"%s\">"
             "<expression type=\"SMS_TaskSequence_VariableConditionExpression\">"
             "<variable name=\"Operator\">equals</variable><variable name=\"Value\">%u</variable>"
             "<variable name=\"Variable\">%s</variable></expression></operator></condition>",
             chance_percent(c, 50) ? "not" : "and",
             (unsigned)chance_below(c, 2),
             chance_percent(c, 20)   ? "_SMSTSLastActionSucceeded"
             : chance_percent(c, 50) ? "A"
                                     : "B");
}

static const char *flags_of(struct chance *c)
{
    static const char *const flags[] = {
        "", "", "", " continueOnError=\"true\"", " continueOnError=\"true\"", " disable=\"true\""};

    return flags[chance_below(c, sizeof(flags) / sizeof(flags[0]))];
}

static void put_step(struct chance *c, struct buf *xml)
{
    static const char *const names[] = {
        "good", "good", "bad", "late", "wipe", "wipe", "code", "ask", "home", "home", "again"};
    static const char *const places[] = {"", "", "", " runIn=\"WinPE\"", " runIn=\"FullOS\""};
    const char *name = names[chance_below(c, sizeof(names) / sizeof(names[0]))];
    const char *place = places[chance_below(c, sizeof(places) / sizeof(places[0]))];

    if (chance_percent(c, 25)) {
        buf_addf(xml,
                 "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"set\"%s><action/>"
                 "<defaultVarList><variable name=\"VariableName\">%s</variable>"
                 "<variable name=\"VariableValue\">%u</variable></defaultVarList>",
                 flags_of(c),
                 chance_percent(c, 50) ? "A" : "B",
                 (unsigned)chance_below(c, 2));
    } else {
        buf_addf(xml,
                 "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"%s\"%s%s "
                 "retryCount=\"%u\"><action/>",
                 name,
                 strcmp(name, "wipe") == 0 ? " runIn=\"WinPE\"" : place,
                 flags_of(c),
                 (unsigned)chance_below(c, RETRY_COUNT_MAX + 1));
    }
    put_condition(c, xml);
    buf_adds(xml, "</step>");
}

static void
put_steps(struct chance *c, struct buf *xml, unsigned depth, const char *child, unsigned *left)
{
    for (unsigned n = 1 + (unsigned)chance_below(c, 5); n > 0 && *left > 0; n--) {
        (*left)--;
        if (depth < 4 && chance_percent(c, 30)) {
            buf_addf(xml, "<group name=\"g\"%s>", flags_of(c));
            put_condition(c, xml);
            put_steps(c, xml, depth + 1, child, left);
            buf_adds(xml, "</group>");
        } else if (child && chance_percent(c, CHILD_PERCENT)) {
            buf_addf(xml,
                     "<subtasksequence type=\"SMS_TaskSequence_SubTasksequence\" name=\"n\"%s>"
                     "<action/><defaultVarList><variable name=\"OSDSubTasksequencePackageID\" "
                     "property=\"TsPackageID\">%s</variable></defaultVarList>",
                     flags_of(c),
                     child);
            put_condition(c, xml);
            buf_adds(xml, "</subtasksequence>");
        } else {
            put_step(c, xml);
        }
    }
}

/* @child: whom it runs; NULL: none */
static struct ts_document *random_document(struct chance *c, unsigned left, const char *child)
{
    bool is_whole = left == N_STEPS;
    OWN(buf_fini) struct buf xml = BUF_INIT((size_t)256 * 1024);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct ts_document *doc = NULL;

    buf_adds(&xml, "<sequence version=\"3.10\">");
    if (is_whole) /* as every real one does */
        buf_adds(
            &xml,
            "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"wipe\" runIn=\"WinPE\">"
            "<action/></step>");
    if (is_whole && chance_percent(c, 40)) /* and some go on in the operating system */
        buf_adds(
            &xml,
            "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"home\"><action/></step>");
    put_steps(c, &xml, 0, child, &left);
    buf_adds(&xml, "</sequence>");
    assert_false(xml.failed);
    assert_int_equal(ts_document_parse(buf_bytes(&xml), &doc, &diags), 0);
    return doc;
}

static bool cut(struct machine *m)
{
    return chance_percent(&m->chance, m->cut_percent);
}

static void forget(struct machine *m)
{
    m->disk.position = 0;
    m->disk.is_running = false;
    m->disk.is_continued = false;
    m->disk.phase = TS_RUN_IN_BOOT_IMAGE;
    m->disk.n_starts = 0;
    m->n_done = 0;
    memset(m->n_begun, 0, sizeof(m->n_begun));
}

/* One atomic write. Before there is a place, nothing is kept, as nothing needs to be. */
static void save(struct machine *m, size_t position, bool is_running, bool is_continued)
{
    const char *name;
    const char *value;

    m->disk.n_starts = position == m->disk.position ? m->disk.n_starts : 0;
    m->disk.n_starts += is_running;
    m->disk.position = position;
    m->disk.is_running = is_running;
    m->disk.is_continued = is_continued;
    m->disk.has_state = m->has_place;
    buf_clear(&m->disk.variables);
    for (size_t i = 0; ts_vars_at(m->vars, i, &name, &value, NULL); i++) {
        buf_add(&m->disk.variables, (struct bytes){(const uint8_t *)name, strlen(name) + 1});
        buf_add(&m->disk.variables, (struct bytes){(const uint8_t *)value, strlen(value) + 1});
    }
    assert_false(m->disk.variables.failed);
}

static struct ts_vars *load(const struct machine *m)
{
    struct ts_vars *vars = NULL;
    struct bytes rest = buf_bytes(&m->disk.variables);
    struct bytes name;
    struct bytes value;

    assert_int_equal(ts_vars_new(&vars), 0);
    while (m->disk.has_state && bytes_take_cstr(&rest, &name) && bytes_take_cstr(&rest, &value))
        assert_int_equal(
            ts_vars_set(vars, (const char *)name.ptr, (const char *)value.ptr, TS_BY_ENGINE), 0);
    return vars;
}

static void wipe(struct machine *m)
{
    assert_true(m->site.is_open);
    assert_int_equal(m->environment, TS_RUN_IN_BOOT_IMAGE);
    m->n_wipes++;
    m->has_place = true;
    m->disk.has_state = false; /* it was on the disk; the next write puts it there again */
}

/* What the step does, and how it ends. */
static struct ts_result work(struct machine *m, const struct ts_step *step)
{
    struct ts_result result = {.environment = m->environment, .n_starts = m->disk.n_starts};
    OWN(buf_fini) struct buf why = BUF_INIT(TS_ASSIGN_TEXT_MAX);
    const char *name = step->item.name;
    bool is_in_system = m->environment == TS_RUN_IN_FULL_OS;

    assert_true(ts_step_is_enabled(step));
    assert_true(step->run_in & m->environment);
    if (ts_is_assignment(step))
        assert_int_equal(ts_assign(step, m->vars, NULL, NULL, NULL, &why), 0);
    else if (strcmp(name, "wipe") == 0)
        wipe(m);
    else if (strcmp(name, "code") == 0)
        result.code = m->disk.position % 2 == 0 ? 3010 : 1641; /* the same when it is run again */
    else if (strcmp(name, "ask") == 0 || (strcmp(name, "again") == 0 && !is_in_system))
        assert_int_equal(ts_vars_set(m->vars, "SMSTSRebootRequested", "WinPE", TS_BY_SEQUENCE), 0);
    else if (strcmp(name, "home") == 0 ||
             strcmp(name, "again") == 0) /* it is to be run where it was */
        assert_int_equal(ts_vars_set(m->vars, "SMSTSRebootRequested", "HD", TS_BY_SEQUENCE), 0);
    else if (strcmp(name, "bad") == 0)
        result.outcome = TS_STEP_FAILED;
    else if (strcmp(name, "late") == 0) /* it was ended after its time */
        result = (struct ts_result){TS_STEP_FAILED, TIMED_OUT, .environment = m->environment};
    if (strcmp(name, "again") == 0 && m->disk.n_starts <= N_RETRIES)
        assert_int_equal(ts_vars_set(m->vars, "SMSTSRetryRequested", "true", TS_BY_SEQUENCE), 0);
    result.has_place = m->has_place;
    return result;
}

static void end(struct machine *m, enum ts_next_kind result)
{
    m->site.is_open = false;
    m->site.result = result;
}

static void remember_done(struct machine *m, size_t index)
{
    if (m->n_done > 0 && m->done[m->n_done - 1] == index)
        return; /* the power went between the work and the note of it, or it was run again on purpose */
    assert_true(m->n_done < HISTORY_MAX);
    m->done[m->n_done++] = index;
}

/* Return: whether the machine is still on, and no restart is due. */
static bool finish(struct machine *m, struct ts_sequence *sequence, const struct ts_result *result)
{
    struct ts_after after;

    assert_int_equal(ts_sequence_step_done(sequence, result, &after), 0);
    if (ts_sequence_has_failed(sequence)) {
        end(m, TS_NEXT_FAILED); /* in the same write */
        return false;
    }
    if (after.restart != TS_NO_RESTART) /* in the same write */
        m->disk.phase =
            after.restart == TS_RESTART_TO_FULL_OS ? TS_RUN_IN_FULL_OS : TS_RUN_IN_BOOT_IMAGE;
    save(m, ts_sequence_position(sequence), false, after.is_same_step_again);
    assert_true(after.restart == TS_NO_RESTART || m->has_place);
    return after.restart == TS_NO_RESTART && !cut(m);
}

/* One step, with a chance to lose power at each of its moments. Return: whether the machine is still on. */
static bool run_step(struct machine *m, struct ts_sequence *sequence, const struct ts_next *next)
{
    struct ts_result result;

    if (cut(m))
        return false;
    if (m->site.cancel_after > 0 && m->n_steps_run >= m->site.cancel_after) {
        end(m, TS_NEXT_FAILED);
        return false;
    }
    save(m, next->index, true, m->disk.is_continued);
    assert_true(next->index < N_INSTRUCTIONS);
    m->n_begun[next->index]++;
    m->n_steps_run++;
    m->n_in_system += m->environment == TS_RUN_IN_FULL_OS;
    if (cut(m)) /* in its middle, before it has any effect */
        return false;
    result = work(m, next->step);
    remember_done(m, next->index);
    if (cut(m))
        return false;
    return finish(m, sequence, &result);
}

/* A step that was interrupted and must not be run again fails. Return: whether the machine is still on. */
static bool resume(struct machine *m, struct ts_sequence *sequence)
{
    const struct ts_result failed = {.outcome = TS_STEP_FAILED,
                                     .code = 1,
                                     .environment = m->environment,
                                     .has_place = m->has_place};
    const struct state kept = {.is_running = m->disk.is_running, .n_starts = m->disk.n_starts};
    struct ts_next next;

    if (!m->disk.is_running)
        return true;
    assert_int_equal(ts_sequence_next(sequence, m->environment, &next), 0);
    assert_int_equal(next.kind, TS_NEXT_RUN);
    if (state_resume(&kept, STEP_IN_FULL_OS, m->is_repeatable, next.step->retry_count) ==
        STATE_GO_ON)
        return run_step(m, sequence, &next);
    return finish(m, sequence, &failed);
}

/* From power-on until the end, a restart or the next cut. */
static void power_on(struct machine *m)
{
    OWN(ts_sequence_freep) struct ts_sequence *sequence = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct ts_next next;
    bool is_on;

    if (!m->disk.has_state)
        forget(m);
    m->has_place = m->disk.has_state;
    m->environment = m->disk.phase;
    vars = m->vars = load(m);
    assert_int_equal(
        ts_sequence_new(&(struct ts_start){.document = m->doc,
                                           .children = m->children,
                                           .n_children = N_CHILDREN,
                                           .vars = m->vars,
                                           .position = m->disk.position,
                                           .is_begun = m->disk.is_running || m->disk.is_continued},
                        &sequence),
        0);
    is_on = resume(m, sequence);
    while (is_on && m->site.is_open) {
        assert_int_equal(ts_sequence_next(sequence, m->environment, &next), 0);
        if (next.kind == TS_NEXT_RUN)
            is_on = run_step(m, sequence, &next);
        else if (next.kind == TS_NEXT_SUCCEEDED || next.kind == TS_NEXT_FAILED)
            end(m, next.kind);
    }
}

static void play(struct machine *m)
{
    m->site.is_open = true;
    m->disk.variables = BUF_INIT(STATE_MAX);
    for (unsigned n = 0; m->site.is_open; n++) {
        assert_true(n < N_RUNS_MAX);
        power_on(m);
    }
    buf_fini(&m->disk.variables);
}

struct family {
    struct ts_document *doc;
    struct ts_document *child_docs[N_CHILDREN];
    struct ts_child children[N_CHILDREN];
    struct chance chance;
};

static void family_fini(struct family *p)
{
    ts_document_free(p->doc);
    for (size_t i = 0; i < N_CHILDREN; i++)
        ts_document_free(p->child_docs[i]);
}

static void family_make(struct family *p, uint64_t seed)
{
    static const char *const ids[N_CHILDREN + 1] = {"SLP00009", "SLP00010", NULL};

    p->chance = chance_seeded(seed);
    p->doc = random_document(&p->chance, N_STEPS, ids[0]);
    for (size_t i = 0; i < N_CHILDREN; i++) {
        p->child_docs[i] = random_document(&p->chance, N_STEPS >> (i + 1), ids[i + 1]);
        p->children[i] =
            (struct ts_child){ids[i], p->child_docs[i], chance_percent(&p->chance, 10)};
    }
}

static struct machine *new_machine(const struct family *p, unsigned cut_percent, bool is_repeatable)
{
    struct machine *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    *m = (struct machine){.doc = p->doc,
                          .children = p->children,
                          .chance = p->chance,
                          .cut_percent = cut_percent,
                          .is_repeatable = is_repeatable};
    return m;
}

static void a_sequence_cut_anywhere_ends_as_without_a_cut(void **state)
{
    (void)state;
    unsigned n_succeeded = 0;
    unsigned n_in_system = 0;

    for (uint64_t seed = 1; seed <= N_SEQUENCES; seed++) {
        OWN(family_fini) struct family p = {0};

        family_make(&p, seed);

        OWN(freep) struct machine *calm = new_machine(&p, 0, true);
        OWN(freep) struct machine *rough = new_machine(&p, 4, true);

        play(calm);
        play(rough);
        if (rough->site.result != calm->site.result || rough->n_done != calm->n_done ||
            memcmp(rough->done, calm->done, calm->n_done * sizeof(calm->done[0])) != 0)
            fail_msg("seed %u: %zu steps done with cuts, %zu without",
                     (unsigned)seed,
                     rough->n_done,
                     calm->n_done);
        n_succeeded += calm->site.result == TS_NEXT_SUCCEEDED;
        n_in_system += calm->n_in_system;
    }
    /* both ends occur often enough to mean something */
    assert_in_range(n_succeeded, N_SEQUENCES / 10, N_SEQUENCES - N_SEQUENCES / 10);
    assert_true(n_in_system > N_SEQUENCES / 2);
}

static void a_cancelled_order_wipes_nothing_more(void **state)
{
    (void)state;
    unsigned n_wipes = 0;

    for (uint64_t seed = 1; seed <= N_SEQUENCES; seed++) {
        OWN(family_fini) struct family p = {0};

        family_make(&p, seed);

        OWN(freep) struct machine *m = new_machine(&p, 5, true);

        m->site.cancel_after = 1 + (unsigned)chance_below(&m->chance, 5);
        play(m); /* wipe() asserts that the order is open */
        assert_true(m->n_steps_run <= m->site.cancel_after);
        n_wipes += m->n_wipes;
    }
    assert_true(n_wipes > N_SEQUENCES / 2);
}

static void an_end_is_always_reached_when_nothing_may_be_repeated(void **state)
{
    (void)state;

    for (uint64_t seed = 1; seed <= N_SEQUENCES; seed++) {
        OWN(family_fini) struct family p = {0};

        family_make(&p, seed);

        OWN(freep) struct machine *m = new_machine(&p, 5, false);

        play(m);
        /* once, or as often as it has asked for itself */
        for (size_t i = 0; i < N_INSTRUCTIONS; i++)
            assert_in_range(m->n_begun[i], 0, 1 + N_RETRIES + RETRY_COUNT_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequence_cut_anywhere_ends_as_without_a_cut),
        cmocka_unit_test(a_cancelled_order_wipes_nothing_more),
        cmocka_unit_test(an_end_is_always_reached_when_nothing_may_be_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
