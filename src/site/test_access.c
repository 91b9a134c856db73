/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/access.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/fixture.h"

static void a_one_time_token_is_good_for_one_login(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char once[TOKEN_TEXT_MAX];
    char api[TOKEN_TEXT_MAX];
    char again[TOKEN_TEXT_MAX];
    struct principal who;
    uint64_t expires_us = 0;

    assert_int_equal(access_first_token(site, once), 0);
    assert_int_equal(access_check_admin(site, once, &who), SITE_E_REFUSED);
    assert_int_equal(access_login(site, once, api, &expires_us), 0);
    assert_int_equal(expires_us, site->now_us + ACCESS_API_US);
    assert_int_equal(access_check_admin(site, api, &who), 0);
    assert_int_equal(access_login(site, once, again, &expires_us), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_LOGIN);
}

static void a_new_one_time_token_voids_the_older_one(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char first[TOKEN_TEXT_MAX];
    char second[TOKEN_TEXT_MAX];
    char api[TOKEN_TEXT_MAX];
    uint64_t expires_us = 0;

    assert_int_equal(access_first_token(site, first), 0);
    assert_int_equal(access_first_token(site, second), 0);
    assert_int_equal(access_login(site, first, api, &expires_us), SITE_E_REFUSED);
    assert_int_equal(access_login(site, second, api, &expires_us), 0);
    assert_int_equal(access_first_token(site, first), 1);
}

static void tokens_end_at_their_time_and_at_logout(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char once[TOKEN_TEXT_MAX];
    char api[TOKEN_TEXT_MAX];
    struct principal who;
    uint64_t expires_us = 0;

    assert_int_equal(access_first_token(site, once), 0);
    assert_int_equal(access_login(site, once, api, &expires_us), 0);
    site->now_us = expires_us - 1;
    assert_int_equal(access_check_admin(site, api, &who), 0);
    site->now_us = expires_us;
    assert_int_equal(access_check_admin(site, api, &who), SITE_E_REFUSED);
    site->now_us = FIXTURE_START_US;
    assert_int_equal(access_drop_token(site, who.token_id), 0);
    assert_int_equal(access_check_admin(site, api, &who), SITE_E_REFUSED);
    assert_int_equal(access_check_admin(site, NULL, &who), SITE_E_REFUSED);
}

static void a_boot_ticket_is_for_one_mac_once_and_ten_minutes(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char ticket[TOKEN_TEXT_MAX];
    bool is_good = true;

    assert_int_equal(access_new_boot_ticket(site, FIXTURE_MAC, ticket), 0);
    assert_int_equal(access_take_boot_ticket(site, ticket, "52:54:00:77:00:02", &is_good), 0);
    assert_false(is_good);
    assert_int_equal(access_take_boot_ticket(site, ticket, FIXTURE_MAC, &is_good), 0);
    assert_true(is_good);
    assert_int_equal(access_take_boot_ticket(site, ticket, FIXTURE_MAC, &is_good), 0);
    assert_false(is_good);

    assert_int_equal(access_new_boot_ticket(site, FIXTURE_MAC, ticket), 0);
    site->now_us += ACCESS_BOOT_TICKET_US;
    assert_int_equal(access_take_boot_ticket(site, ticket, FIXTURE_MAC, &is_good), 0);
    assert_false(is_good);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_one_time_token_is_good_for_one_login),
        cmocka_unit_test(a_new_one_time_token_voids_the_older_one),
        cmocka_unit_test(tokens_end_at_their_time_and_at_logout),
        cmocka_unit_test(a_boot_ticket_is_for_one_mac_once_and_ten_minutes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
