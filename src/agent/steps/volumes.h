/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The volumes that Format and Partition Disk has made, for the steps that name one: by a variable, a drive letter, or
 * the numbers of disk and partition
 *
 * They are kept in the engine's variables _OSDVolumes<n>... (docs/protocol/task-sequence.md), so they outlive a restart.
 * Windows PE would give each the next free letter; here a letter is only a name.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/steps/step.h"

struct machine;
struct ts_vars;

struct volume {
    char device[DEVICE_PATH_MAX]; /* "/dev/vda2" when it was made; volumes_locate() */
    char uuid[64];                /* of the file system; "" if it has none */
    uint64_t disk;                /* number among the computer's disks */
    char disk_serial[128];        /* "" if it has none */
    uint64_t partition;           /* number on the disk */
    char letter;                  /* 'C' to 'Z' without 'X'; 0: none was free, or it has none */
    bool has_data;                /* Apply Data Image has written to it */
};

/* Outcomes beside 0 */
enum {
    VOLUMES_E_NONE = 1, /* no such volume */
};

/* What was on a disk is there no more. Return: 0 or -errno. */
int volumes_forget(struct ts_vars *vars, uint64_t disk);

/**
 * volumes_add() - remember one more
 * @is_lettered: whether it gets a letter, which is then set in @volume
 */
int volumes_add(struct ts_vars *vars, struct volume *volume, bool is_lettered);

/* Number @i, from 0. Return: whether there is one. */
bool volumes_at(const struct ts_vars *vars, size_t i, struct volume *ret);

/* The volume with the same disk and partition is as @volume says. Return: 0, VOLUMES_E_NONE or -errno. */
int volumes_replace(struct ts_vars *vars, const struct volume *volume);

/**
 * volumes_next() - the next available one: lettered, with a file system, and without data yet
 * @target: its volumes, of the operating system and of the firmware, are not available
 */
int volumes_next(const struct ts_vars *vars, const struct step_target *target, struct volume *ret);

/**
 * volumes_find() - the volume that a text names
 * @name: a device's path ("/dev/vda2", as a VolumeLetterVariable holds it), or a drive ("C", "C:", "C:\")
 */
int volumes_find(const struct ts_vars *vars, const char *name, struct volume *ret);
int volumes_find_number(const struct ts_vars *vars,
                        uint64_t disk,
                        uint64_t partition,
                        struct volume *ret);

/**
 * volumes_locate() - where a volume is in this start of the computer, told by its file system's UUID
 * @volume: device is set anew
 *
 * Return: 0, VOLUMES_E_NONE if no fixed disk holds it, or -errno.
 */
int volumes_locate(const struct machine *machine, struct volume *volume);

/**
 * volumes_destination() - the volume that a step's destination names
 *
 * DestinationVariable, DestinationLogicalDrive, DestinationDisk with DestinationPartition, in this order.
 *
 * Return: 0 with @ret set and located; VOLUMES_E_NONE if the step names none: it then takes the next that is available;
 * or VOLUMES_E_NONE with @result as the failure; or -errno.
 */
int volumes_destination(struct step_context *c, struct volume *ret, struct step_result *result);

/**
 * volumes_take_target() - the operating system goes to this volume, if it was to go to another one
 * @volume: located
 *
 * The volume must have a file system that Linux can live on, and on a UEFI computer its disk an EFI system partition.
 *
 * Return: 0; VOLUMES_E_NONE with @result as the failure; or -errno.
 */
int volumes_take_target(struct step_context *c,
                        const struct volume *volume,
                        struct step_result *result);
