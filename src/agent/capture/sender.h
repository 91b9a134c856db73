/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The stream of a capture goes to the site: cut, hashed, asked for, what is new compressed and sent
 *
 * Who reads writes into the sender's own memory, and says where units end; it is cut in that thread. Everything else is
 * done by others: each takes a batch of chunks, hashes them, asks the site which of them it has, and fills
 * packs with the rest. So many work at once as there are processors, 4 at most; two more threads wait for the site
 * meanwhile, each on a connection of its own. Memory: 8 MiB for each batch, and for each thread a batch and about
 * 20 MiB more; with 4 processors 190 MiB.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/capture/site_call.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "rt/http_client.h"

enum {
    SENDER_ROOM_MAX = 4 * 1024 * 1024,
};

struct sender;

struct sender_options {
    struct http_client_options http;
    bool (*is_stopped)(void *ctx); /* may be NULL; called by any thread */
    void *ctx;
    unsigned n_processors; /* 0: as many as there are */
};

struct sender_counts {
    uint64_t n_chunks;   /* of the stream */
    uint64_t size_bytes; /* of the stream */
    uint64_t new_bytes;  /* plain bytes of chunks that the site did not have */
    uint64_t sent_bytes; /* compressed */
    unsigned n_processors;
    unsigned n_threads;
    uint64_t wall_us;      /* from the first byte to the last answer */
    uint64_t full_us;      /* the reader waited for room */
    uint64_t work_us;      /* of all threads together: hashing, compressing */
    uint64_t site_us;      /* waiting for the site */
    uint64_t idle_us;      /* waiting for something to be read */
    uint64_t processor_us; /* waiting for a processor */
};

/* Outcomes of the functions below beside 0 */
enum {
    SENDER_E_FAILED = 1,  /* sender_why() says what the site said */
    SENDER_E_STOPPED = 2, /* is_stopped() said so */
    SENDER_E_LOST =
        3, /* the site has lost something that it had taken: begin anew, little is sent again */
    SENDER_E_LARGE = 4, /* more chunks than a recipe may have */
};

/* Start the threads. */
int sender_new(const struct sender_options *options, struct sender **ret);

/* What is not sent yet is dropped. */
void sender_free(struct sender *sender);
DEFINE_FREEP(struct sender *, sender_free);

/**
 * sender_room() - where the next bytes of the unit are to be written; waits for it
 * @n: 1..SENDER_ROOM_MAX
 * @ret: @n bytes, borrowed until the next call
 */
int sender_room(struct sender *sender, size_t n, uint8_t **ret);

/* The first @n bytes of the room are the next ones of the stream. */
int sender_put(struct sender *sender, size_t n);

int sender_end_unit(struct sender *sender);

/* How many chunks there were so far; between two units. */
uint64_t sender_position(const struct sender *sender);

/**
 * sender_end() - wait until everything is sent, and the site has it for good
 * @ret: set even if it fails
 * @ret_rows: borrowed from the sender; the rows of a recipe, in the order in which the chunks were put
 */
int sender_end(struct sender *sender, struct sender_counts *ret, struct bytes *ret_rows);

/* On SENDER_E_FAILED; borrowed. */
const char *sender_why(const struct sender *sender);
