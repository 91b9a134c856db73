/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/validate.h"

enum {
    KIND_MAX = 32,
};

struct asked {
    struct site *site;
    const struct task_sequence_subject *subject;
    struct ts_diags *diags;
    json_t *noted; /* the ids that are in the subject's list of what is missing, as names */
    char kind[KIND_MAX];
    int r; /* the first failure */
};

json_t *task_sequence_diags(const struct ts_diags *diags)
{
    json_t *list = json_array();

    for (size_t i = 0; i < diags->n; i++) {
        const struct ts_diag *diag = &diags->items[i];

        (void)json_array_append_new(list,
                                    json_pack("{s:s,s:i,s:i,s:s,s:s,s:s}",
                                              "severity",
                                              diag->severity == TS_ERROR ? "error" : "warning",
                                              "line",
                                              (int)diag->line,
                                              "column",
                                              (int)diag->column,
                                              "step",
                                              diag->path,
                                              "error_id",
                                              diag->id,
                                              "message",
                                              diag->message));
    }
    return list;
}

int task_sequence_refuse(struct site *site, const struct ts_diags *diags)
{
    size_t i = 0;

    while (i + 1 < diags->n && diags->items[i].severity != TS_ERROR)
        i++;
    if (diags->n == 0)
        (void)refuse(site, REFUSAL_TASK_SEQUENCE, "It cannot be read.");
    else if (diags->items[i].line > 0)
        (void)refuse(site,
                     REFUSAL_TASK_SEQUENCE,
                     "Line %u, column %u: %.400s",
                     diags->items[i].line,
                     diags->items[i].column,
                     diags->items[i].message);
    else
        (void)refuse(site, REFUSAL_TASK_SEQUENCE, "%.400s", diags->items[i].message);
    site->refusal.more = json_pack("{s:o}", "diagnostics", task_sequence_diags(diags));
    return SITE_E_REFUSED;
}

/* What the file that it comes from calls it. */
static const char *name_of(void *ctx, const char *id)
{
    const struct asked *asked = ctx;
    const char *name = json_string_value(json_object_get(asked->subject->names, id));

    return name ? name : "";
}

/* Note it, once. */
static void add_missing(struct asked *asked, const char *id, const char *kind)
{
    json_t *list = asked->subject->missing;

    if (!list || json_object_get(asked->noted, id))
        return;
    (void)json_object_set_new(asked->noted, id, json_true());
    (void)json_array_append_new(
        list, json_pack("{s:s,s:s,s:s}", "id", id, "name", name_of(asked, id), "kind", kind));
}

static const char *find_kind(struct asked *asked, const char *id)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(asked->site->db, SQL_PACKAGE_STATE, DB_ARGS(db_text(id)), &rows);

    if (r < 0) {
        asked->r = asked->r ? asked->r : r;
        return NULL;
    }
    (void)snprintf(
        asked->kind, sizeof(asked->kind), "%s", r == DB_ROW ? db_get_text(&rows, 0) : "");
    return asked->kind;
}

/* What is missing is of the kind that the step asks for, or else of the one that the file says. */
static const char *kind_of(void *ctx, const char *id, const char *wanted)
{
    const struct asked *asked = ctx;
    const char *kind = find_kind(ctx, id);
    const char *theirs = ts_export_word(ts_imports_kind_of(asked->subject->siblings, id));

    if (kind && kind[0] == '\0')
        add_missing(ctx, id, wanted[0] != '\0' ? wanted : theirs[0] != '\0' ? theirs : "content");
    return kind;
}

static unsigned platform_of(void *ctx, const char *image_id)
{
    struct asked *asked = ctx;
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(asked->site->db, SQL_IMAGE_PLATFORM, DB_ARGS(db_text(image_id)), &rows);

    if (r < 0)
        asked->r = asked->r ? asked->r : r;
    if (r != DB_ROW || db_get_u64(&rows, 1) == 0)
        return 0;
    return db_get_u64(&rows, 0) ? TS_PLATFORM_WINDOWS : TS_PLATFORM_LINUX;
}

/* An application is a package (docs/steps.md). */
static bool has_application(void *ctx, const char *name)
{
    const char *kind = find_kind(ctx, name);
    bool is_there = kind && strcmp(kind, "package") == 0;

    if (!is_there)
        add_missing(ctx, name, "application");
    return is_there;
}

static struct ts_document *nested(void *ctx, const char *id)
{
    struct asked *asked = ctx;
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    const struct ts_imports *siblings = asked->subject->siblings;
    const struct ts_import *sibling = siblings ? ts_imports_find(siblings, id) : NULL;
    struct ts_document *doc = NULL;
    int r;

    if (sibling) {
        r = ts_document_copy(sibling->doc, &doc);
    } else {
        r = db_first(asked->site->db, SQL_TASK_SEQUENCE_XML, DB_ARGS(db_text(id)), &rows);
        if (r == DB_ROW)
            r = ts_document_parse(bytes_of(db_get_text(&rows, 0)), &doc, &ignored);
    }
    if (r < 0)
        asked->r = asked->r ? asked->r : r;
    if (r == 0 && !doc)
        add_missing(asked, id, "task-sequence");
    return doc;
}

static int has_boot_image(struct site *site, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_BOOT_IMAGE_ANY, DB_NO_ARGS, &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

static bool is_disabled(void *ctx, const char *id)
{
    struct asked *asked = ctx;
    const struct ts_imports *siblings = asked->subject->siblings;
    const struct ts_import *sibling = siblings ? ts_imports_find(siblings, id) : NULL;
    OWN(json_freep) json_t *row = NULL;
    int r = sibling
                ? 0
                : rows_one(asked->site->db, SQL_TASK_SEQUENCE_STATE, DB_ARGS(db_text(id)), &row);

    if (r < 0)
        asked->r = asked->r ? asked->r : r;
    return sibling ? sibling->is_disabled : field_bool(row, "is_disabled");
}

/* To count them is enough. */
static int look(void *ctx, const char *id, const struct ts_document *doc)
{
    (void)ctx;
    (void)id;
    (void)doc;
    return 0;
}

static int check_nested(struct asked *asked, const struct ts_document *doc)
{
    const struct task_sequence_subject *subject = asked->subject;
    int r = task_sequence_each_among(asked->site,
                                     subject->siblings,
                                     subject->id ? subject->id : "",
                                     doc,
                                     &(struct nested_visitor){look, asked});

    if (r != -E2BIG)
        return TRACE(r);
    ts_diags_add_at(asked->diags,
                    TS_ERROR,
                    &(struct ts_diag_place){.id = "SLW-0171"},
                    "the task sequences that it runs are more than %d, or larger than %d bytes "
                    "together; let it run fewer",
                    (int)NESTED_SEQUENCES_MAX,
                    (int)NESTED_XML_MAX_BYTES);
    return 0;
}

/* The ids of a list that others may have begun. */
static json_t *ids_of(const json_t *missing)
{
    json_t *ids = json_object();

    for (size_t i = 0; i < json_array_size(missing); i++)
        (void)json_object_set_new(
            ids, field_text(json_array_get(missing, i), "id", ""), json_true());
    return ids;
}

int task_sequence_check(struct site *site,
                        const struct task_sequence_subject *subject,
                        const struct ts_document *doc,
                        struct ts_diags *diags)
{
    OWN(json_freep) json_t *noted = ids_of(subject->missing);
    struct asked asked = {.site = site, .subject = subject, .diags = diags, .noted = noted};
    const char *wanted = subject->wanted_boot_image && subject->wanted_boot_image[0]
                             ? subject->wanted_boot_image
                             : NULL;
    const char *boot_image_id = wanted ? NULL : subject->boot_image_id;
    bool has_default = false;
    int r = has_boot_image(site, &has_default);

    if (r < 0)
        return TRACE(r);
    if (boot_image_id && boot_image_id[0] == '\0' && has_default)
        boot_image_id = NULL; /* the newest one of the site is used */
    if (wanted)
        add_missing(&asked, wanted, "boot-image");

    const struct ts_site_facts facts = {
        .kind_of = kind_of,
        .platform_of = platform_of,
        .has_application = has_application,
        .sequence = nested,
        .is_disabled = is_disabled,
        .name_of = name_of,
        .ctx = &asked,
        .own_id = subject->id,
        .boot_image_id = boot_image_id,
        .wanted_boot_image_id = wanted,
    };

    r = ts_validate_at(doc, &facts, diags);
    if (r == 0)
        r = asked.r;
    return r == 0 ? TRACE(check_nested(&asked, doc)) : TRACE(r);
}

int task_sequence_read(struct site *site,
                       const char *id,
                       uint64_t version,
                       struct ts_document **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    int r = version == 0 ? db_first(site->db, SQL_TASK_SEQUENCE_XML, DB_ARGS(db_text(id)), &rows)
                         : db_first(site->db,
                                    SQL_TASK_SEQUENCE_VERSION_XML,
                                    DB_ARGS(db_text(id), db_u64(version)),
                                    &rows);

    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW && version == 0)
        return refuse(site, REFUSAL_MISSING, "There is no task sequence \"%.100s\".", id);
    if (r != DB_ROW)
        return refuse(site,
                      REFUSAL_MISSING,
                      "The task sequence %.100s has no version %llu.",
                      id,
                      (unsigned long long)version);
    r = ts_document_parse(bytes_of(db_get_text(&rows, 0)), ret, &diags);
    return r > 0 ? task_sequence_refuse(site, &diags) : TRACE(r);
}
