/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Distribution: which package is to be on which distribution point, and how that goes
 *
 * A row per distribution point and package says which version is to be there, what is left to do (replicate,
 * redistribute, validate, remove) and how it stands: waiting, in-progress, success, failed. Work becomes a job when the
 * distribution point asks for one, so that priority, schedule and rate are those of that moment. What the site imports is
 * on DP00001 by that. @content is a package or a task sequence, which stands for all it refers to.
 */

#include <stdbool.h>
#include <stdint.h>

#include "site/rows.h"
#include "site/site.h"

enum {
    DISTRIBUTION_JOBS_MAX = 3,      /* at once on one distribution point */
    DISTRIBUTION_TRIES_MAX = 100,   /* then it stays failed */
    DISTRIBUTION_TARGETS_MAX = 256, /* distribution points or groups in one request */
    DISTRIBUTION_HISTORY_MAX = 200, /* events kept per package and distribution point */
};

/* From one try to the next; doubled each time. */
#define DISTRIBUTION_RETRY_US     (UINT64_C(60) * 1000000)
#define DISTRIBUTION_RETRY_MAX_US (UINT64_C(1800) * 1000000)

/**
 * distribution_add() - POST /content/{id}/distribution: {"distribution_points": […], "groups": […]}, ids or names
 * @ret: as distribution_list()
 */
int distribution_add(
    struct site *site, const char *who, const char *content, const json_t *body, json_t **ret);

/* {"items", "counts": {"targeted", "success", "in_progress", "failed", "unknown"}} */
int distribution_list(struct site *site, const char *content, json_t **ret);

/* {"items": […]}, oldest first. */
int distribution_history(struct site *site, const char *package_id, const char *dp, json_t **ret);

enum distribution_verb {
    DISTRIBUTION_REDISTRIBUTE, /* every byte anew; a failed one: again, at once */
    DISTRIBUTION_VALIDATE,
    DISTRIBUTION_CANCEL,
    DISTRIBUTION_REMOVE,
};

/**
 * distribution_change() - what is asked for one content on one distribution point
 * @ret: as distribution_list()
 */
int distribution_change(struct site *site,
                        const char *who,
                        const char *content,
                        const char *dp,
                        enum distribution_verb verb,
                        json_t **ret);

/* Take a content off a group and off the members that no other group gives it. @ret: as distribution_list() */
int distribution_remove_group(
    struct site *site, const char *who, const char *content, const char *group, json_t **ret);

/* One package on one distribution point; nothing changes where it is or is on the way. Within a transaction. */
int distribution_want(struct site *site,
                      const char *package_id,
                      uint64_t version,
                      const char *dp_id);

/* Refuse if a package of the task sequence is on no distribution point that clients may use. */
int distribution_check_task_sequence(struct site *site, const char *task_sequence_id);

/**
 * distribution_version_ready() - a version has become the one of its package: made, or gone back to
 *
 * DP00001 has it; every other distribution point of the package gets it. Within the caller's transaction.
 */
int distribution_version_ready(struct site *site, const char *package_id, uint64_t version);

/**
 * distribution_version_gone() - before the rows of a version's manifests go: remote distribution points that have it
 * remove what nothing else there needs
 * @boot_arch: of a boot image that goes as a whole, whose plain files are removed too; NULL otherwise
 *
 * Within the caller's transaction. DP00001 is the caller's.
 */
int distribution_version_gone(struct site *site,
                              const char *package_id,
                              uint64_t version,
                              const char *boot_arch);

/* A line of the history. @error_id: NULL: none. Within a transaction. */
struct distribution_event {
    const char *dp_id;
    const char *package_id;
    uint64_t version;
    const char *event;
    const char *error_id;
    const char *message;
};
int distribution_note(struct site *site, const struct distribution_event *event);
