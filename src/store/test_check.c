/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/check.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"
#include "store/layout.h"
#include "store/test_fixture.h"

/* A pack in the store, named @pack. */
static void put_pack(const struct store_fixture *f, struct manifest_pack *pack, struct buf *frame)
{
    char path[STORE_PATH_MAX];

    store_fixture_make_pack(bytes_of("hello"), pack, frame);
    layout_pack_folder(f->root, pack->sha256[0], path);
    assert_int_equal(dir_make(path, 0755), 0);
    layout_pack(f->root, pack->sha256, path);
    assert_int_equal(file_write(path, buf_bytes(frame), 0644), 0);
}

static void a_pack_of_which_only_the_name_is_known_tells_the_rest(void **state)
{
    const struct store_fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(pack_fini) struct pack table = {0};
    struct manifest_pack pack;
    struct manifest_pack found;

    put_pack(f, &pack, &frame);
    assert_int_equal(check_any_pack_file(f->root, pack.sha256, &found, &table), 0);
    assert_memory_equal(found.sha256, pack.sha256, SHA256_BYTES);
    assert_int_equal(found.plain_bytes, pack.plain_bytes);
    assert_int_equal(found.stored_bytes, pack.stored_bytes);
    assert_int_equal(table.n_chunks, 1);
}

static void every_bit_of_a_frame_counts(void **state)
{
    const struct store_fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(buf_fini) struct buf plain = BUF_INIT(4096);
    struct manifest_pack pack;

    put_pack(f, &pack, &frame);
    assert_int_equal(check_frame(&pack, buf_bytes(&frame), &plain), 0);
    assert_int_equal(plain.len, pack.plain_bytes);
    for (size_t bit = 0; bit < 8 * frame.len; bit++) {
        int r;

        frame.ptr[bit / 8] = (char)(frame.ptr[bit / 8] ^ 1 << bit % 8);
        r = check_frame(&pack, buf_bytes(&frame), &plain);
        /* bits that zstd does not look at are no reason: the content is what its name says */
        assert_true(r == STORE_E_CORRUPT ||
                    (r == 0 && check_name(buf_bytes(&plain), pack.sha256) == 0));
        frame.ptr[bit / 8] = (char)(frame.ptr[bit / 8] ^ 1 << bit % 8);
    }
}

static void every_prefix_of_a_frame_is_corrupt(void **state)
{
    const struct store_fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(buf_fini) struct buf plain = BUF_INIT(4096);
    struct manifest_pack pack;

    put_pack(f, &pack, &frame);
    for (size_t len = 0; len < frame.len; len++) {
        OWN(freep) uint8_t *exact = malloc(len > 0 ? len : 1);

        assert_non_null(exact);
        memcpy(exact, frame.ptr, len);
        pack.stored_bytes = (uint32_t)len;
        assert_int_equal(check_frame(&pack, (struct bytes){exact, len}, &plain), STORE_E_CORRUPT);
    }
}

static void lengths_beyond_a_pack_are_refused_before_anything_is_allocated(void **state)
{
    const struct store_fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(buf_fini) struct buf plain = BUF_INIT(4096);
    struct manifest_pack pack;

    put_pack(f, &pack, &frame);
    pack.plain_bytes = UINT32_MAX;
    assert_int_equal(check_frame(&pack, buf_bytes(&frame), &plain), STORE_E_CORRUPT);
}

static void a_file_that_is_no_file_or_too_long_is_corrupt(void **state)
{
    const struct store_fixture *f = *state;
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    OWN(pack_fini) struct pack table = {0};
    struct manifest_pack pack;
    struct manifest_pack found;
    char path[STORE_PATH_MAX];

    put_pack(f, &pack, &frame);
    layout_pack(f->root, pack.sha256, path);
    assert_int_equal(truncate(path, PACK_STORED_MAX_BYTES + 1), 0);
    assert_int_equal(check_any_pack_file(f->root, pack.sha256, &found, &table), STORE_E_CORRUPT);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(check_any_pack_file(f->root, pack.sha256, &found, &table), STORE_E_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(check_any_pack_file(f->root, pack.sha256, &found, &table), STORE_E_MISSING);
    assert_int_equal(dir_make(path, 0755), 0);
    assert_int_equal(check_any_pack_file(f->root, pack.sha256, &found, &table), STORE_E_CORRUPT);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_pack_of_which_only_the_name_is_known_tells_the_rest),
        TEST(every_bit_of_a_frame_counts),
        TEST(every_prefix_of_a_frame_is_corrupt),
        TEST(lengths_beyond_a_pack_are_refused_before_anything_is_allocated),
        TEST(a_file_that_is_no_file_or_too_long_is_corrupt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
