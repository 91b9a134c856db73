/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition_text.h"

#include <string.h>

#include "base/own.h"
#include "ts/tree.h"

enum {
    FIELD_MAX_BYTES = 64 * 1024,
};

static void put_field(const xmlNode *expression, const char *wanted, struct buf *ret)
{
    for (const xmlNode *node = expression->children; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;

        if (!name || !bytes_eq_nocase(bytes_of(name), wanted))
            continue;

        OWN(freep) char *text = ts_node_text(node);

        buf_adds(ret, text ? text : "");
        return;
    }
}

static void put_quoted(const xmlNode *expression, const char *wanted, struct buf *ret)
{
    buf_adds(ret, "\"");
    put_field(expression, wanted, ret);
    buf_adds(ret, "\"");
}

/* "like", from "SMS_TaskSequence_FileConditionExpression": "File" */
static bool is_kind(const char *type, const char *kind)
{
    static const char head[] = "SMS_TaskSequence_";
    size_t len = strlen(kind);

    if (strncmp(type, head, sizeof(head) - 1) == 0)
        type += sizeof(head) - 1;
    return strncmp(type, kind, len) == 0 && strcmp(type + len, "ConditionExpression") == 0;
}

static void put_variable(const xmlNode *node, struct buf *ret)
{
    OWN(buf_fini) struct buf op = BUF_INIT(FIELD_MAX_BYTES);

    put_field(node, "Operator", &op);
    put_field(node, "Variable", ret);
    buf_addf(ret, " %s", buf_str(&op));
    if (strcmp(buf_str(&op), "exists") == 0 || strcmp(buf_str(&op), "notExists") == 0)
        return;
    buf_adds(ret, " ");
    put_quoted(node, "Value", ret);
}

/* All fields, in their order. */
static void put_fields(const xmlNode *expression, struct buf *ret)
{
    const char *between = "";

    buf_adds(ret, " (");
    for (const xmlNode *node = expression->children; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;
        OWN(freep) char *text = name ? ts_node_text(node) : NULL;

        if (!text)
            continue;
        buf_addf(ret, "%s%s \"", between, name);
        buf_adds(ret, text);
        buf_adds(ret, "\"");
        between = ", ";
    }
    buf_adds(ret, ")");
}

static void put_expression(const xmlNode *node, struct buf *ret)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");

    if (!type)
        return;
    if (is_kind(type, "Variable")) {
        put_variable(node, ret);
        return;
    }
    if (is_kind(type, "WMI")) {
        buf_adds(ret, "WMI ");
        put_quoted(node, "Query", ret);
        return;
    }
    if (is_kind(type, "File"))
        buf_adds(ret, "file");
    else if (is_kind(type, "Folder"))
        buf_adds(ret, "folder");
    else if (is_kind(type, "Registry"))
        buf_adds(ret, "registry");
    else if (is_kind(type, "Software"))
        buf_adds(ret, "software");
    else
        buf_adds(ret, type);
    put_fields(node, ret);
}

static bool has_type(const xmlNode *node, const char *wanted)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");

    return type && strcmp(type, wanted) == 0;
}

static size_t count_elements(const xmlNode *node)
{
    size_t n = 0;

    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next))
        n++;
    return n;
}

static void put_operands(const xmlNode *node, const char *word, struct buf *ret);

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void put_operand(const xmlNode *node, struct buf *ret)
{
    bool is_not = has_type(node, "not");

    if (ts_node_is(node, "expression")) {
        put_expression(node, ret);
        return;
    }
    if (ts_node_is(node, "osExpressionGroup")) {
        OWN(freep) char *name = ts_node_attribute(node, "name");

        buf_addf(ret, "OS is \"%s\"", name ? name : "");
        return;
    }
    buf_adds(ret, is_not ? "none of (" : "(");
    put_operands(node, is_not || has_type(node, "or") ? " or " : " and ", ret);
    buf_adds(ret, ")");
}

static void put_operands(const xmlNode *node, const char *word, struct buf *ret)
{
    const char *between = "";

    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        buf_adds(ret, between);
        put_operand(child, ret);
        between = word;
    }
}

void ts_condition_text(const xmlNode *condition, struct buf *ret)
{
    xmlNode *only = condition ? ts_node_element(condition->children) : NULL;

    /* one operator over everything is what the editor writes: no parentheses around it all */
    if (only && count_elements(condition) == 1 && ts_node_is(only, "operator") &&
        !has_type(only, "not"))
        put_operands(only, has_type(only, "or") ? " or " : " and ", ret);
    else if (condition)
        put_operands(condition, " and ", ret);
}
