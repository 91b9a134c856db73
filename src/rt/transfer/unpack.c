/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The threads that decompress and check what came
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/frame.h"
#include "rt/transfer/engine.h"

/* Return: 0; 1: not the pack; or -errno. */
static int
unpack(const struct engine *e, struct frame_unpacker *unpacker, struct slot *slot, uint8_t *plain)
{
    const struct manifest_pack *pack = window_pack(&e->window, slot);
    uint8_t is[SHA256_BYTES];
    int r;

    if (slot->is_local && !e->t->options->local(e->t->options->local_ctx, pack, plain))
        return 1;
    if (!slot->is_local &&
        frame_unpacker_run(
            unpacker, (struct bytes){slot->frame, slot->frame_len}, pack->plain_bytes, plain) != 0)
        return 1;
    r = digest_sha256((struct bytes){plain, pack->plain_bytes}, is);
    if (r < 0)
        return TRACE(r);
    if (memcmp(is, pack->sha256, sizeof(is)) == 0)
        return 0;
    if (slot->is_local && e->t->options->local_bad)
        e->t->options->local_bad(e->t->options->local_ctx, pack);
    return 1;
}

/* With the lock held: @slot has its plain bytes. */
static void finish_good(struct engine *e, struct slot *slot)
{
    uint32_t plain_bytes = window_pack(&e->window, slot)->plain_bytes;

    slot->state = SLOT_READY;
    e->t->moved_us = clock_monotonic_us();
    e->t->report->unpack.bytes += plain_bytes;
    if (slot->is_local)
        e->t->report->local_bytes += plain_bytes;
    if (slot->is_local || !e->job->keeps_frames) {
        window_drop_frame(&e->window, slot);
        (void)curl_multi_wakeup(e->t->multi); /* there is room */
    }
    if (slot == window_head(&e->window))
        (void)pthread_cond_signal(&e->has_news);
}

/* With the lock held: what came is not the pack. */
static void finish_bad(struct engine *e, struct slot *slot)
{
    free(slot->frame);
    slot->frame = NULL;
    slot->frame_len = 0;
    slot->state = SLOT_DUE;
    if (!slot->is_local)
        engine_bad(e, slot, slot->source, TRANSFER_FAULT_DAMAGED);
    slot->is_local = false;
    (void)curl_multi_wakeup(e->t->multi);
}

/* With the lock held, which is let go of while the work is done. */
static void work_on(struct engine *e, struct frame_unpacker *unpacker, struct slot *slot)
{
    uint8_t *plain = window_take_block(&e->window);
    int r;

    slot->state = SLOT_UNPACKING;
    (void)pthread_mutex_unlock(&e->lock);

    uint64_t begun_us = clock_monotonic_us();

    r = plain ? unpack(e, unpacker, slot, plain) : ERR(-ENOMEM);

    uint64_t passed_us = clock_monotonic_us() - begun_us;

    (void)pthread_mutex_lock(&e->lock);
    e->t->report->unpack.busy_us += passed_us;
    if (r == 0) {
        slot->plain = plain;
        finish_good(e, slot);
        return;
    }
    window_give_block(&e->window, plain);
    if (r < 0)
        engine_fail(e, r);
    else
        finish_bad(e, slot);
}

static void wait_for_work(struct engine *e)
{
    uint64_t begun_us = clock_monotonic_us();

    e->n_idle++;
    (void)pthread_cond_wait(&e->has_work, &e->lock);
    e->n_idle--;
    e->t->report->unpack.waiting_us += clock_monotonic_us() - begun_us;
}

void *unpack_run(void *ctx)
{
    struct engine *e = ctx;
    OWN(frame_unpacker_freep) struct frame_unpacker *unpacker = NULL;
    int r = frame_unpacker_new(&unpacker);

    (void)pthread_mutex_lock(&e->lock);
    if (r < 0)
        engine_fail(e, r);
    while (!e->is_stopping && r == 0) {
        struct slot *slot = window_soonest(&e->window, SLOT_LOADED, 0);

        if (slot)
            work_on(e, unpacker, slot);
        else
            wait_for_work(e);
    }
    (void)pthread_mutex_unlock(&e->lock);
    return NULL;
}
