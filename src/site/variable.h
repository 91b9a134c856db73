/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Variables of task sequences that collections and devices have (docs/protocol/sequencer.md)
 *
 * The value of a secret one is written only: it leaves the site in the order of a device and nowhere else, and stands in
 * no log.
 */

#include "site/rows.h"
#include "site/site.h"

enum {
    VARIABLES_MAX = 1000,     /* of one collection or device */
    VARIABLES_ASKED_MAX = 64, /* on the screen of one device */
};

enum variable_owner {
    VARIABLE_OF_COLLECTION,
    VARIABLE_OF_DEVICE,
};

/**
 * variable_set() - give one its value
 * @which: id or name of the owner
 * @body:  {"name", "value", "is_secret"}; without is_secret it stays what it was. One whose name ends in Password and
 *         the like is secret in any case
 * @ret:   {"name", "value", "is_secret"}; the value of a secret one is null
 */
int variable_set(struct site *site,
                 enum variable_owner owner,
                 const char *who,
                 const char *which,
                 const json_t *body,
                 json_t **ret);

/* The same for a device that the caller has made or found, within his transaction. */
int variable_give(struct site *site, const char *who, const char *id, const json_t *body);

int variable_remove(struct site *site,
                    enum variable_owner owner,
                    const char *who,
                    const char *which,
                    const char *name);

/* {"items": [{"name", "value", "is_secret", "changed_at"}]} */
int variable_list(struct site *site, enum variable_owner owner, const char *which, json_t **ret);

/* What a device gets: {"items": [{"name", "value", "is_secret", "is_asked", "source"}]}; the source is "device" or the id of a
   collection. At the end those that variable_list_asked() has. */
int variable_list_effective(struct site *site, const char *device, json_t **ret);

/* The value that a device gets of one variable, cut to @cap. @ret: "" if there is none. */
int variable_find(
    struct site *site, const char *device_id, const char *name, char *ret, size_t cap);

/* The same without what the prestart command of its last start has set. */
int variable_find_kept(
    struct site *site, const char *device_id, const char *name, char *ret, size_t cap);

/**
 * variable_list_asked() - those that the device gets without a value: they are asked for on its screen
 * @device_id: NULL: of nobody
 * @ret: [{"name", "is_secret"}] by name, at most VARIABLES_ASKED_MAX; owned by the caller
 */
int variable_list_asked(struct site *site, const char *device_id, json_t **ret);

/* By the rules that hold where it is used. Return: 0 or SITE_E_REFUSED. */
int variable_check(struct site *site, const char *name, const char *value);

/**
 * variable_put_order() - the variables of an order
 * @deployment_id: what was typed on the screen for it is among them, as is what the prestart command has set
 * @device_name: becomes _SMSTSMachineName: the computer name if neither a variable nor the step gives one
 * @ret:         an object of texts; owned by the caller, like the next
 * @ret_secrets: the names of the secret ones among them
 */
int variable_put_order(struct site *site,
                       const char *device_id,
                       const char *deployment_id,
                       const char *device_name,
                       json_t **ret,
                       json_t **ret_secrets);
