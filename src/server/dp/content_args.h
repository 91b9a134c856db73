/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the jobs that deal with content versions are told: {"package_id", "version", "manifests", "boot"}
 */

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/text.h"

enum {
    CONTENT_MANIFESTS_MAX = 4096, /* of a job */
};

struct content_args {
    const char
        *package_id; /* borrowed; letters, digits and '-' only, as the arch is: names of folders */
    const char *boot_arch;              /* borrowed; NULL: it is no boot image */
    uint8_t (*manifests)[SHA256_BYTES]; /* owned */
    size_t n_manifests;
};

void content_args_fini(struct content_args *args);

/**
 * content_args_read() - check a job's arguments
 * @args: borrowed for the life of @ret
 *
 * Return: 0; 1 if they are wrong, and then the failure has been told; or -ENOMEM.
 */
int content_args_read(const json_t *args, struct content_args *ret);

/* Only the names of manifests. @ret, @ret_n: owned array. Return: the same, and nothing is told. */
int content_args_read_manifests(const json_t *list, uint8_t (**ret)[SHA256_BYTES], size_t *ret_n);
