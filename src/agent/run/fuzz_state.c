/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/state.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct state *, state_free);

/* What was read can be written and read again, and then is written the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(STATE_MAX_BYTES);
    OWN(buf_fini) struct buf second = BUF_INIT(STATE_MAX_BYTES);
    OWN(state_freep) struct state *state = NULL;
    OWN(state_freep) struct state *again = NULL;

    if (state_parse((struct bytes){data, size}, &state, &why) != 0)
        return 0;
    if (state_put(state, &text) != 0 || state_parse(buf_bytes(&text), &again, &why) != 0 ||
        state_put(again, &second) != 0 || !bytes_eq(buf_bytes(&text), buf_bytes(&second)))
        abort();
    return 0;
}
