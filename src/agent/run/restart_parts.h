/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* What the files of restarting share; nobody else includes it */

#include <stdbool.h>

#include "agent/run/target.h"
#include "base/buf.h"

struct step_context;
struct step_target;

#define RESTART_BOOT_FOLDER "/" TARGET_STATE_FOLDER "/boot"

enum {
    RESTART_CMDLINE_MAX = 64 * 1024,
};

/**
 * restart_put_boot_image() - the boot image's kernel and initrd, and the menu that loads them, which comes last
 * @root: of the volume; they are put into RESTART_BOOT_FOLDER there
 *
 * Return: 0, an outcome of restart.h with @why, or -errno.
 */
int restart_put_boot_image(struct step_context *c, const char *root, struct buf *why);

/* Take them away, the menu first. @root: may have none. Return: 0, RESTART_SWITCHED_BACK, or -errno. */
int restart_take_boot_image(const char *root);

/* restart_uefi.c: this restart is to be one from BIOS to UEFI: TSUEFIDrive names where from. */
bool restart_uefi_is_wanted(const struct step_context *c);

/**
 * restart_uefi_stage() - the boot image on the partition of TSUEFIDrive, as UEFI starts it by itself
 *
 * Return: 0, an outcome of restart.h with @why, or -errno.
 */
int restart_uefi_stage(struct step_context *c, struct buf *why);

/* The boot image's steps are done, and it was started from there. Return: 0, RESTART_SWITCHED_BACK, or -errno. */
int restart_uefi_done(const struct step_target *target);
