/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Jobs that look after what is stored: validate, remove, collect
 */

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "server/dp/boot_tree.h"
#include "server/dp/content_args.h"
#include "server/dp/content_store.h"
#include "server/dp/worker.h"
#include "store/store.h"

enum {
    BAD_MAX = 1000, /* named; more are as bad */
    PERCENT = 100,
    GRACE_MAX_S = 10 * 365 * 24 * 60 * 60,
    US_PER_S = 1000 * 1000,
};

struct validating {
    struct worker *worker;
    json_t *bad; /* owned */
    uint64_t checked_bytes;
    size_t i;
    size_t n;
};

static void validating_fini(struct validating *v)
{
    json_decref(v->bad);
}

static void tell(void *ctx, uint64_t done_bytes, uint64_t all_bytes)
{
    struct validating *v = ctx;
    uint64_t part = all_bytes > 0 ? done_bytes * PERCENT / all_bytes : 0;
    unsigned percent = (unsigned)((v->i * PERCENT + part) / v->n);

    if (percent != v->worker->told_percent)
        worker_tell(v->worker, percent, "Reading every byte and comparing it with its hash");
}

/* @pack: NULL: the manifest itself */
static void add_bad(struct validating *v, const uint8_t *manifest, const uint8_t *pack)
{
    char manifest_text[SHA256_TEXT_MAX];
    char pack_text[SHA256_TEXT_MAX];

    if (json_array_size(v->bad) >= BAD_MAX)
        return;
    hex_put(manifest_text, (struct bytes){manifest, SHA256_BYTES});
    if (pack)
        hex_put(pack_text, (struct bytes){pack, SHA256_BYTES});
    (void)json_array_append_new(
        v->bad,
        json_pack("{s:s, s:s?}", "manifest", manifest_text, "pack", pack ? pack_text : NULL));
}

static int validate_one(struct validating *v, struct store *store, const uint8_t *id)
{
    const struct store_watch watch = {tell, v};
    OWN(store_validation_fini) struct store_validation found = {.n_bad = 0};
    int r = store_validate(store, id, &watch, &found);

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        add_bad(v, id, NULL);
    v->checked_bytes += found.checked_bytes;
    for (size_t i = 0; i < found.n_bad; i++)
        add_bad(v, id, found.bad[i].sha256);
    return 0;
}

int worker_validate(struct worker *worker)
{
    OWN(content_args_fini) struct content_args args = {.package_id = NULL};
    OWN(validating_fini) struct validating v = {.worker = worker, .bad = json_array()};
    OWN(store_freep) struct store *store = NULL;
    int r = v.bad ? content_args_read(worker->args, &args) : ERR(-ENOMEM);

    if (r == 0)
        r = content_store_open(worker, false, &store);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    v.n = args.n_manifests;
    for (; v.i < v.n; v.i++) {
        r = validate_one(&v, store, args.manifests[v.i]);
        if (r < 0)
            return TRACE(r);
    }
    return TRACE(worker_succeed(
        json_pack("{s:I, s:O}", "checked_bytes", (json_int_t)v.checked_bytes, "bad", v.bad)));
}

/* The manifests go; their packs with the next collection. One that is gone already is fine. */
int worker_remove(struct worker *worker)
{
    OWN(content_args_fini) struct content_args args = {.package_id = NULL};
    OWN(store_freep) struct store *store = NULL;
    struct boot_tree tree = {.state_folder = worker->state_folder};
    int r = content_args_read(worker->args, &args);

    if (r == 0)
        r = content_store_open(worker, false, &store);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    tree.package_id = args.package_id;
    tree.arch = args.boot_arch;
    if (args.boot_arch)
        r = boot_tree_remove(&tree);
    for (size_t i = 0; r == 0 && i < args.n_manifests; i++) {
        r = store_remove_manifest(store, args.manifests[i]);
        r = r == STORE_E_MISSING ? 0 : r;
    }
    return r < 0 ? TRACE(r) : TRACE(worker_succeed(json_object()));
}

static int fail_collection(int outcome, const struct store_collection *found)
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){found->bad_manifest, SHA256_BYTES});
    if (outcome == STORE_E_CORRUPT)
        worker_fail(
            "SLW-0362",
            "The manifest %s is damaged, so nobody knows what it needs: nothing was removed. "
            "Validate or distribute its content again.",
            name);
    else
        worker_fail(
            "SLW-0361",
            "Something is being added to the content store, so nothing was removed from it. "
            "It is tried again by itself.");
    return 0;
}

/* Those of the job's manifests that are old. Return: as store_drop_manifests(). */
static int drop_manifests(const json_t *args, struct store *store, uint64_t grace_us, size_t *ret_n)
{
    OWN(freep) uint8_t(*ids)[SHA256_BYTES] = NULL;
    const json_t *list = json_object_get(args, "manifests");
    size_t n = 0;
    int r;

    *ret_n = 0;
    if (json_array_size(list) == 0)
        return 0;
    r = content_args_read_manifests(list, &ids, &n);
    if (r < 0)
        return TRACE(r);
    return r > 0 ? 0 : store_drop_manifests(store, ids, n, grace_us, ret_n);
}

int worker_collect(struct worker *worker)
{
    OWN(store_freep) struct store *store = NULL;
    size_t n_dropped = 0;
    struct store_collection found = {.removed_packs = 0};
    json_int_t grace_s = 0;
    int r;

    if (json_unpack(worker->args, "{s:I}", "grace_s", &grace_s) != 0 || grace_s < 0 ||
        grace_s > GRACE_MAX_S) {
        worker_fail("SLW-0316", "The job to tidy up says no time of grace.");
        return 0;
    }
    r = content_store_open(worker, false, &store);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = drop_manifests(worker->args, store, (uint64_t)grace_s * US_PER_S, &n_dropped);
    if (r == 0)
        r = store_collect(store, (uint64_t)grace_s * US_PER_S, &found);
    if (r != 0)
        return r < 0 ? TRACE(r) : fail_collection(r, &found);
    return TRACE(worker_succeed(json_pack("{s:I, s:I, s:I}",
                                          "removed_manifests",
                                          (json_int_t)n_dropped,
                                          "removed_packs",
                                          (json_int_t)found.removed_packs,
                                          "removed_bytes",
                                          (json_int_t)found.removed_bytes)));
}
