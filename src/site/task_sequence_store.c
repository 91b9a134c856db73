/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "site/content.h"
#include "site/deployment_change.h"
#include "site/fields.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/edit.h"
#include "ts/report_json.h"
#include "ts/tree.h"

#define APPLY_IMAGE_TYPE   "SMS_TaskSequence_ApplyOperatingSystemAction"
#define CAPTURE_IMAGE_TYPE "SMS_TaskSequence_CaptureSystemImageAction"
#define NESTED_VARIABLE    "OSDSubTasksequencePackageID"

enum {
    NOTE_MAX_BYTES = 512,
};

/* What it ends with, as the table keeps it: the greatest of an order's sequences says where success is believed from. */
enum ending {
    ENDS_ANYWHERE,
    ENDS_IN_OS,           /* that it applies */
    ENDS_IN_A_BOOT_IMAGE, /* may: the system that was applied was captured, and has served its purpose */
};

static enum ending find_ending(const struct ts_document *doc)
{
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    enum ending ending = ENDS_ANYWHERE;

    for (size_t i = 0; i < n; i++) {
        if (!ts_step_is_enabled(&steps[i]))
            continue;
        if (strcmp(steps[i].type, APPLY_IMAGE_TYPE) == 0)
            ending = ENDS_IN_OS;
        else if (strcmp(steps[i].type, CAPTURE_IMAGE_TYPE) == 0)
            ending = ENDS_IN_A_BOOT_IMAGE;
    }
    return ending;
}

static char *steps_put(const struct ts_document *doc)
{
    OWN(json_freep) json_t *list = NULL;

    return ts_steps_json(doc, &list) == 0 ? json_dumps(list, JSON_COMPACT) : NULL;
}

/* Whose packages they are to be. */
struct wanting {
    struct site *site;
    const char *id;
};

static int add_packages(void *ctx, const char *nested_id, const struct ts_document *doc)
{
    const struct wanting *wanting = ctx;
    size_t n = 0;
    const char *const *packages = ts_document_packages(doc, &n);
    int r = 0;

    (void)nested_id;
    for (size_t i = 0; r == 0 && i < n; i++)
        r = db_must(wanting->site->db,
                    SQL_TASK_SEQUENCE_PACKAGE_ADD,
                    DB_ARGS(db_text(wanting->id), db_text(packages[i])));
    return TRACE(r);
}

int task_sequence_refresh_packages(struct site *site, const char *id, const struct ts_document *doc)
{
    struct wanting wanting = {site, id};
    int r = db_must(site->db, SQL_TASK_SEQUENCE_PACKAGES_FORGET, DB_ARGS(db_text(id)));

    if (r == 0)
        r = add_packages(&wanting, id, doc);
    if (r == 0)
        r = task_sequence_each_nested(site, id, doc, add_packages, &wanting);
    return r == -E2BIG ? 0 : TRACE(r); /* which validation tells */
}

/* Whether it could be deployed now. */
static int
find_deployable(struct site *site, const char *id, const struct task_sequence_row *row, bool *ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    const struct task_sequence_subject subject = {
        .id = id,
        .boot_image_id = row->boot_image_id ? row->boot_image_id : "",
        .wanted_boot_image = row->wanted_boot_image,
    };
    int r = task_sequence_check(site, &subject, row->doc, &diags);

    *ret = !ts_diags_has_error(&diags) && !row->is_disabled;
    return TRACE(r);
}

static int finish(struct site *site, const char *id, const struct task_sequence_row *row)
{
    int r =
        db_must(site->db, SQL_TASK_SEQUENCE_VERSION_ADD, DB_ARGS(db_text(id), db_text(row->note)));

    return r == 0 ? TRACE(task_sequence_refresh_packages(site, id, row->doc)) : TRACE(r);
}

/* Write a row, its references and its version with @sql. */
static int write_row(struct site *site,
                     enum db_sql sql,
                     const char *who,
                     const char *id,
                     const struct task_sequence_row *row)
{
    OWN(freep) char *steps = steps_put(row->doc);
    OWN(buf_fini) struct buf xml = BUF_INIT(TASK_SEQUENCE_XML_MAX_BYTES);
    OWN(freep) char *names = row->names ? json_dumps(row->names, JSON_COMPACT) : NULL;
    bool is_deployable;
    size_t n_steps = 0;
    int r = ts_document_put(row->doc, &xml);

    (void)ts_document_steps(row->doc, &n_steps);
    if (r == 0 && (!steps || xml.failed || (row->names && !names)))
        r = ERR(-ENOMEM);
    if (r == 0)
        r = find_deployable(site, id, row, &is_deployable);
    if (r != 0)
        return TRACE(r);
    r = db_must(site->db,
                sql,
                DB_ARGS(db_text(id),
                        db_text(row->name),
                        db_text(row->description),
                        db_text(row->boot_image_id),
                        db_bytes(buf_bytes(&xml)),
                        db_u64(n_steps),
                        db_text(steps),
                        db_u64(find_ending(row->doc)),
                        db_u64(site->now_us),
                        db_text(who),
                        db_u64(is_deployable ? 1 : 0),
                        db_text(row->wanted_boot_image ? row->wanted_boot_image : ""),
                        db_text(names),
                        db_text(row->object),
                        db_u64(row->is_disabled ? 1 : 0)));
    return r == 0 ? TRACE(finish(site, id, row)) : TRACE(r);
}

int task_sequence_add(struct site *site,
                      const char *who,
                      const struct task_sequence_row *row,
                      char id[static SITE_ID_MAX])
{
    int r;

    if (!is_fit_name(row->name)) /* it may come from a file */
        return refuse_member(
            site,
            REFUSAL_INVALID,
            "name",
            "\"%.100s\" can be no name: it has control characters, begins or ends "
            "with a blank, is longer than %d bytes or like an id of the site; give "
            "another \"name\".",
            row->name,
            FIELD_NAME_MAX_BYTES);
    r = site_take_id(site, SITE_ID_OBJECT, id);
    if (r == 0)
        r = write_row(site, SQL_TASK_SEQUENCE_ADD, who, id, row);
    if (r != 0)
        return TRACE(r);
    return TRACE(site_audit(site, who, "task-sequence.create", id, row->name));
}

int task_sequence_put(struct site *site,
                      const char *who,
                      const char *id,
                      const struct task_sequence_row *row)
{
    OWN(json_freep) json_t *harmless = NULL;
    bool is_wiping = false;
    int r = task_sequence_wipes(site, id, row->doc, &is_wiping);

    if (r == 0 && is_wiping)
        r = task_sequence_harmless(site, &harmless);
    if (r == 0)
        r = write_row(site, SQL_TASK_SEQUENCE_CHANGE, who, id, row);
    if (r == 0)
        r = deployment_check_edited(site, harmless);
    if (r != 0)
        return TRACE(r);
    return TRACE(site_audit(site, who, "task-sequence.change", id, row->note));
}
