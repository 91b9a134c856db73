/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/slots.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"

static const unsigned most[SLOTS_CLASS_COUNT] = {
    [SLOTS_MAKE] = 1,
    [SLOTS_TRANSFER] = 3,
    [SLOTS_KEEP] = 1,
    [SLOTS_WAKE] = 1,
};

int slots_init(struct slots *ret)
{
    int error;

    memset(ret->n_taken, 0, sizeof(ret->n_taken));
    error = pthread_mutex_init(&ret->lock, NULL);
    return error == 0 ? 0 : ERR(-error);
}

void slots_fini(struct slots *slots)
{
    (void)pthread_mutex_destroy(&slots->lock);
}

enum slots_class slots_class_of(const char *kind)
{
    if (strcmp(kind, "replicate") == 0)
        return SLOTS_TRANSFER;
    if (strcmp(kind, "validate") == 0 || strcmp(kind, "remove") == 0 ||
        strcmp(kind, "collect") == 0)
        return SLOTS_KEEP;
    if (strcmp(kind, "wake") == 0)
        return SLOTS_WAKE;
    return SLOTS_MAKE;
}

bool slots_take(struct slots *slots, enum slots_class class)
{
    bool is_free;

    (void)pthread_mutex_lock(&slots->lock);
    is_free = slots->n_taken[class] < most[class];
    slots->n_taken[class] += is_free ? 1 : 0;
    (void)pthread_mutex_unlock(&slots->lock);
    return is_free;
}

void slots_give(struct slots *slots, enum slots_class class)
{
    (void)pthread_mutex_lock(&slots->lock);
    assert(slots->n_taken[class] > 0);
    slots->n_taken[class]--;
    (void)pthread_mutex_unlock(&slots->lock);
}
