/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include <libxml/tree.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/yaml_form.h"
#include "ts/yaml_form_parts.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    SPACES = 2, /* a level of indentation */
};

struct writer {
    struct buf *out;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_plain(const char *text)
{
    static const char *const words[] = {
        "true", "false", "yes", "no", "on", "off", "y", "n", "null"};
    size_t len = strlen(text);

    if (len == 0 || len > 200 || !(is_letter(text[0]) || text[0] == '_') || text[len - 1] == ' ')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_letter(text[i]) && !strchr("0123456789 _./()-", text[i]))
            return false;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (bytes_eq_nocase(bytes_of(text), words[i]))
            return false;
    return true;
}

static void put_spaces(struct writer *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        buf_adds(w->out, " ");
}

/* Whether every character may stand in a block of text as it is. */
static bool is_block(const char *text)
{
    if (!strchr(text, '\n') || strchr(" \t\n", text[0]))
        return false;
    for (const char *c = text; *c; c++) {
        static const char *const breaks[] = {"\xe2\x80\xa8", "\xe2\x80\xa9", "\xef\xbb\xbf"};
        const unsigned char byte = (unsigned char)*c;

        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
            return false;
        if (byte == 0xc2 && (unsigned char)c[1] < 0xa0)
            return false;
        for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++)
            if (strncmp(c, breaks[i], 3) == 0)
                return false;
    }
    return true;
}

static void put_block(struct writer *w, const char *text, unsigned indent)
{
    size_t len = strlen(text);
    bool ends = len > 0 && text[len - 1] == '\n';

    buf_adds(w->out, ends ? (len > 1 && text[len - 2] == '\n' ? "|+\n" : "|\n") : "|-\n");
    while (*text) {
        size_t n = strcspn(text, "\n");

        if (n > 0)
            put_spaces(w, indent);
        buf_add(w->out, (struct bytes){(const uint8_t *)text, n});
        buf_adds(w->out, "\n");
        text += n + (text[n] == '\n' ? 1 : 0);
    }
}

static size_t put_special(struct writer *w, const unsigned char *c)
{
    if (c[0] == 0xc2 && c[1] < 0xa0) {
        buf_addf(w->out, "\\x%02x", c[1]);
        return 2;
    }
    if (c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9)) {
        buf_addf(w->out, "\\u20%02x", c[2] - 0x80);
        return 3;
    }
    if (c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf) {
        buf_adds(w->out, "\\ufeff");
        return 3;
    }
    return 0;
}

static void put_quoted(struct writer *w, const char *text)
{
    buf_adds(w->out, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        size_t n = put_special(w, c);

        if (n == 0 && (*c == '"' || *c == '\\'))
            buf_addf(w->out, "\\%c", *c);
        else if (n == 0 && (*c < 0x20 || *c == 0x7f))
            buf_addf(w->out, "\\x%02x", *c);
        else if (n == 0)
            buf_add(w->out, (struct bytes){c, 1});
        c += n > 0 ? n : 1;
    }
    buf_adds(w->out, "\"");
}

/* A scalar and the end of its line. @indent: of a block. */
static void put_scalar(struct writer *w, const char *text, unsigned indent)
{
    if (is_plain(text))
        buf_adds(w->out, text);
    else if (is_block(text)) {
        put_block(w, text, indent);
        return;
    } else
        put_quoted(w, text);
    buf_adds(w->out, "\n");
}

/* The key of a line that is at @indent; the first of a list's item stands behind its "- ". */
static void put_key(struct writer *w, const char *key, unsigned indent, bool *is_first)
{
    if (!*is_first)
        put_spaces(w, indent);
    *is_first = false;
    if (is_plain(key))
        buf_adds(w->out, key);
    else
        put_quoted(w, key);
    buf_adds(w->out, ":");
}

static void
put_pair(struct writer *w, const char *key, const char *text, unsigned indent, bool *is_first)
{
    put_key(w, key, indent, is_first);
    buf_adds(w->out, " ");
    put_scalar(w, text, indent + SPACES);
}

static void put_dash(struct writer *w, unsigned indent)
{
    put_spaces(w, indent);
    buf_adds(w->out, "- ");
}

static void put_xml(struct writer *w, xmlNode *node, unsigned indent, bool *is_first)
{
    xmlBuffer *dump = xmlBufferCreate();

    if (dump && xmlNodeDump(dump, node->doc, node, 0, 0) > 0)
        put_pair(w, "xml", (const char *)xmlBufferContent(dump), indent, is_first);
    else
        w->out->failed = true;
    xmlBufferFree(dump);
}

static bool is_blank(const xmlNode *node)
{
    return node->type == XML_TEXT_NODE && xmlIsBlankNode(node);
}

/* Whether it has text only, or nothing. */
static bool is_text_only(const xmlNode *node)
{
    for (const xmlNode *child = node->children; child; child = child->next)
        if (child->type != XML_TEXT_NODE && child->type != XML_CDATA_SECTION_NODE)
            return false;
    return !node->nsDef && !node->ns;
}

static size_t count_attributes(const xmlNode *node)
{
    size_t n = 0;

    for (const xmlAttr *a = node->properties; a; a = a->next)
        n++;
    return n;
}

/* Whether the children are elements of this name with text only, with the attribute @key, each key once. */
static bool is_table(const xmlNode *list, const char *name, const char *key)
{
    size_t n = 0;

    for (const xmlNode *node = list->children; node; node = node->next) {
        OWN(freep) char *own_key = NULL;

        if (is_blank(node))
            continue;
        if (!ts_node_is(node, name) || !is_text_only(node) ||
            !xmlHasProp(node, (const xmlChar *)key) || ++n > 500)
            return false;
        own_key = ts_node_attribute(node, key);
        for (const xmlNode *other = list->children; own_key && other != node; other = other->next) {
            OWN(freep)
            char *other_key = ts_node_is(other, name) ? ts_node_attribute(other, key) : NULL;

            if (other_key && strcmp(own_key, other_key) == 0)
                return false;
        }
    }
    return list->properties == NULL && !list->nsDef && !list->ns;
}

/* Whether its attributes are those that the table gives a variable of this name. */
static bool is_usual(const struct ts_step_type *type, const xmlNode *node, const char *name)
{
    struct ts_yaml_usual usual;
    OWN(freep) char *property = ts_node_attribute(node, "property");
    OWN(freep) char *hidden = ts_node_attribute(node, "hidden");

    ts_yaml_usual(type, name, &usual);
    return property && hidden && strcmp(property, usual.property) == 0 &&
           strcmp(hidden, usual.is_hidden ? "true" : "") == 0 &&
           count_attributes(node) ==
               1 + (usual.property[0] ? 1U : 0U) + (usual.is_hidden ? 1U : 0U);
}

static void put_variables(struct writer *w,
                          const struct ts_step_type *type,
                          const xmlNode *list,
                          unsigned indent)
{
    bool is_empty = true;

    for (const xmlNode *node = list->children; node; node = node->next) {
        OWN(freep) char *name = is_blank(node) ? NULL : ts_node_attribute(node, "name");
        OWN(freep) char *text = name ? ts_node_text(node) : NULL;
        bool is_first = false;

        if (!text)
            continue;
        buf_adds(w->out, is_empty ? "\n" : "");
        is_empty = false;
        if (is_usual(type, node, name)) {
            put_pair(w, name, text, indent, &is_first);
            continue;
        }
        put_key(w, name, indent, &is_first);
        buf_adds(w->out, "\n");
        for (const xmlAttr *a = node->properties; a; a = a->next) {
            OWN(freep) char *value = ts_node_attribute(node, (const char *)a->name);

            if (strcmp((const char *)a->name, "name") != 0)
                put_pair(w, (const char *)a->name, value ? value : "", indent + SPACES, &is_first);
        }
        put_pair(w, "text", text, indent + SPACES, &is_first);
    }
    if (is_empty)
        buf_adds(w->out, " {}\n");
}

/* The text of field @i of an expression, if its name is @wanted; NULL otherwise. */
static char *field_at(const xmlNode *expression, size_t i, const char *wanted)
{
    for (const xmlNode *node = expression->children; node; node = node->next) {
        if (is_blank(node) || i-- > 0)
            continue;

        OWN(freep) char *name = ts_node_attribute(node, "name");

        return name && strcmp(name, wanted) == 0 && count_attributes(node) == 1 ? ts_node_text(node)
                                                                                : NULL;
    }
    return NULL;
}

static size_t count_children(const xmlNode *list)
{
    size_t n = 0;

    for (const xmlNode *node = list->children; node; node = node->next)
        n += is_blank(node) ? 0 : 1;
    return n;
}

/* Return: whether it is one of those that have a short form. */
static bool put_expression(struct writer *w, const xmlNode *node, unsigned indent, bool *is_first)
{
    OWN(freep) char *type = ts_node_attribute(node, "type");
    size_t n = count_children(node);

    if (!type || count_attributes(node) != 1 || node->nsDef || node->ns)
        return false;
    for (const xmlNode *child = node->children; child; child = child->next)
        if (!is_blank(child) && (!ts_node_is(child, "variable") || !is_text_only(child)))
            return false;
    for (size_t i = 0; i < ts_yaml_n_forms; i++) {
        const struct ts_yaml_form *form = &ts_yaml_forms[i];
        OWN(freep) char *main_text = field_at(node, form->main_at, form->main_field);
        OWN(freep)
        char *second =
            form->second_field ? field_at(node, form->second_at, form->second_field) : NULL;
        OWN(freep) char *op = form->has_operator ? field_at(node, 0, "Operator") : NULL;

        if (strcmp(type, form->type) != 0 || n != form->n_fields || !main_text ||
            (form->second_field && !second) ||
            (form->has_operator && (!op || !ts_yaml_is_operator(op))))
            continue;
        put_pair(w, form->key, main_text, indent, is_first);
        if (second)
            put_pair(w, op ? op : form->second_key, second, indent, is_first);
        return true;
    }
    return false;
}

/* The depth is bounded by TS_XML_MAX_DEPTH. */
static void put_operands(struct writer *w, const xmlNode *list, unsigned indent)
{
    if (count_children(list) == 0)
        buf_adds(w->out, " []\n");
    else
        buf_adds(w->out, "\n");
    for (xmlNode *node = list->children; node; node = node->next) {
        bool is_first = true;
        OWN(freep) char *type = NULL;

        if (is_blank(node))
            continue;
        put_dash(w, indent);
        type = node->type == XML_ELEMENT_NODE ? ts_node_attribute(node, "type") : NULL;
        if (type && ts_node_is(node, "operator") && ts_yaml_word(type) &&
            count_attributes(node) == 1 && !node->nsDef && !node->ns) {
            put_key(w, ts_yaml_word(type), indent + SPACES, &is_first);
            put_operands(w, node, indent + 2 * SPACES);
        } else if (!ts_node_is(node, "expression") ||
                   !put_expression(w, node, indent + SPACES, &is_first)) {
            put_xml(w, node, indent + SPACES, &is_first);
        }
    }
}

static void put_references(struct writer *w, const xmlNode *list, unsigned indent)
{
    buf_adds(w->out, count_children(list) == 0 ? " []\n" : "\n");
    for (const xmlNode *node = list->children; node; node = node->next) {
        bool is_first = true;

        if (is_blank(node))
            continue;
        put_dash(w, indent);
        for (const xmlAttr *a = node->properties; a; a = a->next) {
            OWN(freep) char *value = ts_node_attribute(node, (const char *)a->name);

            put_pair(w, (const char *)a->name, value ? value : "", indent + SPACES, &is_first);
        }
    }
}

static bool is_reference_list(const xmlNode *list)
{
    for (const xmlNode *node = list->children; node; node = node->next)
        if (!is_blank(node) &&
            (!ts_node_is(node, "reference") || node->children || node->nsDef || node->ns ||
             !node->properties || xmlHasProp(node, (const xmlChar *)"xml")))
            return false;
    return !list->properties && !list->nsDef && !list->ns;
}

/* What a child of a group, step or the sequence may be written as; NULL: as XML. */
static const char *key_of(const xmlNode *child)
{
    if (ts_node_is(child, "condition") && !child->properties && !child->nsDef && !child->ns)
        return "condition";
    if (ts_node_is(child, "action") && !child->properties && is_text_only(child))
        return "action";
    if (ts_node_is(child, "defaultVarList") && is_table(child, "variable", "name"))
        return "variables";
    if (ts_node_is(child, "globalVarList") && is_table(child, "variable", "name"))
        return "globals";
    if (ts_node_is(child, "referenceList") && is_reference_list(child))
        return "references";
    return NULL;
}

/* As which key it is written; NULL: in the list of steps, since it stands behind one of them or there are two of its kind. */
static const char *part_key(const xmlNode *child)
{
    const char *key = key_of(child);

    for (const xmlNode *node = child->parent->children; key && node != child; node = node->next) {
        const char *other = is_blank(node) ? NULL : key_of(node);

        if (!is_blank(node) && (!other || other == key))
            key = NULL;
    }
    return key;
}

/* Whether it can be a mapping: it has elements, comments and instructions only. */
static bool is_mapping(const xmlNode *node)
{
    bool is_root = ts_node_is(node, "sequence");

    if (node->nsDef || node->ns ||
        !xmlHasProp(node, (const xmlChar *)(is_root ? "version" : "name")))
        return false;
    for (const xmlAttr *a = node->properties; a; a = a->next)
        if (a->ns || ts_yaml_is_key((const char *)a->name))
            return false;
    for (const xmlNode *child = node->children; child; child = child->next)
        if (!is_blank(child) &&
            (child->type == XML_TEXT_NODE || child->type == XML_CDATA_SECTION_NODE))
            return false;
    return true;
}

static void put_item(struct writer *w, xmlNode *node, unsigned indent);

static void put_parts(struct writer *w, const xmlNode *node, unsigned indent)
{
    OWN(freep) char *type_name = ts_node_attribute(node, "type");
    const struct ts_step_type *type = type_name ? ts_step_type_find(type_name) : NULL;
    bool has_list = false;
    bool is_first = false;

    for (xmlNode *child = node->children; child; child = child->next) {
        const char *key = is_blank(child) ? NULL : part_key(child);

        if (is_blank(child))
            continue;
        if (!key) {
            if (!has_list) {
                put_key(w, "steps", indent, &is_first);
                buf_adds(w->out, "\n");
            }
            has_list = true;
            put_dash(w, indent + SPACES);
            put_item(w, child, indent + 2 * SPACES);
            continue;
        }
        if (strcmp(key, "action") == 0) {
            OWN(freep) char *text = ts_node_text(child);

            put_pair(w, key, text ? text : "", indent, &is_first);
            continue;
        }
        put_key(w, key, indent, &is_first);
        if (strcmp(key, "condition") == 0)
            put_operands(w, child, indent + SPACES);
        else if (strcmp(key, "references") == 0)
            put_references(w, child, indent + SPACES);
        else
            put_variables(w, type, child, indent + SPACES);
    }
}

/* Behind a "- ". The depth is bounded by TS_XML_MAX_DEPTH. */
static void put_item(struct writer *w, xmlNode *node, unsigned indent)
{
    bool is_first = true;
    OWN(freep) char *name = NULL;

    if (!ts_node_is_item(node) || !is_mapping(node)) {
        put_xml(w, node, indent, &is_first);
        return;
    }
    name = ts_node_attribute(node, "name");
    put_pair(w, (const char *)node->name, name ? name : "", indent, &is_first);
    for (const xmlAttr *a = node->properties; a; a = a->next) {
        OWN(freep) char *value = ts_node_attribute(node, (const char *)a->name);

        if (strcmp((const char *)a->name, "name") != 0)
            put_pair(w, (const char *)a->name, value ? value : "", indent, &is_first);
    }
    put_parts(w, node, indent);
}

/* The indentation of a level, if the document is laid out in lines. */
static char *find_layout(const xmlNode *root)
{
    const xmlNode *first = root->children;
    OWN(freep) char *text = first && is_blank(first) ? ts_node_text(first) : NULL;
    const char *line = text ? strrchr(text, '\n') : NULL;

    return ts_copy(line ? line + 1 : "");
}

static bool is_laid_out(const xmlNode *root)
{
    return root->children && is_blank(root->children);
}

static void put_root(struct writer *w, const xmlNode *root)
{
    OWN(freep) char *version = ts_node_attribute(root, "version");
    OWN(freep) char *indent = find_layout(root);
    bool is_first = true;

    put_pair(w, "sequence", version ? version : "", 0, &is_first);
    if (is_laid_out(root))
        put_pair(w, "indentation", indent ? indent : "", 0, &is_first);
    for (const xmlAttr *a = root->properties; a; a = a->next) {
        OWN(freep) char *value = ts_node_attribute(root, (const char *)a->name);

        if (strcmp((const char *)a->name, "version") != 0)
            put_pair(w, (const char *)a->name, value ? value : "", 0, &is_first);
    }
    put_parts(w, root, 0);
}

/* Whether @text is the document again. */
static int is_equal(const struct buf *text, const struct buf *canonical)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(ts_document_freep) struct ts_document *again = NULL;
    OWN(buf_fini) struct buf other = BUF_INIT(8 * (size_t)TS_XML_MAX_BYTES);
    int r = ts_yaml_parse(buf_bytes(text), &again, &ignored);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = ts_document_canonical(again, &other);
    if (r < 0)
        return TRACE(r);
    return r == 0 && strcmp(buf_str(&other), buf_str(canonical)) == 0;
}

/* The document as one text: always right, if not for reading. */
static int put_whole(const struct ts_document *doc, struct buf *ret)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
    struct writer w = {.out = ret};
    bool is_first = true;
    int r = ts_document_put(doc, &xml);

    if (r < 0)
        return TRACE(r);
    put_pair(&w, "xml", buf_str(&xml), 0, &is_first);
    return xml.failed || ret->failed ? ERR(-ENOMEM) : 0;
}

int ts_yaml_put(const struct ts_document *doc, struct buf *ret)
{
    OWN(buf_fini) struct buf canonical = BUF_INIT(8 * (size_t)TS_XML_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(TS_YAML_MAX_BYTES);
    const xmlNode *root = xmlDocGetRootElement(ts_document_tree(doc));
    struct writer w = {.out = &text};
    int r = ts_document_canonical(doc, &canonical);

    if (r != 0)
        return TRACE(r);
    if (is_mapping(root)) {
        put_root(&w, root);
        r = text.failed ? 0 : is_equal(&text, &canonical);
        if (r < 0)
            return TRACE(r);
        if (r == 1) {
            buf_add(ret, buf_bytes(&text));
            return ret->failed ? ERR(-ENOMEM) : 0;
        }
    }
    return TRACE(put_whole(doc, ret));
}
