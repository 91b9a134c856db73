/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libxml/tree.h>
#include <yaml.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/tree.h"
#include "ts/xml.h"
#include "ts/yaml_form_parts.h"

#define EXPRESSION(name) "SMS_TaskSequence_" name "ConditionExpression"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);

const struct ts_yaml_form ts_yaml_forms[] = {
    {EXPRESSION("Variable"), "variable", 3, "Variable", 2, "Value", 1, NULL, true},
    {EXPRESSION("WMI"), "wmi", 2, "Query", 1, "Namespace", 0, "namespace", false},
    {EXPRESSION("File"), "file", 1, "Path", 0, NULL, 0, NULL, false},
    {EXPRESSION("Folder"), "folder", 1, "Path", 0, NULL, 0, NULL, false},
};
const size_t ts_yaml_n_forms = sizeof(ts_yaml_forms) / sizeof(ts_yaml_forms[0]);

static const char *const words[][2] = {{"and", "all"}, {"or", "any"}, {"not", "none"}};

const char *ts_yaml_word(const char *type)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i][0], type) == 0)
            return words[i][1];
    return NULL;
}

const char *ts_yaml_type(const char *word)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i][1], word) == 0)
            return words[i][0];
    return NULL;
}

bool ts_yaml_is_operator(const char *name)
{
    static const char *const operators[] = {"exists",
                                            "notExists",
                                            "equals",
                                            "notEquals",
                                            "greater",
                                            "greaterEqual",
                                            "less",
                                            "lessEqual",
                                            "like",
                                            "notLike"};

    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (strcmp(operators[i], name) == 0)
            return true;
    return false;
}

bool ts_yaml_is_key(const char *name)
{
    static const char *const keys[] = {"condition",
                                       "action",
                                       "variables",
                                       "globals",
                                       "references",
                                       "steps",
                                       "xml",
                                       "group",
                                       "step",
                                       "subtasksequence",
                                       "sequence",
                                       "indentation"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i], name) == 0)
            return true;
    return false;
}

void ts_yaml_usual(const struct ts_step_type *type, const char *name, struct ts_yaml_usual *ret)
{
    const struct ts_property *p = ts_property_find(type, name);
    const char *digits = name + strcspn(name, "0123456789");
    size_t n = strspn(digits, "0123456789");
    const char *number = p ? strchr(p->name, '#') : NULL;

    *ret = (struct ts_yaml_usual){.is_hidden = p && p->is_hidden};
    if (p && number)
        (void)snprintf(ret->property,
                       sizeof(ret->property),
                       "%.*s%.*s%s",
                       (int)(number - p->name),
                       p->name,
                       (int)n,
                       digits,
                       number + 1);
    else if (p)
        (void)snprintf(ret->property, sizeof(ret->property), "%s", p->name);
}

struct reader {
    yaml_document_t *yaml;
    struct ts_diags *diags;
    size_t n_nodes;
    unsigned depth;
    int r; /* the first outcome that is not 0 */
};

static void refuse(struct reader *rd, const yaml_node_t *node, const char *why)
{
    if (rd->r == 0)
        ts_diags_add(rd->diags,
                     TS_ERROR,
                     node ? (unsigned)node->start_mark.line + 1 : 0,
                     node ? (unsigned)node->start_mark.column + 1 : 0,
                     "%s",
                     why);
    rd->r = rd->r ? rd->r : TS_E_MALFORMED;
}

/* The node with this number, once more counted: aliases let one be met often. NULL over the limit. */
static yaml_node_t *node_at(struct reader *rd, int number)
{
    yaml_node_t *node = yaml_document_get_node(rd->yaml, number);

    if (++rd->n_nodes > TS_XML_MAX_NODES || !node) {
        refuse(rd, node, "there is too much in it");
        return NULL;
    }
    return node;
}

/* Text of a scalar; "" and a refusal if it is none. Borrowed. */
static const char *text_at(struct reader *rd, int number)
{
    yaml_node_t *node = node_at(rd, number);

    if (node && (node->type != YAML_SCALAR_NODE ||
                 strlen((const char *)node->data.scalar.value) != node->data.scalar.length))
        refuse(rd, node, "a text is wanted here");
    return node && node->type == YAML_SCALAR_NODE ? (const char *)node->data.scalar.value : "";
}

static bool is_valid_name(const char *name)
{
    return xmlValidateNCName((const xmlChar *)name, 0) == 0;
}

static void
set(struct reader *rd, xmlNode *node, const char *name, const char *value, const yaml_node_t *at)
{
    if (!is_valid_name(name))
        refuse(rd, at, "this cannot be the name of an attribute");
    else if (!xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value))
        rd->r = rd->r ? rd->r : ERR(-ENOMEM);
}

static xmlNode *add(struct reader *rd, xmlNode *parent, const char *name)
{
    xmlNode *node = xmlNewChild(parent, NULL, (const xmlChar *)name, NULL);

    if (!node && rd->r == 0)
        rd->r = ERR(-ENOMEM);
    return node;
}

static void add_text(xmlNode *node, const char *text)
{
    if (node)
        xmlNodeAddContent(node, (const xmlChar *)text);
}

/* XML as it is: one element, comment or instruction. */
static void add_xml(struct reader *rd, xmlNode *parent, const char *text, const yaml_node_t *at)
{
    OWN(buf_fini) struct buf wrapped = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    int r;

    buf_adds(&wrapped, "<x>");
    buf_adds(&wrapped, text);
    buf_adds(&wrapped, "</x>");
    if (wrapped.failed) {
        refuse(rd, at, "there is too much in it");
        return;
    }
    r = ts_xml_parse(buf_bytes(&wrapped), &xml, rd->diags);
    if (r != 0) {
        rd->r = rd->r ? rd->r : r;
        return;
    }
    for (xmlNode *node = xmlDocGetRootElement(xml)->children; node; node = node->next) {
        xmlNode *copy = xmlDocCopyNode(node, parent->doc, 1);

        if (!copy || !xmlAddChild(parent, copy))
            rd->r = rd->r ? rd->r : ERR(-ENOMEM);
    }
}

static bool is_a(struct reader *rd, const yaml_node_t *node, yaml_node_type_t type, const char *why)
{
    if (node && node->type == type)
        return true;
    refuse(rd, node, why);
    return false;
}

static void read_variable(struct reader *rd,
                          const struct ts_step_type *type,
                          xmlNode *list,
                          yaml_node_pair_t *pair)
{
    const char *name = text_at(rd, pair->key);
    yaml_node_t *value = node_at(rd, pair->value);
    xmlNode *variable = value ? add(rd, list, "variable") : NULL;
    struct ts_yaml_usual usual;

    if (!variable)
        return;
    set(rd, variable, "name", name, value);
    if (value->type == YAML_SCALAR_NODE) {
        ts_yaml_usual(type, name, &usual);
        if (usual.property[0])
            set(rd, variable, "property", usual.property, value);
        if (usual.is_hidden)
            set(rd, variable, "hidden", "true", value);
        add_text(variable, text_at(rd, pair->value));
        return;
    }
    if (!is_a(rd, value, YAML_MAPPING_NODE, "a text or a mapping is wanted here"))
        return;
    for (yaml_node_pair_t *p = value->data.mapping.pairs.start;
         rd->r == 0 && p < value->data.mapping.pairs.top;
         p++) {
        const char *key = text_at(rd, p->key);

        if (strcmp(key, "text") == 0)
            add_text(variable, text_at(rd, p->value));
        else
            set(rd, variable, key, text_at(rd, p->value), value);
    }
}

static void
read_variables(struct reader *rd, const struct ts_step_type *type, xmlNode *list, int number)
{
    yaml_node_t *node = node_at(rd, number);

    if (!is_a(rd, node, YAML_MAPPING_NODE, "a mapping of variables is wanted here"))
        return;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++)
        read_variable(rd, type, list, pair);
}

static void read_references(struct reader *rd, xmlNode *list, int number)
{
    yaml_node_t *node = node_at(rd, number);

    if (!is_a(rd, node, YAML_SEQUENCE_NODE, "a list of references is wanted here"))
        return;
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         rd->r == 0 && item < node->data.sequence.items.top;
         item++) {
        yaml_node_t *one = node_at(rd, *item);
        xmlNode *reference = add(rd, list, "reference");

        if (!reference || !is_a(rd, one, YAML_MAPPING_NODE, "a reference is a mapping"))
            return;
        for (yaml_node_pair_t *pair = one->data.mapping.pairs.start;
             rd->r == 0 && pair < one->data.mapping.pairs.top;
             pair++)
            set(rd, reference, text_at(rd, pair->key), text_at(rd, pair->value), one);
    }
}

static void add_field(struct reader *rd, xmlNode *expression, const char *name, const char *text)
{
    xmlNode *field = add(rd, expression, "variable");

    if (!field)
        return;
    set(rd, field, "name", name, NULL);
    add_text(field, text);
}

static void read_expression(struct reader *rd, xmlNode *list, const yaml_node_t *node)
{
    yaml_node_pair_t *pairs = node->data.mapping.pairs.start;
    const size_t n = (size_t)(node->data.mapping.pairs.top - pairs);
    const char *key = text_at(rd, pairs[0].key);

    for (size_t i = 0; i < ts_yaml_n_forms; i++) {
        const struct ts_yaml_form *form = &ts_yaml_forms[i];
        const char *main_text = text_at(rd, pairs[0].value);
        const char *second_key = n > 1 ? text_at(rd, pairs[1].key) : "";
        const char *second = n > 1 ? text_at(rd, pairs[1].value) : "";
        xmlNode *expression;

        if (strcmp(form->key, key) != 0)
            continue;
        if (n != (form->second_field ? 2U : 1U) ||
            (form->has_operator ? !ts_yaml_is_operator(second_key)
                                : form->second_key && strcmp(form->second_key, second_key) != 0))
            break;
        expression = add(rd, list, "expression");
        if (!expression)
            return;
        set(rd, expression, "type", form->type, node);
        for (size_t k = 0; k < form->n_fields; k++) {
            if (k == form->main_at)
                add_field(rd, expression, form->main_field, main_text);
            else if (form->second_field && k == form->second_at)
                add_field(rd, expression, form->second_field, second);
            else
                add_field(rd, expression, "Operator", second_key);
        }
        return;
    }
    refuse(rd, node, "this is no condition");
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void read_operands(struct reader *rd, xmlNode *list, int number)
{
    yaml_node_t *node = node_at(rd, number);

    if (!is_a(rd, node, YAML_SEQUENCE_NODE, "a list of conditions is wanted here"))
        return;
    if (++rd->depth > TS_XML_MAX_DEPTH)
        refuse(rd, node, "it is nested too deep");
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         rd->r == 0 && item < node->data.sequence.items.top;
         item++) {
        yaml_node_t *one = node_at(rd, *item);
        const char *key;

        if (!is_a(rd, one, YAML_MAPPING_NODE, "a condition is a mapping") ||
            one->data.mapping.pairs.start == one->data.mapping.pairs.top) {
            refuse(rd, one, "a condition is a mapping");
            break;
        }
        key = text_at(rd, one->data.mapping.pairs.start->key);
        if (strcmp(key, "xml") == 0) {
            add_xml(rd, list, text_at(rd, one->data.mapping.pairs.start->value), one);
        } else if (ts_yaml_type(key)) {
            xmlNode *operator_node = add(rd, list, "operator");

            if (operator_node) {
                set(rd, operator_node, "type", ts_yaml_type(key), one);
                read_operands(rd, operator_node, one->data.mapping.pairs.start->value);
            }
        } else {
            read_expression(rd, list, one);
        }
    }
    rd->depth--;
}

static void read_steps(struct reader *rd, xmlNode *parent, int number);

/* What follows the first pair of a group, step or sequence. */
static void read_parts(struct reader *rd, xmlNode *element, const yaml_node_t *node)
{
    const struct ts_step_type *type = NULL;

    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++) {
        const char *key = text_at(rd, pair->key);

        if (pair == node->data.mapping.pairs.start || strcmp(key, "indentation") == 0)
            continue;
        if (strcmp(key, "condition") == 0)
            read_operands(rd, add(rd, element, "condition"), pair->value);
        else if (strcmp(key, "action") == 0)
            add_text(add(rd, element, "action"), text_at(rd, pair->value));
        else if (strcmp(key, "variables") == 0)
            read_variables(rd, type, add(rd, element, "defaultVarList"), pair->value);
        else if (strcmp(key, "globals") == 0)
            read_variables(rd, NULL, add(rd, element, "globalVarList"), pair->value);
        else if (strcmp(key, "references") == 0)
            read_references(rd, add(rd, element, "referenceList"), pair->value);
        else if (strcmp(key, "steps") == 0)
            read_steps(rd, element, pair->value);
        else
            set(rd, element, key, text_at(rd, pair->value), node);
        if (strcmp(key, "type") == 0)
            type = ts_step_type_find(text_at(rd, pair->value));
    }
}

static void read_item(struct reader *rd, xmlNode *parent, int number)
{
    yaml_node_t *node = node_at(rd, number);
    yaml_node_pair_t *first;
    const char *key;
    xmlNode *element;

    if (!is_a(rd, node, YAML_MAPPING_NODE, "a group or step is a mapping"))
        return;
    first = node->data.mapping.pairs.start;
    key = first < node->data.mapping.pairs.top ? text_at(rd, first->key) : "";
    if (strcmp(key, "xml") == 0) {
        add_xml(rd, parent, text_at(rd, first->value), node);
        return;
    }
    if (strcmp(key, "group") != 0 && strcmp(key, "step") != 0 &&
        strcmp(key, "subtasksequence") != 0) {
        refuse(rd, node, "group, step or subtasksequence must come first");
        return;
    }
    element = add(rd, parent, key);
    if (!element)
        return;
    /* in the order that the editors write attributes */
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++)
        if (strcmp(text_at(rd, pair->key), "type") == 0)
            set(rd, element, "type", text_at(rd, pair->value), node);
    set(rd, element, "name", text_at(rd, first->value), node);
    read_parts(rd, element, node);
}

static void read_steps(struct reader *rd, xmlNode *parent, int number)
{
    yaml_node_t *node = node_at(rd, number);

    if (!is_a(rd, node, YAML_SEQUENCE_NODE, "a list of groups and steps is wanted here"))
        return;
    if (++rd->depth > TS_XML_MAX_DEPTH)
        refuse(rd, node, "it is nested too deep");
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         rd->r == 0 && item < node->data.sequence.items.top;
         item++)
        read_item(rd, parent, *item);
    rd->depth--;
}

static void add_space(xmlNode *before, xmlNode *parent, const char *indent, unsigned depth)
{
    OWN(buf_fini) struct buf space = BUF_INIT(4096);
    xmlNode *text;

    buf_adds(&space, "\n");
    for (unsigned i = 0; i < depth; i++)
        buf_adds(&space, indent);
    text = xmlNewText((const xmlChar *)buf_str(&space));
    if (before)
        (void)xmlAddPrevSibling(before, text);
    else
        (void)xmlAddChild(parent, text);
}

/* Lines and indentation between elements. The depth is bounded by TS_XML_MAX_DEPTH. */
static void lay_out(xmlNode *node, const char *indent, unsigned depth)
{
    xmlNode *next;

    if (!node->children || node->children->type == XML_TEXT_NODE)
        return;
    for (xmlNode *child = node->children; child; child = next) {
        next = child->next;
        if (child->type == XML_ELEMENT_NODE)
            lay_out(child, indent, depth + 1);
        add_space(child, node, indent, depth);
    }
    add_space(NULL, node, indent, depth - 1);
}

static const char *find_indent(struct reader *rd, const yaml_node_t *root)
{
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         rd->r == 0 && pair < root->data.mapping.pairs.top;
         pair++)
        if (strcmp(text_at(rd, pair->key), "indentation") == 0)
            return text_at(rd, pair->value);
    return NULL;
}

static bool is_indent(const char *text)
{
    return strlen(text) <= 16 && text[strspn(text, " \t")] == '\0';
}

static int build(struct reader *rd, const yaml_node_t *root, struct ts_document **ret)
{
    OWN(xmlFreeDocp) xmlDoc *xml = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *sequence = xml ? xmlNewNode(NULL, (const xmlChar *)"sequence") : NULL;
    xmlChar *text = NULL;
    int size = 0;
    const char *indent;
    int r;

    if (!sequence)
        return ERR(-ENOMEM);
    (void)xmlDocSetRootElement(xml, sequence);
    set(rd, sequence, "version", text_at(rd, root->data.mapping.pairs.start->value), root);
    read_parts(rd, sequence, root);
    indent = find_indent(rd, root);
    if (indent && !is_indent(indent))
        refuse(rd, root, "indentation is blanks or tabs, at most 16");
    if (rd->r != 0)
        return rd->r;
    if (indent)
        lay_out(sequence, indent, 1);
    xmlDocDumpFormatMemoryEnc(xml, &text, &size, "UTF-8", 0);
    if (!text)
        return ERR(-ENOMEM);
    r = ts_document_parse((struct bytes){text, (size_t)size}, ret, rd->diags);
    xmlFree(text);
    return TRACE(r);
}

static int read_yaml(struct reader *rd, struct ts_document **ret)
{
    yaml_node_t *root = yaml_document_get_root_node(rd->yaml);
    const char *key;

    if (!root || root->type != YAML_MAPPING_NODE ||
        root->data.mapping.pairs.start == root->data.mapping.pairs.top) {
        refuse(rd, root, "a task sequence begins with \"sequence:\" and its version");
        return TS_E_MALFORMED;
    }
    key = text_at(rd, root->data.mapping.pairs.start->key);
    if (strcmp(key, "xml") == 0)
        return TRACE(ts_document_parse(
            bytes_of(text_at(rd, root->data.mapping.pairs.start->value)), ret, rd->diags));
    if (strcmp(key, "sequence") != 0) {
        refuse(rd, root, "a task sequence begins with \"sequence:\" and its version");
        return TS_E_MALFORMED;
    }
    return TRACE(build(rd, root, ret));
}

int ts_yaml_parse(struct bytes text, struct ts_document **ret, struct ts_diags *diags)
{
    yaml_parser_t parser;
    yaml_document_t yaml;
    struct reader rd = {.yaml = &yaml, .diags = diags};
    int r = TS_E_MALFORMED;

    if (text.len > TS_YAML_MAX_BYTES) {
        ts_diags_add(diags, TS_ERROR, 0, 0, "it is larger than %d bytes", (int)TS_YAML_MAX_BYTES);
        return TS_E_MALFORMED;
    }
    if (!yaml_parser_initialize(&parser))
        return ERR(-ENOMEM);
    yaml_parser_set_input_string(&parser, text.ptr, text.len);
    if (yaml_parser_load(&parser, &yaml)) {
        r = read_yaml(&rd, ret);
        yaml_document_delete(&yaml);
    } else if (parser.error == YAML_MEMORY_ERROR) {
        r = ERR(-ENOMEM);
    } else {
        ts_diags_add(diags,
                     TS_ERROR,
                     (unsigned)parser.problem_mark.line + 1,
                     (unsigned)parser.problem_mark.column + 1,
                     "not YAML: %.200s",
                     parser.problem ? parser.problem : "");
    }
    yaml_parser_delete(&parser);
    return TRACE(r);
}
