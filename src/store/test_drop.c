/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"
#include "store/test_fixture.h"

enum {
    OLD_S = 25 * 60 * 60,
};

static void make_old(const char *path, time_t age_s)
{
    struct stat st;
    struct timespec times[2];

    assert_int_equal(stat(path, &st), 0);
    times[0] = times[1] = (struct timespec){.tv_sec = st.st_mtim.tv_sec - age_s};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void manifests_that_nobody_names_go_when_they_are_old(void **state)
{
    struct store_fixture *f = *state;
    uint8_t ids[3][SHA256_BYTES] = {{0}};
    char path[STORE_PATH_MAX];
    size_t n;

    store_fixture_take_in(f, FIXTURE_BYTES, ids[0], NULL);
    store_fixture_take_in(f, 10000, ids[1], NULL);
    for (size_t i = 0; i < 2; i++) {
        store_manifest_path(f->store, ids[i], path);
        make_old(path, OLD_S);
    }
    /* one that is needed again is written again, so it is young */
    store_fixture_take_in(f, 10000, ids[1], NULL);
    assert_int_equal(store_begin(f->store), 0);
    {
        OWN(store_freep) struct store *other = NULL;

        assert_int_equal(store_new(f->root, &other), 0);
        assert_int_equal(store_drop_manifests(other, ids, 3, STORE_GRACE_US, &n), STORE_E_BUSY);
    }
    store_end(f->store);
    assert_int_equal(store_drop_manifests(f->store, ids, 3, STORE_GRACE_US, &n), 0);
    assert_int_equal(n, 1);
    store_manifest_path(f->store, ids[0], path);
    assert_false(file_exists(path));
    store_fixture_assert_good(f->store, ids[1]);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(manifests_that_nobody_names_go_when_they_are_old),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
