/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/oidc_login.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/administrator.h"
#include "site/event.h"
#include "site/fixture.h"
#include "site/oidc_account.h"

#define ISSUER "https://id.example.org"
#define PAGE   "https://site.example.org/signed-in"
#define START  "{'flow': 'code', 'redirect_uri': '" PAGE "'}"
#define SECOND UINT64_C(1000000)

DEFINE_FREEP(struct oidc_work *, oidc_work_free);

/* A site that has a provider, and a group of it with the role Full Administrator for All. */
static struct site *new_site(void)
{
    struct site *site = fixture_new_empty();
    OWN(json_freep)
    json_t *body = fixture_json("{'name': 'full', 'kind': 'oidc-group', 'external_name': 'Full'}");
    OWN(json_freep) json_t *grant = fixture_json("{'role': 'SLP0001R', 'scope': 'SLP00ALL'}");
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *granted = NULL;

    site->settings.oidc = (struct oidc_settings){.issuer = ISSUER,
                                                 .client_id = "slipway",
                                                 .secret_file = "",
                                                 .ca_file = "",
                                                 .redirect_uris = "https://other/ " PAGE,
                                                 .scopes = "openid",
                                                 .groups_claim = "groups",
                                                 .name_claim = "name",
                                                 .trust_us = 3600 * SECOND};
    (void)snprintf(site->principal.address, sizeof(site->principal.address), "192.0.2.1");
    assert_int_equal(administrator_create(site, "test", body, &made), 0);
    assert_int_equal(administrator_grant(site, "test", "full", grant, &granted), 0);
    return site;
}

/* Begin, as the provider has said what it must. @ret: what who signs in has; owned by the caller */
static int start(struct site *site, const char *text, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(oidc_work_freep) struct oidc_work *work = oidc_work_new(NULL, OIDC_START_CODE);
    int r = oidc_begin_start(site, body, work);

    if (r != 0)
        return r;
    if (work->errand == OIDC_START_DEVICE) {
        (void)snprintf(work->state, sizeof(work->state), "a device's code");
        (void)snprintf(work->user_code, sizeof(work->user_code), "AB-CD");
        work->interval_s = 5;
        work->life_us = 300 * SECOND;
    }
    (void)snprintf(work->url, sizeof(work->url), ISSUER "/auth");
    work->outcome = OIDC_RIGHT;
    return oidc_end_start(site, work, ret);
}

/* Who it is, in one group. */
struct said {
    enum oidc_outcome outcome;
    const char *subject;
    const char *name;
    const char *group;
};

static const struct said ada = {OIDC_RIGHT, "s-ada", "Ada", "Full"};

/* End, with a code or for a device. Return: as the first of the two steps that is not 0. */
static int end(struct site *site,
               const json_t *begun,
               const char *code,
               const struct said *said,
               struct login_answer *ret)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:O, s:O, s:s*}",
                             "state",
                             json_object_get(begun, "state"),
                             "secret",
                             json_object_get(begun, "secret"),
                             "code",
                             code);
    OWN(oidc_work_freep) struct oidc_work *work = oidc_work_new(NULL, OIDC_END_CODE);
    unsigned interval_s = 0;
    int r = oidc_begin_login(site, body, work);

    if (r != 0)
        return r;
    work->outcome = said->outcome;
    if (said->outcome == OIDC_RIGHT) {
        (void)snprintf(work->claims.subject, sizeof(work->claims.subject), "%s", said->subject);
        (void)snprintf(work->claims.name, sizeof(work->claims.name), "%s", said->name);
        work->claims.groups = json_pack("[s, s]", "elsewhere", said->group);
    }
    return oidc_end_login(site, body, work, ret, &interval_s);
}

static int sign_in(struct site *site, const struct said *said, struct login_answer *ret)
{
    OWN(json_freep) json_t *begun = NULL;

    assert_int_equal(start(site, START, &begun), 0);
    return end(site, begun, "c", said, ret);
}

static bool may(struct site *site, const struct login_answer *login)
{
    struct principal who;
    int r = access_check_admin(site, login->token, &who);

    if (r != 0)
        return false;
    principal_set(site, &who);
    r = principal_check(site, "administrator", "modify");
    principal_clear(site);
    return r == 0;
}

static void somebody_may_what_his_groups_may(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    OWN(json_freep) json_t *found = NULL;
    struct login_answer login;

    assert_int_equal(sign_in(site, &ada, &login), 0);
    assert_true(may(site, &login));
    assert_int_equal(administrator_get(site, "ada", &found), 0);
    assert_string_equal(json_string_value(json_object_get(found, "kind")), "oidc-user");
    assert_string_equal(json_string_value(json_object_get(found, "external_name")), "s-ada");
}

static void a_group_that_is_taken_away_ends_what_older_tokens_may(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    struct login_answer before;
    struct login_answer login;

    assert_int_equal(sign_in(site, &ada, &before), 0);
    assert_int_equal(sign_in(site, &(struct said){OIDC_RIGHT, "s-ada", "Ada", "None"}, &login),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_REFUSED);
    assert_false(may(site, &before));
}

static void a_name_is_not_taken_from_whom_it_belongs_to(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    struct login_answer login;
    static const struct said others[] = {
        {OIDC_RIGHT, "s-other", "ada", "Full"},
        {OIDC_RIGHT, "s-local", "administrator", "Full"},
        {OIDC_RIGHT, "s-group", "full", "Full"},
        {OIDC_RIGHT, "s-none", "", "Full"},
        {OIDC_RIGHT, "s-odd", "Ada Lovelace", "Full"},
        {OIDC_RIGHT, "s-odd", "\xc3\xa4", "Full"},
    };

    assert_int_equal(sign_in(site, &ada, &login), 0);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_int_equal(sign_in(site, &others[i], &login), SITE_E_REFUSED);
    /* whatever he is called by now */
    assert_int_equal(sign_in(site, &(struct said){OIDC_RIGHT, "s-ada", "Bob", "Full"}, &login), 0);
}

static void the_same_subject_of_another_issuer_is_somebody_else(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    struct login_answer login;

    assert_int_equal(sign_in(site, &ada, &login), 0);
    site->settings.oidc.issuer = "https://other.example.org";
    assert_int_equal(sign_in(site, &ada, &login), SITE_E_REFUSED);
}

static void a_sign_in_is_good_for_a_while(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    struct login_answer login = {.expires_us = 0};

    assert_int_equal(sign_in(site, &ada, &login), 0);
    assert_int_equal(login.expires_us, site->now_us + 3600 * SECOND);
    site->settings.oidc.issuer = ""; /* whom the site does not believe any more */
    assert_false(may(site, &login));
    site->settings.oidc.issuer = ISSUER;
    site->now_us += 3599 * SECOND;
    assert_true(may(site, &login));
    site->now_us += 1 * SECOND;
    assert_false(may(site, &login));
}

/* One that lives longer than what the provider has said is believed, and who follows events by it. */
static void a_lasting_token_is_good_while_its_owner_signs_in_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    struct login_answer first = {.expires_us = 0};
    struct login_answer again = {.expires_us = 0};
    struct login_answer lasting = {.expires_us = 0};
    struct principal who;
    char id[UUID_TEXT_MAX];
    bool is_good = false;

    assert_int_equal(sign_in(site, &ada, &first), 0);
    assert_int_equal(access_check_admin(site, first.token, &who), 0);

    struct access_token token = {
        .kind = ACCESS_API, .administrator_id = who.id, .name = "script", .life_us = ACCESS_API_US};

    assert_int_equal(access_new_token(site, &token, lasting.token, id), 0);
    assert_int_equal(access_check_admin(site, lasting.token, &who), 0);
    assert_int_equal(event_check(site, &who, &is_good), 0);
    assert_true(is_good);
    site->now_us += 3600 * SECOND;
    assert_false(may(site, &lasting));
    assert_int_equal(event_check(site, &who, &is_good), 0);
    assert_false(is_good);
    assert_int_equal(sign_in(site, &ada, &again), 0);
    assert_true(may(site, &lasting));
    assert_int_equal(event_check(site, &who, &is_good), 0);
    assert_true(is_good);
}

static void a_code_is_for_one_try_of_who_has_begun(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    OWN(json_freep) json_t *begun = NULL;
    OWN(json_freep) json_t *other = NULL;
    struct login_answer login;

    assert_int_equal(start(site, START, &begun), 0);
    other = json_deep_copy(begun);
    assert_int_equal(json_object_set_new(other, "secret", json_string("x")), 0);
    assert_int_equal(end(site, other, "c", &ada, &login), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_STATE);
    assert_int_equal(end(site, begun, NULL, &ada, &login), SITE_E_REFUSED); /* it is no device's */
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_STATE);
    assert_int_equal(end(site, begun, "c", &ada, &login), 0);
    assert_int_equal(end(site, begun, "c", &ada, &login), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_STATE);
}

static void a_sign_in_that_takes_too_long_is_over(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    OWN(json_freep) json_t *begun = NULL;
    struct login_answer login;

    assert_int_equal(start(site, START, &begun), 0);
    site->now_us += OIDC_LOGIN_US;
    assert_int_equal(end(site, begun, "c", &ada, &login), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_STATE);
}

static void a_device_asks_until_somebody_has_signed_in(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    OWN(json_freep) json_t *begun = NULL;
    const struct said pending = {.outcome = OIDC_PENDING};
    struct login_answer login;

    assert_int_equal(start(site, "{'flow': 'device'}", &begun), 0);
    assert_int_equal(end(site, begun, NULL, &pending, &login), SITE_E_REFUSED); /* too soon */
    assert_int_equal(site->refusal.id, REFUSAL_TOO_OFTEN);
    site->now_us += 5 * SECOND;
    assert_int_equal(end(site, begun, NULL, &pending, &login), OIDC_E_PENDING);
    assert_int_equal(end(site, begun, NULL, &ada, &login), SITE_E_REFUSED);
    site->now_us += 5 * SECOND;
    assert_int_equal(end(site, begun, NULL, &ada, &login), 0);
    site->now_us += 5 * SECOND;
    assert_int_equal(end(site, begun, NULL, &ada, &login), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_STATE);
}

static void what_the_provider_cannot_say_is_no_failure_of_who_tries(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    struct login_answer login;

    assert_int_equal(sign_in(site, &(struct said){.outcome = OIDC_DOWN}, &login), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_DOWN);
    assert_int_equal(site->refusal.retry_after_s, OIDC_REST_S);
    assert_int_equal(sign_in(site, &(struct said){.outcome = OIDC_REFUSED}, &login),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_REFUSED);
}

static void one_address_begins_only_so_many(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    OWN(json_freep) json_t *last = NULL;

    for (int i = 0; i < OIDC_LOGINS_PER_ADDRESS; i++) {
        OWN(json_freep) json_t *begun = NULL;

        assert_int_equal(start(site, START, &begun), 0);
    }
    assert_int_equal(start(site, START, &last), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TOO_OFTEN);
    (void)snprintf(site->principal.address, sizeof(site->principal.address), "192.0.2.2");
    assert_int_equal(start(site, START, &last), 0);
    (void)snprintf(site->principal.address, sizeof(site->principal.address), "192.0.2.1");
    site->now_us += OIDC_LOGIN_US;
    assert_int_equal(oidc_expire(site), 0);
    json_decref(last);
    last = NULL;
    assert_int_equal(start(site, START, &last), 0);
}

static void nobody_begins_without_a_provider(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    OWN(json_freep) json_t *begun = NULL;

    site->settings.oidc.issuer = "";
    assert_int_equal(start(site, START, &begun), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OIDC_OFF);
}

static void a_browser_is_sent_to_named_pages_and_to_loopback_alone(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = new_site();
    static const struct {
        const char *uri;
        bool may;
    } all[] = {
        {PAGE, true},
        {"https://other/", true},
        {"http://127.0.0.1:1/", true},
        {"http://127.0.0.1:65535/", true},
        {"http://[::1]:8080/", true},
        {"", false},
        {"https://other", false},
        {"https://other/ " PAGE, false},
        {PAGE "/", false},
        {"http://127.0.0.1/", false},
        {"http://127.0.0.1:0/", false},
        {"http://127.0.0.1:65536/", false},
        {"http://127.0.0.1:80", false},
        {"http://127.0.0.1:80/x", false},
        {"http://127.0.0.1:80/?x", false},
        {"http://127.0.0.1:80@evil/", false},
        {"https://127.0.0.1:80/", false},
        {"http://localhost:80/", false},
    };

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        assert_int_equal(oidc_may_redirect(&site->settings.oidc, all[i].uri), all[i].may);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(somebody_may_what_his_groups_may),
        cmocka_unit_test(a_group_that_is_taken_away_ends_what_older_tokens_may),
        cmocka_unit_test(a_name_is_not_taken_from_whom_it_belongs_to),
        cmocka_unit_test(the_same_subject_of_another_issuer_is_somebody_else),
        cmocka_unit_test(a_sign_in_is_good_for_a_while),
        cmocka_unit_test(a_lasting_token_is_good_while_its_owner_signs_in_again),
        cmocka_unit_test(a_code_is_for_one_try_of_who_has_begun),
        cmocka_unit_test(a_sign_in_that_takes_too_long_is_over),
        cmocka_unit_test(a_device_asks_until_somebody_has_signed_in),
        cmocka_unit_test(what_the_provider_cannot_say_is_no_failure_of_who_tries),
        cmocka_unit_test(one_address_begins_only_so_many),
        cmocka_unit_test(nobody_begins_without_a_provider),
        cmocka_unit_test(a_browser_is_sent_to_named_pages_and_to_loopback_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
