/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A .zip of an export that has content of packages beside its task sequences, without that content
 *
 * It may be of any size: only what describes task sequences and packages is unpacked, and what lies between is passed over.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct ts_diags;

enum {
    TS_SLIM_CONTENT_MAX =
        10000, /* files of content that leave their name; the others leave nothing */
    TS_SLIM_ENTRIES_MAX = 1000000,
};

struct ts_container_source {
    /* Bytes from @offset on. Return: how many, 0 at the end, or -errno. */
    int64_t (*read_at)(void *ctx, uint64_t offset, void *dst, size_t cap);
    void *ctx;
    uint64_t size_bytes;
};

/**
 * ts_container_slim() - the same .zip with files of content that are empty
 * @ret:   appended to; its max bounds it. ts_container_read() says the same of both
 * @diags: what was wrong, on TS_E_MALFORMED
 *
 * Return: 0, TS_E_MALFORMED (no .zip, damaged, or over a limit of ts_container_read()), or -errno; -ENOMEM is also what does not fit.
 */
int ts_container_slim(const struct ts_container_source *source,
                      struct buf *ret,
                      struct ts_diags *diags);
