/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/pwm/pwm.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    STREAM_MAX = 4096,
    FLAG_METADATA = 0x02,
    FLAG_COMPRESSED = 0x04,
    FLAG_SOLID = 0x10,
    N_UNITS = 7, /* of the stream that is made here */
};

static void put_wim_header(struct sink *dst, uint32_t flags)
{
    sink_cstr(dst, "WLPWM");
    sink_zero(dst, 2);
    sink_u32le(dst, PWM_WIM_HEADER_BYTES);
    sink_u32le(dst, 0x10d00);
    sink_u32le(dst, flags);
    sink_zero(dst, PWM_WIM_HEADER_BYTES - 20);
}

static void put_resource(struct sink *dst, size_t size, uint32_t flags)
{
    sink_u64le(dst, UINT64_C(0x2b9b9ba2443db9d8));
    sink_u64le(dst, size);
    sink_zero(dst, 20);
    sink_u32le(dst, flags);
    for (size_t i = 0; i < size; i++)
        sink_u8(dst, (uint8_t)(i * 7 + 1));
}

/* Two headers of the WIM and five resources, one of them empty. */
static struct bytes make_stream(uint8_t dst[static STREAM_MAX])
{
    struct sink sink = {.ptr = dst, .cap = STREAM_MAX};

    memset(dst, 0, STREAM_MAX);
    put_wim_header(&sink, 0x80);
    put_resource(&sink, 300, FLAG_METADATA); /* XML */
    put_resource(&sink, 20, FLAG_METADATA);
    put_resource(&sink, 0, 0);
    put_resource(&sink, 41, 0);
    put_resource(&sink, 50, FLAG_METADATA); /* table */
    put_wim_header(&sink, 0x80);
    assert_false(sink.full);
    return (struct bytes){dst, sink.len};
}

/* Feed parts of @step bytes; @ret_borders: where units end. Return: how many. */
static size_t split(struct bytes src, size_t step, size_t ret_borders[static N_UNITS])
{
    struct pwm_splitter splitter;
    const uint8_t *begin = src.ptr;
    size_t n = 0;

    pwm_init(&splitter);
    while (src.len > 0) {
        struct bytes part = {src.ptr, step < src.len ? step : src.len};
        struct bytes ignored;

        assert_true(bytes_take(&src, part.len, &ignored));
        while (part.len > 0) {
            struct pwm_piece piece;

            assert_false(pwm_is_complete(&splitter));
            assert_int_equal(pwm_next(&splitter, &part, &piece), 0);
            assert_true(piece.bytes.len > 0);
            assert_ptr_equal(piece.bytes.ptr + piece.bytes.len, part.ptr);
            assert_true(!piece.ends_unit || n < N_UNITS);
            if (piece.ends_unit)
                ret_borders[n++] = (size_t)(part.ptr - begin);
        }
    }
    assert_true(pwm_is_complete(&splitter));
    return n;
}

static void units_end_behind_each_header_of_the_wim_and_each_resource(void **state)
{
    (void)state;
    static const size_t wanted[N_UNITS] = {
        208, 208 + 340, 208 + 400, 208 + 440, 208 + 521, 208 + 611, 416 + 611};
    uint8_t stream[STREAM_MAX];
    struct bytes src = make_stream(stream);

    for (size_t step = 1; step <= src.len; step++) {
        size_t borders[N_UNITS] = {0};

        assert_int_equal(split(src, step, borders), N_UNITS);
        assert_memory_equal(borders, wanted, sizeof(wanted));
    }
}

static void the_last_piece_of_a_header_says_what_the_unit_is(void **state)
{
    (void)state;
    static const enum pwm_part wanted[N_UNITS] = {
        PWM_OTHER, PWM_OTHER, PWM_METADATA, PWM_BLOB, PWM_BLOB, PWM_OTHER, PWM_OTHER};
    static const uint64_t sizes[N_UNITS] = {0, 300, 20, 0, 41, 50, 0};
    uint8_t stream[STREAM_MAX];
    struct bytes src = make_stream(stream);
    struct pwm_splitter splitter;
    size_t n = 0;

    pwm_init(&splitter);
    while (src.len > 0) {
        struct bytes part = {src.ptr, 1};
        struct bytes ignored;
        struct pwm_piece piece;

        assert_true(bytes_take(&src, 1, &ignored));
        assert_int_equal(pwm_next(&splitter, &part, &piece), 0);
        assert_true(piece.is_head || !piece.is_head_end);
        if (!piece.is_head_end)
            continue;
        assert_int_equal(splitter.part, wanted[n]);
        if (n > 0 && n < N_UNITS - 1)
            assert_true(splitter.size_bytes == sizes[n]);
        n++;
    }
    assert_int_equal(n, N_UNITS);
}

static int feed(struct pwm_splitter *splitter, struct bytes src)
{
    struct pwm_piece piece;
    int r = 0;

    while (src.len > 0 && r == 0)
        r = pwm_next(splitter, &src, &piece);
    return r;
}

/* Each prefix gets a block of exactly its size, so AddressSanitizer sees a read past the end. */
static void a_stream_that_ends_early_is_not_complete(void **state)
{
    (void)state;
    uint8_t stream[STREAM_MAX];
    struct bytes src = make_stream(stream);

    for (size_t len = 1; len < src.len; len++) {
        uint8_t *copy = malloc(len);
        struct pwm_splitter splitter;

        assert_non_null(copy);
        memcpy(copy, src.ptr, len);
        pwm_init(&splitter);
        assert_int_equal(feed(&splitter, (struct bytes){copy, len}), 0);
        assert_false(pwm_is_complete(&splitter));
        free(copy);
    }
}

static void nothing_may_follow_the_end(void **state)
{
    (void)state;
    uint8_t stream[STREAM_MAX];
    struct bytes src = make_stream(stream);
    struct pwm_splitter splitter;

    pwm_init(&splitter);
    assert_int_equal(feed(&splitter, src), 0);
    assert_int_equal(feed(&splitter, bytes_of("x")), PWM_E_MALFORMED);
    assert_false(pwm_is_complete(&splitter));
}

enum flaw {
    FLAW_NO_WIM_HEADER,
    FLAW_COMPRESSED_WIM,
    FLAW_COMPRESSED_RESOURCE,
    FLAW_SOLID_RESOURCE,
    FLAW_NO_MAGIC,
    FLAW_HEADER_SIZE,
    N_FLAWS,
};

static void put_flawed(struct sink *dst, enum flaw flaw)
{
    if (flaw != FLAW_NO_WIM_HEADER)
        put_wim_header(dst, flaw == FLAW_COMPRESSED_WIM ? 0x82 : 0x80);
    if (flaw == FLAW_HEADER_SIZE)
        dst->ptr[8] = 207;
    if (flaw == FLAW_NO_MAGIC)
        sink_zero(dst, PWM_RESOURCE_HEADER_BYTES);
    else if (flaw == FLAW_COMPRESSED_RESOURCE)
        put_resource(dst, 5, FLAG_COMPRESSED);
    else
        put_resource(dst, 5, flaw == FLAW_SOLID_RESOURCE ? FLAG_SOLID : 0);
}

static void what_is_no_such_stream_is_malformed_and_stays_so(void **state)
{
    (void)state;

    for (enum flaw flaw = 0; flaw < N_FLAWS; flaw++) {
        uint8_t stream[STREAM_MAX];
        struct sink sink = {.ptr = stream, .cap = sizeof(stream)};
        struct pwm_splitter splitter;

        put_flawed(&sink, flaw);
        pwm_init(&splitter);
        assert_int_equal(feed(&splitter, (struct bytes){stream, sink.len}), PWM_E_MALFORMED);
        assert_int_equal(feed(&splitter, make_stream(stream)), PWM_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_end_behind_each_header_of_the_wim_and_each_resource),
        cmocka_unit_test(the_last_piece_of_a_header_says_what_the_unit_is),
        cmocka_unit_test(a_stream_that_ends_early_is_not_complete),
        cmocka_unit_test(nothing_may_follow_the_end),
        cmocka_unit_test(what_is_no_such_stream_is_malformed_and_stays_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
