/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "cli/commands.h"

enum {
    WORDS_MAX = 10,
    TEXT_MAX_BYTES = 64 * 1024,
};

/* argv has never been const, though nobody writes to it. */
static char *const *words_of(const char *const words[])
{
    union {
        const char *const *from;
        char *const *to;
    } view = {.from = words};

    return view.to;
}

static int parse(const char *const words[], struct args *ret, struct buf *why)
{
    int n = 0;

    while (n < WORDS_MAX && words[n])
        n++;
    return args_parse(commands, n, words_of(words), ret, why);
}

static void parse_takes_options_before_and_after_operands(void **state)
{
    (void)state;
    static const char *const cases[][WORDS_MAX] = {
        {"slipway", "os-image", "add", "a.wim", "--name", "N", "--comment=a=b"},
        {"slipway", "os-image", "add", "--name=N", "a.wim", "--comment", "a=b"},
        {"slipway", "os-image", "add", "--comment", "a=b", "--name", "N", "--", "a.wim"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
        struct args args;

        assert_int_equal(parse(cases[i], &args, &why), 0);
        assert_int_equal(args.ask, ARGS_ASK_RUN);
        assert_ptr_equal(args.command->run, content_add_file);
        assert_string_equal(args.operands[0], "a.wim");
        assert_string_equal(args_get(&args, "name"), "N");
        assert_string_equal(args_get(&args, "comment"), "a=b");
        assert_null(args_get(&args, "version"));
        assert_int_equal(args.format, ARGS_FORMAT_TABLE);
    }
}

static void parse_takes_what_looks_like_an_option_behind_two_dashes(void **state)
{
    (void)state;
    static const char *const words[WORDS_MAX] = {"slipway", "collection", "create", "--", "--help"};
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
    struct args args;

    assert_int_equal(parse(words, &args, &why), 0);
    assert_int_equal(args.ask, ARGS_ASK_RUN);
    assert_string_equal(args.operands[0], "--help");
}

static void parse_lets_an_operand_in_brackets_be_missing(void **state)
{
    (void)state;
    static const char *const with[WORDS_MAX] = {
        "slipway", "os-image", "update", "SLP00002", "a.wim"};
    static const char *const without[WORDS_MAX] = {"slipway", "os-image", "update", "SLP00002"};
    static const char *const neither[WORDS_MAX] = {"slipway", "os-image", "update"};
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
    struct args args;

    assert_int_equal(parse(with, &args, &why), 0);
    assert_string_equal(args.operands[1], "a.wim");
    assert_int_equal(parse(without, &args, &why), 0);
    assert_null(args.operands[1]);
    assert_int_equal(parse(neither, &args, &why), 1);
}

static void parse_takes_one_dash_as_an_operand(void **state)
{
    (void)state;
    static const char *const words[WORDS_MAX] = {
        "slipway", "ts", "validate", "-", "--output", "yaml"};
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
    struct args args;

    assert_int_equal(parse(words, &args, &why), 0);
    assert_string_equal(args.operands[0], "-");
    assert_int_equal(args.format, ARGS_FORMAT_YAML);
}

static void parse_refuses_wrong_usage_and_says_why(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX];
        const char *why;
    } cases[] = {
        {{"slipway"}, "is missing"},
        {{"slipway", "vm", "list"}, "no command \"vm\""},
        {{"slipway", "device"}, "what to do with device"},
        {{"slipway", "device", "wipe"}, "\"wipe\" cannot"},
        {{"slipway", "device", "show"}, "DEVICE is missing"},
        {{"slipway", "device", "show", "a", "b"}, "\"b\" is one word too many"},
        {{"slipway", "upgrade-package", "update", "a", "b", "c"}, "\"c\" is one word too many"},
        {{"slipway", "device", "list", "--all"}, "no option \"--all\""},
        {{"slipway", "device", "list", "-x"}, "no option \"-x\""},
        {{"slipway", "device", "list", "--outp", "json"}, "no option \"--outp\""},
        {{"slipway", "device", "list", "--output", "xml"}, "one of table|json|yaml|csv|name|wide"},
        {{"slipway", "device", "list", "--output", "jso"}, "one of table|json|yaml|csv|name|wide"},
        {{"slipway", "device", "list", "--output", ""}, "one of table|json|yaml|csv|name|wide"},
        {{"slipway", "device", "list", "--output"}, "wants a value"},
        {{"slipway", "deployment", "create"}, "--task-sequence is missing"},
        {{"slipway", "device", "import", "a", "--mac", "1", "--mac", "2"}, "given twice"},
        {{"slipway", "log", "--follow=yes"}, "takes no value"},
        {{"slipway", "boot-image", "build", "--arch", "arm"}, "one of x64"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
        struct args args;

        assert_int_equal(parse(cases[i].words, &args, &why), 1);
        assert_non_null(strstr(buf_str(&why), cases[i].why));
    }
}

static void parse_answers_questions_for_help_at_each_depth(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX];
        const char *shown;
        const char *hidden;
    } cases[] = {
        {{"slipway", "--help"}, "explain-boot", "--mac MAC"},
        {{"slipway", "-h"}, "deployment", "--mac MAC"},
        {{"slipway", "device", "--help"}, "explain-boot", "boundary"},
        {{"slipway", "device", "import", "--help"}, "--mac MAC", "explain-boot"},
        {{"slipway", "deployment", "create", "-h"}, "required|available", "explain-boot"},
        {{"slipway", "status", "--help"}, "table|json|yaml|csv|name|wide", "explain-boot"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
        struct args args;

        assert_int_equal(parse(cases[i].words, &args, &text), 0);
        assert_int_equal(args.ask, ARGS_ASK_HELP);
        args_put_help(&text, &args);
        assert_non_null(strstr(buf_str(&text), cases[i].shown));
        assert_null(strstr(buf_str(&text), cases[i].hidden));
    }
}

static void table_has_no_row_twice_and_each_row_is_whole(void **state)
{
    (void)state;

    for (const struct args_command *a = commands; a->noun; a = args_next(a)) {
        assert_non_null(a->run);
        assert_non_null(a->summary);
        for (const struct args_command *b = args_next(a); b->noun; b = args_next(b)) {
            if (strcmp(a->noun, b->noun) == 0)
                assert_true(a->verb && b->verb && strcmp(a->verb, b->verb) != 0);
        }
        for (const struct args_option *o = a->options; o->name; o++) {
            assert_non_null(o->help);
            assert_true(o->value || !o->choices);
            assert_string_not_equal(o->name, "output");
        }
    }
}

static void the_last_operand_may_be_given_more_than_once(void **state)
{
    (void)state;
    static const char *const words[] = {
        "slipway", "os-image", "update", "Debian", "a.swm", "a2.swm", "a3.swm", NULL};
    OWN(buf_fini) struct buf why = BUF_INIT(TEXT_MAX_BYTES);
    char *many[3 + ARGS_WORDS_MAX + 1];
    struct args args;

    assert_int_equal(parse(words, &args, &why), 0);
    assert_int_equal(args.n_operands, 4);
    assert_string_equal(args.operands[3], "a3.swm");
    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++)
        many[i] = words_of(words)[i < 6 ? i : 6];
    assert_int_equal(args_parse(commands, 3 + ARGS_WORDS_MAX, many, &args, &why), 0);
    assert_int_equal(args_parse(commands, 3 + ARGS_WORDS_MAX + 1, many, &args, &why), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_operand_may_be_given_more_than_once),
        cmocka_unit_test(parse_takes_options_before_and_after_operands),
        cmocka_unit_test(parse_takes_what_looks_like_an_option_behind_two_dashes),
        cmocka_unit_test(parse_lets_an_operand_in_brackets_be_missing),
        cmocka_unit_test(parse_takes_one_dash_as_an_operand),
        cmocka_unit_test(parse_refuses_wrong_usage_and_says_why),
        cmocka_unit_test(parse_answers_questions_for_help_at_each_depth),
        cmocka_unit_test(table_has_no_row_twice_and_each_row_is_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
