/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of Format and Partition Disk: which disk, and which partitions; for agent/steps/format_disk.c
 */

#include <stdbool.h>
#include <stddef.h>

#include "agent/steps/step.h"
#include "format/disk/disk_layout.h"

struct machine_disk; /* agent/run/machine.h */

/**
 * format_choose_disk() - by the rules of the step if it has some, else by its number
 *
 * OSDDiskSerial, OSDDiskTransport, OSDDiskMinimumSize and OSDDiskMaximumSize are looked at before
 * OSDDiskIndexVariable, that before OSDDiskIndex. Of several disks that fit the rules OSDDiskPrefer takes one.
 *
 * Return: NULL with @result as the failure, or, if OSDDiskOptional is true and there is no such disk, with no
 * failure in @result.
 */
const struct machine_disk *format_choose_disk(struct step_context *c, struct step_result *result);

/**
 * format_plan() - the layout that the step's settings make on a disk
 * @is_for_os: an operating system is to live on this disk: there must be a volume for it and what the firmware starts
 *             from. The volume gets a file system of Linux, if it was to have NTFS
 *
 * Return: whether there is one; if not, @result is the failure.
 */
bool format_plan(struct step_context *c,
                 const struct machine_disk *disk,
                 bool is_for_os,
                 struct disk_layout *ret,
                 struct step_result *result);
