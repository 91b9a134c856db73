/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the threads of a transfer share; only for the files of this folder
 */

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plat/checksum.h"
#include "rt/transfer/sources.h"
#include "rt/transfer/transfer.h"
#include "rt/transfer/window.h"

enum {
    /* Transfers at a time. On loopback and at 1 Gbit/s 1 to 8 were alike; more of them hide the way there and
       back: 4 packs of 1.3 MB fill 1 Gbit/s up to 40 ms. */
    LANES_BUSY = 4,
    LANES_SPARE = 2, /* more of them, for what another source is too slow for */
    LANES = LANES_BUSY + LANES_SPARE,
    UNPACKERS_MAX = 4,
    FAULTS_MAX = 64, /* not told yet; more are only counted */
    WHAT_MAX = 160,
    WAIT_MS = 200,
    US_PER_S = 1000 * 1000,
};

struct transfer {
    const struct transfer_options *options;
    struct transfer_report *report;
    struct transfer_progress progress;
    struct sources sources;
    CURL *curl;   /* owned; for whole files */
    CURLM *multi; /* owned; keeps the connections from job to job */
    uint64_t begun_us;
    uint64_t moved_us; /* when something last arrived or was delivered */
    uint64_t told_us;
    uint64_t told_bytes;
    bool is_cancelled;
};

struct lane {          /* one transfer under way; belongs to the network's thread */
    CURL *curl;        /* owned; made once, used again */
    struct slot *slot; /* NULL: idle */
    uint8_t *frame;    /* owned; as many bytes as the manifest says */
    size_t frame_cap;
    size_t frame_len;
    struct checksum *sum; /* owned; of what is kept, like the next */
    int fd;               /* -1: none */
    int error;            /* of a write, -errno */
    int source;
    uint64_t begun_us;
    bool is_second; /* another source is being asked for the same */
    bool is_too_long;
};

struct fault { /* to be told by the caller's thread */
    uint32_t pack;
    int source;
    enum transfer_fault fault;
};

struct engine {
    struct transfer *t;
    const struct transfer_job *job;
    const struct transfer_keeping
        *keeping; /* what comes is only kept, and the job's own functions are not used; or NULL */
    pthread_mutex_t lock;    /* guards all that follows, but what is said to be a thread's own */
    pthread_cond_t has_work; /* for those who unpack */
    pthread_cond_t has_news; /* for the caller */
    struct window window;
    struct fault faults[FAULTS_MAX];
    size_t n_faults;
    unsigned n_idle; /* threads that could unpack */
    bool is_stopping;
    int outcome;              /* 0 as long as all is well; the first one stays */
    struct lane lanes[LANES]; /* the network's */
    unsigned n_loading;       /* the network's */
    uint64_t pay_us;          /* the network's; with a rate limit, when the next may begin */
};

/* A handle with everything set but the URL and where the bytes go; owned by the caller. NULL: no memory */
CURL *transfer_new_curl(const struct transfer *t);

/* What became of a transfer by what curl says. Return: whether it is right; if not, @ret is set. */
bool transfer_judge(CURL *curl, CURLcode code, enum transfer_fault *ret);

/* Whether nothing has moved for too long. */
bool transfer_is_over(const struct transfer *t);

/* "http://a, http://b" */
void transfer_put_sources(const struct transfer *t, struct buf *dst);

/* "pack 0123…" */
void engine_put_what(const struct engine *e, uint32_t pack, char dst[static WHAT_MAX]);

/* With the lock held: a fault of a source, to be told. */
void engine_add_fault(struct engine *e,
                      const struct slot *slot,
                      int source,
                      enum transfer_fault fault);

/* With the lock held: a source was wrong about a slot's pack, which is due again. */
void engine_bad(struct engine *e, struct slot *slot, int source, enum transfer_fault fault);

/* With the lock held: a slot that is due, and for which nobody is left to be asked, is hopeless: what comes before
   it is still delivered. */
void engine_give_up(struct engine *e, struct slot *slot);

/* With the lock held: it ends like this, if nothing else ended it before. */
void engine_fail(struct engine *e, int outcome);

/* transfer_keep(): where the bytes of a lane go. All of them in the network's thread. Return: 0 or -errno. */
int keep_begin(const struct engine *e, struct lane *lane);
int keep_add(struct lane *lane, struct bytes piece);

/* All is there. Return: 0, 1 (it is not the pack), or -errno. */
int keep_end(const struct engine *e, struct lane *lane, const struct manifest_pack *pack);

/* Release what a lane had for it, and remove its file. */
void keep_fini(const struct engine *e, struct lane *lane);

/* Threads; @ctx is the engine */
void *network_run(void *ctx);
void *unpack_run(void *ctx);

/* Release what the network's thread had, after its end. */
void network_fini(struct engine *e);
