/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/assign.h"
#include "ts/secret.h"
#include "ts/validate_parts.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    WHY_MAX_BYTES = 1024,
    PART_MAX_BYTES = 128,
};

static const char set_type[] = "SMS_TaskSequence_SetVariableAction";

/* Secrets that are wanted only if another property of the step says so. */
static const struct {
    const char *secret;
    const char *property;
    const char *value;
} conditions[] = {
    {"OSDBitLockerPIN", "OSDBitLockerMode", "TPMAndPIN"},
    {"OSDLocalAdminPassword", "OSDRandomAdminPassword", "false"},
    {"OSDMigrateLocalAccountPassword", "OSDMigrateLocalAccounts", "true"},
    {"SMSTSRunCommandLineUserPassword", "_SMSTSRunCommandLineAsUser", "true"},
    {"SMSTSRunPowerShellUserPassword", "_SMSTSRunPowerShellAsUser", "true"},
    {"SLWUserPassword", "SLWUserSSHKey", ""},
};

static bool is_equal(const char *text, const char *other)
{
    return bytes_eq_nocase(bytes_of(text), other);
}

/* Whether the step does without this secret. */
static bool is_needless(const struct ts_step *step, const char *secret)
{
    const char *account = ts_secret_account(secret);

    if (account && ts_check_text(step, account)[0] == '\0')
        return true;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++)
        if (strcmp(conditions[i].secret, secret) == 0)
            return !is_equal(ts_check_text(step, conditions[i].property), conditions[i].value);
    return !account && !ts_step_variable(step, secret);
}

static void report_secret(const struct ts_check *c, int item, const char *label, const char *name)
{
    ts_check_report(c,
                    item,
                    TS_WARNING,
                    "SLW-0183",
                    "%s (%s) is not set: exports hold no passwords; set it again",
                    label,
                    name);
}

/* Secrets that are not there: exports never have them. */
static void check_secrets(const struct ts_check *c, int item, const struct ts_step_type *type)
{
    const struct ts_step *step = ts_check_step(c, item);

    for (size_t i = 0; i < type->n_properties; i++) {
        const struct ts_property *p = &type->properties[i];

        if (p->kind == TS_KIND_SECRET && ts_check_text(step, p->variable)[0] == '\0' &&
            !is_needless(step, p->variable))
            report_secret(c, item, p->label, p->name);
    }
    if (strcmp(step->type, set_type) == 0 &&
        ts_secret_is_flag(ts_check_text(step, "DoNotShowVariableValue")) &&
        ts_check_text(step, "VariableValue")[0] == '\0')
        report_secret(c, item, "Value", "VariableValue");
}

/* A name and value that the sequence is to set. @node: of the variable in the list of the sequence; NULL: @item sets it.
   @what: "globalVarList" or the like */
struct assignment {
    const xmlNode *node;
    int item;
    const char *what;
    const struct ts_variable *variable;
};

static void report_assignment(const struct ts_check *c,
                              const struct assignment *a,
                              const char *id,
                              const struct buf *why)
{
    if (a->node)
        ts_check_report_node(c, a->node, TS_ERROR, id, "%s: %s", a->what, buf_str(why));
    else
        ts_check_report(c, a->item, TS_ERROR, id, "%s: %s", a->what, buf_str(why));
}

static void check_assigned_name(const struct ts_check *c, const struct assignment *a)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const char *name = a->variable->name;

    if (name[0] == '_') {
        buf_addf(
            &why, "%.64s: variables that begin with '_' are read-only; choose another name", name);
        report_assignment(c, a, "SLW-0186", &why);
    } else if (!ts_vars_has_reference(name) && !ts_check_is_settable(name)) {
        buf_addf(
            &why,
            "\"%.64s\" is not the name of a variable; names have letters, digits, '_' and '-', "
            "begin with a letter and have at most %d characters",
            name,
            (int)TS_VARIABLE_NAME_MAX);
        report_assignment(c, a, "SLW-0172", &why);
    }
}

static void check_assignment(const struct ts_check *c, const struct assignment *a)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const struct ts_variable *v = a->variable;
    size_t n = text_count_characters(v->text);

    check_assigned_name(c, a);
    if (n <= TS_VAR_SEQUENCE_VALUE_MAX || ts_vars_has_reference(v->text))
        return;
    buf_addf(&why,
             "the value of \"%.64s\" has %zu characters; the limit is %d",
             v->name,
             n,
             (int)TS_VAR_SEQUENCE_VALUE_MAX);
    report_assignment(c, a, "SLW-0171", &why);
}

void ts_types_read(const struct ts_step *steps, size_t n, struct ts_types *ret)
{
    for (size_t i = 0; i < n; i++) {
        const struct ts_step_type *type = ts_step_type_find(steps[i].type);
        size_t k = 0;

        while (type && k < ret->n && ret->items[k] != type)
            k++;
        if (type && k == ret->n && k < TS_STEP_TYPES_MAX && ts_step_is_enabled(&steps[i]))
            ret->items[ret->n++] = type;
    }
}

/* What a step of this sequence would not take: the variable overrides a setting of its own. */
static void check_setting(const struct ts_check *c, const struct assignment *a)
{
    const struct ts_variable *v = a->variable;

    for (size_t i = 0; i < c->types.n && !v->is_hidden; i++) { /* findings quote values */
        const struct ts_property *p = ts_property_find(c->types.items[i], v->name);
        struct ts_check own = *c; /* with findings of its own */
        OWN(ts_diags_fini) struct ts_diags found = {0};
        char part[PART_MAX_BYTES];

        if (!p || p->is_hidden || p->kind == TS_KIND_VARIABLE ||
            !ts_pattern_matches(p->variable, v->name))
            continue;
        own.diags = &found;
        ts_check_value(&own, a->item, p, v->text);
        (void)snprintf(part, sizeof(part), "for \"%s\"", c->types.items[i]->display_name);
        ts_check_pass_on(c, a->node, a->item, part, TS_WARNING, &found);
        return;
    }
}

static void check_rule(const struct ts_check *c, int item, const struct ts_check *rules, int rule)
{
    OWN(ts_diags_fini) struct ts_diags found = {0};
    const struct ts_step *step = &rules->steps[rules->tree.items[rule].step];
    struct ts_check own = *rules; /* with findings of its own */
    char part[PART_MAX_BYTES];

    own.diags = &found;
    ts_check_condition(&own, rule);
    for (size_t i = 0; i < step->n_variables; i++) {
        const struct ts_variable *v = &step->variables[i];

        check_assignment(&own, &(struct assignment){NULL, rule, "Variables", v});
        check_setting(c, &(struct assignment){NULL, item, "Variables", v});
        if (v->is_hidden && v->text[0] == '\0')
            report_secret(&own, rule, "Value of the secret variable", v->name);
    }
    if (step->n_variables == 0)
        ts_check_report(&own, rule, TS_WARNING, "SLW-0181", "it sets no variable");
    (void)snprintf(part, sizeof(part), "rule %d", rule + 1);
    ts_check_pass_on(c, NULL, item, part, TS_ERROR, &found);
}

/* The rules are a sequence of their own, with a step for each. */
static void check_rules(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);
    const char *text = ts_check_text(step, "OSDSetDynamicVariablesRules");
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct ts_check rules = {0};
    size_t n;

    if (strcmp(step->type, "SMS_TaskSequence_SetDynamicVariablesAction") != 0 || text[0] == '\0')
        return;
    if (ts_rules_read(text, &doc, &why) != 0) {
        ts_check_report(c, item, TS_ERROR, "SLW-0181", "%s; correct them", buf_str(&why));
        return;
    }
    rules.doc = doc;
    rules.steps = ts_document_steps(doc, &n);
    if (ts_tree_read(ts_document_tree(doc), &rules.tree) == 0)
        for (size_t i = 0; i < rules.tree.n; i++)
            check_rule(c, item, &rules, (int)i);
    ts_tree_fini(&rules.tree);
}

void ts_check_values(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_step_type *type = ts_step_type_find(step->type);

    check_rules(c, item);
    if (strcmp(step->type, set_type) == 0)
        check_setting(c,
                      &(struct assignment){NULL,
                                           item,
                                           "VariableValue",
                                           &(struct ts_variable){
                                               .name = ts_check_text(step, "VariableName"),
                                               .text = ts_check_text(step, "VariableValue"),
                                               .is_hidden = ts_secret_is_flag(
                                                   ts_check_text(step, "DoNotShowVariableValue")),
                                           }});
    if (type)
        check_secrets(c, item, type);
}

const xmlNode *ts_check_next_global(const struct ts_check *c, const xmlNode *last)
{
    const xmlNode *root = xmlDocGetRootElement(ts_document_tree(c->doc));
    const xmlNode *list = ts_node_child(root, "globalVarList");
    const xmlNode *node = last ? last->next : list ? list->children : NULL;

    while (node && !ts_node_is(node, "variable"))
        node = node->next;
    return node;
}

void ts_check_global_values(const struct ts_check *c)
{
    size_t n = 0;
    const struct ts_variable *globals = ts_document_globals(c->doc, &n);
    const xmlNode *node = NULL;

    for (size_t i = 0; i < n; i++) {
        struct assignment a = {NULL, TS_NO_ITEM, "globalVarList", &globals[i]};

        node = ts_check_next_global(c, node);
        a.node = node;
        check_assignment(c, &a);
        check_setting(c, &a);
    }
}
