/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The texts that make an installed Linux start: boot loader menus, file system table, service files
 */

#include "base/buf.h"
#include "base/bytes.h"

#define BOOT_MENU_FOLDER "/boot/slipway" /* on the root file system */
#define BOOT_ONCE_FILE   "/_SMSTaskSequence/boot/grub.cfg"

enum {
    BOOT_TEXT_MAX = 64 * 1024,
};

struct boot_kernel {
    const char *kernel;    /* "/boot/vmlinuz-6.1.0-56-amd64", on the root file system */
    const char *initrd;    /* "" if there is none */
    const char *root_uuid; /* of the root file system */
    const char
        *arguments; /* more of the kernel's command line: "console=ttyS0,115200"; may be "" */
    bool
        has_links; /* /vmlinuz and /initrd.img are links that the OS keeps pointing at its newest */
};

/**
 * boot_text_menu() - BOOT_MENU_FOLDER/grub.cfg
 *
 * Does, in this order, what is possible: the one restart into the boot image, if its file is there; the
 * menu that the OS makes itself (/boot/grub/grub.cfg); the OS's newest kernel; the one named here; any.
 */
void boot_text_menu(const struct boot_kernel *kernel, struct buf *ret);

/* EFI/debian/grub.cfg on the EFI system partition: find the root and go on with its menu. */
void boot_text_esp(const char *root_uuid, struct buf *ret);

/* The same on the FAT32 partition of TSUEFIDrive: BOOT_ONCE_FILE of that one, while it is there; else as above. */
void boot_text_staged(const char *uuid, const char *root_uuid, struct buf *ret);

/* BOOT_ONCE_FILE: load the boot image from the disk. @arguments: the kernel's command line. */
void boot_text_once(const char *arguments, struct buf *ret);

/**
 * boot_text_fstab() - the table of an image, made fit for this disk
 * @old: the image's /etc/fstab, may be empty
 * @esp_uuid: "" if there is no EFI system partition
 *
 * Comments, and what is on no disk (tmpfs, nfs, proc, bind mounts, swap files) stay. Entries for "/",
 * "/boot/efi", and for any device of the computer that the image was captured from go.
 */
void boot_text_fstab(struct bytes old,
                     const char *root_uuid,
                     const char *root_type,
                     const char *esp_uuid,
                     struct buf *ret);

/**
 * boot_text_arguments() - of a kernel command line, the words that an installed OS should have too
 *
 * The consoles: without them a machine that was installed over a serial line would fall silent.
 */
void boot_text_arguments(const char *cmdline, struct buf *ret);

/* The same line without what is for one start only (slipway.ticket, initrd, BOOT_IMAGE). */
void boot_text_again(const char *cmdline, struct buf *ret);

/* The service that goes on with the task sequence in the installed OS. */
const char *boot_text_systemd_unit(void);
const char *boot_text_openrc_script(void);
const char *boot_text_sysv_script(void);

/* The service that stays there when that is over. */
const char *boot_text_client_unit(void);
const char *boot_text_client_openrc_script(void);
const char *boot_text_client_sysv_script(void);
