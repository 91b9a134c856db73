/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

struct target {
    bool flag;
    uint64_t number;
    char *text;
    unsigned choice;
    char *list;
};

static const struct config_key keys[] = {
    {"a", "flag", CONFIG_BOOL, offsetof(struct target, flag), 0, 0, NULL, "yes", ""},
    {"a", "number", CONFIG_U64, offsetof(struct target, number), 5, 10, NULL, "7", ""},
    {"a", "text", CONFIG_TEXT, offsetof(struct target, text), 1, 4, NULL, NULL, ""},
    {"b", "choice", CONFIG_CHOICE, offsetof(struct target, choice), 0, 0, "one|two", "two", ""},
    {"b", "list", CONFIG_LIST, offsetof(struct target, list), 0, 0, NULL, NULL, ""},
    {.name = NULL},
};

static void target_fini(struct target *target)
{
    config_fini(keys, target);
}

static void config_gives_defaults_for_nothing(void **state)
{
    (void)state;
    OWN(target_fini) struct target got = {.number = 0};
    OWN(buf_fini) struct buf why = BUF_INIT(256);

    assert_int_equal(config_parse(keys, "f", bytes_of(""), &got, &why), 0);
    assert_true(got.flag);
    assert_int_equal(got.number, 7);
    assert_string_equal(got.text, "");
    assert_int_equal(got.choice, 1);
    assert_string_equal(got.list, "");
}

static void config_reads_every_type(void **state)
{
    (void)state;
    OWN(target_fini) struct target got = {.number = 0};
    OWN(buf_fini) struct buf why = BUF_INIT(256);
    static const char text[] = "# comment\n"
                               "[a]\r\n"
                               "  flag=no\n"
                               "number =\t10 \n"
                               "; comment\n"
                               "text = a=b\n"
                               "\n"
                               "[b]\n"
                               "choice = one\n"
                               "list = x,, y\tz ";

    assert_int_equal(config_parse(keys, "f", bytes_of(text), &got, &why), 0);
    assert_false(got.flag);
    assert_int_equal(got.number, 10);
    assert_string_equal(got.text, "a=b");
    assert_int_equal(got.choice, 0);
    assert_string_equal(got.list, "x y z");
}

static void config_explains_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } cases[] = {
        {"[a]\nnumber = 11", "f:2: [a] number: 11 is not allowed: a number from 5 to 10"},
        {"[a]\nnumber = 4", "f:2: [a] number: 4 is not allowed: a number from 5 to 10"},
        {"[a]\nnumber =", "f:2: [a] number:  is not allowed: a number from 5 to 10"},
        {"[a]\nflag = true", "f:2: [a] flag: true is not allowed: yes or no"},
        {"[a]\ntext = abcde", "f:2: [a] text: abcde is not allowed: a text of 1 to 4 bytes"},
        {"[a]\ntext =", "f:2: [a] text:  is not allowed: a text of 1 to 4 bytes"},
        {"[b]\nchoice = three", "f:2: [b] choice: three is not allowed: one of one|two"},
        {"[b]\nchoice = on", "f:2: [b] choice: on is not allowed: one of one|two"},
        {"[a]\nflag = no\nflag = no", "f:3: given twice: flag"},
        {"[a]\nchoice = one", "f:2: [a] has no setting: choice; it has flag, number, text"},
        {"[c]", "f:1: there is no such section: [c]; there are [a], [b]"},
        {"[a", "f:1: a section is written [name]: [a"},
        {"flag = no", "f:1: a setting must stand below a [section]: flag"},
        {"[a]\nflag", "f:2: a setting is written key = value: flag"},
        {"[a]\nfl\x1b"
         "ag = 1",
         "f:2: [a] has no setting: fl\\x1bag; it has flag, number, text"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(target_fini) struct target got = {.number = 0};
        OWN(buf_fini) struct buf why = BUF_INIT(256);

        assert_int_equal(config_parse(keys, "f", bytes_of(cases[i].text), &got, &why), 1);
        assert_string_equal(buf_str(&why), cases[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(config_gives_defaults_for_nothing),
        cmocka_unit_test(config_reads_every_type),
        cmocka_unit_test(config_explains_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
