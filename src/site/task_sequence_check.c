/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "site/task_sequence_parts.h"
#include "ts/validate.h"

enum {
    KIND_MAX = 32,
};

struct asked {
    struct site *site;
    struct ts_diags *diags;
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

static const char *kind_of(void *ctx, const char *id)
{
    struct asked *asked = ctx;
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
    const char *kind = kind_of(ctx, name);

    return kind && strcmp(kind, "package") == 0;
}

static struct ts_document *nested(void *ctx, const char *id)
{
    struct asked *asked = ctx;
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    struct ts_document *doc = NULL;
    int r = db_first(asked->site->db, SQL_TASK_SEQUENCE_XML, DB_ARGS(db_text(id)), &rows);

    if (r == DB_ROW)
        r = ts_document_parse(bytes_of(db_get_text(&rows, 0)), &doc, &ignored);
    if (r < 0)
        asked->r = asked->r ? asked->r : r;
    return doc;
}

static int has_boot_image(struct site *site, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_BOOT_IMAGE_ANY, DB_NO_ARGS, &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

/* A disabled one is no error: until somebody enables it, the step fails. */
static int tell_disabled(void *ctx, const char *id, const struct ts_document *doc)
{
    struct asked *asked = ctx;
    OWN(json_freep) json_t *row = NULL;
    int r = rows_one(asked->site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &row);

    (void)doc;
    if (r == 0 && row && json_is_true(json_object_get(row, "is_disabled")))
        ts_diags_add_at(
            asked->diags,
            TS_WARNING,
            &(struct ts_diag_place){.id = "SLW-0189"},
            "it runs the task sequence %.64s, which is disabled: the deployment fails when "
            "it gets there; enable that one",
            id);
    return TRACE(r);
}

static int check_nested(struct site *site,
                        const char *id,
                        const struct ts_document *doc,
                        struct ts_diags *diags)
{
    struct asked asked = {.site = site, .diags = diags};
    int r = task_sequence_each_nested(site, id ? id : "", doc, tell_disabled, &asked);

    if (r != -E2BIG)
        return TRACE(r);
    ts_diags_add_at(diags,
                    TS_ERROR,
                    &(struct ts_diag_place){.id = "SLW-0171"},
                    "the task sequences that it runs are more than %d, or larger than %d bytes "
                    "together; let it run fewer",
                    (int)NESTED_SEQUENCES_MAX,
                    (int)NESTED_XML_MAX_BYTES);
    return 0;
}

int task_sequence_check(struct site *site,
                        const char *id,
                        const char *boot_image_id,
                        const struct ts_document *doc,
                        struct ts_diags *diags)
{
    struct asked asked = {.site = site};
    bool has_default = false;
    int r = has_boot_image(site, &has_default);

    if (r < 0)
        return TRACE(r);
    if (boot_image_id && boot_image_id[0] == '\0' && has_default)
        boot_image_id = NULL; /* the newest one of the site is used */

    const struct ts_site_facts facts = {
        .kind_of = kind_of,
        .platform_of = platform_of,
        .has_application = has_application,
        .sequence = nested,
        .ctx = &asked,
        .own_id = id,
        .boot_image_id = boot_image_id,
    };

    r = ts_validate_at(doc, &facts, diags);
    if (r == 0)
        r = asked.r;
    return r == 0 ? TRACE(check_nested(site, id, doc, diags)) : TRACE(r);
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
