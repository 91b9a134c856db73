/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/content_fixture.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/fields.h"
#include "site/job.h"

int fixture_create(struct site *site, enum content_kind kind, const char *text, char *ret_id)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *package = NULL;
    int r = content_create(site, kind, "test", body, &package);

    if (r == 0 && ret_id)
        (void)snprintf(ret_id, SITE_ID_MAX, "%s", field_text(package, "id", ""));
    return r;
}

void fixture_create_package(struct site *site, char ret_id[static SITE_ID_MAX])
{
    assert_int_equal(
        fixture_create(
            site, CONTENT_PACKAGE, "{'name': 'Tools', 'source_path': '/src/tools'}", ret_id),
        0);
    fixture_finish_job(site, TREE(SHA_A));
}

int fixture_update(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return content_update(site, "test", id, body, &answer);
}

int fixture_roll_back(struct site *site, const char *id, unsigned version)
{
    OWN(json_freep) json_t *body = json_pack("{s:i}", "version", (int)version);
    OWN(json_freep) json_t *answer = NULL;

    return content_rollback(site, "test", id, body, &answer);
}

int fixture_set(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return content_set(site, "test", id, body, &answer);
}

void fixture_assert_current(struct site *site, const char *id, unsigned version, const char *sha)
{
    OWN(json_freep) json_t *package = NULL;

    assert_int_equal(content_get(site, N_CONTENT_KINDS, id, &package), 0);
    assert_string_equal(field_text(package, "state", ""), "ready");
    assert_int_equal(field_number(package, "current_version", 0), version);
    assert_string_equal(field_text(package, "manifest", ""), sha);
}

void fixture_assert_version(struct site *site, const char *id, unsigned version, const char *state)
{
    OWN(json_freep) json_t *list = NULL;
    struct page page = {.after = "", .limit = 100};
    const json_t *item;

    assert_int_equal(content_versions(site, id, &page, &list), 0);
    item = json_array_get(json_object_get(list, "items"), version - 1);
    assert_int_equal(field_number(item, "version", 0), version);
    assert_string_equal(field_text(item, "state", ""), state);
}

/* The next job, which must be a removal. @ret: its manifests; owned by the caller. */
json_t *fixture_claim_removal(struct site *site, char ret_job[static UUID_TEXT_MAX])
{
    OWN(json_freep) json_t *job = NULL;

    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    assert_non_null(job);
    assert_string_equal(field_text(job, "kind", ""), "remove");
    (void)snprintf(ret_job, UUID_TEXT_MAX, "%s", field_text(job, "id", ""));
    return json_incref(json_object_get(json_object_get(job, "args"), "manifests"));
}

void fixture_assert_idle(struct site *site)
{
    OWN(json_freep) json_t *job = NULL;

    assert_int_equal(job_claim(site, JOB_OWN_DP, NULL, &job), 0);
    assert_null(job);
}
