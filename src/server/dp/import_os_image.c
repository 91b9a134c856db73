/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The job import-os-image: a WIM file that was uploaded becomes packs and a manifest per image
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "image/wim_import.h"
#include "server/dp/uploads.h"
#include "server/dp/worker.h"
#include "store/intake.h"
#include "store/store.h"

enum {
    PATH_MAX_BYTES = 4096,
    WHY_MAX_BYTES = 2048,
    MESSAGE_MAX = 128,
};

struct importing { /* one image on its way */
    struct worker *worker;
    struct intake *intake;
    size_t n_images;
    size_t i_image;
    int outcome; /* of the intake, if it stopped the stream */
};

static int feed(void *ctx, struct bytes piece, unsigned percent)
{
    struct importing *importing = ctx;
    size_t all = (importing->i_image * 100 + percent) / importing->n_images;
    unsigned shown = all < 99 ? (unsigned)all : 99;
    char message[MESSAGE_MAX];

    if (shown != importing->worker->told_percent) {
        (void)snprintf(message,
                       sizeof(message),
                       "Importing image %zu of %zu",
                       importing->i_image + 1,
                       importing->n_images);
        worker_tell(importing->worker, shown, message);
    }
    importing->outcome = intake_feed(importing->intake, piece);
    return importing->outcome;
}

/* Return: 0 with a last line written, or -errno. */
static int fail_intake(int outcome)
{
    if (outcome < 0)
        return TRACE(outcome);
    if (outcome == STORE_E_FULL)
        worker_fail("SLW-0303",
                    "The content store has no space left for the image. What was stored is kept, "
                    "so free some space and import it again.");
    else if (outcome == STORE_E_MISSING)
        worker_fail("SLW-0361",
                    "A validation found damaged content that the image shares, and took it away. "
                    "Import the image again.");
    else
        worker_fail("SLW-0304", "The image is larger than content may be (16 TiB).");
    return 0;
}

static int fail_wim(const struct buf *why)
{
    worker_fail("SLW-0304", "The file is not a usable WIM image: %s", buf_str(why));
    return 0;
}

static json_t *describe(const struct wim_image *image, uint64_t size, const uint8_t *manifest)
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){manifest, SHA256_BYTES});
    return json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:b}",
                     "index",
                     (json_int_t)image->index,
                     "name",
                     image->name,
                     "description",
                     image->description,
                     "arch",
                     image->arch,
                     "size_bytes",
                     (json_int_t)size,
                     "file_count",
                     (json_int_t)image->file_count,
                     "manifest",
                     name,
                     "has_unix_data",
                     (int)image->has_unix_data,
                     "is_windows",
                     (int)image->is_windows);
}

enum {
    IMPORT_E_TOLD = 1, /* it failed, and the last line is written */
};

static int store_stream(struct importing *importing,
                        struct wim_import *wim,
                        const struct wim_image *image,
                        uint8_t *ret_id)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct wim_sink sink = {feed, importing};
    int r = wim_import_stream(wim, image, &sink, &why);

    if (r < 0)
        return TRACE(r);
    if (r == WIM_IMPORT_E_BAD) {
        (void)fail_wim(&why);
        return IMPORT_E_TOLD;
    }
    r = r == 0 ? intake_end(importing->intake, ret_id) : importing->outcome;
    if (r == 0)
        return 0;
    r = fail_intake(r);
    return r < 0 ? TRACE(r) : IMPORT_E_TOLD;
}

/* Return: 0, IMPORT_E_TOLD, or -errno. */
static int import_image(struct importing *importing,
                        struct wim_import *wim,
                        struct store *store,
                        json_t *indexes)
{
    const struct wim_image *image = wim_import_get(wim, importing->i_image);
    OWN(intake_freep) struct intake *intake = NULL;
    uint8_t id[SHA256_BYTES];
    int r = intake_new(store, MANIFEST_OS_IMAGE_INDEX, &intake);

    if (r < 0)
        return TRACE(r);
    importing->intake = intake;
    r = store_stream(importing, wim, image, id);
    if (r != 0)
        return r < 0 ? TRACE(r) : IMPORT_E_TOLD;

    json_t *entry = describe(image, intake_counts(intake).size_bytes, id);

    return json_array_append_new(indexes, entry) == 0 ? 0 : ERR(-ENOMEM);
}

static int import_all(struct worker *worker, struct wim_import *wim, struct store *store)
{
    OWN(json_decrefp) json_t *indexes = json_array();
    struct importing importing = {.worker = worker, .n_images = wim_import_count(wim)};

    if (!indexes)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < importing.n_images; i++) {
        importing.i_image = i;

        int r = import_image(&importing, wim, store, indexes);

        if (r != 0)
            return r < 0 ? TRACE(r) : 0;
    }
    return TRACE(worker_succeed(json_pack("{s:O}", "indexes", indexes)));
}

/* Return: as uploads_find(), and the failure has been told. */
static int find_file(const struct worker *worker, struct buf *ret)
{
    const char *id = json_string_value(json_object_get(worker->args, "upload_id"));
    int r;

    if (!id) {
        worker_fail("SLW-0316", "The job names no upload.");
        return UPLOADS_E_MISSING;
    }
    r = uploads_find(worker->state_folder, id, ret);
    if (r == UPLOADS_E_MISSING)
        worker_fail(
            "SLW-0310", "The upload %s is not there (any more). Upload the file again.", id);
    if (r == UPLOADS_E_INCOMPLETE)
        worker_fail("SLW-0314", "The upload %s is not complete. Finish it, then import.", id);
    return r;
}

/* Return: 0, IMPORT_E_TOLD, or -errno. @ret: owned by the caller; ready to be added to */
static int open_store(const struct worker *worker, struct store **ret)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(buf_fini) struct buf root = BUF_INIT(PATH_MAX_BYTES);
    int r;

    buf_addf(&root, "%s/dp/content", worker->state_folder);
    r = store_new(buf_str(&root), &store);
    if (r == STORE_E_FORMAT) {
        worker_fail("SLW-0360",
                    "The content store is of another format. It belongs to another version of "
                    "Slipway, and nothing in it was touched.");
        return IMPORT_E_TOLD;
    }
    if (r == 0)
        r = store_begin(store);
    if (r < 0)
        return TRACE(r);
    if (r == STORE_E_BUSY) {
        worker_fail("SLW-0361", "The content store is being tidied up. Import the image again later.");
        return IMPORT_E_TOLD;
    }
    *ret = TAKE(store);
    return 0;
}

int worker_import_os_image(struct worker *worker)
{
    OWN(wim_import_freep) struct wim_import *wim = NULL;
    OWN(store_freep) struct store *store = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int r = find_file(worker, &path);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    worker_tell(worker, 0, "Reading the WIM file");
    r = wim_import_new(buf_str(&path), &wim, &why);
    if (r != 0)
        return r < 0 ? TRACE(r) : fail_wim(&why);
    r = open_store(worker, &store);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    return TRACE(import_all(worker, wim, store));
}
