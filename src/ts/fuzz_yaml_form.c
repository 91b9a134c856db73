/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/yaml_form.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    TEXT_MAX_BYTES = 16 * 1024 * 1024,
};

/* As YAML and back the document is equal to itself. */
static void check(const struct ts_document *doc)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *again = NULL;
    OWN(buf_fini) struct buf yaml = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf a = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf b = BUF_INIT(TEXT_MAX_BYTES);
    int r = ts_yaml_put(doc, &yaml);

    if (r > 0)
        return; /* it has no canonical form */
    if (r < 0 || ts_yaml_parse(buf_bytes(&yaml), &again, &diags) != 0)
        abort();
    if (ts_document_canonical(doc, &a) != 0 || ts_document_canonical(again, &b) != 0 ||
        strcmp(buf_str(&a), buf_str(&b)) != 0)
        abort();
}

/* XML or YAML. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    int r = size > 0 && data[0] == '<' ? ts_document_parse((struct bytes){data, size}, &doc, &diags)
                                       : ts_yaml_parse((struct bytes){data, size}, &doc, &diags);

    if (r == 0)
        check(doc);
    else if (!ts_diags_has_error(&diags))
        abort();
    return 0;
}
