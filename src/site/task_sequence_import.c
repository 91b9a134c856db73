/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "site/content.h"
#include "site/fields.h"
#include "site/principal.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/edit.h"
#include "ts/secret.h"
#include "ts/sequence.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

#define NESTED_VARIABLE "OSDSubTasksequencePackageID"

enum {
    NOTE_MAX_BYTES = 512,
};

/* What is to become of one of the file. */
struct taking {
    json_t *names; /* owned */
    bool is_child; /* another one of the file runs it */
    char mapped_boot_image[SITE_ID_MAX];
    char id[SITE_ID_MAX]; /* "" until it is stored */
};

struct importing {
    const char *who;
    const json_t *body;
    struct ts_imports imports;
    struct taking *items; /* owned; one for each import */
    size_t main_one;
    json_t *mapped; /* owned; what was mapped by its name */
};

/* The one of the file that @taking is about. */
static struct ts_import *item_of(const struct importing *i, const struct taking *taking)
{
    return &i->imports.items[taking - i->items];
}

static void importing_fini(struct importing *i)
{
    for (size_t k = 0; i->items && k < i->imports.n; k++)
        json_decref(i->items[k].names);
    free(i->items);
    json_decref(i->mapped);
    ts_imports_fini(&i->imports);
}

int task_sequence_names(const struct ts_imports *imports,
                        const struct ts_import *item,
                        json_t **ret)
{
    OWN(json_freep) json_t *names = json_object();

    for (size_t i = 0; i < imports->n_references; i++) {
        const struct ts_reference *reference = &imports->references[i];

        if (reference->name[0] == '\0' || json_object_get(names, reference->id) ||
            (strcmp(reference->id, item->boot_image_id) != 0 &&
             !ts_refers_to(item->doc, reference->id)))
            continue;
        if (json_object_set_new(names, reference->id, json_string(reference->name)) < 0)
            return ERR(-ENOMEM);
    }
    *ret = TAKE(names);
    return *ret ? 0 : ERR(-ENOMEM);
}

/**
 * find_boot_image() - the boot image that the request or the file names
 * @ret:        "" if there is none, or the site lacks it
 * @ret_wanted: which one it lacks; "" otherwise; borrowed
 *
 * One that another one of the file runs gets none from the request: it never starts a device.
 */
static int find_boot_image(struct site *site,
                           const struct importing *i,
                           const struct taking *taking,
                           char ret[static SITE_ID_MAX],
                           const char **ret_wanted)
{
    const char *asked = taking->is_child ? NULL : field_text(i->body, "boot_image_id", NULL);
    const char *theirs = item_of(i, taking)->boot_image_id;
    int r;

    ret[0] = '\0';
    *ret_wanted = "";
    if (asked)
        return TRACE(content_find(site, CONTENT_BOOT_IMAGE, asked, ret));
    if (taking->mapped_boot_image[0] || theirs[0] == '\0') {
        memcpy(ret, taking->mapped_boot_image, SITE_ID_MAX);
        return 0;
    }
    r = content_find(site, CONTENT_BOOT_IMAGE, theirs, ret);
    if (r != SITE_E_REFUSED)
        return TRACE(r);
    ret[0] = '\0';
    *ret_wanted = theirs;
    return 0;
}

/* Let the ids of sequences that came in the same file become the new ones. */
static int map_siblings(struct ts_import *item, const struct importing *importing)
{
    OWN(buf_fini) struct buf ignored = BUF_INIT(NOTE_MAX_BYTES);

    for (size_t i = 0; i < importing->imports.n; i++) {
        const char *theirs = importing->imports.items[i].id;
        const char *ours = importing->items[i].id;
        struct ts_document *mapped = NULL;
        int r;

        if (ours[0] == '\0' || theirs[0] == '\0' || !ts_refers_to(item->doc, theirs))
            continue;
        buf_clear(&ignored);
        r = ts_edit_map(item->doc, &(struct ts_mapping){theirs, ours}, 1, &mapped, &ignored);
        if (r != 0)
            return r < 0 ? TRACE(r) : ERR(-EIO);
        ts_document_free(item->doc);
        item->doc = mapped;
    }
    return 0;
}

bool task_sequence_runs(const struct ts_import *item, const char *id)
{
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(item->doc, &n);

    for (size_t i = 0; id[0] != '\0' && i < n; i++) {
        const struct ts_variable *nested = ts_step_variable(&steps[i], NESTED_VARIABLE);

        if (nested && strcmp(nested->text, id) == 0)
            return true;
    }
    return false;
}

/* Whether all sequences of the file that @item runs have been stored. */
static bool is_ready(const struct ts_import *item, const struct importing *importing)
{
    for (size_t i = 0; i < importing->imports.n; i++)
        if (importing->items[i].id[0] == '\0' &&
            task_sequence_runs(item, importing->imports.items[i].id))
            return false;
    return true;
}

/* The next version of one that is there, with the secrets that it has. */
static int store_into(struct site *site,
                      const struct importing *importing,
                      const char *into,
                      struct taking *taking,
                      struct task_sequence_row *row)
{
    OWN(json_freep) json_t *old = NULL;
    OWN(ts_document_freep) struct ts_document *old_doc = NULL;
    OWN(buf_fini) struct buf note = BUF_INIT(TASK_SEQUENCE_NOTE_MAX_BYTES);
    struct task_sequence_row old_row = {0};
    struct ts_document *kept = NULL;
    int r = content_find(site, CONTENT_FIND_TASK_SEQUENCES, into, taking->id);

    if (r == 0)
        r = principal_check_object(site, "task-sequence", "modify", "task-sequence", taking->id);
    if (r == 0)
        r = task_sequence_read_row(site, taking->id, &old, &old_doc, &old_row);
    if (r == 0)
        r = ts_document_keep_secrets(item_of(importing, taking)->doc, old_doc, &kept);
    if (r != 0)
        return TRACE(r);
    ts_document_free(item_of(importing, taking)->doc);
    item_of(importing, taking)->doc = kept;
    row->doc = kept;
    row->name = taking->is_child ? old_row.name : field_text(importing->body, "name", old_row.name);
    row->description = row->description[0] ? row->description : old_row.description;
    row->is_disabled = old_row.is_disabled;
    row->object = row->object[0] ? row->object : NULL;
    if (json_object_size(row->names) == 0)
        row->names = NULL;
    if (!row->boot_image_id && !row->wanted_boot_image[0]) {
        row->boot_image_id = old_row.boot_image_id;
        row->wanted_boot_image = old_row.wanted_boot_image;
    }
    r = task_sequence_refuse_circle(site, taking->id, kept);
    old_row.doc = old_doc;
    if (r == 0)
        r = task_sequence_describe("imported", &old_row, row, &note);
    row->note = buf_str(&note);
    return r == 0 ? TRACE(task_sequence_put(site, importing->who, taking->id, row)) : TRACE(r);
}

/* A sequence that one of the file may be the next version of. */
struct twin {
    struct site *site;
    const struct ts_import *item;
    bool is_found;
};

static int compare_twin(void *ctx, const char *id, const struct ts_document *doc)
{
    struct twin *twin = ctx;
    OWN(json_freep) json_t *row = NULL;
    int r;

    (void)doc;
    if (strcmp(id, twin->item->id) != 0)
        return 0;
    r = rows_one(twin->site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &row);
    twin->is_found = r == 0 && row && strcmp(field_text(row, "name", ""), twin->item->name) == 0;
    return TRACE(r);
}

/* Whether the one that is replaced runs @item already, by its id and name: then it becomes that one's next version, with the
   secrets that are stored, instead of a second one of the name. */
static int find_twin(struct site *site, const char *into, const struct ts_import *item, bool *ret)
{
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    struct twin twin = {.site = site, .item = item};
    char id[SITE_ID_MAX];
    int r = content_find(site, CONTENT_FIND_TASK_SEQUENCES, into, id);

    if (r == 0)
        r = task_sequence_read(site, id, 0, &doc);
    if (r == 0)
        r = task_sequence_each_nested(site, id, doc, compare_twin, &twin);
    *ret = twin.is_found;
    return TRACE(r);
}

static int store(struct site *site, const struct importing *importing, struct taking *taking)
{
    char boot_image[SITE_ID_MAX];
    const struct ts_import *item = item_of(importing, taking);
    const char *into = field_text(importing->body, "into", NULL);
    const char *own_name =
        item->name[0] ? item->name : field_text(importing->body, "file_name", "Task sequence");
    struct task_sequence_row row = {
        .name = taking->is_child ? own_name : field_text(importing->body, "name", own_name),
        .description = item->description,
        .names = taking->names,
        .object = item->object,
        .is_disabled = item->is_disabled,
        .doc = item->doc,
        .note = "imported",
    };
    bool is_twin = false;
    int r = find_boot_image(site, importing, taking, boot_image, &row.wanted_boot_image);

    if (r == 0 && into && taking->is_child)
        r = find_twin(site, into, item, &is_twin);
    if (r != 0)
        return TRACE(r);
    row.boot_image_id = boot_image[0] ? boot_image : NULL;
    if (is_twin)
        return TRACE(store_into(site, importing, item->id, taking, &row));
    if (into && !taking->is_child)
        return TRACE(store_into(site, importing, into, taking, &row));
    return TRACE(task_sequence_add(site, importing->who, &row, taking->id));
}

/* The mappings that it has a use for; @used: by their place in the map of the request. */
static int
map(struct site *site, const struct importing *importing, struct taking *taking, bool *used)
{
    struct task_sequence_mapped mapped = {
        .names = taking->names,
        .wanted_boot_image = item_of(importing, taking)->boot_image_id,
        .doc = &item_of(importing, taking)->doc,
    };
    int r = task_sequence_map(site, json_object_get(importing->body, "map"), &mapped, used);

    if (r == 0 && field_bool(importing->body, "map_by_name"))
        r = task_sequence_map_names(site, &importing->imports, &mapped, importing->mapped);
    memcpy(taking->mapped_boot_image, mapped.boot_image_id, SITE_ID_MAX);
    return TRACE(r);
}

/* Those that are left run each other, or one that does: say which, as validate does. */
static int refuse_circle(struct site *site, const struct importing *importing)
{
    for (size_t i = 0; i < importing->imports.n; i++) {
        const struct ts_import *item = &importing->imports.items[i];
        const struct task_sequence_subject subject = {.id = item->id,
                                                      .siblings = &importing->imports};
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        int r;

        if (importing->items[i].id[0] != '\0')
            continue;
        r = task_sequence_check(site, &subject, item->doc, &diags);
        if (r != 0)
            return TRACE(r);
        ts_diags_keep(&diags, "SLW-0179");
        if (diags.n == 0)
            continue;
        if (!ts_diags_prefix(&diags, 0, item->name))
            return ERR(-ENOMEM);
        return task_sequence_refuse(site, &diags);
    }
    return refuse(
        site, REFUSAL_TASK_SEQUENCE, "The task sequences of the file run each other in a circle.");
}

/* Those that run others after those: so that ids are known, and what runs itself is found. The last one is the main one. */
static int store_all(struct site *site, struct importing *importing)
{
    json_t *wishes = json_object_get(importing->body, "map");
    OWN(freep) bool *used = calloc(json_object_size(wishes) + 1, sizeof(*used));
    size_t n_left = importing->imports.n;
    bool has_gone_on = true;
    int r = 0;

    if (!used)
        return ERR(-ENOMEM);
    while (r == 0 && n_left > 0 && has_gone_on) {
        has_gone_on = false;
        for (size_t i = 0; r == 0 && i < importing->imports.n; i++) {
            struct taking *taking = &importing->items[i];

            if (taking->id[0] != '\0' || !is_ready(item_of(importing, taking), importing))
                continue;
            r = map(site, importing, taking, used);
            if (r == 0)
                r = map_siblings(item_of(importing, taking), importing);
            if (r == 0)
                r = store(site, importing, taking);
            importing->main_one = i;
            has_gone_on = true;
            n_left--;
        }
    }
    if (r == 0 && n_left > 0)
        return TRACE(refuse_circle(site, importing));
    return r == 0 ? TRACE(task_sequence_refuse_unused(site, wishes, used)) : TRACE(r);
}

/* Before any document is changed. */
static int prepare(struct importing *importing)
{
    struct ts_imports *imports = &importing->imports;
    int r = 0;

    importing->mapped = json_array();
    importing->items = calloc(imports->n, sizeof(*importing->items));
    if (!importing->items || !importing->mapped)
        return ERR(-ENOMEM);
    for (size_t i = 0; r == 0 && i < imports->n; i++) {
        struct taking *taking = &importing->items[i];

        r = task_sequence_names(imports, &imports->items[i], &taking->names);
        for (size_t k = 0; k < imports->n; k++)
            taking->is_child =
                taking->is_child ||
                (k != i && task_sequence_runs(&imports->items[k], imports->items[i].id));
    }
    return TRACE(r);
}

/* A name is for the one that no other one of the file runs. */
static int refuse_several(struct site *site, const struct importing *importing)
{
    size_t n_main = 0;

    for (size_t i = 0; i < importing->imports.n; i++)
        n_main += importing->items[i].is_child ? 0 : 1;
    if (n_main > 1 && field_text(importing->body, "into", NULL))
        return refuse(site,
                      REFUSAL_INVALID,
                      "The file has %zu task sequences that no other one of it runs: into is for "
                      "one; write it to a file of its own with slipway ts export FILE --sequence "
                      "NAME.",
                      n_main);
    if (n_main > 1 && field_text(importing->body, "name", NULL))
        return refuse(site,
                      REFUSAL_INVALID,
                      "The file has %zu task sequences that no other one of it runs: name is for "
                      "one.",
                      n_main);
    return 0;
}

/* What the file has of what its sequences refer to; their content is not taken. */
static json_t *packages(const struct ts_imports *imports)
{
    json_t *list = json_array();

    for (size_t i = 0; i < imports->n_references; i++) {
        const struct ts_reference *reference = &imports->references[i];

        if (reference->is_package)
            (void)json_array_append_new(list,
                                        json_pack("{s:s,s:s,s:s,s:s,s:I}",
                                                  "id",
                                                  reference->id,
                                                  "kind",
                                                  ts_export_word(reference->kind),
                                                  "name",
                                                  reference->name,
                                                  "version",
                                                  reference->version,
                                                  "n_files",
                                                  (json_int_t)reference->n_files));
    }
    return list;
}

static int answer(struct site *site, const struct importing *importing, json_t **ret)
{
    json_t *list = json_array();
    int r = task_sequence_get(site, importing->items[importing->main_one].id, ret);

    for (size_t i = 0; i < importing->imports.n; i++)
        (void)json_array_append_new(list, json_string(importing->items[i].id));
    if (r == 0)
        (void)json_object_set(*ret, "imported", list);
    if (r == 0)
        (void)json_object_set_new(*ret, "packages", packages(&importing->imports));
    if (r == 0)
        (void)json_object_set(*ret, "mapped_by_name", importing->mapped);
    json_decref(list);
    return TRACE(r);
}

int task_sequence_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, false, 1, 255, NULL},
        {"file_name", FIELD_TEXT, false, 1, 255, NULL},
        {"xml", FIELD_TEXT, false, 1, TASK_SEQUENCE_XML_MAX_BYTES, NULL},
        {"file", FIELD_TEXT, false, 1, 2 * (uint64_t)TASK_SEQUENCE_FILE_MAX_BYTES, NULL},
        {"boot_image_id", FIELD_TEXT, false, 1, 255, NULL},
        {"map", FIELD_OBJECT, false, 0, 0, NULL},
        {"map_by_name", FIELD_BOOL, false, 0, 0, NULL},
        {"into", FIELD_TEXT, false, 1, 255, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(importing_fini) struct importing importing = {.who = who, .body = body};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = task_sequence_read_body(site, body, &importing.imports, &diags);
    if (r != 0)
        return TRACE(r);
    if (ts_diags_has_error(&diags))
        return task_sequence_refuse(site, &diags);
    r = prepare(&importing);
    if (r == 0)
        r = refuse_several(site, &importing);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = store_all(site, &importing);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(answer(site, &importing, ret)) : TRACE(r);
}
