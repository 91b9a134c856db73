/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of Capture Operating System Image: which volumes there are, and what of them is left out
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/steps/step.h"
#include "base/buf.h"

#define CAPTURE_PREPARED_VARIABLE "_SLWPreparedForCapture" /* "true": Prepare Windows for Capture */
#define CAPTURE_DONE_VARIABLE     "_SLWCaptured"           /* "true": this system was captured */

enum {
    CAPTURE_VOLUMES_MAX = 64,
    CAPTURE_FOLDER_MAX = 64,
    CAPTURE_NAME_MAX = 128,
};

struct capture_part {             /* a volume */
    char device[DEVICE_PATH_MAX]; /* "/dev/vda2" */
    char folder
        [CAPTURE_FOLDER_MAX]; /* where it is mounted read-only; "": it is read as a device (NTFS) */
    char name[CAPTURE_NAME_MAX]; /* of the index */
    bool is_os;
    uint64_t used_bytes; /* about; 0: not known */
};

struct capture_parts {
    struct capture_part list[CAPTURE_VOLUMES_MAX]; /* that with the operating system is the first */
    size_t n;
};

/**
 * capture_parts_find() - mount every volume of the fixed disks that can be captured
 * @target: if it is mounted, its root is the operating system's volume; else the first volume that has one is
 * @ret:    capture_parts_fini(), also if there is none with an operating system (n is 0 then)
 *
 * Left out: EFI system partitions, what has no file system that is known here, and removable disks.
 */
int capture_parts_find(struct step_context *c, struct capture_parts *ret);
void capture_parts_fini(struct capture_parts *parts);

/* Patterns of paths, with * and ? within a name. */
struct capture_exclusions {
    char *
        own; /* owned; those of the variable SLWCaptureExclusions, each ended with a NUL, an empty one behind */
    bool is_os;
};

/* @list: separated by ';' or line ends. */
int capture_exclusions_new(const char *list, bool is_os, struct capture_exclusions *ret);
void capture_exclusions_fini(struct capture_exclusions *exclusions);

/* For a struct folder_filter: @ctx is a struct capture_exclusions. */
bool capture_is_left_out(void *ctx, const char *path);
