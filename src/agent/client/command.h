/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What slipway-agent does in an installed system; each returns the exit code
 */

/* slipway-agent client: the service, until this computer is no client. */
int client_command(const char *version);

/* slipway-agent run --full-os: finish the task sequence whose state is on the disk. */
int client_resume_command(const char *version);

/* slipway-agent deployments */
int client_deployments_command(const char *version);

/* slipway-agent run DEPLOYMENT */
int client_run_command(const char *version, const char *deployment_id);
