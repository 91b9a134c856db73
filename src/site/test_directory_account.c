/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory_account.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

/* 2026-11-18, day 20775 */
#define NOW_US UINT64_C(1795000000000000)

static void an_account_without_any_such_attribute_may_sign_in(void **state)
{
    (void)state;
    const struct directory_account plain = {.shadow_expire = ""};

    assert_null(directory_why_not(&plain, NOW_US));
}

static void active_directory_keeps_out_who_is_disabled_or_no_user(void **state)
{
    (void)state;
    static const struct {
        const char *control;
        const char *expires;
        bool is_let_in;
    } cases[] = {
        {"512", "", true},
        {"66048", "0", true}, /* a password that never expires */
        {"512", "9223372036854775807", true},
        {"512", "134400000000000000", true},  /* in 2026, later */
        {"512", "134394735999999999", false}, /* a microsecond ago */
        {"512", "134394736010000000", true},  /* in a second */
        {"512", "133000000000000000", false},
        {"512", "soon", false},
        {"514", "0", false},
        {"4096", "0", false}, /* a computer */
        {"2048", "0", false}, /* another domain */
        {"", "0", true},
        {"normal", "0", false},
        {"-512", "0", false},
        {"99999999999", "0", false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct directory_account account = {.shadow_expire = ""};

        (void)snprintf(account.user_account_control, DIRECTORY_VALUE_MAX, "%s", cases[i].control);
        (void)snprintf(account.account_expires, DIRECTORY_VALUE_MAX, "%s", cases[i].expires);
        assert_int_equal(!directory_why_not(&account, NOW_US), cases[i].is_let_in);
    }
}

static void other_directories_keep_out_who_is_locked_or_has_expired(void **state)
{
    (void)state;
    static const struct {
        struct directory_account account;
        bool is_let_in;
    } cases[] = {
        {{.ns_account_lock = "TRUE"}, false},
        {{.ns_account_lock = "false"}, true},
        {{.pwd_locked_time = "000001010000Z"}, false},
        {{.pwd_locked_time = "20261118000000Z"}, true}, /* for a while: the server knows how long */
        {{.pwd_reset = "TRUE"}, false},
        {{.shadow_expire = "20775"}, false},
        {{.shadow_expire = "20776"}, true},
        {{.shadow_expire = "-1"}, true},
        {{.shadow_last_change = "20700", .shadow_max = "90"}, true},
        {{.shadow_last_change = "20600", .shadow_max = "90"}, false},
        {{.shadow_last_change = "20600", .shadow_max = "90", .shadow_inactive = "100"}, true},
        {{.shadow_last_change = "20600", .shadow_max = "90", .shadow_inactive = "-1"}, false},
        {{.shadow_last_change = "20600", .shadow_max = "99999"}, true},
        {{.shadow_last_change = "0", .shadow_max = "90"}, false},
        {{.shadow_last_change = "20600"}, true},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(!directory_why_not(&cases[i].account, NOW_US), cases[i].is_let_in);
}

static void one_entry_has_one_name(void **state)
{
    (void)state;
    static const char *const same[] = {
        "cn=deploy\\, all,ou=groups,dc=example,dc=org",
        "CN=Deploy\\, All, OU=Groups, DC=Example, DC=ORG",
        "cn = Deploy\\2C all,ou=groups,dc=example , dc=org",
    };
    static const char *const none[] = {
        "", "admins", "cn=admins,", "cn=a,,dc=b", "=a", "cn=\"a", "/etc/passwd"};
    char first[DIRECTORY_DN_MAX];
    char other[DIRECTORY_DN_MAX];
    char text[DIRECTORY_DN_MAX + 8] = "cn=";

    assert_true(directory_dn(same[0], first));
    for (size_t i = 1; i < sizeof(same) / sizeof(same[0]); i++) {
        assert_true(directory_dn(same[i], other));
        assert_string_equal(other, first);
    }
    assert_true(directory_dn(first, other));
    assert_string_equal(other, first);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_false(directory_dn(none[i], other));
    memset(text + 3, 'a', DIRECTORY_DN_MAX);
    assert_false(directory_dn(text, other));
}

static void a_value_in_a_filter_means_itself(void **state)
{
    (void)state;
    char filter[DIRECTORY_FILTER_MAX] = "";
    char full[DIRECTORY_FILTER_MAX];
    static const uint8_t odd[] = {'a', 0, 0xff, '*'};

    assert_true(directory_put_match(filter, "uid", bytes_of("a.b-c_d@e 1")));
    assert_string_equal(filter, "(uid=a.b-c_d@e 1)");
    filter[0] = '\0';
    assert_true(directory_put_match(filter, "uid", bytes_of("*)(uid=\\61")));
    assert_string_equal(filter, "(uid=\\2a\\29\\28uid=\\5c61)");
    assert_true(directory_put_match(filter, "sid", (struct bytes){odd, sizeof(odd)}));
    assert_string_equal(filter, "(uid=\\2a\\29\\28uid=\\5c61)(sid=a\\00\\ff\\2a)");
    memset(full, 'x', sizeof(full));
    full[DIRECTORY_FILTER_MAX - 10] = '\0';
    assert_false(directory_put_match(full, "uid", bytes_of("somebody")));
    assert_int_equal(strlen(full), DIRECTORY_FILTER_MAX - 10);
}

static void what_a_server_says_is_one_line_of_a_log(void **state)
{
    (void)state;
    char plain[12];
    char cut[8];

    directory_plain("no \"x\"\n", plain, sizeof(plain));
    assert_string_equal(plain, "no \\x22x");
    directory_plain("abc\xc3\xa4", cut, sizeof(cut));
    assert_string_equal(cut, "abc\\xc3");
    directory_plain("abcd\xc3", cut, sizeof(cut));
    assert_string_equal(cut, "abcd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_without_any_such_attribute_may_sign_in),
        cmocka_unit_test(active_directory_keeps_out_who_is_disabled_or_no_user),
        cmocka_unit_test(other_directories_keep_out_who_is_locked_or_has_expired),
        cmocka_unit_test(one_entry_has_one_name),
        cmocka_unit_test(a_value_in_a_filter_means_itself),
        cmocka_unit_test(what_a_server_says_is_one_line_of_a_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
