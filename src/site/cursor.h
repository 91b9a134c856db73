/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Where a list goes on, as a text that only this site can make
 *
 * What is in it is nobody else's business, so it is not for others to make one up: a text of ours has a code by a key that never
 * leaves the database, and it belongs to one question (a list with its filter and its order).
 */

#include <jansson.h>

struct site;

enum {
    CURSOR_TEXT_MAX = 6144, /* a line of a request has 8192 bytes */
};

/* Outcomes beside 0. */
enum {
    CURSOR_E_FOREIGN = 1,  /* it was not made here, or for another question */
    CURSOR_E_TOO_LONG = 2, /* the place has more in it than a cursor can */
};

/* Make the key that all sites on this database share, if there is none yet. */
int cursor_make_key(struct site *site);

/**
 * cursor_put() - a cursor
 * @question: the list, and what was asked of it
 * @place:    where it goes on
 *
 * Return: 0; CURSOR_E_TOO_LONG; or -errno.
 */
int cursor_put(struct site *site,
               const char *question,
               const json_t *place,
               char ret[static CURSOR_TEXT_MAX]);

/**
 * cursor_parse() - the place that is in a cursor
 * @ret: owned by the caller
 *
 * Return: 0, CURSOR_E_FOREIGN, or -errno.
 */
int cursor_parse(struct site *site, const char *question, const char *text, json_t **ret);
