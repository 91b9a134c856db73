/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A folder is fetched by a process that ends at each of its calls, or finds the disk full from there on
 *
 * The distribution point stays in the test's own process, which does the rest afterwards.
 */

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

#include "agent/fetch/cache.h"
#include "agent/fetch/fetch.h"
#include "base/buf.h"
#include "base/own.h"
#include "plat/file.h"
#include "tests/dp.h"
#include "tests/faults.h"

enum {
    N_PACKS = 4,
    PACK_BYTES = 1000,
    PATH_MAX_BYTES = 4096,
    NTH_MAX = 200,
    MET = 100, /* exit status of a process that met its fault, and said that it did not succeed */
};

static struct manifest_entry entries[] = {
    {MANIFEST_REGULAR, 0644, 1500, 1, (char[]){"a"}, NULL},
    {MANIFEST_FOLDER, 0755, 0, 2, (char[]){"d"}, NULL},
    {MANIFEST_REGULAR, 0644, 2500, 3, (char[]){"d/b"}, NULL},
    {MANIFEST_LINK, 0777, 0, 4, (char[]){"d/c"}, (char[]){"b"}},
};

struct bench {
    struct dp *dp;
    struct transfer_options options;
    char target[128];
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
    dp_put_tree(b->dp, entries, sizeof(entries) / sizeof(entries[0]));
    b->options = (struct transfer_options){
        .sources = b->dp->sources, .n_sources = 1, .unix_socket = b->dp->socket_path};
    (void)snprintf(b->target, sizeof(b->target), "%s/target", b->dp->root);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    dp_stop(b->dp);
    free(b);
    return 0;
}

static void assert_whole(const struct bench *b, const char *folder)
{
    OWN(buf_fini) struct buf got = BUF_INIT(10000);
    char path[PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "%s/a", folder);
    assert_int_equal(file_read(path, &got), 0);
    (void)snprintf(path, sizeof(path), "%s/d/c", folder);
    assert_int_equal(file_read(path, &got), 0);
    assert_int_equal(got.len, b->dp->content.len);
    assert_memory_equal(got.ptr, b->dp->content.ptr, got.len);
}

static int fetch(struct bench *b)
{
    struct transfer_report report;

    return fetch_tree(&b->options, b->dp->manifest_id, b->target, &report);
}

static int get(struct bench *b)
{
    OWN(cache_freep) struct cache *cache = NULL;
    OWN(cache_releasep) struct cache_use *use = NULL;
    struct transfer_report report;
    int r = cache_new(b->target, 0, &cache);

    if (r == 0)
        r = cache_get(cache, &b->options, b->dp->manifest_id, &report, &use);
    if (r == 0)
        assert_whole(b, cache_path(use));
    return r;
}

/* Do it in a process of its own. Return: whether the @nth call was met. */
static bool is_met(struct bench *b, int (*doing)(struct bench *), enum fault fault, unsigned nth)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        int r;
        bool was_met;

        faults_arm(fault, nth);
        r = doing(b);
        was_met = faults_disarm();
        _exit(r == 0 ? (was_met ? 1 : 0) : MET); /* nothing may succeed without its disk */
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (fault == FAULT_LIFE && WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_true(WIFEXITED(status));
    assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == MET);
    return WEXITSTATUS(status) == MET;
}

static void fetch_again_after(struct bench *b, enum fault fault)
{
    unsigned nth = 1;

    while (is_met(b, fetch, fault, nth)) {
        if (!file_exists(b->target))
            assert_int_equal(fetch(b), 0);
        assert_whole(b, b->target);
        assert_int_equal(dir_remove(b->target), 0);
        assert_in_range(++nth, 1, NTH_MAX);
    }
    assert_whole(b, b->target);
    assert_in_range(nth, 4, NTH_MAX); /* there were some */
}

static void tree_survives_a_kill_at_each_call(void **state)
{
    fetch_again_after(*state, FAULT_LIFE);
}

static void tree_survives_a_disk_that_is_full_from_each_call_on(void **state)
{
    fetch_again_after(*state, FAULT_SPACE);
}

static void get_again_after(struct bench *b, enum fault fault)
{
    unsigned nth = 1;

    while (is_met(b, get, fault, nth)) {
        assert_int_equal(get(b), 0);
        assert_int_equal(dir_remove(b->target), 0);
        assert_in_range(++nth, 1, NTH_MAX);
    }
    assert_int_equal(get(b), 0);
    assert_in_range(nth, 4, NTH_MAX);
}

static void cache_survives_a_kill_at_each_call(void **state)
{
    get_again_after(*state, FAULT_LIFE);
}

static void cache_survives_a_disk_that_is_full_from_each_call_on(void **state)
{
    get_again_after(*state, FAULT_SPACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tree_survives_a_kill_at_each_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            tree_survives_a_disk_that_is_full_from_each_call_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cache_survives_a_kill_at_each_call, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            cache_survives_a_disk_that_is_full_from_each_call_on, set_up, tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
