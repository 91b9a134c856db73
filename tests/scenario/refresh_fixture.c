/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "refresh_fixture.h"

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

#include "base/own.h"
#include "image/folder_capture.h"
#include "image/wim_describe.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 512,
    NAME_BYTES = 128,
    CHANGED_AT = 3 * 1024 * 1024,
    SMALL_BYTES = 3000,
    CHUNKS_MAX = 4096,
    ROOM_MAX = 1024 * 1024,
    LIST_MAX = 1024 * 1024,
    FILE_MAX_BYTES = 16 * 1024 * 1024,
};

const char *refresh_at(const struct refresh_bench *b, const char *name)
{
    static char paths[4][PATH_MAX_BYTES];
    static unsigned n;
    char *path = paths[n++ % 4];

    if (name[0] == '/')
        (void)snprintf(path, PATH_MAX_BYTES, "%s", name);
    else
        (void)snprintf(path, PATH_MAX_BYTES, "%s/%s", b->root, name);
    return path;
}

void refresh_fill(uint8_t *dst, size_t len, uint64_t seed)
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

void refresh_make_tree(const struct refresh_bench *b, const char *root, unsigned version)
{
    OWN(freep) uint8_t *bytes = malloc(REFRESH_LARGE_BYTES + 100);
    char name[NAME_BYTES];

    assert_non_null(bytes);
    (void)snprintf(name, sizeof(name), "%s/usr/share", root);
    assert_int_equal(dir_make(refresh_at(b, name), 0755), 0);
    for (unsigned i = 0; i < REFRESH_SMALL_FILES + version; i++) {
        refresh_fill(bytes, SMALL_BYTES, version == 1 && i == 7 ? 1000 : 100 + i);
        (void)snprintf(name, sizeof(name), "%s/usr/share/file%u", root, i);
        put_file(refresh_at(b, name), (struct bytes){bytes, SMALL_BYTES});
    }
    refresh_fill(bytes, REFRESH_LARGE_BYTES, 1);
    if (version == 1) {
        memmove(bytes + CHANGED_AT + 50, bytes + CHANGED_AT, REFRESH_LARGE_BYTES - CHANGED_AT);
        refresh_fill(bytes + CHANGED_AT, 50, 2);
    }
    (void)snprintf(name, sizeof(name), "%s/usr/large", root);
    put_file(refresh_at(b, name),
             (struct bytes){bytes, REFRESH_LARGE_BYTES + (version == 1 ? 50 : 0)});
    (void)snprintf(name, sizeof(name), "%s/usr/link", root);
    assert_int_equal(symlink("share/file1", refresh_at(b, name)), 0);
}

struct taking { /* of a stream, in the order in which it is made */
    struct refresh_bench *b;
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

static bool is_next(const struct manifest_run *last, const struct manifest_run *run)
{
    return last->pack == run->pack && last->offset + last->size_bytes == run->offset;
}

static void add_run(struct taking *t, struct manifest *manifest, uint32_t *numbers, size_t i)
{
    uint32_t pack = t->places[i].pack;
    struct manifest_pack about;
    uint32_t table_bytes;
    size_t number = 0;

    assert_non_null(manifest->runs);
    store_pack(t->b->store, pack, &about, &table_bytes);
    while (number < manifest->n_packs && numbers[number] != pack)
        number++;
    if (number == manifest->n_packs) {
        numbers[number] = pack;
        manifest->packs[manifest->n_packs++] = about;
    }

    struct manifest_run run = {(uint32_t)number, t->places[i].offset + table_bytes, t->sizes[i]};

    manifest->size_bytes += run.size_bytes;
    if (manifest->n_runs > 0 && is_next(&manifest->runs[manifest->n_runs - 1], &run))
        manifest->runs[manifest->n_runs - 1].size_bytes += run.size_bytes;
    else
        manifest->runs[manifest->n_runs++] = run;
}

static void keep(struct refresh_bench *b, const char *tree, unsigned version)
{
    OWN(freep) struct taking *t = calloc(1, sizeof(*t));
    OWN(freep) uint32_t *numbers = calloc(CHUNKS_MAX, sizeof(*numbers));
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(wim_image_fini) struct wim_image image = {0};
    struct manifest *manifest = &b->manifest[version];

    assert_non_null(t);
    assert_non_null(numbers);
    t->b = b;
    t->unit = BUF_INIT(2 * (size_t)REFRESH_LARGE_BYTES);
    manifest->kind = MANIFEST_OS_IMAGE_INDEX;
    manifest->packs = calloc(CHUNKS_MAX, sizeof(*manifest->packs));
    manifest->runs = calloc(CHUNKS_MAX, sizeof(*manifest->runs));
    assert_non_null(manifest->packs);
    assert_non_null(manifest->runs);

    const struct blob_sink sink = {take_room, take_bytes, take_end, take_turn, ROOM_MAX, t};

    assert_int_equal(store_begin(b->store), 0);
    assert_int_equal(folder_capture(refresh_at(b, tree), "test", NULL, &sink, &why, &image), 0);
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
static void serve(struct refresh_bench *b, const char *path, const char *file)
{
    OWN(buf_fini) struct buf body = BUF_INIT(FILE_MAX_BYTES);

    assert_int_equal(file_read(file, &body), 0);
    dp_put_file(b->dp, path, buf_bytes(&body));
}

static void serve_manifest(struct refresh_bench *b,
                           const struct manifest *manifest,
                           const uint8_t id[static SHA256_BYTES])
{
    char name[SHA256_TEXT_MAX];
    char path[DP_PATH_MAX];
    char file[STORE_PATH_MAX];

    for (size_t i = 0; i < manifest->n_packs; i++) {
        hex_put(name, (struct bytes){manifest->packs[i].sha256, SHA256_BYTES});
        (void)snprintf(path, sizeof(path), "/content/packs/%.2s/%s", name, name);
        store_pack_path(b->store, manifest->packs[i].sha256, file);
        serve(b, path, file);
    }
    hex_put(name, (struct bytes){id, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/manifests/%s", name);
    store_manifest_path(b->store, id, file);
    serve(b, path, file);
}

static void serve_second(struct refresh_bench *b)
{
    char name[SHA256_TEXT_MAX];
    char file[STORE_PATH_MAX];

    serve_manifest(b, &b->manifest[1], b->id[1]);
    hex_put(name, (struct bytes){b->id[1], SHA256_BYTES});
    (void)snprintf(file, sizeof(file), "%s/lists/%s", refresh_at(b, "store"), name);
    assert_int_equal(file_read(file, &b->list), 0);
}

void refresh_serve_package(struct refresh_bench *b,
                           const struct refresh_file *files,
                           size_t n,
                           uint8_t ret_id[static SHA256_BYTES])
{
    OWN(freep) struct taking *t = calloc(1, sizeof(*t));
    OWN(manifest_fini) struct manifest manifest = {.kind = MANIFEST_TREE, .n_entries = n};
    uint32_t numbers[REFRESH_PACKAGE_FILES];

    assert_non_null(t);
    assert_true(n <= REFRESH_PACKAGE_FILES);
    t->b = b;
    manifest.packs = calloc(n, sizeof(*manifest.packs));
    manifest.runs = calloc(n, sizeof(*manifest.runs));
    manifest.entries = calloc(n, sizeof(*manifest.entries));
    assert_true(manifest.packs && manifest.runs && manifest.entries);
    assert_int_equal(store_begin(b->store), 0);
    for (size_t i = 0; i < n; i++) {
        manifest.entries[i] = (struct manifest_entry){.kind = MANIFEST_REGULAR,
                                                      .mode = files[i].mode,
                                                      .size_bytes = files[i].content.len,
                                                      .path = strdup(files[i].path)};
        t->sizes[i] = (uint32_t)files[i].content.len;
        assert_int_equal(store_put_chunk(b->store, files[i].content, &t->places[i]), 0);
    }
    assert_int_equal(store_flush(b->store), 0);
    for (size_t i = 0; i < n; i++)
        add_run(t, &manifest, numbers, i);
    assert_int_equal(store_put_manifest(b->store, &manifest, ret_id), 0);
    store_end(b->store);
    serve_manifest(b, &manifest, ret_id);
}

void refresh_serve_list(struct refresh_bench *b, struct bytes list)
{
    char name[SHA256_TEXT_MAX];
    char path[DP_PATH_MAX];

    hex_put(name, (struct bytes){b->id[1], SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/lists/%s", name);
    dp_put_file(b->dp, path, list);
}

int refresh_set_up_with(void **state, int (*more)(const char *root))
{
    struct refresh_bench *b = calloc(1, sizeof(*b));

    if (!b)
        return -1;
    (void)snprintf(b->root, sizeof(b->root), "/tmp/slipway-refresh-XXXXXX");
    b->list = BUF_INIT(LIST_MAX);
    cut_init(&b->cut);
    b->dp = dp_start();
    if (!b->dp || !mkdtemp(b->root) || store_new(refresh_at(b, "store"), &b->store) != 0 ||
        shelf_open(refresh_at(b, "shelf"), &b->shelf) != 0)
        return -1;
    refresh_make_tree(b, "old", 0);
    refresh_make_tree(b, "new", 1);
    if (more && more(refresh_at(b, "new")) < 0)
        return -1;
    keep(b, "old", 0);
    keep(b, "new", 1);
    serve_second(b);
    b->options = (struct transfer_options){
        .sources = b->dp->sources, .n_sources = 1, .unix_socket = b->dp->socket_path};
    *state = b;
    return 0;
}

int refresh_set_up(void **state)
{
    return refresh_set_up_with(state, NULL);
}

int refresh_tear_down(void **state)
{
    struct refresh_bench *b = *state;

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
