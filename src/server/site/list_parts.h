/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the parts of list.h share
 */

#include "base/buf.h"
#include "server/site/list.h"
#include "site/cursor.h"
#include "site/list_query.h"

/* A place in the order, and what stands there. */
struct placed {
    json_t *key;  /* owned */
    json_t *item; /* owned */
};

/* One request for a list. */
struct listing {
    struct api *api;
    struct http_exchange *x;
    const struct http_route *route;
    const struct permission *permission;
    struct filter *filter; /* owned; NULL: every item fits */
    struct list_order order;
    const char *fields; /* NULL: all */
    uint64_t limit;
    struct buf question; /* what a cursor belongs to */
    json_t *place;       /* owned; NULL: the beginning */
    json_t *
        answer; /* owned; the last that the handler gave; its items and its next are set at the end */
    json_t *items; /* owned; the page's */
    json_t *next;  /* owned; the place behind it; NULL: there is no more */
    struct placed
        *best; /* owned; the first items in the order behind the place, limit + 1 of them at most */
    size_t n_best;
    size_t n_looks;
    bool is_by_name;  /* the handler gives it in the order that is asked for */
    bool is_answered; /* with a refusal */
    bool is_long;     /* it is the one long list */
};

/* A page as the handler gives it, in l->answer. Return: 0 or -errno; see l->is_answered. */
int list_ask(struct listing *l, const char *after, size_t limit);

/* The items of l->answer; borrowed. */
json_t *list_answered(const struct listing *l);

/* Whether nothing comes behind an answer now. Logs have a cursor there as well. @after: that was asked with */
bool list_is_end(const struct listing *l, const char *after);

/* To be called before more of a list is looked at: a long one is refused while there is another. Outcomes as of src/site. */
int list_check_long(struct listing *l);

/* Answer with all of the list as CSV. Outcomes as of src/site. */
int list_reply_csv(struct listing *l);
