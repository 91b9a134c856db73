/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/challenge.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/fixture.h"

static bool is_good(struct site *site, const char *text)
{
    bool ret = false;

    assert_int_equal(challenge_check(site, text, &ret), 0);
    return ret;
}

static bool is_first_use(struct site *site, const char *text)
{
    bool ret = false;

    assert_int_equal(challenge_use(site, text, &ret), 0);
    return ret;
}

static void a_challenge_is_good_for_two_minutes(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    char text[CHALLENGE_TEXT_MAX];

    assert_int_equal(challenge_put(site, text), 0);
    assert_true(is_good(site, text));
    fixture_wait(site, CHALLENGE_LIFE_US);
    assert_true(is_good(site, text));
    fixture_wait(site, 1);
    assert_false(is_good(site, text));
}

static void a_challenge_is_answered_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    char text[CHALLENGE_TEXT_MAX];
    char other[CHALLENGE_TEXT_MAX];
    char upper[CHALLENGE_TEXT_MAX];

    assert_int_equal(challenge_put(site, text), 0);
    assert_int_equal(challenge_put(site, other), 0);
    assert_string_not_equal(text, other);
    assert_true(is_first_use(site, text));
    assert_false(is_first_use(site, text));
    memcpy(upper, text, sizeof(upper));
    for (char *c = upper + strlen("slw_challenge_"); *c; c++)
        if (*c >= 'a' && *c <= 'f')
            *c = (char)(*c - 'a' + 'A');
    assert_false(is_first_use(site, upper));
    assert_true(is_first_use(site, other));
}

static void a_challenge_that_was_answered_is_not_good_again_when_the_clock_is_set_back(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    uint64_t began_us = site->now_us;
    char used[CHALLENGE_TEXT_MAX];
    char later[CHALLENGE_TEXT_MAX];

    assert_int_equal(challenge_put(site, used), 0);
    assert_true(is_first_use(site, used));
    fixture_wait(site, FIXTURE_MINUTE_US * 60); /* it is forgotten */
    site->now_us = began_us;
    assert_false(is_good(site, used));
    assert_int_equal(site_tick(site), 0);
    assert_false(is_good(site, used));
    assert_int_equal(challenge_put(site, later), 0); /* nobody is locked out meanwhile */
    assert_true(is_good(site, later));
    assert_true(is_first_use(site, later));
    assert_int_equal(site_tick(site), 0);
    assert_false(is_first_use(site, later));
}

static void only_what_the_site_has_made_is_a_challenge(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    char text[CHALLENGE_TEXT_MAX];
    size_t len;

    assert_int_equal(challenge_put(site, text), 0);
    len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        char was = text[i];

        text[i] = was == '0' ? '1' : '0';
        assert_false(is_good(site, text));
        assert_false(is_first_use(site, text));
        text[i] = '\0';
        assert_false(is_good(site, text));
        text[i] = was;
    }
    assert_true(is_good(site, text));
    site->now_us -= CHALLENGE_SKEW_US + 1; /* a challenge of the future */
    assert_false(is_good(site, text));
}

static void another_sites_challenge_is_none(void **state)
{
    (void)state;
    char text[CHALLENGE_TEXT_MAX];
    {
        OWN(fixture_freep) struct site *other = fixture_new_empty();

        assert_int_equal(challenge_put(other, text), 0);
    }
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    assert_false(is_good(site, text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_challenge_is_good_for_two_minutes),
        cmocka_unit_test(a_challenge_is_answered_once),
        cmocka_unit_test(
            a_challenge_that_was_answered_is_not_good_again_when_the_clock_is_set_back),
        cmocka_unit_test(only_what_the_site_has_made_is_a_challenge),
        cmocka_unit_test(another_sites_challenge_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
