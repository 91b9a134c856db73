/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/sequence.h"
#include "ts/step_references.h"
#include "ts/validate_parts.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    CHAIN_MAX_BYTES = 512,
    ID_MAX = 128,
    NAMED_MAX_BYTES = 512,
    MENTIONED_FIRST = 64,
};

/* The property by which a step refers to content. */
static const struct ts_property *
find_property(const struct ts_check *c, int item, const struct ts_variable *v)
{
    return ts_property_find(ts_step_type_find(ts_check_step(c, item)->type), v->name);
}

static const char *words_of(const char *content)
{
    static const char *const words[][2] = {{"os-image", "an OS image"},
                                           {"os-upgrade-package", "an OS upgrade package"},
                                           {"driver-package", "a driver package"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i][0], content) == 0)
            return words[i][1];
    return "a package";
}

/* @wanted: ts_property_content() */
static void check_kind(const struct ts_check *c,
                       int item,
                       const struct ts_variable *v,
                       const char *wanted,
                       const char *kind)
{
    if (wanted[0] != '\0' && strcmp(kind, wanted) != 0)
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0174",
                        "it wants %s; %.64s is of the kind %s: choose another",
                        words_of(wanted),
                        v->text,
                        kind);
}

/* Something that is referred to, and not there: by its id and, if the file that it comes from says it, by its name.
   @node: in the list of the sequence; NULL: @item refers to it, or the sequence as a whole */
struct missing {
    int item;
    const xmlNode *node;
    const char *what;
    const char *id;
};

static void report_missing(const struct ts_check *c, const struct missing *m)
{
    static const char format[] =
        "%s refers to %s, which this site does not have; add it, or map it to what takes its place";
    const char *name = c->site->name_of ? c->site->name_of(c->site->ctx, m->id) : "";
    OWN(buf_fini) struct buf named = BUF_INIT(NAMED_MAX_BYTES);

    if (c->site->is_partial)
        return;
    buf_addf(&named, "%s%.128s", m->what, m->id);
    if (name[0] != '\0')
        buf_addf(&named, " \"%.200s\"", name);
    if (m->node)
        ts_check_report_node(
            c, m->node, TS_ERROR, "SLW-0173", format, "the task sequence", buf_str(&named));
    else
        ts_check_report(c,
                        m->item,
                        TS_ERROR,
                        "SLW-0173",
                        format,
                        m->item == TS_NO_ITEM ? "the task sequence" : "it",
                        buf_str(&named));
}

static void check_package(const struct ts_check *c, int item, const struct ts_variable *v)
{
    const char *wanted = ts_property_content(find_property(c, item, v));
    const char *kind = c->site->kind_of ? c->site->kind_of(c->site->ctx, v->text, wanted) : NULL;

    if (!kind)
        return;
    if (kind[0] == '\0')
        report_missing(c, &(struct missing){item, NULL, "", v->text});
    else
        check_kind(c, item, v, wanted, kind);
}

static void check_application(const struct ts_check *c, int item, const struct ts_variable *v)
{
    if (c->site->has_application && !c->site->has_application(c->site->ctx, v->text))
        report_missing(c, &(struct missing){item, NULL, "the application ", v->text});
}

/* Ids with commas between them. */
static void check_items(const struct ts_check *c,
                        int item,
                        const struct ts_variable *list,
                        void (*check)(const struct ts_check *, int, const struct ts_variable *))
{
    const char *at = list->text;
    struct bytes text;

    while (ts_list_next(list->name, &at, &text)) {
        char id[ID_MAX];
        struct ts_variable one = *list;

        (void)snprintf(id,
                       sizeof(id),
                       "%.*s",
                       (int)(text.len < ID_MAX ? text.len : ID_MAX - 1),
                       (const char *)text.ptr);
        one.text = id;
        if (!strchr(id, '%'))
            check(c, item, &one);
    }
}

static void check_list(const struct ts_check *c, int item, const struct ts_variable *list)
{
    const struct ts_step *step = ts_check_step(c, item);
    bool is_of_applications = bytes_eq_nocase(bytes_of(list->name), "ApplicationName");

    if (!is_of_applications)
        check_items(c, item, list, check_package);
    else if (ts_check_text(step, "OSDApp0Name")[0] == '\0' &&
             ts_check_text(step, "BaseVariableName")[0] == '\0')
        check_items(c, item, list, check_application); /* the step goes by it */
}

/* The ids on the way down to a nested sequence, and how much all ways together are. */
struct chain {
    const char *ids[TS_NESTING_MAX];
    size_t n;
    size_t n_instructions;
};

static void put_chain(struct buf *dst, const struct chain *chain, const char *id)
{
    for (size_t i = 0; i < chain->n; i++)
        buf_addf(dst, "%s -> ", chain->ids[i][0] ? chain->ids[i] : "this one");
    buf_adds(dst, id);
}

static int descend(const struct ts_check *c, int item, const char *id, struct chain *chain);

static int
descend_into(const struct ts_check *c, int item, const struct ts_document *doc, struct chain *chain)
{
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    chain->n_instructions += n > 0 ? n : 1;
    if (chain->n_instructions > TS_INSTRUCTIONS_MAX) {
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0171",
            "with the task sequences that it runs it has more than %d steps; let it run "
            "fewer",
            (int)TS_INSTRUCTIONS_MAX);
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        const char *id = ts_check_text(&steps[i], "OSDSubTasksequencePackageID");

        if (id[0] == '\0' || strchr(id, '%') || !ts_step_is_enabled(&steps[i]))
            continue;

        int r = descend(c, item, id, chain);

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

/* Return: 0, 1 after something has been reported, or -errno. */
static int descend(const struct ts_check *c, int item, const char *id, struct chain *chain)
{
    OWN(buf_fini) struct buf way = BUF_INIT(CHAIN_MAX_BYTES);
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    bool is_cycle = false;
    int r;

    put_chain(&way, chain, id);
    for (size_t i = 0; i < chain->n; i++)
        is_cycle = is_cycle || strcmp(chain->ids[i], id) == 0;
    if (is_cycle || chain->n == TS_NESTING_MAX) {
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0179",
                        is_cycle ? "the task sequence runs itself: %s; break the circle"
                                 : "task sequences are nested too deep: %s",
                        buf_str(&way));
        return 1;
    }
    doc = c->site->sequence(c->site->ctx, id);
    if (!doc) {
        report_missing(c, &(struct missing){item, NULL, "the task sequence ", id});
        return c->site->is_partial ? 0 : 1;
    }
    /* it makes the whole deployment fail: that is said before a disk is touched */
    if (c->site->is_disabled && c->site->is_disabled(c->site->ctx, id)) {
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0189",
                        "it runs the task sequence %.64s, which is disabled; enable that one, or "
                        "disable the step",
                        id);
        return 1;
    }
    chain->ids[chain->n++] = id;
    r = descend_into(c, item, doc, chain);
    chain->n--;
    return TRACE(r);
}

/* Nothing more is counted once it is too much, which has been reported then. */
static int
check_nested(const struct ts_check *c, int item, const struct ts_variable *v, struct chain *chain)
{
    int r = 0;

    if (c->site->sequence && chain->n_instructions <= TS_INSTRUCTIONS_MAX)
        r = descend(c, item, v->text, chain);
    return r < 0 ? TRACE(r) : 0;
}

static int check_step(const struct ts_check *c, int item, struct chain *chain)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_step_type *type = ts_step_type_find(step->type);
    int r = 0;

    for (size_t i = 0; r == 0 && i < step->n_variables; i++) {
        const struct ts_variable *v = &step->variables[i];
        const struct ts_property *p = ts_property_find(type, v->name);

        if (p &&
            (strcmp(p->name, "DownloadPackages") == 0 || strcmp(p->name, "ApplicationName") == 0))
            check_list(c, item, v);
        if (!p || v->text[0] == '\0' || strchr(v->text, '%'))
            continue;
        if (p->kind == TS_KIND_PACKAGE)
            check_package(c, item, v);
        else if (p->kind == TS_KIND_SEQUENCE)
            r = check_nested(c, item, v, chain);
        else if (p->kind == TS_KIND_APPLICATION)
            check_application(c, item, v);
    }
    return TRACE(r);
}

/* What the steps' variables say, and each item of those that are lists: sorted, since a list of references may be long. */
struct mentioned {
    struct bytes *items; /* owned; they are borrowed from the document */
    size_t n;
    size_t n_allocated;
};

static void mentioned_fini(struct mentioned *m)
{
    free(m->items);
}

static int mention(struct mentioned *m, struct bytes text)
{
    if (m->n == m->n_allocated) {
        size_t wanted = m->n_allocated * 2 + MENTIONED_FIRST;
        struct bytes *items = realloc(m->items, wanted * sizeof(*items));

        if (!items)
            return ERR(-ENOMEM);
        m->items = items;
        m->n_allocated = wanted;
    }
    m->items[m->n++] = text;
    return 0;
}

static int mention_variable(struct mentioned *m, const struct ts_variable *v)
{
    const char *at = v->text;
    struct bytes item;
    int r = mention(m, bytes_of(v->text));

    while (r == 0 && ts_name_is_list(v->name) && ts_list_next(v->name, &at, &item))
        r = mention(m, item);
    return TRACE(r);
}

static int compare_texts(const void *a, const void *b)
{
    const struct bytes *left = a;
    const struct bytes *right = b;
    size_t n = left->len < right->len ? left->len : right->len;
    int order = n > 0 ? memcmp(left->ptr, right->ptr, n) : 0;

    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

static int gather_mentioned(const struct ts_check *c, struct mentioned *ret)
{
    size_t n;
    const struct ts_step *steps = ts_document_steps(c->doc, &n);
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        for (size_t k = 0; r == 0 && k < steps[i].n_variables; k++)
            r = mention_variable(ret, &steps[i].variables[k]);
    if (r == 0 && ret->n > 0)
        qsort(ret->items, ret->n, sizeof(*ret->items), compare_texts);
    return TRACE(r);
}

static bool is_mentioned(const struct mentioned *m, const char *id)
{
    struct bytes text = bytes_of(id);

    return m->n > 0 && bsearch(&text, m->items, m->n, sizeof(*m->items), compare_texts);
}

/* Whether the site has what a <reference> of the list names. */
static bool has(const struct ts_check *c, bool is_application, const char *id)
{
    const char *kind;

    if (is_application)
        return !c->site->has_application || c->site->has_application(c->site->ctx, id);
    kind = c->site->kind_of ? c->site->kind_of(c->site->ctx, id, "") : NULL;
    return !kind || kind[0] != '\0';
}

/* What the list refers to, and no step says why. */
static int check_reference_list(const struct ts_check *c)
{
    const xmlNode *list =
        ts_node_child(xmlDocGetRootElement(ts_document_tree(c->doc)), "referenceList");

    OWN(mentioned_fini) struct mentioned mentioned = {0};

    if (list && gather_mentioned(c, &mentioned) < 0)
        return ERR(-ENOMEM);
    for (const xmlNode *node = list ? list->children : NULL; node; node = node->next) {
        if (!ts_node_is(node, "reference"))
            continue;

        OWN(freep) char *package = ts_node_attribute(node, "package");
        OWN(freep) char *application = ts_node_attribute(node, "application");

        if (!package || !application)
            return ERR(-ENOMEM);

        bool is_application = package[0] == '\0';
        const char *id = is_application ? application : package;

        if (id[0] != '\0' && !is_mentioned(&mentioned, id) && !has(c, is_application, id))
            report_missing(
                c,
                &(struct missing){TS_NO_ITEM, node, is_application ? "the application " : "", id});
    }
    return 0;
}

int ts_check_references(const struct ts_check *c)
{
    struct chain chain = {.n = 1};
    int r = 0;

    if (!c->site)
        return 0;
    chain.ids[0] = c->site->own_id ? c->site->own_id : "";
    (void)ts_document_steps(c->doc, &chain.n_instructions);
    for (size_t i = 0; r == 0 && i < c->tree.n; i++)
        if (c->tree.items[i].step != TS_NO_ITEM && ts_tree_is_enabled(&c->tree, (int)i))
            r = check_step(c, (int)i, &chain);
    if (r == 0 && c->site->wanted_boot_image_id)
        report_missing(
            c,
            &(struct missing){TS_NO_ITEM, NULL, "the boot image ", c->site->wanted_boot_image_id});
    return r == 0 ? TRACE(check_reference_list(c)) : TRACE(r);
}
