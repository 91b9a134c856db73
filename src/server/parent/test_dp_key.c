/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/dp_key.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/token_file.h"
#include "server/parent/failure.h"

#define OLD_TOKEN "slw_dpc_abcDEF-_123"

static char folder[32];

static void put_path(char dst[static 96], const char *name)
{
    (void)snprintf(dst, 96, "%s/%s", folder, name);
}

static int set_up(void **state)
{
    static const char *const names[] = {"keys", "run", "run/token", "http"};
    char path[96];

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/test_dp_key_XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        put_path(path, names[i]);
        if (dir_make(path, 0755) < 0)
            return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return dir_remove(folder);
}

static void put(const char *name, const char *text)
{
    char path[96];

    put_path(path, name);
    assert_int_equal(file_write(path, bytes_of(text), 0600), 0);
}

static bool is_there(const char *name)
{
    char path[96];

    put_path(path, name);
    return file_exists(path);
}

static bool is(const char *name, const char *text)
{
    OWN(buf_fini) struct buf found = BUF_INIT(1024);
    char path[96];

    put_path(path, name);
    return file_read(path, &found) == 0 && strcmp(buf_str(&found), text) == 0;
}

static unsigned mode_of(const char *name)
{
    char path[96];
    struct stat st;

    put_path(path, name);
    assert_int_equal(stat(path, &st), 0);
    return (unsigned)st.st_mode & 0777;
}

static int prepare(void)
{
    return dp_key_prepare(folder, getgid());
}

static void key_is_read_as_it_was_written(void **state)
{
    (void)state;
    uint8_t secret[SIGNATURE_KEY_BYTES];
    uint8_t found[SIGNATURE_KEY_BYTES];
    char text[DP_KEY_TEXT_MAX];

    for (unsigned i = 0; i < sizeof(secret); i++)
        secret[i] = (uint8_t)(i * 37);
    dp_key_put(text, secret);
    assert_true(dp_key_parse(bytes_of(text), found));
    assert_memory_equal(found, secret, sizeof(secret));
    for (size_t len = 0; len + 2 < DP_KEY_TEXT_MAX; len++)
        assert_false(dp_key_parse((struct bytes){(const uint8_t *)text, len}, found));
    text[7] = 'g';
    assert_false(dp_key_parse(bytes_of(text), found));
}

static void a_token_has_letters_that_mean_nothing(void **state)
{
    (void)state;
    char longest[DP_KEY_TOKEN_MAX_BYTES + 2];

    memset(longest, 'a', sizeof(longest));
    longest[DP_KEY_TOKEN_MAX_BYTES] = '\0';
    assert_true(dp_key_is_token(longest));
    longest[DP_KEY_TOKEN_MAX_BYTES] = 'a';
    longest[DP_KEY_TOKEN_MAX_BYTES + 1] = '\0';
    assert_false(dp_key_is_token(longest));
    assert_true(dp_key_is_token(OLD_TOKEN));
    assert_false(dp_key_is_token(""));
    assert_false(dp_key_is_token("a b"));
    assert_false(dp_key_is_token("a\"b"));
    assert_false(dp_key_is_token("a\r\nX: y"));
}

static void
one_that_joined_before_there_were_keys_gets_one_and_shows_its_token_meanwhile(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf first = BUF_INIT(DP_KEY_TEXT_MAX);
    char path[96];

    put(DP_KEY_OLD_TOKEN_FILE, OLD_TOKEN);
    put("http/dp-token.conf", "proxy_set_header Authorization \"Bearer " OLD_TOKEN "\";\n");
    assert_int_equal(prepare(), PARENT_EXIT_OK);
    assert_int_equal(mode_of(DP_KEY_FILE), 0600);
    assert_true(is(TOKEN_FILE, OLD_TOKEN));
    assert_int_equal(mode_of(TOKEN_FILE), 0440);
    assert_false(is_there("http/dp-token.conf"));
    put_path(path, DP_KEY_FILE);
    assert_int_equal(file_read(path, &first), 0);
    assert_int_equal(prepare(), PARENT_EXIT_OK); /* and keeps it */
    assert_true(is(DP_KEY_FILE, buf_str(&first)));
}

static void without_a_key_or_a_token_it_is_none(void **state)
{
    (void)state;
    assert_int_equal(prepare(), PARENT_EXIT_BAD_KEYS);
    assert_false(is_there(DP_KEY_FILE));
    put(DP_KEY_FILE, "0123\n");
    assert_int_equal(prepare(), PARENT_EXIT_BAD_KEYS);
    put(DP_KEY_OLD_TOKEN_FILE, "a b");
    assert_int_equal(prepare(), PARENT_EXIT_BAD_KEYS);
    assert_false(is_there(TOKEN_FILE));
}

static void tell(struct dp_key_pipe *from, int fd, const char *text)
{
    assert_int_equal(fd_write_all(fd, bytes_of(text)), 0);
    dp_key_pipe_read(from, folder, getgid());
}

static void tokens_come_line_by_line_and_the_old_one_goes_with_the_first_short_one(void **state)
{
    (void)state;
    OWN(dp_key_pipe_fini) struct dp_key_pipe from = DP_KEY_PIPE_INIT;
    OWN(fd_closep) int fd = -1;

    put(DP_KEY_OLD_TOKEN_FILE, OLD_TOKEN);
    assert_int_equal(prepare(), PARENT_EXIT_OK);
    assert_int_equal(dp_key_pipe_open(&from, &fd), 0);
    dp_key_pipe_read(&from, folder, getgid()); /* nothing yet */
    tell(&from, fd, "slw_other\n");
    assert_true(is(TOKEN_FILE, "slw_other"));
    assert_true(is_there(DP_KEY_OLD_TOKEN_FILE));
    tell(&from, fd, "slw_dpt_a");
    assert_true(is(TOKEN_FILE, "slw_other"));
    tell(&from, fd, "bc\nslw_dpt_second\n");
    assert_true(is(TOKEN_FILE, "slw_dpt_second"));
    assert_int_equal(mode_of(TOKEN_FILE), 0440);
    assert_false(is_there(DP_KEY_OLD_TOKEN_FILE));
    tell(&from, fd, "no token\n");
    assert_true(is(TOKEN_FILE, "slw_dpt_second"));
}

static void what_is_longer_than_a_token_ends_the_pipe(void **state)
{
    (void)state;
    OWN(dp_key_pipe_fini) struct dp_key_pipe from = DP_KEY_PIPE_INIT;
    OWN(fd_closep) int fd = -1;
    char text[2 * DP_KEY_TOKEN_MAX_BYTES];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(dp_key_pipe_open(&from, &fd), 0);
    tell(&from, fd, text);
    dp_key_pipe_read(&from, folder, getgid());
    assert_int_equal(from.fd, -1);
    assert_false(is_there(TOKEN_FILE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(key_is_read_as_it_was_written),
        TEST(a_token_has_letters_that_mean_nothing),
        TEST(one_that_joined_before_there_were_keys_gets_one_and_shows_its_token_meanwhile),
        TEST(without_a_key_or_a_token_it_is_none),
        TEST(tokens_come_line_by_line_and_the_old_one_goes_with_the_first_short_one),
        TEST(what_is_longer_than_a_token_ends_the_pipe),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
