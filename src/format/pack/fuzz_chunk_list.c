/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/chunk_list.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is read lies in the input, and no pack has more chunks than a pack may have. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes src = {data, size};
    struct chunk_list list;
    struct chunk_list_pack pack;

    for (size_t n = 0; n < 4; n++) {
        if (!chunk_list_begin(src, n, &list))
            continue;
        while (chunk_list_next(&list, &pack)) {
            if (pack.n_chunks > PACK_MAX_CHUNKS)
                abort();
            for (size_t i = 0; i < pack.n_chunks; i++) {
                struct chunk_list_chunk chunk = chunk_list_get(&pack, i);

                if (chunk.key < data || chunk.key + CHUNK_LIST_KEY_BYTES > data + size)
                    abort();
            }
        }
    }
    return 0;
}
