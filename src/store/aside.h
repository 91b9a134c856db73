/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Packs that were written aside, to tmp/, and their way to a name that lasts
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/own.h"
#include "format/manifest/manifest.h"
#include "format/pack/pack.h"

struct aside {
    uint32_t number;           /* of the pack, with its store handle */
    struct manifest_pack pack; /* known when it was written */
    struct pack table;         /* owned; its chunks */
    bool is_foreign;           /* from elsewhere: it replaces what lies under its name */
    unsigned serial;           /* of the file in tmp/; 0: there is none */
    int fd;                    /* owned; -1: none */
};

int aside_new(struct aside **ret);

/* Closes and removes the file in tmp/, if there is one. */
void aside_free(const char *root, struct aside *aside);

/**
 * aside_write() - write a file to tmp/, not durable yet
 * @frame: all of it
 *
 * Any thread may call it.
 *
 * Return: 0, STORE_E_FULL, or -errno.
 */
int aside_write(const char *root, struct bytes frame, struct aside *aside);

/**
 * aside_publish() - make packs durable, then visible
 * @asides: n of them; each pack.stored_bytes and pack.check are those of the file which has the name afterwards
 *
 * Where another file that is good has the name of a pack of our own already, it stays: manifests tell
 * its length and its checksum.
 *
 * Return: 0, STORE_E_FULL, or -errno.
 */
int aside_publish(const char *root, struct aside *const *asides, size_t n);

/**
 * aside_write_file() - the same for one small file: written to tmp/, durable, renamed to @path
 * @folder: that @path is in
 *
 * Return: 0, STORE_E_FULL, or -errno.
 */
int aside_write_file(const char *root, const char *folder, const char *path, struct bytes content);
