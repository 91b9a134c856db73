/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "ts/condition.h"
#include "ts/yaml_form_parts.h"

#define EXPRESSION(name) "SMS_TaskSequence_" name "ConditionExpression"

const struct ts_yaml_form ts_yaml_forms[TS_YAML_FORMS] = {
    {EXPRESSION("Variable"), "variable", "Variable", {"Operator", "Value", "Variable"}},
    {EXPRESSION("WMI"), "wmi", "Query", {"Namespace", "Query"}},
    {EXPRESSION("File"),
     "file",
     "Path",
     {"DateTime", "DateTimeOperator", "Path", "Version", "VersionOperator"}},
    {EXPRESSION("Folder"), "folder", "Path", {"DateTime", "DateTimeOperator", "Path"}},
    {EXPRESSION("Registry"),
     "registry",
     "KeyPath",
     {"Data", "KeyPath", "Operator", "Type", "Value"}},
    {EXPRESSION("Software"),
     "software",
     "ProductName",
     {"Operator", "ProductCode", "ProductName", "UpgradeCode", "Version"}},
    {EXPRESSION("OS"), "os", "Version", {"Architecture", "Operator", "Version"}},
};

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
    for (const char *const *op = ts_variable_operators; *op; op++)
        if (bytes_eq_nocase(bytes_of(name), *op))
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
                                       "comment",
                                       "group",
                                       "step",
                                       "subtasksequence",
                                       "sequence",
                                       "indentation",
                                       "namespaces"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i], name) == 0)
            return true;
    return false;
}

const char *ts_yaml_main_attribute(const char *element)
{
    if (strcmp(element, "operator") == 0 || strcmp(element, "osConditionGroup") == 0)
        return "type";
    return strcmp(element, "osExpressionGroup") == 0 ? "name" : NULL;
}

const char *ts_yaml_key_of_field(const char *field, char ret[static TS_YAML_FIELD_MAX])
{
    (void)snprintf(ret, TS_YAML_FIELD_MAX, "%s", field);
    if (ret[0] >= 'A' && ret[0] <= 'Z')
        ret[0] = (char)(ret[0] - 'A' + 'a');
    return ret;
}

void ts_yaml_orders_init(struct ts_yaml_orders *ret)
{
    for (size_t i = 0; i < TS_YAML_FORMS; i++)
        memcpy(ret->fields[i], ts_yaml_forms[i].fields, sizeof(ret->fields[i]));
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
