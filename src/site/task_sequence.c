/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/task_sequence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/validate.h"

#define APPLY_IMAGE_TYPE "SMS_TaskSequence_ApplyOperatingSystemAction"
#define RUN_COMMAND_TYPE "SMS_TaskSequence_RunCommandLineAction"

DEFINE_FREEP(struct ts_document *, ts_document_free);

/* Name of the step whose start tag is the last one at or before @line; "" if several begin there. */
static const char *step_at(const struct ts_document *doc, unsigned line)
{
    size_t n = 0;
    const struct ts_step *steps = doc ? ts_document_steps(doc, &n) : NULL;
    const char *name = "";

    for (size_t i = 0; line > 0 && i < n && steps[i].item.line <= line; i++)
        name = i > 0 && steps[i - 1].item.line == steps[i].item.line ? "" : steps[i].item.name;
    return name;
}

static json_t *diags_put(const struct ts_document *doc, const struct ts_diags *diags)
{
    json_t *list = json_array();

    for (size_t i = 0; i < diags->n; i++) {
        const struct ts_diag *diag = &diags->items[i];

        (void)json_array_append_new(list,
                                    json_pack("{s:s,s:i,s:i,s:s,s:s}",
                                              "severity",
                                              diag->severity == TS_ERROR ? "error" : "warning",
                                              "line",
                                              (int)diag->line,
                                              "column",
                                              (int)diag->column,
                                              "step",
                                              step_at(doc, diag->line),
                                              "message",
                                              diag->message));
    }
    return list;
}

/* Return: 0, also if there are errors; @ret_doc is then NULL or not to be used. */
static int check(const char *xml, struct ts_document **ret_doc, struct ts_diags *diags)
{
    int r = ts_document_parse(bytes_of(xml), ret_doc, diags);

    if (r < 0)
        return TRACE(r);
    if (r == TS_E_MALFORMED)
        return 0;
    return TRACE(ts_validate(*ret_doc, diags));
}

static int package_kind(struct site *site, const char *id, char *ret, size_t cap)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_PACKAGE_STATE, DB_ARGS(db_text(id)), &rows);

    (void)snprintf(ret, cap, "%s", r == DB_ROW ? db_get_text(&rows, 0) : "");
    return r < 0 ? TRACE(r) : 0;
}

static int check_packages(struct site *site, const struct ts_document *doc, struct ts_diags *diags)
{
    size_t n = 0;
    const char *const *ids = ts_document_packages(doc, &n);

    for (size_t i = 0; i < n; i++) {
        char kind[32];
        int r = package_kind(site, ids[i], kind, sizeof(kind));

        if (r < 0)
            return TRACE(r);
        if (!kind[0])
            ts_diags_add(
                diags,
                TS_ERROR,
                0,
                0,
                "The task sequence refers to the package %s, which this site does not have.",
                ids[i]);
    }
    return 0;
}

/* Which kind of content a step's variable must name. */
static const struct {
    const char *type;
    const char *variable;
    const char *kind;
    const char *words;
} uses[] = {
    {APPLY_IMAGE_TYPE, "ImagePackageID", "os-image", "an OS image"},
    {APPLY_IMAGE_TYPE, "InstallPackageID", "os-upgrade-package", "an OS upgrade package"},
    {RUN_COMMAND_TYPE, "PackageID", "package", "a package"},
};

static int check_uses(struct site *site, const struct ts_step *step, struct ts_diags *diags)
{
    for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
        const struct ts_variable *variable = ts_step_variable(step, uses[i].variable);
        char kind[32];
        int r;

        if (!variable || strcmp(step->type, uses[i].type) != 0)
            continue;
        r = package_kind(site, variable->text, kind, sizeof(kind));
        if (r < 0)
            return TRACE(r);
        if (kind[0] && strcmp(kind, uses[i].kind) != 0)
            ts_diags_add(diags,
                         TS_ERROR,
                         step->item.line,
                         0,
                         "The step \"%s\" wants %s; %s is of the kind %s.",
                         step->item.name,
                         uses[i].words,
                         variable->text,
                         kind);
    }
    return 0;
}

static int check_kinds(struct site *site, const struct ts_document *doc, struct ts_diags *diags)
{
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++)
        if (ts_step_is_enabled(&steps[i]))
            r = check_uses(site, &steps[i], diags);
    return TRACE(r);
}

static bool applies_image(const struct ts_document *doc)
{
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    for (size_t i = 0; i < n; i++)
        if (ts_step_is_enabled(&steps[i]) && strcmp(steps[i].type, APPLY_IMAGE_TYPE) == 0)
            return true;
    return false;
}

static char *steps_put(const struct ts_document *doc)
{
    OWN(json_freep) json_t *list = json_array();
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    for (size_t i = 0; i < n; i++)
        (void)json_array_append_new(list,
                                    json_pack("{s:I,s:s,s:s,s:b}",
                                              "index",
                                              (json_int_t)i,
                                              "name",
                                              steps[i].item.name,
                                              "type",
                                              steps[i].type,
                                              "is_enabled",
                                              (int)ts_step_is_enabled(&steps[i])));
    return json_dumps(list, JSON_COMPACT);
}

static int save_references(struct site *site, const char *id, const struct ts_document *doc)
{
    size_t n = 0;
    const char *const *ids = ts_document_packages(doc, &n);

    for (size_t i = 0; i < n; i++) {
        int r =
            db_must(site->db, SQL_TASK_SEQUENCE_PACKAGE_ADD, DB_ARGS(db_text(id), db_text(ids[i])));

        if (r < 0)
            return TRACE(r);
    }
    return 0;
}

static int save(struct site *site,
                const char *who,
                const json_t *body,
                const struct ts_document *doc,
                char id[static SITE_ID_MAX])
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(freep) char *steps = steps_put(doc);
    const char *own_name = ts_document_name(doc)[0] ? ts_document_name(doc) : "Task sequence";
    const char *name = field_text(body, "name", own_name);
    size_t n_steps = 0;
    int r;

    (void)ts_document_steps(doc, &n_steps);
    if (!steps)
        return ERR(-ENOMEM);
    r = db_begin(site->db, &tx);
    if (r < 0)
        return TRACE(r);
    r = site_take_id(site, SITE_ID_OBJECT, id);
    if (r != 0)
        return TRACE(r);
    r = db_must(site->db,
                SQL_TASK_SEQUENCE_ADD,
                DB_ARGS(db_text(id),
                        db_text(name),
                        db_text(field_text(body, "boot_image_id", NULL)),
                        db_text(field_text(body, "xml", "")),
                        db_u64(n_steps),
                        db_text(steps),
                        db_u64(applies_image(doc) ? 1 : 0),
                        db_u64(site->now_us)));
    if (r < 0)
        return TRACE(r);
    r = save_references(site, id, doc);
    if (r < 0)
        return TRACE(r);
    r = site_audit(site, who, "task-sequence.create", id, name);
    if (r < 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

static int check_boot_image(struct site *site, const json_t *body)
{
    const char *id = field_text(body, "boot_image_id", NULL);
    char kind[32];
    int r;

    if (!id)
        return 0;
    r = package_kind(site, id, kind, sizeof(kind));
    if (r < 0)
        return TRACE(r);
    if (strcmp(kind, "boot-image") != 0)
        return refuse(site, REFUSAL_MISSING, "There is no boot image \"%.100s\".", id);
    return 0;
}

static int refuse_document(struct site *site, struct ts_document *doc, const struct ts_diags *diags)
{
    size_t i = 0;

    while (i + 1 < diags->n && diags->items[i].severity != TS_ERROR)
        i++;
    if (diags->items[i].line > 0)
        (void)refuse(site,
                     REFUSAL_TASK_SEQUENCE,
                     "Line %u, column %u: %s",
                     diags->items[i].line,
                     diags->items[i].column,
                     diags->items[i].message);
    else
        (void)refuse(site, REFUSAL_TASK_SEQUENCE, "%s", diags->items[i].message);
    site->refusal.more = json_pack("{s:o}", "diagnostics", diags_put(doc, diags));
    return SITE_E_REFUSED;
}

int task_sequence_create(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_TEXT, false, 1, 255, NULL},
        {"xml", FIELD_TEXT, true, 1, TASK_SEQUENCE_XML_MAX_BYTES, NULL},
        {"boot_image_id", FIELD_TEXT, false, 1, 16, NULL},
        {0},
    };
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    char id[SITE_ID_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    r = check_boot_image(site, body);
    if (r != 0)
        return TRACE(r);
    r = check(field_text(body, "xml", ""), &doc, &diags);
    if (r == 0 && doc)
        r = check_packages(site, doc, &diags);
    if (r == 0 && doc)
        r = check_kinds(site, doc, &diags);
    if (r < 0)
        return TRACE(r);
    if (!doc || ts_diags_has_error(&diags))
        return refuse_document(site, doc, &diags);
    r = save(site, who, body, doc, id);
    if (r != 0)
        return TRACE(r);
    r = task_sequence_get(site, id, ret);
    if (r == 0)
        (void)json_object_set_new(*ret, "diagnostics", diags_put(doc, &diags));
    return TRACE(r);
}

int task_sequence_validate(struct site *site, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"xml", FIELD_TEXT, true, 1, TASK_SEQUENCE_XML_MAX_BYTES, NULL},
        {0},
    };
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    r = check(field_text(body, "xml", ""), &doc, &diags);
    if (r == 0 && doc)
        r = check_packages(site, doc, &diags);
    if (r == 0 && doc)
        r = check_kinds(site, doc, &diags);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:b,s:o}",
                     "is_valid",
                     (int)(doc && !ts_diags_has_error(&diags)),
                     "diagnostics",
                     diags_put(doc, &diags));
    return *ret ? 0 : ERR(-ENOMEM);
}

int task_sequence_get(struct site *site, const char *id, json_t **ret)
{
    int r = rows_one(site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), ret);

    if (r < 0)
        return TRACE(r);
    if (!*ret)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    return 0;
}

int task_sequence_list(struct site *site, const struct page *page, json_t **ret)
{
    struct db_args args = DB_ARGS(page_after(page), page_limit(page));

    return TRACE(rows_page(site->db, SQL_TASK_SEQUENCE_LIST, args, page, ret));
}

int task_sequence_xml(struct site *site, const char *id, struct buf *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_TASK_SEQUENCE_XML, DB_ARGS(db_text(id)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    buf_adds(ret, db_get_text(&rows, 0));
    return ret->failed ? ERR(-ENOMEM) : 0;
}
