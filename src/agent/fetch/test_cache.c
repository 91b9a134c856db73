/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/cache.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/fetch/fetch.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "tests/dp.h"

enum {
    N_CONTENTS = 4,
    N_PACKS = 2,
    PACK_BYTES = 1000, /* so each content has 2000 */
    PATH_MAX_BYTES = 4096,
};

struct bench {
    struct dp *dp;
    struct cache *cache;
    struct transfer_options options;
    struct transfer_report report;
    char root[PATH_MAX_BYTES / 2];
    uint8_t ids[N_CONTENTS][SHA256_BYTES];
    struct cache_use *use; /* owned; of the last get() */
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    if (!b)
        return -1;
    b->dp = dp_start();
    if (!b->dp)
        return -1;
    dp_put_content(b->dp, N_PACKS, PACK_BYTES, false);
    for (size_t i = 0; i < N_CONTENTS; i++) {
        char name[16];
        struct manifest_entry entry = {
            MANIFEST_REGULAR, 0644, (uint64_t)N_PACKS * PACK_BYTES, i, name, NULL};

        (void)snprintf(name, sizeof(name), "file%zu", i);
        for (size_t k = 0; k < b->dp->manifest.n_entries; k++)
            manifest_entry_fini(&b->dp->manifest.entries[k]);
        free(b->dp->manifest.entries);
        dp_put_tree(b->dp, &entry, 1);
        memcpy(b->ids[i], b->dp->manifest_id, SHA256_BYTES);
    }
    b->options = (struct transfer_options){
        .sources = b->dp->sources, .n_sources = 1, .unix_socket = b->dp->socket_path};
    (void)snprintf(b->root, sizeof(b->root), "%s/cache", b->dp->root);
    *state = b;
    return cache_new(b->root, (uint64_t)5 * PACK_BYTES, &b->cache); /* room for two contents */
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    cache_release(b->use);
    cache_free(b->cache);
    dp_stop(b->dp);
    free(b);
    return 0;
}

static int get(struct bench *b, size_t i)
{
    struct cache_use *use = NULL;
    int r = cache_get(b->cache, &b->options, b->ids[i], &b->report, &use);

    cache_release(b->use);
    b->use = use;
    return r;
}

static int get_once(struct bench *b, size_t i)
{
    int r = get(b, i);

    cache_release(b->use);
    b->use = NULL;
    return r;
}

static bool is_there(const struct bench *b, size_t i, const char *tail)
{
    char name[SHA256_TEXT_MAX];
    char path[PATH_MAX_BYTES];

    hex_put(name, (struct bytes){b->ids[i], SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "%s/%s%s", b->root, name, tail);
    return file_exists(path);
}

static void get_downloads_once_and_then_only_looks(void **state)
{
    struct bench *b = *state;
    OWN(buf_fini) struct buf text = BUF_INIT(10000);
    char path[2 * PATH_MAX_BYTES];
    unsigned n;

    assert_int_equal(get(b, 0), 0);
    (void)snprintf(path, sizeof(path), "%s/file0", cache_path(b->use));
    assert_int_equal(file_read(path, &text), 0);
    assert_int_equal(text.len, b->dp->content.len);
    assert_memory_equal(text.ptr, b->dp->content.ptr, text.len);
    n = b->dp->n_requests[0];
    assert_int_equal(get(b, 0), 0);
    assert_int_equal(b->dp->n_requests[0], n);
    assert_int_equal(b->report.network.bytes, 0);
}

static void get_downloads_again_what_was_changed(void **state)
{
    struct bench *b = *state;
    char path[2 * PATH_MAX_BYTES];

    assert_int_equal(get(b, 0), 0);
    (void)snprintf(path, sizeof(path), "%s/file0", cache_path(b->use));
    assert_int_equal(file_write(path, bytes_of("changed"), 0644), 0);
    assert_int_equal(get(b, 0), CACHE_E_CHANGED); /* while it is in use it stays */
    assert_int_equal(get(b, 0), 0);
    assert_true(b->report.network.bytes > 0);
}

static void get_makes_room_by_removing_what_was_used_longest_ago(void **state)
{
    struct bench *b = *state;

    assert_int_equal(get_once(b, 0), 0);
    assert_int_equal(get_once(b, 1), 0);
    assert_int_equal(get_once(b, 0), 0); /* so 1 is the oldest */
    assert_int_equal(get_once(b, 2), 0);
    assert_true(is_there(b, 0, ""));
    assert_false(is_there(b, 1, ""));
    assert_false(is_there(b, 1, ".manifest"));
    assert_true(is_there(b, 2, ""));
}

static void get_never_removes_what_is_in_use(void **state)
{
    struct bench *b = *state;
    struct cache_use *first = NULL;

    assert_int_equal(cache_get(b->cache, &b->options, b->ids[0], &b->report, &first), 0);
    assert_int_equal(get_once(b, 1), 0);
    assert_int_equal(get(b, 2), 0); /* 0 is the oldest, but 1 has to go */
    assert_true(is_there(b, 0, ""));
    assert_false(is_there(b, 1, ""));
    OWN(cache_releasep) struct cache_use *second = TAKE(b->use);
    assert_int_equal(get(b, 3), CACHE_E_TOO_LARGE);
    assert_non_null(strstr(b->report.why, "in use"));
    assert_true(is_there(b, 0, "") && is_there(b, 2, "") && second);
    cache_release(first);
    assert_int_equal(get(b, 3), 0);
    assert_false(is_there(b, 0, ""));
}

static void drop_removes_only_what_nobody_uses(void **state)
{
    struct bench *b = *state;

    assert_int_equal(get(b, 0), 0);
    assert_int_equal(cache_drop(b->cache, b->ids[0]), 0);
    assert_true(is_there(b, 0, ""));
    cache_release(b->use);
    b->use = NULL;
    assert_int_equal(get_once(b, 1), 0);
    assert_int_equal(cache_drop(b->cache, b->ids[0]), 0);
    assert_false(is_there(b, 0, "") || is_there(b, 0, ".manifest"));
    assert_true(is_there(b, 1, ".manifest"));
    assert_int_equal(cache_drop(b->cache, b->ids[0]), 0);
}

static void a_process_that_ends_uses_nothing_any_more(void **state)
{
    struct bench *b = *state;
    int status;
    pid_t child;

    assert_int_equal(get_once(b, 0), 0);
    assert_int_equal(get_once(b, 1), 0);
    child = fork();
    if (child == 0) {
        struct cache_use *use = NULL;

        (void)cache_get(b->cache, &b->options, b->ids[0], &b->report, &use);
        _exit(use ? 0 : 1); /* without letting go of it */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(get_once(b, 1), 0);
    assert_int_equal(get_once(b, 2), 0);
    assert_false(is_there(b, 0, ""));
}

static void get_removes_downloads_that_were_given_up(void **state)
{
    struct bench *b = *state;
    char name[SHA256_TEXT_MAX];
    char path[PATH_MAX_BYTES];

    hex_put(name, (struct bytes){b->ids[3], SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "%s/%s.part/d", b->root, name);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/%s.progress", b->root, name);
    assert_int_equal(file_write(path, bytes_of("x"), 0600), 0);
    /* and the manifest that was being written when the computer went down */
    (void)snprintf(path, sizeof(path), "%s/%s.manifest.Ab12Cd", b->root, name);
    assert_int_equal(file_write(path, bytes_of("half"), 0600), 0);
    assert_int_equal(get(b, 0), 0);
    assert_false(is_there(b, 3, ".part"));
    assert_false(is_there(b, 3, ".progress"));
    assert_false(is_there(b, 3, ".manifest.Ab12Cd"));
}

static void get_without_a_source_uses_what_is_there(void **state)
{
    struct bench *b = *state;

    assert_int_equal(get_once(b, 0), 0);
    b->options.unix_socket = "/tmp/slipway-test-cache-nobody";
    b->options.give_up_us = 1;
    assert_int_equal(get(b, 0), 0);
    assert_int_equal(get(b, 1), TRANSFER_E_UNREACHABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(get_downloads_once_and_then_only_looks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_downloads_again_what_was_changed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            get_makes_room_by_removing_what_was_used_longest_ago, set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_never_removes_what_is_in_use, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_process_that_ends_uses_nothing_any_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            get_removes_downloads_that_were_given_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(drop_removes_only_what_nobody_uses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(get_without_a_source_uses_what_is_there, set_up, tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
