/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/wim/wim_put.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/pwm/pwm.h"

enum {
    MAX_BYTES = 64 * 1024,
    FIRST_PLACE_AT = 48,
    NAME_AT = 2 + 2 * (sizeof("<WIM><IMAGE INDEX=\"1\"><NAME>") - 1),
};

static const uint8_t sha1[SHA1_BYTES] = "01234567890123456789";

static void a_header_has_its_places_at_the_end_only(void **state)
{
    uint8_t room[2 * WIM_HEADER_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};
    const struct wim_place table = {0x11223344, 0x100};
    const struct wim_place xml = {0x55, 0x200};
    struct bytes place = {room + WIM_HEADER_BYTES + FIRST_PLACE_AT, 8};
    uint64_t n;

    (void)state;
    wim_put_header(&dst, NULL, NULL);
    assert_int_equal(dst.len, WIM_HEADER_BYTES);
    wim_put_header(&dst, &table, &xml);
    assert_int_equal(dst.len, 2 * WIM_HEADER_BYTES);
    assert_false(dst.full);
    assert_memory_equal(room, "WLPWM\0\0\0", 8);
    assert_memory_equal(room, room + WIM_HEADER_BYTES, FIRST_PLACE_AT);
    assert_true(bytes_take_u64le(&place, &n));
    assert_true(n == (UINT64_C(2) << 56 | 0x100));
    for (size_t i = FIRST_PLACE_AT; i < WIM_HEADER_BYTES; i++)
        assert_int_equal(room[i], 0);
}

/* Header, a resource, header: what reads the borders of such streams agrees. */
static void the_borders_are_where_they_are_looked_for(void **state)
{
    uint8_t room[2 * WIM_HEADER_BYTES + WIM_RESOURCE_HEADER_BYTES + 5];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};
    const struct wim_place place = {1, 1};
    struct pwm_splitter splitter;
    struct bytes src = {room, sizeof(room)};
    size_t n_units = 0;

    (void)state;
    wim_put_header(&dst, NULL, NULL);
    wim_put_resource_header(&dst, 5, sha1, WIM_RESOURCE_BLOB);
    sink_bytes(&dst, bytes_of("hello"));
    wim_put_header(&dst, &place, &place);
    assert_int_equal(dst.len, sizeof(room));
    pwm_init(&splitter);
    while (src.len > 0) {
        struct pwm_piece piece;

        assert_int_equal(pwm_next(&splitter, &src, &piece), 0);
        n_units += piece.ends_unit ? 1 : 0;
    }
    assert_int_equal(n_units, 3);
    assert_true(pwm_is_complete(&splitter));
}

static void a_row_of_the_blob_table_is_fifty_bytes(void **state)
{
    static const uint8_t want[WIM_TABLE_ROW_BYTES] =
        "\5\0\0\0\0\0\0\2\1\2\0\0\0\0\0\0\5\0\0\0\0\0\0\0\1\0\3\0\0\0"
        "01234567890123456789";
    uint8_t room[WIM_TABLE_ROW_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};
    const struct wim_place place = {0x201, 5};

    (void)state;
    wim_put_table_row(&dst, &place, sha1, WIM_RESOURCE_METADATA, 3);
    assert_int_equal(dst.len, WIM_TABLE_ROW_BYTES);
    assert_memory_equal(room, want, sizeof(room));
}

static void the_xml_is_utf_16_and_escaped(void **state)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(MAX_BYTES);
    struct wim_info info = {
        .name = "a<b>&\303\244", .n_folders = 1, .created = UINT64_C(0x1d00000000a)};
    static const char begin[] = "\xff\xfe<\0W\0I\0M\0>\0<\0I\0M\0A\0G\0E\0";
    static const char name[] =
        "a\0&\0#\0006\0000\0;\0b\0&\0#\0006\0002\0;\0&\0#\0003\08\0;\0\xe4\0<\0";

    (void)state;
    assert_int_equal(wim_put_xml(&info, &xml), 0);
    assert_memory_equal(xml.ptr, begin, sizeof(begin) - 1);
    assert_memory_equal(xml.ptr + NAME_AT, name, sizeof(name) - 1);
    assert_int_equal(xml.ptr[xml.len - 2], '\n');
    info.name = "tab\t";
    assert_int_equal(wim_put_xml(&info, &xml), WIM_PUT_E_NAME);
    info.name = "\377";
    assert_int_equal(wim_put_xml(&info, &xml), WIM_PUT_E_NAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_has_its_places_at_the_end_only),
        cmocka_unit_test(the_borders_are_where_they_are_looked_for),
        cmocka_unit_test(a_row_of_the_blob_table_is_fifty_bytes),
        cmocka_unit_test(the_xml_is_utf_16_and_escaped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
