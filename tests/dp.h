/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A real HTTP server on a Unix socket, for tests: distribution points with content, and with faults
 *
 * All sources are one server, which tells them apart by their names: "http://dp0", "http://dp1"…
 * Connections stay open, each has a thread, and which request goes wrong in which way is up to the test.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/text.h"
#include "format/manifest/manifest.h"

enum {
    DP_SOURCES = 4,
    DP_CONNECTIONS_MAX = 512, /* at the same time */
    DP_FILES_MAX = 512,
    DP_PATH_MAX = 128,
};

enum dp_fault {
    DP_NONE,
    DP_CUT,      /* the connection ends without an answer */
    DP_TRUNCATE, /* it ends in the middle of one */
    DP_SHORT,    /* a whole answer, with half of the bytes */
    DP_LONG,     /* a whole answer, with more bytes than there are */
    DP_DAMAGE,   /* one bit is wrong */
    DP_STALL,    /* the first half comes, and then nothing until the test is over */
    DP_MISSING,  /* 404 */
    DP_BUSY,     /* 503 */
    DP_REDIRECT, /* 302 */
};

struct dp_file {
    char path[DP_PATH_MAX];
    struct buf body; /* owned */
};

struct dp {
    char root[64]; /* a folder of the test's own */
    char socket_path[96];
    const char *sources[DP_SOURCES];
    struct dp_file files[DP_FILES_MAX];
    size_t n_files;
    struct buf content;       /* owned; what the manifest describes */
    struct manifest manifest; /* owned */
    uint8_t manifest_id[SHA256_BYTES];
    _Atomic unsigned n_requests[DP_SOURCES];
    _Atomic unsigned n_proxied; /* of them, asked for as of a proxy */
    _Atomic unsigned n_connections;
    _Atomic uint64_t pause_us; /* before each answer */
    _Atomic bool is_over;
    /* Which fault the @nth request (from 0) of @source for @path gets; called by the server's threads.
       NULL: none. */
    enum dp_fault (*fault)(void *ctx, unsigned source, const char *path, unsigned nth);
    void *ctx;
    pthread_mutex_t lock; /* guards the five below */
    pthread_t threads[DP_CONNECTIONS_MAX];
    int fds[DP_CONNECTIONS_MAX];
    _Atomic bool has_ended[DP_CONNECTIONS_MAX]; /* the place can be used again */
    size_t n_threads;
    struct dp_seen {
        char path[DP_PATH_MAX];
        unsigned n[DP_SOURCES];
    } seen[DP_FILES_MAX];
    struct dp_listener {
        struct dp *dp;
        int fd; /* -1: none */
        pthread_t thread;
    } listener, proxy;
};

/* Starts the server, with no content yet. From then on SIGPIPE is ignored, as in the agent: who fetches may go away. Owned by the
   caller, dp_stop(). NULL if it cannot. */
struct dp *dp_start(void);
void dp_stop(struct dp *dp);

/* The server is a proxy as well, on 127.0.0.1. Return: its port; 0 if it cannot. */
unsigned dp_start_proxy(struct dp *dp);

/**
 * dp_put_content() - content of so many packs, in order, some of them needed again later
 * @repeats: after each pack a part of an earlier one follows
 *
 * Sets content, manifest and manifest_id. The kind is MANIFEST_FILE.
 */
void dp_put_content(struct dp *dp, size_t n_packs, size_t pack_bytes, bool repeats);

/* The same, of these bytes, in packs of @pack_bytes. */
void dp_put_bytes(struct dp *dp, struct bytes content, size_t pack_bytes);

/* A tree of the manifest's own entries over @dp->content; replaces the manifest. */
void dp_put_tree(struct dp *dp, const struct manifest_entry *entries, size_t n_entries);

/* Serve the manifest as it is now; sets manifest_id. */
void dp_put_manifest(struct dp *dp);

void dp_put_file(struct dp *dp, const char *path, struct bytes body);

/* How often @path was asked for, at all sources. */
unsigned dp_count(struct dp *dp, const char *path);

/* How often the pack with this number was asked for. */
unsigned dp_count_pack(struct dp *dp, size_t pack);

/* "/content/packs/…" */
void dp_pack_path(const struct dp *dp, size_t pack, char ret[static DP_PATH_MAX]);
