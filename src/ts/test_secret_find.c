/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/secret_find.h"

#include "ts/test_ts.h"
#include "ts/tree.h"

/* What is left of @text. */
static void cut_is(const char *secret, const char *text, const char *wanted)
{
    OWN(ts_secrets_fini) struct ts_secrets secrets = {0};
    OWN(freep) char *copy = ts_copy(text);

    ts_secrets_add(&secrets, secret);
    assert_non_null(copy);
    assert_int_equal(ts_secrets_cut(&secrets, copy), strcmp(text, wanted) != 0);
    assert_string_equal(copy, wanted);
}

static void a_text_without_a_secret_stays(void **state)
{
    (void)state;
    cut_is("hunter2", "echo hunter", "echo hunter");
    cut_is("hunter2", "", "");
    cut_is("", "echo hello", "echo hello");
    cut_is("ab", "echo YWI b a", "echo YWI b a");
}

static void a_secret_is_cut_wherever_it_stands(void **state)
{
    (void)state;
    cut_is("hunter2", "hunter2 a hunter2 hunter2", " a  ");
    cut_is("%", "a % b", "a  b");
}

/* In whatever order they come, and however they are written. */
static void of_two_secrets_of_which_one_begins_the_other_nothing_is_left(void **state)
{
    (void)state;
    static const char *const orders[][3] = {{"Hunter2", "Hunter2!Long", "ter2"},
                                            {"Hunter2!Long", "ter2", "Hunter2"},
                                            {"ter2", "Hunter2", "Hunter2!Long"}};

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        OWN(ts_secrets_fini) struct ts_secrets secrets = {0};
        char text[] = "tool /a:Hunter2 /b:Hunter2!Long /c:Hunter2%21Long /d:ter2";

        for (size_t k = 0; k < 3; k++)
            ts_secrets_add(&secrets, orders[i][k]);
        assert_true(ts_secrets_cut(&secrets, text));
        assert_string_equal(text, "tool /a: /b: /c: /d:");
    }
}

static void a_short_secret_is_cut_only_where_it_is_a_word(void **state)
{
    (void)state;
    cut_is("a", "net user adam /pass:a -a a", "net user adam /pass: - ");
    cut_is("12", "x 12 120 512 a12 \"12\" pin=12", "x  120 512 a12 \"\" pin=");
    cut_is("ab", "abab ab-ab", "abab -");
    cut_is("a&b", "a&amp;b xa&amp;b a%26b", " xa&amp;b ");
    cut_is("xyz", "x eHl6 y eHl6eHl6", "x  y eHl6eHl6");
    cut_is("\xc3\xa4\xc3\xb6\xc3\xbc",
           "\xc3\xa4\xc3\xb6\xc3\xbc b\xc3\xa4\xc3\xb6\xc3\xbc",
           " b\xc3\xa4\xc3\xb6\xc3\xbc");
    cut_is("abcd", "xabcdx", "xx");
}

static void a_short_secret_is_seen_wherever_it_stands(void **state)
{
    (void)state;
    OWN(ts_secrets_fini) struct ts_secrets secrets = {0};

    ts_secrets_add(&secrets, "long enough");
    assert_false(ts_secrets_have_short(&secrets, "long enough"));
    ts_secrets_add(&secrets, "ab");
    assert_true(ts_secrets_have_short(&secrets, "drabs"));
    assert_false(ts_secrets_have_short(&secrets, "a b"));
}

static void a_secret_is_found_in_other_spellings(void **state)
{
    (void)state;
    cut_is("a&b c", "x a&amp;b c y", "x  y");
    cut_is("a<b", "x a&#60;b a&#x3C;b y", "x   y");
    cut_is("a&b c", "x?p=a%26b%20c&q", "x?p=&q");
    cut_is("a&b c", "x?p=a%26b+c&q", "x?p=&q");
    cut_is("p\xc3\xa4ss", "x p%c3%A4ss y", "x  y");
}

/* Of UTF-8 and UTF-16LE, alone and with one or two bytes before it. */
static void a_secret_is_found_in_base64(void **state)
{
    (void)state;
    cut_is("hunter2", "x aHVudGVyMg== y", "x  y");
    cut_is("hunter2", "x aAB1AG4AdABlAHIAMgA= y", "x  y");
    cut_is("hunter2", "x YWh1bnRlcjI= y", "x YWI= y");        /* "ahunter2" */
    cut_is("hunter2", "x YWFodW50ZXIyYg== y", "x YWFYg== y"); /* "aahunter2b" */
}

static void what_may_have_a_secret_that_cannot_be_looked_for_becomes_empty(void **state)
{
    (void)state;
    struct ts_secrets secrets = {.has_others = true};
    char text[] = "echo hello";
    char empty[] = "";

    assert_true(ts_secrets_cut(&secrets, text));
    assert_string_equal(text, "");
    assert_false(ts_secrets_cut(&secrets, empty));
}

static void too_many_secrets_and_one_too_long_cannot_be_looked_for(void **state)
{
    (void)state;
    OWN(ts_secrets_fini) struct ts_secrets secrets = {0};
    OWN(ts_secrets_fini) struct ts_secrets others = {0};
    char text[TS_SECRET_MAX_BYTES + 2] = "";

    for (int i = 0; i < TS_SECRETS_MAX; i++) {
        text[0] = (char)('a' + i);
        ts_secrets_add(&secrets, text);
        ts_secrets_add(&secrets, text);
    }
    assert_int_equal(secrets.n, TS_SECRETS_MAX);
    assert_false(secrets.has_others);
    ts_secrets_add(&secrets, "one more");
    assert_true(secrets.has_others);
    memset(text, 'a', TS_SECRET_MAX_BYTES);
    ts_secrets_add(&others, text);
    assert_false(others.has_others);
    text[TS_SECRET_MAX_BYTES] = 'a';
    ts_secrets_add(&others, text);
    assert_true(others.has_others);
}

static void what_stood_around_a_secret_makes_none(void **state)
{
    (void)state;
    cut_is("abcd", "x aabcdbcd y", "x  y");
    cut_is("abcd", "x aaaabcdbcdbcdbcd y", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_without_a_secret_stays),
        cmocka_unit_test(a_secret_is_cut_wherever_it_stands),
        cmocka_unit_test(of_two_secrets_of_which_one_begins_the_other_nothing_is_left),
        cmocka_unit_test(a_short_secret_is_cut_only_where_it_is_a_word),
        cmocka_unit_test(a_short_secret_is_seen_wherever_it_stands),
        cmocka_unit_test(a_secret_is_found_in_other_spellings),
        cmocka_unit_test(a_secret_is_found_in_base64),
        cmocka_unit_test(what_may_have_a_secret_that_cannot_be_looked_for_becomes_empty),
        cmocka_unit_test(too_many_secrets_and_one_too_long_cannot_be_looked_for),
        cmocka_unit_test(what_stood_around_a_secret_makes_none),
    };

    return cmocka_run_group_tests_name("ts/secret_find", tests, NULL, NULL);
}
