/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/intake.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "store/test_fixture.h"
#include "tests/faults.h"

enum {
    PIECE_BYTES = 100000,
    SHORT_BYTES = 150000,
    CALLS_MIN = 8, /* that change the disk, in the shortest import */
    FAULTS_MAX = 1000,
};

static int take_in_pieces(struct store *store,
                          const struct store_fixture *f,
                          size_t piece,
                          uint8_t ret_id[SHA256_BYTES],
                          struct intake_counts *ret)
{
    OWN(intake_freep) struct intake *intake = NULL;
    struct bytes rest = {f->content, f->len};
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

/* With a store of its own, from the beginning to the end. Return: of the first function that did not return 0. */
static int open_and_take_in(const struct store_fixture *f, uint8_t ret_id[SHA256_BYTES])
{
    OWN(store_freep) struct store *store = NULL;
    int r = store_new(f->root, &store);

    if (r == 0)
        r = store_begin(store);
    return r == 0 ? take_in_pieces(store, f, PIECE_BYTES, ret_id, NULL) : r;
}

static int set_up(void **state)
{
    return store_fixture_set_up(state) == 0 ? store_fixture_learn(*state, FIXTURE_BYTES) : -1;
}

/* For what is repeated a hundred times. */
static int set_up_short(void **state)
{
    return store_fixture_set_up(state) == 0 ? store_fixture_learn(*state, SHORT_BYTES) : -1;
}

static void open_store(const struct store_fixture *f, struct store **ret)
{
    assert_int_equal(store_new(f->root, ret), 0);
    assert_int_equal(store_begin(*ret), 0);
}

static void assert_a_repetition_succeeds(const struct store_fixture *f)
{
    OWN(store_freep) struct store *store = NULL;
    struct store_collection counts;
    uint8_t id[SHA256_BYTES];

    open_store(f, &store);
    assert_int_equal(take_in_pieces(store, f, PIECE_BYTES, id, NULL), 0);
    assert_memory_equal(id, f->id, SHA256_BYTES);
    store_end(store);
    store_fixture_assert_good(store, id);
    /* and what was stored is stored once: nothing of the attempt before lies beside it */
    assert_int_equal(store_collect(store, 0, &counts), 0);
    assert_int_equal(counts.removed_packs, 0);
    assert_int_equal(counts.kept_packs, f->manifest.n_packs);
    assert_int_equal(store_fixture_count(f->root, "tmp"), 0);
}

static void the_counts_say_what_was_new(void **state)
{
    const struct store_fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    struct intake_counts counts;
    uint8_t id[SHA256_BYTES];

    store_fixture_empty(f);
    open_store(f, &store);
    assert_int_equal(take_in_pieces(store, f, PIECE_BYTES, id, &counts), 0);
    assert_int_equal(counts.size_bytes, FIXTURE_BYTES);
    assert_int_equal(counts.new_bytes, FIXTURE_BYTES);
    assert_in_range(counts.n_chunks, FIXTURE_BYTES / (256 * 1024), FIXTURE_BYTES / (16 * 1024));
    assert_int_equal(take_in_pieces(store, f, PIECE_BYTES, id, &counts), 0);
    assert_int_equal(counts.size_bytes, FIXTURE_BYTES);
    assert_int_equal(counts.new_bytes, 0);
}

static void the_manifest_does_not_depend_on_the_pieces(void **state)
{
    const struct store_fixture *f = *state;
    static const size_t pieces[] = {4093, 65536, FIXTURE_BYTES};
    OWN(store_freep) struct store *store = NULL;
    uint8_t id[SHA256_BYTES];

    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        store_free(store);
        store = NULL;
        store_fixture_empty(f);
        open_store(f, &store);
        assert_int_equal(take_in_pieces(store, f, pieces[i], id, NULL), 0);
        assert_memory_equal(id, f->id, SHA256_BYTES);
    }
}

static void the_stream_is_what_was_fed(void **state)
{
    const struct store_fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;

    assert_int_equal(store_new(f->root, &store), 0);
    store_fixture_assert_stream(store, f->id, (struct bytes){f->content, FIXTURE_BYTES});
}

static void a_stream_of_new_content_is_one_run_for_each_pack(void **state)
{
    const struct store_fixture *f = *state;

    assert_int_equal(f->manifest.n_packs, 2);
    assert_int_equal(f->manifest.n_runs, f->manifest.n_packs);
}

static void no_bytes_are_a_manifest_without_packs(void **state)
{
    const struct store_fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    OWN(intake_freep) struct intake *intake = NULL;
    OWN(manifest_fini) struct manifest manifest = {0};
    uint8_t id[SHA256_BYTES];

    open_store(f, &store);
    assert_int_equal(intake_new(store, MANIFEST_FILE, &intake), 0);
    assert_int_equal(intake_cut(intake), 0);
    assert_int_equal(intake_end(intake, id), 0);
    assert_int_equal(store_get_manifest(store, id, &manifest), 0);
    assert_int_equal(manifest.n_packs, 0);
    assert_int_equal(manifest.n_runs, 0);
    assert_int_equal(manifest.size_bytes, 0);
}

/* Feed the content in units that end at those offsets. */
static void take_in_units(struct store *store,
                          struct bytes content,
                          const size_t *ends,
                          struct intake_counts *ret)
{
    OWN(intake_freep) struct intake *intake = NULL;
    uint8_t id[SHA256_BYTES];
    size_t at = 0;

    assert_int_equal(intake_new(store, MANIFEST_FILE, &intake), 0);
    for (; at < content.len; ends++) {
        assert_int_equal(intake_feed(intake, (struct bytes){content.ptr + at, *ends - at}), 0);
        assert_int_equal(intake_cut(intake), 0);
        at = *ends;
    }
    assert_int_equal(intake_end(intake, id), 0);
    *ret = intake_counts(intake);
    store_fixture_assert_stream(store, id, content);
}

static void equal_units_are_stored_once_wherever_they_lie(void **state)
{
    const struct store_fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    OWN(freep) uint8_t *turned = malloc(FIXTURE_BYTES);
    static const size_t ends[] = {1000, 900000, FIXTURE_BYTES};
    static const size_t turned_ends[] = {
        FIXTURE_BYTES - 900000, FIXTURE_BYTES - 1000, FIXTURE_BYTES};
    struct intake_counts counts;

    assert_non_null(turned);
    memcpy(turned, f->content + 900000, FIXTURE_BYTES - 900000);
    memcpy(turned + FIXTURE_BYTES - 900000, f->content + 1000, 899000);
    memcpy(turned + FIXTURE_BYTES - 1000, f->content, 1000);
    store_fixture_empty(f);
    open_store(f, &store);
    take_in_units(store, (struct bytes){f->content, FIXTURE_BYTES}, ends, &counts);
    assert_int_equal(counts.new_bytes, FIXTURE_BYTES);
    take_in_units(store, (struct bytes){turned, FIXTURE_BYTES}, turned_ends, &counts);
    assert_int_equal(counts.new_bytes, 0);
}

static void a_unit_that_comes_again_in_the_same_pack_is_found(void **state)
{
    const struct store_fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    OWN(freep) uint8_t *twice = malloc(20000);
    static const size_t ends[] = {10000, 20000};
    struct intake_counts counts;

    assert_non_null(twice);
    memcpy(twice, f->content, 10000);
    memcpy(twice + 10000, f->content, 10000);
    store_fixture_empty(f);
    open_store(f, &store);
    take_in_units(store, (struct bytes){twice, 20000}, ends, &counts);
    assert_int_equal(counts.new_bytes, 10000);
    assert_int_equal(counts.n_chunks, 2);
}

static int
add_entry(struct intake *intake, enum manifest_entry_kind kind, const char *path, const char *bytes)
{
    char name[64];
    char target[] = "elsewhere";
    struct manifest_entry entry = {
        .kind = kind,
        .mode = 0644,
        .size_bytes = strlen(bytes),
        .path = name,
        .target = kind == MANIFEST_LINK ? target : NULL,
    };
    int r;

    memcpy(name, path, strlen(path) + 1);
    r = intake_entry(intake, &entry);
    return r == 0 ? intake_feed(intake, bytes_of(bytes)) : r;
}

static void a_tree_has_its_entries_and_the_bytes_of_its_files(void **state)
{
    const struct store_fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    OWN(intake_freep) struct intake *intake = NULL;
    OWN(manifest_fini) struct manifest manifest = {0};
    uint8_t id[SHA256_BYTES];

    open_store(f, &store);
    assert_int_equal(intake_new(store, MANIFEST_TREE, &intake), 0);
    assert_int_equal(add_entry(intake, MANIFEST_REGULAR, "a", "hello"), 0);
    assert_int_equal(add_entry(intake, MANIFEST_FOLDER, "b", ""), 0);
    assert_int_equal(add_entry(intake, MANIFEST_REGULAR, "b/c", ""), 0);
    assert_int_equal(add_entry(intake, MANIFEST_LINK, "b/d", ""), 0);
    assert_int_equal(add_entry(intake, MANIFEST_REGULAR, "e", " world"), 0);
    assert_int_equal(intake_end(intake, id), 0);
    assert_int_equal(intake_counts(intake).n_entries, 5);
    assert_int_equal(intake_counts(intake).n_chunks, 2);
    assert_int_equal(store_get_manifest(store, id, &manifest), 0);
    assert_int_equal(manifest.n_entries, 5);
    assert_string_equal(manifest.entries[3].target, "elsewhere");
    store_fixture_assert_stream(store, id, bytes_of("hello world"));
}

static void entries_that_break_a_rule_are_refused(void **state)
{
    const struct store_fixture *f = *state;
    OWN(store_freep) struct store *store = NULL;
    OWN(intake_freep) struct intake *intake = NULL;
    char path[] = "x";
    const struct manifest_entry longer = {.kind = MANIFEST_REGULAR, .size_bytes = 3, .path = path};
    uint8_t id[SHA256_BYTES];

    open_store(f, &store);
    assert_int_equal(intake_new(store, MANIFEST_TREE, &intake), 0);
    assert_int_equal(intake_feed(intake, bytes_of("x")), INTAKE_E_ENTRY); /* nobody's */
    assert_int_equal(add_entry(intake, MANIFEST_REGULAR, "../a", ""), INTAKE_E_ENTRY);
    assert_int_equal(add_entry(intake, MANIFEST_REGULAR, "b/c", ""), INTAKE_E_ENTRY);
    assert_int_equal(add_entry(intake, MANIFEST_REGULAR, "m", ""), 0);
    assert_int_equal(add_entry(intake, MANIFEST_REGULAR, "a", ""), INTAKE_E_ENTRY);
    assert_int_equal(intake_entry(intake, &longer), 0);
    assert_int_equal(intake_feed(intake, bytes_of("abcd")), INTAKE_E_ENTRY); /* more than it said */
    assert_int_equal(intake_feed(intake, bytes_of("ab")), 0);
    assert_int_equal(add_entry(intake, MANIFEST_REGULAR, "y", ""), INTAKE_E_ENTRY); /* fewer */
    assert_int_equal(intake_end(intake, id), INTAKE_E_ENTRY);
}

/* The disk ends at every place there is, one after the other. @is_expected: what the import may come to */
static void
try_every_place(const struct store_fixture *f, enum fault fault, bool (*is_expected)(int r))
{
    unsigned nth = 1;

    for (; nth < FAULTS_MAX; nth++) {
        OWN(store_freep) struct store *store = NULL;
        uint8_t id[SHA256_BYTES];
        int r;

        store_fixture_empty(f);
        open_store(f, &store);
        faults_arm(fault, nth);
        r = take_in_pieces(store, f, PIECE_BYTES, id, NULL);
        if (!faults_disarm())
            break;
        assert_true(is_expected(r));
        assert_true(is_expected(store_flush(store))); /* and it stays so */
        store_free(TAKE(store));
        store_fixture_assert_nothing_is_half(f);
        assert_a_repetition_succeeds(f);
    }
    assert_in_range(nth, CALLS_MIN, FAULTS_MAX - 1);
}

static bool is_full(int r)
{
    return r == STORE_E_FULL;
}

static bool is_error(int r)
{
    return r < 0;
}

static void a_full_disk_is_said_leaves_nothing_half_and_can_be_repeated(void **state)
{
    try_every_place(*state, FAULT_SPACE, is_full);
}

static void a_disk_that_fails_is_an_error_leaves_nothing_half_and_can_be_repeated(void **state)
{
    try_every_place(*state, FAULT_DISK, is_error);
}

static int attempt(const struct store_fixture *f)
{
    uint8_t id[SHA256_BYTES];

    return open_and_take_in(f, id);
}

/* As if by kill -9, before every system call that changes the disk. */
static void a_writer_that_is_killed_anywhere_leaves_nothing_half(void **state)
{
    const struct store_fixture *f = *state;
    unsigned nth = 1;

    for (; nth < FAULTS_MAX; nth++) {
        store_fixture_empty(f);
        if (!store_fixture_is_killed(f, attempt, nth))
            break;
        store_fixture_assert_nothing_is_half(f);
        assert_a_repetition_succeeds(f);
    }
    assert_in_range(nth, CALLS_MIN, FAULTS_MAX - 1);
}

static void an_allocation_that_fails_is_an_error_or_costs_the_index_only(void **state)
{
    const struct store_fixture *f = *state;
    unsigned nth = 1;

    for (; nth < FAULTS_MAX; nth++) {
        uint8_t id[SHA256_BYTES];
        int r;

        store_fixture_empty(f);
        faults_arm(FAULT_MEMORY, nth);
        r = open_and_take_in(f, id);
        if (!faults_disarm())
            break;
        assert_true(r <= 0);
        store_fixture_assert_nothing_is_half(f);
        if (r == 0)
            assert_memory_equal(id, f->id, SHA256_BYTES);
    }
    assert_in_range(nth, 20, FAULTS_MAX - 1);
    assert_a_repetition_succeeds(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, store_fixture_tear_down)

#define SHORT(name) cmocka_unit_test_setup_teardown(name, set_up_short, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_counts_say_what_was_new),
        TEST(the_manifest_does_not_depend_on_the_pieces),
        TEST(the_stream_is_what_was_fed),
        TEST(a_stream_of_new_content_is_one_run_for_each_pack),
        TEST(no_bytes_are_a_manifest_without_packs),
        TEST(equal_units_are_stored_once_wherever_they_lie),
        TEST(a_unit_that_comes_again_in_the_same_pack_is_found),
        TEST(a_tree_has_its_entries_and_the_bytes_of_its_files),
        TEST(entries_that_break_a_rule_are_refused),
        SHORT(a_full_disk_is_said_leaves_nothing_half_and_can_be_repeated),
        SHORT(a_disk_that_fails_is_an_error_leaves_nothing_half_and_can_be_repeated),
        SHORT(a_writer_that_is_killed_anywhere_leaves_nothing_half),
        SHORT(an_allocation_that_fails_is_an_error_or_costs_the_index_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
