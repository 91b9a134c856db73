/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"
#include "store/intake.h"
#include "store/test_fixture.h"
#include "tests/faults.h"

static void reopen(struct store_fixture *f)
{
    store_free(f->store);
    f->store = NULL;
    assert_int_equal(store_new(f->root, &f->store), 0);
}

static void equal_content_is_stored_once_also_by_another_handle(void **state)
{
    struct store_fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    uint8_t again[SHA256_BYTES];
    uint64_t new_bytes;

    store_fixture_take_in(f, FIXTURE_BYTES, id, &new_bytes);
    assert_int_equal(new_bytes, FIXTURE_BYTES);
    reopen(f);
    store_fixture_take_in(f, FIXTURE_BYTES, again, &new_bytes);
    assert_int_equal(new_bytes, 0);
    assert_memory_equal(id, again, SHA256_BYTES);
    assert_int_equal(store_fixture_count(f->root, "packs"), 2);
    assert_int_equal(store_fixture_count(f->root, "manifests"), 1);
}

static void an_entry_counts_only_with_its_pack(void **state)
{
    struct store_fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;
    char path[STORE_PATH_MAX];

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), 0);
    store_pack_path(f->store, manifest.packs[0].sha256, path);
    assert_int_equal(unlink(path), 0);
    store_fixture_take_in(f, FIXTURE_BYTES, id, &new_bytes);
    assert_in_range(new_bytes, 1, FIXTURE_BYTES - 1);
    store_fixture_assert_stream(f->store, id, (struct bytes){f->content, FIXTURE_BYTES});
}

static void a_pack_from_elsewhere_that_is_not_what_it_should_be_is_refused(void **state)
{
    struct store_fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    struct manifest_pack good;
    struct manifest_pack pack;

    store_fixture_make_pack(bytes_of("hello"), &good, &frame);
    assert_int_equal(store_begin(f->store), 0);
    pack = good;
    pack.sha256[0] ^= 1;
    assert_int_equal(store_add_pack(f->store, &pack, buf_bytes(&frame)), STORE_E_CORRUPT);
    pack = good;
    pack.plain_bytes++;
    assert_int_equal(store_add_pack(f->store, &pack, buf_bytes(&frame)), STORE_E_CORRUPT);
    pack = good;
    pack.stored_bytes--;
    assert_int_equal(store_add_pack(f->store, &pack, buf_bytes(&frame)), STORE_E_CORRUPT);
    frame.len--;
    assert_int_equal(store_add_pack(f->store, &pack, buf_bytes(&frame)), STORE_E_CORRUPT);
    frame.len++;
    assert_int_equal(store_add_pack(f->store, &good, buf_bytes(&frame)),
                     0); /* the handle is as before */
    assert_int_equal(store_flush(f->store), 0);
    assert_int_equal(store_fixture_count(f->root, "packs"), 1);
}

/* The name is right, but the table says that the chunk is another: the index must not learn it. */
static void a_pack_whose_table_lies_is_refused(void **state)
{
    struct store_fixture *f = *state;
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;
    const struct pack_chunk entry = {.sha256 = {1}, .size_bytes = 5};
    struct manifest_pack pack = {.plain_bytes = 57};
    uint8_t plain[57];
    struct sink sink = {.ptr = plain, .cap = sizeof(plain)};
    struct bytes frame;

    pack_put_table(&sink, &entry, 1);
    sink_bytes(&sink, bytes_of("hello"));
    assert_int_equal(digest_sha256((struct bytes){plain, sizeof(plain)}, pack.sha256), 0);
    assert_int_equal(frame_packer_new(sizeof(plain), &packer), 0);
    assert_int_equal(frame_pack(packer, (struct bytes){plain, sizeof(plain)}, &frame), 0);
    pack.stored_bytes = (uint32_t)frame.len;
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_add_pack(f->store, &pack, frame), STORE_E_CORRUPT);
}

/* Chunks of noise, of which sixteen make a pack. Return: how many of them were new. */
static unsigned put_chunks(struct store *store, unsigned n)
{
    OWN(freep) uint8_t *chunk = malloc(PACK_CHUNK_MAX_BYTES);
    unsigned n_new = 0;

    assert_non_null(chunk);
    store_fixture_fill(chunk, PACK_CHUNK_MAX_BYTES, 3);
    for (unsigned i = 0; i < n; i++) {
        struct store_place place;

        memcpy(chunk, &i, sizeof(i));
        assert_int_equal(
            store_put_chunk(store, (struct bytes){chunk, PACK_CHUNK_MAX_BYTES}, &place), 0);
        n_new += place.is_new ? 1 : 0;
    }
    return n_new;
}

static void many_packs_are_flushed_on_the_way(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(put_chunks(f->store, 288), 288);
    assert_in_range(store_fixture_count(f->root, "packs"), 16, 17);
    assert_int_equal(store_flush(f->store), 0);
    assert_int_equal(store_fixture_count(f->root, "packs"), 18);
    assert_int_equal(store_fixture_count(f->root, "tmp"), 0);
    assert_int_equal(put_chunks(f->store, 288), 0);
}

static void an_import_that_was_interrupted_finds_its_chunks(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(put_chunks(f->store, 288), 288);
    reopen(f);
    assert_int_equal(store_begin(f->store), 0);
    assert_in_range(put_chunks(f->store, 288), 16, 64);
}

/* A validation beside an import takes away a pack of which the import has spoken already. */
static void a_manifest_of_which_a_pack_has_gone_is_not_written(void **state)
{
    struct store_fixture *f = *state;
    OWN(intake_freep) struct intake *intake = NULL;
    char path[STORE_PATH_MAX];
    uint8_t id[SHA256_BYTES];

    assert_int_equal(store_fixture_learn(f, FIXTURE_BYTES), 0);
    assert_int_equal(store_remove_manifest(f->store, f->id), 0);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(intake_new(f->store, MANIFEST_FILE, &intake), 0);
    assert_int_equal(intake_feed(intake, (struct bytes){f->content, FIXTURE_BYTES}), 0);
    assert_int_equal(intake_cut(intake), 0);
    store_pack_path(f->store, f->manifest.packs[0].sha256, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(intake_end(intake, id), STORE_E_MISSING);
    assert_int_equal(store_fixture_count(f->root, "manifests"), 0);
    store_end(f->store);
    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL); /* as repeating it does */
    store_fixture_assert_stream(f->store, id, (struct bytes){f->content, FIXTURE_BYTES});
}

/* What comes from elsewhere, pack by pack, then the manifest: the fixture's manifest says which. */
static struct {
    struct buf frames[2];
    struct buf text;
} replica;

static void make_replica(struct store_fixture *f)
{
    struct manifest_pack packs[2];
    struct manifest_run runs[] = {
        {.pack = 0, .offset = 52, .size_bytes = 5},
        {.pack = 1, .offset = 52, .size_bytes = 6},
    };
    const struct manifest manifest = {
        .kind = MANIFEST_FILE,
        .size_bytes = 11,
        .packs = packs,
        .n_packs = 2,
        .runs = runs,
        .n_runs = 2,
    };

    replica.frames[0] = BUF_INIT(4096);
    replica.frames[1] = BUF_INIT(4096);
    replica.text = BUF_INIT(4096);
    store_fixture_make_pack(bytes_of("hello"), &packs[0], &replica.frames[0]);
    store_fixture_make_pack(bytes_of(" world"), &packs[1], &replica.frames[1]);
    manifest_put(&replica.text, &manifest);
    assert_int_equal(manifest_parse(buf_bytes(&replica.text), &f->manifest), 0);
    assert_int_equal(digest_sha256(buf_bytes(&replica.text), f->id), 0);
}

static int drop_replica(void **state)
{
    buf_fini(&replica.frames[0]);
    buf_fini(&replica.frames[1]);
    buf_fini(&replica.text);
    return store_fixture_tear_down(state);
}

static int replicate(const struct store_fixture *f)
{
    OWN(store_freep) struct store *store = NULL;
    int r = store_new(f->root, &store);

    if (r == 0)
        r = store_begin(store);
    for (size_t i = 0; r == 0 && i < 2; i++)
        r = store_add_pack(store, &f->manifest.packs[i], buf_bytes(&replica.frames[i]));
    if (r == 0)
        r = store_flush(store);
    return r == 0 ? store_add_manifest(store, buf_bytes(&replica.text), f->id) : r;
}

static void a_replication_that_is_killed_anywhere_leaves_nothing_half(void **state)
{
    struct store_fixture *f = *state;
    unsigned nth = 1;

    make_replica(f);
    for (; nth < 100; nth++) {
        store_fixture_empty(f);
        if (!store_fixture_is_killed(f, replicate, nth))
            break;
        store_fixture_assert_nothing_is_half(f);
        assert_int_equal(replicate(f), 0);
        store_fixture_assert_stream(f->store, f->id, bytes_of("hello world"));
    }
    assert_in_range(nth, 15, 99);
}

static void try_replication(struct store_fixture *f, enum fault fault)
{
    unsigned nth = 1;

    for (; nth < 100; nth++) {
        int r;

        store_fixture_empty(f);
        faults_arm(fault, nth);
        r = replicate(f);
        if (!faults_disarm())
            break;
        assert_true(r < 0 || r == STORE_E_FULL || fault == FAULT_MEMORY);
        store_fixture_assert_nothing_is_half(f);
        assert_int_equal(replicate(f), 0);
        store_fixture_assert_stream(f->store, f->id, bytes_of("hello world"));
    }
    assert_in_range(nth, 15, 99);
}

static void a_replication_onto_a_disk_that_is_full_or_fails_leaves_nothing_half(void **state)
{
    struct store_fixture *f = *state;

    make_replica(f);
    try_replication(f, FAULT_SPACE);
    try_replication(f, FAULT_DISK);
    try_replication(f, FAULT_MEMORY);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
#define REPLICATION(name) cmocka_unit_test_setup_teardown(name, store_fixture_set_up, drop_replica)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(equal_content_is_stored_once_also_by_another_handle),
        TEST(an_entry_counts_only_with_its_pack),
        TEST(a_pack_from_elsewhere_that_is_not_what_it_should_be_is_refused),
        TEST(a_pack_whose_table_lies_is_refused),
        TEST(many_packs_are_flushed_on_the_way),
        TEST(an_import_that_was_interrupted_finds_its_chunks),
        TEST(a_manifest_of_which_a_pack_has_gone_is_not_written),
        REPLICATION(a_replication_that_is_killed_anywhere_leaves_nothing_half),
        REPLICATION(a_replication_onto_a_disk_that_is_full_or_fails_leaves_nothing_half),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
