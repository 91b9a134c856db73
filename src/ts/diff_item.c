/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/action.h"
#include "ts/condition_text.h"
#include "ts/diff_parts.h"
#include "ts/document.h"
#include "ts/node_index.h"
#include "ts/script_text.h"
#include "ts/secret.h"
#include "ts/step_types.h"

enum {
    TEXT_MAX_BYTES = 2 * TS_XML_MAX_BYTES,
    VARIABLES_MAX = 4000, /* and white space between them */
    SECONDS_PER_MINUTE = 60,
};

static const struct {
    const char *name;
    const char *label;
} labels[] = {
    {"description", "Description"},
    {"continueOnError", "Continue on error"},
    {"successCodeList", "Success codes"},
    {"retryCount", "Retry count"},
    {"timeout", "Time-out (seconds)"},
    {"runIn", "Runs in"},
    {"startIn", "Start in"},
    {"runFromNet", "Access content directly from the distribution point"},
};

struct pair {
    struct ts_comparison *c;
    const struct ts_tree_item *before; /* NULL: the root */
    const struct ts_tree_item *after;
    const struct ts_step_type *type;
    size_t n_changed; /* variables */
};

static const char *type_name(const struct ts_tree_item *item)
{
    const struct ts_step_type *type = item ? ts_step_type_find(item->type) : NULL;

    return type ? type->display_name : (item ? item->type : "");
}

static void add(struct pair *p, enum ts_change_kind kind, struct ts_change change)
{
    change.kind = kind;
    change.is_group = p->after && p->after->is_group;
    change.path = p->after ? p->after->path : NULL;
    change.old_path = p->before ? p->before->path : NULL;
    /* copied, never changed */
    OWN(freep) char *type = ts_copy(type_name(p->after));

    change.type = type;
    ts_diff_add(p->c, &change);
}

static void
add_property(struct pair *p, const char *name, const char *label, const char *from, const char *to)
{
    OWN(freep) char *own_name = ts_copy(name);
    OWN(freep) char *own_label = ts_copy(label);
    OWN(freep) char *own_from = ts_copy(from);
    OWN(freep) char *own_to = ts_copy(to);

    add(p,
        TS_CHANGE_PROPERTY,
        (struct ts_change){.name = own_name, .label = own_label, .from = own_from, .to = own_to});
}

/* A script that the step holds, as text. Return: false if either side is none, or it is secret. */
static bool
add_script(struct pair *p, const struct ts_property *property, const char *from, const char *to)
{
    OWN(buf_fini) struct buf old_text = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf new_text = BUF_INIT(TEXT_MAX_BYTES);

    if ((from[0] != '\0' && !ts_script_text(from, &old_text)) ||
        (to[0] != '\0' && !ts_script_text(to, &new_text)) ||
        strcmp(buf_str(&old_text), buf_str(&new_text)) == 0)
        return false;

    OWN(freep) char *own_name = ts_copy(property->name);
    OWN(freep) char *own_label = ts_copy(property->label);
    OWN(freep) char *own_from = buf_take(&old_text);
    OWN(freep) char *own_to = buf_take(&new_text);

    add(p,
        TS_CHANGE_PROPERTY,
        (struct ts_change){.name = own_name,
                           .label = own_label,
                           .from = own_from,
                           .to = own_to,
                           .is_script = true});
    return true;
}

/* By the name that people know, unless it is one of an array. */
static void add_variable(struct pair *p, const char *name, const char *from, const char *to)
{
    const struct ts_property *property = ts_property_find(p->type, name);
    bool is_plain = property && !strchr(property->name, '#');

    if (property && property->kind == TS_KIND_SCRIPT && add_script(p, property, from, to))
        return;

    add_property(p, is_plain ? property->name : name, is_plain ? property->label : name, from, to);
}

/* @from and @to: not masked. Return: false if it is no list of rules, or has to be told as a whole. */
static bool add_rules(struct pair *p, const char *name, const char *from, const char *to)
{
    const struct ts_property *property = ts_property_find(p->type, name);
    OWN(freep) char *type = ts_copy(type_name(p->after));
    OWN(freep) char *own_name = property ? ts_copy(property->name) : NULL;

    if (!own_name || !type || !p->before || !p->after || property->kind != TS_KIND_RULES)
        return false;
    return ts_diff_rules(
        p->c,
        &(struct ts_change){
            .path = p->after->path, .old_path = p->before->path, .type = type, .name = own_name},
        from,
        to);
}

static const char *label_of(const char *name)
{
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
        if (strcmp(labels[i].name, name) == 0)
            return labels[i].label;
    return name;
}

/* Whether an attribute that is not there means the same as this text. */
static bool is_default(const char *name, const char *text)
{
    if (text[0] == '\0')
        return true;
    if (strcmp(name, "continueOnError") == 0 || strcmp(name, "runFromNet") == 0)
        return bytes_eq_nocase(bytes_of(text), "false");
    if (strcmp(name, "retryCount") == 0)
        return strcmp(text, "0") == 0;
    if (strcmp(name, "runIn") == 0)
        return bytes_eq_nocase(bytes_of(text), "WinPEandFullOS");
    return strcmp(name, "expand") == 0; /* how the editor shows a group */
}

static bool is_apart(const char *name)
{
    return strcmp(name, "name") == 0 || strcmp(name, "disable") == 0 || strcmp(name, "type") == 0;
}

/* What takes the place of a text that nobody may see. */
static const char *mask_of(const char *text)
{
    return text[0] != '\0' ? "***" : "";
}

static void diff_attribute(struct pair *p, const char *name, const char *from, const char *to)
{
    if (strcmp(from, to) == 0 || (is_default(name, from) && is_default(name, to)))
        return;
    if (ts_name_is_secret(name))
        add_property(p, name, label_of(name), mask_of(from), mask_of(to));
    else
        add_property(p, name, label_of(name), from, to);
}

static void diff_attributes(struct pair *p, const xmlNode *before, const xmlNode *after)
{
    for (int side = 0; side < 2; side++) {
        for (const xmlAttr *a = (side == 0 ? before : after)->properties; a; a = a->next) {
            const xmlAttr *old = ts_diff_attribute(before, a);
            OWN(freep) char *name = ts_diff_name(a->ns, a->name);
            OWN(freep) char *from = ts_diff_attribute_text(old);
            OWN(freep) char *to = ts_diff_attribute_text(ts_diff_attribute(after, a));

            if (!name || !from || !to)
                p->c->is_out_of_memory = true;
            else if (!is_apart(name) && (side == 0 || !old)) /* told already */
                diff_attribute(p, name, from, to);
        }
    }
}

static size_t count_children(const xmlNode *list)
{
    size_t n = 0;

    for (const xmlNode *node = list ? list->children : NULL; node; node = node->next)
        n++;
    return n;
}

/* Whether @text of a variable says what @attribute says; a time-out has full minutes there and seconds here. */
static bool is_same_value(const char *property, const char *text, const char *attribute)
{
    uint64_t minutes = 0;
    uint64_t seconds = 0;

    if (strcmp(property, "Timeout") != 0 || text[0] == '\0' || attribute[0] == '\0')
        return strcmp(text, attribute) == 0;
    return bytes_parse_u64(bytes_of(text), 0, UINT16_MAX, &minutes) &&
           bytes_parse_u64(bytes_of(attribute), 0, UINT32_MAX, &seconds) &&
           (seconds + SECONDS_PER_MINUTE - 1) / SECONDS_PER_MINUTE == minutes;
}

/* Whether the variable repeats an attribute, whose change has been told: the success codes, the retry count. */
static bool is_repeated(const struct pair *p, const char *name, const char *text)
{
    static const char *const pairs[][2] = {{"SuccessCodes", "successCodeList"},
                                           {"RetryCount", "retryCount"},
                                           {"RunFromNet", "runFromNet"},
                                           {"Timeout", "timeout"},
                                           {"WorkingDirectory", "startIn"}};
    const struct ts_property *property = p->before ? ts_property_find(p->type, name) : NULL;

    for (size_t i = 0; property && i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (strcmp(property->name, pairs[i][0]) != 0)
            continue;

        OWN(freep) char *from = ts_node_attribute(p->before->node, pairs[i][1]);
        OWN(freep) char *to = ts_node_attribute(p->after->node, pairs[i][1]);

        return strcmp(from ? from : "", to ? to : "") != 0 &&
               is_same_value(property->name, text, to ? to : "");
    }
    return false;
}

struct value {
    const char *text;
    const char *shown; /* the same, masked */
};

static void
add_differing(struct pair *p, const char *name, const struct value *from, const struct value *to)
{
    p->n_changed++;
    if (!add_rules(p, name, from->text, to->text) && !is_repeated(p, name, to->text))
        add_variable(p, name, from->shown, to->shown);
}

/* A list of variables. */
struct list {
    struct ts_node_index index;
    struct ts_secret_owner owner;
};

/* @ret: to be ended by the caller, also after a failure. */
static int
look(const struct pair *p, const struct ts_tree_item *item, const xmlNode *node, struct list *ret)
{
    ret->owner = ts_secret_owner_of(p->c->names, item ? item->node : NULL);
    return TRACE(ts_node_index_add_list(&ret->index, node));
}

static void list_fini(struct list *list)
{
    ts_node_index_fini(&list->index);
}

/* What is in @list, and differs in @other or is not there. @is_old: @list is the one before. */
static void
diff_lists(struct pair *p, const struct list *list, const struct list *other, bool is_old)
{
    for (size_t i = 0; i < list->index.n; i++) {
        const struct ts_node_entry *entry = &list->index.entries[list->index.order[i]];
        const struct ts_node_entry *twin = ts_node_index_twin(&list->index, entry, &other->index);
        OWN(freep) char *text = ts_node_text(entry->node);
        OWN(freep) char *other_text = twin ? ts_node_text(twin->node) : ts_copy("");
        OWN(freep) char *shown = text ? ts_secret_mask(&list->owner, entry->node, "***") : NULL;
        OWN(freep)
        char *other_shown = twin ? ts_secret_mask(&other->owner, twin->node, "***") : ts_copy("");

        if (!other_text || !shown || !other_shown || (!is_old && twin) ||
            strcmp(text, other_text) == 0)
            continue;
        const struct value here = {text, shown};
        const struct value there = {other_text, other_shown};

        add_differing(p, entry->name, is_old ? &here : &there, is_old ? &there : &here);
    }
}

static void diff_variables(struct pair *p, const xmlNode *before, const xmlNode *after)
{
    OWN(list_fini) struct list old_list = {0};
    OWN(list_fini) struct list list = {0};

    if (count_children(before) > VARIABLES_MAX || count_children(after) > VARIABLES_MAX) {
        add_property(
            p, "defaultVarList", "Variables", "too many to compare", "too many to compare");
        p->n_changed++;
        return;
    }
    if (look(p, p->before, before, &old_list) != 0 || look(p, p->after, after, &list) != 0) {
        p->c->is_out_of_memory = true;
        return;
    }
    diff_lists(p, &old_list, &list, true);
    diff_lists(p, &list, &old_list, false);
}

static bool is_compared(const xmlNode *node)
{
    static const char *const apart[] = {
        "action", "defaultVarList", "globalVarList", "referenceList", "condition"};
    bool is_known = ts_node_is_item(node);

    for (size_t i = 0; i < sizeof(apart) / sizeof(apart[0]); i++)
        is_known = is_known || ts_node_is(node, apart[i]);
    return is_known;
}

/* Elements that we do not know. */
static void diff_rest(struct pair *p, const xmlNode *before, const xmlNode *after)
{
    OWN(freep) char *type = ts_copy(type_name(p->after));
    const struct ts_change about = {
        .is_group = p->after && p->after->is_group,
        .path = p->after ? p->after->path : NULL,
        .old_path = p->before ? p->before->path : NULL,
        .type = type,
    };

    ts_diff_elements(p->c, &about, &(struct ts_diff_sides){before, after}, is_compared);
}

/* Owned by the caller; NULL without memory. */
static char *show_condition(const struct pair *p, const xmlNode *condition)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    ts_condition_shown(condition, p->c->names, &text);
    return buf_take(&text);
}

static void diff_condition(struct pair *p, const xmlNode *before, const xmlNode *after)
{
    OWN(buf_fini) struct buf from = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf to = BUF_INIT(TEXT_MAX_BYTES);

    ts_condition_text(ts_node_child(before, "condition"), &from);
    ts_condition_text(ts_node_child(after, "condition"), &to);
    if (strcmp(buf_str(&from), buf_str(&to)) == 0)
        return;

    OWN(freep) char *from_shown = show_condition(p, ts_node_child(before, "condition"));
    OWN(freep) char *to_shown = show_condition(p, ts_node_child(after, "condition"));

    add(p,
        TS_CHANGE_CONDITION,
        (struct ts_change){.name = NULL, .from = from_shown, .to = to_shown});
}

/* Whether the command follows from the variables: their change has been told. Without a text it does if there was such a change. */
static bool is_made(const struct pair *p, const struct ts_tree_item *item, const char *text)
{
    const struct ts_step_type *type = ts_step_type_find(item->type);

    return type && (text[0] != '\0' || p->n_changed > 0) && ts_action_is_made(type, item->node);
}

/* A command that the template did not make of the variables on both sides. It may repeat a secret. */
static void diff_action(struct pair *p, const xmlNode *before, const xmlNode *after)
{
    const xmlNode *a = ts_node_child(before, "action");
    const xmlNode *b = ts_node_child(after, "action");
    OWN(freep) char *from = a ? ts_node_text(a) : ts_copy("");
    OWN(freep) char *to = b ? ts_node_text(b) : ts_copy("");

    if (!from || !to || strcmp(from, to) == 0 ||
        (is_made(p, p->before, from) && is_made(p, p->after, to)))
        return;
    if (ts_secret_is_in_step(p->c->names, p->before->node) ||
        ts_secret_is_in_step(p->c->names, p->after->node))
        add_property(p, "action", "Command", mask_of(from), mask_of(to));
    else
        add_property(p, "action", "Command", from, to);
}

void ts_diff_item(struct ts_comparison *c, int before, int after)
{
    struct pair p = {
        .c = c, .before = &c->before.tree.items[before], .after = &c->after.tree.items[after]};
    const xmlNode *from = p.before->node;
    const xmlNode *to = p.after->node;

    p.type = ts_step_type_find(p.after->type);
    if (strcmp(p.before->name, p.after->name) != 0)
        add(&p, TS_CHANGE_RENAMED, (struct ts_change){.from = p.before->name, .to = p.after->name});
    if (p.before->is_disabled != p.after->is_disabled)
        add(&p,
            p.after->is_disabled ? TS_CHANGE_DISABLED : TS_CHANGE_ENABLED,
            (struct ts_change){0});
    diff_attributes(&p, from, to);
    diff_variables(&p, ts_node_child(from, "defaultVarList"), ts_node_child(to, "defaultVarList"));
    diff_action(&p, from, to);
    diff_condition(&p, from, to);
    diff_rest(&p, from, to);
}

static void put_references(const xmlNode *list, struct buf *ret)
{
    for (const xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        if (!ts_node_is(node, "reference"))
            continue;
        for (const xmlAttr *a = node->properties; a; a = a->next) {
            OWN(freep) char *text = ts_node_attribute(node, (const char *)a->name);

            buf_adds(ret, a == node->properties ? (ret->len > 0 ? ", " : "") : " ");
            buf_adds(ret, text ? text : "");
        }
    }
}

void ts_diff_root(struct ts_comparison *c, const xmlNode *before, const xmlNode *after)
{
    struct pair p = {.c = c};
    OWN(buf_fini) struct buf from = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf to = BUF_INIT(TEXT_MAX_BYTES);
    OWN(freep) char *old_name = ts_node_attribute(before, "name");
    OWN(freep) char *new_name = ts_node_attribute(after, "name");

    if (old_name && new_name && strcmp(old_name, new_name) != 0)
        add_property(&p, "name", "Name", old_name, new_name);
    diff_attributes(&p, before, after);
    put_references(ts_node_child(before, "referenceList"), &from);
    put_references(ts_node_child(after, "referenceList"), &to);
    if (strcmp(buf_str(&from), buf_str(&to)) != 0)
        add_property(&p, "referenceList", "References", buf_str(&from), buf_str(&to));
    diff_variables(
        &p, ts_node_child(before, "globalVarList"), ts_node_child(after, "globalVarList"));
    diff_rest(&p, before, after);
}
