/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/manifest/manifest.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text that is accepted is the canonical one: writing it again gives the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(buf_fini) struct buf again = BUF_INIT(MANIFEST_TEXT_MAX);

    if (manifest_parse((struct bytes){data, size}, &manifest) != 0)
        return 0;
    manifest_put(&again, &manifest);
    if (again.failed || !bytes_eq(buf_bytes(&again), (struct bytes){data, size}))
        abort();
    return 0;
}
