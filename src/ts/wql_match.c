/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/classes.h"
#include "ts/compare.h"
#include "ts/facts.h"
#include "ts/wql.h"
#include "ts/wql_tree.h"

enum {
    NUMBER_TEXT_MAX = 32,
    DESCRIBED_MAX = 8, /* properties, and instances of each */
};

/* As in SQL: what is compared with null is neither. */
enum match {
    MATCH_NO,
    MATCH_YES,
    MATCH_NEITHER,
};

static enum match match(bool holds)
{
    return holds ? MATCH_YES : MATCH_NO;
}

/* What every instance has beside its properties. @ret: its text; "" is null. Return: false if it is none of these. */
static bool find_system(const struct ts_class *c, const char *property, const char **ret)
{
    const struct {
        const char *name;
        const char *text;
    } all[] = {
        {"__CLASS", c->name},
        {"__this", c->name},
        {"__NAMESPACE", c->namespace_name},
        {"__SUPERCLASS", ts_class_superclass(c->name)},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        *ret = all[i].text;
        if (ts_compare_text(property, all[i].name) == 0)
            return true;
    }
    return false;
}

static bool is_system(const struct ts_class *c, const char *property)
{
    const char *text;

    return find_system(c, property, &text);
}

static bool has_property(const struct ts_class *c, const char *name)
{
    if (is_system(c, name))
        return true;
    for (size_t i = 0; i < c->n_instances; i++)
        if (ts_instance_find(c->instances[i], name))
            return true;
    return c->n_instances == 0;
}

static bool holds(enum wql_operator op, int order)
{
    switch (op) {
    case WQL_EQUAL:
        return order == 0;
    case WQL_NOT_EQUAL:
        return order != 0;
    case WQL_LESS:
        return order < 0;
    case WQL_LESS_EQUAL:
        return order <= 0;
    case WQL_GREATER:
        return order > 0;
    case WQL_GREATER_EQUAL:
        return order >= 0;
    case WQL_N_OPERATORS:
        break;
    }
    return false;
}

static int order_numbers(int64_t number, const struct wql_literal *literal)
{
    if (literal->kind == WQL_REAL)
        return ((double)number > literal->real) - ((double)number < literal->real);
    return (number > literal->integer) - (number < literal->integer);
}

/* Text against anything. Return: false if the two cannot be compared. */
static bool order_text(const char *text, const struct wql_literal *literal, int *ret)
{
    int64_t number;
    int64_t date;
    int64_t other;

    if (literal->kind == WQL_BOOLEAN) {
        bool is_true = ts_compare_text(text, "true") == 0;

        *ret = (int)is_true - (int)(literal->integer != 0);
        return is_true || ts_compare_text(text, "false") == 0;
    }
    if (literal->kind != WQL_TEXT) {
        if (!ts_parse_integer(text, &number))
            return false;
        *ret = order_numbers(number, literal);
        return true;
    }
    /* a CIM date is 25 characters; everything shorter may be a number that looks like one */
    if (strlen(text) != 25 || !ts_parse_date(text, &date)) {
        *ret = ts_compare_text(text, literal->text);
        return true;
    }
    if (!ts_parse_date(literal->text, &other))
        return false;
    *ret = (date > other) - (date < other);
    return true;
}

/* A number or boolean against text, which may be one as well. */
static bool order_scalar(const struct ts_scalar *value, const struct wql_literal *literal, int *ret)
{
    struct wql_literal number = {.kind = WQL_INTEGER};

    if (value->kind == TS_SCALAR_TEXT)
        return order_text(value->text, literal, ret);
    if (literal->kind == WQL_TEXT) {
        if (ts_compare_text(literal->text, "true") == 0)
            number.integer = 1;
        else if (ts_compare_text(literal->text, "false") != 0 &&
                 !ts_parse_integer(literal->text, &number.integer))
            return false;
        literal = &number;
    }
    *ret = order_numbers(value->number, literal);
    return true;
}

static void put_scalar(const struct ts_scalar *value, struct buf *ret)
{
    switch (value->kind) {
    case TS_SCALAR_NULL:
        buf_adds(ret, "null");
        break;
    case TS_SCALAR_BOOLEAN:
        buf_adds(ret, value->number ? "true" : "false");
        break;
    case TS_SCALAR_NUMBER:
        buf_addf(ret, "%" PRId64, value->number);
        break;
    case TS_SCALAR_TEXT:
        buf_adds(ret, value->text);
        break;
    }
}

static bool is_value_like(const struct ts_scalar *value, const char *pattern)
{
    OWN(buf_fini) struct buf text = BUF_INIT(NUMBER_TEXT_MAX);

    if (value->kind == TS_SCALAR_TEXT)
        return ts_is_like_wql(value->text, pattern);
    put_scalar(value, &text);
    return ts_is_like_wql(buf_str(&text), pattern);
}

static enum match match_value(const struct wql_node *node, const struct ts_scalar *value)
{
    int order;

    if (value->kind == TS_SCALAR_NULL)
        return MATCH_NEITHER;
    if (node->kind == WQL_LIKE)
        return match(is_value_like(value, node->literal.text) != node->is_inverted);
    if (!order_scalar(value, &node->literal, &order))
        return MATCH_NEITHER;
    return match(holds(node->op, order));
}

static bool is_null(const struct ts_property *property)
{
    return !property || property->n_values == 0 ||
           (!property->is_array && property->values[0].kind == TS_SCALAR_NULL);
}

/* A text that is no property of the instance; "" is null. */
static enum match match_text(const struct wql_node *node, const char *text)
{
    int order;

    if (node->kind == WQL_IS_NULL)
        return match((text[0] == '\0') != node->is_inverted);
    if (text[0] == '\0')
        return MATCH_NEITHER;
    if (node->kind == WQL_LIKE)
        return match(ts_is_like_wql(text, node->literal.text) != node->is_inverted);
    return order_text(text, &node->literal, &order) ? match(holds(node->op, order)) : MATCH_NEITHER;
}

/* Whether one of the values is so. */
static enum match match_any(const struct wql_node *node, const struct ts_property *property)
{
    enum match best = MATCH_NEITHER;

    for (size_t i = 0; property && i < property->n_values; i++) {
        enum match m = match_value(node, &property->values[i]);

        if (m == MATCH_YES)
            return m;
        best = m == MATCH_NO ? MATCH_NO : best;
    }
    return best;
}

/* An array is equal to a value, or like it, if one of its elements is; it differs if none is. */
static enum match match_array(const struct wql_node *node, const struct ts_property *property)
{
    struct wql_node positive = *node;
    enum match m;

    if (node->kind == WQL_LIKE && node->is_inverted)
        positive.is_inverted = false;
    else if (node->kind == WQL_COMPARE && node->op == WQL_NOT_EQUAL)
        positive.op = WQL_EQUAL;
    else
        return match_any(node, property);
    m = match_any(&positive, property);
    return m == MATCH_NEITHER ? m : match(m == MATCH_NO);
}

static enum match match_leaf(const struct wql_node *node,
                             const struct ts_class *c,
                             const struct ts_instance *instance)
{
    const struct ts_property *property = ts_instance_find(instance, node->property);
    const char *text;

    if (node->kind == WQL_ISA)
        return match(ts_class_is_a(c->name, node->literal.text));
    if (!property && find_system(c, node->property, &text))
        return match_text(node, text);
    if (node->kind == WQL_IS_NULL)
        return match(is_null(property) != node->is_inverted);
    return property && property->is_array ? match_array(node, property) : match_any(node, property);
}

/* The nodes of a node come before it, so going through them once is enough. */
static bool matches(const struct ts_query *q,
                    const struct ts_class *c,
                    const struct ts_instance *instance,
                    enum match results[static TS_WQL_MAX_NODES])
{
    for (size_t i = 0; i < q->n_nodes; i++) {
        const struct wql_node *node = &q->nodes[i];
        enum match left = node->kind <= WQL_NOT ? results[node->left] : MATCH_NEITHER;
        enum match right = node->kind < WQL_NOT ? results[node->right] : MATCH_NEITHER;

        if (node->kind == WQL_NOT)
            results[i] = left == MATCH_NEITHER ? left : match(left == MATCH_NO);
        else if (node->kind == WQL_AND && (left == MATCH_NO || right == MATCH_NO))
            results[i] = MATCH_NO;
        else if (node->kind == WQL_OR && (left == MATCH_YES || right == MATCH_YES))
            results[i] = MATCH_YES;
        else if (node->kind < WQL_NOT)
            results[i] = left == right ? left : MATCH_NEITHER;
        else
            results[i] = match_leaf(node, c, instance);
    }
    return q->n_nodes == 0 || results[q->n_nodes - 1] == MATCH_YES;
}

/* The first property that it asks for and nobody filled in; NULL if there is none. */
static const char *missing_property(const struct ts_query *q, const struct ts_class *c)
{
    for (size_t i = 0; i < q->n_selected; i++)
        if (!has_property(c, q->selected[i]))
            return q->selected[i];
    for (size_t i = 0; i < q->n_nodes; i++)
        if (q->nodes[i].property && !has_property(c, q->nodes[i].property))
            return q->nodes[i].property;
    return NULL;
}

/* A comparison that no order answers: a number with text that is none, text with true. Return: whether one was found. */
static bool find_incomparable(const struct ts_query *q, const struct ts_class *c, struct buf *why)
{
    for (size_t i = 0; i < q->n_nodes; i++) {
        const struct wql_node *node = &q->nodes[i];

        for (size_t k = 0; node->kind == WQL_COMPARE && k < c->n_instances; k++) {
            const struct ts_property *p = ts_instance_find(c->instances[k], node->property);
            int order;

            for (size_t v = 0; p && v < p->n_values; v++) {
                if (p->values[v].kind == TS_SCALAR_NULL ||
                    order_scalar(&p->values[v], &node->literal, &order))
                    continue;
                buf_addf(why, "%s.%.64s is ", c->name, node->property);
                put_scalar(&p->values[v], why);
                buf_addf(why, ", which cannot be compared with %.64s", node->literal.text);
                return true;
            }
        }
    }
    return false;
}

int ts_query_count(const struct ts_query *query,
                   const struct ts_class *c,
                   size_t *ret,
                   struct buf *why)
{
    enum match results[TS_WQL_MAX_NODES];
    const char *missing = missing_property(query, c);

    if (missing) {
        buf_addf(why, "nothing is known of %s.%.64s", c->name, missing);
        return TS_WQL_E_PROPERTY;
    }
    *ret = 0;
    for (size_t i = 0; i < c->n_instances; i++)
        *ret += matches(query, c, c->instances[i], results);
    return *ret == 0 && find_incomparable(query, c, why) ? TS_WQL_E_PROPERTY : 0;
}

static void describe_property(const struct ts_class *c, const char *name, struct buf *ret)
{
    buf_addf(ret, "%s%s is ", ret->len > 0 ? ", " : "", name);
    for (size_t i = 0; i < c->n_instances && i < DESCRIBED_MAX; i++) {
        const struct ts_property *p = ts_instance_find(c->instances[i], name);

        buf_adds(ret, i > 0 ? " | " : "");
        if (is_null(p))
            buf_adds(ret, "null");
        for (size_t k = 0; !is_null(p) && k < p->n_values && k < DESCRIBED_MAX; k++) {
            buf_adds(ret, k > 0 ? "," : "");
            buf_adds(ret, p->values[k].kind == TS_SCALAR_TEXT ? "\"" : "");
            put_scalar(&p->values[k], ret);
            buf_adds(ret, p->values[k].kind == TS_SCALAR_TEXT ? "\"" : "");
        }
    }
}

void ts_query_describe(const struct ts_query *query, const struct ts_class *c, struct buf *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(ret->max);
    size_t n_described = 0;

    if (c->n_instances == 0) {
        buf_addf(ret, "there is no %s", c->name);
        return;
    }
    for (size_t i = 0; i < query->n_nodes && n_described < DESCRIBED_MAX; i++) {
        const char *name = query->nodes[i].property;
        bool is_new = name && !is_system(c, name);

        for (size_t k = 0; k < i && is_new; k++)
            is_new =
                !query->nodes[k].property || ts_compare_text(query->nodes[k].property, name) != 0;
        if (!is_new)
            continue;
        describe_property(c, name, &text);
        n_described++;
    }
    buf_adds(ret, buf_str(&text));
}

static void put_quoted(const char *text, struct buf *ret)
{
    buf_adds(ret, "\"");
    for (; *text; text++)
        buf_addf(ret, strchr("\\\"'", *text) ? "\\%c" : "%c", *text);
    buf_adds(ret, "\"");
}

static void put_literal(const struct wql_literal *literal, struct buf *ret)
{
    if (literal->kind == WQL_TEXT)
        put_quoted(literal->text, ret);
    else if (literal->kind == WQL_BOOLEAN)
        buf_adds(ret, literal->integer ? "true" : "false");
    else
        buf_adds(ret, literal->text);
}

static void put_leaf(const struct wql_node *node, struct buf *ret)
{
    buf_adds(ret, node->property);
    if (node->kind == WQL_IS_NULL) {
        buf_adds(ret, node->is_inverted ? " is not null" : " is null");
        return;
    }
    if (node->kind == WQL_LIKE)
        buf_adds(ret, node->is_inverted ? " not like " : " like ");
    else if (node->kind == WQL_ISA)
        buf_adds(ret, " isa ");
    else
        buf_addf(ret, " %s ", wql_operators[node->op]);
    put_literal(&node->literal, ret);
}

static void put_node(const struct ts_query *q, size_t i, struct buf *ret);

/* In parentheses where the tree would be read otherwise without them. */
static void put_operand(const struct ts_query *q, size_t i, bool is_joined, struct buf *ret)
{
    buf_adds(ret, is_joined ? "(" : "");
    put_node(q, i, ret);
    buf_adds(ret, is_joined ? ")" : "");
}

/* No deeper than the parser went, but for chains, which TS_WQL_MAX_NODES bounds. */
static void put_node(const struct ts_query *q, size_t i, struct buf *ret)
{
    const struct wql_node *node = &q->nodes[i];

    if (node->kind > WQL_NOT) {
        put_leaf(node, ret);
        return;
    }

    enum wql_kind left = q->nodes[node->left].kind;
    enum wql_kind right = q->nodes[node->right].kind;

    if (node->kind == WQL_NOT) {
        buf_adds(ret, "not ");
        put_operand(q, node->left, left == WQL_AND || left == WQL_OR, ret);
        return;
    }
    put_operand(q, node->left, node->kind == WQL_AND && left == WQL_OR, ret);
    buf_adds(ret, node->kind == WQL_AND ? " and " : " or ");
    put_operand(q, node->right, right == WQL_OR || right == node->kind, ret);
}

void ts_query_put(const struct ts_query *query, struct buf *ret)
{
    buf_adds(ret, "select ");
    for (size_t i = 0; i < query->n_selected; i++)
        buf_addf(ret, "%s%s", i > 0 ? ", " : "", query->selected[i]);
    buf_addf(ret, "%s from %s", query->n_selected == 0 ? "*" : "", query->class_name);
    if (query->n_nodes == 0)
        return;
    buf_adds(ret, " where ");
    put_node(query, query->n_nodes - 1, ret);
}
