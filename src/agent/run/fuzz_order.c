/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/order.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct order *, order_free);

/* What was accepted is accepted again from the copy that the state keeps. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    OWN(json_decrefp) json_t *json = json_loadb((const char *)data, size, 0, NULL);
    OWN(order_freep) struct order *order = NULL;
    OWN(order_freep) struct order *again = NULL;

    if (!json || order_parse(json, &order, &why) != 0)
        return 0;
    if (order_parse(order->raw, &again, &why) != 0 || again->n_content != order->n_content)
        abort();
    return 0;
}
