/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/metadata_put.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/own.h"

enum {
    MAX_BYTES = 16 * 1024 * 1024,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What can be read can be written; what was written, read and written again is the same bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(metadata_fini) struct metadata first = {0};
    OWN(metadata_fini) struct metadata second = {0};
    OWN(metadata_fini) struct metadata third = {0};
    OWN(buf_fini) struct buf once = BUF_INIT(MAX_BYTES);
    OWN(buf_fini) struct buf twice = BUF_INIT(MAX_BYTES);
    OWN(buf_fini) struct buf again = BUF_INIT(MAX_BYTES);

    if (metadata_parse((struct bytes){data, size}, &first) != 0)
        return 0;
    if (metadata_put(&first, &once) != 0 || metadata_parse(buf_bytes(&once), &second) != 0)
        abort();
    if (second.n_names != first.n_names)
        abort();
    /* the order of inodes is settled by the first time: numbers of hard links follow from it */
    if (metadata_put(&second, &twice) != 0 || metadata_parse(buf_bytes(&twice), &third) != 0 ||
        metadata_put(&third, &again) != 0)
        abort();
    if (!bytes_eq(buf_bytes(&twice), buf_bytes(&again)))
        abort();
    return 0;
}
