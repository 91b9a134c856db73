/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What Connect To Network Folder has connected: the state keeps it, so that it is there again after a restart
 * (docs/protocol/state.md)
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum {
    CONNECTIONS_MAX = 64,
    CONNECTION_TEXT_MAX = 8192, /* of each text */
};

struct connection {     /* all borrowed; "" for what there is none of */
    const char *path;   /* as the step says it: "\\\\server\\share", "server:/export" */
    const char *target; /* where it is mounted: "/run/slipway/drives/Z" */
    const char *account;
    const char *password;
};

struct connections {
    struct connection list[CONNECTIONS_MAX];
    char *texts[CONNECTIONS_MAX]; /* owned: of each, what it points to */
    size_t n;
};

/* Outcomes beside 0 */
enum {
    CONNECTIONS_E_TOO_MANY = 1,
    CONNECTIONS_E_MALFORMED = 2,
};

void connections_fini(struct connections *c);

/**
 * connections_keep() - it is connected now
 * @one: copied; takes the place of what was at the same target
 *
 * Return: 0, CONNECTIONS_E_TOO_MANY, or -ENOMEM.
 */
int connections_keep(struct connections *c, const struct connection *one);

/* Whether the password of one is not known, as in what connections_json() makes without them. */
bool connections_want_password(const struct connections *c);

/**
 * connections_read() - what connections_json() made
 * @json: NULL: none
 *
 * Return: 0, an outcome, or -ENOMEM; then @c is to be released, too.
 */
int connections_read(const json_t *json, struct connections *c);
json_t *connections_json(const struct connections *c, bool has_passwords);
