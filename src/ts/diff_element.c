/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/diff_parts.h"
#include "ts/document.h"
#include "ts/secret.h"
#include "ts/step_types.h"

enum {
    TEXT_MAX_BYTES = 2 * TS_XML_MAX_BYTES,
};

#define NOBODY SIZE_MAX

/* An element, and how it may be shown. */
struct view {
    const xmlNode *node;
    struct ts_secret_owner owner; /* of its variables */
    bool is_secret;               /* nobody may see what is in it */
    bool hides_values;            /* an expression that compares a secret variable */
};

struct child {
    struct view view;
    char *name;     /* owned; with its prefix */
    char *text;     /* owned; all of it, as XML */
    size_t place;   /* among its siblings */
    size_t number;  /* of those of this name, from 1 */
    size_t partner; /* in the other list, or NOBODY */
};

struct children {
    struct child *items; /* owned; by name, and those of one name in their order */
    size_t n;
};

struct comparing {
    struct ts_comparison *c;
    const struct ts_change *about; /* what all changes have in common */
    const char *path;              /* of the elements around; "" */
};

static void children_fini(struct children *children)
{
    for (size_t i = 0; i < children->n; i++) {
        free(children->items[i].name);
        free(children->items[i].text);
    }
    free(children->items);
    *children = (struct children){0};
}

char *ts_diff_name(const xmlNs *ns, const xmlChar *name)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    if (ns && ns->prefix)
        buf_addf(&text, "%s:", (const char *)ns->prefix);
    buf_adds(&text, (const char *)name);
    return buf_take(&text);
}

const xmlAttr *ts_diff_attribute(const xmlNode *node, const xmlAttr *like)
{
    return xmlHasNsProp(node, like->name, like->ns ? like->ns->href : NULL);
}

char *ts_diff_attribute_text(const xmlAttr *attribute)
{
    return attribute ? ts_node_text((const xmlNode *)attribute) : ts_copy("");
}

static bool is_called_secret(const xmlNode *node)
{
    static const char *const names[] = {"name", "Name", "property"};
    OWN(freep) char *is_so = ts_node_attribute(node, "IsSecret");
    bool is_secret =
        ts_name_is_secret((const char *)node->name) || !is_so || ts_secret_is_flag(is_so);

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !is_secret; i++) {
        OWN(freep) char *name = ts_node_attribute(node, names[i]);

        is_secret = !name || ts_name_is_secret(name);
    }
    return is_secret;
}

/* @node, which stands in @outer. Without memory it is a secret. A command may repeat one. */
static struct view look(const struct view *outer, const xmlNode *node)
{
    struct view view = {
        .node = node,
        .owner =
            ts_node_is_item(node) ? ts_secret_owner_of(outer->owner.names, node) : outer->owner,
        .is_secret = outer->is_secret || ts_node_is(node, "action") || is_called_secret(node) ||
                     (outer->hides_values && ts_secret_is_value(node)),
        .hides_values = ts_secret_compares(outer->owner.names, node),
    };

    if (!view.is_secret && ts_node_is(node, "variable")) {
        OWN(freep) char *text = ts_node_text(node);
        OWN(freep) char *shown = ts_secret_mask(&view.owner, node, "***");

        view.is_secret = !text || !shown || strcmp(text, shown) != 0;
    }
    return view;
}

static const char *masked(const struct view *view, const char *text)
{
    return view->is_secret && text[0] != '\0' ? "***" : text;
}

static const char *masked_attribute(const struct view *view, const char *name, const char *text)
{
    bool is_name = strcmp(name, "name") == 0 || strcmp(name, "Name") == 0 ||
                   strcmp(name, "property") == 0 || strcmp(name, "type") == 0;

    if (ts_name_is_secret(name) && text[0] != '\0')
        return "***";
    return is_name ? text : masked(view, text);
}

/* What stands directly in it, of one or two kinds, without white space around. Owned by the caller; NULL without memory. */
static char *content_of(const xmlNode *node, xmlElementType one, xmlElementType other)
{
    static const char blank[] = " \t\r\n";
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    for (const xmlNode *child = node->children; child; child = child->next) {
        const char *piece = (const char *)child->content;

        if ((child->type != one && child->type != other) || !piece)
            continue;
        buf_adds(&text, text.len == 0 ? piece + strspn(piece, blank) : piece);
    }
    while (text.len > 0 && strchr(blank, text.ptr[text.len - 1]))
        text.ptr[--text.len] = '\0';
    return buf_take(&text);
}

static char *text_of(const xmlNode *node)
{
    return content_of(node, XML_TEXT_NODE, XML_CDATA_SECTION_NODE);
}

static char *notes_of(const xmlNode *node)
{
    return content_of(node, XML_COMMENT_NODE, XML_PI_NODE);
}

static void separate(struct buf *ret, size_t begin)
{
    buf_adds(ret, ret->len > begin ? ", " : "");
}

/* 'x "1", "text", inner (y "2")': the depth is bounded by TS_XML_MAX_DEPTH. */
static void describe(const struct view *view, struct buf *ret)
{
    const xmlNode *node = view->node;
    OWN(freep) char *text = text_of(node);
    const size_t begin = ret->len;

    for (const xmlAttr *a = node->properties; a; a = a->next) {
        OWN(freep) char *name = ts_diff_name(a->ns, a->name);
        OWN(freep) char *value = ts_diff_attribute_text(a);

        if (!name || !value)
            continue;
        separate(ret, begin);
        buf_addf(ret, "%s \"%s\"", name, masked_attribute(view, name, value));
    }
    if (text && text[0] != '\0') {
        separate(ret, begin);
        buf_addf(ret, "\"%s\"", masked(view, text));
    }
    for (xmlNode *child = ts_node_element(node->children); child;
         child = ts_node_element(child->next)) {
        OWN(freep) char *name = ts_diff_name(child->ns, child->name);
        struct view inner = look(view, child);
        size_t before;

        separate(ret, begin);
        buf_addf(ret, "%s (", name ? name : "");
        before = ret->len;
        describe(&inner, ret);
        buf_adds(ret, ret->len > before ? ")" : "empty)");
    }
}

static int by_name(const void *a, const void *b)
{
    const struct child *left = a;
    const struct child *right = b;
    int order = strcmp(left->name, right->name);

    return order != 0 ? order : left->place < right->place ? -1 : 1;
}

/* @is_known: what is compared elsewhere; NULL: nothing is. Return: false without memory. */
static bool
list_children(const struct view *view, bool (*is_known)(const xmlNode *), struct children *ret)
{
    size_t n = 0;

    for (const xmlNode *child = view->node->children; child; child = child->next)
        n += child->type == XML_ELEMENT_NODE;
    ret->items = calloc(n + 1, sizeof(*ret->items));
    if (!ret->items)
        return false;
    for (xmlNode *child = ts_node_element(view->node->children); child;
         child = ts_node_element(child->next)) {
        struct child *item = &ret->items[ret->n];
        xmlBuffer *text = is_known && is_known(child) ? NULL : xmlBufferCreate();

        if (is_known && is_known(child))
            continue;
        *item = (struct child){
            .view = look(view, child),
            .name = ts_diff_name(child->ns, child->name),
            .place = ret->n,
            .partner = NOBODY,
        };
        ret->n++;
        if (text && xmlNodeDump(text, child->doc, child, 0, 0) > 0)
            item->text = ts_copy((const char *)xmlBufferContent(text));
        xmlBufferFree(text);
        if (!item->name || !item->text)
            return false;
    }
    qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
    for (size_t i = 0; i < ret->n; i++)
        ret->items[i].number = i > 0 && strcmp(ret->items[i].name, ret->items[i - 1].name) == 0
                                   ? ret->items[i - 1].number + 1
                                   : 1;
    return true;
}

/* How many from @i on have its name. */
static size_t count_namesakes(const struct children *list, size_t i)
{
    size_t n = 0;

    while (i + n < list->n && strcmp(list->items[i + n].name, list->items[i].name) == 0)
        n++;
    return n;
}

static void pair_up(struct children *before, size_t i, struct children *after, size_t k)
{
    before->items[i].partner = k;
    after->items[k].partner = i;
}

/* Of those of one name, those that are equal at either end belong together, and then one after the other. */
static void match_namesakes(struct children *before, size_t i, struct children *after, size_t k)
{
    size_t n = count_namesakes(before, i);
    size_t m = count_namesakes(after, k);

    for (; n > 0 && m > 0 && strcmp(before->items[i].text, after->items[k].text) == 0; n--, m--)
        pair_up(before, i++, after, k++);
    for (;
         n > 0 && m > 0 && strcmp(before->items[i + n - 1].text, after->items[k + m - 1].text) == 0;
         n--, m--)
        pair_up(before, i + n - 1, after, k + m - 1);
    for (; n > 0 && m > 0; n--, m--)
        pair_up(before, i++, after, k++);
}

static void match(struct children *before, struct children *after)
{
    size_t i = 0;
    size_t k = 0;

    while (i < before->n && k < after->n) {
        int order = strcmp(before->items[i].name, after->items[k].name);

        if (order == 0)
            match_namesakes(before, i, after, k);
        i += order <= 0 ? count_namesakes(before, i) : 0;
        k += order >= 0 ? count_namesakes(after, k) : 0;
    }
}

static void tell(const struct comparing *w,
                 const char *property,
                 const char *label,
                 const char *from,
                 const char *to)
{
    OWN(freep) char *own_property = ts_copy(property);
    OWN(freep) char *own_label = ts_copy(label);
    OWN(freep) char *own_from = from ? ts_copy(from) : NULL;
    OWN(freep) char *own_to = to ? ts_copy(to) : NULL;
    struct ts_change change = *w->about;

    if (!own_property || !own_label || (from && !own_from) || (to && !own_to))
        w->c->is_out_of_memory = true;
    change.kind = TS_CHANGE_PROPERTY;
    change.name = own_property;
    change.label = own_label;
    change.from = own_from;
    change.to = own_to;
    change.is_element = !from || !to;
    change.is_new = !from;
    ts_diff_add(w->c, &change);
}

/* "outer/alien[2]" */
static char *path_of(const struct comparing *w, const struct child *child)
{
    OWN(buf_fini) struct buf path = BUF_INIT(TEXT_MAX_BYTES);

    buf_addf(&path, "%s%s%s", w->path, w->path[0] != '\0' ? "/" : "", child->name);
    if (child->number > 1)
        buf_addf(&path, "[%zu]", child->number);
    return buf_take(&path);
}

/* An element that is on one side only. */
static void tell_whole(const struct comparing *w, const struct child *child, bool is_new)
{
    OWN(freep) char *path = path_of(w, child);
    OWN(buf_fini) struct buf inside = BUF_INIT(TEXT_MAX_BYTES);

    describe(&child->view, &inside);
    buf_adds(&inside, inside.len == 0 ? "empty" : "");
    if (!path || inside.failed) {
        w->c->is_out_of_memory = true;
        return;
    }
    tell(w, path, path, is_new ? NULL : buf_str(&inside), is_new ? buf_str(&inside) : NULL);
}

/* "WHAT element PATH", which is compared as it is and shown as it may be. */
static void tell_text(const struct comparing *w,
                      const char *what,
                      const struct view *before,
                      const char *from,
                      const struct view *after,
                      const char *to)
{
    OWN(buf_fini) struct buf label = BUF_INIT(TEXT_MAX_BYTES);

    if (!from || !to)
        w->c->is_out_of_memory = true;
    else if (strcmp(from, to) != 0) {
        buf_addf(&label, "%s element %s", what, w->path);
        tell(w, w->path, buf_str(&label), masked(before, from), masked(after, to));
    }
}

static void tell_attribute(const struct comparing *w,
                           const xmlAttr *like,
                           const struct view *before,
                           const struct view *after)
{
    OWN(freep) char *name = ts_diff_name(like->ns, like->name);
    OWN(freep) char *from = ts_diff_attribute_text(ts_diff_attribute(before->node, like));
    OWN(freep) char *to = ts_diff_attribute_text(ts_diff_attribute(after->node, like));
    OWN(buf_fini) struct buf property = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf label = BUF_INIT(TEXT_MAX_BYTES);

    if (!name || !from || !to) {
        w->c->is_out_of_memory = true;
        return;
    }
    if (strcmp(from, to) == 0)
        return;
    buf_addf(&property, "%s/@%s", w->path, name);
    buf_addf(&label, "%s of element %s", name, w->path);
    tell(w,
         buf_str(&property),
         buf_str(&label),
         masked_attribute(before, name, from),
         masked_attribute(after, name, to));
}

static void
diff_children(const struct comparing *w, struct children *before, struct children *after);

/* Two elements of one name; the depth is bounded by TS_XML_MAX_DEPTH. */
static void
diff_pair(const struct comparing *outer, const struct child *one, const struct child *other)
{
    OWN(freep) char *path = path_of(outer, other);
    OWN(children_fini) struct children before = {0};
    OWN(children_fini) struct children after = {0};
    const struct comparing w = {outer->c, outer->about, path ? path : ""};
    const struct view *a = &one->view;
    const struct view *b = &other->view;
    OWN(freep) char *from = text_of(a->node);
    OWN(freep) char *to = text_of(b->node);
    OWN(freep) char *old_notes = notes_of(a->node);
    OWN(freep) char *new_notes = notes_of(b->node);

    if (!path || !list_children(a, NULL, &before) || !list_children(b, NULL, &after)) {
        w.c->is_out_of_memory = true;
        return;
    }
    for (const xmlAttr *x = a->node->properties; x; x = x->next)
        tell_attribute(&w, x, a, b);
    for (const xmlAttr *x = b->node->properties; x; x = x->next)
        if (!ts_diff_attribute(a->node, x))
            tell_attribute(&w, x, a, b);
    tell_text(&w, "Text of", a, from, b, to);
    diff_children(&w, &before, &after);
    tell_text(&w, "Comments in", a, old_notes, b, new_notes);
}

static int by_place(const void *a, const void *b)
{
    const struct child *const *left = a;
    const struct child *const *right = b;

    return (*left)->place < (*right)->place ? -1 : 1;
}

/* Those in @list in the order in which they stand. Owned by the caller; NULL without memory. */
static const struct child **in_place(const struct children *list)
{
    const struct child **order = calloc(list->n + 1, sizeof(void *));

    for (size_t i = 0; order && i < list->n; i++)
        order[i] = &list->items[i];
    if (order)
        qsort(order, list->n, sizeof(void *), by_place);
    return order;
}

static void free_order(const struct child ***order)
{
    free(*order);
}

static void put_order(const struct child *const *order, size_t n, struct buf *ret)
{
    for (size_t i = 0; i < n; i++)
        if (order[i]->partner != NOBODY) {
            separate(ret, 0);
            buf_adds(ret, order[i]->name);
        }
}

/* Whether elements that are on both sides stand in another order. */
static bool is_reordered(const struct children *before, const struct child *const *after, size_t n)
{
    const struct child *last = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct child *now =
            after[i]->partner == NOBODY ? NULL : &before->items[after[i]->partner];

        if (now && last && now->place < last->place)
            return true;
        last = now ? now : last;
    }
    return false;
}

static void
diff_children(const struct comparing *w, struct children *before, struct children *after)
{
    OWN(free_order) const struct child **old_order = in_place(before);
    OWN(free_order) const struct child **new_order = in_place(after);
    OWN(buf_fini) struct buf from = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf to = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf label = BUF_INIT(TEXT_MAX_BYTES);

    if (!old_order || !new_order) {
        w->c->is_out_of_memory = true;
        return;
    }
    match(before, after);
    for (size_t i = 0; i < before->n; i++)
        if (old_order[i]->partner == NOBODY)
            tell_whole(w, old_order[i], false);
    for (size_t i = 0; i < after->n; i++) {
        const struct child *item = new_order[i];
        const struct child *old = item->partner == NOBODY ? NULL : &before->items[item->partner];

        if (!old)
            tell_whole(w, item, true);
        else if (strcmp(old->text, item->text) != 0)
            diff_pair(w, old, item);
    }
    if (!is_reordered(before, new_order, after->n))
        return;
    put_order(old_order, before->n, &from);
    put_order(new_order, after->n, &to);
    buf_addf(
        &label, w->path[0] != '\0' ? "Order in element %s" : "Order of other elements%s", w->path);
    tell(w,
         w->path[0] != '\0' ? w->path : "elements",
         buf_str(&label),
         buf_str(&from),
         buf_str(&to));
}

void ts_diff_elements(struct ts_comparison *c,
                      const struct ts_change *about,
                      const struct ts_diff_sides *sides,
                      bool (*is_known)(const xmlNode *))
{
    const struct comparing w = {c, about, ""};
    const struct view from = {.node = sides->before,
                              .owner = ts_secret_owner_of(c->names, sides->before)};
    const struct view to = {.node = sides->after,
                            .owner = ts_secret_owner_of(c->names, sides->after)};
    OWN(children_fini) struct children before = {0};
    OWN(children_fini) struct children after = {0};

    if (list_children(&from, is_known, &before) && list_children(&to, is_known, &after))
        diff_children(&w, &before, &after);
    else
        c->is_out_of_memory = true;
}
