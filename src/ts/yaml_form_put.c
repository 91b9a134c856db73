/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form.h"

#include <errno.h>
#include <string.h>

#include <libxml/tree.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/yaml_form_parts.h"
#include "ts/yaml_form_text.h"
#include "ts/yaml_form_writer.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

/* Whether it is a reference that is not taken for something else. */
static bool is_reference(const xmlNode *node)
{
    if (!ts_node_is(node, "reference") || !ts_yaml_is_own_namespace(node) || node->children ||
        !node->properties || ts_yaml_is_key((const char *)node->properties->name))
        return false;
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns)
            return false;
    return true;
}

static void put_references(struct ts_yaml_writer *w, const xmlNode *list, unsigned indent)
{
    buf_adds(w->out, list->children ? "\n" : " []\n");
    for (xmlNode *node = list->children; node; node = node->next) {
        bool is_first = true;

        if (ts_yaml_is_blank(node))
            continue;
        ts_yaml_put_space(w, list, node, indent);
        if (!is_reference(node)) {
            ts_yaml_put_other(w, node, indent);
            continue;
        }
        yaml_text_dash(w->out, indent);
        for (const xmlAttr *a = node->properties; a; a = a->next) {
            OWN(freep) char *value = ts_node_attribute(node, (const char *)a->name);

            yaml_text_pair(w->out,
                           (const char *)a->name,
                           value ? value : "",
                           indent + YAML_TEXT_SPACES,
                           &is_first);
        }
    }
    if (list->children)
        ts_yaml_put_space(w, list, NULL, indent);
}

/* What a child of a group, step or the sequence may be written as; NULL: it has no key. */
static const char *key_of(const xmlNode *child)
{
    static const char *const none[] = {NULL};
    static const char *const keys[][2] = {{"condition", "condition"},
                                          {"defaultVarList", "variables"},
                                          {"globalVarList", "globals"},
                                          {"referenceList", "references"}};

    if (ts_yaml_is_own(child, "action", none) && ts_yaml_is_text_only(child))
        return "action";
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (ts_yaml_is_own(child, keys[i][0], none))
            return keys[i][1];
    return NULL;
}

static bool is_aside(const xmlNode *node)
{
    return ts_yaml_is_blank(node) || node->type == XML_COMMENT_NODE || node->type == XML_PI_NODE;
}

/* As which key it is written; NULL: in the list of steps, since it stands behind one of them or there are two of its kind. */
static const char *part_key(const xmlNode *child)
{
    const char *key = key_of(child);

    for (const xmlNode *node = child->parent->children; key && node != child; node = node->next) {
        const char *other = is_aside(node) ? NULL : key_of(node);

        if (!is_aside(node) && (!other || other == key))
            key = NULL;
    }
    return key;
}

/* Whether it can be a mapping. */
static bool is_item(const xmlNode *node)
{
    if (!ts_node_is_item(node) || !ts_yaml_is_own_namespace(node))
        return false;
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns)
            return false;
    return true;
}

/* All but the one that stands at the head. */
static void
put_attributes(struct ts_yaml_writer *w, const xmlNode *node, const char *head, unsigned indent)
{
    bool has_others = false;
    bool is_first = false;

    for (const xmlAttr *a = node->properties; a; a = a->next) {
        OWN(freep) char *value = ts_node_text((const xmlNode *)a);
        bool is_other = ts_yaml_is_key((const char *)a->name);

        has_others |= is_other;
        if (!is_other && strcmp((const char *)a->name, head) != 0)
            yaml_text_pair(w->out, (const char *)a->name, value ? value : "", indent, &is_first);
    }
    if (!has_others)
        return;
    yaml_text_key(w->out, TS_YAML_ATTRIBUTES, indent, &is_first);
    buf_adds(w->out, "\n");
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        OWN(freep) char *value = ts_node_text((const xmlNode *)a);

        if (ts_yaml_is_key((const char *)a->name))
            yaml_text_pair(w->out,
                           (const char *)a->name,
                           value ? value : "",
                           indent + YAML_TEXT_SPACES,
                           &is_first);
    }
}

/* A part with its key; behind a dash if @is_first. */
static void put_part(
    struct ts_yaml_writer *w, const xmlNode *child, const char *key, unsigned indent, bool is_first)
{
    OWN(freep) char *type_name = ts_node_attribute(child->parent, "type");
    OWN(freep) char *text = strcmp(key, "action") == 0 ? ts_node_text(child) : NULL;
    const struct ts_step_type *type =
        type_name && strcmp(key, "variables") == 0 ? ts_step_type_find(type_name) : NULL;

    if (strcmp(key, "action") == 0) {
        yaml_text_pair(w->out, key, text ? text : "", indent, &is_first);
        return;
    }
    yaml_text_key(w->out, key, indent, &is_first);
    if (strcmp(key, "condition") == 0)
        ts_yaml_put_operands(w, child, indent + YAML_TEXT_SPACES);
    else if (strcmp(key, "references") == 0)
        put_references(w, child, indent + YAML_TEXT_SPACES);
    else
        ts_yaml_put_variables(w, type, child, indent + YAML_TEXT_SPACES);
}

/* What stands between a part and what is before it, under a key of its own. */
static void put_before(struct ts_yaml_writer *w, xmlNode *child, const char *part, unsigned indent)
{
    OWN(buf_fini) struct buf key = BUF_INIT(64);
    struct buf *out = w->out;
    OWN(buf_fini) struct buf items = BUF_INIT(TS_YAML_MAX_BYTES);
    xmlNode *node = child;
    bool is_first = false;

    while (node->prev && is_aside(node->prev))
        node = node->prev;
    w->out = &items;
    for (; node != child; node = node->next) {
        if (ts_yaml_is_blank(node))
            continue;
        ts_yaml_put_space(w, child->parent, node, indent + YAML_TEXT_SPACES);
        ts_yaml_put_other(w, node, indent + YAML_TEXT_SPACES);
    }
    ts_yaml_put_space(w, child->parent, child, indent + YAML_TEXT_SPACES);
    w->out = out;
    w->out->failed |= items.failed;
    if (items.len == 0)
        return;
    buf_addf(&key, TS_YAML_BEFORE "%s", part);
    yaml_text_key(w->out, buf_str(&key), indent, &is_first);
    buf_adds(w->out, "\n");
    buf_add(w->out, buf_bytes(&items));
}

static void put_item(struct ts_yaml_writer *w, xmlNode *node, unsigned indent);

/* From the first on that has no key: the list of steps. */
static void
put_list(struct ts_yaml_writer *w, const xmlNode *parent, xmlNode *first, unsigned indent)
{
    bool is_first = false;

    if (!first && !ts_yaml_is_odd_space(w, parent, NULL))
        return;
    yaml_text_key(w->out, "steps", indent, &is_first);
    buf_adds(w->out, "\n");
    indent += YAML_TEXT_SPACES;
    for (xmlNode *child = first; child; child = child->next) {
        const char *key = ts_yaml_is_blank(child) ? NULL : key_of(child);

        if (ts_yaml_is_blank(child))
            continue;
        ts_yaml_put_space(w, parent, child, indent);
        if (key) {
            yaml_text_dash(w->out, indent);
            put_part(w, child, key, indent + YAML_TEXT_SPACES, true);
        } else if (is_item(child)) {
            put_item(w, child, indent);
        } else {
            ts_yaml_put_other(w, child, indent);
        }
    }
    ts_yaml_put_space(w, parent, NULL, indent);
}

static void put_parts(struct ts_yaml_writer *w, const xmlNode *node, unsigned indent)
{
    xmlNode *rest = node->children; /* the first that is in no part */

    for (xmlNode *child = node->children; child; child = child->next) {
        const char *key = is_aside(child) ? NULL : part_key(child);

        if (is_aside(child))
            continue;
        if (!key)
            break;
        put_before(w, child, key, indent);
        put_part(w, child, key, indent, false);
        rest = child->next;
    }
    while (rest && ts_yaml_is_blank(rest))
        rest = rest->next;
    put_list(w, node, rest, indent);
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void put_item(struct ts_yaml_writer *w, xmlNode *node, unsigned indent)
{
    OWN(freep) char *name = ts_node_attribute(node, "name");
    bool is_first = true;

    yaml_text_dash(w->out, indent);
    indent += YAML_TEXT_SPACES;
    if (xmlHasProp(node, (const xmlChar *)"name")) {
        yaml_text_pair(w->out, (const char *)node->name, name ? name : "", indent, &is_first);
    } else {
        yaml_text_key(w->out, (const char *)node->name, indent, &is_first);
        buf_adds(w->out, "\n");
    }
    put_attributes(w, node, "name", indent);
    put_parts(w, node, indent);
}

/* The orders of fields that are not the editor's. */
static void put_orders(struct ts_yaml_writer *w)
{
    bool is_first = false;
    bool is_begun = false;

    for (size_t i = 0; i < TS_YAML_FORMS; i++) {
        OWN(buf_fini) struct buf order = BUF_INIT((size_t)TS_YAML_FIELDS_MAX * TS_YAML_FIELD_MAX);

        if (memcmp(w->orders.fields[i], ts_yaml_forms[i].fields, sizeof(w->orders.fields[i])) == 0)
            continue;
        if (!is_begun) {
            yaml_text_key(w->out, TS_YAML_ORDERS, 0, &is_first);
            buf_adds(w->out, "\n");
        }
        is_begun = true;
        for (size_t k = 0; k < TS_YAML_FIELDS_MAX && w->orders.fields[i][k]; k++)
            buf_addf(&order, "%s%s", k > 0 ? " " : "", w->orders.fields[i][k]);
        yaml_text_pair(w->out, ts_yaml_forms[i].key, buf_str(&order), YAML_TEXT_SPACES, &is_first);
    }
}

static void put_namespaces(struct ts_yaml_writer *w, const xmlNode *root)
{
    bool is_first = false;

    if (!root->nsDef)
        return;
    yaml_text_key(w->out, "namespaces", 0, &is_first);
    buf_adds(w->out, "\n");
    for (const xmlNs *ns = root->nsDef; ns; ns = ns->next)
        yaml_text_pair(w->out,
                       ns->prefix ? (const char *)ns->prefix : "",
                       ns->href ? (const char *)ns->href : "",
                       YAML_TEXT_SPACES,
                       &is_first);
}

/* Comments and instructions before or after the sequence. */
static void put_around(struct ts_yaml_writer *w, const char *key, xmlNode *from, const xmlNode *to)
{
    bool is_first = false;

    if (from == to)
        return;
    yaml_text_key(w->out, key, 0, &is_first);
    buf_adds(w->out, "\n");
    for (xmlNode *node = from; node != to; node = node->next)
        ts_yaml_put_other(w, node, YAML_TEXT_SPACES);
}

static void put_root(struct ts_yaml_writer *w, const xmlNode *root)
{
    OWN(freep) char *version = ts_node_attribute(root, "version");
    bool is_first = false;

    put_around(w, TS_YAML_BEFORE_ALL, root->doc->children, root);
    yaml_text_pair(w->out, "sequence", version ? version : "", 0, &is_first);
    if (w->indent)
        yaml_text_pair(w->out, "indentation", w->indent, 0, &is_first);
    put_orders(w);
    put_namespaces(w, root);
    put_attributes(w, root, "version", 0);
    put_parts(w, root, 0);
    put_around(w, TS_YAML_AFTER_ALL, root->next, NULL);
}

static bool is_root(const xmlNode *root)
{
    for (const xmlAttr *a = root->properties; a; a = a->next)
        if (a->ns)
            return false;
    return ts_node_is(root, "sequence") && ts_yaml_is_own_namespace(root);
}

/* Whether @text is the document again. */
static int is_equal(const struct buf *text, const struct buf *canonical)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(ts_document_freep) struct ts_document *again = NULL;
    OWN(buf_fini) struct buf other = BUF_INIT(8 * (size_t)TS_XML_MAX_BYTES);
    int r = ts_yaml_parse(buf_bytes(text), &again, &ignored);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = ts_document_canonical(again, &other);
    if (r < 0)
        return TRACE(r);
    return r == 0 && strcmp(buf_str(&other), buf_str(canonical)) == 0;
}

/* The document as one text: always right, if not for reading. */
static int put_whole(const struct ts_document *doc, struct buf *ret)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
    bool is_first = true;
    int r = ts_document_put(doc, &xml);

    if (r < 0)
        return TRACE(r);
    yaml_text_pair(ret, "xml", buf_str(&xml), 0, &is_first);
    return xml.failed || ret->failed ? ERR(-ENOMEM) : 0;
}

int ts_yaml_put(const struct ts_document *doc, struct buf *ret)
{
    OWN(buf_fini) struct buf canonical = BUF_INIT(8 * (size_t)TS_XML_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(TS_YAML_MAX_BYTES);
    const xmlNode *root = xmlDocGetRootElement(ts_document_tree(doc));
    OWN(freep) char *indent = NULL;
    struct ts_yaml_writer w = {.out = &text};
    int r = ts_document_canonical(doc, &canonical);

    if (r == 0)
        r = ts_yaml_find_indentation(root, &indent);
    if (r != 0)
        return TRACE(r);
    if (is_root(root)) {
        w.indent = indent;
        ts_yaml_find_orders(root, &w.orders);
        put_root(&w, root);
        r = text.failed ? 0 : is_equal(&text, &canonical);
        if (r < 0)
            return TRACE(r);
        if (r == 1) {
            buf_add(ret, buf_bytes(&text));
            return ret->failed ? ERR(-ENOMEM) : 0;
        }
    }
    return TRACE(put_whole(doc, ret));
}
