/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form_reader.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/script_text.h"
#include "ts/xml.h"
#include "ts/yaml_form.h"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);

enum {
    PLACES_GROW = 256,
};

static void no_memory(struct ts_yaml_reader *rd)
{
    rd->r = rd->r ? rd->r : ERR(-ENOMEM);
}

struct ts_xml_place ts_yaml_place(const yaml_node_t *node)
{
    return (struct ts_xml_place){
        .line = (unsigned)node->start_mark.line + 1,
        .column = (unsigned)node->start_mark.column + 1,
    };
}

void ts_yaml_refuse(struct ts_yaml_reader *rd, const yaml_node_t *node, const char *why)
{
    struct ts_xml_place at = {1, 1}; /* of nothing in particular: it is about the whole */

    if (node)
        at = ts_yaml_place(node);
    if (rd->r == 0)
        ts_diags_add(rd->diags, TS_ERROR, at.line, at.column, "%s", why);
    rd->r = rd->r ? rd->r : TS_E_MALFORMED;
}

yaml_node_t *ts_yaml_node(struct ts_yaml_reader *rd, int number)
{
    yaml_node_t *node = yaml_document_get_node(rd->yaml, number);

    if (++rd->n_nodes > TS_XML_MAX_NODES || !node) {
        ts_yaml_refuse(rd, node, "there is too much in it");
        return NULL;
    }
    return node;
}

yaml_node_t *
ts_yaml_node_of(struct ts_yaml_reader *rd, int number, yaml_node_type_t type, const char *why)
{
    yaml_node_t *node = ts_yaml_node(rd, number);

    if (node && node->type == type)
        return node;
    ts_yaml_refuse(rd, node, why);
    return NULL;
}

/* Whether XML can hold it. */
static bool is_xml_text(const char *text)
{
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') ||
            strncmp(text, "\xef\xbf\xbe", 3) == 0 || strncmp(text, "\xef\xbf\xbf", 3) == 0)
            return false;
    }
    return true;
}

const char *ts_yaml_scalar(struct ts_yaml_reader *rd, int number)
{
    yaml_node_t *node = ts_yaml_node_of(rd, number, YAML_SCALAR_NODE, "a text is wanted here");
    const char *text = node ? (const char *)node->data.scalar.value : "";

    if (node && strlen(text) != node->data.scalar.length)
        ts_yaml_refuse(rd, node, "a text is wanted here");
    if (node && !is_xml_text(text))
        ts_yaml_refuse(rd, node, "a control character is in it, which a task sequence cannot have");
    rd->n_bytes += node ? node->data.scalar.length : 0;
    if (rd->n_bytes <= TS_YAML_MAX_BYTES)
        return text;
    ts_yaml_refuse(rd, node, "there is too much in it");
    return "";
}

bool ts_yaml_is_alone(struct ts_yaml_reader *rd, const yaml_node_t *mapping)
{
    if (mapping->data.mapping.pairs.start + 1 == mapping->data.mapping.pairs.top)
        return true;
    ts_yaml_refuse(
        rd, mapping, "what comes first here stands alone; the rest is another item of the list");
    return false;
}

struct key {
    const yaml_node_t *node;
};

static const char *text_of_key(const struct key *key)
{
    return (const char *)key->node->data.scalar.value;
}

/* By their texts, and those that are the same as they stand. */
static int compare_keys(const void *a, const void *b)
{
    const struct key *left = a;
    const struct key *right = b;
    size_t at = left->node->start_mark.index;
    int order = strcmp(text_of_key(left), text_of_key(right));

    if (order != 0)
        return order;
    return at < right->node->start_mark.index ? -1 : at > right->node->start_mark.index ? 1 : 0;
}

static void check_mapping(struct ts_yaml_reader *rd, const yaml_node_t *mapping)
{
    const yaml_node_pair_t *pair = mapping->data.mapping.pairs.start;
    size_t n_pairs = (size_t)(mapping->data.mapping.pairs.top - pair);
    OWN(freep) struct key *keys = calloc(n_pairs + 1, sizeof(keys[0]));
    size_t n = 0;

    if (!keys) {
        no_memory(rd);
        return;
    }
    for (; pair < mapping->data.mapping.pairs.top; pair++) {
        const yaml_node_t *key = yaml_document_get_node(rd->yaml, pair->key);

        if (key && key->type == YAML_SCALAR_NODE)
            keys[n++].node = key;
    }
    qsort(keys, n, sizeof(keys[0]), compare_keys);
    for (size_t i = 1; i < n && rd->r == 0; i++)
        if (strcmp(text_of_key(&keys[i - 1]), text_of_key(&keys[i])) == 0)
            ts_yaml_refuse(rd, keys[i].node, "this key is there twice");
}

void ts_yaml_check_keys(struct ts_yaml_reader *rd)
{
    for (const yaml_node_t *node = rd->yaml->nodes.start; rd->r == 0 && node < rd->yaml->nodes.top;
         node++)
        if (node->type == YAML_MAPPING_NODE)
            check_mapping(rd, node);
}

const char *ts_yaml_first_key(struct ts_yaml_reader *rd, const yaml_node_t *mapping)
{
    const yaml_node_pair_t *first = mapping->data.mapping.pairs.start;

    return first < mapping->data.mapping.pairs.top ? ts_yaml_scalar(rd, first->key) : "";
}

void ts_yaml_set(struct ts_yaml_reader *rd,
                 xmlNode *node,
                 const char *name,
                 const char *value,
                 const yaml_node_t *at)
{
    size_t n = 0;

    for (const xmlAttr *a = node->properties; a; a = a->next)
        n++;
    if (n >= TS_XML_MAX_ATTRIBUTES)
        ts_yaml_refuse(rd, at, "too many attributes of one element; the limit is 256");
    else if (xmlValidateNCName((const xmlChar *)name, 0) != 0)
        ts_yaml_refuse(rd, at, "this cannot be the name of an attribute");
    else if (!xmlSetProp(node, (const xmlChar *)name, (const xmlChar *)value))
        no_memory(rd);
}

static xmlNode *append(struct ts_yaml_reader *rd, xmlNode *parent, xmlNode *node)
{
    xmlNode *added = node ? xmlAddChild(parent, node) : NULL;

    if (added)
        return added;
    xmlFreeNode(node);
    no_memory(rd);
    return NULL;
}

void ts_yaml_set_place(struct ts_yaml_reader *rd, xmlNode *node, const yaml_node_t *at)
{
    if (rd->n_places % PLACES_GROW == 0) {
        struct ts_xml_place *grown =
            realloc(rd->places, (rd->n_places + PLACES_GROW) * sizeof(*grown));

        if (!grown) {
            no_memory(rd);
            return;
        }
        rd->places = grown;
    }
    rd->places[rd->n_places++] = ts_yaml_place(at);
    // a number in a place that libxml2 leaves to us
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    node->psvi = (void *)(uintptr_t)rd->n_places;
}

xmlNode *
ts_yaml_add(struct ts_yaml_reader *rd, xmlNode *parent, const char *name, const yaml_node_t *at)
{
    /* not xmlNewChild(), whose child has its parent's namespace: what is written is read again */
    xmlNode *added =
        append(rd, parent, xmlNewDocNode(parent->doc, NULL, (const xmlChar *)name, NULL));

    if (added)
        ts_yaml_set_place(rd, added, at);
    return added;
}

void ts_yaml_add_text(xmlNode *node, const char *text)
{
    if (node)
        xmlNodeAddContent(node, (const xmlChar *)text);
}

/* The prefixes that the root declares. */
static void put_namespaces(const xmlNode *root, struct buf *ret)
{
    for (const xmlNs *ns = root ? root->nsDef : NULL; ns; ns = ns->next) {
        xmlChar *escaped = xmlEncodeSpecialChars(root->doc, ns->href);

        buf_addf(ret,
                 " xmlns%s%s=\"",
                 ns->prefix ? ":" : "",
                 ns->prefix ? (const char *)ns->prefix : "");
        buf_adds(ret, escaped ? (const char *)escaped : "");
        buf_adds(ret, "\"");
        xmlFree(escaped);
    }
}

/* XML as it is: elements, instructions, text. */
static void
add_xml(struct ts_yaml_reader *rd, xmlNode *parent, const char *text, const yaml_node_t *at)
{
    OWN(buf_fini) struct buf wrapped = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
    OWN(xmlFreeDocp) xmlDoc *xml = NULL;
    struct ts_xml_place here = ts_yaml_place(at);
    int r;

    buf_adds(&wrapped, "<x");
    put_namespaces(xmlDocGetRootElement(parent->doc), &wrapped);
    buf_adds(&wrapped, ">");
    buf_adds(&wrapped, text);
    buf_adds(&wrapped, "</x>");
    if (wrapped.failed) {
        ts_yaml_refuse(rd, at, "there is too much in it");
        return;
    }
    r = ts_xml_parse_at(
        buf_bytes(&wrapped), &(struct ts_xml_places){.items = &here, .n = 1}, &xml, rd->diags);
    if (r != 0) {
        rd->r = rd->r ? rd->r : r;
        return;
    }
    for (xmlNode *node = xmlDocGetRootElement(xml)->children; node && rd->r == 0;
         node = node->next) {
        xmlNode *copy = append(rd, parent, xmlDocCopyNode(node, parent->doc, 1));

        if (!copy)
            return;
        ts_yaml_fix(copy);
        if (copy->type == XML_ELEMENT_NODE)
            ts_yaml_set_place(rd, copy, at);
    }
}

static void
add_comment(struct ts_yaml_reader *rd, xmlNode *parent, const char *text, const yaml_node_t *at)
{
    size_t len = strlen(text);

    if (strstr(text, "--") || (len > 0 && text[len - 1] == '-'))
        ts_yaml_refuse(rd, at, "a comment has no \"--\" in it and no \"-\" at its end");
    else
        (void)append(rd, parent, xmlNewDocComment(parent->doc, (const xmlChar *)text));
}

static void add_usual_comment(struct ts_yaml_reader *rd,
                              xmlNode *parent,
                              const char *text,
                              const yaml_node_t *at)
{
    OWN(buf_fini) struct buf spaced = BUF_INIT(TS_YAML_MAX_BYTES);

    buf_adds(&spaced, " ");
    buf_adds(&spaced, text);
    buf_adds(&spaced, " ");
    if (spaced.failed)
        ts_yaml_refuse(rd, at, "there is too much in it");
    else
        add_comment(rd, parent, buf_str(&spaced), at);
}

static void
add_space(struct ts_yaml_reader *rd, xmlNode *parent, const char *text, const yaml_node_t *at)
{
    if (text[strspn(text, " \t\r\n")] != '\0')
        ts_yaml_refuse(rd, at, "white space is blanks, tabs and ends of lines");
    else
        (void)append(rd, parent, xmlNewDocText(parent->doc, (const xmlChar *)text));
}

bool ts_yaml_read_other(struct ts_yaml_reader *rd,
                        xmlNode *parent,
                        const char *key,
                        const yaml_node_pair_t *pair)
{
    static const struct {
        const char *key;
        void (*add)(struct ts_yaml_reader *, xmlNode *, const char *, const yaml_node_t *);
    } others[] = {{"comment", add_usual_comment},
                  {TS_YAML_COMMENT_TEXT, add_comment},
                  {TS_YAML_SPACE, add_space},
                  {"xml", add_xml}};
    const char *text;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (strcmp(others[i].key, key) != 0)
            continue;
        text = ts_yaml_scalar(rd, pair->value);
        if (rd->r == 0)
            others[i].add(rd, parent, text, yaml_document_get_node(rd->yaml, pair->value));
        return true;
    }
    return false;
}

void ts_yaml_read_others(struct ts_yaml_reader *rd, xmlNode *parent, int number)
{
    static const char why[] = "a list of comments, white space or xml is wanted here";
    yaml_node_t *node = ts_yaml_node_of(rd, number, YAML_SEQUENCE_NODE, why);

    for (yaml_node_item_t *item = node ? node->data.sequence.items.start : NULL;
         rd->r == 0 && item < node->data.sequence.items.top;
         item++) {
        yaml_node_t *one = ts_yaml_node_of(rd, *item, YAML_MAPPING_NODE, why);
        const char *key = one ? ts_yaml_first_key(rd, one) : "";

        if (one && !ts_yaml_read_other(rd, parent, key, one->data.mapping.pairs.start))
            ts_yaml_refuse(rd, one, why);
        else if (one)
            (void)ts_yaml_is_alone(rd, one);
    }
}

static void set_usual(struct ts_yaml_reader *rd,
                      const struct ts_step_type *type,
                      xmlNode *variable,
                      const char *name)
{
    struct ts_yaml_usual usual;

    ts_yaml_usual(type, name, &usual);
    if (usual.property[0])
        ts_yaml_set(rd, variable, "property", usual.property, NULL);
    if (usual.is_hidden)
        ts_yaml_set(rd, variable, "hidden", "true", NULL);
}

static void add_script(struct ts_yaml_reader *rd, xmlNode *variable, int number)
{
    OWN(buf_fini) struct buf source = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
    const char *text = ts_yaml_scalar(rd, number);

    if (ts_script_source(text, &source))
        ts_yaml_add_text(variable, buf_str(&source));
    else
        ts_yaml_refuse(
            rd, yaml_document_get_node(rd->yaml, number), "a script is text, at most 1 MiB");
}

static void read_variable(struct ts_yaml_reader *rd,
                          const struct ts_step_type *type,
                          xmlNode *list,
                          const yaml_node_pair_t *pair)
{
    const char *name = ts_yaml_scalar(rd, pair->key);
    const yaml_node_t *key_node = yaml_document_get_node(rd->yaml, pair->key);
    yaml_node_t *value = ts_yaml_node(rd, pair->value);
    xmlNode *variable = value ? ts_yaml_add(rd, list, "variable", key_node) : NULL;
    yaml_node_pair_t *p;

    if (!variable)
        return;
    ts_yaml_set(rd, variable, "name", name, value);
    if (value->type == YAML_SCALAR_NODE) {
        set_usual(rd, type, variable, name);
        ts_yaml_add_text(variable, ts_yaml_scalar(rd, pair->value));
        return;
    }
    if (value->type != YAML_MAPPING_NODE) {
        ts_yaml_refuse(rd, value, "a text or a mapping is wanted here");
        return;
    }
    p = value->data.mapping.pairs.start;
    if (p + 1 == value->data.mapping.pairs.top &&
        strcmp(ts_yaml_first_key(rd, value), "script") == 0)
        set_usual(rd, type, variable, name);
    for (; rd->r == 0 && p < value->data.mapping.pairs.top; p++) {
        const char *key = ts_yaml_scalar(rd, p->key);

        if (strcmp(key, "text") == 0)
            ts_yaml_add_text(variable, ts_yaml_scalar(rd, p->value));
        else if (strcmp(key, "script") == 0)
            add_script(rd, variable, p->value);
        else
            ts_yaml_set(rd, variable, key, ts_yaml_scalar(rd, p->value), value);
    }
}

/* Of a list of variables. */
static void
read_listed(struct ts_yaml_reader *rd, const struct ts_step_type *type, xmlNode *list, int number)
{
    static const char why[] = "a variable is a mapping with one name";
    yaml_node_t *node = ts_yaml_node_of(rd, number, YAML_MAPPING_NODE, why);
    const yaml_node_pair_t *first = node ? node->data.mapping.pairs.start : NULL;
    const yaml_node_t *value;

    if (!node)
        return;
    if (first + 1 != node->data.mapping.pairs.top) {
        ts_yaml_refuse(rd, node, why);
        return;
    }
    value = yaml_document_get_node(rd->yaml, first->value);
    if (value && value->type == YAML_SCALAR_NODE &&
        ts_yaml_read_other(rd, list, ts_yaml_scalar(rd, first->key), first))
        return;
    read_variable(rd, type, list, first);
}

void ts_yaml_read_variables(struct ts_yaml_reader *rd,
                            const struct ts_step_type *type,
                            xmlNode *list,
                            int number)
{
    yaml_node_t *node = list ? ts_yaml_node(rd, number) : NULL;

    if (!node)
        return;
    if (node->type == YAML_MAPPING_NODE)
        for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
             rd->r == 0 && pair < node->data.mapping.pairs.top;
             pair++)
            read_variable(rd, type, list, pair);
    else if (node->type == YAML_SEQUENCE_NODE)
        for (yaml_node_item_t *item = node->data.sequence.items.start;
             rd->r == 0 && item < node->data.sequence.items.top;
             item++)
            read_listed(rd, type, list, *item);
    else
        ts_yaml_refuse(rd, node, "a mapping or a list of variables is wanted here");
}
