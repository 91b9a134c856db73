/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_apply_ntfs_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/test_ntfs_fixture.h"

enum {
    VOLUME_BYTES = 8 * 1024 * 1024,
};

int ntfs_test_set_up(void **state)
{
    struct ntfs_test *f = calloc(1, sizeof(*f));
    struct metadata_inode root = {.attributes = METADATA_FOLDER, .security = METADATA_NONE};
    int fd;

    assert_non_null(f);
    (void)snprintf(f->path, sizeof(f->path), "/tmp/slipway-test-ntfs-XXXXXX");
    fd = mkstemp(f->path);
    assert_true(fd >= 0);
    (void)close(fd);
    ntfs_fixture_make_empty(f->path, VOLUME_BYTES);
    f->why = BUF_INIT(4096);
    root.created = NTFS_TEST_CREATED;
    root.written = NTFS_TEST_WRITTEN;
    root.accessed = NTFS_TEST_ACCESSED;
    assert_int_equal(metadata_add_inode(&f->image, &root), 0);
    assert_int_equal(metadata_add_name(&f->image,
                                       &(struct metadata_name){
                                           .name = "", .short_name = "", .parent = METADATA_NONE}),
                     0);
    *state = f;
    return 0;
}

int ntfs_test_tear_down(void **state)
{
    struct ntfs_test *f = *state;

    apply_ntfs_free(f->ntfs);
    metadata_fini(&f->image);
    buf_fini(&f->why);
    (void)unlink(f->path);
    free(f);
    return 0;
}

void ntfs_test_resize(struct ntfs_test *f, uint64_t size_bytes)
{
    ntfs_fixture_make_empty(f->path, size_bytes);
}

/* What every file of the tests has; the inode is added, without a name. */
uint32_t ntfs_test_add_inode(struct ntfs_test *f, struct metadata_inode inode)
{
    inode.created = NTFS_TEST_CREATED;
    inode.written = NTFS_TEST_WRITTEN;
    inode.accessed = NTFS_TEST_ACCESSED;
    if (f->image.n_descriptors == 0)
        inode.security = METADATA_NONE;
    assert_int_equal(metadata_add_inode(&f->image, &inode), 0);
    return (uint32_t)f->image.n_inodes - 1;
}

void ntfs_test_add_name(
    struct ntfs_test *f, uint32_t inode, uint32_t parent, const char *name, const char *short_name)
{
    const struct metadata_name what = {
        .name = name, .short_name = short_name, .parent = parent, .inode = inode};

    assert_int_equal(metadata_add_name(&f->image, &what), 0);
}

uint32_t ntfs_test_add_file(struct ntfs_test *f, uint32_t parent, const char *name)
{
    uint32_t inode =
        ntfs_test_add_inode(f, (struct metadata_inode){.attributes = METADATA_ARCHIVE});

    ntfs_test_add_name(f, inode, parent, name, "");
    return inode;
}

uint32_t ntfs_test_add_folder(struct ntfs_test *f, uint32_t parent, const char *name)
{
    uint32_t inode = ntfs_test_add_inode(f, (struct metadata_inode){.attributes = METADATA_FOLDER});

    ntfs_test_add_name(f, inode, parent, name, "");
    return inode;
}

/* To the last inode. Return: what a blob for it is called with; 0: the stream is empty. */
uint8_t ntfs_test_add_stream(struct ntfs_test *f,
                             enum metadata_stream_kind kind,
                             const char *name,
                             bool is_empty)
{
    struct metadata_stream stream = {.kind = kind, .name = name};

    if (!is_empty)
        stream.sha1[0] = ++f->n_blobs;
    assert_int_equal(metadata_add_stream(&f->image, &stream), 0);
    return is_empty ? 0 : f->n_blobs;
}

int ntfs_test_begin(struct ntfs_test *f)
{
    int r = apply_ntfs_new(f->path, &f->why, &f->ntfs);

    assert_int_equal(r, 0);
    f->target = apply_ntfs_target(f->ntfs);
    return f->target.begin(f->target.ctx, &f->image);
}

static size_t
find_uses(const struct ntfs_test *f, uint8_t blob, struct apply_use uses[NTFS_TEST_USES_MAX])
{
    size_t n = 0;

    for (uint32_t i = 0; i < f->image.n_inodes; i++)
        for (uint32_t s = 0; s < f->image.inodes[i].n_streams; s++) {
            uint32_t stream = f->image.inodes[i].first_stream + s;

            if (f->image.streams[stream].sha1[0] == blob)
                uses[n++] = (struct apply_use){i, stream};
        }
    return n;
}

/* The blob for all who use it, in pieces of @piece bytes. */
int ntfs_test_send(struct ntfs_test *f, uint8_t number, struct bytes content, size_t piece)
{
    struct apply_use uses[NTFS_TEST_USES_MAX];
    uint8_t sha1[SHA1_BYTES] = {number};
    const struct apply_blob blob = {.sha1 = sha1,
                                    .size_bytes = content.len,
                                    .uses = uses,
                                    .n_uses = find_uses(f, number, uses)};
    int r = f->target.blob_begin(f->target.ctx, &blob);
    struct bytes part;

    while (r == 0 && content.len > 0) {
        assert_true(bytes_take(&content, piece < content.len ? piece : content.len, &part));
        r = f->target.blob_piece(f->target.ctx, part);
    }
    return r != 0 ? r : f->target.blob_end(f->target.ctx);
}

int ntfs_test_finish(struct ntfs_test *f)
{
    int r = f->target.finish(f->target.ctx);

    f->target.stop(f->target.ctx);
    apply_ntfs_free(f->ntfs);
    f->ntfs = NULL;
    return r;
}

void ntfs_test_stop(struct ntfs_test *f)
{
    f->target.stop(f->target.ctx);
    apply_ntfs_free(f->ntfs);
    f->ntfs = NULL;
}

/* Nothing but names: begin and finish. */
void ntfs_test_make(struct ntfs_test *f, int outcome)
{
    assert_int_equal(ntfs_test_begin(f), 0);
    assert_int_equal(ntfs_test_finish(f), outcome);
}

ntfs_volume *ntfs_test_look(const struct ntfs_test *f)
{
    ntfs_volume *volume = ntfs_mount(f->path, NTFS_MNT_RDONLY);

    assert_non_null(volume);
    assert_int_equal(volume->flags & VOLUME_IS_DIRTY, 0);
    return volume;
}

ntfs_inode *ntfs_test_find(ntfs_volume *volume, const char *path)
{
    ntfs_inode *ni = ntfs_pathname_to_inode(volume, NULL, path);

    if (!ni)
        fail_msg("%s is not there", path);
    return ni;
}

static size_t read_stream(ntfs_inode *ni, const char *name, uint8_t *dst, size_t cap)
{
    ntfschar units[64];
    uint8_t n = (uint8_t)strlen(name);
    ntfs_attr *stream;
    s64 len;

    for (size_t i = 0; i < n; i++)
        units[i] = (ntfschar)name[i];
    stream = ntfs_attr_open(ni, AT_DATA, n == 0 ? AT_UNNAMED : units, n);
    assert_non_null(stream);
    assert_in_range(stream->data_size, 0, cap);
    len = ntfs_attr_pread(stream, 0, stream->data_size, dst);
    assert_int_equal(len, stream->data_size);
    ntfs_attr_close(stream);
    return (size_t)len;
}

void assert_ntfs_stream(ntfs_inode *ni, const char *name, struct bytes wanted)
{
    OWN(freep) uint8_t *found = malloc(wanted.len + 1);

    assert_non_null(found);
    assert_int_equal(read_stream(ni, name, found, wanted.len + 1), wanted.len);
    assert_memory_equal(found, wanted.ptr, wanted.len);
}

void assert_ntfs_times(ntfs_inode *ni)
{
    uint64_t times[4];

    assert_int_equal(ntfs_inode_get_times(ni, (char *)times, sizeof(times)), sizeof(times));
    assert_int_equal(times[0], NTFS_TEST_CREATED);
    assert_int_equal(times[1], NTFS_TEST_WRITTEN);
    assert_int_equal(times[2], NTFS_TEST_ACCESSED);
}

uint8_t *ntfs_test_pattern(size_t len)
{
    uint8_t *bytes = malloc(len);
    uint32_t seed = 1;

    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    return bytes;
}
