/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/values.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/commands.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 256,
    ARGV_MAX = 16,
};

static void reads(const char *text, const char *name, const char *value, bool is_hidden)
{
    OWN(session_fini) struct session s;
    OWN(buf_fini) struct buf got_name = BUF_INIT(VALUES_NAME_MAX_BYTES);
    OWN(buf_fini) struct buf got_value = BUF_INIT(VALUES_VALUE_MAX_BYTES);
    bool got_hidden = !is_hidden;

    session_init(&s, ARGS_FORMAT_TABLE);
    assert_true(values_read(&s, text, &got_name, &got_value, &got_hidden));
    assert_string_equal(buf_str(&got_name), name);
    assert_string_equal(buf_str(&got_value), value);
    assert_int_equal(got_hidden, is_hidden);
}

static void a_value_is_what_stands_behind_the_first_equals_sign(void **state)
{
    (void)state;
    reads("A=b", "A", "b", false);
    reads("A=b=c", "A", "b=c", false);
    reads("A=", "A", "", false);
    reads("A=@@b", "A", "@b", false);
}

static void a_file_gives_the_value_without_its_last_line_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *value;
    } cases[] = {{"x\n", "x"}, {"x\r\n", "x"}, {"x\n\n", "x\n"}, {" x ", " x "}, {"", ""}};
    char folder[] = "/tmp/slipway-values-XXXXXX";
    char path[PATH_MAX_BYTES];
    char words[PATH_MAX_BYTES + 8];

    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/value", folder);
    (void)snprintf(words, sizeof(words), "A=@%s", path);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(file_write(path, bytes_of(cases[i].text), 0600), 0);
        reads(words, "A", cases[i].value, true);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* Run "slipway WORDS", separated by '|'; without any site. */
static enum args_exit run(const char *words)
{
    OWN(session_fini) struct session s;
    OWN(buf_fini) struct buf why = BUF_INIT(VALUES_NAME_MAX_BYTES);
    OWN(freep) char *copy = strdup(words);
    char program[] = "slipway";
    char *argv[ARGV_MAX] = {program};
    char *rest = copy;
    struct args args;
    int argc = 1;

    while (rest && argc < ARGV_MAX) {
        argv[argc++] = rest;
        rest = strchr(rest, '|');
        if (rest)
            *rest++ = '\0';
    }
    assert_int_equal(args_parse(commands, argc, argv, &args, &why), 0);
    session_init(&s, args.format);
    assert_int_equal(
        http_client_new(&(struct http_client_options){.base_url = "http://site",
                                                      .unix_socket = "/nonexistent/site.sock"},
                        &s.client),
        0);
    (void)args.command->run(&s, &args);
    return s.exit_code;
}

static void a_secret_on_the_command_line_is_refused_before_anything_is_sent(void **state)
{
    (void)state;
    static const char *const secret[] = {
        "collection|variable|set|Lab|A=b|--secret",
        "device|variable|set|pc|LocalPassword=b",
        "ts|step|set|T|S|UserPassword=b",
        "ts|step|set|T|S|run-as-password=b",
        "ts|step|set|T|S|OSDJoinPassword=b",
        "ts|step|add|T|--type|Apply Windows Settings|ProductKey=b",
        "ts|step|set|T|S|VariableName=A|VariableValue=b|DoNotShowVariableValue=true",
    };
    static const char *const open[] = {
        "collection|variable|set|Lab|A=b",
        "ts|step|set|T|S|UserPassword=",
        "ts|step|set|T|S|VariableName=A|VariableValue=b",
    };

    for (size_t i = 0; i < sizeof(secret) / sizeof(secret[0]); i++)
        assert_int_equal(run(secret[i]), ARGS_EXIT_USAGE);
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
        assert_int_equal(run(open[i]), ARGS_EXIT_UNREACHABLE);
}

static void types_of_steps_are_listed_without_a_site(void **state)
{
    (void)state;
    assert_int_equal(run("ts|step|types"), ARGS_EXIT_OK);
    assert_int_equal(run("ts|step|types|restart computer"), ARGS_EXIT_OK);
    assert_int_equal(run("ts|step|types|Dance"), ARGS_EXIT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_is_what_stands_behind_the_first_equals_sign),
        cmocka_unit_test(a_file_gives_the_value_without_its_last_line_end),
        cmocka_unit_test(a_secret_on_the_command_line_is_refused_before_anything_is_sent),
        cmocka_unit_test(types_of_steps_are_listed_without_a_site),
    };

    return cmocka_run_group_tests_name("cli/values", tests, NULL, NULL);
}
