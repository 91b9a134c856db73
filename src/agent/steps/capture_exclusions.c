/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "agent/steps/capture_parts.h"
#include "base/err.h"

/* Of every volume. */
static const char *const everywhere[] = {
    "/lost+found",
    "/_SMSTaskSequence",
    "/$RECYCLE.BIN",
    "/System Volume Information",
    "/pagefile.sys",
    "/hiberfil.sys",
    "/swapfile.sys",
};

/* Of the operating system's volume: what is of the run that captures, and what lives no longer than a start. */
static const char *const of_os[] = {
    "/usr/lib/slipway",
    "/etc/systemd/system/slipway-agent.service",
    "/etc/systemd/system/slipway-client.service",
    "/etc/systemd/system/multi-user.target.wants/slipway-agent.service",
    "/etc/systemd/system/multi-user.target.wants/slipway-client.service",
    "/etc/init.d/slipway-agent",
    "/etc/init.d/slipway-client",
    "/etc/runlevels/default/slipway-agent",
    "/etc/runlevels/default/slipway-client",
    "/etc/rc[0-9].d/S99slipway-agent",
    "/etc/rc[0-9].d/S99slipway-client",
    "/var/lib/slipway/client",
    "/etc/default/grub.d/slipway.cfg",
    "/boot/slipway",
    "/boot/grub/grub.cfg.of-the-image",
    "/var/log/slipway",
    "/proc/*",
    "/sys/*",
    "/run/*",
    "/tmp/*",
    "/tmp/.*",
    "/var/tmp/*",
    "/var/cache/apt/archives/*.deb",
    "/swapfile",
    "/swap.img",
};

int capture_exclusions_new(const char *list, bool is_os, struct capture_exclusions *ret)
{
    size_t len = strlen(list);
    char *own = calloc(1, len + 2);
    size_t n = 0;

    if (!own)
        return ERR(-ENOMEM);
    for (const char *at = list; *at; at++) {
        bool is_end = *at == ';' || *at == '\n' || *at == '\r';

        if (is_end && n > 0 && own[n - 1] != '\0')
            own[n++] = '\0';
        if (!is_end && (*at != ' ' || (n > 0 && own[n - 1] != '\0')))
            own[n++] = (char)(*at == '\\' ? '/' : *at);
    }
    *ret = (struct capture_exclusions){own, is_os};
    return 0;
}

void capture_exclusions_fini(struct capture_exclusions *exclusions)
{
    free(exclusions->own);
}

static bool matches(const char *pattern, const char *path)
{
    return fnmatch(pattern, path, FNM_PATHNAME | FNM_NOESCAPE) == 0;
}

bool capture_is_left_out(void *ctx, const char *path)
{
    const struct capture_exclusions *exclusions = ctx;

    for (size_t i = 0; i < sizeof(everywhere) / sizeof(everywhere[0]); i++)
        if (strcmp(path, everywhere[i]) == 0)
            return true;
    for (size_t i = 0; exclusions->is_os && i < sizeof(of_os) / sizeof(of_os[0]); i++)
        if (matches(of_os[i], path))
            return true;
    for (const char *own = exclusions->own; *own; own += strlen(own) + 1)
        if (matches(own, path))
            return true;
    return false;
}
