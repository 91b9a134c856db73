/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/xml.h"

#include <errno.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/SAX2.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"

struct leash {
    struct ts_diags *diags;
    size_t n_nodes;
    bool is_stopped;
    bool is_out_of_memory;
};

DEFINE_FREEP(xmlParserCtxtPtr, xmlFreeParserCtxt);

static void stop(xmlParserCtxt *ctxt, const char *why)
{
    struct leash *leash = ctxt->_private;
    const xmlParserInput *input = ctxt->input;

    if (leash->is_stopped)
        return;
    leash->is_stopped = true;
    ts_diags_add(leash->diags,
                 TS_ERROR,
                 input && input->line > 0 ? (unsigned)input->line : 0,
                 input && input->col > 0 ? (unsigned)input->col : 0,
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
    stop(ctx, "a DOCTYPE is not allowed in a task sequence");
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

    leash->n_nodes += 1 + (size_t)n_attributes;
    if (ctxt->nodeNr >= TS_XML_MAX_DEPTH) {
        stop(ctxt, "elements are nested too deep");
        return;
    }
    if (leash->n_nodes > TS_XML_MAX_NODES) {
        stop(ctxt, "too many elements and attributes");
        return;
    }
    xmlSAX2StartElementNs(
        ctx, name, prefix, uri, n_namespaces, namespaces, n_attributes, n_defaulted, attributes);
}

static void note_error(void *ctx, xmlError *error)
{
    xmlParserCtxt *ctxt = ctx;
    struct leash *leash = ctxt->_private;
    size_t len = error->message ? strcspn(error->message, "\r\n") : 0;

    if (error->code == XML_ERR_NO_MEMORY)
        leash->is_out_of_memory = true;
    if (leash->is_stopped)
        return;
    ts_diags_add(leash->diags,
                 error->level >= XML_ERR_ERROR ? TS_ERROR : TS_WARNING,
                 error->line > 0 ? (unsigned)error->line : 0,
                 error->int2 > 0 ? (unsigned)error->int2 : 0,
                 "not well-formed XML: %.*s",
                 (int)(len < 200 ? len : 200),
                 error->message ? error->message : "");
}

int ts_xml_parse(struct bytes xml, xmlDoc **ret, struct ts_diags *diags)
{
    struct leash leash = {.diags = diags};

    if (xml.len == 0 || xml.len > TS_XML_MAX_BYTES) {
        ts_diags_add(diags,
                     TS_ERROR,
                     0,
                     0,
                     "%zu bytes: a task sequence has 1 to %d",
                     xml.len,
                     (int)TS_XML_MAX_BYTES);
        return TS_E_MALFORMED;
    }

    OWN(xmlFreeParserCtxtp) xmlParserCtxt *ctxt = xmlNewParserCtxt();

    if (!ctxt)
        return ERR(-ENOMEM);
    ctxt->_private = &leash;
    ctxt->sax->internalSubset = refuse_doctype;
    ctxt->sax->startElementNs = start_element;
    ctxt->sax->serror = note_error;

    xmlDoc *doc = xmlCtxtReadMemory(ctxt,
                                    (const char *)xml.ptr,
                                    (int)xml.len,
                                    NULL,
                                    NULL,
                                    XML_PARSE_NONET | XML_PARSE_BIG_LINES);

    if (doc && ctxt->wellFormed && !leash.is_stopped && !leash.is_out_of_memory) {
        *ret = doc;
        return 0;
    }
    xmlFreeDoc(doc);
    if (leash.is_out_of_memory)
        return ERR(-ENOMEM);
    if (!ts_diags_has_error(diags))
        ts_diags_add(diags, TS_ERROR, 0, 0, "not well-formed XML");
    return TS_E_MALFORMED;
}
