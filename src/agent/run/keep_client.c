/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * When the task sequence is over, the agent stays in the installed system as the site's client, unless SLWKeepClient says otherwise
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/run/client_identity.h"
#include "agent/run/journal.h"
#include "agent/run/order.h"
#include "agent/run/runner.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/vars.h"

#define KEEP_VARIABLE "SLWKeepClient"

static void disable_client(const char *root)
{
    static const char *const links[] = {
        "etc/systemd/system/multi-user.target.wants/slipway-client.service",
        "etc/runlevels/default/slipway-client",
        "etc/rc2.d/S99slipway-client",
        "etc/rc3.d/S99slipway-client",
        "etc/rc4.d/S99slipway-client",
        "etc/rc5.d/S99slipway-client",
    };

    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        OWN(buf_fini) struct buf path = BUF_INIT(4096);

        buf_addf(&path, "%s/%s", root, links[i]);
        (void)unlink(buf_str(&path));
    }
}

static int keep(const struct runner *rn, const char *root)
{
    const struct state *s = rn->state;
    OWN(client_identity_fini)
    struct client_identity identity = {.site = *link_get_options(rn->link)};

    (void)snprintf(identity.device_id, sizeof(identity.device_id), "%s", s->order->device_id);
    (void)snprintf(identity.device_name, sizeof(identity.device_name), "%s", s->order->device_name);
    memcpy(identity.key, s->key, sizeof(identity.key));
    return TRACE(client_identity_write(root, &identity));
}

int runner_keep_client(struct runner *rn)
{
    const char *root = runner_root(rn);
    const char *wish = ts_vars_get(rn->state->vars, KEEP_VARIABLE);

    if (!rn->options->is_full_os || !rn->state->has_key)
        return 0;
    if (!bytes_eq_nocase(bytes_of(wish), "false"))
        return TRACE(keep(rn, root));
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "TSManager",
                  "The agent does not stay: " KEEP_VARIABLE " is false");
    disable_client(root);
    return TRACE(client_identity_remove(root));
}
