/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/assign.h"
#include "ts/secret.h"
#include "ts/validate_parts.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    TIMEOUT_MAX_S = 999 * 60,
    RETRIES_MAX = 5, /* that the console allows */
    WHY_MAX_BYTES = 1024,
};

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
    const struct ts_step *step = &c->steps[c->tree.items[item].step];

    for (size_t i = 0; i < type->n_properties; i++) {
        const struct ts_property *p = &type->properties[i];

        if (p->kind == TS_KIND_SECRET && ts_check_text(step, p->variable)[0] == '\0' &&
            !is_needless(step, p->variable))
            report_secret(c, item, p->label, p->name);
    }
    if (strcmp(step->type, "SMS_TaskSequence_SetVariableAction") == 0 &&
        ts_check_is_true(ts_check_text(step, "DoNotShowVariableValue")) &&
        ts_check_text(step, "VariableValue")[0] == '\0')
        report_secret(c, item, "Value", "VariableValue");
}

static size_t count_characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* A name and value that the sequence is to set. @what: "globalVarList" or the like */
static void
check_assignment(const struct ts_check *c, int item, const char *what, const struct ts_variable *v)
{
    size_t n = count_characters(v->text);

    if (v->name[0] == '_')
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0186",
            "%s: %.64s: variables that begin with '_' are read-only; choose another name",
            what,
            v->name);
    else if (!strchr(v->name, '%') && !ts_check_is_settable(v->name))
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0172",
            "%s: \"%.64s\" is not the name of a variable; names have letters, digits, '_' and "
            "'-', begin with a letter and have at most %d characters",
            what,
            v->name,
            (int)TS_VARIABLE_NAME_MAX);
    if (n > TS_VAR_SEQUENCE_VALUE_MAX)
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0171",
                        "%s: the value of \"%.64s\" has %zu characters; the limit is %d",
                        what,
                        v->name,
                        n,
                        (int)TS_VAR_SEQUENCE_VALUE_MAX);
}

/* What is found in rule @number is about the step that has the rules. */
static void pass_on(const struct ts_check *c, int item, size_t number, const struct ts_diags *found)
{
    for (size_t i = 0; i < found->n; i++)
        ts_check_report(c,
                        item,
                        found->items[i].severity,
                        found->items[i].id,
                        "rule %zu: %s",
                        number,
                        found->items[i].message);
}

static void check_rule(const struct ts_check *c, int item, const struct ts_check *rules, int rule)
{
    OWN(ts_diags_fini) struct ts_diags found = {0};
    const struct ts_step *step = &rules->steps[rules->tree.items[rule].step];
    struct ts_check own = *rules; /* with findings of its own */

    own.diags = &found;
    ts_check_condition(&own, rule);
    for (size_t i = 0; i < step->n_variables; i++) {
        const struct ts_variable *v = &step->variables[i];

        check_assignment(&own, rule, "Variables", v);
        if (v->is_hidden && v->text[0] == '\0')
            report_secret(&own, rule, "Value of the secret variable", v->name);
    }
    if (step->n_variables == 0)
        ts_check_report(&own, rule, TS_WARNING, "SLW-0181", "it sets no variable");
    pass_on(c, item, (size_t)rule + 1, &found);
}

/* The rules are a sequence of their own, with a step for each. */
static void check_rules(const struct ts_check *c, int item)
{
    const struct ts_step *step = &c->steps[c->tree.items[item].step];
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

/* An attribute that is a number; 0 or none: it is not used. */
static void check_attribute(
    const struct ts_check *c, int item, const char *name, const char *label, uint64_t max)
{
    OWN(freep) char *text = ts_node_attribute(c->tree.items[item].node, name);
    uint64_t n = 0;

    if (!text || text[0] == '\0')
        return;
    if (!bytes_parse_u64(bytes_of(text), 0, UINT32_MAX, &n))
        ts_check_report(
            c, item, TS_ERROR, "SLW-0181", "%s (%s): \"%.32s\" is not a number", label, name, text);
    else if (n > max)
        ts_check_report(c,
                        item,
                        TS_WARNING,
                        "SLW-0181",
                        "%s (%s): %.32s is out of range; it may be at most %llu",
                        label,
                        name,
                        text,
                        (unsigned long long)max);
}

void ts_check_values(const struct ts_check *c, int item)
{
    const struct ts_step_type *type = ts_step_type_find(c->steps[c->tree.items[item].step].type);

    check_attribute(c, item, "timeout", "Time-out in seconds", TIMEOUT_MAX_S);
    check_attribute(c, item, "retryCount", "Retry count", RETRIES_MAX);
    check_rules(c, item);
    if (type)
        check_secrets(c, item, type);
}

void ts_check_global_values(const struct ts_check *c)
{
    size_t n = 0;
    const struct ts_variable *globals = ts_document_globals(c->doc, &n);

    for (size_t i = 0; i < n; i++)
        check_assignment(c, TS_NO_ITEM, "globalVarList", &globals[i]);
}
