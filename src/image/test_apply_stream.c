/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_stream.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/own.h"
#include "format/pwm/pwm.h"
#include "image/test_wim_fixture.h"
#include "image/wim_apply.h"
#include "plat/file.h"

enum {
    FAILURE = WIM_APPLY_E_TARGET,
    MANY = 3000, /* above what is tried byte by byte */
    STEP = 997,
};

/* A target that counts, and fails when it is told to. */
struct counts {
    size_t n_calls;
    size_t fails_at; /* 0: never */
    size_t n_blobs;
    size_t n_bytes;
    size_t size_bytes; /* of the blobs, as they were announced */
    bool is_begun;
    bool is_stopped;
    bool is_finished;
    struct buf *threads_why; /* gets what a thread says when it is stopped; NULL: nothing */
};

static int call(struct counts *c)
{
    assert_false(c->is_stopped);
    return ++c->n_calls == c->fails_at ? FAILURE : 0;
}

static int begin(void *ctx, const struct metadata *image)
{
    struct counts *c = ctx;

    assert_true(image->n_inodes > 1);
    c->is_begun = true;
    return call(c);
}

static int blob_begin(void *ctx, const struct apply_blob *blob)
{
    struct counts *c = ctx;

    assert_true(blob->n_uses > 0);
    c->n_blobs++;
    c->size_bytes += (size_t)blob->size_bytes;
    return call(c);
}

static int blob_piece(void *ctx, struct bytes piece)
{
    struct counts *c = ctx;

    assert_true(piece.len > 0);
    c->n_bytes += piece.len;
    return call(c);
}

static int blob_end(void *ctx)
{
    struct counts *c = ctx;

    assert_int_equal(c->n_bytes, c->size_bytes);
    return call(c);
}

static int finish(void *ctx)
{
    struct counts *c = ctx;

    c->is_finished = true;
    return call(c);
}

static void stop(void *ctx)
{
    struct counts *c = ctx;

    assert_true(c->is_begun && !c->is_stopped);
    c->is_stopped = true;
    if (c->threads_why)
        buf_adds(c->threads_why, "a thread failed");
}

static int apply(struct bytes stream, struct counts *c, struct buf *why)
{
    OWN(fd_closep) int fd = memfd_create("stream", MFD_CLOEXEC);
    const struct apply_target target = {c, begin, blob_begin, blob_piece, blob_end, finish, stop};
    int r;

    assert_int_equal(fd_write_all(fd, stream), 0);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    r = apply_stream(fd, &target, why);
    assert_int_equal(c->is_stopped, c->is_begun);
    return r;
}

static int apply_quietly(struct bytes stream)
{
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct counts c = {0};
    int r = apply(stream, &c, &why);

    assert_int_equal(c.is_finished, r == 0);
    assert_int_equal(why.len > 0, r != 0);
    return r;
}

static void every_blob_is_handed_over_whole(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct counts c = {0};

    wim_fixture_stream(*state, "a.wim", &stream);
    assert_int_equal(apply(buf_bytes(&stream), &c, &why), 0);
    assert_true(c.is_finished);
    assert_int_equal(c.n_blobs, 5); /* of four files and a link */
    assert_int_equal(c.n_bytes, c.size_bytes);
    assert_true(c.n_bytes > 160000);
}

static void a_target_that_fails_is_stopped_and_asked_nothing_more(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    int r = -1;

    wim_fixture_stream(*state, "a.wim", &stream);
    for (size_t n = 1; r != 0; n++) {
        OWN(buf_fini) struct buf why = BUF_INIT(1024);
        struct counts c = {.fails_at = n};

        r = apply(buf_bytes(&stream), &c, &why);
        assert_int_equal(r, c.n_calls < n ? 0 : FAILURE);
    }
}

static void a_stream_that_ends_early_is_refused_wherever_that_is(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_stream(*state, "a.wim", &stream);
    for (size_t n = 0; n < stream.len; n += n < MANY ? 1 : STEP)
        assert_int_equal(apply_quietly((struct bytes){(uint8_t *)stream.ptr, n}),
                         WIM_APPLY_E_STREAM);
    assert_int_equal(apply_quietly((struct bytes){(uint8_t *)stream.ptr, stream.len - 1}),
                     WIM_APPLY_E_STREAM);
    assert_int_equal(apply_quietly(buf_bytes(&stream)), 0);
}

/* The unit with that number, with its header. */
static struct bytes unit(struct bytes stream, size_t number)
{
    struct pwm_splitter splitter;
    struct bytes ret = {stream.ptr, 0};

    pwm_init(&splitter);
    while (stream.len > 0) {
        struct pwm_piece piece;

        assert_int_equal(pwm_next(&splitter, &stream, &piece), 0);
        ret.len += piece.bytes.len;
        if (piece.ends_unit && splitter.n_units == number + 1)
            return ret;
        if (piece.ends_unit)
            ret = (struct bytes){stream.ptr, 0};
    }
    fail();
    return ret;
}

/* The stream with one of its units once more behind that, or without it. */
static int apply_with(struct bytes stream, size_t number, size_t n_times)
{
    OWN(buf_fini) struct buf changed = BUF_INIT((size_t)2 * WIM_FIXTURE_STREAM_MAX);
    struct bytes part = unit(stream, number);
    size_t before = (size_t)(part.ptr - stream.ptr);

    buf_add(&changed, (struct bytes){stream.ptr, before});
    for (size_t i = 0; i < n_times; i++)
        buf_add(&changed, part);
    buf_add(&changed, (struct bytes){part.ptr + part.len, stream.len - before - part.len});
    return apply_quietly(buf_bytes(&changed));
}

static void contents_that_are_missing_or_there_twice_are_refused(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_stream(*state, "a.wim", &stream);
    for (size_t number = 3; number < 8; number++) {
        assert_int_equal(apply_with(buf_bytes(&stream), number, 0), WIM_APPLY_E_STREAM);
        assert_int_equal(apply_with(buf_bytes(&stream), number, 2), WIM_APPLY_E_STREAM);
        assert_int_equal(apply_with(buf_bytes(&stream), number, 1), 0);
    }
}

/* Its threads use the same buffer: what the stream's reader says must wait for their end. */
static void the_reason_is_written_when_the_target_is_stopped(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf changed = BUF_INIT(WIM_FIXTURE_STREAM_MAX);
    OWN(buf_fini) struct buf why = BUF_INIT(1024);
    struct counts early = {.threads_why = &why};
    struct counts missing = {.threads_why = &why};
    struct bytes part;

    wim_fixture_stream(*state, "a.wim", &stream);
    assert_int_equal(apply((struct bytes){(uint8_t *)stream.ptr, stream.len - 1}, &early, &why),
                     WIM_APPLY_E_STREAM);
    assert_string_equal(buf_str(&why), "The stream ends early");

    part = unit(buf_bytes(&stream), 3);
    buf_add(&changed,
            (struct bytes){(uint8_t *)stream.ptr, (size_t)(part.ptr - (uint8_t *)stream.ptr)});
    buf_add(&changed, (struct bytes){part.ptr + part.len, stream.len - changed.len - part.len});
    buf_clear(&why);
    assert_int_equal(apply(buf_bytes(&changed), &missing, &why), WIM_APPLY_E_STREAM);
    assert_null(strstr(buf_str(&why), "a thread failed"));
    assert_non_null(strstr(buf_str(&why), "does not have the contents of /"));
}

static void a_stream_without_metadata_is_refused(void **state)
{
    OWN(buf_fini) struct buf stream = BUF_INIT(WIM_FIXTURE_STREAM_MAX);

    wim_fixture_stream(*state, "a.wim", &stream);
    assert_int_equal(apply_with(buf_bytes(&stream), 2, 0), WIM_APPLY_E_STREAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_blob_is_handed_over_whole),
        cmocka_unit_test(a_target_that_fails_is_stopped_and_asked_nothing_more),
        cmocka_unit_test(a_stream_that_ends_early_is_refused_wherever_that_is),
        cmocka_unit_test(contents_that_are_missing_or_there_twice_are_refused),
        cmocka_unit_test(the_reason_is_written_when_the_target_is_stopped),
        cmocka_unit_test(a_stream_without_metadata_is_refused),
    };

    return cmocka_run_group_tests(tests, wim_fixture_set_up, wim_fixture_tear_down);
}
