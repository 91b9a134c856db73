/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment_reach.h"

#include <errno.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/fields.h"
#include "site/rows.h"

int deployment_reach_note(struct site *site, json_t **ret)
{
    OWN(json_freep) json_t *rows = NULL;
    OWN(json_freep) json_t *noted = json_object();
    int r = noted ? rows_array(site->db, SQL_DEPLOYMENT_REACH, DB_NO_ARGS, &rows) : ERR(-ENOMEM);

    for (size_t i = 0; r == 0 && i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);

        if (json_object_set(
                noted, field_text(row, "deployment_id", ""), json_object_get(row, "n_devices")) < 0)
            r = ERR(-ENOMEM);
    }
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(noted);
    return 0;
}

int deployment_reach_put(struct site *site, const json_t *before, json_t *dst)
{
    OWN(json_freep) json_t *rows = NULL;
    OWN(json_freep) json_t *more = json_array();
    int r = more ? rows_array(site->db, SQL_DEPLOYMENT_REACH, DB_NO_ARGS, &rows) : ERR(-ENOMEM);

    for (size_t i = 0; r == 0 && i < json_array_size(rows); i++) {
        json_t *row = json_array_get(rows, i);
        uint64_t was = field_number(before, field_text(row, "deployment_id", ""), 0);

        if (field_number(row, "n_devices", 0) <= was)
            continue;
        if (json_object_set_new(row, "n_devices_before", json_integer((json_int_t)was)) < 0 ||
            json_array_append(more, row) < 0)
            r = ERR(-ENOMEM);
    }
    if (r < 0)
        return TRACE(r);
    return json_object_set(dst, "reaching_more", more) < 0 ? ERR(-ENOMEM) : 0;
}
