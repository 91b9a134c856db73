/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Getting content over plain HTTP from several sources at once, every byte checked against its hash
 * (docs/protocol/content.md)
 *
 *     OWN(transfer_freep) struct transfer *t = NULL;
 *     OWN(manifest_fini) struct manifest manifest = {0};
 *
 *     r = transfer_new(&options, &report, &t);
 *     r = transfer_get_manifest(t, id, &manifest);
 *     r = transfer_packs(t, &(struct transfer_job){...});
 *
 * One thread talks to the sources over a few connections that stay open, some threads decompress and
 * hash, and the caller's thread gets what is right, in order: three stages that overlap, within a bound
 * of memory. What a later part needs again is kept while there is room, what is needed soonest first.
 *
 * A source is asked as long as it gives. A pack that is missing or bad there is asked for at the next;
 * one that takes far too long is asked for at the next as well, and the first good answer counts. A
 * source that is broken, or often wrong, is left alone for a while. Only when every source has failed
 * twice for a pack, or when nothing has arrived for the whole of give_up_us, the transfer fails.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "base/text.h"
#include "format/manifest/manifest.h"

enum {
    TRANSFER_WHY_MAX = 1024,
    TRANSFER_GIVE_UP_S = 600,
    TRANSFER_WINDOW_BYTES = 64 * 1024 * 1024,
};

struct transfer;

/* Outcomes beside 0; the report says why */
enum {
    TRANSFER_E_CONTENT = 1,     /* SLW-0301: every source failed twice for the same thing */
    TRANSFER_E_UNREACHABLE = 2, /* SLW-0302: nothing has arrived for give_up_us */
    TRANSFER_E_CANCELLED = 3,
    TRANSFER_E_CONSUMER = 4, /* the caller's own function wants no more */
    TRANSFER_E_FULL = 5,     /* of transfer_keep(): no space left, or over quota */
};

struct transfer_progress {
    uint64_t done_bytes; /* plain, delivered */
    uint64_t total_bytes;
    uint64_t rate_bytes_per_s;
};

enum transfer_fault {
    TRANSFER_FAULT_MISSING, /* the source answered that it does not have it */
    TRANSFER_FAULT_DAMAGED, /* what came is not what its name says */
    TRANSFER_FAULT_BROKEN,  /* no connection, cut off, stalled, the server is in trouble */
    TRANSFER_FAULT_SLOW,    /* another one gave it in a fraction of the time */
    TRANSFER_FAULT_COUNT,
};

struct transfer_bad { /* borrowed, for the time of the call */
    const char *source;
    const char *what; /* "pack 0123…", "manifest 0123…", "/boot/…" */
    enum transfer_fault fault;
};

struct transfer_options {
    const char *const
        *sources; /* "http://10.77.0.1"; borrowed; best first; more than 32 are not asked */
    size_t n_sources;
    size_t n_shared;     /* the first so many are equally good and share the work; 0 is as 1 */
    uint64_t give_up_us; /* 0: TRANSFER_GIVE_UP_S */
    size_t window_bytes; /* of memory for packs, plain and compressed; 0: TRANSFER_WINDOW_BYTES */
    const char *unix_socket; /* where sources on this host listen instead; NULL: on the network */
    const char *proxy;       /* "http://proxy:3128"; NULL: none, whatever the environment says */
    const char *no_proxy;    /* "host,.domain,10.0.0.0/8" or "*"; NULL: nothing is excepted */
    const _Atomic uint64_t *rate_limit_bytes_per_s; /* may change at any time; NULL or 0: none */
    /* Called a few times a second in the caller's thread, also while nothing arrives; false cancels.
       May be NULL. */
    bool (*progress)(void *ctx, const struct transfer_progress *progress);
    /* Called in the caller's thread for each fault of a source; may be NULL. */
    void (*bad_source)(void *ctx, const struct transfer_bad *bad);
    /* Called by the unpacking threads, several at once, before the network is asked for @pack: true if
       its plain bytes were on this machine and are in @ret now. They are checked. May be NULL. */
    bool (*local)(void *local_ctx, const struct manifest_pack *pack, uint8_t *ret);
    /* Called in the caller's thread before the network is asked for a manifest: true if it is on this machine and in
       @ret now. It is checked. May be NULL. */
    bool (*local_manifest)(void *local_ctx, const uint8_t *id, struct buf *ret);
    /* The unpacking threads: what @local gave for @pack was wrong. May be NULL. */
    void (*local_bad)(void *local_ctx, const struct manifest_pack *pack);
    void *local_ctx;
    void *ctx; /* of the others */
};

struct transfer_stage {
    uint64_t bytes;
    uint64_t busy_us;    /* of all its threads together */
    uint64_t waiting_us; /* the same: with nothing to do, or nowhere to put it */
};

struct transfer_report {
    char why[TRANSFER_WHY_MAX]; /* on an outcome: what, from where; "" otherwise */
    uint64_t elapsed_us;
    struct transfer_stage network; /* bytes as they came, compressed */
    struct transfer_stage unpack;  /* plain */
    struct transfer_stage write;   /* delivered; busy: in the caller's function */
    uint64_t network_wait_us;      /* the next part was not there yet */
    uint64_t unpack_wait_us; /* the next part was there, but every unpacking thread was busy */
    uint64_t local_bytes;    /* plain, that were on this machine */
    size_t peak_bytes;       /* of the window */
    unsigned n_packs;        /* that came over the network, the same one twice counts twice */
    unsigned n_retries;      /* transfers that were made again */
    unsigned n_slow;         /* of them, because another source gave it sooner */
    const char
        *source; /* that was the last to give something; borrowed from the options; NULL: none */
};

/**
 * transfer_new() - begin
 * @options: borrowed until transfer_free(), like @report
 * @report: always set; complete after transfer_free()
 */
int transfer_new(const struct transfer_options *options,
                 struct transfer_report *report,
                 struct transfer **ret);
void transfer_free(struct transfer *t);
DEFINE_FREEP(struct transfer *, transfer_free);

/* For functions called by transfer_packs() that wait: tell people, if it is time.
   Return: false when they have cancelled. */
bool transfer_tell(struct transfer *t);

/* Of progress: what is to be delivered in all. */
void transfer_set_total(struct transfer *t, uint64_t total_bytes);

/* Delivered without being transferred. */
void transfer_add_done(struct transfer *t, uint64_t bytes);

struct transfer_taker {                         /* where the bytes of a whole file go */
    int (*begin)(void *ctx);                    /* from the start; 0 or -errno */
    int (*take)(void *ctx, struct bytes piece); /* 0; 1: more than there may be; or -errno */
    int (*end)(void *ctx);                      /* 0: right; 1: not what was asked for; or -errno */
    void *ctx;
};

/**
 * transfer_get() - one file, asked for again and again until it is right or hopeless
 * @path: of the URL
 * @what: for people, "manifest 0123…"
 *
 * Return: 0, TRANSFER_E_CONTENT, TRANSFER_E_UNREACHABLE, TRANSFER_E_CANCELLED, or -errno.
 */
int transfer_get(struct transfer *t,
                 const char *path,
                 const char *what,
                 const struct transfer_taker *taker);

/**
 * transfer_get_manifest_text() - a manifest, checked against its name
 * @ret: emptied first; its max bounds the length
 *
 * Return: as transfer_get().
 */
int transfer_get_manifest_text(struct transfer *t,
                               const uint8_t id[static SHA256_BYTES],
                               struct buf *ret);

/* The same, and parsed; one that is no manifest is TRANSFER_E_CONTENT. @ret: owned, manifest_fini() */
int transfer_get_manifest(struct transfer *t,
                          const uint8_t id[static SHA256_BYTES],
                          struct manifest *ret);

struct transfer_piece { /* a run, checked; borrowed, for the time of the call */
    size_t run;         /* its number in the job */
    const struct manifest_pack *pack;
    struct bytes plain; /* the run's bytes */
    struct bytes
        frame; /* the whole pack as it came; empty without keeps_frames, and if it was local */
};

struct transfer_job {
    const struct manifest_pack *packs; /* borrowed */
    size_t n_packs;
    const struct manifest_run *runs; /* borrowed; what is delivered, in this order */
    size_t n_runs;
    bool keeps_frames; /* a pack's compressed bytes are kept as long as its plain ones */
    /* Called in the caller's thread for one run after the other. It may take its time, and if that may
       be long, call transfer_tell() meanwhile. Return: 0, a positive number of its own, or -errno. */
    int (*take)(void *ctx, const struct transfer_piece *piece);
    void *ctx;
};

/**
 * transfer_packs() - deliver runs
 *
 * Return: 0 when all were taken; TRANSFER_E_CONTENT, TRANSFER_E_UNREACHABLE, TRANSFER_E_CANCELLED;
 *         TRANSFER_E_CONSUMER when @job->take returned a positive number; or -errno.
 */
int transfer_packs(struct transfer *t, const struct transfer_job *job);

struct transfer_kept { /* a pack that is in the folder now; borrowed, for the time of the call */
    const struct manifest_pack *pack;
    const char *source; /* whence it is */
};

struct transfer_keeping {
    const struct manifest_pack *packs; /* borrowed */
    size_t n_packs;
    int folder; /* borrowed descriptor; files that begin with ".part-" in it are the transfer's */
    /* Called in the caller's thread for one pack after the other, in their order. Return: 0, or -errno. */
    int (*take)(void *ctx, const struct transfer_kept *kept);
    void *ctx;
};

/**
 * transfer_keep() - download packs as they are stored, without using them
 *
 * Each becomes a file of the folder with the pack's name, mode 0600, written as it arrives and renamed when its
 * length and its checksum are those of the manifest; nothing is durable. That says that it came as it was stored, and
 * not yet that it is what its name says: whoever uses it finds that out. Next to no memory is used. Bytes are those of
 * the frames, also those of the progress.
 *
 * Return: 0, TRANSFER_E_CONTENT, TRANSFER_E_UNREACHABLE, TRANSFER_E_CANCELLED, TRANSFER_E_FULL, or -errno.
 */
int transfer_keep(struct transfer *t, const struct transfer_keeping *keeping);

/* Say why it failed; kept in the report. */
__attribute__((format(printf, 2, 3))) void
transfer_why(struct transfer *t, const char *format, ...);

enum transfer_bound {
    TRANSFER_BY_NETWORK,
    TRANSFER_BY_PROCESSOR,
    TRANSFER_BY_DISK, /* or whatever else the caller's function waits for */
};

/* What held it up most. */
enum transfer_bound transfer_bound_by(const struct transfer_report *report);

/* "missing", "damaged", "broken off", "slow"; borrowed for ever. */
const char *transfer_fault_text(enum transfer_fault fault);
