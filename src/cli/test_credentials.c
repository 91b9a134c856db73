/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/credentials.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 256,
};

#define PIN "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char folder[PATH_MAX_BYTES];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_credentials.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void save_example(void)
{
    const struct credentials_env env = {.home = folder};
    struct credentials c = {
        .url = strdup("https://site:443"), .token = strdup("slw_x"), .has_pin = true};

    assert_true(hex_parse(bytes_of(PIN), SHA256_BYTES, c.pin));
    assert_int_equal(credentials_save(&env, &c), 0);
    credentials_fini(&c);
}

static void saved_credentials_are_for_the_user_only(void **state)
{
    (void)state;
    const struct credentials_env env = {.home = folder};
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct stat stat;

    save_example();
    assert_true(credentials_path(&env, &path));
    assert_int_equal(lstat(buf_str(&path), &stat), 0);
    assert_int_equal(stat.st_mode & 07777, 0600);
    *strrchr(path.ptr, '/') = '\0';
    assert_int_equal(lstat(path.ptr, &stat), 0);
    assert_int_equal(stat.st_mode & 07777, 0700);
}

static void load_gives_back_what_was_saved(void **state)
{
    (void)state;
    const struct credentials_env env = {.home = folder};
    OWN(credentials_fini) struct credentials c = {0};

    save_example();
    assert_int_equal(credentials_load(&env, &c), 0);
    assert_string_equal(c.url, "https://site:443");
    assert_string_equal(c.token, "slw_x");
    assert_true(c.has_pin);
    assert_int_equal(c.pin[1], 0x11);
}

static void load_gives_pin_and_token_to_no_other_site(void **state)
{
    (void)state;
    const struct credentials_env other = {.home = folder, .url = "https://other"};
    const struct credentials_env same = {.home = folder, .url = "https://site:443"};
    OWN(credentials_fini) struct credentials c = {0};
    OWN(credentials_fini) struct credentials d = {0};

    save_example();
    assert_int_equal(credentials_load(&other, &c), 0);
    assert_string_equal(c.url, "https://other");
    assert_null(c.token);
    assert_false(c.has_pin);
    assert_int_equal(credentials_load(&same, &d), 0);
    assert_string_equal(d.token, "slw_x");
}

static void load_lets_the_environment_win(void **state)
{
    (void)state;
    const struct credentials_env env = {
        .config_home = "/nonexistent", .url = "https://other", .token = "t", .pin = PIN};
    const struct credentials_env bad = {.url = "https://other", .pin = "12"};
    OWN(credentials_fini) struct credentials c = {0};
    OWN(credentials_fini) struct credentials d = {0};

    assert_int_equal(credentials_load(&env, &c), 0);
    assert_string_equal(c.token, "t");
    assert_true(c.has_pin);
    assert_int_equal(credentials_load(&bad, &d), CREDENTIALS_E_PIN);
}

static void load_says_if_there_is_nothing_or_nothing_usable(void **state)
{
    (void)state;
    static const char *const broken[] = {"",
                                         "{",
                                         "{}",
                                         "{\"url\": \"http://site\"}",
                                         "{\"url\": \"https://site\", \"pin\": \"12\"}"};
    const struct credentials_env env = {.config_home = folder};
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(credentials_fini) struct credentials c = {0};

    assert_int_equal(credentials_load(&env, &c), CREDENTIALS_E_MISSING);
    buf_addf(&path, "%s/slipway", folder);
    assert_int_equal(dir_make(buf_str(&path), 0700), 0);
    assert_true(credentials_path(&env, &path));
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_int_equal(file_write(buf_str(&path), bytes_of(broken[i]), 0600), 0);
        assert_int_equal(credentials_load(&env, &c), CREDENTIALS_E_BROKEN);
        credentials_fini(&c);
    }
}

static void url_is_fit_only_if_the_token_is_safe_there(void **state)
{
    (void)state;
    static const char *const good[] = {"https://site",
                                       "https://10.77.0.1:443",
                                       "https://[::1]:8443",
                                       "unix:/run/slipway/api.sock"};
    static const char *const bad[] = {"",
                                      "site",
                                      "http://site",
                                      "https://",
                                      "https://user@site",
                                      "https://site/path",
                                      "https://site?x",
                                      "https://si te",
                                      "https://site\n",
                                      "unix:relative"};

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(credentials_url_is_fit(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(credentials_url_is_fit(bad[i]));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(saved_credentials_are_for_the_user_only),
        IN_FOLDER(load_gives_back_what_was_saved),
        IN_FOLDER(load_gives_pin_and_token_to_no_other_site),
        cmocka_unit_test(load_lets_the_environment_win),
        IN_FOLDER(load_says_if_there_is_nothing_or_nothing_usable),
        cmocka_unit_test(url_is_fit_only_if_the_token_is_safe_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
