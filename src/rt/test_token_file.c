/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/token_file.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plat/file.h"

static char folder[32];

static int set_up(void **state)
{
    char path[64];

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_token_file_XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/run", folder);
    if (dir_make(path, 0755) < 0)
        return -1;
    (void)snprintf(path, sizeof(path), "%s/run/token", folder);
    return dir_make(path, 0755);
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void write_token(const char *text)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "%s/" TOKEN_FILE, folder);
    assert_int_equal(file_write(path, bytes_of(text), 0440), 0);
}

static void where_there_is_no_file_none_is_shown(void **state)
{
    (void)state;
    struct token_file file = {folder};
    struct http_tokens tokens = token_file_tokens(&file);
    char token[64] = "x";

    assert_int_equal(tokens.put(tokens.ctx, token, sizeof(token)), 0);
    assert_string_equal(token, "");
    assert_false(tokens.refuse(tokens.ctx, ""));
}

static void the_token_is_that_of_now_and_one_that_was_refused_is_worth_another_look(void **state)
{
    (void)state;
    struct token_file file = {folder};
    struct http_tokens tokens = token_file_tokens(&file);
    char token[64] = "";

    write_token("slw_dpt_one");
    assert_int_equal(tokens.put(tokens.ctx, token, sizeof(token)), 0);
    assert_string_equal(token, "slw_dpt_one");
    assert_false(tokens.refuse(tokens.ctx, token));
    write_token("slw_dpt_two");
    assert_true(tokens.refuse(tokens.ctx, token));
    assert_int_equal(tokens.put(tokens.ctx, token, sizeof(token)), 0);
    assert_string_equal(token, "slw_dpt_two");
}

static void one_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    struct token_file file = {folder};
    struct http_tokens tokens = token_file_tokens(&file);
    char token[12] = "";
    char longest[512];

    write_token("slw_dpt_one");
    assert_int_equal(tokens.put(tokens.ctx, token, sizeof(token)), 0);
    assert_true(tokens.put(tokens.ctx, token, sizeof(token) - 1) < 0);
    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    write_token(longest);
    assert_true(tokens.put(tokens.ctx, token, sizeof(token)) < 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(where_there_is_no_file_none_is_shown),
        TEST(the_token_is_that_of_now_and_one_that_was_refused_is_worth_another_look),
        TEST(one_that_does_not_fit_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
