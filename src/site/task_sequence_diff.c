/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/content.h"
#include "site/fields.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/diff.h"
#include "ts/report_json.h"
#include "ts/secret.h"

/* One side of a comparison. */
struct side {
    json_t *row;             /* owned: what the version was called and started from */
    struct ts_about about;   /* borrows from the row */
    struct ts_document *doc; /* owned */
};

static void side_fini(struct side *side)
{
    json_decref(side->row);
    ts_document_free(side->doc);
}

int task_sequence_read_about(struct site *site, const char *id, uint64_t version, json_t **ret)
{
    int r = rows_one(
        site->db, SQL_TASK_SEQUENCE_VERSION_GET, DB_ARGS(db_text(id), db_u64(version)), ret);

    if (r < 0)
        return TRACE(r);
    if (!*ret)
        return refuse(site,
                      REFUSAL_MISSING,
                      "The task sequence %.100s has no version %llu.",
                      id,
                      (unsigned long long)version);
    return 0;
}

static int read_side(struct site *site, const char *id, uint64_t version, struct side *ret)
{
    int r = task_sequence_read_about(site, id, version, &ret->row);

    if (r != 0)
        return TRACE(r);
    ret->about = (struct ts_about){
        .name = field_text(ret->row, "name", ""),
        .description = field_text(ret->row, "description", ""),
        .boot_image_id = field_text(ret->row, "boot_image_id", ""),
        .is_disabled = field_bool(ret->row, "is_disabled"),
    };
    r = task_sequence_read(site, id, version, &ret->doc);
    return r == 0 ? TRACE(task_sequence_note_secrets(site, ret->doc)) : TRACE(r);
}

static int compare(const struct side *before, const struct side *after, json_t **ret)
{
    OWN(ts_changes_fini) struct ts_changes changes = {0};
    int r = ts_diff_about(&before->about, &after->about, &changes);

    if (r == 0)
        r = ts_diff(before->doc, after->doc, &changes);
    if (r != 0)
        return TRACE(r);
    return TRACE(ts_changes_json(&changes, ret));
}

/* The one of a file that no other one of it runs. Return: NULL if there are several. */
static struct ts_import *find_main(struct ts_imports *imports)
{
    struct ts_import *main_one = NULL;

    for (size_t i = 0; i < imports->n; i++) {
        bool is_child = false;

        for (size_t k = 0; k < imports->n; k++)
            is_child = is_child ||
                       (k != i && task_sequence_runs(&imports->items[k], imports->items[i].id));
        if (is_child)
            continue;
        if (main_one)
            return NULL;
        main_one = &imports->items[i];
    }
    return main_one;
}

/**
 * read_given() - what the site would have after this document had become the next version of @before
 * @imports: owned by the caller; @ret borrows from it and from @before, but owns its document
 */
static int read_given(struct site *site,
                      const json_t *body,
                      const struct side *before,
                      struct ts_imports *imports,
                      struct side *ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    char boot_image_id[SITE_ID_MAX];
    const struct ts_import *item;
    int r = task_sequence_read_body(site, body, imports, &diags);

    if (r != 0)
        return TRACE(r);
    if (ts_diags_has_error(&diags))
        return task_sequence_refuse(site, &diags);
    item = find_main(imports);
    if (!item)
        return refuse(
            site,
            REFUSAL_INVALID,
            "The file has several task sequences; one is wanted: write it to a file of its own with slipway ts export FILE --sequence NAME.");
    ret->about = before->about;
    if (item->description[0])
        ret->about.description = item->description;
    if (item->boot_image_id[0])
        ret->about.boot_image_id = item->boot_image_id;
    /* it may be called by its name */
    if (item->boot_image_id[0] &&
        content_find(site, CONTENT_BOOT_IMAGE, item->boot_image_id, boot_image_id) == 0 &&
        strcmp(boot_image_id, before->about.boot_image_id) == 0)
        ret->about.boot_image_id = before->about.boot_image_id;
    return TRACE(ts_document_keep_secrets(item->doc, before->doc, &ret->doc));
}

int task_sequence_diff(struct site *site, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"from", FIELD_NUMBER, false, 1, INT32_MAX, NULL},
        {"to", FIELD_NUMBER, false, 1, INT32_MAX, NULL},
        {"xml", FIELD_TEXT, false, 1, TASK_SEQUENCE_XML_MAX_BYTES, NULL},
        {"file", FIELD_TEXT, false, 1, 2 * (uint64_t)TASK_SEQUENCE_FILE_MAX_BYTES, NULL},
        {0},
    };
    OWN(ts_imports_fini) struct ts_imports given = {0};
    OWN(side_fini) struct side before = {0};
    OWN(side_fini) struct side after = {0};
    OWN(json_freep) json_t *now = NULL;
    bool has_document = json_object_get(body, "xml") || json_object_get(body, "file");
    uint64_t from;
    uint64_t to;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = rows_one(site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &now);
    if (r != 0)
        return TRACE(r);
    if (!now)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    to = field_number(body, "to", field_number(now, "version", 1));
    from = field_number(body, "from", has_document ? to : (to > 1 ? to - 1 : 1));
    r = read_side(site, id, from, &before);
    if (r == 0)
        r = has_document ? read_given(site, body, &before, &given, &after)
                         : read_side(site, id, to, &after);
    return r == 0 ? TRACE(compare(&before, &after, ret)) : TRACE(r);
}
