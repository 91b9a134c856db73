/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Boot images that follow the server: one for each architecture is made without being asked, and those that are not
 * custom are built anew when the kernel or the agent changes
 */

#include <jansson.h>
#include <stdint.h>

struct site;

/* It is not built again of the same kernel and agent so soon, whatever it says; after a failure. */
#define BOOT_IMAGE_REBUILD_US (UINT64_C(24) * 3600 * 1000000)
#define BOOT_IMAGE_RETRY_US   (UINT64_C(3600) * 1000000)

/**
 * boot_image_follow() - order what is to be built, at each claim of the site's own distribution point
 * @body: {"kernels": {"x64": {"generic": "6.1.0-37-amd64", "virtual": …}, "x86": {"generic": …}}, "agent_version":
 *        "0.1.0", "x86_agent_version": "0.1.0"}; may be NULL
 *
 * The default boot image of an architecture is made as soon as there is a kernel for it, unless there is one that is not
 * custom, or an administrator has deleted it. A build that was ordered for the same kernel and agent is not ordered again
 * within a day, or within an hour if it failed.
 */
int boot_image_follow(struct site *site, const json_t *body);

/* Refused if it is known that no boot image can be built for @arch here. */
int boot_image_check_arch(struct site *site, const char *arch, const char *flavour);

/* An administrator has deleted a boot image for @arch: if it was the last one, none comes by itself. */
int boot_image_deleted(struct site *site, const char *arch);

/**
 * boot_image_defaults() - for GET /status
 * @ret: [{"arch", "package_id", "state", "text"}]; package_id is null if there is none; state is that of the package, or
 *       "deleted", "failed", "missing" or "unknown", and text then says what to do
 */
int boot_image_defaults(struct site *site, json_t **ret);
