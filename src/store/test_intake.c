/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/intake.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "tests/faults.h"

enum {
    CONTENT_BYTES = 700000,
    PIECE_BYTES = 100000,
    FAULTS_MAX = 1000,
};

struct fixture {
    char root[64];
    uint8_t *content;         /* CONTENT_BYTES */
    struct manifest manifest; /* what it becomes */
    uint8_t id[SHA256_BYTES];
};

/* All of the content. Return: of the first function that returned something but 0. */
static int take_in(struct store *store,
                   const struct fixture *f,
                   size_t piece,
                   uint8_t ret_id[SHA256_BYTES],
                   struct intake_counts *ret)
{
    OWN(intake_freep) struct intake *intake = NULL;
    struct bytes rest = {f->content, CONTENT_BYTES};
    int r = intake_new(store, MANIFEST_FILE, &intake);

    while (r == 0 && rest.len > 0) {
        struct bytes part;

        (void)bytes_take(&rest, rest.len < piece ? rest.len : piece, &part);
        r = intake_feed(intake, part);
    }
    if (r == 0)
        r = intake_end(intake, ret_id);
    if (r == 0 && ret)
        *ret = intake_counts(intake);
    return r;
}

/* The same with a store of its own, which is closed again. */
static int open_and_take_in(const struct fixture *f)
{
    OWN(store_freep) struct store *store = NULL;
    uint8_t id[SHA256_BYTES];
    int r = store_new(f->root, &store);

    if (r != 0)
        return r;
    return take_in(store, f, PIECE_BYTES, id, NULL);
}

static int learn_manifest(struct fixture *f)
{
    OWN(store_freep) struct store *store = NULL;

    if (store_new(f->root, &store) != 0 || take_in(store, f, PIECE_BYTES, f->id, NULL) != 0)
        return -1;
    return store_get_manifest(store, f->id, &f->manifest);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    uint32_t seed = 11;

    if (!f)
        return -1;
    /* hundreds of fsync(): in memory, if there is such a file system */
    (void)snprintf(f->root,
                   sizeof(f->root),
                   "%s/slipway-test-intake-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    f->content = malloc(CONTENT_BYTES);
    if (!f->content || !mkdtemp(f->root))
        return -1;
    for (size_t i = 0; i < CONTENT_BYTES; i++) {
        seed = seed * 1664525u + 1013904223u;
        f->content[i] = (uint8_t)(seed >> 28); /* compressible */
    }
    *state = f;
    return learn_manifest(f);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    (void)faults_disarm();

    int r = dir_remove(f->root);

    manifest_fini(&f->manifest);
    free(f->content);
    free(f);
    return r;
}

static void empty_the_store(const struct fixture *f)
{
    assert_int_equal(dir_remove(f->root), 0);
    assert_int_equal(dir_make(f->root, 0700), 0);
}

/* Every chunk is whole or not there; a manifest that is there has all of them. */
static void assert_nothing_is_half(const struct fixture *f)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(buf_fini) struct buf plain = BUF_INIT(CHUNK_MAX_BYTES);
    OWN(manifest_fini) struct manifest found = {0};
    struct manifest_chunk bad;

    assert_int_equal(store_new(f->root, &store), 0);
    for (size_t i = 0; i < f->manifest.n_chunks; i++) {
        int r = store_get_chunk(store, &f->manifest.chunks[i], &plain);

        assert_true(r == 0 || r == STORE_E_MISSING);
    }
    if (store_get_manifest(store, f->id, &found) != STORE_E_MISSING)
        assert_int_equal(store_verify(store, f->id, &bad), 0);
}

static void assert_a_repetition_succeeds(const struct fixture *f)
{
    OWN(store_freep) struct store *store = NULL;
    struct manifest_chunk bad;
    uint8_t id[SHA256_BYTES];

    assert_int_equal(store_new(f->root, &store), 0);
    assert_int_equal(store_clean(store), 0);
    assert_int_equal(take_in(store, f, PIECE_BYTES, id, NULL), 0);
    assert_memory_equal(id, f->id, SHA256_BYTES);
    assert_int_equal(store_verify(store, id, &bad), 0);
}

static void the_counts_say_what_was_new(void **state)
{
    const struct fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    struct intake_counts counts;
    uint8_t id[SHA256_BYTES];

    empty_the_store(f);
    assert_int_equal(store_new(f->root, &store), 0);
    assert_int_equal(take_in(store, f, PIECE_BYTES, id, &counts), 0);
    assert_int_equal(counts.size_bytes, CONTENT_BYTES);
    assert_int_equal(counts.new_bytes, CONTENT_BYTES);
    assert_int_equal(counts.n_chunks, f->manifest.n_chunks);
    assert_int_equal(take_in(store, f, PIECE_BYTES, id, &counts), 0);
    assert_int_equal(counts.size_bytes, CONTENT_BYTES);
    assert_int_equal(counts.new_bytes, 0);
}

static void the_manifest_does_not_depend_on_the_pieces(void **state)
{
    const struct fixture *f = *state;
    static const size_t pieces[] = {4093, 65536, CONTENT_BYTES};
    OWN(store_freep) struct store *store = NULL;
    uint8_t id[SHA256_BYTES];

    assert_int_equal(store_new(f->root, &store), 0);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        assert_int_equal(take_in(store, f, pieces[i], id, NULL), 0);
        assert_memory_equal(id, f->id, SHA256_BYTES);
    }
}

static void no_bytes_are_a_manifest_without_chunks(void **state)
{
    const struct fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    OWN(intake_freep) struct intake *intake = NULL;
    OWN(manifest_fini) struct manifest manifest = {0};
    uint8_t id[SHA256_BYTES];

    assert_int_equal(store_new(f->root, &store), 0);
    assert_int_equal(intake_new(store, MANIFEST_FILE, &intake), 0);
    assert_int_equal(intake_end(intake, id), 0);
    assert_int_equal(store_get_manifest(store, id, &manifest), 0);
    assert_int_equal(manifest.n_chunks, 0);
    assert_int_equal(manifest.size_bytes, 0);
}

/* The disk fills up at every place there is, one after the other. */
static void a_full_disk_is_said_leaves_nothing_half_and_can_be_repeated(void **state)
{
    const struct fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    unsigned nth = 1;

    for (; nth < FAULTS_MAX; nth++) {
        uint8_t id[SHA256_BYTES];
        int r;

        empty_the_store(f);
        store_free(store);
        store = NULL;
        assert_int_equal(store_new(f->root, &store), 0);
        faults_arm(FAULT_SPACE, nth);
        r = take_in(store, f, PIECE_BYTES, id, NULL);
        if (!faults_disarm())
            break;
        assert_int_equal(r, STORE_E_FULL);
        assert_nothing_is_half(f);
        assert_a_repetition_succeeds(f);
    }
    assert_in_range(nth, 3 * f->manifest.n_chunks, FAULTS_MAX - 1);
}

static bool is_killed_at(const struct fixture *f, unsigned nth)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        faults_arm(FAULT_LIFE, nth);
        _exit(open_and_take_in(f) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status))
        return true;
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}

/* As if by kill -9, before every system call that changes the disk. */
static void a_writer_that_is_killed_anywhere_leaves_nothing_half(void **state)
{
    const struct fixture *f = *state;
    unsigned nth = 1;

    for (; nth < FAULTS_MAX; nth++) {
        empty_the_store(f);
        if (!is_killed_at(f, nth))
            break;
        assert_nothing_is_half(f);
        assert_a_repetition_succeeds(f);
    }
    assert_in_range(nth, 3 * f->manifest.n_chunks, FAULTS_MAX - 1);
}

static void an_allocation_that_fails_is_an_error_and_can_be_repeated(void **state)
{
    const struct fixture *f = *state;
    unsigned nth = 1;

    for (; nth < FAULTS_MAX; nth++) {
        int r;

        empty_the_store(f);
        faults_arm(FAULT_MEMORY, nth);
        r = open_and_take_in(f);
        if (!faults_disarm())
            break;
        assert_true(r < 0);
        assert_nothing_is_half(f);
    }
    assert_in_range(nth, 5, FAULTS_MAX - 1);
    assert_a_repetition_succeeds(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_counts_say_what_was_new),
        TEST(the_manifest_does_not_depend_on_the_pieces),
        TEST(no_bytes_are_a_manifest_without_chunks),
        TEST(a_full_disk_is_said_leaves_nothing_half_and_can_be_repeated),
        TEST(a_writer_that_is_killed_anywhere_leaves_nothing_half),
        TEST(an_allocation_that_fails_is_an_error_and_can_be_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
