/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/steps/inside.h"
#include "agent/steps/inside_tree.h"
#include "agent/steps/network_texts.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    FILE_MAX_BYTES = 256 * 1024,
    PATH_MAX_BYTES = 128,
};

#define MANAGER_FOLDER  "etc/NetworkManager/system-connections"
#define NETWORKD_FOLDER "etc/systemd/network"
#define NETPLAN_FILE    "etc/netplan/90-slipway.yaml"
#define INTERFACES_FILE "etc/network/interfaces"
#define WAIT_FILE       "etc/systemd/system/systemd-networkd-wait-online.service.d/10-slipway.conf"
#define HOOK_FOLDER     "etc/dhcp/dhclient-enter-hooks.d"
#define HOOK_FILE       HOOK_FOLDER "/slipway"
#define UDHCPC_FILE     "etc/udhcpc/udhcpc.conf"
#define DHCPCD_FILE     "etc/dhcpcd.conf"

static const char hook_text[] = NETWORK_HEADER "make_resolv_conf() { :; }\n";
static const char udhcpc_text[] = NETWORK_HEADER "RESOLV_CONF=\"no\"\n";
static const char dhcpcd_text[] = "\n" NETWORK_HEADER "nohook resolv.conf\n";

static const struct inside_mode public_file = {0644, 0, 0};
static const struct inside_mode private_file = {0600, 0, 0};

/* As they are called in the system; the first that is there. */
static const char *const networkd[] = {"/usr/lib/systemd/system/systemd-networkd.service",
                                       "/lib/systemd/system/systemd-networkd.service"};
static const char *const resolved[] = {"/usr/lib/systemd/system/systemd-resolved.service",
                                       "/lib/systemd/system/systemd-resolved.service"};
static const char *const waiter[] = {"/usr/lib/systemd/systemd-networkd-wait-online",
                                     "/lib/systemd/systemd-networkd-wait-online"};

static const char *find(int root, const char *const paths[2])
{
    return inside_exists(root, paths[0] + 1)   ? paths[0]
           : inside_exists(root, paths[1] + 1) ? paths[1]
                                               : NULL;
}

static int write_text(int root, const char *path, const struct buf *text, struct inside_mode mode)
{
    if (text->failed)
        return ERR(-ENOMEM);
    return TRACE(inside_write(root, path, buf_bytes(text), mode));
}

/* A file of the image's own that begins otherwise stays. */
static int remove_own(int root, const char *path)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_read(root, path, &text);

    if (r < 0)
        return TRACE(r);
    if (r > 0 || strncmp(buf_str(&text), NETWORK_HEADER, strlen(NETWORK_HEADER)) != 0)
        return 0;
    return TRACE(inside_remove(root, path));
}

static int remove_dhcpcd_lines(int root)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf without = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_read(root, DHCPCD_FILE, &text);
    const char *at = r == 0 ? strstr(buf_str(&text), dhcpcd_text) : NULL;

    if (r < 0)
        return TRACE(r);
    if (!at)
        return 0;
    buf_add(&without,
            (struct bytes){(const uint8_t *)buf_str(&text), (size_t)(at - buf_str(&text))});
    buf_adds(&without, at + strlen(dhcpcd_text));
    return TRACE(write_text(root, DHCPCD_FILE, &without, public_file));
}

/* What this step wrote when it ran before, perhaps for more adapters. */
static int remove_old(int root)
{
    static const char *const files[] = {NETPLAN_FILE, WAIT_FILE, HOOK_FILE, UDHCPC_FILE};
    int r = inside_remove_matching(root, MANAGER_FOLDER, "slipway-*.nmconnection");

    if (r == 0)
        r = inside_remove_matching(root, NETWORKD_FOLDER, "10-slipway-*.network");
    for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++)
        r = remove_own(root, files[i]);
    return r < 0 ? TRACE(r) : TRACE(remove_dhcpcd_lines(root));
}

static int write_each(int root,
                      const struct network_settings *s,
                      void (*put)(struct buf *, const struct network_settings *, size_t),
                      const char *before,
                      const char *after,
                      struct inside_mode mode)
{
    for (size_t i = 0; i < s->n_adapters; i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
        OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
        int r;

        buf_addf(&path, "%s%zu%s", before, i, after);
        put(&text, s, i);
        r = write_text(root, buf_str(&path), &text, mode);
        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* With nobody who keeps resolv.conf, it is written once: the addresses that were asked for, else what
   the boot image got by DHCP. */
static int write_resolv_conf(int root, const struct network_settings *s)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);

    if (!network_put_resolv_conf(&text, s)) {
        int r = file_read(s->boot_resolv_conf, &text);

        if (r < 0)
            return TRACE(r);
    }
    return text.len > 0 ? TRACE(write_text(root, "etc/resolv.conf", &text, public_file)) : 0;
}

/* With one entry for all adapters, one of them is enough to be online. */
static int write_waiter(int root, const struct network_settings *s)
{
    const char *program = find(root, waiter);
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);

    if (!program || s->n_adapters == 0 || s->adapters[0].mac[0] != '\0')
        return 0;
    buf_addf(&text, NETWORK_HEADER "[Service]\nExecStart=\nExecStart=%s --any\n", program);
    return TRACE(write_text(root, WAIT_FILE, &text, public_file));
}

static int write_networkd(int root, const struct network_settings *s)
{
    int r = write_each(
        root, s, network_put_networkd, NETWORKD_FOLDER "/10-slipway-", ".network", public_file);

    if (r == 0)
        r = write_waiter(root, s);
    if (r == 0)
        r = inside_link(root,
                        "etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
                        find(root, networkd));
    if (r < 0)
        return TRACE(r);
    if (!find(root, resolved))
        return TRACE(write_resolv_conf(root, s));
    r = inside_link(root,
                    "etc/systemd/system/multi-user.target.wants/systemd-resolved.service",
                    find(root, resolved));
    if (r == 0)
        r = inside_link(root, "etc/resolv.conf", "/run/systemd/resolve/stub-resolv.conf");
    return TRACE(r);
}

static bool has_dns_beside_dhcp(const struct network_settings *s)
{
    for (size_t i = 0; i < s->n_adapters; i++)
        if (s->adapters[i].is_dhcp && s->adapters[i].dns.n > 0)
            return true;
    return false;
}

/* The DHCP clients that ifupdown starts must leave resolv.conf as it is. */
static int keep_resolv_conf(int root)
{
    int r = 0;

    if (inside_exists(root, HOOK_FOLDER))
        r = inside_write(root, HOOK_FILE, bytes_of(hook_text), public_file);
    if (r == 0 && inside_exists(root, "usr/share/udhcpc") && !inside_exists(root, UDHCPC_FILE))
        r = inside_write(root, UDHCPC_FILE, bytes_of(udhcpc_text), public_file);
    if (r == 0 && inside_exists(root, DHCPCD_FILE)) {
        OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);

        r = inside_read(root, DHCPCD_FILE, &text);
        buf_adds(&text, dhcpcd_text);
        if (r == 0)
            r = write_text(root, DHCPCD_FILE, &text, public_file);
    }
    return TRACE(r);
}

static int write_ifupdown(int root, const struct network_settings *s)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r;

    network_put_ifupdown(&text, s, inside_exists(root, "lib/ifupdown"));
    r = write_text(root, INTERFACES_FILE, &text, public_file);
    if (r == 0 && has_dns_beside_dhcp(s))
        r = keep_resolv_conf(root);
    return r < 0 ? TRACE(r) : TRACE(write_resolv_conf(root, s));
}

static int write_netplan(int root, const struct network_settings *s)
{
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);

    network_put_netplan(&text, s);
    return TRACE(write_text(root, NETPLAN_FILE, &text, private_file));
}

int network_write(const char *root_path, const struct network_settings *s, const char **ret_how)
{
    OWN(fd_closep) int root = -1;
    int r = inside_open(root_path, &root);

    if (r == 0)
        r = remove_old(root);
    if (r < 0)
        return TRACE(r);
    if (inside_exists(root, "usr/sbin/netplan") && inside_exists(root, "etc/netplan")) {
        *ret_how = "netplan";
        return TRACE(write_netplan(root, s));
    }
    if (inside_exists(root, "usr/sbin/NetworkManager")) {
        *ret_how = "NetworkManager";
        return TRACE(write_each(root,
                                s,
                                network_put_manager,
                                MANAGER_FOLDER "/slipway-",
                                ".nmconnection",
                                private_file));
    }
    if (inside_exists(root, "sbin/ifup") || inside_exists(root, "usr/sbin/ifup")) {
        *ret_how = "ifupdown";
        return TRACE(write_ifupdown(root, s));
    }
    if (find(root, networkd)) {
        *ret_how = "systemd-networkd";
        return TRACE(write_networkd(root, s));
    }
    return NETWORK_WRITE_E_NONE;
}
