/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The thread that talks to the sources: a few transfers at a time, over connections that stay open
 */

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "plat/clock.h"
#include "rt/transfer/engine.h"

enum {
    URL_MAX = 1024,
};

static size_t on_frame(char *piece, size_t size, size_t n, void *ctx)
{
    struct lane *lane = ctx;
    size_t len = size * n;

    if (len > lane->frame_cap - lane->frame_len) {
        lane->is_too_long = true;
        return 0;
    }
    memcpy(lane->frame + lane->frame_len, piece, len);
    lane->frame_len += len;
    return len;
}

static size_t on_kept(char *piece, size_t size, size_t n, void *ctx)
{
    struct lane *lane = ctx;
    size_t len = size * n;

    if (len > lane->frame_cap - lane->frame_len) {
        lane->is_too_long = true;
        return 0;
    }
    lane->frame_len += len;
    lane->error = keep_add(lane, (struct bytes){(const uint8_t *)piece, len});
    return lane->error == 0 ? len : 0;
}

static uint64_t rate_limit(const struct engine *e)
{
    const _Atomic uint64_t *limit = e->t->options->rate_limit_bytes_per_s;

    return limit ? *limit : 0;
}

/* With a rate limit one transfer follows the other, and each pays its time in advance. */
static bool may_start(const struct engine *e, uint64_t now_us)
{
    if (rate_limit(e) > 0)
        return e->n_loading == 0 && now_us >= e->pay_us;
    return e->n_loading < LANES_BUSY;
}

static void pay(struct engine *e, CURL *curl, uint64_t bytes, uint64_t now_us)
{
    uint64_t limit = rate_limit(e);

    (void)curl_easy_setopt(curl, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)limit);
    if (limit == 0)
        return;
    if (e->pay_us < now_us)
        e->pay_us = now_us;
    e->pay_us += bytes * US_PER_S / limit;
}

static struct lane *find_idle(struct engine *e)
{
    for (size_t i = 0; i < LANES; i++)
        if (!e->lanes[i].slot)
            return &e->lanes[i];
    return NULL;
}

static int aim(const struct engine *e, struct lane *lane, const struct manifest_pack *pack)
{
    char name[SHA256_TEXT_MAX];
    char url[URL_MAX];
    int n;

    hex_put(name, (struct bytes){pack->sha256, SHA256_BYTES});
    n = snprintf(url,
                 sizeof(url),
                 "%s/content/packs/%.2s/%s",
                 e->t->sources.all[lane->source].url,
                 name,
                 name);
    if (n < 0 || (size_t)n >= sizeof(url))
        return ERR(-ENAMETOOLONG);
    return curl_easy_setopt(lane->curl, CURLOPT_URL, url) == CURLE_OK ? 0 : ERR(-ENOMEM);
}

static int prepare(const struct engine *e, struct lane *lane, const struct manifest_pack *pack)
{
    int r = 0;

    if (!lane->curl)
        lane->curl = transfer_new_curl(e->t);
    if (e->keeping) {
        r = keep_begin(e, lane);
    } else {
        free(lane->frame);
        lane->frame = malloc(pack->stored_bytes);
    }
    if (r < 0)
        return TRACE(r);
    if (!lane->curl || (!e->keeping && !lane->frame))
        return ERR(-ENOMEM);
    lane->frame_cap = pack->stored_bytes;
    lane->frame_len = 0;
    lane->is_too_long = false;
    (void)curl_easy_setopt(lane->curl, CURLOPT_WRITEFUNCTION, e->keeping ? on_kept : on_frame);
    (void)curl_easy_setopt(lane->curl, CURLOPT_WRITEDATA, lane);
    (void)curl_easy_setopt(lane->curl, CURLOPT_PRIVATE, lane);
    return TRACE(aim(e, lane, pack));
}

/* Ask @source for the pack of @slot. */
static int start(struct engine *e, struct slot *slot, int source, uint64_t now_us)
{
    const struct manifest_pack *pack = window_pack(&e->window, slot);
    struct lane *lane = find_idle(e);
    int r;

    assert(lane); /* whoever starts counts them */
    lane->source = source;
    lane->begun_us = now_us;
    lane->is_second = slot->n_lanes > 0;
    r = prepare(e, lane, pack);
    if (r < 0)
        return TRACE(r);
    pay(e, lane->curl, pack->stored_bytes, now_us);
    if (curl_multi_add_handle(e->t->multi, lane->curl) != CURLM_OK)
        return ERR(-ENOMEM);
    if (slot->n_tries++ > 0)
        e->t->report->n_retries++;
    lane->slot = slot;
    slot->state = SLOT_LOADING;
    slot->n_lanes++;
    e->n_loading++;
    e->t->sources.all[source].n_loading++;
    return 0;
}

/* What is to be loaded next gets a place, and what may be on this machine is looked for there first. */
static void admit(struct engine *e)
{
    struct slot *slot;

    while ((slot = window_admit(&e->window))) {
        if (!e->t->options->local || e->keeping)
            continue;
        slot->state = SLOT_LOADED;
        slot->is_local = true;
        (void)pthread_cond_signal(&e->has_work);
    }
}

static int start_due(struct engine *e, uint64_t now_us)
{
    struct slot *slot = window_soonest(&e->window, SLOT_DUE, 0);

    while (slot && may_start(e, now_us)) {
        size_t use = window_next_use(&e->window, slot);
        int source = sources_choose(&e->t->sources, &slot->tried, SOURCES_NONE, now_us);
        int r = source == SOURCES_NONE ? 0 : start(e, slot, source, now_us);

        if (r < 0)
            return TRACE(r);
        if (source == SOURCES_NONE)
            engine_give_up(e, slot);
        slot = window_soonest(&e->window, SLOT_DUE, use + 1);
    }
    return 0;
}

/* What one source takes far too long for, another one is asked for as well. */
static int start_second(struct engine *e, uint64_t now_us)
{
    for (size_t i = 0; i < LANES && e->n_loading < LANES && rate_limit(e) == 0; i++) {
        struct lane *lane = &e->lanes[i];

        if (!lane->slot || lane->slot->n_lanes > 1)
            continue;

        int other = sources_choose(&e->t->sources, &lane->slot->tried, lane->source, now_us);

        if (other == SOURCES_NONE ||
            !sources_is_slow(
                &e->t->sources, lane->source, other, lane->frame_cap, now_us - lane->begun_us))
            continue;

        int r = start(e, lane->slot, other, now_us);

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

/* The lane is idle from now on. Return: the slot it was for. */
static struct slot *release(struct engine *e, struct lane *lane)
{
    struct slot *slot = lane->slot;

    (void)curl_multi_remove_handle(e->t->multi, lane->curl);
    lane->slot = NULL;
    slot->n_lanes--;
    e->n_loading--;
    e->t->sources.all[lane->source].n_loading--;
    return slot;
}

/* Who was asked for the same and has not answered yet. */
static void
stop_others(struct engine *e, const struct lane *winner, struct slot *slot, uint64_t now_us)
{
    for (size_t i = 0; i < LANES; i++) {
        struct lane *lane = &e->lanes[i];

        if (lane->slot != slot)
            continue;
        e->t->report->network.bytes += lane->frame_len;
        (void)release(e, lane);
        if (winner->is_second) {
            sources_slow(&e->t->sources, lane->source, now_us);
            engine_add_fault(e, slot, lane->source, TRANSFER_FAULT_SLOW);
            e->t->report->n_slow++;
        } else if (e->t->sources.all[lane->source].us_per_mib == 0) {
            sources_good(&e->t->sources, lane->source, lane->frame_cap, now_us - lane->begun_us);
        }
    }
}

static void finish_good(struct engine *e, struct lane *lane, uint64_t now_us)
{
    struct slot *slot = release(e, lane);

    sources_good(&e->t->sources, lane->source, lane->frame_len, now_us - lane->begun_us);
    e->t->report->source = e->t->sources.all[lane->source].url;
    stop_others(e, lane, slot, now_us);
    slot->frame = TAKE(lane->frame);
    slot->frame_len = lane->frame_len;
    slot->source = lane->source;
    e->t->report->n_packs++;
    if (e->keeping) {
        slot->state = SLOT_READY;
        if (slot == window_head(&e->window))
            (void)pthread_cond_signal(&e->has_news);
    } else {
        slot->state = SLOT_LOADED;
        (void)pthread_cond_signal(&e->has_work);
    }
}

static void
finish_bad(struct engine *e, struct lane *lane, enum transfer_fault fault, uint64_t now_us)
{
    struct slot *slot = release(e, lane);

    if (slot->n_lanes == 0)
        slot->state = SLOT_DUE;
    if (fault == TRANSFER_FAULT_BROKEN) {
        sources_broke(&e->t->sources, lane->source, now_us);
        engine_add_fault(e, slot, lane->source, fault);
    } else {
        engine_bad(e, slot, lane->source, fault);
    }
}

/* Return: 0; 1: not the pack; or -errno. */
static int judge(const struct engine *e, struct lane *lane, CURLcode code, enum transfer_fault *ret)
{
    *ret = TRANSFER_FAULT_DAMAGED;
    if (e->keeping && lane->error < 0)
        return TRACE(lane->error);
    if (!transfer_judge(lane->curl, code, ret))
        return 1;
    *ret = TRANSFER_FAULT_DAMAGED;
    if (lane->frame_len != lane->frame_cap)
        return 1;
    return e->keeping ? keep_end(e, lane, window_pack(&e->window, lane->slot)) : 0;
}

static int finish(struct engine *e, CURL *curl, CURLcode code)
{
    struct lane *lane = NULL;
    enum transfer_fault fault;
    uint64_t now_us = clock_monotonic_us();
    int r;

    (void)curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&lane);
    e->t->report->network.bytes += lane->frame_len;
    r = judge(e, lane, code, &fault);
    if (r < 0)
        return TRACE(r);
    if (r == 0)
        finish_good(e, lane, now_us);
    else
        finish_bad(e, lane, fault, now_us);
    return 0;
}

static int collect(struct engine *e)
{
    CURLMsg *message;
    int n_left;
    int r = 0;

    while (r == 0 && (message = curl_multi_info_read(e->t->multi, &n_left)))
        if (message->msg == CURLMSG_DONE)
            r = finish(e, message->easy_handle, message->data.result);
    return TRACE(r);
}

/* Until something arrives, is wanted, or is allowed again. */
static int wait_ms(const struct engine *e, uint64_t now_us)
{
    uint64_t next_us = sources_next_us(&e->t->sources, now_us);
    uint64_t most_us = now_us + (uint64_t)WAIT_MS * 1000;

    if (rate_limit(e) > 0 && e->pay_us > now_us && e->pay_us < next_us)
        next_us = e->pay_us;
    return next_us < most_us ? (int)((next_us - now_us) / 1000) + 1 : WAIT_MS;
}

/* With the lock held, which is let go of while nothing happens. */
static int turn(struct engine *e)
{
    uint64_t now_us = clock_monotonic_us();
    int n_running;
    int r;

    admit(e);
    r = start_due(e, now_us);
    if (r == 0)
        r = start_second(e, now_us);
    if (r < 0)
        return TRACE(r);

    struct transfer_stage *stage = &e->t->report->network;
    uint64_t *counter = e->n_loading > 0 ? &stage->busy_us : &stage->waiting_us;
    int ms = wait_ms(e, now_us);

    (void)pthread_mutex_unlock(&e->lock);
    if (curl_multi_poll(e->t->multi, NULL, 0, ms, NULL) != CURLM_OK ||
        curl_multi_perform(e->t->multi, &n_running) != CURLM_OK)
        r = ERR(-ENOMEM);
    (void)pthread_mutex_lock(&e->lock);
    *counter += clock_monotonic_us() - now_us;
    return r < 0 ? TRACE(r) : collect(e);
}

void *network_run(void *ctx)
{
    struct engine *e = ctx;
    int r = 0;

    (void)pthread_mutex_lock(&e->lock);
    while (!e->is_stopping && r == 0)
        r = turn(e);
    if (r < 0)
        engine_fail(e, r);
    (void)pthread_mutex_unlock(&e->lock);
    return NULL;
}

void network_fini(struct engine *e)
{
    for (size_t i = 0; i < LANES; i++) {
        struct lane *lane = &e->lanes[i];

        if (lane->slot)
            (void)release(e, lane);
        curl_easy_cleanup(lane->curl);
        free(lane->frame);
        if (e->keeping)
            keep_fini(e, lane);
    }
}
