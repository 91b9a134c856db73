/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/task_sequence_parts.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

/* An enabled step that leaves nothing of what was on a disk. */
static bool has_wiping_step(const struct ts_document *doc)
{
    static const char *const types[] = {
        "SMS_TaskSequence_ApplyOperatingSystemAction",
        "SMS_TaskSequence_ApplyDataImageAction",
        "SMS_TaskSequence_PartitionDiskAction",
        "SMS_TaskSequence_UpgradeOperatingSystemAction",
    };
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < sizeof(types) / sizeof(types[0]); k++)
            if (ts_step_is_enabled(&steps[i]) && strcmp(steps[i].type, types[k]) == 0)
                return true;
    return false;
}

static int look(void *ctx, const char *id, const struct ts_document *doc)
{
    bool *is_wiping = ctx;

    (void)id;
    *is_wiping = *is_wiping || has_wiping_step(doc);
    return 0;
}

int task_sequence_wipes(struct site *site, const char *id, const struct ts_document *doc, bool *ret)
{
    int r;

    *ret = has_wiping_step(doc);
    if (*ret)
        return 0;
    r = task_sequence_each_nested(site, id, doc, look, ret);
    if (r == -E2BIG)
        *ret = true; /* nobody has looked at all of it */
    return r == -E2BIG ? 0 : TRACE(r);
}

int task_sequence_wipes_by_id(struct site *site, const char *id, bool *ret)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    int r = task_sequence_read(site, id, 0, &doc);

    return r == 0 ? TRACE(task_sequence_wipes(site, id, doc, ret)) : TRACE(r);
}

int task_sequence_harmless(struct site *site, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(json_freep) json_t *list = json_array();
    int r = db_select(site->db, SQL_DEPLOYMENT_REQUIRED_SEQUENCES, DB_NO_ARGS, &rows);

    while (r == 0 && (r = db_next(&rows)) == DB_ROW) {
        const char *id = db_get_text(&rows, 0);
        bool is_wiping = false;

        r = task_sequence_wipes_by_id(site, id, &is_wiping);
        if (r == 0 && !is_wiping && json_array_append_new(list, json_string(id)) < 0)
            return ERR(-ENOMEM);
    }
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(list);
    return 0;
}
