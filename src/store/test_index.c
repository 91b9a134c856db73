/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/index.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"
#include "store/test_fixture.h"

static const struct manifest_pack pack_a = {
    .sha256 = {0xa}, .plain_bytes = 1000, .stored_bytes = 500};
static const struct manifest_pack pack_b = {
    .sha256 = {0xb}, .plain_bytes = 2000, .stored_bytes = 700};

static void open_index(const struct store_fixture *f, struct store_index **ret)
{
    char path[256];

    store_fixture_path(f, "index.db", path);
    assert_int_equal(index_open(path, true, ret), 0);
}

/* @first: of the names of two chunks, 100 and 50 bytes long */
static void add(struct store_index *index, const struct manifest_pack *pack, uint8_t first)
{
    struct pack_chunk chunks[] = {
        {.sha256 = {first}, .size_bytes = 100},
        {.sha256 = {(uint8_t)(first + 1)}, .size_bytes = 50},
    };
    const struct pack table = {chunks, 2};

    assert_int_equal(index_begin(index), 0);
    assert_int_equal(index_add(index, pack, &table), 0);
    assert_int_equal(index_commit(index), 0);
}

static int find(struct store_index *index, uint8_t first, struct index_place *ret)
{
    const uint8_t name[SHA256_BYTES] = {first};

    return index_find(index, name, ret);
}

static void a_chunk_is_found_where_its_pack_has_it(void **state)
{
    const struct store_fixture *f = *state;
    OWN(index_closep) struct store_index *index = NULL;
    struct index_place place;

    open_index(f, &index);
    assert_int_equal(find(index, 2, &place), INDEX_E_MISSING);
    add(index, &pack_a, 1);
    assert_int_equal(find(index, 2, &place), 0);
    assert_memory_equal(place.in.pack.sha256, pack_a.sha256, SHA256_BYTES);
    assert_int_equal(place.in.pack.plain_bytes, 1000);
    assert_int_equal(place.in.pack.stored_bytes, 500);
    assert_int_equal(place.in.n_chunks, 2);
    assert_int_equal(place.offset, 100);
    assert_int_equal(place.size_bytes, 50);
    assert_int_equal(find(index, 3, &place), INDEX_E_MISSING);
}

static void the_newest_pack_of_a_chunk_counts(void **state)
{
    const struct store_fixture *f = *state;
    OWN(index_closep) struct store_index *index = NULL;
    struct index_place place;

    open_index(f, &index);
    add(index, &pack_a, 1);
    add(index, &pack_b, 2);
    assert_int_equal(find(index, 2, &place), 0);
    assert_int_equal(place.in.pack.sha256[0], 0xb);
    assert_int_equal(find(index, 1, &place), 0);
    assert_int_equal(place.in.pack.sha256[0], 0xa);
    add(index, &pack_a, 7); /* the same again, with other chunks */
    assert_int_equal(find(index, 1, &place), INDEX_E_MISSING);
    assert_int_equal(find(index, 7, &place), 0);
}

static void a_pack_that_is_removed_takes_its_chunks_along(void **state)
{
    const struct store_fixture *f = *state;
    OWN(index_closep) struct store_index *index = NULL;
    struct index_place place;

    open_index(f, &index);
    add(index, &pack_a, 1);
    add(index, &pack_b, 5);
    assert_int_equal(index_remove(index, pack_a.sha256), 0);
    assert_int_equal(index_remove(index, pack_a.sha256), 0);
    assert_int_equal(find(index, 1, &place), INDEX_E_MISSING);
    assert_int_equal(find(index, 2, &place), INDEX_E_MISSING);
    assert_int_equal(find(index, 5, &place), 0);
}

static void list_names_every_pack_in_order(void **state)
{
    const struct store_fixture *f = *state;
    OWN(index_closep) struct store_index *index = NULL;
    OWN(freep) struct manifest_pack *packs = NULL;
    size_t n;

    open_index(f, &index);
    add(index, &pack_b, 5);
    add(index, &pack_a, 1);
    assert_int_equal(index_list(index, &packs, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(packs[0].sha256[0], 0xa);
    assert_int_equal(packs[0].stored_bytes, 500);
    assert_int_equal(packs[1].sha256[0], 0xb);
}

static void what_is_not_committed_is_not_there(void **state)
{
    const struct store_fixture *f = *state;
    OWN(index_closep) struct store_index *index = NULL;
    struct pack_chunk chunk = {.sha256 = {1}, .size_bytes = 1};
    const struct pack table = {&chunk, 1};
    struct index_place place;

    open_index(f, &index);
    assert_int_equal(index_begin(index), 0);
    assert_int_equal(index_add(index, &pack_a, &table), 0);
    index_close(TAKE(index));
    open_index(f, &index);
    assert_int_equal(find(index, 1, &place), INDEX_E_MISSING);
}

static void a_file_that_is_missing_or_no_index_is_made_only_by_who_is_alone(void **state)
{
    const struct store_fixture *f = *state;
    static const char *const texts[] = {"hello", "SQLite format 3, almost, and then nothing of it"};
    char path[256];

    store_fixture_path(f, "index.db", path);
    for (size_t i = 0; i <= sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(index_closep) struct store_index *index = NULL;

        assert_int_equal(index_open(path, false, &index), INDEX_E_UNUSABLE);
        assert_int_equal(index_open(path, true, &index), 0);
        add(index, &pack_a, 1);
        index_close(TAKE(index)); /* with it goes the log, which would heal the file */
        if (i < sizeof(texts) / sizeof(texts[0]))
            assert_int_equal(file_write(path, bytes_of(texts[i]), 0644), 0);
    }
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_chunk_is_found_where_its_pack_has_it),
        TEST(the_newest_pack_of_a_chunk_counts),
        TEST(a_pack_that_is_removed_takes_its_chunks_along),
        TEST(list_names_every_pack_in_order),
        TEST(what_is_not_committed_is_not_there),
        TEST(a_file_that_is_missing_or_no_index_is_made_only_by_who_is_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
