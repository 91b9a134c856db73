/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/csv_parts.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */

#include <cmocka.h>

#include "base/own.h"

enum {
    PART_MAX_BYTES = 256,
};

static void each_part_begins_with_the_first_line(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf part = BUF_INIT(PART_MAX_BYTES);
    struct csv_parts parts = {.rest = bytes_of("name,mac\r\na,1\r\nb,2\r\nc,3")};

    assert_true(csv_parts_next(&parts, 2, &part));
    assert_string_equal(buf_str(&part), "name,mac\r\na,1\r\nb,2\r\n");
    assert_int_equal(csv_parts_line(&parts, 3), 3);
    assert_true(csv_parts_next(&parts, 2, &part));
    assert_string_equal(buf_str(&part), "name,mac\r\nc,3");
    assert_int_equal(csv_parts_line(&parts, 2), 4);
    assert_int_equal(csv_parts_line(&parts, 1), 1);
    assert_false(csv_parts_next(&parts, 2, &part));
}

static void a_line_end_between_quotes_ends_no_row(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf part = BUF_INIT(PART_MAX_BYTES);
    struct csv_parts parts = {.rest = bytes_of("name,x\na,\"1\n\"\"2\"\nb,3\n")};

    assert_true(csv_parts_next(&parts, 1, &part));
    assert_string_equal(buf_str(&part), "name,x\na,\"1\n\"\"2\"\n");
    assert_true(csv_parts_next(&parts, 1, &part));
    assert_string_equal(buf_str(&part), "name,x\nb,3\n");
    assert_int_equal(csv_parts_line(&parts, 2), 4);
    assert_false(csv_parts_next(&parts, 1, &part));
}

static void a_file_without_rows_is_one_part_for_the_site_to_judge(void **state)
{
    (void)state;
    static const char *const files[] = {"", "name,mac", "name,mac\n", "\"open"};

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        OWN(buf_fini) struct buf part = BUF_INIT(PART_MAX_BYTES);
        struct csv_parts parts = {.rest = bytes_of(files[i])};

        assert_true(csv_parts_next(&parts, 2, &part));
        assert_string_equal(buf_str(&part), files[i]);
        assert_false(csv_parts_next(&parts, 2, &part));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_begins_with_the_first_line),
        cmocka_unit_test(a_line_end_between_quotes_ends_no_row),
        cmocka_unit_test(a_file_without_rows_is_one_part_for_the_site_to_judge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
