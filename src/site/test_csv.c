/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/csv.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static void fields_are_what_stands_between_commas(void **state)
{
    (void)state;
    OWN(csv_fini)
    struct csv csv = {.rest = bytes_of("name,mac\r\n\r\n\"a,\"\"b\"\"\n\",,c\nlast")};

    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_int_equal(csv.n_fields, 2);
    assert_string_equal(csv_field(&csv, 0), "name");
    assert_string_equal(csv_field(&csv, 1), "mac");
    assert_string_equal(csv_field(&csv, 2), "");
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_int_equal(csv.line, 3);
    assert_int_equal(csv.n_fields, 3);
    assert_string_equal(csv_field(&csv, 0), "a,\"b\"\n");
    assert_string_equal(csv_field(&csv, 1), "");
    assert_string_equal(csv_field(&csv, 2), "c");
    assert_int_equal(csv_next(&csv), CSV_ROW);
    assert_int_equal(csv.line, 5);
    assert_string_equal(csv_field(&csv, 0), "last");
    assert_int_equal(csv_next(&csv), 0);
}

static void what_is_no_csv_ends_it(void **state)
{
    (void)state;
    static const char *const wrong[] = {"\"open", "a\"b\n", "\"a\"b\n", "a\rb\n\"x"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        OWN(csv_fini) struct csv csv = {.rest = bytes_of(wrong[i])};
        int r;

        while ((r = csv_next(&csv)) == CSV_ROW)
            ;
        assert_int_equal(r, CSV_E_WRONG);
        assert_int_equal(csv_next(&csv), 0);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)2 * CSV_ROW_MAX_BYTES);
    OWN(csv_fini) struct csv many = {0};
    OWN(csv_fini) struct csv large = {0};

    for (int i = 0; i < CSV_FIELDS_MAX; i++)
        buf_adds(&text, ",");
    many.rest = buf_bytes(&text);
    assert_int_equal(csv_next(&many), CSV_E_WRONG);
    buf_clear(&text);
    for (int i = 0; i <= CSV_ROW_MAX_BYTES; i++)
        buf_adds(&text, "x");
    large.rest = buf_bytes(&text);
    assert_int_equal(csv_next(&large), CSV_E_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_what_stands_between_commas),
        cmocka_unit_test(what_is_no_csv_ends_it),
        cmocka_unit_test(limits_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
