/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of ts/edit.c
 */

#include <stdbool.h>

#include <libxml/tree.h>

#include "ts/edit.h"

struct ts_editing {
    xmlDoc *xml; /* owned: a copy */
    struct buf *why;
};

/* Say why, and TS_EDIT_E_REFUSED. */
__attribute__((format(printf, 2, 3))) int
ts_edit_refuse(struct ts_editing *e, const char *format, ...);

/* ts/edit_set.c: one setting of a group or step. */
int ts_edit_set(struct ts_editing *e, xmlNode *item, const struct ts_assignment *assignment);

/* The list of that name in @step, made at its place if there is none. NULL without memory. */
xmlNode *ts_edit_list(xmlNode *step, const char *name);

/* Make the text of <action> anew where it follows from what has changed. @before: the step as it was; NULL: it is new. */
int ts_edit_refresh_action(xmlNode *step, const xmlNode *before);

/* ts/edit_map.c: let <referenceList> name what the steps refer to, and nothing that they no longer do. @gone: the
   item that was taken away or changed, as it was; may be NULL. */
int ts_edit_refresh_references(struct ts_editing *e, const xmlNode *gone);

/* A new document out of the tree. */
int ts_edit_finish(struct ts_editing *e, struct ts_document **ret);
