/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/checksum.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

enum {
    LEN = 100000,
};

static void the_sum_is_what_xxhsum_prints(void **state)
{
    (void)state;
    uint8_t sum[CHECKSUM_BYTES];
    char text[2 * CHECKSUM_BYTES + 1];

    /* printf '' | xxhsum -H2; printf abc | xxhsum -H2 */
    checksum_of((struct bytes){0}, sum);
    hex_put(text, (struct bytes){sum, sizeof(sum)});
    assert_string_equal(text, "99aa06d3014798d86001c324468d497f");
    checksum_of(bytes_of("abc"), sum);
    hex_put(text, (struct bytes){sum, sizeof(sum)});
    assert_string_equal(text, "06b05ab6733a618578af5f94892f3950");
}

static void pieces_give_the_same_as_the_whole(void **state)
{
    (void)state;
    static uint8_t content[LEN];
    OWN(checksum_freep) struct checksum *sum = NULL;
    uint8_t whole[CHECKSUM_BYTES];
    uint8_t pieces[CHECKSUM_BYTES];

    for (size_t i = 0; i < LEN; i++)
        content[i] = (uint8_t)(i * i >> 3);
    checksum_of((struct bytes){content, LEN}, whole);
    assert_int_equal(checksum_new(&sum), 0);
    for (int round = 0; round < 2; round++) { /* it begins again */
        checksum_begin(sum);
        for (size_t at = 0, n = 1; at < LEN; at += n, n = 2 * n < LEN - at ? 2 * n : LEN - at)
            checksum_add(sum, (struct bytes){content + at, n});
        checksum_end(sum, pieces);
        assert_memory_equal(pieces, whole, sizeof(whole));
    }
    content[LEN / 2] ^= 1;
    checksum_of((struct bytes){content, LEN}, pieces);
    assert_memory_not_equal(pieces, whole, sizeof(whole));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sum_is_what_xxhsum_prints),
        cmocka_unit_test(pieces_give_the_same_as_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
