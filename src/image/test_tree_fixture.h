/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * For the tests of what reads trees: a folder for files, and a sink that writes down what it is given
 */

#include "base/buf.h"
#include "image/tree_list.h"

enum {
    TREE_FIXTURE_PATH_MAX = 256,
    TREE_FIXTURE_TEXT_MAX = 65536,
};

struct tree_fixture {
    char root[64];
    struct buf seen;     /* a line for each entry, the bytes of files behind it */
    uint64_t n_bytes;    /* fed */
    uint64_t mtime_ns;   /* of the last entry */
    unsigned percent;    /* told last */
    const char *trigger; /* at the entry of this path, NULL for none, ... */
    void (*act)(const struct tree_fixture *f); /* ... this is done */
    struct tree_sink sink;
};

/* For cmocka; *state is a struct tree_fixture *. */
int tree_fixture_set_up(void **state);
int tree_fixture_tear_down(void **state);

void tree_fixture_path(const struct tree_fixture *f,
                       const char *name,
                       char dst[static TREE_FIXTURE_PATH_MAX]);

/* Make a file with mode 640 and its folders; or a folder if @content is NULL; or a link. */
void tree_fixture_put(const struct tree_fixture *f, const char *name, const char *content);
void tree_fixture_link(const struct tree_fixture *f, const char *name, const char *target);
