/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boundary.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/boundary_sources.h"
#include "site/deployment_change.h"
#include "site/distribution.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture_dp.h"
#include "site/job.h"
#include "site/order.h"

#define NORTH_URL "http://10.78.0.1:8080"
#define SOUTH_URL "http://10.79.0.1:8080"
#define OWN_URL   "http://10.77.0.1"

static void bound(struct site *site, const char *name, const char *kind, const char *value)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:s,s:s}", "name", name, "kind", kind, "value", value);
    OWN(json_freep) json_t *boundary = NULL;

    assert_int_equal(boundary_create(site, "test", body, &boundary), 0);
}

static int add(struct site *site, const char *group, enum boundary_part part, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return boundary_group_add(site, "test", group, part, body, &answer);
}

/* A group with one boundary, of the same name, and one distribution point. */
static void group(struct site *site, const char *name, const char *subnet, const char *dp)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *boundary = json_pack("{s:s}", "boundary", name);
    OWN(json_freep) json_t *point = json_pack("{s:s}", "distribution_point", dp);
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *with_boundary = NULL;
    OWN(json_freep) json_t *with_point = NULL;

    bound(site, name, "ipv4-subnet", subnet);
    assert_int_equal(boundary_group_create(site, "test", body, &made), 0);
    assert_int_equal(
        boundary_group_add(site, "test", name, BOUNDARY_PART_BOUNDARY, boundary, &with_boundary),
        0);
    assert_int_equal(boundary_group_add(site, "test", name, BOUNDARY_PART_DP, point, &with_point),
                     0);
}

/* It asks for its work and has done it. */
static void copy_all(struct site *site, const char *dp_id)
{
    for (;;) {
        OWN(json_freep) json_t *job = NULL;
        OWN(json_freep) json_t *answer = NULL;
        OWN(json_freep) json_t *done = fixture_json("{'state': 'succeeded', 'result': {}}");

        assert_int_equal(dp_seen(site, dp_id, NULL), 0);
        assert_int_equal(job_claim(site, dp_id, NULL, &job), 0);
        if (!job)
            return;
        assert_int_equal(job_report(site, dp_id, field_text(job, "id", ""), done, &answer), 0);
    }
}

/* North and south, each with the OS image, in groups of their subnets. */
static struct site *two_branches(void)
{
    struct site *site = fixture_new();
    OWN(json_freep) json_t *targets = fixture_json("{'distribution_points': ['north', 'south']}");
    OWN(json_freep) json_t *answer = NULL;

    fixture_dp_join(site, "north", "10.78.0.1");
    fixture_dp_join(site, "south", "10.79.0.1");
    group(site, "North", "10.78.0.0/16", "north");
    group(site, "South", "10.79.0.0/16", "south");
    assert_int_equal(distribution_add(site, "test", FIXTURE_OS_IMAGE, targets, &answer), 0);
    copy_all(site, "DP00002");
    copy_all(site, "DP00003");
    return site;
}

static const struct boundary_reach everywhere = {
    .may_use_neighbours = true,
    .may_use_default_group = true,
};

/* As far as a deployment lets it look: URLs with spaces between them. */
static void assert_reached(struct site *site,
                           const char *address,
                           struct boundary_reach reach,
                           const char *wanted)
{
    OWN(json_freep) json_t *urls = NULL;
    struct boundary_sources *sources = NULL;
    char text[512] = "";

    assert_int_equal(boundary_sources_new(site, address, NULL, reach, &sources), 0);
    assert_int_equal(boundary_sources_of(sources, FIXTURE_OS_IMAGE, 1, &urls), 0);
    boundary_sources_free(sources);
    for (size_t i = 0; i < json_array_size(urls); i++) {
        size_t len = strlen(text);

        (void)snprintf(text + len,
                       sizeof(text) - len,
                       "%s%s",
                       i > 0 ? " " : "",
                       json_string_value(json_array_get(urls, i)));
    }
    assert_string_equal(text, wanted);
}

/* Where a client of this address gets the fixture's OS image. */
static void assert_sources(struct site *site, const char *address, const char *wanted)
{
    assert_reached(site, address, everywhere, wanted);
}

static void without_boundaries_everybody_is_served_by_the_site(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_sources(site, "10.1.2.3", OWN_URL);
    assert_sources(site, NULL, OWN_URL);
    assert_sources(site, "no address", OWN_URL);
}

static void a_client_is_served_by_its_group_and_at_last_by_the_site(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();

    assert_sources(site, "10.78.5.5", NORTH_URL " " OWN_URL);
    assert_sources(site, "10.79.5.5", SOUTH_URL " " OWN_URL);
    assert_sources(site, "10.80.5.5", OWN_URL);
}

static void a_client_is_in_all_groups_its_address_is_in(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();

    bound(site, "both", "ipv4-range", "10.78.9.0-10.78.9.255");
    assert_int_equal(add(site, "South", BOUNDARY_PART_BOUNDARY, "{'boundary': 'both'}"), 0);
    assert_sources(site, "10.78.9.1", NORTH_URL " " SOUTH_URL " " OWN_URL);
    assert_sources(site, "10.78.8.1", NORTH_URL " " OWN_URL);
}

static void neighbours_come_by_the_time_of_fallback_and_without_waiting(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();
    OWN(json_freep) json_t *name = fixture_json("{'name': 'West'}");
    OWN(json_freep) json_t *west = NULL;

    assert_int_equal(boundary_group_create(site, "test", name, &west), 0);
    bound(site, "w", "ipv6-prefix", "fd00:77::/64");
    assert_int_equal(add(site, "West", BOUNDARY_PART_BOUNDARY, "{'boundary': 'w'}"), 0);
    assert_sources(site, "fd00:77::5", OWN_URL);
    assert_int_equal(add(site, "West", BOUNDARY_PART_NEIGHBOUR, "{'boundary_group': 'North'}"), 0);
    assert_int_equal(add(site,
                         "West",
                         BOUNDARY_PART_NEIGHBOUR,
                         "{'boundary_group': 'South', 'fallback_minutes': 20}"),
                     0);
    assert_sources(site, "fd00:77::5", SOUTH_URL " " NORTH_URL " " OWN_URL);
    /* one way, and not over a neighbour's neighbour */
    assert_sources(site, "10.78.0.9", NORTH_URL " " OWN_URL);
}

static void never_is_never_also_for_the_default_group(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();

    assert_int_equal(add(site,
                         "North",
                         BOUNDARY_PART_NEIGHBOUR,
                         "{'boundary_group': 'South', 'fallback_minutes': null}"),
                     0);
    assert_sources(site, "10.78.5.5", NORTH_URL " " OWN_URL);
    assert_int_equal(add(site,
                         "North",
                         BOUNDARY_PART_NEIGHBOUR,
                         "{'boundary_group': 'BG00001', 'fallback_minutes': null}"),
                     0);
    assert_sources(site, "10.78.5.5", NORTH_URL);
    assert_int_equal(boundary_group_take(site, "test", "North", BOUNDARY_PART_NEIGHBOUR, "BG00001"),
                     0);
    assert_sources(site, "10.78.5.5", NORTH_URL " " OWN_URL);
}

static void who_is_away_disabled_or_without_the_content_is_left_out(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();
    OWN(json_freep) json_t *off = fixture_json("{'is_disabled': true}");
    OWN(json_freep) json_t *dp = NULL;
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(
        distribution_change(site, "test", FIXTURE_OS_IMAGE, "north", DISTRIBUTION_REMOVE, &answer),
        0);
    assert_sources(site, "10.78.5.5", OWN_URL);
    assert_int_equal(dp_set(site, "test", "south", off, &dp), 0);
    assert_sources(site, "10.79.5.5", OWN_URL);
    copy_all(site, "DP00002");
    site->now_us += DP_SILENCE_US + 1;
    assert_sources(site, "10.78.5.5", OWN_URL);
}

static void a_deployment_says_how_far_its_content_is_looked_for(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();
    const struct boundary_reach own = {.may_use_neighbours = false};
    const struct boundary_reach neighbours = {.may_use_neighbours = true};
    const struct boundary_reach others = {.may_use_default_group = true};

    assert_int_equal(add(site, "North", BOUNDARY_PART_NEIGHBOUR, "{'boundary_group': 'South'}"), 0);
    assert_reached(site, "10.78.5.5", everywhere, NORTH_URL " " SOUTH_URL " " OWN_URL);
    assert_reached(site, "10.78.5.5", own, NORTH_URL);
    assert_reached(site, "10.78.5.5", neighbours, NORTH_URL " " SOUTH_URL);
    assert_reached(site, "10.78.5.5", others, NORTH_URL " " OWN_URL);
    /* who is in no group has the default group alone */
    assert_reached(site, "10.80.5.5", others, OWN_URL);
    assert_reached(site, "10.80.5.5", neighbours, "");
}

/* @ret: how many there are for the fixture's OS image */
static size_t n_ordered_sources(struct site *site, const char *device)
{
    OWN(json_freep) json_t *order = NULL;
    const struct order_client client = {.address = "10.78.1.1", .host = "10.77.0.9"};
    const json_t *content;

    assert_int_equal(order_get(site, device, &client, &order), 0);
    content = json_object_get(json_object_get(order, "content"), FIXTURE_OS_IMAGE);
    return json_array_size(json_object_get(content, "sources"));
}

static void an_order_has_the_sources_that_its_deployment_allows(void **state)
{
    static const struct {
        const char *terms;
        size_t n;
    } table[] = {
        {"{}", 4}, /* the site by two of its names */
        {"{'is_default_group_allowed': false}", 2},
        {"{'is_neighbour_allowed': false}", 1},
        {"{'is_default_group_allowed': true}", 3},
    };
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(add(site, "North", BOUNDARY_PART_NEIGHBOUR, "{'boundary_group': 'South'}"), 0);
    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        OWN(json_freep) json_t *terms = fixture_json(table[i].terms);
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(deployment_change(site, "test", deployment, terms, &answer), 0);
        assert_int_equal(n_ordered_sources(site, device), table[i].n);
    }
}

static void an_order_names_the_sources_of_each_package(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();
    OWN(json_freep) json_t *order = NULL;
    const json_t *content;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(order_get(site,
                               device,
                               &(struct order_client){.address = "10.78.1.1", .host = "10.77.0.9"},
                               &order),
                     0);
    content = json_object_get(json_object_get(order, "content"), FIXTURE_OS_IMAGE);
    assert_string_equal(json_string_value(json_array_get(json_object_get(content, "sources"), 0)),
                        NORTH_URL);
    content = json_object_get(json_object_get(order, "content"), FIXTURE_BOOT_IMAGE);
    assert_string_equal(json_string_value(json_array_get(json_object_get(content, "sources"), 0)),
                        "http://10.77.0.9");
    /* of the whole: only the site has everything */
    assert_int_equal(json_array_size(json_object_get(order, "sources")), 2);
    assert_string_equal(json_string_value(json_array_get(json_object_get(order, "sources"), 0)),
                        "http://10.77.0.9");
}

static void explain_says_which_and_why(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();
    OWN(json_freep) json_t *off = fixture_json("{'is_disabled': true}");
    OWN(json_freep) json_t *dp = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *none = NULL;
    const json_t *sources;

    assert_int_equal(dp_set(site, "test", "north", off, &dp), 0);
    assert_int_equal(boundary_explain(site, "10.78.5.5", &answer), 0);
    assert_string_equal(
        field_text(json_array_get(json_object_get(answer, "groups"), 0), "name", ""), "North");
    sources = json_object_get(answer, "sources");
    assert_int_equal(json_array_size(sources), 2);
    assert_string_equal(field_text(json_array_get(sources, 0), "tier", ""), "current");
    assert_false(field_bool(json_array_get(sources, 0), "is_used"));
    assert_string_equal(field_text(json_array_get(sources, 0), "reason", ""), "it is disabled");
    assert_string_equal(field_text(json_array_get(sources, 1), "tier", ""), "default");
    assert_int_equal(field_number(json_array_get(sources, 1), "fallback_minutes", 0),
                     BOUNDARY_FALLBACK_MINUTES);
    assert_true(field_bool(json_array_get(sources, 1), "is_used"));
    assert_int_equal(boundary_explain(site, "10.78", &none), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
}

/* Somebody who may read what is in a scope of its own, in which @object is. */
static void be_somebody_who_sees(struct site *site, const char *object)
{
    struct principal principal = {.id = "AD00099", .name = "somebody", .permissions = "*"};
    const struct db_args run[] = {
        DB_ARGS(db_text(principal.id), db_text("somebody"), db_text(""), db_u64(1)),
        DB_ARGS(db_text("SS00001"), db_text("Mine"), db_text(""), db_u64(1)),
        DB_ARGS(db_text(object), db_text("SS00001")),
        DB_ARGS(db_text(principal.id), db_text("SLP0002R"), db_text("SS00001")),
    };
    static const enum db_sql sql[] = {
        SQL_ADMINISTRATOR_ADD,
        SQL_SECURITY_SCOPE_ADD,
        SQL_SECURITY_SCOPE_OBJECT_ADD,
        SQL_ADMINISTRATOR_GRANT_ADD,
    };

    for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]); i++)
        assert_int_equal(db_must(site->db, sql[i], run[i]), 0);
    principal_set(site, &principal);
}

static void explain_tells_nothing_of_what_is_out_of_sight(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();
    OWN(json_freep) json_t *mine = NULL;
    OWN(json_freep) json_t *all = NULL;
    const json_t *source;
    char north[DP_ID_MAX];

    assert_int_equal(dp_find(site, "north", north), 0);
    be_somebody_who_sees(site, north);
    assert_int_equal(boundary_explain(site, "10.78.5.5", &mine), 0);
    assert_int_equal(json_array_size(json_object_get(mine, "groups")), 0);
    assert_int_equal(json_array_size(json_object_get(mine, "sources")), 1);
    source = json_array_get(json_object_get(mine, "sources"), 0);
    assert_string_equal(field_text(source, "distribution_point_id", ""), north);
    assert_true(json_is_null(json_object_get(source, "boundary_group_id")));
    assert_true(json_is_null(json_object_get(source, "boundary_group_name")));
    principal_clear(site);
    assert_int_equal(boundary_explain(site, "10.78.5.5", &all), 0);
    assert_int_equal(json_array_size(json_object_get(all, "groups")), 1);
    assert_int_equal(json_array_size(json_object_get(all, "sources")), 2);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();
    static const struct {
        const char *group;
        enum boundary_part part;
        const char *body;
        enum refusal_id id;
    } cases[] = {
        {"BG00001", BOUNDARY_PART_BOUNDARY, "{'boundary': 'North'}", REFUSAL_INVALID},
        {"North", BOUNDARY_PART_NEIGHBOUR, "{'boundary_group': 'North'}", REFUSAL_INVALID},
        {"North", BOUNDARY_PART_BOUNDARY, "{'boundary': 'nowhere'}", REFUSAL_MISSING},
        {"North", BOUNDARY_PART_DP, "{'distribution_point': 'nowhere'}", REFUSAL_MISSING},
        {"nowhere", BOUNDARY_PART_DP, "{'distribution_point': 'north'}", REFUSAL_MISSING},
        {"North", BOUNDARY_PART_DP, "{'boundary': 'North'}", REFUSAL_INVALID},
    };
    OWN(json_freep)
    json_t *again = fixture_json("{'name': 'north', 'kind': 'ipv4-subnet', 'value': '10.0.0.0/8'}");
    OWN(json_freep)
    json_t *bad = fixture_json("{'name': 'x', 'kind': 'ipv4-subnet', 'value': '10.0.0.1/8'}");
    OWN(json_freep) json_t *answer = NULL;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(add(site, cases[i].group, cases[i].part, cases[i].body), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, cases[i].id);
    }
    assert_int_equal(boundary_create(site, "test", again, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
    assert_int_equal(boundary_create(site, "test", bad, &answer), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    assert_int_equal(boundary_group_delete(site, "test", "BG00001"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_INVALID);
}

static void a_group_or_boundary_that_is_deleted_serves_nobody(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = two_branches();

    assert_int_equal(boundary_group_delete(site, "test", "North"), 0);
    assert_sources(site, "10.78.5.5", OWN_URL);
    assert_int_equal(boundary_delete(site, "test", "South"), 0);
    assert_sources(site, "10.79.5.5", OWN_URL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_boundaries_everybody_is_served_by_the_site),
        cmocka_unit_test(a_client_is_served_by_its_group_and_at_last_by_the_site),
        cmocka_unit_test(a_client_is_in_all_groups_its_address_is_in),
        cmocka_unit_test(neighbours_come_by_the_time_of_fallback_and_without_waiting),
        cmocka_unit_test(a_deployment_says_how_far_its_content_is_looked_for),
        cmocka_unit_test(an_order_has_the_sources_that_its_deployment_allows),
        cmocka_unit_test(never_is_never_also_for_the_default_group),
        cmocka_unit_test(who_is_away_disabled_or_without_the_content_is_left_out),
        cmocka_unit_test(an_order_names_the_sources_of_each_package),
        cmocka_unit_test(explain_says_which_and_why),
        cmocka_unit_test(explain_tells_nothing_of_what_is_out_of_sight),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_group_or_boundary_that_is_deleted_serves_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
