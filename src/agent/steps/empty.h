/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Emptying a volume but for what is protected
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct step_context; /* agent/steps/step.h */

enum {
    EMPTY_KEPT_MAX = 8,
};

struct empty_kept {
    struct buf paths[EMPTY_KEPT_MAX]; /* owned; below the root, "home/state" */
    size_t n;
};

/* Outcomes beside 0; @why says what */
enum {
    EMPTY_E_PATH =
        1, /* a protected folder lies behind a link or on another volume, or is no path */
    EMPTY_E_PRESENT = 2, /* something could not be removed */
    EMPTY_E_STOPPED = 3, /* the site has cancelled */
};

/* Release; may be called twice. Fits OWN(). */
void empty_kept_fini(struct empty_kept *kept);

/**
 * empty_keep() - protect a folder and all that is in it
 * @root: the volume
 * @path: as people write it: below @root or below "/"; "": none. A folder that is not there needs no protection
 *
 * Return: 0, EMPTY_E_PATH, or -errno.
 */
int empty_keep(struct empty_kept *kept, const char *root, const char *path, struct buf *why);

/* Bytes on the disk of all that is protected. */
uint64_t empty_kept_bytes(const struct empty_kept *kept, const char *root);

/**
 * empty_volume() - remove everything below @root that is not protected
 *
 * No symbolic link is followed, and nothing on another file system is touched: what is mounted there ends it.
 * Whatever interrupts it, it can be called again. How many files are gone is told by the step's progress(), which may also stop it.
 *
 * Return: 0 when it is durable, EMPTY_E_PRESENT, EMPTY_E_STOPPED, or -errno.
 */
int empty_volume(struct step_context *c,
                 const char *root,
                 const struct empty_kept *kept,
                 struct buf *why);
