/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Making a disk bootable by its firmware: GRUB behind a master boot record for BIOS, an entry in the
 * boot manager for UEFI
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    BOOT_SECTOR_BYTES = 512,
    BOOT_CORE_MAX = 1024 * 1024 - BOOT_SECTOR_BYTES, /* from the second sector to the first MiB */
};

/* Outcomes beside 0 */
enum {
    BOOT_E_BAD_GRUB = 1, /* boot.img or core.img is not what it should be */
    BOOT_E_NO_ROOM = 2,  /* core.img does not fit where it must go */
    BOOT_E_FIRMWARE = 3, /* the firmware took no boot entry: @why */
};

/**
 * boot_bios_prepare() - fit GRUB's two images for their place (pure)
 * @boot_sector: GRUB's boot.img; becomes the new first sector of the disk
 * @old_sector:  what is there now: its partition table and disk signature are kept
 * @core:        GRUB's core.img; told where its second sector lies
 * @core_lba:    where core.img will begin
 *
 * Return: 0 or BOOT_E_BAD_GRUB.
 */
int boot_bios_prepare(uint8_t boot_sector[static BOOT_SECTOR_BYTES],
                      const uint8_t old_sector[static BOOT_SECTOR_BYTES],
                      uint8_t *core,
                      size_t core_bytes,
                      uint64_t core_lba);

/**
 * boot_bios_install() - write GRUB to a disk: core image first, made durable, then the boot sector
 * @core_offset, @room: where core.img may lie, in bytes: behind the MBR, or GRUB's GPT partition
 */
int boot_bios_install(const char *disk,
                      const char *boot_img,
                      const char *core_img,
                      uint64_t core_offset,
                      uint64_t room);

/**
 * boot_efi_register() - a boot entry for a file on the EFI system partition, first in the boot order
 * @number: of the ESP on @disk
 * @description: an entry of the same name and partition is used again, and one whose partition is on no disk any more
 * @why: on BOOT_E_FIRMWARE: a sentence for people
 */
int boot_efi_register(
    const char *disk, size_t number, const char *description, const char *file, struct buf *why);
