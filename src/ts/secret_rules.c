/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret_rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/node_index.h"
#include "ts/secret.h"
#include "ts/secret_names.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/xml.h"

enum {
    RULES_MAX_BYTES = 2 * TS_XML_MAX_BYTES,
};

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(xmlNode *, xmlFreeNode);

static void set_text(xmlNode *node, const char *text)
{
    xmlNodeSetContent(node, NULL);
    xmlNodeAddContent(node, (const xmlChar *)text);
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

/* The secrets of a rule. @group: of its condition. Return: 0 or -ENOMEM. */
static int add_secrets(struct ts_node_index *secrets, size_t group, const xmlNode *rule)
{
    const xmlNode *list = ts_node_child(rule, "Variables");
    int r = 0;

    for (xmlNode *v = list ? ts_node_element(list->children) : NULL; v && r == 0;
         v = ts_node_element(v->next)) {
        OWN(freep) char *name = ts_node_attribute(v, "Name");

        if (name && is_secret_rule_variable(v))
            r = ts_node_index_add(secrets, group, name, v);
    }
    return TRACE(r);
}

/* What the old rules have. */
struct old_rules {
    struct ts_node_index rules; /* by condition */
    struct ts_node_index
        secrets; /* by name; the group is where the first rule with their rule's condition stands in @rules */
};

static void old_rules_fini(struct old_rules *old)
{
    ts_node_index_fini(&old->rules);
    ts_node_index_fini(&old->secrets);
}

/* @ret: to be ended by the caller, also after a failure. Return: 0 or -ENOMEM. */
static int
look(const struct ts_secret_names *names, const xmlNode *old_rules, struct old_rules *ret)
{
    size_t group = 0;
    int r = 0;

    for (xmlNode *rule = ts_node_element(old_rules->children); rule && r == 0;
         rule = ts_node_element(rule->next)) {
        OWN(buf_fini) struct buf condition = BUF_INIT(RULES_MAX_BYTES);

        put_condition(names, rule, &condition);
        r = ts_node_index_add(&ret->rules, 0, buf_str(&condition), rule);
    }
    if (r == 0)
        r = ts_node_index_sort(&ret->rules);
    for (size_t i = 0; r == 0 && i < ret->rules.n; i++) {
        if (strcmp(ret->rules.entries[i].name, ret->rules.entries[group].name) != 0)
            group = i;
        r = add_secrets(&ret->secrets, group, ret->rules.entries[i].node);
    }
    return r == 0 ? TRACE(ts_node_index_sort(&ret->secrets)) : TRACE(r);
}

/* The secrets of @rule, where it has none. @twin: the first of the old ones with its condition */
static void
keep_in_rule(const struct old_rules *old, const xmlNode *rule, const struct ts_node_entry *twin)
{
    const xmlNode *list = ts_node_child(rule, "Variables");

    for (xmlNode *v = list ? ts_node_element(list->children) : NULL; v;
         v = ts_node_element(v->next)) {
        OWN(freep) char *name = ts_node_attribute(v, "Name");
        OWN(freep) char *text = ts_node_text(v);
        const struct ts_node_entry *secret =
            name && text && ts_secret_is_blank(text) && is_secret_rule_variable(v)
                ? ts_node_index_find(&old->secrets, (size_t)(twin - old->rules.entries), name)
                : NULL;
        OWN(freep) char *kept = secret ? ts_node_text(secret->node) : NULL;

        if (kept)
            set_text(v, kept);
    }
}

static void
keep_in_rules(const struct ts_secret_names *names, xmlNode *rules, const struct old_rules *old)
{
    for (xmlNode *rule = ts_node_element(rules->children); rule;
         rule = ts_node_element(rule->next)) {
        OWN(buf_fini) struct buf condition = BUF_INIT(RULES_MAX_BYTES);
        const struct ts_node_entry *twin;

        put_condition(names, rule, &condition);
        twin = ts_node_index_find(&old->rules, 0, buf_str(&condition));
        if (!twin)
            continue;
        keep_in_rule(old, rule, twin);
        (void)ts_secret_keep_compared(names, rule, twin->node);
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

void ts_secret_keep_rules(const struct ts_secret_names *names,
                          xmlNode *variable,
                          const char *text,
                          const char *old_text)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    OWN(xmlFreeDocp) xmlDoc *old_xml = NULL;
    OWN(old_rules_fini) struct old_rules old_rules = {0};
    OWN(buf_fini) struct buf exported = BUF_INIT(RULES_MAX_BYTES);
    OWN(buf_fini) struct buf kept = BUF_INIT(RULES_MAX_BYTES);
    OWN(buf_fini) struct buf old = BUF_INIT(RULES_MAX_BYTES);

    if (ts_xml_parse_container(bytes_of(text), TS_XML_MAX_BYTES, &xml, &ignored) != 0 ||
        ts_xml_parse_container(bytes_of(old_text), TS_XML_MAX_BYTES, &old_xml, &ignored) != 0 ||
        look(names, xmlDocGetRootElement(old_xml), &old_rules) != 0 || !dump(xml, &exported))
        return;
    keep_in_rules(names, xmlDocGetRootElement(xml), &old_rules);
    if (!dump(xml, &kept) || !dump(old_xml, &old) ||
        strcmp(buf_str(&kept), buf_str(&exported)) == 0)
        return;
    set_text(variable, strcmp(buf_str(&kept), buf_str(&old)) == 0 ? old_text : buf_str(&kept));
}
