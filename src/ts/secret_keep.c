/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/action.h"
#include "ts/diag.h"
#include "ts/diff_parts.h"
#include "ts/document.h"
#include "ts/node_index.h"
#include "ts/secret_names.h"
#include "ts/secret_rules.h"
#include "ts/secret_unknown.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/xml.h"

enum {
    ACTION_MAX_BYTES = 256 * 1024,
};

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(xmlChar *, xmlFree);

const char *ts_secret_account(const char *variable)
{
    static const struct {
        const char *secret;
        const char *account;
    } pairs[] = {
        {"OSDCaptureAccountPassword", "OSDCaptureAccount"},
        {"OSDJoinPassword", "OSDJoinAccount"},
        {"SMSConnectNetworkFolderPassword", "SMSConnectNetworkFolderAccount"},
        {"SMSTSRunCommandLineUserPassword", "SMSTSRunCommandLineUserName"},
        {"SMSTSRunPowerShellUserPassword", "SMSTSRunPowerShellUserName"},
        {"SLWUserPassword", "SLWUserName"},
        {"VariableValue", "VariableName"},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        if (bytes_eq_nocase(bytes_of(pairs[i].secret), variable))
            return pairs[i].account;
    return NULL;
}

bool ts_secret_is_blank(const char *text)
{
    return text[0] == '\0' || strcmp(text, "***") == 0;
}

static void set_text(xmlNode *node, const char *text)
{
    xmlNodeSetContent(node, NULL);
    xmlNodeAddContent(node, (const xmlChar *)text);
}

/* NULL if there is none. */
static xmlNode *find_variable(const struct ts_node_index *list, const char *name)
{
    const struct ts_node_entry *entry = ts_node_index_find(list, 0, name);

    return entry ? entry->node : NULL;
}

/* Whether the two lists have the same text in that variable. */
static bool is_same_text(const struct ts_node_index *list,
                         const struct ts_node_index *old_list,
                         const char *name)
{
    const xmlNode *node = find_variable(list, name);
    const xmlNode *old_node = find_variable(old_list, name);
    OWN(freep) char *text = node ? ts_node_text(node) : ts_copy("");
    OWN(freep) char *old_text = old_node ? ts_node_text(old_node) : ts_copy("");

    return text && old_text && strcmp(text, old_text) == 0;
}

struct twins {
    const struct ts_secret_names *names; /* of both documents */
    xmlNode *step;                       /* NULL: the lists of the sequence itself */
    xmlNode *old_step;
    const struct ts_step_type *type; /* NULL: none of ours */
    bool was_made;                   /* the command of the step, by its template */
    xmlNode *list;
    const xmlNode *old_list;
    struct ts_node_index index; /* of either list */
    struct ts_node_index old_index;
    struct ts_secret_owner owner; /* of what is in either list */
    struct ts_secret_owner old_owner;
};

/* @variable gets the secret that @old_variable has, if it is still one there. */
static int keep_one(const struct twins *twins, xmlNode *variable, const xmlNode *old_variable)
{
    OWN(freep) char *name = ts_node_attribute(variable, "name");
    OWN(freep) char *text = ts_node_text(variable);
    OWN(freep) char *old_text = ts_node_text(old_variable);
    OWN(freep) char *old_shown = ts_secret_mask(&twins->old_owner, old_variable, "");
    OWN(freep) char *shown = NULL;
    const char *account = name ? ts_secret_account(name) : NULL;

    if (!name || !text || !old_text || !old_shown)
        return ERR(-ENOMEM);
    if (strcmp(old_text, old_shown) == 0 ||
        (account && !is_same_text(&twins->index, &twins->old_index, account)))
        return 0;
    if (old_shown[0] != '\0') {
        ts_secret_keep_rules(twins->names, variable, text, old_text);
        return 0;
    }
    if (!ts_secret_is_blank(text))
        return 0;
    set_text(variable, old_text);
    shown = ts_secret_mask(&twins->owner, variable, "");
    if (!shown)
        return ERR(-ENOMEM);
    if (shown[0] != '\0') /* it would be seen there */
        set_text(variable, text);
    return 0;
}

static bool is_same_list(const struct ts_node_index *list, const struct ts_node_index *other)
{
    for (size_t i = 0; i < list->n; i++) {
        const struct ts_node_entry *twin = ts_node_index_twin(list, &list->entries[i], other);
        OWN(freep) char *text = ts_node_text(list->entries[i].node);
        OWN(freep) char *other_text = twin ? ts_node_text(twin->node) : NULL;

        if (!text || !other_text || strcmp(text, other_text) != 0)
            return false;
    }
    return true;
}

/* Whether the command is as an export has that of the old step, or one made before commands were kept in it: empty, or made by the
   template. Without memory it is not. */
static bool is_exported(const struct twins *twins, const char *text)
{
    OWN(freep) char *exported = ts_secret_export_action(twins->names, twins->old_step);

    return ts_secret_is_blank(text) || twins->was_made || (exported && strcmp(text, exported) == 0);
}

/* The command of a step with a secret may have lost it in an export; where nothing else has changed, it is the old one. */
static int keep_action(const struct twins *twins)
{
    xmlNode *action = ts_node_child(twins->step, "action");
    const xmlNode *old_action = ts_node_child(twins->old_step, "action");
    OWN(freep) char *text = action ? ts_node_text(action) : NULL;
    OWN(freep) char *old_text = old_action ? ts_node_text(old_action) : NULL;
    OWN(buf_fini) struct buf made = BUF_INIT(ACTION_MAX_BYTES);

    if (!action)
        return 0;
    if (!text || (old_action && !old_text))
        return ERR(-ENOMEM);
    if (old_text && is_same_list(&twins->index, &twins->old_index) &&
        is_same_list(&twins->old_index, &twins->index) && is_exported(twins, text)) {
        set_text(action, old_text);
    } else if (twins->was_made) {
        ts_action_put(twins->type, twins->list, &made);
        if (made.failed)
            return ERR(-ENOMEM);
        set_text(action, buf_str(&made));
    }
    return 0;
}

/* Return: whether the old list has secrets, or -ENOMEM. */
static int keep_list(const struct twins *twins)
{
    int has_secret = 0;

    for (size_t i = 0; i < twins->old_index.n; i++) {
        const struct ts_node_entry *old = &twins->old_index.entries[twins->old_index.order[i]];
        const struct ts_node_entry *twin =
            ts_node_index_twin(&twins->old_index, old, &twins->index);
        OWN(freep) char *text = ts_node_text(old->node);
        OWN(freep) char *shown = ts_secret_mask(&twins->old_owner, old->node, "");
        int r = twin ? keep_one(twins, twin->node, old->node) : 0;

        if (r < 0)
            return TRACE(r);
        if (text && shown && strcmp(text, shown) != 0)
            has_secret = 1;
    }
    return has_secret;
}

static bool is_any(void *ctx, xmlNode *value)
{
    (void)ctx;
    (void)value;
    return false;
}

/* The rest of what is known of two steps, or of the sequences, and their lists. Return: 0 or -ENOMEM. */
static int look(const struct ts_secret_names *names, struct twins *twins)
{
    int r = ts_node_index_add_list(&twins->index, twins->list);

    if (r == 0)
        r = ts_node_index_add_list(&twins->old_index, twins->old_list);
    twins->names = names;
    twins->owner = ts_secret_owner_of(names, twins->step);
    twins->old_owner = ts_secret_owner_of(names, twins->old_step);
    return TRACE(r);
}

static void twins_fini(struct twins *twins)
{
    ts_node_index_fini(&twins->index);
    ts_node_index_fini(&twins->old_index);
}

static int keep_item(const struct ts_secret_names *names,
                     const struct ts_tree_item *item,
                     const struct ts_tree_item *old)
{
    const struct ts_step_type *type = ts_step_type_find(item->type);
    OWN(twins_fini)
    struct twins twins = {
        .step = item->node,
        .old_step = old->node,
        .type = type,
        .was_made = type && ts_action_is_made(type, item->node),
        .list = ts_node_child(item->node, "defaultVarList"),
        .old_list = ts_node_child(old->node, "defaultVarList"),
    };
    bool has_unknown;
    int r;

    if (strcmp(item->type, old->type) != 0 || strcmp(item->name, old->name) != 0)
        return 0;
    has_unknown = ts_secret_keep_unknown(item->node, old->node);
    has_unknown |= !ts_secret_each_compared(names, old->node, is_any, NULL);
    r = ts_secret_keep_compared(names, item->node, old->node);
    if (r == 0)
        r = look(names, &twins);
    if (r == 0)
        r = keep_list(&twins);
    return r > 0 || (r == 0 && has_unknown) ? TRACE(keep_action(&twins)) : TRACE(r);
}

static int keep_globals(const struct ts_secret_names *names, xmlDoc *old_xml, xmlDoc *xml)
{
    OWN(twins_fini)
    struct twins globals = {
        .list = ts_node_child(xmlDocGetRootElement(xml), "globalVarList"),
        .old_list = ts_node_child(xmlDocGetRootElement(old_xml), "globalVarList"),
    };
    int r = look(names, &globals);

    return r == 0 ? TRACE(keep_list(&globals)) : TRACE(r);
}

static int keep_all(struct ts_comparison *c, xmlDoc *old_xml, xmlDoc *xml)
{
    int r = ts_tree_read(old_xml, &c->before.tree);

    if (r == 0)
        r = ts_tree_read(xml, &c->after.tree);
    if (r == 0)
        r = ts_diff_match(c);
    if (r == 0) {
        (void)ts_secret_keep_unknown(xmlDocGetRootElement(xml), xmlDocGetRootElement(old_xml));
        r = keep_globals(c->names, old_xml, xml);
    }
    for (size_t i = 0; r >= 0 && i < c->after.tree.n; i++)
        if (c->after.match[i] != TS_NO_ITEM)
            r = keep_item(
                c->names, &c->after.tree.items[i], &c->before.tree.items[c->after.match[i]]);
    return r < 0 ? TRACE(r) : 0;
}

int ts_document_keep_secrets(const struct ts_document *doc,
                             const struct ts_document *old,
                             struct ts_document **ret)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(xmlFreeDocp) xmlDoc *xml = xmlCopyDoc(ts_document_tree(doc), 1);
    OWN(xmlFreep) xmlChar *text = NULL;
    struct ts_comparison c = {0};
    int size = 0;
    int r = xml ? ts_secret_names_new(doc, old, &c.names) : ERR(-ENOMEM);

    if (r == 0)
        r = keep_all(&c, ts_document_tree(old), xml);

    ts_secret_names_free(c.names);
    free(c.before.match);
    free(c.after.match);
    ts_tree_fini(&c.before.tree);
    ts_tree_fini(&c.after.tree);
    if (r < 0)
        return TRACE(r);
    xmlDocDumpFormatMemoryEnc(xml, &text, &size, "UTF-8", 0);
    if (!text)
        return ERR(-ENOMEM);
    r = ts_document_parse((struct bytes){text, (size_t)size}, ret, &ignored);
    return r == 0 ? 0 : TRACE(ts_document_copy(doc, ret)); /* with them it is too large */
}
