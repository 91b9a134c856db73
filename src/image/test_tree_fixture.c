/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_tree_fixture.h"

#include <inttypes.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "plat/file.h"

static int on_entry(void *ctx, const struct manifest_entry *entry)
{
    struct tree_fixture *f = ctx;

    f->mtime_ns = entry->mtime_ns;
    buf_addf(&f->seen,
             "%s%c %o %" PRIu64 " %s%s%s\n",
             f->seen.len > 0 && f->seen.ptr[f->seen.len - 1] != '\n' ? "\n" : "",
             "dfl"[entry->kind],
             entry -> mode,
             entry -> size_bytes,
             entry -> path,
             entry -> target ? " " : "",
             entry->target ? entry->target : "");
    if (f->trigger && strcmp(entry->path, f->trigger) == 0)
        f->act(f);
    return 0;
}

static int on_bytes(void *ctx, struct bytes piece, unsigned percent)
{
    struct tree_fixture *f = ctx;

    assert_in_range(percent, f->percent, 100);
    f->percent = percent;
    f->n_bytes += piece.len;
    if (f->n_bytes < TREE_FIXTURE_TEXT_MAX / 2)
        buf_add(&f->seen, piece);
    return 0;
}

int tree_fixture_set_up(void **state)
{
    struct tree_fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    (void)snprintf(f->root, sizeof(f->root), "/tmp/slipway-test-tree-XXXXXX");
    if (!mkdtemp(f->root) || chmod(f->root, 0755) < 0)
        return -1;
    f->seen = BUF_INIT(TREE_FIXTURE_TEXT_MAX);
    f->sink = (struct tree_sink){on_entry, on_bytes, f};
    *state = f;
    return 0;
}

int tree_fixture_tear_down(void **state)
{
    struct tree_fixture *f = *state;
    int r = dir_remove(f->root);

    buf_fini(&f->seen);
    free(f);
    return r;
}

void tree_fixture_path(const struct tree_fixture *f,
                       const char *name,
                       char dst[static TREE_FIXTURE_PATH_MAX])
{
    (void)snprintf(dst, TREE_FIXTURE_PATH_MAX, "%s/%s", f->root, name);
}

/* The folder of @path is made if it is not there. */
static void make_parent(const char *path)
{
    char folder[TREE_FIXTURE_PATH_MAX];
    char *slash;

    (void)snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    assert_non_null(slash);
    *slash = '\0';
    if (!file_exists(folder))
        assert_int_equal(dir_make(folder, 0755), 0);
}

void tree_fixture_put(const struct tree_fixture *f, const char *name, const char *content)
{
    char path[TREE_FIXTURE_PATH_MAX];

    tree_fixture_path(f, name, path);
    make_parent(path);
    if (content)
        assert_int_equal(file_write(path, bytes_of(content), 0640), 0);
    else
        assert_int_equal(dir_make(path, 0755), 0);
}

void tree_fixture_link(const struct tree_fixture *f, const char *name, const char *target)
{
    char path[TREE_FIXTURE_PATH_MAX];

    tree_fixture_path(f, name, path);
    make_parent(path);
    assert_int_equal(symlink(target, path), 0);
}
