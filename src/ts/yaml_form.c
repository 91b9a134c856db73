/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/tree.h>
#include <yaml.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/yaml_form_reader.h"

DEFINE_FREEP(xmlDocPtr, xmlFreeDoc);
DEFINE_FREEP(struct ts_document *, ts_document_free);

/* A list of references. */
static void read_references(struct ts_yaml_reader *rd, xmlNode *list, int number)
{
    yaml_node_t *node =
        ts_yaml_node_of(rd, number, YAML_SEQUENCE_NODE, "a list of references is wanted here");

    for (yaml_node_item_t *item = node && list ? node->data.sequence.items.start : NULL;
         item && rd->r == 0 && item < node->data.sequence.items.top;
         item++) {
        yaml_node_t *one =
            ts_yaml_node_of(rd, *item, YAML_MAPPING_NODE, "a reference is a mapping");
        const char *key = one ? ts_yaml_first_key(rd, one) : "";
        xmlNode *reference;

        if (!one)
            continue;
        if (ts_yaml_read_other(rd, list, key, one->data.mapping.pairs.start)) {
            (void)ts_yaml_is_alone(rd, one);
            continue;
        }
        reference = ts_yaml_add(rd, list, "reference", one);
        for (yaml_node_pair_t *pair = one->data.mapping.pairs.start;
             reference && rd->r == 0 && pair < one->data.mapping.pairs.top;
             pair++)
            ts_yaml_set(
                rd, reference, ts_yaml_scalar(rd, pair->key), ts_yaml_scalar(rd, pair->value), one);
    }
}

static void read_steps(struct ts_yaml_reader *rd, xmlNode *parent, int number);

static const struct ts_step_type *step_type_of(const xmlNode *element)
{
    OWN(freep) char *name = ts_node_attribute(element, "type");

    return name ? ts_step_type_find(name) : NULL;
}

/* The class that is meant by a name as in the editor: "Run Command Line" */
static const char *class_of(const char *name)
{
    const struct ts_step_type *type = ts_step_type_find(name);

    return type && bytes_eq_nocase(bytes_of(name), type->display_name) ? type->type : name;
}

/* Return: whether @key is one of a part. */
static bool read_part(struct ts_yaml_reader *rd,
                      xmlNode *element,
                      const char *key,
                      const yaml_node_pair_t *pair)
{
    const yaml_node_t *at = yaml_document_get_node(rd->yaml, pair->key);
    int value = pair->value;

    if (strcmp(key, "condition") == 0)
        ts_yaml_read_operands(rd, ts_yaml_add(rd, element, "condition", at), value);
    else if (strcmp(key, "action") == 0)
        ts_yaml_add_text(ts_yaml_add(rd, element, "action", at), ts_yaml_scalar(rd, value));
    else if (strcmp(key, "variables") == 0)
        ts_yaml_read_variables(
            rd, step_type_of(element), ts_yaml_add(rd, element, "defaultVarList", at), value);
    else if (strcmp(key, "globals") == 0)
        ts_yaml_read_variables(rd, NULL, ts_yaml_add(rd, element, "globalVarList", at), value);
    else if (strcmp(key, "references") == 0)
        read_references(rd, ts_yaml_add(rd, element, "referenceList", at), value);
    else
        return false;
    return true;
}

static void read_attributes(struct ts_yaml_reader *rd, xmlNode *element, int number)
{
    yaml_node_t *node =
        ts_yaml_node_of(rd, number, YAML_MAPPING_NODE, "a mapping of attributes is wanted here");

    for (yaml_node_pair_t *pair = node ? node->data.mapping.pairs.start : NULL;
         pair && rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++)
        ts_yaml_set(rd,
                    element,
                    ts_yaml_scalar(rd, pair->key),
                    ts_yaml_scalar(rd, pair->value),
                    yaml_document_get_node(rd->yaml, pair->key));
}

/* What the sequence has but no group or step. */
static bool is_of_root(const char *key)
{
    static const char *const keys[] = {"sequence",
                                       "indentation",
                                       "namespaces",
                                       TS_YAML_ORDERS,
                                       TS_YAML_BEFORE_ALL,
                                       TS_YAML_AFTER_ALL};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

/* What follows the head of a group, step or sequence. */
static void read_rest(struct ts_yaml_reader *rd,
                      xmlNode *element,
                      const yaml_node_t *node,
                      const yaml_node_pair_t *pair)
{
    bool is_root = xmlDocGetRootElement(element->doc) == element;

    for (; rd->r == 0 && pair < node->data.mapping.pairs.top; pair++) {
        const char *key = ts_yaml_scalar(rd, pair->key);
        bool is_type = !is_root && strcmp(key, "type") == 0;

        if ((is_root && is_of_root(key)) || read_part(rd, element, key, pair))
            continue;
        if (strcmp(key, "steps") == 0)
            read_steps(rd, element, pair->value);
        else if (strcmp(key, TS_YAML_ATTRIBUTES) == 0)
            read_attributes(rd, element, pair->value);
        else if (strncmp(key, TS_YAML_BEFORE, sizeof(TS_YAML_BEFORE) - 1) == 0)
            ts_yaml_read_others(rd, element, pair->value);
        else if (ts_yaml_is_key(key))
            ts_yaml_refuse(
                rd,
                yaml_document_get_node(rd->yaml, pair->key),
                "this key means something else; an attribute with this name stands under \"" TS_YAML_ATTRIBUTES
                "\"");
        else
            ts_yaml_set(rd,
                        element,
                        key,
                        is_type ? class_of(ts_yaml_scalar(rd, pair->value))
                                : ts_yaml_scalar(rd, pair->value),
                        yaml_document_get_node(rd->yaml, pair->key));
    }
}

static bool is_absent(struct ts_yaml_reader *rd, int number)
{
    const yaml_node_t *node = yaml_document_get_node(rd->yaml, number);

    return node && node->type == YAML_SCALAR_NODE && node->data.scalar.length == 0 &&
           node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

static void read_item(struct ts_yaml_reader *rd, xmlNode *parent, int number)
{
    yaml_node_t *node =
        ts_yaml_node_of(rd, number, YAML_MAPPING_NODE, "a group or step is a mapping");
    const char *key = node ? ts_yaml_first_key(rd, node) : "";
    const yaml_node_pair_t *first = node ? node->data.mapping.pairs.start : NULL;
    xmlNode *element;

    if (!node)
        return;
    if (ts_yaml_read_other(rd, parent, key, first) || read_part(rd, parent, key, first)) {
        (void)ts_yaml_is_alone(rd, node);
        return;
    }
    if (strcmp(key, "group") != 0 && strcmp(key, "step") != 0 &&
        strcmp(key, "subtasksequence") != 0) {
        ts_yaml_refuse(rd, node, "group, step or subtasksequence must come first");
        return;
    }
    element = ts_yaml_add(rd, parent, key, node);
    if (!element)
        return;
    /* in the order that the editors write attributes */
    for (const yaml_node_pair_t *pair = first; rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++)
        if (strcmp(ts_yaml_scalar(rd, pair->key), "type") == 0)
            ts_yaml_set(rd, element, "type", class_of(ts_yaml_scalar(rd, pair->value)), node);
    if (!is_absent(rd, first->value))
        ts_yaml_set(rd, element, "name", ts_yaml_scalar(rd, first->value), node);
    read_rest(rd, element, node, first + 1);
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void read_steps(struct ts_yaml_reader *rd, xmlNode *parent, int number)
{
    yaml_node_t *node = ts_yaml_node_of(
        rd, number, YAML_SEQUENCE_NODE, "a list of groups and steps is wanted here");

    if (!node)
        return;
    if (++rd->depth > TS_XML_MAX_DEPTH)
        ts_yaml_refuse(rd, node, "it is nested too deep");
    for (yaml_node_item_t *item = node->data.sequence.items.start;
         rd->r == 0 && item < node->data.sequence.items.top;
         item++)
        read_item(rd, parent, *item);
    rd->depth--;
}

static void read_namespaces(struct ts_yaml_reader *rd, xmlNode *root, int number)
{
    static const char why[] = "a mapping of prefixes and namespaces is wanted here";
    yaml_node_t *node = ts_yaml_node_of(rd, number, YAML_MAPPING_NODE, why);

    if (node &&
        node->data.mapping.pairs.top - node->data.mapping.pairs.start > TS_XML_MAX_ATTRIBUTES)
        ts_yaml_refuse(rd, node, "too many namespaces; the limit is 256");
    for (yaml_node_pair_t *pair = node ? node->data.mapping.pairs.start : NULL;
         pair && rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++) {
        const char *prefix = ts_yaml_scalar(rd, pair->key);
        const char *name = ts_yaml_scalar(rd, pair->value);

        if ((prefix[0] && xmlValidateNCName((const xmlChar *)prefix, 0) != 0) ||
            !xmlNewNs(root, (const xmlChar *)name, prefix[0] ? (const xmlChar *)prefix : NULL))
            ts_yaml_refuse(rd, node, why);
    }
}

static bool is_indent(const char *text)
{
    return strlen(text) <= TS_YAML_INDENTATION_MAX && text[strspn(text, " \t")] == '\0';
}

/* Everything that must be known before the rest is read, and what stands before the sequence. */
static void read_head(struct ts_yaml_reader *rd,
                      xmlDoc *xml,
                      xmlNode *sequence,
                      const yaml_node_t *node,
                      const char **ret_indent)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++) {
        const char *key = ts_yaml_scalar(rd, pair->key);

        if (strcmp(key, TS_YAML_BEFORE_ALL) == 0)
            ts_yaml_read_others(rd, (xmlNode *)xml, pair->value);
        else if (strcmp(key, "sequence") == 0)
            ts_yaml_set(rd, sequence, "version", ts_yaml_scalar(rd, pair->value), node);
        else if (strcmp(key, "indentation") == 0)
            *ret_indent = ts_yaml_scalar(rd, pair->value);
        else if (strcmp(key, TS_YAML_ORDERS) == 0)
            ts_yaml_read_orders(rd, pair->value);
        else if (strcmp(key, "namespaces") == 0)
            read_namespaces(rd, sequence, pair->value);
    }
    if (*ret_indent && !is_indent(*ret_indent))
        ts_yaml_refuse(rd, node, "indentation is blanks or tabs, at most 16");
}

static void read_tail(struct ts_yaml_reader *rd, xmlDoc *xml, const yaml_node_t *node)
{
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         rd->r == 0 && pair < node->data.mapping.pairs.top;
         pair++)
        if (strcmp(ts_yaml_scalar(rd, pair->key), TS_YAML_AFTER_ALL) == 0)
            ts_yaml_read_others(rd, (xmlNode *)xml, pair->value);
}

static void lay_out(struct ts_yaml_reader *rd, xmlNode *sequence, const char *indent)
{
    size_t room = TS_XML_MAX_BYTES;
    int r = indent ? ts_yaml_lay_out(sequence, indent, &room) : 0;

    if (r > 0)
        ts_yaml_refuse(rd, NULL, "there is too much in it");
    rd->r = rd->r ? rd->r : r;
}

/* The place of each element from @node on, in the order of the start tags; @outer: of one that nothing stands for. The depth is
   bounded by TS_XML_MAX_DEPTH, of what is written and of XML in it. @ret: has room. */
static size_t list_places(const struct ts_yaml_reader *rd,
                          const xmlNode *node,
                          struct ts_xml_place outer,
                          struct ts_xml_place *ret)
{
    size_t number = (size_t)(uintptr_t)node->psvi;
    struct ts_xml_place own = number > 0 ? rd->places[number - 1] : outer;
    size_t n = 0;

    ret[n++] = own;
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            n += list_places(rd, child, own, ret + n);
    return n;
}

static size_t count_elements(const xmlNode *node)
{
    size_t n = 1;

    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type == XML_ELEMENT_NODE)
            n += count_elements(child);
    return n;
}

/* What was built, as the text that it stands for is read, with the places of the YAML. */
static int parse_built(struct ts_yaml_reader *rd,
                       xmlDoc *xml,
                       const yaml_node_t *node,
                       struct ts_document **ret)
{
    const xmlNode *root = xmlDocGetRootElement(xml);
    OWN(freep)
    struct ts_xml_place *items = calloc(count_elements(root), sizeof(*items));
    struct ts_xml_places places = {.items = items};
    xmlChar *text = NULL;
    int size = 0;
    int r;

    if (!items)
        return ERR(-ENOMEM);
    places.n = list_places(rd, root, ts_yaml_place(node), items);
    xmlDocDumpFormatMemoryEnc(xml, &text, &size, "UTF-8", 0);
    if (!text)
        return ERR(-ENOMEM);
    r = ts_document_parse_at((struct bytes){text, (size_t)size}, &places, ret, rd->diags);
    xmlFree(text);
    return TRACE(r);
}

static int build(struct ts_yaml_reader *rd, const yaml_node_t *node, struct ts_document **ret)
{
    OWN(xmlFreeDocp) xmlDoc *xml = xmlNewDoc((const xmlChar *)"1.0");
    xmlNode *sequence = xml ? xmlNewDocNode(xml, NULL, (const xmlChar *)"sequence", NULL) : NULL;
    const char *indent = NULL;
    xmlNode *other;

    if (!sequence)
        return ERR(-ENOMEM);
    ts_yaml_set_place(rd, sequence, node);
    read_head(rd, xml, sequence, node, &indent);
    other = xmlDocSetRootElement(xml, sequence);
    if (other) {
        xmlFreeNode(other);
        ts_yaml_refuse(
            rd, node, "around the sequence are only comments, instructions and white space");
    }
    read_rest(rd, sequence, node, node->data.mapping.pairs.start);
    if (rd->r == 0)
        lay_out(rd, sequence, indent);
    read_tail(rd, xml, node);
    if (rd->r != 0)
        return rd->r;
    return TRACE(parse_built(rd, xml, node, ret));
}

/* How many bytes the end of a line takes at @i, as YAML 1.1 has them; 0: there is none. */
static size_t end_of_line(struct bytes file, size_t i)
{
    static const char *const ends[] = {
        "\r\n", "\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"};

    for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
        size_t len = strlen(ends[k]);

        if (file.len - i >= len && memcmp(file.ptr + i, ends[k], len) == 0)
            return len;
    }
    return 0;
}

/* Behind @n_lines lines from @i on. */
static size_t skip_lines(struct bytes file, size_t i, size_t n_lines)
{
    while (i < file.len && n_lines > 0) {
        size_t n = end_of_line(file, i);

        n_lines -= n > 0;
        i += n > 0 ? n : 1;
    }
    return i;
}

/* How many lines behind the beginning of a block scalar its '|' is: a tag may stand before it, and comments. */
static unsigned lines_to_mark(struct bytes file, const yaml_node_t *scalar)
{
    size_t i = skip_lines(file, 0, scalar->start_mark.line);
    unsigned n_lines = 0;

    for (size_t n = 0; n < scalar->start_mark.column && i < file.len; i++)
        n += (file.ptr[i] & 0xc0) != 0x80; /* characters */
    while (i < file.len && file.ptr[i] != '|') {
        size_t n = end_of_line(file, i);

        if (file.ptr[i] == '#' && i > 0 && (file.ptr[i - 1] == ' ' || file.ptr[i - 1] == '\t')) {
            i = skip_lines(file, i, 1);
            n_lines++;
            continue;
        }
        n_lines += n > 0;
        i += n > 0 ? n : 1;
    }
    return n_lines;
}

/* How far the lines of a block scalar whose '|' is on @line (from 1) stand in the file from its margin on. */
static unsigned margin_of(struct bytes file, const yaml_node_t *scalar, unsigned line)
{
    const char *value = (const char *)scalar->data.scalar.value;
    size_t i = skip_lines(file, 0, line + strspn(value, "\n")); /* to the first text */
    size_t n = 0;

    while (i + n < file.len && file.ptr[i + n] == ' ')
        n++;
    value += strspn(value, "\n");
    n -= n < strspn(value, " ") ? n : strspn(value, " ");
    return (unsigned)n;
}

/* The whole document as XML: in a block it has lines and columns of its own, otherwise all of it is in one place. */
static int read_whole(struct ts_yaml_reader *rd, int number, struct ts_document **ret)
{
    const yaml_node_t *node = yaml_document_get_node(rd->yaml, number);
    const char *text = ts_yaml_scalar(rd, number);
    struct ts_xml_place here = ts_yaml_place(node);
    struct ts_xml_places places = {.items = &here, .n = 1};

    if (rd->r != 0)
        return rd->r;
    if (node->data.scalar.style == YAML_LITERAL_SCALAR_STYLE) {
        unsigned line = here.line + lines_to_mark(rd->file, node);

        places = (struct ts_xml_places){
            .lines = line,
            .columns = margin_of(rd->file, node, line),
        };
    }
    return TRACE(ts_document_parse_at(bytes_of(text), &places, ret, rd->diags));
}

static int read_yaml(struct ts_yaml_reader *rd, struct ts_document **ret)
{
    yaml_node_t *root = yaml_document_get_root_node(rd->yaml);
    const char *key = root && root->type == YAML_MAPPING_NODE ? ts_yaml_first_key(rd, root) : "";

    if (strcmp(key, "xml") == 0)
        return TRACE(read_whole(rd, root->data.mapping.pairs.start->value, ret));
    if (strcmp(key, "sequence") != 0 && strcmp(key, TS_YAML_BEFORE_ALL) != 0) {
        ts_yaml_refuse(rd, root, "a task sequence begins with \"sequence:\" and its version");
        return rd->r;
    }
    ts_yaml_check_keys(rd);
    return rd->r != 0 ? rd->r : TRACE(build(rd, root, ret));
}

static int refuse_unreadable(const yaml_parser_t *parser, struct ts_diags *diags)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return ERR(-ENOMEM);
    ts_diags_add(diags,
                 TS_ERROR,
                 (unsigned)parser->problem_mark.line + 1,
                 (unsigned)parser->problem_mark.column + 1,
                 "not YAML: %.200s",
                 parser->problem ? parser->problem : "");
    return TS_E_MALFORMED;
}

static bool is_empty(const yaml_node_t *root)
{
    return root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0;
}

/* What stands behind the first document would be lost. */
static int refuse_second(yaml_parser_t *parser, struct ts_diags *diags)
{
    for (;;) {
        yaml_document_t next;
        yaml_node_t *root;
        bool is_end;
        bool is_lost;

        if (!yaml_parser_load(parser, &next))
            return TRACE(refuse_unreadable(parser, diags));
        root = yaml_document_get_root_node(&next);
        is_end = !root;
        is_lost = root && !is_empty(root);
        if (is_lost)
            ts_diags_add(diags,
                         TS_ERROR,
                         (unsigned)next.start_mark.line + 1,
                         (unsigned)next.start_mark.column + 1,
                         "a second document begins here; a file holds one task sequence: make it "
                         "two files");
        yaml_document_delete(&next);
        if (is_end || is_lost)
            return is_lost ? TS_E_MALFORMED : 0;
    }
}

int ts_yaml_parse(struct bytes text, struct ts_document **ret, struct ts_diags *diags)
{
    yaml_parser_t parser;
    yaml_document_t yaml;
    struct ts_yaml_reader rd = {.yaml = &yaml, .file = text, .diags = diags};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    int r;

    if (text.len > TS_YAML_MAX_BYTES) {
        ts_diags_add(diags, TS_ERROR, 1, 1, "it is larger than %d bytes", (int)TS_YAML_MAX_BYTES);
        return TS_E_MALFORMED;
    }
    if (!yaml_parser_initialize(&parser))
        return ERR(-ENOMEM);
    ts_yaml_orders_init(&rd.orders);
    yaml_parser_set_input_string(&parser, text.ptr, text.len);
    if (yaml_parser_load(&parser, &yaml)) {
        r = read_yaml(&rd, &doc);
        free(rd.places);
        yaml_document_delete(&yaml);
    } else {
        r = refuse_unreadable(&parser, diags);
    }
    if (r == 0)
        r = refuse_second(&parser, diags);
    if (r == 0)
        *ret = TAKE(doc);
    yaml_parser_delete(&parser);
    return TRACE(r);
}
