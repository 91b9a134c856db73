/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "ts/action.h"
#include "ts/secret.h"
#include "ts/secret_find.h"
#include "ts/secret_unknown.h"
#include "ts/validate_parts.h"

enum {
    WHAT_MAX_BYTES = 256,
};

/* Whose secrets are told. */
struct telling {
    const struct ts_check *c;
    int item;                  /* TS_NO_ITEM: the sequence itself */
    const xmlNode *expression; /* of which has been told */
};

#define NOT_EXPORTED "is called like a secret: an export has it empty"

/* "element Value (Password)": what it is, and what calls it a secret if that is not its own name. */
static void put_what(const xmlNode *node, const char *name, struct buf *ret)
{
    const char *own_name = (const char *)node->name;

    buf_addf(ret, "%s %.64s", node->type == XML_ATTRIBUTE_NODE ? "attribute" : "element", own_name);
    if (strcmp(own_name, name) != 0)
        buf_addf(ret, " (%.64s)", name);
}

static bool tell(void *ctx, xmlNode *node, const char *name)
{
    const struct telling *telling = ctx;
    const xmlNode *place = node->type == XML_ATTRIBUTE_NODE ? node->parent : node;
    OWN(buf_fini) struct buf what = BUF_INIT(WHAT_MAX_BYTES);

    put_what(node, name, &what);
    if (telling->item == TS_NO_ITEM)
        ts_check_report_node(telling->c,
                             place,
                             TS_WARNING,
                             "SLW-0197",
                             "%s of the sequence " NOT_EXPORTED,
                             buf_str(&what));
    else
        ts_check_report(
            telling->c, telling->item, TS_WARNING, "SLW-0197", "%s " NOT_EXPORTED, buf_str(&what));
    return true;
}

/* A variable that no table knows and only its name makes a secret. */
static void tell_variable(const struct telling *telling,
                          const struct ts_step_type *type,
                          const xmlNode *variable)
{
    OWN(freep) char *name = ts_node_attribute(variable, "name");
    OWN(freep) char *property = ts_node_attribute(variable, "property");
    OWN(freep) char *text = ts_node_text(variable);

    if (!name || !property || !text || ts_property_find(type, name) ||
        ts_property_find(type, property) ||
        (!ts_secret_is_called(name, text) && !ts_secret_is_called(property, text)))
        return;
    if (telling->item == TS_NO_ITEM)
        ts_check_report_node(telling->c,
                             variable,
                             TS_WARNING,
                             "SLW-0197",
                             "variable %.64s of the sequence " NOT_EXPORTED,
                             name);
    else
        ts_check_report(telling->c,
                        telling->item,
                        TS_WARNING,
                        "SLW-0197",
                        "variable %.64s " NOT_EXPORTED,
                        name);
}

static void
tell_variables(const struct telling *telling, const struct ts_step_type *type, const xmlNode *list)
{
    for (const xmlNode *node = list ? list->children : NULL; node; node = node->next)
        if (ts_node_is(node, "variable"))
            tell_variable(telling, type, node);
}

static char *field_of(const xmlNode *expression, const char *wanted)
{
    for (const xmlNode *node = expression->children; node; node = node->next) {
        OWN(freep)
        char *name = ts_node_is(node, "variable") ? ts_node_attribute(node, "name") : NULL;

        if (name && bytes_eq_nocase(bytes_of(name), wanted))
            return ts_node_text(node);
    }
    return ts_copy("");
}

/* A condition shows the secret that it compares a variable with. */
static bool tell_compared(void *ctx, xmlNode *value)
{
    struct telling *telling = ctx;

    if (telling->expression == value->parent)
        return true;
    telling->expression = value->parent;

    OWN(freep) char *variable = field_of(value->parent, "Variable");
    OWN(freep) char *operator_name = field_of(value->parent, "Operator");
    OWN(freep) char *text = ts_node_text(value);

    if (!variable || !operator_name || !text)
        return false;
    if (bytes_eq_nocase(bytes_of(operator_name), "exists") ||
        bytes_eq_nocase(bytes_of(operator_name), "notExists"))
        return true;
    ts_check_report(
        telling->c,
        telling->item,
        TS_WARNING,
        "SLW-0197",
        ts_secret_is_blank(text)
            ? "the condition compares %.64s, which is secret, with nothing: if that was "
              "lost in an export, set it again"
            : "the condition compares %.64s, which is secret, with a value: an export "
              "has it empty",
        variable);
    return true;
}

/* A command that the template did not make may have a short secret in it by chance. */
static void check_command(const struct ts_check *c, int item, const struct ts_step_type *type)
{
    xmlNode *node = c->tree.items[item].node;
    const xmlNode *action = ts_node_child(node, "action");
    OWN(ts_secrets_fini) struct ts_secrets secrets = {0};
    OWN(freep) char *text = NULL;

    if (!action || !ts_secret_is_in_step(c->secrets, node) ||
        (type && ts_action_is_made(type, node)) || ts_secret_gather(c->secrets, node, &secrets) < 0)
        return;
    text = ts_node_text(action);
    if (text && ts_secrets_have_short(&secrets, text))
        ts_check_report(
            c,
            item,
            TS_WARNING,
            "SLW-0198",
            "the command has a secret of fewer than %d characters in it: an export takes it out "
            "only where it is a word of its own; choose a longer one",
            (int)TS_SECRET_MIN_CHARS);
}

void ts_check_secrets(const struct ts_check *c, int item)
{
    const struct ts_tree_item *at = &c->tree.items[item];
    const struct ts_step_type *type = ts_step_type_find(at->type);
    struct telling telling = {.c = c, .item = item};

    (void)ts_secret_each_unknown(at->node, tell, &telling);
    (void)ts_secret_each_compared(c->secrets, at->node, tell_compared, &telling);
    tell_variables(&telling, type, ts_node_child(at->node, "defaultVarList"));
    check_command(c, item, type);
}

void ts_check_root_secrets(const struct ts_check *c)
{
    xmlNode *root = xmlDocGetRootElement(ts_document_tree(c->doc));
    struct telling telling = {.c = c, .item = TS_NO_ITEM};

    (void)ts_secret_each_unknown(root, tell, &telling);
    tell_variables(&telling, NULL, ts_node_child(root, "globalVarList"));
}
