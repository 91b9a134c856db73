/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "site/task_sequence_parts.h"
#include "ts/container.h"
#include "ts/sequence.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

/* Those that were found: an order in itself of what is still to be looked into. */
struct found {
    const struct ts_imports *siblings; /* of the file that is looked at; NULL: none */
    char (*ids)[SITE_ID_MAX];          /* owned */
    size_t n;
    size_t n_xml_bytes;
};

static void found_fini(struct found *found)
{
    free(found->ids);
}

static bool has(const struct found *found, const char *id)
{
    for (size_t i = 0; i < found->n; i++)
        if (strcmp(found->ids[i], id) == 0)
            return true;
    return false;
}

/* What @doc runs, behind what was found before. */
static int find_children(struct found *found, const struct ts_document *doc)
{
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);

    for (size_t i = 0; i < n; i++) {
        const char *id = ts_step_is_enabled(&steps[i]) ? ts_step_child(&steps[i]) : NULL;

        if (!id || id[0] == '\0' || strlen(id) >= SITE_ID_MAX || has(found, id))
            continue;
        if (found->n > NESTED_SEQUENCES_MAX)
            return -E2BIG;
        (void)snprintf(found->ids[found->n++], SITE_ID_MAX, "%s", id);
    }
    return 0;
}

/* @ret: owned by the caller; NULL if the site does not have it. */
static int read_one(struct site *site, struct found *found, size_t i, struct ts_document **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    OWN(ts_diags_fini) struct ts_diags ignored = {0};
    const struct ts_import *sibling =
        found->siblings ? ts_imports_find(found->siblings, found->ids[i]) : NULL;
    struct bytes xml;
    int r;

    *ret = NULL;
    if (sibling)
        return TRACE(ts_document_copy(sibling->doc, ret));
    r = db_first(site->db, SQL_TASK_SEQUENCE_XML, DB_ARGS(db_text(found->ids[i])), &rows);
    if (r != DB_ROW)
        return TRACE(r);
    xml = bytes_of(db_get_text(&rows, 0));
    found->n_xml_bytes += xml.len;
    if (found->n_xml_bytes > NESTED_XML_MAX_BYTES)
        return -E2BIG;
    r = ts_document_parse(xml, ret, &ignored);
    return r < 0 ? TRACE(r) : 0;
}

int task_sequence_each_among(struct site *site,
                             const struct ts_imports *siblings,
                             const char *id,
                             const struct ts_document *doc,
                             const struct nested_visitor *visitor)
{
    OWN(found_fini)
    struct found found = {
        .siblings = siblings, .ids = calloc(NESTED_SEQUENCES_MAX + 1, sizeof(*found.ids)), .n = 1};
    int r;

    if (!found.ids)
        return ERR(-ENOMEM);
    (void)snprintf(found.ids[0], SITE_ID_MAX, "%s", id);
    r = find_children(&found, doc);
    for (size_t i = 1; r == 0 && i < found.n; i++) { /* grows as more are found */
        OWN(ts_document_freep) struct ts_document *child = NULL;

        r = read_one(site, &found, i, &child);
        if (r == 0 && child)
            r = visitor->visit(visitor->ctx, found.ids[i], child);
        if (r == 0 && child)
            r = find_children(&found, child);
    }
    return TRACE(r);
}

int task_sequence_each_nested(struct site *site,
                              const char *id,
                              const struct ts_document *doc,
                              nested_visit *visit,
                              void *ctx)
{
    return TRACE(
        task_sequence_each_among(site, NULL, id, doc, &(struct nested_visitor){visit, ctx}));
}
