/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/dp.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/distribution.h"
#include "site/dp_key.h"
#include "site/fields.h"
#include "site/fixture.h"

enum {
    TOKEN_MAX = 160,
};

/* @ret: what the administrator is given: the secret, a dot and the pin */
static void make_token(struct site *site, const char *name, char ret[static TOKEN_MAX])
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_freep) json_t *token = NULL;

    assert_int_equal(dp_create_token(site, "test", body, &token), 0);
    (void)snprintf(ret, TOKEN_MAX, "%s", field_text(token, "token", ""));
}

static int join(struct site *site, const char *token, const char *address, json_t **ret)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:[s],s:i,s:s}",
                             "token",
                             token,
                             "addresses",
                             address,
                             "http_port",
                             80,
                             "version",
                             "1");

    return dp_join(site, body, "PEM", ret);
}

static int set(struct site *site, const char *which, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *dp = NULL;

    return dp_set(site, "test", which, body, &dp);
}

static void a_host_joins_with_its_token_and_gets_its_own(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *joined = NULL;
    OWN(json_freep) json_t *dp = NULL;
    char token[TOKEN_MAX];
    char id[DP_ID_MAX];

    make_token(site, "branch", token);
    assert_non_null(strstr(token, "." FIXTURE_SHA256));
    assert_int_equal(join(site, token, "10.78.0.1", &joined), 0);
    assert_string_equal(field_text(joined, "id", ""), "DP00002");
    assert_string_equal(field_text(joined, "site_name", ""), "Lab");
    assert_string_equal(field_text(joined, "certificate", ""), "PEM");
    assert_int_equal(dp_check_token(site, field_text(joined, "token", ""), id), 0);
    assert_string_equal(id, "DP00002");
    assert_int_equal(dp_get(site, "branch", &dp), 0);
    assert_string_equal(field_text(dp, "url", ""), "http://10.78.0.1");
    assert_true(field_bool(dp, "is_online"));
}

static void the_token_for_joining_is_good_once_and_for_a_day(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *joined = NULL;
    OWN(json_freep) json_t *again = NULL;
    char token[TOKEN_MAX];
    char late[TOKEN_MAX];

    make_token(site, "branch", token);
    assert_int_equal(join(site, token, "10.78.0.1", &joined), 0);
    assert_int_equal(join(site, token, "10.78.0.1", &again), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_JOIN_TOKEN);
    make_token(site, "late", late);
    fixture_wait(site, DP_JOIN_TOKEN_US);
    assert_int_equal(join(site, late, "10.78.0.2", &again), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_JOIN_TOKEN);
}

static void a_malformed_joining_does_not_use_the_token_up(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *joined = NULL;
    static const char *const bad[] = {"", "10.78.0.1/x", "a b", "10.78.0.1\r\nX: y", "a\"b"};
    char token[TOKEN_MAX];

    make_token(site, "branch", token);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(join(site, token, bad[i], &joined), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    }
    assert_int_equal(join(site, token, "fd00::1", &joined), 0);
}

static void a_later_token_for_a_name_replaces_the_earlier(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *joined = NULL;
    char first[TOKEN_MAX];
    char second[TOKEN_MAX];

    make_token(site, "branch", first);
    make_token(site, "branch", second);
    assert_int_equal(join(site, first, "10.78.0.1", &joined), SITE_E_REFUSED);
    assert_int_equal(join(site, second, "10.78.0.1", &joined), 0);
}

static void a_name_is_there_once(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'site'}");
    OWN(json_freep) json_t *token = NULL;

    assert_int_equal(dp_create_token(site, "test", body, &token), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
}

static void a_name_has_50_characters_and_none_to_control_a_terminal(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const bad[] = {
        "", "a\nb", "12345678901234567890123456789012345678901234567890x"};
    char longest[101] = "";
    char token[TOKEN_MAX];
    OWN(json_freep) json_t *joined = NULL;
    OWN(json_freep) json_t *dp = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep) json_t *body = json_pack("{s:s}", "name", bad[i]);
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(dp_create_token(site, "test", body, &answer), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    }
    for (size_t i = 0; i < 50; i++)
        memcpy(longest + 2 * i, "\xc3\xa4", 3);
    make_token(site, longest, token);
    assert_int_equal(join(site, token, "10.78.0.1", &joined), 0);
    assert_int_equal(dp_get(site, longest, &dp), 0);
    assert_string_equal(field_text(dp, "id", ""), "DP00002");
}

static void another_token_is_no_distribution_points(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char token[TOKEN_MAX];
    char id[DP_ID_MAX];

    make_token(site, "branch", token);
    assert_int_equal(dp_check_token(site, token, id), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DP_TOKEN);
    assert_int_equal(dp_check_token(site, NULL, id), SITE_E_REFUSED);
    assert_int_equal(dp_check_token(site, "", id), SITE_E_REFUSED);
}

static void what_it_says_of_itself_is_shown(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *joined = NULL;
    OWN(json_freep)
    json_t *says = fixture_json("{'free_bytes': 5, 'total_bytes': 9, 'version': '2',"
                                "'http_base': 'http://dp.example:8080', 'kernels': {}}");
    OWN(json_freep) json_t *dp = NULL;
    char token[TOKEN_MAX];

    make_token(site, "branch", token);
    assert_int_equal(join(site, token, "10.78.0.1", &joined), 0);
    fixture_wait(site, FIXTURE_MINUTE_US);
    assert_int_equal(dp_seen(site, "DP00002", says), 0);
    assert_int_equal(dp_get(site, "branch", &dp), 0);
    assert_int_equal(field_number(dp, "free_bytes", 0), 5);
    assert_int_equal(field_number(dp, "total_bytes", 0), 9);
    assert_string_equal(field_text(dp, "version", ""), "2");
    assert_string_equal(field_text(dp, "url", ""), "http://dp.example:8080");
}

static void a_base_that_is_no_url_is_refused(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const bad[] = {"ftp://a",
                                      "http://",
                                      "http:///x",
                                      "http://a/",
                                      "http://a b",
                                      "http://a?x",
                                      "a",
                                      "http://a#"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep) json_t *says = json_pack("{s:s}", "http_base", bad[i]);

        assert_int_equal(dp_seen(site, DP_OWN_ID, says), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    }
}

static void properties_change_one_by_one(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *dp = NULL;

    assert_int_equal(set(site, DP_OWN_ID, "{'comment': 'c', 'reserve_bytes': 77}"), 0);
    assert_int_equal(
        set(site,
            DP_OWN_ID,
            "{'name': 'Main', 'schedule': [{'from_hour': 1, 'to_hour': 2, 'allow': 'closed'}]}"),
        0);
    assert_int_equal(dp_get(site, "Main", &dp), 0);
    assert_string_equal(field_text(dp, "comment", ""), "c");
    assert_int_equal(field_number(dp, "reserve_bytes", 0), 77);
    assert_int_equal(json_array_size(json_object_get(dp, "schedule")), 1);
    assert_false(field_bool(dp, "is_disabled"));
}

static void a_property_that_is_not_allowed_changes_nothing(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const bad[] = {
        "{'name': ''}",
        "{'x': 1}",
        "{'schedule': [{'from_hour': 1}]}",
        "{'rate_limits': [{'from_hour': 1, 'to_hour': 2, 'bytes_per_s': -1}]}",
        "{'comment': 'new', 'sources': [{'distribution_point': 'DP00001'}]}",
        "{'comment': 'new', 'sources': [1]}",
    };
    OWN(json_freep) json_t *dp = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(set(site, DP_OWN_ID, bad[i]), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    }
    assert_int_equal(set(site, DP_OWN_ID, "{'sources': [{'distribution_point': 'nowhere'}]}"),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(dp_get(site, DP_OWN_ID, &dp), 0);
    assert_string_equal(field_text(dp, "comment", ""), "The site's own distribution point");
}

static void one_with_content_is_removed_only_by_force(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *joined = NULL;
    OWN(json_freep) json_t *targets = fixture_json("{'distribution_points': ['branch']}");
    OWN(json_freep) json_t *list = NULL;
    OWN(json_freep) json_t *none = NULL;
    char token[TOKEN_MAX];
    char id[DP_ID_MAX];

    make_token(site, "branch", token);
    assert_int_equal(join(site, token, "10.78.0.1", &joined), 0);
    assert_int_equal(distribution_add(site, "test", FIXTURE_OS_IMAGE, targets, &list), 0);
    assert_int_equal(dp_remove(site, "test", "branch", false), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DP_HAS_CONTENT);
    assert_int_equal(dp_remove(site, "test", "branch", true), 0);
    assert_int_equal(dp_get(site, "branch", &none), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
    assert_int_equal(dp_check_token(site, field_text(joined, "token", ""), id), SITE_E_REFUSED);
}

static void the_sites_own_is_never_removed(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();

    assert_int_equal(dp_remove(site, "test", DP_OWN_ID, true), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_OWN_DP);
}

static void one_that_is_silent_is_not_online(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *joined = NULL;
    OWN(json_freep) json_t *dp = NULL;
    char token[TOKEN_MAX];

    make_token(site, "branch", token);
    assert_int_equal(join(site, token, "10.78.0.1", &joined), 0);
    fixture_wait(site, DP_SILENCE_US + 1);
    assert_int_equal(dp_get(site, "branch", &dp), 0);
    assert_false(field_bool(dp, "is_online"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_joins_with_its_token_and_gets_its_own),
        cmocka_unit_test(the_token_for_joining_is_good_once_and_for_a_day),
        cmocka_unit_test(a_malformed_joining_does_not_use_the_token_up),
        cmocka_unit_test(a_later_token_for_a_name_replaces_the_earlier),
        cmocka_unit_test(a_name_is_there_once),
        cmocka_unit_test(a_name_has_50_characters_and_none_to_control_a_terminal),
        cmocka_unit_test(another_token_is_no_distribution_points),
        cmocka_unit_test(what_it_says_of_itself_is_shown),
        cmocka_unit_test(a_base_that_is_no_url_is_refused),
        cmocka_unit_test(properties_change_one_by_one),
        cmocka_unit_test(a_property_that_is_not_allowed_changes_nothing),
        cmocka_unit_test(one_with_content_is_removed_only_by_force),
        cmocka_unit_test(the_sites_own_is_never_removed),
        cmocka_unit_test(one_that_is_silent_is_not_online),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
