/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/edit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/edit_parts.h"
#include "ts/step_types.h"
#include "ts/tree.h"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);

enum {
    WHY_MAX_BYTES = 512,
};

int ts_edit_refuse(struct ts_editing *e, const char *format, ...)
{
    char what[WHY_MAX_BYTES];
    va_list args;

    va_start(args, format);
    if (vsnprintf(what, sizeof(what), format, args) < 0)
        what[0] = '\0';
    va_end(args);
    buf_adds(e->why, what);
    return TS_EDIT_E_REFUSED;
}

int ts_edit_finish(struct ts_editing *e, struct ts_document **ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    xmlChar *text = NULL;
    int size = 0;
    int r;

    xmlDocDumpFormatMemoryEnc(e->xml, &text, &size, "UTF-8", 0);
    if (!text)
        return ERR(-ENOMEM);
    r = ts_document_parse((struct bytes){text, (size_t)size}, ret, &diags);
    xmlFree(text);
    if (r < 0)
        return TRACE(r);
    return r == 0 ? 0
                  : ts_edit_refuse(e,
                                   "%s",
                                   diags.n > 0 ? diags.items[0].message
                                               : "it is no longer a task sequence");
}

/* White space that stands before @node, to stand before its new neighbour too. */
static xmlNode *space_before(const xmlNode *node)
{
    const xmlNode *space = node ? node->prev : NULL;

    return space && space->type == XML_TEXT_NODE && xmlIsBlankNode(space)
               ? xmlNewText(space->content)
               : NULL;
}

/* Put @node, which is not in the tree, in front of @next, or at the end of @parent. */
static void insert(xmlNode *parent, xmlNode *next, xmlNode *node)
{
    xmlNode *space = space_before(next ? next : ts_node_element(parent->children));

    if (next) {
        (void)xmlAddPrevSibling(next, node);
        if (space)
            (void)xmlAddPrevSibling(next, space);
        return;
    }

    xmlNode *last = parent->last;

    if (last && last->type == XML_TEXT_NODE && xmlIsBlankNode(last)) {
        (void)xmlAddPrevSibling(last, node);
        if (space)
            (void)xmlAddPrevSibling(node, space);
        return;
    }
    if (space)
        (void)xmlAddChild(parent, space);
    (void)xmlAddChild(parent, node);
}

static void take_out(xmlNode *node)
{
    xmlNode *space = node->prev;

    if (space && space->type == XML_TEXT_NODE && xmlIsBlankNode(space)) {
        xmlUnlinkNode(space);
        xmlFreeNode(space);
    }
    xmlUnlinkNode(node);
}

static xmlNode *next_item(xmlNode *node)
{
    while (node && !ts_node_is_item(node))
        node = node->next;
    return node;
}

/* Where @op wants it: @ret_next NULL is the end of @ret_parent. */
static int find_target(struct ts_editing *e,
                       const struct ts_operation *op,
                       xmlNode **ret_parent,
                       xmlNode **ret_next)
{
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    const char *path = op->target ? op->target : "";
    xmlNode *node = xmlDocGetRootElement(e->xml);
    int r = ts_tree_read(e->xml, &tree);
    int found;

    if (r < 0)
        return TRACE(r);
    if (path[0] != '\0') {
        found = ts_tree_find(&tree, path);
        if (found == TS_NO_ITEM)
            return ts_edit_refuse(e, "there is no group or step \"%.200s\"", path);
        node = tree.items[found].node;
    } else if (op->where == TS_BEFORE || op->where == TS_AFTER) {
        return ts_edit_refuse(e, "before or after what is not said");
    }
    *ret_next = NULL;
    *ret_parent = node;
    if (op->where == TS_BEFORE || op->where == TS_AFTER) {
        *ret_parent = node->parent;
        *ret_next = op->where == TS_BEFORE ? node : next_item(node->next);
    } else if (!ts_node_is(node, "group") && node != xmlDocGetRootElement(e->xml)) {
        return ts_edit_refuse(e, "\"%.200s\" is a step, not a group", path);
    } else if (op->where == TS_FIRST_IN) {
        *ret_next = next_item(node->children);
    }
    return 0;
}

static int find_item(struct ts_editing *e, const char *path, xmlNode **ret)
{
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    int r = ts_tree_read(e->xml, &tree);
    int found;

    if (r < 0)
        return TRACE(r);
    found = ts_tree_find(&tree, path ? path : "");
    if (found == TS_NO_ITEM)
        return ts_edit_refuse(e, "there is no group or step \"%.200s\"", path ? path : "");
    *ret = tree.items[found].node;
    return 0;
}

static bool is_within(const xmlNode *node, const xmlNode *group)
{
    for (; node; node = node->parent)
        if (node == group)
            return true;
    return false;
}

static void set(xmlNode *node, const char *name, const char *value)
{
    (void)xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value);
}

static bool is_mdt(const struct ts_editing *e)
{
    OWN(freep) char *version = ts_node_attribute(xmlDocGetRootElement(e->xml), "version");

    return version && strcmp(version, "3.00") == 0;
}

static const char *run_in_of(const struct ts_step_type *type)
{
    if (type->run_in == TS_RUN_IN_BOOT_IMAGE)
        return "WinPE";
    return type->run_in == TS_RUN_IN_FULL_OS ? "FullOS" : "WinPEandFullOS";
}

/* Attributes in the order that the editors write them. */
static xmlNode *
new_item(const struct ts_editing *e, const struct ts_step_type *type, const char *name)
{
    static const char nested[] = "SMS_TaskSequence_SubTasksequence";
    bool is_nested = type && strcmp(type->type, nested) == 0;
    const char *element = is_nested ? "subtasksequence" : (type ? "step" : "group");
    xmlNode *node = xmlNewNode(NULL, (const xmlChar *)element);
    char retry[16];

    if (!node)
        return NULL;
    if (type)
        set(node, "type", type->type);
    set(node, "name", name);
    set(node, "description", "");
    if (is_mdt(e)) {
        set(node, "disable", "false");
        set(node, "continueOnError", "false");
    }
    if (!type)
        return node;
    if (!is_nested)
        set(node, "runIn", run_in_of(type));
    (void)snprintf(retry, sizeof(retry), "%u", type->retry_count);
    set(node, "successCodeList", type->success_codes);
    set(node, "retryCount", retry);
    set(node, "runFromNet", "false");
    (void)ts_edit_list(node, "action");
    (void)ts_edit_list(node, "defaultVarList");
    return node;
}

/* What holds for a new step of the type is written down, as the editor does. */
static int set_defaults(struct ts_editing *e, xmlNode *node, const struct ts_step_type *type)
{
    for (size_t i = 0; i < type->n_properties; i++) {
        const struct ts_property *p = &type->properties[i];

        if (!p->default_text || p->is_elsewhere || strchr(p->name, '#') ||
            strcmp(p->name, "Timeout") == 0 || p->kind == TS_KIND_CODES)
            continue;

        struct ts_assignment assignment = {p->variable, p->default_text};
        int r = ts_edit_set(e, node, &assignment);

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static int
assign(struct ts_editing *e, xmlNode *node, const xmlNode *before, const struct ts_operation *op)
{
    for (size_t i = 0; i < op->n_assignments; i++) {
        int r = ts_edit_set(e, node, &op->assignments[i]);

        if (r != 0)
            return TRACE(r);
    }
    return TRACE(ts_edit_refresh_action(node, before));
}

static int add(struct ts_editing *e, const struct ts_operation *op)
{
    bool is_group = op->type && strcmp(op->type, "group") == 0;
    const struct ts_step_type *type = op->type && !is_group ? ts_step_type_find(op->type) : NULL;
    const char *name = op->name ? op->name : (type ? type->display_name : "New group");
    xmlNode *parent = NULL;
    xmlNode *next = NULL;
    xmlNode *node;
    int r;

    if (!is_group && !type)
        return ts_edit_refuse(
            e,
            "there is no type of step \"%.100s\"; write its name as the editor shows it, like Run Command Line",
            op->type ? op->type : "");
    r = find_target(e, op, &parent, &next);
    if (r != 0 || !parent)
        return TRACE(r);
    node = new_item(e, type, name);
    if (!node)
        return ERR(-ENOMEM);
    insert(parent, next, node);
    r = type ? set_defaults(e, node, type) : 0;
    if (r == 0)
        r = assign(e, node, NULL, op);
    return r == 0 ? TRACE(ts_edit_refresh_references(e, NULL)) : TRACE(r);
}

static int move(struct ts_editing *e, const struct ts_operation *op)
{
    xmlNode *node = NULL;
    xmlNode *parent = NULL;
    xmlNode *next = NULL;
    int r = find_item(e, op->path, &node);

    if (r == 0)
        r = find_target(e, op, &parent, &next);
    if (r != 0 || !node || !parent)
        return TRACE(r);
    if (is_within(parent, node))
        return ts_edit_refuse(e, "\"%.200s\" cannot be moved into itself", op->path);
    if (next == node || (node->parent == parent && next == next_item(node->next)))
        return 0; /* it is there, with what stands around it */
    take_out(node);
    insert(parent, next, node);
    return 0;
}

static int copy(struct ts_editing *e, const struct ts_operation *op)
{
    xmlNode *node = NULL;
    xmlNode *parent = NULL;
    xmlNode *next = NULL;
    xmlNode *twin;
    int r = find_item(e, op->path, &node);

    if (r == 0)
        r = find_target(e, op, &parent, &next);
    if (r != 0 || !node || !parent)
        return TRACE(r);
    twin = xmlCopyNode(node, 1);
    if (!twin)
        return ERR(-ENOMEM);
    if (op->name)
        set(twin, "name", op->name);
    insert(parent, next, twin);
    return 0;
}

static int remove_item(struct ts_editing *e, const struct ts_operation *op)
{
    xmlNode *node = NULL;
    int r = find_item(e, op->path, &node);

    if (r != 0 || !node)
        return TRACE(r);
    take_out(node);
    r = ts_edit_refresh_references(e, node);
    xmlFreeNode(node);
    return TRACE(r);
}

static int change(struct ts_editing *e, const struct ts_operation *op)
{
    xmlNode *node = NULL;
    xmlNode *before;
    int r = find_item(e, op->path, &node);

    if (r != 0)
        return TRACE(r);
    if (op->n_assignments == 0)
        return ts_edit_refuse(e, "no setting is named");
    before = xmlCopyNode(node, 1);
    if (!before)
        return ERR(-ENOMEM);
    r = assign(e, node, before, op);
    if (r == 0)
        r = ts_edit_refresh_references(e, before);
    xmlFreeNode(before);
    return TRACE(r);
}

static int set_disabled(struct ts_editing *e, const struct ts_operation *op)
{
    xmlNode *node = NULL;
    int r = find_item(e, op->path, &node);

    if (r != 0)
        return TRACE(r);
    if (op->kind == TS_OP_DISABLE)
        set(node, "disable", "true");
    else if (is_mdt(e))
        set(node, "disable", "false");
    else
        (void)xmlUnsetProp(node, (const xmlChar *)"disable");
    return 0;
}

int ts_edit(const struct ts_document *doc,
            const struct ts_operation *op,
            struct ts_document **ret,
            struct buf *why)
{
    static int (*const doers[])(struct ts_editing * e, const struct ts_operation *op) = {
        [TS_OP_ADD] = add,
        [TS_OP_MOVE] = move,
        [TS_OP_COPY] = copy,
        [TS_OP_REMOVE] = remove_item,
        [TS_OP_SET] = change,
        [TS_OP_ENABLE] = set_disabled,
        [TS_OP_DISABLE] = set_disabled,
    };
    OWN(xmlFreeDocp) xmlDoc *xml = xmlCopyDoc(ts_document_tree(doc), 1);
    struct ts_editing e = {.xml = xml, .why = why};
    int r;

    if (!xml)
        return ERR(-ENOMEM);
    r = doers[op->kind](&e, op);
    return r == 0 ? TRACE(ts_edit_finish(&e, ret)) : TRACE(r);
}
