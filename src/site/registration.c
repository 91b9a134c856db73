/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/registration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "db/db.h"
#include "format/proof/proof.h"
#include "site/access.h"
#include "site/boot_decision.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/device_key.h"
#include "site/fields.h"
#include "site/machine_facts.h"
#include "site/order.h"
#include "site/tpm_key.h"
#include "site/variable.h"

enum {
    NUMBER_TEXT_MAX = 24,
    ASSIGNMENTS_INTERVAL_MAX_S = 3600,
    ASSIGNMENTS_RETRY_MAX = 1000,
    SUBJECT_MAX = TOKEN_TEXT_MAX + MAC_TEXT_MAX + 2,
    US_PER_S = 1000 * 1000,
    CONFLICT_AGAIN_US = 10 * 60 * US_PER_S,
};

struct newcomer {
    char public_half[SIGNATURE_KEY_TEXT_MAX];
    char ticket_hash[SHA256_TEXT_MAX];    /* of "" if it has none */
    char mac[MAC_TEXT_MAX];               /* the one address that is proven */
    char tpm_key[SHA256_TEXT_MAX];        /* of its TPM, which is proven as well; "": none */
    char device_id[ACCESS_DEVICE_ID_MAX]; /* which it is, or would be */
};

static int check_body(struct site *site, const json_t *body)
{
    static const struct field fields[] = {
        {"ticket", FIELD_TEXT, false, 0, TOKEN_TEXT_MAX, NULL},
        {"environment", FIELD_CHOICE, true, 0, 0, "boot-image|full-os"},
        {"macs", FIELD_ARRAY, true, 0, 256, NULL},
        {"boot_mac", FIELD_MAC, true, 0, 0, NULL},
        {"smbios", FIELD_OBJECT, true, 0, 0, NULL},
        {"firmware", FIELD_CHOICE, false, 0, 0, "uefi|bios"},
        {"secure_boot", FIELD_BOOL, false, 0, 0, NULL},
        {"arch", FIELD_TEXT, false, 0, 16, NULL},
        {"boot_image", FIELD_TEXT, false, 0, SITE_ID_MAX, NULL},
        {"disks", FIELD_ARRAY, false, 0, 256, NULL},
        {"nics", FIELD_ARRAY, false, 0, 256, NULL},
        {"facts", FIELD_OBJECT, false, 0, 0, NULL},
        {"key", FIELD_OBJECT, false, 0, 0, NULL},
        {"tpm_key", FIELD_OBJECT, false, 0, 0, NULL},
        {0},
    };
    static const struct field smbios[] = {
        {"uuid", FIELD_TEXT, false, 0, 64, NULL},
        {"serial", FIELD_TEXT, false, 0, 256, NULL},
        {"manufacturer", FIELD_TEXT, false, 0, 256, NULL},
        {"model", FIELD_TEXT, false, 0, 256, NULL},
        {"asset_tag", FIELD_TEXT, false, 0, 256, NULL},
        {0},
    };
    int r = fields_check(site, body, fields, true, REFUSAL_CLIENT_INVALID);

    if (r != 0)
        return TRACE(r);
    if (!json_is_object(json_object_get(body, "key")))
        return refuse(site,
                      REFUSAL_NO_KEY,
                      "The agent is older than the site and has no key of its own. Update the boot "
                      "image that the device starts, and start it again.");
    return TRACE(
        fields_check(site, json_object_get(body, "smbios"), smbios, true, REFUSAL_CLIENT_INVALID));
}

static int has_http_offer(struct site *site, const char *mac, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t since_us =
        site->now_us > ACCESS_BOOT_TICKET_US ? site->now_us - ACCESS_BOOT_TICKET_US : 0;
    int r = db_first(
        site->db, SQL_BOOT_EVENT_HTTP_OFFER, DB_ARGS(db_text(mac), db_u64(since_us)), &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

/* @ret: whether this MAC may register; @mac is then its canonical text. */
static int admit_mac(struct site *site,
                     const char *ticket,
                     const char *text,
                     char mac[static MAC_TEXT_MAX],
                     bool *ret)
{
    uint8_t bytes[MAC_BYTES];

    *ret = false;
    if (!text || !mac_parse(bytes_of(text), bytes))
        return 0;
    mac_put(mac, bytes);
    return TRACE(ticket ? access_take_boot_ticket(site, ticket, mac, ret)
                        : has_http_offer(site, mac, ret));
}

/* @mac: the one address that is proven; the others are only what the device says. */
static int admit(struct site *site, const json_t *body, char mac[static MAC_TEXT_MAX])
{
    const json_t *macs = json_object_get(body, "macs");
    const char *ticket = field_text(body, "ticket", NULL);
    bool is_admitted = false;
    int r = admit_mac(site, ticket, field_text(body, "boot_mac", ""), mac, &is_admitted);

    for (size_t i = 0; r == 0 && !is_admitted && i < json_array_size(macs); i++)
        r = admit_mac(site, ticket, json_string_value(json_array_get(macs, i)), mac, &is_admitted);
    if (r < 0)
        return TRACE(r);
    if (!is_admitted)
        return refuse(
            site,
            REFUSAL_TICKET,
            "The site gave no boot ticket to this MAC address in the last ten minutes, or it was "
            "used already. Start the device again from the network.");
    return 0;
}

/* Under the MAC that was admitted: that is what uses up an offer of HTTP Boot. */
static int note(struct site *site, const char *mac)
{
    return TRACE(
        boot_event_add(site,
                       &(struct boot_event){
                           mac, "registered", "", "", "", "", "The agent has registered.", NULL}));
}

/* A number that the device has as a variable, before it has an order. Nothing if it has none, or it makes no sense. */
static int put_number(struct site *site,
                      const char *device_id,
                      const char *variable,
                      uint64_t max,
                      const char *member,
                      json_t *assignments)
{
    char text[NUMBER_TEXT_MAX];
    uint64_t n;
    int r = variable_find(site, device_id, variable, text, sizeof(text));

    if (r < 0 || !bytes_parse_u64(bytes_of(text), 0, max, &n))
        return TRACE(r);
    return json_object_set_new(assignments, member, json_integer((json_int_t)n)) == 0
               ? 0
               : ERR(-ENOMEM);
}

/* How the device asks for its order. */
static int put_assignments(struct site *site, const char *device_id, json_t *answer)
{
    json_t *assignments = json_object();
    int r;

    if (json_object_set_new(answer, "assignments", assignments) != 0)
        return ERR(-ENOMEM);
    r = put_number(site,
                   device_id,
                   "SMSTSAssignmentsDownloadInterval",
                   ASSIGNMENTS_INTERVAL_MAX_S,
                   "interval_s",
                   assignments);
    return r < 0 ? TRACE(r)
                 : TRACE(put_number(site,
                                    device_id,
                                    "SMSTSAssignmentsDownloadRetry",
                                    ASSIGNMENTS_RETRY_MAX,
                                    "retry",
                                    assignments));
}

static int
put_answer(struct site *site, const char *device_id, const struct newcomer *who, json_t **ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char token[TOKEN_TEXT_MAX];
    int r = device_token_new(site, device_id, who->public_half, token);

    if (r < 0)
        return TRACE(r);
    r = db_first(site->db, SQL_DEVICE_BRIEF, DB_ARGS(db_text(device_id)), &rows);
    if (r < 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:s,s:s,s:s,s:I,s:b}",
                     "device_id",
                     device_id,
                     "device_name",
                     db_get_text(&rows, 0),
                     "site_name",
                     site->settings.name,
                     "token",
                     token,
                     "token_life_s",
                     (json_int_t)(DEVICE_TOKEN_US / US_PER_S),
                     "is_unknown_computer",
                     (int)db_get_bool(&rows, 1));
    return *ret ? TRACE(put_assignments(site, device_id, *ret)) : ERR(-ENOMEM);
}

/* It has the key that it wants to be known by, and says so of this ticket and address. */
static int prove(struct site *site, const json_t *body, struct newcomer *ret)
{
    const char *ticket = field_text(body, "ticket", "");
    char subject[SUBJECT_MAX];
    int r;

    (void)snprintf(subject, sizeof(subject), "%s %s", ticket, field_text(body, "boot_mac", ""));
    r = device_key_prove(
        site, json_object_get(body, "key"), PROOF_REGISTRATION, subject, ret->public_half);
    if (r == 0)
        r = tpm_key_prove(site, body, ret->tpm_key);
    return r == 0 ? TRACE(access_hash_token(ticket, ret->ticket_hash)) : TRACE(r);
}

/* The answer got lost, and is given again. @ret: the device; "": its first registration with this key */
static int
find_repeated(struct site *site, const struct newcomer *who, char ret[static ACCESS_DEVICE_ID_MAX])
{
    char ticket_hash[SHA256_TEXT_MAX];
    int r = device_key_find(site, who->public_half, ret, ticket_hash);

    if (r < 0 || !ret[0] || strcmp(ticket_hash, who->ticket_hash) == 0)
        return TRACE(r);
    return refuse(site,
                  REFUSAL_DEVICE_KEY,
                  "The key was registered with another boot ticket, or more than ten minutes ago. "
                  "Start the device again from the network.");
}

static int
take(struct site *site, const json_t *body, const char *facts, struct newcomer *who, char *device)
{
    int r = admit(site, body, who->mac);

    if (r == 0)
        r = device_register(site, who->mac, who->tpm_key, body, device);
    if (r == 0)
        r = machine_facts_keep(site, device, facts);
    if (r == 0)
        r = device_check_open(site, device);
    if (r == 0)
        r = device_key_add(site, device, who->public_half, who->ticket_hash);
    if (r == 0)
        r = note(site, who->mac);
    if (r == 0 && strcmp(field_text(body, "environment", ""), "boot-image") == 0)
        r = order_at_registration(site, device, field_text(body, "boot_image", ""));
    return TRACE(r);
}

/* Said once a while for each TPM, as nothing else of such a registration is kept, nor its challenge used. */
static int conflict_is_known(struct site *site, const char *device, const char *detail, bool *ret)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    uint64_t since_us = site->now_us > CONFLICT_AGAIN_US ? site->now_us - CONFLICT_AGAIN_US : 0;
    int r = db_first(site->db,
                     SQL_DEVICE_TPM_CONFLICT_IS_KNOWN,
                     DB_ARGS(db_text(device), db_u64(since_us), db_text(detail)),
                     &rows);

    *ret = r == DB_ROW;
    return r < 0 ? TRACE(r) : 0;
}

static int note_conflict(struct site *site, const struct newcomer *who)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char detail[SHA256_TEXT_MAX + 64];
    bool is_known = false;
    int r = db_begin(site->db, &tx);

    (void)snprintf(
        detail, sizeof(detail), "A computer with the TPM key %s registered as it.", who->tpm_key);
    if (r == 0)
        r = conflict_is_known(site, who->device_id, detail, &is_known);
    if (r < 0 || is_known)
        return TRACE(r);
    r = site_audit(site, who->device_id, "device.tpm-conflict", who->device_id, detail);
    if (r == 0)
        r = boot_event_add(
            site,
            &(struct boot_event){
                who->mac,
                "refused",
                "",
                "",
                "",
                "",
                "The registration was refused: the device had another TPM before (SLW-0254).",
                NULL});
    return r < 0 ? TRACE(r) : TRACE(db_commit(&tx));
}

static int take_in(struct site *site, const json_t *body, struct newcomer *who, json_t **ret)
{
    OWN(db_rollbackp) struct db *tx = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(freep) char *facts = NULL;
    int r = check_body(site, body);

    if (r == 0)
        r = machine_facts_check(site, body, &facts);
    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = prove(site, body, who);
    if (r == 0)
        r = find_repeated(site, who, who->device_id);
    if (r == 0)
        r = who->device_id[0] ? device_check_open(site, who->device_id)
                              : take(site, body, facts, who, who->device_id);
    if (r == 0)
        r = put_answer(site, who->device_id, who, &answer);
    if (r != 0)
        return TRACE(r);
    *ret = TAKE(answer);
    return TRACE(db_commit(&tx));
}

int registration_take(struct site *site, const json_t *body, json_t **ret)
{
    struct newcomer who = {.mac = ""};
    int r = take_in(site, body, &who, ret);
    int s = 0;

    if (r == SITE_E_REFUSED && site->refusal.id == REFUSAL_TPM_KEY)
        s = note_conflict(site, &who);
    return s < 0 ? TRACE(s) : TRACE(r);
}
