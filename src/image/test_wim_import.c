/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_import.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <wimlib.h>

#include "base/bytes.h"
#include "base/own.h"
#include "image/test_wim_fixture.h"
#include "plat/digest.h"
#include "plat/file.h"

static void open_wim(const struct wim_fixture *f, const char *name, struct wim_import **ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(f, name, path);
    assert_int_equal(wim_import_new(path, ret, &why), 0);
    assert_int_equal(wim_import_count(*ret), 1);
}

static void new_lists_what_the_file_says(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    const struct wim_image *image;

    open_wim(*state, "a.wim", &import);
    image = wim_import_get(import, 0);
    assert_int_equal(image->index, 1);
    assert_string_equal(image->name, "Tiny");
    assert_string_equal(image->description, "A tree of seven names");
    assert_string_equal(image->arch, "");
    assert_int_equal(image->file_count, WIM_FIXTURE_FILES);
    assert_true(image->has_unix_data);
    assert_false(image->is_windows);
}

static void an_image_captured_without_unix_data_is_known(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;

    wim_fixture_capture(*state, "tree", "plain.wim", WIMLIB_COMPRESSION_TYPE_NONE, 0);
    open_wim(*state, "plain.wim", &import);
    assert_false(wim_import_get(import, 0)->has_unix_data);
    assert_false(wim_import_get(import, 0)->is_windows);
}

static void an_image_with_the_folder_of_windows_is_one_of_windows(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "windows/Windows/System32/config", path);
    assert_int_equal(dir_make(path, 0755), 0);
    wim_fixture_capture(*state, "windows", "windows.wim", WIMLIB_COMPRESSION_TYPE_NONE, 0);
    open_wim(*state, "windows.wim", &import);
    assert_true(wim_import_get(import, 0)->is_windows);
    assert_false(wim_import_get(import, 0)->has_unix_data);
}

static void windows_may_be_called_in_capitals(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "old/WINDOWS/system32/config", path);
    assert_int_equal(dir_make(path, 0755), 0);
    wim_fixture_capture(*state, "old", "old.wim", WIMLIB_COMPRESSION_TYPE_NONE, 0);
    open_wim(*state, "old.wim", &import);
    assert_true(wim_import_get(import, 0)->is_windows);
}

static void new_refuses_what_is_no_wim_and_says_why(void **state)
{
    static const uint8_t zeros[4096];
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "tree/text", path);
    assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_BAD);
    assert_non_null(strstr(buf_str(&why), "shorter than the header"));
    wim_fixture_path(*state, "long", path);
    assert_int_equal(file_write(path, (struct bytes){zeros, sizeof(zeros)}, 0600), 0);
    buf_clear(&why);
    assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_BAD);
    assert_string_equal(buf_str(&why), "it does not begin as one");
}

/* The file is cut off at many places: never a crash, never an image that is not whole. */
static void a_file_that_ends_early_is_refused_wherever_it_ends(void **state)
{
    OWN(buf_fini) struct buf whole = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "a.wim", path);
    assert_int_equal(file_read(path, &whole), 0);
    wim_fixture_path(*state, "cut.wim", path);
    for (size_t len = 0; len < whole.len; len += whole.len / 16) {
        OWN(wim_import_freep) struct wim_import *import = NULL;
        OWN(buf_fini) struct buf why = BUF_INIT(4096);

        assert_int_equal(file_write(path, (struct bytes){(uint8_t *)whole.ptr, len}, 0600), 0);
        assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_BAD);
        assert_true(why.len > 0);
    }
}

static void the_stream_is_the_same_twice(void **state)
{
    OWN(buf_fini) struct buf first = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf second = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_stream(*state, "a.wim", &first);
    wim_fixture_stream(*state, "a.wim", &second);
    assert_true(first.len > 0);
    assert_true(bytes_eq(buf_bytes(&first), buf_bytes(&second)));
}

static void the_stream_is_the_same_whatever_the_compression(void **state)
{
    static const struct {
        enum wimlib_compression_type type;
        int write_flags;
    } ways[] = {
        {WIMLIB_COMPRESSION_TYPE_NONE, 0},
        {WIMLIB_COMPRESSION_TYPE_XPRESS, WIMLIB_WRITE_FLAG_PIPABLE},
        {WIMLIB_COMPRESSION_TYPE_LZX, 0},
        {WIMLIB_COMPRESSION_TYPE_LZMS, WIMLIB_WRITE_FLAG_SOLID | WIMLIB_WRITE_FLAG_NO_SOLID_SORT},
    };
    OWN(buf_fini) struct buf first = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_stream(*state, "a.wim", &first);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        OWN(buf_fini) struct buf other = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

        wim_fixture_recompress(*state, "b.wim", ways[i].type, ways[i].write_flags);
        wim_fixture_stream(*state, "b.wim", &other);
        assert_true(bytes_eq(buf_bytes(&first), buf_bytes(&other)));
    }
}

enum {
    UNITS_MAX = 64,
};

struct units {             /* of a stream: their hashes, sorted */
    struct digest *digest; /* of the one that is going on; owned */
    uint8_t names[UNITS_MAX][SHA256_BYTES];
    size_t n;
};

static int add_to_unit(void *ctx, struct bytes piece, unsigned percent)
{
    struct units *units = ctx;

    (void)percent;
    return digest_add(units->digest, piece);
}

static int end_unit(void *ctx)
{
    struct units *units = ctx;

    assert_in_range(units->n, 0, UNITS_MAX - 1);
    return digest_end(units->digest, units->names[units->n++]);
}

static int compare_names(const void *a, const void *b)
{
    return memcmp(a, b, SHA256_BYTES);
}

static void read_units(const struct wim_fixture *f, const char *name, struct units *ret)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_sink sink = {add_to_unit, end_unit, ret};

    open_wim(f, name, &import);
    assert_int_equal(digest_new(&ret->digest), 0);
    assert_int_equal(wim_import_stream(import, wim_import_get(import, 0), &sink, &why), 0);
    digest_free(ret->digest);
    qsort(ret->names, ret->n, SHA256_BYTES, compare_names);
}

static size_t count_shared(const struct units *a, const struct units *b)
{
    size_t n = 0;

    for (size_t i = 0; i < a->n; i++)
        n += bsearch(a->names[i], b->names, b->n, SHA256_BYTES, compare_names) != NULL;
    return n;
}

/* Sorting moves blobs, so that only the table of where they lie is another. */
static void a_solid_file_that_was_sorted_has_the_same_units(void **state)
{
    struct units plain = {0};
    struct units solid = {0};

    wim_fixture_recompress(*state, "b.wim", WIMLIB_COMPRESSION_TYPE_LZMS, WIMLIB_WRITE_FLAG_SOLID);
    read_units(*state, "a.wim", &plain);
    read_units(*state, "b.wim", &solid);
    /* two headers, XML, metadata, table, XML again, and the blobs: four files and the link's target */
    assert_int_equal(plain.n, 11);
    assert_int_equal(solid.n, plain.n);
    assert_in_range(count_shared(&plain, &solid), plain.n - 1, plain.n);
}

static void an_encrypted_file_is_known_as_one(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_set_xml(*state,
                        "a.wim",
                        "<WIM><ESD><ENCRYPTED></ENCRYPTED></ESD><IMAGE INDEX=\"1\"></IMAGE></WIM>");
    wim_fixture_path(*state, "a.wim", path);
    assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_ENCRYPTED);
}

/* wimlib leaves some of these out. It is an attack, or damage: what is left is not the image that was captured. */
static void an_image_with_a_name_that_no_file_may_have_is_refused(void **state)
{
    static const char *const names[] = {"..", "a/", "/a", "cd"}; /* the last is there already */
    OWN(wim_import_freep) struct wim_import *import = NULL;
    char path[WIM_FIXTURE_PATH_MAX];

    wim_fixture_path(*state, "two/ab", path);
    assert_int_equal(dir_make(path, 0755), 0);
    wim_fixture_path(*state, "two/cd", path);
    assert_int_equal(dir_make(path, 0755), 0);
    wim_fixture_path(*state, "two.wim", path);
    wim_fixture_capture(*state, "two", "two.wim", WIMLIB_COMPRESSION_TYPE_NONE, 0);
    wim_fixture_rename(*state, "two.wim", "ab", "xy");
    open_wim(*state, "two.wim", &import);
    wim_import_free(TAKE(import));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(1024);

        wim_fixture_rename(*state, "two.wim", "xy", names[i]);
        assert_int_equal(wim_import_new(path, &import, &why), WIM_IMPORT_E_BAD);
        assert_true(why.len > 0);
        wim_fixture_capture(*state, "two", "two.wim", WIMLIB_COMPRESSION_TYPE_NONE, 0);
        wim_fixture_rename(*state, "two.wim", "ab", "xy");
    }
}

static void what_the_file_says_about_windows_is_read(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    const struct wim_image *image;

    wim_fixture_set_xml(
        *state,
        "a.wim",
        "<WIM><IMAGE INDEX=\"1\"><NAME>Server</NAME><TOTALBYTES>12345</TOTALBYTES><WINDOWS>"
        "<ARCH>9</ARCH><EDITIONID>ServerStandard</EDITIONID><LANGUAGES><LANGUAGE>de-DE"
        "</LANGUAGE><LANGUAGE>en-US</LANGUAGE><DEFAULT>en-US</DEFAULT></LANGUAGES><VERSION>"
        "<MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>20348</BUILD><SPBUILD>1129</SPBUILD>"
        "</VERSION></WINDOWS></IMAGE></WIM>");
    open_wim(*state, "a.wim", &import);
    image = wim_import_get(import, 0);
    assert_string_equal(image->name, "Server");
    assert_string_equal(image->description, "");
    assert_string_equal(image->arch, "x64");
    assert_string_equal(image->edition, "ServerStandard");
    assert_string_equal(image->languages, "de-DE en-US");
    assert_string_equal(image->default_language, "en-US");
    assert_string_equal(image->build, "10.0.20348.1129");
    assert_int_equal(image->size_bytes, 12345);
    assert_true(image->is_windows);
}

/* Cut off between two characters, not in one. */
static void a_text_without_end_is_cut_off(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf xml = BUF_INIT(8192);
    const char *name;

    buf_adds(&xml, "<WIM><IMAGE INDEX=\"1\"><NAME>x");
    for (size_t i = 0; i < 1000; i++)
        buf_adds(&xml, "\xc3\xbc");
    buf_adds(&xml, "</NAME></IMAGE></WIM>");
    wim_fixture_set_xml(*state, "a.wim", buf_str(&xml));
    open_wim(*state, "a.wim", &import);
    name = wim_import_get(import, 0)->name;
    assert_int_equal(strlen(name), WIM_TEXT_MAX - 1);
    assert_memory_equal(name + strlen(name) - 2, "\xc3\xbc", 2);
}

static int refuse(void *ctx, struct bytes piece, unsigned percent)
{
    (void)ctx;
    (void)piece;
    (void)percent;
    return 1;
}

static int take(void *ctx, struct bytes piece, unsigned percent)
{
    (void)ctx;
    (void)piece;
    (void)percent;
    return 0;
}

static int refuse_cut(void *ctx)
{
    (void)ctx;
    return 1;
}

static void the_stream_ends_when_the_sink_says_so(void **state)
{
    OWN(wim_import_freep) struct wim_import *import = NULL;
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct wim_sink sinks[] = {{refuse, refuse_cut, NULL}, {take, refuse_cut, NULL}};

    open_wim(*state, "a.wim", &import);
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++)
        assert_int_equal(wim_import_stream(import, wim_import_get(import, 0), &sinks[i], &why),
                         WIM_IMPORT_E_CANCELLED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, wim_fixture_set_up, wim_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_lists_what_the_file_says),
        TEST(an_image_captured_without_unix_data_is_known),
        TEST(an_image_with_the_folder_of_windows_is_one_of_windows),
        TEST(windows_may_be_called_in_capitals),
        TEST(new_refuses_what_is_no_wim_and_says_why),
        TEST(a_file_that_ends_early_is_refused_wherever_it_ends),
        TEST(the_stream_is_the_same_twice),
        TEST(the_stream_is_the_same_whatever_the_compression),
        TEST(a_solid_file_that_was_sorted_has_the_same_units),
        TEST(an_encrypted_file_is_known_as_one),
        TEST(an_image_with_a_name_that_no_file_may_have_is_refused),
        TEST(what_the_file_says_about_windows_is_read),
        TEST(a_text_without_end_is_cut_off),
        TEST(the_stream_ends_when_the_sink_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
