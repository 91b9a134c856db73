/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For tests: a TPM 2.0 in a process of its own, swtpm, at a terminal that stands for /dev/tpmrm0
 */

#include <sys/types.h>

#include "plat/tpm.h"

enum {
    SWTPM_PATIENCE_US = 60 * 1000 * 1000,
};

struct swtpm {
    char folder[32]; /* also for what a test keeps */
    char device[32];
    int fds[2]; /* both ends of the terminal; owned */
    pid_t pid;
    struct tpm *tpm; /* owned; NULL: not opened */
};

/* A new one, of which nobody has asked anything. Asserts that it works. */
struct swtpm swtpm_new(void);

/* A new one, opened as the agent does. */
struct swtpm swtpm_start(void);
void swtpm_stop(struct swtpm *m);
