/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Distribution points for the unit tests: they join, ask for work and say that it is done
 */

#include <jansson.h>
#include <stddef.h>

#include "site/distribution.h"
#include "site/fixture.h"

#define FIXTURE_DP_OTHER_SHA256 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

/* Reports of ends. */
#define FIXTURE_DP_DONE "{'state': 'succeeded', 'result': {'fetched_bytes': 7, 'present_bytes': 2}}"
#define FIXTURE_DP_DAMAGED \
    "{'state': 'succeeded', 'result': {'bad': [{'manifest': 'm', 'pack': 'p'}]}}"
#define FIXTURE_DP_FAILED "{'state': 'failed', 'error_id': 'SLW-0301', 'message': 'no pack'}"

/* Everything below asserts that it works, but for what returns an outcome. */

/* A host joins, with port 8080; its id is DP00002, DP00003, ... */
void fixture_dp_join(struct site *site, const char *name, const char *address);

/* Return: outcomes of distribution_add() and distribution_change(). */
int fixture_dp_distribute(struct site *site, const char *content, const char *targets);
int fixture_dp_change(struct site *site,
                      const char *content,
                      const char *dp,
                      enum distribution_verb verb);

/* It asks for work, as it does each second. Return: owned by the caller; NULL if there is none. */
json_t *fixture_dp_claim(struct site *site, const char *dp_id);

/* Return: outcome of job_report(). */
int fixture_dp_report(
    struct site *site, const char *dp_id, const json_t *job, const char *text, json_t **ret);
void fixture_dp_finish(struct site *site, const char *dp_id, const json_t *job, const char *text);

/* It claims a job, which must be of this kind, and ends it. */
void fixture_dp_work(struct site *site, const char *dp_id, const char *kind, const char *text);

/* How a content stands on it; owned by the caller, NULL if it was not distributed to it. */
json_t *fixture_dp_row(struct site *site, const char *content, const char *dp_id);
void fixture_dp_assert_state(struct site *site,
                             const char *content,
                             const char *dp_id,
                             const char *state);

/* Of a job; borrowed. */
const json_t *fixture_dp_args(const json_t *job);
const char *fixture_dp_source(const json_t *job, size_t i);

/* Another version of the fixture's OS image, imported. */
void fixture_dp_update(struct site *site, const char *manifest);
