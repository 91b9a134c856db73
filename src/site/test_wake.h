/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What tests of wake on LAN have in common
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
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
