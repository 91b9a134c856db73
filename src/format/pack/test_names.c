/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/names.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "tests/faults.h"

enum {
    N_NAMES = 5000,
};

/* Names of which many begin alike, so that they want one slot. */
static void name_of(uint32_t n, uint8_t ret[SHA256_BYTES])
{
    uint32_t begin = n % 7;

    memset(ret, 0, SHA256_BYTES);
    memcpy(ret, &begin, sizeof(begin));
    memcpy(ret + 8, &n, sizeof(n));
}

static void get_finds_every_name_that_was_put_and_no_other(void **state)
{
    (void)state;
    OWN(names_fini) struct names names = {0};
    uint8_t name[SHA256_BYTES];
    uint64_t number;

    name_of(0, name);
    assert_false(names_get(&names, name, &number));
    for (uint32_t i = 0; i < N_NAMES; i++) {
        name_of(i, name);
        assert_int_equal(names_put(&names, name, (uint64_t)i << 32), 0);
    }
    assert_int_equal(names.n, N_NAMES);
    for (uint32_t i = 0; i < 2 * N_NAMES; i++) {
        name_of(i, name);
        assert_int_equal(names_get(&names, name, &number), i < N_NAMES);
        if (i < N_NAMES)
            assert_true(number == (uint64_t)i << 32);
    }
}

static void put_replaces_a_number(void **state)
{
    (void)state;
    OWN(names_fini) struct names names = {0};
    uint8_t name[SHA256_BYTES];
    uint64_t number;

    name_of(1, name);
    assert_int_equal(names_put(&names, name, 0), 0);
    assert_int_equal(names_put(&names, name, UINT64_MAX - 1), 0);
    assert_true(names_get(&names, name, &number));
    assert_true(number == UINT64_MAX - 1);
    assert_int_equal(names.n, 1);
    names_fini(&names);
    assert_false(names_get(&names, name, &number));
}

static void put_without_memory_is_an_error_and_keeps_what_is_there(void **state)
{
    (void)state;
    OWN(names_fini) struct names names = {0};
    uint8_t name[SHA256_BYTES];
    uint64_t number;
    uint32_t n = 0;
    int r = 0;

    name_of(n, name);
    assert_int_equal(names_put(&names, name, n), 0);
    faults_arm(FAULT_MEMORY, 1);
    while (r == 0) {
        name_of(++n, name);
        r = names_put(&names, name, n);
    }
    assert_true(faults_disarm());
    assert_true(r < 0);
    for (uint32_t i = 0; i < n; i++) {
        name_of(i, name);
        assert_true(names_get(&names, name, &number));
        assert_int_equal(number, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(get_finds_every_name_that_was_put_and_no_other),
        cmocka_unit_test(put_replaces_a_number),
        cmocka_unit_test(put_without_memory_is_an_error_and_keeps_what_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
