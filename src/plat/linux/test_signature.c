/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/signature.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "plat/random.h"

/* RFC 8032, 7.1, test 2 */
#define SECRET "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define PUBLIC "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
#define SIGNED \
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1" \
    "1d8c387b2eaeb4302aeeb00d291612bb0c00"
static const uint8_t message[] = {0x72};

static void a_signature_is_that_of_the_rfc(void **state)
{
    (void)state;
    uint8_t secret[SIGNATURE_KEY_BYTES];
    uint8_t bytes[SIGNATURE_BYTES];
    char text[SIGNATURE_TEXT_MAX];

    assert_true(hex_parse(bytes_of(SECRET), sizeof(secret), secret));
    assert_int_equal(signature_public(secret, bytes), 0);
    hex_put(text, (struct bytes){bytes, SIGNATURE_KEY_BYTES});
    assert_string_equal(text, PUBLIC);
    assert_int_equal(signature_make(secret, (struct bytes){message, sizeof(message)}, bytes), 0);
    hex_put(text, (struct bytes){bytes, SIGNATURE_BYTES});
    assert_string_equal(text, SIGNED);
}

static void a_signature_is_good_for_its_key_and_text_only(void **state)
{
    (void)state;
    uint8_t secrets[2][SIGNATURE_KEY_BYTES];
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    bool is_good = false;

    random_bytes(secrets[0], sizeof(secrets[0]));
    random_bytes(secrets[1], sizeof(secrets[1]));
    assert_int_equal(signature_make(secrets[0], bytes_of("text"), signature), 0);
    assert_int_equal(signature_public(secrets[0], public_half), 0);
    assert_int_equal(signature_check(public_half, bytes_of("text"), signature, &is_good), 0);
    assert_true(is_good);
    assert_int_equal(signature_check(public_half, bytes_of("texu"), signature, &is_good), 0);
    assert_false(is_good);
    for (size_t i = 0; i < sizeof(signature); i++) {
        signature[i] ^= 1;
        assert_int_equal(signature_check(public_half, bytes_of("text"), signature, &is_good), 0);
        assert_false(is_good);
        signature[i] ^= 1;
    }
    assert_int_equal(signature_public(secrets[1], public_half), 0);
    assert_int_equal(signature_check(public_half, bytes_of("text"), signature, &is_good), 0);
    assert_false(is_good);
}

static void a_public_half_that_is_none_makes_no_signature_good(void **state)
{
    (void)state;
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    uint8_t signature[SIGNATURE_BYTES] = {0};
    bool is_good = true;

    memset(public_half, 0xff, sizeof(public_half)); /* not on the curve */
    assert_int_equal(signature_check(public_half, bytes_of("text"), signature, &is_good), 0);
    assert_false(is_good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_is_that_of_the_rfc),
        cmocka_unit_test(a_signature_is_good_for_its_key_and_text_only),
        cmocka_unit_test(a_public_half_that_is_none_makes_no_signature_good),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
