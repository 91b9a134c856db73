/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The agent makes itself known (docs/protocol/client-api.md)
 */

#include "site/site.h"

/**
 * registration_take() - POST /client/registrations
 * @ret: the answer, with a token of the device
 *
 * Needs a boot ticket for one of its MAC addresses or, without one, an HTTP Boot offer that was made to it in the last ten
 * minutes and led to no registration yet. It has a key, which it proves; with that key and the same ticket it may ask again for ten
 * minutes, and is answered alike: the first answer may have got lost.
 */
int registration_take(struct site *site, const json_t *body, json_t **ret);
