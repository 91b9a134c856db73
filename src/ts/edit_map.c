/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/document.h"
#include "ts/edit_parts.h"
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

/* Whether the variable holds ids with commas between them. */
static bool is_list(const xmlNode *variable)
{
    OWN(freep) char *name = ts_node_attribute(variable, "name");

    return name && ts_name_is_list(name);
}

bool ts_name_is_list(const char *name)
{
    static const char *const lists[] = {"OSDDownloadDownloadPackages",
                                        "OSDSubTasksequenceTsReferenceApplications",
                                        "OSDSubTasksequenceTsReferencePackages"};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (bytes_eq_nocase(bytes_of(name), lists[i]))
            return true;
    return false;
}

const char *ts_list_find(const char *list, const char *id)
{
    size_t len = strlen(id);

    while (*list != '\0') {
        size_t item = strcspn(list, ", ");

        if (item == len && len > 0 && memcmp(list, id, len) == 0)
            return list;
        list += item;
        list += strspn(list, ", ");
    }
    return NULL;
}

static bool names(const xmlNode *variable, const char *text, const char *id)
{
    return strcmp(text, id) == 0 || (is_list(variable) && ts_list_find(text, id));
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

bool ts_refers_to(const struct ts_document *doc, const char *id)
{
    const xmlNode *root = xmlDocGetRootElement(ts_document_tree(doc));

    return is_used(root, id) || find_reference(ts_node_child(root, "referenceList"), id);
}

static const char *reference_kind(const struct ts_step_type *type, const char *variable)
{
    const struct ts_property *property = ts_property_find(type, variable);

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
        int r = 0;

        if (text && text[0] != '\0' && !strchr(text, '%'))
            r = add_reference(root, kind, text);
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

/* Of a list, the items that are it. */
static int map_variable(xmlNode *variable, const struct ts_mapping *m, size_t *n)
{
    OWN(freep) char *text = ts_node_text(variable);
    OWN(buf_fini) struct buf mapped = BUF_INIT(ACTION_MAX_BYTES);
    const char *at = text;
    const char *found;

    if (!text)
        return ERR(-ENOMEM);
    if (!names(variable, text, m->from))
        return 0;
    if (!is_list(variable))
        at = text + strlen(text); /* all of it */
    while ((found = ts_list_find(at, m->from))) {
        buf_add(&mapped, (struct bytes){(const uint8_t *)at, (size_t)(found - at)});
        buf_adds(&mapped, m->to);
        at = found + strlen(m->from);
    }
    buf_adds(&mapped, is_list(variable) ? at : m->to);
    if (mapped.failed)
        return ERR(-ENOMEM);
    xmlNodeSetContent(variable, NULL);
    xmlNodeAddContent(variable, (const xmlChar *)buf_str(&mapped));
    ++*n;
    return 0;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. @n: how many references there were. */
static int map_within(xmlNode *parent, const struct ts_mapping *m, size_t *n)
{
    for (xmlNode *node = ts_node_element(parent->children); node;
         node = ts_node_element(node->next)) {
        int r = 0;

        if (ts_node_is(node, "reference")) {
            map_attribute(node, "package", m, n);
            map_attribute(node, "application", m, n);
        } else if (ts_node_is(node, "variable")) {
            r = map_variable(node, m, n);
        } else if (ts_node_is(node, "action")) {
            r = map_action(node, m);
        } else if (!ts_node_is(node, "condition")) {
            r = map_within(node, m, n);
        }
        if (r < 0)
            return TRACE(r);
    }
    return 0;
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
        size_t n_found = 0;
        int r =
            mappings[i].from[0] ? map_within(xmlDocGetRootElement(xml), &mappings[i], &n_found) : 0;

        if (r < 0)
            return TRACE(r);
        if (n_found == 0)
            return ts_edit_refuse(
                &e, "the task sequence refers to no \"%.100s\"", mappings[i].from);
    }
    return TRACE(ts_edit_finish(&e, ret));
}
