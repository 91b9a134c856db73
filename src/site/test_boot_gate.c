/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/boot_gate.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <sodium.h>
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/boot_rule.h"
#include "site/dp.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/login.h"
#include "site/unknown_request.h"
#include "site/unknown_rule.h"

DEFINE_FREEP(void *, password_work_free);

#define PASSWORD "let me in 1"

/* One import, so that it is no unknown computer; what is deployed waits until @n are there. */
static struct site *site_with_available(size_t n, char deployments[][SITE_ID_MAX])
{
    struct site *site = fixture_new();

    fixture_import(site, "PC-1", FIXTURE_MAC);
    for (size_t i = 0; i < n; i++) {
        fixture_wait(site, FIXTURE_MINUTE_US);
        fixture_deploy(site, "All Systems", "available", deployments[i]);
    }
    return site;
}

static void set_password(struct site *site, const char *id, const char *password)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "password", password);
    OWN(password_work_freep) void *memory = password_work_new();
    struct password_work *work = memory;

    assert_int_equal(boot_rule_begin_password(site, body, work), 0);
    /* as password_work_run() does, but cheap to make and to check */
    assert_int_equal(crypto_pwhash_str_alg(work->made,
                                           work->wanted,
                                           strlen(work->wanted),
                                           crypto_pwhash_argon2id_OPSLIMIT_MIN,
                                           crypto_pwhash_argon2id_MEMLIMIT_MIN,
                                           crypto_pwhash_ALG_ARGON2ID13),
                     0);
    assert_int_equal(boot_rule_end_password(site, "test", id, work), 0);
}

static int type_password(struct site *site, const char *device, const char *password)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "password", password);
    OWN(json_freep) json_t *answer = NULL;
    OWN(password_work_freep) void *work = password_work_new();
    int r = boot_gate_begin_password(site, device, "10.77.0.9", body, work);

    if (r != 0)
        return r;
    password_work_run(work);
    return boot_gate_end_password(site, device, "10.77.0.9", work, &answer);
}

static void set_rule(struct site *site, const char *id, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *rule = NULL;

    assert_int_equal(boot_rule_change(site, "test", id, body, &rule), 0);
}

static int choose(struct site *site, const char *device, const char *deployment)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "deployment_id", deployment);
    OWN(json_freep) json_t *answer = NULL;

    return boot_gate_choose(site, device, body, &answer);
}

/* What the screen asks: "", "password" or "choice". */
static void assert_asked(struct site *site, const char *device, const char *expected)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(boot_gate_ask(site, device, &answer), 0);
    assert_string_equal(field_text(answer, "state", ""), expected);
}

static void assert_has_order(struct site *site, const char *device, bool has_order)
{
    char order[UUID_TEXT_MAX];

    (void)fixture_order(site, device, order);
    assert_int_equal(order[0] != '\0', has_order);
}

static void one_available_deployment_begins_without_a_list(void **state)
{
    (void)state;
    char deployments[1][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);

    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).reason, "available-deployment");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
}

static void of_several_the_one_that_is_chosen_begins(void **state)
{
    (void)state;
    char deployments[3][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(3, deployments);
    OWN(json_freep) json_t *answer = NULL;
    struct boot_decision decision = fixture_ask(site, FIXTURE_MAC, 7);

    assert_string_equal(decision.reason, "choice-of-deployments");
    assert_string_equal(decision.target.deployment_id, deployments[2]);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_has_order(site, device, false);
    assert_int_equal(boot_gate_ask(site, device, &answer), 0);
    assert_string_equal(field_text(answer, "default_id", ""), deployments[2]);
    assert_int_equal(field_number(answer, "wait_s", 0), BOOT_CHOICE_S);
    assert_int_equal(choose(site, device, "SLP2ZZZZ"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_CHOICE);
    assert_int_equal(choose(site, device, deployments[0]), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).target.deployment_id, deployments[0]);
}

static void a_choice_is_for_one_start_only(void **state)
{
    (void)state;
    char deployments[2][SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(2, deployments);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(choose(site, device, deployments[0]), 0);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "choice");
    assert_has_order(site, device, false);
}

static void a_required_deployment_goes_before_the_list(void **state)
{
    (void)state;
    char deployments[2][SITE_ID_MAX];
    char required[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(2, deployments);

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    fixture_deploy(site, "All Systems", "required", required);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
    assert_string_equal(fixture_ask(site, FIXTURE_MAC, 7).target.deployment_id, required);
}

static void without_the_password_there_is_no_order(void **state)
{
    (void)state;
    char required[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char deployments[2][SITE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(2, deployments);

    fixture_deploy(site, "All Systems", "required", required);
    set_password(site, BOOT_RULE_OF_SITE, PASSWORD);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "password");
    assert_int_equal(choose(site, device, deployments[0]), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_ASKED);
    assert_int_equal(type_password(site, device, "let me in 2"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BOOT_PASSWORD);
    assert_asked(site, device, "password");
    assert_has_order(site, device, false);
    assert_int_equal(type_password(site, device, PASSWORD), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
    assert_int_equal(type_password(site, device, PASSWORD), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_NOT_ASKED);
}

static void what_has_begun_goes_on_without_the_password(void **state)
{
    (void)state;
    char required[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char deployments[1][SITE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(0, deployments);

    fixture_deploy(site, "All Systems", "required", required);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    set_password(site, BOOT_RULE_OF_SITE, PASSWORD);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
}

static void five_wrong_passwords_are_the_end_until_it_has_waited(void **state)
{
    (void)state;
    char device[ACCESS_DEVICE_ID_MAX];
    char deployments[1][SITE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);

    set_password(site, BOOT_RULE_OF_SITE, PASSWORD);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    for (unsigned i = 1; i < BOOT_GATE_TRIES; i++) {
        assert_int_equal(type_password(site, device, "wrong one"), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_BOOT_PASSWORD);
    }
    assert_int_equal(type_password(site, device, "wrong one"), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BOOT_TRIES);
    assert_int_equal(type_password(site, device, PASSWORD), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_BOOT_TRIES);
    /* started again it may try again, but not at once */
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(type_password(site, device, PASSWORD), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_TOO_OFTEN);
    site->now_us += LOGIN_WAIT_MAX_US;
    assert_int_equal(type_password(site, device, PASSWORD), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
}

/* @n: subjects "KIND:N", all with so many failures. */
static void add_failures(struct site *site, const char *kind, unsigned n, uint64_t n_failures)
{
    OWN(db_rollbackp) struct db *tx = NULL;

    assert_int_equal(db_begin(site->db, &tx), 0);
    for (unsigned i = 0; i < n; i++) {
        char subject[32];

        (void)snprintf(subject, sizeof(subject), "%s:%u", kind, i);
        assert_int_equal(db_must(site->db,
                                 SQL_LOGIN_FAILED,
                                 DB_ARGS(db_text(subject),
                                         db_u64(n_failures),
                                         db_u64(site->now_us),
                                         db_u64(site->now_us))),
                         0);
    }
    assert_int_equal(db_commit(&tx), 0);
}

static size_t count_failures(struct site *site, const char *subject)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_LOGIN_FAILURES, DB_ARGS(db_text(subject), db_u64(0)), &rows);

    assert_true(r >= 0);
    return r == DB_ROW ? db_get_u64(&rows, 0) : 0;
}

static void who_waits_for_his_address_is_counted_for_nothing_else(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();
    char subject[32];

    for (unsigned i = 0; i < 2 * LOGIN_FREE_PER_ADDRESS; i++) {
        (void)snprintf(subject, sizeof(subject), "boot:%u", i);
        assert_int_equal(login_count(site, subject, BOOT_GATE_TRIES, "boot-address:10.0.0.1"),
                         i < LOGIN_FREE_PER_ADDRESS ? 0 : SITE_E_REFUSED);
        assert_int_equal(count_failures(site, subject), i < LOGIN_FREE_PER_ADDRESS ? 1 : 0);
    }
}

static void many_devices_leave_room_for_names_and_a_full_room_counts_on(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new_empty();

    add_failures(site, "boot", LOGIN_SUBJECTS_MAX, 2);
    assert_int_equal(login_count(site, "name:ada", 5, "address:10.0.0.1"), 0);
    assert_int_equal(count_failures(site, "name:ada"), 1);
    assert_int_equal(count_failures(site, "address:10.0.0.1"), 1);
    assert_int_equal(login_count(site, "boot:new", 5, "boot-address:10.0.0.2"), 0);
    assert_int_equal(login_count(site, "boot:new", 5, "boot-address:10.0.0.2"), 0);
    assert_int_equal(count_failures(site, "boot:new"), 2);
    assert_int_equal(count_failures(site, "boot-address:10.0.0.2"), 2);
}

static void a_distribution_point_has_a_password_of_its_own_or_asks_for_none(void **state)
{
    (void)state;
    char device[ACCESS_DEVICE_ID_MAX];
    char deployments[1][SITE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);

    set_password(site, BOOT_RULE_OF_SITE, PASSWORD);
    set_password(site, DP_OWN_ID, "another one 2");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(type_password(site, device, PASSWORD), SITE_E_REFUSED);
    assert_int_equal(type_password(site, device, "another one 2"), 0);
    assert_has_order(site, device, false); /* until it asks */
    set_rule(site, DP_OWN_ID, "{'is_password_asked': false}");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "");
    assert_has_order(site, device, true);
}

static void a_password_that_was_changed_meanwhile_is_wrong(void **state)
{
    (void)state;
    char device[ACCESS_DEVICE_ID_MAX];
    char deployments[1][SITE_ID_MAX];
    OWN(fixture_freep) struct site *site = site_with_available(1, deployments);
    OWN(json_freep) json_t *body = json_pack("{s:s}", "password", PASSWORD);
    OWN(json_freep) json_t *answer = NULL;
    OWN(password_work_freep) void *work = password_work_new();

    set_password(site, BOOT_RULE_OF_SITE, PASSWORD);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_int_equal(boot_gate_begin_password(site, device, NULL, body, work), 0);
    password_work_run(work);
    set_password(site, BOOT_RULE_OF_SITE, "a newer one 3");
    assert_int_equal(boot_gate_end_password(site, device, NULL, work, &answer), SITE_E_REFUSED);
    assert_asked(site, device, "password");
}

static void passwords_that_no_boot_screen_can_type_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "short", "K\xc3\xb6nig im Tor", " blank first", "tab\there 12"};
    OWN(fixture_freep) struct site *site = fixture_new();

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        OWN(json_freep) json_t *body = json_pack("{s:s}", "password", bad[i]);
        OWN(password_work_freep) void *work = password_work_new();

        assert_int_equal(boot_rule_begin_password(site, body, work), SITE_E_REFUSED);
    }
}

static void the_password_comes_before_the_gate_of_unknown_computers(void **state)
{
    (void)state;
    char required[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *rule = fixture_json("{'is_approval_needed': true}");
    OWN(json_freep) json_t *answer = NULL;

    fixture_deploy(site, "All Unknown Computers", "required", required);
    assert_int_equal(unknown_rule_change(site, "test", "site", rule, &answer), 0);
    set_password(site, BOOT_RULE_OF_SITE, PASSWORD);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    assert_asked(site, device, "password");
    assert_int_equal(type_password(site, device, PASSWORD), 0);
    assert_asked(site, device, "");
    json_decref(answer);
    answer = NULL;
    assert_int_equal(unknown_ask(site, device, &answer), 0);
    assert_string_equal(field_text(answer, "state", ""), "waiting");
    assert_has_order(site, device, false);
}

static void rules_are_inherited_and_checked(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *bad = fixture_json("{'menu_s': 0}");
    OWN(json_freep) json_t *rule = NULL;
    struct boot_rule found;

    set_rule(site, BOOT_RULE_OF_SITE, "{'menu_s': 10, 'choice_s': 0}");
    set_rule(site, DP_OWN_ID, "{'menu_s': 20}");
    assert_int_equal(boot_rule_find(site, DP_OWN_ID, &found), 0);
    assert_int_equal(found.menu_s, 20);
    assert_int_equal(found.choice_s, 0);
    assert_int_equal(boot_rule_change(site, "test", DP_OWN_ID, bad, &rule), SITE_E_REFUSED);
    assert_int_equal(boot_rule_get(site, "DP09999", &rule), SITE_E_REFUSED);
    assert_int_equal(boot_rule_remove(site, "test", DP_OWN_ID), 0);
    assert_int_equal(boot_rule_remove(site, "test", DP_OWN_ID), SITE_E_REFUSED);
    assert_int_equal(boot_rule_get(site, DP_OWN_ID, &rule), 0);
    assert_int_equal(field_number(json_object_get(rule, "effective"), "menu_s", 0), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_available_deployment_begins_without_a_list),
        cmocka_unit_test(of_several_the_one_that_is_chosen_begins),
        cmocka_unit_test(a_choice_is_for_one_start_only),
        cmocka_unit_test(a_required_deployment_goes_before_the_list),
        cmocka_unit_test(without_the_password_there_is_no_order),
        cmocka_unit_test(what_has_begun_goes_on_without_the_password),
        cmocka_unit_test(five_wrong_passwords_are_the_end_until_it_has_waited),
        cmocka_unit_test(who_waits_for_his_address_is_counted_for_nothing_else),
        cmocka_unit_test(many_devices_leave_room_for_names_and_a_full_room_counts_on),
        cmocka_unit_test(a_distribution_point_has_a_password_of_its_own_or_asks_for_none),
        cmocka_unit_test(a_password_that_was_changed_meanwhile_is_wrong),
        cmocka_unit_test(passwords_that_no_boot_screen_can_type_are_refused),
        cmocka_unit_test(the_password_comes_before_the_gate_of_unknown_computers),
        cmocka_unit_test(rules_are_inherited_and_checked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
