/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The volume that is being made: mounting it, and finding it again after a restart
 */

#include <stdbool.h>
#include <stddef.h>

#include "agent/steps/step.h"
#include "base/buf.h"

struct machine;
struct machine_disk;

#define TARGET_STATE_FOLDER \
    "_SMSTaskSequence" /* below the root of the volume, docs/protocol/state.md */
#define TARGET_STATE_FILE TARGET_STATE_FOLDER "/state.json"

enum {
    TARGET_DEVICE_MAX = 64,
};

/* Outcomes beside 0 */
enum {
    TARGET_E_MISSING = 1, /* no such device, or no file system that the kernel can mount */
    TARGET_E_SEVERAL = 2, /* more than one volume could be meant */
};

/**
 * target_mount() - mount root_device at TARGET_ROOT and, if there is one, esp_device at TARGET_ESP
 *
 * The folders are made. A target that is mounted already stays as it is. File systems are found out by
 * what is on the device. Sets is_mounted.
 *
 * Return: 0, TARGET_E_MISSING or -errno.
 */
int target_mount(struct step_target *target);

/* Call @look for each partition of a disk ("vda") until it returns something else than TARGET_E_MISSING. Return: that. */
int target_each_partition(const char *disk, int (*look)(void *ctx, const char *device), void *ctx);

/**
 * target_settle() - what was written lives through a power cut from now on
 * @root: file systems on disks that are mounted there or below; "": all of them
 *
 * Those of other computers are left alone: a server that is away holds up nobody.
 */
int target_settle(const char *root);

/* Write everything out and unmount both; nothing happens if it is not mounted. */
int target_unmount(struct step_target *target);

/**
 * target_move() - another volume becomes the target, and the state goes with it
 * @to: not mounted; is_mounted is set on 0
 *
 * The state is on the new volume, durably, before it goes from the old one. After a power cut between the two either is
 * good: the step that moves the target is begun again.
 *
 * Return: 0, TARGET_E_MISSING if the new volume cannot be mounted (the old one is mounted again), or -errno.
 */
int target_move(struct step_target *target, struct step_target *to);

/**
 * target_find_state() - look for TARGET_STATE_FILE on every partition of every fixed disk
 * @order_id: only a state of this order counts; NULL: any
 * @ret: set on 0: the disk, the volume and its ESP by the state's "target", not mounted
 * @ret_state: on 0 the text of the file is appended; its max bounds the size
 *
 * Each file system is mounted read-only, its journal replayed: after a power cut the newest state may
 * be in the journal only. A state counts if it names a disk with the serial and size of the disk that
 * it lies on; of several the one with the highest "seq", as a move from one volume to another may have been cut short.
 *
 * Return: 0, TARGET_E_MISSING if there is none, or -errno.
 */
int target_find_state(const struct machine *machine,
                      const char *order_id,
                      struct step_target *ret,
                      struct buf *ret_state);

/**
 * target_most_free() - the most room on one volume of a fixed disk that is not mounted
 *
 * Each is mounted read-only to look, NTFS is read as it lies there. What cannot be read has no room.
 *
 * Return: in bytes.
 */
uint64_t target_most_free(const struct machine *machine);

/**
 * target_find_windows() - an installed Windows on a fixed disk: the first, by the numbers of disks and partitions
 * @ret: "/dev/sda3"; "": there is none
 *
 * NTFS is read as it lies there. A volume counts if it has the kernel and the registry; one that BitLocker keeps locked has nothing.
 *
 * Return: whether there is one.
 */
bool target_find_windows(const struct machine *machine, char ret[static TARGET_DEVICE_MAX]);

/* The EFI system partition of @target's disk, if it has one that can be used. */
void target_find_esp(const struct machine_disk *disk, struct step_target *target);

/**
 * target_find_running() - the volume that "/" is, for the boot image to find it again
 * @ret: disk_serial, disk_size_bytes, root_uuid, esp_uuid and is_old; all empty if it is no partition of a fixed disk of @machine
 */
void target_find_running(const struct machine *machine, struct step_target *ret);

struct target_wish {    /* which volume; all empty: the only one with an operating system */
    const char *device; /* "/dev/vda2"; NULL: any */
    bool has_disk;
    size_t disk;      /* number of the disk, from 0 */
    size_t partition; /* of the partition, from 1; 0: any */
};

/**
 * target_find_system() - look for a volume of a fixed disk with an old Linux system
 * @ret: set on 0: the disk, the volume and the disk's EFI system partition, not mounted
 *
 * A volume counts if it has a file system that a state can lie on, and a folder etc and an os-release in it; links on
 * it are not followed. Each is mounted read-only, its journal replayed.
 *
 * Return: 0, TARGET_E_MISSING, TARGET_E_SEVERAL, or -errno.
 */
int target_find_system(const struct machine *machine,
                       const struct target_wish *wish,
                       struct step_target *ret);
