/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/directory_login.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/administrator.h"
#include "site/collection.h"
#include "site/fixture.h"
#include "site/login.h"
#include "site/rows.h"

#define GROUP \
    "{'name': 'admins', 'kind': 'directory-group', 'external_name': 'CN=Admins, DC=example,DC=org'}"
#define SECOND UINT64_C(1000000)

DEFINE_FREEP(struct password_work *, password_work_free);

/* A site that has a directory, and a group of it with the role Full Administrator for All; @id: the group's */
static struct site *new_site(char id[static NAMED_ID_MAX])
{
    struct site *site = fixture_new_empty();
    OWN(json_freep) json_t *body = fixture_json(GROUP);
    OWN(json_freep) json_t *grant = fixture_json("{'role': 'SLP0001R', 'scope': 'SLP00ALL'}");
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *granted = NULL;

    site->settings.directory = (struct directory_settings){
        .urls = "ldaps://ldap.example.org", .check_us = 300 * SECOND, .trust_us = 3600 * SECOND};
    assert_int_equal(db_must(site->db,
                             SQL_ADMINISTRATOR_SET_PASSWORD,
                             DB_ARGS(db_text("AD00001"), db_text(password_nobody()))),
                     0);
    assert_int_equal(administrator_create(site, "test", body, &made), 0);
    (void)snprintf(id, NAMED_ID_MAX, "%s", json_string_value(json_object_get(made, "id")));
    assert_int_equal(administrator_grant(site, "test", id, grant, &granted), 0);
    return site;
}

/* What the directory has said, of somebody in these groups; NULL: that he is not let in. */
static struct directory_answer
say(enum directory_outcome outcome, const char *account_id, const char *group)
{
    struct directory_answer answer = {.outcome = outcome};

    (void)snprintf(answer.account_id, sizeof(answer.account_id), "%s", account_id);
    answer.groups = json_array();
    if (group)
        (void)json_array_append_new(answer.groups, json_string(group));
    return answer;
}

/* Sign in by the two steps of a request. Return: of the first that is not 0. @answer: taken over */
static int sign_in(struct site *site,
                   const char *user,
                   struct directory_answer answer,
                   struct login_answer *ret)
{
    OWN(json_freep) json_t *body = json_pack("{s:s, s:s}", "user", user, "password", "secret");
    OWN(password_work_freep) struct password_work *work = password_work_new();
    int r = login_begin(site, body, work);

    work->answer = answer;
    if (r != 0)
        return r;
    assert_non_null(work->directory);
    return login_end(site, body, work, ret);
}

static bool may_sign_on(struct site *site, const struct login_answer *login)
{
    struct principal who;

    return access_check_admin(site, login->token, &who) == 0;
}

static bool may(struct site *site, const struct login_answer *login)
{
    struct principal who;
    int r = access_check_admin(site, login->token, &who);

    if (r != 0)
        return false;
    principal_set(site, &who);
    r = principal_check(site, "administrator", "modify");
    principal_clear(site);
    return r == 0;
}

static void somebody_may_what_his_groups_may(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    OWN(json_freep) json_t *ada = NULL;
    struct login_answer login;

    assert_int_equal(sign_in(site, "ADA", say(DIRECTORY_RIGHT, "u-1", group), &login), 0);
    assert_true(may(site, &login));
    assert_int_equal(administrator_get(site, "ada", &ada), 0);
    assert_string_equal(json_string_value(json_object_get(ada, "kind")), "directory-user");
    assert_int_equal(json_array_size(json_object_get(ada, "groups")), 1);
    assert_int_equal(json_array_size(json_object_get(ada, "grants")), 0);
    assert_int_equal(administrator_revoke(site, "test", group, "SLP0001R", "SLP00ALL"), 0);
    assert_true(may_sign_on(site, &login));
    assert_false(may(site, &login));
}

static void nobody_is_made_of_whom_nothing_is_granted_to(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    OWN(json_freep) json_t *found = NULL;
    struct login_answer login;

    assert_int_equal(sign_in(site, "bob", say(DIRECTORY_RIGHT, "u-2", NULL), &login),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PASSWORD);
    assert_int_equal(sign_in(site, "bob", say(DIRECTORY_WRONG, "", group), &login), SITE_E_REFUSED);
    assert_int_equal(administrator_get(site, "bob", &found), SITE_E_REFUSED);
    assert_int_equal(sign_in(site, "bob", say(DIRECTORY_RIGHT, "u-2", "AD00001"), &login),
                     SITE_E_REFUSED);
}

static void a_name_stays_with_its_account(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    struct login_answer login;

    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-1", group), &login), 0);
    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-9", group), &login),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PASSWORD);
    assert_int_equal(administrator_delete(site, "test", "ada"), 0);
    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-9", group), &login), 0);
}

static void names_of_the_site_are_not_asked_about(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        bool is_asked;
    } cases[] = {{"administrator", false},
                 {"admins", false},
                 {"ada", true},
                 {"*", false},
                 {"ada)(uid=*", false},
                 {"", false}};
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    bool is_asked;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(directory_is_asked(site, cases[i].name, &is_asked), 0);
        assert_int_equal(is_asked, cases[i].is_asked);
    }
    site->settings.directory.urls = "";
    assert_int_equal(directory_is_asked(site, "ada", &is_asked), 0);
    assert_false(is_asked);
}

static void end_rest(struct site *site)
{
    site->directory_rests_until_us = 0;
}

/* Ask again about whoever it is time to, with this answer. Return: how many that were. @answer: taken over */
static size_t look_again(struct site *site, struct directory_answer answer)
{
    struct directory_due due[DIRECTORY_DUE_MAX];
    size_t n = 0;

    assert_int_equal(directory_find_due(site, due, &n), 0);
    for (size_t i = 0; i < n; i++) {
        due[i].answer = answer;
        json_incref(answer.groups);
        assert_int_equal(directory_apply_due(site, &due[i]), 0);
        directory_due_fini(&due[i]);
    }
    directory_answer_fini(&answer);
    return n;
}

static void who_left_his_groups_is_out_at_the_next_look(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    struct login_answer login;

    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-1", group), &login), 0);
    assert_int_equal(look_again(site, say(DIRECTORY_WRONG, "", NULL)), 0);
    site->now_us += 300 * SECOND;
    assert_int_equal(look_again(site, say(DIRECTORY_RIGHT, "u-1", group)), 1);
    assert_true(may(site, &login));
    site->now_us += 300 * SECOND;
    assert_int_equal(look_again(site, say(DIRECTORY_RIGHT, "u-1", NULL)), 1);
    assert_false(may_sign_on(site, &login));
    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-1", group), &login), 0);
    site->now_us += 300 * SECOND;
    assert_int_equal(look_again(site, say(DIRECTORY_WRONG, "", NULL)), 1);
    assert_false(may_sign_on(site, &login));
}

static void what_it_said_is_good_for_a_while_when_it_is_away(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    struct login_answer login;
    struct login_answer other;

    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-1", group), &login), 0);
    site->now_us += 3600 * SECOND;
    assert_int_equal(look_again(site, say(DIRECTORY_DOWN, "", NULL)), 1);
    assert_int_equal(look_again(site, say(DIRECTORY_DOWN, "", NULL)), 0); /* it rests */
    assert_int_equal(sign_in(site, "bob", say(DIRECTORY_DOWN, "", NULL), &other), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DIRECTORY_DOWN);
    assert_true(may(site, &login));
    site->now_us += 300 * SECOND; /* the clock on the wall says nothing about its rest */
    assert_false(may_sign_on(site, &login));
    assert_int_equal(look_again(site, say(DIRECTORY_RIGHT, "u-1", group)), 0);
    end_rest(site);
    assert_int_equal(look_again(site, say(DIRECTORY_RIGHT, "u-1", group)), 1);
    assert_true(may(site, &login));
}

static void who_has_the_name_of_another_account_does_not_get_its_sessions(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    struct login_answer login;

    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-1", group), &login), 0);
    site->now_us += 300 * SECOND;
    assert_int_equal(look_again(site, say(DIRECTORY_RIGHT, "u-9", group)), 1);
    assert_false(may_sign_on(site, &login));
}

static void one_account_that_cannot_be_judged_keeps_no_other_waiting(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    struct directory_answer unsure = say(DIRECTORY_CANNOT_SAY, "", NULL);
    struct directory_due due[DIRECTORY_DUE_MAX];
    struct login_answer ada;
    struct login_answer bob;
    size_t n = 0;

    (void)snprintf(unsure.why, sizeof(unsure.why), "it does not say");
    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-1", group), &ada), 0);
    site->now_us += SECOND;
    assert_int_equal(sign_in(site, "bob", say(DIRECTORY_RIGHT, "u-2", group), &bob), 0);
    site->now_us += 299 * SECOND;
    assert_int_equal(look_again(site, unsure), 1);
    assert_int_equal(site->directory_rests_until_us, 0);
    site->now_us += SECOND;
    assert_int_equal(directory_find_due(site, due, &n), 0);
    assert_int_equal(n, 1);
    assert_string_equal(due[0].question.name, "bob");
    directory_due_fini(&due[0]);
    assert_true(may(site, &ada));
    assert_int_equal(sign_in(site, "cleo", say(DIRECTORY_CANNOT_SAY, "", NULL), &bob),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_DIRECTORY_DOWN);
    assert_int_equal(directory_check_rest(site), 0);
}

static void that_it_is_away_takes_no_wrong_password_back(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    struct login_answer login;

    for (int i = 1; i < LOGIN_FREE_PER_NAME; i++)
        assert_int_equal(sign_in(site, "ada", say(DIRECTORY_WRONG, "", NULL), &login),
                         SITE_E_REFUSED);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sign_in(site, "ada", say(DIRECTORY_DOWN, "", NULL), &login),
                         SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_DIRECTORY_DOWN);
        assert_int_equal(site->refusal.retry_after_s, DIRECTORY_REST_S);
    }
    end_rest(site);
    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_WRONG, "", NULL), &login), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_PASSWORD);
    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_WRONG, "", NULL), &login), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TOO_OFTEN);
    assert_int_equal(site->refusal.retry_after_s, LOGIN_WAIT_US / SECOND + 1);
}

static void that_it_is_away_is_no_wrong_password(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    struct login_answer login;

    for (int i = 0; i < 3 * LOGIN_FREE_PER_NAME; i++) {
        assert_int_equal(sign_in(site, "ada", say(DIRECTORY_DOWN, "", NULL), &login),
                         SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_DIRECTORY_DOWN);
    }
    end_rest(site);
    for (int i = 0; i < LOGIN_FREE_PER_NAME; i++)
        assert_int_equal(
            sign_in(site, i % 2 ? "ada" : "Ada", say(DIRECTORY_WRONG, "", NULL), &login),
            SITE_E_REFUSED);
    assert_int_equal(sign_in(site, "aDa", say(DIRECTORY_WRONG, "", NULL), &login), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TOO_OFTEN);
}

static void what_a_member_makes_is_his_groups(void **state)
{
    (void)state;
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    OWN(json_freep) json_t *grant = fixture_json("{'role': 'SLP0001R', 'collection': 'Lab'}");
    OWN(json_freep) json_t *first = fixture_json("{'name': 'Lab'}");
    OWN(json_freep) json_t *second = fixture_json("{'name': 'Room', 'limiting': 'Lab'}");
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *inner = NULL;
    OWN(json_freep) json_t *granted = NULL;
    OWN(json_freep) json_t *ada = NULL;
    OWN(json_freep) json_t *admins = NULL;
    struct login_answer login;
    struct principal who;

    assert_int_equal(collection_create(site, "test", first, &made), 0);
    assert_int_equal(administrator_grant(site, "test", group, grant, &granted), 0);
    assert_int_equal(sign_in(site, "ada", say(DIRECTORY_RIGHT, "u-1", group), &login), 0);
    assert_int_equal(access_check_admin(site, login.token, &who), 0);
    principal_set(site, &who);
    assert_int_equal(collection_create(site, "ada", second, &inner), 0);
    principal_clear(site);
    assert_int_equal(administrator_get(site, "ada", &ada), 0);
    assert_int_equal(administrator_get(site, group, &admins), 0);
    assert_int_equal(json_array_size(json_object_get(ada, "grants")), 0);
    assert_int_equal(json_array_size(json_object_get(admins, "grants")), 3);
}

static void kinds_are_made_as_they_can_be(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{'name': 'x', 'kind': 'directory-group'}",
        "{'name': 'x', 'kind': 'directory-group', 'external_name': 'admins'}",
        "{'name': 'x', 'kind': 'directory-user', 'external_name': 'cn=a,dc=b'}",
        "{'name': 'x', 'external_name': 'cn=a,dc=b'}",
        "{'name': 'x', 'kind': 'robot'}",
        "{'name': 'y', 'kind': 'directory-group', 'external_name': 'cn=ADMINS,dc=example,dc=org'}",
    };
    char group[NAMED_ID_MAX];
    OWN(fixture_freep) struct site *site = new_site(group);
    OWN(json_freep) json_t *made = NULL;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep) json_t *body = fixture_json(bad[i]);

        assert_int_equal(administrator_create(site, "test", body, &made), SITE_E_REFUSED);
        assert_null(made);
    }
    assert_int_equal(directory_check_own_password(site, group), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NO_PASSWORD);
    assert_int_equal(directory_check_own_password(site, "AD00001"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(somebody_may_what_his_groups_may),
        cmocka_unit_test(nobody_is_made_of_whom_nothing_is_granted_to),
        cmocka_unit_test(a_name_stays_with_its_account),
        cmocka_unit_test(names_of_the_site_are_not_asked_about),
        cmocka_unit_test(who_left_his_groups_is_out_at_the_next_look),
        cmocka_unit_test(what_it_said_is_good_for_a_while_when_it_is_away),
        cmocka_unit_test(who_has_the_name_of_another_account_does_not_get_its_sessions),
        cmocka_unit_test(one_account_that_cannot_be_judged_keeps_no_other_waiting),
        cmocka_unit_test(that_it_is_away_is_no_wrong_password),
        cmocka_unit_test(that_it_is_away_takes_no_wrong_password_back),
        cmocka_unit_test(what_a_member_makes_is_his_groups),
        cmocka_unit_test(kinds_are_made_as_they_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
