/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "plat/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/clock.h"
#include "plat/random.h"

DEFINE_FREEP(struct digest *, digest_free);

/* FIPS 180-2, appendix B.1 */
#define SHA256_OF_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void assert_digest(const uint8_t digest[static SHA256_BYTES], const char *want)
{
    char text[SHA256_TEXT_MAX];

    hex_put(text, (struct bytes){digest, SHA256_BYTES});
    assert_string_equal(text, want);
}

static void digest_starts_again_after_its_end(void **state)
{
    (void)state;
    OWN(digest_freep) struct digest *d = NULL;
    uint8_t result[SHA256_BYTES];

    assert_int_equal(digest_new(&d), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(digest_add(d, bytes_of("a")), 0);
        assert_int_equal(digest_add(d, bytes_of("bc")), 0);
        assert_int_equal(digest_end(d, result), 0);
        assert_digest(result, SHA256_OF_ABC);
    }
    assert_int_equal(digest_sha256(bytes_of("abc"), result), 0);
    assert_digest(result, SHA256_OF_ABC);
}

static void sha1_is_what_the_standard_says_in_one_go_and_in_pieces(void **state)
{
    (void)state;
    OWN(digest_freep) struct digest *d = NULL;
    uint8_t result[SHA256_BYTES] = {0};
    char text[SHA256_TEXT_MAX];

    assert_int_equal(digest_sha1(bytes_of("abc"), result), 0);
    hex_put(text, (struct bytes){result, SHA1_BYTES});
    assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d"); /* FIPS 180-2, A.1 */
    assert_int_equal(digest_new_sha1(&d), 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(digest_add(d, bytes_of("a")), 0);
        assert_int_equal(digest_add(d, bytes_of("bc")), 0);
        assert_int_equal(digest_end(d, result), 0);
        hex_put(text, (struct bytes){result, SHA1_BYTES});
        assert_string_equal(text, "a9993e364706816aba3e25717850c26c9cd0d89d");
    }
}

static void rfc3339_knows_leap_years_and_the_beginning(void **state)
{
    (void)state;
    static const struct {
        uint64_t us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {UINT64_C(951782399999999), "2000-02-28T23:59:59Z"},
        {UINT64_C(951782400000000), "2000-02-29T00:00:00Z"},
        {UINT64_C(1795253405000000), "2026-11-21T09:30:05Z"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CLOCK_TEXT_MAX];

        clock_put_rfc3339(text, cases[i].us);
        assert_string_equal(text, cases[i].text);
    }
}

static void monotonic_clock_only_grows(void **state)
{
    (void)state;
    uint64_t before = clock_monotonic_us();

    clock_sleep_us(1000);
    assert_true(clock_monotonic_us() - before >= 1000);
}

static void token_has_43_characters_behind_its_prefix(void **state)
{
    (void)state;
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char one[TOKEN_TEXT_MAX];
    char other[TOKEN_TEXT_MAX];

    random_token(one, "slw_boot_0123456");
    random_token(other, "slw_boot_0123456");
    assert_memory_equal(one, "slw_boot_0123456_", 17);
    assert_int_equal(strspn(one + 17, alphabet), 43);
    assert_int_equal(strlen(one), 60);
    assert_string_not_equal(one, other);
}

static void uuid_of_version_7_carries_its_time(void **state)
{
    (void)state;
    char text[UUID_TEXT_MAX];

    random_uuid(text, UINT64_C(0x0123456789ab) * 1000 + 999);
    assert_memory_equal(text, "01234567-89ab-7", 15);
    assert_non_null(strchr("89ab", text[19]));
    assert_int_equal(strlen(text), 36);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_starts_again_after_its_end),
        cmocka_unit_test(sha1_is_what_the_standard_says_in_one_go_and_in_pieces),
        cmocka_unit_test(rfc3339_knows_leap_years_and_the_beginning),
        cmocka_unit_test(monotonic_clock_only_grows),
        cmocka_unit_test(token_has_43_characters_behind_its_prefix),
        cmocka_unit_test(uuid_of_version_7_carries_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
