/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A computer with one version of a system gets the next one: what its disk has is not downloaded
 *
 * Two versions of a tree are captured into a real store, which a real HTTP server serves; the older tree is the old
 * system. What is downloaded is counted.
 */

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
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
#include "agent/fetch/seed.h"
#include "agent/fetch/shelf.h"
#include "base/buf.h"
#include "base/own.h"
#include "format/pack/chunk_list.h"
#include "format/pack/cut.h"
#include "image/folder_capture.h"
#include "image/wim_describe.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "store/store.h"
#include "tests/dp.h"

enum {
    PATH_MAX_BYTES = 512,
    NAME_BYTES = 128,
    LARGE_BYTES = 6 * 1024 * 1024, /* more than one pack */
    CHANGED_AT = 3 * 1024 * 1024,
    N_SMALL = 60,
    SMALL_BYTES = 3000,
    CHUNKS_MAX = 4096,
    ROOM_MAX = 1024 * 1024,
    LIST_MAX = 1024 * 1024,
};

struct bench {
    char root[64];
    struct dp *dp;
    struct store *store;
    struct shelf *shelf;
    struct cut cut;
    uint8_t id[2][SHA256_BYTES]; /* of the versions */
    struct manifest manifest[2];
    struct buf list; /* of the second version */
    struct transfer_options options;
    struct transfer_report report;
    struct seed_report seed;
};

static const char *at(const struct bench *b, const char *name)
{
    static char paths[4][PATH_MAX_BYTES];
    static unsigned n;
    char *path = paths[n++ % 4];

    (void)snprintf(path, PATH_MAX_BYTES, "%s/%s", b->root, name);
    return path;
}

/* Noise, the same for one @seed. */
static void fill(uint8_t *dst, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        dst[i] = (uint8_t)(seed >> 56);
    }
}

static void put_file(const char *path, struct bytes content)
{
    assert_int_equal(file_write(path, content, 0644), 0);
}

/* @version: from 0. The second has a few bytes more in the middle of the large file, and a new and a changed one. */
static void make_tree(const struct bench *b, const char *root, unsigned version)
{
    OWN(freep) uint8_t *bytes = malloc(LARGE_BYTES + 100);
    char name[NAME_BYTES];

    assert_non_null(bytes);
    (void)snprintf(name, sizeof(name), "%s/usr/share", root);
    assert_int_equal(dir_make(at(b, name), 0755), 0);
    for (unsigned i = 0; i < N_SMALL + version; i++) {
        fill(bytes, SMALL_BYTES, version == 1 && i == 7 ? 1000 : 100 + i);
        (void)snprintf(name, sizeof(name), "%s/usr/share/file%u", root, i);
        put_file(at(b, name), (struct bytes){bytes, SMALL_BYTES});
    }
    fill(bytes, LARGE_BYTES, 1);
    if (version == 1) {
        memmove(bytes + CHANGED_AT + 50, bytes + CHANGED_AT, LARGE_BYTES - CHANGED_AT);
        fill(bytes + CHANGED_AT, 50, 2);
    }
    (void)snprintf(name, sizeof(name), "%s/usr/large", root);
    put_file(at(b, name), (struct bytes){bytes, LARGE_BYTES + (version == 1 ? 50 : 0)});
    (void)snprintf(name, sizeof(name), "%s/usr/link", root);
    assert_int_equal(symlink("share/file1", at(b, name)), 0);
}

struct taking { /* of a stream, in the order in which it is made */
    struct bench *b;
    struct buf unit;
    struct store_place places[CHUNKS_MAX];
    uint32_t sizes[CHUNKS_MAX];
    size_t n;
    size_t head_at;
    size_t tail_at;
    uint8_t room[ROOM_MAX];
};

static int take_room(void *ctx, size_t n, uint8_t **ret)
{
    struct taking *t = ctx;

    *ret = t->room;
    return n <= ROOM_MAX ? 0 : -1;
}

static int take_bytes(void *ctx, size_t n)
{
    struct taking *t = ctx;

    buf_add(&t->unit, (struct bytes){t->room, n});
    return t->unit.failed ? -1 : 0;
}

static int take_end(void *ctx)
{
    struct taking *t = ctx;
    struct bytes rest = buf_bytes(&t->unit);
    size_t n;

    while ((n = cut_next(&t->b->cut, rest, true)) > 0) {
        struct bytes chunk;

        (void)bytes_take(&rest, n, &chunk);
        if (t->n == CHUNKS_MAX || store_put_chunk(t->b->store, chunk, &t->places[t->n]) != 0)
            return -1;
        t->sizes[t->n++] = (uint32_t)n;
    }
    buf_clear(&t->unit);
    return 0;
}

static void take_turn(void *ctx, enum blob_stream_part part)
{
    struct taking *t = ctx;

    if (part == BLOB_STREAM_HEAD)
        t->head_at = t->n;
    if (part == BLOB_STREAM_TAIL)
        t->tail_at = t->n;
}

static void add_run(struct taking *t, struct manifest *manifest, uint32_t *numbers, size_t i)
{
    uint32_t pack = t->places[i].pack;
    struct manifest_pack about;
    uint32_t table_bytes;
    size_t number = 0;

    store_pack(t->b->store, pack, &about, &table_bytes);
    while (number < manifest->n_packs && numbers[number] != pack)
        number++;
    if (number == manifest->n_packs) {
        numbers[number] = pack;
        manifest->packs[manifest->n_packs++] = about;
    }

    struct manifest_run run = {(uint32_t)number, t->places[i].offset + table_bytes, t->sizes[i]};
    struct manifest_run *last = manifest->n_runs > 0 ? &manifest->runs[manifest->n_runs - 1] : NULL;

    manifest->size_bytes += run.size_bytes;
    if (last && last->pack == run.pack && last->offset + last->size_bytes == run.offset)
        last->size_bytes += run.size_bytes;
    else
        manifest->runs[manifest->n_runs++] = run;
}

static void keep(struct bench *b, const char *tree, unsigned version)
{
    OWN(freep) struct taking *t = calloc(1, sizeof(*t));
    OWN(freep) uint32_t *numbers = calloc(CHUNKS_MAX, sizeof(*numbers));
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(wim_image_fini) struct wim_image image = {0};
    struct manifest *manifest = &b->manifest[version];

    assert_non_null(t);
    assert_non_null(numbers);
    t->b = b;
    t->unit = BUF_INIT(2 * (size_t)LARGE_BYTES);
    manifest->kind = MANIFEST_OS_IMAGE_INDEX;
    manifest->packs = calloc(CHUNKS_MAX, sizeof(*manifest->packs));
    manifest->runs = calloc(CHUNKS_MAX, sizeof(*manifest->runs));
    assert_non_null(manifest->packs);
    assert_non_null(manifest->runs);

    const struct blob_sink sink = {take_room, take_bytes, take_end, take_turn, ROOM_MAX, t};

    assert_int_equal(store_begin(b->store), 0);
    assert_int_equal(folder_capture(at(b, tree), "test", &sink, &why, &image), 0);
    assert_int_equal(store_flush(b->store), 0);
    for (size_t i = t->head_at; i < t->tail_at; i++)
        add_run(t, manifest, numbers, i);
    for (size_t i = 0; i < t->head_at; i++)
        add_run(t, manifest, numbers, i);
    for (size_t i = t->tail_at; i < t->n; i++)
        add_run(t, manifest, numbers, i);
    assert_int_equal(store_put_manifest(b->store, manifest, b->id[version]), 0);
    store_end(b->store);
    buf_fini(&t->unit);
}

/* As nginx does. */
static void serve(struct bench *b, const char *path, const char *file)
{
    OWN(buf_fini) struct buf body = BUF_INIT(16 * 1024 * 1024);

    assert_int_equal(file_read(file, &body), 0);
    dp_put_file(b->dp, path, buf_bytes(&body));
}

static void serve_second(struct bench *b)
{
    const struct manifest *manifest = &b->manifest[1];
    char name[SHA256_TEXT_MAX];
    char path[DP_PATH_MAX];
    char file[STORE_PATH_MAX];

    for (size_t i = 0; i < manifest->n_packs; i++) {
        hex_put(name, (struct bytes){manifest->packs[i].sha256, SHA256_BYTES});
        (void)snprintf(path, sizeof(path), "/content/packs/%.2s/%s", name, name);
        store_pack_path(b->store, manifest->packs[i].sha256, file);
        serve(b, path, file);
    }
    hex_put(name, (struct bytes){b->id[1], SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/manifests/%s", name);
    store_manifest_path(b->store, b->id[1], file);
    serve(b, path, file);
    (void)snprintf(file, sizeof(file), "%s/lists/%s", at(b, "store"), name);
    assert_int_equal(file_read(file, &b->list), 0);
}

/* The chunk list, as the distribution point has it. */
static void serve_list(struct bench *b, struct bytes list)
{
    char name[SHA256_TEXT_MAX];
    char path[DP_PATH_MAX];

    hex_put(name, (struct bytes){b->id[1], SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/lists/%s", name);
    dp_put_file(b->dp, path, list);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));

    if (!b)
        return -1;
    (void)snprintf(b->root, sizeof(b->root), "/tmp/slipway-refresh-XXXXXX");
    b->list = BUF_INIT(LIST_MAX);
    cut_init(&b->cut);
    b->dp = dp_start();
    if (!b->dp || !mkdtemp(b->root) || store_new(at(b, "store"), &b->store) != 0 ||
        shelf_open(at(b, "shelf"), &b->shelf) != 0)
        return -1;
    make_tree(b, "old", 0);
    make_tree(b, "new", 1);
    keep(b, "old", 0);
    keep(b, "new", 1);
    serve_second(b);
    b->options = (struct transfer_options){
        .sources = b->dp->sources, .n_sources = 1, .unix_socket = b->dp->socket_path};
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;

    shelf_free(b->shelf);
    store_free(b->store);
    dp_stop(b->dp);
    manifest_fini(&b->manifest[0]);
    manifest_fini(&b->manifest[1]);
    buf_fini(&b->list);
    (void)dir_remove(b->root);
    free(b);
    return 0;
}

static int download(struct bench *b, bool (*tell)(void *ctx, uint64_t read_bytes))
{
    const struct seed_source source = {
        .root = at(b, "old"), .skip = "_SMSTaskSequence", .tell = tell, .ctx = b};

    return seed_download(b->shelf, &b->options, b->id[1], &source, &b->report, &b->seed);
}

static bool is_in_first(const struct bench *b, const struct manifest_pack *pack)
{
    for (size_t i = 0; i < b->manifest[0].n_packs; i++)
        if (memcmp(b->manifest[0].packs[i].sha256, pack->sha256, SHA256_BYTES) == 0)
            return true;
    return false;
}

/* Stored bytes of the second version: of packs that the first has not, or of all. */
static uint64_t stored(const struct bench *b, bool is_new_only)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < b->manifest[1].n_packs; i++)
        if (!is_new_only || !is_in_first(b, &b->manifest[1].packs[i]))
            sum += b->manifest[1].packs[i].stored_bytes;
    return sum;
}

/* Every pack is on the shelf and is what its name says. */
static void assert_is_whole(struct bench *b)
{
    assert_true(shelf_has(b->shelf, b->id[1]));
    assert_int_equal(shelf_verify(b->shelf, b->id[1], &b->manifest[1], NULL, NULL), 0);
}

static void only_what_the_old_system_does_not_have_is_downloaded(void **state)
{
    struct bench *b = *state;

    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    assert_is_whole(b);
    /* the last pack of the first version has its metadata too, which are no file */
    assert_true(b->report.network.bytes < stored(b, false) / 2);
    assert_true(b->report.network.bytes >= stored(b, true));
    assert_int_equal(b->report.network.bytes + b->seed.stored_bytes, stored(b, false));
    assert_true(b->seed.n_packs > 0);
    assert_int_equal(b->seed.n_bad, 0);
    assert_int_equal(b->seed.n_unreadable, 0);
    assert_int_equal(b->seed.n_files, N_SMALL + 2);
}

static void what_was_seeded_is_not_seeded_or_downloaded_again(void **state)
{
    struct bench *b = *state;

    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(shelf_unseal(b->shelf, b->id[1]), 0); /* as after a power cut before the end */
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->seed.n_packs, 0);
    assert_int_equal(b->report.network.bytes, 0);
    assert_is_whole(b);
}

static void without_a_chunk_list_everything_is_downloaded(void **state)
{
    struct bench *b = *state;

    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->report.network.bytes, stored(b, false));
    assert_int_equal(b->seed.n_files, 0);
    assert_is_whole(b);
}

/* The first two chunks of each pack that the old system has change places. Return: of how many packs. */
static unsigned swap_chunks(struct bench *b)
{
    uint8_t *entries = (uint8_t *)b->list.ptr + CHUNK_LIST_HEAD_BYTES;
    uint8_t first[CHUNK_LIST_ENTRY_BYTES];
    unsigned n_swapped = 0;

    for (size_t i = 0; i < b->manifest[1].n_packs; i++) {
        struct bytes head = {entries, sizeof(uint32_t)};
        uint32_t n = 0;

        (void)bytes_take_u32le(&head, &n);
        entries += sizeof(n);
        if (n > 1 && is_in_first(b, &b->manifest[1].packs[i])) {
            memcpy(first, entries, sizeof(first));
            memmove(entries, entries + sizeof(first), sizeof(first));
            memcpy(entries + sizeof(first), first, sizeof(first));
            n_swapped++;
        }
        entries += (size_t)n * CHUNK_LIST_ENTRY_BYTES;
    }
    return n_swapped;
}

static void a_list_that_lies_costs_time_and_nothing_else(void **state)
{
    struct bench *b = *state;

    assert_true(swap_chunks(b) > 0);
    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    assert_true(b->seed.n_bad > 0);
    assert_int_equal(b->seed.n_packs, 0);
    assert_int_equal(b->report.network.bytes, stored(b, false));
    assert_is_whole(b);
}

static void a_list_of_noise_is_no_list(void **state)
{
    struct bench *b = *state;

    for (uint64_t seed = 0; seed < 8; seed++) {
        struct bytes list = buf_bytes(&b->list);

        fill((uint8_t *)b->list.ptr + (seed % 2 == 0 ? CHUNK_LIST_HEAD_BYTES : 0),
             list.len - CHUNK_LIST_HEAD_BYTES,
             seed);

        const struct seed_options options = {
            .shelf = b->shelf, .manifest = &b->manifest[1], .list = list, .root = at(b, "old")};

        assert_int_equal(seed_run(&options, &b->seed), 0);
        assert_int_equal(b->seed.n_packs, 0);
    }
    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->report.network.bytes, stored(b, false));
    assert_is_whole(b);
}

/* When the first pack was looked at, everything that was found becomes something else. */
static bool change_large(void *ctx, uint64_t read_bytes)
{
    struct bench *b = ctx;
    OWN(freep) uint8_t *bytes = malloc(LARGE_BYTES);
    OWN(fd_closep) int fd = open(at(b, "old/usr/large"), O_WRONLY | O_CLOEXEC);

    assert_true(read_bytes > 0);
    assert_non_null(bytes);
    fill(bytes, LARGE_BYTES, 99);
    assert_int_equal(fd_write_all(fd, (struct bytes){bytes, LARGE_BYTES}), 0);
    return true;
}

static void a_file_that_changes_while_it_is_read_is_downloaded(void **state)
{
    struct bench *b = *state;

    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, change_large), 0);
    assert_true(b->seed.n_bad > 0);
    assert_is_whole(b);
}

static bool remove_large(void *ctx, uint64_t read_bytes)
{
    const struct bench *b = ctx;

    (void)read_bytes;
    (void)unlink(at(b, "old/usr/large"));
    return true;
}

static void a_file_that_goes_while_it_is_read_is_downloaded(void **state)
{
    struct bench *b = *state;

    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, remove_large), 0);
    assert_true(b->seed.n_bad > 0);
    assert_is_whole(b);
}

static bool cancel(void *ctx, uint64_t read_bytes)
{
    (void)ctx;
    (void)read_bytes;
    return false;
}

static void it_can_be_cancelled_and_goes_on_later(void **state)
{
    struct bench *b = *state;

    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, cancel), TRANSFER_E_CANCELLED);
    assert_false(shelf_has(b->shelf, b->id[1]));
    assert_int_equal(download(b, NULL), 0);
    assert_is_whole(b);
}

static void without_room_nothing_is_put_together_and_nothing_downloaded(void **state)
{
    struct bench *b = *state;

    serve_list(b, buf_bytes(&b->list));
    shelf_set_reserve(b->shelf, UINT64_MAX / 2);
    assert_int_equal(download(b, NULL), FETCH_E_FULL);
    assert_true(b->seed.is_full);
    assert_int_equal(b->seed.n_packs, 0);
    assert_int_equal(b->report.network.bytes, 0);
}

/* Outside of the old system is what it links to, and what is the task sequence's own. */
static void what_is_behind_links_and_in_the_folder_that_is_skipped_is_not_read(void **state)
{
    struct bench *b = *state;

    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(rename(at(b, "old/usr"), at(b, "outside")), 0);
    assert_int_equal(symlink("../outside", at(b, "old/usr")), 0);
    assert_int_equal(dir_make(at(b, "old/_SMSTaskSequence"), 0700), 0);
    assert_int_equal(rename(at(b, "outside/large"), at(b, "old/_SMSTaskSequence/large")), 0);
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->seed.n_files, 1); /* the link itself */
    assert_int_equal(b->seed.read_bytes, 0);
    assert_int_equal(b->report.network.bytes, stored(b, false));
    assert_is_whole(b);
}

static void what_cannot_be_read_is_downloaded(void **state)
{
    struct bench *b = *state;
    char path[PATH_MAX_BYTES] = "";

    serve_list(b, buf_bytes(&b->list));
    (void)snprintf(path, sizeof(path), "%s", at(b, "old"));
    for (unsigned i = 0; i < SEED_DEPTH_MAX + 2; i++)
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
    assert_int_equal(dir_make(path, 0755), 0);
    (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/large");
    assert_int_equal(rename(at(b, "old/usr/large"), path), 0);
    assert_int_equal(mkfifo(at(b, "old/usr/large"), 0644), 0); /* nobody would ever write into it */
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->seed.n_unreadable, 1); /* the folder that lies too deep */
    assert_int_equal(b->seed.n_packs, 0);
    assert_is_whole(b);
}

static void what_the_disk_damages_on_the_shelf_is_found_and_fetched_again(void **state)
{
    struct bench *b = *state;
    char name[SHA256_TEXT_MAX];
    char path[PATH_MAX_BYTES];
    bool is_damaged = false;

    serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    for (size_t i = 0; i < b->manifest[1].n_packs && !is_damaged; i++) {
        hex_put(name, (struct bytes){b->manifest[1].packs[i].sha256, SHA256_BYTES});
        (void)snprintf(path, sizeof(path), "%s/%s.plain", at(b, "shelf"), name);

        OWN(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

        is_damaged = fd >= 0 && pwrite(fd, "damaged", 7, 1000) == 7;
    }
    assert_true(is_damaged);
    assert_int_equal(shelf_verify(b->shelf, b->id[1], &b->manifest[1], NULL, NULL), SHELF_E_WRONG);
    assert_false(shelf_has(b->shelf, b->id[1]));
    assert_false(file_exists(path));
    assert_int_equal(download(b, NULL), 0);
    assert_is_whole(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            only_what_the_old_system_does_not_have_is_downloaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_was_seeded_is_not_seeded_or_downloaded_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            without_a_chunk_list_everything_is_downloaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_list_that_lies_costs_time_and_nothing_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_list_of_noise_is_no_list, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_changes_while_it_is_read_is_downloaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_goes_while_it_is_read_is_downloaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_can_be_cancelled_and_goes_on_later, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            without_room_nothing_is_put_together_and_nothing_downloaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_behind_links_and_in_the_folder_that_is_skipped_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_downloaded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_the_disk_damages_on_the_shelf_is_found_and_fetched_again, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
