/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/document_names.h"

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/tree.h"
#include "ts/validate.h"
#include "ts/xml.h"

/* What stands where in the document; the names of its items are only looked for when one of them is told. */
struct looking {
    const struct ts_document *doc;
    struct ts_tree tree; /* owned */
    struct ts_diags *diags;
    bool is_too_long;
    int r;
};

static void looking_fini(struct looking *l)
{
    ts_tree_fini(&l->tree);
}

/* How many characters the attribute @name of @node may have; 0: no limit. */
static size_t longest(const xmlNode *node, const char *name)
{
    if (ts_node_is_item(node) && strcmp(name, "name") == 0)
        return TS_NAME_MAX;
    if (ts_node_is_item(node) && strcmp(name, "description") == 0)
        return TS_DESCRIPTION_MAX;
    return ts_node_is(node, "variable") && strcmp(name, "name") == 0 ? TS_VARIABLE_NAME_MAX : 0;
}

/* Of the item that @node is, or is in; NULL: none. */
static const char *path_of(struct looking *l, const xmlNode *node)
{
    while (node && !ts_node_is_item(node))
        node = node->parent;
    if (node && !l->tree.items)
        l->r = ts_tree_read(ts_document_tree(l->doc), &l->tree);
    for (size_t i = 0; node && i < l->tree.n; i++)
        if (l->tree.items[i].node == node)
            return l->tree.items[i].path;
    return NULL;
}

static void report(struct looking *l, const xmlNode *node, const char *name, size_t n)
{
    l->is_too_long = true;
    if (l->diags->is_cut)
        return;
    ts_diags_add_at(l->diags,
                    TS_ERROR,
                    &(struct ts_diag_place){
                        .id = "SLW-0171",
                        .path = path_of(l, node),
                        .line = ts_xml_line(node),
                        .column = ts_xml_column(node),
                    },
                    "the %s of a %s has %zu characters; the limit is %zu",
                    name,
                    (const char *)node->name,
                    n,
                    longest(node, name));
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void look_within(struct looking *l, xmlNode *node)
{
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        size_t max = longest(node, (const char *)a->name);
        size_t n = 0;

        for (const xmlNode *part = a->children; max > 0 && part; part = part->next)
            n += part->content ? text_count_characters((const char *)part->content) : 0;
        if (n > max)
            report(l, node, (const char *)a->name, n);
    }
    for (xmlNode *child = ts_node_element(node->children); child && l->r == 0;
         child = ts_node_element(child->next))
        look_within(l, child);
}

int ts_document_check_names(const struct ts_document *doc, struct ts_diags *diags)
{
    OWN(looking_fini) struct looking l = {.doc = doc, .diags = diags};
    const size_t first = diags->n;

    if (strcmp(ts_document_version(doc), "3.10") != 0)
        return 0;
    look_within(&l, xmlDocGetRootElement(ts_document_tree(doc)));
    if (l.r == 0 && l.is_too_long)
        l.r = ts_validate(doc, diags);
    ts_diags_sort(diags, first);
    if (l.r < 0)
        return TRACE(l.r);
    return l.is_too_long ? TS_E_MALFORMED : 0;
}
