/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The agent makes itself known (docs/protocol/client-api.md)
 */

#include "site/site.h"

/**
 * registration_take() - POST /client/registrations
 * @ret: the answer, with the device's token
 *
 * Needs a boot ticket for one of its MAC addresses or, without one, an HTTP Boot offer that was made to it in the last ten
 * minutes and led to no registration yet.
 */
int registration_take(struct site *site, const json_t *body, json_t **ret);
