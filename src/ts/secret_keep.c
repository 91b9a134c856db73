/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/action.h"
#include "ts/diag.h"
#include "ts/diff_parts.h"
#include "ts/document.h"
#include "ts/secret_names.h"
#include "ts/secret_unknown.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/xml.h"

enum {
    ACTION_MAX_BYTES = 256 * 1024,
    RULES_MAX_BYTES = 2 * TS_XML_MAX_BYTES,
};

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(xmlChar *, xmlFree);
DEFINE_FREEP(xmlNode *, xmlFreeNode);

const char *ts_secret_account(const char *variable)
{
    static const struct {
        const char *secret;
        const char *account;
    } pairs[] = {
        {"OSDCaptureAccountPassword", "OSDCaptureAccount"},
        {"OSDJoinPassword", "OSDJoinAccount"},
        {"SMSConnectNetworkFolderPassword", "SMSConnectNetworkFolderAccount"},
        {"SMSTSRunCommandLineUserPassword", "SMSTSRunCommandLineUserName"},
        {"SMSTSRunPowerShellUserPassword", "SMSTSRunPowerShellUserName"},
        {"SLWUserPassword", "SLWUserName"},
        {"VariableValue", "VariableName"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (bytes_eq_nocase(bytes_of(pairs[i].secret), variable))
            return pairs[i].account;
    return NULL;
}

bool ts_secret_is_blank(const char *text)
{
    return text[0] == '\0' || strcmp(text, "***") == 0;
}

static void set_text(xmlNode *node, const char *text)
{
    xmlNodeSetContent(node, NULL);
    xmlNodeAddContent(node, (const xmlChar *)text);
}

/* The variable of this name in the list; NULL if there is none. */
static xmlNode *find_variable(const xmlNode *list, const char *wanted)
{
    for (xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;

        if (name && strcmp(name, wanted) == 0)
            return node;
    }
    return NULL;
}

/* Whether the two lists have the same text in that variable. */
static bool is_same_text(const xmlNode *list, const xmlNode *old_list, const char *name)
{
    const xmlNode *node = find_variable(list, name);
    const xmlNode *old_node = find_variable(old_list, name);
    OWN(freep) char *text = node ? ts_node_text(node) : ts_copy("");
    OWN(freep) char *old_text = old_node ? ts_node_text(old_node) : ts_copy("");

    return text && old_text && strcmp(text, old_text) == 0;
}

static bool clear(void *ctx, xmlNode *value)
{
    (void)ctx;
    xmlNodeSetContent(value, NULL);
    return true;
}

/* The text of an element's only condition, as it stands, but for what an export loses. */
static void put_condition(const struct ts_secret_names *names, const xmlNode *rule, struct buf *ret)
{
    xmlNode *condition = ts_node_child(rule, "condition");
    OWN(xmlFreeNodep)
    xmlNode *copy = condition ? xmlDocCopyNode(condition, condition->doc, 1) : NULL;
    xmlBuffer *text = copy ? xmlBufferCreate() : NULL;

    if (text && ts_secret_each_compared(names, copy, clear, NULL) &&
        xmlNodeDump(text, condition->doc, copy, 0, 0) > 0)
        buf_adds(ret, (const char *)xmlBufferContent(text));
    xmlBufferFree(text);
}

static bool is_secret_rule_variable(const xmlNode *variable)
{
    OWN(freep) char *is_secret = ts_node_attribute(variable, "IsSecret");
    OWN(freep) char *name = ts_node_attribute(variable, "Name");

    return (is_secret && ts_secret_is_flag(is_secret)) || (name && ts_name_is_secret(name));
}

/* The old rule with this condition. NULL: there is none. */
static xmlNode *
find_rule(const struct ts_secret_names *names, const xmlNode *old_rules, const char *condition)
{
    for (xmlNode *rule = ts_node_element(old_rules->children); rule;
         rule = ts_node_element(rule->next)) {
        OWN(buf_fini) struct buf own = BUF_INIT(RULES_MAX_BYTES);

        put_condition(names, rule, &own);
        if (strcmp(buf_str(&own), condition) == 0)
            return rule;
    }
    return NULL;
}

/* Text of the secret variable of this name under a rule with this condition; NULL if there is none. Owned by the caller. */
static char *find_rule_secret(const struct ts_secret_names *names,
                              const xmlNode *old_rules,
                              const char *condition,
                              const char *wanted)
{
    for (xmlNode *rule = ts_node_element(old_rules->children); rule;
         rule = ts_node_element(rule->next)) {
        OWN(buf_fini) struct buf own = BUF_INIT(RULES_MAX_BYTES);
        const xmlNode *list = ts_node_child(rule, "Variables");

        put_condition(names, rule, &own);
        if (!list || strcmp(buf_str(&own), condition) != 0)
            continue;
        for (xmlNode *v = ts_node_element(list->children); v; v = ts_node_element(v->next)) {
            OWN(freep) char *name = ts_node_attribute(v, "Name");

            if (name && strcmp(name, wanted) == 0 && is_secret_rule_variable(v))
                return ts_node_text(v);
        }
    }
    return NULL;
}

static void
keep_in_rules(const struct ts_secret_names *names, xmlNode *rules, const xmlNode *old_rules)
{
    for (xmlNode *rule = ts_node_element(rules->children); rule;
         rule = ts_node_element(rule->next)) {
        OWN(buf_fini) struct buf condition = BUF_INIT(RULES_MAX_BYTES);
        const xmlNode *list = ts_node_child(rule, "Variables");
        xmlNode *old;

        put_condition(names, rule, &condition);
        for (xmlNode *v = list ? ts_node_element(list->children) : NULL; v;
             v = ts_node_element(v->next)) {
            OWN(freep) char *name = ts_node_attribute(v, "Name");
            OWN(freep) char *text = ts_node_text(v);
            OWN(freep)
            char *kept = name && text && ts_secret_is_blank(text) && is_secret_rule_variable(v)
                             ? find_rule_secret(names, old_rules, buf_str(&condition), name)
                             : NULL;

            if (kept)
                set_text(v, kept);
        }
        old = find_rule(names, old_rules, buf_str(&condition));
        if (old)
            (void)ts_secret_keep_compared(names, rule, old);
    }
}

/* The root element as text. Return: whether it could be had. */
static bool dump(xmlDoc *xml, struct buf *ret)
{
    xmlBuffer *text = xmlBufferCreate();
    bool is_done = text && xmlNodeDump(text, xml, xmlDocGetRootElement(xml), 0, 0) > 0;

    if (is_done)
        buf_adds(ret, (const char *)xmlBufferContent(text));
    xmlBufferFree(text);
    return is_done && !ret->failed;
}

/* Rules are text that holds XML; if nothing else has changed, they are again what they were byte for byte. */
static void keep_rules(const struct ts_secret_names *names,
                       xmlNode *variable,
                       const char *text,
                       const char *old_text)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    OWN(xmlFreeDocp) xmlDoc *old_xml = NULL;
    OWN(buf_fini) struct buf exported = BUF_INIT(RULES_MAX_BYTES);
    OWN(buf_fini) struct buf kept = BUF_INIT(RULES_MAX_BYTES);
    OWN(buf_fini) struct buf old = BUF_INIT(RULES_MAX_BYTES);

    if (ts_xml_parse_container(bytes_of(text), TS_XML_MAX_BYTES, &xml, &ignored) != 0 ||
        ts_xml_parse_container(bytes_of(old_text), TS_XML_MAX_BYTES, &old_xml, &ignored) != 0 ||
        !dump(xml, &exported))
        return;
    keep_in_rules(names, xmlDocGetRootElement(xml), xmlDocGetRootElement(old_xml));
    if (!dump(xml, &kept) || !dump(old_xml, &old) ||
        strcmp(buf_str(&kept), buf_str(&exported)) == 0)
        return;
    set_text(variable, strcmp(buf_str(&kept), buf_str(&old)) == 0 ? old_text : buf_str(&kept));
}

struct twins {
    const struct ts_secret_names *names; /* of both documents */
    xmlNode *step;                       /* NULL: the lists of the sequence itself */
    xmlNode *old_step;
    const struct ts_step_type *type; /* NULL: none of ours */
    bool was_made;                   /* the command of the step, by its template */
    xmlNode *list;
    const xmlNode *old_list;
};

/* @variable gets the secret that @old_variable has, if it is still one there. */
static int keep_one(const struct twins *twins, xmlNode *variable, const xmlNode *old_variable)
{
    OWN(freep) char *name = ts_node_attribute(variable, "name");
    OWN(freep) char *text = ts_node_text(variable);
    OWN(freep) char *old_text = ts_node_text(old_variable);
    OWN(freep) char *old_shown = ts_secret_mask(twins->names, twins->old_step, old_variable, "");
    OWN(freep) char *shown = NULL;
    const char *account = name ? ts_secret_account(name) : NULL;

    if (!name || !text || !old_text || !old_shown)
        return ERR(-ENOMEM);
    if (strcmp(old_text, old_shown) == 0 ||
        (account && !is_same_text(twins->list, twins->old_list, account)))
        return 0;
    if (old_shown[0] != '\0') {
        keep_rules(twins->names, variable, text, old_text);
        return 0;
    }
    if (!ts_secret_is_blank(text))
        return 0;
    set_text(variable, old_text);
    shown = ts_secret_mask(twins->names, twins->step, variable, "");
    if (!shown)
        return ERR(-ENOMEM);
    if (shown[0] != '\0') /* it would be seen there */
        set_text(variable, text);
    return 0;
}

static bool is_same_list(const xmlNode *list, const xmlNode *other)
{
    for (xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;

        if (name && (!find_variable(other, name) || !is_same_text(list, other, name)))
            return false;
    }
    return true;
}

/* Whether the command is as an export has that of the old step, or one made before commands were kept in it: empty, or made by the
   template. Without memory it is not. */
static bool is_exported(const struct twins *twins, const char *text)
{
    OWN(freep) char *exported = ts_secret_export_action(twins->names, twins->old_step);

    return ts_secret_is_blank(text) || twins->was_made || (exported && strcmp(text, exported) == 0);
}

/* The command of a step with a secret may have lost it in an export; where nothing else has changed, it is the old one. */
static int keep_action(const struct twins *twins)
{
    xmlNode *action = ts_node_child(twins->step, "action");
    const xmlNode *old_action = ts_node_child(twins->old_step, "action");
    OWN(freep) char *text = action ? ts_node_text(action) : NULL;
    OWN(freep) char *old_text = old_action ? ts_node_text(old_action) : NULL;
    OWN(buf_fini) struct buf made = BUF_INIT(ACTION_MAX_BYTES);

    if (!action)
        return 0;
    if (!text || (old_action && !old_text))
        return ERR(-ENOMEM);
    if (old_text && is_same_list(twins->list, twins->old_list) &&
        is_same_list(twins->old_list, twins->list) && is_exported(twins, text)) {
        set_text(action, old_text);
    } else if (twins->was_made) {
        ts_action_put(twins->type, twins->list, &made);
        if (made.failed)
            return ERR(-ENOMEM);
        set_text(action, buf_str(&made));
    }
    return 0;
}

/* Return: whether the old list has secrets, or -ENOMEM. */
static int keep_list(const struct twins *twins)
{
    int has_secret = 0;

    for (xmlNode *node = twins->old_list ? twins->old_list->children : NULL; node;
         node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;
        OWN(freep) char *text = name ? ts_node_text(node) : NULL;
        OWN(freep)
        char *shown = name ? ts_secret_mask(twins->names, twins->old_step, node, "") : NULL;
        xmlNode *twin = name ? find_variable(twins->list, name) : NULL;
        int r = twin ? keep_one(twins, twin, node) : 0;

        if (r < 0)
            return TRACE(r);
        if (text && shown && strcmp(text, shown) != 0)
            has_secret = 1;
    }
    return has_secret;
}

static bool is_any(void *ctx, xmlNode *value)
{
    (void)ctx;
    (void)value;
    return false;
}

static int keep_item(const struct ts_secret_names *names,
                     const struct ts_tree_item *item,
                     const struct ts_tree_item *old)
{
    const struct ts_step_type *type = ts_step_type_find(item->type);
    const struct twins twins = {
        .names = names,
        .step = item->node,
        .old_step = old->node,
        .type = type,
        .was_made = type && ts_action_is_made(type, item->node),
        .list = ts_node_child(item->node, "defaultVarList"),
        .old_list = ts_node_child(old->node, "defaultVarList"),
    };
    bool has_unknown;
    int r;

    if (strcmp(item->type, old->type) != 0 || strcmp(item->name, old->name) != 0)
        return 0;
    has_unknown = ts_secret_keep_unknown(item->node, old->node);
    has_unknown |= !ts_secret_each_compared(names, old->node, is_any, NULL);
    r = ts_secret_keep_compared(names, item->node, old->node);
    if (r == 0)
        r = keep_list(&twins);
    return r > 0 || (r == 0 && has_unknown) ? TRACE(keep_action(&twins)) : TRACE(r);
}

static int keep_all(struct ts_comparison *c, xmlDoc *old_xml, xmlDoc *xml)
{
    const struct twins globals = {
        .names = c->names,
        .list = ts_node_child(xmlDocGetRootElement(xml), "globalVarList"),
        .old_list = ts_node_child(xmlDocGetRootElement(old_xml), "globalVarList"),
    };
    int r = ts_tree_read(old_xml, &c->before.tree);

    if (r == 0)
        r = ts_tree_read(xml, &c->after.tree);
    if (r == 0)
        r = ts_diff_match(c);
    if (r == 0) {
        (void)ts_secret_keep_unknown(xmlDocGetRootElement(xml), xmlDocGetRootElement(old_xml));
        r = keep_list(&globals);
    }
    for (size_t i = 0; r >= 0 && i < c->after.tree.n; i++)
        if (c->after.match[i] != TS_NO_ITEM)
            r = keep_item(
                c->names, &c->after.tree.items[i], &c->before.tree.items[c->after.match[i]]);
    return r < 0 ? TRACE(r) : 0;
}

int ts_document_keep_secrets(const struct ts_document *doc,
                             const struct ts_document *old,
                             struct ts_document **ret)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = xmlCopyDoc(ts_document_tree(doc), 1);
    OWN(xmlFreep) xmlChar *text = NULL;
    struct ts_comparison c = {0};
    int size = 0;
    int r = xml ? ts_secret_names_new(doc, old, &c.names) : ERR(-ENOMEM);

    if (r == 0)
        r = keep_all(&c, ts_document_tree(old), xml);

    ts_secret_names_free(c.names);
    free(c.before.match);
    free(c.after.match);
    ts_tree_fini(&c.before.tree);
    ts_tree_fini(&c.after.tree);
    if (r < 0)
        return TRACE(r);
    xmlDocDumpFormatMemoryEnc(xml, &text, &size, "UTF-8", 0);
    if (!text)
        return ERR(-ENOMEM);
    r = ts_document_parse((struct bytes){text, (size_t)size}, ret, &ignored);
    return r == 0 ? 0 : TRACE(ts_document_copy(doc, ret)); /* with them it is too large */
}
