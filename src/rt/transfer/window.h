/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What to load when, and what to keep: the packs in memory between being asked for and being delivered
 *
 * The order of use is known from the start, so packs are loaded in the order they are needed, and of those
 * that are needed again the ones needed soonest are kept while there is room; the others are loaded
 * again. Whatever the next run needs always finds room. Pure: no thread, no clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/manifest/manifest.h"
#include "rt/transfer/sources.h"

enum {
    WINDOW_SLOTS = 256,
    WINDOW_SPARE =
        4, /* blocks that are kept to be used again: new ones cost a page fault each 4 KiB */
};

enum slot_state {
    SLOT_FREE,
    SLOT_DUE,       /* to be asked for, again or for the first time */
    SLOT_LOADING,   /* on the network */
    SLOT_LOADED,    /* the frame is there, or the pack is to be looked for on this machine */
    SLOT_UNPACKING, /* being decompressed and checked */
    SLOT_READY,     /* plain bytes, checked */
    SLOT_HOPELESS,  /* every source was wrong about it too often */
};

struct slot {
    enum slot_state state;
    uint32_t pack;
    uint8_t *frame; /* owned */
    uint8_t *plain; /* owned; the pack's plain bytes */
    size_t frame_len;
    size_t cost_bytes; /* what it counts in the window */
    int source;        /* whence the frame is */
    unsigned n_lanes;  /* transfers of it under way */
    unsigned n_tries;
    bool is_local;  /* LOADED: not from the network */
    bool was_local; /* it was looked for on this machine */
    struct sources_tried tried;
};

struct window {
    const struct manifest_pack *packs; /* borrowed, like the runs */
    const struct manifest_run *runs;
    size_t n_packs;
    size_t n_runs;
    uint32_t *next_same; /* owned; for each run the next of the same pack */
    uint32_t *next_use;  /* owned; for each pack the next run that is not delivered yet */
    uint16_t *slot_of;   /* owned; for each pack */
    size_t out;          /* the run to be delivered next */
    size_t ahead;        /* the packs of all runs before have a slot, or are delivered */
    size_t bytes;        /* in all slots */
    size_t max_bytes;
    size_t peak_bytes;
    bool is_without_bytes;        /* nothing is loaded into memory */
    size_t block_bytes;           /* room for the plain bytes of any pack */
    uint8_t *spare[WINDOW_SPARE]; /* owned */
    size_t n_spare;
    struct slot slots[WINDOW_SLOTS];
};

/* No run needs it */
#define WINDOW_NEVER UINT32_MAX

/**
 * window_init() - begin with nothing loaded
 *
 * The runs must lie in their packs, and be fewer than 2^32 - 1.
 *
 * Return: 0 or -ENOMEM.
 */
int window_init(struct window *w,
                const struct manifest_pack *packs,
                size_t n_packs,
                const struct manifest_run *runs,
                size_t n_runs);

/* Release, with all that the slots own; may be called twice. */
void window_fini(struct window *w);

/**
 * window_admit() - the next pack that is worth loading
 *
 * Return: its slot, SLOT_DUE now; NULL if there is none, or no room for it.
 */
struct slot *window_admit(struct window *w);

/* The slot of the pack of the next run; NULL if it has none yet. */
struct slot *window_head(struct window *w);

/* The slot in that state whose pack is needed soonest, by run @from or later; NULL: none. */
struct slot *window_soonest(struct window *w, enum slot_state state, size_t from);

/* The next run that needs a slot's pack. */
static inline size_t window_next_use(const struct window *w, const struct slot *slot)
{
    return w->next_use[slot->pack];
}

/* The frame is not needed any more: its room is free. */
void window_drop_frame(struct window *w, struct slot *slot);

/**
 * window_take_block() - memory for the plain bytes of a pack
 *
 * Return: owned by the caller, who puts it into a slot, or gives it back; NULL: no memory.
 */
uint8_t *window_take_block(struct window *w);
void window_give_block(struct window *w, uint8_t *block);

/* The next run is delivered. Return: whether room became free. */
bool window_advance(struct window *w);

static inline const struct manifest_pack *window_pack(const struct window *w,
                                                      const struct slot *slot)
{
    return &w->packs[slot->pack];
}
