/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A new WIM file of folders and of volumes of NTFS, an index each
 *
 * It is written once, from its beginning to its end, and never opened again: wimlib locks a file that it appends to, and
 * a file server that takes this for a lock of Windows lets nobody write there any more, us neither.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct folder_filter; /* image/folder_capture.h */

struct wim_create_volume {
    const char *source; /* a folder, or a file or device with an NTFS volume that is not mounted */
    const char *name;   /* of the index; the same name twice gets its number behind it */
    const char *description;            /* NULL: none */
    const struct folder_filter *filter; /* NULL: all of it */
};

struct wim_create_options {
    const struct wim_create_volume *volumes;
    size_t n_volumes;
    const char *version; /* in the XML of each index, as is the next; NULL: none */
    const char *creator;
    void (*tell)(void *ctx, uint64_t done_bytes); /* of what the indexes hold; from any thread */
    bool (*is_stopped)(void *ctx);
    void *ctx;
};

/* Outcomes beside 0; @why is a sentence but for the last */
enum {
    WIM_CREATE_E_SOURCE = 1, /* a volume cannot be read */
    WIM_CREATE_E_TARGET = 2, /* the file cannot be written */
    WIM_CREATE_E_STOPPED = 3,
};

/**
 * wim_create() - write the file
 * @target: replaced if it is there
 *
 * Owners, modes, links, devices and extended attributes of a folder are kept; of NTFS all that wimlib knows.
 *
 * Return: 0 when it is durable, an outcome, or -errno.
 */
int wim_create(const struct wim_create_options *options, const char *target, struct buf *why);
