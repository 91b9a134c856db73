/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/test_iso_fixture.h"

#include <inttypes.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"
#include "plat/process.h"

enum {
    WHY_MAX = 4096,
    OUTPUT_MAX = 65536,
    DISC_MAX = 4 * 1024 * 1024,
    ARGUMENTS_MAX = 12,
};

#define TIMEOUT_US (UINT64_C(20) * 1000 * 1000)

void iso_fixture_make(const struct tree_fixture *f, const char *const *options)
{
    OWN(buf_fini) struct buf output = BUF_INIT(OUTPUT_MAX);
    char disc[TREE_FIXTURE_PATH_MAX];
    char tree[TREE_FIXTURE_PATH_MAX];
    const char *argv[ARGUMENTS_MAX] = {"genisoimage", "-quiet", "-o", disc};
    const struct process_options process = {
        .argv = argv, .output = &output, .timeout_us = TIMEOUT_US};
    struct process_result result = {0};
    size_t n = 4;

    tree_fixture_path(f, "disc.iso", disc);
    tree_fixture_path(f, "tree", tree);
    while (*options)
        argv[n++] = *options++;
    argv[n] = tree;
    assert_int_equal(process_run(&process, &result), 0);
    if (result.exit_code != 0)
        fail_msg("genisoimage: %s", buf_str(&output));
}

void iso_fixture_put_tree(const struct tree_fixture *f)
{
    char first[TREE_FIXTURE_PATH_MAX];
    char second[TREE_FIXTURE_PATH_MAX];

    tree_fixture_put(f, "tree/sources/install.txt", "the image");
    tree_fixture_put(f, "tree/sources-2", "beside it");
    tree_fixture_put(f, "tree/empty.txt", "");
    tree_fixture_put(f, "tree/\xc3\xa4.txt", "umlaut");
    tree_fixture_path(f, "tree/sources-2", first);
    tree_fixture_path(f, "tree/twin", second);
    assert_int_equal(link(first, second), 0);
}

void iso_fixture_check_prefixes(struct tree_fixture *f, iso_fixture_reader *read)
{
    OWN(buf_fini) struct buf disc = BUF_INIT(DISC_MAX);
    OWN(buf_fini) struct buf whole = BUF_INIT(TREE_FIXTURE_TEXT_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    char path[TREE_FIXTURE_PATH_MAX];

    assert_int_equal(read(f, &why), 0);
    buf_add(&whole, buf_bytes(&f->seen));
    tree_fixture_path(f, "disc.iso", path);
    assert_int_equal(file_read(path, &disc), 0);
    for (size_t len = 0; len < disc.len; len += disc.len / 40) {
        int r;

        assert_int_equal(truncate(path, 0), 0);
        assert_int_equal(file_write(path, (struct bytes){(uint8_t *)disc.ptr, len}, 0600), 0);
        buf_clear(&f->seen);
        buf_clear(&why);
        f->percent = 0;
        r = read(f, &why);
        assert_true(r == TREE_E_UNKNOWN || r == TREE_E_REFUSED || r == 0);
        assert_true(r == 0 || why.len > 0);
        if (r == 0)
            assert_string_equal(buf_str(&f->seen), buf_str(&whole));
    }
    buf_clear(&f->seen);
    f->percent = 0;
}
