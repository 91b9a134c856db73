/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/tftp_table.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    NOW_US = 100 * 1000 * 1000,
};

static unsigned admit(struct tftp_table *table, uint32_t source, uint16_t port, uint64_t now_us)
{
    unsigned row;

    assert_int_equal(tftp_table_admit(table, source, port, now_us, &row), 0);
    return row;
}

static void find_knows_source_and_port(void **state)
{
    (void)state;
    struct tftp_table table = {0};
    unsigned row = admit(&table, 1, 2, NOW_US);
    unsigned found;

    assert_true(tftp_table_find(&table, 1, 2, &found));
    assert_int_equal(found, row);
    assert_false(tftp_table_find(&table, 1, 3, &found));
    assert_false(tftp_table_find(&table, 2, 2, &found));
    tftp_table_drop(&table, row);
    assert_false(tftp_table_find(&table, 1, 2, &found));
    assert_int_equal(table.n_used, 0);
}

static void a_ninth_of_one_source_pushes_out_its_oldest(void **state)
{
    (void)state;
    struct tftp_table table = {0};
    unsigned row;
    unsigned other = admit(&table, 7, 1, 1); /* older, but of another source */

    for (unsigned port = 1; port <= TFTP_TABLE_ROWS_PER_SOURCE; port++)
        (void)admit(&table, 5, (uint16_t)port, NOW_US + port);
    assert_int_equal(tftp_table_admit(&table, 5, 99, NOW_US + 50, &row), TFTP_TABLE_E_EVICT);
    assert_int_not_equal(row, other);
    assert_int_equal(table.rows[row].port, 1);
    tftp_table_drop(&table, row);
    assert_int_equal(admit(&table, 5, 99, NOW_US + 50), row);
}

static void proven_transfers_give_way_only_when_they_are_still(void **state)
{
    (void)state;
    struct tftp_table table = {0};
    unsigned row;
    const uint64_t still_us = NOW_US + TFTP_TABLE_STILL_US;

    for (unsigned port = 1; port <= TFTP_TABLE_ROWS_PER_SOURCE; port++)
        tftp_table_touch(
            &table, admit(&table, 5, (uint16_t)port, NOW_US), NOW_US + (port == 3 ? 0 : port));
    assert_int_equal(tftp_table_admit(&table, 5, 99, still_us - 1, &row), TFTP_TABLE_E_BUSY);
    assert_int_equal(tftp_table_admit(&table, 5, 99, still_us, &row), TFTP_TABLE_E_EVICT);
    assert_int_equal(table.rows[row].port, 3);
}

static void a_flood_pushes_out_itself_and_no_working_transfer(void **state)
{
    (void)state;
    struct tftp_table table = {0};
    unsigned row = admit(&table, 1, 1, NOW_US);
    uint64_t now_us = NOW_US;

    tftp_table_touch(&table, row, NOW_US);
    for (uint32_t source = 2; source < 5000; source++) {
        unsigned other;

        if (tftp_table_admit(&table, source, 1, ++now_us, &other) == TFTP_TABLE_E_EVICT) {
            assert_int_not_equal(other, row);
            tftp_table_drop(&table, other);
            (void)admit(&table, source, 1, now_us);
        }
    }
    assert_int_equal(table.n_used, TFTP_TABLE_ROWS);
    assert_true(table.rows[row].is_used && table.rows[row].source == 1);
}

static void a_request_is_a_repeat_while_the_first_is_unproven_or_moving(void **state)
{
    (void)state;
    struct tftp_table table = {0};
    unsigned row = admit(&table, 1, 1, NOW_US);

    assert_true(tftp_table_is_repeat(&table, row, NOW_US + UINT64_C(9000000)));
    tftp_table_touch(&table, row, NOW_US);
    assert_true(tftp_table_is_repeat(&table, row, NOW_US + TFTP_TABLE_REPEAT_US - 1));
    assert_false(tftp_table_is_repeat(&table, row, NOW_US + TFTP_TABLE_REPEAT_US));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_knows_source_and_port),
        cmocka_unit_test(a_ninth_of_one_source_pushes_out_its_oldest),
        cmocka_unit_test(proven_transfers_give_way_only_when_they_are_still),
        cmocka_unit_test(a_flood_pushes_out_itself_and_no_working_transfer),
        cmocka_unit_test(a_request_is_a_repeat_while_the_first_is_unproven_or_moving),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
