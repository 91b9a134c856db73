/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cli/test_fixture.h"

/* A site that answers everything, and remembers what it was asked last. */
struct site {
    struct fixture fixture;
    char asked[FIXTURE_BODY_MAX_BYTES]; /* "POST /boundaries {…}" */
    unsigned status;                    /* of the answer */
};

static int answer(void *ctx, struct http_exchange *x)
{
    struct site *site = ctx;
    struct bytes body = http_body(x);

    (void)snprintf(site->asked,
                   sizeof(site->asked),
                   "%s %s%s%s%.*s",
                   http_method(x),
                   http_path(x) + strlen("/api/v1"),
                   http_query(x, "force") ? "?force" : "",
                   body.len > 0 ? " " : "",
                   (int)body.len,
                   body.len > 0 ? (const char *)body.ptr : "");
    if (site->status == 404)
        return http_reply_problem(x, 404, "SLW-0103", "There is no such thing", "%s", "");
    if (site->status == 204)
        return http_reply_empty(x, 204);
    return http_reply_json(x,
                           site->status,
                           json_pack("{s:[{s:s,s:s},{s:s,s:s}],s:n}",
                                     "items",
                                     "distribution_point_id",
                                     "DP00001",
                                     "work",
                                     "replicate",
                                     "distribution_point_id",
                                     "DP00002",
                                     "work",
                                     "",
                                     "next"));
}

static const struct http_route routes[] = {FIXTURE_ROUTES("GET", answer),
                                           FIXTURE_ROUTES("POST", answer),
                                           FIXTURE_ROUTES("PATCH", answer),
                                           FIXTURE_ROUTES("DELETE", answer),
                                           {NULL, NULL, 0, NULL}};

static int start(void **state)
{
    struct site *site = calloc(1, sizeof(*site));

    assert_non_null(site);
    fixture_start(&site->fixture, routes, site);
    *state = site;
    return 0;
}

static int stop(void **state)
{
    struct site *site = *state;

    fixture_stop(&site->fixture);
    free(site);
    return 0;
}

/* Run "slipway WORDS", which are separated by '|'. Return: the exit code. */
static enum args_exit run(struct site *site, const char *words, unsigned status)
{
    site->asked[0] = '\0';
    site->status = status;
    return fixture_run(&site->fixture, words, NULL);
}

static void each_command_asks_the_site_for_what_it_says(void **state)
{
    struct site *site = *state;
    static const struct {
        const char *words;
        unsigned status;
        const char *asked;
    } cases[] = {
        {"content|distribute|SLP00001|--dp|a,b|--group|All",
         202,
         "POST /content/SLP00001/distribution "
         "{\"distribution_points\":[\"a\",\"b\"],\"groups\":[\"All\"]}"},
        {"content|status|SLP00001", 200, "GET /content/SLP00001/distribution"},
        {"content|redistribute|SLP00001|--dp|a",
         202,
         "POST /content/SLP00001/distribution/a/redistribution {}"},
        {"content|validate|SLP00001|--dp|a",
         202,
         "POST /content/SLP00001/distribution/a/validation {}"},
        {"content|cancel|SLP00001|--dp|a",
         202,
         "POST /content/SLP00001/distribution/a/cancellation {}"},
        {"content|remove|SLP00001|--dp|a", 202, "DELETE /content/SLP00001/distribution/a"},
        {"content|remove|SLP00001|--group|All",
         202,
         "DELETE /distribution-point-groups/All/content/SLP00001"},
        {"content|history|SLP00001|--dp|a", 200, "GET /content/SLP00001/distribution/a/history"},
        {"content|validate|SLP00001|--dp|a,b",
         202,
         "POST /content/SLP00001/distribution/b/validation {}"},
        {"content|redistribute|SLP00001",
         202,
         "POST /content/SLP00001/distribution/DP00002/redistribution {}"},
        {"content|cancel|SLP00001",
         202,
         "POST /content/SLP00001/distribution/DP00001/cancellation {}"},
        {"content|history|SLP00001", 200, "GET /content/SLP00001/distribution/DP00002/history"},
        {"dp|create-token|branch", 201, "POST /distribution-point-tokens {\"name\":\"branch\"}"},
        {"dp|list", 200, "GET /distribution-points"},
        {"dp|show|a", 200, "GET /distribution-points/a"},
        {"dp|set|a|--disabled|yes|--reserve|1K|--sources|b,c",
         200,
         "PATCH /distribution-points/a {\"is_disabled\":true,\"reserve_bytes\":1024,\"sources\":["
         "{\"distribution_point\":\"b\",\"priority\":1},"
         "{\"distribution_point\":\"c\",\"priority\":2}]}"},
        {"dp|set|a|--schedule|none|--rate-limit|mon 8-9 1K|--validation|sun 2-5",
         200,
         "PATCH /distribution-points/a {\"schedule\":[],\"rate_limits\":[{\"days\":[\"mon\"],"
         "\"from_hour\":8,\"to_hour\":9,\"bytes_per_s\":1024}],\"validation_schedule\":["
         "{\"days\":[\"sun\"],\"from_hour\":2,\"to_hour\":5}]}"},
        {"dp|set|a|--sources|none", 200, "PATCH /distribution-points/a {\"sources\":[]}"},
        {"dp|remove|a", 204, "DELETE /distribution-points/a"},
        {"dp|remove|a|--force", 204, "DELETE /distribution-points/a?force"},
        {"dp-group|create|All", 201, "POST /distribution-point-groups {\"name\":\"All\"}"},
        {"dp-group|add-member|All|a",
         201,
         "POST /distribution-point-groups/All/members {\"distribution_point\":\"a\"}"},
        {"dp-group|remove-member|All|a", 204, "DELETE /distribution-point-groups/All/members/a"},
        {"dp-group|add-content|All|SLP00001",
         202,
         "POST /distribution-point-groups/All/content {\"content\":\"SLP00001\"}"},
        {"boundary|create|lan|--range|10.0.0.1-10.0.0.9",
         201,
         "POST /boundaries "
         "{\"name\":\"lan\",\"kind\":\"ipv4-range\",\"value\":\"10.0.0.1-10.0.0.9\"}"},
        {"boundary|delete|lan", 204, "DELETE /boundaries/lan"},
        {"boundary-group|create|G|--comment|c",
         201,
         "POST /boundary-groups {\"name\":\"G\",\"comment\":\"c\"}"},
        {"boundary-group|set|G|--name|H", 200, "PATCH /boundary-groups/G {\"name\":\"H\"}"},
        {"boundary-group|add-boundary|G|lan",
         201,
         "POST /boundary-groups/G/boundaries {\"boundary\":\"lan\"}"},
        {"boundary-group|add-dp|G|a",
         201,
         "POST /boundary-groups/G/distribution-points {\"distribution_point\":\"a\"}"},
        {"boundary-group|remove-dp|G|a", 204, "DELETE /boundary-groups/G/distribution-points/a"},
        {"boundary-group|add-neighbour|G|H",
         201,
         "POST /boundary-groups/G/neighbours {\"boundary_group\":\"H\"}"},
        {"boundary-group|add-neighbour|G|H|--fallback|20",
         201,
         "POST /boundary-groups/G/neighbours {\"boundary_group\":\"H\",\"fallback_minutes\":20}"},
        {"boundary-group|add-neighbour|G|H|--fallback|never",
         201,
         "POST /boundary-groups/G/neighbours {\"boundary_group\":\"H\",\"fallback_minutes\":null}"},
        {"boundary-group|explain|10.0.0.1", 200, "GET /boundary-explanations/10.0.0.1"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(run(site, cases[i].words, cases[i].status), ARGS_EXIT_OK);
        assert_string_equal(site->asked, cases[i].asked);
    }
}

static void what_is_given_wrongly_is_not_even_asked(void **state)
{
    struct site *site = *state;
    static const char *const cases[] = {
        "content|distribute|SLP00001",
        "content|remove|SLP00001",
        "content|remove|SLP00001|--dp|a|--group|All",
        "dp|set|a",
        "dp|set|a|--reserve|much",
        "dp|set|a|--schedule|sometimes",
        "dp|set|a|--disabled|perhaps",
        "boundary|create|lan",
        "boundary|create|lan|--subnet|10.0.0.0/8|--range|10.0.0.1-10.0.0.2",
        "boundary-group|add-neighbour|G|H|--fallback|soon",
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(run(site, cases[i], 200), ARGS_EXIT_USAGE);
        assert_string_equal(site->asked, "");
    }
}

static void what_the_site_does_not_have_is_told_by_the_exit_code(void **state)
{
    struct site *site = *state;
    static const char *const cases[] = {
        "content|status|SLP00001", "dp|show|a", "dp|remove|a", "boundary-group|explain|10.0.0.1"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(run(site, cases[i], 404), ARGS_EXIT_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_command_asks_the_site_for_what_it_says, start, stop),
        cmocka_unit_test_setup_teardown(what_is_given_wrongly_is_not_even_asked, start, stop),
        cmocka_unit_test_setup_teardown(
            what_the_site_does_not_have_is_told_by_the_exit_code, start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
