/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/fetch.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "agent/fetch/pull.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "format/manifest/manifest.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/frame.h"

enum {
    SLOTS = 24,                          /* chunks between being asked for and being delivered */
    IN_FLIGHT = 8,                       /* of them on the network at a time */
    WINDOW_MAX_BYTES = 16 * 1024 * 1024, /* plain, in all slots; and as much compressed */
    MANIFEST_FETCH_MAX_BYTES = 64 * 1024 * 1024, /* of text: 200 GiB of content in usual chunks */
    WAIT_MS = 200,
    TRIES_WHEN_BAD = 2,
    CHUNK_PATH_MAX = 128,
};

enum slot_state {
    SLOT_FREE,
    SLOT_DUE, /* to be asked for, again or for the first time */
    SLOT_LOADING,
    SLOT_READY, /* plain bytes, checked */
};

struct slot {
    enum slot_state state;
    const struct manifest_chunk *chunk;
    CURL *curl;       /* owned; made once, used again */
    struct buf frame; /* owned; what came over the network */
    uint8_t *plain;   /* owned; chunk->size_bytes */
    const char *source;
    unsigned n_tries;
    unsigned n_bad;
};

struct stream {
    struct pull pull;
    struct manifest manifest; /* owned */
    CURLM *multi;             /* owned */
    struct slot slots[SLOTS]; /* chunk i is in slot i % SLOTS */
    size_t next_chunk;        /* the first that has no slot yet */
    size_t next_out;          /* the first that is not wholly delivered */
    size_t out_len;           /* bytes of it that are */
    size_t window_bytes;      /* plain bytes of the chunks in slots */
    unsigned n_loading;
    int out_fd;
};

static void stream_fini(struct stream *s)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *slot = &s->slots[i];

        if (slot->curl && slot->state == SLOT_LOADING)
            (void)curl_multi_remove_handle(s->multi, slot->curl);
        curl_easy_cleanup(slot->curl);
        buf_fini(&slot->frame);
        free(slot->plain);
    }
    (void)curl_multi_cleanup(s->multi);
    manifest_fini(&s->manifest);
    pull_fini(&s->pull);
}

static size_t on_frame(char *piece, size_t size, size_t n, void *ctx)
{
    struct slot *slot = ctx;

    buf_add(&slot->frame, (struct bytes){(const uint8_t *)piece, size * n});
    return slot->frame.failed ? 0 : size * n;
}

/* Give the next chunk a slot, if there is room. */
static bool take_slot(struct stream *s)
{
    struct slot *slot = &s->slots[s->next_chunk % SLOTS];

    if (s->next_chunk == s->manifest.n_chunks || slot->state != SLOT_FREE)
        return false;

    const struct manifest_chunk *chunk = &s->manifest.chunks[s->next_chunk];

    if (s->window_bytes > 0 && chunk->size_bytes > WINDOW_MAX_BYTES - s->window_bytes)
        return false;
    slot->state = SLOT_DUE;
    slot->chunk = chunk;
    slot->n_tries = 0;
    slot->n_bad = 0;
    s->window_bytes += chunk->size_bytes;
    s->next_chunk++;
    return true;
}

static int start_transfer(struct stream *s, struct slot *slot)
{
    char name[SHA256_TEXT_MAX];
    char path[CHUNK_PATH_MAX];

    if (!slot->curl)
        slot->curl = pull_new_transfer(&s->pull);
    if (!slot->curl)
        return ERR(-ENOMEM);
    hex_put(name, (struct bytes){slot->chunk->sha256, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/chunks/%.2s/%s", name, name);
    buf_fini(&slot->frame);
    slot->frame = BUF_INIT(frame_max_bytes(slot->chunk->size_bytes));
    slot->source = pull_aim(&s->pull, slot->curl, slot->n_tries++, path);
    if (!slot->source)
        return ERR(-ENAMETOOLONG);
    (void)curl_easy_setopt(slot->curl, CURLOPT_WRITEFUNCTION, on_frame);
    (void)curl_easy_setopt(slot->curl, CURLOPT_WRITEDATA, slot);
    (void)curl_easy_setopt(slot->curl, CURLOPT_PRIVATE, slot);
    if (curl_multi_add_handle(s->multi, slot->curl) != CURLM_OK)
        return ERR(-ENOMEM);
    slot->state = SLOT_LOADING;
    s->n_loading++;
    return 0;
}

/* The oldest first, because the stream waits for it. */
static int start_due(struct stream *s)
{
    while (take_slot(s))
        ;
    if (clock_monotonic_us() < s->pull.retry_at_us)
        return 0;
    for (size_t i = s->next_out; i < s->next_chunk && s->n_loading < IN_FLIGHT; i++) {
        struct slot *slot = &s->slots[i % SLOTS];
        int r = slot->state == SLOT_DUE ? start_transfer(s, slot) : 0;

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* Return: 0; 1 if the frame is not the chunk; or -errno. */
static int unpack(struct slot *slot)
{
    size_t size = slot->chunk->size_bytes;
    uint8_t is[SHA256_BYTES];
    int r;

    slot->plain = malloc(size);
    if (!slot->plain)
        return ERR(-ENOMEM);
    if (frame_unpack(buf_bytes(&slot->frame), size, slot->plain) != 0)
        return 1;
    r = digest_sha256((struct bytes){slot->plain, size}, is);
    if (r < 0)
        return TRACE(r);
    return memcmp(is, slot->chunk->sha256, sizeof(is)) == 0 ? 0 : 1;
}

static int check(struct stream *s, struct slot *slot)
{
    uint64_t begun_us = clock_monotonic_us();
    int r = unpack(slot);

    s->pull.report->check_us += clock_monotonic_us() - begun_us;
    s->pull.report->received_bytes += slot->frame.len;
    buf_fini(&slot->frame);
    if (r == 0) {
        slot->state = SLOT_READY;
        pull_moved(&s->pull);
        return 0;
    }
    free(slot->plain);
    slot->plain = NULL;
    return r < 0 ? TRACE(r) : PULL_REFUSED;
}

/* A chunk did not come, or is not what it should be. */
static int again(struct stream *s, struct slot *slot, int verdict)
{
    char name[SHA256_TEXT_MAX];

    slot->state = SLOT_DUE;
    hex_put(name, (struct bytes){slot->chunk->sha256, SHA256_BYTES});
    if (verdict == PULL_BROKEN) {
        pull_broke(&s->pull);
        pull_why(&s->pull, "no answer from %s while waiting for chunk %s", slot->source, name);
        return 0;
    }
    s->pull.report->n_retries++;
    slot->n_bad++;
    if (slot->n_bad < TRIES_WHEN_BAD)
        return 0;
    pull_why(&s->pull, "chunk %s is missing or damaged at %s", name, slot->source);
    return FETCH_E_CONTENT;
}

static int finish_transfer(struct stream *s, CURL *curl, CURLcode code)
{
    struct slot *slot = NULL;
    int r = (int)pull_judge(curl, code);

    (void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&slot);
    (void)curl_multi_remove_handle(s->multi, curl);
    s->n_loading--;
    if (r == PULL_DONE)
        r = check(s, slot);
    if (r <= 0)
        return r < 0 ? TRACE(r) : 0;
    return again(s, slot, r);
}

static int collect(struct stream *s)
{
    CURLMsg *message;
    int n_left;

    if (curl_multi_perform(s->multi, &n_left) != CURLM_OK)
        return ERR(-ENOMEM);
    while ((message = curl_multi_info_read(s->multi, &n_left))) {
        int r = message->msg == CURLMSG_DONE
                    ? finish_transfer(s, message->easy_handle, message->data.result)
                    : 0;

        if (r != 0)
            return r;
    }
    return 0;
}

static void release(struct stream *s, struct slot *slot)
{
    s->window_bytes -= slot->chunk->size_bytes;
    free(slot->plain);
    slot->plain = NULL;
    slot->state = SLOT_FREE;
    s->next_out++;
    s->out_len = 0;
}

static bool is_head_ready(const struct stream *s)
{
    return s->slots[s->next_out % SLOTS].state == SLOT_READY;
}

/* As much as the reader takes without waiting. */
static int deliver(struct stream *s)
{
    while (is_head_ready(s)) {
        struct slot *slot = &s->slots[s->next_out % SLOTS];
        ssize_t n = send(s->out_fd,
                         slot->plain + s->out_len,
                         slot->chunk->size_bytes - s->out_len,
                         MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return 0;
        if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
            return FETCH_E_CONSUMER;
        if (n < 0)
            return ERR(-errno);
        s->out_len += (size_t)n;
        s->pull.progress.done_bytes += (uint64_t)n;
        s->pull.moved_us = clock_monotonic_us();
        if (s->out_len == slot->chunk->size_bytes)
            release(s, slot);
    }
    return 0;
}

static int wait_for_more(struct stream *s)
{
    struct curl_waitfd reader = {.fd = s->out_fd, .events = CURL_WAIT_POLLOUT};
    bool is_ready = is_head_ready(s);
    uint64_t begun_us = clock_monotonic_us();

    if (curl_multi_poll(s->multi, &reader, is_ready ? 1 : 0, WAIT_MS, NULL) != CURLM_OK)
        return ERR(-ENOMEM);

    uint64_t passed_us = clock_monotonic_us() - begun_us;

    if (is_ready)
        s->pull.report->writer_wait_us += passed_us;
    else
        s->pull.report->network_wait_us += passed_us;
    return 0;
}

/* Return: 0 to go on. */
static int turn(struct stream *s)
{
    int r;

    if (!pull_tell(&s->pull))
        return FETCH_E_CANCELLED;
    r = collect(s);
    if (r == 0)
        r = deliver(s);
    if (r == 0)
        r = start_due(s);
    if (r != 0)
        return r;
    /* a reader that takes its time is not our failure: only waiting for the network counts */
    if (is_head_ready(s))
        s->pull.moved_us = clock_monotonic_us();
    if (pull_is_over(&s->pull))
        return FETCH_E_UNREACHABLE;
    return s->next_out < s->manifest.n_chunks ? wait_for_more(s) : 0;
}

struct reading { /* a manifest on its way */
    struct buf text;
    const uint8_t *name;
};

static int begin_reading(void *ctx)
{
    struct reading *reading = ctx;

    buf_clear(&reading->text);
    return 0;
}

static int take_text(void *ctx, struct bytes piece)
{
    struct reading *reading = ctx;

    buf_add(&reading->text, piece);
    return reading->text.failed ? 1 : 0;
}

static int end_reading(void *ctx)
{
    struct reading *reading = ctx;
    uint8_t is[SHA256_BYTES];
    int r = digest_sha256(buf_bytes(&reading->text), is);

    if (r < 0)
        return TRACE(r);
    return memcmp(is, reading->name, sizeof(is)) == 0 ? 0 : 1;
}

static void reading_fini(struct reading *reading)
{
    buf_fini(&reading->text);
}

static int get_manifest(struct stream *s, const uint8_t *id, uint64_t size_bytes)
{
    OWN(reading_fini) struct reading reading = {BUF_INIT(MANIFEST_FETCH_MAX_BYTES), id};
    struct pull_taker taker = {begin_reading, take_text, end_reading, &reading};
    char name[SHA256_TEXT_MAX];
    char path[CHUNK_PATH_MAX];
    char what[CHUNK_PATH_MAX];
    int r;

    hex_put(name, (struct bytes){id, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/manifests/%s", name);
    (void)snprintf(what, sizeof(what), "manifest %s", name);
    r = pull_get(&s->pull, path, what, &taker);
    if (r != 0)
        return r;
    r = manifest_parse(buf_bytes(&reading.text), &s->manifest);
    if (r < 0)
        return TRACE(r);
    if (r == 0 && s->manifest.size_bytes == size_bytes)
        return 0;
    pull_why(&s->pull, "%s does not describe the content that was ordered", what);
    return FETCH_E_CONTENT;
}

int fetch_stream(const struct fetch_options *options,
                 const uint8_t manifest[static SHA256_BYTES],
                 uint64_t size_bytes,
                 int out_fd,
                 struct fetch_report *ret)
{
    OWN(stream_fini) struct stream s = {.out_fd = out_fd};
    int r;

    assert(options->n_sources > 0);
    pull_init(&s.pull, options, ret);
    s.pull.progress.total_bytes = size_bytes;
    s.multi = curl_multi_init();
    if (!s.multi)
        return ERR(-ENOMEM);
    r = get_manifest(&s, manifest, size_bytes);
    while (r == 0 && s.next_out < s.manifest.n_chunks)
        r = turn(&s);
    if (r == 0)
        ret->why[0] = '\0'; /* what was in the way is overcome */
    return r < 0 ? TRACE(r) : r;
}

const char *fetch_bound_by(const struct fetch_report *report)
{
    if (report->writer_wait_us >= report->network_wait_us &&
        report->writer_wait_us >= report->check_us)
        return "writing the files took longest";
    if (report->network_wait_us >= report->check_us)
        return "the network took longest";
    return "decompressing and checking took longest";
}
