/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file is refused with a reason and a place, or has sequences, each of which can be written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    int r = ts_container_read((struct bytes){data, size}, &imports, &diags);

    if (r != 0 && !ts_diags_has_error(&diags))
        abort();
    for (size_t i = 0; i < diags.n && i < TS_DIAGS_MAX; i++)
        if (diags.items[i].line == 0 || diags.items[i].column == 0)
            abort();
    if (r == 0 && imports.n == 0)
        abort();
    for (size_t i = 0; i < imports.n_references; i++)
        if (!imports.references[i].id[0] || !imports.references[i].name ||
            !imports.references[i].version)
            abort();
    for (size_t i = 0; i < imports.n; i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
        struct ts_document *again = NULL;

        if (ts_document_put(imports.items[i].doc, &text) != 0 ||
            ts_document_parse(buf_bytes(&text), &again, &diags) != 0)
            abort();
        ts_document_free(again);
    }
    return 0;
}
