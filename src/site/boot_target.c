/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_target.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "site/order.h"

static void copy(char *dst, size_t cap, const struct db_rows *rows, size_t column)
{
    (void)snprintf(dst, cap, "%s", db_get_text(rows, column));
}

int boot_target_find(struct site *site, const char *device_id, struct boot_target *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    struct db_args args =
        DB_ARGS(db_text(device_id), db_u64(site->settings.is_unknown_computers_on ? 1 : 0));
    int r = db_first(site->db, SQL_BOOT_TARGET, args, &rows);

    *ret = (struct boot_target){0};
    if (r != DB_ROW)
        return TRACE(r);
    copy(ret->deployment_id, sizeof(ret->deployment_id), &rows, 0);
    ret->is_required = strcmp(db_get_text(&rows, 1), "required") == 0;
    copy(ret->boot_image_id, sizeof(ret->boot_image_id), &rows, 2);
    copy(ret->task_sequence_name, sizeof(ret->task_sequence_name), &rows, 3);
    copy(ret->collection_name, sizeof(ret->collection_name), &rows, 4);
    ret->is_for_unknown = strcmp(db_get_text(&rows, 5), "all-unknown") == 0;
    copy(ret->order_state, sizeof(ret->order_state), &rows, 6);
    ret->is_cancelled = db_get_bool(&rows, 9);
    ret->is_disabled = db_get_bool(&rows, 10);
    ret->waits_for_disk = strcmp(ret->order_state, "in-progress") == 0 &&
                          db_get_u64(&rows, 7) != ORDER_RESTARTS_TO_BOOT_IMAGE &&
                          (db_get_bool(&rows, 7) || strcmp(db_get_text(&rows, 8), "full-os") == 0);
    return 0;
}

bool boot_target_is_open(const struct boot_target *target)
{
    if (!target->deployment_id[0] || target->is_cancelled || target->is_disabled)
        return false;
    return !target->order_state[0] ||
           (!target->is_required && strcmp(target->order_state, "failed") == 0);
}
