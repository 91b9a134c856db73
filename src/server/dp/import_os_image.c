/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The job import-os-image: a WIM file, uploaded or on this host, becomes a manifest per image; a recipe, one
 */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "image/wim_import.h"
#include "server/dp/content_store.h"
#include "server/dp/import_recipe.h"
#include "server/dp/intake_job.h"
#include "server/dp/worker.h"
#include "store/intake.h"
#include "store/store.h"

enum {
    WHY_MAX_BYTES = 2048,
    MESSAGE_MAX = 128,
    LAST_PERCENT = 99, /* 100 is told with the result */
};

struct importing {
    struct worker *worker;
    struct wim_import *wim;
    struct store *store;
    bool is_wanted[WIM_MAX_IMAGES];
    struct intake *intakes[WIM_MAX_IMAGES]; /* owned; of those that are wanted */
    size_t n_images;                        /* that are wanted */
    size_t n_done;
    struct intake *intake; /* of the image that is being read; borrowed */
    uint64_t size_bytes;
    uint64_t new_bytes;
    int outcome; /* of the intake, if it stopped the stream */
};

static void importing_fini(struct importing *importing)
{
    for (size_t i = 0; i < WIM_MAX_IMAGES; i++)
        intake_free(importing->intakes[i]);
}

static int feed(void *ctx, struct bytes piece, unsigned percent)
{
    struct importing *importing = ctx;
    size_t all = (importing->n_done * 100 + percent) / importing->n_images;
    unsigned shown = all < LAST_PERCENT ? (unsigned)all : LAST_PERCENT;
    char message[MESSAGE_MAX];

    if (shown != importing->worker->told_percent) {
        (void)snprintf(message,
                       sizeof(message),
                       "Importing image %zu of %zu",
                       importing->n_done + 1,
                       importing->n_images);
        worker_tell(importing->worker, shown, message);
    }
    importing->outcome = intake_feed(importing->intake, piece);
    return importing->outcome;
}

static int cut(void *ctx)
{
    struct importing *importing = ctx;

    importing->outcome = intake_cut(importing->intake);
    return importing->outcome;
}

/* @outcome: of wim_import_new() or wim_import_stream() */
static int fail_wim(const struct intake_source *source, int outcome, const struct buf *why)
{
    switch (outcome) {
    case WIM_IMPORT_E_ENCRYPTED:
        worker_fail("SLW-0322",
                    "The file %s is encrypted. Decrypt it, or take the image from other media.",
                    buf_str(&source->name));
        break;
    case WIM_IMPORT_E_PART:
        worker_fail("SLW-0321",
                    "%s: a part of the split image is missing or cannot be used (%s). Import its "
                    "first part together with all the others.",
                    buf_str(&source->name),
                    buf_str(why));
        break;
    default:
        worker_fail("SLW-0304",
                    "The file %s is not a usable WIM image: %s",
                    buf_str(&source->name),
                    buf_str(why));
    }
    return INTAKE_JOB_E_TOLD;
}

static json_t *describe(const struct wim_image *image, uint64_t size, const uint8_t *manifest)
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){manifest, SHA256_BYTES});
    return json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:b, s:b}",
                     "index",
                     (json_int_t)image->index,
                     "name",
                     image->name,
                     "description",
                     image->description,
                     "arch",
                     image->arch,
                     "languages",
                     image->languages,
                     "default_language",
                     image->default_language,
                     "build",
                     image->build,
                     "edition",
                     image->edition,
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

/* Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int read_image(struct importing *importing, const struct intake_source *source, size_t i)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    struct wim_sink sink = {feed, cut, importing};
    int r = intake_new(importing->store, MANIFEST_OS_IMAGE_INDEX, &importing->intakes[i]);

    if (r < 0)
        return TRACE(r);
    importing->intake = importing->intakes[i];
    r = wim_import_stream(importing->wim, wim_import_get(importing->wim, i), &sink, &why);
    importing->n_done++;
    if (r == WIM_IMPORT_E_CANCELLED)
        return TRACE(intake_job_fail(importing->outcome, "the image"));
    return r <= 0 ? TRACE(r) : fail_wim(source, r, &why);
}

/* The image gets its manifest. Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int end_image(struct importing *importing, size_t i, json_t *indexes)
{
    struct intake *intake = importing->intakes[i];
    struct intake_counts counts = intake_counts(intake);
    uint8_t id[SHA256_BYTES];
    int r = intake_end(intake, id);

    if (r != 0)
        return TRACE(intake_job_fail(r, "the image"));
    importing->size_bytes += counts.size_bytes;
    importing->new_bytes += counts.new_bytes;
    return json_array_append_new(
               indexes, describe(wim_import_get(importing->wim, i), counts.size_bytes, id)) == 0
               ? 0
               : ERR(-ENOMEM);
}

/* No image gets a manifest before all were read: an image that is bad must leave nothing of the others. */
static int import_all(struct importing *importing, const struct intake_source *source)
{
    OWN(json_decrefp) json_t *indexes = json_array();
    size_t n = wim_import_count(importing->wim);
    int r = 0;

    if (!indexes)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < n && r == 0; i++)
        if (importing->is_wanted[i])
            r = read_image(importing, source, i);
    for (size_t i = 0; i < n && r == 0; i++)
        if (importing->is_wanted[i])
            r = end_image(importing, i, indexes);
    if (r != 0)
        return TRACE(r);
    return TRACE(worker_succeed(json_pack("{s:O, s:I, s:I}",
                                          "indexes",
                                          indexes,
                                          "size_bytes",
                                          (json_int_t)importing->size_bytes,
                                          "new_bytes",
                                          (json_int_t)importing->new_bytes)));
}

/* Mark the image with this number. Return: 0 or INTAKE_JOB_E_TOLD. */
static int want(struct importing *importing, const json_t *number)
{
    size_t n = wim_import_count(importing->wim);

    for (size_t i = 0; i < n; i++) {
        if (!json_is_integer(number) ||
            json_integer_value(number) != (json_int_t)wim_import_get(importing->wim, i)->index)
            continue;
        importing->n_images += importing->is_wanted[i] ? 0 : 1;
        importing->is_wanted[i] = true;
        return 0;
    }
    worker_fail("SLW-0323",
                "The file has no image with the index %" JSON_INTEGER_FORMAT ". It holds %zu.",
                json_integer_value(number),
                n);
    return INTAKE_JOB_E_TOLD;
}

/* "indexes" of the job; without it, all. */
static int choose_images(struct importing *importing)
{
    const json_t *indexes = json_object_get(importing->worker->args, "indexes");
    const json_t *number;
    size_t i;

    if (!indexes || json_array_size(indexes) == 0) {
        importing->n_images = wim_import_count(importing->wim);
        for (i = 0; i < importing->n_images; i++)
            importing->is_wanted[i] = true;
        return 0;
    }
    json_array_foreach(indexes, i, number)
    {
        int r = want(importing, number);

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

/* Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int open_wim(const struct intake_source *source, struct wim_import **ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int r;

    if (source->is_folder) {
        buf_adds(&why, "it is a folder");
        return fail_wim(source, WIM_IMPORT_E_BAD, &why);
    }
    r = wim_import_new(buf_str(&source->path), ret, &why);
    if (r <= 0)
        return TRACE(r);
    return fail_wim(source, r, &why);
}

int worker_import_os_image(struct worker *worker)
{
    OWN(intake_source_fini) struct intake_source source = INTAKE_SOURCE_INIT;
    OWN(wim_import_freep) struct wim_import *wim = NULL;
    OWN(store_freep) struct store *store = NULL;
    OWN(importing_fini) struct importing importing = {.worker = worker};
    int r = intake_job_find_source(worker, &source);

    if (r == 0)
        r = import_recipe(worker, &source);
    if (r != IMPORT_RECIPE_E_OTHER)
        return r < 0 ? TRACE(r) : 0;
    worker_tell(worker, 0, "Reading the WIM file");
    r = open_wim(&source, &wim);
    importing.wim = wim;
    if (r == 0)
        r = choose_images(&importing);
    if (r == 0)
        r = content_store_open(worker, true, &store);
    importing.store = store;
    if (r == 0)
        r = import_all(&importing, &source);
    return r < 0 ? TRACE(r) : 0;
}
