/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/document.h"

#include <errno.h>

#include <libxml/c14n.h>
#include <libxml/tree.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/tree.h"

int ts_document_put(const struct ts_document *doc, struct buf *ret)
{
    xmlChar *text = NULL;
    int size = 0;

    xmlDocDumpFormatMemoryEnc(ts_document_tree(doc), &text, &size, "UTF-8", 0);
    if (!text)
        return ERR(-ENOMEM);
    buf_add(ret, (struct bytes){text, (size_t)size});
    xmlFree(text);
    return 0;
}

int ts_document_copy(const struct ts_document *doc, struct ts_document **ret)
{
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
    int r = ts_document_put(doc, &text);

    if (r == 0)
        r = ts_document_parse(buf_bytes(&text), ret, &ignored);
    return r == 0 ? 0 : ERR(-ENOMEM); /* it was a document before */
}

int ts_document_canonical(const struct ts_document *doc, struct buf *ret)
{
    xmlChar *text = NULL;
    int size = xmlC14NDocDumpMemory(ts_document_tree(doc), NULL, XML_C14N_1_0, NULL, 1, &text);

    if (size < 0)
        return TS_E_MALFORMED;
    if (!text)
        return ERR(-ENOMEM);
    buf_add(ret, (struct bytes){text, (size_t)size});
    xmlFree(text);
    return 0;
}
