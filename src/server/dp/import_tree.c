/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The job import-tree: a folder, a disc image or a file becomes a tree in the store
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "image/iso_import.h"
#include "image/tree_import.h"
#include "server/dp/content_store.h"
#include "server/dp/intake_job.h"
#include "server/dp/worker.h"
#include "store/intake.h"
#include "store/store.h"

enum {
    WHY_MAX_BYTES = 8192,
    LAST_PERCENT = 99, /* 100 is told with the result */
};

#define SPOOL_FOLDER "dp/staging"

struct importing {
    struct worker *worker;
    struct intake *intake;
    uint64_t n_files;
    struct buf path; /* of the entry that the intake did not take */
    int outcome;     /* of the intake, if it stopped the reading */
};

static int take_entry(void *ctx, const struct manifest_entry *entry)
{
    struct importing *importing = ctx;

    importing->n_files += entry->kind == MANIFEST_REGULAR ? 1 : 0;
    importing->outcome = intake_entry(importing->intake, entry);
    if (importing->outcome != 0)
        buf_adds(&importing->path, entry->path);
    return importing->outcome;
}

static int take_bytes(void *ctx, struct bytes piece, unsigned percent)
{
    struct importing *importing = ctx;
    unsigned shown = percent < LAST_PERCENT ? percent : LAST_PERCENT;

    if (shown != importing->worker->told_percent)
        worker_tell(importing->worker, shown, "Importing files");
    importing->outcome = intake_feed(importing->intake, piece);
    if (importing->outcome != 0 && importing->path.len == 0)
        buf_adds(&importing->path, "the content");
    return importing->outcome;
}

static bool is_named_iso(const struct intake_source *source)
{
    static const char end[] = ".iso";
    struct bytes name = buf_bytes(&source->name);

    if (name.len < sizeof(end) - 1)
        return false;
    return bytes_eq_nocase((struct bytes){name.ptr + name.len - (sizeof(end) - 1), sizeof(end) - 1},
                           end);
}

/* Return: as iso_import(), and TREE_E_CHANGED. */
static int read_source(const struct worker *worker,
                       const struct intake_source *source,
                       const struct tree_sink *sink,
                       struct buf *why)
{
    OWN(buf_fini) struct buf spool = BUF_INIT(INTAKE_JOB_PATH_MAX);
    const char *path = buf_str(&source->path);
    int r;

    if (source->is_folder)
        return TRACE(tree_import(path, sink, why));
    buf_addf(&spool, "%s/" SPOOL_FOLDER, worker->state_folder);
    r = iso_import(path, buf_str(&spool), sink, why);
    if (r != TREE_E_UNKNOWN || is_named_iso(source))
        return TRACE(r);
    buf_clear(why);
    return TRACE(tree_import_file(path, buf_str(&source->name), sink, why));
}

/* Return: INTAKE_JOB_E_TOLD or -errno. */
static int fail(const struct importing *importing,
                const struct intake_source *source,
                int outcome,
                const struct buf *why)
{
    const char *name = buf_str(&source->name);

    switch (outcome) {
    case TREE_E_CANCELLED:
        return TRACE(intake_job_fail(importing->outcome, buf_str(&importing->path)));
    case TREE_E_CHANGED:
        worker_fail("SLW-0327",
                    "\"%s\" was changed by somebody while it was imported. %s. Import it again.",
                    name,
                    buf_str(why));
        break;
    case TREE_E_FULL:
        worker_fail("SLW-0303", "There is no space left to unpack the disc image \"%s\".", name);
        break;
    case TREE_E_UNKNOWN:
        worker_fail("SLW-0326", "\"%s\" is no usable disc image: %s.", name, buf_str(why));
        break;
    default:
        worker_fail(source->is_folder ? "SLW-0320" : "SLW-0326",
                    "\"%s\" cannot be imported: %s.",
                    name,
                    buf_str(why));
    }
    return INTAKE_JOB_E_TOLD;
}

/* Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int take_all(struct importing *importing,
                    const struct intake_source *source,
                    uint8_t ret_id[static SHA256_BYTES])
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const struct tree_sink sink = {take_entry, take_bytes, importing};
    int r = read_source(importing->worker, source, &sink, &why);

    if (r < 0)
        return TRACE(r);
    if (r != 0)
        return TRACE(fail(importing, source, r, &why));
    r = intake_end(importing->intake, ret_id);
    return r == 0 ? 0 : TRACE(intake_job_fail(r, "the content"));
}

static int import(struct worker *worker, struct store *store, const struct intake_source *source)
{
    OWN(intake_freep) struct intake *intake = NULL;
    struct importing importing = {.worker = worker, .path = BUF_INIT(INTAKE_JOB_PATH_MAX + 1)};
    uint8_t id[SHA256_BYTES];
    char name[SHA256_TEXT_MAX];
    int r = intake_new(store, MANIFEST_TREE, &intake);

    if (r < 0)
        return TRACE(r);
    importing.intake = intake;
    r = take_all(&importing, source, id);
    buf_fini(&importing.path);
    if (r != 0)
        return TRACE(r);
    hex_put(name, (struct bytes){id, sizeof(id)});
    return TRACE(worker_succeed(json_pack("{s:s, s:I, s:I, s:I}",
                                          "manifest",
                                          name,
                                          "size_bytes",
                                          (json_int_t)intake_counts(intake).size_bytes,
                                          "file_count",
                                          (json_int_t)importing.n_files,
                                          "new_bytes",
                                          (json_int_t)intake_counts(intake).new_bytes)));
}

int worker_import_tree(struct worker *worker)
{
    OWN(intake_source_fini) struct intake_source source = INTAKE_SOURCE_INIT;
    OWN(store_freep) struct store *store = NULL;
    int r = intake_job_find_source(worker, &source);

    if (r == 0) {
        worker_tell(worker, 0, "Looking at the files");
        r = content_store_open(worker, true, &store);
    }
    if (r == 0)
        r = import(worker, store, &source);
    return r < 0 ? TRACE(r) : 0;
}
