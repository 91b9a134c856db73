/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/condition_leaf.h"
#include "ts/document.h"
#include "ts/vars.h"

void ts_condition_free(struct ts_condition *condition)
{
    if (!condition)
        return;
    for (size_t i = 0; i < condition->n_children; i++)
        ts_condition_free(condition->children[i]);
    free(condition->children);
    free(condition->fields);
    free(condition);
}

void ts_verdict_fini(struct ts_verdict *verdict)
{
    buf_fini(&verdict->why);
    buf_fini(&verdict->warnings);
}

static void join(struct buf *dst, const struct buf *src)
{
    if (src->len == 0)
        return;
    buf_adds(dst, dst->len > 0 ? "; " : "");
    buf_adds(dst, buf_str(src));
}

/* What a verdict quotes may be cut. */
static void make_utf8(struct buf *text)
{
    if (!text->ptr)
        return;
    text_make_utf8(text->ptr);
    text->len = strlen(text->ptr);
}

static bool
evaluate_leaf(const struct ts_condition *c, const struct leaf_context *x, struct buf *why)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_VERDICT_MAX);
    OWN(buf_fini) struct buf seen = BUF_INIT(TS_VERDICT_MAX);
    enum leaf_answer answer = leaf_evaluate(c, x, &text);

    ts_vars_mask(x->vars, buf_str(&text), &seen);
    make_utf8(&seen);
    if (answer == LEAF_UNANSWERABLE)
        join(x->warnings, &seen);
    join(why, &seen);
    return answer == LEAF_TRUE;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static bool evaluate(const struct ts_condition *c, const struct leaf_context *x, struct buf *why)
{
    OWN(buf_fini) struct buf all = BUF_INIT(TS_VERDICT_MAX);

    if (c->kind >= TS_CONDITION_EXPRESSION)
        return evaluate_leaf(c, x, why);

    /* "and" is decided by the first false one, "or" and "none of" by the first true one */
    bool deciding = c->kind != TS_CONDITION_AND;

    for (size_t i = 0; i < c->n_children; i++) {
        OWN(buf_fini) struct buf one = BUF_INIT(TS_VERDICT_MAX);

        if (evaluate(c->children[i], x, &one) == deciding) {
            join(why, &one);
            return c->kind == TS_CONDITION_OR;
        }
        join(&all, &one);
    }
    join(why, &all);
    return c->n_children == 0 || c->kind != TS_CONDITION_OR;
}

bool ts_condition_holds(const struct ts_condition *condition,
                        const struct ts_vars *vars,
                        const struct ts_facts *facts,
                        struct ts_verdict *ret)
{
    const struct leaf_context x = {vars, facts, &ret->warnings};

    return !condition || evaluate(condition, &x, &ret->why);
}

bool ts_condition_is_portable(const struct ts_condition *condition, struct buf *why)
{
    bool is_portable = true;

    if (!condition)
        return true;
    if (condition->kind >= TS_CONDITION_EXPRESSION)
        return leaf_is_portable(condition, why);
    for (size_t i = 0; i < condition->n_children; i++)
        is_portable = ts_condition_is_portable(condition->children[i], why) && is_portable;
    return is_portable;
}
