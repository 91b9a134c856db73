/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/show.h"
#include "ts/action.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/condition_text.h"
#include "ts/document.h"
#include "ts/script_text.h"
#include "ts/secret.h"
#include "ts/step_types.h"

#define MASK "***"

static const struct {
    const char *attribute;
    const char *name;
    const char *label;
    const char *usual; /* what holds without it */
} attributes[] = {
    {"description", "description", "Description", ""},
    {"continueOnError", "continue-on-error", "Continue on error", "false"},
    {"successCodeList", "success-codes", "Success codes", "0"},
    {"retryCount", "retry", "Retry count", "0"},
    {"timeout", "timeout", "Time-out (minutes)", "0"},
    {"runIn", "run-in", "Runs in", "WinPEandFullOS"},
    {"startIn", "start-in", "Start in", ""},
};

static int show_attributes(const struct ts_tree_item *item, ts_show_visit *visit, void *ctx)
{
    enum {
        MINUTES_MAX_BYTES = 32,
        SECONDS_MAX = 1000000000,
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        OWN(freep) char *text = ts_node_attribute(item->node, attributes[i].attribute);
        OWN(buf_fini) struct buf minutes = BUF_INIT(MINUTES_MAX_BYTES);
        struct ts_shown shown = {attributes[i].name, attributes[i].label, text, false};
        uint64_t seconds;

        if (!text)
            return ERR(-ENOMEM);
        if (text[0] == '\0' || bytes_eq_nocase(bytes_of(text), attributes[i].usual))
            continue;
        if (strcmp(shown.name, "timeout") == 0 &&
            bytes_parse_u64(bytes_of(text), 0, SECONDS_MAX, &seconds)) {
            buf_addf(&minutes,
                     seconds % 60 ? "%u s" : "%u",
                     (unsigned)(seconds % 60 ? seconds : seconds / 60));
            shown.value = buf_str(&minutes);
        }
        r = visit(ctx, &shown);
    }
    return TRACE(r);
}

static int show_condition(const struct ts_secret_names *names,
                          const struct ts_tree_item *item,
                          ts_show_visit *visit,
                          void *ctx)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_XML_MAX_BYTES);
    OWN(buf_fini) struct buf shown = BUF_INIT(TS_XML_MAX_BYTES);
    bool is_secret;

    ts_condition_text(ts_node_child(item->node, "condition"), &text);
    ts_condition_shown(ts_node_child(item->node, "condition"), names, &shown);
    if (text.failed || shown.failed)
        return ERR(-ENOMEM);
    if (text.len == 0)
        return 0;
    is_secret = strcmp(buf_str(&text), buf_str(&shown)) != 0;
    return TRACE(
        visit(ctx, &(struct ts_shown){"condition", "Condition", buf_str(&shown), is_secret}));
}

static int show_variable(const struct ts_secret_owner *owner,
                         const struct ts_tree_item *item,
                         const xmlNode *node,
                         ts_show_visit *visit,
                         void *ctx)
{
    const struct ts_step_type *type = ts_step_type_find(item->type);
    OWN(freep) char *name = ts_node_attribute(node, "name");
    OWN(freep) char *plain = ts_node_text(node);
    OWN(freep) char *text = ts_secret_mask(owner, node, MASK);
    const struct ts_property *property = name ? ts_property_find(type, name) : NULL;
    bool is_plain = property && !strchr(property->name, '#');
    OWN(buf_fini) struct buf script = BUF_INIT(TS_XML_MAX_BYTES);
    bool is_script =
        property && property->kind == TS_KIND_SCRIPT && text && ts_script_text(text, &script);

    if (!name || !plain || !text)
        return ERR(-ENOMEM);
    if (text[0] == '\0')
        return 0;
    return TRACE(visit(ctx,
                       &(struct ts_shown){is_plain ? property->name : name,
                                          is_plain ? property->label : name,
                                          is_script ? buf_str(&script) : text,
                                          strcmp(plain, text) != 0}));
}

/* A command that the template of the type did not make of the variables: of MDT, of a step without a type or of one that nobody
   knows here. */
static int show_action(const struct ts_secret_names *names,
                       const struct ts_tree_item *item,
                       ts_show_visit *visit,
                       void *ctx)
{
    const struct ts_step_type *type = ts_step_type_find(item->type);
    const xmlNode *action = ts_node_child(item->node, "action");
    OWN(freep) char *text = action ? ts_node_text(action) : NULL;
    OWN(freep) char *exported = action ? ts_secret_export_action(names, item->node) : NULL;
    bool is_secret;

    if (item->is_group || !action || (type && ts_action_is_made(type, item->node)))
        return 0;
    if (!text || !exported)
        return ERR(-ENOMEM);
    if (text[0] == '\0')
        return 0;
    is_secret = strcmp(text, exported) != 0;
    return TRACE(
        visit(ctx, &(struct ts_shown){"action", "Command", is_secret ? MASK : text, is_secret}));
}

int ts_show(const struct ts_secret_names *names,
            const struct ts_tree_item *item,
            ts_show_visit *visit,
            void *ctx)
{
    const xmlNode *list = ts_node_child(item->node, "defaultVarList");
    const struct ts_secret_owner owner = ts_secret_owner_of(names, item->node);
    int r = show_attributes(item, visit, ctx);

    if (r == 0)
        r = show_condition(names, item, visit, ctx);
    if (r == 0)
        r = show_action(names, item, visit, ctx);
    for (const xmlNode *node = list ? list->children : NULL; r == 0 && node; node = node->next)
        if (ts_node_is(node, "variable"))
            r = show_variable(&owner, item, node, visit, ctx);
    return TRACE(r);
}
