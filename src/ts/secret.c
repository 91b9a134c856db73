/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/action.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/secret_find.h"
#include "ts/secret_names.h"
#include "ts/secret_unknown.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/xml.h"

enum {
    ACTION_MAX_BYTES = 256 * 1024,
};

static const char value_name[] = "VariableValue";

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(xmlNode *, xmlFreeNode);
DEFINE_FREEP(xmlChar *, xmlFree);
DEFINE_FREEP(struct ts_secret_names *, ts_secret_names_free);

bool ts_secret_is_flag(const char *text)
{
    static const char *const open[] = {"", "false", "no", "0"};

    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        if (bytes_eq_nocase(bytes_of(text), open[i]))
            return false;
    return true;
}

static bool is_named(const xmlNode *variable, const char *wanted)
{
    OWN(freep) char *name = ts_node_attribute(variable, "name");
    OWN(freep) char *property = ts_node_attribute(variable, "property");

    return name && property &&
           (bytes_eq_nocase(bytes_of(name), wanted) || bytes_eq_nocase(bytes_of(property), wanted));
}

/* Whether one of the lists of a Set Task Sequence Variable, also one that does not count, says that its value is not to be
   displayed, or names a variable that is a secret. */
static bool is_value_hidden(const xmlNode *step)
{
    for (const xmlNode *list = step->children; list; list = list->next)
        for (const xmlNode *node = ts_node_is(list, "defaultVarList") ? list->children : NULL; node;
             node = node->next) {
            bool is_flag = ts_node_is(node, "variable") && is_named(node, "DoNotShowVariableValue");
            bool is_target = ts_node_is(node, "variable") && is_named(node, "VariableName");
            OWN(freep) char *text = is_flag || is_target ? ts_node_text(node) : NULL;

            if (text &&
                ((is_flag && ts_secret_is_flag(text)) || (is_target && ts_name_is_secret(text))))
                return true;
        }
    return false;
}

static const struct ts_step_type *type_of(const xmlNode *step)
{
    OWN(freep) char *type = step ? ts_node_attribute(step, "type") : NULL;

    return type ? ts_step_type_find(type) : NULL;
}

static void found(struct ts_secrets *secrets, const char *text)
{
    if (secrets)
        ts_secrets_add(secrets, text);
}

/* How values are masked. */
struct masking {
    const char *mask;
    bool masks_blank; /* what a variable is set to is masked if it is empty as well */
    const struct ts_secret_names *names; /* NULL: those that are secret by their name */
    struct ts_secrets *secrets;          /* get what is masked; NULL: nobody wants it */
    size_t n;                            /* how many there were */
};

static bool mask_compared(void *ctx, xmlNode *value)
{
    struct masking *m = ctx;
    OWN(freep) char *text = ts_node_text(value);

    if (text && text[0] == '\0')
        return true;
    if (text)
        found(m->secrets, text);
    xmlNodeSetContent(value, (const xmlChar *)m->mask);
    m->n++;
    return text != NULL;
}

/* Mask the values of secret variables; within is bounded by TS_XML_MAX_DEPTH. */
static void mask_rules(struct masking *m, xmlNode *node)
{
    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        OWN(freep) char *is_secret = ts_node_attribute(child, "IsSecret");
        OWN(freep) char *name = ts_node_attribute(child, "Name");
        OWN(freep) char *text = ts_node_text(child);

        if (!ts_node_is(child, "Variable"))
            mask_rules(m, child);
        else if (text && (text[0] != '\0' || m->masks_blank) &&
                 ((is_secret && ts_secret_is_flag(is_secret)) ||
                  (name && (text[0] != '\0' ? ts_secret_is_called(name, text)
                                            : ts_name_is_secret(name))))) {
            found(m->secrets, text);
            xmlNodeSetContent(child, (const xmlChar *)m->mask);
            m->n++;
        }
    }
}

static char *mask_dynamic(char *text, struct masking *m)
{
    OWN(freep) char *own_text = text;
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    xmlBuffer *dump;
    char *masked = NULL;

    if (!text || !strstr(text, "Variable"))
        return TAKE(own_text);
    if (ts_xml_parse_container(bytes_of(text), TS_XML_MAX_BYTES, &xml, &ignored) != 0) {
        if (m->secrets)
            m->secrets->has_others = true;
        return ts_copy(m->mask); /* who knows what is in it */
    }
    mask_rules(m, xmlDocGetRootElement(xml));
    if (!ts_secret_each_compared(m->names, xmlDocGetRootElement(xml), mask_compared, m))
        return NULL;
    if (m->n == 0)
        return TAKE(own_text); /* byte for byte */
    dump = xmlBufferCreate();
    if (dump && xmlNodeDump(dump, xml, xmlDocGetRootElement(xml), 0, 0) > 0)
        masked = ts_copy((const char *)xmlBufferContent(dump));
    xmlBufferFree(dump);
    return masked;
}

struct value {
    const struct ts_step_type *type; /* NULL: none of ours */
    const char *name;
    const char *property; /* the attribute */
    bool is_hidden;       /* VariableValue is: the Set Task Sequence Variable says so */
};

static bool is_secret_name(const struct value *v, const char *name, const char *text)
{
    const struct ts_property *property = ts_property_find(v->type, name);

    if (v->is_hidden && bytes_eq_nocase(bytes_of(name), value_name))
        return true;
    return property ? ts_property_is_secret(property) : ts_secret_is_called(name, text);
}

/* @text: is taken. */
static char *mask_value(const struct value *v, char *text, struct masking *m)
{
    OWN(freep) char *own_text = text;
    const struct ts_property *property = ts_property_find(v->type, v->name);

    if (!property)
        property = ts_property_find(v->type, v->property);
    if (property && property->kind == TS_KIND_RULES)
        return mask_dynamic(TAKE(own_text), m);
    if (own_text[0] == '\0' && m->masks_blank && v->is_hidden &&
        (bytes_eq_nocase(bytes_of(v->name), value_name) ||
         bytes_eq_nocase(bytes_of(v->property), value_name)))
        return ts_copy(m->mask);
    if (own_text[0] == '\0' ||
        (!is_secret_name(v, v->name, own_text) && !is_secret_name(v, v->property, own_text)))
        return TAKE(own_text);
    found(m->secrets, own_text);
    return ts_copy(m->mask);
}

/* @secrets: get what is masked; NULL: nobody wants it */
static char *mask_variable(const struct ts_secret_owner *owner,
                           const xmlNode *variable,
                           const char *mask,
                           struct ts_secrets *secrets)
{
    OWN(freep) char *name = ts_node_attribute(variable, "name");
    OWN(freep) char *property = ts_node_attribute(variable, "property");
    OWN(freep) char *text = ts_node_text(variable);
    struct masking masking = {.mask = mask, .names = owner->names, .secrets = secrets};

    if (!name || !property || !text)
        return NULL;

    const struct value value = {
        .type = owner->type,
        .name = name,
        .property = property,
        .is_hidden = owner->hides_value,
    };

    return mask_value(&value, TAKE(text), &masking);
}

struct ts_secret_owner ts_secret_owner_of(const struct ts_secret_names *names, const xmlNode *step)
{
    return (struct ts_secret_owner){
        .names = names,
        .type = type_of(step),
        .hides_value = step && is_value_hidden(step),
    };
}

char *ts_secret_mask(const struct ts_secret_owner *owner, const xmlNode *variable, const char *mask)
{
    return mask_variable(owner, variable, mask, NULL);
}

static bool is_found(void *ctx, xmlNode *node, const char *name)
{
    bool *has_some = ctx;

    (void)node;
    (void)name;
    *has_some = true;
    return false;
}

static bool is_compared(void *ctx, xmlNode *value)
{
    OWN(freep) char *text = ts_node_text(value);

    return (text && text[0] == '\0') || is_found(ctx, value, NULL);
}

static bool list_has_secret(const struct ts_secret_owner *owner, const xmlNode *list)
{
    for (const xmlNode *node = list->children; node; node = node->next) {
        if (!ts_node_is(node, "variable"))
            continue;

        OWN(freep) char *text = ts_node_text(node);
        OWN(freep) char *shown = ts_secret_mask(owner, node, "***");

        if (!text || !shown || strcmp(text, shown) != 0)
            return true;
    }
    return false;
}

bool ts_secret_is_in_step(const struct ts_secret_names *names, xmlNode *step)
{
    const struct ts_secret_owner owner = ts_secret_owner_of(names, step);
    bool has_some = false;

    if (!ts_secret_each_unknown(step, is_found, &has_some) ||
        !ts_secret_each_compared(names, step, is_compared, &has_some))
        return true; /* or there was no memory */
    for (const xmlNode *list = step->children; list; list = list->next)
        if (ts_node_is(list, "defaultVarList") && list_has_secret(&owner, list))
            return true;
    return has_some;
}

bool ts_secret_hides_value(const struct ts_step *step)
{
    const struct ts_variable *hides = ts_step_variable(step, "DoNotShowVariableValue");
    const struct ts_variable *target = ts_step_variable(step, "VariableName");

    return (hides && ts_secret_is_flag(hides->text)) || (target && ts_name_is_secret(target->text));
}

static char *mask_read(const struct ts_step *step,
                       bool hides_value,
                       const struct ts_variable *variable,
                       struct masking *masking)
{
    OWN(freep) char *text = ts_copy(variable->text);
    const struct value value = {
        .type = ts_step_type_find(step->type),
        .name = variable->name,
        .property = variable->property,
        .is_hidden = hides_value,
    };

    return text ? mask_value(&value, TAKE(text), masking) : NULL;
}

char *ts_secret_mask_value(const struct ts_step *step,
                           bool hides_value,
                           const struct ts_variable *variable,
                           const char *mask)
{
    struct masking masking = {.mask = mask};

    return mask_read(step, hides_value, variable, &masking);
}

char *ts_secret_show_value(const struct ts_secret_names *names,
                           const struct ts_step *step,
                           bool hides_value,
                           const struct ts_variable *variable)
{
    struct masking masking = {.mask = "***", .masks_blank = true, .names = names};

    return mask_read(step, hides_value, variable, &masking);
}

bool ts_secret_withholds_value(const struct ts_step *step)
{
    const struct ts_variable *value = ts_step_variable(step, value_name);

    return ts_secret_hides_value(step) && (!value || ts_secret_is_blank(value->text));
}

bool ts_secret_is_withheld(const struct ts_variable *variable)
{
    return (variable->is_hidden || ts_name_is_secret(variable->name)) &&
           ts_secret_is_blank(variable->text);
}

static void set_text(xmlNode *node, const char *text)
{
    xmlNodeSetContent(node, NULL);
    xmlNodeAddContent(node, (const xmlChar *)text);
}

/* Return: whether it was a secret, or -ENOMEM. */
static int
blank_variable(const struct ts_secret_owner *owner, xmlNode *variable, struct ts_secrets *secrets)
{
    OWN(freep) char *text = ts_node_text(variable);
    OWN(freep) char *masked = mask_variable(owner, variable, "", secrets);

    if (!text || !masked)
        return ERR(-ENOMEM);
    if (strcmp(text, masked) == 0)
        return 0;
    set_text(variable, masked);
    return 1;
}

struct blanking {
    struct ts_secrets *secrets;
    bool has_some;
};

static bool blank_unknown(void *ctx, xmlNode *node, const char *name)
{
    struct blanking *blanking = ctx;
    OWN(freep) char *text = ts_secret_own_text(node);

    (void)name;
    if (text)
        found(blanking->secrets, text);
    ts_secret_clear(node);
    blanking->has_some = true;
    return text != NULL;
}

static int blank_item(const struct ts_secret_names *names, xmlNode *item);

/* Of what is in a node, but not in an item within it, whose secrets are its own. Variables count wherever they stand: a list
   that has no effect is exported too. Bounded by TS_XML_MAX_DEPTH. Return: whether there were any, or -ENOMEM. */
static int
blank_within(const struct ts_secret_owner *owner, xmlNode *node, struct ts_secrets *secrets)
{
    const struct ts_secret_owner nobody = {.names = owner->names};
    int n = 0;

    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        bool is_item = ts_node_is_item(child);
        int r = is_item ? blank_item(owner->names, child) : 0;

        if (ts_node_is(child, "variable"))
            r = blank_variable(owner, child, secrets);
        if (r < 0)
            return TRACE(r);
        n |= is_item ? 0 : r;
        r = 0;
        if (!is_item)
            r = blank_within(ts_node_is(child, "condition") ? &nobody : owner, child, secrets);
        if (r < 0)
            return TRACE(r);
        n |= r;
    }
    return n;
}

/* The text of the command without the secrets. @made: what the template makes without them; NULL: it did not make it. */
static int blank_action(xmlNode *action, const struct ts_secrets *secrets, const char *made)
{
    OWN(freep) char *text = ts_node_text(action);

    if (!text)
        return ERR(-ENOMEM);
    bool has_short = made && ts_secrets_have_short(secrets, text);

    if (ts_secrets_cut(secrets, text) || has_short)
        set_text(action, made ? made : text);
    return 0;
}

/* @counts: the one that is @made */
static int blank_actions(xmlNode *node,
                         const xmlNode *counts,
                         const struct ts_secrets *secrets,
                         const char *made)
{
    int r = 0;

    for (xmlNode *child = ts_node_element(node->children); child && r == 0;
         child = ts_node_element(child->next)) {
        if (ts_node_is(child, "action"))
            r = blank_action(child, secrets, child == counts ? made : NULL);
        else if (!ts_node_is_item(child))
            r = blank_actions(child, counts, secrets, made);
    }
    return TRACE(r);
}

/* All but commands. Return: whether there was a secret, or -ENOMEM. */
static int
blank_values(const struct ts_secret_names *names, xmlNode *item, struct ts_secrets *secrets)
{
    const struct ts_secret_owner owner = ts_secret_owner_of(names, item);
    struct blanking blanking = {.secrets = secrets};
    struct masking compared = {.mask = "", .secrets = secrets};
    int r;

    if (!ts_secret_each_unknown(item, blank_unknown, &blanking) ||
        !ts_secret_each_compared(names, item, mask_compared, &compared))
        return ERR(-ENOMEM);
    r = blank_within(&owner, item, secrets);
    return r == 0 && (blanking.has_some || compared.n > 0) ? 1 : TRACE(r);
}

/* A group, a step or the sequence itself. Its commands may repeat the secret. */
static int blank_item(const struct ts_secret_names *names, xmlNode *item)
{
    OWN(ts_secrets_fini) struct ts_secrets secrets = {0};
    OWN(buf_fini) struct buf made = BUF_INIT(ACTION_MAX_BYTES);
    const struct ts_step_type *type = type_of(item);
    bool is_made = type && ts_action_is_made(type, item);
    int r = blank_values(names, item, &secrets);

    if (r <= 0)
        return TRACE(r);
    if (is_made)
        ts_action_put(type, ts_node_child(item, "defaultVarList"), &made);
    if (made.failed)
        return ERR(-ENOMEM);
    return TRACE(blank_actions(
        item, ts_node_child(item, "action"), &secrets, is_made ? buf_str(&made) : NULL));
}

int ts_secret_gather(const struct ts_secret_names *names, xmlNode *item, struct ts_secrets *ret)
{
    OWN(xmlFreeNodep) xmlNode *copy = xmlCopyNode(item, 1);
    int r = copy ? blank_values(names, copy, ret) : ERR(-ENOMEM);

    return r < 0 ? TRACE(r) : 0;
}

char *ts_secret_export_action(const struct ts_secret_names *names, xmlNode *step)
{
    OWN(xmlFreeNodep) xmlNode *copy = xmlCopyNode(step, 1);
    const xmlNode *action;

    if (!copy || blank_item(names, copy) < 0)
        return NULL;
    action = ts_node_child(copy, "action");
    return action ? ts_node_text(action) : ts_copy("");
}

int ts_document_export(const struct ts_document *doc, struct ts_document **ret)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = xmlCopyDoc(ts_document_tree(doc), 1);
    OWN(xmlFreep) xmlChar *text = NULL;
    OWN(ts_secret_names_freep) struct ts_secret_names *names = NULL;
    int size = 0;
    int r = xml ? ts_secret_names_new(doc, NULL, &names) : ERR(-ENOMEM);

    if (r == 0)
        r = blank_item(names, xmlDocGetRootElement(xml));

    if (r < 0)
        return TRACE(r);
    xmlDocDumpFormatMemoryEnc(xml, &text, &size, "UTF-8", 0);
    if (!text)
        return ERR(-ENOMEM);
    r = ts_document_parse((struct bytes){text, (size_t)size}, ret, &ignored);
    return r == 0 ? 0 : ERR(-ENOMEM); /* it was a document before */
}
