/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_path.h"

#include <stdbool.h>

/* Names are text from outside: what could play tricks on a terminal is shown as "?". */
static void add_name(struct buf *ret, const char *name)
{
    for (const char *p = name; *p != '\0'; p++) {
        bool is_plain = (unsigned char)*p >= 0x20 && *p != 0x7f;

        buf_add(ret, (struct bytes){(const uint8_t *)(is_plain ? p : "?"), 1});
    }
}

void apply_path(const struct metadata *image, uint32_t inode, struct buf *ret)
{
    const char *names[METADATA_MAX_DEPTH + 2];
    size_t n = 0;

    while (inode != 0 && n < sizeof(names) / sizeof(names[0])) {
        const struct metadata_name *name = &image->names[image->inodes[inode].first_name];

        names[n++] = name->name;
        inode = name->parent;
    }
    if (n == 0)
        buf_adds(ret, "/");
    while (n > 0) {
        buf_adds(ret, "/");
        add_name(ret, names[--n]);
    }
}
