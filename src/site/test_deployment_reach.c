/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/deployment_reach.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/alert.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/deployment.h"
#include "site/deployment_change.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/rows.h"
#include "site/task_sequence.h"

#define RUN \
    "<sequence version='3.10'><step type='SMS_TaskSequence_RunCommandLineAction' name='run'>" \
    "<defaultVarList><variable name='CommandLine' property='CommandLine'>true</variable>" \
    "</defaultVarList></step></sequence>"
#define APPLY \
    "<sequence version='3.10'><step type='SMS_TaskSequence_ApplyOperatingSystemAction' name='Apply'>" \
    "<defaultVarList><variable name='ImagePackageID' property='ImagePackageID'>" FIXTURE_OS_IMAGE \
    "</variable><variable name='ImageIndex' property='ImageIndex'>1</variable></defaultVarList></step>" \
    "</sequence>"

static void put_into(struct site *site, const char *collection, const char *device)
{
    OWN(json_freep) json_t *body = json_pack("{s:s,s:s}", "type", "direct", "device", device);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(collection_rule_add(site, "test", collection, body, &answer), 0);
}

static void mac_of(unsigned i, char ret[static MAC_TEXT_MAX])
{
    (void)snprintf(ret, MAC_TEXT_MAX, "52:54:00:77:00:%02x", i);
}

/* Devices PC-1 to PC-4; PC-1 is in Lab, and Wide is all that Lab includes. One device is usual. */
static struct site *site_new(void)
{
    static const char *const names[] = {"Lab", "Wide"};
    struct site *site = fixture_new();

    for (unsigned i = 1; i <= 4; i++) {
        char mac[MAC_TEXT_MAX];
        char name[16];

        mac_of(i, mac);
        (void)snprintf(name, sizeof(name), "PC-%u", i);
        fixture_import(site, name, mac);
    }
    for (size_t i = 0; i < 2; i++) {
        OWN(json_freep) json_t *body = json_pack("{s:s}", "name", names[i]);
        OWN(json_freep) json_t *made = NULL;

        assert_int_equal(collection_create(site, "test", body, &made), 0);
    }
    put_into(site, "Lab", "PC-1");
    site->settings.deployment_usual_size = 1;
    return site;
}

static int deploy(struct site *site, const char *sequence, const char *terms, char *ret)
{
    OWN(json_freep) json_t *body = fixture_json(terms);
    OWN(json_freep) json_t *made = NULL;
    int r;

    (void)json_object_set_new(body, "task_sequence_id", json_string(sequence));
    (void)json_object_set_new(body, "collection", json_string("Lab"));
    r = deployment_create(site, "test", body, &made);
    if (r == 0)
        (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(made, "id", ""));
    return r;
}

/* As rule add and set --limiting do; @ret: what the answer says of deployments, owned by the caller */
static json_t *widen(struct site *site, const char *filter)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s,s:s}", "type", "query", "name", "all", "filter", filter);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(collection_rule_add(site, "test", "Lab", body, &answer), 0);
    return json_incref(json_object_get(answer, "reaching_more"));
}

static void narrow(struct site *site)
{
    assert_int_equal(collection_rule_remove(site, "test", "Lab", "query", "all"), 0);
}

static void assert_asked(struct site *site, unsigned device, const char *reason)
{
    char mac[MAC_TEXT_MAX];

    mac_of(device, mac);
    assert_string_equal(fixture_ask(site, mac, 7).reason, reason);
}

static int change(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return deployment_change(site, "test", id, body, &answer);
}

static void assert_shown(struct site *site, const char *id, uint64_t confirmed, bool is_confirmed)
{
    OWN(json_freep) json_t *shown = NULL;

    assert_int_equal(deployment_get(site, id, &shown), 0);
    assert_int_equal(field_number(shown, "confirmed_devices", 0), confirmed);
    assert_int_equal(field_bool(shown, "is_not_confirmed"), !is_confirmed);
}

/* The text of the alert that is active; "" if there is none. */
static void find_alert(struct site *site, char ret[static 512])
{
    const struct page page = {.after = "", .limit = 100, .is_log = true};
    OWN(json_freep) json_t *found = NULL;
    const json_t *items;

    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(site_tick(site), 0);
    assert_int_equal(alert_list(site, "active", &page, &found), 0);
    items = json_object_get(found, "items");
    ret[0] = '\0';
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *item = json_array_get(items, i);

        if (strcmp(field_text(item, "kind", ""), "deployment-not-confirmed") == 0)
            (void)snprintf(ret, 512, "%s", field_text(item, "text", ""));
    }
}

static void a_rule_that_brings_more_devices_than_were_confirmed_wipes_none(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *more = NULL;
    const json_t *first;
    char alert[512];
    char id[SITE_ID_MAX];

    assert_int_equal(deploy(site, FIXTURE_SEQUENCE, "{'purpose': 'required'}", id), 0);
    assert_shown(site, id, 1, true);
    assert_asked(site, 1, "required-deployment");
    more = widen(site, "name ne 'x'");
    assert_int_equal(json_array_size(more), 1);
    first = json_array_get(more, 0);
    assert_string_equal(field_text(first, "deployment_id", ""), id);
    assert_int_equal(field_number(first, "n_devices_before", 0), 1);
    assert_int_equal(field_number(first, "n_devices", 0), 4);
    assert_true(field_bool(first, "is_high_risk"));
    assert_true(field_bool(first, "is_not_confirmed"));
    assert_shown(site, id, 1, false);
    for (unsigned i = 1; i <= 4; i++)
        assert_asked(site, i, "not-confirmed");
    find_alert(site, alert);
    assert_non_null(strstr(alert, "has 4 devices"));
    assert_non_null(strstr(alert, "may begin on 1:"));
    /* with the number that they are, and no other */
    assert_int_equal(change(site, id, "{'is_disabled': false}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CONFIRM);
    assert_int_equal(change(site, id, "{'is_disabled': false, 'confirm_devices': 3}"),
                     SITE_E_REFUSED);
    assert_int_equal(change(site, id, "{'is_disabled': false, 'confirm_devices': 4}"), 0);
    assert_shown(site, id, 4, true);
    assert_asked(site, 4, "required-deployment");
    find_alert(site, alert);
    assert_string_equal(alert, "");
}

static void what_runs_goes_on_and_what_is_few_again_begins_again(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *more = NULL;
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    char id[SITE_ID_MAX];

    put_into(site, "Lab", "PC-2");
    assert_int_equal(
        deploy(site, FIXTURE_SEQUENCE, "{'purpose': 'required', 'confirm_devices': 2}", id), 0);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    more = widen(site, "name ne 'x'");
    assert_asked(site, 1, "order-in-progress");
    assert_asked(site, 2, "not-confirmed");
    narrow(site);
    assert_shown(site, id, 2, true);
    assert_asked(site, 2, "required-deployment");
}

static void what_asks_or_wipes_nothing_reaches_any_number(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep)
    json_t *body =
        json_pack("{s:s,s:s,s:s}", "name", "Run", "boot_image_id", FIXTURE_BOOT_IMAGE, "xml", RUN);
    OWN(json_freep) json_t *sequence = NULL;
    OWN(json_freep) json_t *more = NULL;
    char asks[SITE_ID_MAX];
    char harmless[SITE_ID_MAX];

    assert_int_equal(task_sequence_create(site, "test", body, &sequence), 0);
    assert_int_equal(deploy(site, FIXTURE_SEQUENCE, "{'purpose': 'available'}", asks), 0);
    assert_int_equal(
        deploy(site, field_text(sequence, "id", ""), "{'purpose': 'required'}", harmless), 0);
    more = widen(site, "name ne 'x'");
    assert_int_equal(json_array_size(more), 1);
    assert_false(field_bool(json_array_get(more, 0), "is_high_risk"));
    assert_asked(site, 3, "required-deployment");
}

static int store(struct site *site, const char *into, const char *xml, char ret[static SITE_ID_MAX])
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s}", "boot_image_id", FIXTURE_BOOT_IMAGE, "xml", xml);
    OWN(json_freep) json_t *made = NULL;
    int r;

    (void)json_object_set_new(body, into ? "into" : "name", json_string(into ? into : "Mixed"));
    r = task_sequence_create(site, "test", body, &made);
    if (r == 0)
        (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(made, "id", ""));
    return r;
}

static void a_sequence_that_is_edited_counts_as_what_it_is_now(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *more = NULL;
    char sequence[SITE_ID_MAX];
    char id[SITE_ID_MAX];

    assert_int_equal(store(site, NULL, RUN, sequence), 0);
    assert_int_equal(deploy(site, sequence, "{'purpose': 'required'}", id), 0);
    assert_int_equal(store(site, sequence, APPLY, sequence), 0);
    more = widen(site, "name ne 'x'");
    assert_asked(site, 3, "not-confirmed");
    /* at the site's next turn */
    assert_int_equal(store(site, sequence, RUN, sequence), 0);
    assert_int_equal(site_tick(site), 0);
    assert_asked(site, 3, "required-deployment");
}

static void a_collection_that_comes_by_another_one_is_told_too(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    OWN(json_freep) json_t *body = fixture_json("{'type': 'include', 'collection': 'Wide'}");
    OWN(json_freep) json_t *link = NULL;
    OWN(json_freep) json_t *rule = fixture_json("{'type': 'direct', 'device': 'PC-2'}");
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *limit = fixture_json("{'limiting': 'Wide'}");
    OWN(json_freep) json_t *limited = NULL;
    char id[SITE_ID_MAX];

    assert_int_equal(collection_rule_add(site, "test", "Lab", body, &link), 0);
    assert_int_equal(json_array_size(json_object_get(link, "reaching_more")), 0);
    assert_int_equal(deploy(site, FIXTURE_SEQUENCE, "{'purpose': 'required'}", id), 0);
    assert_int_equal(collection_rule_add(site, "test", "Wide", rule, &answer), 0);
    assert_int_equal(json_array_size(json_object_get(answer, "reaching_more")), 1);
    assert_asked(site, 2, "not-confirmed");
    /* fewer are no news */
    assert_int_equal(collection_rule_remove(site, "test", "Lab", "include", "Wide"), 0);
    assert_int_equal(collection_change(site, "test", "Lab", limit, &limited), 0);
    assert_int_equal(json_array_size(json_object_get(limited, "reaching_more")), 0);
}

static void nobody_has_to_count_unknown_computers(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_new();
    char device[ACCESS_DEVICE_ID_MAX];
    char id[SITE_ID_MAX];

    fixture_deploy(site, COLLECTION_ALL_UNKNOWN, "required", id);
    for (unsigned i = 0x21; i <= 0x23; i++) {
        char mac[MAC_TEXT_MAX];

        mac_of(i, mac);
        assert_true(fixture_ask(site, mac, 7).is_offer);
        assert_int_equal(fixture_register(site, mac, device), 0);
    }
    assert_shown(site, id, 0, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_that_brings_more_devices_than_were_confirmed_wipes_none),
        cmocka_unit_test(what_runs_goes_on_and_what_is_few_again_begins_again),
        cmocka_unit_test(what_asks_or_wipes_nothing_reaches_any_number),
        cmocka_unit_test(a_sequence_that_is_edited_counts_as_what_it_is_now),
        cmocka_unit_test(a_collection_that_comes_by_another_one_is_told_too),
        cmocka_unit_test(nobody_has_to_count_unknown_computers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
