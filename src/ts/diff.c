/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diff_parts.h"
#include "ts/document.h"
#include "ts/script_text.h"
#include "ts/step_types.h"

enum {
    SHOWN_MAX = 160, /* bytes of a value in a sentence */
    BEFORE_MAX = 40, /* of those, before the place that differs */
    GROW = 32,
    INSIDE_MAX_BYTES = 64,
    LINES_MAX_BYTES = 8 * 1024 * 1024,
};

void ts_changes_fini(struct ts_changes *changes)
{
    for (size_t i = 0; i < changes->n; i++) {
        struct ts_change *change = &changes->items[i];

        free(change->path);
        free(change->old_path);
        free(change->type);
        free(change->name);
        free(change->label);
        free(change->from);
        free(change->to);
    }
    free(changes->items);
    *changes = (struct ts_changes){0};
}

void ts_diff_add(struct ts_comparison *c, const struct ts_change *change)
{
    struct ts_changes *changes = c->changes;

    if (changes->n % GROW == 0) {
        struct ts_change *grown = realloc(changes->items, (changes->n + GROW) * sizeof(*grown));

        if (!grown) {
            c->is_out_of_memory = true;
            return;
        }
        changes->items = grown;
    }

    struct ts_change *own = &changes->items[changes->n++];

    *own = (struct ts_change){
        .kind = change->kind,
        .is_group = change->is_group,
        .is_script = change->is_script,
        .is_element = change->is_element,
        .is_new = change->is_new,
        .is_first = change->is_first,
        .has_quotes = change->has_quotes,
        .path = ts_copy(change->path ? change->path : ""),
        .old_path = ts_copy(change->old_path ? change->old_path : ""),
        .type = ts_copy(change->type ? change->type : ""),
        .name = ts_copy(change->name ? change->name : ""),
        .label = ts_copy(change->label ? change->label : ""),
        .from = ts_copy(change->from ? change->from : ""),
        .to = ts_copy(change->to ? change->to : ""),
    };
    if (!own->path || !own->old_path || !own->type || !own->name || !own->label || !own->from ||
        !own->to)
        c->is_out_of_memory = true;
}

/* "3 steps": what a group has in it. */
static void put_number_of_steps(const struct ts_tree *tree, int group, struct buf *ret)
{
    size_t n = 0;

    for (int i = group + 1; i < tree->items[group].end; i++)
        n += !tree->items[i].is_group;
    buf_addf(ret, "%zu step%s", n, n == 1 ? "" : "s");
}

/* An item that is in one document only; what is in it is not told apart. */
static void
add_whole(struct ts_comparison *c, const struct ts_side *side, int i, enum ts_change_kind kind)
{
    const struct ts_tree_item *item = &side->tree.items[i];
    const struct ts_step_type *type = ts_step_type_find(item->type);
    OWN(freep) char *type_name = ts_copy(type ? type->display_name : item->type);
    OWN(buf_fini) struct buf inside = BUF_INIT(INSIDE_MAX_BYTES);

    if (item->parent != TS_NO_ITEM && side->match[item->parent] == TS_NO_ITEM)
        return;
    if (item->is_group)
        put_number_of_steps(&side->tree, i, &inside);

    OWN(freep) char *label = ts_copy(buf_str(&inside));

    ts_diff_add(c,
                &(struct ts_change){
                    .kind = kind,
                    .label = label,
                    .is_group = item->is_group,
                    .path = item->path,
                    .old_path = kind == TS_CHANGE_REMOVED ? item->path : NULL,
                    .type = type_name,
                });
}

/* What is before @i in its group, as its path names it there; "" if it is the first, NULL if it is alone. */
static const char *find_neighbour(const struct ts_tree *tree, int i)
{
    int parent = tree->items[i].parent;
    size_t len = parent == TS_NO_ITEM ? 0 : strlen(tree->items[parent].path) + 1;

    for (int k = i - 1; k > parent; k--)
        if (tree->items[k].parent == parent)
            return tree->items[k].path + len;
    return tree->items[i].end < ts_tree_end(tree, parent) ? "" : NULL;
}

static void add_moved(struct ts_comparison *c, int before, int after)
{
    const struct ts_tree_item *from = &c->before.tree.items[before];
    const struct ts_tree_item *to = &c->after.tree.items[after];
    OWN(freep) char *neighbour = NULL;
    const char *place = find_neighbour(&c->after.tree, after);

    if (place)
        neighbour = ts_copy(place);
    ts_diff_add(
        c,
        &(struct ts_change){
            .kind = TS_CHANGE_MOVED,
            .is_group = to->is_group,
            .is_first = place && place[0] == '\0',
            .label = neighbour,
            .path = to->path,
            .old_path = from->path,
            .from = from->parent == TS_NO_ITEM ? NULL : c->before.tree.items[from->parent].path,
            .to = to->parent == TS_NO_ITEM ? NULL : c->after.tree.items[to->parent].path,
        });
}

/* Whether @after and the item it was before are in the same group. */
static bool has_stayed(const struct ts_comparison *c, int after)
{
    int before = c->after.match[after];
    int parent = c->after.tree.items[after].parent;
    int old_parent = before == TS_NO_ITEM ? TS_NO_ITEM : c->before.tree.items[before].parent;

    if (before == TS_NO_ITEM)
        return false;
    return parent == TS_NO_ITEM ? old_parent == TS_NO_ITEM : c->after.match[parent] == old_parent;
}

/* What the children of a group are put in order with; room for all items. */
struct ordering {
    int *items;    /* owned, as all here */
    int *numbers;  /* of each where it was */
    bool *is_kept; /* it is in a longest run in the old order */
};

static void ordering_fini(struct ordering *o)
{
    free(o->items);
    free(o->numbers);
    free(o->is_kept);
}

/* Of the children of @parent that have stayed in it, those outside a longest run in the old order have moved. */
static void diff_order(struct ts_comparison *c, int parent, const struct ordering *o)
{
    const struct ts_tree *tree = &c->after.tree;
    size_t n = 0;

    for (int i = parent + 1; i < ts_tree_end(tree, parent); i = tree->items[i].end)
        if (has_stayed(c, i)) {
            o->items[n] = i;
            o->numbers[n++] = c->after.match[i];
        }
    if (ts_diff_order(o->numbers, n, o->is_kept) < 0)
        c->is_out_of_memory = true;
    for (size_t i = n; !c->is_out_of_memory && i-- > 0;)
        if (!o->is_kept[i])
            add_moved(c, o->numbers[i], o->items[i]);
}

static int compare(struct ts_comparison *c)
{
    size_t n = c->after.tree.n + 1;
    OWN(ordering_fini)
    struct ordering o = {.items = calloc(n, sizeof(*o.items)),
                         .numbers = calloc(n, sizeof(*o.numbers)),
                         .is_kept = calloc(n, sizeof(*o.is_kept))};

    if (!o.items || !o.numbers || !o.is_kept)
        return ERR(-ENOMEM);
    for (int i = 0; i < (int)c->before.tree.n; i++)
        if (c->before.match[i] == TS_NO_ITEM)
            add_whole(c, &c->before, i, TS_CHANGE_REMOVED);
    diff_order(c, TS_NO_ITEM, &o);
    for (int i = 0; i < (int)c->after.tree.n; i++) {
        int before = c->after.match[i];

        if (before == TS_NO_ITEM) {
            add_whole(c, &c->after, i, TS_CHANGE_ADDED);
            continue;
        }
        if (!has_stayed(c, i))
            add_moved(c, before, i);
        ts_diff_item(c, before, i);
        if (c->after.tree.items[i].is_group)
            diff_order(c, i, &o);
    }
    return c->is_out_of_memory ? ERR(-ENOMEM) : 0;
}

int ts_diff(const struct ts_document *before,
            const struct ts_document *after,
            struct ts_changes *ret)
{
    struct ts_comparison c = {.changes = ret};
    xmlDoc *old_xml = ts_document_tree(before);
    xmlDoc *new_xml = ts_document_tree(after);
    int r = ts_tree_read(old_xml, &c.before.tree);

    if (r == 0)
        r = ts_tree_read(new_xml, &c.after.tree);
    if (r == 0)
        r = ts_secret_names_new(before, after, &c.names);
    if (r == 0)
        r = ts_diff_match(&c);
    if (r == 0) {
        ts_diff_root(&c, xmlDocGetRootElement(old_xml), xmlDocGetRootElement(new_xml));
        r = compare(&c);
    }
    free(c.before.match);
    free(c.after.match);
    ts_secret_names_free(c.names);
    ts_tree_fini(&c.before.tree);
    ts_tree_fini(&c.after.tree);
    return TRACE(r);
}

/* One text of the task sequence itself. */
static void diff_text(
    struct ts_comparison *c, const char *name, const char *label, const char *from, const char *to)
{
    OWN(freep) char *own_name = ts_copy(name);
    OWN(freep) char *own_label = ts_copy(label);
    OWN(freep) char *own_from = ts_copy(from);
    OWN(freep) char *own_to = ts_copy(to);

    if (strcmp(from, to) == 0)
        return;
    ts_diff_add(c,
                &(struct ts_change){
                    .kind = strcmp(name, "name") == 0 ? TS_CHANGE_RENAMED : TS_CHANGE_PROPERTY,
                    .name = own_name,
                    .label = own_label,
                    .from = own_from,
                    .to = own_to,
                });
}

int ts_diff_about(const struct ts_about *before,
                  const struct ts_about *after,
                  struct ts_changes *ret)
{
    struct ts_comparison c = {.changes = ret};

    diff_text(&c, "name", "Name", before->name, after->name);
    diff_text(&c, "description", "Description", before->description, after->description);
    diff_text(&c, "boot_image_id", "Boot image", before->boot_image_id, after->boot_image_id);
    if (before->is_disabled != after->is_disabled)
        ts_diff_add(&c,
                    &(struct ts_change){.kind = after->is_disabled ? TS_CHANGE_DISABLED
                                                                   : TS_CHANGE_ENABLED});
    return c.is_out_of_memory ? ERR(-ENOMEM) : 0;
}

const char *ts_change_name(enum ts_change_kind kind)
{
    static const char *const names[] = {
        [TS_CHANGE_ADDED] = "added",
        [TS_CHANGE_REMOVED] = "removed",
        [TS_CHANGE_MOVED] = "moved",
        [TS_CHANGE_RENAMED] = "renamed",
        [TS_CHANGE_ENABLED] = "enabled",
        [TS_CHANGE_DISABLED] = "disabled",
        [TS_CHANGE_CONDITION] = "condition",
        [TS_CHANGE_PROPERTY] = "property",
    };

    return names[kind];
}

static bool is_begun(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* One line, not too long. @from: where it begins to be told; @quote: around it, "" for none. */
static void put_shortened(const char *text, size_t from, const char *quote, struct buf *ret)
{
    size_t len = from;

    if (text[0] == '\0') {
        buf_adds(ret, "nothing");
        return;
    }
    buf_adds(ret, quote);
    buf_adds(ret, from > 0 ? "..." : "");
    while (text[len] != '\0' && (len - from < SHOWN_MAX || is_begun(text[len]))) {
        bool is_control = (unsigned char)text[len] < 0x20;

        buf_add(ret, (struct bytes){(const uint8_t *)(is_control ? " " : &text[len]), 1});
        len++;
    }
    buf_adds(ret, text[len] == '\0' ? "" : "...");
    buf_adds(ret, quote);
}

/* Where two texts are to be told from, so that what differs can be seen. */
static size_t find_difference(const char *a, const char *b)
{
    size_t n = 0;

    while (a[n] != '\0' && a[n] == b[n])
        n++;
    if (a[n] == b[n] || n < SHOWN_MAX - BEFORE_MAX || a[0] == '\0' || b[0] == '\0')
        return 0;
    n -= BEFORE_MAX;
    while (n > 0 && is_begun(a[n]))
        n--;
    return n;
}

static void put_value(const char *text, struct buf *ret)
{
    put_shortened(text, 0, "\"", ret);
}

static void put_place(const char *group, const char *top, struct buf *ret)
{
    if (group[0] == '\0')
        buf_adds(ret, top);
    else
        buf_addf(ret, "\"%s\"", group);
}

/* Within its group, or into another one. */
static void put_moved(const struct ts_change *change, struct buf *ret)
{
    bool is_within = strcmp(change->from, change->to) == 0;

    if (!is_within) {
        buf_adds(ret, " from ");
        put_place(change->from, "the top", ret);
    }
    if (change->is_first) {
        buf_adds(ret, " to the beginning of ");
        put_place(change->to, "the task sequence", ret);
    } else if (!is_within) {
        buf_adds(ret, " to ");
        put_place(change->to, "the top", ret);
    }
    if (change->label[0] != '\0')
        buf_addf(ret, "%s behind \"%s\"", is_within ? "" : ",", change->label);
}

bool ts_change_is_secret(const struct ts_change *change)
{
    bool has_mask = strcmp(change->from, "***") == 0 || strcmp(change->to, "***") == 0;
    bool has_values = change->kind == TS_CHANGE_PROPERTY || change->kind == TS_CHANGE_CONDITION;

    return has_values &&
           (has_mask || (strcmp(change->from, change->to) == 0 && strstr(change->from, "***")));
}

static void put_from_to(const struct ts_change *change, struct buf *ret)
{
    /* a condition has quotation marks of its own */
    const char *quote = change->kind == TS_CHANGE_CONDITION || change->has_quotes ? "" : "\"";
    size_t start = find_difference(change->from, change->to);

    buf_adds(ret, " from ");
    put_shortened(change->from, start, quote, ret);
    buf_adds(ret, " to ");
    put_shortened(change->to, start, quote, ret);
}

void ts_change_put_lines(const struct ts_change *change, struct buf *ret)
{
    if (change->is_script)
        ts_script_put_diff(change->from, change->to, ret);
}

static void put_number(size_t n, const char *what, struct buf *ret)
{
    buf_addf(ret, "%zu line%s %s", n, n == 1 ? "" : "s", what);
}

static void put_script(const struct ts_change *change, struct buf *ret)
{
    OWN(buf_fini) struct buf lines = BUF_INIT(LINES_MAX_BYTES);
    size_t n_gone = 0;
    size_t n_new = 0;

    ts_change_put_lines(change, &lines);
    for (const char *line = buf_str(&lines); *line; line += strcspn(line, "\n") + 1) {
        n_gone += line[0] == '-';
        n_new += line[0] == '+';
    }
    buf_addf(ret, ": %s: ", change->label);
    put_number(n_gone, "removed, ", ret);
    put_number(n_new, "added", ret);
}

static void put_element(const struct ts_change *change, struct buf *ret)
{
    const char *inside = change->is_new ? change->to : change->from;

    buf_addf(ret, ": %s element %s (", change->is_new ? "added" : "removed", change->label);
    put_shortened(inside, 0, "", ret);
    buf_adds(ret, ")");
}

void ts_change_put(const struct ts_change *change, struct buf *ret)
{
    static const char *const verbs[] = {
        [TS_CHANGE_ADDED] = "Added",
        [TS_CHANGE_REMOVED] = "Removed",
        [TS_CHANGE_MOVED] = "Moved",
        [TS_CHANGE_RENAMED] = "Renamed",
        [TS_CHANGE_ENABLED] = "Enabled",
        [TS_CHANGE_DISABLED] = "Disabled",
        [TS_CHANGE_CONDITION] = "Changed the condition of",
        [TS_CHANGE_PROPERTY] = "Changed",
    };

    buf_adds(ret, verbs[change->kind]);
    if (change->path[0] == '\0' && change->old_path[0] == '\0')
        buf_adds(ret, " the task sequence");
    else
        buf_addf(ret,
                 " %s \"%s\"",
                 change->is_group ? "group" : "step",
                 change->kind == TS_CHANGE_RENAMED ? change->old_path : change->path);
    if (change->kind == TS_CHANGE_ADDED && change->type[0] != '\0')
        buf_addf(ret, " (%s)", change->type);
    if ((change->kind == TS_CHANGE_ADDED || change->kind == TS_CHANGE_REMOVED) && change->is_group)
        buf_addf(ret, " with %s", change->label);
    if (change->kind == TS_CHANGE_MOVED)
        put_moved(change, ret);
    if (change->kind == TS_CHANGE_RENAMED && change->old_path[0] == '\0')
        put_from_to(change, ret);
    else if (change->kind == TS_CHANGE_RENAMED) {
        buf_adds(ret, " to ");
        put_value(change->to, ret);
    }
    if (change->is_script) {
        put_script(change, ret);
        return;
    }
    if (change->is_element) {
        put_element(change, ret);
        return;
    }
    if (change->kind == TS_CHANGE_PROPERTY)
        buf_addf(ret, ": %s", change->label);
    if (ts_change_is_secret(change) && strcmp(change->from, change->to) == 0)
        buf_adds(ret,
                 strcmp(change->from, "***") == 0 ? " (its value is secret)"
                                                  : " (what differs is secret)");
    else if (change->kind == TS_CHANGE_PROPERTY || change->kind == TS_CHANGE_CONDITION)
        put_from_to(change, ret);
}
