/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/pack.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The chunks lie one behind the other up to the end, and the table written again is the one that was read. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(pack_fini) struct pack pack = {0};
    OWN(freep) uint8_t *again = NULL;
    struct sink sink;
    size_t offset;

    if (pack_parse((struct bytes){data, size}, &pack) != 0)
        return 0;
    offset = pack_table_bytes(pack.n_chunks);
    for (size_t i = 0; i < pack.n_chunks; i++) {
        if (pack.chunks[i].offset != offset || pack.chunks[i].size_bytes == 0 ||
            pack.chunks[i].size_bytes > PACK_CHUNK_MAX_BYTES)
            abort();
        offset += pack.chunks[i].size_bytes;
    }
    if (offset != size)
        abort();

    again = malloc(size);
    if (!again)
        return 0;
    sink = (struct sink){.ptr = again, .cap = size};
    pack_put_table(&sink, pack.chunks, pack.n_chunks);
    if (sink.full || sink.len != pack_table_bytes(pack.n_chunks) ||
        memcmp(again, data, sink.len) != 0)
        abort();
    return 0;
}
