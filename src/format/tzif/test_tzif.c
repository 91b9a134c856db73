/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/tzif/tzif.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/civil.h"
#include "base/own.h"
#include "tests/faults.h"

DEFINE_FREEP(struct tzif *, tzif_free);

enum {
    FILE_MAX = 512,
};

static int64_t seconds(const char *text)
{
    int64_t s = 0;

    assert_true(civil_parse(bytes_of(text), &s));
    return s;
}

static void put_header(struct sink *dst, char version, uint32_t n_changes, uint32_t n_types)
{
    sink_bytes(dst, bytes_of("TZif"));
    sink_u8(dst, (uint8_t)version);
    sink_zero(dst, 15);
    sink_u32be(dst, 0);
    sink_u32be(dst, 0);
    sink_u32be(dst, 0);
    sink_u32be(dst, n_changes);
    sink_u32be(dst, n_types);
    sink_u32be(dst, 4);
}

static void put_type(struct sink *dst, int32_t offset_s)
{
    sink_u32be(dst, (uint32_t)offset_s);
    sink_u8(dst, 0);
    sink_u8(dst, 0);
}

/* A place that counted +1 h, from 2001 on +2 h, and since 2010 what the rule says. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the sink writes to it */
static struct bytes make_file(uint8_t dst[static FILE_MAX])
{
    struct sink sink = {.ptr = dst, .cap = FILE_MAX};
    const int64_t changes[] = {seconds("2001-01-01"), seconds("2010-01-01")};

    put_header(&sink, '2', 0, 1);
    put_type(&sink, 0);
    sink_bytes(&sink, (struct bytes){(const uint8_t *)"CET", 4});
    put_header(&sink, '2', 2, 3);
    for (size_t i = 0; i < 2; i++) {
        sink_u32be(&sink, 0);
        sink_u32be(&sink, (uint32_t)changes[i]);
    }
    sink_u8(&sink, 1);
    sink_u8(&sink, 2);
    put_type(&sink, 3600);
    put_type(&sink, 7200);
    put_type(&sink, 3600);
    sink_bytes(&sink, (struct bytes){(const uint8_t *)"CET", 4});
    sink_bytes(&sink, bytes_of("\nCET-1CEST,M3.5.0,M10.5.0/3\n"));
    assert_false(sink.full);
    return (struct bytes){dst, sink.len};
}

static void the_offset_is_that_of_the_last_change_and_then_of_the_rule(void **state)
{
    OWN(tzif_freep) struct tzif *zone = NULL;
    uint8_t file[FILE_MAX];

    (void)state;
    assert_int_equal(tzif_parse(make_file(file), &zone), 0);
    assert_int_equal(tzif_offset_s(zone, -1), 3600);
    assert_int_equal(tzif_offset_s(zone, seconds("2000-07-01")), 3600);
    assert_int_equal(tzif_offset_s(zone, seconds("2001-01-01")), 7200);
    assert_int_equal(tzif_offset_s(zone, seconds("2009-12-31")), 7200);
    assert_int_equal(tzif_offset_s(zone, seconds("2010-01-01")), 3600);
    assert_int_equal(tzif_offset_s(zone, seconds("2026-07-01")), 7200);
    assert_int_equal(tzif_offset_s(zone, seconds("2999-12-31")), 3600);
}

static void a_time_shown_twice_is_the_first_and_one_never_shown_is_moved_forward(void **state)
{
    OWN(tzif_freep) struct tzif *zone = NULL;
    uint8_t file[FILE_MAX];

    (void)state;
    assert_int_equal(tzif_parse(make_file(file), &zone), 0);
    assert_int_equal(tzif_to_utc_s(zone, seconds("2026-07-01T12:00")), seconds("2026-07-01T10:00"));
    assert_int_equal(tzif_to_utc_s(zone, seconds("2026-12-01T12:00")), seconds("2026-12-01T11:00"));
    assert_int_equal(tzif_to_utc_s(zone, seconds("2026-10-25T02:30")), seconds("2026-10-25T00:30"));
    assert_int_equal(tzif_to_utc_s(zone, seconds("2026-10-25T03:00")), seconds("2026-10-25T02:00"));
    assert_int_equal(tzif_to_utc_s(zone, seconds("2026-03-29T01:59")), seconds("2026-03-29T00:59"));
    assert_int_equal(tzif_to_utc_s(zone, seconds("2026-03-29T02:30")), seconds("2026-03-29T01:30"));
    assert_int_equal(tzif_to_utc_s(zone, seconds("2026-03-29T03:00")), seconds("2026-03-29T01:00"));
}

static void every_prefix_is_refused(void **state)
{
    uint8_t file[FILE_MAX];
    struct bytes whole = make_file(file);

    (void)state;
    for (size_t n = 0; n < whole.len; n++) {
        OWN(tzif_freep) struct tzif *zone = NULL;

        assert_int_equal(tzif_parse((struct bytes){file, n}, &zone), TZIF_E_MALFORMED);
        assert_null(zone);
    }
}

static void changes_out_of_order_and_types_that_are_not_there_are_refused(void **state)
{
    static const size_t places[] = {
        0,   /* the magic */
        86,  /* number of changes */
        98,  /* time of the first */
        114, /* its type */
        116, /* an offset of many days */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        OWN(tzif_freep) struct tzif *zone = NULL;
        uint8_t file[FILE_MAX];
        struct bytes whole = make_file(file);

        file[places[i]] = 0x7e;
        assert_int_equal(tzif_parse(whole, &zone), TZIF_E_MALFORMED);
    }
}

static void without_memory_nothing_is_kept(void **state)
{
    uint8_t file[FILE_MAX];
    struct tzif *zone = NULL;

    (void)state;
    faults_arm(FAULT_MEMORY, 1);
    assert_int_equal(tzif_parse(make_file(file), &zone), -ENOMEM);
    assert_true(faults_disarm());
    assert_null(zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_offset_is_that_of_the_last_change_and_then_of_the_rule),
        cmocka_unit_test(a_time_shown_twice_is_the_first_and_one_never_shown_is_moved_forward),
        cmocka_unit_test(every_prefix_is_refused),
        cmocka_unit_test(changes_out_of_order_and_types_that_are_not_there_are_refused),
        cmocka_unit_test(without_memory_nothing_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
