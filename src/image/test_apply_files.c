/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_files.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/wim/reparse.h"
#include "image/test_apply_fixture.h"
#include "image/wim_apply.h"
#include "plat/file.h"

struct maker {
    struct apply_files files;
    struct apply_dirs dirs;
};

static void maker_fini(struct maker *m)
{
    apply_dirs_fini(&m->dirs);
    (void)pthread_mutex_destroy(&m->files.lock);
}

static void maker_init(struct maker *m, struct apply_fixture *f)
{
    *m = (struct maker){.files = {.image = &f->image, .why = &f->why}};
    (void)pthread_mutex_init(&m->files.lock, NULL);
    apply_dirs_init(&m->dirs, &f->image, f->out);
}

static int make(struct apply_fixture *f, uint32_t inode, const char *contents)
{
    OWN(maker_fini) struct maker m;

    maker_init(&m, f);
    return apply_files_make(&m.files, &m.dirs, inode, bytes_of(contents));
}

static void assert_contents(const struct apply_fixture *f, const char *name, const char *contents)
{
    OWN(buf_fini) struct buf is = BUF_INIT(4096);

    assert_int_equal(file_read(apply_fixture_path(f, name), &is), 0);
    assert_string_equal(buf_str(&is), contents);
}

static void make_gives_a_file_all_its_names(void **state)
{
    struct apply_fixture *f = *state;
    uint32_t folder = apply_fixture_add(f, 0, "folder", S_IFDIR | 0755);
    uint32_t inode = apply_fixture_add(f, 0, "file", S_IFREG | 0640);
    struct stat st;

    apply_fixture_name(f, folder, "other", inode);
    apply_fixture_name(f, 0, "third", inode);
    assert_int_equal(mkdirat(f->out, "folder", 0755), 0);
    assert_int_equal(file_write(apply_fixture_path(f, "third"), bytes_of("old"), 0600), 0);
    assert_int_equal(make(f, inode, "contents"), 0);
    assert_contents(f, "folder/other", "contents");
    assert_contents(f, "third", "contents");
    assert_int_equal(fstatat(f->out, "file", &st, 0), 0);
    assert_int_equal(st.st_nlink, 3);
    assert_int_equal(st.st_mode, S_IFREG | 0640);
}

static void make_replaces_a_link_and_not_what_it_leads_to(void **state)
{
    struct apply_fixture *f = *state;
    uint32_t inode = apply_fixture_add(f, 0, "file", S_IFREG | 0644);
    struct stat st;

    assert_int_equal(file_write(apply_fixture_path(f, "../outside"), bytes_of("kept"), 0600), 0);
    assert_int_equal(symlinkat("../outside", f->out, "file"), 0);
    assert_int_equal(make(f, inode, "new"), 0);
    assert_int_equal(fstatat(f->out, "file", &st, AT_SYMLINK_NOFOLLOW), 0);
    assert_true(S_ISREG(st.st_mode));
    assert_contents(f, "file", "new");
    assert_contents(f, "../outside", "kept");
}

static void make_says_which_file_a_folder_is_in_the_way_of(void **state)
{
    struct apply_fixture *f = *state;
    uint32_t inode = apply_fixture_add(f, 0, "file", S_IFREG | 0644);

    assert_int_equal(mkdirat(f->out, "file", 0755), 0);
    assert_int_equal(make(f, inode, "new"), WIM_APPLY_E_TARGET);
    assert_non_null(strstr(buf_str(&f->why), "/file: cannot make the file: "));
}

static void make_gives_links_and_special_files(void **state)
{
    struct apply_fixture *f = *state;
    OWN(buf_fini) struct buf data = BUF_INIT(1024);
    OWN(maker_fini) struct maker m;
    uint32_t link = apply_fixture_add(f, 0, "link", S_IFLNK | 0777);
    uint32_t fifo = apply_fixture_add(f, 0, "pipe", S_IFIFO | 0620);
    char target[32] = "";
    struct stat st;

    maker_init(&m, f);
    assert_int_equal(reparse_put_symlink(bytes_of("../no/where"), &data), 0);
    assert_int_equal(symlinkat("old", f->out, "link"), 0);
    assert_int_equal(apply_files_make(&m.files, &m.dirs, link, buf_bytes(&data)), 0);
    assert_int_equal(readlinkat(f->out, "link", target, sizeof(target) - 1), 11);
    assert_string_equal(target, "../no/where");
    assert_int_equal(apply_files_make(&m.files, &m.dirs, fifo, (struct bytes){0}), 0);
    assert_int_equal(fstatat(f->out, "pipe", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFIFO | 0620);
}

static void make_refuses_a_link_whose_data_are_damaged(void **state)
{
    struct apply_fixture *f = *state;
    uint32_t link = apply_fixture_add(f, 0, "link", S_IFLNK | 0777);

    assert_int_equal(make(f, link, "xx"), WIM_APPLY_E_STREAM);
    assert_string_equal(buf_str(&f->why), "/link: the link's target is damaged");
}

static void write_says_that_the_disk_is_full(void **state)
{
    struct apply_fixture *f = *state;
    OWN(maker_fini) struct maker m;
    OWN(fd_closep) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    uint32_t inode = apply_fixture_add(f, 0, "file", S_IFREG | 0644);

    maker_init(&m, f);
    assert_int_equal(apply_files_write(&m.files, inode, full, 0, bytes_of("contents")),
                     WIM_APPLY_E_TARGET);
    assert_string_equal(buf_str(&f->why), "/file: cannot write the file: No space left on device");
}

static void copy_gives_the_same_contents(void **state)
{
    struct apply_fixture *f = *state;
    OWN(maker_fini) struct maker m;
    OWN(fd_closep) int from = -1;
    uint32_t one = apply_fixture_add(f, 0, "one", S_IFREG | 0644);
    uint32_t two = apply_fixture_add(f, 0, "two", S_IFREG | 0600);

    maker_init(&m, f);
    assert_int_equal(apply_files_open(&m.files, &m.dirs, one, &from), 0);
    assert_int_equal(apply_files_write(&m.files, one, from, 3, bytes_of("tents")), 0);
    assert_int_equal(apply_files_write(&m.files, one, from, 0, bytes_of("con")), 0);
    assert_int_equal(apply_files_copy(&m.files, &m.dirs, two, from, 8), 0);
    assert_int_equal(apply_files_close(&m.files, &m.dirs, one, &from), 0);
    assert_int_equal(from, -1);
    assert_contents(f, "one", "contents");
    assert_contents(f, "two", "contents");
}

static void folder_may_be_there_but_is_no_link(void **state)
{
    struct apply_fixture *f = *state;
    OWN(maker_fini) struct maker m;
    uint32_t folder = apply_fixture_add(f, 0, "folder", S_IFDIR | 0751);
    uint32_t other = apply_fixture_add(f, 0, "other", S_IFDIR | 0755);
    struct stat st;

    maker_init(&m, f);
    assert_int_equal(mkdirat(f->out, "folder", 0700), 0);
    assert_int_equal(apply_files_folder(&m.files, &m.dirs, folder), 0);
    assert_int_equal(apply_files_folder_end(&m.files, &m.dirs, folder), 0);
    assert_int_equal(fstatat(f->out, "folder", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0751);
    assert_int_equal(symlinkat("..", f->out, "other"), 0);
    assert_int_equal(apply_files_folder(&m.files, &m.dirs, other), WIM_APPLY_E_TARGET);
    assert_non_null(strstr(buf_str(&f->why), "/other: cannot make the folder"));
}

static void kind_is_what_attributes_and_mode_agree_on(void **state)
{
    (void)state;
    static const struct {
        uint32_t attributes;
        uint32_t tag;
        uint32_t mode; /* 0: no UNIX data */
        enum apply_kind kind;
    } cases[] = {
        {METADATA_NORMAL, 0, 0, APPLY_KIND_FILE},
        {METADATA_NORMAL, 0, S_IFREG, APPLY_KIND_FILE},
        {METADATA_NORMAL, 0, S_IFCHR, APPLY_KIND_SPECIAL},
        {METADATA_NORMAL, 0, S_IFDIR, APPLY_KIND_UNKNOWN},
        {METADATA_NORMAL, 0, S_IFLNK, APPLY_KIND_UNKNOWN},
        {METADATA_FOLDER, 0, S_IFREG, APPLY_KIND_FOLDER},
        {METADATA_FOLDER | METADATA_REPARSE, METADATA_TAG_JUNCTION, 0, APPLY_KIND_LINK},
        {METADATA_FOLDER | METADATA_REPARSE, 0x80000017, 0, APPLY_KIND_FOLDER},
        {METADATA_REPARSE, 0x80000017, 0, APPLY_KIND_FILE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct metadata_inode inode = {.attributes = cases[i].attributes,
                                             .reparse_tag = cases[i].tag,
                                             .has_unix = cases[i].mode != 0,
                                             .unix_data = {.mode = cases[i].mode}};

        assert_int_equal(apply_kind_of(&inode), cases[i].kind);
    }
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, apply_fixture_set_up, apply_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(make_gives_a_file_all_its_names),
        TEST(make_replaces_a_link_and_not_what_it_leads_to),
        TEST(make_says_which_file_a_folder_is_in_the_way_of),
        TEST(make_gives_links_and_special_files),
        TEST(make_refuses_a_link_whose_data_are_damaged),
        TEST(write_says_that_the_disk_is_full),
        TEST(copy_gives_the_same_contents),
        TEST(folder_may_be_there_but_is_no_link),
        cmocka_unit_test(kind_is_what_attributes_and_mode_agree_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
