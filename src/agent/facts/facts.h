/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * This computer as WMI would show it, as far as Linux can tell
 *
 * Properties have the names, units and spellings of Windows: sizes in bytes, speeds in MHz or bit/s, chassis types by
 * their SMBIOS numbers. What Linux knows only under another name (a drive letter) is that other name (a mount point).
 * What it cannot tell is null, so that a query about it selects nothing instead of being unanswerable.
 */

#include <stdbool.h>

#include <jansson.h>

struct machine;
struct ts_facts_file;
struct ts_table;

/**
 * facts_gather() - look at this computer
 * @root:    "" is this computer; tests have a tree of sys/, proc/ and etc/
 * @machine: of the same
 * @ret:     owned by the caller
 *
 * What cannot be read is left out. Return: 0 or -ENOMEM.
 */
int facts_gather(const char *root, const struct machine *machine, struct ts_table **ret);

/**
 * facts_describe() - the same with the variables that the engine has of the computer
 * @ret: its table and variables are owned by the caller
 */
int facts_describe(const char *root,
                   const struct machine *machine,
                   bool is_full_os,
                   struct ts_facts_file *ret);

/**
 * facts_for_registration() - the same as a member of a registration (docs/protocol/client-api.md)
 * @ret: owned by the caller
 *
 * Return: how many classes were left out for want of room, or -errno.
 */
int facts_for_registration(const char *root,
                           const struct machine *machine,
                           bool is_full_os,
                           json_t **ret);
