/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * When the database makes nothing durable: what is answered then, and how many requests share a commit
 */

#include <stdbool.h>

#include "rt/http_server.h"

/* For struct http_server_options; its ctx is a struct api. */
extern const struct http_batch commit_batch;

/* Whether commit_reply() has an answer for it. @r: -errno */
bool commit_is_known(int r);

/* Answer it: what has become of the request, and whether to send it again. */
int commit_reply(struct http_exchange *x, int r);
