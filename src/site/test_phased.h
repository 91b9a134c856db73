/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What tests of phased deployments have in common
 */

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
#include "site/fields.h"
#include "site/fixture.h"
#include "site/phased_deployment.h"

#define DAY_US (UINT64_C(24) * 60 * FIXTURE_MINUTE_US)
#define MAC_2  "52:54:00:77:00:02"
#define TWO \
    "{'name': 'Roll out', 'phases': [{'name': 'Pilot', 'collection': 'Few'}, {'name': 'Rest', " \
    "'collection': 'Many'}]}"

static inline void add_member(struct site *site, const char *collection, const char *device)
{
    OWN(json_freep) json_t *body = json_pack("{s:s, s:s}", "type", "direct", "device", device);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(collection_rule_add(site, "test", collection, body, &answer), 0);
}

/* A device in each of the collections Few and Many. */
static inline struct site *site_new(void)
{
    static const char *const names[] = {"Few", "Many"};
    struct site *site = fixture_new();

    fixture_import(site, "A", FIXTURE_MAC);
    fixture_import(site, "B", MAC_2);
    for (size_t i = 0; i < 2; i++) {
        OWN(json_freep) json_t *body = json_pack("{s:s}", "name", names[i]);
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(collection_create(site, "test", body, &answer), 0);
        add_member(site, names[i], i == 0 ? "A" : "B");
    }
    return site;
}

static inline int create(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    if (!json_object_get(body, "task_sequence_id"))
        (void)json_object_set_new(body, "task_sequence_id", json_string(FIXTURE_SEQUENCE));
    return phased_deployment_create(site, "test", body, &answer);
}

/* A phase as it is shown; owned by the caller. */
static inline json_t *phase(struct site *site, size_t number)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(phased_deployment_get(site, "Roll out", &answer), 0);
    return json_incref(json_array_get(json_object_get(answer, "phases"), number - 1));
}

static inline void
expect_phase(struct site *site, size_t number, const char *state, const char *reason)
{
    OWN(json_freep) json_t *shown = phase(site, number);

    assert_string_equal(field_text(shown, "state", ""), state);
    assert_string_equal(field_text(shown, "reason", ""), reason);
}

static inline void deployment_of(struct site *site, size_t number, char ret[static SITE_ID_MAX])
{
    OWN(json_freep) json_t *shown = phase(site, number);

    (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(shown, "deployment_id", ""));
}

/* The device with this address runs what it has, and it ends so. */
static inline void run(struct site *site, const char *mac, const char *state)
{
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    assert_int_equal(fixture_register(site, mac, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, state, "full-os"), 0);
}

static inline int next(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return phased_deployment_next(site, "test", "Roll out", body, &answer);
}

/* Of this kind, in a state; NULL: in any. */
static inline size_t n_alerts(struct site *site, const char *state)
{
    const struct page page = {.after = "", .limit = 100, .is_log = true};
    OWN(json_freep) json_t *found = NULL;
    size_t n = 0;

    assert_int_equal(alert_list(site, state, &page, &found), 0);
    for (size_t i = 0; i < json_array_size(json_object_get(found, "items")); i++)
        n += strcmp(field_text(json_array_get(json_object_get(found, "items"), i), "kind", ""),
                    "phased-deployment") == 0;
    return n;
}
