/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Joining a domain or workgroup: Join Domain or Workgroup, and Setup for Apply Network Settings
 */

#include <stdbool.h>

#include "base/buf.h"

struct step_context;
struct step_result;
struct ts_vars;

/* All borrowed. */
struct join {
    const char *domain;
    const char *unit;     /* with or without "LDAP://" in front; "": the usual one */
    const char *account;  /* with or without "EXAMPLE\" in front */
    const char *password; /* never shown */
};

/**
 * join_check() - whether it makes sense
 * @why: appended
 *
 * Return: 0, or the exit code that says what does not.
 */
int join_check(const struct join *join, struct buf *why);

/**
 * join_domain() - the running system, by realmd or adcli
 * @ret: a failure: SLW-0449, or one of program_run()
 *
 * Return: 0 or -errno.
 */
int join_domain(struct step_context *c, const struct join *join, struct step_result *ret);

/* For Setup, in variables that the state protects; an empty join removes them. Return: 0, TS_VARS_E_LIMIT, or -errno. */
int join_keep(const struct join *join, struct ts_vars *vars);

/* What was kept; borrowed from @vars. Return: whether there is a domain. */
bool join_find(const struct ts_vars *vars, struct join *ret);

/* The setting "workgroup" in the section [global] of a smb.conf becomes @name, or is added there. */
void join_set_workgroup(const char *config, const char *name, struct buf *ret);
