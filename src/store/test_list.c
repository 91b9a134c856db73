/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/list.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "format/pack/chunk_list.h"
#include "format/pack/pack.h"
#include "plat/file.h"
#include "store/test_fixture.h"

enum {
    LIST_MAX = 1024 * 1024,
};

/* Put the list of what was learnt into @ret_list, and begin to read it. */
static void
make_list(const struct store_fixture *f, struct buf *ret_list, struct chunk_list *ret_reading)
{
    assert_int_equal(list_make(f->root, &f->manifest, ret_list), 0);
    assert_true(chunk_list_begin(buf_bytes(ret_list), f->manifest.n_packs, ret_reading));
}

/* The list says of the pack what its own table says. */
static void
assert_is_table_of(struct store_fixture *f, size_t i, const struct chunk_list_pack *listed)
{
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    OWN(pack_fini) struct pack pack = {0};

    assert_int_equal(store_get_pack(f->store, &f->manifest.packs[i], &plain), 0);
    assert_int_equal(pack_parse(buf_bytes(&plain), &pack), 0);
    assert_int_equal(listed->n_chunks, pack.n_chunks);
    for (size_t k = 0; k < pack.n_chunks; k++) {
        struct chunk_list_chunk chunk = chunk_list_get(listed, k);

        assert_memory_equal(chunk.key, pack.chunks[k].sha256, CHUNK_LIST_KEY_BYTES);
        assert_int_equal(chunk.size_bytes, pack.chunks[k].size_bytes);
    }
}

static void the_list_says_what_the_tables_of_the_packs_say(void **state)
{
    struct store_fixture *f = *state;
    OWN(buf_fini) struct buf list = BUF_INIT(LIST_MAX);
    struct chunk_list reading;
    struct chunk_list_pack listed;

    assert_int_equal(store_fixture_learn(f, FIXTURE_BYTES), 0);
    make_list(f, &list, &reading);
    assert_int_equal(f->manifest.n_packs, 2);
    for (size_t i = 0; i < f->manifest.n_packs; i++) {
        assert_true(chunk_list_next(&reading, &listed));
        assert_is_table_of(f, i, &listed);
    }
    assert_false(chunk_list_next(&reading, &listed));
}

static void a_pack_that_cannot_be_read_has_no_chunks_in_the_list(void **state)
{
    struct store_fixture *f = *state;
    OWN(buf_fini) struct buf list = BUF_INIT(LIST_MAX);
    struct chunk_list reading;
    struct chunk_list_pack listed;
    char path[STORE_PATH_MAX];

    assert_int_equal(store_fixture_learn(f, FIXTURE_BYTES), 0);
    store_pack_path(f->store, f->manifest.packs[0].sha256, path);
    assert_int_equal(unlink(path), 0);
    make_list(f, &list, &reading);
    assert_true(chunk_list_next(&reading, &listed));
    assert_int_equal(listed.n_chunks, 0);
    assert_true(chunk_list_next(&reading, &listed));
    assert_is_table_of(f, 1, &listed);
}

static void a_pack_that_is_damaged_at_its_beginning_has_no_chunks_in_the_list(void **state)
{
    struct store_fixture *f = *state;
    OWN(buf_fini) struct buf list = BUF_INIT(LIST_MAX);
    struct chunk_list reading;
    struct chunk_list_pack listed;
    char path[STORE_PATH_MAX];

    assert_int_equal(store_fixture_learn(f, FIXTURE_BYTES), 0);
    store_pack_path(f->store, f->manifest.packs[1].sha256, path);
    store_fixture_flip(path, 0);
    make_list(f, &list, &reading);
    assert_true(chunk_list_next(&reading, &listed));
    assert_is_table_of(f, 0, &listed);
    assert_true(chunk_list_next(&reading, &listed));
    assert_int_equal(listed.n_chunks, 0);
}

static void a_list_that_does_not_fit_says_so(void **state)
{
    struct store_fixture *f = *state;
    OWN(buf_fini) struct buf list = BUF_INIT(CHUNK_LIST_HEAD_BYTES);

    assert_int_equal(store_fixture_learn(f, FIXTURE_BYTES), 0);
    assert_int_equal(list_make(f->root, &f->manifest, &list), -ENOMEM);
    assert_true(list.failed);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_list_says_what_the_tables_of_the_packs_say),
        TEST(a_pack_that_cannot_be_read_has_no_chunks_in_the_list),
        TEST(a_pack_that_is_damaged_at_its_beginning_has_no_chunks_in_the_list),
        TEST(a_list_that_does_not_fit_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
