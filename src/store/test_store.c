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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "store/intake.h"
#include "tests/faults.h"

enum {
    CONTENT_BYTES = 3 * 1024 * 1024,
};

struct fixture {
    char root[64];
    struct store *store;
    uint8_t *content; /* CONTENT_BYTES */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    uint32_t seed = 7;

    if (!f)
        return -1;
    (void)snprintf(f->root, sizeof(f->root), "/tmp/slipway-test-store-XXXXXX");
    f->content = malloc(CONTENT_BYTES);
    if (!f->content || !mkdtemp(f->root) || store_new(f->root, &f->store) != 0)
        return -1;
    for (size_t i = 0; i < CONTENT_BYTES; i++) {
        seed = seed * 1664525u + 1013904223u;
        f->content[i] = (uint8_t)(seed >> 28); /* compressible */
    }
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int r = dir_remove(f->root);

    store_free(f->store);
    free(f->content);
    free(f);
    return r;
}

static void
take_in(struct fixture *f, size_t piece, uint8_t ret_id[SHA256_BYTES], struct intake_counts *ret)
{
    OWN(intake_freep) struct intake *intake = NULL;
    struct bytes rest = {f->content, CONTENT_BYTES};

    assert_int_equal(intake_new(f->store, MANIFEST_FILE, &intake), 0);
    while (rest.len > 0) {
        struct bytes part;

        assert_true(bytes_take(&rest, rest.len < piece ? rest.len : piece, &part));
        assert_int_equal(intake_feed(intake, part), 0);
    }
    assert_int_equal(intake_end(intake, ret_id), 0);
    *ret = intake_counts(intake);
}

static void chunk_file(const struct fixture *f, const struct manifest_chunk *chunk, char dst[256])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){chunk->sha256, SHA256_BYTES});
    (void)snprintf(dst, 256, "%s/chunks/%.2s/%s", f->root, name, name);
}

static void the_chunks_of_a_manifest_are_the_content(void **state)
{
    struct fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(buf_fini) struct buf plain = BUF_INIT(CHUNK_MAX_BYTES);
    struct intake_counts counts;
    struct manifest_chunk bad;
    uint8_t id[SHA256_BYTES];
    size_t at = 0;

    take_in(f, 100000, id, &counts);
    assert_int_equal(counts.new_bytes, CONTENT_BYTES);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), 0);
    assert_int_equal(manifest.size_bytes, CONTENT_BYTES);
    for (size_t i = 0; i < manifest.n_chunks; i++) {
        assert_int_equal(store_get_chunk(f->store, &manifest.chunks[i], &plain), 0);
        assert_memory_equal(plain.ptr, f->content + at, plain.len);
        at += plain.len;
    }
    assert_int_equal(at, CONTENT_BYTES);
    assert_int_equal(store_verify(f->store, id, &bad), 0);
}

static void equal_content_is_stored_once_however_it_arrives(void **state)
{
    struct fixture *f = *state;
    struct intake_counts counts;
    uint8_t id[SHA256_BYTES];
    uint8_t again[SHA256_BYTES];

    take_in(f, 65536, id, &counts);
    take_in(f, 5000001, again, &counts);
    assert_memory_equal(id, again, SHA256_BYTES);
    assert_int_equal(counts.new_bytes, 0);
}

static void verify_names_a_chunk_that_was_changed_or_lost(void **state)
{
    struct fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    struct intake_counts counts;
    struct manifest_chunk bad;
    uint8_t id[SHA256_BYTES];
    char path[256];

    take_in(f, 100000, id, &counts);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), 0);
    chunk_file(f, &manifest.chunks[1], path);

    OWN(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, 50), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 50), 1);
    assert_int_equal(store_verify(f->store, id, &bad), STORE_E_CORRUPT);
    assert_memory_equal(bad.sha256, manifest.chunks[1].sha256, SHA256_BYTES);

    assert_int_equal(unlink(path), 0);
    assert_int_equal(store_verify(f->store, id, &bad), STORE_E_MISSING);
}

static void get_refuses_a_size_that_the_frame_does_not_declare(void **state)
{
    struct fixture *f = *state;
    OWN(buf_fini) struct buf plain = BUF_INIT(CHUNK_MAX_BYTES);
    struct manifest_chunk chunk;
    bool is_new;

    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &chunk, &is_new), 0);
    assert_int_equal(store_get_chunk(f->store, &chunk, &plain), STORE_E_MISSING);
    assert_int_equal(store_flush(f->store), 0);
    assert_int_equal(store_get_chunk(f->store, &chunk, &plain), 0);
    chunk.size_bytes++;
    assert_int_equal(store_get_chunk(f->store, &chunk, &plain), STORE_E_CORRUPT);
}

/* A writer that is killed before a flush leaves files in tmp/ and nothing else. */
static void what_is_not_flushed_is_not_visible_and_is_cleaned_up(void **state)
{
    struct fixture *f = *state;
    struct manifest_chunk chunk;
    struct store *later = NULL;
    char path[256];
    bool is_new;

    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &chunk, &is_new), 0);
    chunk_file(f, &chunk, path);
    assert_false(file_exists(path));
    (void)snprintf(path, sizeof(path), "%s/tmp/left-over.1", f->root);
    assert_int_equal(file_write(path, bytes_of("half"), 0600), 0);
    store_free(f->store);
    f->store = NULL;
    assert_int_equal(store_new(f->root, &later), 0);
    assert_int_equal(store_clean(later), 0);
    assert_false(file_exists(path));
    assert_int_equal(store_put_chunk(later, bytes_of("hello"), &chunk, &is_new), 0);
    assert_true(is_new);
    f->store = later;
}

static void an_error_while_writing_leaves_no_name_behind(void **state)
{
    struct fixture *f = *state;
    struct manifest_chunk chunk;
    char path[256];
    bool is_new;

    (void)snprintf(path, sizeof(path), "%s/tmp", f->root);
    assert_int_equal(dir_remove(path), 0); /* nothing can be written aside any more */
    assert_true(store_put_chunk(f->store, bytes_of("hello"), &chunk, &is_new) < 0);
    assert_int_equal(store_flush(f->store), 0);
    chunk_file(f, &chunk, path);
    assert_false(file_exists(path));
}

static void reading_without_memory_is_an_error_and_never_a_bad_chunk(void **state)
{
    struct fixture *f = *state;
    OWN(intake_freep) struct intake *intake = NULL;
    struct manifest_chunk bad;
    uint8_t id[SHA256_BYTES];
    unsigned nth = 1;

    assert_int_equal(intake_new(f->store, MANIFEST_FILE, &intake), 0);
    assert_int_equal(intake_feed(intake, bytes_of("hello")), 0);
    assert_int_equal(intake_end(intake, id), 0);
    for (; nth < 100; nth++) {
        int r;

        faults_arm(FAULT_MEMORY, nth);
        r = store_verify(f->store, id, &bad);
        if (!faults_disarm())
            break;
        assert_true(r < 0);
    }
    assert_in_range(nth, 4, 99);
    assert_int_equal(store_verify(f->store, id, &bad), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            the_chunks_of_a_manifest_are_the_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            equal_content_is_stored_once_however_it_arrives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            verify_names_a_chunk_that_was_changed_or_lost, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            get_refuses_a_size_that_the_frame_does_not_declare, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_not_flushed_is_not_visible_and_is_cleaned_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_error_while_writing_leaves_no_name_behind, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            reading_without_memory_is_an_error_and_never_a_bad_chunk, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
