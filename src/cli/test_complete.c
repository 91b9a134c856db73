/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/complete.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

enum {
    TEXT_MAX_BYTES = 4096,
    WORDS_MAX = 6,
};

static const struct args_command more[] = {
    {.noun = "image",
     .verb = "add",
     .operands = {"FILE"},
     .summary = "Add an image.",
     .options = {{.name = "name", .value = "NAME", .help = "Its name."},
                 {.name = "notes", .value = "@FILE", .help = "Where the notes are."},
                 {.name = "arch", .value = "A", .choices = "x64|x86|arm64", .help = "For what."},
                 {.name = "tag", .value = "T", .help = "A tag.", .may_repeat = true},
                 {.name = "force", .help = "Replace it."}}},
    {.noun = NULL},
};

static const struct args_command table[] = {
    {.noun = "status", .summary = "Show the site."},
    {.noun = "image", .verb = "list", .summary = "List the images."},
    {.noun = NULL, .more = more},
};

static void assert_complete(const char *const words[], const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    size_t n = 0;

    while (n < WORDS_MAX && words[n])
        n++;
    complete_put(&text, table, words, n);
    assert_string_equal(buf_str(&text), wanted);
}

static void the_first_word_is_a_noun_once(void **state)
{
    (void)state;
    assert_complete((const char *[WORDS_MAX]){""},
                    "status\tShow the site.\nimage\t\n--help\tShow every command.\n"
                    "--version\tShow the version.\n");
    assert_complete((const char *[WORDS_MAX]){"im"}, "image\t\n");
    assert_complete((const char *[WORDS_MAX]){"--v"}, "--version\tShow the version.\n");
    assert_complete((const char *[WORDS_MAX]){"x"}, "");
}

static void the_second_word_is_a_verb_of_the_noun(void **state)
{
    (void)state;
    assert_complete((const char *[WORDS_MAX]){"image", ""},
                    "list\tList the images.\nadd\tAdd an image.\n");
    assert_complete((const char *[WORDS_MAX]){"image", "a"}, "add\tAdd an image.\n");
    assert_complete((const char *[WORDS_MAX]){"nothing", ""}, "");
}

static void options_that_are_given_are_not_offered_again(void **state)
{
    (void)state;
    assert_complete((const char *[WORDS_MAX]){"image", "add", "--force", "--tag", "t", "--"},
                    "--name\tIts name.\n--notes\tWhere the notes are.\n--arch\tFor what.\n"
                    "--tag\tA tag.\n--output\tHow to write the result (default: table).\n"
                    "--request-id\tWhat the site's log and the audit log call this command's "
                    "requests: 1 to 64 of A-Z a-z 0-9 . _ -\n"
                    "--help\tShow how the command is used.\n");
    assert_complete((const char *[WORDS_MAX]){"image", "add", "--no"},
                    "--notes\tWhere the notes are.\n");
    assert_complete((const char *[WORDS_MAX]){"status", "--h"},
                    "--help\tShow how the command is used.\n");
}

static void values_are_choices_files_or_nothing(void **state)
{
    (void)state;
    assert_complete((const char *[WORDS_MAX]){"image", "add", "--arch", "x"}, "x64\t\nx86\t\n");
    assert_complete((const char *[WORDS_MAX]){"image", "add", "--arch", "x641"}, "");
    assert_complete((const char *[WORDS_MAX]){"image", "add", "--notes", "a"}, ":file\n");
    assert_complete((const char *[WORDS_MAX]){"image", "add", "--name", ""}, "");
    assert_complete((const char *[WORDS_MAX]){"image", "list", "--output", "y"}, "yaml\t\n");
}

static void an_operand_that_is_a_file_is_completed_as_one(void **state)
{
    (void)state;
    assert_complete((const char *[WORDS_MAX]){"image", "add", "a"}, ":file\n");
    assert_complete((const char *[WORDS_MAX]){"image", "list", "a"}, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_word_is_a_noun_once),
        cmocka_unit_test(the_second_word_is_a_verb_of_the_noun),
        cmocka_unit_test(options_that_are_given_are_not_offered_again),
        cmocka_unit_test(values_are_choices_files_or_nothing),
        cmocka_unit_test(an_operand_that_is_a_file_is_completed_as_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
