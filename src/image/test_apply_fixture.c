/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_apply_fixture.h"

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "plat/file.h"

enum {
    WHY_MAX = 1024,
};

#define TIME_2020 UINT64_C(132223104000000000) /* 2020-01-01 */

int apply_fixture_set_up(void **state)
{
    struct apply_fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    f->out = -1;
    f->why = BUF_INIT(WHY_MAX);
    *state = f;
    (void)snprintf(f->root, sizeof(f->root), "/tmp/slipway-apply-XXXXXX");
    if (!mkdtemp(f->root) || mkdir(apply_fixture_path(f, ""), 0755) < 0)
        return -1;
    f->out = open(apply_fixture_path(f, ""), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)apply_fixture_add(f, METADATA_NONE, "", S_IFDIR | 0755);
    return f->out < 0 ? -1 : 0;
}

int apply_fixture_tear_down(void **state)
{
    struct apply_fixture *f = *state;

    fd_closep(&f->out);
    metadata_fini(&f->image);
    buf_fini(&f->why);
    (void)dir_remove(f->root);
    free(f);
    return 0;
}

const char *apply_fixture_path(const struct apply_fixture *f, const char *name)
{
    static char path[APPLY_FIXTURE_PATH_MAX];

    (void)snprintf(path, sizeof(path), "%s/out/%s", f->root, name);
    return path;
}

uint32_t apply_fixture_add(struct apply_fixture *f, uint32_t parent, const char *name, mode_t mode)
{
    uint32_t number = (uint32_t)f->image.n_inodes;
    const struct metadata_inode inode = {
        .attributes = S_ISDIR(mode)   ? METADATA_FOLDER
                      : S_ISLNK(mode) ? METADATA_REPARSE
                                      : METADATA_NORMAL,
        .security = METADATA_NONE,
        .reparse_tag = S_ISLNK(mode) ? METADATA_TAG_SYMLINK : 0,
        .created = TIME_2020,
        .accessed = TIME_2020,
        .written = TIME_2020,
        .has_unix = true,
        .unix_data = {.uid = getuid(), .gid = getgid(), .mode = mode},
    };

    assert_int_equal(metadata_add_inode(&f->image, &inode), 0);
    apply_fixture_name(f, parent, name, number);
    return number;
}

void apply_fixture_stream(struct apply_fixture *f, enum metadata_stream_kind kind, uint8_t sha1)
{
    const struct metadata_stream stream = {.kind = kind, .name = "", .sha1 = {sha1}};

    assert_int_equal(metadata_add_stream(&f->image, &stream), 0);
}

void apply_fixture_name(struct apply_fixture *f, uint32_t parent, const char *name, uint32_t inode)
{
    const struct metadata_name entry = {
        .name = name, .short_name = "", .parent = parent, .inode = inode};

    assert_int_equal(metadata_add_name(&f->image, &entry), 0);
}
