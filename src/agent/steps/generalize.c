/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/generalize.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "agent/steps/inside.h"
#include "agent/steps/inside_tree.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#define SSH_UNIT "etc/systemd/system/slipway-ssh-keys.service"

enum {
    FILE_MAX_BYTES = 1024 * 1024,
};

static const struct inside_mode public_file = {0644, 0, 0};

/* What is removed. */
struct rubbish {
    const char *folder;
    const char *pattern;
};

static const struct rubbish of_identity[] = {
    {"etc/ssh", "ssh_host_*_key"},
    {"etc/ssh", "ssh_host_*_key.pub"},
    {"etc/dropbear", "dropbear_*_host_key"},
    {"var/lib/dbus", "machine-id"},
    {"var/lib/systemd", "random-seed"},
    {"var/lib/urandom", "random-seed"},
};

static const struct rubbish of_system[] = {
    /* what says which computer it is, beside its identity */
    {"etc", "hostname"},
    {"etc/iscsi", "initiatorname.iscsi"},
    {"etc/nvme", "hostid"},
    {"etc/nvme", "hostnqn"},
    {"var/lib/systemd", "credential.secret"},
    /* leases and what the network said */
    {"var/lib/dhcp", "*"},
    {"var/lib/dhclient", "*"},
    {"var/lib/dhcpcd", "*"},
    {"var/lib/dhcpcd5", "*"},
    {"var/lib/NetworkManager", "*"},
    {"var/lib/systemd/network", "*"},
    /* settings that Apply Network Settings or cloud-init wrote for this computer */
    {"etc/systemd/network", "10-slipway-*"},
    {"etc/NetworkManager/system-connections", "slipway-*"},
    {"etc/NetworkManager/system-connections", "cloud-init-*"},
    {"etc/netplan", "90-slipway.yaml"},
    {"etc/netplan", "50-cloud-init.yaml"},
    {"etc/cloud/cloud.cfg.d", "99-slipway*"},
    {"etc/network/interfaces.d", "50-cloud-init*"},
    /* names that udev gave to the devices of this computer */
    {"etc/udev/rules.d", "70-persistent-net.rules"},
    {"etc/udev/rules.d", "70-persistent-cd.rules"},
    {"etc/udev/rules.d", "75-persistent-net-generator.rules"},
    {"etc/udev/rules.d", "75-cloud-ifupdown.rules"},
    /* cloud-init has not run */
    {"var/lib/cloud", "*"},
    /* logs that are kept besides the present ones */
    {"var/log/journal", "*"},
    {"var/log", "*.[0-9]"},
    {"var/log", "*.gz"},
    {"var/log", "*.xz"},
    {"var/log", "*.zst"},
    {"var/log", "*.old"},
    {"var/lib/systemd/coredump", "*"},
    {"var/crash", "*"},
};

static const struct rubbish of_client[] = {
    {"var/log/slipway", "*"},
    {"boot/grub", "grub.cfg.of-the-image"},
};

static int sweep(int root, const struct rubbish *rubbish, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int r = inside_remove_matching(root, rubbish[i].folder, rubbish[i].pattern);

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* Not every distribution makes host keys by itself. */
static int have_keys_made(int root)
{
    static const char unit[] = "# Written by Slipway\n[Unit]\nDescription=Make SSH host keys once\n"
                               "ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key\n"
                               "Before=ssh.service sshd.service\n\n"
                               "[Service]\nType=oneshot\nExecStart=/usr/bin/ssh-keygen -A\n\n"
                               "[Install]\nWantedBy=multi-user.target\n";
    int r;

    if (!inside_exists(root, "usr/bin/ssh-keygen") || !inside_exists(root, "usr/sbin/sshd"))
        return 0;
    r = inside_write(root, SSH_UNIT, bytes_of(unit), public_file);
    if (r == 0)
        r = inside_link(root,
                        "etc/systemd/system/multi-user.target.wants/slipway-ssh-keys.service",
                        "/" SSH_UNIT);
    return TRACE(r);
}

int generalize_identity(int root)
{
    /* empty: systemd makes one at the next start, and keeps it */
    int r = inside_write(root, "etc/machine-id", bytes_of(""), public_file);

    if (r == 0)
        r = sweep(root, of_identity, sizeof(of_identity) / sizeof(of_identity[0]));
    return r < 0 ? TRACE(r) : TRACE(have_keys_made(root));
}

/* The line with the computer's own name. */
static int clean_hosts(int root)
{
    OWN(buf_fini) struct buf old = BUF_INIT(FILE_MAX_BYTES);
    OWN(buf_fini) struct buf new = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_read(root, "etc/hosts", &old);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    for (const char *line = buf_str(&old); *line;) {
        size_t len = strcspn(line, "\n");

        len += line[len] == '\n' ? 1 : 0;
        if (strncmp(line, "127.0.1.1", strlen("127.0.1.1")) != 0)
            buf_add(&new, (struct bytes){(const uint8_t *)line, len});
        line += len;
    }
    if (new.failed || new.len == old.len)
        return new.failed ? ERR(-ENOMEM) : 0;
    return TRACE(inside_write(root, "etc/hosts", buf_bytes(&new), public_file));
}

/* Addresses that Apply Network Settings wrote; what a person wrote stays. */
static int clean_interfaces(int root)
{
    static const char plain[] = "auto lo\niface lo inet loopback\n";
    OWN(buf_fini) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r = inside_read(root, "etc/network/interfaces", &text);

    if (r != 0 || !strstr(buf_str(&text), "Slipway"))
        return r < 0 ? TRACE(r) : 0;
    return TRACE(inside_write(root, "etc/network/interfaces", bytes_of(plain), public_file));
}

int generalize_system(int root)
{
    int r = generalize_identity(root);

    if (r == 0)
        r = sweep(root, of_system, sizeof(of_system) / sizeof(of_system[0]));
    if (r == 0)
        r = inside_empty_files(root, "var/log");
    if (r == 0)
        r = clean_hosts(root);
    if (r == 0)
        r = clean_interfaces(root);
    return TRACE(r);
}

int generalize_client(int root)
{
    return TRACE(sweep(root, of_client, sizeof(of_client) / sizeof(of_client[0])));
}

const char *generalize_find_domain(int root)
{
    static const struct {
        const char *path;
        const char *what;
    } signs[] = {
        {"etc/krb5.keytab", "it has the key of a domain in /etc/krb5.keytab"},
        {"var/lib/samba/private/secrets.tdb", "Samba has joined it to a domain"},
        {"etc/ipa/default.conf", "it is enrolled in FreeIPA"},
    };

    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (inside_exists(root, signs[i].path))
            return signs[i].what;
    return NULL;
}
