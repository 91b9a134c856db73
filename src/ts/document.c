/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/document.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/tree.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/condition.h"
#include "ts/diag.h"
#include "ts/document_names.h"
#include "ts/step_packages.h"
#include "ts/step_references.h"
#include "ts/tree.h"
#include "ts/xml.h"

struct ts_document {
    xmlDoc *xml; /* owned; what is written back */
    struct ts_step *steps;
    size_t n_steps;
    struct ts_group **groups;
    size_t n_groups;
    struct ts_variable *globals;
    size_t n_globals;
    const char **packages;
    size_t n_packages;
    xmlChar **strings; /* owned; everything the structs point at */
    size_t n_strings;
    char **noted; /* owned; names of variables that somebody else calls secret */
    size_t n_noted;
    const char *version;
    const char *name;
    const char *description;
};

struct reader {
    struct ts_document *doc;
    struct ts_diags *diags;
    int r; /* 0, TS_E_MALFORMED or -ENOMEM; nothing is read once it is set */
};

enum {
    GROW = 32,
    POINTER_BYTES = sizeof(void *),
};

/* Room for one more in @items, which has @n of @size bytes each; NULL without memory. */
static void *grow(void *items, size_t n, size_t size)
{
    return n % GROW == 0 ? realloc(items, (n + GROW) * size) : items;
}

static void no_memory(struct reader *rd)
{
    rd->r = ERR(-ENOMEM);
}

/* Take over @text, which may be NULL, for as long as the document lives. */
static const char *keep(struct reader *rd, xmlChar *text)
{
    if (!text)
        return "";

    xmlChar **grown = grow(rd->doc->strings, rd->doc->n_strings, sizeof(*grown));

    if (!grown) {
        xmlFree(text);
        no_memory(rd);
        return "";
    }
    rd->doc->strings = grown;
    grown[rd->doc->n_strings++] = text;
    return (const char *)text;
}

static const char *attribute(struct reader *rd, const xmlNode *node, const char *name)
{
    return keep(rd, xmlGetNoNsProp(node, (const xmlChar *)name));
}

static const char *content(struct reader *rd, const xmlNode *node)
{
    return keep(rd, xmlNodeGetContent(node));
}

static bool is_element(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0;
}

static bool is_true(const char *text)
{
    return bytes_eq_nocase(bytes_of(text), "true") || strcmp(text, "1") == 0;
}

/* What is no such number counts as 0; validate tells it (ts/validate_attributes.c), as of the next. */
static unsigned read_number(struct reader *rd, const xmlNode *node, const char *name, unsigned max)
{
    uint64_t n = 0;

    (void)bytes_parse_u64(bytes_of(attribute(rd, node, name)), 0, max, &n);
    return (unsigned)n;
}

static unsigned read_run_in(struct reader *rd, const xmlNode *node)
{
    const char *text = attribute(rd, node, "runIn");

    if (bytes_eq_nocase(bytes_of(text), "WinPE"))
        return TS_RUN_IN_BOOT_IMAGE;
    return bytes_eq_nocase(bytes_of(text), "FullOS") ? TS_RUN_IN_FULL_OS : TS_RUN_IN_BOTH;
}

static struct ts_variable *read_variables(struct reader *rd, const xmlNode *list, size_t *ret_n)
{
    struct ts_variable *items = NULL;
    size_t n = 0;

    for (const xmlNode *child = list->children; child && rd->r == 0; child = child->next) {
        if (!is_element(child, "variable"))
            continue;

        struct ts_variable *grown = grow(items, n, sizeof(*grown));

        if (!grown) {
            no_memory(rd);
            break;
        }
        items = grown;
        items[n++] = (struct ts_variable){
            .name = attribute(rd, child, "name"),
            .property = attribute(rd, child, "property"),
            .text = content(rd, child),
            .is_hidden = is_true(attribute(rd, child, "hidden")),
        };
    }
    *ret_n = n;
    return items;
}

static struct ts_condition *read_condition(struct reader *rd, const xmlNode *node);

static bool has_expression(const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next)
        if (is_element(child, "expression"))
            return true;
    return false;
}

static void read_operands(struct reader *rd, const xmlNode *node, struct ts_condition *c)
{
    /* the platform of an osExpressionGroup in numbers repeats what the expressions beside it ask for */
    const bool repeats = has_expression(node);

    for (const xmlNode *child = node->children; child && rd->r == 0; child = child->next) {
        if (child->type != XML_ELEMENT_NODE || (repeats && is_element(child, "platformKey")))
            continue;

        struct ts_condition **grown = grow(c->children, c->n_children, POINTER_BYTES);
        struct ts_condition *operand = grown ? read_condition(rd, child) : NULL;

        if (grown)
            c->children = grown;
        if (!operand) {
            no_memory(rd);
            return;
        }
        c->children[c->n_children++] = operand;
    }
}

/* <condition>, <operator>, <expression>, <osConditionGroup>, <osExpressionGroup> or what we do not know */
static struct ts_condition *read_condition(struct reader *rd, const xmlNode *node)
{
    struct ts_condition *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    c->type = (const char *)node->name;
    if (is_element(node, "expression")) {
        c->kind = TS_CONDITION_EXPRESSION;
        c->type = attribute(rd, node, "type");
        c->fields = read_variables(rd, node, &c->n_fields);
        return c;
    }

    const char *type = attribute(rd, node, "type");

    c->kind = TS_CONDITION_AND;
    bool is_untyped = type[0] == '\0';

    if (bytes_eq_nocase(bytes_of(type), "or") ||
        (is_untyped && is_element(node, "osConditionGroup")))
        c->kind = TS_CONDITION_OR;
    else if (bytes_eq_nocase(bytes_of(type), "not"))
        c->kind = TS_CONDITION_NOT;
    else if (!bytes_eq_nocase(bytes_of(type), "and") && !is_element(node, "condition") &&
             !(is_untyped && is_element(node, "osExpressionGroup")))
        c->kind = TS_CONDITION_FOREIGN;
    if (c->kind != TS_CONDITION_FOREIGN)
        read_operands(rd, node, c);
    else if (!is_untyped && is_element(node, "operator"))
        c->type = type;
    return c;
}

static struct ts_item
read_item(struct reader *rd, const xmlNode *node, const struct ts_group *parent)
{
    struct ts_item item = {
        .name = attribute(rd, node, "name"),
        .description = attribute(rd, node, "description"),
        .is_disabled = is_true(attribute(rd, node, "disable")),
        .continues_on_error = is_true(attribute(rd, node, "continueOnError")),
        .parent = parent,
        .line = ts_xml_line(node),
        .column = ts_xml_column(node),
    };

    const xmlNode *condition = ts_node_child(node, "condition");

    item.condition = condition ? read_condition(rd, condition) : NULL;
    if (condition && !item.condition)
        no_memory(rd);
    return item;
}

static void read_step(struct reader *rd, const xmlNode *node, const struct ts_group *parent)
{
    struct ts_document *doc = rd->doc;

    if (doc->n_steps == TS_STEPS_MAX) {
        ts_diags_add(rd->diags,
                     TS_ERROR,
                     ts_xml_line(node),
                     ts_xml_column(node),
                     "more than %d steps",
                     (int)TS_STEPS_MAX);
        rd->r = TS_E_MALFORMED;
        return;
    }

    struct ts_step *grown = grow(doc->steps, doc->n_steps, sizeof(*grown));

    if (!grown) {
        no_memory(rd);
        return;
    }
    doc->steps = grown;

    struct ts_step *step = &doc->steps[doc->n_steps];
    const xmlNode *action = ts_node_child(node, "action");
    const xmlNode *list = ts_node_child(node, "defaultVarList");

    *step = (struct ts_step){
        .item = read_item(rd, node, parent),
        .type = attribute(rd, node, "type"),
        .action = action ? content(rd, action) : "",
        .start_in = attribute(rd, node, "startIn"),
        .success_codes = attribute(rd, node, "successCodeList"),
        .run_in = read_run_in(rd, node),
        .timeout_s = read_number(rd, node, "timeout", TS_TIMEOUT_MAX_S),
        .retry_count = read_number(rd, node, "retryCount", TS_RETRIES_MAX),
        .runs_from_net = is_true(attribute(rd, node, "runFromNet")),
        .index = doc->n_steps,
    };
    doc->n_steps++;
    if (step->success_codes[0] == '\0')
        step->success_codes = "0";
    if (list && rd->r == 0)
        step->variables = read_variables(rd, list, &step->n_variables);
}

static void read_children(struct reader *rd, const xmlNode *node, const struct ts_group *parent);

static void read_group(struct reader *rd, const xmlNode *node, const struct ts_group *parent)
{
    struct ts_document *doc = rd->doc;
    struct ts_group **grown = grow(doc->groups, doc->n_groups, POINTER_BYTES);
    struct ts_group *group = grown ? calloc(1, sizeof(*group)) : NULL;

    if (grown)
        doc->groups = grown;
    if (!group) {
        no_memory(rd);
        return;
    }
    doc->groups[doc->n_groups++] = group;
    group->item = read_item(rd, node, parent);
    group->first_step = doc->n_steps;
    read_children(rd, node, group);
    group->end_step = doc->n_steps;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void read_children(struct reader *rd, const xmlNode *node, const struct ts_group *parent)
{
    for (const xmlNode *child = node->children; child && rd->r == 0; child = child->next) {
        if (is_element(child, "group"))
            read_group(rd, child, parent);
        else if (is_element(child, "step") || is_element(child, "subtasksequence"))
            read_step(rd, child, parent);
    }
}

static void add_package(struct reader *rd, const char *id)
{
    struct ts_document *doc = rd->doc;

    if (id[0] == '\0')
        return;

    const char **grown = grow(doc->packages, doc->n_packages, POINTER_BYTES);

    if (!grown) {
        no_memory(rd);
        return;
    }
    doc->packages = grown;
    grown[doc->n_packages++] = id;
}

static void read_references(struct reader *rd, const xmlNode *list)
{
    for (const xmlNode *child = list->children; child && rd->r == 0; child = child->next)
        if (is_element(child, "reference"))
            add_package(rd, attribute(rd, child, "package"));
}

/* Ids with commas between them, as Download Package Content and Install Application list them. Of those with a '/' none is
   a package: they are the reference product's applications. */
static void add_list(struct reader *rd, const char *name, const char *list)
{
    struct bytes item;

    while (rd->r == 0 && ts_list_next(name, &list, &item)) {
        const char *id;
        xmlChar *text = xmlStrndup((const xmlChar *)item.ptr, (int)item.len);

        if (!text)
            no_memory(rd);
        id = keep(rd, text);
        if (!strpbrk(id, "/%"))
            add_package(rd, id);
    }
}

static void
collect_of_step(struct reader *rd, const struct ts_package_lists *lists, const struct ts_step *step)
{
    char named[TS_PACKAGE_ID_MAX];

    if (!ts_step_is_enabled(step))
        return;
    if (ts_named_package(lists, step, named))
        add_package(rd, keep(rd, xmlStrdup((const xmlChar *)named)));
    for (size_t k = 0; k < step->n_variables; k++) {
        const struct ts_variable *v = &step->variables[k];

        if (ts_is_package_property(v->property[0] != '\0' ? v->property : v->name))
            add_package(rd, v->text);
        else if (ts_is_package_list(v))
            add_list(rd, v->name, v->text);
    }
}

static void collect_step_packages(struct reader *rd)
{
    OWN(ts_package_lists_fini) struct ts_package_lists lists = {0};

    if (rd->r == 0 && ts_package_lists_init(&lists, rd->doc->steps, rd->doc->n_steps) < 0)
        no_memory(rd);
    for (size_t i = 0; rd->r == 0 && i < rd->doc->n_steps; i++)
        collect_of_step(rd, &lists, &rd->doc->steps[i]);
}

static void read_root(struct reader *rd)
{
    struct ts_document *doc = rd->doc;
    const xmlNode *root = xmlDocGetRootElement(doc->xml);

    if (!root || !is_element(root, "sequence")) {
        ts_diags_add(rd->diags,
                     TS_ERROR,
                     root ? ts_xml_line(root) : 0,
                     root ? ts_xml_column(root) : 0,
                     "the root element is <%.32s>, but a task sequence is a <sequence>",
                     root ? (const char *)root->name : "");
        rd->r = TS_E_MALFORMED;
        return;
    }

    const xmlNode *globals = ts_node_child(root, "globalVarList");

    doc->version = attribute(rd, root, "version");
    doc->name = attribute(rd, root, "name");
    doc->description = attribute(rd, root, "description");
    if (strcmp(doc->version, "3.10") != 0 && strcmp(doc->version, "3.00") != 0) {
        ts_diags_add(rd->diags,
                     TS_ERROR,
                     ts_xml_line(root),
                     ts_xml_column(root),
                     "version=\"%.16s\" is unknown; 3.10 and 3.00 are supported",
                     doc->version);
        rd->r = TS_E_MALFORMED;
        return;
    }
    for (const xmlNode *child = root->children; child && rd->r == 0; child = child->next)
        if (is_element(child, "referenceList"))
            read_references(rd, child);
    if (globals && rd->r == 0)
        doc->globals = read_variables(rd, globals, &doc->n_globals);
    read_children(rd, root, NULL);
    collect_step_packages(rd);
    if (ts_packages_once(doc->packages, &doc->n_packages) < 0)
        no_memory(rd);
}

DEFINE_FREEP(struct ts_document *, ts_document_free);

/* What is kept is what is written, in which some characters take up to five times the room: that has to fit, too. */
static int check_written(const struct ts_document *doc, struct bytes xml, struct ts_diags *diags)
{
    OWN(buf_fini) struct buf text = BUF_INIT(8 * (size_t)TS_XML_MAX_BYTES);
    const xmlNode *root = xmlDocGetRootElement(doc->xml);
    size_t size;

    if (xml.len <= TS_XML_MAX_BYTES / 8)
        return 0;
    if (ts_document_put(doc, &text) < 0 || text.failed)
        return ERR(-ENOMEM);
    size = ts_xml_size(buf_bytes(&text));
    if (size <= TS_XML_MAX_BYTES)
        return 0;
    ts_diags_add_at(
        diags,
        TS_ERROR,
        &(struct ts_diag_place){
            .id = "SLW-0171", .line = ts_xml_line(root), .column = ts_xml_column(root)},
        "%zu bytes when it is written with its characters escaped: a task sequence may have %d",
        size,
        (int)TS_XML_MAX_BYTES);
    return TS_E_MALFORMED;
}

int ts_document_parse_at(struct bytes xml,
                         const struct ts_xml_places *places,
                         struct ts_document **ret,
                         struct ts_diags *diags)
{
    OWN(ts_document_freep) struct ts_document *doc = calloc(1, sizeof(*doc));
    int r;

    if (!doc)
        return ERR(-ENOMEM);
    r = ts_xml_parse_at(xml, places, &doc->xml, diags);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return TS_E_MALFORMED;

    struct reader rd = {.doc = doc, .diags = diags};

    read_root(&rd);
    if (rd.r == 0)
        rd.r = check_written(doc, xml, diags);
    if (rd.r != 0)
        return rd.r;
    r = ts_document_check_names(doc, diags);
    if (r == 0)
        *ret = TAKE(doc);
    return TRACE(r);
}

int ts_document_parse(struct bytes xml, struct ts_document **ret, struct ts_diags *diags)
{
    return TRACE(ts_document_parse_at(xml, NULL, ret, diags));
}

/* Only the document may change what everybody else borrows. */
static void free_condition(const struct ts_item *item)
{
    struct ts_condition *owned;

    memcpy(&owned, &item->condition, POINTER_BYTES);
    ts_condition_free(owned);
}

void ts_document_free(struct ts_document *doc)
{
    if (!doc)
        return;
    for (size_t i = 0; i < doc->n_steps; i++) {
        free_condition(&doc->steps[i].item);
        freep(&doc->steps[i].variables);
    }
    for (size_t i = 0; i < doc->n_groups; i++) {
        free_condition(&doc->groups[i]->item);
        free(doc->groups[i]);
    }
    for (size_t i = 0; i < doc->n_strings; i++)
        xmlFree(doc->strings[i]);
    for (size_t i = 0; i < doc->n_noted; i++)
        free(doc->noted[i]);
    free(doc->noted);
    free(doc->steps);
    free(doc->groups);
    free(doc->globals);
    free(doc->packages);
    free(doc->strings);
    xmlFreeDoc(doc->xml);
    free(doc);
}

xmlDoc *ts_document_tree(const struct ts_document *doc)
{
    return doc->xml;
}

const char *ts_document_version(const struct ts_document *doc)
{
    return doc->version;
}

const char *ts_document_name(const struct ts_document *doc)
{
    return doc->name;
}

const char *ts_document_description(const struct ts_document *doc)
{
    return doc->description;
}

const struct ts_step *ts_document_steps(const struct ts_document *doc, size_t *ret_n)
{
    *ret_n = doc->n_steps;
    return doc->steps;
}

const struct ts_group *const *ts_document_groups(const struct ts_document *doc, size_t *ret_n)
{
    *ret_n = doc->n_groups;
    return (const struct ts_group *const *)doc->groups;
}

int ts_document_note_secret(struct ts_document *doc, const char *name)
{
    char **grown = grow(doc->noted, doc->n_noted, sizeof(*grown));

    if (!grown)
        return ERR(-ENOMEM);
    doc->noted = grown;
    grown[doc->n_noted] = ts_copy(name);
    if (!grown[doc->n_noted])
        return ERR(-ENOMEM);
    doc->n_noted++;
    return 0;
}

const char *const *ts_document_noted_secrets(const struct ts_document *doc, size_t *ret_n)
{
    *ret_n = doc->n_noted;
    return (const char *const *)doc->noted;
}

const struct ts_variable *ts_document_globals(const struct ts_document *doc, size_t *ret_n)
{
    *ret_n = doc->n_globals;
    return doc->globals;
}

const char *const *ts_document_packages(const struct ts_document *doc, size_t *ret_n)
{
    *ret_n = doc->n_packages;
    return doc->packages;
}
