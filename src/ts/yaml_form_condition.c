/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "ts/document.h"
#include "ts/yaml_form_reader.h"

static const char no_condition[] = "this is no condition";

/* The fields of an expression in its short form. */
struct fields {
    const char *texts[TS_YAML_FIELDS_MAX]; /* in the order of the form's table; NULL: it has none */
};

static size_t find_field(const struct ts_yaml_form *form, const char *name)
{
    size_t i = 0;

    while (i < TS_YAML_FIELDS_MAX && (!form->fields[i] || strcmp(form->fields[i], name) != 0))
        i++;
    return i;
}

static size_t find_key(const struct ts_yaml_form *form, const char *key)
{
    for (size_t i = 0; i < TS_YAML_FIELDS_MAX && form->fields[i]; i++) {
        char own[TS_YAML_FIELD_MAX];

        if (strcmp(form->fields[i], form->main_field) != 0 &&
            strcmp(ts_yaml_key_of_field(form->fields[i], own), key) == 0)
            return i;
    }
    return TS_YAML_FIELDS_MAX;
}

/* What stands behind the main field. Return: whether all of it is known. */
static bool read_fields(struct ts_yaml_reader *rd,
                        const struct ts_yaml_form *form,
                        const yaml_node_t *node,
                        struct fields *ret)
{
    const yaml_node_pair_t *first = node->data.mapping.pairs.start;

    *ret = (struct fields){.texts = {NULL}};
    ret->texts[find_field(form, form->main_field)] = ts_yaml_scalar(rd, first->value);
    for (const yaml_node_pair_t *pair = first + 1; pair < node->data.mapping.pairs.top; pair++) {
        const char *key = ts_yaml_scalar(rd, pair->key);
        size_t i = find_key(form, key);

        if (i == TS_YAML_FIELDS_MAX && form == ts_yaml_forms && ts_yaml_is_operator(key)) {
            size_t op = find_field(form, "Operator");

            if (ret->texts[op])
                return false;
            ret->texts[op] = key;
            i = find_field(form, "Value");
        }
        if (i == TS_YAML_FIELDS_MAX || ret->texts[i])
            return false;
        ret->texts[i] = ts_yaml_scalar(rd, pair->value);
    }
    return true;
}

static void add_field(struct ts_yaml_reader *rd,
                      xmlNode *expression,
                      const char *name,
                      const char *text,
                      const yaml_node_t *at)
{
    xmlNode *field = ts_yaml_add(rd, expression, "variable", at);

    if (!field)
        return;
    ts_yaml_set(rd, field, "name", name, NULL);
    ts_yaml_add_text(field, text);
}

/* Return: whether @key begins a short form. */
static bool
read_short(struct ts_yaml_reader *rd, xmlNode *list, const char *key, const yaml_node_t *node)
{
    const struct ts_yaml_form *form = ts_yaml_forms;
    struct fields fields;
    xmlNode *expression;

    while (form < ts_yaml_forms + TS_YAML_FORMS && strcmp(form->key, key) != 0)
        form++;
    if (form == ts_yaml_forms + TS_YAML_FORMS)
        return false;
    if (!read_fields(rd, form, node, &fields)) {
        ts_yaml_refuse(rd, node, no_condition);
        return true;
    }
    expression = ts_yaml_add(rd, list, "expression", node);
    if (!expression)
        return true;
    ts_yaml_set(rd, expression, "type", form->type, node);
    for (size_t i = 0; i < TS_YAML_FIELDS_MAX; i++) {
        const char *name = rd->orders.fields[form - ts_yaml_forms][i];
        size_t k = name ? find_field(form, name) : TS_YAML_FIELDS_MAX;

        if (k < TS_YAML_FIELDS_MAX && fields.texts[k])
            add_field(rd, expression, name, fields.texts[k], node);
    }
    return true;
}

/* "expression: TYPE", "fields: …" */
static void read_long(struct ts_yaml_reader *rd, xmlNode *list, const yaml_node_t *node)
{
    const yaml_node_pair_t *first = node->data.mapping.pairs.start;
    xmlNode *expression = ts_yaml_add(rd, list, "expression", node);

    if (!expression)
        return;
    ts_yaml_set(rd, expression, "type", ts_yaml_scalar(rd, first->value), node);
    if (first + 2 != node->data.mapping.pairs.top ||
        strcmp(ts_yaml_scalar(rd, first[1].key), "fields") != 0)
        ts_yaml_refuse(rd, node, "an expression has a type and fields");
    else
        ts_yaml_read_variables(rd, NULL, expression, first[1].value);
}

/* An element that holds operands: its attributes, and "operands: …" */
static void
read_operator(struct ts_yaml_reader *rd, xmlNode *list, const char *key, const yaml_node_t *node)
{
    xmlNode *element = ts_yaml_add(rd, list, key, node);

    for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         element && rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++) {
        const char *name = ts_yaml_scalar(rd, pair->key);

        if (pair == node->data.mapping.pairs.start)
            ts_yaml_set(
                rd, element, ts_yaml_main_attribute(key), ts_yaml_scalar(rd, pair->value), node);
        else if (strcmp(name, "operands") == 0)
            ts_yaml_read_operands(rd, element, pair->value);
        else
            ts_yaml_set(rd, element, name, ts_yaml_scalar(rd, pair->value), node);
    }
}

static void read_operand(struct ts_yaml_reader *rd, xmlNode *list, const yaml_node_t *node)
{
    const char *key = ts_yaml_first_key(rd, node);
    const yaml_node_pair_t *first = node->data.mapping.pairs.start;
    xmlNode *operator_node;

    if (ts_yaml_type(key)) {
        operator_node = ts_yaml_add(rd, list, "operator", node);
        if (operator_node && ts_yaml_is_alone(rd, node)) {
            ts_yaml_set(rd, operator_node, "type", ts_yaml_type(key), node);
            ts_yaml_read_operands(rd, operator_node, first->value);
        }
    } else if (strcmp(key, "expression") == 0) {
        read_long(rd, list, node);
    } else if (ts_yaml_main_attribute(key)) {
        read_operator(rd, list, key, node);
    } else if (ts_yaml_read_other(rd, list, key, first)) {
        (void)ts_yaml_is_alone(rd, node);
    } else if (!read_short(rd, list, key, node)) {
        ts_yaml_refuse(rd, node, no_condition);
    }
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
void ts_yaml_read_operands(struct ts_yaml_reader *rd, xmlNode *list, int number)
{
    yaml_node_t *node =
        ts_yaml_node_of(rd, number, YAML_SEQUENCE_NODE, "a list of conditions is wanted here");

    if (!node || !list)
        return;
    if (++rd->depth > TS_XML_MAX_DEPTH)
        ts_yaml_refuse(rd, node, "it is nested too deep");
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         rd->r == 0 && item < node->data.sequence.items.top;
         item++) {
        yaml_node_t *one =
            ts_yaml_node_of(rd, *item, YAML_MAPPING_NODE, "a condition is a mapping");

        if (one)
            read_operand(rd, list, one);
    }
    rd->depth--;
}

/* Names with blanks between them. Return: whether they are those of the form, each once. */
static bool
read_order(const struct ts_yaml_form *form, const char *text, const char *ret[TS_YAML_FIELDS_MAX])
{
    size_t n = 0;
    size_t n_form = 0;

    while (n_form < TS_YAML_FIELDS_MAX && form->fields[n_form])
        n_form++;
    for (; *text; text += strspn(text, " ")) {
        size_t len = strcspn(text, " ");
        size_t i = 0;

        while (i < n_form &&
               (strncmp(form->fields[i], text, len) != 0 || form->fields[i][len] != '\0'))
            i++;
        for (size_t k = 0; k < n && i < n_form; k++)
            if (ret[k] == form->fields[i])
                return false;
        if (i == n_form)
            return false;
        ret[n++] = form->fields[i];
        text += len;
    }
    return n == n_form;
}

void ts_yaml_read_orders(struct ts_yaml_reader *rd, int number)
{
    static const char why[] = "the order of fields names each field of a condition once";
    yaml_node_t *node = ts_yaml_node_of(rd, number, YAML_MAPPING_NODE, why);

    if (!node)
        return;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++) {
        const char *key = ts_yaml_scalar(rd, pair->key);
        const char *order = ts_yaml_scalar(rd, pair->value);
        size_t i = 0;

        while (i < TS_YAML_FORMS && strcmp(ts_yaml_forms[i].key, key) != 0)
            i++;
        if (i == TS_YAML_FORMS || !read_order(&ts_yaml_forms[i], order, rd->orders.fields[i]))
            ts_yaml_refuse(rd, node, why);
    }
}
