/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The token that the roles of a remote distribution point show to the site: run/token/dp-token of the state folder, which the
 * parent writes anew every few minutes. Where there is none, as on the site's own host, none is shown.
 */

#include "rt/http_client.h"

#define TOKEN_FILE "run/token/dp-token" /* 0440: root, and the group of the roles */

struct token_file {
    const char *state_folder; /* borrowed */
};

/* @file: borrowed, for as long as the client is there */
struct http_tokens token_file_tokens(struct token_file *file);
