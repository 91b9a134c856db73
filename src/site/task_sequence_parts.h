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
 * Return: 0, also if they are malformed: then there are none, and @diags has the errors.
 */
int task_sequence_read_body(struct site *site,
                            const json_t *body,
                            struct ts_imports *ret,
                            struct ts_diags *diags);

/* The findings as JSON. */
json_t *task_sequence_diags(const struct ts_diags *diags);

/* Refuse with the first error and all "diagnostics". */
int task_sequence_refuse(struct site *site, const struct ts_diags *diags);

/**
 * task_sequence_check() - ts_validate_at() with what this site has
 * @id:            NULL: it has none yet
 * @boot_image_id: "" none of its own, which is an error only if the site has none at all; NULL: unknown
 */
int task_sequence_check(struct site *site,
                        const char *id,
                        const char *boot_image_id,
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

/* The .zip of @doc, which is (a version of) @id, without secrets. @ret: appended to */
int task_sequence_put_zip(struct site *site,
                          const char *id,
                          const struct ts_document *doc,
                          struct buf *ret);

/* What is to be stored. */
struct task_sequence_row {
    const char *name;
    const char *description;
    const char *boot_image_id; /* NULL: none */
    const struct ts_document *doc;
    const char *note; /* what was done, for the history */
};

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

/* The packages that it and the sequences nested in it want, as far as the site has them. */
int task_sequence_refresh_packages(struct site *site,
                                   const char *id,
                                   const struct ts_document *doc);

/**
 * task_sequence_map() - @doc with the references that @map names replaced; NULL: none
 * @doc: owned by the caller; replaced
 *
 * Values are ids or names of content or task sequences.
 */
int task_sequence_map(struct site *site, json_t *map, struct ts_document **doc);

/* One of them; @ret_found: whether the document has such a reference. */
int task_sequence_map_one(struct site *site,
                          const char *from,
                          const json_t *to,
                          struct ts_document **doc,
                          bool *ret_found);
