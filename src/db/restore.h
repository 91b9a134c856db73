/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What a database must not do by itself when it was restored from a backup, which does not know what happened since
 */

#include <stdint.h>

#include "db/db.h"

/**
 * db_hold() - devices begin no required deployment of it, and go on with none, until somebody enables them
 * @now_us: of the restore
 * @ret:    how many required deployments that are
 *
 * Phased deployments are suspended. The site notes it in its audit log when it starts.
 */
int db_hold(struct db *db, uint64_t now_us, uint64_t *ret);
