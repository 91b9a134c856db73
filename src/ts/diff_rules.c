/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/assign.h"
#include "ts/condition_text.h"
#include "ts/diff_parts.h"
#include "ts/document.h"
#include "ts/step_types.h"

enum {
    TEXT_MAX_BYTES = 2 * TS_XML_MAX_BYTES,
    LABEL_MAX_BYTES = 1024,
    NAME_SHOWN_MAX = 100,
    CONDITION_SHOWN_MAX = 200,
    RULES_MAX = 1000, /* of either side, beyond which nobody reads them one by one */
    VARIABLES_MAX = 5000,
};

struct rule {
    const struct ts_step *step;
    char *condition; /* owned; as one line, "" for none */
    char *shown;     /* owned; the same for people */
    int match;       /* the rule of the other side, or TS_NO_ITEM */
};

struct rules {
    struct ts_document *doc; /* owned; NULL: there are none */
    struct rule *rules;      /* owned */
    size_t n;
};

static void rules_fini(struct rules *rules)
{
    for (size_t i = 0; i < rules->n; i++) {
        free(rules->rules[i].condition);
        free(rules->rules[i].shown);
    }
    free(rules->rules);
    ts_document_free(rules->doc);
}

/* What is told of. */
struct telling {
    struct ts_comparison *c;
    const struct ts_change *about;
    size_t n; /* changes that were told */
};

static bool add_rule(struct rules *rules,
                     const struct ts_step *step,
                     const xmlNode *node,
                     const struct ts_secret_names *names)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf masked = BUF_INIT(TEXT_MAX_BYTES);
    OWN(freep) char *condition = NULL;
    OWN(freep) char *shown = NULL;

    ts_condition_text(ts_node_child(node, "condition"), &text);
    ts_condition_shown(ts_node_child(node, "condition"), names, &masked);
    condition = buf_take(&text);
    shown = buf_take(&masked);
    if (!condition || !shown)
        return false;
    rules->rules[rules->n++] = (struct rule){step, TAKE(condition), TAKE(shown), TS_NO_ITEM};
    return true;
}

/* Return: whether it could be read; without memory not. */
static bool read_rules(const char *text, const struct ts_secret_names *names, struct rules *ret)
{
    OWN(buf_fini) struct buf ignored = BUF_INIT(LABEL_MAX_BYTES);
    const struct ts_step *steps = NULL;
    const xmlNode *node = NULL;
    size_t n = 0;
    size_t n_variables = 0;

    if (text[0] != '\0' && ts_rules_read(text, &ret->doc, &ignored) != 0)
        return false;
    if (ret->doc) {
        steps = ts_document_steps(ret->doc, &n);
        node = ts_node_element(xmlDocGetRootElement(ts_document_tree(ret->doc))->children);
    }
    for (size_t i = 0; i < n; i++)
        n_variables += steps[i].n_variables;
    if (n > RULES_MAX || n_variables > VARIABLES_MAX)
        return false;
    ret->rules = calloc(n + 1, sizeof(*ret->rules));
    if (!ret->rules)
        return false;
    for (; node && ret->n < n; node = ts_node_element(node->next))
        if (!add_rule(ret, &steps[ret->n], node, names))
            return false;
    return ret->n == n;
}

static const struct rule *at(const struct rules *rules, size_t i)
{
    const struct rule *rule = &rules->rules[i];

    assert(rule->step && rule->condition && rule->shown);
    return rule;
}

static bool is_secret(const struct ts_variable *v)
{
    return v->is_hidden || ts_name_is_secret(v->name);
}

static const char *shown(const struct ts_variable *v)
{
    return is_secret(v) && v->text[0] != '\0' ? "***" : v->text;
}

static bool has_same_variables(const struct rule *a, const struct rule *b)
{
    if (a->step->n_variables != b->step->n_variables)
        return false;
    for (size_t i = 0; i < a->step->n_variables; i++) {
        const struct ts_variable *x = &a->step->variables[i];
        const struct ts_variable *y = &b->step->variables[i];

        if (strcmp(x->name, y->name) != 0 || strcmp(x->text, y->text) != 0 ||
            x->is_hidden != y->is_hidden)
            return false;
    }
    return true;
}

enum likeness {
    SAME, /* condition and variables */
    SAME_CONDITION,
    SAME_VARIABLES,
    NEXT, /* what is left, one after the other */
};

static bool is_alike(const struct rule *a, const struct rule *b, enum likeness likeness)
{
    bool is_condition = strcmp(a->condition, b->condition) == 0;

    switch (likeness) {
    case SAME:
        return is_condition && has_same_variables(a, b);
    case SAME_CONDITION:
        return is_condition;
    case SAME_VARIABLES:
        return has_same_variables(a, b);
    case NEXT:
        break;
    }
    return true;
}

static size_t count_left(const struct rules *rules)
{
    size_t n = 0;

    for (size_t i = 0; i < rules->n; i++)
        n += rules->rules[i].match == TS_NO_ITEM;
    return n;
}

static void match_rules(struct rules *before, struct rules *after, enum likeness likeness)
{
    for (size_t i = 0; i < before->n; i++) {
        for (size_t k = 0; k < after->n && before->rules[i].match == TS_NO_ITEM; k++) {
            if (after->rules[k].match != TS_NO_ITEM ||
                !is_alike(&before->rules[i], &after->rules[k], likeness))
                continue;
            before->rules[i].match = (int)k;
            after->rules[k].match = (int)i;
        }
    }
}

static void match(struct rules *before, struct rules *after)
{
    match_rules(before, after, SAME);
    match_rules(before, after, SAME_CONDITION);
    match_rules(before, after, SAME_VARIABLES);
    if (count_left(before) == count_left(after))
        match_rules(before, after, NEXT);
}

/* "rule 2 (Make equals "Dell*")" */
static void put_rule(const struct rules *rules, size_t i, struct buf *ret)
{
    const char *condition = rules->rules[i].shown;
    size_t len = 0;

    buf_addf(ret, "rule %zu", i + 1);
    if (condition[0] == '\0')
        return;
    while (condition[len] != '\0' &&
           (len < CONDITION_SHOWN_MAX || ((unsigned char)condition[len] & 0xc0) == 0x80))
        len++;
    buf_adds(ret, " (");
    buf_add(ret, (struct bytes){(const uint8_t *)condition, len});
    buf_adds(ret, condition[len] == '\0' ? ")" : "...)");
}

static void
add(struct telling *t, struct buf *label, const char *from, const char *to, bool has_quotes)
{
    struct ts_change change = *t->about;
    OWN(freep) char *own_label = buf_take(label);
    OWN(freep) char *own_from = ts_copy(from);
    OWN(freep) char *own_to = ts_copy(to);

    if (!own_label || !own_from || !own_to)
        t->c->is_out_of_memory = true;
    change.kind = TS_CHANGE_PROPERTY;
    change.label = own_label;
    change.from = own_from;
    change.to = own_to;
    change.has_quotes = has_quotes;
    ts_diff_add(t->c, &change);
    t->n++;
}

/* `A = "1", B = ***`: what a rule sets. */
static void put_variables(const struct rule *rule, struct buf *ret)
{
    buf_adds(ret, rule->shown[0] == '\0' ? "always" : "if ");
    buf_adds(ret, rule->shown);
    for (size_t i = 0; i < rule->step->n_variables; i++) {
        const struct ts_variable *v = &rule->step->variables[i];

        buf_adds(ret, i == 0 ? ": " : ", ");
        buf_addf(ret, "%.*s = \"", NAME_SHOWN_MAX, v->name);
        buf_adds(ret, shown(v));
        buf_adds(ret, "\"");
    }
}

/* @i: its number, from 0 */
static void add_whole(struct telling *t, const struct rule *rule, size_t i, bool is_new)
{
    OWN(buf_fini) struct buf label = BUF_INIT(LABEL_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    buf_addf(&label, "rule %zu", i + 1);
    put_variables(rule, &text);
    add(t, &label, is_new ? "" : buf_str(&text), is_new ? buf_str(&text) : "", true);
}

/* The variable of that name in the rule; of several the last one counts. */
static const struct ts_variable *find(const struct rule *rule, const char *name)
{
    for (size_t i = rule->step->n_variables; i-- > 0;)
        if (strcmp(rule->step->variables[i].name, name) == 0)
            return &rule->step->variables[i];
    return NULL;
}

static void add_variable(struct telling *t,
                         const struct rules *after,
                         size_t k,
                         const struct ts_variable *from,
                         const struct ts_variable *to)
{
    OWN(buf_fini) struct buf label = BUF_INIT(LABEL_MAX_BYTES);
    bool was_secret = from && is_secret(from);
    bool is_now_secret = to && is_secret(to);

    put_rule(after, k, &label);
    buf_addf(&label, ", variable %.*s", NAME_SHOWN_MAX, (to ? to : from)->name);
    if (from && to && strcmp(from->text, to->text) == 0)
        add(t, &label, was_secret ? "secret" : "shown", is_now_secret ? "secret" : "shown", true);
    else
        add(t, &label, from ? shown(from) : "", to ? shown(to) : "", false);
}

/* The variables of a rule that are not as they were, or are not there in the other one. @k: the rule of @after */
static void
diff_variables(struct telling *t, const struct rule *from, const struct rules *after, size_t k)
{
    const struct rule *to = at(after, k);

    for (size_t i = 0; i < from->step->n_variables; i++) {
        const struct ts_variable *v = &from->step->variables[i];
        const struct ts_variable *twin = find(to, v->name);

        if (find(from, v->name) == v && !twin)
            add_variable(t, after, k, v, NULL);
        else if (find(from, v->name) == v &&
                 (strcmp(v->text, twin->text) != 0 || is_secret(v) != is_secret(twin)))
            add_variable(t, after, k, v, twin);
    }
    for (size_t i = 0; i < to->step->n_variables; i++) {
        const struct ts_variable *v = &to->step->variables[i];

        if (find(to, v->name) == v && !find(from, v->name))
            add_variable(t, after, k, NULL, v);
    }
}

static void
diff_condition(struct telling *t, const struct rule *from, const struct rule *to, size_t k)
{
    OWN(buf_fini) struct buf label = BUF_INIT(LABEL_MAX_BYTES);

    if (strcmp(from->condition, to->condition) == 0)
        return;
    buf_addf(&label, "condition of rule %zu", k + 1);
    add(t, &label, from->shown, to->shown, true);
}

static bool has_kept_order(const struct rules *after)
{
    int last = TS_NO_ITEM;

    for (size_t k = 0; k < after->n; k++) {
        if (after->rules[k].match == TS_NO_ITEM)
            continue;
        if (after->rules[k].match < last)
            return false;
        last = after->rules[k].match;
    }
    return true;
}

/* "2, 1": which rules of the old ones they are now. */
static void add_order(struct telling *t, const struct rules *before, const struct rules *after)
{
    OWN(buf_fini) struct buf label = BUF_INIT(LABEL_MAX_BYTES);
    OWN(buf_fini) struct buf was = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf is = BUF_INIT(TEXT_MAX_BYTES);

    buf_adds(&label, "order of the rules");
    for (size_t i = 0; i < before->n; i++)
        buf_addf(&was, "%s%zu", i > 0 ? ", " : "", i + 1);
    for (size_t k = 0; k < after->n; k++) {
        int old = after->rules[k].match;

        if (old == TS_NO_ITEM)
            buf_addf(&is, "%snew", k > 0 ? ", " : "");
        else
            buf_addf(&is, "%s%d", k > 0 ? ", " : "", old + 1);
    }
    add(t, &label, buf_str(&was), buf_str(&is), true);
}

/* NULL: it is new. */
static const struct rule *old_one(const struct rules *before, const struct rule *rule)
{
    return rule->match != TS_NO_ITEM ? at(before, (size_t)rule->match) : NULL;
}

bool ts_diff_rules(struct ts_comparison *c,
                   const struct ts_change *about,
                   const char *from,
                   const char *to)
{
    OWN(rules_fini) struct rules before = {0};
    OWN(rules_fini) struct rules after = {0};
    struct telling t = {.c = c, .about = about};

    if (!read_rules(from, c->names, &before) || !read_rules(to, c->names, &after))
        return false;
    match(&before, &after);
    for (size_t i = 0; i < before.n; i++)
        if (before.rules[i].match == TS_NO_ITEM)
            add_whole(&t, at(&before, i), i, false);
    for (size_t k = 0; k < after.n; k++) {
        const struct rule *old = old_one(&before, at(&after, k));

        if (!old) {
            add_whole(&t, at(&after, k), k, true);
            continue;
        }
        diff_condition(&t, old, at(&after, k), k);
        diff_variables(&t, old, &after, k);
    }
    if (!has_kept_order(&after))
        add_order(&t, &before, &after);
    return t.n > 0;
}
