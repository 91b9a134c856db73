/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/cmtrace/cmtrace.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Any bytes are written as one line, and what is read from any bytes can be written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf dst = BUF_INIT(65536);
    struct bytes src = {data, size};
    struct bytes text = src;
    struct cmtrace_parsed parsed = {.wall_us = 1795253405123000, .type = CMTRACE_ERROR};
    struct cmtrace_parsed again;

    (void)cmtrace_take(&src, &parsed, &text);
    cmtrace_put(&dst,
                &(struct cmtrace_line){.wall_us = parsed.wall_us,
                                       .bias_min = size > 0 ? (int)data[0] * 12 - 1530 : 0,
                                       .type = parsed.type,
                                       .component = parsed.component,
                                       .file = parsed.file,
                                       .thread = parsed.thread},
                text);
    src = buf_bytes(&dst);
    if (dst.failed || !cmtrace_take(&src, &again, &text) || src.len != 0)
        abort();
    if (again.wall_us != parsed.wall_us || again.type != parsed.type ||
        again.thread != parsed.thread)
        abort();
    return 0;
}
