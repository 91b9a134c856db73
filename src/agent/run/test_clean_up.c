/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/run/journal.h"
#include "agent/run/runner.h"
#include "agent/run/target.h"
#include "base/bytes.h"
#include "plat/file.h"
#include "ts/vars.h"

enum {
    PATH_MAX_BYTES = 1024,
    TOO_DEEP = 300, /* folders in folders that dir_remove() leaves alone */
};

static char root[64]; /* of the installed system */
static char journal_path[PATH_MAX_BYTES];

static const char *at(char dst[static PATH_MAX_BYTES], const char *name)
{
    (void)snprintf(dst, PATH_MAX_BYTES, "%s/%s", root, name);
    return dst;
}

static void put(const char *folder, const char *name)
{
    char path[PATH_MAX_BYTES];
    char whole[2 * PATH_MAX_BYTES];

    assert_int_equal(dir_make(at(path, folder), 0700), 0);
    (void)snprintf(whole, sizeof(whole), "%s/%s", path, name);
    assert_int_equal(file_write(whole, bytes_of("text"), 0600), 0);
}

static bool is_there(const char *name)
{
    char path[PATH_MAX_BYTES];

    return file_exists(at(path, name));
}

static int clean_up_with(const char *preserve)
{
    const struct run_platform platform = {.full_os_root = root};
    const struct run_options options = {.is_full_os = true};
    struct state kept = {0};
    struct runner rn = {.platform = &platform, .options = &options, .state = &kept};
    int r;

    assert_int_equal(ts_vars_new(&kept.vars), 0);
    assert_int_equal(ts_vars_set(kept.vars, "SMSTSPreserveContent", preserve, TS_BY_SEQUENCE), 0);
    assert_int_equal(journal_new(journal_path, &rn.journal), 0);
    r = runner_clean_up(&rn);
    journal_free(rn.journal);
    ts_vars_free(kept.vars);
    return r;
}

static int clean_up(void)
{
    return clean_up_with("");
}

static int set_up(void **state)
{
    (void)state;
    put(TARGET_STATE_FOLDER, "state.json");
    put(TARGET_STATE_FOLDER "/Logs", "smsts.log");
    put(TARGET_STATE_FOLDER "/content", "pack");
    put(TARGET_STATE_FOLDER "/packages/a/b", "program");
    put(TARGET_STATE_FOLDER, "left by a step");
    return 0;
}

static void nothing_is_left_but_the_log(void **state)
{
    (void)state;

    assert_int_equal(clean_up(), 0);
    assert_false(is_there(TARGET_STATE_FOLDER));
    assert_true(is_there("var/log/slipway/smsts.log"));
}

static void what_a_power_cut_has_left_goes_the_next_time(void **state)
{
    (void)state;
    char path[PATH_MAX_BYTES];

    assert_int_equal(dir_remove(at(path, TARGET_STATE_FOLDER "/content")), 0);
    assert_int_equal(dir_remove(at(path, TARGET_STATE_FOLDER "/Logs")), 0);
    assert_int_equal(clean_up(), 0);
    assert_false(is_there(TARGET_STATE_FOLDER));
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void packages_stay_in_the_cache_if_the_sequence_says_so(void **state)
{
    (void)state;
    put(TARGET_STATE_FOLDER "/packages/" HASH, "program");
    put(TARGET_STATE_FOLDER "/packages", HASH ".manifest");
    put(TARGET_STATE_FOLDER "/packages", HASH ".part");
    assert_int_equal(clean_up_with("true"), 0);
    assert_false(is_there(TARGET_STATE_FOLDER));
    assert_true(is_there("var/cache/slipway/packages/" HASH "/program"));
    assert_true(is_there("var/cache/slipway/packages/" HASH ".manifest"));
    assert_false(is_there("var/cache/slipway/packages/" HASH ".part"));
    assert_false(is_there("var/cache/slipway/packages/a"));
}

/* Below _SMSTaskSequence/deep. @ret: its path */
static void put_deep(char ret[static PATH_MAX_BYTES], unsigned depth)
{
    size_t len = strlen(at(ret, TARGET_STATE_FOLDER "/deep"));

    for (unsigned i = 0; i < depth; i++)
        len += (size_t)snprintf(ret + len, PATH_MAX_BYTES - len, "/d");
    assert_true(len < PATH_MAX_BYTES - 1);
    assert_int_equal(dir_make(ret, 0700), 0);
}

/* Or no start would know that something is left. */
static void log_and_state_stay_while_anything_else_cannot_be_removed(void **state)
{
    (void)state;
    char path[PATH_MAX_BYTES];
    char half[PATH_MAX_BYTES];
    char other[PATH_MAX_BYTES];

    put_deep(half, TOO_DEEP / 2);
    put_deep(path, TOO_DEEP);
    assert_true(clean_up() < 0);
    assert_true(is_there(TARGET_STATE_FILE));
    assert_true(is_there(TARGET_STATE_FOLDER "/Logs/smsts.log"));
    assert_int_equal(rename(half, at(other, "half")), 0);
    assert_int_equal(clean_up(), 0);
    assert_false(is_there(TARGET_STATE_FOLDER));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_is_left_but_the_log, set_up),
        cmocka_unit_test_setup(packages_stay_in_the_cache_if_the_sequence_says_so, set_up),
        cmocka_unit_test_setup(what_a_power_cut_has_left_goes_the_next_time, set_up),
        cmocka_unit_test_setup(log_and_state_stay_while_anything_else_cannot_be_removed, set_up),
    };
    int n_failed;

    (void)snprintf(root, sizeof(root), "/tmp/slipway-test-clean-up-XXXXXX");
    if (!mkdtemp(root))
        return 1;
    (void)snprintf(journal_path, sizeof(journal_path), "%s/journal", root);
    n_failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)dir_remove(root);
    return n_failed;
}
