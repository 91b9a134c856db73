/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What Check Readiness asks about a computer, and how it judges
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

struct step_context;
struct step_result;

enum {
    READINESS_TEXT_MAX = 64,
};

/* 0 and "" are: it could not be found out. */
struct readiness {
    uint64_t memory_mib; /* built in */
    uint64_t speed_mhz;  /* of the fastest processor, at most */
    uint64_t disk_mib; /* most free space of one volume, or the size of a disk without partitions */
    bool has_os;       /* a system runs that could be refreshed: not in the boot image */
    bool is_server;    /* this and the next four are of that system */
    bool has_no_kind;  /* nothing says which kind it is, neither an edition nor a display manager */
    unsigned os_bits;  /* 32 or 64 */
    char os_version[READINESS_TEXT_MAX];
    uint64_t os_language; /* LCID */
    bool is_on_mains;
    bool has_network; /* an adapter has a link */
    bool is_wired;    /* one that is not wireless has */
    bool is_uefi;
    bool has_tpm_2;
};

/**
 * readiness_look() - find it out
 * @root: "" is this computer; tests have a tree of sys/ and etc/
 * @c: its facts and machine are asked
 */
void readiness_look(const char *root, const struct step_context *c, struct readiness *ret);

/**
 * readiness_judge() - compare with what the step asks for, each check whatever the others say
 *
 * Sets the variables _TS_CR... and logs each check. Return: 0 with @ret set, or -errno.
 */
int readiness_judge(struct step_context *c, const struct readiness *found, struct step_result *ret);
