/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/blob_stream.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/pwm/pwm.h"

enum {
    ROOM_MAX = 100,
    MAX_BYTES = 64 * 1024,
    TABLE_PLACE_AT = 48, /* in a header of a WIM: flags and size, then the offset */
    ROW_REFS_AT = 26,
};

struct keeper {
    struct buf parts[3]; /* owned; by enum blob_stream_part */
    enum blob_stream_part part;
    size_t n_units;
    size_t n_puts;
    size_t stop_at; /* 0: never */
    uint8_t room[ROOM_MAX];
};

static int take_room(void *ctx, size_t n, uint8_t **ret)
{
    struct keeper *keeper = ctx;

    assert_in_range(n, 1, ROOM_MAX);
    *ret = keeper->room;
    return 0;
}

static int put(void *ctx, size_t n)
{
    struct keeper *keeper = ctx;

    buf_add(&keeper->parts[keeper->part], (struct bytes){keeper->room, n});
    return ++keeper->n_puts == keeper->stop_at ? -1 : 0;
}

static int end_unit(void *ctx)
{
    struct keeper *keeper = ctx;

    keeper->n_units++;
    return 0;
}

static void turn(void *ctx, enum blob_stream_part part)
{
    struct keeper *keeper = ctx;

    assert_true(part > keeper->part);
    keeper->part = part;
}

static void keeper_fini(struct keeper *keeper)
{
    for (size_t i = 0; i < 3; i++)
        buf_fini(&keeper->parts[i]);
}

static struct keeper keeper_new(void)
{
    return (struct keeper){
        .parts = {BUF_INIT(MAX_BYTES), BUF_INIT(MAX_BYTES), BUF_INIT(MAX_BYTES)}};
}

static struct blob_sink sink_of(struct keeper *keeper)
{
    return (struct blob_sink){take_room, put, end_unit, turn, ROOM_MAX, keeper};
}

/* A root, and a file with this blob and as many names. */
static void
make_image(struct metadata *image, const uint8_t *sha1, const char *const *names, size_t n)
{
    const struct metadata_inode root = {.attributes = METADATA_FOLDER, .security = METADATA_NONE};
    const struct metadata_inode file = {.attributes = METADATA_NORMAL, .security = METADATA_NONE};
    struct metadata_stream stream = {.kind = METADATA_DATA, .name = ""};
    struct metadata_name name = {.name = "", .short_name = "", .parent = METADATA_NONE};

    assert_int_equal(metadata_add_inode(image, &root), 0);
    assert_int_equal(metadata_add_name(image, &name), 0);
    assert_int_equal(metadata_add_inode(image, &file), 0);
    memcpy(stream.sha1, sha1, SHA1_BYTES);
    assert_int_equal(metadata_add_stream(image, &stream), 0);
    for (size_t i = 0; i < n; i++) {
        name = (struct metadata_name){.name = names[i], .short_name = "", .parent = 0, .inode = 1};
        assert_int_equal(metadata_add_name(image, &name), 0);
    }
}

/* Return: as blob_stream_end() */
static int make_stream(struct keeper *keeper, const char *name, struct wim_info *ret)
{
    static const char *const names[] = {"a", "b", "c"};
    const struct blob_sink sink = sink_of(keeper);
    OWN(blob_stream_fini) struct blob_stream stream = {.sink = &sink};
    OWN(metadata_fini) struct metadata image = {0};
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    uint8_t sha1[SHA1_BYTES];
    int r = blob_stream_add(&stream, bytes_of("some bytes that are a blob"), sha1);

    if (r == 0)
        r = blob_stream_add(&stream, bytes_of("some bytes that are a blob"), sha1);
    if (r != 0)
        return r;
    make_image(&image, sha1, names, 3);
    r = blob_stream_end(&stream, &image, name, &why, ret);
    assert_int_equal(r == BLOB_STREAM_E_INFO, why.len > 0);
    return r;
}

static uint64_t number_at(const struct buf *src, size_t at)
{
    struct bytes field = {(const uint8_t *)src->ptr + at, sizeof(uint64_t)};
    uint64_t n = 0;

    assert_true(at + sizeof(uint64_t) <= src->len);
    assert_true(bytes_take_u64le(&field, &n));
    return n;
}

static void the_parts_are_a_stream_whose_last_header_leads_to_its_tables(void **state)
{
    OWN(keeper_fini) struct keeper keeper = keeper_new();
    OWN(buf_fini) struct buf all = BUF_INIT(MAX_BYTES);
    struct wim_info info = {0};
    struct pwm_splitter splitter;
    struct bytes rest;
    size_t table_at;
    size_t header_at;

    (void)state;
    assert_int_equal(make_stream(&keeper, "X", &info), 0);
    assert_int_equal(keeper.n_units,
                     7); /* the blob, once; header, XML, metadata; table, XML, header */
    buf_add(&all, buf_bytes(&keeper.parts[BLOB_STREAM_HEAD]));
    buf_add(&all, buf_bytes(&keeper.parts[BLOB_STREAM_BLOBS]));
    buf_add(&all, buf_bytes(&keeper.parts[BLOB_STREAM_TAIL]));
    pwm_init(&splitter);
    for (rest = buf_bytes(&all); rest.len > 0;) {
        struct pwm_piece piece;

        assert_int_equal(pwm_next(&splitter, &rest, &piece), 0);
    }
    assert_true(pwm_is_complete(&splitter));
    header_at = all.len - WIM_HEADER_BYTES;
    table_at = (size_t)number_at(&all, header_at + TABLE_PLACE_AT + sizeof(uint64_t));
    assert_true(number_at(&all, table_at + WIM_TABLE_ROW_BYTES) ==
                strlen("some bytes that are a blob"));
    assert_memory_equal(all.ptr +
                            number_at(&all, table_at + WIM_TABLE_ROW_BYTES + sizeof(uint64_t)),
                        "some bytes",
                        10);
    assert_int_equal(all.ptr[table_at + WIM_TABLE_ROW_BYTES + ROW_REFS_AT], 3);
}

static void what_its_names_lead_to_is_counted(void **state)
{
    OWN(keeper_fini) struct keeper keeper = keeper_new();
    const uint64_t size = strlen("some bytes that are a blob");
    struct wim_info info = {0};

    (void)state;
    assert_int_equal(make_stream(&keeper, "X", &info), 0);
    assert_int_equal(info.n_folders, 1);
    assert_int_equal(info.n_files, 3);
    assert_int_equal(info.total_bytes, 3 * size);
    assert_int_equal(info.hard_link_bytes, 2 * size);
}

static void a_name_that_a_wim_cannot_have_is_refused(void **state)
{
    OWN(keeper_fini) struct keeper keeper = keeper_new();
    struct wim_info info = {0};

    (void)state;
    assert_int_equal(make_stream(&keeper, "\377", &info), BLOB_STREAM_E_INFO);
}

static void a_sink_that_has_enough_ends_it_wherever_it_is(void **state)
{
    size_t n = 1;
    int r = BLOB_STREAM_E_STOPPED;

    (void)state;
    for (; r != 0; n++) {
        OWN(keeper_fini) struct keeper keeper = keeper_new();
        struct wim_info info = {0};

        keeper.stop_at = n;
        r = make_stream(&keeper, "X", &info);
        assert_true(r == 0 || r == BLOB_STREAM_E_STOPPED);
    }
    assert_true(n > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_are_a_stream_whose_last_header_leads_to_its_tables),
        cmocka_unit_test(what_its_names_lead_to_is_counted),
        cmocka_unit_test(a_name_that_a_wim_cannot_have_is_refused),
        cmocka_unit_test(a_sink_that_has_enough_ends_it_wherever_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
