/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "store/test_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <signal.h>
#include <stdarg.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/pack/pack.h"
#include "plat/checksum.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "plat/frame.h"
#include "store/intake.h"
#include "tests/faults.h"

int store_fixture_set_up(void **state)
{
    struct store_fixture *f = calloc(1, sizeof(*f));

    if (!f)
        return -1;
    *state = f;
    (void)snprintf(f->root,
                   sizeof(f->root),
                   "%s/slipway-test-store-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    f->content = malloc(FIXTURE_BYTES);
    if (!f->content || !mkdtemp(f->root) || store_new(f->root, &f->store) != 0)
        return -1;
    store_fixture_fill(f->content, FIXTURE_BYTES, 7);
    return 0;
}

int store_fixture_tear_down(void **state)
{
    struct store_fixture *f = *state;
    int r;

    (void)faults_disarm();
    store_free(f->store);
    r = dir_remove(f->root);
    manifest_fini(&f->manifest);
    free(f->content);
    free(f);
    return r;
}

int store_fixture_learn(struct store_fixture *f, size_t len)
{
    f->len = len;
    store_fixture_take_in(f, len, f->id, NULL);
    return store_get_manifest(f->store, f->id, &f->manifest);
}

void store_fixture_assert_nothing_is_half(const struct store_fixture *f)
{
    OWN(store_freep) struct store *store = NULL;
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    OWN(manifest_fini) struct manifest found = {0};

    assert_int_equal(store_new(f->root, &store), 0);
    for (size_t i = 0; i < f->manifest.n_packs; i++) {
        int r = store_get_pack(store, &f->manifest.packs[i], &plain);

        assert_true(r == 0 || r == STORE_E_MISSING);
    }
    if (store_get_manifest(store, f->id, &found) != STORE_E_MISSING)
        store_fixture_assert_good(store, f->id);
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

void store_fixture_take_in(struct store_fixture *f,
                           size_t len,
                           uint8_t ret_id[static SHA256_BYTES],
                           uint64_t *ret_new_bytes)
{
    OWN(intake_freep) struct intake *intake = NULL;

    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(intake_new(f->store, MANIFEST_FILE, &intake), 0);
    assert_int_equal(intake_feed(intake, (struct bytes){f->content, len}), 0);
    assert_int_equal(intake_end(intake, ret_id), 0);
    if (ret_new_bytes)
        *ret_new_bytes = intake_counts(intake).new_bytes;
    store_end(f->store);
}

void store_fixture_path(const struct store_fixture *f, const char *name, char ret[static 256])
{
    (void)snprintf(ret, 256, "%s/%s", f->root, name);
}

void store_fixture_flip(const char *path, off_t at)
{
    OWN(fd_closep) int fd = open(path, O_RDWR | O_CLOEXEC);
    uint8_t byte;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

void store_fixture_make_pack(struct bytes chunk, struct manifest_pack *ret, struct buf *ret_frame)
{
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;
    struct pack_chunk entry = {.size_bytes = (uint32_t)chunk.len};
    uint8_t plain[1024];
    struct sink sink = {.ptr = plain, .cap = sizeof(plain)};
    struct bytes frame;

    assert_int_equal(digest_sha256(chunk, entry.sha256), 0);
    pack_put_table(&sink, &entry, 1);
    sink_bytes(&sink, chunk);
    assert_int_equal(digest_sha256((struct bytes){plain, sink.len}, ret->sha256), 0);
    assert_int_equal(frame_packer_new(sizeof(plain), &packer), 0);
    assert_int_equal(frame_pack(packer, (struct bytes){plain, sink.len}, &frame), 0);
    buf_clear(ret_frame);
    buf_add(ret_frame, frame);
    ret->plain_bytes = (uint32_t)sink.len;
    ret->stored_bytes = (uint32_t)frame.len;
    checksum_of(frame, ret->check);
}

bool store_fixture_is_killed(const struct store_fixture *f,
                             store_fixture_try *attempt,
                             unsigned nth)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        faults_arm(FAULT_LIFE, nth);
        _exit(attempt(f) == 0 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}
