/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which deployment a device is to run (src/site/deployment_rule.h has the rules, docs/deployments.md tells them)
 */

#include <stdbool.h>

#include "site/deployment_rule.h"
#include "site/site.h"

enum {
    BOOT_NAME_MAX = 256,
    BOOT_CHOICES_MAX = 50, /* on a screen; of more the last ones are left out */
};

struct boot_target {
    char deployment_id[SITE_ID_MAX]; /* "": nothing is deployed to the device */
    bool is_required;
    bool is_preferred; /* SMSTSPreferredAdvertID names it: no question is asked */
    enum deployment_verdict verdict;
    uint64_t changes_us; /* when the verdict becomes another by itself, or SCHEDULE_NEVER */
    bool is_for_unknown; /* it reaches the device as an unknown computer */
    char boot_image_id[SITE_ID_MAX]; /* of the task sequence; "": it names none */
    /* those of all that can be chosen, that one's first, without repetition; of what is not chosen only that one */
    char boot_images[BOOT_CHOICES_MAX][SITE_ID_MAX];
    size_t n_boot_images;
    size_t n_choices; /* how many there are to choose from on the screen; 0: nobody is asked */
    char task_sequence_name[BOOT_NAME_MAX];
    char collection_name[BOOT_NAME_MAX];
    char order_state[16]; /* of the device's order under it: "in-progress", …; "": there is none */
    bool waits_for_disk;  /* that order goes on in the installed system, or is restarting into it */
};

/**
 * boot_target_find() - what is deployed to a device
 * @device_id: "" for a computer the site has no row for
 * @mac:       by which such a one asks; may be NULL
 * @dp_id:     whose offer it would be; NULL: of the one whose offer the device took last
 * @arch:      "x64", "x86", "arm64": what an unknown computer is, unless it has said so itself; NULL: it has
 */
int boot_target_find(struct site *site,
                     const char *device_id,
                     const char *mac,
                     const char *dp_id,
                     const char *arch,
                     struct boot_target *ret);

/* Whether the device may begin an order under it. */
static inline bool boot_target_is_open(const struct boot_target *target)
{
    return target->deployment_id[0] && target->verdict == DEPLOYMENT_OPEN;
}

/**
 * boot_target_judge() - whether a device that is switched on would begin a deployment
 * @ret:         also for one that is for clients alone; DEPLOYMENT_NOT_REACHED if it does not reach the device
 * @ret_changes: when that will be another by itself, or SCHEDULE_NEVER
 */
int boot_target_judge(struct site *site,
                      const char *device_id,
                      const char *deployment_id,
                      enum deployment_verdict *ret,
                      uint64_t *ret_changes);

/**
 * boot_target_find_client() - the same for the agent in the installed system, whom nobody is asked for
 * @deployment_id: that somebody there wants to begin; NULL: what the rules choose
 * @ret:           with its verdict; no deployment if none reaches the device, or not that one
 */
int boot_target_find_client(struct site *site,
                            const char *device_id,
                            const char *deployment_id,
                            struct boot_target *ret);

/**
 * boot_target_list() - all that reach the device, judged, for people
 * @is_client: as for the agent in the installed system, not for what starts from the network
 * @ret: [{"deployment_id", "comment", "task_sequence_name", "collection_name", "purpose", "priority", "verdict",
 *       "changes_at"}], the chosen one first; owned by the caller
 */
int boot_target_list(struct site *site, const char *device_id, bool is_client, json_t **ret);

/* "not-yet", …: the word of the API for a verdict. */
const char *boot_target_word(enum deployment_verdict verdict);

/**
 * boot_target_choices() - what can be chosen on the device's screen
 * @ret: [{"deployment_id", "name", "comment"}], the one that goes first by the rules first; empty where nobody is asked: one that is
 *       required goes before them, or one was chosen. Owned by the caller
 */
int boot_target_choices(struct site *site, const char *device_id, json_t **ret);
