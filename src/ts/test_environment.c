/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/environment.h"

#include "ts/facts.h"
#include "ts/test_ts.h"

static const char *find(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "HOME") == 0 ? "/root" : NULL;
}

static const struct ts_facts facts = {.find_environment = find};

static void names_of_the_environment_are_replaced(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"%HOME%/x", "/root/x"},
        {"/a/%HOME%%HOME%", "/a//root/root"},
        {"100%", "100%"},
        {"50%% of /a", "50%% of /a"},
        {"% HOME%", "% HOME%"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(256);
        OWN(buf_fini) struct buf why = BUF_INIT(256);

        assert_true(ts_environment_expand(&facts, cases[i][0], &text, &why));
        assert_string_equal(buf_str(&text), cases[i][1]);
    }
}

static void names_of_windows_mean_nothing_and_are_told_as_such(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(256);
    OWN(buf_fini) struct buf why = BUF_INIT(256);
    OWN(buf_fini) struct buf other = BUF_INIT(256);

    assert_false(ts_environment_expand(&facts, "%ProgramFiles(x86)%\\X", &text, &why));
    assert_string_equal(buf_str(&why), "%ProgramFiles(x86)% is of Windows, and means nothing here");
    assert_false(ts_environment_expand(&facts, "/a/%Nowhere%", &text, &other));
    assert_non_null(strstr(buf_str(&other), "is called Nowhere"));
    assert_false(ts_environment_expand(NULL, "%HOME%", &text, &other));
    assert_true(ts_environment_is_of_windows("x%a%SYSTEMROOT%\\System32"));
    assert_false(ts_environment_is_of_windows("%OSDisk%/%a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_environment_are_replaced),
        cmocka_unit_test(names_of_windows_mean_nothing_and_are_told_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
