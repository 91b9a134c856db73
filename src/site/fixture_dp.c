/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/fixture_dp.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/content.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/job.h"

void fixture_dp_join(struct site *site, const char *name, const char *address)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *token = NULL;
    OWN(json_freep) json_t *joined = NULL;
    OWN(json_freep) json_t *host = NULL;

    assert_int_equal(dp_create_token(site, "test", body, &token), 0);
    host = json_pack("{s:O,s:[s],s:i}",
                     "token",
                     json_object_get(token, "token"),
                     "addresses",
                     address,
                     "http_port",
                     8080);
    assert_int_equal(dp_join(site, host, "PEM", &joined), 0);
}

int fixture_dp_distribute(struct site *site, const char *content, const char *targets)
{
    OWN(json_freep) json_t *body = fixture_json(targets);
    OWN(json_freep) json_t *answer = NULL;

    return distribution_add(site, "test", content, body, &answer);
}

int fixture_dp_change(struct site *site,
                      const char *content,
                      const char *dp,
                      enum distribution_verb verb)
{
    OWN(json_freep) json_t *answer = NULL;

    return distribution_change(site, "test", content, dp, verb, &answer);
}

json_t *fixture_dp_claim(struct site *site, const char *dp_id)
{
    json_t *job = NULL;

    assert_int_equal(dp_seen(site, dp_id, NULL), 0);
    assert_int_equal(job_claim(site, dp_id, NULL, &job), 0);
    return job;
}

int fixture_dp_report(
    struct site *site, const char *dp_id, const json_t *job, const char *text, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(text);

    return job_report(site, dp_id, field_text(job, "id", ""), body, ret);
}

void fixture_dp_finish(struct site *site, const char *dp_id, const json_t *job, const char *text)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(fixture_dp_report(site, dp_id, job, text, &answer), 0);
}

void fixture_dp_work(struct site *site, const char *dp_id, const char *kind, const char *text)
{
    OWN(json_freep) json_t *job = fixture_dp_claim(site, dp_id);

    assert_non_null(job);
    assert_string_equal(field_text(job, "kind", ""), kind);
    fixture_dp_finish(site, dp_id, job, text);
}

json_t *fixture_dp_row(struct site *site, const char *content, const char *dp_id)
{
    OWN(json_freep) json_t *list = NULL;
    const json_t *items;

    assert_int_equal(distribution_list(site, content, &list), 0);
    items = json_object_get(list, "items");
    for (size_t i = 0; i < json_array_size(items); i++)
        if (strcmp(field_text(json_array_get(items, i), "distribution_point_id", ""), dp_id) == 0)
            return json_incref(json_array_get(items, i));
    return NULL;
}

void fixture_dp_assert_state(struct site *site,
                             const char *content,
                             const char *dp_id,
                             const char *state)
{
    OWN(json_freep) json_t *row = fixture_dp_row(site, content, dp_id);

    assert_non_null(row);
    assert_string_equal(field_text(row, "state", ""), state);
}

const json_t *fixture_dp_args(const json_t *job)
{
    return json_object_get(job, "args");
}

const char *fixture_dp_source(const json_t *job, size_t i)
{
    return json_string_value(json_array_get(json_object_get(fixture_dp_args(job), "sources"), i));
}

void fixture_dp_update(struct site *site, const char *manifest)
{
    OWN(json_freep) json_t *body = fixture_json("{'upload_id': 'u9'}");
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *job = NULL;
    OWN(json_freep) json_t *ended = NULL;
    OWN(json_freep)
    json_t *result = json_pack("{s:s,s:{s:[{s:i,s:i,s:s}]}}",
                               "state",
                               "succeeded",
                               "result",
                               "indexes",
                               "index",
                               1,
                               "size_bytes",
                               9,
                               "manifest",
                               manifest);

    assert_int_equal(content_update(site, "test", FIXTURE_OS_IMAGE, body, &answer), 0);
    job = fixture_dp_claim(site, DP_OWN_ID);
    assert_non_null(job);
    assert_int_equal(job_report(site, DP_OWN_ID, field_text(job, "id", ""), result, &ended), 0);
}
