/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"
#include "site/task_sequence_parts.h"
#include "ts/container_put.h"
#include "ts/secret.h"
#include "ts/sequence.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    ITEMS_MAX = NESTED_SEQUENCES_MAX + 1,
    REFERENCES_MAX = 4096, /* of one sequence */
};

/* What an item of the export borrows from. */
struct source {
    json_t *row;   /* owned, as all here */
    json_t *about; /* of the version */
    const char
        *boot_image; /* its own, or the one that the site lacks; "": none; borrowed from it */
    struct ts_document *doc; /* without secrets */
    json_t *rows[REFERENCES_MAX];
    struct ts_export_reference references[REFERENCES_MAX];
    size_t n;
};

struct zipping {
    struct site *site;
    uint64_t version;                  /* of the one that was asked for; 0: the newest */
    struct source *sources[ITEMS_MAX]; /* owned */
    struct ts_export items[ITEMS_MAX];
    size_t n;
};

static void zipping_freep(struct zipping **p)
{
    struct zipping *z = *p;

    for (size_t i = 0; z && i < z->n; i++) {
        json_decref(z->sources[i]->row);
        json_decref(z->sources[i]->about);
        ts_document_free(z->sources[i]->doc);
        for (size_t k = 0; k < z->sources[i]->n; k++)
            json_decref(z->sources[i]->rows[k]);
        free(z->sources[i]);
    }
    free(z);
}

/* Each once. */
static int add_reference(struct site *site, struct source *source, const char *id)
{
    OWN(json_freep) json_t *row = NULL;
    int r;

    for (size_t i = 0; i < source->n; i++)
        if (strcmp(source->references[i].id, id) == 0)
            return 0;
    if (source->n == REFERENCES_MAX)
        return 0;
    r = rows_one(site->db, SQL_TASK_SEQUENCE_REFERENCE, DB_ARGS(db_text(id)), &row);
    if (r < 0)
        return TRACE(r);
    if (!row) /* as the file called it that it came in */
        row = json_pack("{s:s,s:O?}",
                        "kind",
                        "",
                        "name",
                        json_object_get(json_object_get(source->row, "names"), id));
    /* for its life, which the document's text has not */
    if (!row || json_object_set_new(row, "id", json_string(id)) < 0)
        return ERR(-ENOMEM);
    source->references[source->n] = (struct ts_export_reference){
        .kind = ts_export_kind_of_word(field_text(row, "kind", "")),
        .id = field_text(row, "id", ""),
        .name = field_text(row, "name", ""),
        .version = field_text(row, "version", ""),
    };
    source->rows[source->n++] = TAKE(row);
    return 0;
}

static int add_references(struct site *site, struct source *source, const struct ts_document *doc)
{
    size_t n = 0;
    const char *const *packages = ts_document_packages(doc, &n);
    const struct ts_step *steps;
    int r = source->boot_image[0] ? add_reference(site, source, source->boot_image) : 0;

    /* what the site lacks may be another kind of thing; this it is for sure */
    if (r == 0 && source->n == 1)
        source->references[0].kind = TS_EXPORT_BOOT_IMAGE;

    for (size_t i = 0; r == 0 && i < n; i++)
        r = add_reference(site, source, packages[i]);
    steps = ts_document_steps(doc, &n);
    for (size_t i = 0; r == 0 && i < n; i++)
        if (ts_step_child(&steps[i]))
            r = add_reference(site, source, ts_step_child(&steps[i]));
    return TRACE(r);
}

/* What is known of it, and its document. */
static int
fill(struct zipping *z, struct source *source, const char *id, const struct ts_document *doc)
{
    OWN(ts_document_freep) struct ts_document *whole = NULL;
    uint64_t version = z->version;
    int r;

    if (z->n > 1 || version == 0) /* the others as they are now */
        version = field_number(source->row, "version", 1);
    r = task_sequence_read_about(z->site, id, version, &source->about);
    source->boot_image = field_text(source->about, "boot_image_id", "");
    if (r == 0)
        r = ts_document_copy(doc, &whole);
    if (r == 0)
        r = task_sequence_note_secrets(z->site, whole);
    if (r == 0)
        r = ts_document_export(whole, &source->doc);
    return r == 0 ? TRACE(add_references(z->site, source, doc)) : TRACE(r);
}

/* One that the administrator may not read is left out, as if the site did not have it. */
static int add_item(void *ctx, const char *id, const struct ts_document *doc)
{
    struct zipping *z = ctx;
    OWN(json_freep) json_t *row = NULL;
    struct source *source;
    int r = rows_one(z->site->db, SQL_TASK_SEQUENCE_GET, DB_ARGS(db_text(id)), &row);

    if (r < 0 || !row)
        return TRACE(r);
    source = calloc(1, sizeof(*source));
    if (!source)
        return ERR(-ENOMEM);
    source->row = TAKE(row);
    source->boot_image = "";
    z->sources[z->n++] = source;
    r = fill(z, source, id, doc);
    z->items[z->n - 1] = (struct ts_export){
        .id = field_text(source->row, "id", ""),
        .name = field_text(source->about, "name", ""),
        .description = field_text(source->about, "description", ""),
        .boot_image_id = source->boot_image,
        .is_disabled = field_bool(source->about, "is_disabled"),
        .object = field_text(source->about, "object", ""),
        .doc = source->doc,
        .references = source->references,
        .n_references = source->n,
    };
    return TRACE(r);
}

int task_sequence_put_zip(struct site *site,
                          const char *id,
                          uint64_t version,
                          const struct ts_document *doc,
                          struct buf *ret)
{
    OWN(zipping_freep) struct zipping *z = calloc(1, sizeof(*z));
    int r;

    if (!z)
        return ERR(-ENOMEM);
    z->site = site;
    z->version = version;
    r = add_item(z, id, doc);
    if (r == 0)
        r = task_sequence_each_nested(site, id, doc, add_item, z);
    if (r == -E2BIG)
        return refuse(
            site,
            REFUSAL_TASK_SEQUENCE,
            "It runs more task sequences than one file may have: export them one by one.");
    return r == 0 ? TRACE(ts_container_put(z->items, z->n, ret)) : TRACE(r);
}
