/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_wim_fixture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/own.h"
#include "image/wim.h"
#include "image/wim_apply.h"
#include "image/wim_import.h"
#include "plat/file.h"

enum {
    NOISE_BYTES = 90000,
    REPEATED_BYTES = 70000,
    PART_BYTES = 50000,
    PLACE_BYTES = 24,      /* of a resource, in the header: size and flags, offset, size */
    XML_PLACE_OFFSET = 72, /* in the header */
    XML_FLAGS = 0x02,
    TABLE_PLACE_OFFSET = 48,
    BLOB_ENTRY_BYTES = 50, /* place, number of the part, references, SHA-1 */
    BLOB_SHA1_OFFSET = 30,
    METADATA_FLAG = 0x02, /* in the byte above the size */
    CHUNK_BYTES = 32768,  /* of compression; the default of LZMS wants much memory */
};

#define PLACE_SIZE_MASK ((UINT64_C(1) << 56) - 1)

void wim_fixture_path(const struct wim_fixture *f,
                      const char *name,
                      char dst[static WIM_FIXTURE_PATH_MAX])
{
    (void)snprintf(dst, WIM_FIXTURE_PATH_MAX, "%s/%s", f->root, name);
}

static int put_file(const struct wim_fixture *f, const char *name, struct bytes content)
{
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    return file_write(path, content, 04750);
}

/* Files that compress well, hardly, and not at all, so that every kind of resource comes up. */
static int put_files(const struct wim_fixture *f)
{
    static uint8_t noise[NOISE_BYTES];
    static uint8_t repeated[REPEATED_BYTES];
    uint32_t seed = 3;

    for (size_t i = 0; i < sizeof(noise); i++) {
        seed = seed * 1664525u + 1013904223u;
        noise[i] = (uint8_t)(seed >> 24);
    }
    memset(repeated, 'r', sizeof(repeated));
    if (put_file(f, "tree/text", bytes_of("some text, some text, some text")) < 0 ||
        put_file(f, "tree/noise.a", (struct bytes){noise, sizeof(noise)}) < 0 ||
        put_file(f, "tree/a.repeated", (struct bytes){repeated, sizeof(repeated)}) < 0)
        return -1;
    return put_file(f, "tree/b.text", bytes_of("another text that is short"));
}

static int make_tree(const struct wim_fixture *f)
{
    char path[WIM_FIXTURE_PATH_MAX];
    char other[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, "out", path);
    if (mkdir(path, 0755) < 0)
        return -1;
    wim_fixture_path(f, "tree", path);
    if (mkdir(path, 0755) < 0 || put_files(f) < 0)
        return -1;
    wim_fixture_path(f, "tree/text", path);
    wim_fixture_path(f, "tree/link", other);
    if (setxattr(path, "user.note", "hello", 5, 0) < 0 || link(path, other) < 0)
        return -1;
    wim_fixture_path(f, "tree/pipe", path);
    if (mkfifo(path, 0600) < 0)
        return -1;
    wim_fixture_path(f, "tree/symlink", path);
    return symlink("../no/where", path);
}

void wim_fixture_capture(const struct wim_fixture *f,
                         const char *tree,
                         const char *name,
                         enum wimlib_compression_type type,
                         int add_flags)
{
    char from[WIM_FIXTURE_PATH_MAX];
    char to[WIM_FIXTURE_PATH_MAX];
    WIMStruct *wim = NULL;

    wim_fixture_path(f, tree, from);
    wim_fixture_path(f, name, to);
    assert_int_equal(wimlib_create_new_wim(type, &wim), 0);
    assert_int_equal(wimlib_add_image(wim, from, "Tiny", NULL, add_flags), 0);
    assert_int_equal(wimlib_set_image_descripton(wim, 1, "A tree of seven names"), 0);
    assert_int_equal(wimlib_write(wim, to, WIMLIB_ALL_IMAGES, 0, 1), 0);
    wimlib_free(wim);
}

void wim_fixture_recompress(const struct wim_fixture *f,
                            const char *name,
                            enum wimlib_compression_type type,
                            int write_flags)
{
    char from[WIM_FIXTURE_PATH_MAX];
    char to[WIM_FIXTURE_PATH_MAX];
    WIMStruct *source = NULL;
    WIMStruct *wim = NULL;

    wim_fixture_path(f, "a.wim", from);
    wim_fixture_path(f, name, to);
    assert_int_equal(wimlib_open_wim(from, 0, &source), 0);
    assert_int_equal(wimlib_create_new_wim(type, &wim), 0);
    if (type != WIMLIB_COMPRESSION_TYPE_NONE)
        assert_int_equal(wimlib_set_output_chunk_size(wim, CHUNK_BYTES), 0);
    assert_int_equal(wimlib_set_output_pack_chunk_size(wim, CHUNK_BYTES), 0);
    assert_int_equal(wimlib_export_image(source, 1, wim, NULL, NULL, 0), 0);
    assert_int_equal(wimlib_write(wim, to, WIMLIB_ALL_IMAGES, write_flags, 1), 0);
    wimlib_free(wim);
    wimlib_free(source);
}

void wim_fixture_split(const struct wim_fixture *f, const char *name, const char *part)
{
    char from[WIM_FIXTURE_PATH_MAX];
    char to[WIM_FIXTURE_PATH_MAX];
    WIMStruct *wim = NULL;

    wim_fixture_path(f, name, from);
    wim_fixture_path(f, part, to);
    assert_int_equal(wimlib_open_wim(from, 0, &wim), 0);
    assert_int_equal(wimlib_split(wim, to, PART_BYTES, 0), 0);
    wimlib_free(wim);
}

/* UTF-16 with a mark, little-endian, of characters below U+0800. */
static void put_utf16(struct buf *dst, const char *text)
{
    buf_add(dst, (struct bytes){(const uint8_t *)"\xff\xfe", 2});
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++) {
        unsigned code = *c < 0x80 ? *c : (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
        const uint8_t unit[2] = {code & 0xff, (uint8_t)(code >> 8)};

        c += *c < 0x80 ? 0 : 1;
        buf_add(dst, (struct bytes){unit, sizeof(unit)});
    }
}

/* The new text goes to the end of the file, and the header says so. */
void wim_fixture_set_xml(const struct wim_fixture *f, const char *name, const char *xml)
{
    OWN(buf_fini) struct buf file = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    uint8_t place[PLACE_BYTES];
    struct sink sink = {.ptr = place, .cap = sizeof(place)};
    char path[WIM_FIXTURE_PATH_MAX];
    size_t offset;

    wim_fixture_path(f, name, path);
    assert_int_equal(file_read(path, &file), 0);
    offset = file.len;
    put_utf16(&file, xml);
    assert_false(file.failed);
    sink_u64le(&sink, (file.len - offset) | (uint64_t)XML_FLAGS << 56);
    sink_u64le(&sink, offset);
    sink_u64le(&sink, file.len - offset);
    memcpy(file.ptr + XML_PLACE_OFFSET, place, sizeof(place));
    assert_int_equal(file_write(path, buf_bytes(&file), 0600), 0);
}

/* The entry of the metadata in the table of blobs. @ret: where the metadata lies. */
static uint8_t *find_metadata(const struct buf *file, struct bytes *ret)
{
    struct bytes header = {(const uint8_t *)file->ptr + TABLE_PLACE_OFFSET, PLACE_BYTES};
    uint64_t size = 0;
    uint64_t offset = 0;

    assert_true(bytes_take_u64le(&header, &size) && bytes_take_u64le(&header, &offset));
    size &= PLACE_SIZE_MASK;
    assert_in_range(offset, 1, file->len - size);
    for (uint64_t at = offset; at < offset + size; at += BLOB_ENTRY_BYTES) {
        uint8_t *entry = (uint8_t *)file->ptr + at;
        struct bytes place = {entry, PLACE_BYTES};
        uint64_t where = 0;
        uint64_t len = 0;

        if ((entry[7] & METADATA_FLAG) == 0)
            continue;
        assert_true(bytes_take_u64le(&place, &len) && bytes_take_u64le(&place, &where));
        *ret = (struct bytes){(uint8_t *)file->ptr + where, (size_t)(len & PLACE_SIZE_MASK)};
        return entry;
    }
    fail_msg("the file has no metadata");
    return NULL;
}

void wim_fixture_rename(const struct wim_fixture *f,
                        const char *name,
                        const char *from,
                        const char *to)
{
    OWN(buf_fini) struct buf file = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    const uint8_t old[4] = {(uint8_t)from[0], 0, (uint8_t)from[1], 0};
    const uint8_t new[4] = {(uint8_t)to[0], 0, (uint8_t)to[1], 0};
    char path[WIM_FIXTURE_PATH_MAX];
    struct bytes metadata = {0};
    uint8_t *entry;
    uint8_t *at;

    wim_fixture_path(f, name, path);
    assert_int_equal(file_read(path, &file), 0);
    entry = find_metadata(&file, &metadata);
    if (!entry)
        return;
    at = memmem(metadata.ptr, metadata.len, old, sizeof(old));
    if (!at) {
        fail_msg("no file has the name %s", from);
        return;
    }
    memcpy(at, new, sizeof(new));
    assert_int_equal(
        EVP_Digest(metadata.ptr, metadata.len, entry + BLOB_SHA1_OFFSET, NULL, EVP_sha1(), NULL),
        1);
    assert_int_equal(file_write(path, buf_bytes(&file), 0600), 0);
}

int wim_fixture_set_up(void **state)
{
    struct wim_fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    (void)snprintf(f->root, sizeof(f->root), "/tmp/slipway-test-wim-XXXXXX");
    if (!mkdtemp(f->root) || wim_start() < 0 || make_tree(f) < 0)
        return -1;
    *state = f;
    wim_fixture_capture(
        f, "tree", "a.wim", WIMLIB_COMPRESSION_TYPE_XPRESS, WIMLIB_ADD_FLAG_UNIX_DATA);
    return 0;
}

int wim_fixture_tear_down(void **state)
{
    struct wim_fixture *f = *state;
    int r = dir_remove(f->root);

    free(f);
    return r;
}

static int collect(void *ctx, struct bytes piece, unsigned percent)
{
    struct buf *all = ctx;

    assert_in_range(percent, 0, 100);
    buf_add(all, piece);
    return 0;
}

static int pass(void *ctx)
{
    (void)ctx;
    return 0;
}

void wim_fixture_stream(const struct wim_fixture *f, const char *name, struct buf *ret)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_sink sink = {collect, pass, ret};
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    assert_int_equal(wim_import_new(path, &import, &why), 0);
    assert_int_equal(wim_import_stream(import, wim_import_get(import, 0), &sink, &why), 0);
    assert_false(ret->failed);
}

int wim_fixture_apply(const struct wim_fixture *f, struct bytes stream, struct buf *why)
{
    OWN(fd_closep) int fd = memfd_create("stream", MFD_CLOEXEC);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, "out", path);
    assert_int_equal(fd_write_all(fd, stream), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return wim_apply(fd, path, why);
}
