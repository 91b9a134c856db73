/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/assign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/tree.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/compare.h"
#include "ts/condition.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/secret.h"
#include "ts/tree.h"
#include "ts/vars.h"
#include "ts/xml.h"

static const char set_type[] = "SMS_TaskSequence_SetVariableAction";
static const char rules_type[] = "SMS_TaskSequence_SetDynamicVariablesAction";

enum {
    VALUE_MAX_BYTES = 64 * 1024,
    RULES_MAX_BYTES = 4 * 1024 * 1024, /* as a sequence, which has longer names */
};

struct assigning {
    struct ts_vars *vars;
    const struct ts_facts *facts;
    void (*told)(void *ctx, const char *name, const char *value);
    void *ctx;
    struct buf *why;
    bool is_simulated; /* secrets may be withheld */
};

DEFINE_FREEP(xmlDoc *, xmlFreeDoc);
DEFINE_FREEP(struct ts_document *, ts_document_free);

bool ts_is_assignment(const struct ts_step *step)
{
    return strcmp(step->type, set_type) == 0 || strcmp(step->type, rules_type) == 0;
}

static int refuse(struct buf *why, int outcome, const char *name)
{
    switch (outcome) {
    case TS_VARS_E_READ_ONLY:
        buf_addf(why, "\"%.256s\" begins with '_' and is read-only; choose another name", name);
        return TS_ASSIGN_E_READ_ONLY;
    case TS_VARS_E_NAME:
        buf_addf(why,
                 "\"%.256s\" is no variable name: letters, digits, '_' and '-', a letter first",
                 name);
        return TS_ASSIGN_E_NAME;
    default:
        buf_addf(
            why,
            "the value of \"%.256s\" is too long: %d characters are possible, and %d bytes for "
            "all variables together",
            name,
            (int)TS_VAR_SEQUENCE_VALUE_MAX,
            (int)TS_VARS_ENVIRONMENT_MAX);
        return TS_ASSIGN_E_LIMIT;
    }
}

static int set(const struct assigning *a, const char *name, const char *text, bool is_secret)
{
    OWN(buf_fini) struct buf value = BUF_INIT(VALUE_MAX_BYTES);
    bool has_secret = ts_vars_expand(a->vars, text, &value);
    int r = value.failed ? TS_VARS_E_LIMIT : 0;

    /* what is made of a secret is one */
    if (r == 0 && (is_secret || has_secret) && name[0] != '_')
        r = ts_vars_set_secret(a->vars, name);
    if (r == 0)
        r = ts_vars_set(a->vars, name, buf_str(&value), TS_BY_SEQUENCE);
    if (r != 0)
        return r < 0 ? TRACE(r) : refuse(a->why, r, name);
    if (a->told)
        a->told(a->ctx, name, ts_vars_is_secret(a->vars, name) ? "***" : buf_str(&value));
    return 0;
}

static const char *text_of(const struct ts_step *step, const char *name)
{
    const struct ts_variable *variable = ts_step_variable(step, name);

    return variable ? variable->text : "";
}

static int set_one(const struct assigning *a, const struct ts_step *step)
{
    OWN(buf_fini) struct buf name = BUF_INIT(VALUE_MAX_BYTES);
    bool is_withheld = a->is_simulated && ts_secret_withholds_value(step);

    (void)ts_vars_expand(a->vars, text_of(step, "VariableName"), &name);
    return TRACE(set(a,
                     buf_str(&name),
                     is_withheld ? "***" : text_of(step, "VariableValue"),
                     ts_secret_is_flag(text_of(step, "DoNotShowVariableValue"))));
}

static int copy_variable(xmlNode *from, xmlNode *list)
{
    OWN(freep) char *name = ts_node_attribute(from, "Name");
    OWN(freep) char *secret = ts_node_attribute(from, "IsSecret");
    OWN(freep) char *text = ts_node_text(from);
    xmlNode *variable =
        text ? xmlNewTextChild(list, NULL, (const xmlChar *)"variable", (const xmlChar *)text)
             : NULL;

    const char *hidden = secret && ts_secret_is_flag(secret) ? "true" : "false";

    if (!variable ||
        !xmlSetProp(variable, (const xmlChar *)"name", (const xmlChar *)(name ? name : "")) ||
        !xmlSetProp(variable, (const xmlChar *)"hidden", (const xmlChar *)hidden))
        return ERR(-ENOMEM);
    return 0;
}

/* A rule as a step of a sequence: its condition, and its variables as the step's. */
static int copy_rule(const xmlNode *rule, xmlNode *sequence)
{
    xmlNode *condition = ts_node_child(rule, "condition");
    xmlNode *variables = ts_node_child(rule, "Variables");
    xmlNode *step = xmlNewChild(sequence, NULL, (const xmlChar *)"step", NULL);
    xmlNode *copy = condition ? xmlDocCopyNode(condition, sequence->doc, 1) : NULL;
    xmlNode *list = step ? xmlNewChild(step, NULL, (const xmlChar *)"defaultVarList", NULL) : NULL;
    int r = 0;

    if (!list || (condition && !copy)) {
        xmlFreeNode(copy);
        return ERR(-ENOMEM);
    }
    if (copy)
        (void)xmlAddChild(step, copy);
    if (!variables)
        return 0;
    for (xmlNode *v = ts_node_element(variables->children); v && r == 0;
         v = ts_node_element(v->next))
        r = copy_variable(v, list);
    return TRACE(r);
}

static int rules_to_sequence(xmlDoc *rules, struct buf *ret)
{
    OWN(xmlFreeDocp) xmlDoc *doc = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *sequence = doc ? xmlNewDocNode(doc, NULL, (const xmlChar *)"sequence", NULL) : NULL;
    xmlNode *rule = ts_node_element(xmlDocGetRootElement(rules)->children);
    xmlChar *text = NULL;
    int size = 0;

    if (!sequence)
        return ERR(-ENOMEM);
    (void)xmlDocSetRootElement(doc, sequence);
    (void)xmlSetProp(sequence, (const xmlChar *)"version", (const xmlChar *)"3.10");
    for (; rule; rule = ts_node_element(rule->next)) {
        int r = copy_rule(rule, sequence);

        if (r < 0)
            return TRACE(r);
    }
    xmlDocDumpMemoryEnc(doc, &text, &size, "UTF-8");
    if (text)
        buf_add(ret, (struct bytes){text, (size_t)size});
    xmlFree(text);
    return !text || ret->failed ? ERR(-ENOMEM) : 0;
}

int ts_rules_read(const char *text, struct ts_document **ret, struct buf *why)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(xmlFreeDocp) xmlDoc *rules = NULL;
    OWN(buf_fini) struct buf sequence = BUF_INIT(RULES_MAX_BYTES);
    int r = ts_xml_parse(bytes_of(text), &rules, &diags);

    if (r == 0 && !ts_node_is(xmlDocGetRootElement(rules), "Rules"))
        r = TS_E_MALFORMED;
    if (r == 0) {
        r = rules_to_sequence(rules, &sequence);
        if (r < 0)
            return TRACE(r);
        r = ts_document_parse(buf_bytes(&sequence), ret, &diags);
    }
    if (r < 0)
        return TRACE(r);
    if (r > 0) {
        buf_addf(why,
                 "its rules cannot be read: %.512s",
                 diags.n > 0 ? diags.items[0].message : "the root element is not <Rules>");
        return TS_ASSIGN_E_RULES;
    }
    return 0;
}

static int apply_rule(const struct assigning *a, const struct ts_step *rule)
{
    OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;

    if (!ts_condition_holds(rule->item.condition, a->vars, a->facts, &verdict))
        return 0;
    for (size_t i = 0; i < rule->n_variables; i++) {
        const struct ts_variable *v = &rule->variables[i];
        bool is_withheld = a->is_simulated && ts_secret_is_withheld(v);
        int r = set(a, v->name, is_withheld ? "***" : v->text, v->is_hidden);

        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    return 0;
}

int ts_rule_apply(const struct ts_step *rule,
                  struct ts_vars *vars,
                  const struct ts_facts *facts,
                  struct buf *why)
{
    const struct assigning a = {.vars = vars, .facts = facts, .why = why, .is_simulated = true};

    return TRACE(apply_rule(&a, rule));
}

static int apply_rules(const struct assigning *a, const struct ts_step *step)
{
    OWN(ts_document_freep) struct ts_document *rules = NULL;
    const char *text = text_of(step, "Rules");
    const struct ts_step *steps;
    size_t n;
    int r;

    if (text[0] == '\0')
        return 0;
    r = ts_rules_read(text, &rules, a->why);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    steps = ts_document_steps(rules, &n);
    for (size_t i = 0; i < n && r == 0; i++)
        r = apply_rule(a, &steps[i]);
    return r < 0 ? TRACE(r) : r;
}

static int assign(const struct assigning *a, const struct ts_step *step)
{
    return TRACE(strcmp(step->type, rules_type) == 0 ? apply_rules(a, step) : set_one(a, step));
}

int ts_assign(const struct ts_step *step,
              struct ts_vars *vars,
              const struct ts_facts *facts,
              void (*told)(void *ctx, const char *name, const char *value),
              void *ctx,
              struct buf *why)
{
    const struct assigning a = {vars, facts, told, ctx, why, false};

    return TRACE(assign(&a, step));
}

int ts_assign_simulated(const struct ts_step *step,
                        struct ts_vars *vars,
                        const struct ts_facts *facts,
                        struct buf *why)
{
    const struct assigning a = {.vars = vars, .facts = facts, .why = why, .is_simulated = true};

    return TRACE(assign(&a, step));
}
