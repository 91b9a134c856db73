/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Who this computer is: the inventory that the agent registers with (docs/protocol/client-api.md)
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum {
    MACHINE_TEXT_MAX = 128,
    MACHINE_NAME_MAX = 32,
    MACHINE_DISKS_MAX = 64,
    MACHINE_NICS_MAX = 64,
};

struct machine_disk {
    char name[MACHINE_NAME_MAX];   /* "vda", "nvme0n1" */
    char model[MACHINE_TEXT_MAX];  /* "" if unknown */
    char serial[MACHINE_TEXT_MAX]; /* "" if unknown */
    uint64_t size_bytes;
    uint32_t sector_bytes; /* logical */
    bool is_removable;     /* by its own word, on USB, or an SD card */
    char transport[8];     /* "nvme", "usb", "sata", "virtio", "mmc"; "scsi" for all others */
};

struct machine_nic {
    char name[MACHINE_NAME_MAX]; /* "eth0" */
    uint8_t mac[MAC_BYTES];
    char driver[MACHINE_NAME_MAX]; /* "virtio_net" */
    bool has_link;                 /* false also while the interface is down */
};

enum machine_tpm {
    MACHINE_TPM_NONE,
    MACHINE_TPM_1_2,
    MACHINE_TPM_2_0,
};

struct machine {
    char uuid
        [UUID_TEXT_MAX]; /* of SMBIOS; this and the next four are "" when the firmware gives none */
    char serial[MACHINE_TEXT_MAX];
    char manufacturer[MACHINE_TEXT_MAX];
    char model[MACHINE_TEXT_MAX];
    char asset_tag[MACHINE_TEXT_MAX];
    char cpu[MACHINE_TEXT_MAX];
    uint32_t n_cpus;
    bool is_64_bit; /* the processor, whatever runs on it */
    uint64_t memory_bytes;
    bool is_uefi;
    bool is_secure_boot;
    enum machine_tpm tpm;
    bool has_boot_mac;           /* it is known which interface booted: */
    uint8_t boot_mac[MAC_BYTES]; /* argument slipway.mac, or the EFI boot option that is running */
    struct machine_disk
        disks[MACHINE_DISKS_MAX]; /* ordered as Configuration Manager's disk numbers */
    size_t n_disks;
    struct machine_nic nics[MACHINE_NICS_MAX]; /* Ethernet with hardware behind it */
    size_t n_nics;
};

/**
 * machine_collect() - look at this computer
 * @ret: set on 0; disks ordered by where they are plugged in (sysfs' tree of buses, numbers as numbers), those
 *       that hold fixed media before removable ones, so that a disk has the same number at each start
 *
 * What cannot be read is left empty: an inventory is never refused. CD drives, loop devices, RAM disks,
 * device mapper and md devices are left out.
 *
 * Return: 0 or -errno.
 */
int machine_collect(struct machine *ret);

/* The same from a tree that holds sys/, proc/ and dev/ below @root; "" is this computer. */
int machine_collect_from(const char *root, struct machine *ret);

/* One disk of this computer, whatever it is: "vda". What cannot be read is left empty. */
void machine_read_disk(const char *name, struct machine_disk *ret);

/* Whether the disk of that name is still the one that was collected: serial, size, not removable. */
bool machine_has_disk(const struct machine_disk *disk);

/**
 * machine_to_json() - the inventory's fields of a registration: macs, boot_mac, smbios, firmware,
 * secure_boot, arch, cpu, n_cpus, memory_bytes, disks, nics, tpm
 * @ret: owned by the caller; ticket, environment, agent_version and boot_image are for the caller to add
 *
 * "boot_mac" is null when it is not known.
 */
int machine_to_json(const struct machine *machine, json_t **ret);

/**
 * machine_add_addresses() - "addresses" of each adapter: the IPv4 addresses that it has now, as "192.0.2.7/24"
 * @nics: of machine_to_json()
 */
int machine_add_addresses(json_t *nics);

/**
 * machine_argument() - the value of "name=value" on the kernel's command line
 * @name: "slipway.site"
 * @dst:  "" if it is not there or does not fit
 *
 * Return: whether it is there and fits. Of several the last counts, as for the kernel.
 */
bool machine_argument(const char *name, char *dst, size_t cap);
