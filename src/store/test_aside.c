/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/aside.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/checksum.h"
#include "plat/file.h"
#include "store/layout.h"
#include "store/store.h"
#include "store/test_fixture.h"
#include "tests/faults.h"

/* Written aside, and not published. */
static struct aside *
write_pack(const struct store_fixture *f, struct bytes chunk, const struct buf *more)
{
    OWN(buf_fini) struct buf frame = BUF_INIT(4096);
    struct aside *aside = NULL;

    assert_int_equal(aside_new(&aside), 0);
    store_fixture_make_pack(chunk, &aside->pack, &frame);
    if (more)
        buf_add(&frame, buf_bytes(more));
    aside->pack.stored_bytes = (uint32_t)frame.len;
    checksum_of(buf_bytes(&frame), aside->pack.check);
    assert_int_equal(aside_write(f->root, buf_bytes(&frame), aside), 0);
    return aside;
}

static void what_is_published_has_its_name_and_may_be_read_by_all(void **state)
{
    const struct store_fixture *f = *state;
    struct aside *both[] = {write_pack(f, bytes_of("hello"), NULL),
                            write_pack(f, bytes_of("world"), NULL)};
    char path[STORE_PATH_MAX];
    struct stat st;

    assert_int_equal(store_fixture_count(f->root, "tmp"), 2);
    assert_int_equal(aside_publish(f->root, both, 2), 0);
    assert_int_equal(store_fixture_count(f->root, "tmp"), 0);
    for (size_t i = 0; i < 2; i++) {
        layout_pack(f->root, both[i]->pack.sha256, path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0644);
        assert_int_equal(st.st_size, both[i]->pack.stored_bytes);
        aside_free(f->root, both[i]);
        assert_true(file_exists(path));
    }
}

static void what_is_dropped_leaves_nothing(void **state)
{
    const struct store_fixture *f = *state;

    aside_free(f->root, write_pack(f, bytes_of("hello"), NULL));
    assert_int_equal(store_fixture_count(f->root, "tmp"), 0);
    assert_int_equal(store_fixture_count(f->root, "packs"), 0);
}

/* Another zstd may have made another frame of the same content, and manifests tell its length. */
static void a_good_pack_of_another_length_stays_but_for_one_from_elsewhere(void **state)
{
    const struct store_fixture *f = *state;
    OWN(buf_fini) struct buf empty_frame = BUF_INIT(64);
    struct aside *first = write_pack(f, bytes_of("hello"), NULL);
    struct aside *second;
    uint32_t first_bytes = first->pack.stored_bytes;

    buf_add(&empty_frame, bytes_of("more")); /* makes it bad, and longer */
    assert_int_equal(aside_publish(f->root, &first, 1), 0);
    aside_free(f->root, first);

    second = write_pack(f, bytes_of("hello"), &empty_frame);
    assert_int_equal(aside_publish(f->root, &second, 1), 0);
    assert_int_equal(second->pack.stored_bytes, first_bytes);
    aside_free(f->root, second);

    second = write_pack(f, bytes_of("hello"), &empty_frame);
    second->is_foreign = true;
    assert_int_equal(aside_publish(f->root, &second, 1), 0);
    assert_int_equal(second->pack.stored_bytes, first_bytes + empty_frame.len);
    aside_free(f->root, second);

    second = write_pack(f, bytes_of("hello"), NULL); /* over a bad one */
    assert_int_equal(aside_publish(f->root, &second, 1), 0);
    assert_int_equal(second->pack.stored_bytes, first_bytes);
    aside_free(f->root, second);
    assert_int_equal(store_fixture_count(f->root, "tmp"), 0);
}

static void a_small_file_replaces_another_or_nothing_happens(void **state)
{
    const struct store_fixture *f = *state;
    char folder[256];
    char path[256];
    unsigned nth = 1;

    store_fixture_path(f, "manifests", folder);
    store_fixture_path(f, "manifests/x", path);
    assert_int_equal(aside_write_file(f->root, folder, path, bytes_of("old")), 0);
    for (; nth < 20; nth++) {
        OWN(buf_fini) struct buf text = BUF_INIT(10);
        int r;

        faults_arm(FAULT_SPACE, nth);
        r = aside_write_file(f->root, folder, path, bytes_of("new"));
        if (!faults_disarm())
            break;
        assert_int_equal(r, STORE_E_FULL);
        assert_int_equal(file_read(path, &text), 0);
        assert_true(strcmp(buf_str(&text), "old") == 0 || nth == 5); /* the folder's fsync() */
    }
    assert_int_equal(nth, 6);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_published_has_its_name_and_may_be_read_by_all),
        TEST(what_is_dropped_leaves_nothing),
        TEST(a_good_pack_of_another_length_stays_but_for_one_from_elsewhere),
        TEST(a_small_file_replaces_another_or_nothing_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
