/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/recipe/recipe.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "format/pack/pack.h"

enum {
    INFO_AT = 8,
    ZERO_AT = 12,
    COUNT_AT = 16,
};

/* A head as it is written, with one byte changed. */
static int parse_with(size_t at, uint8_t value, struct recipe_head *ret)
{
    uint8_t room[RECIPE_HEAD_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};

    recipe_put_head(&dst, &(struct recipe_head){.info_bytes = 300, .n_chunks = 70000});
    room[at] = value;
    return recipe_parse_head((struct bytes){room, sizeof(room)}, ret);
}

static void a_head_is_read_as_it_was_written(void **state)
{
    struct recipe_head head;

    (void)state;
    assert_int_equal(parse_with(0, 'S', &head), 0);
    assert_int_equal(head.info_bytes, 300);
    assert_int_equal(head.n_chunks, 70000);
    assert_int_equal(recipe_file_bytes(&head), 24 + 300 + 70000 * 36);
}

static void what_is_no_recipe_is_told_from_a_bad_one(void **state)
{
    struct recipe_head head;

    (void)state;
    assert_int_equal(recipe_parse_head(bytes_of("MSWIM and so on, and so on"), &head),
                     RECIPE_E_OTHER);
    assert_int_equal(recipe_parse_head(bytes_of("SLWRECP\n, then nothing"), &head),
                     RECIPE_E_MALFORMED);
    assert_int_equal(parse_with(ZERO_AT, 1, &head), RECIPE_E_MALFORMED);
    assert_int_equal(parse_with(INFO_AT + 2, 1, &head), RECIPE_E_MALFORMED);  /* 64 KiB more */
    assert_int_equal(parse_with(COUNT_AT + 3, 1, &head), RECIPE_E_MALFORMED); /* 2^24 more */
    assert_int_equal(parse_with(COUNT_AT + 7, 1, &head), RECIPE_E_MALFORMED);
}

static void a_row_is_read_as_it_was_written_and_no_chunk_is_empty_or_too_large(void **state)
{
    static const struct {
        uint32_t size;
        bool is_good;
    } rows[] = {
        {1, true}, {PACK_CHUNK_MAX_BYTES, true}, {0, false}, {PACK_CHUNK_MAX_BYTES + 1, false}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct recipe_chunk chunk = {.size_bytes = rows[i].size};
        struct recipe_chunk back;
        uint8_t room[RECIPE_ROW_BYTES];
        struct sink dst = {.ptr = room, .cap = sizeof(room)};
        struct bytes src = {room, sizeof(room)};

        memset(chunk.sha256, 0x5a, SHA256_BYTES);
        recipe_put_chunk(&dst, &chunk);
        assert_int_equal(recipe_take_chunk(&src, &back), rows[i].is_good);
        if (!rows[i].is_good)
            continue;
        assert_int_equal(src.len, 0);
        assert_int_equal(back.size_bytes, rows[i].size);
        assert_memory_equal(back.sha256, chunk.sha256, SHA256_BYTES);
        assert_false(recipe_take_chunk(&src, &back));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_read_as_it_was_written),
        cmocka_unit_test(what_is_no_recipe_is_told_from_a_bad_one),
        cmocka_unit_test(a_row_is_read_as_it_was_written_and_no_chunk_is_empty_or_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
