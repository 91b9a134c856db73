/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/sequence.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/vars.h"

static const char setup_type[] = "SMS_TaskSequence_SetupWindowsAndSMSAction";

struct ts_sequence {
    const struct ts_document *doc;
    struct ts_vars *vars;
    const struct ts_facts *facts;
    const struct ts_step *steps;
    size_t n_steps;
    size_t position;
    bool is_begun;   /* the step at position has passed its conditions already */
    bool is_running; /* between TS_NEXT_RUN and ts_sequence_step_done() */
    bool has_failed;
};

int ts_sequence_new(const struct ts_document *doc,
                    struct ts_vars *vars,
                    const struct ts_facts *facts,
                    size_t position,
                    bool is_begun,
                    struct ts_sequence **ret)
{
    struct ts_sequence *s = calloc(1, sizeof(*s));

    if (!s)
        return ERR(-ENOMEM);
    s->doc = doc;
    s->vars = vars;
    s->facts = facts;
    s->steps = ts_document_steps(doc, &s->n_steps);
    s->position = position < s->n_steps ? position : s->n_steps;
    s->is_begun = is_begun;
    *ret = s;
    return 0;
}

void ts_sequence_free(struct ts_sequence *sequence)
{
    free(sequence);
}

int ts_sequence_set_globals(const struct ts_document *doc, struct ts_vars *vars)
{
    size_t n;
    const struct ts_variable *globals = ts_document_globals(doc, &n);

    for (size_t i = 0; i < n; i++) {
        int r = 0;

        if (ts_vars_get(vars, globals[i].name)[0] == '\0')
            r = ts_vars_set(vars, globals[i].name, globals[i].text, TS_BY_SEQUENCE);
        if (r < 0)
            return TRACE(r);
        /* a name or value that is no variable's cannot be meant for the steps either */
    }
    return 0;
}

/* The outermost group that begins at the position and lies within @outer (NULL: anywhere). */
static const struct ts_group *entered_group(const struct ts_sequence *s,
                                            const struct ts_group *outer)
{
    const struct ts_group *found = NULL;
    const struct ts_group *g = s->steps[s->position].item.parent;

    for (; g && g != outer; g = g->item.parent)
        if (g->first_step == s->position)
            found = g;
    return found;
}

/* An item failed: where do we go on? */
static void propagate(struct ts_sequence *s, const struct ts_item *item, size_t behind)
{
    s->is_begun = false;
    while (!item->continues_on_error) {
        const struct ts_group *group = item->parent;

        if (!group) {
            s->has_failed = true;
            s->position = s->n_steps;
            return;
        }
        behind = group->end_step;
        item = &group->item;
    }
    s->position = behind;
}

static int note_last_action(struct ts_sequence *s, const char *name, bool succeeded, int64_t code)
{
    OWN(buf_fini) struct buf number = BUF_INIT(32);
    int r;

    buf_addf(&number, "%" PRId64, code);
    r = ts_vars_set(s->vars, "_SMSTSLastActionName", name, TS_BY_ENGINE);
    if (r == 0)
        r = ts_vars_set(s->vars, "_SMSTSLastActionRetCode", buf_str(&number), TS_BY_ENGINE);
    if (r == 0)
        r = ts_vars_set(
            s->vars, "_SMSTSLastActionSucceeded", succeeded ? "true" : "false", TS_BY_ENGINE);
    return r < 0 ? TRACE(r) : 0;
}

static void say(struct ts_next *ret, const char *text)
{
    size_t len = strlen(text);

    if (len >= sizeof(ret->why))
        len = sizeof(ret->why) - 1;
    memcpy(ret->why, text, len);
    ret->why[len] = '\0';
}

/* Is @item to be run? Otherwise @ret is TS_NEXT_SKIP or TS_NEXT_FAIL. */
static bool is_wanted(const struct ts_sequence *s, const struct ts_item *item, struct ts_next *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(TS_NEXT_WHY_MAX);

    if (item->is_disabled) {
        ret->kind = TS_NEXT_SKIP;
        say(ret, "it is disabled");
        return false;
    }
    switch (ts_condition_evaluate(item->condition, s->vars, s->facts, &why)) {
    case TS_TRUE:
        return true;
    case TS_FALSE:
        ret->kind = TS_NEXT_SKIP;
        say(ret, "its condition is false");
        return false;
    case TS_UNKNOWN:
        break;
    }
    ret->kind = TS_NEXT_FAIL;
    ret->error_id = "SLW-0404";
    say(ret, why.len > 0 ? buf_str(&why) : "its condition cannot be evaluated on Linux");
    return false;
}

static int
leave(struct ts_sequence *s, const struct ts_item *item, size_t behind, struct ts_next *ret)
{
    if (ret->kind == TS_NEXT_SKIP) {
        s->position = behind;
        s->is_begun = false;
        return 0;
    }
    propagate(s, item, behind);
    return note_last_action(s, item->name, false, 1);
}

int ts_sequence_next(struct ts_sequence *sequence, unsigned environment, struct ts_next *ret)
{
    struct ts_sequence *s = sequence;
    int r;

    assert(!s->is_running);
    *ret = (struct ts_next){.kind = s->has_failed ? TS_NEXT_FAILED : TS_NEXT_SUCCEEDED};
    if (s->has_failed || s->position >= s->n_steps)
        return 0;

    const struct ts_step *step = &s->steps[s->position];
    const struct ts_group *group = NULL;

    while (!s->is_begun) {
        const struct ts_group *inner = entered_group(s, group);

        if (!inner)
            break;
        group = inner;
        if (!is_wanted(s, &group->item, ret)) {
            ret->group = group;
            return leave(s, &group->item, group->end_step, ret);
        }
    }
    ret->step = step;
    if (!s->is_begun && !is_wanted(s, &step->item, ret))
        return leave(s, &step->item, s->position + 1, ret);
    if ((step->run_in & environment) == 0) {
        ret->kind = TS_NEXT_FAIL;
        ret->error_id = "SLW-0405";
        say(ret,
            environment == TS_RUN_IN_BOOT_IMAGE
                ? "it runs in the installed operating system only, and this is the boot image"
                : "it runs in the boot image only, and this is the installed operating system");
        return leave(s, &step->item, s->position + 1, ret);
    }
    r = ts_vars_set(s->vars, "_SMSTSCurrentActionName", step->item.name, TS_BY_ENGINE);
    if (r < 0)
        return TRACE(r);
    ret->kind = TS_NEXT_RUN;
    s->is_running = true;
    return 0;
}

int ts_sequence_step_done(struct ts_sequence *sequence, enum ts_outcome outcome, int64_t code)
{
    struct ts_sequence *s = sequence;
    const struct ts_step *step = &s->steps[s->position];

    assert(s->is_running);
    s->is_running = false;
    s->is_begun = false;
    if (outcome == TS_STEP_FAILED && strcmp(step->type, setup_type) == 0)
        outcome = TS_STEP_FAILED_FOR_GOOD;
    if (outcome == TS_STEP_SUCCEEDED) {
        s->position++;
    } else if (outcome == TS_STEP_FAILED) {
        propagate(s, &step->item, s->position + 1);
    } else {
        s->has_failed = true;
        s->position = s->n_steps;
    }
    return note_last_action(s, step->item.name, outcome == TS_STEP_SUCCEEDED, code);
}

size_t ts_sequence_position(const struct ts_sequence *sequence)
{
    return sequence->position;
}

bool ts_sequence_has_failed(const struct ts_sequence *sequence)
{
    return sequence->has_failed;
}
