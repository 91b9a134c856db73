/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/action.h"
#include "ts/condition.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/edit_parts.h"
#include "ts/secret.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/xml.h"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);

enum {
    MINUTES_MAX = 999,
    ACTION_MAX_BYTES = 256 * 1024,
    NAME_MAX_BYTES = 512,
};

enum how {
    AS_TEXT,
    AS_BOOL,
    AS_NUMBER,
    AS_MINUTES, /* the attribute has seconds, the variable minutes */
    AS_RUN_IN,
};

/* Settings that every group or step has, or every step. */
static const struct {
    const char *setting;
    const char *attribute;
    const char *property; /* of some types, to be kept equal; NULL: none */
    enum how how;
    bool is_for_groups;
} settings[] = {
    {"name", "name", NULL, AS_TEXT, true},
    {"description", "description", NULL, AS_TEXT, true},
    {"continue-on-error", "continueOnError", NULL, AS_BOOL, true},
    {"continueOnError", "continueOnError", NULL, AS_BOOL, true},
    {"success-codes", "successCodeList", "SuccessCodes", AS_TEXT, false},
    {"successCodeList", "successCodeList", "SuccessCodes", AS_TEXT, false},
    {"SuccessCodes", "successCodeList", "SuccessCodes", AS_TEXT, false},
    {"retry", "retryCount", "RetryCount", AS_NUMBER, false},
    {"retryCount", "retryCount", "RetryCount", AS_NUMBER, false},
    {"timeout", "timeout", "Timeout", AS_MINUTES, false},
    {"run-in", "runIn", NULL, AS_RUN_IN, false},
    {"runIn", "runIn", NULL, AS_RUN_IN, false},
    {"startIn", "startIn", "WorkingDirectory", AS_TEXT, false},
    {"runFromNet", "runFromNet", "RunFromNet", AS_BOOL, false},
};

/* Short names of properties that several types have. */
static const struct {
    const char *setting;
    const char *property;
} aliases[] = {
    {"command-line", "CommandLine"},
    {"output-variable", "OutputVariableName"},
    {"package", "PackageID"},
    {"run-as", "UserName"},
    {"run-as-password", "UserPassword"},
    {"start-in", "WorkingDirectory"},
};

static bool is_bool(const char *text)
{
    return bytes_eq_nocase(bytes_of(text), "true") || bytes_eq_nocase(bytes_of(text), "false");
}

static bool is_run_in(const char *text)
{
    return strcmp(text, "WinPE") == 0 || strcmp(text, "FullOS") == 0 ||
           strcmp(text, "WinPEandFullOS") == 0;
}

xmlNode *ts_edit_list(xmlNode *step, const char *name)
{
    xmlNode *list = ts_node_child(step, name);
    xmlNode *condition = ts_node_child(step, "condition");

    if (list)
        return list;
    list = xmlNewNode(NULL, (const xmlChar *)name);
    if (!list)
        return NULL;
    return condition ? xmlAddPrevSibling(condition, list) : xmlAddChild(step, list);
}

static xmlNode *find_variable(xmlNode *list, const char *wanted)
{
    for (xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;

        if (name && bytes_eq_nocase(bytes_of(name), wanted))
            return node;
    }
    return NULL;
}

/* "OSDPartitions0Size" of "OSDPartitions#Size": the digits of @name in @pattern. */
static void fill_pattern(const char *pattern, const char *name, struct buf *ret)
{
    const char *digits = name + strcspn(name, "0123456789");
    size_t n;

    /* the first number that makes the name fit is the one that is meant: patterns have one '#' */
    for (; *digits; digits += n, digits += strcspn(digits, "0123456789")) {
        n = strspn(digits, "0123456789");
        buf_clear(ret);
        for (const char *p = pattern; *p; p++)
            buf_add(ret,
                    *p == '#' ? (struct bytes){(const uint8_t *)digits, n}
                              : (struct bytes){(const uint8_t *)p, 1});
        if (ts_pattern_matches(pattern, buf_str(ret)))
            return;
    }
}

static int
put_variable(xmlNode *step, const struct ts_property *property, const char *name, const char *value)
{
    OWN(buf_fini) struct buf own_name = BUF_INIT(NAME_MAX_BYTES);
    OWN(buf_fini) struct buf own_property = BUF_INIT(NAME_MAX_BYTES);
    xmlNode *list = ts_edit_list(step, "defaultVarList");
    xmlNode *node;

    buf_adds(&own_name, property ? property->variable : name);
    buf_adds(&own_property, property ? property->name : "");
    if (property && strchr(property->variable, '#')) {
        fill_pattern(property->variable, name, &own_name);
        fill_pattern(property->name, name, &own_property);
    }
    if (!list || own_name.failed || own_property.failed)
        return ERR(-ENOMEM);
    node = find_variable(list, buf_str(&own_name));
    if (!node && own_property.len > 0) /* MDT names some variables as their property */
        node = find_variable(list, buf_str(&own_property));
    if (value[0] == '\0') {
        xmlUnlinkNode(node);
        xmlFreeNode(node);
        return 0;
    }
    if (!node) {
        node = xmlNewChild(list, NULL, (const xmlChar *)"variable", NULL);
        if (!node)
            return ERR(-ENOMEM);
        (void)xmlSetProp(node, (const xmlChar *)"name", (const xmlChar *)buf_str(&own_name));
        if (own_property.len > 0)
            (void)xmlSetProp(
                node, (const xmlChar *)"property", (const xmlChar *)buf_str(&own_property));
        if (property && property->is_hidden)
            (void)xmlSetProp(node, (const xmlChar *)"hidden", (const xmlChar *)"true");
    }
    xmlNodeSetContent(node, NULL);
    xmlNodeAddContent(node, (const xmlChar *)value);
    return 0;
}

/* The value as the attribute has it, or NULL and a refusal. */
static const char *
as_attribute(struct ts_editing *e, size_t i, const char *value, char *place, size_t size)
{
    uint64_t n = 0;
    bool is_number = bytes_parse_u64(bytes_of(value), 0, MINUTES_MAX, &n);
    struct bytes digits = {(const uint8_t *)value, strspn(value, "0123456789")};

    if (value[0] == '\0' || settings[i].how == AS_TEXT)
        return value;
    if (settings[i].how == AS_BOOL && is_bool(value))
        return bytes_eq_nocase(bytes_of(value), "true") ? "true" : "false";
    if (settings[i].how == AS_RUN_IN && is_run_in(value))
        return value;
    if (settings[i].how == AS_NUMBER && is_number)
        return value;
    if (settings[i].how == AS_MINUTES && is_number) {
        (void)snprintf(place, size, "%u", (unsigned)n * 60);
        return place;
    }
    if (settings[i].how == AS_MINUTES && strcmp(value + digits.len, " s") == 0 &&
        bytes_parse_u64(digits, 0, (uint64_t)MINUTES_MAX * 60, &n)) { /* as it is shown */
        (void)snprintf(place, size, "%u", (unsigned)n);
        return place;
    }
    (void)ts_edit_refuse(e,
                         "%s cannot be \"%.64s\"; it is %s",
                         settings[i].setting,
                         value,
                         settings[i].how == AS_BOOL     ? "true or false"
                         : settings[i].how == AS_RUN_IN ? "WinPE, FullOS or WinPEandFullOS"
                                                        : "a number from 0 to 999");
    return NULL;
}

static int set_attribute(struct ts_editing *e,
                         xmlNode *item,
                         size_t i,
                         const struct ts_step_type *type,
                         const char *value)
{
    const struct ts_property *property =
        settings[i].property ? ts_property_find(type, settings[i].property) : NULL;
    bool is_minutes = settings[i].how == AS_MINUTES;
    char place[16];
    char minutes[16] = "";
    uint64_t seconds;
    const char *text = as_attribute(e, i, value, place, sizeof(place));

    if (!text)
        return TS_EDIT_E_REFUSED;
    if (text[0] == '\0' && strcmp(settings[i].attribute, "name") == 0)
        return ts_edit_refuse(e, "a name cannot be empty");
    if (text[0] == '\0' && strcmp(settings[i].attribute, "description") != 0)
        (void)xmlUnsetProp(item, (const xmlChar *)settings[i].attribute);
    else
        (void)xmlSetProp(item, (const xmlChar *)settings[i].attribute, (const xmlChar *)text);
    if (!property || (is_minutes && !property->is_hidden)) /* a time-out of something else */
        return 0;
    if (is_minutes && bytes_parse_u64(bytes_of(text), 0, UINT32_MAX, &seconds))
        (void)snprintf(minutes, sizeof(minutes), "%u", (unsigned)((seconds + 59) / 60));
    if (is_minutes)
        text = strcmp(minutes, "0") == 0 ? "" : minutes;
    return TRACE(put_variable(item, property, property->variable, text));
}

static xmlNode *new_expression(const char *type)
{
    xmlNode *node = xmlNewNode(NULL, (const xmlChar *)"expression");

    if (node)
        (void)xmlSetProp(node, (const xmlChar *)"type", (const xmlChar *)type);
    return node;
}

static void add_field(xmlNode *expression, const char *name, const char *text)
{
    xmlNode *node =
        xmlNewTextChild(expression, NULL, (const xmlChar *)"variable", (const xmlChar *)text);

    if (node)
        (void)xmlSetProp(node, (const xmlChar *)"name", (const xmlChar *)name);
}

/* As conditions are shown, a text has quotation marks around it. */
static char *unquoted(const char *text)
{
    size_t len = strlen(text);
    bool is_quoted = len >= 2 && text[0] == '"' && text[len - 1] == '"';
    char *copy = ts_copy(is_quoted ? text + 1 : text);

    if (copy && is_quoted)
        copy[len - 2] = '\0';
    return copy;
}

/* "NAME equals VALUE" or "WMI QUERY"; NULL if it is neither. */
static xmlNode *read_sentence(const char *text)
{
    size_t name_len = strcspn(text, " ");
    const char *op = text + name_len + strspn(text + name_len, " ");
    size_t op_len = strcspn(op, " ");
    const char *value = op + op_len + strspn(op + op_len, " ");
    char name[TS_VARIABLE_NAME_MAX + 1];
    xmlNode *node;

    if (strncmp(text, "WMI ", 4) == 0) {
        OWN(freep) char *query = unquoted(op);

        node = query ? new_expression("SMS_TaskSequence_WMIConditionExpression") : NULL;
        if (node) {
            add_field(node, "Namespace", "root\\cimv2");
            add_field(node, "Query", query);
        }
        return node;
    }
    OWN(freep) char *plain = unquoted(value);

    for (const char *const *known = ts_variable_operators; plain && *known; known++) {
        if (name_len == 0 || name_len >= sizeof(name) || strlen(*known) != op_len ||
            strncmp(op, *known, op_len) != 0)
            continue;
        memcpy(name, text, name_len);
        name[name_len] = '\0';
        node = new_expression("SMS_TaskSequence_VariableConditionExpression");
        if (node) {
            add_field(node, "Operator", *known);
            add_field(node, "Value", plain);
            add_field(node, "Variable", name);
        }
        return node;
    }
    return NULL;
}

/* The element <condition> that @text says. */
static int read_condition(struct ts_editing *e, const char *text, xmlNode **ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    xmlNode *condition = NULL;
    xmlNode *inside;
    int r;

    if (text[0] != '<') {
        inside = read_sentence(text);
        if (!inside)
            return ts_edit_refuse(
                e,
                "\"%.100s\" is no condition; write XML, \"NAME equals VALUE\" or \"WMI QUERY\"",
                text);
    } else {
        r = ts_xml_parse(bytes_of(text), &xml, &diags);
        if (r != 0)
            return r < 0 ? TRACE(r) : ts_edit_refuse(e, "%s", diags.items[0].message);
        inside = xmlDocCopyNode(xmlDocGetRootElement(xml), e->xml, 1);
        if (!inside)
            return ERR(-ENOMEM);
    }
    if (ts_node_is(inside, "condition"))
        condition = inside;
    else if ((condition = xmlNewNode(NULL, (const xmlChar *)"condition")) != NULL)
        (void)xmlAddChild(condition, inside);
    *ret = condition;
    return condition ? 0 : ERR(-ENOMEM);
}

static int set_condition(struct ts_editing *e, xmlNode *item, const char *text)
{
    xmlNode *old = ts_node_child(item, "condition");
    xmlNode *condition = NULL;
    xmlNode *first;
    int r = text[0] != '\0' ? read_condition(e, text, &condition) : 0;

    if (r != 0)
        return TRACE(r);
    if (old && condition) {
        (void)xmlReplaceNode(old, condition);
        xmlFreeNode(old);
        return 0;
    }
    if (old) {
        xmlUnlinkNode(old);
        xmlFreeNode(old);
        return 0;
    }
    if (!condition)
        return 0;
    /* first in a group, behind everything in a step */
    first = ts_node_is(item, "group") ? ts_node_element(item->children) : NULL;
    if (first)
        (void)xmlAddPrevSibling(first, condition);
    else
        (void)xmlAddChild(item, condition);
    return 0;
}

static int set_action(xmlNode *step, const char *value)
{
    xmlNode *action = ts_edit_list(step, "action");

    if (!action)
        return ERR(-ENOMEM);
    xmlNodeSetContent(action, NULL);
    xmlNodeAddContent(action, (const xmlChar *)value);
    return 0;
}

/* A step that has an account is meant to run as it. */
static int put_run_as(xmlNode *step, const struct ts_step_type *type, const char *user)
{
    const struct ts_property *flag = ts_property_find(type, "RunAsUser");

    return flag
               ? TRACE(put_variable(step, flag, flag->variable, user[0] != '\0' ? "true" : "false"))
               : 0;
}

/* Whether a setting means the command: of a step of an unknown type only its short name does. @property: what @name is of the
   step's type; NULL if it is none. */
static bool is_command(const xmlNode *step, const struct ts_property *property, const char *name)
{
    if (strcmp(name, "command-line") == 0)
        return true;
    return property ? strcmp(property->name, "CommandLine") == 0
                    : !xmlHasProp(step, (const xmlChar *)"type") &&
                          bytes_eq_nocase(bytes_of(name), "CommandLine");
}

/* The command of a step that has it in <action> only. Return: 0; 1: the step is no such one; -ENOMEM. */
static int set_own_command(xmlNode *step, const struct ts_step_type *type, const char *value)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_XML_MAX_BYTES);
    const xmlNode *action = ts_node_child(step, "action");
    const xmlNode *variable = find_variable(ts_node_child(step, "defaultVarList"), "CommandLine");
    OWN(freep) char *old = action ? ts_node_text(action) : NULL;
    OWN(freep) char *in_variable = variable ? ts_node_text(variable) : ts_copy("");
    const char *own = old ? ts_action_find_own(type, old, "CommandLine") : NULL;

    if ((action && !old) || !in_variable)
        return ERR(-ENOMEM);
    if (!own || own[0] == '\0' || in_variable[0] != '\0')
        return 1;
    buf_add(&text, (struct bytes){(const uint8_t *)old, (size_t)(own - old)});
    buf_adds(&text, value);
    return text.failed ? ERR(-ENOMEM) : TRACE(set_action(step, buf_str(&text)));
}

static int set_property(struct ts_editing *e,
                        xmlNode *item,
                        const struct ts_step_type *type,
                        const struct ts_assignment *assignment)
{
    /* what a step without a type runs as */
    const struct ts_step_type *command = ts_step_type_find("SMS_TaskSequence_RunCommandLineAction");
    const char *name = assignment->name;
    const struct ts_property *property;

    for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
        if (strcmp(name, aliases[i].setting) == 0 &&
            (!type || ts_property_find(type, aliases[i].property)))
            name = aliases[i].property;
    property = ts_property_find(xmlHasProp(item, (const xmlChar *)"type") ? type : command, name);
    if (is_command(item, property, assignment->name)) {
        int r = set_own_command(item, type, assignment->value);

        if (r <= 0)
            return TRACE(r);
    }
    if (type && !property && !find_variable(ts_node_child(item, "defaultVarList"), name))
        return ts_edit_refuse(e, "\"%s\" has no setting \"%.100s\"", type->display_name, name);
    if (property && strcmp(property->name, "UserName") == 0) {
        int r = put_run_as(item, type ? type : command, assignment->value);

        if (r < 0)
            return TRACE(r);
    }
    return TRACE(put_variable(item, property, name, assignment->value));
}

/* Of @settings, or SIZE_MAX. What the agent obeys is the attribute, whichever of its names is used. */
static size_t find_setting(const struct ts_step_type *type, const char *name)
{
    const size_t n = sizeof(settings) / sizeof(settings[0]);
    const struct ts_property *property = ts_property_find(type, name);

    for (size_t i = 0; i < n; i++)
        if (strcmp(name, settings[i].setting) == 0)
            return i;
    for (size_t i = 0; type && i < n; i++)
        if (property ? property->is_hidden && settings[i].property &&
                           strcmp(property->name, settings[i].property) == 0
                     : bytes_eq_nocase(bytes_of(name), settings[i].setting))
            return i;
    return SIZE_MAX;
}

int ts_edit_set(struct ts_editing *e, xmlNode *item, const struct ts_assignment *assignment)
{
    OWN(freep) char *type_name = ts_node_attribute(item, "type");
    const struct ts_step_type *type = type_name ? ts_step_type_find(type_name) : NULL;
    bool is_group = ts_node_is(item, "group");
    size_t i = find_setting(type, assignment->name);

    if (i != SIZE_MAX && is_group && !settings[i].is_for_groups)
        return ts_edit_refuse(e, "a group has no setting \"%s\"", assignment->name);
    if (i != SIZE_MAX)
        return TRACE(set_attribute(e, item, i, type, assignment->value));
    if (strcmp(assignment->name, "condition") == 0)
        return TRACE(set_condition(e, item, assignment->value));
    if (is_group)
        return ts_edit_refuse(e, "a group has no setting \"%.100s\"", assignment->name);
    if (strcmp(assignment->name, "action") == 0 && !(type && ts_action_is_made(type, item)))
        return TRACE(set_action(item, assignment->value));
    return TRACE(set_property(e, item, type, assignment));
}

int ts_edit_refresh_action(xmlNode *step, const xmlNode *before)
{
    OWN(freep) char *type_name = ts_node_attribute(step, "type");
    const struct ts_step_type *type = type_name ? ts_step_type_find(type_name) : NULL;
    OWN(buf_fini) struct buf text = BUF_INIT(ACTION_MAX_BYTES);

    if (!type || ts_node_is(step, "group") || !ts_action_make_anew(type, before, step, &text))
        return 0;
    return text.failed ? ERR(-ENOMEM) : TRACE(set_action(step, buf_str(&text)));
}
