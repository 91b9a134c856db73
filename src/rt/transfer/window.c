/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/transfer/window.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"

enum {
    NO_SLOT = UINT16_MAX,
};

/* Of the window, how much may be loaded ahead when that drops what is needed again later: the rest of it is
   better used for keeping. */
static size_t most_ahead(const struct window *w)
{
    return w->max_bytes / 2;
}

static void find_uses(struct window *w)
{
    for (size_t i = 0; i < w->n_packs; i++) {
        w->next_use[i] = WINDOW_NEVER;
        w->slot_of[i] = NO_SLOT;
        if (w->packs[i].plain_bytes > w->block_bytes)
            w->block_bytes = w->packs[i].plain_bytes;
    }
    for (size_t i = w->n_runs; i-- > 0;) {
        uint32_t pack = w->runs[i].pack;

        w->next_same[i] = w->next_use[pack];
        w->next_use[pack] = (uint32_t)i;
    }
}

int window_init(struct window *w,
                const struct manifest_pack *packs,
                size_t n_packs,
                const struct manifest_run *runs,
                size_t n_runs)
{
    *w = (struct window){.packs = packs, .runs = runs, .n_packs = n_packs, .n_runs = n_runs};
    assert(n_runs < WINDOW_NEVER);
    w->next_same = calloc(n_runs + 1, sizeof(*w->next_same));
    w->next_use = calloc(n_packs + 1, sizeof(*w->next_use));
    w->slot_of = calloc(n_packs + 1, sizeof(*w->slot_of));
    if (!w->next_same || !w->next_use || !w->slot_of) {
        window_fini(w);
        return ERR(-ENOMEM);
    }
    find_uses(w);
    return 0;
}

uint8_t *window_take_block(struct window *w)
{
    return w->n_spare > 0 ? w->spare[--w->n_spare] : malloc(w->block_bytes);
}

void window_give_block(struct window *w, uint8_t *block)
{
    if (block && w->n_spare < WINDOW_SPARE)
        w->spare[w->n_spare++] = block;
    else
        free(block);
}

static void drop(struct window *w, struct slot *slot)
{
    free(slot->frame);
    window_give_block(w, slot->plain);
    w->bytes -= slot->cost_bytes;
    w->slot_of[slot->pack] = NO_SLOT;
    *slot = (struct slot){.state = SLOT_FREE};
}

void window_fini(struct window *w)
{
    for (size_t i = 0; w->slot_of && i < WINDOW_SLOTS; i++)
        if (w->slots[i].state != SLOT_FREE)
            drop(w, &w->slots[i]);
    while (w->n_spare > 0)
        free(w->spare[--w->n_spare]);
    free(w->next_same);
    free(w->next_use);
    free(w->slot_of);
    w->next_same = NULL;
    w->next_use = NULL;
    w->slot_of = NULL;
}

static struct slot *find_free(struct window *w)
{
    for (size_t i = 0; i < WINDOW_SLOTS; i++)
        if (w->slots[i].state == SLOT_FREE)
            return &w->slots[i];
    return NULL;
}

/* What is kept only for after @ahead, and of that what is needed last. */
static struct slot *find_droppable(struct window *w)
{
    struct slot *last = NULL;

    for (size_t i = 0; i < WINDOW_SLOTS; i++) {
        struct slot *slot = &w->slots[i];

        if (slot->state == SLOT_READY && w->next_use[slot->pack] > w->ahead &&
            (!last || w->next_use[slot->pack] > w->next_use[last->pack]))
            last = slot;
    }
    return last;
}

/* Bytes that runs before @ahead wait for. */
static size_t bytes_ahead(const struct window *w)
{
    size_t sum = 0;

    for (size_t i = 0; i < WINDOW_SLOTS; i++)
        if (w->slots[i].state != SLOT_FREE && w->next_use[w->slots[i].pack] < w->ahead)
            sum += w->slots[i].cost_bytes;
    return sum;
}

/* Return: a free slot, with room for @cost_bytes; NULL: there is none now. */
static struct slot *make_room(struct window *w, size_t cost_bytes)
{
    for (;;) {
        struct slot *slot = find_free(w);
        struct slot *victim;
        /* one pack alone is always admitted, or nothing would ever come */
        bool has_room =
            w->bytes == 0 || (cost_bytes <= w->max_bytes && w->bytes <= w->max_bytes - cost_bytes);

        if (slot && has_room)
            return slot;
        if (w->ahead > w->out && bytes_ahead(w) + cost_bytes > most_ahead(w))
            return NULL;
        victim = find_droppable(w);
        if (!victim)
            return NULL;
        drop(w, victim);
    }
}

struct slot *window_admit(struct window *w)
{
    if (w->ahead < w->out)
        w->ahead = w->out;
    while (w->ahead < w->n_runs && w->slot_of[w->runs[w->ahead].pack] != NO_SLOT)
        w->ahead++;
    if (w->ahead == w->n_runs)
        return NULL;

    uint32_t pack = w->runs[w->ahead].pack;
    size_t cost_bytes =
        w->is_without_bytes ? 0 : (size_t)w->packs[pack].plain_bytes + w->packs[pack].stored_bytes;
    struct slot *slot = make_room(w, cost_bytes);

    if (!slot)
        return NULL;
    *slot = (struct slot){
        .state = SLOT_DUE, .pack = pack, .cost_bytes = cost_bytes, .source = SOURCES_NONE};
    w->slot_of[pack] = (uint16_t)(slot - w->slots);
    w->ahead++;
    w->bytes += cost_bytes;
    if (w->bytes > w->peak_bytes)
        w->peak_bytes = w->bytes;
    return slot;
}

struct slot *window_head(struct window *w)
{
    uint16_t i = w->slot_of[w->runs[w->out].pack];

    return i == NO_SLOT ? NULL : &w->slots[i];
}

struct slot *window_soonest(struct window *w, enum slot_state state, size_t from)
{
    struct slot *soonest = NULL;

    for (size_t i = 0; i < WINDOW_SLOTS; i++) {
        struct slot *slot = &w->slots[i];

        if (slot->state == state && w->next_use[slot->pack] >= from &&
            (!soonest || w->next_use[slot->pack] < w->next_use[soonest->pack]))
            soonest = slot;
    }
    return soonest;
}

void window_drop_frame(struct window *w, struct slot *slot)
{
    size_t stored_bytes = window_pack(w, slot)->stored_bytes;

    free(slot->frame);
    slot->frame = NULL;
    slot->frame_len = 0;
    slot->cost_bytes -= stored_bytes;
    w->bytes -= stored_bytes;
}

bool window_advance(struct window *w)
{
    uint32_t pack = w->runs[w->out].pack;
    struct slot *slot = window_head(w);

    assert(slot && slot->state == SLOT_READY);
    w->next_use[pack] = w->next_same[w->out];
    w->out++;
    if (w->next_use[pack] == WINDOW_NEVER)
        drop(w, slot);
    /* what is kept for later gives way as well */
    return w->next_use[pack] == WINDOW_NEVER || w->next_use[pack] >= w->ahead;
}
