/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "ts/condition.h"
#include "ts/validate_parts.h"

enum {
    QUERY_MAX = 16384, /* characters of a WMI query */
};

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(const char *name)
{
    if (!is_letter(name[0]) && name[0] != '_')
        return false;
    while (is_name_char(*name))
        name++;
    return *name == '\0';
}

bool ts_check_is_settable(const char *name)
{
    return is_name(name) && strlen(name) <= TS_VARIABLE_NAME_MAX &&
           (name[0] == '_' || !strchr(name, '.'));
}

static size_t count_characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* Whether what stands between two '%' was hardly meant as text: begins and ends like a name, no quote, path or space of
   a command line in it, and yet is no name. */
static bool looks_meant(const char *name, size_t len)
{
    if (len == 0 || len > TS_VARIABLE_NAME_MAX || !is_letter(name[0]) ||
        !is_name_char(name[len - 1]))
        return false;
    for (size_t i = 0; i < len; i++)
        if (strchr("\"'/\\=,;|&<>()~:*?^[]{}\t\r\n", name[i]))
            return false;
    return true;
}

static void
check_references_in(const struct ts_check *c, int item, const char *what, const char *text)
{
    const char *from = strchr(text, '%');

    while (from) {
        const char *to = strchr(from + 1, '%');
        size_t len = to ? (size_t)(to - from) - 1 : 0;
        size_t n = 0;

        if (!to)
            return;
        while (n < len && is_name_char(from[1 + n]))
            n++;
        if (n < len && looks_meant(from + 1, len)) {
            ts_check_report(
                c,
                item,
                TS_WARNING,
                "SLW-0172",
                "%s: %%%.*s%% is no reference to a variable and stays as it is; names have "
                "letters, digits, '_' and '-'",
                what,
                (int)len,
                from + 1);
            return;
        }
        from = n == len ? strchr(to + 1, '%') : to;
    }
}

static void check_number(const struct ts_check *c,
                         int item,
                         const struct ts_property *property,
                         const char *text)
{
    bool is_negative = text[0] == '-';
    uint64_t n = 0;

    if (!bytes_parse_u64(bytes_of(text + (is_negative ? 1 : 0)), 0, INT64_MAX, &n)) {
        ts_check_report(
            c, item, TS_ERROR, "SLW-0181", "%s: \"%.64s\" is not a number", property->label, text);
        return;
    }

    int64_t value = is_negative ? -(int64_t)n : (int64_t)n;

    if ((property->min != 0 || property->max != 0) &&
        (value < property->min || value > property->max))
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0181",
                        "%s: %.64s is out of range; it may be %lld to %lld",
                        property->label,
                        text,
                        (long long)property->min,
                        (long long)property->max);
}

static bool is_one_of(const char *text, const char *choices)
{
    while (*choices) {
        size_t len = strcspn(choices, "|");

        if (strlen(text) == len) {
            char choice[64];

            if (len < sizeof(choice)) {
                memcpy(choice, choices, len);
                choice[len] = '\0';
                if (bytes_eq_nocase(bytes_of(text), choice))
                    return true;
            }
        }
        choices += len + (choices[len] == '|' ? 1 : 0);
    }
    return false;
}

static void check_length(const struct ts_check *c,
                         int item,
                         const struct ts_property *property,
                         const char *text)
{
    size_t n = count_characters(text);

    if (property->max > 0 && property->kind != TS_KIND_NUMBER && n > (size_t)property->max)
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0171",
                        "%s has %zu characters; the limit is %lld",
                        property->label,
                        n,
                        (long long)property->max);
}

static void
report_variable_name(const struct ts_check *c, int item, const char *label, const char *name)
{
    ts_check_report(
        c,
        item,
        TS_ERROR,
        "SLW-0172",
        "%s: \"%.64s\" is not the name of a variable; names have letters, digits, '_' and '-' and "
        "begin with a letter",
        label,
        name);
}

static void check_codes(const struct ts_check *c, int item, const char *label, const char *text)
{
    if (text[strspn(text, "0123456789- ,;\t\r\n")] != '\0')
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0181",
                        "%s: \"%.64s\" are not integers with spaces between them",
                        label,
                        text);
}

static void check_value(const struct ts_check *c,
                        int item,
                        const struct ts_property *property,
                        const char *text)
{
    check_length(c, item, property, text);
    if (text[0] == '\0' || strchr(text, '%'))
        return;
    if (property->kind == TS_KIND_NUMBER)
        check_number(c, item, property, text);
    else if (property->kind == TS_KIND_VARIABLE && !ts_check_is_settable(text))
        report_variable_name(c, item, property->label, text);
    else if (property->kind == TS_KIND_CODES)
        check_codes(c, item, property->label, text);
    else if (property->kind == TS_KIND_BOOL && !is_one_of(text, "true|false"))
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0181",
                        "%s: \"%.64s\" is neither true nor false",
                        property->label,
                        text);
    else if (property->kind == TS_KIND_CHOICE && !is_one_of(text, property->choices))
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0181",
                        "%s: \"%.64s\" is none of %s",
                        property->label,
                        text,
                        property->choices);
}

static void check_required(const struct ts_check *c, int item, const struct ts_step_type *type)
{
    const struct ts_step *step = &c->steps[c->tree.items[item].step];

    for (size_t i = 0; i < type->n_properties; i++) {
        const struct ts_property *p = &type->properties[i];

        if (!p->is_required || ts_check_text(step, p->variable)[0] != '\0')
            continue;
        if (strcmp(p->name, "CommandLine") == 0 && step->action[0] != '\0' &&
            step->n_variables == 0)
            continue; /* as MDT writes it */
        ts_check_report(
            c, item, TS_ERROR, "SLW-0180", "%s (%s) is not set; set it", p->label, p->name);
    }
}

/* A step runs as its account only if it is switched on. The site may set either in variables: so no error. */
static void check_run_as(const struct ts_check *c, int item, const struct ts_step_type *type)
{
    const struct ts_step *step = &c->steps[c->tree.items[item].step];
    const struct ts_property *user = ts_property_find(type, "UserName");
    const struct ts_property *flag = ts_property_find(type, "RunAsUser");

    if (!user || !flag)
        return;

    bool has_user = ts_check_text(step, user->variable)[0] != '\0';
    const char *is_on = ts_check_text(step, flag->variable);

    if (is_on[0] == '\0')
        is_on = ts_check_text(step, flag->name);
    if (strchr(is_on, '%') || has_user == ts_check_is_true(is_on))
        return;
    if (has_user)
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0193",
                        "it has an account (%s), but runs as root: %s is not true",
                        user->name,
                        flag->name);
    else
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0193",
                        "it is to run as an account (%s), but %s is not set",
                        flag->name,
                        user->name);
}

static void check_choice_of_image(const struct ts_check *c, int item)
{
    const struct ts_step *step = &c->steps[c->tree.items[item].step];

    if (strcmp(step->type, "SMS_TaskSequence_ApplyOperatingSystemAction") != 0 ||
        ts_check_text(step, "ImagePackageID")[0] != '\0')
        return;
    if (ts_check_text(step, "InstallPackageID")[0] != '\0')
        ts_check_report(
            c,
            item,
            c->platform == TS_PLATFORM_LINUX ? TS_ERROR : TS_WARNING,
            "SLW-0176",
            "it installs from an operating system upgrade package, which is for Windows; choose an OS "
            "image instead");
    else
        ts_check_report(
            c, item, TS_ERROR, "SLW-0180", "no OS image is chosen (ImagePackageID); set it");
}

static void check_own_variable(const struct ts_check *c, int item)
{
    const struct ts_step *step = &c->steps[c->tree.items[item].step];
    const char *name = ts_check_text(step, "VariableName");

    if (strcmp(step->type, "SMS_TaskSequence_SetVariableAction") == 0 && name[0] == '_')
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0186",
                        "%.64s: variables that begin with '_' are read-only; choose another name",
                        name);
}

void ts_check_properties(const struct ts_check *c, int item)
{
    const struct ts_step *step = &c->steps[c->tree.items[item].step];
    const struct ts_step_type *type = ts_step_type_find(step->type);

    check_codes(c, item, "success codes", step->success_codes);
    ts_check_values(c, item);
    for (size_t i = 0; i < step->n_variables; i++) {
        const struct ts_variable *v = &step->variables[i];
        const struct ts_property *p = ts_property_find(type, v->name);

        if (!p)
            p = v->property[0] != '\0' ? ts_property_find(type, v->property) : NULL;
        if (p)
            check_value(c, item, p, v->text);
        if (!p || (p->kind != TS_KIND_SCRIPT && p->kind != TS_KIND_RULES))
            check_references_in(c, item, p ? p->label : v->name, v->text);
    }
    if (!type)
        return;
    check_required(c, item, type);
    check_run_as(c, item, type);
    check_choice_of_image(c, item);
    check_own_variable(c, item);
}

static char *field(const xmlNode *expression, const char *name)
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

static void check_expression(const struct ts_check *c, int item, const xmlNode *node)
{
    static const char operators[] =
        "exists|notExists|equals|notEquals|greater|greaterEqual|less|lessEqual|like|notLike";
    OWN(freep) char *type = ts_node_attribute(node, "type");
    OWN(freep) char *name = field(node, "Variable");
    OWN(freep) char *operator_name = field(node, "Operator");
    OWN(freep) char *query = field(node, "Query");

    if (!type || !name || !operator_name || !query)
        return; /* without memory what follows fails */
    if (strcmp(type, "SMS_TaskSequence_VariableConditionExpression") == 0) {
        if (!is_one_of(operator_name, operators))
            ts_check_report(c,
                            item,
                            TS_ERROR,
                            "SLW-0185",
                            "its condition has the operator \"%.32s\"; known are %s",
                            operator_name,
                            operators);
        if (name[0] == '\0')
            ts_check_report(
                c, item, TS_ERROR, "SLW-0185", "its condition names no variable; name one");
        else if (!strchr(name, '%') && !is_name(name))
            report_variable_name(c, item, "its condition", name);
    } else if (strcmp(type, "SMS_TaskSequence_WMIConditionExpression") == 0) {
        size_t n = count_characters(query);

        if (n == 0 || n > QUERY_MAX)
            ts_check_report(c,
                            item,
                            TS_ERROR,
                            "SLW-0185",
                            "its condition has a WMI query of %zu characters; it may have 1 to %d",
                            n,
                            (int)QUERY_MAX);
    }
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void check_operands(const struct ts_check *c, int item, const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next) {
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
    size_t index = 0;

    if (at->step != TS_NO_ITEM)
        return c->steps[at->step].item.condition;
    for (int i = 0; i < item; i++)
        index += c->tree.items[i].is_group ? 1 : 0;
    return index < n ? groups[index]->item.condition : NULL;
}

void ts_check_condition(const struct ts_check *c, int item)
{
    const xmlNode *node = ts_node_child(c->tree.items[item].node, "condition");
    const size_t before = c->diags->n;
    OWN(buf_fini) struct buf why = BUF_INIT(512);

    if (!node)
        return;
    check_operands(c, item, node);
    if (c->diags->n == before && !ts_condition_is_portable(condition_of(c, item), &why))
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0185",
                        "%s cannot be answered on Linux and counts as false",
                        buf_str(&why));
}
