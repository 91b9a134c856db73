/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The account that a step runs its program as, in the installed operating system
 *
 * Root may become anybody, so a password is not needed. Where the step has one and the account is in /etc/shadow, it is
 * checked all the same: a sequence that names a wrong one is wrong. Accounts of a directory are asked for with getent and
 * id; their passwords are not checked.
 */

#include "base/buf.h"
#include "plat/process.h"

struct run_as {
    struct process_user user; /* its groups are owned by this */
    char *name;               /* owned, as all below */
    char *home;
    char *shell;
};

enum {
    RUN_AS_E_REFUSED = 1, /* no such account, or not its password */
};

/**
 * run_as_find()
 * @root:     "" or a folder, for tests: where etc/passwd, etc/group and etc/shadow are
 * @name:     "anna", ".\\anna", or as a directory writes it ("anna@example.org", "EXAMPLE\\anna")
 * @password: "": not checked
 * @ret:      set on 0 only; run_as_fini()
 * @why:      set on RUN_AS_E_REFUSED; never the password
 *
 * Return: 0, RUN_AS_E_REFUSED or -errno.
 */
int run_as_find(
    const char *root, const char *name, const char *password, struct run_as *ret, struct buf *why);
void run_as_fini(struct run_as *as);
