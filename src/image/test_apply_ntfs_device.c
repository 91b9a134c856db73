/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_ntfs_device.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ntfs-3g's headers use what they do not include, and types of their own */
#include <ntfs-3g/types.h>

#include <ntfs-3g/device.h>

#include "base/own.h"
#include "plat/file.h"

enum {
    PATH_BYTES = 64,
    SIZE_BYTES = 68 * 1024 * 1024 + 1536, /* more than is kept; the last block is cut */
    WRITES = 3000,
    MIDDLE = 1024 * 1024,
    PIECE_MAX = 40000,
};

struct fixture {
    char path[PATH_BYTES];
    struct ntfs_device *device;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    int fd;

    assert_non_null(f);
    (void)snprintf(f->path, sizeof(f->path), "/tmp/slipway-test-device-XXXXXX");
    fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, SIZE_BYTES), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(apply_ntfs_device_new(f->path, &f->device), 0);
    assert_int_equal(f->device->d_ops->open(f->device, O_RDWR), 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (NDevOpen(f->device))
        (void)f->device->d_ops->close(f->device);
    assert_int_equal(ntfs_device_free(f->device), 0);
    (void)unlink(f->path);
    free(f);
    return 0;
}

static s64 put(struct fixture *f, const void *src, size_t len, uint64_t offset)
{
    return f->device->d_ops->pwrite(f->device, src, (s64)len, (s64)offset);
}

static s64 get(struct fixture *f, void *dst, size_t len, uint64_t offset)
{
    return f->device->d_ops->pread(f->device, dst, (s64)len, (s64)offset);
}

/* A generator of small numbers, always the same. */
static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static size_t length(uint32_t *seed)
{
    return next(seed) % 16 == 0 ? 16384 + next(seed) % (PIECE_MAX - 16384) : 1 + next(seed) % 5000;
}

static void assert_file_is(const struct fixture *f, const uint8_t *wanted)
{
    OWN(freep) uint8_t *found = malloc(SIZE_BYTES);
    OWN(fd_closep) int fd = open(f->path, O_RDONLY | O_CLOEXEC);

    assert_non_null(found);
    assert_int_equal(pread(fd, found, SIZE_BYTES, 0), SIZE_BYTES);
    assert_memory_equal(found, wanted, SIZE_BYTES);
}

/* Pieces of all lengths at all places, over and over one another: what is read is what was written last. */
static void what_was_written_is_read_back_and_is_in_the_file_after_a_sync(void **state)
{
    struct fixture *f = *state;
    OWN(freep) uint8_t *wanted = calloc(1, SIZE_BYTES);
    uint8_t piece[PIECE_MAX];
    uint32_t seed = 1;

    assert_non_null(wanted);
    for (uint64_t offset = 0; offset + 8000 < SIZE_BYTES; offset += 8192) {
        memset(piece, (int)(offset >> 13 & 127) + 1, 8000);
        assert_int_equal(put(f, piece, 8000, offset), 8000);
        memcpy(wanted + offset, piece, 8000);
    }
    for (size_t i = 0; i < WRITES; i++) {
        size_t len = length(&seed);
        uint64_t offset = ((uint64_t)next(&seed) * 977) % (SIZE_BYTES - len);

        memset(piece, (int)(i % 255) + 1, len);
        assert_int_equal(put(f, piece, len, offset), len);
        memset(wanted + offset, (int)(i % 255) + 1, len);
        len = length(&seed);
        offset = ((uint64_t)next(&seed) * 983) % (SIZE_BYTES - len);
        assert_int_equal(get(f, piece, len, offset), len);
        assert_memory_equal(piece, wanted + offset, len);
    }
    assert_int_equal(f->device->d_ops->sync(f->device), 0);
    assert_file_is(f, wanted);
}

static void the_end_is_an_end(void **state)
{
    struct fixture *f = *state;
    uint8_t piece[32768] = {7};

    assert_int_equal(get(f, piece, 100, SIZE_BYTES - 40), 40);
    assert_int_equal(get(f, piece, sizeof(piece), SIZE_BYTES - 20000), 20000);
    assert_int_equal(get(f, piece, 100, SIZE_BYTES), 0);
    assert_int_equal(put(f, piece, 40, SIZE_BYTES - 40), 40);
    assert_int_equal(put(f, piece, 41, SIZE_BYTES - 40), -1);
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(f->device->d_ops->close(f->device), 0);

    struct stat st;

    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_size, SIZE_BYTES);
}

/* What failed late cannot be told to whoever wrote it: everybody after learns of it. */
static void a_write_that_failed_late_fails_all_that_follow(void **state)
{
    struct fixture *f = *state;
    const struct rlimit few = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
    const struct rlimit all = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    uint8_t piece[512] = {1};

    (void)signal(SIGXFSZ, SIG_IGN); /* NOLINT(concurrency-mt-unsafe) */
    assert_int_equal(put(f, piece, sizeof(piece), MIDDLE), sizeof(piece));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &few), 0);
    assert_int_equal(f->device->d_ops->sync(f->device), -1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &all), 0);
    assert_int_equal(put(f, piece, sizeof(piece), 0), -1);
    assert_int_equal(errno, EFBIG);
    assert_int_equal(get(f, piece, sizeof(piece), 0), -1);
    assert_int_equal(f->device->d_ops->close(f->device), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_back_and_is_in_the_file_after_a_sync),
        TEST(the_end_is_an_end),
        TEST(a_write_that_failed_late_fails_all_that_follow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
