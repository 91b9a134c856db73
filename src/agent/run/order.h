/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The order: what the site wants done on this machine (docs/protocol/client-api.md)
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/text.h"

struct order_index { /* one image of an OS image package */
    uint32_t index;
    uint64_t size_bytes;
    uint8_t manifest[SHA256_BYTES];
    bool has_no_unix_data; /* nor the next: the site does not say, or there is no such obstacle */
    bool is_windows;
    bool is_of_64_bits; /* the system in it; false also if the site does not know */
};

struct order_file { /* a plain file of a boot image */
    char *name;     /* owned */
    uint64_t size_bytes;
    uint8_t sha256[SHA256_BYTES];
};

struct order_content {
    char *package_id;            /* owned, "SLP00002" */
    char *kind;                  /* owned, "os-image", "boot-image", "package" and others */
    char *name;                  /* owned */
    struct order_index *indexes; /* owned */
    size_t n_indexes;
    struct order_file *files; /* owned */
    size_t n_files;
    uint8_t manifest[SHA256_BYTES]; /* of a package's folder, if has_manifest */
    uint64_t size_bytes;            /* of the same */
    bool has_manifest;
    char **sources; /* owned; where this package is, the best first; see order_sources_of() */
    size_t n_sources;
    bool has_sources; /* the site said which; there may be none */
};

struct order_child { /* a task sequence that the order's own one runs, or one of those */
    char *id;        /* owned */
    char *xml;       /* owned */
    bool is_disabled;
};

/* When content gets to this computer, and where it is until it is used. */
enum order_content_option {
    ORDER_STREAM,               /* as it is used; an image is held nowhere */
    ORDER_DOWNLOAD_WHEN_NEEDED, /* before the step that uses it, onto the volume */
    ORDER_DOWNLOAD_ALL_FIRST,   /* before the first step */
    ORDER_CONTENT_OPTION_COUNT,
};

struct order {
    char *order_id; /* all owned */
    char *deployment_id;
    char *device_id;
    char *device_name;
    char *task_sequence_id;
    char *task_sequence_name;
    char *task_sequence_xml;
    struct order_child *children;
    size_t n_children;
    char *boot_image_id; /* package id of the boot image among the content; NULL if there is none */
    bool is_required;
    bool
        is_progress_shown; /* in an installed system where the sequence began; elsewhere it is in any case */
    enum order_content_option content_option;
    unsigned attempt;
    uint64_t deadline_us;
    uint64_t failed_wait_us;
    json_t *variables; /* owned; object of strings */
    char **secrets;    /* owned; names of variables whose values are never shown */
    size_t n_secrets;
    struct order_content *content;
    size_t n_content;
    char **sources; /* "http://10.77.0.1" */
    size_t n_sources;
    json_t *
        mirror; /* owned; the state that the site was told before (agent/run/mirror.h); NULL: none */
    json_t *raw; /* owned; as received, for the state on disk */
};

/* Outcome beside 0 */
enum {
    ORDER_E_MALFORMED = 1,
};

/**
 * order_parse() - check and copy what the site sent
 * @why: on ORDER_E_MALFORMED, which field is wrong
 */
int order_parse(const json_t *json, struct order **ret, struct buf *why);
void order_free(struct order *order);

/* Whether an operating system of the order is for processors of 32 bits, or may be; also if it has no image at all. */
bool order_has_32_bits(const struct order *order);

/* NULL if the order has no such package. */
const struct order_content *order_find_content(const struct order *order, const char *package_id);

/**
 * order_sources_of() - where a package is, the best first
 * @content: NULL: the order's own sources, which are also those of a package of which the site did not say
 * @ret:     borrowed
 *
 * Return: how many.
 */
size_t order_sources_of(const struct order *order,
                        const struct order_content *content,
                        const char *const **ret);
