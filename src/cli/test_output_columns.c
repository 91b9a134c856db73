/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/output_columns.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/session.h"

enum {
    TEXT_MAX_BYTES = 64 * 1024,
};

static const struct output_column columns[] = {
    {"NAME", "name", OUTPUT_TEXT},
    {"SIZE", "size.bytes", OUTPUT_BYTES},
    {0},
};

static json_t *read_rows(const char *text)
{
    json_t *rows = json_loads(text, 0, NULL);

    assert_non_null(rows);
    return rows;
}

static void assert_csv(const char *rows_text, const struct output_column *which, const char *wanted)
{
    OWN(session_json_freep) json_t *rows = read_rows(rows_text);
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    assert_int_equal(output_put_csv(&text, rows, which), 0);
    assert_string_equal(buf_str(&text), wanted);
}

static void csv_has_the_values_of_the_columns_as_they_are(void **state)
{
    (void)state;
    assert_csv("[{\"name\": \"PC1\", \"size\": {\"bytes\": 1500}, \"more\": 1}, {\"name\": null}]",
               columns,
               "name,size.bytes\r\n\"PC1\",1500\r\n,\r\n");
    assert_csv("[]", columns, "name,size.bytes\r\n");
}

static void csv_quotes_and_lets_no_formula_through(void **state)
{
    (void)state;
    assert_csv(
        "[{\"name\": \"a \\\"b\\\", c\\nd\"}, {\"name\": \"=1+1\"}, {\"name\": [\"@x\", \"=y\"]}]",
        columns,
        "name,size.bytes\r\n\"a \"\"b\"\", c\nd\",\r\n\"'=1+1\",\r\n\"'@x =y\",\r\n");
}

static void csv_without_columns_has_all_that_fits_a_cell(void **state)
{
    (void)state;
    assert_csv("[{\"a\": 1, \"b\": {\"c\": true, \"d\": [{\"e\": 1}]}}, {\"f\": 0.5, \"a\": 2}]",
               NULL,
               "a,b.c,f\r\n1,true,\r\n2,,0.5\r\n");
}

static void the_name_is_the_id_or_what_there_is(void **state)
{
    (void)state;
    OWN(session_json_freep)
    json_t *rows = read_rows(
        "[{\"id\": \"SLP00001\", \"name\": \"A\"}, {\"name\": \"B\\u001b[2J\"}, {\"first\": \"C\"}, {}]");
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    static const struct output_column others[] = {{"FIRST", "first", OUTPUT_TEXT}, {0}};

    output_put_names(&text, rows, others);
    assert_string_equal(buf_str(&text), "SLP00001\nB\\x1b[2J\nC\n");
}

static void other_members_come_behind_the_known_columns(void **state)
{
    (void)state;
    OWN(session_json_freep)
    json_t *rows =
        read_rows("[{\"id\": \"1\", \"name\": \"A\", \"size\": {\"bytes\": 1, \"in_packs\": 2}}]");
    OWN(output_columns_fini) struct output_columns all = {.n = 0};

    assert_int_equal(output_gather_columns(rows, columns, &all), 0);
    assert_int_equal(all.n, 4);
    assert_string_equal(all.items[1].title, "SIZE");
    assert_string_equal(all.items[2].path, "id");
    assert_string_equal(all.items[3].title, "SIZE IN PACKS");
    assert_null(all.items[4].title);
}

static void there_are_no_more_columns_than_so_many(void **state)
{
    (void)state;
    OWN(session_json_freep) json_t *rows = json_pack("[{}]");
    OWN(output_columns_fini) struct output_columns all = {.n = 0};

    for (int i = 0; i < OUTPUT_COLUMNS_MAX + 5; i++) {
        char name[16];

        (void)snprintf(name, sizeof(name), "m%d", i);
        assert_int_equal(json_object_set_new(json_array_get(rows, 0), name, json_integer(i)), 0);
    }
    assert_int_equal(output_gather_columns(rows, columns, &all), 0);
    assert_int_equal(all.n, OUTPUT_COLUMNS_MAX);
    assert_null(all.items[OUTPUT_COLUMNS_MAX].title);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_has_the_values_of_the_columns_as_they_are),
        cmocka_unit_test(csv_quotes_and_lets_no_formula_through),
        cmocka_unit_test(csv_without_columns_has_all_that_fits_a_cell),
        cmocka_unit_test(the_name_is_the_id_or_what_there_is),
        cmocka_unit_test(other_members_come_behind_the_known_columns),
        cmocka_unit_test(there_are_no_more_columns_than_so_many),
    };

    return cmocka_run_group_tests_name("cli/output_columns", tests, NULL, NULL);
}
