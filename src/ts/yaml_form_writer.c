/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_writer.h"

#include <string.h>

#include "base/own.h"
#include "ts/document.h"
#include "ts/script_text.h"
#include "ts/tree.h"
#include "ts/yaml_form_text.h"

enum {
    SPACE_MAX_BYTES = 64 * 1024,
    TABLE_MAX = 500, /* variables, beyond which no two are looked for that have the same name */
};

bool ts_yaml_is_own_namespace(const xmlNode *node)
{
    const xmlNode *root = xmlDocGetRootElement(node->doc);

    return (!node->nsDef || node == root) &&
           (!node->ns || (root->ns == node->ns && !node->ns->prefix));
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

bool ts_yaml_is_own(const xmlNode *node, const char *name, const char *const *attributes)
{
    if (!ts_node_is(node, name) || !ts_yaml_is_own_namespace(node))
        return false;
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns || !is_one_of((const char *)a->name, attributes))
            return false;
    return true;
}

bool ts_yaml_is_text_only(const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type != XML_TEXT_NODE && child->type != XML_CDATA_SECTION_NODE)
            return false;
    return true;
}

bool ts_yaml_is_odd_space(struct ts_yaml_writer *w, const xmlNode *parent, const xmlNode *child)
{
    OWN(buf_fini) struct buf usual = BUF_INIT(SPACE_MAX_BYTES);

    ts_yaml_usual_space(parent, child, w->indent, &w->trail, &usual);
    return strcmp(buf_str(&usual), ts_yaml_space(parent, child)) != 0;
}

bool ts_yaml_is_odd(struct ts_yaml_writer *w, const xmlNode *parent)
{
    for (const xmlNode *child = parent->children; child; child = child->next)
        if (!ts_yaml_is_blank(child) &&
            (child->type != XML_ELEMENT_NODE || ts_yaml_is_odd_space(w, parent, child)))
            return true;
    return ts_yaml_is_odd_space(w, parent, NULL);
}

void ts_yaml_put_space(struct ts_yaml_writer *w,
                       const xmlNode *parent,
                       const xmlNode *child,
                       unsigned indent)
{
    if (ts_yaml_is_odd_space(w, parent, child))
        yaml_text_item(w->out, TS_YAML_SPACE, ts_yaml_space(parent, child), indent);
}

/* The text between the blanks that usually stand at both ends of a comment; NULL if there are none or more. */
static char *find_inner(const char *text)
{
    size_t len = strlen(text);
    char *inner;

    if (len < 3 || text[0] != ' ' || text[len - 1] != ' ' || strchr(" \t\n", text[1]) ||
        strchr(" \t\n", text[len - 2]))
        return NULL;
    inner = ts_copy(text + 1);
    if (inner)
        inner[len - 2] = '\0';
    return inner;
}

void ts_yaml_put_other(struct ts_yaml_writer *w, xmlNode *node, unsigned indent)
{
    const char *text = node->content ? (const char *)node->content : "";
    OWN(freep) char *inner = node->type == XML_COMMENT_NODE ? find_inner(text) : NULL;
    xmlBuffer *dump;

    if (node->type == XML_COMMENT_NODE) {
        yaml_text_item(
            w->out, inner ? "comment" : TS_YAML_COMMENT_TEXT, inner ? inner : text, indent);
        return;
    }
    dump = xmlBufferCreate();
    if (dump && xmlNodeDump(dump, node->doc, node, 0, 0) > 0)
        yaml_text_item(w->out, "xml", (const char *)xmlBufferContent(dump), indent);
    else
        w->out->failed = true;
    xmlBufferFree(dump);
}

static size_t count_attributes(const xmlNode *node)
{
    size_t n = 0;

    for (const xmlAttr *a = node->properties; a; a = a->next)
        n++;
    return n;
}

/* Whether it is a variable, with attributes that nothing else is meant by. */
static bool is_variable(const xmlNode *node)
{
    if (!ts_node_is(node, "variable") || !ts_yaml_is_own_namespace(node) ||
        !ts_yaml_is_text_only(node) || !xmlHasProp(node, (const xmlChar *)"name"))
        return false;
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns || strcmp((const char *)a->name, "text") == 0 ||
            strcmp((const char *)a->name, "script") == 0)
            return false;
    return true;
}

/* Whether it can be a mapping: variables only, each name once, laid out as usual. */
static bool is_table(struct ts_yaml_writer *w, const xmlNode *list)
{
    size_t n = 0;

    for (const xmlNode *node = list->children; node; node = node->next) {
        OWN(freep) char *own_name = NULL;

        if (ts_yaml_is_blank(node))
            continue;
        if (!is_variable(node) || ++n > TABLE_MAX)
            return false;
        own_name = ts_node_attribute(node, "name");
        for (const xmlNode *other = list->children; own_name && other != node;
             other = other->next) {
            OWN(freep)
            char *name = ts_node_is(other, "variable") ? ts_node_attribute(other, "name") : NULL;

            if (name && strcmp(own_name, name) == 0)
                return false;
        }
    }
    return !ts_yaml_is_odd(w, list);
}

/* Whether its attributes are those that the table gives a variable of this name. */
static bool is_usual(const struct ts_step_type *type, const xmlNode *node, const char *name)
{
    struct ts_yaml_usual usual;
    OWN(freep) char *property = ts_node_attribute(node, "property");
    OWN(freep) char *hidden = ts_node_attribute(node, "hidden");

    ts_yaml_usual(type, name, &usual);
    return property && hidden && strcmp(property, usual.property) == 0 &&
           strcmp(hidden, usual.is_hidden ? "true" : "") == 0 &&
           count_attributes(node) ==
               1 + (usual.property[0] ? 1U : 0U) + (usual.is_hidden ? 1U : 0U);
}

/* The script that @text is as the editor stores it. @ret: its text. */
static bool is_script(const char *text, struct buf *ret)
{
    OWN(buf_fini) struct buf again = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);

    return strncmp(text, "//", 2) == 0 && ts_script_text(text, ret) &&
           strlen(buf_str(ret)) == ret->len && ts_script_source(buf_str(ret), &again) &&
           strcmp(buf_str(&again), text) == 0;
}

/* @is_listed: in a list, where a text alone could be taken for something else */
static void put_variable(struct ts_yaml_writer *w,
                         const struct ts_step_type *type,
                         const xmlNode *node,
                         unsigned indent,
                         bool is_listed)
{
    OWN(buf_fini) struct buf script = BUF_INIT(TS_XML_MAX_BYTES);
    OWN(freep) char *name = ts_node_attribute(node, "name");
    OWN(freep) char *text = ts_node_text(node);
    bool is_plain_text;
    bool is_scripted;
    bool is_first = is_listed;

    if (!name || !text) {
        w->out->failed = true;
        return;
    }
    is_scripted = is_script(text, &script);
    is_plain_text = is_usual(type, node, name);
    if (is_plain_text && !is_scripted && !is_listed) {
        yaml_text_pair(w->out, name, text, indent, &is_first);
        return;
    }
    yaml_text_key(w->out, name, indent, &is_first);
    buf_adds(w->out, "\n");
    indent += YAML_TEXT_SPACES;
    for (const xmlAttr *a = node->properties; a && !(is_plain_text && is_scripted); a = a->next) {
        OWN(freep) char *value = ts_node_attribute(node, (const char *)a->name);

        if (strcmp((const char *)a->name, "name") != 0)
            yaml_text_pair(w->out, (const char *)a->name, value ? value : "", indent, &is_first);
    }
    yaml_text_pair(w->out,
                   is_scripted ? "script" : "text",
                   is_scripted ? buf_str(&script) : text,
                   indent,
                   &is_first);
}

void ts_yaml_put_variables(struct ts_yaml_writer *w,
                           const struct ts_step_type *type,
                           const xmlNode *list,
                           unsigned indent)
{
    bool is_mapping = is_table(w, list);

    buf_adds(w->out, list->children ? "\n" : " {}\n");
    for (xmlNode *node = list->children; node; node = node->next) {
        if (ts_yaml_is_blank(node))
            continue;
        if (is_mapping) {
            put_variable(w, type, node, indent, false);
            continue;
        }
        ts_yaml_put_space(w, list, node, indent);
        if (!is_variable(node)) {
            ts_yaml_put_other(w, node, indent);
            continue;
        }
        yaml_text_dash(w->out, indent);
        put_variable(w, type, node, indent + YAML_TEXT_SPACES, true);
    }
    if (!is_mapping)
        ts_yaml_put_space(w, list, NULL, indent);
}
