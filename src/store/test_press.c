/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/press.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/digest.h"
#include "store/check.h"
#include "store/store.h"
#include "store/test_fixture.h"
#include "tests/faults.h"

enum {
    N_PACKS = 20,
};

static void add_chunk(struct press_job *job, const uint8_t *bytes, size_t len)
{
    uint8_t sha256[SHA256_BYTES];

    assert_int_equal(digest_sha256((struct bytes){bytes, len}, sha256), 0);
    assert_int_equal(press_add(job, (struct bytes){bytes, len}, sha256), 0);
}

/* Packs of two chunks each: 1000 bytes of the content, and what is special to the pack. */
static void press_many(const struct store_fixture *f, struct press *press)
{
    for (uint32_t i = 0; i < N_PACKS; i++) {
        struct press_job *job = NULL;

        assert_int_equal(press_open(press, i, &job), 0);
        add_chunk(job, f->content, 1000);
        add_chunk(job, f->content + 1000 + i, 77);
        press_submit(press, job);
    }
}

static void every_pack_that_was_handed_in_comes_out_as_a_good_file(void **state)
{
    const struct store_fixture *f = *state;

    for (unsigned n_threads = 0; n_threads <= 3; n_threads++) {
        OWN(press_freep) struct press *press = NULL;
        bool is_there[N_PACKS] = {false};
        struct aside **list = NULL;
        size_t n = 0;

        assert_int_equal(press_new(f->root, n_threads, &press), 0);
        press_many(f, press);
        assert_int_equal(press_collect(press, &list, &n), 0);
        assert_int_equal(n, N_PACKS);
        assert_int_equal(aside_publish(f->root, list, n), 0);
        for (size_t i = 0; i < n; i++) {
            OWN(pack_fini) struct pack table = {0};
            struct manifest_pack pack;

            assert_int_equal(check_any_pack_file(f->root, list[i]->pack.sha256, &pack, &table), 0);
            assert_int_equal(pack.plain_bytes, list[i]->pack.plain_bytes);
            assert_int_equal(pack.stored_bytes, list[i]->pack.stored_bytes);
            assert_int_equal(table.n_chunks, 2);
            assert_false(is_there[list[i]->number]);
            is_there[list[i]->number] = true;
            aside_free(f->root, list[i]);
        }
        press_forget(press);
        assert_int_equal(press_collect(press, &list, &n), 0);
        assert_int_equal(n, 0);
    }
}

static void what_is_not_collected_is_dropped(void **state)
{
    const struct store_fixture *f = *state;
    struct press *press = NULL;
    struct press_job *job = NULL;

    assert_int_equal(press_new(f->root, 2, &press), 0);
    press_many(f, press);
    assert_int_equal(press_open(press, N_PACKS, &job), 0);
    add_chunk(job, f->content, 5);
    press_free(press);
    assert_int_equal(store_fixture_count(f->root, "tmp"), 0);
}

static void a_pack_is_full_with_its_target_or_with_its_chunks(void **state)
{
    const struct store_fixture *f = *state;
    OWN(press_freep) struct press *press = NULL;
    OWN(freep) uint8_t *chunk = calloc(1, PACK_CHUNK_MAX_BYTES);
    struct press_job *job = NULL;
    struct aside **list = NULL;
    size_t n = 0;

    assert_non_null(chunk);
    assert_int_equal(press_new(f->root, 1, &press), 0);
    assert_int_equal(press_open(press, 0, &job), 0);
    for (unsigned i = 0; i < 16; i++) {
        assert_false(press_is_full(job));
        add_chunk(job, chunk, PACK_CHUNK_MAX_BYTES - (i == 0));
    }
    assert_false(press_is_full(job)); /* a byte is missing: the largest pack there is */
    add_chunk(job, chunk, PACK_CHUNK_MAX_BYTES);
    assert_true(press_is_full(job));
    press_submit(press, job);

    assert_int_equal(press_open(press, 1, &job), 0);
    for (unsigned i = 0; i < PACK_MAX_CHUNKS; i++) {
        assert_false(press_is_full(job));
        add_chunk(job, chunk, 1);
    }
    assert_true(press_is_full(job));
    press_submit(press, job);

    assert_int_equal(press_collect(press, &list, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(aside_publish(f->root, list, n), 0);
    for (size_t i = 0; i < n; i++) {
        OWN(pack_fini) struct pack table = {0};
        struct manifest_pack pack;

        assert_int_equal(check_any_pack_file(f->root, list[i]->pack.sha256, &pack, &table), 0);
        aside_free(f->root, list[i]);
    }
    press_forget(press);
}

static void what_a_thread_met_is_said(void **state)
{
    const struct store_fixture *f = *state;
    OWN(press_freep) struct press *press = NULL;
    struct aside **list = NULL;
    size_t n = 0;

    assert_int_equal(press_new(f->root, 2, &press), 0);
    faults_arm(FAULT_SPACE, 5);
    press_many(f, press);
    assert_int_equal(press_collect(press, &list, &n), STORE_E_FULL);
    assert_true(faults_disarm());
    assert_int_equal(n, N_PACKS);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_pack_that_was_handed_in_comes_out_as_a_good_file),
        TEST(what_is_not_collected_is_dropped),
        TEST(a_pack_is_full_with_its_target_or_with_its_chunks),
        TEST(what_a_thread_met_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
