/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Restarting into the boot image from the disk, without asking the network
 *
 * The boot image's kernel and initrd are put below _SMSTaskSequence/boot on the volume, and the disk's
 * boot loader loads them while the switch is there. Works when the disk can boot (after Setup Windows
 * and Configuration Manager) or is a machine whose next network boot brings the boot image anyhow
 * (before it: then nothing needs preparing).
 */

#include "base/buf.h"

struct step_context;
struct step_target;

/* Outcomes beside 0 */
enum {
    RESTART_E_NO_BOOT_IMAGE = 1, /* the order names no boot image */
    RESTART_E_CONTENT = 2,       /* its files could not be fetched, or have the wrong hash */
    RESTART_E_NOT_BOOTABLE = 3,  /* the volume has no boot loader of ours */
    RESTART_SWITCHED_BACK = 4, /* of restart_to_boot_image_done(): this start came from the disk */
};

/**
 * restart_to_boot_image_prepare() - make this disk start the boot image, until its steps are done
 * @c:   its order gives the boot image's files, hashes and sources; in the full OS the volume is "/"
 * @why: on an outcome: a sentence for people
 *
 * The boot image gets the kernel arguments that it was booted with, without ticket; repeatable.
 */
int restart_to_boot_image_prepare(struct step_context *c, struct buf *why);

/* The same; but in the boot image, before the disk can boot, the next start comes from the network as this one did, and
   there is nothing to prepare. With TSUEFIDrive on a computer that started by BIOS, the boot image is also put there, so that a firmware
   that was switched to UEFI meanwhile finds it. */
int restart_prepare(struct step_context *c, struct buf *why);

/**
 * restart_to_boot_image_done() - the boot image's steps are done: the switch and the files are removed
 * @target: mounted
 *
 * Return: 0 if there were none; RESTART_SWITCHED_BACK; -errno.
 */
int restart_to_boot_image_done(const struct step_target *target);

/**
 * restart_keep_arguments() - remember on the volume with what arguments the boot image was started, so
 * that the full OS can start it again
 */
int restart_keep_arguments(void);
