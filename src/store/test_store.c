/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
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

enum {
    CONTENT_BYTES = 1400000, /* two packs */
};

struct fixture {
    struct store_fixture at;
    struct store *store;
    uint8_t *content; /* CONTENT_BYTES */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    *state = f;
    f->content = malloc(CONTENT_BYTES);
    if (!f->content || store_fixture_init(&f->at) != 0 || store_new(f->at.root, &f->store) != 0)
        return -1;
    store_fixture_fill(f->content, CONTENT_BYTES, 7);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    (void)faults_disarm();
    store_free(f->store);
    store_fixture_fini(&f->at);
    free(f->content);
    free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    store_free(f->store);
    f->store = NULL;
    assert_int_equal(store_new(f->at.root, &f->store), 0);
}

/* The first @len bytes of the content. */
static void
take_in(struct fixture *f, size_t len, uint8_t ret_id[SHA256_BYTES], uint64_t *ret_new_bytes)
{
    OWN(intake_freep) struct intake *intake = NULL;

    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(intake_new(f->store, MANIFEST_FILE, &intake), 0);
    assert_int_equal(intake_feed(intake, (struct bytes){f->content, len}), 0);
    assert_int_equal(intake_end(intake, ret_id), 0);
    if (ret_new_bytes)
        *ret_new_bytes = intake_counts(intake).new_bytes;
    store_end(f->store);
}

static void file_path(const struct fixture *f, const char *name, char ret[256])
{
    (void)snprintf(ret, 256, "%s/%s", f->at.root, name);
}

static void flip_a_byte(const char *path, off_t at)
{
    OWN(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void flip_in_pack(const struct fixture *f, const struct manifest_pack *pack)
{
    char path[STORE_PATH_MAX];

    store_pack_path(f->store, pack->sha256, path);
    flip_a_byte(path, (off_t)pack->stored_bytes / 2);
}

static void a_new_store_says_its_format(void **state)
{
    const struct fixture *f = *state;
    OWN(buf_fini) struct buf text = BUF_INIT(100);
    char path[256];

    file_path(f, "format", path);
    assert_int_equal(file_read(path, &text), 0);
    assert_string_equal(buf_str(&text), "slipway-store 2\n");
}

static void a_store_of_another_format_is_refused_and_not_touched(void **state)
{
    struct fixture *f = *state;
    static const char *const texts[] = {"slipway-store 3\n", "slipway-store 2", "", "?"};
    struct store *other = NULL;
    char path[256];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(100);

        store_fixture_empty(&f->at);
        file_path(f, "format", path);
        assert_int_equal(file_write(path, bytes_of(texts[i]), 0644), 0);
        assert_int_equal(store_new(f->at.root, &other), STORE_E_FORMAT);
        assert_null(other);
        assert_int_equal(file_read(path, &text), 0);
        assert_string_equal(buf_str(&text), texts[i]);
        assert_int_equal(store_fixture_count(f->at.root, "."), 1);
        file_path(f, "packs", path);
        assert_false(file_exists(path));
    }
}

static void a_store_from_before_there_was_a_format_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *other = NULL;
    char path[256];

    store_fixture_empty(&f->at);
    file_path(f, "chunks", path);
    assert_int_equal(dir_make(path, 0755), 0);
    assert_int_equal(store_new(f->at.root, &other), STORE_E_FORMAT);
}

static void equal_content_is_stored_once_also_by_another_handle(void **state)
{
    struct fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    uint8_t again[SHA256_BYTES];
    uint64_t new_bytes;

    take_in(f, CONTENT_BYTES, id, &new_bytes);
    assert_int_equal(new_bytes, CONTENT_BYTES);
    reopen(f);
    take_in(f, CONTENT_BYTES, again, &new_bytes);
    assert_int_equal(new_bytes, 0);
    assert_memory_equal(id, again, SHA256_BYTES);
    assert_int_equal(store_fixture_count(f->at.root, "packs"), 2);
    assert_int_equal(store_fixture_count(f->at.root, "manifests"), 1);
}

static void the_index_is_made_again_from_the_packs(void **state)
{
    struct fixture *f = *state;
    static const char *const damage[] = {"",
                                         "not a database, but long enough to be taken for one?"};
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;
    char path[256];

    take_in(f, CONTENT_BYTES, id, NULL);
    file_path(f, "index.db", path);
    assert_int_equal(unlink(path), 0);
    take_in(f, CONTENT_BYTES, id, &new_bytes);
    assert_int_equal(new_bytes, 0);
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        assert_int_equal(file_write(path, bytes_of(damage[i]), 0644), 0);
        take_in(f, CONTENT_BYTES, id, &new_bytes);
        assert_int_equal(new_bytes, 0);
    }
}

/* Wherever a byte of the index is wrong, what is stored is right. */
static void a_damaged_index_never_leads_to_a_wrong_place(void **state)
{
    struct fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    char path[256];
    struct stat st;

    take_in(f, CONTENT_BYTES, id, NULL);
    file_path(f, "index.db", path);
    for (off_t place = 0; place < 50; place++) {
        if (!file_exists(path)) /* the damage was seen */
            take_in(f, CONTENT_BYTES, id, NULL);
        assert_int_equal(stat(path, &st), 0);
        flip_a_byte(path, st.st_size * place / 50 + place);
        take_in(f, CONTENT_BYTES, id, NULL);
        store_fixture_assert_stream(f->store, id, (struct bytes){f->content, CONTENT_BYTES});
    }
}

static void a_pack_that_the_index_does_not_know_is_learnt(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf index = BUF_INIT(1 << 24);
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;
    char path[256];

    take_in(f, 600000, id, NULL);
    file_path(f, "index.db", path);
    assert_int_equal(file_read(path, &index), 0);
    take_in(f, CONTENT_BYTES, id, NULL);
    assert_int_equal(file_write(path, buf_bytes(&index), 0644),
                     0); /* as if killed before the commit */
    take_in(f, CONTENT_BYTES, id, &new_bytes);
    assert_int_equal(new_bytes, 0);
}

static void an_entry_counts_only_with_its_pack(void **state)
{
    struct fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;
    char path[STORE_PATH_MAX];

    take_in(f, CONTENT_BYTES, id, NULL);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), 0);
    store_pack_path(f->store, manifest.packs[0].sha256, path);
    assert_int_equal(unlink(path), 0);
    take_in(f, CONTENT_BYTES, id, &new_bytes);
    assert_in_range(new_bytes, 1, CONTENT_BYTES - 1);
    store_fixture_assert_stream(f->store, id, (struct bytes){f->content, CONTENT_BYTES});
}

static void validate_finds_a_bad_pack_and_a_repetition_heals_it(void **state)
{
    struct fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(store_validation_fini) struct store_validation validation = {0};
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    uint8_t id[SHA256_BYTES];

    take_in(f, CONTENT_BYTES, id, NULL);
    store_fixture_assert_good(f->store, id);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), 0);
    flip_in_pack(f, &manifest.packs[1]);
    assert_int_equal(store_get_pack(f->store, &manifest.packs[1], &plain), STORE_E_CORRUPT);
    assert_true(store_has_pack(f->store, &manifest.packs[1]));

    assert_int_equal(store_validate(f->store, id, NULL, &validation), 0);
    assert_int_equal(validation.n_bad, 1);
    assert_memory_equal(validation.bad[0].sha256, manifest.packs[1].sha256, SHA256_BYTES);
    assert_false(store_has_pack(f->store, &manifest.packs[1]));
    assert_int_equal(store_get_pack(f->store, &manifest.packs[1], &plain), STORE_E_MISSING);

    take_in(f, CONTENT_BYTES, id, NULL);
    store_fixture_assert_good(f->store, id);
    store_fixture_assert_stream(f->store, id, (struct bytes){f->content, CONTENT_BYTES});
}

static void tell(void *ctx, uint64_t done_bytes, uint64_t all_bytes)
{
    uint64_t *last = ctx;

    assert_true(done_bytes > *last && done_bytes <= all_bytes);
    *last = done_bytes;
}

static void validate_says_how_far_it_is_and_what_it_read(void **state)
{
    struct fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(store_validation_fini) struct store_validation validation = {0};
    uint64_t last = 0;
    const struct store_watch watch = {tell, &last};
    uint8_t id[SHA256_BYTES];

    take_in(f, CONTENT_BYTES, id, NULL);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), 0);
    assert_int_equal(store_validate(f->store, id, &watch, &validation), 0);
    assert_int_equal(last, manifest.packs[0].stored_bytes + manifest.packs[1].stored_bytes);
    assert_int_equal(validation.checked_bytes, last);
}

static void a_manifest_that_is_bad_is_said_and_stays_until_it_is_replaced(void **state)
{
    struct fixture *f = *state;
    OWN(store_validation_fini) struct store_validation validation = {0};
    OWN(manifest_fini) struct manifest manifest = {0};
    struct store_collection counts;
    uint8_t id[SHA256_BYTES];
    char path[STORE_PATH_MAX];

    take_in(f, CONTENT_BYTES, id, NULL);
    store_manifest_path(f->store, id, path);
    flip_a_byte(path, 60);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), STORE_E_CORRUPT);
    assert_int_equal(store_validate(f->store, id, NULL, &validation), STORE_E_CORRUPT);
    assert_int_equal(store_collect(f->store, 0, &counts), STORE_E_CORRUPT);
    assert_memory_equal(counts.bad_manifest, id, SHA256_BYTES);
    assert_int_equal(counts.removed_packs, 0);
    assert_int_equal(store_fixture_count(f->at.root, "packs"), 2);
    take_in(f, CONTENT_BYTES, id, NULL);
    store_fixture_assert_good(f->store, id);
}

static int stop(void *ctx, struct bytes piece)
{
    size_t *fed = ctx;

    *fed += piece.len;
    return 1;
}

static void a_reader_that_stops_is_not_an_error(void **state)
{
    struct fixture *f = *state;
    size_t fed = 0;
    const struct store_sink sink = {stop, &fed};
    uint8_t id[SHA256_BYTES];

    take_in(f, CONTENT_BYTES, id, NULL);
    assert_int_equal(store_read_stream(f->store, id, &sink), STORE_E_STOPPED);
    assert_in_range(fed, 1, CONTENT_BYTES - 1);
}

static void what_is_not_there_is_missing(void **state)
{
    struct fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(store_validation_fini) struct store_validation validation = {0};
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    const struct manifest_pack pack = {.sha256 = {1}, .plain_bytes = 53, .stored_bytes = 60};
    size_t fed = 0;
    const struct store_sink sink = {stop, &fed};
    const uint8_t id[SHA256_BYTES] = {2};

    assert_false(store_has_pack(f->store, &pack));
    assert_int_equal(store_get_pack(f->store, &pack, &plain), STORE_E_MISSING);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), STORE_E_MISSING);
    assert_int_equal(store_read_stream(f->store, id, &sink), STORE_E_MISSING);
    assert_int_equal(store_validate(f->store, id, NULL, &validation), STORE_E_MISSING);
    assert_int_equal(store_remove_manifest(f->store, id), STORE_E_MISSING);
}

/* A pack of one chunk, made here. */
static void make_pack(struct bytes chunk, struct manifest_pack *ret, struct buf *ret_frame)
{
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;
    struct pack_chunk entry = {.size_bytes = (uint32_t)chunk.len};
    uint8_t plain[1024];
    struct sink sink = {.ptr = plain, .cap = sizeof(plain)};
    struct bytes frame;

    assert_int_equal(digest_sha256(chunk, entry.sha256), 0);
    pack_put_table(&sink, &entry, 1);
    sink_bytes(&sink, chunk);
    assert_int_equal(digest_sha256((struct bytes){plain, sink.len}, ret->sha256), 0);
    assert_int_equal(frame_packer_new(sizeof(plain), &packer), 0);
    assert_int_equal(frame_pack(packer, (struct bytes){plain, sink.len}, &frame), 0);
    buf_clear(ret_frame);
    buf_add(ret_frame, frame);
    ret->plain_bytes = (uint32_t)sink.len;
    ret->stored_bytes = (uint32_t)frame.len;
}

static void
put_manifest_text(const struct manifest_pack *pack, struct buf *ret, uint8_t ret_id[SHA256_BYTES])
{
    struct manifest_pack packs[] = {*pack};
    struct manifest_run runs[] = {{.offset = 52, .size_bytes = pack->plain_bytes - 52}};
    const struct manifest manifest = {
        .kind = MANIFEST_FILE,
        .size_bytes = runs[0].size_bytes,
        .packs = packs,
        .n_packs = 1,
        .runs = runs,
        .n_runs = 1,
    };

    buf_clear(ret);
    manifest_put(ret, &manifest);
    assert_int_equal(digest_sha256(buf_bytes(ret), ret_id), 0);
}

static void what_comes_from_elsewhere_is_there_and_its_chunks_are_found(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    struct manifest_pack pack;
    struct store_place place;
    uint8_t id[SHA256_BYTES];

    make_pack(bytes_of("hello"), &pack, &frame);
    put_manifest_text(&pack, &text, id);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_add_manifest(f->store, buf_bytes(&text), id), STORE_E_MISSING);
    assert_int_equal(store_add_pack(f->store, &pack, buf_bytes(&frame)), 0);
    assert_true(store_has_pack(f->store, &pack));
    assert_int_equal(store_add_manifest(f->store, buf_bytes(&text), id), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_false(place.is_new);
    assert_int_equal(place.offset, 0);
    store_end(f->store);
    store_fixture_assert_stream(f->store, id, bytes_of("hello"));
    assert_int_equal(store_remove_manifest(f->store, id), 0);
    assert_int_equal(store_fixture_count(f->at.root, "manifests"), 0);
}

static void what_comes_from_elsewhere_and_is_not_what_it_should_be_is_refused(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    struct manifest_pack good;
    struct manifest_pack pack;
    uint8_t id[SHA256_BYTES];

    make_pack(bytes_of("hello"), &good, &frame);
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

    put_manifest_text(&good, &text, id);
    id[0] ^= 1;
    assert_int_equal(store_add_manifest(f->store, buf_bytes(&text), id), STORE_E_CORRUPT);
    assert_int_equal(digest_sha256(bytes_of("slipway"), id), 0);
    assert_int_equal(store_add_manifest(f->store, bytes_of("slipway"), id), STORE_E_CORRUPT);
    assert_int_equal(store_fixture_count(f->at.root, "manifests"), 0);
    assert_int_equal(store_fixture_count(f->at.root, "packs"), 1);
}

/* The name is right, but the table says that the chunk is another: the index must not learn it. */
static void a_pack_whose_table_lies_is_refused(void **state)
{
    struct fixture *f = *state;
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

static void collect_removes_what_nothing_names_after_the_grace_time(void **state)
{
    struct fixture *f = *state;
    struct store_collection counts;
    uint8_t small[SHA256_BYTES];
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;

    take_in(f, CONTENT_BYTES, id, NULL);
    take_in(f, 10000, small, NULL);
    assert_int_equal(store_fixture_count(f->at.root, "packs"), 3);
    assert_int_equal(store_collect(f->store, 0, &counts), 0);
    assert_int_equal(counts.removed_packs, 0);
    assert_int_equal(counts.kept_packs, 3);

    assert_int_equal(store_remove_manifest(f->store, id), 0);
    assert_int_equal(store_collect(f->store, STORE_GRACE_US, &counts), 0);
    assert_int_equal(counts.removed_packs, 0);
    assert_int_equal(store_collect(f->store, 0, &counts), 0);
    assert_int_equal(counts.removed_packs, 2);
    assert_int_equal(counts.kept_packs, 1);
    assert_in_range(counts.removed_bytes, CONTENT_BYTES, 2 * CONTENT_BYTES);
    store_fixture_assert_stream(f->store, small, (struct bytes){f->content, 10000});
    take_in(f, CONTENT_BYTES, id, &new_bytes);
    assert_int_equal(new_bytes, CONTENT_BYTES);
}

static void collect_is_busy_beside_who_adds_or_collects(void **state)
{
    struct fixture *f = *state;
    OWN(store_freep) struct store *other = NULL;
    OWN(fd_closep) int fd = -1;
    struct store_collection counts;
    struct store_place place;
    char path[256];

    assert_int_equal(store_new(f->at.root, &other), 0);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_int_equal(store_flush(f->store), 0);
    assert_int_equal(store_collect(other, 0, &counts), STORE_E_BUSY);
    assert_int_equal(store_clean(other), 0);
    store_end(f->store);

    file_path(f, "lock", path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(store_collect(other, 0, &counts), STORE_E_BUSY);
    fd_closep(&fd);
    assert_int_equal(store_collect(other, 0, &counts), 0);
    assert_int_equal(counts.removed_packs, 1);
}

static void two_may_add_at_the_same_time(void **state)
{
    struct fixture *f = *state;
    OWN(store_freep) struct store *other = NULL;
    struct store_place place;

    assert_int_equal(store_new(f->at.root, &other), 0);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_begin(other), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_int_equal(store_flush(f->store), 0);
    assert_int_equal(store_put_chunk(other, bytes_of("hello"), &place), 0);
    assert_false(place.is_new);
    assert_int_equal(store_put_chunk(other, bytes_of("world"), &place), 0);
    assert_true(place.is_new);
    assert_int_equal(store_flush(other), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("world"), &place), 0);
    assert_false(place.is_new);
}

static void what_is_not_flushed_is_not_visible_and_is_cleaned_up(void **state)
{
    struct fixture *f = *state;
    struct store_place place;
    char path[256];

    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_int_equal(store_fixture_count(f->at.root, "packs"), 0);
    file_path(f, "tmp/left-over.1", path);
    assert_int_equal(file_write(path, bytes_of("half"), 0600), 0);
    store_end(f->store);
    assert_int_equal(store_clean(f->store), 0);
    assert_false(file_exists(path));
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_true(place.is_new);
}

static void many_packs_are_flushed_on_the_way(void **state)
{
    struct fixture *f = *state;
    OWN(freep) uint8_t *chunk = malloc(PACK_CHUNK_MAX_BYTES);
    struct store_place place;

    assert_non_null(chunk);
    store_fixture_fill(chunk, PACK_CHUNK_MAX_BYTES, 3);
    assert_int_equal(store_begin(f->store), 0);
    for (unsigned i = 0; i < 4 * 50; i++) { /* four make a pack */
        memcpy(chunk, &i, sizeof(i));
        assert_int_equal(
            store_put_chunk(f->store, (struct bytes){chunk, PACK_CHUNK_MAX_BYTES}, &place), 0);
        assert_true(place.is_new);
    }
    assert_in_range(store_fixture_count(f->at.root, "packs"), 40, 49);
    assert_int_equal(store_flush(f->store), 0);
    assert_int_equal(store_fixture_count(f->at.root, "packs"), 50);
    assert_int_equal(store_fixture_count(f->at.root, "tmp"), 0);
}

static void reading_without_memory_is_an_error_and_never_a_bad_pack(void **state)
{
    struct fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    unsigned nth = 1;

    take_in(f, 10000, id, NULL);
    for (; nth < 100; nth++) {
        OWN(store_validation_fini) struct store_validation validation = {0};
        int r;

        faults_arm(FAULT_MEMORY, nth);
        r = store_validate(f->store, id, NULL, &validation);
        if (!faults_disarm())
            break;
        assert_true(r < 0);
    }
    assert_in_range(nth, 8, 99);
    store_fixture_assert_good(f->store, id);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_store_says_its_format),
        TEST(a_store_of_another_format_is_refused_and_not_touched),
        TEST(a_store_from_before_there_was_a_format_is_refused),
        TEST(equal_content_is_stored_once_also_by_another_handle),
        TEST(the_index_is_made_again_from_the_packs),
        TEST(a_damaged_index_never_leads_to_a_wrong_place),
        TEST(a_pack_that_the_index_does_not_know_is_learnt),
        TEST(an_entry_counts_only_with_its_pack),
        TEST(validate_finds_a_bad_pack_and_a_repetition_heals_it),
        TEST(validate_says_how_far_it_is_and_what_it_read),
        TEST(a_manifest_that_is_bad_is_said_and_stays_until_it_is_replaced),
        TEST(a_reader_that_stops_is_not_an_error),
        TEST(what_is_not_there_is_missing),
        TEST(what_comes_from_elsewhere_is_there_and_its_chunks_are_found),
        TEST(what_comes_from_elsewhere_and_is_not_what_it_should_be_is_refused),
        TEST(a_pack_whose_table_lies_is_refused),
        TEST(collect_removes_what_nothing_names_after_the_grace_time),
        TEST(collect_is_busy_beside_who_adds_or_collects),
        TEST(two_may_add_at_the_same_time),
        TEST(what_is_not_flushed_is_not_visible_and_is_cleaned_up),
        TEST(many_packs_are_flushed_on_the_way),
        TEST(reading_without_memory_is_an_error_and_never_a_bad_pack),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
