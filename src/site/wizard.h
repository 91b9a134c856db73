/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The wizard: variables of a device that have a name and no value yet are asked for on its screen before an available deployment
 * begins (docs/deployments.md, What is asked on the screen)
 *
 * What is typed holds for the next order of that deployment on that device, and goes with its end. It comes before the values of
 * collections and device (enum ts_source).
 */

#include <stdbool.h>

#include "site/site.h"

/**
 * wizard_asked() - what is to be asked for at this moment
 * @ret_deployment: the deployment that would begin; room for SITE_ID_MAX. "" if its variables are not asked for: there is none, it is
 *                  required, or SMSTSPreferredAdvertID names it
 * @ret_name:       of its task sequence; owned by the caller
 * @ret:            [{"name", "is_secret"}] by name, may be empty; owned by the caller
 */
int wizard_asked(
    struct site *site, const char *device_id, char *ret_deployment, char **ret_name, json_t **ret);

/**
 * wizard_keep() - what was typed
 * @asked:     of wizard_asked()
 * @variables: {"NAME": "value"}; "" and what is missing stay without a value
 *
 * What was kept before goes. Refused if a name is none of those asked for, or a value is too long. Within the caller's transaction.
 */
int wizard_keep(struct site *site,
                const char *device_id,
                const char *deployment_id,
                const json_t *asked,
                json_t *variables);

/* What was typed is forgotten: the device is asked anew; or the order has ended. */
int wizard_forget(struct site *site, const char *device_id);
int wizard_forget_order(struct site *site, const char *order_id);
