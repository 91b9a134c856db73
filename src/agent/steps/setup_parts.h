/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of Setup Windows and Configuration Manager: the agent in the new operating system, and a
 * disk that boots it. In this order, because a disk must never boot an operating system that has no
 * agent to finish the sequence. Each may be repeated from its beginning.
 */

#include <stdbool.h>

#include "agent/steps/step.h"

/**
 * setup_agent() - put the agent, its service and the file system table into the volume
 * Return: 0; 1 with @ret as the failure; -errno.
 */
int setup_agent(struct step_context *c, struct step_result *ret);

/* The boot loader and its menu. The very last write is what makes the firmware start it. */
int setup_boot(struct step_context *c, struct step_result *ret);

/* Whether the service is there, below @root ("" is the running system). */
bool setup_has_service(const char *root);

/* Whether the volume can join the domain that Apply Network Settings wants. Return: as setup_agent(). */
int setup_check_join(struct step_context *c, struct step_result *ret);

/* In the system that runs: join it, if there is one, and forget the password. Return: 0 (with @ret, if it failed) or -errno. */
int setup_join(struct step_context *c, struct step_result *ret);
