/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "store/test_fixture.h"

static void a_new_store_says_its_format(void **state)
{
    const struct store_fixture *f = *state;
    OWN(buf_fini) struct buf text = BUF_INIT(100);
    char path[256];

    store_fixture_path(f, "format", path);
    assert_int_equal(file_read(path, &text), 0);
    assert_string_equal(buf_str(&text), "slipway-store 3\n");
}

static void a_store_of_another_format_is_refused_and_not_touched(void **state)
{
    struct store_fixture *f = *state;
    static const char *const texts[] = {
        "slipway-store 4\n", "slipway-store 2\n", "slipway-store 3", "", "?"};
    struct store *other = NULL;
    char path[256];

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(100);

        store_fixture_empty(f);
        store_fixture_path(f, "format", path);
        assert_int_equal(file_write(path, bytes_of(texts[i]), 0644), 0);
        assert_int_equal(store_new(f->root, &other), STORE_E_FORMAT);
        assert_null(other);
        assert_int_equal(file_read(path, &text), 0);
        assert_string_equal(buf_str(&text), texts[i]);
        assert_int_equal(store_fixture_count(f->root, "."), 1);
        store_fixture_path(f, "packs", path);
        assert_false(file_exists(path));
    }
}

static void a_store_from_before_there_was_a_format_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct store *other = NULL;
    char path[256];

    store_fixture_empty(f);
    store_fixture_path(f, "chunks", path);
    assert_int_equal(dir_make(path, 0755), 0);
    assert_int_equal(store_new(f->root, &other), STORE_E_FORMAT);
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
    struct store_fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    struct manifest_pack pack;
    struct store_place place;
    uint8_t id[SHA256_BYTES];

    store_fixture_make_pack(bytes_of("hello"), &pack, &frame);
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
    assert_int_equal(store_fixture_count(f->root, "manifests"), 0);
}

static void a_manifest_from_elsewhere_that_is_not_what_it_should_be_is_refused(void **state)
{
    struct store_fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    struct manifest_pack pack;
    uint8_t id[SHA256_BYTES];

    store_fixture_make_pack(bytes_of("hello"), &pack, &frame);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_add_pack(f->store, &pack, buf_bytes(&frame)), 0);
    put_manifest_text(&pack, &text, id);
    id[0] ^= 1;
    assert_int_equal(store_add_manifest(f->store, buf_bytes(&text), id), STORE_E_CORRUPT);
    assert_int_equal(digest_sha256(bytes_of("slipway"), id), 0);
    assert_int_equal(store_add_manifest(f->store, bytes_of("slipway"), id), STORE_E_CORRUPT);
    assert_int_equal(store_fixture_count(f->root, "manifests"), 0);
}

static void two_may_add_at_the_same_time(void **state)
{
    struct store_fixture *f = *state;
    OWN(store_freep) struct store *other = NULL;
    struct store_place place;

    assert_int_equal(store_new(f->root, &other), 0);
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
    struct store_fixture *f = *state;
    struct store_place place;
    char path[256];

    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_int_equal(store_fixture_count(f->root, "packs"), 0);
    store_fixture_path(f, "tmp/left-over.1", path);
    assert_int_equal(file_write(path, bytes_of("half"), 0600), 0);
    store_end(f->store);
    assert_int_equal(store_clean(f->store), 0);
    assert_false(file_exists(path));
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_true(place.is_new);
}

enum {
    COLLECTING_US = 200000,
};

/* A process that has the store for itself for a while, from now on. */
static pid_t start_collecting(const struct store_fixture *f)
{
    char path[256];
    pid_t child;
    int ready[2];
    char byte;

    store_fixture_path(f, "lock", path);
    assert_int_equal(file_write(path, bytes_of(""), 0644), 0);
    assert_int_equal(pipe(ready), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        if (flock(fd, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        clock_sleep_us(COLLECTING_US);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    (void)close(ready[1]);
    return child;
}

static void who_adds_waits_for_a_collector(void **state)
{
    struct store_fixture *f = *state;
    uint64_t begin_us = clock_monotonic_us();
    pid_t child = start_collecting(f);
    struct store_place place;
    int status;

    assert_int_equal(store_begin(f->store), 0);
    assert_true(clock_monotonic_us() - begin_us >= COLLECTING_US);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_store_says_its_format),
        TEST(a_store_of_another_format_is_refused_and_not_touched),
        TEST(a_store_from_before_there_was_a_format_is_refused),
        TEST(what_comes_from_elsewhere_is_there_and_its_chunks_are_found),
        TEST(a_manifest_from_elsewhere_that_is_not_what_it_should_be_is_refused),
        TEST(two_may_add_at_the_same_time),
        TEST(what_is_not_flushed_is_not_visible_and_is_cleaned_up),
        TEST(who_adds_waits_for_a_collector),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
