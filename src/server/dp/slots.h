/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * How many jobs of which class run at once: what keeps the processor busy runs alone, transfers go beside it
 */

#include <pthread.h>
#include <stdbool.h>

enum slots_class {
    SLOTS_MAKE,     /* imports, builds, exports: one */
    SLOTS_TRANSFER, /* replications: three */
    SLOTS_KEEP,     /* validation, removal, collection: one */
    SLOTS_WAKE,     /* magic packets: one */
    SLOTS_CLASS_COUNT,
};

struct slots {
    pthread_mutex_t lock; /* guards what follows */
    unsigned n_taken[SLOTS_CLASS_COUNT];
};

int slots_init(struct slots *ret);
void slots_fini(struct slots *slots);

enum slots_class slots_class_of(const char *kind);

/* Return: whether there was a place. */
bool slots_take(struct slots *slots, enum slots_class class);
void slots_give(struct slots *slots, enum slots_class class);
