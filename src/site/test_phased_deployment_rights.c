/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/phased_deployment.h"

#include <string.h>

#include "db/db.h"
#include "site/audit.h"
#include "site/deployment.h"
#include "site/permission.h"
#include "site/security_role.h"
#include "site/test_phased.h"

#define SOMEBODY "AD00099"
#define ALL      "SLP00ALL"
#define DEPLOYER "'deployment.read', 'deployment.create', 'deployment.modify', "

/* Give somebody a role of these permissions for a collection or a scope. */
static void permit(struct site *site, const char *role, const char *words, const char *target)
{
    OWN(json_freep) json_t *list = fixture_json(words);
    OWN(json_freep) json_t *body = json_pack("{s:s, s:O}", "name", role, "permissions", list);
    OWN(json_freep) json_t *made = NULL;
    char id[SITE_ID_MAX];

    principal_clear(site);
    assert_int_equal(security_role_create(site, "test", body, &made), 0);
    if (strcmp(target, ALL) == 0)
        (void)snprintf(id, sizeof(id), "%s", ALL);
    else
        assert_int_equal(collection_find(site, target, id), 0);
    assert_int_equal(
        db_must(site->db,
                SQL_ADMINISTRATOR_GRANT_ADD,
                DB_ARGS(db_text(SOMEBODY), db_text(field_text(made, "id", "")), db_text(id))),
        0);
}

/* The site with Few and Many, and somebody who is granted nothing. */
static struct site *site_with_somebody(void)
{
    struct site *site = site_new();

    assert_true(
        db_run(site->db,
               SQL_ADMINISTRATOR_ADD,
               DB_ARGS(db_text(SOMEBODY), db_text("somebody"), db_text(""), db_u64(site->now_us)),
               NULL) >= 0);
    return site;
}

static void be_somebody(struct site *site)
{
    struct principal somebody = {.id = SOMEBODY, .name = "somebody", .permissions = "*"};

    principal_set(site, &somebody);
}

static void expect_nothing_made(struct site *site)
{
    const struct page page = {.after = "", .limit = 100};
    OWN(json_freep) json_t *deployments = NULL;
    OWN(json_freep) json_t *phased = NULL;

    principal_clear(site);
    assert_int_equal(deployment_list(site, &page, &deployments), 0);
    assert_int_equal(json_array_size(json_object_get(deployments, "items")), 0);
    assert_int_equal(phased_deployment_list(site, &page, &phased), 0);
    assert_int_equal(json_array_size(json_object_get(phased, "items")), 0);
}

/* Of the scope that all things without one are in. */
static void permit_sequences(struct site *site, const char *words)
{
    permit(site, "Sequences", words, ALL);
}

static void it_is_made_by_who_may_deploy_to_all_its_collections(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_with_somebody();

    permit_sequences(site, "['task-sequence.*']");
    permit(site, "Deployer", "[" DEPLOYER "'collection.*']", "Few");
    permit(site, "Viewer", "['collection.read', 'deployment.read']", "Many");
    be_somebody(site);
    assert_int_equal(create(site, TWO), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    assert_non_null(strstr(site->refusal.detail, "collection.deploy"));
    expect_nothing_made(site);
    permit(site, "Deployer too", "[" DEPLOYER "'collection.*']", "Many");
    be_somebody(site);
    assert_int_equal(create(site, TWO), 0);
}

static void who_could_not_see_what_he_makes_makes_nothing(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_with_somebody();
    OWN(json_freep) json_t *body = NULL;
    OWN(json_freep) json_t *answer = NULL;

    permit_sequences(site, "['task-sequence.*']");
    permit(site, "Deployer", "[" DEPLOYER "'collection.*']", "Few");
    permit(site, "Blind", "['collection.*', 'deployment.create']", "Many");
    be_somebody(site);
    assert_int_equal(create(site, TWO), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    assert_non_null(strstr(site->refusal.detail, "deployment.read"));
    expect_nothing_made(site);
    body = json_pack("{s:s, s:s, s:s}",
                     "task_sequence_id",
                     FIXTURE_SEQUENCE,
                     "collection",
                     "Many",
                     "purpose",
                     "available");
    be_somebody(site);
    assert_int_equal(deployment_create(site, "somebody", body, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    expect_nothing_made(site);
}

static size_t n_items(const json_t *list)
{
    return json_array_size(json_object_get(list, "items"));
}

static void who_may_not_see_all_its_collections_does_not_see_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_with_somebody();
    OWN(json_freep) json_t *whole = NULL;
    OWN(json_freep) json_t *shown = NULL;
    OWN(json_freep) json_t *none = NULL;
    OWN(json_freep) json_t *listed = NULL;
    OWN(json_freep) json_t *changed = NULL;
    const struct page page = {.after = "", .limit = 100, .is_log = true};
    char first[SITE_ID_MAX];

    assert_int_equal(create(site, TWO), 0);
    deployment_of(site, 1, first);
    run(site, FIXTURE_MAC, "failed");
    fixture_wait(site, FIXTURE_MINUTE_US); /* the second phase is stalled, with an alert */
    assert_int_equal(deployment_get(site, first, &whole), 0);
    assert_string_not_equal(field_text(whole, "phased_deployment_id", ""), "");
    permit(site, "Reader", "['*.read']", "Few");
    permit(site, "Deployer", "[" DEPLOYER "'collection.*']", "Few");
    be_somebody(site);
    assert_int_equal(deployment_get(site, first, &shown), 0);
    assert_string_equal(field_text(shown, "phased_deployment_id", ""), "");
    assert_int_equal(phased_deployment_get(site, "Roll out", &none), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(phased_deployment_list(site, &page, &listed), 0);
    assert_int_equal(n_items(listed), 0);
    assert_int_equal(n_alerts(site, NULL), 0);
    assert_int_equal(phased_deployment_suspend(site, "somebody", "Roll out", true, &changed),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(phased_deployment_delete(site, "somebody", "Roll out"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    permit(site, "Reader too", "['*.read']", "Many");
    be_somebody(site);
    json_decref(listed);
    listed = NULL;
    assert_int_equal(phased_deployment_list(site, &page, &listed), 0);
    assert_int_equal(n_items(listed), 1);
    assert_int_equal(n_alerts(site, NULL), 1);
}

/* A phase is a deployment like any other, so who begins one could have made it. */
static void the_next_phase_is_begun_by_who_could_deploy_it(void **state)
{
    static const struct {
        const char *many;
        const char *sequences;
        const char *missing;
    } table[] = {
        {"'collection.read'", "'task-sequence.*'", "collection.deploy"},
        {"'collection.*'", "'task-sequence.read'", "task-sequence.deploy"},
        {"'collection.*'", "'task-sequence.*'", NULL},
    };
    (void)state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        OWN(fixture_freep) struct site *site = site_with_somebody();
        char words[256];

        assert_int_equal(create(site, TWO), 0);
        permit(site, "In Few", "[" DEPLOYER "'collection.*']", "Few");
        (void)snprintf(words, sizeof(words), "[" DEPLOYER "%s]", table[i].many);
        permit(site, "In Many", words, "Many");
        (void)snprintf(words, sizeof(words), "[%s]", table[i].sequences);
        permit_sequences(site, words);
        be_somebody(site);
        if (!table[i].missing) {
            assert_int_equal(next(site, "{'phase': 'Rest'}"), 0);
            continue;
        }
        assert_int_equal(next(site, "{'phase': 'Rest'}"), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
        assert_non_null(strstr(site->refusal.detail, table[i].missing));
        principal_clear(site);
        expect_phase(site,
                     2,
                     "waiting",
                     "The phase \"Pilot\" must have succeeded on 95 per cent of its devices.");
    }
}

static void who_may_change_deployments_and_make_none_begins_none(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_with_somebody();
    static const char changes[] = "['deployment.read', 'deployment.modify', 'collection.*']";

    assert_int_equal(create(site, TWO), 0);
    permit(site, "In Few", changes, "Few");
    permit(site, "In Many", changes, "Many");
    permit_sequences(site, "['task-sequence.*']");
    be_somebody(site);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FORBIDDEN);
    assert_non_null(strstr(site->refusal.detail, "deployment.create"));
}

/* The record of this action; owned by the caller. */
static json_t *record_of(struct site *site, const char *action)
{
    const struct page page = {.after = "0", .limit = 1000, .is_log = true};
    OWN(json_freep) json_t *log = NULL;
    json_t *found = NULL;
    size_t i;
    json_t *record;

    principal_clear(site);
    assert_int_equal(audit_list(site, "", &page, &log), 0);
    json_array_foreach(json_object_get(log, "items"), i, record)
    {
        if (strcmp(field_text(record, "action", ""), action) == 0)
            found = record;
    }
    assert_non_null(found);
    return json_incref(found);
}

/* What a record says of the state before or after. Return: owned by the caller; NULL: nothing */
static json_t *state_in(const json_t *record, const char *member)
{
    return json_loads(field_text(record, member, ""), 0, NULL);
}

static void the_audit_log_has_what_was_made_and_no_other_thing(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = site_with_somebody();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *after = NULL;
    OWN(json_freep) json_t *second = NULL;
    OWN(json_freep) json_t *second_after = NULL;
    OWN(json_freep) json_t *begun = NULL;
    OWN(json_freep) json_t *was = NULL;
    char id[PRINCIPAL_OBJECT_MAX];

    permit(site, "Everything", "['*.*']", ALL);
    be_somebody(site);
    site->principal.operation = permission_of_route("POST", "/api/v1/phased-deployments");
    assert_non_null(site->principal.operation);
    assert_int_equal(create(site, TWO), 0);
    made = record_of(site, "phased-deployment.create");
    assert_null(state_in(made, "before"));
    after = state_in(made, "after");
    assert_string_equal(field_text(after, "name", ""), "Roll out");
    assert_int_equal(json_array_size(json_object_get(after, "phases")), 2);

    be_somebody(site);
    site->principal.operation =
        permission_of_route("POST", "/api/v1/phased-deployments/{id}/next-phase");
    assert_int_equal(phased_deployment_find(site, "Roll out", id), 0);
    assert_int_equal(audit_before(site, "phased-deployment", id), 0);
    assert_int_equal(next(site, "{'phase': 'Rest'}"), 0);
    second = record_of(site, "deployment.create");
    assert_null(state_in(second, "before"));
    second_after = state_in(second, "after");
    assert_string_equal(field_text(second_after, "purpose", ""), "required");
    begun = record_of(site, "phased-deployment.begin");
    was = state_in(begun, "before");
    assert_string_equal(field_text(was, "id", ""), id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_made_by_who_may_deploy_to_all_its_collections),
        cmocka_unit_test(who_could_not_see_what_he_makes_makes_nothing),
        cmocka_unit_test(who_may_not_see_all_its_collections_does_not_see_it),
        cmocka_unit_test(the_next_phase_is_begun_by_who_could_deploy_it),
        cmocka_unit_test(who_may_change_deployments_and_make_none_begins_none),
        cmocka_unit_test(the_audit_log_has_what_was_made_and_no_other_thing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
