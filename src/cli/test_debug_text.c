/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/debug.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/session.h"

static void assert_line(const char *line, const char *json)
{
    OWN(buf_fini) struct buf why = BUF_INIT(4096);
    OWN(session_json_freep) json_t *got = debug_parse_line(line, &why);
    OWN(session_json_freep) json_t *want = json_loads(json, 0, NULL);

    assert_non_null(want);
    assert_true(json_equal(got, want));
}

static void a_line_becomes_a_message(void **state)
{
    (void)state;
    assert_line("step", "{\"command\": \"step\"}");
    assert_line("break 3", "{\"command\": \"break\", \"step\": \"3\"}");
    assert_line("run-to  Install / Apply it",
                "{\"command\": \"run-to\", \"step\": \"Install / Apply it\"}");
    assert_line("clear", "{\"command\": \"clear\"}");
    assert_line("clear 4", "{\"command\": \"clear\", \"step\": \"4\"}");
    assert_line("set A=b=c d", "{\"command\": \"set\", \"name\": \"A\", \"value\": \"b=c d\"}");
    assert_line("set A=", "{\"command\": \"set\", \"name\": \"A\", \"value\": \"\"}");
    assert_line("shell", "{\"command\": \"shell-open\"}");
    assert_line("shell ls -l", "{\"command\": \"shell\", \"data\": \"ls -l\"}");
}

static void what_is_no_command_is_explained(void **state)
{
    (void)state;
    static const char *const lines[] = {"fly", "break", "step 3", "set A", "set =b", "stepp"};

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(4096);

        assert_null(debug_parse_line(lines[i], &why));
        assert_true(why.len > 0);
    }
}

static void people_read_where_it_stopped_and_why(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    OWN(session_json_freep)
    json_t *place =
        json_loads("{\"is_stopped\": true, \"why\": \"error\", \"step\": 2, \"n_steps\": 8,"
                   "\"path\": \"G/Run\", \"error_id\": \"SLW-0430\","
                   "\"message\": \"it failed\"}",
                   0,
                   NULL);

    debug_put_place(&text, place);
    assert_string_equal(buf_str(&text),
                        "Stopped (error) at step 3 of 8: G/Run\nSLW-0430 it failed\n");
}

static void secret_variables_and_escapes_of_a_terminal_are_not_printed(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(4096);
    OWN(session_json_freep)
    json_t *answer = json_loads("{\"variables\": [{\"name\": \"A\", \"value\": \"x\\u001by\"},"
                                "{\"name\": \"P\", \"value\": null, \"is_secret\": true}]}",
                                0,
                                NULL);

    debug_put_answer(&text, answer);
    assert_non_null(strstr(buf_str(&text), "P=***\n"));
    assert_null(strchr(buf_str(&text), '\x1b'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_a_message),
        cmocka_unit_test(what_is_no_command_is_explained),
        cmocka_unit_test(people_read_where_it_stopped_and_why),
        cmocka_unit_test(secret_variables_and_escapes_of_a_terminal_are_not_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
