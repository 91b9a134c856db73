/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Getting content from distribution points over plain HTTP, every byte checked against its hash
 * (docs/protocol/content.md)
 *
 * A stream is never on a disk here: chunks come several at a time into a bounded window of memory, are
 * decompressed and checked, and leave in order. A connection that breaks, a distribution point that
 * restarts or stalls, is tried again with growing pauses until nothing has arrived for the whole of
 * give_up_us.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum {
    FETCH_WHY_MAX = 512,
    FETCH_GIVE_UP_S = 600,
};

struct fetch_progress {
    uint64_t done_bytes; /* plain, delivered */
    uint64_t total_bytes;
    uint64_t rate_bytes_per_s;
};

struct fetch_options {
    const char *const *sources; /* "http://10.77.0.1"; borrowed; the first is asked first */
    size_t n_sources;
    uint64_t give_up_us; /* 0: FETCH_GIVE_UP_S */
    const char
        *unix_socket; /* where a source on this host listens instead; NULL: it is on the network */
    /* Called a few times a second in the caller's thread, also while nothing arrives; false cancels.
       May be NULL. */
    bool (*progress)(void *ctx, const struct fetch_progress *progress);
    void *ctx;
};

/* Outcomes beside 0; the report says why */
enum {
    FETCH_E_CONTENT = 1,     /* SLW-0301: bytes were not what their name says, twice */
    FETCH_E_UNREACHABLE = 2, /* SLW-0302: nothing has arrived for give_up_us */
    FETCH_E_CANCELLED = 3,
    FETCH_E_CONSUMER = 4, /* nobody reads @out_fd any more */
};

struct fetch_report {
    char why[FETCH_WHY_MAX];  /* on an outcome: what, from where; "" otherwise */
    uint64_t received_bytes;  /* as they came, compressed */
    uint64_t elapsed_us;      /* all of it: the three below, and little else */
    uint64_t network_wait_us; /* the next chunk was not there yet */
    uint64_t check_us;        /* decompressing and hashing */
    uint64_t writer_wait_us;  /* the next chunk was there, and the reader of @out_fd was not */
    unsigned n_retries;       /* transfers that were made again */
};

/**
 * fetch_stream() - deliver a content in order
 * @manifest: its name
 * @size_bytes: of the content, from the order; a manifest that says otherwise is refused
 * @out_fd: a connected stream socket, whose other end is read by somebody who does not wait for us
 * @ret: always set
 *
 * Return: 0 when the last byte is in @out_fd; an outcome; or -errno.
 */
int fetch_stream(const struct fetch_options *options,
                 const uint8_t manifest[static SHA256_BYTES],
                 uint64_t size_bytes,
                 int out_fd,
                 struct fetch_report *ret);

struct fetch_file {
    const char *path; /* at the source: "/boot/SLP00001/x64/vmlinuz" */
    uint64_t size_bytes;
    const uint8_t *sha256; /* SHA256_BYTES */
};

/**
 * fetch_file() - download a plain file
 * @target: replaced atomically and durably once size and hash are right; mode 0644
 * @ret: always set
 *
 * Return: 0, FETCH_E_CONTENT, FETCH_E_UNREACHABLE, FETCH_E_CANCELLED, or -errno.
 */
int fetch_file(const struct fetch_options *options,
               const struct fetch_file *file,
               const char *target,
               struct fetch_report *ret);

/* What held the stream up most, as a sentence for people; borrowed for ever. */
const char *fetch_bound_by(const struct fetch_report *report);
