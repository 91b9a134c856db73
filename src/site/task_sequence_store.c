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
    OWN(json_freep) json_t *list = json_array();
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    if (ts_tree_read(ts_document_tree(doc), &tree) < 0)
        return NULL;
    for (size_t i = 0; i < tree.n; i++) {
        const struct ts_tree_item *item = &tree.items[i];

        if (item->step == TS_NO_ITEM)
            continue;
        (void)json_array_append_new(list,
                                    json_pack("{s:i,s:s,s:s,s:s,s:b}",
                                              "index",
                                              item->step,
                                              "name",
                                              item->name,
                                              "path",
                                              item->path,
                                              "type",
                                              item->type,
                                              "is_enabled",
                                              (int)ts_step_is_enabled(&steps[item->step])));
    }
    return json_dumps(list, JSON_COMPACT);
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
    int r = task_sequence_check(
        site, id, row->boot_image_id ? row->boot_image_id : "", row->doc, &diags);

    *ret = !ts_diags_has_error(&diags);
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
    bool is_deployable;
    size_t n_steps = 0;
    int r = ts_document_put(row->doc, &xml);

    (void)ts_document_steps(row->doc, &n_steps);
    if (r == 0 && (!steps || xml.failed))
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
                        db_u64(is_deployable ? 1 : 0)));
    return r == 0 ? TRACE(finish(site, id, row)) : TRACE(r);
}

int task_sequence_add(struct site *site,
                      const char *who,
                      const struct task_sequence_row *row,
                      char id[static SITE_ID_MAX])
{
    int r = site_take_id(site, SITE_ID_OBJECT, id);

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

/* The boot image that the request or the file names, if the site has it. */
static int find_boot_image(struct site *site,
                           const json_t *body,
                           const struct ts_import *import,
                           char ret[static SITE_ID_MAX])
{
    const char *wanted = field_text(body, "boot_image_id", NULL);
    const char *mapped = field_text(json_object_get(body, "map"), import->boot_image_id, NULL);
    const char *theirs = mapped ? mapped : import->boot_image_id;
    int r;

    ret[0] = '\0';
    if (wanted || theirs[0] == '\0')
        return wanted ? TRACE(content_find(site, CONTENT_BOOT_IMAGE, wanted, ret)) : 0;
    r = content_find(site, CONTENT_BOOT_IMAGE, theirs, ret);
    if (r != SITE_E_REFUSED || mapped)
        return TRACE(r);
    ret[0] = '\0'; /* validation says that there is none, if one is needed */
    return 0;
}

/* Let the ids of sequences that came in the same file become the new ones. */
static int
map_siblings(struct ts_import *item, const struct ts_imports *imports, char (*ids)[SITE_ID_MAX])
{
    OWN(buf_fini) struct buf ignored = BUF_INIT(NOTE_MAX_BYTES);

    for (size_t i = 0; i < imports->n; i++) {
        struct ts_document *mapped = NULL;
        int r;

        if (ids[i][0] == '\0' || imports->items[i].id[0] == '\0')
            continue;
        buf_clear(&ignored);
        r = ts_edit_map(
            item->doc, &(struct ts_mapping){imports->items[i].id, ids[i]}, 1, &mapped, &ignored);
        if (r < 0)
            return TRACE(r);
        if (r > 0)
            continue; /* it does not run that one */
        ts_document_free(item->doc);
        item->doc = mapped;
    }
    return 0;
}

/* Whether all sequences of the file that @item runs have been stored. */
static bool
is_ready(const struct ts_import *item, const struct ts_imports *imports, char (*ids)[SITE_ID_MAX])
{
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(item->doc, &n);

    for (size_t i = 0; i < n; i++) {
        const struct ts_variable *nested = ts_step_variable(&steps[i], NESTED_VARIABLE);

        for (size_t k = 0; nested && k < imports->n; k++)
            if (ids[k][0] == '\0' && imports->items[k].id[0] != '\0' &&
                strcmp(imports->items[k].id, nested->text) == 0)
                return false;
    }
    return true;
}

/* The mappings that this sequence has a use for; @used: by their place in @map. */
static int apply_map(struct site *site, json_t *map, struct ts_import *item, bool *used)
{
    const char *from;
    json_t *to;
    size_t i = 0;

    json_object_foreach(map, from, to)
    {
        bool is_found = false;
        int r = task_sequence_map_one(site, from, to, &item->doc, &is_found);

        if (r != 0)
            return TRACE(r);
        used[i] = used[i] || is_found || strcmp(item->boot_image_id, from) == 0;
        i++;
    }
    return 0;
}

static int store(struct site *site,
                 const char *who,
                 const json_t *body,
                 const struct ts_import *item,
                 char id[static SITE_ID_MAX])
{
    char boot_image[SITE_ID_MAX];
    const char *into = field_text(body, "into", NULL);
    const char *own_name =
        item->name[0] ? item->name : field_text(body, "file_name", "Task sequence");
    struct task_sequence_row row = {
        .name = field_text(body, "name", own_name),
        .description = item->description,
        .doc = item->doc,
        .note = "imported",
    };
    OWN(json_freep) json_t *old = NULL;
    int r = find_boot_image(site, body, item, boot_image);

    if (r != 0)
        return TRACE(r);
    row.boot_image_id = boot_image[0] ? boot_image : NULL;
    if (!into) {
        r = task_sequence_add(site, who, &row, id);
        if (r == 0 && item->is_disabled)
            r = db_must(site->db, SQL_TASK_SEQUENCE_SET_DISABLED, DB_ARGS(db_text(id), db_u64(1)));
        return TRACE(r);
    }
    r = content_find(site, CONTENT_FIND_TASK_SEQUENCES, into, id);
    if (r == 0)
        r = rows_one(site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &old);
    if (r != 0)
        return TRACE(r);
    row.name = field_text(body, "name", field_text(old, "name", ""));
    row.description = item->description[0] ? item->description : field_text(old, "description", "");
    if (!row.boot_image_id)
        row.boot_image_id = field_text(old, "boot_image_id", NULL);
    r = task_sequence_refuse_circle(site, id, row.doc);
    return r == 0 ? TRACE(task_sequence_put(site, who, id, &row)) : TRACE(r);
}

/* Those that run others after those: so that ids are known, and what runs itself is found. @ret_main: the last one. */
static int store_all(struct site *site,
                     const char *who,
                     const json_t *body,
                     struct ts_imports *imports,
                     char (*ids)[SITE_ID_MAX],
                     size_t *ret_main)
{
    json_t *map = json_object_get(body, "map");
    OWN(freep) bool *used = calloc(json_object_size(map) + 1, sizeof(*used));
    size_t n_left = imports->n;
    bool has_gone_on = true;
    int r = 0;

    if (!used)
        return ERR(-ENOMEM);
    while (r == 0 && n_left > 0 && has_gone_on) {
        has_gone_on = false;
        for (size_t i = 0; r == 0 && i < imports->n; i++) {
            struct ts_import *item = &imports->items[i];

            if (ids[i][0] != '\0' || !is_ready(item, imports, ids))
                continue;
            r = apply_map(site, map, item, used);
            if (r == 0)
                r = map_siblings(item, imports, ids);
            if (r == 0)
                r = store(site, who, body, item, ids[i]);
            *ret_main = i;
            has_gone_on = true;
            n_left--;
        }
    }
    if (r == 0 && n_left > 0)
        return refuse(site,
                      REFUSAL_TASK_SEQUENCE,
                      "The task sequences of the file run each other in a circle.");
    for (size_t i = 0; r == 0 && i < json_object_size(map); i++)
        if (!used[i])
            return refuse(site, REFUSAL_MISSING, "A reference that map names is not in the file.");
    return TRACE(r);
}

int task_sequence_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, false, 1, 255, NULL},
        {"file_name", FIELD_TEXT, false, 1, 255, NULL},
        {"xml", FIELD_TEXT, false, 1, TASK_SEQUENCE_XML_MAX_BYTES, NULL},
        {"file", FIELD_TEXT, false, 1, 2 * (uint64_t)TASK_SEQUENCE_FILE_MAX_BYTES, NULL},
        {"boot_image_id", FIELD_TEXT, false, 1, 255, NULL},
        {"map", FIELD_OBJECT, false, 0, 0, NULL},
        {"into", FIELD_TEXT, false, 1, 255, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(freep) char(*ids)[SITE_ID_MAX] = NULL;
    json_t *list;
    size_t main_one = 0;
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = task_sequence_read_body(site, body, &imports, &diags);
    if (r != 0)
        return TRACE(r);
    if (imports.n == 0)
        return task_sequence_refuse(site, &diags);
    if (imports.n > 1 && (field_text(body, "into", NULL) || field_text(body, "name", NULL)))
        return refuse(site,
                      REFUSAL_INVALID,
                      "The file has several task sequences: name and into are for one.");
    ids = calloc(imports.n, sizeof(*ids));
    if (!ids)
        return ERR(-ENOMEM);
    r = db_begin(site->db, &tx);
    if (r == 0)
        r = store_all(site, who, body, &imports, ids, &main_one);
    if (r == 0)
        r = db_commit(&tx);
    if (r == 0)
        r = task_sequence_get(site, ids[main_one], ret);
    if (r != 0)
        return TRACE(r);
    list = json_array();
    for (size_t i = 0; i < imports.n; i++)
        (void)json_array_append_new(list, json_string(ids[i]));
    (void)json_object_set_new(*ret, "imported", list);
    return 0;
}
