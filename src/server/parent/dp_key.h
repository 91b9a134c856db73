/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a remote distribution point is known to its site by (docs/protocol/content.md, Joining)
 *
 * The secret key (keys/dp-key, for root alone) is read by the process `token` only, which the parent hands it to. That process
 * gets tokens of short life for it and passes them to the parent, which writes them where the roles find them (rt/token_file.h).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "plat/signature.h"
#include "server/parent/parent.h"

enum {
    DP_KEY_TEXT_MAX =
        SIGNATURE_KEY_TEXT_MAX + 1, /* the key's file: 64 digits, a line end and the NUL */
    DP_KEY_TOKEN_MAX_BYTES = 255,
};

#define DP_KEY_FILE "keys/dp-key" /* 0600 root */
#define DP_KEY_OLD_TOKEN_FILE \
    "keys/dp-token" /* 0400 root: of one that joined before there were keys; goes when the site has its key */
#define DP_KEY_SHORT_TOKEN "slw_dpt_" /* what tokens of short life begin with */

/* The file's content. @secret: 32 random bytes are one */
void dp_key_put(char dst[static DP_KEY_TEXT_MAX], const uint8_t secret[static SIGNATURE_KEY_BYTES]);
bool dp_key_parse(struct bytes src, uint8_t ret[static SIGNATURE_KEY_BYTES]);

/* Letters that mean nothing to who passes a token on, and not too many of them. */
bool dp_key_is_token(const char *text);

/**
 * dp_key_prepare() - before the processes are started: the key is there, and the old token, if there is one, where the roles find it
 * @roles_gid: the group of the roles
 *
 * Return: PARENT_EXIT_OK, or the exit status, and then the reason has been said.
 */
int dp_key_prepare(const char *state_folder, uint32_t roles_gid);

/* Tokens on their way from the process to the parent. */
struct dp_key_pipe {
    int fd; /* owned; -1: there is no such process */
    char line[DP_KEY_TOKEN_MAX_BYTES + 2];
    size_t len;
};

#define DP_KEY_PIPE_INIT ((struct dp_key_pipe){.fd = -1})

void dp_key_pipe_fini(struct dp_key_pipe *from);

/* For the process that is about to start; an older one is closed. @ret_write: owned by the caller */
int dp_key_pipe_open(struct dp_key_pipe *from, int *ret_write);

/* Take what has come: each token goes into the file. The old one, if there still is one, goes with the first of short life. */
void dp_key_pipe_read(struct dp_key_pipe *from, const char *state_folder, uint32_t roles_gid);
