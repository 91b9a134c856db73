/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/edit_parts.h"
#include "ts/step_packages.h"
#include "ts/step_references.h"
#include "ts/step_types.h"
#include "ts/tree.h"

enum {
    ACTION_MAX_BYTES = 256 * 1024,
};

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);

static const struct ts_step_type *type_of(const xmlNode *step)
{
    OWN(freep) char *type = ts_node_attribute(step, "type");

    return type ? ts_step_type_find(type) : NULL;
}

/* Whether @text, which the variable holds, is the id or a list with it. */
static bool names(const xmlNode *variable, const char *text, const char *id)
{
    if (strcmp(text, id) == 0)
        return true;
    if (!strstr(text, id))
        return false;

    OWN(freep) char *name = ts_node_attribute(variable, "name");

    return name && ts_name_is_list(name) && ts_list_find(name, text, id);
}

/* Whether the variable is one that refers to something. @is_listed: its text is in <referenceList> */
static bool refers(const xmlNode *variable, bool is_listed)
{
    const xmlNode *step = variable->parent ? variable->parent->parent : NULL;
    bool is_of_step = step && ts_node_is(step, "step");
    OWN(freep) char *name = ts_node_attribute(variable, "name");
    OWN(freep) char *property = ts_node_attribute(variable, "property");
    enum ts_referring by = TS_REFERS_NOT;

    if (name && property)
        by = ts_refers_by(is_of_step ? type_of(step) : NULL, name, property);
    return by == TS_REFERS_MAYBE ? is_listed : by != TS_REFERS_NOT;
}

/* Whether some variable of the document names it. The depth is bounded by TS_XML_MAX_DEPTH. */
static bool is_used(const xmlNode *node, const char *id)
{
    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        if (ts_node_is(child, "variable")) {
            OWN(freep) char *text = ts_node_text(child);

            if (text && names(child, text, id))
                return true;
        } else if (is_used(child, id)) {
            return true;
        }
    }
    return false;
}

static xmlNode *find_reference(const xmlNode *list, const char *id)
{
    for (xmlNode *node = list ? ts_node_element(list->children) : NULL; node;
         node = ts_node_element(node->next)) {
        OWN(freep) char *package = ts_node_attribute(node, "package");
        OWN(freep) char *application = ts_node_attribute(node, "application");

        if (package && application && (strcmp(package, id) == 0 || strcmp(application, id) == 0))
            return node;
    }
    return NULL;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static bool is_referred_to(const xmlNode *node, const char *id)
{
    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        if (ts_node_is(child, "variable")) {
            OWN(freep) char *text = ts_node_text(child);

            if (text && names(child, text, id) && refers(child, false))
                return true;
        } else if (is_referred_to(child, id)) {
            return true;
        }
    }
    return false;
}

/* Whether a Set Task Sequence Variable puts it into a list that another step installs. */
static bool is_put_into_list(const struct ts_document *doc, const char *id)
{
    OWN(ts_package_lists_fini) struct ts_package_lists lists = {0};
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    char named[TS_PACKAGE_ID_MAX];

    if (ts_package_lists_init(&lists, steps, n) < 0)
        return false;
    for (size_t i = 0; i < n; i++)
        if (ts_named_package(&lists, &steps[i], named) && strcmp(named, id) == 0)
            return true;
    return false;
}

bool ts_refers_to(const struct ts_document *doc, const char *id)
{
    const xmlNode *root = xmlDocGetRootElement(ts_document_tree(doc));

    return find_reference(ts_node_child(root, "referenceList"), id) || is_referred_to(root, id) ||
           is_put_into_list(doc, id);
}

static const char *reference_kind(const struct ts_step_type *type, const char *variable)
{
    const struct ts_property *property = ts_property_find(type, variable);

    if (bytes_eq_nocase(bytes_of(variable), "ApplicationName"))
        return "application";
    if (property && property->kind == TS_KIND_APPLICATION)
        return "application";
    return property && (property->kind == TS_KIND_PACKAGE || property->kind == TS_KIND_SEQUENCE)
               ? "package"
               : NULL;
}

static xmlNode *make_list(xmlNode *root)
{
    xmlNode *list = ts_node_child(root, "referenceList");
    xmlNode *first = ts_node_element(root->children);

    if (list)
        return list;
    list = xmlNewNode(NULL, (const xmlChar *)"referenceList");
    if (!list)
        return NULL;
    return first ? xmlAddPrevSibling(first, list) : xmlAddChild(root, list);
}

static int add_reference(xmlNode *root, const char *kind, const char *id)
{
    xmlNode *list = make_list(root);
    xmlNode *node;

    if (!list)
        return ERR(-ENOMEM);
    if (find_reference(list, id))
        return 0;
    node = xmlNewChild(list, NULL, (const xmlChar *)"reference", NULL);
    if (!node)
        return ERR(-ENOMEM);
    (void)xmlSetProp(node, (const xmlChar *)kind, (const xmlChar *)id);
    return 0;
}

/* One for each id in @text, which the variable @name holds. */
static int add_each(xmlNode *root, const char *kind, const char *name, const char *text)
{
    struct bytes item;
    int r = 0;

    if (strchr(text, '%') || text[0] == '\0')
        return 0;
    if (!ts_name_is_list(name))
        return TRACE(add_reference(root, kind, text));
    while (r == 0 && ts_list_next(name, &text, &item)) {
        OWN(freep)
        char *id = (char *)xmlStrndup((const xmlChar *)item.ptr, (int)item.len);

        r = id ? add_reference(root, kind, id) : ERR(-ENOMEM);
    }
    return TRACE(r);
}

/* Call for each text of a variable of @step that refers to something. */
static int add_references(xmlNode *root, const xmlNode *step)
{
    const struct ts_step_type *type = type_of(step);
    const xmlNode *list = ts_node_child(step, "defaultVarList");

    for (const xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;
        const char *kind = name ? reference_kind(type, name) : NULL;
        OWN(freep) char *text = kind ? ts_node_text(node) : NULL;
        int r = text ? add_each(root, kind, name, text) : 0;

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void drop_references(xmlNode *root, const xmlNode *gone)
{
    const xmlNode *references = ts_node_child(root, "referenceList");

    for (xmlNode *node = ts_node_element(gone->children); node;
         node = ts_node_element(node->next)) {
        OWN(freep) char *text = ts_node_is(node, "variable") ? ts_node_text(node) : NULL;
        xmlNode *reference = text && text[0] != '\0' ? find_reference(references, text) : NULL;

        if (!ts_node_is(node, "variable"))
            drop_references(root, node);
        if (!reference || is_used(root, text))
            continue;
        xmlUnlinkNode(reference);
        xmlFreeNode(reference);
    }
}

int ts_edit_refresh_references(struct ts_editing *e, const xmlNode *gone)
{
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    xmlNode *root = xmlDocGetRootElement(e->xml);
    OWN(freep) char *version = ts_node_attribute(root, "version");
    int r = version && strcmp(version, "3.10") == 0 ? ts_tree_read(e->xml, &tree) : 0;

    for (size_t i = 0; r == 0 && i < tree.n; i++)
        if (!tree.items[i].is_group)
            r = add_references(root, tree.items[i].node);
    if (r == 0 && gone)
        drop_references(root, gone);
    return TRACE(r);
}

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* @text with each whole word @from replaced. */
static void replace_words(const char *text, const struct ts_mapping *m, struct buf *ret)
{
    size_t len = strlen(m->from);
    const char *at = text;
    const char *found;

    while ((found = strstr(at, m->from)) != NULL) {
        bool is_word = (found == text || !is_id_char(found[-1])) && !is_id_char(found[len]);

        buf_add(ret, (struct bytes){(const uint8_t *)at, (size_t)(found - at)});
        buf_adds(ret, is_word ? m->to : m->from);
        at = found + len;
    }
    buf_adds(ret, at);
}

static int map_action(xmlNode *action, const struct ts_mapping *m)
{
    OWN(freep) char *text = ts_node_text(action);
    OWN(buf_fini) struct buf mapped = BUF_INIT(ACTION_MAX_BYTES);

    if (!text)
        return ERR(-ENOMEM);
    replace_words(text, m, &mapped);
    if (mapped.failed)
        return ERR(-ENOMEM);
    if (strcmp(text, buf_str(&mapped)) == 0)
        return 0;
    xmlNodeSetContent(action, NULL);
    xmlNodeAddContent(action, (const xmlChar *)buf_str(&mapped));
    return 0;
}

static void map_attribute(xmlNode *node, const char *name, const struct ts_mapping *m, size_t *n)
{
    OWN(freep) char *text = ts_node_attribute(node, name);

    if (!text || strcmp(text, m->from) != 0)
        return;
    (void)xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)m->to);
    ++*n;
}

static int set_text(xmlNode *node, struct buf *text, size_t *n)
{
    if (text->failed)
        return ERR(-ENOMEM);
    xmlNodeSetContent(node, NULL);
    xmlNodeAddContent(node, (const xmlChar *)buf_str(text));
    ++*n;
    return 0;
}

/* What is mapped, and how often it was found. */
struct mapping {
    const struct ts_mapping *m;
    bool is_listed; /* in <referenceList> */
    size_t n;
};

/* Of a list, the items that are it. */
static int map_variable(xmlNode *variable, struct mapping *mapping)
{
    const struct ts_mapping *m = mapping->m;
    OWN(freep) char *name = ts_node_attribute(variable, "name");
    OWN(freep) char *text = ts_node_text(variable);
    OWN(buf_fini) struct buf mapped = BUF_INIT(ACTION_MAX_BYTES);
    const char *at = text;
    const char *found;

    if (!text || !name)
        return ERR(-ENOMEM);
    if (!names(variable, text, m->from) || !refers(variable, mapping->is_listed))
        return 0;
    if (!ts_name_is_list(name))
        at = text + strlen(text); /* all of it */
    while ((found = ts_list_find(name, at, m->from))) {
        buf_add(&mapped, (struct bytes){(const uint8_t *)at, (size_t)(found - at)});
        buf_adds(&mapped, m->to);
        at = found + strlen(m->from);
    }
    buf_adds(&mapped, ts_name_is_list(name) ? at : m->to);
    return TRACE(set_text(variable, &mapped, &mapping->n));
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static int map_within(xmlNode *parent, struct mapping *mapping)
{
    for (xmlNode *node = ts_node_element(parent->children); node;
         node = ts_node_element(node->next)) {
        int r = 0;

        if (ts_node_is(node, "reference")) {
            map_attribute(node, "package", mapping->m, &mapping->n);
            map_attribute(node, "application", mapping->m, &mapping->n);
        } else if (ts_node_is(node, "variable")) {
            r = map_variable(node, mapping);
        } else if (ts_node_is(node, "action")) {
            r = map_action(node, mapping->m);
        } else if (!ts_node_is(node, "condition")) {
            r = map_within(node, mapping);
        }
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* "SLP00012:Install" of a Set Task Sequence Variable: what stands behind the id stays. */
static int map_value(const xmlNode *step, struct mapping *mapping)
{
    const xmlNode *list = ts_node_child(step, "defaultVarList");
    size_t len = strlen(mapping->m->from);

    for (xmlNode *node = list ? ts_node_element(list->children) : NULL; node;
         node = ts_node_element(node->next)) {
        OWN(freep) char *name = ts_node_attribute(node, "name");
        OWN(freep) char *text = ts_node_text(node);
        OWN(buf_fini) struct buf mapped = BUF_INIT(ACTION_MAX_BYTES);

        if (!name || !text)
            return ERR(-ENOMEM);
        if (!bytes_eq_nocase(bytes_of(name), "VariableValue") ||
            strncmp(text, mapping->m->from, len) != 0)
            continue;
        buf_addf(&mapped, "%s%s", mapping->m->to, text + len);
        return TRACE(set_text(node, &mapped, &mapping->n));
    }
    return 0;
}

/* What the steps put into lists that others install. @xml: a copy of the document's tree */
static int map_values(const struct ts_document *doc, xmlDoc *xml, struct mapping *mapping)
{
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    OWN(ts_package_lists_fini) struct ts_package_lists lists = {0};
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    int r = ts_tree_read(xml, &tree);

    if (r == 0)
        r = ts_package_lists_init(&lists, steps, n);
    for (size_t i = 0; r == 0 && i < tree.n; i++) {
        int step = tree.items[i].step;
        char named[TS_PACKAGE_ID_MAX];

        if (step != TS_NO_ITEM && ts_named_package(&lists, &steps[step], named) &&
            strcmp(named, mapping->m->from) == 0)
            r = map_value(tree.items[i].node, mapping);
    }
    return TRACE(r);
}

static bool has_same(const xmlNode *node, const xmlNode *other, const char *attribute)
{
    OWN(freep) char *a = ts_node_attribute(node, attribute);
    OWN(freep) char *b = ts_node_attribute(other, attribute);

    return a && b && strcmp(a, b) == 0;
}

/* Of references to @id that have become the same the first stays. White space goes with the others. */
static void drop_doubles(const xmlNode *list, const char *id)
{
    const xmlNode *first = find_reference(list, id);
    xmlNode *next;

    for (xmlNode *node = first ? ts_node_element(first->next) : NULL; node; node = next) {
        xmlNode *space = node->prev && xmlIsBlankNode(node->prev) ? node->prev : NULL;

        next = ts_node_element(node->next);
        if (!ts_node_is(node, "reference") || !has_same(first, node, "package") ||
            !has_same(first, node, "application"))
            continue;
        xmlUnlinkNode(node);
        xmlFreeNode(node);
        xmlUnlinkNode(space);
        xmlFreeNode(space);
    }
}

static int map_all(const struct ts_document *doc, xmlDoc *xml, struct mapping *mapping)
{
    xmlNode *root = xmlDocGetRootElement(xml);
    int r;

    mapping->is_listed = find_reference(ts_node_child(root, "referenceList"), mapping->m->from);
    r = map_values(doc, xml, mapping);
    if (r == 0)
        r = map_within(root, mapping);
    if (r == 0 && mapping->n > 0)
        drop_doubles(ts_node_child(root, "referenceList"), mapping->m->to);
    return TRACE(r);
}

int ts_edit_map(const struct ts_document *doc,
                const struct ts_mapping *mappings,
                size_t n,
                struct ts_document **ret,
                struct buf *why)
{
    OWN(xmlFreeDocp) xmlDoc *xml = xmlCopyDoc(ts_document_tree(doc), 1);
    struct ts_editing e = {.xml = xml, .why = why};

    if (!xml)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n; i++) {
        struct mapping mapping = {.m = &mappings[i]};
        int r = mappings[i].from[0] ? map_all(doc, xml, &mapping) : 0;

        if (r < 0)
            return TRACE(r);
        if (mapping.n == 0)
            return ts_edit_refuse(
                &e, "the task sequence refers to no \"%.100s\"", mappings[i].from);
    }
    return TRACE(ts_edit_finish(&e, ret));
}
