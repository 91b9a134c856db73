/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The distribution's own packages: apt, dnf or zypper, whichever is there
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

struct step_context;
struct step_result;

enum package_manager {
    PACKAGE_MANAGER_NONE,
    PACKAGE_MANAGER_APT,
    PACKAGE_MANAGER_DNF,
    PACKAGE_MANAGER_ZYPPER,
};

enum package_manager package_manager_kind(void);
const char *package_manager_name(enum package_manager kind);

/* The value of a line of /etc/os-release, appended: "ID", "VERSION_ID". */
void package_manager_os_release(const char *name, struct buf *ret);

/* Whether a package is installed; @ret_version is appended. */
bool package_manager_find(const char *name, struct buf *ret_version);

/* Whether a version is another one or later, as the package manager sees it. */
bool package_manager_is_at_least(const char *version, const char *least);

/* Whether what was installed wants a restart. */
bool package_manager_wants_restart(void);

/* How long a call of it may take, and what people are told meanwhile. */
struct package_manager_call {
    const char *what;
    const char *folder; /* where names that begin with "./" are; NULL */
    unsigned timeout_s; /* 0: none */
};

/**
 * package_manager_scan() - get the lists of what there is
 * package_manager_install() - install packages, by name or as files
 * package_manager_update() - bring what is installed up to date
 * @names: ends with NULL
 * @is_security_only: leave out what mends no weakness
 * @ret: a failure if it cannot (SLW-0447, or one of program_run()); otherwise untouched
 *
 * Return: 0 or -errno.
 */
int package_manager_scan(struct step_context *c,
                         const struct package_manager_call *how,
                         struct step_result *ret);
int package_manager_install(struct step_context *c,
                            const char *const *names,
                            const struct package_manager_call *how,
                            struct step_result *ret);
int package_manager_update(struct step_context *c,
                           bool is_security_only,
                           const struct package_manager_call *how,
                           struct step_result *ret);

/**
 * package_manager_security_names() - of what apt would install, the packages that come from a security archive
 * @listing: what apt-get prints when it simulates: lines "Inst NAME [OLD] (NEW ARCHIVE...)"
 * @ret: the names, each behind a NUL of the one before, appended
 *
 * Return: how many.
 */
size_t package_manager_security_names(const char *listing, struct buf *ret);
