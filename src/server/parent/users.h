/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Who the processes run as
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/bytes.h"

/* The processes that the parent starts. The first three are the roles of server/role.h. */
enum parent_child {
    CHILD_SITE,
    CHILD_DP,
    CHILD_PXE,
    CHILD_HTTP,  /* nginx */
    CHILD_TOKEN, /* of a remote distribution point: gets tokens for its key */
    N_CHILDREN,
};

struct users {
    uint32_t uids[N_CHILDREN];
    uint32_t gids[N_CHILDREN];
    uint32_t roles_gid; /* group of those who may ask the site on run/roles.sock */
    bool is_root;       /* otherwise all of them are the caller */
    bool are_fixed;     /* some user does not exist: fixed numbers stand in */
};

extern const char *const users_names[N_CHILDREN];

int users_find(struct users *ret);

/* Comma-separated numbers and back, to hand them to a role. */
void users_put(const struct users *users, struct buf *dst);
bool users_parse(struct bytes src, uint32_t ret[static N_CHILDREN]);
