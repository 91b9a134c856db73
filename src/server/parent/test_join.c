/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/join.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "plat/file.h"
#include "server/parent/failure.h"

#define PIN   "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define TOKEN "slw_dp_abcDEF-_123." PIN

static char folder[32];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_join_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void token_carries_the_pin(void **state)
{
    (void)state;
    uint8_t pin[SHA256_BYTES];

    assert_true(join_read_token(TOKEN, pin));
    for (unsigned i = 0; i < SHA256_BYTES; i++)
        assert_int_equal(pin[i], i);
}

static void token_that_is_cut_or_of_another_kind_is_refused(void **state)
{
    (void)state;
    char cut[sizeof(TOKEN)];
    uint8_t pin[SHA256_BYTES];
    static const char *const bad[] = {
        "slw_dp_." PIN,
        "slw_adm_abc." PIN,
        "slw_dp_abc" PIN,
        "slw_dp_abc." PIN "0",
        "slw_dp_a c." PIN,
        "slw_dp_abc.g" PIN,
    };

    for (size_t len = 0; len < sizeof(TOKEN) - 1; len++) {
        memcpy(cut, TOKEN, len);
        cut[len] = '\0';
        assert_false(join_read_token(cut, pin));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(join_read_token(bad[i], pin));
}

static int try(const char *url, const char *token)
{
    char conf[64];
    const struct join_options options = {
        .url = url, .token = token, .state_folder = folder, .config_file = conf};

    (void)snprintf(conf, sizeof(conf), "%s/conf", folder);
    assert_int_equal(file_write(conf, bytes_of("[site]\naddress = 192.0.2.2\n"), 0644), 0);
    return join(&options);
}

static bool is_there(const char *name)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return file_exists(path);
}

static void put(const char *in, const char *name)
{
    char path[96];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, in);
    assert_int_equal(dir_make(path, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder, in, name);
    assert_int_equal(file_write(path, bytes_of("x"), 0644), 0);
}

static void nothing_is_kept_of_a_site_that_does_not_answer(void **state)
{
    (void)state;
    /* nobody listens on the port of tcpmux */
    assert_int_equal(try("https://127.0.0.1:1", TOKEN), PARENT_EXIT_JOIN_AWAY);
    assert_false(is_there("keys/site-url"));
    assert_false(is_there("keys/dp-token"));
    assert_false(is_there("keys/site.crt"));
}

static void wrong_arguments_are_told_before_anything_is_made(void **state)
{
    (void)state;
    assert_int_equal(try("http://127.0.0.1:1", TOKEN), PARENT_EXIT_USAGE);
    assert_int_equal(try("https://127.0.0.1:1", "slw_dp_abc"), PARENT_EXIT_JOIN_TOKEN);
    assert_false(is_there("keys"));
}

static void a_folder_that_is_taken_is_left_alone(void **state)
{
    (void)state;
    put("site", "slipway.db");
    assert_int_equal(try("https://127.0.0.1:1", TOKEN), PARENT_EXIT_JOINED);
    put("keys", "site-url");
    assert_int_equal(try("https://127.0.0.1:1", TOKEN), PARENT_EXIT_JOINED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(token_carries_the_pin),
        TEST(token_that_is_cut_or_of_another_kind_is_refused),
        TEST(nothing_is_kept_of_a_site_that_does_not_answer),
        TEST(wrong_arguments_are_told_before_anything_is_made),
        TEST(a_folder_that_is_taken_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
