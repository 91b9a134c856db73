/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The files that task sequences travel in
 *
 * A bare <sequence>, its YAML spelling, the instance of a task sequence package (object.xml, with the sequence as text or as
 * elements), or the .zip of an export with one or more of those and what they refer to. All in memory:
 * nothing is unpacked to disk, and every size is bounded before there is memory for it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "ts/export_kind.h"

struct ts_diags;
struct ts_document;

enum {
    TS_FILE_MAX_BYTES = 16 * 1024 * 1024,  /* as it comes */
    TS_PART_MAX_BYTES = 8 * 1024 * 1024,   /* one XML file of an export, unpacked */
    TS_PARTS_MAX_BYTES = 64 * 1024 * 1024, /* all of them */
    TS_PARTS_MAX = 20000,                  /* files in an export */
    TS_IMPORTS_MAX = 256,                  /* task sequences in an export */
};

struct ts_import {
    char *id; /* "CHQ00026", its id where it comes from; "" if the file does not say. All owned */
    char *name;
    char *description;
    char *boot_image_id;
    char *object; /* what else the file says of it: the template of ts/object.h; "" for nothing */
    bool is_disabled;
    struct ts_document *doc;
};

/* What the export says of something its sequences refer to. */
struct ts_reference {
    char *id; /* owned, as all texts */
    char *name;
    char *version;
    enum ts_export_kind kind;
    bool is_package; /* it is in the file itself: its object, or files of its content */
    size_t n_files;  /* of its content; their bytes are not looked at */
};

struct ts_imports {
    struct ts_import *items; /* owned */
    size_t n;
    struct ts_reference *references; /* owned; may have several of an id */
    size_t n_references;
    size_t n_content_files; /* of all packages */
};

/* Start with {0}. May be called twice. Fits OWN(). */
void ts_imports_fini(struct ts_imports *imports);

/**
 * ts_container_read() - the task sequences of a file
 * @diags: what was found; errors on TS_E_MALFORMED
 *
 * Return: 0, TS_E_MALFORMED (no container that we know, over a limit, no task sequence in it, or one that
 *         is malformed), or -ENOMEM.
 */
int ts_container_read(struct bytes file, struct ts_imports *ret, struct ts_diags *diags);

/* The one with this id; NULL if the file has none. */
const struct ts_import *ts_imports_find(const struct ts_imports *imports, const char *id);

/* Name of @id according to the file, "" if it does not say. */
const char *ts_imports_name_of(const struct ts_imports *imports, const char *id);

/* Version of @id according to the file, "" if it does not say. */
const char *ts_imports_version_of(const struct ts_imports *imports, const char *id);

/* What kind of thing @id is according to the file. */
enum ts_export_kind ts_imports_kind_of(const struct ts_imports *imports, const char *id);
