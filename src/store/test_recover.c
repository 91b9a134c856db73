/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/store.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "format/pack/pack.h"
#include "plat/file.h"
#include "store/test_fixture.h"

static void the_index_is_made_again_from_the_packs(void **state)
{
    struct store_fixture *f = *state;
    static const char *const damage[] = {"",
                                         "not a database, but long enough to be taken for one?"};
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;
    char path[256];

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    store_fixture_path(f, "index.db", path);
    assert_int_equal(unlink(path), 0);
    store_fixture_take_in(f, FIXTURE_BYTES, id, &new_bytes);
    assert_int_equal(new_bytes, 0);
    for (size_t i = 0; i < sizeof(damage) / sizeof(damage[0]); i++) {
        assert_int_equal(file_write(path, bytes_of(damage[i]), 0644), 0);
        store_fixture_take_in(f, FIXTURE_BYTES, id, &new_bytes);
        assert_int_equal(new_bytes, 0);
    }
}

/* Wherever a byte of the index is wrong, what is stored is right. */
static void a_damaged_index_never_leads_to_a_wrong_place(void **state)
{
    struct store_fixture *f = *state;
    uint8_t id[SHA256_BYTES];
    char path[256];
    struct stat st;

    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    store_fixture_path(f, "index.db", path);
    for (off_t place = 0; place < 50; place++) {
        if (!file_exists(path)) /* the damage was seen */
            store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
        assert_int_equal(stat(path, &st), 0);
        store_fixture_flip(path, st.st_size * place / 50 + place);
        store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
        store_fixture_assert_stream(f->store, id, (struct bytes){f->content, FIXTURE_BYTES});
    }
}

static void a_pack_that_the_index_does_not_know_is_learnt(void **state)
{
    struct store_fixture *f = *state;
    OWN(buf_fini) struct buf index = BUF_INIT(1 << 24);
    uint8_t id[SHA256_BYTES];
    uint64_t new_bytes;
    char path[256];

    store_fixture_take_in(f, 600000, id, NULL);
    store_fixture_path(f, "index.db", path);
    assert_int_equal(file_read(path, &index), 0);
    store_fixture_take_in(f, FIXTURE_BYTES, id, NULL);
    assert_int_equal(file_write(path, buf_bytes(&index), 0644),
                     0); /* as if killed before the commit */
    store_fixture_take_in(f, FIXTURE_BYTES, id, &new_bytes);
    assert_int_equal(new_bytes, 0);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_index_is_made_again_from_the_packs),
        TEST(a_damaged_index_never_leads_to_a_wrong_place),
        TEST(a_pack_that_the_index_does_not_know_is_learnt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
