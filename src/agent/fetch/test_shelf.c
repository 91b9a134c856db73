/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/shelf.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/fetch/fetch.h"
#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "tests/dp.h"

enum {
    N_PACKS = 12, /* their content fits into the buffer of a socket */
    PACK_BYTES = 3000,
    PATH_MAX_BYTES = 256,
};

struct bench {
    struct dp *dp;
    struct shelf *shelf;
    struct transfer_options options;
    struct transfer_report report;
    char root[64];
    unsigned n_bad;
    char bad_source[64];
    char path[DP_PATH_MAX]; /* of what source 0 gives damaged or not at all; "": nothing */
    enum dp_fault fault;
};

static void on_bad(void *ctx, const struct transfer_bad *bad)
{
    struct bench *b = ctx;

    if (bad->fault != TRANSFER_FAULT_DAMAGED)
        return;
    b->n_bad++;
    (void)snprintf(b->bad_source, sizeof(b->bad_source), "%s", bad->source);
}

static enum dp_fault on_request(void *ctx, unsigned source, const char *path, unsigned nth)
{
    const struct bench *b = ctx;

    (void)nth;
    return source == 0 && strcmp(path, b->path) == 0 ? b->fault : DP_NONE;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    if (!b)
        return -1;
    (void)snprintf(b->root, sizeof(b->root), "/tmp/slipway-shelf-XXXXXX");
    b->dp = dp_start();
    if (!b->dp || !mkdtemp(b->root) || shelf_open(b->root, &b->shelf) != 0)
        return -1;
    dp_put_content(b->dp, N_PACKS, PACK_BYTES, true);
    b->dp->fault = on_request;
    b->dp->ctx = b;
    b->options = (struct transfer_options){.sources = b->dp->sources,
                                           .n_sources = 2,
                                           .unix_socket = b->dp->socket_path,
                                           .bad_source = on_bad,
                                           .ctx = b};
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    shelf_free(b->shelf);
    dp_stop(b->dp);
    (void)dir_remove(b->root);
    free(b);
    return 0;
}

static int download(struct bench *b)
{
    return shelf_download(b->shelf, &b->options, b->dp->manifest_id, &b->report);
}

static void put_path(const struct bench *b, size_t pack, char ret[static PATH_MAX_BYTES])
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){b->dp->manifest.packs[pack].sha256, SHA256_BYTES});
    (void)snprintf(ret, PATH_MAX_BYTES, "%s/%s", b->root, name);
}

static void flip(const struct bench *b, size_t pack)
{
    char path[PATH_MAX_BYTES];
    uint8_t byte;

    put_path(b, pack, path);

    OWN(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);

    assert_int_equal(pread(fd, &byte, 1, 40), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 40), 1);
}

/* What is streamed of it is the content. */
static void assert_streams(struct bench *b)
{
    const struct fetch_content content = {b->dp->manifest_id, b->dp->content.len};
    OWN(freep) uint8_t *got = malloc(b->dp->content.len);
    struct transfer_report report;
    int size = 1024 * 1024;
    int ends[2];

    assert_non_null(got);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);

    struct fetch_reader reader = {.fd = ends[0]};

    assert_int_equal(fetch_stream_from(b->shelf, &b->options, &content, &reader, &report), 0);
    assert_int_equal(recv(ends[1], got, b->dp->content.len, MSG_WAITALL), b->dp->content.len);
    assert_memory_equal(got, b->dp->content.ptr, b->dp->content.len);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void what_is_downloaded_is_streamed_without_asking_anybody(void **state)
{
    struct bench *b = *state;

    assert_false(shelf_has(b->shelf, b->dp->manifest_id));
    assert_int_equal(download(b), 0);
    assert_true(shelf_has(b->shelf, b->dp->manifest_id));
    assert_int_equal(b->report.n_packs, N_PACKS);
    b->options.n_sources = 1;
    b->options.sources = (const char *const[]){"http://nobody.invalid"};
    b->options.unix_socket = NULL;
    assert_streams(b);
    assert_int_equal(b->n_bad, 0);
}

static void a_download_goes_on_with_what_is_there_and_whole(void **state)
{
    struct bench *b = *state;
    char path[PATH_MAX_BYTES];

    dp_pack_path(b->dp, 5, b->path);
    b->fault = DP_MISSING;
    b->options.n_sources = 1;
    assert_int_equal(download(b), TRANSFER_E_CONTENT);
    assert_false(shelf_has(b->shelf, b->dp->manifest_id));
    flip(b, 1); /* a power cut may leave such a thing */
    put_path(b, 2, path);
    assert_int_equal(truncate(path, 20), 0);

    shelf_free(b->shelf);
    b->shelf = NULL;
    assert_int_equal(shelf_open(b->root, &b->shelf), 0);
    b->path[0] = '\0';
    assert_int_equal(download(b), 0);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(dp_count_pack(b->dp, i), i == 1 || i == 2 ? 2 : 1);
    assert_streams(b);
    assert_int_equal(download(b), 0);
    assert_int_equal(b->report.network.bytes, 0);
}

static void what_the_wire_damages_comes_from_the_next_source(void **state)
{
    struct bench *b = *state;

    dp_pack_path(b->dp, 3, b->path);
    b->fault = DP_DAMAGE;
    assert_int_equal(download(b), 0);
    assert_int_equal(b->n_bad, 1);
    assert_string_equal(b->bad_source, "http://dp0");
    assert_streams(b);
}

static void what_the_disk_damages_is_fetched_again_and_nobody_is_blamed(void **state)
{
    struct bench *b = *state;

    assert_int_equal(download(b), 0);
    flip(b, 7);
    assert_streams(b);
    assert_int_equal(b->n_bad, 0);
    assert_int_equal(dp_count_pack(b->dp, 7), 2);
}

static void a_copy_of_a_shelf_has_what_it_was_asked_for(void **state)
{
    struct bench *b = *state;
    OWN(shelf_freep) struct shelf *to = NULL;
    char path[PATH_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "%s/to", b->root);
    assert_int_equal(download(b), 0);
    assert_int_equal(shelf_open(path, &to), 0);
    assert_int_equal(shelf_copy(b->shelf, to, b->dp->manifest_id), 0);
    assert_true(shelf_has(to, b->dp->manifest_id));
    shelf_free(b->shelf);
    b->shelf = TAKE(to);
    b->options.n_sources = 1;
    b->options.sources = (const char *const[]){"http://nobody.invalid"};
    b->options.unix_socket = NULL;
    assert_streams(b);
}

static void what_has_no_room_is_not_begun(void **state)
{
    struct bench *b = *state;

    shelf_set_reserve(b->shelf, UINT64_MAX / 2);
    assert_int_equal(download(b), FETCH_E_FULL);
    assert_non_null(strstr(b->report.why, "MiB are free"));
    for (size_t i = 0; i < N_PACKS; i++)
        assert_int_equal(dp_count_pack(b->dp, i), 0);
}

/* The source, and who made the checksum, lie: a good frame of another pack, with a checksum that fits. */
static void a_forged_pack_is_found_at_use_and_its_source_is_reported(void **state)
{
    struct bench *b = *state;
    struct manifest_pack *packs = b->dp->manifest.packs;
    char path[DP_PATH_MAX];
    struct dp_file *file = NULL;

    dp_pack_path(b->dp, 4, path);
    for (size_t i = 0; i < b->dp->n_files; i++)
        if (strcmp(b->dp->files[i].path, path) == 0)
            file = &b->dp->files[i];
    assert_non_null(file);
    memcpy(packs[4].check, packs[6].check, sizeof(packs[4].check));
    packs[4].stored_bytes = packs[6].stored_bytes;
    buf_clear(&file->body);
    dp_pack_path(b->dp, 6, path);
    for (size_t i = 0; i < b->dp->n_files; i++)
        if (strcmp(b->dp->files[i].path, path) == 0)
            buf_add(&file->body, buf_bytes(&b->dp->files[i].body));
    dp_put_manifest(b->dp);

    assert_int_equal(download(b), 0);
    assert_int_equal(b->n_bad, 0);

    const struct fetch_content content = {b->dp->manifest_id, b->dp->content.len};
    struct transfer_report report;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);

    struct fetch_reader reader = {.fd = ends[0]};

    assert_int_equal(fetch_stream_from(b->shelf, &b->options, &content, &reader, &report),
                     TRANSFER_E_CONTENT);
    (void)close(ends[0]);
    (void)close(ends[1]);
    assert_true(b->n_bad > 0);
    assert_string_equal(b->bad_source, "http://dp0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            what_is_downloaded_is_streamed_without_asking_anybody, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_download_goes_on_with_what_is_there_and_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_the_wire_damages_comes_from_the_next_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_the_disk_damages_is_fetched_again_and_nobody_is_blamed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_copy_of_a_shelf_has_what_it_was_asked_for, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_has_no_room_is_not_begun, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_forged_pack_is_found_at_use_and_its_source_is_reported, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
