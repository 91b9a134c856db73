/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "base/buf.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdlib.h>

#include <cmocka.h>

#include "base/own.h"

static void buf_is_an_empty_string_before_anything_is_added(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf b = BUF_INIT(10);

    assert_string_equal(buf_str(&b), "");
    assert_int_equal(buf_bytes(&b).len, 0);
}

static void buf_collects_text_of_all_kinds(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf b = BUF_INIT(1000);

    buf_adds(&b, "a");
    buf_addf(&b, "%d-%s", 7, "b");
    buf_add(&b, (struct bytes){(const uint8_t *)"\0c", 2});
    assert_false(b.failed);
    assert_int_equal(b.len, 6);
    assert_memory_equal(b.ptr, "a7-b\0c", 7); /* with the NUL at the end */
}

static void buf_grows_to_its_maximum_and_not_beyond(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf b = BUF_INIT(5000);

    for (size_t i = 0; i < 5000; i++)
        buf_adds(&b, "x");
    assert_false(b.failed);
    assert_int_equal(b.len, 5000);
    buf_adds(&b, "y");
    assert_true(b.failed);
    assert_int_equal(b.len, 5000);
    buf_adds(&b, "");
    assert_true(b.failed);
}

static void buf_remembers_a_failure_until_it_is_cleared(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf b = BUF_INIT(3);

    buf_addf(&b, "%s", "four");
    assert_true(b.failed);
    buf_adds(&b, "x");
    assert_string_equal(buf_str(&b), "");
    assert_null(buf_take(&b));
    buf_clear(&b);
    buf_adds(&b, "abc");
    assert_false(b.failed);
    assert_string_equal(buf_str(&b), "abc");
}

static void take_hands_the_text_over_and_leaves_the_buffer_usable(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf b = BUF_INIT(100);

    buf_adds(&b, "mine");

    OWN(freep) char *text = buf_take(&b);

    assert_string_equal(text, "mine");
    assert_string_equal(buf_str(&b), "");
    buf_adds(&b, "next");
    assert_string_equal(buf_str(&b), "next");
    assert_string_equal(text, "mine");
}

static void take_of_nothing_is_an_empty_string(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf b = BUF_INIT(100);
    OWN(freep) char *text = buf_take(&b);

    assert_string_equal(text, "");
}

static void fini_may_be_called_twice(void **state)
{
    (void)state;
    struct buf b = BUF_INIT(100);

    buf_adds(&b, "x");
    buf_fini(&b);
    buf_fini(&b);
    assert_string_equal(buf_str(&b), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buf_is_an_empty_string_before_anything_is_added),
        cmocka_unit_test(buf_collects_text_of_all_kinds),
        cmocka_unit_test(buf_grows_to_its_maximum_and_not_beyond),
        cmocka_unit_test(buf_remembers_a_failure_until_it_is_cleared),
        cmocka_unit_test(take_hands_the_text_over_and_leaves_the_buffer_usable),
        cmocka_unit_test(take_of_nothing_is_an_empty_string),
        cmocka_unit_test(fini_may_be_called_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
