/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The administrator's one-time token: the site makes one at each start until somebody has signed in, and we show it
 */

#include <stddef.h>

#include "server/parent/parent.h"

enum {
    FIRST_START_LINE_MAX = 128,
};

struct first_start {
    int fd; /* owned; where the token comes from; -1: nobody will send one */
    char line[FIRST_START_LINE_MAX];
    size_t len;
};

#define FIRST_START_INIT ((struct first_start){.fd = -1})

void first_start_fini(struct first_start *first);

/**
 * first_start_open() - make the pipe for the site that is about to start; an older one is closed
 * @ret_write: owned by the caller, for the site
 */
int first_start_open(struct first_start *first, int *ret_write);

/**
 * first_start_read() - take what has come; with the whole line, show address, pin and token. Nothing comes from a
 * site where somebody has signed in
 *
 * On standard output, unless that is the journal, which keeps everything: then in a file of root.
 */
void first_start_read(struct first_start *first,
                      const struct parent_options *options,
                      const char *pin);

/* "https://10.77.0.1:443", with the first address of the configuration. */
void first_start_put_url(const struct server_config *config, char *dst, size_t cap);
