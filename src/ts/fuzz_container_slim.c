/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/container_slim.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/container.h"
#include "ts/diag.h"
#include "ts/document.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    SLIM_MAX_BYTES = 1024 * 1024,
};

static int64_t read_at(void *ctx, uint64_t offset, void *dst, size_t cap)
{
    const struct bytes *file = ctx;
    size_t rest = offset < file->len ? file->len - (size_t)offset : 0;
    size_t n = rest < cap ? rest : cap;

    if (n > 0)
        memcpy(dst, file->ptr + offset, n);
    return (int64_t)n;
}

/* A file is refused with a reason, or becomes one that can be looked at again, and then stays what it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf slim = BUF_INIT(SLIM_MAX_BYTES);
    OWN(buf_fini) struct buf again = BUF_INIT(SLIM_MAX_BYTES);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct bytes file = {data, size};
    struct ts_container_source source = {.read_at = read_at, .ctx = &file, .size_bytes = size};
    int r = ts_container_slim(&source, &slim, &diags);

    if (r > 0 && !ts_diags_has_error(&diags))
        abort();
    if (r != 0 || slim.len == 0)
        return 0;
    file = buf_bytes(&slim);
    source.size_bytes = file.len;
    if (ts_container_slim(&source, &again, &diags) != 0 ||
        !bytes_eq(buf_bytes(&again), buf_bytes(&slim)))
        abort();
    return 0;
}
