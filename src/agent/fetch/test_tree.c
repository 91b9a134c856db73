/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/fetch/fetch.h"
#include "agent/fetch/tree_write.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "tests/dp.h"

enum {
    N_PACKS = 8,
    PACK_BYTES = 1000,
    PATH_MAX_BYTES = 256,
};

#define MTIME_NS     UINT64_C(1700000000123456789)
#define SECONDS_2100 UINT64_C(4102444800)

/* 8000 bytes of content in four files. */
static struct manifest_entry entries[] = {
    {MANIFEST_REGULAR, 0644, 1500, MTIME_NS, (char[]){"a.txt"}, NULL},
    {MANIFEST_FOLDER, 0750, 0, MTIME_NS, (char[]){"d"}, NULL},
    {MANIFEST_REGULAR, 0755, 4000, SECONDS_2100 * 1000000000 + 1, (char[]){"d/b"}, NULL},
    {MANIFEST_FOLDER, 0755, 0, MTIME_NS + 2, (char[]){"d/e"}, NULL},
    {MANIFEST_REGULAR, 0600, 0, 0, (char[]){"d/e/empty"}, NULL},
    {MANIFEST_REGULAR, 0444, 2500, MTIME_NS, (char[]){"d/e/f"}, NULL},
    {MANIFEST_LINK, 0777, 0, MTIME_NS, (char[]){"d/latest"}, (char[]){"../a.txt"}},
    {MANIFEST_LINK, 0777, 0, MTIME_NS, (char[]){"z"}, (char[]){"/etc/passwd"}},
};

enum {
    N_ENTRIES = sizeof(entries) / sizeof(entries[0]),
};

struct bench {
    struct dp *dp;
    struct transfer_options options;
    struct transfer_report report;
    char target[PATH_MAX_BYTES];
    char bad_path[DP_PATH_MAX];
};

static enum dp_fault on_request(void *ctx, unsigned source, const char *path, unsigned nth)
{
    const struct bench *b = ctx;

    (void)source, (void)nth;
    return strcmp(path, b->bad_path) == 0 ? DP_MISSING : DP_NONE;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    if (!b)
        return -1;
    b->dp = dp_start();
    if (!b->dp)
        return -1;
    dp_put_content(b->dp, N_PACKS, PACK_BYTES, false);
    dp_put_tree(b->dp, entries, N_ENTRIES);
    b->dp->fault = on_request;
    b->dp->ctx = b;
    b->options = (struct transfer_options){
        .sources = b->dp->sources, .n_sources = 1, .unix_socket = b->dp->socket_path};
    (void)snprintf(b->target, sizeof(b->target), "%s/tree", b->dp->root);
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

static int fetch(struct bench *b)
{
    return fetch_tree(&b->options, b->dp->manifest_id, b->target, &b->report);
}

static void assert_file(const struct bench *b, const char *name, size_t offset, size_t len)
{
    OWN(buf_fini) struct buf text = BUF_INIT(10000);
    char path[2 * PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "%s/%s", b->target, name);
    assert_int_equal(file_read(path, &text), 0);
    assert_int_equal(text.len, len);
    assert_memory_equal(buf_str(&text), b->dp->content.ptr + offset, len);
}

static void assert_whole(const struct bench *b)
{
    OWN(fd_closep) int root = open(b->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char part[2 * PATH_MAX_BYTES];

    assert_true(root >= 0);
    assert_int_equal(tree_count_good(&b->dp->manifest, root, N_ENTRIES, true), N_ENTRIES);
    assert_file(b, "a.txt", 0, 1500);
    assert_file(b, "d/b", 1500, 4000);
    assert_file(b, "d/e/f", 5500, 2500);
    (void)snprintf(part, sizeof(part), "%s.part", b->target);
    assert_false(file_exists(part));
    (void)snprintf(part, sizeof(part), "%s.progress", b->target);
    assert_false(file_exists(part));
}

static void tree_has_every_file_mode_time_and_link(void **state)
{
    struct bench *b = *state;

    assert_int_equal(fetch(b), 0);
    assert_whole(b);
    assert_int_equal(b->report.write.bytes, b->dp->content.len);
}

static void a_time_beyond_2038_is_kept_on_computers_of_32_bits_too(void **state)
{
    struct bench *b = *state;
    char path[2 * PATH_MAX_BYTES];
    struct statx st;

    assert_int_equal(fetch(b), 0);
    (void)snprintf(path, sizeof(path), "%s/d/b", b->target);
    assert_int_equal(statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MTIME, &st), 0);
    assert_true(st.stx_mtime.tv_sec == (int64_t)SECONDS_2100 && st.stx_mtime.tv_nsec == 1);
}

static void tree_appears_only_when_it_is_whole_and_goes_on_where_it_was(void **state)
{
    struct bench *b = *state;

    dp_pack_path(b->dp, 6, b->bad_path);
    assert_int_equal(fetch(b), TRANSFER_E_CONTENT);
    assert_false(file_exists(b->target));
    b->bad_path[0] = '\0';
    assert_int_equal(fetch(b), 0);
    assert_whole(b);
    assert_int_equal(dp_count_pack(b->dp, 0), 1); /* a.txt and d/b were complete */
    assert_int_equal(dp_count_pack(b->dp, 4), 1);
    assert_in_range(b->report.write.bytes, 1, 2500);
}

static void tree_does_not_trust_what_was_changed_meanwhile(void **state)
{
    struct bench *b = *state;
    char path[2 * PATH_MAX_BYTES];

    dp_pack_path(b->dp, 6, b->bad_path);
    assert_int_equal(fetch(b), TRANSFER_E_CONTENT);
    b->bad_path[0] = '\0';
    (void)snprintf(path, sizeof(path), "%s.part/a.txt", b->target);
    assert_int_equal(file_write(path, bytes_of("something else"), 0644), 0);
    assert_int_equal(fetch(b), 0);
    assert_whole(b);
    assert_int_equal(b->report.write.bytes, b->dp->content.len);
}

static void tree_drops_what_is_left_of_another_content(void **state)
{
    struct bench *b = *state;
    char path[2 * PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "%s.progress", b->target);
    assert_int_equal(file_write(path, bytes_of("0123 7\n"), 0600), 0);
    (void)snprintf(path, sizeof(path), "%s.part/d/other", b->target);
    assert_int_equal(dir_make(path, 0700), 0);
    assert_int_equal(fetch(b), 0);
    assert_whole(b);
    (void)snprintf(path, sizeof(path), "%s/d/other", b->target);
    assert_false(file_exists(path));
}

static void tree_does_not_replace_what_is_there(void **state)
{
    struct bench *b = *state;

    assert_int_equal(dir_make(b->target, 0700), 0);
    assert_int_equal(fetch(b), -EEXIST);
}

static void tree_refuses_content_that_is_no_folder(void **state)
{
    struct bench *b = *state;

    b->dp->manifest.kind = MANIFEST_FILE;
    for (size_t i = 0; i < N_ENTRIES; i++)
        manifest_entry_fini(&b->dp->manifest.entries[i]);
    b->dp->manifest.n_entries = 0;
    dp_put_manifest(b->dp);
    assert_int_equal(fetch(b), TRANSFER_E_CONTENT);
    assert_non_null(strstr(b->report.why, "folder"));
}

/* The disk is checked first: a content larger than any disk costs nothing. */
static void tree_needs_room_before_it_begins(void **state)
{
    struct bench *b = *state;
    struct manifest *manifest = &b->dp->manifest;

    manifest->n_runs = 0;
    manifest->size_bytes = 0;
    for (size_t i = 0; i < N_ENTRIES; i++)
        manifest->entries[i].size_bytes = 0;
    manifest->entries[0].size_bytes = UINT64_C(1) << 43;

    OWN(transfer_freep) struct transfer *t = NULL;

    assert_int_equal(transfer_new(&b->options, &b->report, &t), 0);
    assert_int_equal(tree_fetch(t, manifest, b->dp->manifest_id, b->target), FETCH_E_FULL);
    assert_non_null(strstr(b->report.why, "MiB are free"));
    assert_int_equal(b->dp->n_requests[0], 0);
}

/* What no manifest may say, because manifest_parse() refuses it; the writer refuses it once more. */
static void writer_never_leaves_the_folder(void **state)
{
    struct bench *b = *state;
    static const char *const paths[] = {
        "../out", "/tmp/slipway-test-out", "link/out", "d/../../out"};
    char outside[PATH_MAX_BYTES];
    char path[2 * PATH_MAX_BYTES];

    (void)snprintf(outside, sizeof(outside), "%s/outside", b->dp->root);
    assert_int_equal(dir_make(outside, 0700), 0);
    assert_int_equal(dir_make(b->target, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/link", b->target);
    assert_int_equal(symlink("../outside", path), 0);
    (void)snprintf(path, sizeof(path), "%s/d", b->target);
    assert_int_equal(dir_make(path, 0700), 0);

    OWN(fd_closep) int root = open(b->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s", paths[i]);
        struct manifest_entry entry = {MANIFEST_REGULAR, 0644, 4, 0, path, NULL};
        struct manifest manifest = {
            .kind = MANIFEST_TREE, .size_bytes = 4, .entries = &entry, .n_entries = 1};
        OWN(tree_writer_fini) struct tree_writer w;

        tree_writer_init(&w, &manifest, root, 0);
        assert_true(tree_writer_feed(&w, bytes_of("evil")) < 0);
    }
    assert_int_equal(rmdir(outside), 0); /* it is empty */
    (void)snprintf(path, sizeof(path), "%s/out", b->dp->root);
    assert_false(file_exists(path));
    assert_false(file_exists("/tmp/slipway-test-out"));
}

static void writer_wants_exactly_the_bytes_of_the_entries(void **state)
{
    struct bench *b = *state;
    struct manifest_entry entry = {MANIFEST_REGULAR, 0644, 4, 0, (char[]){"four"}, NULL};
    struct manifest manifest = {
        .kind = MANIFEST_TREE, .size_bytes = 4, .entries = &entry, .n_entries = 1};
    OWN(tree_writer_fini) struct tree_writer w = {.fd = -1};

    assert_int_equal(dir_make(b->target, 0700), 0);

    OWN(fd_closep) int root = open(b->target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    tree_writer_init(&w, &manifest, root, 0);
    assert_int_equal(tree_writer_feed(&w, bytes_of("thr")), 0);
    assert_int_equal(tree_writer_end(&w), -EINVAL);
    assert_int_equal(tree_writer_feed(&w, bytes_of("e")), 0);
    assert_int_equal(tree_writer_feed(&w, bytes_of("more")), -EINVAL);
    assert_int_equal(tree_writer_end(&w), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tree_has_every_file_mode_time_and_link, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_time_beyond_2038_is_kept_on_computers_of_32_bits_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            tree_appears_only_when_it_is_whole_and_goes_on_where_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            tree_does_not_trust_what_was_changed_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            tree_drops_what_is_left_of_another_content, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_does_not_replace_what_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_refuses_content_that_is_no_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_needs_room_before_it_begins, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writer_never_leaves_the_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            writer_wants_exactly_the_bytes_of_the_entries, set_up, tear_down),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
