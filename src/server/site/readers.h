/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The threads that answer what administrators ask: each has a site of its own, which can change nothing
 */

#include "server/site/api.h"

struct http_readers;
struct readers;

/**
 * readers_new() - open the database once more for each, and start them
 * @writer: has it open; its settings are theirs
 */
int readers_new(const struct api *writer, struct readers **ret);
void readers_free(struct readers *readers);

/* For struct http_server_options; borrowed. */
struct http_readers *readers_threads(struct readers *readers);

/* Whether a request of this route goes to them. */
bool readers_may_have(const struct http_route *route);

/*
 * One long list at a time, so that the other readers answer what is short. Return: whether it may be made now;
 * readers_end_long() then says that it is over
 */
bool readers_begin_long(struct readers *readers);
void readers_end_long(struct readers *readers);

/* In a reader's thread, after a request: keep what it would have noted. */
void readers_keep_use(struct readers *readers, struct site *site);

/* In the writer's thread, from time to time: note it. */
int readers_note_uses(struct readers *readers, struct site *writer);
