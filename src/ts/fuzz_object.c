/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/object.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/container.h"
#include "ts/container_put.h"
#include "ts/diag.h"
#include "ts/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    TEXT_MAX_BYTES = 16 * 1024 * 1024,
};

/* The instance around a sequence, with this template. */
static void put(const char *template, const struct ts_document *doc, struct buf *ret)
{
    OWN(buf_fini) struct buf sequence = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
    const struct ts_export item = {.id = "SLP00003",
                                   .name = "Name",
                                   .description = "<&>",
                                   .boot_image_id = "SLP00001",
                                   .object = template,
                                   .doc = doc};

    if (ts_document_put(doc, &sequence) != 0 ||
        ts_object_put(&item, buf_str(&sequence), ret) != 0 || ret->failed)
        abort();
}

/* What is kept of an instance stays the same however often it goes out and comes in again. */
static void check(const struct ts_import *item)
{
    OWN(ts_imports_fini) struct ts_imports again = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(buf_fini) struct buf first = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf second = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    put(item->object, item->doc, &first);
    if (ts_container_read(buf_bytes(&first), &again, &diags) != 0 || again.n != 1 ||
        strcmp(again.items[0].name, "Name") != 0 ||
        strcmp(again.items[0].boot_image_id, "SLP00001") != 0)
        abort();
    put(again.items[0].object, again.items[0].doc, &second);
    if (strcmp(buf_str(&first), buf_str(&second)) != 0)
        abort();
    if (ts_object_text(item->object, "CustomProgressMsg", &text) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};

    if (ts_container_read((struct bytes){data, size}, &imports, &diags) != 0)
        return 0;
    for (size_t i = 0; i < imports.n; i++)
        if (imports.items[i].object[0] != '\0')
            check(&imports.items[i]);
    return 0;
}
