/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/frame.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/own.h"

enum {
    PLAIN_BYTES = 5000,
    FRAME_MAX_BYTES = 8000,
};

struct packed {
    uint8_t plain[PLAIN_BYTES];
    uint8_t frame[FRAME_MAX_BYTES]; /* of plain */
    size_t frame_len;
};

static struct packed pack(void)
{
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;
    struct packed ret = {.frame_len = 0};
    struct bytes frame;
    uint32_t seed = 5;

    for (size_t i = 0; i < PLAIN_BYTES; i++) {
        seed = seed * 1664525u + 1013904223u;
        ret.plain[i] = (uint8_t)(seed >> 29);
    }
    assert_int_equal(frame_packer_new(PLAIN_BYTES, &packer), 0);
    assert_int_equal(frame_pack(packer, (struct bytes){ret.plain, PLAIN_BYTES}, &frame), 0);
    assert_in_range(frame.len, 1, frame_max_bytes(PLAIN_BYTES));
    assert_in_range(frame.len, 1, PLAIN_BYTES - 1);
    memcpy(ret.frame, frame.ptr, frame.len);
    ret.frame_len = frame.len;
    return ret;
}

static void what_was_packed_comes_back(void **state)
{
    (void)state;
    struct packed packed = pack();
    uint8_t plain[PLAIN_BYTES];

    assert_int_equal(
        frame_unpack((struct bytes){packed.frame, packed.frame_len}, PLAIN_BYTES, plain), 0);
    assert_memory_equal(plain, packed.plain, PLAIN_BYTES);
}

static void what_was_packed_in_a_hurry_comes_back_too(void **state)
{
    (void)state;
    struct packed packed = pack();
    OWN(frame_packer_freep) struct frame_packer *packer = NULL;
    uint8_t plain[PLAIN_BYTES];
    struct bytes frame = {0};

    assert_int_equal(frame_packer_new(PLAIN_BYTES, &packer), 0);
    assert_int_equal(frame_packer_hurry(packer), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(frame_pack(packer, (struct bytes){packed.plain, PLAIN_BYTES}, &frame), 0);
        assert_int_equal(frame_unpack(frame, PLAIN_BYTES, plain), 0);
        assert_memory_equal(plain, packed.plain, PLAIN_BYTES);
    }
}

static void a_frame_of_another_size_is_refused(void **state)
{
    (void)state;
    struct packed packed = pack();
    struct bytes frame = {packed.frame, packed.frame_len};
    uint8_t plain[PLAIN_BYTES + 1];

    assert_int_equal(frame_unpack(frame, PLAIN_BYTES - 1, plain), FRAME_E_CORRUPT);
    assert_int_equal(frame_unpack(frame, PLAIN_BYTES + 1, plain), FRAME_E_CORRUPT);
}

static void a_frame_that_ends_early_or_late_is_refused(void **state)
{
    (void)state;
    struct packed packed = pack();
    uint8_t plain[PLAIN_BYTES];

    for (size_t len = 0; len < packed.frame_len; len += 7)
        assert_int_equal(frame_unpack((struct bytes){packed.frame, len}, PLAIN_BYTES, plain),
                         FRAME_E_CORRUPT);
    assert_int_equal(
        frame_unpack((struct bytes){packed.frame, packed.frame_len + 1}, PLAIN_BYTES, plain),
        FRAME_E_CORRUPT);
}

/* The checksum finds what the decoder lets pass; a changed header may say the same in another way. */
static void a_changed_byte_never_gives_other_content(void **state)
{
    (void)state;
    struct packed packed = pack();
    uint8_t plain[PLAIN_BYTES];

    for (size_t i = 0; i < packed.frame_len; i++) {
        packed.frame[i] ^= 0x10;
        if (frame_unpack((struct bytes){packed.frame, packed.frame_len}, PLAIN_BYTES, plain) == 0)
            assert_memory_equal(plain, packed.plain, PLAIN_BYTES);
        packed.frame[i] ^= 0x10;
    }
}

/* Once something was wrong, the next frame is still unpacked. The last bytes are the checksum, at which it does not
   look. */
static void an_unpacker_refuses_the_same_but_for_the_checksum(void **state)
{
    (void)state;
    OWN(frame_unpacker_freep) struct frame_unpacker *unpacker = NULL;
    struct packed packed = pack();
    struct bytes frame = {packed.frame, packed.frame_len};
    uint8_t plain[PLAIN_BYTES + 1];

    assert_int_equal(frame_unpacker_new(&unpacker), 0);
    for (unsigned i = 0; i < 3; i++) {
        struct bytes shorter = {frame.ptr, frame.len - 1 - i};

        assert_int_equal(frame_unpacker_run(unpacker, shorter, PLAIN_BYTES, plain),
                         FRAME_E_CORRUPT);
        assert_int_equal(frame_unpacker_run(unpacker, frame, PLAIN_BYTES - 1, plain),
                         FRAME_E_CORRUPT);
        assert_int_equal(frame_unpacker_run(unpacker, frame, PLAIN_BYTES + 1, plain),
                         FRAME_E_CORRUPT);
        memset(plain, 0, sizeof(plain));
        assert_int_equal(frame_unpacker_run(unpacker, frame, PLAIN_BYTES, plain), 0);
        assert_memory_equal(plain, packed.plain, PLAIN_BYTES);
        packed.frame[packed.frame_len - 1] ^= 1;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_packed_comes_back),
        cmocka_unit_test(what_was_packed_in_a_hurry_comes_back_too),
        cmocka_unit_test(a_frame_of_another_size_is_refused),
        cmocka_unit_test(a_frame_that_ends_early_or_late_is_refused),
        cmocka_unit_test(a_changed_byte_never_gives_other_content),
        cmocka_unit_test(an_unpacker_refuses_the_same_but_for_the_checksum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
