/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/chunk_list.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void put_list(struct buf *dst)
{
    struct pack_chunk chunks[] = {{.sha256 = {1, 2, 3}, .size_bytes = 7},
                                  {.sha256 = {9}, .size_bytes = PACK_CHUNK_MAX_BYTES}};
    struct pack both = {chunks, 2};
    struct pack none = {0};

    chunk_list_put_head(dst, 2);
    chunk_list_put_pack(dst, &both);
    chunk_list_put_pack(dst, &none);
}

static void a_list_is_read_as_it_was_put(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(1024);
    struct chunk_list list;
    struct chunk_list_pack pack;

    put_list(&text);
    assert_true(chunk_list_begin(buf_bytes(&text), 2, &list));
    assert_true(chunk_list_next(&list, &pack));
    assert_int_equal(pack.n_chunks, 2);
    assert_memory_equal(chunk_list_get(&pack, 0).key, "\1\2\3\0\0\0\0\0", CHUNK_LIST_KEY_BYTES);
    assert_int_equal(chunk_list_get(&pack, 0).size_bytes, 7);
    assert_int_equal(chunk_list_get(&pack, 1).key[0], 9);
    assert_int_equal(chunk_list_get(&pack, 1).size_bytes, PACK_CHUNK_MAX_BYTES);
    assert_true(chunk_list_next(&list, &pack));
    assert_int_equal(pack.n_chunks, 0);
    assert_false(chunk_list_next(&list, &pack));
}

static void a_list_of_other_packs_or_that_is_cut_off_is_refused(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(1024);
    struct chunk_list list;
    struct chunk_list_pack pack;

    put_list(&text);
    assert_false(chunk_list_begin(buf_bytes(&text), 1, &list));
    assert_false(chunk_list_begin(buf_bytes(&text), 3, &list));
    for (size_t len = 0; len < text.len; len++) {
        OWN(freep) uint8_t *exact = malloc(len > 0 ? len : 1); /* so that ASan sees the end */

        assert_non_null(exact);
        memcpy(exact, text.ptr, len);
        if (!chunk_list_begin((struct bytes){exact, len}, 2, &list))
            continue;
        while (chunk_list_next(&list, &pack)) {
        }
        assert_true(list.n_packs > 0);
    }
    text.ptr[0] ^= 1;
    assert_false(chunk_list_begin(buf_bytes(&text), 2, &list));
}

static void more_chunks_than_a_pack_has_are_refused(void **state)
{
    (void)state;
    enum {
        TOO_MANY_BYTES = (PACK_MAX_CHUNKS + 1) * CHUNK_LIST_ENTRY_BYTES
    };
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)1024 * 1024);
    OWN(freep) uint8_t *zeros = calloc(1, TOO_MANY_BYTES);
    static const uint8_t count[] = {1, 0x40, 0, 0}; /* PACK_MAX_CHUNKS + 1 */
    struct chunk_list list;
    struct chunk_list_pack pack;

    assert_non_null(zeros);
    chunk_list_put_head(&text, 1);
    buf_add(&text, (struct bytes){count, sizeof(count)});
    buf_add(&text, (struct bytes){zeros, TOO_MANY_BYTES});
    assert_false(text.failed);
    assert_true(chunk_list_begin(buf_bytes(&text), 1, &list));
    assert_false(chunk_list_next(&list, &pack));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_read_as_it_was_put),
        cmocka_unit_test(a_list_of_other_packs_or_that_is_cut_off_is_refused),
        cmocka_unit_test(more_chunks_than_a_pack_has_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
