/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_export.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>
#include <wimlib.h>

#include "base/own.h"
#include "image/test_ntfs_fixture.h"
#include "image/test_wim_fixture.h"
#include "image/wim_import.h"
#include "plat/file.h"
#include "plat/process.h"

enum {
    TEXT_MAX = 1024 * 1024,
    WHY_MAX = 4096,
    STREAMS_MAX = 2,
};

#define TIMEOUT_US (UINT64_C(20) * 1000 * 1000)

/* The stream of the first image of @wim, as the file @name. */
static void put_stream(const struct wim_fixture *f, const char *wim, const char *name)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_stream(f, wim, &stream);
    wim_fixture_path(f, name, path);
    assert_int_equal(file_write(path, buf_bytes(&stream), 0600), 0);
}

static void check_percent(void *ctx, unsigned percent)
{
    unsigned *last = ctx;

    assert_in_range(percent, *last, 100);
    *last = percent;
}

/* Export the streams a.pwm and, if @n is 2, b.pwm to out.wim. */
static int export(const struct wim_fixture *f,
                  size_t n,
                  enum wim_export_compression compression,
                  bool is_solid,
                  struct buf *why)
{
    char paths[STREAMS_MAX][WIM_FIXTURE_PATH_MAX];
    char target[WIM_FIXTURE_PATH_MAX];
    const char *const streams[STREAMS_MAX] = {paths[0], paths[1]};
    unsigned percent = 0;
    const struct wim_export_options options = {
        .streams = streams,
        .n_streams = n,
        .compression = compression,
        .is_solid = is_solid,
        .tell = check_percent,
        .ctx = &percent,
    };
    int r;

    wim_fixture_path(f, "a.pwm", paths[0]);
    wim_fixture_path(f, "b.pwm", paths[1]);
    wim_fixture_path(f, "out.wim", target);
    r = wim_export(&options, target, why);
    assert_true(r != 0 || percent > 0);
    return r;
}

static void export_good(const struct wim_fixture *f,
                        size_t n,
                        enum wim_export_compression compression,
                        bool is_solid)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    if (export(f, n, compression, is_solid, &why) != 0)
        fail_msg("%s", buf_str(&why));
}

/* Nothing of an image is lost or added: its stream is the same again, byte for byte. */
static void an_exported_image_gives_the_same_stream_again(void **state)
{
    OWN(buf_fini) struct buf before = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_stream(*state, "a.wim", &before);
    put_stream(*state, "a.wim", "a.pwm");
    for (enum wim_export_compression c = 0; c < WIM_EXPORT_COMPRESSION_COUNT; c++) {
        OWN(buf_fini) struct buf after = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

        export_good(*state, 1, c, false);
        wim_fixture_stream(*state, "out.wim", &after);
        assert_true(bytes_eq(buf_bytes(&before), buf_bytes(&after)));
    }
}

static void compression_is_as_asked_for(void **state)
{
    static const struct {
        enum wim_export_compression compression;
        bool is_solid;
        int type;
        unsigned version;
    } cases[] = {
        {WIM_EXPORT_NONE, false, WIMLIB_COMPRESSION_TYPE_NONE, 0x10d00},
        {WIM_EXPORT_NONE, true, WIMLIB_COMPRESSION_TYPE_NONE, 0x10d00},
        {WIM_EXPORT_XPRESS, false, WIMLIB_COMPRESSION_TYPE_XPRESS, 0x10d00},
        {WIM_EXPORT_LZX, false, WIMLIB_COMPRESSION_TYPE_LZX, 0x10d00},
        {WIM_EXPORT_LZX, true, WIMLIB_COMPRESSION_TYPE_LZX, 0xe00},
        {WIM_EXPORT_LZMS, false, WIMLIB_COMPRESSION_TYPE_LZMS, 0xe00},
        {WIM_EXPORT_LZMS, true, WIMLIB_COMPRESSION_TYPE_LZMS, 0xe00},
    };
    char path[WIM_FIXTURE_PATH_MAX];

    put_stream(*state, "a.wim", "a.pwm");
    wim_fixture_path(*state, "out.wim", path);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct wimlib_wim_info info;
        WIMStruct *wim = NULL;

        export_good(*state, 1, cases[i].compression, cases[i].is_solid);
        assert_int_equal(wimlib_open_wim(path, 0, &wim), 0);
        assert_int_equal(wimlib_get_wim_info(wim, &info), 0);
        assert_int_equal(info.compression_type, cases[i].type);
        assert_int_equal(info.wim_version, cases[i].version);
        assert_false(info.pipable);
        wimlib_free(wim);
    }
}

/* Two images of one name: the second one's becomes another. What both have is stored once. */
static void several_images_become_one_file(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    struct stat one;
    struct stat two;
    char path[WIM_FIXTURE_PATH_MAX];

    put_stream(*state, "a.wim", "a.pwm");
    put_stream(*state, "a.wim", "b.pwm");
    wim_fixture_path(*state, "out.wim", path);
    export_good(*state, 1, WIM_EXPORT_LZX, false);
    assert_int_equal(stat(path, &one), 0);
    export_good(*state, 2, WIM_EXPORT_LZX, false);
    assert_int_equal(stat(path, &two), 0);
    assert_in_range(two.st_size, one.st_size, one.st_size + 4096);
    assert_int_equal(wim_import_new(path, &import, &why), 0);
    assert_int_equal(wim_import_count(import), 2);
    assert_string_equal(wim_import_get(import, 0)->name, "Tiny");
    assert_string_equal(wim_import_get(import, 1)->name, "Tiny (2)");
    assert_string_equal(wim_import_get(import, 1)->description, "A tree of seven names");
}

/* As boot.wim of Windows has one: without it the file does not boot. */
static void the_image_to_boot_from_stays_the_one(void **state)
{
    static const struct wimlib_wim_info first = {.boot_index = 1};
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char path[WIM_FIXTURE_PATH_MAX];
    WIMStruct *wim = NULL;

    put_stream(*state, "a.wim", "a.pwm");
    wim_fixture_path(*state, "a.wim", path);
    assert_int_equal(wimlib_open_wim(path, WIMLIB_OPEN_FLAG_WRITE_ACCESS, &wim), 0);
    assert_int_equal(wimlib_set_wim_info(wim, &first, WIMLIB_CHANGE_BOOT_INDEX), 0);
    assert_int_equal(wimlib_overwrite(wim, 0, 1), 0);
    wimlib_free(wim);
    put_stream(*state, "a.wim", "b.pwm");
    export_good(*state, 2, WIM_EXPORT_XPRESS, false);
    wim_fixture_path(*state, "out.wim", path);
    assert_int_equal(wim_import_new(path, &import, &why), 0);
    assert_false(wim_import_get(import, 0)->is_boot_image);
    assert_true(wim_import_get(import, 1)->is_boot_image);
}

static void what_linux_knows_of_a_file_comes_back(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char path[WIM_FIXTURE_PATH_MAX];
    char value[64] = "";
    struct stat first;
    struct stat second;

    put_stream(*state, "a.wim", "a.pwm");
    export_good(*state, 1, WIM_EXPORT_LZX, false);
    wim_fixture_stream(*state, "out.wim", &stream);
    if (wim_fixture_apply(*state, buf_bytes(&stream), &why) != 0)
        fail_msg("%s", buf_str(&why));
    wim_fixture_path(*state, "out/text", path);
    assert_int_equal(stat(path, &first), 0);
    assert_int_equal(first.st_mode & 07777, 04750);
    assert_int_equal(getxattr(path, "user.note", value, sizeof(value)), 5);
    assert_string_equal(value, "hello");
    wim_fixture_path(*state, "out/link", path);
    assert_int_equal(stat(path, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
    wim_fixture_path(*state, "out/symlink", path);
    assert_int_equal(readlink(path, value, sizeof(value)), strlen("../no/where"));
}

/* A line that tells where something lies in one file, not what it is. */
static bool is_of_the_file(const char *line)
{
    static const char *const names[] = {
        "Compressed size", "Offset in WIM", "Part Number", "Flags", "Solid "};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* What another program says is in the first image: names, attributes, times, security, streams. */
static void list(const struct wim_fixture *f, const char *name, struct buf *ret)
{
    OWN(buf_fini) struct buf output = BUF_INIT(TEXT_MAX);
    char path[WIM_FIXTURE_PATH_MAX];
    const char *const argv[] = {"wimlib-imagex", "dir", path, "1", "--detailed", NULL};
    const struct process_options process = {
        .argv = argv, .output = &output, .timeout_us = TIMEOUT_US};
    struct process_result result = {0};
    char *line;

    wim_fixture_path(f, name, path);
    assert_int_equal(process_run(&process, &result), 0);
    if (result.exit_code != 0)
        fail_msg("wimlib-imagex: %s", buf_str(&output));
    for (char *rest = output.ptr; (line = strsep(&rest, "\n"));)
        if (!is_of_the_file(line))
            buf_addf(ret, "%s\n", line);
    assert_false(ret->failed);
}

static void what_windows_knows_of_a_file_comes_back(void **state)
{
    static const char *const wanted[] = {
        "= \"LONGNA~1.TXT\"",
        "Link Count          = 2",
        "FILE_ATTRIBUTE_HIDDEN is set",
        "FILE_ATTRIBUTE_REPARSE_POINT is set",
        "Reparse Tag         = 0xa000000c",
        "Named data stream \"Zone.Identifier\"",
        "Named data stream \"note\"",
        "Creation Time       = Mon Jan 01 00:00:00 2001 UTC",
        "Security Descriptor",
    };
    OWN(buf_fini) struct buf before = BUF_INIT(TEXT_MAX);
    OWN(buf_fini) struct buf after = BUF_INIT(TEXT_MAX);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "volume.ntfs", path);
    ntfs_fixture_make(path);
    wim_fixture_capture(
        *state, "volume.ntfs", "ntfs.wim", WIMLIB_COMPRESSION_TYPE_LZX, WIMLIB_ADD_FLAG_NTFS);
    put_stream(*state, "ntfs.wim", "a.pwm");
    export_good(*state, 1, WIM_EXPORT_LZX, false);
    list(*state, "ntfs.wim", &before);
    list(*state, "out.wim", &after);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!strstr(buf_str(&before), wanted[i]))
            fail_msg("the volume has no \"%s\":\n%s", wanted[i], buf_str(&before));
    assert_string_equal(buf_str(&before), buf_str(&after));
}

static void a_damaged_stream_is_not_exported(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    char path[WIM_FIXTURE_PATH_MAX];

    put_stream(*state, "a.wim", "a.pwm");
    wim_fixture_path(*state, "a.pwm", path);
    assert_int_equal(file_read(path, &stream), 0);
    for (size_t i = 0; i < 8; i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
        size_t at = stream.len / 8 * i + 1;

        stream.ptr[at] ^= 1;
        assert_int_equal(file_write(path, buf_bytes(&stream), 0600), 0);
        assert_int_equal(export(*state, 1, WIM_EXPORT_XPRESS, false, &why), WIM_EXPORT_E_FAILED);
        assert_true(why.len > 0);
        stream.ptr[at] ^= 1;
    }
}

static void a_target_that_cannot_be_written_is_said(void **state)
{
    const struct wim_fixture *f = *state;
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char path[WIM_FIXTURE_PATH_MAX];
    const char *const streams[] = {path};
    const struct wim_export_options options = {.streams = streams, .n_streams = 1};

    put_stream(f, "a.wim", "a.pwm");
    wim_fixture_path(f, "a.pwm", path);
    assert_int_equal(wim_export(&options, "/dev/null/out.wim", &why), WIM_EXPORT_E_FAILED);
    assert_non_null(strstr(buf_str(&why), "cannot be written"));
}

static void compressions_have_names(void **state)
{
    (void)state;
    enum wim_export_compression compression = WIM_EXPORT_NONE;

    assert_true(wim_export_parse_compression("lzx", &compression));
    assert_int_equal(compression, WIM_EXPORT_LZX);
    assert_true(wim_export_parse_compression("none", &compression));
    assert_int_equal(compression, WIM_EXPORT_NONE);
    assert_false(wim_export_parse_compression("LZX", &compression));
    assert_false(wim_export_parse_compression("", &compression));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, wim_fixture_set_up, wim_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_exported_image_gives_the_same_stream_again),
        TEST(compression_is_as_asked_for),
        TEST(several_images_become_one_file),
        TEST(the_image_to_boot_from_stays_the_one),
        TEST(what_linux_knows_of_a_file_comes_back),
        TEST(what_windows_knows_of_a_file_comes_back),
        TEST(a_damaged_stream_is_not_exported),
        TEST(a_target_that_cannot_be_written_is_said),
        TEST(compressions_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
