/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "site/content.h"
#include "site/fields.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/diff.h"
#include "ts/edit.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    NAME_MAX_BYTES = 1024,
    SETTINGS_MAX = 256,
    VALUE_MAX_BYTES = 1024 * 1024,
    SENTENCE_MAX_BYTES = 8192,
    WHY_MAX_BYTES = 1024,
};

int task_sequence_read_row(struct site *site,
                           const char *id,
                           json_t **ret_old,
                           struct ts_document **ret_doc,
                           struct task_sequence_row *ret_row)
{
    int r = rows_one(site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), ret_old);

    if (r < 0)
        return TRACE(r);
    if (!*ret_old)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    *ret_row = (struct task_sequence_row){
        .name = field_text(*ret_old, "name", ""),
        .description = field_text(*ret_old, "description", ""),
        .boot_image_id = field_text(*ret_old, "boot_image_id", NULL),
        .wanted_boot_image = field_text(*ret_old, "wanted_boot_image_id", ""),
        .is_disabled = field_bool(*ret_old, "is_disabled"),
    };
    r = task_sequence_read(site, id, 0, ret_doc);
    return r == 0 ? TRACE(task_sequence_note_secrets(site, *ret_doc)) : TRACE(r);
}

int task_sequence_refuse_circle(struct site *site, const char *id, const struct ts_document *doc)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    int r = task_sequence_check(site, &(struct task_sequence_subject){.id = id}, doc, &diags);

    for (size_t i = 0; r == 0 && i < diags.n; i++)
        if (strcmp(diags.items[i].id, "SLW-0179") == 0)
            return refuse(site, REFUSAL_EDIT, "%.400s", diags.items[i].message);
    return TRACE(r);
}

/* Store @row as the next version, and answer with it. */
static int put(struct site *site,
               const char *who,
               const char *id,
               const struct task_sequence_row *row,
               json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    int r = task_sequence_refuse_circle(site, id, row->doc);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = task_sequence_put(site, who, id, row);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(task_sequence_get(site, id, ret)) : TRACE(r);
}

/* @row as the comparison wants it. */
static struct ts_about about_of(const struct task_sequence_row *row)
{
    return (struct ts_about){
        .name = row->name,
        .description = row->description,
        .boot_image_id = row->boot_image_id
                             ? row->boot_image_id
                             : (row->wanted_boot_image ? row->wanted_boot_image : ""),
        .is_disabled = row->is_disabled,
    };
}

int task_sequence_describe(const char *what,
                           const struct task_sequence_row *before,
                           const struct task_sequence_row *after,
                           struct buf *ret)
{
    OWN(ts_changes_fini) struct ts_changes changes = {0};
    const struct ts_about old = about_of(before);
    const struct ts_about new = about_of(after);
    int r = ts_diff_about(&old, &new, &changes);

    if (r == 0)
        r = ts_diff(before->doc, after->doc, &changes);
    buf_adds(ret, what);
    for (size_t i = 0; r == 0 && i < changes.n; i++) {
        OWN(buf_fini) struct buf sentence = BUF_INIT(SENTENCE_MAX_BYTES);

        ts_change_put(&changes.items[i], &sentence);
        if (sentence.failed || ret->len + sentence.len + 8 > TASK_SEQUENCE_NOTE_MAX_BYTES) {
            buf_adds(ret, " ...");
            break;
        }
        buf_addf(ret, "%s%s", i > 0 ? "; " : (what[0] ? ": " : ""), buf_str(&sentence));
    }
    if (r == 0 && changes.n == 0)
        buf_adds(ret, what[0] ? ": nothing changed" : "nothing changed");
    return TRACE(r);
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

/* Whether a change has changed nothing, byte for byte. Return: 0 or -ENOMEM. */
static int compare(const struct task_sequence_row *before,
                   const struct task_sequence_row *after,
                   bool *ret_is_same)
{
    OWN(buf_fini) struct buf old = BUF_INIT(TASK_SEQUENCE_XML_MAX_BYTES);
    OWN(buf_fini) struct buf new = BUF_INIT(TASK_SEQUENCE_XML_MAX_BYTES);
    int r = ts_document_put(before->doc, &old);

    if (r == 0)
        r = ts_document_put(after->doc, &new);
    *ret_is_same = !old.failed && !new.failed &&is_same_text(buf_str(&old), buf_str(&new)) &&
                   is_same_text(before->name, after->name) &&
                   is_same_text(before->description, after->description) &&
                   is_same_text(before->boot_image_id, after->boot_image_id) &&
                   is_same_text(before->wanted_boot_image, after->wanted_boot_image) &&
                   before->is_disabled == after->is_disabled;
    return TRACE(r);
}

/* What became of @before: the next version, unless it is the same. */
static int put_change(struct site *site,
                      const char *who,
                      const char *id,
                      const struct task_sequence_row *before,
                      struct task_sequence_row *row,
                      json_t **ret)
{
    OWN(buf_fini) struct buf note = BUF_INIT(TASK_SEQUENCE_NOTE_MAX_BYTES);
    bool is_same;
    int r = compare(before, row, &is_same);

    if (r == 0 && is_same)
        return TRACE(task_sequence_get(site, id, ret));
    if (r == 0)
        r = task_sequence_describe("", before, row, &note);
    row->note = buf_str(&note);
    return r == 0 ? TRACE(put(site, who, id, row, ret)) : TRACE(r);
}

/* The mappings of the request, of which each must have a use. */
static int map(struct site *site,
               const json_t *body,
               const json_t *old,
               struct ts_document **doc,
               char boot_image_id[static SITE_ID_MAX],
               json_t *names_mapped)
{
    json_t *wishes = json_object_get(body, "map");
    OWN(freep) bool *used = calloc(json_object_size(wishes) + 1, sizeof(*used));
    struct task_sequence_mapped mapped = {
        .names = json_object_get(old, "names"),
        .wanted_boot_image = field_text(old, "wanted_boot_image_id", ""),
        .doc = doc,
    };
    int r = used ? task_sequence_map(site, wishes, &mapped, used) : ERR(-ENOMEM);

    if (r == 0)
        r = task_sequence_refuse_unused(site, wishes, used);
    if (r == 0 && field_bool(body, "map_by_name"))
        r = task_sequence_map_names(site, NULL, &mapped, names_mapped);
    memcpy(boot_image_id, mapped.boot_image_id, SITE_ID_MAX);
    return TRACE(r);
}

int task_sequence_set(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, false, 1, 255, NULL},
        {"description", FIELD_TEXT, false, 0, 255, NULL},
        {"boot_image_id", FIELD_TEXT, false, 0, 255, NULL},
        {"map", FIELD_OBJECT, false, 0, 0, NULL},
        {"map_by_name", FIELD_BOOL, false, 0, 0, NULL},
        {"is_disabled", FIELD_BOOL, false, 0, 0, NULL},
        {0},
    };
    OWN(json_freep) json_t *old = NULL;
    OWN(json_freep) json_t *names_mapped = json_array();
    OWN(ts_document_freep) struct ts_document *old_doc = NULL;
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    struct task_sequence_row before = {0};
    struct task_sequence_row row;
    const char *boot_image = field_text(body, "boot_image_id", NULL);
    char boot_image_id[SITE_ID_MAX] = "";
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = task_sequence_read_row(site, id, &old, &old_doc, &before);
    if (r == 0)
        r = ts_document_copy(old_doc, &doc);
    if (r == 0)
        r = map(site, body, old, &doc, boot_image_id, names_mapped);
    if (r == 0 && boot_image && boot_image[0])
        r = content_find(site, CONTENT_BOOT_IMAGE, boot_image, boot_image_id);
    if (r != 0)
        return TRACE(r);
    before.doc = old_doc;
    row = before;
    row.doc = doc;
    row.name = field_text(body, "name", before.name);
    row.description = field_text(body, "description", before.description);
    if (boot_image || boot_image_id[0]) {
        row.boot_image_id = boot_image_id[0] ? boot_image_id : NULL;
        row.wanted_boot_image = "";
    }
    if (json_is_boolean(json_object_get(body, "is_disabled")))
        row.is_disabled = field_bool(body, "is_disabled");
    r = put_change(site, who, id, &before, &row, ret);
    if (r == 0 && json_object_set(*ret, "mapped_by_name", names_mapped) < 0)
        r = ERR(-ENOMEM);
    return TRACE(r);
}

int task_sequence_versions(struct site *site, const char *id, json_t **ret)
{
    OWN(json_freep) json_t *items = NULL;
    int r = rows_array(site->db, SQL_TASK_SEQUENCE_VERSIONS, DB_ARGS(db_text(id)), &items);

    if (r < 0)
        return TRACE(r);
    if (json_array_size(items) == 0)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    *ret = json_pack("{s:O}", "items", items);
    return *ret ? 0 : ERR(-ENOMEM);
}

static const struct {
    const char *name;
    enum ts_operation_kind kind;
} operations[] = {
    {"add", TS_OP_ADD},
    {"move", TS_OP_MOVE},
    {"copy", TS_OP_COPY},
    {"remove", TS_OP_REMOVE},
    {"set", TS_OP_SET},
    {"enable", TS_OP_ENABLE},
    {"disable", TS_OP_DISABLE},
};

static const struct {
    const char *name;
    enum ts_where where;
} places[] = {
    {"last-in", TS_LAST_IN},
    {"first-in", TS_FIRST_IN},
    {"before", TS_BEFORE},
    {"after", TS_AFTER},
};

/* @ret: room for SETTINGS_MAX; borrows from @settings. */
static int
read_settings(struct site *site, json_t *settings, struct ts_assignment *ret, size_t *ret_n)
{
    const char *name;
    json_t *value;

    *ret_n = 0;
    json_object_foreach(settings, name, value)
    {
        if (!json_is_string(value) || json_string_length(value) > VALUE_MAX_BYTES ||
            *ret_n == SETTINGS_MAX)
            return refuse(
                site, REFUSAL_INVALID, "settings wants texts, at most %d.", (int)SETTINGS_MAX);
        ret[(*ret_n)++] = (struct ts_assignment){name, json_string_value(value)};
    }
    return 0;
}

static struct ts_operation read_operation(const json_t *body)
{
    struct ts_operation op = {
        .path = field_text(body, "path", NULL),
        .target = field_text(body, "target", NULL),
        .type = field_text(body, "type", NULL),
        .name = field_text(body, "name", NULL),
    };

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (strcmp(operations[i].name, field_text(body, "operation", "")) == 0)
            op.kind = operations[i].kind;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (strcmp(places[i].name, field_text(body, "where", "")) == 0)
            op.where = places[i].where;
    return op;
}

int task_sequence_edit(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"operation", FIELD_CHOICE, true, 0, 0, "add|move|copy|remove|set|enable|disable"},
        {"path", FIELD_TEXT, false, 1, 4096, NULL},
        {"where", FIELD_CHOICE, false, 0, 0, "last-in|first-in|before|after"},
        {"target", FIELD_TEXT, false, 0, 4096, NULL},
        {"type", FIELD_TEXT, false, 1, 255, NULL},
        {"name", FIELD_TEXT, false, 1, 1024, NULL},
        {"settings", FIELD_OBJECT, false, 0, 0, NULL},
        {0},
    };
    struct ts_assignment settings[SETTINGS_MAX];
    struct ts_operation op;
    struct task_sequence_row row = {0};
    struct task_sequence_row before;
    OWN(json_freep) json_t *old = NULL;
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_document_freep) struct ts_document *edited = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    op = read_operation(body);
    op.assignments = settings;
    r = read_settings(site, json_object_get(body, "settings"), settings, &op.n_assignments);
    if (r == 0)
        r = task_sequence_read_row(site, id, &old, &doc, &row);
    if (r != 0)
        return TRACE(r);
    r = ts_edit(doc, &op, &edited, &why);
    if (r > 0)
        return refuse(site, REFUSAL_EDIT, "%.400s.", buf_str(&why));
    before = row;
    before.doc = doc;
    row.doc = edited;
    return r == 0 ? TRACE(put_change(site, who, id, &before, &row, ret)) : TRACE(r);
}

int task_sequence_copy(
    struct site *site, const char *who, const char *id, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, false, 1, 255, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *old = NULL;
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(json_freep) json_t *about = NULL;
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    struct task_sequence_row row = {0};
    char new_id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = task_sequence_read_row(site, id, &old, &doc, &row);
    if (r != 0)
        return TRACE(r);
    buf_addf(&name, "Copy of %.240s", row.name);
    row.name = field_text(body, "name", buf_str(&name));
    row.doc = doc;
    row.note = "copied";
    row.names = json_object_get(old, "names");
    row.is_disabled = false;
    r = task_sequence_read_about(site, id, field_number(old, "version", 1), &about);
    row.object = field_text(about, "object", NULL);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = task_sequence_add(site, who, &row, new_id);
    if (r == 0)
        r = db_commit(&tx);
    return r == 0 ? TRACE(task_sequence_get(site, new_id, ret)) : TRACE(r);
}
