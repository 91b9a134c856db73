/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/file_capture.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/own.h"
#include "image/folder_capture.h"
#include "plat/digest.h"
#include "plat/file.h"

enum {
    ROOM_MAX = 1024,
    MAX_BYTES = 64 * 1024,
    LARGE_BYTES = 5000,
};

struct fixture {
    char folder[64];
    int fd;
    struct blob_sink sink;
    struct blob_stream stream;
    struct metadata image;
    struct buf path;
    struct buf why;
    struct buf put;
    uint8_t room[ROOM_MAX];
    struct file_capture file;
};

static int take_room(void *ctx, size_t n, uint8_t **ret)
{
    struct fixture *f = ctx;

    assert_in_range(n, 1, ROOM_MAX);
    *ret = f->room;
    return 0;
}

static int put(void *ctx, size_t n)
{
    struct fixture *f = ctx;

    buf_add(&f->put, (struct bytes){f->room, n});
    return 0;
}

static int end_unit(void *ctx)
{
    (void)ctx;
    return 0;
}

static void turn(void *ctx, enum blob_stream_part part)
{
    (void)ctx;
    (void)part;
}

static int set_up(void **state)
{
    const struct metadata_inode inode = {.security = METADATA_NONE};
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    *state = f;
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/slipway-test-file-capture-XXXXXX");
    if (!mkdtemp(f->folder))
        return -1;
    f->fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    f->sink = (struct blob_sink){take_room, put, end_unit, turn, ROOM_MAX, f};
    f->stream.sink = &f->sink;
    f->path = BUF_INIT(MAX_BYTES);
    f->why = BUF_INIT(MAX_BYTES);
    f->put = BUF_INIT(MAX_BYTES);
    buf_adds(&f->path, "/file");
    f->file = (struct file_capture){&f->stream, &f->image, &f->path, &f->why};
    return f->fd < 0 ? -1 : metadata_add_inode(&f->image, &inode);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    int r = dir_remove(f->folder);

    fd_closep(&f->fd);
    blob_stream_fini(&f->stream);
    metadata_fini(&f->image);
    buf_fini(&f->path);
    buf_fini(&f->why);
    buf_fini(&f->put);
    free(f);
    return r;
}

static void make_file(const struct fixture *f, const char *name, size_t n)
{
    char path[128];
    uint8_t content[LARGE_BYTES];

    memset(content, 'x', sizeof(content));
    (void)snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    assert_int_equal(file_write(path, (struct bytes){content, n}, 0600), 0);
}

static struct stat find(const struct fixture *f, const char *name)
{
    struct stat st;

    assert_int_equal(fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st;
}

/* Header and bytes, whether it is read in one piece or in several, and only the first time. */
static void contents_are_put_once(void **state)
{
    static const size_t sizes[] = {1, ROOM_MAX - WIM_RESOURCE_HEADER_BYTES, LARGE_BYTES};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        OWN(fd_closep) int fd = -1;
        uint8_t sha1[SHA1_BYTES];
        uint8_t want[SHA1_BYTES];
        struct stat found;

        make_file(f, "file", sizes[i]);
        found = find(f, "file");
        buf_clear(&f->put);
        assert_int_equal(file_capture_open(&f->file, f->fd, "file", &found, &fd), 0);
        assert_int_equal(file_capture_contents(&f->file, fd, &found, sha1), 0);
        assert_int_equal(f->put.len, WIM_RESOURCE_HEADER_BYTES + sizes[i]);
        assert_int_equal(
            digest_sha1(
                (struct bytes){(const uint8_t *)f->put.ptr + WIM_RESOURCE_HEADER_BYTES, sizes[i]},
                want),
            0);
        assert_memory_equal(sha1, want, SHA1_BYTES);
        assert_int_equal(file_capture_contents(&f->file, fd, &found, sha1), 0);
        assert_int_equal(f->put.len, WIM_RESOURCE_HEADER_BYTES + sizes[i]);
    }
}

static void another_file_of_the_name_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct stat found;
    int fd = -1;

    make_file(f, "file", 10);
    make_file(f, "other", 10); /* so that the number is not given out again at once */
    found = find(f, "other");
    assert_int_equal(file_capture_open(&f->file, f->fd, "file", &found, &fd),
                     FILE_CAPTURE_E_CHANGED);
    assert_int_equal(file_capture_open(&f->file, f->fd, "gone", &found, &fd),
                     FILE_CAPTURE_E_CHANGED);
    assert_int_equal(symlinkat("other", f->fd, "link"), 0);
    assert_int_equal(file_capture_open(&f->file, f->fd, "link", &found, &fd),
                     FILE_CAPTURE_E_CHANGED);
    assert_int_equal(fd, -1);
}

static void a_file_that_is_shorter_than_it_was_is_noticed_before_anything_is_put(void **state)
{
    struct fixture *f = *state;
    OWN(fd_closep) int fd = -1;
    uint8_t sha1[SHA1_BYTES];
    struct stat found;

    make_file(f, "file", 500);
    found = find(f, "file");
    assert_int_equal(file_capture_open(&f->file, f->fd, "file", &found, &fd), 0);
    found.st_size++;
    assert_int_equal(file_capture_contents(&f->file, fd, &found, sha1), FILE_CAPTURE_E_CHANGED);
    assert_int_equal(f->put.len, 0);
}

/* Of a file by its descriptor; of a link, which cannot be opened, by the descriptor's name. */
static void extended_attributes_are_added_to_the_last_inode(void **state)
{
    struct fixture *f = *state;
    char path[128];

    make_file(f, "file", 1);
    assert_int_equal(symlinkat("file", f->fd, "link"), 0);
    (void)snprintf(path, sizeof(path), "%s/file", f->folder);
    if (setxattr(path, "user.colour", "blue", 4, 0) < 0)
        skip(); /* a file system without them */
    for (size_t i = 0; i < 2; i++) {
        OWN(fd_closep) int fd = -1;
        const char *name = i == 0 ? "link" : "file";
        struct stat found = find(f, name);

        assert_int_equal(file_capture_open(&f->file, f->fd, name, &found, &fd), 0);
        assert_int_equal(file_capture_xattrs(&f->file, fd, &found), 0);
        assert_int_equal(f->image.n_xattrs, i);
    }
    assert_string_equal(f->image.xattrs[0].name, "user.colour");
    assert_true(bytes_eq(f->image.xattrs[0].value, bytes_of("blue")));
}

static void errors_name_the_path_and_shortage_is_ours(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(file_capture_fail(&f->file, EACCES), FOLDER_CAPTURE_E_SOURCE);
    assert_string_equal(buf_str(&f->why), "/file: Permission denied");
    assert_int_equal(file_capture_fail(&f->file, EMFILE), -EMFILE);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(contents_are_put_once),
        TEST(another_file_of_the_name_is_noticed),
        TEST(a_file_that_is_shorter_than_it_was_is_noticed_before_anything_is_put),
        TEST(extended_attributes_are_added_to_the_last_inode),
        TEST(errors_name_the_path_and_shortage_is_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
