/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * An image of the order is streamed over HTTP onto a volume, hash-checked, and never stored twice; or it is read from
 * the shelf it was downloaded to
 *
 * The step's thread fetches, and so tells how far it is; a second one writes. Each closes its end of the stream when it
 * is done, so neither can wait for the other for ever.
 */

#include <stdbool.h>

#include "agent/steps/step.h"

struct order_index;
struct shelf;

struct image_stream {
    struct step_context *c;
    const char *package_id;
    const struct order_index *image;
    const char *path;    /* a folder, or a device with an NTFS volume that is not mounted */
    const char *device;  /* what people call it */
    struct shelf *shelf; /* borrowed; NULL: it is streamed */
    bool may_lose;       /* what the file system has no place for is only logged */
};

/**
 * image_stream_run() - write it, and wait until it is on the disk
 *
 * Return: 0 with @ret a success or a failure, or -errno.
 */
int image_stream_run(const struct image_stream *stream, struct step_result *ret);
