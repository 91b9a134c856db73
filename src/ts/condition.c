/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/vars.h"

enum {
    EXPANDED_MAX_BYTES = 64 * 1024,
};

void ts_condition_free(struct ts_condition *condition)
{
    if (!condition)
        return;
    for (size_t i = 0; i < condition->n_children; i++)
        ts_condition_free(condition->children[i]);
    free(condition->children);
    free(condition);
}

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;

    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

static int compare_text(const char *a, const char *b)
{
    for (; *a && lower(*a) == lower(*b); a++)
        b++;

    unsigned char x = lower(*a);
    unsigned char y = lower(*b);

    return (x > y) - (x < y);
}

/* A decimal integer that may have a sign. */
static bool parse_number(const char *text, int64_t *ret)
{
    bool is_negative = text[0] == '-';
    uint64_t n;

    if (!bytes_parse_u64(bytes_of(text + (is_negative ? 1 : 0)), 0, INT64_MAX, &n))
        return false;
    *ret = is_negative ? -(int64_t)n : (int64_t)n;
    return true;
}

static int compare_ordered(const char *a, const char *b)
{
    int64_t x;
    int64_t y;

    if (parse_number(a, &x) && parse_number(b, &y))
        return (x > y) - (x < y);
    return compare_text(a, b);
}

/* @pattern with * and ?, in time proportional to the product of the lengths. */
static bool is_like(const char *text, const char *pattern)
{
    const char *star = NULL;
    const char *retry = NULL;

    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            retry = text;
        } else if (*pattern && (*pattern == '?' || lower(*pattern) == lower(*text))) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

enum comparison {
    EXISTS,
    NOT_EXISTS,
    EQUALS,
    NOT_EQUALS,
    GREATER,
    GREATER_EQUAL,
    LESS,
    LESS_EQUAL,
    LIKE,
    NOT_LIKE,
    N_COMPARISONS,
};

static const char *const comparison_names[N_COMPARISONS] = {
    "exists",
    "notExists",
    "equals",
    "notEquals",
    "greater",
    "greaterEqual",
    "less",
    "lessEqual",
    "like",
    "notLike",
};

static enum comparison find_comparison(const char *name)
{
    enum comparison c = EXISTS;

    while (c < N_COMPARISONS && !bytes_eq_nocase(bytes_of(name), comparison_names[c]))
        c++;
    return c;
}

static bool compare(enum comparison c, const char *actual, const char *value)
{
    switch (c) {
    case EXISTS:
        return actual[0] != '\0';
    case NOT_EXISTS:
        return actual[0] == '\0';
    case EQUALS:
        return compare_text(actual, value) == 0;
    case NOT_EQUALS:
        return compare_text(actual, value) != 0;
    case GREATER:
        return compare_ordered(actual, value) > 0;
    case GREATER_EQUAL:
        return compare_ordered(actual, value) >= 0;
    case LESS:
        return compare_ordered(actual, value) < 0;
    case LESS_EQUAL:
        return compare_ordered(actual, value) <= 0;
    case LIKE:
        return is_like(actual, value);
    case NOT_LIKE:
        return !is_like(actual, value);
    case N_COMPARISONS:
        break;
    }
    return false;
}

static enum ts_truth truth(bool holds)
{
    return holds ? TS_TRUE : TS_FALSE;
}

static enum ts_truth evaluate_variable(const struct ts_condition *c, const struct ts_vars *vars)
{
    OWN(buf_fini) struct buf value = BUF_INIT(EXPANDED_MAX_BYTES);
    enum comparison comparison = find_comparison(c->operator_name);

    (void)ts_vars_expand(vars, c->value, &value);
    if (comparison == N_COMPARISONS || value.failed)
        return TS_UNKNOWN;
    return truth(compare(comparison, ts_vars_get(vars, c->variable), buf_str(&value)));
}

static enum ts_truth evaluate_path(const struct ts_condition *c,
                                   const struct ts_vars *vars,
                                   const struct ts_facts *facts)
{
    OWN(buf_fini) struct buf path = BUF_INIT(EXPANDED_MAX_BYTES);

    (void)ts_vars_expand(vars, c->value, &path);
    if (!facts || !c->is_only_path || path.failed || buf_str(&path)[0] != '/')
        return TS_UNKNOWN;
    return truth(facts->path_exists(facts->ctx, buf_str(&path), c->kind == TS_CONDITION_FOLDER));
}

static void describe(const struct ts_condition *c, struct buf *why)
{
    if (c->kind == TS_CONDITION_VARIABLE)
        buf_addf(why, "operator \"%.64s\" of a variable condition", c->operator_name);
    else if (c->kind == TS_CONDITION_FOREIGN)
        buf_addf(why, "condition %.128s", c->type);
    else if (!c->is_only_path)
        buf_addf(why, "version or time of %.256s", c->value);
    else
        buf_addf(why, "path %.256s, which is not absolute", c->value);
}

static enum ts_truth evaluate_leaf(const struct ts_condition *c,
                                   const struct ts_vars *vars,
                                   const struct ts_facts *facts,
                                   struct buf *why)
{
    enum ts_truth t = TS_UNKNOWN;

    if (c->kind == TS_CONDITION_VARIABLE)
        t = evaluate_variable(c, vars);
    else if (c->kind != TS_CONDITION_FOREIGN)
        t = evaluate_path(c, vars, facts);
    if (t == TS_UNKNOWN) {
        buf_adds(why, why->len > 0 ? "; " : "");
        describe(c, why);
    }
    return t;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
enum ts_truth ts_condition_evaluate(const struct ts_condition *condition,
                                    const struct ts_vars *vars,
                                    const struct ts_facts *facts,
                                    struct buf *why)
{
    OWN(buf_fini) struct buf inner = BUF_INIT(why->max);

    if (!condition)
        return TS_TRUE;
    if (condition->kind >= TS_CONDITION_VARIABLE)
        return evaluate_leaf(condition, vars, facts, why);

    /* "and" is decided by the first false one, "or" and "none of" by the first true one */
    enum ts_truth deciding = condition->kind == TS_CONDITION_AND ? TS_FALSE : TS_TRUE;
    bool is_decided = false;
    bool is_unknown = false;

    for (size_t i = 0; i < condition->n_children && !is_decided; i++) {
        enum ts_truth t = ts_condition_evaluate(condition->children[i], vars, facts, &inner);

        is_decided = t == deciding;
        is_unknown |= t == TS_UNKNOWN;
    }
    if (condition->n_children == 0)
        return TS_TRUE;
    if (is_decided)
        return truth(condition->kind == TS_CONDITION_OR);
    if (is_unknown) {
        buf_adds(why, why->len > 0 ? "; " : "");
        buf_add(why, buf_bytes(&inner));
        return TS_UNKNOWN;
    }
    return truth(condition->kind != TS_CONDITION_OR);
}

bool ts_condition_is_portable(const struct ts_condition *condition, struct buf *why)
{
    bool is_portable = true;

    if (!condition)
        return true;
    switch (condition->kind) {
    case TS_CONDITION_AND:
    case TS_CONDITION_OR:
    case TS_CONDITION_NOT:
        for (size_t i = 0; i < condition->n_children && is_portable; i++)
            is_portable = ts_condition_is_portable(condition->children[i], why);
        return is_portable;
    case TS_CONDITION_VARIABLE:
        is_portable = find_comparison(condition->operator_name) != N_COMPARISONS;
        break;
    case TS_CONDITION_FILE:
    case TS_CONDITION_FOLDER:
        is_portable =
            condition->is_only_path && (condition->value[0] == '/' || condition->value[0] == '%');
        break;
    case TS_CONDITION_FOREIGN:
        is_portable = false;
        break;
    }
    if (!is_portable)
        describe(condition, why);
    return is_portable;
}
