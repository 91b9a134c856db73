/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    FIRST_SLOTS = 256,
};

struct names_slot {
    uint8_t name[SHA256_BYTES];
    uint64_t number_plus_1; /* 0: the slot is free */
};

void names_fini(struct names *names)
{
    free(names->slots);
    *names = (struct names){0};
}

/* The slot of @name, or the free one where it belongs. There is a free one. */
static struct names_slot *find(const struct names *names, const uint8_t *name)
{
    uint64_t hash; /* a name is a hash already */

    memcpy(&hash, name, sizeof(hash));
    for (size_t i = (size_t)hash & (names->cap - 1);; i = (i + 1) & (names->cap - 1)) {
        struct names_slot *slot = &names->slots[i];

        if (slot->number_plus_1 == 0 || memcmp(slot->name, name, SHA256_BYTES) == 0)
            return slot;
    }
}

static int grow(struct names *names)
{
    struct names more = {.cap = names->cap > 0 ? 2 * names->cap : FIRST_SLOTS, .n = names->n};

    more.slots = calloc(more.cap, sizeof(*more.slots));
    if (!more.slots)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < names->cap; i++)
        if (names->slots[i].number_plus_1 > 0)
            *find(&more, names->slots[i].name) = names->slots[i];
    free(names->slots);
    *names = more;
    return 0;
}

int names_put(struct names *names, const uint8_t name[static SHA256_BYTES], uint64_t number)
{
    struct names_slot *slot;

    if (2 * names->n >= names->cap) {
        int r = grow(names);

        if (r < 0)
            return TRACE(r);
    }
    slot = find(names, name);
    names->n += slot->number_plus_1 == 0;
    memcpy(slot->name, name, SHA256_BYTES);
    slot->number_plus_1 = number + 1;
    return 0;
}

bool names_get(const struct names *names, const uint8_t name[static SHA256_BYTES], uint64_t *ret)
{
    const struct names_slot *slot = names->cap > 0 ? find(names, name) : NULL;

    if (!slot || slot->number_plus_1 == 0)
        return false;
    *ret = slot->number_plus_1 - 1;
    return true;
}
