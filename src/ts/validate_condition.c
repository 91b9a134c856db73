/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Conditions: each expression against a table of what its fields may be, and what no Linux answers
 */

#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/compare.h"
#include "ts/condition.h"
#include "ts/validate_parts.h"
#include "ts/vars.h"
#include "ts/wql.h"

DEFINE_FREEP(struct ts_query *, ts_query_free);

enum {
    QUERY_MAX = 16384,    /* characters of a WMI query */
    VALUE_NAME_MAX = 250, /* of a value in the registry */
    NO_LIMIT = 32767,
    WHY_MAX_BYTES = 512,
};

#define TYPE(name) "SMS_TaskSequence_" name "ConditionExpression"
#define ORDERS     "equals|notEquals|greater|greaterEqual|less|lessEqual"
#define OPERATORS  "exists|notExists|" ORDERS

enum kind {
    KIND_TEXT,
    KIND_CHOICE,
    KIND_VARIABLE, /* the name of one */
    KIND_VERSION,
    KIND_DATE,
    KIND_QUERY,
};

static const struct field {
    const char *type;
    const char *name;
    const char *words; /* "path": what it is, for people */
    enum kind kind;
    bool is_required;
    const char *choices; /* of KIND_CHOICE */
    size_t max;          /* characters */
} fields[] = {
    {TYPE("Variable"), "Variable", "variable", KIND_VARIABLE, true, NULL, TS_VARIABLE_NAME_MAX},
    {TYPE("Variable"), "Operator", "operator", KIND_CHOICE, true, OPERATORS "|like|notLike", 0},
    {TYPE("WMI"), "Query", "WMI query", KIND_QUERY, true, NULL, QUERY_MAX},
    {TYPE("File"), "Path", "path of a file", KIND_TEXT, true, NULL, NO_LIMIT},
    {TYPE("File"), "Version", "version of a file", KIND_VERSION, false, NULL, 0},
    {TYPE("File"), "VersionOperator", "operator", KIND_CHOICE, false, ORDERS, 0},
    {TYPE("File"), "DateTime", "time stamp of a file", KIND_DATE, false, NULL, 0},
    {TYPE("File"), "DateTimeOperator", "operator", KIND_CHOICE, false, ORDERS, 0},
    {TYPE("Folder"), "Path", "path of a folder", KIND_TEXT, true, NULL, NO_LIMIT},
    {TYPE("Folder"), "DateTime", "time stamp of a folder", KIND_DATE, false, NULL, 0},
    {TYPE("Folder"), "DateTimeOperator", "operator", KIND_CHOICE, false, ORDERS, 0},
    {TYPE("Registry"), "KeyPath", "key of the registry", KIND_TEXT, true, NULL, NO_LIMIT},
    {TYPE("Registry"), "Operator", "operator", KIND_CHOICE, true, OPERATORS, 0},
    {TYPE("Registry"), "Value", "value of the registry", KIND_TEXT, false, NULL, VALUE_NAME_MAX},
    {TYPE("Registry"),
     "Type",
     "type of a value",
     KIND_CHOICE,
     false,
     "REG_BINARY|REG_DWORD|REG_EXPAND_SZ|REG_MULTI_SZ|REG_NONE|REG_QWORD|REG_SZ",
     0},
    {TYPE("Software"), "Operator", "operator", KIND_CHOICE, false, "AnyVersion|ThisVersion", 0},
    {TYPE("OS"), "Version", "version of an operating system", KIND_VERSION, false, NULL, 0},
    {TYPE("OS"), "Operator", "operator", KIND_CHOICE, false, ORDERS, 0},
};

static char *text_of(const xmlNode *expression, const char *name)
{
    for (const xmlNode *node = expression->children; node; node = node->next) {
        if (!ts_node_is(node, "variable"))
            continue;

        OWN(freep) char *own_name = ts_node_attribute(node, "name");

        if (own_name && bytes_eq_nocase(bytes_of(own_name), name))
            return ts_node_text(node);
    }
    return ts_copy("");
}

static void report(const struct ts_check *c,
                   int item,
                   enum ts_severity severity,
                   const struct field *field,
                   const char *text,
                   const char *why)
{
    ts_check_report(c,
                    item,
                    severity,
                    "SLW-0185",
                    "its condition has the %s \"%.128s\": %s; correct it",
                    field->words,
                    text,
                    why);
}

/* Syntax only: whether anybody fills the class is another question. What cannot be asked is false, and no reason to run nothing. */
static void
check_query(const struct ts_check *c, int item, const struct field *field, const char *text)
{
    OWN(ts_query_freep) struct ts_query *query = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);

    if (ts_query_parse(text, &query, &why) == TS_WQL_E_MALFORMED)
        report(c, item, TS_WARNING, field, text, buf_str(&why));
}

static void
check_form(const struct ts_check *c, int item, const struct field *field, const char *text)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int64_t date;
    int order;

    if (field->kind == KIND_QUERY) {
        check_query(c, item, field, text);
    } else if (field->kind == KIND_CHOICE && !ts_check_is_one_of(text, field->choices)) {
        buf_addf(&why, "known are %s", field->choices);
        report(c, item, TS_ERROR, field, text, buf_str(&why));
    } else if (field->kind == KIND_VARIABLE && !ts_vars_is_name(text, TS_BY_ENGINE)) {
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0172",
            "its condition: \"%.64s\" is not the name of a variable; names have letters, "
            "digits, '_' and '-' and begin with a letter",
            text);
    } else if (field->kind == KIND_VERSION && !ts_compare_versions(text, "0", &order)) {
        report(c, item, TS_ERROR, field, text, "a version is written like 10.0.16299");
    } else if (field->kind == KIND_DATE && !ts_parse_date(text, &date)) {
        report(c,
               item,
               TS_ERROR,
               field,
               text,
               "a time is written like 2024-01-02T03:04:05Z or 20240102030405.000000+000");
    }
}

static void
check_field(const struct ts_check *c, int item, const xmlNode *node, const struct field *field)
{
    OWN(freep) char *text = text_of(node, field->name);
    size_t n = text ? text_count_characters(text) : 0;

    if (!text)
        return; /* without memory what follows fails */
    if (n == 0 && field->is_required)
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0185",
                        "its condition has no %s (%s); give it one",
                        field->words,
                        field->name);
    else if (field->max > 0 && n > field->max)
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0185",
                        "its condition has a %s of %zu characters; it may have %zu",
                        field->words,
                        n,
                        field->max);
    else if (n > 0 && (!ts_vars_has_reference(text) || field->kind == KIND_QUERY))
        check_form(c, item, field, text);
}

/* A program is known by one of three names. */
static void check_software(const struct ts_check *c, int item, const xmlNode *node)
{
    static const char *const names[] = {"ProductName", "ProductCode", "UpgradeCode"};
    bool has_name = false;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        OWN(freep) char *text = text_of(node, names[i]);

        has_name = has_name || !text || text[0] != '\0';
    }
    if (!has_name)
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0185",
            "its condition asks for software, but names none (ProductName, ProductCode or "
            "UpgradeCode); name it");
}

static void check_expression(const struct ts_check *c, int item, const xmlNode *node)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");

    if (!type)
        return;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (bytes_eq_nocase(bytes_of(type), fields[i].type))
            check_field(c, item, node, &fields[i]);
    if (bytes_eq_nocase(bytes_of(type), TYPE("Software")))
        check_software(c, item, node);
}

static void check_operator(const struct ts_check *c, int item, const xmlNode *node)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");

    if (type && !ts_check_is_one_of(type, "and|or|not"))
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0185",
            "its condition has the operator \"%.32s\" over others; known are and, or and "
            "not",
            type);
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void check_operands(const struct ts_check *c, int item, const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
        if (ts_node_is(child, "operator"))
            check_operator(c, item, child);
        if (ts_node_is(child, "expression"))
            check_expression(c, item, child);
        else if (child->type == XML_ELEMENT_NODE)
            check_operands(c, item, child);
    }
}

static const struct ts_condition *condition_of(const struct ts_check *c, int item)
{
    const struct ts_tree_item *at = &c->tree.items[item];
    size_t n;
    const struct ts_group *const *groups = ts_document_groups(c->doc, &n);

    if (at->step != TS_NO_ITEM)
        return c->steps[at->step].item.condition;
    return at->group != TS_NO_ITEM && (size_t)at->group < n ? groups[at->group]->item.condition
                                                            : NULL;
}

void ts_check_condition(const struct ts_check *c, int item)
{
    const xmlNode *node = ts_node_child(c->tree.items[item].node, "condition");
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);

    if (!node)
        return;
    check_operands(c, item, node);
    if (!ts_condition_is_portable(condition_of(c, item), &why))
        ts_check_report(
            c,
            item,
            TS_WARNING,
            "SLW-0185",
            "its condition asks for what cannot be answered on Linux and counts as false: "
            "%s%s",
            buf_str(&why),
            why.failed ? "; and others" : "");
}
