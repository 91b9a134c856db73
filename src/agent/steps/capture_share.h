/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Capture Operating System Image into a WIM file of a network folder
 *
 * The file is written aside, as NAME.part, and renamed when it is whole; one that was there stays until then. How far it is durable is
 * in the state: after an interruption the step compares that with its hashes and goes on there (docs/protocol/capture.md).
 */

#include "agent/steps/step.h"

struct ts_capture_target; /* ts/network_folder.h */
struct wim_create_options;

/**
 * capture_share_write() - connect the folder as OSDCaptureAccount, write the file, and disconnect it
 * @target:  of OSDCaptureDestination
 * @options: what the file is made of
 *
 * Return: 0 with @ret a success or a failure, or -errno.
 */
int capture_share_write(struct step_context *c,
                        const struct ts_capture_target *target,
                        const struct wim_create_options *options,
                        struct step_result *ret);
