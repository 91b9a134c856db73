/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/folder_capture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include <fcntl.h>

#include "base/own.h"
#include "format/pwm/pwm.h"
#include "image/test_wim_fixture.h"
#include "image/wim_describe.h"
#include "plat/file.h"

enum {
    ROOM_MAX = 1000, /* so that most files are large */
    LARGE_BYTES = 7777,
    PARTS = 3,
};

/* Keeps the stream, and does something to the tree at a bad moment. */
struct keeper {
    struct buf parts[PARTS]; /* owned */
    enum blob_stream_part part;
    uint8_t room[ROOM_MAX];
    size_t n_rooms;
    size_t stop_at; /* this room is refused; 0: none */
    size_t touch_at;
    char touched[WIM_FIXTURE_PATH_MAX]; /* gets another byte before this room is given */
};

static int take_room(void *ctx, size_t n, uint8_t **ret)
{
    struct keeper *keeper = ctx;

    assert_in_range(n, 1, ROOM_MAX);
    if (++keeper->n_rooms == keeper->stop_at)
        return -1;
    if (keeper->n_rooms == keeper->touch_at) {
        OWN(fd_closep) int fd = open(keeper->touched, O_WRONLY | O_APPEND);

        assert_int_equal(write(fd, "x", 1), 1);
    }
    *ret = keeper->room;
    return 0;
}

static int put(void *ctx, size_t n)
{
    struct keeper *keeper = ctx;

    buf_add(&keeper->parts[keeper->part], (struct bytes){keeper->room, n});
    return 0;
}

static int end_unit(void *ctx)
{
    (void)ctx;
    return 0;
}

static void turn(void *ctx, enum blob_stream_part part)
{
    struct keeper *keeper = ctx;

    keeper->part = part;
}

static void keeper_fini(struct keeper *keeper)
{
    for (size_t i = 0; i < PARTS; i++)
        buf_fini(&keeper->parts[i]);
}

static struct keeper keeper_new(void)
{
    struct keeper keeper = {0};

    for (size_t i = 0; i < PARTS; i++)
        keeper.parts[i] = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    return keeper;
}

static int
capture(const struct wim_fixture *f, struct keeper *keeper, struct buf *why, struct wim_image *ret)
{
    const struct blob_sink sink = {take_room, put, end_unit, turn, ROOM_MAX, keeper};
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, "tree", path);
    return folder_capture(path, "Captured", NULL, &sink, why, ret);
}

static void put_together(const struct keeper *keeper, struct buf *ret)
{
    buf_add(ret, buf_bytes(&keeper->parts[BLOB_STREAM_HEAD]));
    buf_add(ret, buf_bytes(&keeper->parts[BLOB_STREAM_BLOBS]));
    buf_add(ret, buf_bytes(&keeper->parts[BLOB_STREAM_TAIL]));
}

/* A capture that succeeds, as a whole. */
static void capture_stream(const struct wim_fixture *f, struct buf *ret)
{
    OWN(keeper_fini) struct keeper keeper = keeper_new();
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(wim_image_fini) struct wim_image image = {0};

    assert_int_equal(capture(f, &keeper, &why, &image), 0);
    put_together(&keeper, ret);
}

static void add_file(const struct wim_fixture *f, const char *name, struct bytes content)
{
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    assert_int_equal(file_write(path, content, 0640), 0);
}

static void look(const struct wim_fixture *f, const char *name, struct stat *ret)
{
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    assert_int_equal(lstat(path, ret), 0);
}

/* Also what wimlib checks of it when it reads: hashes, sizes, the blob table. */
static void a_folder_becomes_a_stream_that_can_be_applied(void **state)
{
    OWN(keeper_fini) struct keeper keeper = keeper_new();
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(wim_image_fini) struct wim_image image = {0};
    struct stat before;
    struct stat text;
    struct stat link;

    assert_int_equal(capture(*state, &keeper, &why, &image), 0);
    assert_string_equal(image.name, "Captured");
    assert_true(image.has_unix_data);
    assert_false(image.is_windows);
    assert_int_equal(image.file_count, WIM_FIXTURE_FILES);
    put_together(&keeper, &stream);
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), 0);
    look(*state, "tree/text", &before);
    look(*state, "out/text", &text);
    assert_int_equal(text.st_mode, S_IFREG | 04750);
    assert_true(text.st_mtim.tv_sec == before.st_mtim.tv_sec);
    assert_int_equal(text.st_mtim.tv_nsec / 100, before.st_mtim.tv_nsec / 100);
    look(*state, "out/link", &link);
    assert_int_equal(text.st_ino, link.st_ino);
    look(*state, "out/pipe", &link);
    assert_int_equal(link.st_mode, S_IFIFO | 0600);
}

static void assert_same_file(const struct wim_fixture *f, const char *name, struct bytes want)
{
    OWN(buf_fini) struct buf content = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    assert_int_equal(file_read(path, &content), 0);
    assert_true(bytes_eq(buf_bytes(&content), want));
}

static void files_of_all_sizes_and_equal_ones_come_out_as_they_were(void **state)
{
    static const size_t sizes[] = {0,
                                   1,
                                   ROOM_MAX - WIM_RESOURCE_HEADER_BYTES,
                                   ROOM_MAX - WIM_RESOURCE_HEADER_BYTES + 1,
                                   ROOM_MAX,
                                   LARGE_BYTES};
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    uint8_t content[LARGE_BYTES];
    char name[32];

    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)(i * i >> 3);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        (void)snprintf(name, sizeof(name), "tree/size %zu", sizes[i]);
        add_file(*state, name, (struct bytes){content, sizes[i]});
    }
    capture_stream(*state, &stream);
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        (void)snprintf(name, sizeof(name), "out/size %zu", sizes[i]);
        assert_same_file(*state, name, (struct bytes){content, sizes[i]});
    }
}

/* Each once: the second of two equal files adds a name to the metadata, and nothing else. */
static void equal_files_are_one_blob(void **state)
{
    OWN(buf_fini) struct buf one = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf two = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    uint8_t content[LARGE_BYTES] = {1, 2, 3};

    add_file(*state, "tree/one", (struct bytes){content, sizeof(content)});
    capture_stream(*state, &one);
    add_file(*state, "tree/two", (struct bytes){content, sizeof(content)});
    capture_stream(*state, &two);
    assert_in_range(two.len - one.len, 1, 400);
}

static void extended_attributes_and_sockets_are_kept(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];
    char value[8];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    OWN(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct stat st;

    wim_fixture_path(*state, "tree/socket", path);
    assert_true(strlen(path) < sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    wim_fixture_path(*state, "tree/text", path);
    if (setxattr(path, "user.colour", "blue", 4, 0) < 0)
        skip(); /* a file system without them */
    capture_stream(*state, &stream);
    assert_int_equal(wim_fixture_apply(*state, buf_bytes(&stream), &why), 0);
    wim_fixture_path(*state, "out/text", path);
    assert_int_equal(getxattr(path, "user.colour", value, sizeof(value)), 4);
    assert_memory_equal(value, "blue", 4);
    look(*state, "out/socket", &st);
    assert_true(S_ISSOCK(st.st_mode));
}

/* Two captures differ in the time that the XML says, and in what follows from it. */
static void the_same_tree_is_the_same_metadata_and_the_same_blobs(void **state)
{
    OWN(keeper_fini) struct keeper one = keeper_new();
    OWN(keeper_fini) struct keeper two = keeper_new();
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(wim_image_fini) struct wim_image image = {0};
    OWN(wim_image_fini) struct wim_image again = {0};

    assert_int_equal(capture(*state, &one, &why, &image), 0);
    assert_int_equal(capture(*state, &two, &why, &again), 0);
    assert_true(bytes_eq(buf_bytes(&one.parts[BLOB_STREAM_BLOBS]),
                         buf_bytes(&two.parts[BLOB_STREAM_BLOBS])));
    assert_int_equal(one.parts[BLOB_STREAM_HEAD].len, two.parts[BLOB_STREAM_HEAD].len);
}

static void
expect_source_error(const struct wim_fixture *f, struct keeper *keeper, const char *what)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_image image;

    assert_int_equal(capture(f, keeper, &why, &image), FOLDER_CAPTURE_E_SOURCE);
    assert_non_null(strstr(buf_str(&why), what));
}

static void names_and_targets_that_an_image_cannot_keep_are_told_with_their_path(void **state)
{
    OWN(keeper_fini) struct keeper keeper = keeper_new();
    char path[WIM_FIXTURE_PATH_MAX];

    add_file(*state, "tree/bad\377name", bytes_of("x"));
    expect_source_error(*state, &keeper, "/bad\377name: its name is not UTF-8");
    wim_fixture_path(*state, "tree/bad\377name", path);
    assert_int_equal(unlink(path), 0);
    wim_fixture_path(*state, "tree/a link", path);
    assert_int_equal(symlink("to\377", path), 0);
    expect_source_error(*state, &keeper, "/a link: the link's target is not UTF-8");
}

static void a_file_that_grows_while_it_is_read_is_an_error(void **state)
{
    uint8_t content[LARGE_BYTES] = {0};

    add_file(*state, "tree/0 first", (struct bytes){content, sizeof(content)});
    /* while it is hashed it may be begun again; while it is sent it is too late */
    for (size_t at = 1; at <= 2 * (LARGE_BYTES / ROOM_MAX) + 3; at++) {
        OWN(keeper_fini) struct keeper keeper = keeper_new();
        OWN(buf_fini) struct buf why = BUF_INIT(1024);
        OWN(wim_image_fini) struct wim_image image = {0};
        int r;

        keeper.touch_at = at;
        wim_fixture_path(*state, "tree/0 first", keeper.touched);
        r = capture(*state, &keeper, &why, &image);
        if (at <= LARGE_BYTES / ROOM_MAX) {
            assert_int_equal(r, 0);
        } else if (r != 0) {
            assert_int_equal(r, FOLDER_CAPTURE_E_SOURCE);
            assert_non_null(strstr(buf_str(&why), "/0 first: it changed while it was read"));
            return;
        }
    }
    fail_msg("%s", "nobody noticed");
}

static bool is_named_out(void *ctx, const char *path)
{
    return strcmp(path, ctx) == 0;
}

static void what_is_left_out_is_not_read_and_nothing_below_it(void **state)
{
    OWN(keeper_fini) struct keeper all = keeper_new();
    OWN(keeper_fini) struct keeper some = keeper_new();
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    OWN(wim_image_fini) struct wim_image whole = {0};
    OWN(wim_image_fini) struct wim_image image = {0};
    const struct blob_sink sink = {take_room, put, end_unit, turn, ROOM_MAX, &some};
    char left_out[] = "/left-out";
    const struct folder_filter filter = {is_named_out, left_out};
    char path[WIM_FIXTURE_PATH_MAX];

    assert_int_equal(capture(*state, &all, &why, &whole), 0);
    wim_fixture_path(*state, "tree/left-out", path);
    assert_int_equal(mkdir(path, 0755), 0);
    add_file(*state, "tree/left-out/file", bytes_of("nobody reads this"));
    wim_fixture_path(*state, "tree", path);
    assert_int_equal(folder_capture(path, "Captured", &filter, &sink, &why, &image), 0);
    assert_int_equal(image.file_count, whole.file_count);
    assert_true(bytes_eq(buf_bytes(&all.parts[BLOB_STREAM_BLOBS]),
                         buf_bytes(&some.parts[BLOB_STREAM_BLOBS])));
}

static void what_is_not_there_is_said(void **state)
{
    OWN(keeper_fini) struct keeper keeper = keeper_new();
    const struct blob_sink sink = {take_room, put, end_unit, turn, ROOM_MAX, &keeper};
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_image image;
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "nothing", path);
    assert_int_equal(folder_capture(path, "X", NULL, &sink, &why, &image), FOLDER_CAPTURE_E_SOURCE);
    assert_true(why.len > 0);
}

static void a_sink_that_refuses_ends_the_capture_wherever_it_is(void **state)
{
    size_t n = 1;

    for (;; n++) {
        OWN(keeper_fini) struct keeper keeper = keeper_new();
        OWN(buf_fini) struct buf why = BUF_INIT(1024);
        OWN(wim_image_fini) struct wim_image image = {0};
        int r;

        keeper.stop_at = n;
        r = capture(*state, &keeper, &why, &image);
        if (r == 0)
            break;
        assert_int_equal(r, FOLDER_CAPTURE_E_STOPPED);
    }
    assert_true(n > 10);
}

int main(void)
{
#define TEST(function) \
    cmocka_unit_test_setup_teardown(function, wim_fixture_set_up, wim_fixture_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_folder_becomes_a_stream_that_can_be_applied),
        TEST(files_of_all_sizes_and_equal_ones_come_out_as_they_were),
        TEST(equal_files_are_one_blob),
        TEST(extended_attributes_and_sockets_are_kept),
        TEST(the_same_tree_is_the_same_metadata_and_the_same_blobs),
        TEST(names_and_targets_that_an_image_cannot_keep_are_told_with_their_path),
        TEST(a_file_that_grows_while_it_is_read_is_an_error),
        TEST(what_is_left_out_is_not_read_and_nothing_below_it),
        TEST(what_is_not_there_is_said),
        TEST(a_sink_that_refuses_ends_the_capture_wherever_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
