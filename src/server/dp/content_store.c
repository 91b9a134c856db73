/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/content_store.h"

#include "base/err.h"

enum {
    PATH_MAX_BYTES = 4096,
};

int content_store_open(const struct worker *worker, bool is_adding, struct store **ret)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(buf_fini) struct buf root = BUF_INIT(PATH_MAX_BYTES);
    int r;

    buf_addf(&root, "%s/dp/content", worker->state_folder);
    r = store_new(buf_str(&root), &store);
    if (r == STORE_E_FORMAT) {
        worker_fail("SLW-0360",
                    "The content store was made by another version of Slipway. Nothing in it was "
                    "touched.");
        return 1;
    }
    if (r == 0 && is_adding)
        r = store_begin(store);
    if (r == STORE_E_BUSY) {
        worker_fail(
            "SLW-0361",
            "The content store was being tidied up for more than a minute. It is tried again "
            "by itself.");
        return 1;
    }
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(store);
    return 0;
}
