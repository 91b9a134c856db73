/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What is different between two task sequences, as a person would tell it
 *
 * Groups and steps have no identity of their own. Two are taken for the same if they have the same name
 * and type within the same group; then those of the same type and settings with another name (renamed);
 * then those of the same name and type anywhere (moved).
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct ts_document;

enum ts_change_kind {
    TS_CHANGE_ADDED,   /* with all that is in it */
    TS_CHANGE_REMOVED, /* likewise */
    TS_CHANGE_MOVED, /* from and to: the groups, "" at the top; equal: to another place within it; label: behind what
                        it is there, by its path from the group on, "" if it is the first */
    TS_CHANGE_RENAMED, /* from and to: the names */
    TS_CHANGE_ENABLED,
    TS_CHANGE_DISABLED,
    TS_CHANGE_CONDITION, /* from and to: as by ts_condition_text(), "" for none */
    TS_CHANGE_PROPERTY,  /* name, label, from, to */
};

struct ts_change {
    enum ts_change_kind kind;
    bool is_group;
    char *
        path; /* in the new document; of what was removed, in the old. "": the sequence itself. All owned */
    char *old_path; /* in the old document; of what was added, "" */
    char *type;     /* name of the step's type as people know it; "" for a group */
    char *name;     /* of the property or attribute */
    char *
        label; /* of it, for people; of a group that was added or removed, what is in it: "3 steps" */
    char *from; /* "***" if it is secret; of a script that the step holds, its text */
    char *to;
    bool is_script;
    bool is_element; /* that is not known here, and came or went: from or to is what is in it */
    bool is_new;     /* it came */
    bool has_quotes; /* from and to have quotation marks of their own */
    bool is_first;   /* of what has moved: others of the group are behind it */
};

struct ts_changes {
    struct ts_change *items; /* owned */
    size_t n;
};

/* Start with {0}. May be called twice. Fits OWN(). */
void ts_changes_fini(struct ts_changes *changes);

/**
 * ts_diff() - from @before to @after
 * @ret: appended to
 *
 * Return: 0 or -ENOMEM. Documents that are equal in canonical form, but for white space between elements,
 *         the order of attributes, and text of <action> that follows from the variables, have no changes.
 */
int ts_diff(const struct ts_document *before,
            const struct ts_document *after,
            struct ts_changes *ret);

/* What a site knows of a task sequence beside its document; all borrowed. */
struct ts_about {
    const char *name;
    const char *description;
    const char *boot_image_id; /* "": none */
    bool is_disabled;
};

/* The same of these: path and old_path are "". @ret: appended to */
int ts_diff_about(const struct ts_about *before,
                  const struct ts_about *after,
                  struct ts_changes *ret);

/* "added", "removed", "moved", ... */
const char *ts_change_name(enum ts_change_kind kind);

/* Whether a value is masked: one of them is, or a part of them that differs. */
bool ts_change_is_secret(const struct ts_change *change);

/* One sentence; long values are shortened, and of a script only the number of lines is said. */
void ts_change_put(const struct ts_change *change, struct buf *ret);

/* Of a script, the lines that changed (ts/script_text.h); nothing of anything else. */
void ts_change_put_lines(const struct ts_change *change, struct buf *ret);
