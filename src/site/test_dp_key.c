/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/dp_key.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/text.h"
#include "format/proof/proof.h"
#include "plat/random.h"
#include "plat/signature.h"
#include "site/challenge.h"
#include "site/device_key.h"
#include "site/fields.h"
#include "site/fixture.h"

enum {
    JOIN_TOKEN_MAX = 160,
};

/* A host as its slipwayd is. */
struct host {
    uint8_t secret[SIGNATURE_KEY_BYTES];
    char public_half[SIGNATURE_KEY_TEXT_MAX];
    char token[TOKEN_TEXT_MAX];
};

static struct host new_host(void)
{
    struct host host = {.token = ""};
    uint8_t public_half[SIGNATURE_KEY_BYTES];

    random_bytes(host.secret, sizeof(host.secret));
    assert_int_equal(signature_public(host.secret, public_half), 0);
    hex_put(host.public_half, (struct bytes){public_half, sizeof(public_half)});
    return host;
}

static void make_join_token(struct site *site, const char *name, char ret[static JOIN_TOKEN_MAX])
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *token = NULL;

    assert_int_equal(dp_create_token(site, "test", body, &token), 0);
    (void)snprintf(ret, JOIN_TOKEN_MAX, "%s", field_text(token, "token", ""));
}

/* @key: taken over; NULL: a program from before there were keys */
static int join_by(struct site *site, const char *token, json_t *key, json_t **ret)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:[s]}", "token", token, "addresses", "10.78.0.1");

    if (key)
        assert_int_equal(json_object_set_new(body, "key", key), 0);
    return dp_join(site, body, "PEM", ret);
}

/* It joins with its key. */
static struct host joined(struct site *site, const char *name)
{
    struct host host = new_host();
    OWN(json_freep) json_t *answer = NULL;
    char token[JOIN_TOKEN_MAX];

    make_join_token(site, name, token);
    assert_int_equal(
        join_by(site, token, fixture_prove(site, host.secret, PROOF_DP_KEY, token), &answer), 0);
    assert_true(json_is_null(json_object_get(answer, "token")));
    return host;
}

/* It joined before there were keys. */
static struct host joined_long_ago(struct site *site, const char *name)
{
    struct host host = new_host();
    OWN(json_freep) json_t *answer = NULL;
    char token[JOIN_TOKEN_MAX];

    make_join_token(site, name, token);
    assert_int_equal(join_by(site, token, NULL, &answer), 0);
    (void)snprintf(host.token, sizeof(host.token), "%s", field_text(answer, "token", ""));
    return host;
}

/* @proof: taken over. @ret: may be NULL */
static int renew_by(struct site *site, json_t *proof, char *ret)
{
    OWN(json_freep) json_t *body = json_pack("{s:o}", "key", proof);
    OWN(json_freep) json_t *answer = NULL;
    int r = dp_token_renew(site, body, &answer);

    if (r == 0)
        assert_int_equal(field_number(answer, "token_life_s", 0), 900);
    if (r == 0 && ret)
        (void)snprintf(ret, TOKEN_TEXT_MAX, "%s", field_text(answer, "token", ""));
    return r;
}

static int renew(struct site *site, struct host *host)
{
    json_t *proof = fixture_prove(site, host->secret, PROOF_DP_TOKEN, host->public_half);

    return renew_by(site, proof, host->token);
}

static int register_by(struct site *site, const char *dp, const char *token, json_t *proof)
{
    OWN(json_freep) json_t *body = json_pack("{s:o}", "key", proof);

    return dp_key_register(site, dp, token, body);
}

static bool is_good(struct site *site, const char *token, const char *dp)
{
    char id[DP_ID_MAX] = "";

    return dp_check_token(site, token, id) == 0 && strcmp(id, dp) == 0;
}

static void a_host_joins_with_a_key_and_gets_tokens_of_a_quarter_of_an_hour(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct host host = joined(site, "branch");
    char first[TOKEN_TEXT_MAX];

    assert_int_equal(renew(site, &host), 0);
    memcpy(first, host.token, sizeof(first));
    assert_true(is_good(site, first, "DP00002"));
    fixture_wait(site, DP_TOKEN_US - 1);
    assert_true(is_good(site, first, "DP00002"));
    assert_int_equal(renew(site, &host), 0);
    assert_string_not_equal(host.token, first);
    fixture_wait(site, 1);
    assert_false(is_good(site, first, "DP00002"));
    assert_int_equal(site->refusal.id, REFUSAL_DP_TOKEN);
    assert_true(is_good(site, host.token, "DP00002"));
}

static void a_joining_with_a_key_that_is_not_proven_does_not_use_the_token_up(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct host host = new_host();
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *wrong = json_pack("{s:s}", "public", host.public_half);
    char token[JOIN_TOKEN_MAX];

    make_join_token(site, "branch", token);
    assert_int_equal(join_by(site, token, json_incref(wrong), &answer), SITE_E_REFUSED);
    assert_int_equal(
        join_by(site, token, fixture_prove(site, host.secret, PROOF_DP_KEY, "another"), &answer),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PROOF);
    assert_int_equal(
        join_by(site, token, fixture_prove(site, host.secret, PROOF_DP_KEY, token), &answer), 0);
}

static void one_from_before_there_were_keys_goes_on_until_it_has_one(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct host host = joined_long_ago(site, "branch");
    char old[TOKEN_TEXT_MAX];
    json_t *proof;

    memcpy(old, host.token, sizeof(old));
    fixture_wait(site, 2 * DP_TOKEN_US);
    assert_true(is_good(site, old, "DP00002"));
    assert_int_equal(renew(site, &host), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DP_TOKEN);
    proof = fixture_prove(site, host.secret, PROOF_DP_KEY, "another token");
    assert_int_equal(register_by(site, "DP00002", old, proof), SITE_E_REFUSED);
    assert_true(is_good(site, old, "DP00002"));
    proof = fixture_prove(site, host.secret, PROOF_DP_KEY, old);
    assert_int_equal(register_by(site, "DP00002", old, proof), 0);
    assert_false(is_good(site, old, "DP00002"));
    assert_int_equal(renew(site, &host), 0);
    assert_true(is_good(site, host.token, "DP00002"));
}

static void a_distribution_point_has_one_key_and_a_key_is_of_one(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct host first = joined(site, "north");
    struct host other = joined_long_ago(site, "south");
    struct host third = new_host();
    json_t *proof = fixture_prove(site, first.secret, PROOF_DP_KEY, other.token);

    assert_int_equal(register_by(site, "DP00003", other.token, proof), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DP_TOKEN);
    assert_int_equal(renew(site, &first), 0);
    proof = fixture_prove(site, third.secret, PROOF_DP_KEY, first.token);
    assert_int_equal(register_by(site, "DP00002", first.token, proof), SITE_E_REFUSED);
    assert_int_equal(renew(site, &third), SITE_E_REFUSED);
    assert_int_equal(renew(site, &first), 0);
    assert_true(is_good(site, first.token, "DP00002"));
}

static void removing_it_ends_its_key_and_tokens(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct host gone = joined(site, "north");
    struct host stays = joined(site, "south");

    assert_int_equal(renew(site, &gone), 0);
    assert_int_equal(renew(site, &stays), 0);
    assert_int_equal(dp_remove(site, "test", "north", true), 0);
    assert_false(is_good(site, gone.token, "DP00002"));
    assert_int_equal(renew(site, &gone), SITE_E_REFUSED);
    assert_true(is_good(site, stays.token, "DP00003"));
    assert_int_equal(renew(site, &stays), 0);
}

static void it_has_a_few_tokens(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct host host = joined(site, "branch");
    char oldest[TOKEN_TEXT_MAX];

    assert_int_equal(renew(site, &host), 0);
    memcpy(oldest, host.token, sizeof(oldest));
    for (unsigned i = 0; i < DP_TOKENS_MAX; i++) {
        assert_true(is_good(site, oldest, "DP00002"));
        fixture_wait(site, 1);
        assert_int_equal(renew(site, &host), 0);
    }
    assert_false(is_good(site, oldest, "DP00002"));
    assert_true(is_good(site, host.token, "DP00002"));
}

static void what_was_signed_for_something_else_or_before_is_refused(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct host host = joined(site, "north");
    struct host other = joined(site, "south");
    OWN(json_freep)
    json_t *proof = fixture_prove(site, host.secret, PROOF_DP_TOKEN, host.public_half);
    json_t *late;

    assert_int_equal(renew_by(site, json_incref(proof), NULL), 0);
    assert_int_equal(renew_by(site, json_incref(proof), NULL), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PROOF);
    assert_int_equal(
        renew_by(site, fixture_prove(site, host.secret, PROOF_TOKEN, host.public_half), NULL),
        SITE_E_REFUSED);
    assert_int_equal(
        renew_by(site, fixture_prove(site, host.secret, PROOF_DP_TOKEN, other.public_half), NULL),
        SITE_E_REFUSED);
    late = fixture_prove(site, host.secret, PROOF_DP_TOKEN, host.public_half);
    fixture_wait(site, CHALLENGE_LIFE_US + 1);
    assert_int_equal(renew_by(site, late, NULL), SITE_E_REFUSED);
}

static void a_device_is_no_distribution_point_and_the_other_way_round(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct host host = joined(site, "branch");
    char device[ACCESS_DEVICE_ID_MAX];
    char found[ACCESS_DEVICE_ID_MAX];
    char token[TOKEN_TEXT_MAX];
    struct host agent = new_host();

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(device_key_add(site, device, agent.public_half, "-"), 0);
    assert_int_equal(device_token_new(site, device, agent.public_half, token), 0);
    assert_int_equal(renew(site, &agent), SITE_E_REFUSED);
    assert_false(is_good(site, token, "DP00002"));
    assert_int_equal(renew(site, &host), 0);
    assert_int_equal(device_token_check(site, host.token, found), SITE_E_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_joins_with_a_key_and_gets_tokens_of_a_quarter_of_an_hour),
        cmocka_unit_test(a_joining_with_a_key_that_is_not_proven_does_not_use_the_token_up),
        cmocka_unit_test(one_from_before_there_were_keys_goes_on_until_it_has_one),
        cmocka_unit_test(a_distribution_point_has_one_key_and_a_key_is_of_one),
        cmocka_unit_test(removing_it_ends_its_key_and_tokens),
        cmocka_unit_test(it_has_a_few_tokens),
        cmocka_unit_test(what_was_signed_for_something_else_or_before_is_refused),
        cmocka_unit_test(a_device_is_no_distribution_point_and_the_other_way_round),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
