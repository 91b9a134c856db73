/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The site and a real TPM, that of swtpm: what a device proves by it, and which device it is then. */

#include "site/tpm_key.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "base/text.h"
#include "format/proof/proof.h"
#include "plat/linux/swtpm.h"
#include "plat/tpm.h"
#include "site/access.h"
#include "site/challenge.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/device_parts.h"
#include "site/duplicate_id.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/registration.h"

#define OTHER_MAC  "52:54:00:77:00:02"
#define THIRD_MAC  "52:54:00:77:00:03"
#define UUID       "b5e3c6d2-0c44-4d86-9d4b-52540077aa01"
#define THIRD_UUID "b5e3c6d2-0c44-4d86-9d4b-52540077aa03"
#define OTHER_UUID "b5e3c6d2-0c44-4d86-9d4b-52540077aa02"

enum {
    HEX_MAX = 2 * TPM_PUBLIC_MAX_BYTES + 1,
};

/* A computer. */
struct computer {
    struct swtpm *tpm; /* NULL: it has none, or shows none */
    const char *mac;
    const char *uuid;
    const char *serial; /* NULL: it says none */
};

static json_t *hex_of(struct bytes src)
{
    char text[HEX_MAX];

    assert_true(src.len <= TPM_PUBLIC_MAX_BYTES);
    hex_put(text, src);
    return json_string(text);
}

static struct bytes read_hex(const json_t *object, const char *name, uint8_t *dst)
{
    const char *text = field_text(object, name, "");

    assert_true(strlen(text) / 2 <= TPM_BLOB_MAX_BYTES);
    assert_true(hex_parse(bytes_of(text), strlen(text) / 2, dst));
    return (struct bytes){dst, strlen(text) / 2};
}

/* What the TPM shows for a challenge: {"public", "name", "secret"} */
static json_t *show(struct site *site, struct swtpm *tpm, const char *challenge)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:o,s:o}",
                             "challenge",
                             challenge,
                             "public",
                             hex_of(tpm_public(tpm->tpm)),
                             "name",
                             hex_of(tpm_name(tpm->tpm)));
    OWN(json_freep) json_t *answer = NULL;
    uint8_t blob[TPM_BLOB_MAX_BYTES];
    uint8_t encrypted[TPM_BLOB_MAX_BYTES];
    uint8_t secret[TPM_SECRET_MAX_BYTES];
    size_t len = 0;

    assert_int_equal(tpm_key_challenge(site, body, &answer), 0);
    assert_int_equal(tpm_activate(tpm->tpm,
                                  read_hex(answer, "blob", blob),
                                  read_hex(answer, "encrypted", encrypted),
                                  secret,
                                  &len),
                     0);
    (void)json_object_del(body, "challenge");
    (void)json_object_set_new(body, "secret", hex_of((struct bytes){secret, len}));
    return json_incref(body);
}

static json_t *registration_of(struct site *site, const struct computer *computer)
{
    char ticket[TOKEN_TEXT_MAX];
    char subject[TOKEN_TEXT_MAX + MAC_TEXT_MAX + 2];
    json_t *proof;
    json_t *body;

    assert_int_equal(access_new_boot_ticket(site, computer->mac, ticket), 0);
    (void)snprintf(subject, sizeof(subject), "%s %s", ticket, computer->mac);
    proof = fixture_prove(site, NULL, PROOF_REGISTRATION, subject);
    body = json_pack("{s:s,s:s,s:[s],s:s,s:{s:s,s:s},s:s,s:o}",
                     "ticket",
                     ticket,
                     "environment",
                     "boot-image",
                     "macs",
                     computer->mac,
                     "boot_mac",
                     computer->mac,
                     "smbios",
                     "uuid",
                     computer->uuid,
                     "serial",
                     computer->serial ? computer->serial : "",
                     "boot_image",
                     FIXTURE_BOOT_IMAGE,
                     "key",
                     proof);
    if (computer->tpm)
        (void)json_object_set_new(
            body, "tpm_key", show(site, computer->tpm, field_text(proof, "challenge", "")));
    return body;
}

/* @ret: room for ACCESS_DEVICE_ID_MAX */
static int enlist(struct site *site, const struct computer *computer, char *ret)
{
    OWN(json_freep) json_t *body = registration_of(site, computer);
    OWN(json_freep) json_t *answer = NULL;
    int r = registration_take(site, body, &answer);

    if (r == 0)
        (void)snprintf(ret, ACCESS_DEVICE_ID_MAX, "%s", field_text(answer, "device_id", ""));
    return r;
}

/* Empty if the device has none. */
static void find_key(struct site *site, const char *device, char ret[static SHA256_TEXT_MAX])
{
    OWN(json_freep) json_t *shown = NULL;

    assert_int_equal(device_get(site, device, &shown), 0);
    (void)snprintf(ret, SHA256_TEXT_MAX, "%s", field_text(shown, "tpm_key", "?"));
}

static void the_tpm_says_which_device_it_is_whatever_else_has_changed(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm tpm = swtpm_start();
    char first[ACCESS_DEVICE_ID_MAX];
    char again[ACCESS_DEVICE_ID_MAX];
    char key[SHA256_TEXT_MAX];
    char wanted[SHA256_TEXT_MAX];
    uint8_t digest[SHA256_BYTES];

    assert_int_equal(enlist(site, &(struct computer){&tpm, FIXTURE_MAC, UUID, NULL}, first), 0);
    assert_int_equal(digest_sha256(tpm_public(tpm.tpm), digest), 0);
    hex_put(wanted, (struct bytes){digest, sizeof(digest)});
    find_key(site, first, key);
    assert_string_equal(key, wanted);
    assert_int_equal(enlist(site, &(struct computer){&tpm, OTHER_MAC, OTHER_UUID, NULL}, again), 0);
    assert_string_equal(again, first);
    find_key(site, key, key); /* it is found by it as well */
    assert_string_equal(key, wanted);
}

static void a_shared_adapter_makes_two_computers_not_one(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm one = swtpm_start();
    OWN(swtpm_stop) struct swtpm two = swtpm_start();
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];
    char again[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(enlist(site, &(struct computer){&one, FIXTURE_MAC, UUID, NULL}, first), 0);
    assert_int_equal(enlist(site, &(struct computer){&two, OTHER_MAC, OTHER_UUID, NULL}, second),
                     0);
    assert_string_not_equal(first, second);
    assert_int_equal(enlist(site, &(struct computer){&two, FIXTURE_MAC, OTHER_UUID, NULL}, again),
                     0);
    assert_string_equal(again, second); /* with the adapter of the first */
}

static void a_dongle_makes_no_other_computer_of_one_that_has_its_own_marks(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm one = swtpm_start();
    OWN(swtpm_stop) struct swtpm two = swtpm_start();
    const struct computer bare = {NULL, FIXTURE_MAC, THIRD_UUID, "S3"};
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];
    char third[ACCESS_DEVICE_ID_MAX];
    char again[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(enlist(site, &(struct computer){&one, FIXTURE_MAC, UUID, "S1"}, first), 0);
    assert_int_equal(enlist(site, &(struct computer){&two, FIXTURE_MAC, OTHER_UUID, "S2"}, second),
                     0);
    assert_string_not_equal(first, second);
    assert_int_equal(enlist(site, &bare, third), 0);
    assert_string_not_equal(third, first);
    assert_string_not_equal(third, second);
    assert_int_equal(enlist(site, &(struct computer){&one, FIXTURE_MAC, UUID, "S1"}, again), 0);
    assert_string_equal(again, first);
    assert_int_equal(enlist(site, &(struct computer){&two, FIXTURE_MAC, OTHER_UUID, "S2"}, again),
                     0);
    assert_string_equal(again, second);
    assert_int_equal(enlist(site, &bare, again), 0);
    assert_string_equal(again, third);
}

static void two_with_the_same_uuid_and_serial_number_are_told_apart_by_their_tpms(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm one = swtpm_start();
    OWN(swtpm_stop) struct swtpm two = swtpm_start();
    OWN(json_freep) json_t *body = fixture_json("{'id': '" UUID "', 'comment': 'a whole batch'}");
    OWN(json_freep) json_t *listed = NULL;
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];
    char again[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(duplicate_id_add(site, "test", body, &listed), 0);
    assert_int_equal(enlist(site, &(struct computer){&one, FIXTURE_MAC, UUID, "0"}, first), 0);
    assert_int_equal(enlist(site, &(struct computer){&two, OTHER_MAC, UUID, "0"}, second), 0);
    assert_string_not_equal(first, second);
    assert_int_equal(enlist(site, &(struct computer){&one, THIRD_MAC, UUID, "0"}, again), 0);
    assert_string_equal(again, first); /* with a new adapter */
}

static void the_tpm_takes_precedence_over_the_adapter_of_another_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm tpm = swtpm_start();
    char imported[ACCESS_DEVICE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char again[ACCESS_DEVICE_ID_MAX];
    char owner[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(enlist(site, &(struct computer){&tpm, FIXTURE_MAC, UUID, NULL}, device), 0);
    assert_int_equal(enlist(site, &(struct computer){NULL, OTHER_MAC, OTHER_UUID, NULL}, imported),
                     0);
    assert_int_equal(enlist(site, &(struct computer){&tpm, OTHER_MAC, UUID, NULL}, again), 0);
    assert_string_equal(again, device);
    assert_int_equal(device_by_mac(site, OTHER_MAC, owner), 0);
    assert_string_equal(owner, imported); /* it keeps what it is known by */
}

static void a_mainboard_that_goes_into_another_computer_takes_its_key_along(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm old = swtpm_start();
    OWN(swtpm_stop) struct swtpm spare = swtpm_start();
    OWN(json_freep) json_t *body = fixture_json("{'forget_tpm_key': true}");
    OWN(json_freep) json_t *changed = NULL;
    char repaired[ACCESS_DEVICE_ID_MAX];
    char other[ACCESS_DEVICE_ID_MAX];
    char again[ACCESS_DEVICE_ID_MAX];
    char key[SHA256_TEXT_MAX];

    assert_int_equal(enlist(site, &(struct computer){&old, FIXTURE_MAC, UUID, NULL}, repaired), 0);
    assert_int_equal(device_change(site, "test", repaired, body, &changed), 0);
    find_key(site, repaired, key);
    assert_string_equal(key, "");
    assert_int_equal(enlist(site, &(struct computer){&spare, FIXTURE_MAC, UUID, NULL}, again), 0);
    assert_string_equal(again, repaired);
    assert_int_equal(enlist(site, &(struct computer){&old, OTHER_MAC, OTHER_UUID, NULL}, other), 0);
    assert_string_not_equal(other, repaired);
}

static size_t n_conflicts(struct site *site, const char *device)
{
    const struct page page = {.after = "0", .limit = 100, .is_log = true};
    OWN(json_freep) json_t *history = NULL;
    const json_t *item;
    size_t i;
    size_t n = 0;

    assert_int_equal(device_history(site, device, &page, &history), 0);
    json_array_foreach(json_object_get(history, "items"), i, item) n +=
        strcmp(field_text(item, "action", ""), "device.tpm-conflict") == 0;
    return n;
}

static void another_tpm_in_a_known_device_is_refused_until_it_is_said_to_be_so(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm before = swtpm_start();
    OWN(swtpm_stop) struct swtpm after = swtpm_start();
    OWN(json_freep) json_t *body = fixture_json("{'forget_tpm_key': true}");
    OWN(json_freep) json_t *changed = NULL;
    char device[ACCESS_DEVICE_ID_MAX];
    char again[ACCESS_DEVICE_ID_MAX];
    char key[SHA256_TEXT_MAX];
    char now[SHA256_TEXT_MAX];

    assert_int_equal(enlist(site, &(struct computer){&before, FIXTURE_MAC, UUID, NULL}, device), 0);
    find_key(site, device, key);
    assert_int_equal(enlist(site, &(struct computer){&after, FIXTURE_MAC, OTHER_UUID, NULL}, again),
                     SITE_E_REFUSED); /* the same address */
    assert_int_equal(site->refusal.id, REFUSAL_TPM_KEY);
    assert_int_equal(enlist(site, &(struct computer){&after, THIRD_MAC, UUID, NULL}, again),
                     SITE_E_REFUSED); /* the same UUID */
    assert_int_equal(site->refusal.id, REFUSAL_TPM_KEY);
    assert_int_equal(n_conflicts(site, device), 1); /* not each time */
    find_key(site, device, now);
    assert_string_equal(now, key);
    assert_int_equal(device_change(site, "test", device, body, &changed), 0);
    assert_int_equal(enlist(site, &(struct computer){&after, FIXTURE_MAC, UUID, NULL}, again), 0);
    assert_string_equal(again, device);
    find_key(site, device, now);
    assert_string_not_equal(now, key);
    assert_string_not_equal(now, "");
}

static void one_without_a_tpm_is_known_by_its_other_marks(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm tpm = swtpm_start();
    char device[ACCESS_DEVICE_ID_MAX];
    char again[ACCESS_DEVICE_ID_MAX];
    char key[SHA256_TEXT_MAX];

    assert_int_equal(enlist(site, &(struct computer){NULL, FIXTURE_MAC, UUID, NULL}, device), 0);
    find_key(site, device, key);
    assert_string_equal(key, "");
    assert_int_equal(enlist(site, &(struct computer){&tpm, FIXTURE_MAC, UUID, NULL}, again), 0);
    assert_string_equal(again, device); /* it is taken for its own */
    find_key(site, device, key);
    assert_string_not_equal(key, "");
    assert_int_equal(enlist(site, &(struct computer){NULL, FIXTURE_MAC, UUID, NULL}, again), 0);
    assert_string_equal(again, device);
}

/* Each of these would be another computer's TPM if it were believed. */
static void a_key_that_is_not_proven_is_nobodys(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(swtpm_stop) struct swtpm tpm = swtpm_start();
    OWN(swtpm_stop) struct swtpm thief = swtpm_start();
    OWN(json_freep)
    json_t *body = registration_of(site, &(struct computer){&thief, OTHER_MAC, OTHER_UUID, NULL});
    OWN(json_freep)
    json_t *early = registration_of(site, &(struct computer){&tpm, FIXTURE_MAC, UUID, NULL});
    OWN(json_freep) json_t *late = NULL;
    OWN(json_freep) json_t *answer = NULL;
    json_t *shown = json_object_get(body, "tpm_key");

    (void)json_object_set_new(shown, "public", hex_of(tpm_public(tpm.tpm))); /* it is no secret */
    assert_int_equal(registration_take(site, body, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PROOF);
    late = registration_of(site, &(struct computer){NULL, OTHER_MAC, OTHER_UUID, NULL});
    (void)json_object_set(
        late, "tpm_key", json_object_get(early, "tpm_key")); /* of another challenge */
    assert_int_equal(registration_take(site, late, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PROOF);
    assert_int_equal(registration_take(site, early, &answer), 0);
}

static void what_is_no_endorsement_key_gets_no_credential(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const bad[] = {"", "00", "zz", "0001000b"};
    char challenge[CHALLENGE_TEXT_MAX];

    assert_int_equal(challenge_put(site, challenge), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep)
        json_t *body = json_pack("{s:s,s:s,s:s}",
                                 "challenge",
                                 challenge,
                                 "public",
                                 bad[i],
                                 "name",
                                 "000b" FIXTURE_SHA256);
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(tpm_key_challenge(site, body, &answer), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_CLIENT_INVALID);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tpm_says_which_device_it_is_whatever_else_has_changed),
        cmocka_unit_test(a_shared_adapter_makes_two_computers_not_one),
        cmocka_unit_test(a_dongle_makes_no_other_computer_of_one_that_has_its_own_marks),
        cmocka_unit_test(two_with_the_same_uuid_and_serial_number_are_told_apart_by_their_tpms),
        cmocka_unit_test(the_tpm_takes_precedence_over_the_adapter_of_another_device),
        cmocka_unit_test(a_mainboard_that_goes_into_another_computer_takes_its_key_along),
        cmocka_unit_test(another_tpm_in_a_known_device_is_refused_until_it_is_said_to_be_so),
        cmocka_unit_test(one_without_a_tpm_is_known_by_its_other_marks),
        cmocka_unit_test(a_key_that_is_not_proven_is_nobodys),
        cmocka_unit_test(what_is_no_endorsement_key_gets_no_credential),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
