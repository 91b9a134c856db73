/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What tests of wake on LAN have in common
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "plat/clock.h"
#include "site/boundary.h"
#include "site/collection.h"
#include "site/collection_rule.h"
#include "site/deployment.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/fixture_dp.h"
#include "site/job.h"
#include "site/wake_job.h"
#include "site/wake_on_lan.h"

#define SECOND_US UINT64_C(1000000)
#define ALL_SENT  "{'state': 'succeeded', 'result': {'failed': []}}"

/* A job that wakes. Return: owned by the caller; NULL if there is none. */
static inline json_t *take_job(struct site *site, const char *dp_id)
{
    json_t *kinds = json_pack("[s]", WAKE_JOB);
    json_t *job = NULL;

    assert_int_equal(dp_seen(site, dp_id, NULL), 0);
    assert_int_equal(job_claim(site, dp_id, kinds, &job), 0);
    json_decref(kinds);
    return job;
}

static inline int ask(struct site *site, const char *which)
{
    OWN(json_freep) json_t *answer = NULL;

    return wake_on_lan_ask(site, "test", which, &answer);
}

/* Whether the last line of its history is @action and says @text. */
static inline void
assert_history(struct site *site, const char *which, const char *action, const char *text)
{
    const struct page page = {.after = "0", .limit = 100, .is_log = true};
    OWN(json_freep) json_t *list = NULL;
    const json_t *items;
    const json_t *last;

    assert_int_equal(device_history(site, which, &page, &list), 0);
    items = json_object_get(list, "items");
    last = json_array_get(items, json_array_size(items) - 1);
    assert_string_equal(field_text(last, "action", ""), action);
    assert_non_null(strstr(field_text(last, "detail", ""), text));
}

static inline void assert_asleep(struct site *site)
{
    assert_null(take_job(site, JOB_OWN_DP));
}

/* "2026-11-22T22:00:00Z" so many minutes from now. */
static inline void
put_time(const struct site *site, uint64_t minutes, char ret[static CLOCK_TEXT_MAX])
{
    clock_put_rfc3339(ret, site->now_us + minutes * FIXTURE_MINUTE_US);
    (void)snprintf(ret + 19, CLOCK_TEXT_MAX - 19, "Z");
}

/* A required one that wakes. @assignment: JSON, owned; NULL: as soon as possible. @ret: room for SITE_ID_MAX */
static inline int deploy_to(
    struct site *site, const char *collection, json_t *assignment, const char *more, char *ret)
{
    OWN(json_freep) json_t *body = fixture_json(more);
    OWN(json_freep) json_t *made = NULL;
    int r;

    (void)json_object_set_new(body, "task_sequence_id", json_string(FIXTURE_SEQUENCE));
    (void)json_object_set_new(body, "collection", json_string(collection));
    (void)json_object_set_new(body, "is_wake_on_lan", json_true());
    if (assignment)
        (void)json_object_set_new(body, "assignments", json_pack("[o]", assignment));
    r = deployment_create(site, "test", body, &made);
    if (r == 0)
        (void)snprintf(ret, SITE_ID_MAX, "%s", field_text(made, "id", ""));
    return r;
}

static inline const json_t *target_of(const json_t *job, size_t i)
{
    return json_array_get(json_object_get(json_object_get(job, "args"), "targets"), i);
}

/* @nics: taken over */
static inline void register_with(struct site *site, const char *mac, json_t *nics)
{
    char ticket[TOKEN_TEXT_MAX];
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *body = NULL;

    assert_int_equal(access_new_boot_ticket(site, mac, ticket), 0);
    body = json_pack("{s:s,s:s,s:[s],s:s,s:{s:s},s:o}",
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
                     "nics",
                     nics);
    assert_int_equal(fixture_enlist(site, body, NULL, &answer), 0);
}

static inline void register_at(struct site *site, const char *mac, const char *address)
{
    register_with(site,
                  mac,
                  json_pack("[{s:s,s:s,s:[s]}]", "name", "eth0", "mac", mac, "addresses", address));
}

/* A collection with one device in it. */
static inline void add_collection(struct site *site, const char *name, const char *device)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *rule = json_pack("{s:s,s:s}", "type", "direct", "device", device);
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(collection_create(site, "test", body, &made), 0);
    assert_int_equal(collection_rule_add(site, "test", name, rule, &answer), 0);
}

static inline void add_group(struct site *site, const char *subnet, const char *dp)
{
    OWN(json_freep)
    json_t *boundary =
        json_pack("{s:s,s:s,s:s}", "name", "North", "kind", "ipv4-subnet", "value", subnet);
    OWN(json_freep) json_t *name = fixture_json("{'name': 'North'}");
    OWN(json_freep) json_t *in = fixture_json("{'boundary': 'North'}");
    OWN(json_freep) json_t *point = json_pack("{s:s}", "distribution_point", dp);
    json_t *made = NULL;

    assert_int_equal(boundary_create(site, "test", boundary, &made), 0);
    json_decref(made);
    assert_int_equal(boundary_group_create(site, "test", name, &made), 0);
    json_decref(made);
    assert_int_equal(boundary_group_add(site, "test", "North", BOUNDARY_PART_BOUNDARY, in, &made),
                     0);
    json_decref(made);
    assert_int_equal(boundary_group_add(site, "test", "North", BOUNDARY_PART_DP, point, &made), 0);
    json_decref(made);
}
