/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "store/test_fixture.h"
#include "tests/faults.h"

static void a_manifest_that_is_bad_is_said_and_stays_until_it_is_replaced(void **state)
{
    struct store_fixture *f = *state;
    OWN(store_validation_fini) struct store_validation validation = {0};
    OWN(manifest_fini) struct manifest manifest = {0};
    struct store_collection counts;
    uint8_t id[SHA256_BYTES];
    char path[STORE_PATH_MAX];

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    store_manifest_path(f->store, id, path);
    store_fixture_flip(path, 60);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), STORE_E_CORRUPT);
    assert_int_equal(store_validate(f->store, id, NULL, &validation), STORE_E_CORRUPT);
    assert_int_equal(store_collect(f->store, 0, &counts), STORE_E_CORRUPT);
    assert_memory_equal(counts.bad_manifest, id, SHA256_BYTES);
    assert_int_equal(counts.removed_packs, 0);
    assert_int_equal(store_fixture_count(f->root, "packs"), 2);
    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    store_fixture_assert_good(f->store, id);
}

static void collect_removes_what_nothing_names_after_the_grace_time(void **state)
{
    struct store_fixture *f = *state;
    struct store_collection counts;
    uint8_t small[SHA256_BYTES];
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    store_fixture_take_in(f, 10000, small, NULL);
    assert_int_equal(store_fixture_count(f->root, "packs"), 3);
    assert_int_equal(store_collect(f->store, 0, &counts), 0);
    assert_int_equal(counts.removed_packs, 0);
    assert_int_equal(counts.kept_packs, 3);

    assert_int_equal(store_remove_manifest(f->store, id), 0);
    assert_int_equal(store_collect(f->store, STORE_GRACE_US, &counts), 0);
    assert_int_equal(counts.removed_packs, 0);
    assert_int_equal(store_collect(f->store, 0, &counts), 0);
    assert_int_equal(counts.removed_packs, 2);
    assert_int_equal(counts.kept_packs, 1);
    assert_in_range(counts.removed_bytes, FIXTURE_BYTES, 2 * FIXTURE_BYTES);
    store_fixture_assert_stream(f->store, small, (struct bytes){f->content, 10000});
    store_fixture_take_in(f, FIXTURE_BYTES, id, &new_bytes);
    assert_int_equal(new_bytes, FIXTURE_BYTES);
}

static void collect_is_busy_beside_who_adds_or_collects(void **state)
{
    struct store_fixture *f = *state;
    OWN(store_freep) struct store *other = NULL;
    OWN(fd_closep) int fd = -1;
    struct store_collection counts;
    struct store_place place;
    char path[256];

    assert_int_equal(store_new(f->root, &other), 0);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_put_chunk(f->store, bytes_of("hello"), &place), 0);
    assert_int_equal(store_flush(f->store), 0);
    assert_int_equal(store_collect(other, 0, &counts), STORE_E_BUSY);
    assert_int_equal(store_clean(other), 0);
    store_end(f->store);

    store_fixture_path(f, "lock", path);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(store_collect(other, 0, &counts), STORE_E_BUSY);
    fd_closep(&fd);
    assert_int_equal(store_collect(other, 0, &counts), 0);
    assert_int_equal(counts.removed_packs, 1);
}

/* With a handle of its own. */
static int collect_all(const struct store_fixture *f)
{
    OWN(store_freep) struct store *store = NULL;
    struct store_collection counts;
    int r = store_new(f->root, &store);

    return r == 0 ? store_collect(store, 0, &counts) : r;
}

/* Two packs that nothing names, and one that is needed. @ret_id: of the needed one's manifest */
static void litter(struct store_fixture *f, uint8_t ret_id[SHA256_BYTES])
{
    uint8_t id[SHA256_BYTES];

    store_free(f->store);
    f->store = NULL;
    store_fixture_empty(f);
    assert_int_equal(store_new(f->root, &f->store), 0);
    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    store_fixture_take_in(f, 10000, ret_id, NULL);
    assert_int_equal(store_remove_manifest(f->store, id), 0);
}

static void assert_what_is_needed_is_there_and_the_rest_goes(struct store_fixture *f,
                                                             const uint8_t id[SHA256_BYTES])
{
    store_fixture_assert_stream(f->store, id, (struct bytes){f->content, 10000});
    assert_int_equal(collect_all(f), 0);
    assert_int_equal(store_fixture_count(f->root, "packs"), 1);
    store_fixture_assert_stream(f->store, id, (struct bytes){f->content, 10000});
}

static void a_collector_that_is_killed_anywhere_has_lost_nothing(void **state)
{
    struct store_fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;
    unsigned nth = 1;

    for (; nth < 20; nth++) {
        litter(f, id);
        if (!store_fixture_is_killed(f, collect_all, nth))
            break;
        assert_what_is_needed_is_there_and_the_rest_goes(f, id);
        store_fixture_take_in(f, FIXTURE_BYTES, id, &new_bytes);
        store_fixture_assert_stream(f->store, id, (struct bytes){f->content, FIXTURE_BYTES});
    }
    assert_in_range(nth, 4, 19); /* the lock's open(), two unlink() */
}

static void a_disk_that_fails_while_collecting_has_lost_nothing(void **state)
{
    struct store_fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    unsigned nth = 1;

    for (; nth < 20; nth++) {
        int r;

        litter(f, id);
        faults_arm(FAULT_DISK, nth);
        r = collect_all(f);
        if (!faults_disarm())
            break;
        assert_true(r < 0);
        assert_what_is_needed_is_there_and_the_rest_goes(f, id);
    }
    assert_in_range(nth, 4, 19);
}

static void collecting_without_memory_removes_nothing_that_is_needed(void **state)
{
    struct store_fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    unsigned nth = 1;

    for (; nth < 100; nth++) {
        int r;

        litter(f, id);
        faults_arm(FAULT_MEMORY, nth);
        r = collect_all(f);
        if (!faults_disarm())
            break;
        assert_true(r <= 0); /* the index may be what had none */
        assert_what_is_needed_is_there_and_the_rest_goes(f, id);
    }
    assert_in_range(nth, 8, 99);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_manifest_that_is_bad_is_said_and_stays_until_it_is_replaced),
        TEST(collect_removes_what_nothing_names_after_the_grace_time),
        TEST(collect_is_busy_beside_who_adds_or_collects),
        TEST(a_collector_that_is_killed_anywhere_has_lost_nothing),
        TEST(a_disk_that_fails_while_collecting_has_lost_nothing),
        TEST(collecting_without_memory_removes_nothing_that_is_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
