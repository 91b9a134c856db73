/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Keys of the site's own, which all sites on a database share and which never leave it
 */

#include <stdint.h>

#include "site/site.h"

/* Make the key of this name, if there is none yet. */
int secret_make(struct site *site, const char *name);

/* Read it; it is there once it was made. */
int secret_load(struct site *site, const char *name, uint8_t ret[static SITE_KEY_BYTES]);
