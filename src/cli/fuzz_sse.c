/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/own.h"
#include "cli/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t n;
    size_t n_bytes;
};

static bool take(void *ctx, const struct sse_event *event)
{
    struct seen *seen = ctx;

    assert(strlen(event->id) < SSE_ID_MAX && strlen(event->name) < SSE_NAME_MAX);
    seen->n++;
    seen->n_bytes += strlen(event->data);
    return true;
}

/* What it says does not depend on how the stream is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(sse_fini) struct sse whole;
    OWN(sse_fini) struct sse cut;
    struct seen of_whole = {0};
    struct seen of_cut = {0};

    sse_init(&whole);
    sse_init(&cut);
    (void)sse_feed(&whole, (struct bytes){data, size}, take, &of_whole);
    for (size_t i = 0; i < size; i++)
        (void)sse_feed(&cut, (struct bytes){data + i, 1}, take, &of_cut);
    assert(of_whole.n == of_cut.n && of_whole.n_bytes == of_cut.n_bytes);
    assert(strcmp(whole.id, cut.id) == 0 && whole.retry_ms == cut.retry_ms);
    return 0;
}
