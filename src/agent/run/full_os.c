/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What the agent in the installed system goes on with: the state on its disk, or an order that its client has just got
 */

#include <string.h>

#include "agent/run/client_identity.h"
#include "agent/run/order.h"
#include "agent/run/runner.h"
#include "agent/run/target.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

DEFINE_FREEP(struct order *, order_free);

/* The state as it is for an order that begins here: the volume that we run from may be what it wipes later. */
static int take_order(struct runner *rn, struct order **order)
{
    int r = state_new(&rn->state);

    if (r < 0)
        return TRACE(r);
    rn->state->order = TAKE(*order);
    rn->state->phase = STEP_IN_FULL_OS;
    state_set_site(rn->state, rn->link);
    if (rn->platform->find_running)
        rn->platform->find_running(&rn->machine, &rn->state->target);
    return TRACE(runner_begin_fresh(rn));
}

/* Return: 0, RUNNER_E_FAILED or -errno. */
static int begin(struct runner *rn)
{
    const struct client_identity *client = rn->options->client;
    OWN(buf_fini) struct buf why = BUF_INIT(PROBLEM_MAX);
    OWN(order_freep) struct order *order = NULL;
    int r = order_parse(rn->options->client_order, &order, &why);

    if (r == ORDER_E_MALFORMED)
        return runner_problem(
            rn,
            "SLW-0403",
            "site and agent may have different versions: deploy this computer anew",
            "the order makes no sense: %s",
            buf_str(&why));
    if (r == 0)
        r = link_new(&client->site, &rn->link);
    if (r == 0)
        r = link_set_key(rn->link, client->key, client->device_id);
    return r == 0 ? TRACE(take_order(rn, &order)) : TRACE(r);
}

int runner_load_state(struct runner *rn)
{
    OWN(buf_fini) struct buf path = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(STATE_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(PROBLEM_MAX);
    int r;

    buf_addf(&path, "%s/%s", rn->platform->full_os_root, TARGET_STATE_FILE);
    r = file_read(buf_str(&path), &text);
    if (r == FILE_E_MISSING)
        return rn->options->client ? TRACE(begin(rn)) : RUNNER_E_NOT_OURS;
    if (r < 0)
        return TRACE(r);
    r = state_parse(buf_bytes(&text), &rn->state, &why);
    if (r > 0)
        return runner_problem(rn,
                              "SLW-0411",
                              "deploy the task sequence again",
                              "the state in %s cannot be used: %s",
                              buf_str(&path),
                              buf_str(&why));
    if (r < 0)
        return TRACE(r);
    rn->state->seq += STATE_SEQ_GAP;
    rn->state->target.is_mounted = false;
    rn->state->site.unix_socket = rn->options->site.unix_socket;
    r = link_new(&rn->state->site, &rn->link);
    if (r == 0 && rn->state->has_key)
        r = link_set_key(rn->link, rn->state->key, rn->state->order->device_id);
    return TRACE(r);
}
