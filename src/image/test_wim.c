/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <wimlib.h>

#include "base/buf.h"
#include "base/own.h"

/* wimlib complains about a file that is not there. */
static void make_wimlib_complain(void)
{
    WIMStruct *wim = NULL;

    assert_int_not_equal(wimlib_open_wim("/nonexistent/a.wim", 0, &wim), 0);
    assert_null(wim);
}

static void messages_of_wimlib_are_counted_and_name_the_file(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf said = BUF_INIT(1024);

    assert_int_equal(wim_start(), 0);
    make_wimlib_complain();
    assert_true(wim_messages_take(&said) > 0);
    assert_non_null(strstr(buf_str(&said), "/nonexistent/a.wim"));
    assert_true(said.len > 0 && buf_str(&said)[said.len - 1] != '\n');
}

static void a_message_is_taken_once(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf said = BUF_INIT(1024);

    assert_int_equal(wim_start(), 0);
    make_wimlib_complain();
    assert_true(wim_messages_take(&said) > 0);
    buf_clear(&said);
    assert_int_equal(wim_messages_take(&said), 0);
    assert_int_equal(said.len, 0);
}

static void start_drops_what_an_earlier_task_left(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf said = BUF_INIT(1024);

    assert_int_equal(wim_start(), 0);
    make_wimlib_complain();
    assert_int_equal(wim_start(), 0);
    assert_int_equal(wim_messages_take(&said), 0);
    assert_int_equal(said.len, 0);
}

/* The text has an end; that something was said is known all the same. */
static void more_messages_than_are_kept_are_counted(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf said = BUF_INIT(65536);

    assert_int_equal(wim_start(), 0);
    for (unsigned i = 0; i < 200; i++)
        make_wimlib_complain();
    assert_true(wim_messages_take(&said) >= 1);
    assert_in_range(said.len, 1, 4096);
}

static void an_error_is_explained_without_the_warnings_before_it(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf said = BUF_INIT(1024);

    assert_int_equal(wim_start(), 0);
    make_wimlib_complain();
    wim_explain(WIMLIB_ERR_OPEN, &said);
    assert_non_null(strstr(buf_str(&said), "/nonexistent/a.wim"));
    assert_null(strchr(buf_str(&said), '\n'));
    assert_null(strstr(buf_str(&said), "[ERROR]"));
    buf_clear(&said);
    wim_explain(WIMLIB_ERR_OPEN, &said);
    assert_string_equal(buf_str(&said), wimlib_get_error_string(WIMLIB_ERR_OPEN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_wimlib_are_counted_and_name_the_file),
        cmocka_unit_test(a_message_is_taken_once),
        cmocka_unit_test(start_drops_what_an_earlier_task_left),
        cmocka_unit_test(more_messages_than_are_kept_are_counted),
        cmocka_unit_test(an_error_is_explained_without_the_warnings_before_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
