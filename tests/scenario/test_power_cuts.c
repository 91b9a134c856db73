/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Task sequences on a machine that loses its power at any moment
 *
 * Random sequences of groups and steps, disabled and failing ones, with and without continue-on-error, are
 * run by the real sequencer on a fake disk that keeps what docs/protocol/state.md keeps: the position, and
 * whether the step there had been begun. The same sequence, cut again and again, must come to the same end as
 * without a cut, having completed the same steps in the same order.
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "scenario/world.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/sequence.h"
#include "ts/vars.h"

enum {
    N_SEQUENCES = 3000,
    N_STEPS_MAX = 40,
    N_RUNS_MAX = 4000, /* power-ons of one machine */
};

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);
DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);

/* What survives a power cut. */
struct disk {
    size_t position;
    bool is_begun;
    bool is_over;
    enum ts_next_kind result;
};

struct history {
    size_t
        done[N_STEPS_MAX * 4]; /* indexes of steps completed, in order, repetitions in a row once */
    size_t n;
    unsigned n_begun[N_STEPS_MAX];
};

struct play {
    const struct ts_document *doc;
    struct chance chance;
    unsigned cut_percent;
    bool is_repeatable; /* whether interrupted steps may be run again */
    struct disk disk;
    struct history history;
};

static void put_random_steps(struct chance *c, struct buf *xml, unsigned depth, unsigned *left)
{
    for (unsigned n = 1 + (unsigned)chance_below(c, 5); n > 0 && *left > 0; n--) {
        const char *flags = chance_percent(c, 20) ? " continueOnError=\"true\"" : "";
        const char *off = chance_percent(c, 10) ? " disable=\"true\"" : "";

        if (depth < 4 && chance_percent(c, 30)) {
            buf_addf(xml, "<group name=\"g\" description=\"\"%s%s>", flags, off);
            put_random_steps(c, xml, depth + 1, left);
            buf_adds(xml, "</group>");
            continue;
        }
        (*left)--;
        buf_addf(
            xml,
            "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"%s\" runIn=\"WinPEandFullOS\" "
            "successCodeList=\"0\"%s%s><action/><defaultVarList/></step>",
            chance_percent(c, 8) ? "bad" : "good",
            flags,
            off);
    }
}

static struct ts_document *random_document(struct chance *c)
{
    OWN(buf_fini) struct buf xml = BUF_INIT((size_t)64 * 1024);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct ts_document *doc = NULL;
    unsigned left = N_STEPS_MAX;

    buf_adds(&xml, "<sequence version=\"3.10\">");
    put_random_steps(c, &xml, 0, &left);
    buf_adds(&xml, "</sequence>");
    assert_false(xml.failed);
    assert_int_equal(ts_document_parse(buf_bytes(&xml), &doc, &diags), 0);
    return doc;
}

static bool cut(struct play *p)
{
    return chance_percent(&p->chance, p->cut_percent);
}

static void remember_done(struct history *h, size_t index)
{
    if (h->n > 0 && h->done[h->n - 1] == index)
        return; /* the power went between the work and the note of it: it was done again */
    assert_true(h->n < sizeof(h->done) / sizeof(h->done[0]));
    h->done[h->n++] = index;
}

/* One atomic write after a step. */
static void keep(struct play *p, const struct ts_sequence *sequence)
{
    p->disk.position = ts_sequence_position(sequence);
    p->disk.is_begun = false;
    if (ts_sequence_has_failed(sequence)) {
        p->disk.is_over = true;
        p->disk.result = TS_NEXT_FAILED;
    }
}

static void finish(struct ts_sequence *sequence, enum ts_outcome outcome)
{
    struct ts_after after;

    assert_int_equal(ts_sequence_step_done(sequence,
                                           &(struct ts_result){.outcome = outcome,
                                                               .code = outcome == TS_STEP_FAILED,
                                                               .environment = TS_RUN_IN_BOOT_IMAGE,
                                                               .has_place = true},
                                           &after),
                     0);
}

/* One step, with a chance to lose power at each of its moments. Return: false if it was lost. */
static bool run_step(struct play *p, struct ts_sequence *sequence, const struct ts_step *step)
{
    bool is_bad = strcmp(step->item.name, "bad") == 0;

    if (cut(p))
        return false;
    p->disk.position = step->index;
    p->disk.is_begun = true;
    p->history.n_begun[step->index]++;
    if (cut(p)) /* in its middle */
        return false;
    remember_done(&p->history, step->index);
    if (cut(p))
        return false;
    finish(sequence, is_bad ? TS_STEP_FAILED : TS_STEP_SUCCEEDED);
    keep(p, sequence);
    return !cut(p);
}

static void begin_again(struct play *p, struct ts_sequence *sequence, struct ts_next *next)
{
    if (!p->disk.is_begun || p->is_repeatable)
        return;
    assert_int_equal(ts_sequence_next(sequence, TS_RUN_IN_BOOT_IMAGE, next), 0);
    assert_int_equal(next->kind, TS_NEXT_RUN);
    assert_int_equal(next->step->index, p->disk.position);
    finish(sequence, TS_STEP_FAILED);
    keep(p, sequence);
}

/* From power-on until the end or the next cut. */
static void power_on(struct play *p)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_sequence_freep) struct ts_sequence *sequence = NULL;
    struct ts_next next = {0};

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_sequence_new(&(struct ts_start){.document = p->doc,
                                                        .vars = vars,
                                                        .position = p->disk.position,
                                                        .is_begun = p->disk.is_begun},
                                     &sequence),
                     0);
    begin_again(p, sequence, &next);
    while (!p->disk.is_over) {
        assert_int_equal(ts_sequence_next(sequence, TS_RUN_IN_BOOT_IMAGE, &next), 0);
        if (next.kind == TS_NEXT_RUN && !run_step(p, sequence, next.step))
            return;
        if (next.kind == TS_NEXT_SUCCEEDED || next.kind == TS_NEXT_FAILED) {
            p->disk.is_over = true;
            p->disk.result = next.kind;
        }
    }
}

static void play_to_the_end(struct play *p)
{
    for (unsigned n = 0; !p->disk.is_over; n++) {
        assert_true(n < N_RUNS_MAX);
        power_on(p);
    }
}

static void a_sequence_cut_anywhere_ends_as_without_a_cut(void **state)
{
    (void)state;
    unsigned n_succeeded = 0;

    for (uint64_t seed = 1; seed <= N_SEQUENCES; seed++) {
        struct chance c = chance_seeded(seed);
        OWN(ts_document_freep) struct ts_document *doc = random_document(&c);
        struct play calm = {.doc = doc, .chance = c, .is_repeatable = true};
        struct play rough = {.doc = doc, .chance = c, .is_repeatable = true, .cut_percent = 15};

        play_to_the_end(&calm);
        play_to_the_end(&rough);
        assert_int_equal(rough.disk.result, calm.disk.result);
        assert_int_equal(rough.history.n, calm.history.n);
        assert_memory_equal(
            rough.history.done, calm.history.done, calm.history.n * sizeof(calm.history.done[0]));
        n_succeeded += calm.disk.result == TS_NEXT_SUCCEEDED;
    }
    /* both ends occur often enough to mean something */
    assert_in_range(n_succeeded, N_SEQUENCES / 10, N_SEQUENCES - N_SEQUENCES / 10);
}

static void a_step_that_must_not_be_repeated_is_begun_once(void **state)
{
    (void)state;

    for (uint64_t seed = 1; seed <= N_SEQUENCES; seed++) {
        struct chance c = chance_seeded(seed);
        OWN(ts_document_freep) struct ts_document *doc = random_document(&c);
        struct play p = {.doc = doc, .chance = c, .cut_percent = 15};

        play_to_the_end(&p);
        for (size_t i = 0; i < N_STEPS_MAX; i++)
            assert_in_range(p.history.n_begun[i], 0, 1);
    }
}

static void disabled_steps_never_run(void **state)
{
    (void)state;

    for (uint64_t seed = 1; seed <= N_SEQUENCES; seed++) {
        struct chance c = chance_seeded(seed);
        OWN(ts_document_freep) struct ts_document *doc = random_document(&c);
        struct play p = {.doc = doc, .chance = c, .cut_percent = 10, .is_repeatable = true};
        size_t n;
        const struct ts_step *steps = ts_document_steps(doc, &n);

        play_to_the_end(&p);
        for (size_t i = 0; i < n; i++)
            if (!ts_step_is_enabled(&steps[i]))
                assert_int_equal(p.history.n_begun[i], 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sequence_cut_anywhere_ends_as_without_a_cut),
        cmocka_unit_test(a_step_that_must_not_be_repeated_is_begun_once),
        cmocka_unit_test(disabled_steps_never_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
