/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "store/test_fixture.h"
#include "tests/faults.h"

static void flip_in_pack(const struct store_fixture *f, const struct manifest_pack *pack)
{
    char path[STORE_PATH_MAX];

    store_pack_path(f->store, pack->sha256, path);
    store_fixture_flip(path, (off_t)pack->stored_bytes / 2);
}

static void validate_finds_a_bad_pack_and_a_repetition_heals_it(void **state)
{
    struct store_fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(store_validation_fini) struct store_validation validation = {0};
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    uint8_t id[SHA256_BYTES];

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
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

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    store_fixture_assert_good(f->store, id);
    store_fixture_assert_stream(f->store, id, (struct bytes){f->content, FIXTURE_BYTES});
}

static void tell(void *ctx, uint64_t done_bytes, uint64_t all_bytes)
{
    uint64_t *last = ctx;

    assert_true(done_bytes > *last && done_bytes <= all_bytes);
    *last = done_bytes;
}

static void validate_says_how_far_it_is_and_what_it_read(void **state)
{
    struct store_fixture *f = *state;
    OWN(manifest_fini) struct manifest manifest = {0};
    OWN(store_validation_fini) struct store_validation validation = {0};
    uint64_t last = 0;
    const struct store_watch watch = {tell, &last};
    uint8_t id[SHA256_BYTES];

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    assert_int_equal(store_get_manifest(f->store, id, &manifest), 0);
    assert_int_equal(store_validate(f->store, id, &watch, &validation), 0);
    assert_int_equal(last, manifest.packs[0].stored_bytes + manifest.packs[1].stored_bytes);
    assert_int_equal(validation.checked_bytes, last);
}

static int stop(void *ctx, struct bytes piece)
{
    size_t *fed = ctx;

    *fed += piece.len;
    return 1;
}

static void a_reader_that_stops_is_not_an_error(void **state)
{
    struct store_fixture *f = *state;
    size_t fed = 0;
    const struct store_sink sink = {stop, &fed};
    uint8_t id[SHA256_BYTES];

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    assert_int_equal(store_read_stream(f->store, id, &sink), STORE_E_STOPPED);
    assert_in_range(fed, 1, FIXTURE_BYTES - 1);
}

static void what_is_not_there_is_missing(void **state)
{
    struct store_fixture *f = *state;
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

static void reading_without_memory_is_an_error_and_never_a_bad_pack(void **state)
{
    struct store_fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    unsigned nth = 1;

    store_fixture_take_in(f, 10000, id, NULL);
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

static int validate_all(const struct store_fixture *f)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(store_validation_fini) struct store_validation validation = {0};
    int r = store_new(f->root, &store);

    return r == 0 ? store_validate(store, f->id, NULL, &validation) : r;
}

static void a_validation_that_is_killed_anywhere_has_lost_nothing_that_was_good(void **state)
{
    struct store_fixture *f = *state;
    unsigned nth = 1;

    assert_int_equal(store_fixture_learn(f, FIXTURE_BYTES), 0);
    for (; nth < 20; nth++) {
        OWN(store_validation_fini) struct store_validation validation = {0};

        flip_in_pack(f, &f->manifest.packs[1]);
        if (!store_fixture_is_killed(f, validate_all, nth))
            break;
        assert_int_equal(store_validate(f->store, f->id, NULL, &validation), 0);
        assert_int_equal(validation.n_bad, 1);
        store_fixture_take_in(f, FIXTURE_BYTES, f->id, NULL);
        store_fixture_assert_good(f->store, f->id);
    }
    assert_in_range(nth, 2, 19);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(validate_finds_a_bad_pack_and_a_repetition_heals_it),
        TEST(validate_says_how_far_it_is_and_what_it_read),
        TEST(a_reader_that_stops_is_not_an_error),
        TEST(what_is_not_there_is_missing),
        TEST(reading_without_memory_is_an_error_and_never_a_bad_pack),
        TEST(a_validation_that_is_killed_anywhere_has_lost_nothing_that_was_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
