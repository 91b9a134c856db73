/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition_text.h"

#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/secret_names.h"
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

/* Whether the agent knows this type of expression (condition_leaf.c). */
static bool is_known(const char *type)
{
    static const char *const kinds[] = {"Variable",
                                        "WMI",
                                        "File",
                                        "Folder",
                                        "Registry",
                                        "Software",
                                        "OS",
                                        "MakeModel",
                                        "Computer",
                                        "Location"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (is_kind(type, kinds[i]))
            return true;
    return false;
}

/* Who is told. */
struct telling {
    const struct ts_secret_names *names;
    bool is_masked; /* what is compared with a secret variable is "***" */
};

static bool is_masked(const struct telling *telling, const xmlNode *expression)
{
    const xmlNode *value =
        telling->is_masked ? ts_secret_compared(telling->names, expression) : NULL;
    OWN(freep) char *text = value ? ts_node_text(value) : NULL;

    return value && (!text || text[0] != '\0');
}

static void put_variable(const struct telling *telling, const xmlNode *node, struct buf *ret)
{
    OWN(buf_fini) struct buf op = BUF_INIT(FIELD_MAX_BYTES);

    put_field(node, "Operator", &op);
    put_field(node, "Variable", ret);
    buf_addf(ret, " %s", buf_str(&op));
    if (strcmp(buf_str(&op), "exists") == 0 || strcmp(buf_str(&op), "notExists") == 0)
        return;
    buf_adds(ret, " ");
    if (is_masked(telling, node))
        buf_adds(ret, "\"***\"");
    else
        put_quoted(node, "Value", ret);
}

/* All fields, in their order. */
static void put_fields(const struct telling *telling, const xmlNode *expression, struct buf *ret)
{
    const char *between = "";
    bool hides_values = is_masked(telling, expression);

    buf_adds(ret, " (");
    for (const xmlNode *node = expression->children; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;
        OWN(freep) char *text = name ? ts_node_text(node) : NULL;

        if (!text)
            continue;
        buf_addf(ret, "%s%s \"", between, name);
        buf_adds(ret, hides_values && bytes_eq_nocase(bytes_of(name), "Value") ? "***" : text);
        buf_adds(ret, "\"");
        between = ", ";
    }
    buf_adds(ret, ")");
}

static void put_expression(const struct telling *telling, const xmlNode *node, struct buf *ret)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");

    if (!type)
        return;
    if (is_kind(type, "Variable")) {
        put_variable(telling, node, ret);
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
    else if (is_known(type))
        buf_adds(ret, type);
    else
        buf_addf(ret, "unknown expression \"%s\"", type);
    put_fields(telling, node, ret);
}

/* What stands between the operands of an element; NULL: nobody knows what it means. As src/ts/document.c reads it. */
static const char *find_word(const xmlNode *node)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");

    if (!type)
        return NULL;
    if (bytes_eq_nocase(bytes_of(type), "or") || bytes_eq_nocase(bytes_of(type), "not"))
        return " or ";
    if (type[0] == '\0' && ts_node_is(node, "osConditionGroup"))
        return " or ";
    if (bytes_eq_nocase(bytes_of(type), "and") || ts_node_is(node, "condition") ||
        (type[0] == '\0' && ts_node_is(node, "osExpressionGroup")))
        return " and ";
    return NULL;
}

static bool is_not(const xmlNode *node)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");

    return type && bytes_eq_nocase(bytes_of(type), "not");
}

static size_t count_elements(const xmlNode *node)
{
    size_t n = 0;

    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next))
        n++;
    return n;
}

static void
put_operands(const struct telling *telling, const xmlNode *node, const char *word, struct buf *ret);

/* As it is written: the operator, or the element with its attributes, and what is in it. */
static void put_unknown(const struct telling *telling, const xmlNode *node, struct buf *ret)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");
    OWN(freep) char *text = ts_node_text(node);

    if (ts_node_is(node, "operator")) {
        buf_addf(ret, "unknown operator \"%s\" (", type ? type : "");
    } else {
        buf_addf(ret, "unknown <%s", (const char *)node->name);
        for (const xmlAttr *a = node->properties; a; a = a->next) {
            OWN(freep) char *value = ts_node_attribute(node, (const char *)a->name);

            buf_addf(ret, " %s=\"%s\"", (const char *)a->name, value ? value : "");
        }
        buf_adds(ret, "> (");
    }
    if (ts_node_element(node->children))
        put_operands(telling, node, ", ", ret);
    else
        buf_adds(ret, text ? text : "");
    buf_adds(ret, ")");
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void put_operand(const struct telling *telling, const xmlNode *node, struct buf *ret)
{
    const char *word = find_word(node);
    OWN(freep) char *name = ts_node_attribute(node, "name");

    if (ts_node_is(node, "expression")) {
        put_expression(telling, node, ret);
    } else if (!word) {
        put_unknown(telling, node, ret);
    } else if (ts_node_is(node, "osExpressionGroup") && name && name[0] != '\0') {
        buf_addf(ret, "OS is \"%s\"", name);
    } else {
        buf_adds(ret, is_not(node) ? "none of (" : "(");
        put_operands(telling, node, word, ret);
        buf_adds(ret, ")");
    }
}

static void
put_operands(const struct telling *telling, const xmlNode *node, const char *word, struct buf *ret)
{
    const char *between = "";

    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        buf_adds(ret, between);
        put_operand(telling, child, ret);
        between = word;
    }
}

static void put(const struct telling *telling, const xmlNode *condition, struct buf *ret)
{
    xmlNode *only = condition ? ts_node_element(condition->children) : NULL;

    if (!condition)
        return;
    /* one operator over everything is what the editor writes: no parentheses around it all */
    if (is_not(condition))
        put_operand(telling, condition, ret);
    else if (only && count_elements(condition) == 1 && ts_node_is(only, "operator") &&
             !is_not(only) && find_word(only))
        put_operands(telling, only, find_word(only), ret);
    else
        put_operands(telling, condition, find_word(condition), ret);
}

void ts_condition_text(const xmlNode *condition, struct buf *ret)
{
    put(&(struct telling){0}, condition, ret);
}

void ts_condition_shown(const xmlNode *condition,
                        const struct ts_secret_names *names,
                        struct buf *ret)
{
    put(&(struct telling){.names = names, .is_masked = true}, condition, ret);
}
