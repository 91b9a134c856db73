/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/sequence.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/condition.h"
#include "ts/secret_names.h"
#include "ts/table.h"
#include "ts/vars.h"

static const char setup_type[] = "SMS_TaskSequence_SetupWindowsAndSMSAction";

enum {
    CODE_RESTART = 3010,       /* the command succeeded, and wants a restart */
    CODE_RESTART_BEGUN = 1641, /* the same, from an installer that would have begun it */
    PATH_DEPTH_MAX = 64 * TS_NESTING_MAX,
};

struct ts_sequence {
    struct ts_vars *vars;
    const struct ts_facts *facts;
    void (*asked)(void *ctx, const struct ts_condition *condition);
    void *asked_ctx;
    struct table table;
    size_t position;
    bool is_begun;   /* the instruction at position has passed its conditions already */
    bool is_running; /* between TS_NEXT_RUN and ts_sequence_step_done() */
    bool has_failed;
};

DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);

int ts_sequence_new(const struct ts_start *start, struct ts_sequence **ret)
{
    OWN(ts_sequence_freep) struct ts_sequence *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return ERR(-ENOMEM);
    r = table_fill(&s->table, start);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    s->vars = start->vars;
    s->facts = start->facts;
    s->asked = start->asked;
    s->asked_ctx = start->asked_ctx;
    s->position = start->position < s->table.n ? start->position : s->table.n;
    s->is_begun = start->is_begun;
    *ret = TAKE(s);
    return 0;
}

void ts_sequence_free(struct ts_sequence *sequence)
{
    if (!sequence)
        return;
    table_fini(&sequence->table);
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
    return TRACE(ts_secret_names_set(doc, vars));
}

/* The outermost scope that begins at @index and lies within @outer (NULL: anywhere). */
static const struct scope *
entered_scope(const struct ts_sequence *s, size_t index, const struct scope *outer)
{
    const struct scope *found = NULL;
    const struct scope *scope = s->table.items[index].scope;

    for (; scope && scope != outer; scope = scope->parent)
        if (scope->first == index)
            found = scope;
    return found;
}

static void fail_for_good(struct ts_sequence *s)
{
    s->has_failed = true;
    s->is_begun = false;
    s->position = s->table.n;
}

/* The innermost around it that continues on error; NULL: none. */
static const struct scope *catching_scope(const struct instruction *failed)
{
    const struct scope *scope = failed->scope;

    while (scope && !scope->item->continues_on_error)
        scope = scope->parent;
    return scope;
}

/* The instruction at the position failed: where do we go on? */
static void propagate(struct ts_sequence *s)
{
    const struct instruction *failed = &s->table.items[s->position];
    const struct scope *scope = catching_scope(failed);

    if (strcmp(failed->step->type, setup_type) == 0) {
        fail_for_good(s);
        return;
    }
    s->is_begun = false;
    if (failed->step->item.continues_on_error) {
        s->position++;
        return;
    }
    if (scope)
        s->position = scope->end;
    else
        fail_for_good(s);
}

static int set_engine(struct ts_sequence *s, const char *name, const char *value)
{
    int r = ts_vars_set(s->vars, name, value, TS_BY_ENGINE);

    return r < 0 ? TRACE(r) : 0;
}

static int set_number(struct ts_sequence *s, const char *name, int64_t number)
{
    OWN(buf_fini) struct buf text = BUF_INIT(32);

    buf_addf(&text, "%" PRId64, number);
    return TRACE(set_engine(s, name, buf_str(&text)));
}

static int note_last_action(struct ts_sequence *s, const char *name, bool succeeded, int64_t code)
{
    int r = set_engine(s, "_SMSTSLastActionName", name);

    if (r == 0)
        r = set_number(s, "_SMSTSLastActionRetCode", code);
    if (r == 0)
        r = set_engine(s, "_SMSTSLastActionSucceeded", succeeded ? "true" : "false");
    return TRACE(r);
}

static void copy(char dst[static TS_NEXT_WHY_MAX], const char *text)
{
    size_t len = strlen(text);

    if (len >= TS_NEXT_WHY_MAX) {
        len = TS_NEXT_WHY_MAX - 1;
        while (((unsigned char)text[len] & 0xc0) == 0x80) /* not within a character */
            len--;
    }
    memcpy(dst, text, len);
    dst[len] = '\0';
}

/* Behind what is there already. */
static void append(char dst[static TS_NEXT_WHY_MAX], const char *text)
{
    OWN(buf_fini) struct buf both = BUF_INIT((size_t)3 * TS_VERDICT_MAX);

    buf_addf(&both, "%s%s%s", dst, dst[0] != '\0' && text[0] != '\0' ? "; " : "", text);
    copy(dst, buf_str(&both));
}

/* Is @item to be run? Otherwise @ret is TS_NEXT_SKIP. */
static bool is_wanted(const struct ts_sequence *s, const struct ts_item *item, struct ts_next *ret)
{
    OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;
    OWN(buf_fini) struct buf why = BUF_INIT((size_t)2 * TS_VERDICT_MAX);
    bool holds;

    ret->item = item;
    if (item->is_disabled) {
        ret->kind = TS_NEXT_SKIP;
        copy(ret->why, "it is disabled");
        return false;
    }
    if (item->condition && s->asked)
        s->asked(s->asked_ctx, item->condition);
    holds = ts_condition_holds(item->condition, s->vars, s->facts, &verdict);
    append(ret->warnings, buf_str(&verdict.warnings));
    if (holds) {
        append(ret->why, buf_str(&verdict.why));
        return true;
    }
    ret->kind = TS_NEXT_SKIP;
    buf_addf(&why, "its condition is false: %s", buf_str(&verdict.why));
    copy(ret->why, buf_str(&why));
    return false;
}

static void skip(struct ts_sequence *s, size_t behind, struct ts_next *ret)
{
    ret->n_left_out = behind - s->position;
    s->position = behind;
    s->is_begun = false;
}

/* The groups that begin here. Return: whether all are wanted. */
static bool enter(struct ts_sequence *s, struct ts_next *ret)
{
    const struct scope *scope = NULL;

    while (!s->is_begun) {
        const struct scope *inner = entered_scope(s, s->position, scope);

        if (!inner)
            break;
        scope = inner;
        if (is_wanted(s, scope->item, ret))
            continue;
        ret->group = scope->group;
        ret->step = scope->call;
        skip(s, scope->end, ret);
        return false;
    }
    return true;
}

static int fail_unrun(struct ts_sequence *s,
                      const char *error_id,
                      const char *why,
                      bool is_for_good,
                      struct ts_next *ret)
{
    const char *name = ret->step->item.name;

    ret->kind = TS_NEXT_FAIL;
    ret->error_id = error_id;
    copy(ret->why, why);
    if (is_for_good)
        fail_for_good(s);
    else
        propagate(s);
    return TRACE(note_last_action(s, name, false, 1));
}

static int begin(struct ts_sequence *s, struct ts_next *ret)
{
    int r = set_engine(s, "_SMSTSCurrentActionName", ret->item->name);

    if (r == 0)
        r = set_number(s, "SMSTSNextInstructionPointer", (int64_t)s->position);
    if (r == 0)
        r = set_number(s, "_SMSTSInstructionTableSize", (int64_t)s->table.n);
    if (r < 0)
        return TRACE(r);
    ret->kind = TS_NEXT_RUN;
    s->is_running = true;
    return 0;
}

int ts_sequence_next(struct ts_sequence *sequence, unsigned environment, struct ts_next *ret)
{
    struct ts_sequence *s = sequence;

    assert(!s->is_running);
    *ret = (struct ts_next){.kind = s->has_failed ? TS_NEXT_FAILED : TS_NEXT_SUCCEEDED};
    ret->index = s->position;
    if (s->has_failed || s->position >= s->table.n || !enter(s, ret))
        return 0;

    const struct instruction *next = &s->table.items[s->position];

    ret->step = next->step;
    ret->item = &next->step->item;
    if (!s->is_begun && !is_wanted(s, ret->item, ret)) {
        skip(s, s->position + 1, ret);
        return 0;
    }
    if (next->broken)
        return TRACE(fail_unrun(s, "SLW-0416", next->broken, true, ret));
    if ((next->step->run_in & environment) == 0)
        return TRACE(fail_unrun(
            s,
            "SLW-0405",
            environment == TS_RUN_IN_BOOT_IMAGE
                ? "it runs in the installed operating system only, and this is the boot image"
                : "it runs in the boot image only, and this is the installed operating system",
            false,
            ret));
    return TRACE(begin(s, ret));
}

/* Read a request of the step, and take it back. */
static int take_request(struct ts_sequence *s, const char *name, bool *ret_is_set)
{
    *ret_is_set = ts_vars_get(s->vars, name)[0] != '\0';
    return *ret_is_set ? TRACE(set_engine(s, name, "")) : 0;
}

static enum ts_restart back_to(unsigned environment)
{
    return environment == TS_RUN_IN_FULL_OS ? TS_RESTART_TO_FULL_OS : TS_RESTART_TO_BOOT_IMAGE;
}

/* What the variables and the exit code ask for, unless the step itself has asked. */
static int
read_requests(struct ts_sequence *s, const struct ts_result *result, struct ts_after *ret)
{
    struct bytes target = bytes_of(ts_vars_get(s->vars, "SMSTSRebootRequested"));
    bool has_target = false;
    bool is_again = false;
    int r;

    ret->restart = result->restart;
    if (ret->restart == TS_NO_RESTART && target.len > 0)
        ret->restart =
            bytes_eq_nocase(target, "WinPE") ? TS_RESTART_TO_BOOT_IMAGE : TS_RESTART_TO_FULL_OS;
    r = take_request(s, "SMSTSRebootRequested", &has_target);
    if (r == 0)
        r = take_request(s, "SMSTSRetryRequested", &is_again);
    if (r < 0)
        return TRACE(r);
    if (ret->restart == TS_NO_RESTART && result->outcome == TS_STEP_SUCCEEDED &&
        (result->code == CODE_RESTART || result->code == CODE_RESTART_BEGUN))
        ret->restart = back_to(result->environment);
    ret->is_by_engine = ret->restart != TS_NO_RESTART && result->restart == TS_NO_RESTART;
    ret->is_same_step_again = is_again && has_target && result->outcome == TS_STEP_SUCCEEDED;
    return 0;
}

/* The notice that is due, and the next one. */
static int take_notice(struct ts_sequence *s, struct ts_after *ret)
{
    const char *later = ts_vars_get(s->vars, "SMSTSRebootDelayNext");
    uint64_t seconds = 0;

    if (!ret->is_by_engine)
        return 0;
    (void)bytes_parse_u64(
        bytes_of(ts_vars_get(s->vars, "SMSTSRebootDelay")), 0, TS_NOTICE_MAX_S, &seconds);
    ret->notice_s = (unsigned)seconds;
    return later[0] != '\0' ? TRACE(set_engine(s, "SMSTSRebootDelay", later)) : 0;
}

/* A restart that cannot be: the step fails after all. */
static enum ts_outcome check_restart(const struct ts_result *result, struct ts_after *ret)
{
    if (ret->restart != TS_NO_RESTART && !result->has_place) {
        ret->error_id = "SLW-0415";
        copy(
            ret->why,
            "a restart is wanted, but no volume keeps where the task sequence goes on; put the step behind "
            "Format and Partition Disk");
        return TS_STEP_FAILED_FOR_GOOD;
    }
    if (ret->is_same_step_again && result->n_starts > TS_RERUNS_MAX) {
        ret->error_id = "SLW-0417";
        copy(ret->why, "it has asked too often to be run again (SMSTSRetryRequested)");
        return TS_STEP_FAILED;
    }
    return result->outcome;
}

static void move(struct ts_sequence *s, enum ts_outcome outcome, bool is_same_step_again)
{
    s->is_begun = is_same_step_again && outcome == TS_STEP_SUCCEEDED;
    if (outcome == TS_STEP_FAILED)
        propagate(s);
    else if (outcome == TS_STEP_FAILED_FOR_GOOD)
        fail_for_good(s);
    else if (!is_same_step_again)
        s->position++;
}

int ts_sequence_step_done(struct ts_sequence *sequence,
                          const struct ts_result *result,
                          struct ts_after *ret)
{
    struct ts_sequence *s = sequence;
    const struct ts_step *step = s->table.items[s->position].step;
    enum ts_outcome outcome;
    int r;

    assert(s->is_running);
    s->is_running = false;
    *ret = (struct ts_after){.message = ""};
    if (result->outcome == TS_STEP_SUCCEEDED && result->is_same_step_again &&
        result->restart != TS_NO_RESTART && result->has_place) {
        ret->restart = result->restart;
        ret->is_same_step_again = true;
        s->is_begun = true;
        return 0;
    }
    r = read_requests(s, result, ret);
    if (r < 0)
        return TRACE(r);
    outcome = check_restart(result, ret);
    move(s, outcome, ret->is_same_step_again);
    if (s->has_failed || ret->error_id) {
        ret->restart = TS_NO_RESTART;
        ret->is_same_step_again = false;
        ret->is_by_engine = false;
    }
    r = take_notice(s, ret);
    ret->message = ts_vars_get(s->vars, "SMSTSRebootMessage");
    if (r == 0)
        r = note_last_action(s, step->item.name, outcome == TS_STEP_SUCCEEDED, result->code);
    return TRACE(r);
}

static void say_left_out(struct ts_next *next, const char *failed, const char *continues)
{
    int n = continues
                ? snprintf(next->why,
                           sizeof(next->why),
                           "left out: \"%s\" failed, and \"%s\" continues on error",
                           failed,
                           continues)
                : snprintf(next->why, sizeof(next->why), "not reached: \"%s\" failed", failed);

    if (n < 0)
        next->why[0] = '\0';
    text_make_utf8(next->why);
}

bool ts_sequence_left_out(const struct ts_sequence *sequence,
                          size_t failed,
                          size_t index,
                          struct ts_next *ret)
{
    const struct ts_sequence *s = sequence;
    const struct instruction *before = &s->table.items[failed];
    const struct scope *catching = s->has_failed ? NULL : catching_scope(before);
    const struct scope *scope;

    if (index >= s->position)
        return false;
    scope = entered_scope(s, index, catching);
    *ret = (struct ts_next){.kind = TS_NEXT_SKIP, .index = index, .n_left_out = 1};
    ret->step = scope ? scope->call : s->table.items[index].step;
    ret->group = scope ? scope->group : NULL;
    ret->item = scope ? scope->item : &ret->step->item;
    if (scope)
        ret->n_left_out = scope->end - scope->first;
    say_left_out(ret, before->step->item.name, catching ? catching->item->name : NULL);
    return true;
}

size_t ts_sequence_position(const struct ts_sequence *sequence)
{
    return sequence->position;
}

void ts_sequence_set_position(struct ts_sequence *sequence, size_t position)
{
    sequence->position = position < sequence->table.n ? position : sequence->table.n;
    sequence->is_begun = false;
    sequence->is_running = false;
    sequence->has_failed = false;
}

size_t ts_sequence_size(const struct ts_sequence *sequence)
{
    return sequence->table.n;
}

/* The sequence right below the top that an instruction is of; NULL: it is of the top itself. */
static const struct scope *outermost_call(const struct instruction *instruction)
{
    const struct scope *found = NULL;

    for (const struct scope *scope = instruction->scope; scope; scope = scope->parent)
        if (scope->call)
            found = scope;
    return found;
}

void ts_sequence_count(const struct ts_sequence *sequence,
                       size_t index,
                       size_t *ret_number,
                       size_t *ret_n)
{
    *ret_number = *ret_n = 0;
    for (size_t i = 0; i < sequence->table.n; i++) {
        const struct instruction *instruction = &sequence->table.items[i];
        const struct scope *nested = outermost_call(instruction);

        if ((nested && i != nested->first) ||
            !ts_step_is_enabled(nested ? nested->call : instruction->step))
            continue;
        (*ret_n)++;
        *ret_number += i <= index ? 1 : 0;
    }
}

const struct ts_step *ts_sequence_step(const struct ts_sequence *sequence, size_t index)
{
    return index < sequence->table.n ? sequence->table.items[index].step : NULL;
}

void ts_sequence_put_item_path(const struct ts_sequence *sequence,
                               size_t index,
                               const struct ts_item *item,
                               struct buf *ret)
{
    const struct scope *scope =
        index < sequence->table.n ? sequence->table.items[index].scope : NULL;
    const char *names[PATH_DEPTH_MAX];
    size_t n = 0;

    for (; scope && n < PATH_DEPTH_MAX; scope = scope->parent) {
        if (scope->item == item) /* the names so far are of what is within it */
            n = 0;
        else
            names[n++] = scope->item->name;
    }
    while (n > 0)
        buf_addf(ret, "%s/", names[--n]);
    buf_adds(ret, item->name);
}

bool ts_sequence_has_failed(const struct ts_sequence *sequence)
{
    return sequence->has_failed;
}
