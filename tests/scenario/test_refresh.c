/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A computer with one version of a system gets the next one: what its disk has is not downloaded
 *
 * Two versions of a tree are captured into a real store, which a real HTTP server serves; the older tree is the old
 * system. What is downloaded is counted.
 */

#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/fetch/fetch.h"
#include "agent/fetch/seed.h"
#include "agent/fetch/shelf.h"
#include "base/buf.h"
#include "base/own.h"
#include "format/pack/chunk_list.h"
#include "plat/file.h"
#include "refresh_fixture.h"

enum {
    PATH_MAX_BYTES = 512,
};

static int download(struct refresh_bench *b, bool (*tell)(void *ctx, uint64_t read_bytes))
{
    const struct seed_source source = {
        .root = refresh_at(b, "old"), .skip = "_SMSTaskSequence", .tell = tell, .ctx = b};

    return seed_download(b->shelf, &b->options, b->id[1], &source, &b->report, &b->seed);
}

static bool is_in_first(const struct refresh_bench *b, const struct manifest_pack *pack)
{
    for (size_t i = 0; i < b->manifest[0].n_packs; i++)
        if (memcmp(b->manifest[0].packs[i].sha256, pack->sha256, SHA256_BYTES) == 0)
            return true;
    return false;
}

/* Stored bytes of the second version: of packs that the first has not, or of all. */
static uint64_t stored(const struct refresh_bench *b, bool is_new_only)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < b->manifest[1].n_packs; i++)
        if (!is_new_only || !is_in_first(b, &b->manifest[1].packs[i]))
            sum += b->manifest[1].packs[i].stored_bytes;
    return sum;
}

/* Every pack is on the shelf and is what its name says. */
static void assert_is_whole(struct refresh_bench *b)
{
    assert_true(shelf_has(b->shelf, b->id[1]));
    assert_int_equal(shelf_verify(b->shelf, b->id[1], &b->manifest[1], NULL, NULL), 0);
}

static void only_what_the_old_system_does_not_have_is_downloaded(void **state)
{
    struct refresh_bench *b = *state;

    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    assert_is_whole(b);
    /* the last pack of the first version has its metadata too, which are no file */
    assert_true(b->report.network.bytes < stored(b, false) / 2);
    assert_true(b->report.network.bytes >= stored(b, true));
    assert_int_equal(b->report.network.bytes + b->seed.stored_bytes, stored(b, false));
    assert_true(b->seed.n_packs > 0);
    assert_int_equal(b->seed.n_bad, 0);
    assert_int_equal(b->seed.n_unreadable, 0);
    assert_int_equal(b->seed.n_files, REFRESH_SMALL_FILES + 2);
}

static void what_was_seeded_is_not_seeded_or_downloaded_again(void **state)
{
    struct refresh_bench *b = *state;

    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(shelf_unseal(b->shelf, b->id[1]), 0); /* as after a power cut before the end */
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->seed.n_packs, 0);
    assert_int_equal(b->report.network.bytes, 0);
    assert_is_whole(b);
}

static void without_a_chunk_list_everything_is_downloaded(void **state)
{
    struct refresh_bench *b = *state;

    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->report.network.bytes, stored(b, false));
    assert_int_equal(b->seed.n_files, 0);
    assert_is_whole(b);
}

/* The first two chunks of each pack that the old system has change places. Return: of how many packs. */
static unsigned swap_chunks(struct refresh_bench *b)
{
    uint8_t *entries = (uint8_t *)b->list.ptr + CHUNK_LIST_HEAD_BYTES;
    uint8_t first[CHUNK_LIST_ENTRY_BYTES];
    unsigned n_swapped = 0;

    for (size_t i = 0; i < b->manifest[1].n_packs; i++) {
        struct bytes head = {entries, sizeof(uint32_t)};
        uint32_t n = 0;

        (void)bytes_take_u32le(&head, &n);
        entries += sizeof(n);
        if (n > 1 && is_in_first(b, &b->manifest[1].packs[i])) {
            memcpy(first, entries, sizeof(first));
            memmove(entries, entries + sizeof(first), sizeof(first));
            memcpy(entries + sizeof(first), first, sizeof(first));
            n_swapped++;
        }
        entries += (size_t)n * CHUNK_LIST_ENTRY_BYTES;
    }
    return n_swapped;
}

static void a_list_that_lies_costs_time_and_nothing_else(void **state)
{
    struct refresh_bench *b = *state;

    assert_true(swap_chunks(b) > 0);
    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    assert_true(b->seed.n_bad > 0);
    assert_int_equal(b->seed.n_packs, 0);
    assert_int_equal(b->report.network.bytes, stored(b, false));
    assert_is_whole(b);
}

static void a_list_of_noise_is_no_list(void **state)
{
    struct refresh_bench *b = *state;

    for (uint64_t seed = 0; seed < 8; seed++) {
        struct bytes list = buf_bytes(&b->list);

        refresh_fill((uint8_t *)b->list.ptr + (seed % 2 == 0 ? CHUNK_LIST_HEAD_BYTES : 0),
                     list.len - CHUNK_LIST_HEAD_BYTES,
                     seed);

        const struct seed_options options = {.shelf = b->shelf,
                                             .manifest = &b->manifest[1],
                                             .list = list,
                                             .root = refresh_at(b, "old")};

        assert_int_equal(seed_run(&options, &b->seed), 0);
        assert_int_equal(b->seed.n_packs, 0);
    }
    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->report.network.bytes, stored(b, false));
    assert_is_whole(b);
}

/* When the first pack was looked at, everything that was found becomes something else. */
static bool change_large(void *ctx, uint64_t read_bytes)
{
    struct refresh_bench *b = ctx;
    OWN(freep) uint8_t *bytes = malloc(REFRESH_LARGE_BYTES);
    OWN(fd_closep) int fd = open(refresh_at(b, "old/usr/large"), O_WRONLY | O_CLOEXEC);

    assert_true(read_bytes > 0);
    assert_non_null(bytes);
    refresh_fill(bytes, REFRESH_LARGE_BYTES, 99);
    assert_int_equal(fd_write_all(fd, (struct bytes){bytes, REFRESH_LARGE_BYTES}), 0);
    return true;
}

static void a_file_that_changes_while_it_is_read_is_downloaded(void **state)
{
    struct refresh_bench *b = *state;

    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, change_large), 0);
    assert_true(b->seed.n_bad > 0);
    assert_is_whole(b);
}

static bool remove_large(void *ctx, uint64_t read_bytes)
{
    const struct refresh_bench *b = ctx;

    (void)read_bytes;
    (void)unlink(refresh_at(b, "old/usr/large"));
    return true;
}

static void a_file_that_goes_while_it_is_read_is_downloaded(void **state)
{
    struct refresh_bench *b = *state;

    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, remove_large), 0);
    assert_true(b->seed.n_bad > 0);
    assert_is_whole(b);
}

static bool cancel(void *ctx, uint64_t read_bytes)
{
    (void)ctx;
    (void)read_bytes;
    return false;
}

static void it_can_be_cancelled_and_goes_on_later(void **state)
{
    struct refresh_bench *b = *state;

    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, cancel), TRANSFER_E_CANCELLED);
    assert_false(shelf_has(b->shelf, b->id[1]));
    assert_int_equal(download(b, NULL), 0);
    assert_is_whole(b);
}

static void without_room_nothing_is_put_together_and_nothing_downloaded(void **state)
{
    struct refresh_bench *b = *state;

    refresh_serve_list(b, buf_bytes(&b->list));
    shelf_set_reserve(b->shelf, UINT64_MAX / 2);
    assert_int_equal(download(b, NULL), FETCH_E_FULL);
    assert_true(b->seed.is_full);
    assert_int_equal(b->seed.n_packs, 0);
    assert_int_equal(b->report.network.bytes, 0);
}

/* Outside of the old system is what it links to, and what is the task sequence's own. */
static void what_is_behind_links_and_in_the_folder_that_is_skipped_is_not_read(void **state)
{
    struct refresh_bench *b = *state;

    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(rename(refresh_at(b, "old/usr"), refresh_at(b, "outside")), 0);
    assert_int_equal(symlink("../outside", refresh_at(b, "old/usr")), 0);
    assert_int_equal(dir_make(refresh_at(b, "old/_SMSTaskSequence"), 0700), 0);
    assert_int_equal(
        rename(refresh_at(b, "outside/large"), refresh_at(b, "old/_SMSTaskSequence/large")), 0);
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->seed.n_files, 1); /* the link itself */
    assert_int_equal(b->seed.read_bytes, 0);
    assert_int_equal(b->report.network.bytes, stored(b, false));
    assert_is_whole(b);
}

static void what_cannot_be_read_is_downloaded(void **state)
{
    struct refresh_bench *b = *state;
    char path[PATH_MAX_BYTES] = "";

    refresh_serve_list(b, buf_bytes(&b->list));
    (void)snprintf(path, sizeof(path), "%s", refresh_at(b, "old"));
    for (unsigned i = 0; i < SEED_DEPTH_MAX + 2; i++)
        (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
    assert_int_equal(dir_make(path, 0755), 0);
    (void)snprintf(path + strlen(path), sizeof(path) - strlen(path), "/large");
    assert_int_equal(rename(refresh_at(b, "old/usr/large"), path), 0);
    assert_int_equal(mkfifo(refresh_at(b, "old/usr/large"), 0644),
                     0); /* nobody would ever write into it */
    assert_int_equal(download(b, NULL), 0);
    assert_int_equal(b->seed.n_unreadable, 1); /* the folder that lies too deep */
    assert_int_equal(b->seed.n_packs, 0);
    assert_is_whole(b);
}

static void what_the_disk_damages_on_the_shelf_is_found_and_fetched_again(void **state)
{
    struct refresh_bench *b = *state;
    char name[SHA256_TEXT_MAX];
    char path[PATH_MAX_BYTES];
    bool is_damaged = false;

    refresh_serve_list(b, buf_bytes(&b->list));
    assert_int_equal(download(b, NULL), 0);
    for (size_t i = 0; i < b->manifest[1].n_packs && !is_damaged; i++) {
        hex_put(name, (struct bytes){b->manifest[1].packs[i].sha256, SHA256_BYTES});
        (void)snprintf(path, sizeof(path), "%s/%s.plain", refresh_at(b, "shelf"), name);

        OWN(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

        is_damaged = fd >= 0 && pwrite(fd, "damaged", 7, 1000) == 7;
    }
    assert_true(is_damaged);
    assert_int_equal(shelf_verify(b->shelf, b->id[1], &b->manifest[1], NULL, NULL), SHELF_E_WRONG);
    assert_false(shelf_has(b->shelf, b->id[1]));
    assert_false(file_exists(path));
    assert_int_equal(download(b, NULL), 0);
    assert_is_whole(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_what_the_old_system_does_not_have_is_downloaded,
                                        refresh_set_up,
                                        refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            what_was_seeded_is_not_seeded_or_downloaded_again, refresh_set_up, refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            without_a_chunk_list_everything_is_downloaded, refresh_set_up, refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            a_list_that_lies_costs_time_and_nothing_else, refresh_set_up, refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            a_list_of_noise_is_no_list, refresh_set_up, refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_changes_while_it_is_read_is_downloaded, refresh_set_up, refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            a_file_that_goes_while_it_is_read_is_downloaded, refresh_set_up, refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            it_can_be_cancelled_and_goes_on_later, refresh_set_up, refresh_tear_down),
        cmocka_unit_test_setup_teardown(without_room_nothing_is_put_together_and_nothing_downloaded,
                                        refresh_set_up,
                                        refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            what_is_behind_links_and_in_the_folder_that_is_skipped_is_not_read,
            refresh_set_up,
            refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            what_cannot_be_read_is_downloaded, refresh_set_up, refresh_tear_down),
        cmocka_unit_test_setup_teardown(
            what_the_disk_damages_on_the_shelf_is_found_and_fetched_again,
            refresh_set_up,
            refresh_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
