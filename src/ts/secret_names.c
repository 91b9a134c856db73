/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/assign.h"
#include "ts/compare.h"
#include "ts/document.h"
#include "ts/node_index.h"
#include "ts/secret.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/vars.h"

enum {
    GROW = 16,
    WHY_MAX_BYTES = 1024,
};

struct ts_secret_names {
    char **items; /* owned; in order once all are there */
    size_t n;
};

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_secret_names *, ts_secret_names_free);

void ts_secret_names_free(struct ts_secret_names *names)
{
    for (size_t i = 0; names && i < names->n; i++)
        free(names->items[i]);
    if (names)
        free(names->items);
    free(names);
}

static int compare(const void *a, const void *b)
{
    const char *const *x = a;
    const char *const *y = b;

    return ts_compare_text(*x, *y);
}

bool ts_secret_names_have(const struct ts_secret_names *names, const char *name)
{
    return ts_name_is_secret(name) ||
           (names && names->n > 0 &&
            bsearch(&name, names->items, names->n, sizeof(*names->items), compare));
}

static int add(struct ts_secret_names *names, const char *name)
{
    if (name[0] == '\0' || ts_name_is_secret(name))
        return 0;
    if (names->n % GROW == 0) {
        char **grown = realloc(names->items, (names->n + GROW) * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        names->items = grown;
    }
    names->items[names->n] = ts_copy(name);
    if (!names->items[names->n])
        return ERR(-ENOMEM);
    names->n++;
    return 0;
}

static const char *text_of(const struct ts_step *step, const char *name)
{
    const struct ts_variable *v = ts_step_variable(step, name);

    return v ? v->text : "";
}

/* The variables that rules set and hide. Rules that cannot be read hide nothing that could be told here. */
static int add_rules(struct ts_secret_names *names, const char *text)
{
    OWN(ts_document_freep) struct ts_document *rules = NULL;
    OWN(buf_fini) struct buf ignored = BUF_INIT(WHY_MAX_BYTES);
    const struct ts_step *steps;
    size_t n;
    int r = text[0] != '\0' ? ts_rules_read(text, &rules, &ignored) : 0;

    if (r < 0)
        return TRACE(r);
    if (!rules)
        return 0;
    r = 0;
    steps = ts_document_steps(rules, &n);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; r == 0 && k < steps[i].n_variables; k++)
            if (steps[i].variables[k].is_hidden)
                r = add(names, steps[i].variables[k].name);
    return TRACE(r);
}

static int add_declared(struct ts_secret_names *names, const struct ts_document *doc)
{
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    const char *const *noted;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++) {
        if (strcmp(steps[i].type, "SMS_TaskSequence_SetVariableAction") == 0 &&
            ts_secret_hides_value(&steps[i]))
            r = add(names, text_of(&steps[i], "VariableName"));
        else if (strcmp(steps[i].type, "SMS_TaskSequence_SetDynamicVariablesAction") == 0)
            r = add_rules(names, text_of(&steps[i], "Rules"));
    }
    noted = ts_document_noted_secrets(doc, &n);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = add(names, noted[i]);
    return TRACE(r);
}

int ts_secret_names_new(const struct ts_document *doc,
                        const struct ts_document *also,
                        struct ts_secret_names **ret)
{
    OWN(ts_secret_names_freep) struct ts_secret_names *names = calloc(1, sizeof(*names));
    int r;

    if (!names)
        return ERR(-ENOMEM);
    r = add_declared(names, doc);
    if (r == 0 && also)
        r = add_declared(names, also);
    if (r < 0)
        return TRACE(r);
    if (names->n > 0)
        qsort(names->items, names->n, sizeof(*names->items), compare);
    *ret = TAKE(names);
    return 0;
}

int ts_secret_names_set(const struct ts_document *doc, struct ts_vars *vars)
{
    OWN(ts_secret_names_freep) struct ts_secret_names *names = NULL;
    int r = ts_secret_names_new(doc, NULL, &names);

    if (r < 0 || !names)
        return TRACE(r);
    /* what is no name of a variable, or one too many, will not be set either */
    for (size_t i = 0; r >= 0 && i < names->n; i++)
        r = ts_vars_set_secret(vars, names->items[i]);
    return r < 0 ? TRACE(r) : 0;
}

static bool is_field(const xmlNode *node, const char *wanted)
{
    OWN(freep) char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;

    return name && bytes_eq_nocase(bytes_of(name), wanted);
}

/* The first field of that name. Owned by the caller; NULL: there is none, or no memory. */
static char *find_field(const xmlNode *expression, const char *name)
{
    for (const xmlNode *node = expression->children; node; node = node->next)
        if (is_field(node, name))
            return ts_node_text(node);
    return NULL;
}

bool ts_secret_compares(const struct ts_secret_names *names, const xmlNode *node)
{
    OWN(freep)
    char *variable = ts_node_is(node, "expression") ? find_field(node, "Variable") : NULL;

    return variable && ts_secret_names_have(names, variable);
}

bool ts_secret_is_value(const xmlNode *node)
{
    return is_field(node, "Value");
}

xmlNode *ts_secret_compared(const struct ts_secret_names *names, const xmlNode *expression)
{
    if (!ts_secret_compares(names, expression))
        return NULL;
    for (xmlNode *node = expression->children; node; node = node->next)
        if (ts_secret_is_value(node))
            return node;
    return NULL;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
bool ts_secret_each_compared(const struct ts_secret_names *names,
                             xmlNode *node,
                             bool (*visit)(void *ctx, xmlNode *value),
                             void *ctx)
{
    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        xmlNode *value = ts_secret_compared(names, child);

        for (; value; value = value->next)
            if (ts_secret_is_value(value) && !visit(ctx, value))
                return false;
        if (!ts_node_is_item(child) && !ts_secret_each_compared(names, child, visit, ctx))
            return false;
    }
    return true;
}

/* What a condition compares secret variables with, by variable and operator. */
struct compared {
    struct ts_node_index index;
    const xmlNode *expression; /* the last one */
};

static void compared_fini(struct compared *compared)
{
    ts_node_index_fini(&compared->index);
}

/* Of an expression with several the first one. */
static bool gather(void *ctx, xmlNode *value)
{
    struct compared *compared = ctx;
    OWN(buf_fini) struct buf key = BUF_INIT(TS_XML_MAX_BYTES);
    bool is_first = compared->expression != value->parent;
    OWN(freep) char *variable = is_first ? find_field(value->parent, "Variable") : NULL;
    OWN(freep) char *operator_name = is_first ? find_field(value->parent, "Operator") : NULL;

    compared->expression = value->parent;
    if (!variable || !operator_name)
        return true;
    buf_addf(&key, "%s %s", operator_name, variable);
    for (size_t i = 0; i < key.len; i++)
        if (key.ptr[i] >= 'A' && key.ptr[i] <= 'Z')
            key.ptr[i] = (char)(key.ptr[i] - 'A' + 'a');
    return !key.failed && ts_node_index_add(&compared->index, 0, buf_str(&key), value) == 0;
}

static int keep(const struct compared *now, const struct compared *old)
{
    for (size_t i = 0; i < now->index.n; i++) {
        xmlNode *value = now->index.entries[i].node;
        const struct ts_node_entry *twin =
            ts_node_index_twin(&now->index, &now->index.entries[i], &old->index);
        OWN(freep) char *text = twin ? ts_node_text(value) : NULL;
        OWN(freep) char *old_text = twin ? ts_node_text(twin->node) : NULL;

        if (twin && (!text || !old_text))
            return ERR(-ENOMEM);
        if (!twin || !ts_secret_is_blank(text))
            continue;
        xmlNodeSetContent(value, NULL);
        xmlNodeAddContent(value, (const xmlChar *)old_text);
    }
    return 0;
}

int ts_secret_keep_compared(const struct ts_secret_names *names, xmlNode *item, xmlNode *old)
{
    xmlNode *condition = ts_node_child(item, "condition");
    xmlNode *old_condition = ts_node_child(old, "condition");
    OWN(compared_fini) struct compared now = {0};
    OWN(compared_fini) struct compared before = {0};
    int r;

    if (!condition || !old_condition)
        return 0;
    if (!ts_secret_each_compared(names, condition, gather, &now) ||
        !ts_secret_each_compared(names, old_condition, gather, &before))
        return ERR(-ENOMEM);
    r = ts_node_index_sort(&now.index);
    if (r == 0)
        r = ts_node_index_sort(&before.index);
    return r == 0 ? TRACE(keep(&now, &before)) : TRACE(r);
}
