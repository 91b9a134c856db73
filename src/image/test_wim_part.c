/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim_part.h"

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

#include "base/own.h"
#include "plat/file.h"

enum {
    WHY_MAX = 256,
    FILE_BYTES = 700000, /* several pieces */
    TABLE_AT = 300,
    TABLE_OFFSET_AT = 56, /* in the header */
};

static char path[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/slipway-test-wim-part-XXXXXX");

    OWN(fd_closep) int fd = mkstemp(path);

    return fd < 0 ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    return unlink(path);
}

/* A header with the place of a table, and what only has to stay what it is. */
static void make(uint64_t table_at)
{
    static uint8_t content[FILE_BYTES];
    struct sink place = {.ptr = content + TABLE_OFFSET_AT, .cap = sizeof(uint64_t)};

    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)(i * 31);
    sink_u64le(&place, table_at);
    assert_int_equal(file_write(path, (struct bytes){content, sizeof(content)}, 0600), 0);
}

static void take(struct wim_part *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);

    *ret = (struct wim_part){.done_bytes = UINT64_C(1) << 40, .n_volumes = 3};
    assert_int_equal(wim_part_take(path, ret, &why), 0);
    assert_int_equal(ret->file_bytes, FILE_BYTES);
}

static int restore(const struct wim_part *part)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    int r = wim_part_restore(path, part, &why);

    assert_true((r == 0) == (why.len == 0));
    return r;
}

static void its_text_says_all_of_it(void **state)
{
    struct wim_part part;
    struct wim_part read = {0};
    char text[WIM_PART_TEXT_MAX];

    (void)state;
    make(TABLE_AT);
    take(&part);
    wim_part_put(&part, text);
    assert_true(wim_part_parse(bytes_of(text), &read));
    assert_int_equal(read.file_bytes, part.file_bytes);
    assert_int_equal(read.done_bytes, part.done_bytes);
    assert_int_equal(read.n_volumes, part.n_volumes);
    assert_memory_equal(read.header, part.header, sizeof(part.header));
    assert_memory_equal(read.tail_sha256, part.tail_sha256, sizeof(part.tail_sha256));
}

static void a_text_that_says_something_else_is_refused(void **state)
{
    struct wim_part part;
    struct wim_part read;
    char text[WIM_PART_TEXT_MAX];

    (void)state;
    make(TABLE_AT);
    take(&part);
    wim_part_put(&part, text);
    assert_false(wim_part_parse(bytes_of(""), &read));
    assert_false(wim_part_parse((struct bytes){(const uint8_t *)text, strlen(text) - 1}, &read));
    text[1] = '2'; /* another version */
    assert_false(wim_part_parse(bytes_of(text), &read));
    part.file_bytes = TABLE_AT; /* the table would lie behind it */
    wim_part_put(&part, text);
    assert_false(wim_part_parse(bytes_of(text), &read));
    part.file_bytes = UINT64_MAX;
    wim_part_put(&part, text);
    assert_false(wim_part_parse(bytes_of(text), &read));
}

static void a_file_without_room_for_a_table_is_none(void **state)
{
    static const uint64_t places[] = {0, 207, FILE_BYTES, UINT64_MAX};
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    struct wim_part part = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        make(places[i]);
        assert_int_equal(wim_part_take(path, &part, &why), WIM_PART_E_TARGET);
    }
    assert_int_equal(truncate(path, 100), 0);
    assert_int_equal(wim_part_take(path, &part, &why), WIM_PART_E_TARGET);
    assert_int_equal(wim_part_take("/nonexistent/file", &part, &why), WIM_PART_E_TARGET);
}

static void its_header_and_its_length_come_back(void **state)
{
    OWN(buf_fini) struct buf before = BUF_INIT(FILE_BYTES);
    OWN(buf_fini) struct buf after = BUF_INIT(FILE_BYTES);
    struct wim_part part;

    (void)state;
    make(TABLE_AT);
    take(&part);
    assert_int_equal(file_read(path, &before), 0);

    OWN(buf_fini) struct buf longer = BUF_INIT((size_t)2 * FILE_BYTES);

    buf_add(&longer, buf_bytes(&before));
    buf_adds(&longer, "what was being written");
    memset(longer.ptr, 'x', WIM_PART_HEADER_BYTES);
    assert_int_equal(file_write(path, buf_bytes(&longer), 0600), 0);
    assert_int_equal(restore(&part), 0);
    assert_int_equal(file_read(path, &after), 0);
    assert_int_equal(after.len, before.len);
    assert_memory_equal(after.ptr, before.ptr, before.len);
}

static void a_link_in_its_place_is_not_followed(void **state)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    struct wim_part part;
    char other[80];

    (void)state;
    make(TABLE_AT);
    take(&part);
    (void)snprintf(other, sizeof(other), "%s.other", path);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(restore(&part), WIM_PART_E_TARGET);
    assert_int_equal(wim_part_take(path, &part, &why), WIM_PART_E_TARGET);
    assert_int_equal(unlink(other), 0);
}

static void a_tail_that_is_another_is_told(void **state)
{
    struct wim_part part;

    (void)state;
    make(TABLE_AT);
    take(&part);
    part.tail_sha256[31] ^= 1;
    assert_int_equal(restore(&part), WIM_PART_E_CHANGED);
    part.tail_sha256[31] ^= 1;
    assert_int_equal(restore(&part), 0);
    part.file_bytes++;
    assert_int_equal(restore(&part), WIM_PART_E_CHANGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_text_says_all_of_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_text_that_says_something_else_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_without_room_for_a_table_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(its_header_and_its_length_come_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_link_in_its_place_is_not_followed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tail_that_is_another_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("image/wim_part", tests, NULL, NULL);
}
