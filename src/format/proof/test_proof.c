/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/proof/proof.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct proof sample = {
    .purpose = PROOF_TOKEN, .challenge = "c", .pin = "", .subject = "a\nb"};

static void a_proof_is_five_lines(void **state)
{
    (void)state;
    uint8_t room[PROOF_MAX_BYTES];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};

    assert_true(proof_put(&sample, &dst));
    assert_true(
        bytes_eq((struct bytes){room, dst.len}, bytes_of("slipway-proof-1\ntoken\nc\n\na\nb")));
}

static void only_the_last_line_may_have_line_breaks(void **state)
{
    (void)state;
    struct proof bad[] = {sample, sample, sample};
    uint8_t room[PROOF_MAX_BYTES];

    bad[0].purpose = "token\n";
    bad[1].challenge = "c\nx";
    bad[2].pin = "\n";
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(proof_put(&bad[i], &(struct sink){.ptr = room, .cap = sizeof(room)}));
}

static void a_proof_that_does_not_fit_is_none(void **state)
{
    (void)state;
    uint8_t room[PROOF_MAX_BYTES];
    size_t size = sizeof("slipway-proof-1\ntoken\nc\n\na\nb") - 1;

    for (size_t cap = 0; cap <= size; cap++)
        assert_int_equal(proof_put(&sample, &(struct sink){.ptr = room, .cap = cap}), cap == size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_proof_is_five_lines),
        cmocka_unit_test(only_the_last_line_may_have_line_breaks),
        cmocka_unit_test(a_proof_that_does_not_fit_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
