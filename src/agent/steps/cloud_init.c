/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/cloud_init.h"

#include "agent/steps/inside.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

enum {
    TEXT_MAX_BYTES = 1024,
};

#define PROGRAM       "usr/bin/cloud-init"
#define SETTINGS_FILE "etc/cloud/cloud.cfg.d/99-slipway-settings.cfg"
#define NETWORK_FILE  "etc/cloud/cloud.cfg.d/99-slipway.cfg"

static const struct inside_mode public_file = {0644, 0, 0};

static int write(int root, const char *path, const char *text)
{
    OWN(buf_fini) struct buf file = BUF_INIT(TEXT_MAX_BYTES);

    if (!inside_exists(root, PROGRAM))
        return 0;
    buf_addf(&file, "# Written by Slipway\n%s", text);
    return TRACE(inside_write(root, path, buf_bytes(&file), public_file));
}

int cloud_init_keep_settings(int root, bool has_language)
{
    return TRACE(write(root,
                       SETTINGS_FILE,
                       has_language
                           ? "preserve_hostname: true\nmanage_etc_hosts: false\nlocale: false\n"
                           : "preserve_hostname: true\nmanage_etc_hosts: false\n"));
}

int cloud_init_note_answer(int root, bool is_its_own)
{
    return TRACE(write(root,
                       NETWORK_FILE,
                       is_its_own ? "# The network is that of network-config\n"
                                  : "network: {config: disabled}\n"));
}

int cloud_init_keep_network(int root)
{
    return inside_exists(root, NETWORK_FILE) ? 0 : TRACE(cloud_init_note_answer(root, false));
}
