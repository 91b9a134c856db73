/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "image/tree_import.h"
#include "server/dp/boot_tree.h"
#include "server/dp/content_store.h"
#include "server/dp/worker.h"
#include "store/intake.h"
#include "store/store.h"

enum {
    WHY_MAX_BYTES = 8192,
    FILE_MODE = 0644,
    FOLDER_MODE = 0755,
};

struct storing {
    struct intake *intake;
    int outcome; /* of the intake, if it stopped the reading */
};

static int take_entry(void *ctx, const struct manifest_entry *entry)
{
    struct storing *storing = ctx;
    struct manifest_entry plain = *entry;

    plain.mode = entry->kind == MANIFEST_FOLDER ? FOLDER_MODE : FILE_MODE;
    plain.mtime_ns = 0;
    storing->outcome = intake_entry(storing->intake, &plain);
    return storing->outcome;
}

static int take_bytes(void *ctx, struct bytes piece, unsigned percent)
{
    struct storing *storing = ctx;

    (void)percent;
    storing->outcome = intake_feed(storing->intake, piece);
    return storing->outcome;
}

static int fail(int outcome, const struct buf *why)
{
    if (outcome == STORE_E_FULL)
        worker_fail("SLW-0303", "The content store has no space left for the boot image.");
    else
        worker_fail("SLW-0317",
                    "The boot image cannot be taken into the content store: %s.",
                    why->len > 0 ? buf_str(why) : "its files are not such as a content can have");
    return 1;
}

int boot_tree_store(struct worker *worker, const char *folder, struct boot_tree_stored *ret)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(intake_freep) struct intake *intake = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct storing storing = {.outcome = 0};
    const struct tree_sink sink = {take_entry, take_bytes, &storing};
    int r = content_store_open(worker, true, &store);

    if (r != 0)
        return r < 0 ? TRACE(r) : 1;
    r = intake_new(store, MANIFEST_TREE, &intake);
    if (r < 0)
        return TRACE(r);
    storing.intake = intake;
    r = tree_import(folder, &sink, &why);
    if (r == TREE_E_CANCELLED && storing.outcome < 0)
        return TRACE(storing.outcome);
    if (r != 0)
        return r < 0 ? TRACE(r) : fail(storing.outcome, &why);
    r = intake_end(intake, ret->id);
    if (r != 0)
        return r < 0 ? TRACE(r) : fail(r, &why);
    ret->size_bytes = intake_counts(intake).size_bytes;
    ret->new_bytes = intake_counts(intake).new_bytes;
    return 0;
}
