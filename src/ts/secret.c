/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/xml.h"

enum {
    ACTION_MAX_BYTES = 256 * 1024,
    NAME_MAX_BYTES = 64,
};

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(xmlChar *, xmlFree);

/* Text of the variable in the list with this name or property; NULL if there is none. */
static char *text_of(const xmlNode *variables, const char *wanted)
{
    for (const xmlNode *node = variables ? variables->children : NULL; node; node = node->next) {
        if (!ts_node_is(node, "variable"))
            continue;

        OWN(freep) char *name = ts_node_attribute(node, "name");
        OWN(freep) char *property = ts_node_attribute(node, "property");

        if (name && property &&
            (bytes_eq_nocase(bytes_of(property), wanted) ||
             bytes_eq_nocase(bytes_of(name), wanted)))
            return ts_node_text(node);
    }
    return NULL;
}

static bool is_true(const char *text)
{
    return text && bytes_eq_nocase(bytes_of(text), "true");
}

/* Value of a Set Task Sequence Variable that is not to be displayed. */
static bool is_hidden_value(const xmlNode *step, const char *name)
{
    const xmlNode *list = ts_node_child(step, "defaultVarList");
    OWN(freep) char *hides = NULL;
    OWN(freep) char *target = NULL;

    if (!bytes_eq_nocase(bytes_of(name), "VariableValue"))
        return false;
    hides = text_of(list, "DoNotShowVariableValue");
    target = text_of(list, "VariableName");
    return is_true(hides) || (target && ts_name_is_secret(target));
}

static const struct ts_step_type *type_of(const xmlNode *step)
{
    OWN(freep) char *type = step ? ts_node_attribute(step, "type") : NULL;

    return type ? ts_step_type_find(type) : NULL;
}

/* Mask the values of secret variables; within is bounded by TS_XML_MAX_DEPTH. Return: how many. */
static size_t mask_rules(xmlNode *node, const char *mask)
{
    size_t n = 0;

    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        OWN(freep) char *is_secret = ts_node_attribute(child, "IsSecret");
        OWN(freep) char *name = ts_node_attribute(child, "Name");
        OWN(freep) char *text = ts_node_text(child);

        if (!ts_node_is(child, "Variable"))
            n += mask_rules(child, mask);
        else if (text && text[0] != '\0' &&
                 (is_true(is_secret) || (name && ts_name_is_secret(name)))) {
            xmlNodeSetContent(child, (const xmlChar *)mask);
            n++;
        }
    }
    return n;
}

static char *mask_dynamic(char *text, const char *mask)
{
    OWN(freep) char *own_text = text;
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    xmlBuffer *dump;
    char *masked = NULL;

    if (!text || !strstr(text, "Variable"))
        return TAKE(own_text);
    if (ts_xml_parse_container(bytes_of(text), TS_XML_MAX_BYTES, &xml, &ignored) != 0)
        return ts_copy(mask); /* who knows what is in it */
    if (mask_rules(xmlDocGetRootElement(xml), mask) == 0)
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
    bool is_hidden;       /* of a Set Task Sequence Variable that says so */
};

/* @text: is taken. */
static char *mask_value(const struct value *v, char *text, const char *mask)
{
    OWN(freep) char *own_text = text;
    const struct ts_property *property = ts_property_find(v->type, v->name);
    bool is_secret = v->is_hidden;

    if (!property)
        property = ts_property_find(v->type, v->property);
    if (property && property->kind == TS_KIND_RULES)
        return mask_dynamic(TAKE(own_text), mask);
    if (property)
        is_secret |= ts_property_is_secret(property);
    else
        is_secret |= ts_name_is_secret(v->name) || ts_name_is_secret(v->property);
    return is_secret && own_text[0] != '\0' ? ts_copy(mask) : TAKE(own_text);
}

char *ts_secret_mask(const xmlNode *step, const xmlNode *variable, const char *mask)
{
    OWN(freep) char *name = ts_node_attribute(variable, "name");
    OWN(freep) char *property = ts_node_attribute(variable, "property");
    OWN(freep) char *text = ts_node_text(variable);

    if (!name || !property || !text)
        return NULL;

    const struct value value = {
        .type = type_of(step),
        .name = name,
        .property = property,
        .is_hidden = step && is_hidden_value(step, name),
    };

    return mask_value(&value, TAKE(text), mask);
}

bool ts_secret_hides_value(const struct ts_step *step)
{
    const struct ts_variable *hides = ts_step_variable(step, "DoNotShowVariableValue");
    const struct ts_variable *target = ts_step_variable(step, "VariableName");

    return (hides && is_true(hides->text)) || (target && ts_name_is_secret(target->text));
}

char *ts_secret_mask_value(const struct ts_step *step,
                           bool is_value_hidden,
                           const struct ts_variable *variable,
                           const char *mask)
{
    OWN(freep) char *text = ts_copy(variable->text);
    const struct value value = {
        .type = ts_step_type_find(step->type),
        .name = variable->name,
        .property = variable->property,
        .is_hidden = is_value_hidden && bytes_eq_nocase(bytes_of(variable->name), "VariableValue"),
    };

    return text ? mask_value(&value, TAKE(text), mask) : NULL;
}

/* One "{Name}" or plain character of the template; @ret_is_empty: it was a property without text. */
static const char *put_part(const struct ts_step_type *type,
                            const char *template,
                            const xmlNode *variables,
                            struct buf *ret,
                            bool *ret_is_empty)
{
    const char *end = template[0] == '{' ? strchr(template, '}') : NULL;
    char name[NAME_MAX_BYTES];

    if (!end || (size_t)(end - template) > sizeof(name)) {
        buf_add(ret, (struct bytes){(const uint8_t *)template, 1});
        return template + 1;
    }
    memcpy(name, template + 1, (size_t)(end - template) - 1);
    name[end - template - 1] = '\0';

    OWN(freep) char *text = text_of(variables, name);

    const struct ts_property *property = ts_property_find(type, name);
    bool is_bool = property && property->kind == TS_KIND_BOOL;

    if (!text || text[0] == '\0')
        *ret_is_empty = true;
    else if (is_bool && is_true(text))
        buf_adds(ret, "True"); /* as the reference product writes it */
    else if (is_bool && bytes_eq_nocase(bytes_of(text), "false"))
        buf_adds(ret, "False");
    else
        buf_adds(ret, text);
    return end + 1;
}

void ts_action_put(const struct ts_step_type *type, const xmlNode *variables, struct buf *ret)
{
    const char *at = type->command;

    while (*at) {
        OWN(buf_fini) struct buf part = BUF_INIT(ACTION_MAX_BYTES);
        bool is_empty = false;

        if (*at != '<') {
            at = put_part(type, at, variables, ret, &is_empty);
            continue;
        }
        at++;
        while (*at && *at != '>')
            at = put_part(type, at, variables, &part, &is_empty);
        at += *at == '>' ? 1 : 0;
        if (!is_empty)
            buf_add(ret, buf_bytes(&part));
    }
}

/* Blank the secrets of a list. Return: whether there were any, or -ENOMEM. */
static int blank_list(const xmlNode *step, xmlNode *list)
{
    int n = 0;

    for (xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        if (!ts_node_is(node, "variable"))
            continue;

        OWN(freep) char *text = ts_node_text(node);
        OWN(freep) char *masked = ts_secret_mask(step, node, "");

        if (!text || !masked)
            return ERR(-ENOMEM);
        if (strcmp(text, masked) == 0)
            continue;
        n = 1;
        xmlNodeSetContent(node, NULL);
        xmlNodeAddContent(node, (const xmlChar *)masked);
    }
    return n;
}

static void set_text(xmlNode *node, const char *text)
{
    xmlNodeSetContent(node, NULL);
    xmlNodeAddContent(node, (const xmlChar *)text);
}

/* No documented attribute is one; an odd one may be. */
static void blank_attributes(xmlNode *step)
{
    for (xmlAttr *a = step->properties; a; a = a->next)
        if (ts_name_is_secret((const char *)a->name))
            xmlNodeSetContent((xmlNode *)a, NULL);
}

static int blank_step(xmlNode *step)
{
    const struct ts_step_type *type = type_of(step);
    xmlNode *list = ts_node_child(step, "defaultVarList");
    xmlNode *action = ts_node_child(step, "action");
    OWN(buf_fini) struct buf text = BUF_INIT(ACTION_MAX_BYTES);
    int r = blank_list(step, list);

    blank_attributes(step);
    if (r <= 0 || !action)
        return TRACE(r);
    if (type)
        ts_action_put(type, list, &text); /* otherwise it would repeat the secret */
    if (text.failed)
        return ERR(-ENOMEM);
    set_text(action,
             buf_str(&text)); /* of a type we do not know, nothing is safer than something */
    return 0;
}

int ts_document_export(const struct ts_document *doc, struct ts_document **ret)
{
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = xmlCopyDoc(ts_document_tree(doc), 1);
    OWN(xmlFreep) xmlChar *text = NULL;
    int size = 0;
    int r;

    if (!xml)
        return ERR(-ENOMEM);
    r = ts_tree_read(xml, &tree);
    if (r < 0)
        return TRACE(r);
    r = blank_list(NULL, ts_node_child(xmlDocGetRootElement(xml), "globalVarList"));
    for (size_t i = 0; r >= 0 && i < tree.n; i++)
        r = blank_step(tree.items[i].node);
    if (r < 0)
        return TRACE(r);
    xmlDocDumpFormatMemoryEnc(xml, &text, &size, "UTF-8", 0);
    if (!text)
        return ERR(-ENOMEM);
    r = ts_document_parse((struct bytes){text, (size_t)size}, ret, &ignored);
    return r == 0 ? 0 : ERR(-ENOMEM); /* it was a document before */
}
