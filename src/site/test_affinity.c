/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/affinity.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/device.h"
#include "site/device_change.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order_state.h"

struct life {
    struct site *site; /* owned */
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
};

static void life_fini(struct life *life)
{
    fixture_free(life->site);
}

static void set_mode(struct site *site, const char *mode)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "mode", mode);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(affinity_mode_set(site, "test", NULL, body, &answer), 0);
    assert_string_equal(field_text(answer, "mode", ""), mode);
}

/* A device whose order is under way; the site allows @mode. */
static struct life begin(const char *mode)
{
    struct life life = {.site = fixture_new()};
    char deployment[SITE_ID_MAX];

    if (mode)
        set_mode(life.site, mode);
    fixture_deploy(life.site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, life.order), 1);
    return life;
}

/* The sequence sets its variables, and ends. */
static void run_with(struct life *life, const char *mode, const char *users, const char *end)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:i,s:i,s:s,s:{},s:[],s:{s:s,s:s}}",
                             "version",
                             1,
                             "seq",
                             1,
                             "phase",
                             "full-os",
                             "next",
                             "secrets",
                             "variables",
                             "smstsassignusersmode",
                             mode,
                             "SMSTSUDAUsers",
                             users);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(order_state_put(life->site, life->device, life->order, body, &answer), 0);
    assert_int_equal(fixture_report(life->site, life->device, life->order, 2, end, "full-os"), 0);
}

/* The users of the device, with a comma between; and how many requests there are. */
static void assert_users(struct life *life, const char *expected, size_t n_requests)
{
    const struct page page = {.after = "", .limit = 100};
    OWN(json_freep) json_t *users = NULL;
    OWN(json_freep) json_t *requests = NULL;
    char text[1024] = "";
    size_t n = 0;
    const json_t *item;
    size_t i;

    assert_int_equal(affinity_list(life->site, life->device, &users), 0);
    json_array_foreach(json_object_get(users, "items"), i, item) n += (size_t)snprintf(
        text + n, sizeof(text) - n, "%s%s", i > 0 ? "," : "", field_text(item, "user", ""));
    assert_string_equal(text, expected);
    assert_int_equal(affinity_requests(life->site, &page, &requests), 0);
    assert_int_equal(json_array_size(json_object_get(requests, "items")), n_requests);
}

static int add(struct life *life, const char *user)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "user", user);
    OWN(json_freep) json_t *answer = NULL;

    return affinity_add(life->site, "test", life->device, body, &answer);
}

static void a_deployment_assigns_nobody_where_it_is_not_allowed(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(NULL);

    run_with(&life, "Auto", "LAB\\ada", "succeeded");
    assert_users(&life, "", 0);
}

static void users_are_assigned_at_once_if_both_want_it(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin("automatic");

    run_with(&life, "AUTO", "LAB\\ada, LAB\\bob,,LAB\\ADA , bad\x01user", "succeeded");
    assert_users(&life, "LAB\\ada,LAB\\bob", 0);
}

static void the_stricter_of_both_counts(void **state)
{
    (void)state;
    OWN(life_fini) struct life careful = begin("pending");

    run_with(&careful, "Auto", "LAB\\ada", "succeeded");
    assert_users(&careful, "", 1);
}

static void a_sequence_may_ask_itself_and_an_administrator_decides(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin("automatic");

    run_with(&life, "Pending", "LAB\\ada,LAB\\bob", "succeeded");
    assert_users(&life, "", 2);
    assert_int_equal(affinity_decide(life.site, "test", life.device, "lab\\ADA", true), 0);
    assert_users(&life, "lab\\ADA", 1);
    assert_int_equal(affinity_decide(life.site, "test", life.device, "LAB\\bob", false), 0);
    assert_users(&life, "lab\\ADA", 0);
    assert_int_equal(affinity_decide(life.site, "test", life.device, "LAB\\bob", true),
                     SITE_E_REFUSED);
}

static void a_sequence_that_disables_it_assigns_nobody(void **state)
{
    (void)state;
    OWN(life_fini) struct life disabled = begin("automatic");

    run_with(&disabled, "Disabled", "LAB\\ada", "succeeded");
    assert_users(&disabled, "", 0);
}

static void a_failed_deployment_assigns_nobody(void **state)
{
    (void)state;
    OWN(life_fini) struct life failed = begin("automatic");

    run_with(&failed, "Auto", "LAB\\ada", "failed");
    assert_users(&failed, "", 0);
}

static void an_administrator_adds_and_removes(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(NULL);

    assert_int_equal(add(&life, "LAB\\ada"), 0);
    assert_int_equal(add(&life, "lab\\ada"), 0);
    assert_int_equal(add(&life, "bob@lab.example"), 0);
    assert_users(&life, "bob@lab.example,LAB\\ada", 0);
    assert_int_equal(add(&life, " ada"), SITE_E_REFUSED);
    assert_int_equal(add(&life, "a,b"), SITE_E_REFUSED);
    assert_int_equal(affinity_remove(life.site, "test", life.device, "lab\\Ada"), 0);
    assert_int_equal(affinity_remove(life.site, "test", life.device, "LAB\\ada"), SITE_E_REFUSED);
    assert_users(&life, "bob@lab.example", 0);
}

static void import_file(struct life *life, const char *csv, bool is_imported, size_t n_errors)
{
    OWN(json_freep) json_t *body = json_pack("{s:s}", "csv", csv);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(affinity_import(life->site, "test", body, &answer), 0);
    assert_int_equal(field_bool(answer, "is_imported"), is_imported);
    assert_int_equal(json_array_size(json_object_get(answer, "errors")), n_errors);
}

static void a_file_is_imported_whole_or_not_at_all(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(NULL);

    import_file(
        &life, "LAB\\ada," FIXTURE_MAC "\nLAB\\bob,no-such-device\n,SLW-770001\nx\n", false, 3);
    assert_users(&life, "", 0);
    import_file(
        &life, "User,Device\r\nLAB\\ada," FIXTURE_MAC "\r\nLAB\\bob,SLW-770001\r\n", true, 0);
    assert_users(&life, "LAB\\ada,LAB\\bob", 0);
}

static void the_users_go_with_the_device(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin(NULL);
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(add(&life, "LAB\\ada"), 0);
    assert_int_equal(fixture_report(life.site, life.device, life.order, 1, "succeeded", "full-os"),
                     0);
    assert_int_equal(device_delete(life.site, "test", life.device), 0);
    assert_int_equal(affinity_list(life.site, life.device, &answer), SITE_E_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deployment_assigns_nobody_where_it_is_not_allowed),
        cmocka_unit_test(users_are_assigned_at_once_if_both_want_it),
        cmocka_unit_test(the_stricter_of_both_counts),
        cmocka_unit_test(a_sequence_may_ask_itself_and_an_administrator_decides),
        cmocka_unit_test(a_sequence_that_disables_it_assigns_nobody),
        cmocka_unit_test(a_failed_deployment_assigns_nobody),
        cmocka_unit_test(an_administrator_adds_and_removes),
        cmocka_unit_test(a_file_is_imported_whole_or_not_at_all),
        cmocka_unit_test(the_users_go_with_the_device),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
