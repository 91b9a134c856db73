/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pack/pack.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"
#include "tests/faults.h"

enum {
    SMALL_BYTES = 16 + 2 * 36 + 3, /* two chunks, of 2 bytes and of 1 */
    N_AT = 8,                      /* where the fields are */
    ZERO_AT = 12,
    SIZE_AT = 16 + 32,
};

/* NOLINTNEXTLINE(readability-non-const-parameter): the sink writes there */
static void make_small(uint8_t ret[SMALL_BYTES])
{
    const struct pack_chunk chunks[] = {
        {.sha256 = {0x11, 0x22}, .size_bytes = 2},
        {.sha256 = {0x33}, .size_bytes = 1},
    };
    struct sink sink = {.ptr = ret, .cap = SMALL_BYTES};

    pack_put_table(&sink, chunks, 2);
    sink_bytes(&sink, bytes_of("abc"));
    assert_false(sink.full);
    assert_int_equal(sink.len, SMALL_BYTES);
}

static int parse(const uint8_t *plain, size_t len)
{
    OWN(pack_fini) struct pack pack = {0};
    OWN(freep)
    uint8_t *exact = malloc(len > 0 ? len : 1); /* so that reading behind it is noticed */

    assert_non_null(exact);
    if (len > 0)
        memcpy(exact, plain, len);
    return pack_parse((struct bytes){exact, len}, &pack);
}

static void the_table_is_as_the_format_says(void **state)
{
    (void)state;
    uint8_t plain[SMALL_BYTES];
    static const uint8_t head[] = "SLWPACK\n\2\0\0\0\0\0\0\0\x11\x22";

    make_small(plain);
    assert_memory_equal(plain, head, sizeof(head) - 1);
    assert_int_equal(plain[SIZE_AT], 2);
    assert_int_equal(plain[SIZE_AT + PACK_ENTRY_BYTES], 1);
    assert_memory_equal(plain + SMALL_BYTES - 3, "abc", 3);
}

static void parse_finds_the_chunks_behind_the_table(void **state)
{
    (void)state;
    OWN(pack_fini) struct pack pack = {0};
    uint8_t plain[SMALL_BYTES];

    make_small(plain);
    assert_int_equal(pack_parse((struct bytes){plain, SMALL_BYTES}, &pack), 0);
    assert_int_equal(pack.n_chunks, 2);
    assert_int_equal(pack.chunks[0].sha256[1], 0x22);
    assert_int_equal(pack.chunks[0].offset, SMALL_BYTES - 3);
    assert_int_equal(pack.chunks[0].size_bytes, 2);
    assert_int_equal(pack.chunks[1].sha256[0], 0x33);
    assert_int_equal(pack.chunks[1].offset, SMALL_BYTES - 1);
    assert_int_equal(pack.chunks[1].size_bytes, 1);
}

static void parse_refuses_every_prefix_of_a_pack_and_a_byte_too_many(void **state)
{
    (void)state;
    uint8_t plain[SMALL_BYTES + 1] = {0};

    make_small(plain);
    assert_int_equal(parse(plain, SMALL_BYTES), 0);
    for (size_t len = 0; len < SMALL_BYTES; len++)
        assert_int_equal(parse(plain, len), PACK_E_MALFORMED);
    assert_int_equal(parse(plain, SMALL_BYTES + 1), PACK_E_MALFORMED);
}

static void parse_refuses_what_is_out_of_range(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
    } cases[] = {
        {0, 's'}, /* another magic */
        {7, '\r'},
        {N_AT, 0},        /* no chunk */
        {N_AT, 1},        /* bytes behind the last chunk */
        {N_AT, 3},        /* a table that is not there */
        {N_AT + 1, 0x40}, /* 16386 chunks */
        {N_AT + 3, 0x80}, /* 2^31 */
        {ZERO_AT, 1},
        {ZERO_AT + 3, 1},
        {SIZE_AT, 0},        /* a chunk of nothing */
        {SIZE_AT, 1},        /* a byte is nobody's */
        {SIZE_AT, 3},        /* the next has too few */
        {SIZE_AT + 2, 4},    /* 2^18 + 2: more than a chunk may have */
        {SIZE_AT + 3, 0xff}, /* beyond everything */
        {SIZE_AT + PACK_ENTRY_BYTES, 0},
        {SIZE_AT + PACK_ENTRY_BYTES, 2},
        {SIZE_AT + PACK_ENTRY_BYTES + 3, 0x80},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t plain[SMALL_BYTES];

        make_small(plain);
        plain[cases[i].at] = cases[i].value;
        assert_int_equal(parse(plain, SMALL_BYTES), PACK_E_MALFORMED);
    }
}

/* A pack of chunks of @size bytes each, all zero. Return: its length. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the sink writes there */
static size_t make_many(size_t n, size_t size, uint8_t *plain, size_t cap)
{
    OWN(freep) struct pack_chunk *chunks = calloc(n, sizeof(*chunks));
    struct sink sink = {.ptr = plain, .cap = cap};

    assert_non_null(chunks);
    for (size_t i = 0; i < n; i++)
        chunks[i].size_bytes = (uint32_t)size;
    pack_put_table(&sink, chunks, n);
    sink_zero(&sink, n * size);
    assert_false(sink.full);
    return sink.len;
}

static void parse_takes_what_is_just_in_range_and_no_more(void **state)
{
    (void)state;
    enum {
        CAP = PACK_MAX_BYTES + PACK_CHUNK_MAX_BYTES
    };
    OWN(freep) uint8_t *plain = malloc(CAP);
    size_t len;

    assert_non_null(plain);
    len = make_many(PACK_MAX_CHUNKS, 1, plain, CAP);
    assert_int_equal(parse(plain, len), 0);
    len = make_many(PACK_MAX_CHUNKS + 1, 1, plain, CAP);
    assert_int_equal(parse(plain, len), PACK_E_MALFORMED);
    len = make_many(19, PACK_CHUNK_MAX_BYTES, plain, CAP);
    assert_int_equal(parse(plain, len), 0);
    len =
        make_many(20, PACK_CHUNK_MAX_BYTES, plain, CAP); /* with the table beyond PACK_MAX_BYTES */
    assert_int_equal(parse(plain, len), PACK_E_MALFORMED);
    len = make_many(1, PACK_CHUNK_MAX_BYTES + 1, plain, CAP);
    assert_int_equal(parse(plain, len), PACK_E_MALFORMED);
}

static void parse_without_memory_is_an_error_that_leaves_nothing(void **state)
{
    (void)state;
    OWN(pack_fini) struct pack pack = {0};
    uint8_t plain[SMALL_BYTES];

    make_small(plain);
    faults_arm(FAULT_MEMORY, 1);
    assert_true(pack_parse((struct bytes){plain, SMALL_BYTES}, &pack) < 0);
    assert_true(faults_disarm());
    assert_null(pack.chunks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_as_the_format_says),
        cmocka_unit_test(parse_finds_the_chunks_behind_the_table),
        cmocka_unit_test(parse_refuses_every_prefix_of_a_pack_and_a_byte_too_many),
        cmocka_unit_test(parse_refuses_what_is_out_of_range),
        cmocka_unit_test(parse_takes_what_is_just_in_range_and_no_more),
        cmocka_unit_test(parse_without_memory_is_an_error_that_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
