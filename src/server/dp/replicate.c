/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The job replicate: get a content version from other distribution points, only what is not here yet
 */

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/log.h"
#include "rt/transfer/transfer.h"
#include "server/dp/boot_tree.h"
#include "server/dp/content_args.h"
#include "server/dp/content_store.h"
#include "server/dp/worker.h"
#include "store/store.h"

enum {
    SOURCES_MAX = 32,
    PATH_MAX_BYTES = 4096,
    WHY_MAX_BYTES = 4096,
    PERCENT = 100,
    PAST_MAX = 20, /* ten seconds of them */
    TELL_US = 500 * 1000,
    US_PER_S = 1000 * 1000,
    FLUSH_BYTES = 32 * 1024 * 1024, /* at most so much is fetched again after a kill, */
    FLUSH_US = 5 * 1000 * 1000,     /* and of a slow transfer at most that long */
    BAD_TOLD_MAX = 20,
    SOURCE_SHOWN_MAX = 300,
};

#define MIB (1024.0 * 1024.0)

struct wanted { /* a content of the version */
    const uint8_t *id;
    struct buf text;               /* owned; the manifest as it is */
    struct manifest manifest;      /* owned */
    struct manifest_pack *missing; /* owned */
    size_t n_missing;
    uint64_t missing_bytes; /* stored */
};

/* What had been fetched when the site was told the last times: packs come in one piece, so a rate needs a while. */
struct past {
    struct {
        uint64_t us;
        uint64_t bytes;
    } told[PAST_MAX];
    size_t n;
};

struct replicating {
    struct worker *worker;
    struct content_args args; /* owned */
    struct store *store;      /* owned */
    const char *sources[SOURCES_MAX];
    size_t n_sources;
    bool is_again;
    uint64_t reserve_bytes;
    _Atomic uint64_t rate_limit;
    struct wanted *wanted; /* owned; one for each manifest of the arguments */
    uint64_t fetched_bytes;
    uint64_t present_bytes;
    uint64_t missing_bytes;
    struct past past;
    uint64_t told_us;
    uint64_t flushed_us;
    uint64_t unflushed_bytes;
    json_t *bad; /* owned; sources that were wrong */
    bool is_too_full;
    int outcome; /* of the store, where it made the transfer end */
    struct transfer_report report;
};

static void replicating_fini(struct replicating *r)
{
    for (size_t i = 0; r->wanted && i < r->args.n_manifests; i++) {
        buf_fini(&r->wanted[i].text);
        manifest_fini(&r->wanted[i].manifest);
        free(r->wanted[i].missing);
    }
    free(r->wanted);
    store_free(r->store);
    content_args_fini(&r->args);
    json_decref(r->bad);
}

/* Return: bytes that may be used, as long as the reserve stays. */
static uint64_t find_room(const struct replicating *r)
{
    char path[PATH_MAX_BYTES];
    struct statvfs fs;
    uint64_t free_bytes;

    (void)snprintf(path, sizeof(path), "%s/dp/content", r->worker->state_folder);
    if (statvfs(path, &fs) != 0)
        return UINT64_MAX; /* the write will say what is wrong */
    free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
    return free_bytes > r->reserve_bytes ? free_bytes - r->reserve_bytes : 0;
}

static int fail_room(const struct replicating *r, uint64_t room)
{
    worker_fail("SLW-0313",
                "%s needs %.1f MiB more on this distribution point, but only %.1f MiB are free "
                "beside the %.1f MiB that must stay free.",
                r->args.package_id,
                (double)(r->missing_bytes - r->fetched_bytes) / MIB,
                (double)room / MIB,
                (double)r->reserve_bytes / MIB);
    return 1;
}

/* Return: bytes per second since the oldest time that is known. */
static uint64_t rate_since(struct past *past, uint64_t now_us, uint64_t bytes)
{
    size_t oldest = past->n < PAST_MAX ? 0 : past->n % PAST_MAX;
    uint64_t passed_us = past->n > 0 ? now_us - past->told[oldest].us : 0;
    uint64_t rate = passed_us > 0 ? (bytes - past->told[oldest].bytes) * US_PER_S / passed_us : 0;

    past->told[past->n % PAST_MAX].us = now_us;
    past->told[past->n % PAST_MAX].bytes = bytes;
    past->n++;
    return rate;
}

static bool on_progress(void *ctx, const struct transfer_progress *progress)
{
    struct replicating *r = ctx;
    uint64_t now = clock_monotonic_us();
    unsigned percent = 0;
    char message[160];

    (void)progress;
    r->rate_limit = worker_rate_limit(r->worker);
    if (now - r->told_us < TELL_US)
        return true;
    r->told_us = now;
    if (find_room(r) == 0) {
        r->is_too_full = true;
        return false;
    }
    if (r->missing_bytes > 0)
        percent = (unsigned)(r->fetched_bytes * PERCENT / r->missing_bytes);
    (void)snprintf(message,
                   sizeof(message),
                   "%.1f of %.1f MiB fetched, %.1f MiB were there",
                   (double)r->fetched_bytes / MIB,
                   (double)r->missing_bytes / MIB,
                   (double)r->present_bytes / MIB);
    worker_tell_rate(r->worker,
                     percent < PERCENT ? percent : PERCENT - 1,
                     message,
                     rate_since(&r->past, now, r->fetched_bytes));
    return true;
}

static void on_bad_source(void *ctx, const struct transfer_bad *bad)
{
    struct replicating *r = ctx;
    char source[SOURCE_SHOWN_MAX];

    (void)log_escape(source, sizeof(source), bad->source, strlen(bad->source));
    log_warning("dp: a source was wrong",
                "source=\"%s\" what=\"%s\" fault=%s",
                source,
                bad->what,
                transfer_fault_text(bad->fault));
    if (json_array_size(r->bad) < BAD_TOLD_MAX)
        (void)json_array_append_new(r->bad,
                                    json_pack("{s:s, s:s, s:s}",
                                              "source",
                                              bad->source,
                                              "what",
                                              bad->what,
                                              "fault",
                                              transfer_fault_text(bad->fault)));
}

static int read_args(struct replicating *r)
{
    const json_t *args = r->worker->args;
    const json_t *sources = json_object_get(args, "sources");
    const json_t *reserve = json_object_get(args, "reserve_bytes");
    const json_t *limit = json_object_get(args, "rate_limit_bytes_per_s");
    int outcome = content_args_read(args, &r->args);

    if (outcome != 0)
        return outcome < 0 ? TRACE(outcome) : 1;
    for (size_t i = 0; i < json_array_size(sources) && i < SOURCES_MAX; i++) {
        const char *url = json_string_value(json_array_get(sources, i));

        if (url && strncmp(url, "http://", 7) == 0)
            r->sources[r->n_sources++] = url;
    }
    r->is_again = json_is_true(json_object_get(args, "is_again"));
    if (json_is_integer(reserve) && json_integer_value(reserve) > 0)
        r->reserve_bytes = (uint64_t)json_integer_value(reserve);
    if (json_is_integer(limit) && json_integer_value(limit) > 0)
        r->worker->rate_limit = (uint64_t)json_integer_value(limit);
    r->rate_limit = r->worker->rate_limit;
    if (r->n_sources == 0 || r->args.n_manifests == 0) {
        worker_fail("SLW-0316", "The job names no source or no content to copy.");
        return 1;
    }
    r->bad = json_array();
    r->wanted = calloc(r->args.n_manifests, sizeof(*r->wanted));
    if (!r->wanted || !r->bad)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < r->args.n_manifests; i++) {
        r->wanted[i].id = r->args.manifests[i];
        r->wanted[i].text = BUF_INIT(MANIFEST_TEXT_MAX);
    }
    return 0;
}

static int fail_transfer(const struct replicating *r, int outcome)
{
    if (r->is_too_full)
        return fail_room(r, 0);
    if (outcome == TRANSFER_E_CONSUMER && r->outcome == STORE_E_FULL) {
        worker_fail("SLW-0303", "The content store is full. What was fetched is kept.");
        return 1;
    }
    worker_fail(outcome == TRANSFER_E_UNREACHABLE ? "SLW-0302" : "SLW-0301",
                "%s could not be copied: %s",
                r->args.package_id,
                r->report.why);
    return 1;
}

/* The one that is here, if it is good; otherwise from a source. */
static int load_manifest(struct replicating *r, struct transfer *transfer, struct wanted *w)
{
    char path[STORE_PATH_MAX];
    int outcome = store_get_manifest(r->store, w->id, &w->manifest);

    if (outcome < 0)
        return TRACE(outcome);
    if (outcome == 0) {
        store_manifest_path(r->store, w->id, path);
        outcome = file_read(path, &w->text);
        return outcome < 0 ? TRACE(outcome) : 0;
    }
    outcome = transfer_get_manifest_text(transfer, w->id, &w->text);
    if (outcome != 0)
        return outcome < 0 ? TRACE(outcome) : fail_transfer(r, outcome);
    outcome = manifest_parse(buf_bytes(&w->text), &w->manifest);
    if (outcome < 0)
        return TRACE(outcome);
    if (outcome > 0) {
        worker_fail("SLW-0301", "A manifest of %s is no manifest.", r->args.package_id);
        return 1;
    }
    return 0;
}

/* What is not here, or is to be fetched again. */
static int find_missing(struct replicating *r, struct wanted *w)
{
    const struct manifest *m = &w->manifest;

    w->missing = calloc(m->n_packs + 1, sizeof(*w->missing));
    if (!w->missing)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < m->n_packs; i++) {
        if (!r->is_again && store_has_pack(r->store, &m->packs[i])) {
            r->present_bytes += m->packs[i].stored_bytes;
            continue;
        }
        w->missing[w->n_missing++] = m->packs[i];
        w->missing_bytes += m->packs[i].stored_bytes;
    }
    r->missing_bytes += w->missing_bytes;
    return 0;
}

/* What is flushed is not fetched again, whatever happens. Return: as store_flush(). */
static int flush_if_due(struct replicating *r)
{
    uint64_t now = clock_monotonic_us();
    int outcome;

    if (r->unflushed_bytes < FLUSH_BYTES && now - r->flushed_us < FLUSH_US)
        return 0;
    outcome = store_flush(r->store);
    r->flushed_us = clock_monotonic_us();
    r->unflushed_bytes = 0;
    return outcome < 0 ? TRACE(outcome) : outcome;
}

static int take_pack(void *ctx, const struct transfer_piece *piece)
{
    struct replicating *r = ctx;
    int outcome = store_add_pack(r->store, piece->pack, piece->frame);

    if (outcome == 0) {
        r->fetched_bytes += piece->pack->stored_bytes;
        r->unflushed_bytes += piece->pack->stored_bytes;
        outcome = flush_if_due(r);
    }
    if (outcome < 0)
        return TRACE(outcome);
    r->outcome = outcome;
    return outcome > 0 ? 1 : 0;
}

static int fetch_packs(struct replicating *r, struct transfer *transfer, const struct wanted *w)
{
    OWN(freep) struct manifest_run *runs = calloc(w->n_missing + 1, sizeof(*runs));
    const struct transfer_job job = {
        .packs = w->missing,
        .n_packs = w->n_missing,
        .runs = runs,
        .n_runs = w->n_missing,
        .keeps_frames = true,
        .take = take_pack,
        .ctx = r,
    };
    int outcome;

    if (!runs)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < w->n_missing; i++)
        runs[i] = (struct manifest_run){(uint32_t)i, 0, w->missing[i].plain_bytes};
    outcome = w->n_missing > 0 ? transfer_packs(transfer, &job) : 0;
    if (outcome != 0)
        return outcome < 0 ? TRACE(outcome) : fail_transfer(r, outcome);
    return 0;
}

/* It becomes visible now, after all it needs. */
static int keep_manifest(struct replicating *r, const struct wanted *w)
{
    int outcome = store_add_manifest(r->store, buf_bytes(&w->text), w->id);

    if (outcome == 0)
        return 0;
    if (outcome < 0)
        return TRACE(outcome);
    if (outcome == STORE_E_FULL)
        worker_fail("SLW-0303", "The content store is full. What was fetched is kept.");
    else
        worker_fail("SLW-0301",
                    "Packs of %s were taken away while it was copied, because they were found "
                    "damaged. It is tried again by itself.",
                    r->args.package_id);
    return 1;
}

static int lay_out(struct replicating *r)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const struct boot_tree tree = {
        .state_folder = r->worker->state_folder,
        .package_id = r->args.package_id,
        .arch = r->args.boot_arch,
    };
    int outcome;

    if (!r->args.boot_arch)
        return 0;
    worker_tell(r->worker, PERCENT - 1, "Writing the boot files");
    outcome = boot_tree_lay_out(&tree, r->store, r->args.manifests[0], &why);
    if (outcome <= 0)
        return TRACE(outcome);
    worker_fail(outcome == BOOT_TREE_E_FULL ? "SLW-0313" : "SLW-0317",
                "The boot files of %s could not be written: %s.",
                r->args.package_id,
                buf_str(&why));
    return 1;
}

static int copy_all(struct replicating *r, struct transfer *transfer)
{
    uint64_t room;
    int outcome = 0;

    worker_tell(r->worker, 0, "Comparing with what is here");
    for (size_t i = 0; outcome == 0 && i < r->args.n_manifests; i++) {
        outcome = load_manifest(r, transfer, &r->wanted[i]);
        if (outcome == 0)
            outcome = find_missing(r, &r->wanted[i]);
    }
    room = find_room(r);
    if (outcome == 0 && !r->is_again && r->missing_bytes > room)
        return fail_room(r, room);
    for (size_t i = 0; outcome == 0 && i < r->args.n_manifests; i++) {
        outcome = fetch_packs(r, transfer, &r->wanted[i]);
        if (outcome == 0)
            outcome = keep_manifest(r, &r->wanted[i]);
    }
    return outcome == 0 ? lay_out(r) : TRACE(outcome);
}

static int run(struct replicating *r)
{
    OWN(transfer_freep) struct transfer *transfer = NULL;
    const struct transfer_options options = {
        .sources = r->sources,
        .n_sources = r->n_sources,
        .rate_limit_bytes_per_s = &r->rate_limit,
        .progress = on_progress,
        .bad_source = on_bad_source,
        .ctx = r,
    };
    int outcome = transfer_new(&options, &r->report, &transfer);

    return outcome == 0 ? TRACE(copy_all(r, transfer)) : TRACE(outcome);
}

int worker_replicate(struct worker *worker)
{
    OWN(replicating_fini) struct replicating r = {.worker = worker};
    int outcome = read_args(&r);

    if (outcome == 0)
        outcome = content_store_open(worker, true, &r.store);
    if (outcome == 0)
        outcome = run(&r);
    if (outcome != 0)
        return outcome < 0 ? TRACE(outcome) : 0;
    return TRACE(worker_succeed(json_pack("{s:I, s:I, s:O}",
                                          "fetched_bytes",
                                          (json_int_t)r.fetched_bytes,
                                          "present_bytes",
                                          (json_int_t)r.present_bytes,
                                          "bad_sources",
                                          r.bad)));
}
