/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The .zip that Configuration Manager's console exports task sequences into, and imports them from
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "ts/export_kind.h"

struct ts_document;

/* What a sequence refers to, so that whoever imports it knows what to look for. */
struct ts_export_reference {
    enum ts_export_kind kind;
    const char *id;
    const char *name;
    const char *version; /* "" if it has none */
};

/* All borrowed. */
struct ts_export {
    const char *id; /* "SLP00003": a folder's name in the file, so only letters and digits */
    const char *name;
    const char *description;
    const char *boot_image_id; /* "": none */
    bool is_disabled;
    const char *object; /* its template (ts/object.h); NULL or "": it has none */
    const struct ts_document *doc;
    const struct ts_export_reference *references;
    size_t n_references;
};

/**
 * ts_container_put() - write it
 * @items: the first is what was asked for, the others are those that it runs
 * @ret:   appended to; its max bounds it. The same items always give the same bytes
 *
 * Return: 0 or -ENOMEM, which is also what a file is that does not fit.
 */
int ts_container_put(const struct ts_export *items, size_t n, struct buf *ret);
