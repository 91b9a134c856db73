/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret_unknown.h"

#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/secret.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/xml.h"

enum {
    TEXT_MAX_BYTES = 2 * TS_XML_MAX_BYTES,
    LOOKS_MAX = 10 * 1000 * 1000, /* in one item, beyond which nothing comes back */
};

static const char blanks[] = " \t\r\n";

static bool is_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_eq_nocase(bytes_of(text), words[i]))
            return true;
    return false;
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);

    for (const char *last = text + strlen(text); (size_t)(last - text) >= n; text++)
        if (bytes_eq_nocase((struct bytes){(const uint8_t *)text, n}, part))
            return true;
    return false;
}

/* Whether a secret that is called so would be no number: it is counted. */
static bool is_count(const char *name)
{
    static const char *const words[] = {"expire",
                                        "age",
                                        "length",
                                        "count",
                                        "days",
                                        "history",
                                        "retr",
                                        "attempt",
                                        "timeout",
                                        "never"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (contains(name, words[i]))
            return true;
    return false;
}

static bool is_integer(const char *text)
{
    text += text[0] == '-';
    return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

bool ts_secret_is_called(const char *name, const char *text)
{
    static const char *const flags[] = {"", "true", "false"};

    return ts_name_is_secret(name) && !is_one_of(text, flags, sizeof(flags) / sizeof(flags[0])) &&
           !(is_integer(text) && is_count(name));
}

static bool is_text(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE ||
           node->type == XML_ENTITY_REF_NODE;
}

char *ts_secret_own_text(const xmlNode *node)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    if (node->type == XML_ATTRIBUTE_NODE)
        return ts_node_text(node);
    for (const xmlNode *child = node->children; child; child = child->next)
        if (is_text(child) && child->content)
            buf_adds(&text, (const char *)child->content);
    while (text.len > 0 && strchr(blanks, text.ptr[text.len - 1]))
        text.ptr[--text.len] = '\0';
    if (text.failed)
        return NULL;
    return ts_copy(buf_str(&text) + strspn(buf_str(&text), blanks));
}

void ts_secret_clear(xmlNode *node)
{
    xmlNode *next;

    if (node->type == XML_ATTRIBUTE_NODE) {
        xmlNodeSetContent(node, NULL);
        return;
    }
    for (xmlNode *child = node->children; child; child = next) {
        const char *text = (const char *)child->content;

        next = child->next;
        if (!is_text(child) || (text && text[strspn(text, blanks)] == '\0'))
            continue;
        xmlUnlinkNode(child);
        xmlFreeNode(child);
    }
}

/* What the format has is known; its variables are looked at elsewhere. */
static bool is_known(const xmlNode *node)
{
    static const char *const names[] = {"sequence",
                                        "group",
                                        "step",
                                        "subtasksequence",
                                        "condition",
                                        "operator",
                                        "expression",
                                        "osConditionGroup",
                                        "osExpressionGroup",
                                        "platformKey",
                                        "action",
                                        "defaultVarList",
                                        "globalVarList",
                                        "variable",
                                        "referenceList",
                                        "reference"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (ts_node_is(node, names[i]))
            return true;
    return false;
}

/* How an element, or one around it, is called. */
struct called {
    char *name; /* owned; "" unless a secret is called so */
    bool is_unknown;
};

static void called_fini(struct called *called)
{
    free(called->name);
}

/* @outer: the name of what is around it. Return: false without memory. */
static bool look(const xmlNode *node, const char *outer, struct called *ret)
{
    static const char *const labels[] = {"name", "key", "property"};

    *ret = (struct called){.is_unknown = !is_known(node)};
    if (ret->is_unknown && ts_name_is_secret((const char *)node->name))
        ret->name = ts_copy((const char *)node->name);
    for (const xmlAttr *a = node->properties; a && ret->is_unknown && !ret->name; a = a->next) {
        OWN(freep) char *text = NULL;

        if (!is_one_of((const char *)a->name, labels, sizeof(labels) / sizeof(labels[0])))
            continue;
        text = ts_node_text((const xmlNode *)a);
        if (!text)
            return false;
        if (ts_name_is_secret(text))
            ret->name = TAKE(text);
    }
    if (!ret->name)
        ret->name = ts_copy(ret->is_unknown ? outer : "");
    return ret->name != NULL;
}

/* Whether the text of @node is a secret by that name. */
static bool is_secret(const xmlNode *node, const char *name, bool *ret)
{
    OWN(freep) char *text = ts_secret_own_text(node);

    *ret = text && ts_secret_is_called(name, text);
    return text != NULL;
}

struct walk {
    ts_secret_visit visit;
    void *ctx;
};

static bool visit(const struct walk *walk, xmlNode *node, const char *name)
{
    bool is_so;

    return is_secret(node, name, &is_so) && (!is_so || walk->visit(walk->ctx, node, name));
}

static bool walk_attributes(const struct walk *walk, xmlNode *node, const char *name)
{
    static const char *const holders[] = {"value", "text", "data", "content"};

    for (xmlAttr *a = node->properties; a; a = a->next) {
        bool is_holder =
            is_one_of((const char *)a->name, holders, sizeof(holders) / sizeof(holders[0]));

        if (!visit(walk, (xmlNode *)a, is_holder && name[0] ? name : (const char *)a->name))
            return false;
    }
    return true;
}

/* @name: of what it is in. Bounded by TS_XML_MAX_DEPTH. */
static bool walk_within(const struct walk *walk, xmlNode *node, const char *name)
{
    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        OWN(called_fini) struct called called = {0};

        if (ts_node_is_item(child))
            continue;
        if (!look(child, name, &called) || !walk_attributes(walk, child, called.name) ||
            (called.name[0] != '\0' && !visit(walk, child, called.name)) ||
            !walk_within(walk, child, called.name))
            return false;
    }
    return true;
}

bool ts_secret_each_unknown(xmlNode *item, ts_secret_visit visitor, void *ctx)
{
    const struct walk walk = {visitor, ctx};

    return walk_attributes(&walk, item, "") && walk_within(&walk, item, "");
}

/* Where a secret stands in one of two items that are the same. */
struct keeping {
    xmlNode *item;
    const xmlNode *old;
    size_t n_left; /* so many more looks at siblings */
    bool has_some;
};

static bool is_same_name(const xmlNode *a, const xmlNode *b)
{
    const char *x = a->ns ? (const char *)a->ns->href : "";
    const char *y = b->ns ? (const char *)b->ns->href : "";

    return xmlStrEqual(a->name, b->name) && strcmp(x, y) == 0;
}

/* The element in @node that stands where @old stands in what is around it: the one so called of the same number. */
static xmlNode *find_same(struct keeping *keeping, xmlNode *node, const xmlNode *old)
{
    size_t n_before = 0;

    for (const xmlNode *other = old->prev; other && keeping->n_left > 0; other = other->prev) {
        n_before += other->type == XML_ELEMENT_NODE && is_same_name(other, old);
        keeping->n_left--;
    }
    for (xmlNode *child = ts_node_element(node->children); child && keeping->n_left > 0;
         child = ts_node_element(child->next)) {
        keeping->n_left--;
        if (is_same_name(child, old) && n_before-- == 0)
            return child;
    }
    return NULL;
}

/* What stands in the new item where @old stands in the old one; NULL: nothing does. Bounded by TS_XML_MAX_DEPTH. */
static xmlNode *find_place(struct keeping *keeping, const xmlNode *old)
{
    xmlNode *around;

    if (old == keeping->old)
        return keeping->item;
    around = old->parent ? find_place(keeping, old->parent) : NULL;
    return around ? find_same(keeping, around, old) : NULL;
}

static void put_back(xmlNode *place, const char *text)
{
    if (place->type == XML_ATTRIBUTE_NODE) {
        (void)xmlSetNsProp(
            place->parent, ((xmlAttr *)place)->ns, place->name, (const xmlChar *)text);
        return;
    }
    if (!ts_node_element(place->children))
        xmlNodeSetContent(place, NULL);
    else
        ts_secret_clear(place);
    xmlNodeAddContent(place, (const xmlChar *)text);
}

static bool keep_one(void *ctx, xmlNode *old, const char *name)
{
    struct keeping *keeping = ctx;
    bool is_attribute = old->type == XML_ATTRIBUTE_NODE;
    bool is_whole = is_attribute || !ts_node_element(old->children);
    const xmlAttr *like = (const xmlAttr *)old;
    xmlNode *place = find_place(keeping, is_attribute ? old->parent : old);
    OWN(freep) char *old_text = is_whole ? ts_node_text(old) : ts_secret_own_text(old);
    OWN(freep) char *text = NULL;

    (void)name;
    keeping->has_some = true;
    if (place && is_attribute)
        place = (xmlNode *)xmlHasNsProp(place, like->name, like->ns ? like->ns->href : NULL);
    text = place ? ts_secret_own_text(place) : NULL;
    if (old_text && text && ts_secret_is_blank(text))
        put_back(place, old_text);
    return true;
}

bool ts_secret_keep_unknown(xmlNode *item, xmlNode *old)
{
    struct keeping keeping = {.item = item, .old = old, .n_left = LOOKS_MAX};

    (void)ts_secret_each_unknown(old, keep_one, &keeping);
    return keeping.has_some;
}
