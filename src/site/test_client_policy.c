/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/client_policy.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/restore.h"
#include "format/proof/proof.h"
#include "plat/clock.h"
#include "plat/random.h"
#include "plat/signature.h"
#include "site/access.h"
#include "site/boot_target.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/deployment.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/device_key.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/maintenance_window.h"
#include "site/order.h"
#include "site/order_wish.h"
#include "site/task_sequence.h"

#define DAY_US (UINT64_C(24) * 60 * FIXTURE_MINUTE_US)

#define SEQUENCE \
    "<sequence version='3.10'><step type='SMS_TaskSequence_RunCommandLineAction' name='run'><defaultVarList>" \
    "<variable name='CommandLine' property='CommandLine'>true</variable></defaultVarList></step></sequence>"

struct computer {
    uint8_t secret[SIGNATURE_KEY_BYTES];
    char mac[MAC_TEXT_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char token[TOKEN_TEXT_MAX];
};

/* It starts the boot image. */
static void register_anew(struct site *site, struct computer *pc)
{
    char ticket[TOKEN_TEXT_MAX];
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *body = NULL;

    random_bytes(pc->secret, sizeof(pc->secret));
    assert_int_equal(access_new_boot_ticket(site, pc->mac, ticket), 0);
    body = json_pack("{s:s,s:s,s:[s],s:s,s:{s:s},s:s}",
                     "ticket",
                     ticket,
                     "environment",
                     "boot-image",
                     "macs",
                     pc->mac,
                     "boot_mac",
                     pc->mac,
                     "smbios",
                     "uuid",
                     "",
                     "boot_image",
                     FIXTURE_BOOT_IMAGE);
    assert_int_equal(fixture_enlist(site, body, pc->secret, &answer), 0);
    (void)snprintf(pc->device, sizeof(pc->device), "%s", field_text(answer, "device_id", ""));
    (void)snprintf(pc->token, sizeof(pc->token), "%s", field_text(answer, "token", ""));
}

static struct computer known(struct site *site, const char *name, const char *mac)
{
    struct computer pc = {.device = ""};

    (void)snprintf(pc.mac, sizeof(pc.mac), "%s", mac);
    fixture_import(site, name, mac);
    register_anew(site, &pc);
    return pc;
}

/* Return: of device_token_renew() */
static int renew(struct site *site, struct computer *pc)
{
    OWN(json_freep) json_t *proof = fixture_prove(site, pc->secret, PROOF_TOKEN, pc->device);
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:O}", "device_id", pc->device, "key", proof);
    OWN(json_freep) json_t *answer = NULL;
    int r = device_token_renew(site, body, &answer);

    if (r == 0)
        (void)snprintf(pc->token, sizeof(pc->token), "%s", field_text(answer, "token", ""));
    return r;
}

/* Return: of client_policy_inventory() */
static int tell(struct site *site, const struct computer *pc, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;
    int r = client_policy_inventory(site, pc->device, pc->token, body, &answer);

    if (r == 0)
        assert_int_equal(field_number(answer, "poll_s", 0), 3600);
    return r;
}

#define INVENTORY "{'environment': 'full-os', 'smbios': {'serial': 'S-1', 'manufacturer': 'LAB'}}"

/* A task sequence of commands alone, and one deployment of it to All Systems. @terms: JSON with single quotes */
static void deploy(struct site *site, const char *terms, char ret[static SITE_ID_MAX])
{
    OWN(json_freep) json_t *sequence = NULL;
    OWN(json_freep) json_t *deployment = NULL;
    OWN(json_freep) json_t *body = fixture_json(terms);
    static unsigned n;
    OWN(json_freep)
    json_t *sequence_body =
        json_pack("{s:o,s:s}", "name", json_sprintf("Run %u", ++n), "xml", SEQUENCE);

    assert_int_equal(task_sequence_create(site, "test", sequence_body, &sequence), 0);
    (void)json_object_set(body, "task_sequence_id", json_object_get(sequence, "id"));
    (void)json_object_set_new(body, "collection", json_string("All Systems"));
    assert_int_equal(deployment_create(site, "test", body, &deployment), 0);
    (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(deployment, "id", ""));
}

/* What the client is given. @wanted: NULL: what is due. @ret: the deployment; "": nothing. Return: of client_policy_begin() */
static int
ask(struct site *site, const struct computer *pc, const char *wanted, char ret[static SITE_ID_MAX])
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s*}", "environment", "full-os", "deployment_id", wanted);
    OWN(json_freep) json_t *order = NULL;
    bool is_there = false;
    int r = client_policy_begin(site, pc->device, body, &is_there);

    ret[0] = '\0';
    if (r != 0 || !is_there)
        return r;
    assert_int_equal(
        order_get(site, pc->device, &(struct order_client){.host = "10.77.0.1"}, &order), 0);
    (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(order, "deployment_id", ""));
    return 0;
}

static void assert_given(struct site *site, const struct computer *pc, const char *deployment)
{
    char given[SITE_ID_MAX];

    assert_int_equal(ask(site, pc, NULL, given), 0);
    assert_string_equal(given, deployment);
}

/* The computer has done what it was given. */
static void succeed(struct site *site, const struct computer *pc)
{
    char order[UUID_TEXT_MAX];

    (void)fixture_order(site, pc->device, order);
    assert_int_equal(fixture_report(site, pc->device, order, 1, "started", "full-os"), 0);
    assert_int_equal(fixture_report(site, pc->device, order, 2, "succeeded", "full-os"), 0);
}

/* What explain says to a deployment. */
static void
assert_verdict(struct site *site, const struct computer *pc, const char *id, const char *verdict)
{
    OWN(json_freep) json_t *answer = NULL;
    const json_t *item;
    size_t i;

    assert_int_equal(client_policy_explain(site, pc->device, &answer), 0);
    json_array_foreach(json_object_get(answer, "deployments"),
                       i,
                       item) if (strcmp(field_text(item, "deployment_id", ""), id) == 0)
    {
        assert_string_equal(field_text(item, "verdict", ""), verdict);
        return;
    }
    fail_msg("%s is not explained", id);
}

static bool is_client(struct site *site, const struct computer *pc)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(client_policy_explain(site, pc->device, &answer), 0);
    return field_bool(answer, "is_client");
}

static void who_tells_what_it_is_has_a_key_for_a_year_from_then_on(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    struct computer other = known(site, "PC-2", "52:54:00:77:00:02");

    assert_false(is_client(site, &pc));
    assert_int_equal(tell(site, &pc, INVENTORY), 0);
    assert_true(is_client(site, &pc));
    for (unsigned i = 0; i < 3; i++) {
        fixture_wait(site, 300 * DAY_US);
        assert_int_equal(renew(site, &pc), 0);
        assert_int_equal(tell(site, &pc, INVENTORY), 0);
    }
    assert_int_equal(renew(site, &other), SITE_E_REFUSED);
    fixture_wait(site, CLIENT_KEY_US);
    assert_int_equal(renew(site, &pc), SITE_E_REFUSED);
    assert_false(is_client(site, &pc));
}

static void a_new_system_takes_the_place_of_the_old_one_and_of_no_other(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer old = known(site, "PC-1", FIXTURE_MAC);
    struct computer other = known(site, "PC-2", "52:54:00:77:00:02");
    struct computer new = old;

    assert_int_equal(tell(site, &old, INVENTORY), 0);
    assert_int_equal(tell(site, &other, INVENTORY), 0);
    for (unsigned i = 0; i < 2 * DEVICE_KEYS_MAX; i++) { /* nobody takes it away by registering */
        fixture_wait(site, 1);
        register_anew(site, &new);
    }
    assert_int_equal(renew(site, &old), 0);
    assert_int_equal(tell(site, &new, INVENTORY), 0);
    assert_int_equal(renew(site, &old), SITE_E_REFUSED);
    assert_int_equal(renew(site, &new), 0);
    assert_int_equal(renew(site, &other), 0);
}

static void a_key_of_an_order_in_progress_is_that_orders_alone(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char deployment[SITE_ID_MAX];
    char given[SITE_ID_MAX];
    struct computer pc = {.mac = FIXTURE_MAC};

    fixture_import(site, "PC-1", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    register_anew(site, &pc);
    assert_int_equal(tell(site, &pc, INVENTORY), 0);
    assert_false(is_client(site, &pc));
    /* what was begun in the boot image is not given to the system on the disk */
    assert_given(site, &pc, "");
    assert_int_equal(ask(site, &pc, deployment, given), SITE_E_REFUSED);
    succeed(site, &pc);
    assert_int_equal(tell(site, &pc, INVENTORY), 0);
    assert_true(is_client(site, &pc));
}

static void blocking_ends_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    OWN(json_freep) json_t *body = fixture_json("{'is_blocked': true}");
    OWN(json_freep) json_t *device = NULL;
    char given[SITE_ID_MAX];

    assert_int_equal(tell(site, &pc, INVENTORY), 0);
    assert_int_equal(device_change(site, "test", pc.device, body, &device), 0);
    assert_int_equal(renew(site, &pc), SITE_E_REFUSED);
    assert_int_equal(tell(site, &pc, INVENTORY), SITE_E_REFUSED);
    assert_int_equal(ask(site, &pc, NULL, given), SITE_E_REFUSED);
    assert_false(is_client(site, &pc));
}

static void an_inventory_is_kept_and_takes_nothing_from_another_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    struct computer other = known(site, "PC-2", "52:54:00:77:00:02");
    OWN(json_freep) json_t *device = NULL;
    char found[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(tell(site,
                          &pc,
                          "{'environment': 'full-os', 'macs': ['52:54:00:77:00:02'],"
                          " 'boot_mac': '52:54:00:77:00:02', 'agent_version': '7',"
                          " 'smbios': {'uuid': '" FIXTURE_UUID
                          "', 'model': 'M-1', 'serial': 'S-1'}}"),
                     0);
    assert_int_equal(device_get(site, pc.device, &device), 0);
    assert_string_equal(
        field_text(json_object_get(json_object_get(device, "inventory"), "smbios"), "model", ""),
        "M-1");
    assert_string_equal(
        field_text(json_object_get(json_object_get(device, "inventory"), "smbios"), "serial", ""),
        "S-1");
    assert_int_equal(device_find(site, "52:54:00:77:00:02", found), 0);
    assert_string_equal(found, other.device);
    assert_int_equal(device_find(site, FIXTURE_UUID, found), SITE_E_REFUSED);
    assert_int_equal(tell(site, &pc, "{'environment': 'boot-image', 'smbios': {}}"),
                     SITE_E_REFUSED);
    assert_int_equal(tell(site, &pc, "{'environment': 'full-os'}"), SITE_E_REFUSED);
}

static void what_is_due_for_clients_is_begun_one_after_the_other(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    char first[SITE_ID_MAX] = "";
    char second[SITE_ID_MAX] = "";
    char media[SITE_ID_MAX] = "";
    char offered[SITE_ID_MAX] = "";

    deploy(site, "{'purpose': 'required', 'make_available_to': 'clients'}", first);
    deploy(site, "{'purpose': 'required', 'make_available_to': 'media-and-pxe'}", media);
    deploy(site, "{'purpose': 'available', 'make_available_to': 'clients'}", offered);
    fixture_wait(site, FIXTURE_MINUTE_US);
    deploy(
        site, "{'purpose': 'required', 'make_available_to': 'clients', 'priority': 'low'}", second);
    assert_given(site, &pc, first);
    assert_given(site, &pc, first); /* the answer got lost: the same one */
    assert_false(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
    succeed(site, &pc);
    /* it was due before the first began, and wipes nothing of what that made */
    assert_given(site, &pc, second);
    succeed(site, &pc);
    assert_given(site, &pc, "");
    assert_verdict(site, &pc, first, "succeeded-already");
    assert_verdict(site, &pc, media, "media-and-pxe-only");
    assert_verdict(site, &pc, offered, "open");
}

static void a_deadline_to_come_is_waited_for_unless_somebody_there_begins(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    char at[CLOCK_TEXT_MAX];
    char terms[256];
    char later[SITE_ID_MAX] = "";
    char given[SITE_ID_MAX];

    clock_put_rfc3339(at, site->now_us + 60 * FIXTURE_MINUTE_US);
    (void)snprintf(
        terms,
        sizeof(terms),
        "{'purpose': 'required', 'make_available_to': 'clients', 'assignments': [{'start': '%.19sZ'}]}",
        at);
    deploy(site, terms, later);
    assert_given(site, &pc, "");
    assert_verdict(site, &pc, later, "not-yet-due");
    assert_int_equal(ask(site, &pc, "SLP29999", given), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CLIENT_DEPLOYMENT);
    assert_int_equal(ask(site, &pc, later, given), 0);
    assert_string_equal(given, later);
    succeed(site, &pc);
    fixture_wait(site, 30 * FIXTURE_MINUTE_US);
    assert_given(site, &pc, "");
}

static void a_window_holds_back_what_nobody_there_begins(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    OWN(json_freep) json_t *collection = fixture_json("{'name': 'Lab'}");
    OWN(json_freep) json_t *rule = fixture_json("{'type': 'direct', 'device': 'PC-1'}");
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *added = NULL;
    OWN(json_freep) json_t *window = NULL;
    OWN(json_freep) json_t *answer = NULL;
    char at[CLOCK_TEXT_MAX];
    char text[160];
    char due[SITE_ID_MAX] = "";
    char given[SITE_ID_MAX];

    clock_put_rfc3339(at, site->now_us + 60 * FIXTURE_MINUTE_US);
    (void)snprintf(text,
                   sizeof(text),
                   "{'name': 'Night', 'schedule': {'start': '%.19sZ', 'duration_min': 120}}",
                   at);
    window = fixture_json(text);
    assert_int_equal(collection_create(site, "test", collection, &made), 0);
    assert_int_equal(collection_rule_add(site, "test", "Lab", rule, &added), 0);
    assert_int_equal(maintenance_window_set(site, "test", "Lab", window, &answer), 0);
    deploy(site, "{'purpose': 'required', 'make_available_to': 'clients', 'rerun': 'never'}", due);
    assert_given(site, &pc, "");
    assert_verdict(site, &pc, due, "outside-window");
    fixture_wait(site, 61 * FIXTURE_MINUTE_US);
    assert_verdict(site, &pc, due, "open");
    fixture_wait(site, 121 * FIXTURE_MINUTE_US);
    assert_given(site, &pc, "");
    assert_int_equal(ask(site, &pc, due, given), 0);
    assert_string_equal(given, due);
}

static void what_wipes_is_not_begun_over_what_a_later_run_has_made(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    char first[SITE_ID_MAX];
    char second[SITE_ID_MAX];
    char command[SITE_ID_MAX] = "";

    fixture_deploy(site, "All Systems", "required", first);
    fixture_wait(site, FIXTURE_MINUTE_US);
    fixture_deploy(site, "All Systems", "required", second);
    deploy(site,
           "{'purpose': 'required', 'make_available_to': 'clients', 'priority': 'high'}",
           command);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_given(site, &pc, command);
    succeed(site, &pc);
    /* a command that was run before hinders nobody */
    assert_given(site, &pc, second);
    succeed(site, &pc);
    assert_given(site, &pc, "");
    assert_verdict(site, &pc, first, "superseded");
}

static void
a_command_that_a_client_ran_keeps_no_image_from_who_starts_from_the_network(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    char image[SITE_ID_MAX];
    char command[SITE_ID_MAX] = "";

    fixture_deploy(site, "All Systems", "required", image);
    deploy(site,
           "{'purpose': 'required', 'make_available_to': 'clients', 'priority': 'high'}",
           command);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_given(site, &pc, command);
    succeed(site, &pc);
    assert_true(fixture_ask(site, FIXTURE_MAC, 7).is_offer);
}

/* Whether it has ended since, the backup does not know. */
static void after_a_restore_a_client_is_not_given_its_order_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *shown = NULL;
    struct computer pc = known(site, "PC-1", FIXTURE_MAC);
    char command[SITE_ID_MAX] = "";
    uint64_t n = 0;

    deploy(site, "{'purpose': 'required', 'make_available_to': 'clients'}", command);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_given(site, &pc, command);
    assert_int_equal(db_hold(site->db, site->now_us, &n), 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_given(site, &pc, "");
    assert_verdict(site, &pc, command, "failed-already");
    shown = fixture_progress(site, command);
    assert_string_equal(field_text(shown, "state", ""), "failed");
    assert_string_equal(field_text(shown, "error_id", ""), SITE_ERROR_SILENT);
    assert_given(site, &pc, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_tells_what_it_is_has_a_key_for_a_year_from_then_on),
        cmocka_unit_test(a_new_system_takes_the_place_of_the_old_one_and_of_no_other),
        cmocka_unit_test(a_key_of_an_order_in_progress_is_that_orders_alone),
        cmocka_unit_test(blocking_ends_it),
        cmocka_unit_test(an_inventory_is_kept_and_takes_nothing_from_another_device),
        cmocka_unit_test(what_is_due_for_clients_is_begun_one_after_the_other),
        cmocka_unit_test(a_deadline_to_come_is_waited_for_unless_somebody_there_begins),
        cmocka_unit_test(a_window_holds_back_what_nobody_there_begins),
        cmocka_unit_test(what_wipes_is_not_begun_over_what_a_later_run_has_made),
        cmocka_unit_test(
            a_command_that_a_client_ran_keeps_no_image_from_who_starts_from_the_network),
        cmocka_unit_test(after_a_restore_a_client_is_not_given_its_order_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
