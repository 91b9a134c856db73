/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The audit log: who did what, from where, and what it was before and after; a chain of hashes (docs/security-roles.md)
 *
 * Rules write it by site_audit() of site/site.h.
 */

#include "site/rows.h"

struct site;

enum {
    AUDIT_STATE_MAX_BYTES = 4096, /* of an object; of a longer one its hash is noted */
};

/**
 * audit_before() - note what the principal's request is about to change
 * @class: of docs/security-roles.md
 *
 * Until principal_clear() a record about this object has what it was now, and what it is then.
 */
int audit_before(struct site *site, const char *class, const char *id);
void audit_forget(struct site *site);

/* @object: only its records; "": all */
int audit_list(struct site *site, const char *object, const struct page *page, json_t **ret);

/* {"is_whole", "n_records", "head", "first_bad", "why"}: go through the whole chain. */
int audit_verify(struct site *site, json_t **ret);

/* Take over what an older program wrote; at the start. */
int audit_adopt(struct site *site);

/* Write down that the database was restored from a backup, if it was (db/restore.h); at the start. */
int audit_restored(struct site *site);
