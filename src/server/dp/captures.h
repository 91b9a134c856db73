/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Chunks that an agent sends while it captures (docs/protocol/content.md, Capturing)
 *
 * What arrives goes into the store at once, where it counts as what an import left that was killed: it is
 * found again, and a collection removes it if nothing has used it within a day. The store is held only while
 * somebody captures.
 */

#include "base/own.h"
#include "format/pack/pack.h"
#include "rt/http_server.h"

enum {
    CAPTURES_ASK_MAX = 4096, /* chunks in one question */
    CAPTURES_ASK_MAX_BYTES = CAPTURES_ASK_MAX * SHA256_BYTES,
};

struct captures;

/* @state_folder: of the server; the store in it is opened with the first request */
int captures_new(const char *state_folder, struct captures **ret);
void captures_free(struct captures *captures);
DEFINE_FREEP(struct captures *, captures_free);

/* Let go of the store when nobody has asked for a while. Cheap. */
void captures_rest(struct captures *captures);

/* Handlers; ctx is a struct captures *. */
http_handler captures_find_chunks;
http_handler captures_put_pack;
