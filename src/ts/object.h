/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What stands around a sequence in object.xml: the properties of the package that Configuration Manager keeps it in
 *
 * Name, description, boot image, whether it is enabled, what it refers to and the sequence itself are ours. All others,
 * from Category and Duration to those that nobody knows here, are kept as one text, the template, and written again.
 */

#include <libxml/tree.h>

#include "base/buf.h"

struct ts_export; /* ts/container_put.h */

enum {
    TS_OBJECT_MAX_BYTES = 1024 * 1024, /* of a template */
    TS_OBJECT_PART_MAX_BYTES =
        256 * 1024, /* of one property; a larger one, such as an icon, is left out */
};

/**
 * ts_object_take() - the template of an instance
 * @instance: the element <INSTANCE> around the sequence
 *
 * Without the sequence, and without what has a name that secrets have.
 *
 * Return: owned by the caller; "" if the sequence is no property of it, or more than TS_OBJECT_MAX_BYTES are left; NULL
 *         without memory.
 */
char *ts_object_take(xmlNode *instance);

/**
 * ts_object_text() - a property that a template holds as text
 * @template: of ts_object_take(), or "" of a task sequence that was made here
 * @name:     "CustomProgressMsg"
 * @ret:      appended to; nothing if there is no such property
 *
 * Return: 0 or -ENOMEM.
 */
int ts_object_text(const char *template, const char *name, struct buf *ret);

/**
 * ts_object_put() - the instance of @item: what its template has, with what is ours in place
 * @sequence: the text of the sequence
 * @ret:      appended to
 *
 * Return: 0 or -ENOMEM.
 */
int ts_object_put(const struct ts_export *item, const char *sequence, struct buf *ret);
