/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    TEXT_MAX_BYTES = 16 * 1024,
};

static const struct output_column columns[] = {
    {"NAME", "name", OUTPUT_TEXT},
    {"SIZE", "size.bytes", OUTPUT_BYTES},
    {"SEEN", "seen", OUTPUT_TIME},
    {"STEP", "step", OUTPUT_STEP},
    {"TOOK", "took", OUTPUT_SPAN},
    {"MACS", "macs", OUTPUT_TEXT},
    {0},
};

static const char rows_json[] =
    "[{\"name\": \"PC1\", \"size\": {\"bytes\": 1500}, \"seen\": \"2026-11-21T09:30:05Z\", \"step\": 0,"
    "  \"took\": 61000, \"macs\": [\"a\", \"b\"]},"
    " {\"name\": \"\\u001b[2Jx\", \"size\": null, \"seen\": null, \"step\": 11, \"macs\": []}]";

static void put_table_shows_a_row_per_item(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *rows = json_loads(rows_json, 0, NULL);

    assert_non_null(rows);
    assert_int_equal(output_put_table(&text, rows, columns), 0);
    json_decref(rows);
    assert_non_null(strstr(buf_str(&text), "NAME"));
    assert_non_null(strstr(buf_str(&text), "PC1"));
    assert_non_null(strstr(buf_str(&text), "1.5 kB"));
    assert_non_null(strstr(buf_str(&text), "2026-11-21 09:30:05"));
    assert_non_null(strstr(buf_str(&text), "1 m 01 s"));
    assert_non_null(strstr(buf_str(&text), "a, b"));
    assert_non_null(strstr(buf_str(&text), " 12 "));
    assert_int_equal(buf_str(&text)[text.len - 1], '\n');
}

static void put_table_lets_no_escape_sequence_through(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *rows = json_loads(rows_json, 0, NULL);

    assert_int_equal(output_put_table(&text, rows, columns), 0);
    json_decref(rows);
    assert_null(strchr(buf_str(&text), '\x1b'));
    assert_non_null(strstr(buf_str(&text), "x1b[2Jx"));
}

static void put_table_shows_a_backslash_once_and_its_columns_line_up(void **state)
{
    (void)state;
    static const struct output_column two[] = {
        {"PATH", "path", OUTPUT_TEXT}, {"NAME", "name", OUTPUT_TEXT}, {0}};
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *rows = json_pack("[{s:s,s:s},{s:s,s:s}]",
                             "path",
                             "C:\\xampp",
                             "name",
                             "one",
                             "path",
                             "/a\nb",
                             "name",
                             "two");

    assert_int_equal(output_put_table(&text, rows, two), 0);
    json_decref(rows);
    assert_string_equal(buf_str(&text),
                        "PATH     NAME\n"
                        "C:\\xampp one\n"
                        "/a\\x0ab  two\n");
}

static void put_table_of_nothing_is_nothing(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *rows = json_array();

    assert_int_equal(output_put_table(&text, rows, columns), 0);
    json_decref(rows);
    assert_string_equal(buf_str(&text), "");
}

static void put_fields_aligns_values_and_leaves_out_what_is_absent(void **state)
{
    (void)state;
    static const struct output_column fields[] = {
        {"Id", "id", OUTPUT_TEXT},
        {"Comment", "comment", OUTPUT_TEXT},
        {"Missing", "a.b", OUTPUT_TEXT},
        {"Imported", "is_imported", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    json_t *value = json_loads(
        "{\"id\": 7, \"comment\": \"a 'b' \\\"c\\\"\", \"is_imported\": false}", 0, NULL);

    output_put_fields(&text, value, fields);
    json_decref(value);
    assert_string_equal(buf_str(&text), "Id:       7\nComment:  a 'b' \"c\"\nImported: no\n");
}

static void put_value_keeps_to_ascii_on_a_terminal(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf file = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf terminal = BUF_INIT(TEXT_MAX_BYTES);
    json_t *value = json_string("\xc2\x9b");

    assert_int_equal(output_put_value(&file, value, ARGS_FORMAT_JSON, false), 0);
    assert_int_equal(output_put_value(&terminal, value, ARGS_FORMAT_JSON, true), 0);
    json_decref(value);
    assert_string_equal(buf_str(&file), "\"\xc2\x9b\"\n");
    assert_string_equal(buf_str(&terminal), "\"\\u009B\"\n");
}

static void at_follows_a_path_and_finds_nothing_where_nothing_is(void **state)
{
    (void)state;
    json_t *value = json_loads("{\"a\": {\"b\": 5, \"n\": -1}, \"t\": \"x\"}", 0, NULL);

    assert_int_equal(output_u64(value, "a.b"), 5);
    assert_int_equal(output_u64(value, "a.n"), 0);
    assert_int_equal(output_u64(value, "a.b.c"), 0);
    assert_string_equal(output_text(value, "t"), "x");
    assert_string_equal(output_text(value, "a"), "");
    assert_null(output_at(value, "x.y"));
    assert_null(output_at(NULL, "x"));
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(put_table_shows_a_row_per_item),
        cmocka_unit_test(put_table_lets_no_escape_sequence_through),
        cmocka_unit_test(put_table_shows_a_backslash_once_and_its_columns_line_up),
        cmocka_unit_test(put_table_of_nothing_is_nothing),
        cmocka_unit_test(put_fields_aligns_values_and_leaves_out_what_is_absent),
        cmocka_unit_test(put_value_keeps_to_ascii_on_a_terminal),
        cmocka_unit_test(at_follows_a_path_and_finds_nothing_where_nothing_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
