/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/task_sequence.h"

#include <errno.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "site/content.h"
#include "site/fields.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/edit.h"
#include "ts/report_json.h"
#include "ts/secret.h"
#include "ts/yaml_form.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

int task_sequence_read_body(struct site *site,
                            const json_t *body,
                            struct ts_imports *ret,
                            struct ts_diags *diags)
{
    OWN(buf_fini) struct buf file = BUF_INIT(TASK_SEQUENCE_FILE_MAX_BYTES);
    const char *xml = field_text(body, "xml", NULL);
    const char *base64 = field_text(body, "file", NULL);

    if (!xml == !base64)
        return refuse(site, REFUSAL_INVALID, "One of xml and file is wanted.");
    if (base64 && !base64_parse(bytes_of(base64), &file))
        return refuse(site,
                      REFUSAL_INVALID,
                      "file is not Base64 of at most %d bytes.",
                      (int)TASK_SEQUENCE_FILE_MAX_BYTES);

    int r = ts_container_read(xml ? bytes_of(xml) : buf_bytes(&file), ret, diags);

    return r < 0 ? TRACE(r) : 0;
}

/* The boot image that a file names: what the site has, or lacks. */
static int find_boot_image(struct site *site,
                           const struct ts_import *item,
                           struct task_sequence_subject *subject,
                           char ret[static SITE_ID_MAX])
{
    int r = item->boot_image_id[0]
                ? content_find(site, CONTENT_BOOT_IMAGE, item->boot_image_id, ret)
                : SITE_E_REFUSED;

    if (r == SITE_E_REFUSED)
        subject->wanted_boot_image = item->boot_image_id;
    else
        subject->boot_image_id = ret;
    return r == SITE_E_REFUSED ? 0 : TRACE(r);
}

/* What is wrong with one of the file, of which there may be several. */
static int validate_one(struct site *site,
                        const struct ts_imports *imports,
                        const struct ts_import *item,
                        json_t *missing,
                        json_t *list)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(json_freep) json_t *names = NULL;
    OWN(json_freep) json_t *found = NULL;
    char boot_image_id[SITE_ID_MAX];
    struct task_sequence_subject subject = {
        .id = item->id[0] ? item->id : NULL, .siblings = imports, .missing = missing};
    int r = task_sequence_names(imports, item, &names);

    subject.names = names;
    if (r == 0)
        r = find_boot_image(site, item, &subject, boot_image_id);
    if (r == 0)
        r = task_sequence_check(site, &subject, item->doc, &diags);
    if (r != 0)
        return TRACE(r);
    found = task_sequence_diags(&diags);
    for (size_t i = 0; imports->n > 1 && i < json_array_size(found); i++)
        (void)json_object_set_new(json_array_get(found, i),
                                  "sequence",
                                  json_string(item->name[0] ? item->name : item->id));
    return json_array_extend(list, found) == 0 ? 0 : ERR(-ENOMEM);
}

static bool has_error(const json_t *diagnostics)
{
    for (size_t i = 0; i < json_array_size(diagnostics); i++)
        if (strcmp(field_text(json_array_get(diagnostics, i), "severity", ""), "error") == 0)
            return true;
    return false;
}

int task_sequence_validate(struct site *site, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"xml", FIELD_TEXT, false, 1, TASK_SEQUENCE_XML_MAX_BYTES, NULL},
        {"file", FIELD_TEXT, false, 1, 2 * (uint64_t)TASK_SEQUENCE_FILE_MAX_BYTES, NULL},
        {0},
    };
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(json_freep) json_t *list = NULL;
    OWN(json_freep) json_t *missing = json_array();
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = task_sequence_read_body(site, body, &imports, &diags);
    list = task_sequence_diags(&diags);
    for (size_t i = 0; r == 0 && i < imports.n; i++)
        r = validate_one(site, &imports, &imports.items[i], missing, list);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:b,s:O,s:O}",
                     "is_valid",
                     (int)!has_error(list),
                     "diagnostics",
                     list,
                     "missing",
                     missing);
    return *ret ? 0 : ERR(-ENOMEM);
}

/* Remember what was found, for lists. It follows from what is stored, so that who only reads brings it up to date, too. */
static int note_deployable(struct site *site, const char *id, bool is_deployable)
{
    bool was_read_only = db_is_read_only(site->db);
    int r;

    db_set_read_only(site->db, false);
    r = db_must(site->db,
                SQL_TASK_SEQUENCE_SET_DEPLOYABLE,
                DB_ARGS(db_text(id), db_u64(is_deployable ? 1 : 0)));
    db_set_read_only(site->db, was_read_only);
    return TRACE(r);
}

/* What is wrong with the newest version of @row, as the site is now. @ret: it; owned by the caller */
static int find_diags(struct site *site,
                      const json_t *row,
                      json_t *missing,
                      struct ts_diags *diags,
                      struct ts_document **ret)
{
    const struct task_sequence_subject subject = {
        .id = field_text(row, "id", ""),
        .boot_image_id = field_text(row, "boot_image_id", ""),
        .wanted_boot_image = field_text(row, "wanted_boot_image_id", ""),
        .names = json_object_get(row, "names"),
        .missing = missing,
    };
    int r = task_sequence_read(site, subject.id, 0, ret);

    if (r == 0)
        r = task_sequence_note_secrets(site, *ret);
    if (r == 0)
        r = task_sequence_check(site, &subject, *ret, diags);
    if (r == 0)
        r = note_deployable(
            site, subject.id, !ts_diags_has_error(diags) && !field_bool(row, "is_disabled"));
    return TRACE(r);
}

/* What all groups and steps are set to, in their order. */
static int put_properties(const struct ts_document *doc, json_t *dst)
{
    json_t *list;
    int r = ts_properties_json(doc, &list);

    if (r == 0 && json_object_set_new(dst, "properties", list) < 0)
        r = ERR(-ENOMEM);
    return TRACE(r);
}

int task_sequence_get(struct site *site, const char *id, json_t **ret)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(json_freep) json_t *found = NULL;
    OWN(json_freep) json_t *missing = json_array();
    int r = rows_one(site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &found);

    if (r < 0)
        return TRACE(r);
    if (!found)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    r = find_diags(site, found, missing, &diags, &doc);
    if (r == 0)
        r = put_properties(doc, found);
    if (r != 0)
        return TRACE(r);
    (void)json_object_set_new(
        found,
        "is_deployable",
        json_boolean(!ts_diags_has_error(&diags) && !field_bool(found, "is_disabled")));
    (void)json_object_set_new(found, "diagnostics", task_sequence_diags(&diags));
    (void)json_object_set(found, "missing", missing);
    *ret = TAKE(found);
    return 0;
}

int task_sequence_validation(struct site *site, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *sequence = NULL;
    int r = task_sequence_get(site, id, &sequence);

    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:b,s:O,s:O}",
                     "is_valid",
                     (int)!has_error(json_object_get(sequence, "diagnostics")),
                     "diagnostics",
                     json_object_get(sequence, "diagnostics"),
                     "missing",
                     json_object_get(sequence, "missing"));
    return *ret ? 0 : ERR(-ENOMEM);
}

int task_sequence_check_enabled(struct site *site, const char *id)
{
    OWN(json_freep) json_t *found = NULL;
    int r = rows_one(site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &found);

    if (r < 0)
        return TRACE(r);
    if (!field_bool(found, "is_disabled"))
        return 0;
    return refuse(site,
                  REFUSAL_DISABLED,
                  "The task sequence %.16s is disabled; enable it with slipway ts enable.",
                  id);
}

int task_sequence_check_deployable(struct site *site, const char *id)
{
    OWN(json_freep) json_t *found = NULL;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    size_t i = 0;
    int r = rows_one(site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &found);

    if (r < 0)
        return TRACE(r);
    if (!found)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    r = find_diags(site, found, NULL, &diags, &doc);
    if (r != 0)
        return TRACE(r);
    while (i < diags.n && diags.items[i].severity != TS_ERROR)
        i++;
    if (i == diags.n)
        return TRACE(task_sequence_refresh_packages(site, id, doc));
    (void)refuse(site,
                 REFUSAL_NOT_DEPLOYABLE,
                 "The task sequence %.16s cannot be deployed: %.100s: %.300s.",
                 id,
                 diags.items[i].path,
                 diags.items[i].message);
    site->refusal.more = json_pack("{s:o}", "diagnostics", task_sequence_diags(&diags));
    return SITE_E_REFUSED;
}

int task_sequence_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_TASK_SEQUENCE_LIST, args, page, ret));
}

int task_sequence_export(struct site *site,
                         const char *id,
                         uint64_t version,
                         enum task_sequence_spelling spelling,
                         struct buf *ret)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    int r = task_sequence_read(site, id, version, &doc);

    if (r == 0)
        r = task_sequence_note_secrets(site, doc);
    if (r == 0 && spelling == TASK_SEQUENCE_ZIP)
        return TRACE(task_sequence_put_zip(site, id, version, doc, ret));

    if (r == 0)
        r = ts_document_export(doc, &safe);
    if (r == 0)
        r = spelling == TASK_SEQUENCE_YAML ? ts_yaml_put(safe, ret) : ts_document_put(safe, ret);
    if (r > 0 && safe)
        return refuse(
            site, REFUSAL_TASK_SEQUENCE, "It has no canonical form, which YAML needs: export XML.");
    if (r != 0)
        return TRACE(r);
    return ret->failed ? ERR(-ENOMEM) : 0;
}
