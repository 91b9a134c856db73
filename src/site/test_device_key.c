/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_key.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "format/proof/proof.h"
#include "plat/random.h"
#include "site/challenge.h"
#include "site/device_change.h"
#include "site/fixture.h"
#include "site/registration.h"

#define OTHER_MAC "52:54:00:77:00:02"
#define HOUR_US   (FIXTURE_MINUTE_US * 60)

/* A device as its agent is. */
struct agent {
    uint8_t secret[SIGNATURE_KEY_BYTES];
    char mac[MAC_TEXT_MAX];
    char ticket[TOKEN_TEXT_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char token[TOKEN_TEXT_MAX];
};

static json_t *registration_of(const struct agent *agent)
{
    return json_pack("{s:s,s:s,s:[s],s:s,s:{s:s},s:s}",
                     "ticket",
                     agent->ticket,
                     "environment",
                     "boot-image",
                     "macs",
                     agent->mac,
                     "boot_mac",
                     agent->mac,
                     "smbios",
                     "uuid",
                     "",
                     "boot_image",
                     FIXTURE_BOOT_IMAGE);
}

/* Return: of registration_take(); on 0 the agent has device and token. */
static int enlist(struct site *site, struct agent *agent)
{
    OWN(json_freep) json_t *body = registration_of(agent);
    OWN(json_freep) json_t *answer = NULL;
    int r = fixture_enlist(site, body, agent->secret, &answer);

    if (r != 0)
        return r;
    assert_int_equal(json_integer_value(json_object_get(answer, "token_life_s")), 900);
    (void)snprintf(agent->device,
                   sizeof(agent->device),
                   "%s",
                   json_string_value(json_object_get(answer, "device_id")));
    (void)snprintf(agent->token,
                   sizeof(agent->token),
                   "%s",
                   json_string_value(json_object_get(answer, "token")));
    return 0;
}

static struct agent boot(struct site *site, const char *mac)
{
    struct agent agent = {.device = ""};

    random_bytes(agent.secret, sizeof(agent.secret));
    (void)snprintf(agent.mac, sizeof(agent.mac), "%s", mac);
    assert_int_equal(access_new_boot_ticket(site, mac, agent.ticket), 0);
    return agent;
}

static struct agent start(struct site *site, const char *mac)
{
    struct agent agent = boot(site, mac);

    assert_int_equal(enlist(site, &agent), 0);
    return agent;
}

/* Ask for a token with this proof. @ret: may be NULL */
static int renew_by(struct site *site, const char *device_id, json_t *proof, char *ret)
{
    OWN(json_freep) json_t *body = json_pack("{s:s,s:O}", "device_id", device_id, "key", proof);
    OWN(json_freep) json_t *answer = NULL;
    int r = device_token_renew(site, body, &answer);

    if (r == 0 && ret)
        (void)snprintf(
            ret, TOKEN_TEXT_MAX, "%s", json_string_value(json_object_get(answer, "token")));
    return r;
}

static int renew(struct site *site, struct agent *agent)
{
    OWN(json_freep)
    json_t *proof = fixture_prove(site, agent->secret, PROOF_TOKEN, agent->device);

    return renew_by(site, agent->device, proof, agent->token);
}

static bool is_token_good(struct site *site, const char *token, const char *device)
{
    char found[ACCESS_DEVICE_ID_MAX];

    return device_token_check(site, token, found) == 0 && strcmp(found, device) == 0;
}

static void a_token_lives_a_quarter_of_an_hour_and_the_key_gets_another(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent agent = start(site, FIXTURE_MAC);
    char first[TOKEN_TEXT_MAX];

    memcpy(first, agent.token, sizeof(first));
    fixture_wait(site, DEVICE_TOKEN_US - 1);
    assert_true(is_token_good(site, first, agent.device));
    assert_int_equal(renew(site, &agent), 0);
    assert_string_not_equal(agent.token, first);
    fixture_wait(site, 1);
    assert_false(is_token_good(site, first, agent.device));
    assert_true(is_token_good(site, agent.token, agent.device));
    assert_false(is_token_good(site, NULL, agent.device));
}

static void a_key_is_good_for_a_day_or_as_long_as_an_order(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent agent = start(site, FIXTURE_MAC);
    struct agent lasting;

    site->settings.order_life_us = 2 * DEVICE_KEY_US;
    lasting = start(site, OTHER_MAC);
    fixture_wait(site, DEVICE_KEY_US - 1);
    assert_int_equal(renew(site, &agent), 0);
    fixture_wait(site, 1);
    assert_int_equal(renew(site, &agent), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DEVICE_KEY);
    assert_false(is_token_good(site, agent.token, agent.device));
    fixture_wait(site, DEVICE_KEY_US - 1);
    assert_int_equal(renew(site, &lasting), 0);
    fixture_wait(site, 1);
    assert_int_equal(renew(site, &lasting), SITE_E_REFUSED);
}

static void a_registration_whose_answer_got_lost_is_answered_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent agent;
    struct agent stranger;
    char deployment[SITE_ID_MAX];
    char first[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    agent = start(site, FIXTURE_MAC);
    stranger = agent;
    memcpy(first, agent.device, sizeof(first));
    fixture_wait(site, DEVICE_REPEAT_US - 1);
    assert_int_equal(enlist(site, &agent), 0);
    assert_string_equal(agent.device, first);
    assert_true(is_token_good(site, agent.token, first));
    assert_int_equal(fixture_order(site, first, order), 1); /* nothing was begun twice */
    random_bytes(stranger.secret, sizeof(stranger.secret));
    assert_int_equal(enlist(site, &stranger), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TICKET);
    fixture_wait(site, 1);
    assert_int_equal(enlist(site, &agent), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DEVICE_KEY);
}

static void a_key_is_registered_with_one_ticket_only(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent agent = start(site, FIXTURE_MAC);

    assert_int_equal(access_new_boot_ticket(site, FIXTURE_MAC, agent.ticket), 0);
    assert_int_equal(enlist(site, &agent), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DEVICE_KEY);
}

static void an_agent_without_a_key_is_told_that_its_boot_image_is_old(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent agent = boot(site, FIXTURE_MAC);
    OWN(json_freep) json_t *body = registration_of(&agent);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(registration_take(site, body, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NO_KEY);
    assert_int_equal(enlist(site, &agent), 0); /* the ticket is still good */
}

static void blocking_or_deleting_a_device_ends_its_key_and_tokens(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent blocked = start(site, FIXTURE_MAC);
    struct agent deleted = start(site, OTHER_MAC);
    OWN(json_freep) json_t *body = fixture_json("{'is_blocked': true}");
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(device_change(site, "test", blocked.device, body, &answer), 0);
    assert_int_equal(device_delete(site, "test", deleted.device), 0);
    assert_false(is_token_good(site, blocked.token, blocked.device));
    assert_false(is_token_good(site, deleted.token, deleted.device));
    assert_int_equal(renew(site, &blocked), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DEVICE_KEY);
    assert_int_equal(renew(site, &deleted), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DEVICE_KEY);
    assert_int_equal(enlist(site, &blocked), SITE_E_REFUSED);
}

static void a_device_has_a_few_keys_and_a_key_a_few_tokens(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent first = start(site, FIXTURE_MAC);
    struct agent last = first;
    char oldest[TOKEN_TEXT_MAX];

    memcpy(oldest, first.token, sizeof(oldest));
    for (unsigned i = 0; i < DEVICE_TOKENS_MAX; i++) {
        assert_true(is_token_good(site, oldest, first.device));
        fixture_wait(site, 1);
        assert_int_equal(renew(site, &first), 0);
    }
    assert_false(is_token_good(site, oldest, first.device));
    for (unsigned i = 0; i < DEVICE_KEYS_MAX; i++) {
        assert_int_equal(renew(site, &first), 0);
        fixture_wait(site, 1);
        last = start(site, FIXTURE_MAC);
    }
    assert_int_equal(renew(site, &first), SITE_E_REFUSED);
    assert_int_equal(renew(site, &last), 0);
}

static void who_registers_again_and_again_takes_no_key_that_an_order_goes_on_with(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent real = start(site, FIXTURE_MAC);
    struct agent stranger = real;

    assert_int_equal(device_key_reported(site, "slw_dev_of_nobody"), 0);
    assert_int_equal(device_key_reported(site, real.token), 0);
    for (unsigned i = 0; i < 2 * DEVICE_KEYS_MAX; i++) {
        fixture_wait(site, 1);
        stranger = start(site, FIXTURE_MAC);
        assert_int_equal(renew(site, &stranger), 0); /* each is good, the one just made too */
    }
    assert_int_equal(renew(site, &real), 0);
    assert_true(is_token_good(site, real.token, real.device));
}

/* What somebody may have of device A, tried on B; and what is A's own at another time, or for another purpose. */
enum theft {
    OWN_PROOF, /* the control: this one is good */
    FOR_ANOTHER_DEVICE,
    BY_ANOTHER_KEY,
    OTHER_PUBLIC_HALF,
    FOR_ANOTHER_PURPOSE,
    OF_ANOTHER_CHALLENGE,
    TAKEN_TWICE,
    TOO_OLD,
    CLOCK_SET_BACK,
    OF_ANOTHER_SITE,
    N_THEFTS,
};

static json_t *stolen_proof(struct site *site, enum theft theft, struct agent *a, struct agent *b)
{
    char pin[SHA256_TEXT_MAX];
    json_t *proof;
    json_t *other;

    switch (theft) {
    case FOR_ANOTHER_DEVICE:
        return fixture_prove(site, a->secret, PROOF_TOKEN, a->device);
    case BY_ANOTHER_KEY:
        return fixture_prove(site, a->secret, PROOF_TOKEN, b->device);
    case FOR_ANOTHER_PURPOSE:
        return fixture_prove(site, b->secret, PROOF_REGISTRATION, b->device);
    case OTHER_PUBLIC_HALF:
    case OF_ANOTHER_CHALLENGE:
        proof = fixture_prove(site, a->secret, PROOF_TOKEN, b->device);
        other = fixture_prove(site, b->secret, PROOF_TOKEN, b->device);
        if (theft == OTHER_PUBLIC_HALF)
            (void)json_object_set(proof, "public", json_object_get(other, "public"));
        else
            (void)json_object_set(other, "challenge", json_object_get(proof, "challenge"));
        json_decref(theft == OTHER_PUBLIC_HALF ? other : proof);
        return theft == OTHER_PUBLIC_HALF ? proof : other;
    case OF_ANOTHER_SITE:
        memcpy(pin, site->settings.pin, sizeof(pin));
        pin[0] = pin[0] == 'f' ? '0' : 'f';
        site->settings.pin = pin;
        proof = fixture_prove(site, b->secret, PROOF_TOKEN, b->device);
        site->settings.pin = FIXTURE_SHA256;
        return proof;
    case OWN_PROOF:
    case TAKEN_TWICE:
    case TOO_OLD:
    case CLOCK_SET_BACK:
    case N_THEFTS:
        break;
    }
    return fixture_prove(site, b->secret, PROOF_TOKEN, b->device);
}

static void nothing_of_one_device_is_good_for_another_nor_at_another_time(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent a = start(site, FIXTURE_MAC);
    struct agent b = start(site, OTHER_MAC);

    for (unsigned i = 0; i < N_THEFTS; i++) {
        OWN(json_freep) json_t *proof = stolen_proof(site, (enum theft)i, &a, &b);
        uint64_t now_us = site->now_us;

        if (i == TAKEN_TWICE || i == CLOCK_SET_BACK)
            assert_int_equal(renew_by(site, b.device, proof, NULL), 0);
        if (i == TOO_OLD)
            fixture_wait(site, CHALLENGE_LIFE_US + 1);
        if (i == CLOCK_SET_BACK) {
            fixture_wait(site, HOUR_US);
            site->now_us = now_us;
        }
        assert_int_equal(renew_by(site, b.device, proof, NULL), i == OWN_PROOF ? 0 : 1);
    }
    assert_int_equal(renew(site, &a), 0);
    assert_true(is_token_good(site, a.token, a.device));
    assert_false(is_token_good(site, a.token, b.device));
}

static void a_stolen_registration_makes_nobody_the_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct agent agent = boot(site, FIXTURE_MAC);
    OWN(json_freep) json_t *body = registration_of(&agent);
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *again = NULL;

    assert_int_equal(fixture_enlist(site, body, agent.secret, &answer), 0);
    assert_int_equal(registration_take(site, body, &again), SITE_E_REFUSED); /* every byte of it */
    assert_int_equal(site->refusal.id, REFUSAL_PROOF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_lives_a_quarter_of_an_hour_and_the_key_gets_another),
        cmocka_unit_test(a_key_is_good_for_a_day_or_as_long_as_an_order),
        cmocka_unit_test(a_registration_whose_answer_got_lost_is_answered_again),
        cmocka_unit_test(a_key_is_registered_with_one_ticket_only),
        cmocka_unit_test(an_agent_without_a_key_is_told_that_its_boot_image_is_old),
        cmocka_unit_test(blocking_or_deleting_a_device_ends_its_key_and_tokens),
        cmocka_unit_test(a_device_has_a_few_keys_and_a_key_a_few_tokens),
        cmocka_unit_test(who_registers_again_and_again_takes_no_key_that_an_order_goes_on_with),
        cmocka_unit_test(nothing_of_one_device_is_good_for_another_nor_at_another_time),
        cmocka_unit_test(a_stolen_registration_makes_nobody_the_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
