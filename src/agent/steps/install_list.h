/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What Install Package and Install Application have in common: a list that is worked off, through restarts
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct package_program;
struct step_context;
struct step_result;

enum {
    INSTALL_LIST_MAX = 999,
    INSTALL_TIMEOUT_S = 720 * 60, /* of a program for which nobody gave one */
    INSTALL_RESTART_CODE = 3010,
};

struct install_list {
    struct step_context *c;
    /* Element @i, borrowed; "" behind the last. */
    const char *(*at)(void *ctx, size_t i);
    /* Install one. @ret: a failure; or exit_code says that a restart is wanted (3010, 1641). Return: 0 or -errno. */
    int (*install)(void *ctx, const char *element, struct step_result *ret);
    bool goes_on; /* with the others if one fails */
    bool
        looks_again; /* after a restart the same one is asked for again, to see that it is there; also the last */
    void *ctx;
};

/**
 * install_list_run() - one after the other
 *
 * If one wants a restart and there are more, the step goes on behind it after the restart, or with it; the variable
 * _SLWInstallPosition says where. Return: 0 with @ret set, or -errno.
 */
int install_list_run(const struct install_list *list, struct step_result *ret);

/**
 * install_program() - what slipway.json says
 * @folder: of the package
 * @shown: what the log says; NULL: the command
 * @ret: a failure (SLW-0430, SLW-0447 and others), or how it ended in exit_code
 */
int install_program(struct step_context *c,
                    const struct package_program *program,
                    const char *folder,
                    const char *shown,
                    struct step_result *ret);

/* Whether it succeeded and wants a restart. */
bool install_wants_restart(const struct step_result *result);

/* How often a program that failed is run again, and how long after it. */
struct install_retry {
    uint64_t n_times;
    uint64_t wait_us;
};

/* The same, and again if it fails; a cancellation ends it, also while it waits (SLW-0406). */
int install_program_retried(struct step_context *c,
                            const struct package_program *program,
                            const char *folder,
                            const struct install_retry *retry,
                            struct step_result *ret);
