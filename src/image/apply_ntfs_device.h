/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The device below libntfs-3g, with a memory of its own
 *
 * libntfs-3g reads and writes single records of 1 KiB, some twenty times for each file. Here they are kept in
 * blocks of 4 KiB, at most 64 MiB of them, and written in the order of their places, as few long writes. What
 * is long already goes past them. Until a flush what is on the disk is in no order that a file system could
 * be read from: whoever writes says so on the volume first.
 */

struct ntfs_device; /* of libntfs-3g */

/**
 * apply_ntfs_device_new() - a device for ntfs_device_mount(), which opens it
 * @path: a block device, which nobody else may have opened exclusively (as who mounts it does), or a file
 * @ret:  owned by the caller until it is mounted: ntfs_device_free(); then by the volume
 *
 * Its sync() is durable. A write that failed later than it was asked for makes every later call fail.
 *
 * Return: 0, or -ENOMEM.
 */
int apply_ntfs_device_new(const char *path, struct ntfs_device **ret);
