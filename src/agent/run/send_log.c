/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <stdio.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/order.h"
#include "agent/run/runner.h"
#include "base/err.h"
#include "base/own.h"

enum {
    LOG_SENT_MAX_BYTES = 1024 * 1024, /* the end of the log, in whole lines */
    PATH_MAX_BYTES = 256,
    HTTP_OK = 200,
    HTTP_MULTIPLE_CHOICES = 300,
};

bool runner_send_log(struct runner *rn, uint64_t number)
{
    OWN(buf_fini) struct buf text = BUF_INIT(LOG_SENT_MAX_BYTES);
    char path[PATH_MAX_BYTES];
    unsigned status = 0;
    int n;

    if (!rn->link || !rn->state || !rn->state->order || journal_read(rn->journal, &text) < 0)
        return false;
    n = snprintf(path,
                 sizeof(path),
                 "/api/v1/client/orders/%s/log/%" PRIu64,
                 rn->state->order->order_id,
                 number);
    return n > 0 && (size_t)n < sizeof(path) &&
           link_text(rn->link, "PUT", path, buf_bytes(&text), &status) == 0 && status >= HTTP_OK &&
           status < HTTP_MULTIPLE_CHOICES;
}
