/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/test_fixture.h"

#include <dirent.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/file.h"

int store_fixture_init(struct store_fixture *ret)
{
    (void)snprintf(ret->root,
                   sizeof(ret->root),
                   "%s/slipway-test-store-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(ret->root) ? 0 : -1;
}

void store_fixture_fini(const struct store_fixture *f)
{
    (void)dir_remove(f->root);
}

void store_fixture_empty(const struct store_fixture *f)
{
    assert_int_equal(dir_remove(f->root), 0);
    assert_int_equal(dir_make(f->root, 0700), 0);
}

void store_fixture_fill(uint8_t *dst, size_t len, uint32_t seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525u + 1013904223u;
        dst[i] = (uint8_t)(seed >> 24);
    }
}

static size_t count_below(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    size_t n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir))) { /* NOLINT(concurrency-mt-unsafe): our own DIR */
        char below[512];

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(below, sizeof(below), "%s/%s", path, entry->d_name);
        n += entry->d_type == DT_DIR ? count_below(below) : 1;
    }
    (void)closedir(dir);
    return n;
}

size_t store_fixture_count(const char *root, const char *folder)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", root, folder);
    return count_below(path);
}

void store_fixture_assert_good(struct store *store, const uint8_t id[static SHA256_BYTES])
{
    OWN(store_validation_fini) struct store_validation validation = {0};

    assert_int_equal(store_validate(store, id, NULL, &validation), 0);
    assert_int_equal(validation.n_bad, 0);
}

static int compare(void *ctx, struct bytes piece)
{
    struct bytes *rest = ctx;
    struct bytes expected;

    assert_true(bytes_take(rest, piece.len, &expected));
    assert_true(bytes_eq(piece, expected));
    return 0;
}

void store_fixture_assert_stream(struct store *store,
                                 const uint8_t id[static SHA256_BYTES],
                                 struct bytes content)
{
    struct store_sink sink = {compare, &content};

    assert_int_equal(store_read_stream(store, id, &sink), 0);
    assert_int_equal(content.len, 0);
}
