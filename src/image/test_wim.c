/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_import.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <wimlib.h>

#include "base/bytes.h"
#include "base/own.h"
#include "image/wim.h"
#include "image/wim_apply.h"
#include "plat/file.h"

enum {
    STREAM_MAX_BYTES = 1024 * 1024,
};

struct fixture {
    char root[64]; /* holds tree/, out/, a.wim, ... */
};

static void path_of(const struct fixture *f, const char *name, char dst[256])
{
    (void)snprintf(dst, 256, "%s/%s", f->root, name);
}

static int make_tree(const struct fixture *f)
{
    char path[256];
    char other[256];

    path_of(f, "out", path);
    if (mkdir(path, 0755) < 0)
        return -1;
    path_of(f, "tree", path);
    if (mkdir(path, 0755) < 0)
        return -1;
    path_of(f, "tree/text", path);
    if (file_write(path, bytes_of("some text, some text, some text"), 04750) < 0)
        return -1;
    path_of(f, "tree/link", other);
    if (link(path, other) < 0)
        return -1;
    path_of(f, "tree/pipe", path);
    if (mkfifo(path, 0600) < 0)
        return -1;
    path_of(f, "tree/symlink", path);
    return symlink("../no/where", path);
}

static int capture(const struct fixture *f, const char *name, enum wimlib_compression_type type)
{
    char tree[256];
    char path[256];
    WIMStruct *wim = NULL;
    int r;

    path_of(f, "tree", tree);
    path_of(f, name, path);
    r = wimlib_create_new_wim(type, &wim);
    if (r == 0)
        r = wimlib_add_image(wim, tree, "Tiny", NULL, WIMLIB_ADD_FLAG_UNIX_DATA);
    if (r == 0)
        r = wimlib_set_image_descripton(wim, 1, "A tree of five names");
    if (r == 0)
        r = wimlib_write(wim, path, WIMLIB_ALL_IMAGES, 0, 1);
    wimlib_free(wim);
    return r;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    (void)snprintf(f->root, sizeof(f->root), "/tmp/slipway-test-wim-XXXXXX");
    if (!mkdtemp(f->root) || wim_start() < 0 || make_tree(f) < 0)
        return -1;
    *state = f;
    return capture(f, "a.wim", WIMLIB_COMPRESSION_TYPE_XPRESS);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
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

static int refuse(void *ctx, struct bytes piece, unsigned percent)
{
    (void)ctx;
    (void)piece;
    (void)percent;
    return 1;
}

static void stream_of(const struct fixture *f, const char *name, struct buf *ret)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_sink sink = {collect, ret};
    char path[256];

    path_of(f, name, path);
    assert_int_equal(wim_import_new(path, &import, &why), 0);
    assert_int_equal(wim_import_stream(import, wim_import_get(import, 0), &sink, &why), 0);
    assert_false(ret->failed);
}

static int apply(const struct fixture *f, struct bytes stream, struct buf *why)
{
    OWN(fd_closep) int fd = memfd_create("stream", MFD_CLOEXEC);
    char path[256];

    path_of(f, "out", path);
    assert_int_equal(fd_write_all(fd, stream), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return wim_apply(fd, path, why);
}

static void new_lists_what_the_file_says(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    const struct wim_image *image;
    char path[256];

    path_of(*state, "a.wim", path);
    assert_int_equal(wim_import_new(path, &import, &why), 0);
    assert_int_equal(wim_import_count(import), 1);
    image = wim_import_get(import, 0);
    assert_int_equal(image->index, 1);
    assert_string_equal(image->name, "Tiny");
    assert_string_equal(image->description, "A tree of five names");
    assert_string_equal(image->arch, "");
    assert_int_equal(image->file_count, 4);
}

static void new_refuses_what_is_no_wim_and_says_why(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[256];

    path_of(*state, "tree/text", path);
    assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_BAD);
    assert_true(why.len > 0);
}

static void stream_is_the_same_twice_and_whatever_the_compression(void **state)
{
    OWN(buf_fini) struct buf first = BUF_INIT(STREAM_MAX_BYTES);
    OWN(buf_fini) struct buf second = BUF_INIT(STREAM_MAX_BYTES);

    stream_of(*state, "a.wim", &first);
    stream_of(*state, "a.wim", &second);
    assert_true(first.len > 0);
    assert_true(bytes_eq(buf_bytes(&first), buf_bytes(&second)));
}

static void stream_ends_when_the_sink_says_so(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_sink sink = {refuse, NULL};
    char path[256];

    path_of(*state, "a.wim", path);
    assert_int_equal(wim_import_new(path, &import, &why), 0);
    assert_int_equal(wim_import_stream(import, wim_import_get(import, 0), &sink, &why),
                     WIM_IMPORT_E_CANCELLED);
}

static void apply_gives_back_links_modes_and_special_files(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(STREAM_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct stat text;
    struct stat other;
    char path[256];
    char target[32];

    stream_of(*state, "a.wim", &stream);
    assert_int_equal(apply(*state, buf_bytes(&stream), &why), 0);
    path_of(*state, "out/text", path);
    assert_int_equal(lstat(path, &text), 0);
    assert_int_equal(text.st_mode, S_IFREG | 04750);
    assert_int_equal(text.st_size, 31);
    path_of(*state, "out/link", path);
    assert_int_equal(lstat(path, &other), 0);
    assert_int_equal(text.st_ino, other.st_ino);
    path_of(*state, "out/pipe", path);
    assert_int_equal(lstat(path, &other), 0);
    assert_int_equal(other.st_mode, S_IFIFO | 0600);
    path_of(*state, "out/symlink", path);
    assert_int_equal(readlink(path, target, sizeof(target)), 11);
}

static void apply_refuses_a_stream_that_ends_early_or_was_changed(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(STREAM_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);

    stream_of(*state, "a.wim", &stream);
    assert_int_equal(apply(*state, (struct bytes){(uint8_t *)stream.ptr, 300}, &why),
                     WIM_APPLY_E_STREAM);
    assert_true(why.len > 0);

    char *text = memmem(stream.ptr, stream.len, "some text", 9);

    assert_non_null(text);
    text[0] = 'S';
    assert_int_equal(apply(*state, buf_bytes(&stream), &why), WIM_APPLY_E_STREAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(new_lists_what_the_file_says, set_up, tear_down),
        cmocka_unit_test_setup_teardown(new_refuses_what_is_no_wim_and_says_why, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            stream_is_the_same_twice_and_whatever_the_compression, set_up, tear_down),
        cmocka_unit_test_setup_teardown(stream_ends_when_the_sink_says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            apply_gives_back_links_modes_and_special_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            apply_refuses_a_stream_that_ends_early_or_was_changed, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
