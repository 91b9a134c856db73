/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/fixture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "db/fixture.h"
#include "format/proof/proof.h"
#include "plat/random.h"
#include "plat/signature.h"
#include "site/challenge.h"
#include "site/collection.h"
#include "site/content.h"
#include "site/deployment.h"
#include "site/device.h"
#include "site/device_import.h"
#include "site/job.h"
#include "site/order.h"
#include "site/registration.h"
#include "site/task_sequence.h"

json_t *fixture_json(const char *text)
{
    OWN(freep) char *copy = strdup(text);
    json_t *value;

    assert_non_null(copy);
    for (char *c = copy; *c; c++)
        if (*c == '\'')
            *c = '"';
    value = json_loads(copy, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(value);
    return value;
}

void fixture_claim(struct site *site, char ret[static UUID_TEXT_MAX])
{
    OWN(json_freep) json_t *job = NULL;

    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    assert_non_null(job);
    (void)snprintf(ret, UUID_TEXT_MAX, "%s", json_string_value(json_object_get(job, "id")));
}

void fixture_tell(struct site *site, const char *job, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(job_report(site, JOB_OWN_DP, job, body, &answer), 0);
}

void fixture_finish_job(struct site *site, const char *text)
{
    char job[UUID_TEXT_MAX];

    fixture_claim(site, job);
    fixture_tell(site, job, text);
}

void fixture_add_x86_image(struct site *site, char *ret)
{
    OWN(json_freep) json_t *body = fixture_json("{'arch': 'x86'}");
    OWN(json_freep) json_t *image = NULL;

    assert_int_equal(content_create(site, CONTENT_BOOT_IMAGE, "test", body, &image), 0);
    (void)snprintf(ret, SITE_ID_MAX, "%s", json_string_value(json_object_get(image, "id")));
    fixture_finish_job(site,
                       "{'state': 'succeeded', 'result': {'kernel_version': '6.1', 'files': {"
                       "'vmlinuz': {'size': 1, 'sha256': '" FIXTURE_SHA256 "'},"
                       "'initrd.img': {'size': 2, 'sha256': '" FIXTURE_SHA256 "'}}}}");
}

static void add_content(struct site *site)
{
    OWN(json_freep) json_t *boot = fixture_json("{'arch': 'x64'}");
    OWN(json_freep) json_t *os = fixture_json("{'name': 'Debian', 'upload_id': 'u1'}");
    OWN(json_freep) json_t *boot_image = NULL;
    OWN(json_freep) json_t *os_image = NULL;

    assert_int_equal(content_create(site, CONTENT_BOOT_IMAGE, "test", boot, &boot_image), 0);
    fixture_finish_job(site,
                       "{'state': 'succeeded', 'result': {'kernel_version': '6.1', 'files': {"
                       "'vmlinuz': {'size': 1, 'sha256': '" FIXTURE_SHA256 "'},"
                       "'initrd.img': {'size': 2, 'sha256': '" FIXTURE_SHA256 "'}}}}");
    assert_int_equal(content_create(site, CONTENT_OS_IMAGE, "test", os, &os_image), 0);
    fixture_finish_job(
        site,
        "{'state': 'succeeded', 'result': {'indexes': [{'index': 1, 'name': 'd', 'size_bytes': 9,"
        "'file_count': 1, 'manifest': '" FIXTURE_SHA256 "', 'has_unix_data': true}]}}");
}

static void add_sequence(struct site *site)
{
    OWN(json_freep) json_t *sequence = NULL;
    OWN(json_freep)
    json_t *body = json_pack(
        "{s:s,s:s,s:s}",
        "name",
        "Deploy Debian",
        "boot_image_id",
        FIXTURE_BOOT_IMAGE,
        "xml",
        "<sequence version=\"3.10\">"
        "<step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"Apply\"><defaultVarList>"
        "<variable name=\"ImagePackageID\" property=\"ImagePackageID\">" FIXTURE_OS_IMAGE
        "</variable>"
        "<variable name=\"ImageIndex\" property=\"ImageIndex\">1</variable>"
        "</defaultVarList></step></sequence>");

    assert_int_equal(task_sequence_create(site, "test", body, &sequence), 0);
    assert_string_equal(json_string_value(json_object_get(sequence, "id")), FIXTURE_SEQUENCE);
}

/* Of the one site that a test has at a time. */
static char address[DB_FIXTURE_MAX];

struct site *fixture_new_empty(void)
{
    static const struct site_settings settings = {
        .name = "Lab",
        .addresses = "10.77.0.1",
        .http_port = 80,
        .https_port = 443,
        .pin = FIXTURE_SHA256,
        .is_unknown_computers_on = true,
        .order_life_us = FIXTURE_MINUTE_US * 60 * 12,
    };
    struct site *site = NULL;

    db_fixture_new(":memory:", address);
    assert_int_equal(site_open(address, &settings, &site), 0);
    site->now_us = FIXTURE_START_US;
    return site;
}

struct site *fixture_new(void)
{
    struct site *site = fixture_new_empty();

    add_content(site);
    add_sequence(site);
    return site;
}

void fixture_free(struct site *site)
{
    site_free(site);
    if (site)
        db_fixture_drop(address);
}

void fixture_freep(struct site **site)
{
    fixture_free(*site);
}

void fixture_deploy(struct site *site, const char *collection, const char *purpose, char *ret)
{
    OWN(json_freep) json_t *deployment = NULL;
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s,s:s}",
                             "task_sequence_id",
                             FIXTURE_SEQUENCE,
                             "collection",
                             collection,
                             "purpose",
                             purpose);

    assert_int_equal(deployment_create(site, "test", body, &deployment), 0);
    (void)snprintf(ret, SITE_ID_MAX, "%s", json_string_value(json_object_get(deployment, "id")));
}

void fixture_import(struct site *site, const char *name, const char *mac)
{
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep) json_t *body = json_pack("{s:s,s:s}", "name", name, "mac", mac);

    assert_int_equal(device_import(site, "test", body, &device), 0);
}

struct boot_decision fixture_ask(struct site *site, const char *mac, unsigned arch)
{
    struct boot_request request = {
        .arch = arch,
        .server_address = "10.77.0.1",
        .stage = "discover",
    };
    struct boot_decision decision;

    (void)snprintf(request.mac, sizeof(request.mac), "%s", mac);
    assert_int_equal(boot_decide(site, &request, &decision), 0);
    return decision;
}

json_t *
fixture_prove(struct site *site, const uint8_t *secret, const char *purpose, const char *subject)
{
    char challenge[CHALLENGE_TEXT_MAX];
    uint8_t key[SIGNATURE_KEY_BYTES];
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    char public_text[SIGNATURE_KEY_TEXT_MAX];
    char signature_text[SIGNATURE_TEXT_MAX];
    uint8_t text[PROOF_MAX_BYTES];
    struct sink dst = {.ptr = text, .cap = sizeof(text)};
    struct proof proof = {
        .purpose = purpose,
        .challenge = challenge,
        .pin = site->settings.pin,
        .subject = subject,
    };

    random_bytes(key, sizeof(key));
    if (secret)
        memcpy(key, secret, sizeof(key));
    assert_int_equal(challenge_put(site, challenge), 0);
    assert_true(proof_put(&proof, &dst));
    assert_int_equal(signature_public(key, public_half), 0);
    assert_int_equal(signature_make(key, (struct bytes){text, dst.len}, signature), 0);
    hex_put(public_text, (struct bytes){public_half, sizeof(public_half)});
    hex_put(signature_text, (struct bytes){signature, sizeof(signature)});
    return json_pack("{s:s,s:s,s:s}",
                     "public",
                     public_text,
                     "challenge",
                     challenge,
                     "signature",
                     signature_text);
}

int fixture_enlist(struct site *site, json_t *body, const uint8_t *secret, json_t **ret)
{
    const char *ticket = json_string_value(json_object_get(body, "ticket"));
    const char *mac = json_string_value(json_object_get(body, "boot_mac"));
    char subject[TOKEN_TEXT_MAX + MAC_TEXT_MAX + 1];

    (void)snprintf(subject, sizeof(subject), "%s %s", ticket ? ticket : "", mac);
    assert_int_equal(
        json_object_set_new(body, "key", fixture_prove(site, secret, PROOF_REGISTRATION, subject)),
        0);
    return registration_take(site, body, ret);
}

int fixture_register_from(struct site *site, const char *mac, const char *boot_image, char *ret)
{
    char ticket[TOKEN_TEXT_MAX];
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *body = NULL;
    int r;

    assert_int_equal(access_new_boot_ticket(site, mac, ticket), 0);
    body = json_pack("{s:s,s:s,s:[s],s:s,s:{s:s},s:s,s:b,s:s}",
                     "ticket",
                     ticket,
                     "environment",
                     "boot-image",
                     "macs",
                     mac,
                     "boot_mac",
                     mac,
                     "smbios",
                     "uuid",
                     "",
                     "firmware",
                     "uefi",
                     "secure_boot",
                     1,
                     "boot_image",
                     boot_image);
    r = fixture_enlist(site, body, NULL, &answer);
    if (r == 0 && ret)
        (void)snprintf(ret,
                       ACCESS_DEVICE_ID_MAX,
                       "%s",
                       json_string_value(json_object_get(answer, "device_id")));
    return r;
}

int fixture_register(struct site *site, const char *mac, char *ret)
{
    return fixture_register_from(site, mac, FIXTURE_BOOT_IMAGE, ret);
}

unsigned fixture_order(struct site *site, const char *device_id, char ret[static UUID_TEXT_MAX])
{
    OWN(json_freep) json_t *order = NULL;
    const char *id;

    assert_int_equal(
        order_get(site, device_id, &(struct order_client){.host = "10.77.0.1"}, &order), 0);
    id = json_string_value(json_object_get(order, "order_id"));
    (void)snprintf(ret, UUID_TEXT_MAX, "%s", id ? id : "");
    return (unsigned)json_integer_value(json_object_get(order, "attempt"));
}

int fixture_report(struct site *site,
                   const char *device_id,
                   const char *order_id,
                   unsigned seq,
                   const char *state,
                   const char *environment)
{
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep)
    json_t *body = json_pack("{s:i,s:s,s:s,s:i,s:i,s:s}",
                             "seq",
                             (int)seq,
                             "state",
                             state,
                             "environment",
                             environment,
                             "step",
                             1,
                             "n_steps",
                             3,
                             "step_name",
                             "Apply");

    return order_report(site, device_id, order_id, body, &answer);
}

json_t *fixture_progress(struct site *site, const char *deployment_id)
{
    OWN(json_freep) json_t *deployment = NULL;
    json_t *device;

    assert_int_equal(deployment_get(site, deployment_id, &deployment), 0);
    device = json_array_get(json_object_get(deployment, "devices"), 0);
    assert_non_null(device);
    return json_incref(device);
}

void fixture_wait(struct site *site, uint64_t us)
{
    site->now_us += us;
    assert_int_equal(site_tick(site), 0);
}
