/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/recipe/recipe.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read of rows, written again, is what was there. */
static void check_rows(struct bytes src)
{
    struct recipe_chunk chunk;
    const uint8_t *at = src.ptr;

    while (recipe_take_chunk(&src, &chunk)) {
        uint8_t room[RECIPE_ROW_BYTES];
        struct sink dst = {.ptr = room, .cap = sizeof(room)};

        recipe_put_chunk(&dst, &chunk);
        if (memcmp(room, at, sizeof(room)) != 0)
            abort();
        at += sizeof(room);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes src = {data, size};
    struct recipe_head head;
    uint8_t room[RECIPE_HEAD_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};
    struct bytes skipped;

    if (recipe_parse_head(src, &head) != 0)
        return 0;
    recipe_put_head(&dst, &head);
    if (memcmp(room, data, sizeof(room)) != 0)
        abort();
    if (recipe_file_bytes(&head) < RECIPE_HEAD_BYTES + RECIPE_ROW_BYTES + 2)
        abort();
    if (bytes_take(&src, RECIPE_HEAD_BYTES + (size_t)head.info_bytes, &skipped))
        check_rows(src);
    return 0;
}
