/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "base/own.h"
#include "ts/tree.h"
#include "ts/yaml_form_text.h"
#include "ts/yaml_form_writer.h"

enum {
    ORDERS_MAX = 16, /* different ones of a form that are counted */
};

static const char *const with_type[] = {"type", NULL};
static const char *const with_name[] = {"name", NULL};

/* The fields of an expression that has a form. */
struct fields {
    size_t form;
    const char *names[TS_YAML_FIELDS_MAX]; /* of the form's table, in the order of the document */
    char *texts[TS_YAML_FIELDS_MAX];       /* owned */
    size_t n;
};

static void fields_fini(struct fields *f)
{
    for (size_t i = 0; i < f->n; i++)
        freep(&f->texts[i]);
}

static const char *find_field(const struct ts_yaml_form *form, const char *name)
{
    for (size_t i = 0; i < TS_YAML_FIELDS_MAX && form->fields[i]; i++)
        if (strcmp(form->fields[i], name) == 0)
            return form->fields[i];
    return NULL;
}

static const char *text_of(const struct fields *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->names[i], name) == 0)
            return f->texts[i];
    return NULL;
}

/* Which form the expression is of by its type; TS_YAML_FORMS: none. */
static size_t form_of(const xmlNode *node)
{
    OWN(freep)
    char *type =
        ts_yaml_is_own(node, "expression", with_type) ? ts_node_attribute(node, "type") : NULL;
    size_t i = 0;

    while (i < TS_YAML_FORMS && (!type || strcmp(type, ts_yaml_forms[i].type) != 0))
        i++;
    return i;
}

/* Return: whether it has the main field, each field once, and nothing that the form does not know. */
static bool read_fields(const xmlNode *node, struct fields *ret)
{
    *ret = (struct fields){.form = form_of(node)};
    if (ret->form == TS_YAML_FORMS)
        return false;
    for (const xmlNode *child = node->children; child; child = child->next) {
        OWN(freep) char *name = NULL;
        const char *field;

        if (ts_yaml_is_blank(child))
            continue;
        if (!ts_yaml_is_own(child, "variable", with_name) || !ts_yaml_is_text_only(child))
            return false;
        name = ts_node_attribute(child, "name");
        field = name ? find_field(&ts_yaml_forms[ret->form], name) : NULL;
        if (!field || text_of(ret, field))
            return false;
        ret->names[ret->n] = field;
        ret->texts[ret->n] = ts_node_text(child);
        if (!ret->texts[ret->n])
            return false;
        ret->n++;
    }
    return text_of(ret, ts_yaml_forms[ret->form].main_field) != NULL;
}

/* Whether the fields are in this order. */
static bool is_ordered(const struct fields *f, const char *const *order)
{
    size_t n = 0;

    for (size_t i = 0; i < TS_YAML_FIELDS_MAX && order[i]; i++)
        n += n < f->n && strcmp(order[i], f->names[n]) == 0;
    return n == f->n;
}

/* How often a form has its fields in an order. */
struct order {
    const char *fields[TS_YAML_FIELDS_MAX];
    size_t n_fields;
    size_t n;
};

struct orders {
    struct order items[TS_YAML_FORMS][ORDERS_MAX];
    size_t n[TS_YAML_FORMS];
};

static void count_order(struct orders *orders, const struct fields *f)
{
    struct order *items = orders->items[f->form];
    size_t i = 0;

    while (i < orders->n[f->form] && (items[i].n_fields != f->n || !is_ordered(f, items[i].fields)))
        i++;
    if (i == ORDERS_MAX)
        return;
    if (i == orders->n[f->form]) {
        memcpy(items[i].fields, f->names, sizeof(items[i].fields));
        items[i].n_fields = f->n;
        orders->n[f->form]++;
    }
    items[i].n++;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void count_orders(const xmlNode *node, struct orders *orders)
{
    OWN(fields_fini) struct fields f = {0};

    if (read_fields(node, &f)) {
        count_order(orders, &f);
        return;
    }
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            count_orders(child, orders);
}

/* The order of some of a form's fields, and behind them the others. */
static void complete(const struct ts_yaml_form *form, const struct order *order, const char **ret)
{
    size_t n = order->n_fields;

    memcpy(ret, order->fields, sizeof(order->fields));
    for (size_t i = 0; i < TS_YAML_FIELDS_MAX && form->fields[i]; i++) {
        bool is_there = false;

        for (size_t k = 0; k < order->n_fields; k++)
            is_there |= strcmp(order->fields[k], form->fields[i]) == 0;
        if (!is_there)
            ret[n++] = form->fields[i];
    }
}

/* How many expressions have their fields in this order. */
static size_t count_ordered(const struct orders *orders, size_t form, const char *const *order)
{
    size_t n = 0;

    for (size_t i = 0; i < orders->n[form]; i++) {
        const struct order *item = &orders->items[form][i];
        struct fields f = {.form = form, .n = item->n_fields};

        memcpy(f.names, item->fields, sizeof(f.names));
        n += is_ordered(&f, order) ? item->n : 0;
    }
    return n;
}

void ts_yaml_find_orders(const xmlNode *root, struct ts_yaml_orders *ret)
{
    struct orders orders = {.n = {0}};

    ts_yaml_orders_init(ret);
    count_orders(root, &orders);
    for (size_t i = 0; i < TS_YAML_FORMS; i++) {
        size_t most = count_ordered(&orders, i, ret->fields[i]);

        for (size_t k = 0; k < orders.n[i]; k++) {
            const char *order[TS_YAML_FIELDS_MAX] = {NULL};
            size_t n;

            complete(&ts_yaml_forms[i], &orders.items[i][k], order);
            n = count_ordered(&orders, i, order);
            if (n > most)
                memcpy(ret->fields[i], order, sizeof(order));
            most = n > most ? n : most;
        }
    }
}

/* Return: whether it has a short form. */
static bool put_short(struct ts_yaml_writer *w, const xmlNode *node, unsigned indent)
{
    OWN(fields_fini) struct fields f = {0};
    const struct ts_yaml_form *form;
    const char *op;
    const char *value;
    bool is_first = true;

    if (!read_fields(node, &f) || !is_ordered(&f, w->orders.fields[f.form]) ||
        ts_yaml_is_odd(w, node))
        return false;
    form = &ts_yaml_forms[f.form];
    yaml_text_dash(w->out, indent);
    indent += YAML_TEXT_SPACES;
    yaml_text_pair(w->out, form->key, text_of(&f, form->main_field), indent, &is_first);
    op = f.form == 0 ? text_of(&f, "Operator") : NULL;
    value = op && ts_yaml_is_operator(op) ? text_of(&f, "Value") : NULL;
    if (value) {
        yaml_text_pair(w->out, op, value, indent, &is_first);
        return true;
    }
    for (size_t i = 0; i < f.n; i++) {
        char key[TS_YAML_FIELD_MAX];

        if (strcmp(f.names[i], form->main_field) != 0)
            yaml_text_pair(
                w->out, ts_yaml_key_of_field(f.names[i], key), f.texts[i], indent, &is_first);
    }
    return true;
}

/* An expression of any type: the type, and its fields as variables are written. Return: whether it is one. */
static bool put_long(struct ts_yaml_writer *w, const xmlNode *node, unsigned indent)
{
    OWN(freep) char *type = NULL;
    bool is_first = true;

    if (!ts_yaml_is_own(node, "expression", with_type) ||
        !xmlHasProp(node, (const xmlChar *)"type"))
        return false;
    type = ts_node_attribute(node, "type");
    yaml_text_dash(w->out, indent);
    indent += YAML_TEXT_SPACES;
    yaml_text_pair(w->out, "expression", type ? type : "", indent, &is_first);
    yaml_text_key(w->out, "fields", indent, &is_first);
    ts_yaml_put_variables(w, NULL, node, indent + YAML_TEXT_SPACES);
    return true;
}

/* What holds operands and has no attribute that is taken for something else. */
static bool put_operator(struct ts_yaml_writer *w, const xmlNode *node, unsigned indent)
{
    const char *main_name =
        node->type == XML_ELEMENT_NODE ? ts_yaml_main_attribute((const char *)node->name) : NULL;
    OWN(freep) char *main_text = main_name ? ts_node_attribute(node, main_name) : NULL;
    const char *word = NULL;
    bool is_first = true;

    if (!main_text || !xmlHasProp(node, (const xmlChar *)main_name) || node->nsDef)
        return false;
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns || strcmp((const char *)a->name, "operands") == 0)
            return false;
    yaml_text_dash(w->out, indent);
    indent += YAML_TEXT_SPACES;
    if (ts_yaml_is_own(node, "operator", with_type))
        word = ts_yaml_word(main_text);
    if (word) {
        yaml_text_key(w->out, word, indent, &is_first);
        ts_yaml_put_operands(w, node, indent + YAML_TEXT_SPACES);
        return true;
    }
    yaml_text_pair(w->out, (const char *)node->name, main_text, indent, &is_first);
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        OWN(freep) char *value = ts_node_attribute(node, (const char *)a->name);

        if (strcmp((const char *)a->name, main_name) != 0)
            yaml_text_pair(w->out, (const char *)a->name, value ? value : "", indent, &is_first);
    }
    yaml_text_key(w->out, "operands", indent, &is_first);
    ts_yaml_put_operands(w, node, indent + YAML_TEXT_SPACES);
    return true;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
void ts_yaml_put_operands(struct ts_yaml_writer *w, const xmlNode *list, unsigned indent)
{
    bool is_empty = !list->children;

    buf_adds(w->out, is_empty ? " []\n" : "\n");
    for (xmlNode *node = list->children; node && !is_empty; node = node->next) {
        if (ts_yaml_is_blank(node))
            continue;
        ts_yaml_put_space(w, list, node, indent);
        if (!put_short(w, node, indent) && !put_long(w, node, indent) &&
            !put_operator(w, node, indent))
            ts_yaml_put_other(w, node, indent);
    }
    if (!is_empty)
        ts_yaml_put_space(w, list, NULL, indent);
}
