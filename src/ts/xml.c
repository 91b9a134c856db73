/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/xml.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/SAX2.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/encoding.h"

enum {
    HEAD_MAX_BYTES = 256, /* a declaration, and white space at the end, which are not counted */
};

struct leash {
    struct ts_diags *diags;
    const struct ts_xml_places *places; /* NULL: where they are in the text */
    size_t n_nodes;
    size_t n_elements; /* that have begun */
    bool is_stopped;
    bool is_out_of_memory;
};

DEFINE_FREEP(xmlParserCtxtPtr, xmlFreeParserCtxt);

/* Where something is that is there in the text, at or in the last element that has begun. */
static struct ts_xml_place place_of(const struct leash *leash, long line, long column)
{
    const struct ts_xml_places *places = leash->places;
    struct ts_xml_place place = {
        .line = line > 0 ? (unsigned)line : 0,
        .column = column > 0 ? (unsigned)column : 0,
    };
    size_t i = leash->n_elements > 0 ? leash->n_elements - 1 : 0;

    if (!places)
        return place;
    if (places->n > 0)
        return places->items[i < places->n ? i : places->n - 1];
    place.column += place.column > 0 ? places->columns : 0;
    place.column += place.column > 0 && place.line == 1 ? places->first_columns : 0;
    place.line += place.line > 0 ? places->lines : 0;
    return place;
}

static void stop(xmlParserCtxt *ctxt, const char *id, const char *why)
{
    struct leash *leash = ctxt->_private;
    const xmlParserInput *input = ctxt->input;
    struct ts_xml_place at = place_of(leash, input ? input->line : 0, input ? input->col : 0);

    if (leash->is_stopped)
        return;
    leash->is_stopped = true;
    ts_diags_add_at(leash->diags,
                    TS_ERROR,
                    &(struct ts_diag_place){.id = id, .line = at.line, .column = at.column},
                    "%s",
                    why);
    xmlStopParser(ctxt);
}

static void
refuse_doctype(void *ctx, const xmlChar *name, const xmlChar *external_id, const xmlChar *system_id)
{
    (void)name;
    (void)external_id;
    (void)system_id;
    stop(ctx, "SLW-0170", "a DOCTYPE is not allowed in a task sequence");
}

/* Numbers in places that libxml2 leaves to us; of an element psvi is one of them. */
static void remember_place(xmlParserCtxt *ctxt)
{
    const struct leash *leash = ctxt->_private;
    const xmlParserInput *input = ctxt->input;
    struct ts_xml_place at;

    if (!ctxt->node || !input)
        return;
    at = place_of(leash, input->line, input->col);
    // NOLINTNEXTLINE(performance-no-int-to-ptr)
    ctxt->node->_private = (void *)(uintptr_t)at.column;
    if (leash->places)
        // NOLINTNEXTLINE(performance-no-int-to-ptr)
        ctxt->node->psvi = (void *)(uintptr_t)at.line;
}

unsigned ts_xml_line(const xmlNode *node)
{
    long line = node->psvi ? (long)(uintptr_t)node->psvi : xmlGetLineNo(node);

    return line > 0 ? (unsigned)line : 0;
}

unsigned ts_xml_column(const xmlNode *node)
{
    return (unsigned)(uintptr_t)node->_private;
}

/* The parameters are libxml2's startElementNsSAX2Func. */
// NOLINTNEXTLINE(readability-function-size)
static void start_element(void *ctx,
                          const xmlChar *name,
                          const xmlChar *prefix,
                          const xmlChar *uri,
                          int n_namespaces,
                          const xmlChar **namespaces,
                          int n_attributes,
                          int n_defaulted,
                          const xmlChar **attributes)
{
    xmlParserCtxt *ctxt = ctx;
    struct leash *leash = ctxt->_private;

    leash->n_nodes += 1 + (size_t)n_attributes + (size_t)n_namespaces;
    leash->n_elements++;
    if (ctxt->nodeNr >= TS_XML_MAX_DEPTH) {
        stop(ctxt, "SLW-0171", "elements are nested too deep; the limit is 64");
        return;
    }
    if (n_attributes + ctxt->nsNr / 2 > TS_XML_MAX_ATTRIBUTES) {
        stop(ctxt, "SLW-0171", "too many attributes of one element; the limit is 256");
        return;
    }
    if (leash->n_nodes > TS_XML_MAX_NODES) {
        stop(ctxt, "SLW-0171", "too many elements and attributes");
        return;
    }
    xmlSAX2StartElementNs(
        ctx, name, prefix, uri, n_namespaces, namespaces, n_attributes, n_defaulted, attributes);
    remember_place(ctxt);
}

static void note_error(void *ctx, xmlError *error)
{
    xmlParserCtxt *ctxt = ctx;
    struct leash *leash = ctxt->_private;
    size_t len = error->message ? strcspn(error->message, "\r\n") : 0;
    struct ts_xml_place at = place_of(leash, error->line, error->int2);

    if (error->code == XML_ERR_NO_MEMORY)
        leash->is_out_of_memory = true;
    if (leash->is_stopped)
        return;
    ts_diags_add(leash->diags,
                 error->level >= XML_ERR_ERROR ? TS_ERROR : TS_WARNING,
                 at.line,
                 at.column,
                 "not well-formed XML: %.*s",
                 (int)(len < 200 ? len : 200),
                 error->message ? error->message : "");
}

/* Of the byte at @offset of @text. */
static void
refuse_at(const struct leash *leash, struct bytes text, size_t offset, const char *why, size_t n)
{
    long line = 1;
    long column = 1;
    struct ts_xml_place at;

    for (size_t i = 0; i < offset && i < text.len; i++) {
        column++;
        if (text.ptr[i] == '\n') {
            line++;
            column = 1;
        }
    }
    at = place_of(leash, line, column);
    ts_diags_add_at(leash->diags,
                    TS_ERROR,
                    &(struct ts_diag_place){.id = "SLW-0171", .line = at.line, .column = at.column},
                    "%zu %s",
                    n,
                    why);
}

static void refuse_size(const struct leash *leash, struct bytes text, size_t max)
{
    char why[64];

    (void)snprintf(why, sizeof(why), "bytes: a task sequence may have %zu", max);
    refuse_at(leash, text, max, why, text.len);
}

static bool stands_at(struct bytes text, size_t i, const char *what)
{
    size_t len = strlen(what);

    return text.len - i >= len && memcmp(text.ptr + i, what, len) == 0;
}

/* Behind the next @what from @i on; the end of @text if there is none. */
static size_t behind(struct bytes text, size_t i, const char *what)
{
    while (i < text.len && !stands_at(text, i, what))
        i++;
    return i < text.len ? i + strlen(what) : text.len;
}

/* Behind the tag that begins at @i. @ret_n: how many attributes it has */
static size_t behind_tag(struct bytes text, size_t i, size_t *ret_n)
{
    uint8_t quote = '\0';

    *ret_n = 0;
    for (; i < text.len; i++) {
        uint8_t c = text.ptr[i];

        if (quote != '\0')
            quote = c == quote ? '\0' : quote;
        else if (c == '"' || c == '\'')
            quote = c;
        else if (c == '>')
            return i + 1;
        else
            *ret_n += c == '=';
    }
    return i;
}

/* libxml2 compares each attribute of an element with all others before anybody can count them: here they are, and their
   number is a limit for the element as it is written. Return: false if there are too many. */
static bool check_attributes(const struct leash *leash, struct bytes text)
{
    static const char why[] = "attributes; the limit for one element is 256";
    const uint8_t *open;
    size_t i = 0;

    while (i < text.len && (open = memchr(text.ptr + i, '<', text.len - i))) {
        size_t begin = (size_t)(open - text.ptr);
        size_t n = 0;

        if (stands_at(text, begin, "<!--"))
            i = behind(text, begin + 4, "-->");
        else if (stands_at(text, begin, "<![CDATA["))
            i = behind(text, begin, "]]>");
        else if (stands_at(text, begin, "<?"))
            i = behind(text, begin, "?>");
        else
            i = behind_tag(text, begin, &n);
        if (n > TS_XML_MAX_ATTRIBUTES) {
            refuse_at(leash, text, begin, why, n);
            return false;
        }
    }
    return true;
}

/* What XML itself says wins over nothing, but not over what the bytes are: a declaration that speaks of UTF-16 in text
   that is not UTF-16 comes from a program that had the text in memory. NULL: let the parser find out. */
static const char *encoding_of(struct bytes text, bool was_utf16)
{
    const size_t len = text.len < 200 ? text.len : 200;

    if (was_utf16)
        return "UTF-8";
    for (size_t i = 0; i + 6 <= len && text.ptr[i] != '>'; i++)
        if (bytes_eq_nocase((struct bytes){text.ptr + i, 6}, "utf-16"))
            return "UTF-8";
    return NULL;
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

size_t ts_xml_size(struct bytes text)
{
    static const char head[] = "<?xml";
    size_t n = 0;

    if (text.len > sizeof(head) && memcmp(text.ptr, head, sizeof(head) - 1) == 0)
        while (n < HEAD_MAX_BYTES && n < text.len && text.ptr[n] != '>')
            n++;
    n += n > 0 && n < text.len ? 1 : 0;
    while (n < text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    while (n < text.len && is_space(text.ptr[n]))
        n++;
    return text.len - n;
}

static int parse(struct leash *leash, struct bytes xml, size_t max_bytes, xmlDoc **ret)
{
    OWN(buf_fini) struct buf utf8 = BUF_INIT(4 * max_bytes);
    struct ts_diags *diags = leash->diags;
    bool is_big;
    bool is_utf16 = ts_is_utf16(xml, &is_big);

    if (xml.len == 0) {
        ts_diags_add(diags, TS_ERROR, 1, 1, "there is nothing in it");
        return TS_E_MALFORMED;
    }
    if (is_utf16 && xml.len <= 2 * max_bytes + 2) {
        ts_to_utf8(xml, &utf8);
        if (utf8.failed)
            return ERR(-ENOMEM);
        xml = buf_bytes(&utf8);
    }
    if (xml.len > max_bytes &&
        (xml.len > max_bytes + HEAD_MAX_BYTES || ts_xml_size(xml) > max_bytes)) {
        refuse_size(leash, xml, max_bytes);
        return TS_E_MALFORMED;
    }
    if (!check_attributes(leash, xml))
        return TS_E_MALFORMED;

    OWN(xmlFreeParserCtxtp) xmlParserCtxt *ctxt = xmlNewParserCtxt();

    if (!ctxt)
        return ERR(-ENOMEM);
    ctxt->_private = leash;
    ctxt->sax->internalSubset = refuse_doctype;
    ctxt->sax->startElementNs = start_element;
    ctxt->sax->serror = note_error;

    xmlDoc *doc = xmlCtxtReadMemory(ctxt,
                                    (const char *)xml.ptr,
                                    (int)xml.len,
                                    NULL,
                                    encoding_of(xml, is_utf16),
                                    XML_PARSE_NONET | XML_PARSE_BIG_LINES);

    if (doc && ctxt->wellFormed && !leash->is_stopped && !leash->is_out_of_memory) {
        *ret = doc;
        return 0;
    }
    xmlFreeDoc(doc);
    if (leash->is_out_of_memory)
        return ERR(-ENOMEM);
    if (!ts_diags_has_error(diags))
        ts_diags_add(diags, TS_ERROR, 1, 1, "not well-formed XML");
    return TS_E_MALFORMED;
}

int ts_xml_parse_container(struct bytes xml, size_t max_bytes, xmlDoc **ret, struct ts_diags *diags)
{
    struct leash leash = {.diags = diags};

    return TRACE(parse(&leash, xml, max_bytes, ret));
}

int ts_xml_parse_at(struct bytes xml,
                    const struct ts_xml_places *places,
                    xmlDoc **ret,
                    struct ts_diags *diags)
{
    struct leash leash = {.diags = diags, .places = places};

    return TRACE(parse(&leash, xml, TS_XML_MAX_BYTES, ret));
}

int ts_xml_parse(struct bytes xml, xmlDoc **ret, struct ts_diags *diags)
{
    return TRACE(ts_xml_parse_at(xml, NULL, ret, diags));
}
