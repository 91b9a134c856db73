/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a computer that has registered is asked on its screen before there is an order, behind what its boot image runs there first (site/prestart.h): the password of those who start from the
 * network, which of several available deployments it is to begin, and variables without a value (docs/deployments.md, docs/protocol/client-api.md)
 */

#include <stdbool.h>

#include "site/boot_target.h"
#include "site/password.h"
#include "site/site.h"

enum {
    BOOT_GATE_TRIES = 5, /* wrong passwords of one start, and of one device until it has to wait */
};

/**
 * boot_gate_open() - the device has registered, and has no order in progress: what was asked before is asked anew
 * @ret: whether nothing is asked: it may begin
 *
 * Within the caller's transaction.
 */
int boot_gate_open(struct site *site, const char *device_id, const char *boot_image_id, bool *ret);

/**
 * boot_gate_ask() - the device asks for its order
 * @ret: what it is to ask on its screen; NULL: nothing. Owned by the caller
 *
 * What was waited for may have come, and then the order begins.
 */
int boot_gate_ask(struct site *site, const char *device_id, json_t **ret);

/* PUT /client/boot-password {"password"}, with password_work_run() in between. @address: of the device, or NULL */
int boot_gate_begin_password(struct site *site,
                             const char *device_id,
                             const char *address,
                             const json_t *body,
                             struct password_work *ret);
int boot_gate_end_password(struct site *site,
                           const char *device_id,
                           const char *address,
                           const struct password_work *work,
                           json_t **ret);

/* PUT /client/choice {"deployment_id", "is_by_time"}; @ret: {} */
int boot_gate_choose(struct site *site, const char *device_id, const json_t *body, json_t **ret);

/* DELETE /client/choice: the list is asked again; @ret: {} */
int boot_gate_unchoose(struct site *site, const char *device_id, json_t **ret);

/* PUT /client/variables {"deployment_id", "variables"}: what was typed; @ret: {} */
int boot_gate_take_variables(struct site *site,
                             const char *device_id,
                             const json_t *body,
                             json_t **ret);

/* What was chosen on the screen; @ret: room for SITE_ID_MAX, "" for nothing. */
int boot_gate_chosen(struct site *site, const char *device_id, char *ret);

/* Its order has begun. */
int boot_gate_drop(struct site *site, const char *device_id);

/**
 * boot_gate_explain() - what would be asked, and what is waited for, for people
 * @ret: {"password_of", "choice_s", "choices": [{"deployment_id", "name", "comment"}], "variables": [{"name", "is_secret"}], "waits_for", "n_wrong"}; owned by the caller
 */
int boot_gate_explain(struct site *site, const char *device_id, const char *dp_id, json_t **ret);
