/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Variables that a sequence sets although nothing here reads them
 */

#include <string.h>

#include "base/own.h"
#include "ts/engine_vars.h"
#include "ts/validate_parts.h"
#include "ts/xml.h"

static const char set_type[] = "SMS_TaskSequence_SetVariableAction";
static const char rules_type[] = "SMS_TaskSequence_SetDynamicVariablesAction";

DEFINE_FREEP(xmlDoc *, xmlFreeDoc);

/* NULL: it has an effect, or is none of the engine's. */
static const struct ts_engine_var *find_vain(const char *name)
{
    const struct ts_engine_var *var = ts_engine_var_find(name);

    return name[0] != '_' && var && var->kind == TS_ENGINE_NO_EFFECT ? var : NULL;
}

static void check_name(const struct ts_check *c, int item, const char *name)
{
    const struct ts_engine_var *var = find_vain(name);

    if (var)
        ts_check_report(
            c, item, TS_WARNING, "SLW-0467", "%s has no effect here: %s", var->name, var->text);
}

/* <Rules><Rule><Variables><Variable Name="..."> */
static void check_rule(const struct ts_check *c, int item, const xmlNode *rule)
{
    const xmlNode *variables = ts_node_child(rule, "Variables");

    for (xmlNode *v = variables ? ts_node_element(variables->children) : NULL; v;
         v = ts_node_element(v->next)) {
        OWN(freep) char *name = ts_node_attribute(v, "Name");

        if (name)
            check_name(c, item, name);
    }
}

static void check_rules(const struct ts_check *c, int item, const char *text)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *rules = NULL;

    if (text[0] == '\0' || ts_xml_parse(bytes_of(text), &rules, &ignored) != 0)
        return;
    for (xmlNode *rule = ts_node_element(xmlDocGetRootElement(rules)->children); rule;
         rule = ts_node_element(rule->next))
        check_rule(c, item, rule);
}

void ts_check_effect(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);

    if (strcmp(step->type, set_type) == 0)
        check_name(c, item, ts_check_text(step, "VariableName"));
    else if (strcmp(step->type, rules_type) == 0)
        check_rules(c, item, ts_check_text(step, "Rules"));
}

void ts_check_globals(const struct ts_check *c)
{
    size_t n;
    const struct ts_variable *globals = ts_document_globals(c->doc, &n);
    const xmlNode *node = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct ts_engine_var *var = find_vain(globals[i].name);

        node = ts_check_next_global(c, node);
        if (var)
            ts_check_report_node(c,
                                 node,
                                 TS_WARNING,
                                 "SLW-0467",
                                 "globalVarList: %s has no effect here: %s",
                                 var->name,
                                 var->text);
    }
}
