/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A new WIM file of folders and of volumes of NTFS, an index each
 *
 * It is written in stages, each of them a volume or a part of one. Behind each stage the file is a WIM, durable, of the files up to there; the next
 * stage appends to it. What the last index lacks then is behind the limit of the stage: the same scan with a
 * further limit takes its place. The file is never locked (image/wim_lock.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct folder_filter; /* image/folder_capture.h */
struct wim_part;      /* image/wim_part.h */

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
    uint64_t stage_bytes; /* of files, before they are compressed; 0: WIM_CREATE_STAGE_BYTES */
    /* The file has got so far, durably. Of the thread that called. Return: 0 or -errno. NULL: nobody keeps it */
    int (*keep)(void *ctx, const struct wim_part *part);
    void *keep_ctx; /* for that */
};

#define WIM_CREATE_STAGE_BYTES (UINT64_C(8) << 30)

/* Outcomes beside 0; @why is a sentence but for the last */
enum {
    WIM_CREATE_E_SOURCE = 1, /* a volume cannot be read */
    WIM_CREATE_E_TARGET = 2, /* the file cannot be written */
    WIM_CREATE_E_STOPPED = 3,
    WIM_CREATE_E_CHANGED = 4, /* of wim_create_check(): the file is not what was kept of it */
};

/**
 * wim_create_check() - before wim_create() goes on: make the file what @part says, and compare all that is in it with its hashes
 * @options: tell, of what was read of the file, and is_stopped
 *
 * Return: 0, an outcome, or -errno.
 */
int wim_create_check(const struct wim_create_options *options,
                     const char *target,
                     const struct wim_part *part,
                     struct buf *why);

/**
 * wim_create() - write the file
 * @target: replaced if it is there
 * @part:   what wim_create_check() has found right; NULL: begin anew. All volumes are read again, and what the file has by its hash is not
 *          written again
 *
 * Owners, modes, links, devices and extended attributes of a folder are kept; of NTFS all that wimlib knows.
 *
 * Return: 0 when it is durable, an outcome, or -errno.
 */
int wim_create(const struct wim_create_options *options,
               const char *target,
               const struct wim_part *part,
               struct buf *why);
