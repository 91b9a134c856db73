/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the parts of the rules about task sequences share
 */

#include "site/site.h"
#include "site/task_sequence.h"
#include "ts/diag.h"
#include "ts/document.h"

struct ts_imports; /* ts/container.h */

/**
 * task_sequence_read_body() - the task sequences of "xml" or "file"
 *
 * Return: 0, also if one is malformed: then @diags has errors, and the others are there to be looked at.
 */
int task_sequence_read_body(struct site *site,
                            const json_t *body,
                            struct ts_imports *ret,
                            struct ts_diags *diags);

struct ts_import;

/* {"id": "name"} of what @item refers to, as the file calls it. @ret: owned by the caller */
int task_sequence_names(const struct ts_imports *imports,
                        const struct ts_import *item,
                        json_t **ret);

/* The findings as JSON. */
json_t *task_sequence_diags(const struct ts_diags *diags);

/* Refuse with the first error and all "diagnostics". */
int task_sequence_refuse(struct site *site, const struct ts_diags *diags);

/* What is checked; all borrowed. */
struct task_sequence_subject {
    const char *id; /* NULL: it has none yet */
    /* "" none of its own, which is an error only if the site has none at all; NULL: unknown */
    const char *boot_image_id;
    const char *wanted_boot_image; /* that its file names and the site lacks; NULL or "": none */
    const json_t *names;           /* of what it refers to, as its file calls it; may be NULL */
    const struct ts_imports *siblings; /* those of the same file; may be NULL */
    json_t *missing; /* gets {"id", "name", "kind"} for each that the site lacks; may be NULL */
};

/* ts_validate_at() with what this site has. */
int task_sequence_check(struct site *site,
                        const struct task_sequence_subject *subject,
                        const struct ts_document *doc,
                        struct ts_diags *diags);

/* Refuse what would run itself: nobody can want that, and it cannot be repaired from inside. */
int task_sequence_refuse_circle(struct site *site, const char *id, const struct ts_document *doc);

/**
 * task_sequence_read() - a stored document
 * @version: 0: the newest
 * @ret:     owned by the caller
 */
int task_sequence_read(struct site *site,
                       const char *id,
                       uint64_t version,
                       struct ts_document **ret);

/* Tell @doc which variables are hidden on devices and collections here, before something of it is shown. */
int task_sequence_note_secrets(struct site *site, struct ts_document *doc);

/* The .zip of @doc, which is this version of @id (0: the newest), without secrets. @ret: appended to */
int task_sequence_put_zip(struct site *site,
                          const char *id,
                          uint64_t version,
                          const struct ts_document *doc,
                          struct buf *ret);

/* What is to be stored. */
struct task_sequence_row {
    const char *name;
    const char *description;
    const char *boot_image_id;     /* NULL: none */
    const char *wanted_boot_image; /* that a file names and the site lacks; NULL or "": none */
    const json_t *names;           /* {"id": "name"} of what it refers to; NULL: as they were */
    const char *object;            /* ts/object.h; NULL: as it was */
    bool is_disabled;
    const struct ts_document *doc;
    const char *note; /* what was done, for the history */
};

enum {
    TASK_SEQUENCE_NOTE_MAX_BYTES = 2048,
};

/**
 * task_sequence_read_row() - what is stored now
 * @ret_old: owned by the caller; @ret_row borrows from it
 * @ret_doc: owned by the caller; it is not in @ret_row
 *
 * The row's names and object are NULL.
 */
int task_sequence_read_row(struct site *site,
                           const char *id,
                           json_t **ret_old,
                           struct ts_document **ret_doc,
                           struct task_sequence_row *ret_row);

/* What a version was called and started from: {"name", "description", "boot_image_id", "is_disabled", "object"}. */
int task_sequence_read_about(struct site *site, const char *id, uint64_t version, json_t **ret);

/* Whether a step of @item runs the one with this id. */
bool task_sequence_runs(const struct ts_import *item, const char *id);

/**
 * task_sequence_describe() - what was done, in sentences, for the history
 * @what: stands before them; "" for nothing
 */
int task_sequence_describe(const char *what,
                           const struct task_sequence_row *before,
                           const struct task_sequence_row *after,
                           struct buf *ret);

/* A new one; @id: "" to be given one. In a transaction of the caller. */
int task_sequence_add(struct site *site,
                      const char *who,
                      const struct task_sequence_row *row,
                      char id[static SITE_ID_MAX]);

/* A new version of one that exists. In a transaction of the caller. */
int task_sequence_put(struct site *site,
                      const char *who,
                      const char *id,
                      const struct task_sequence_row *row);

enum {
    NESTED_SEQUENCES_MAX = 256,             /* that one runs, and those run */
    NESTED_XML_MAX_BYTES = 8 * 1024 * 1024, /* of all of them: an order has them all */
};

/* Called once for each nested sequence. Return: 0 to go on. */
typedef int nested_visit(void *ctx, const char *id, const struct ts_document *doc);

/**
 * task_sequence_each_nested() - those that enabled steps of @doc run, and those that they run
 * @id: of @doc itself, so that it is not among them; "" if it has none
 *
 * Nearest first, each once; one that the site does not have is left out.
 *
 * Return: 0, what @visit ended it with, -ENOMEM, or -E2BIG: more than an order may have.
 */
int task_sequence_each_nested(struct site *site,
                              const char *id,
                              const struct ts_document *doc,
                              nested_visit *visit,
                              void *ctx);

/**
 * task_sequence_wipes() - whether it, or what it runs, leaves nothing of what was on a disk
 * @id: of @doc; "" if it has none
 */
int task_sequence_wipes(struct site *site,
                        const char *id,
                        const struct ts_document *doc,
                        bool *ret);

/* The same of the newest version of a stored one. */
int task_sequence_wipes_by_id(struct site *site, const char *id, bool *ret);

/* The ids of those with required deployments that devices may begin, and that wipe nothing. @ret: owned by the caller */
int task_sequence_harmless(struct site *site, json_t **ret);

struct nested_visitor {
    nested_visit *visit;
    void *ctx;
};

/* The same, with those of a file before those of the site. @siblings: may be NULL */
int task_sequence_each_among(struct site *site,
                             const struct ts_imports *siblings,
                             const char *id,
                             const struct ts_document *doc,
                             const struct nested_visitor *visitor);

/* The packages that it and the sequences nested in it want, as far as the site has them. */
int task_sequence_refresh_packages(struct site *site,
                                   const char *id,
                                   const struct ts_document *doc);

/* What a mapping works on. */
struct task_sequence_mapped {
    json_t *names;                 /* {"id": "name"}; borrowed; may be NULL */
    const char *wanted_boot_image; /* NULL or "": none */
    struct ts_document **doc;      /* owned by the caller; replaced */
    char boot_image_id
        [SITE_ID_MAX]; /* what has taken the place of the wanted one; "" at the beginning */
};

/**
 * task_sequence_map() - replace the references that @map names
 * @map:  what is referred to, by its id or the name that its file gives it, and what takes its place, by id or name;
 *        NULL: nothing is
 * @used: by their place in @map: set where there is such a reference
 */
int task_sequence_map(struct site *site,
                      json_t *map,
                      struct task_sequence_mapped *mapped,
                      bool *used);

/* Refuse the first of @map that has not been used. */
int task_sequence_refuse_unused(struct site *site, json_t *map, const bool *used);

/**
 * task_sequence_map_names() - replace what the site lacks by what has the same name here
 * @imports: of the file, which says what kind of thing each is, and of which none is looked for here; may be NULL
 * @ret:     array of {"id", "name", "to"}, appended to
 *
 * Of several the one with the version that the file gives; refused if that is not one of them.
 */
int task_sequence_map_names(struct site *site,
                            const struct ts_imports *imports,
                            struct task_sequence_mapped *mapped,
                            json_t *ret);
