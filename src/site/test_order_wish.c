/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order_wish.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/deployment.h"
#include "site/device_key.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"

#define MINUTE_US (UINT64_C(60) * 1000000)
#define HOUR_US   (60 * MINUTE_US)

struct life {
    struct site *site; /* owned */
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
    unsigned seq;
};

static void life_fini(struct life *life)
{
    fixture_free(life->site);
}

/* An unknown computer that has begun. */
static struct life begin(void)
{
    struct life life = {.site = fixture_new(), .seq = 1};

    fixture_deploy(life.site, "All Unknown Computers", "required", life.deployment);
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, life.order), 1);
    return life;
}

static void say(struct life *life, const char *state)
{
    assert_int_equal(
        fixture_report(life->site, life->device, life->order, life->seq++, state, "boot-image"), 0);
}

static int want_for(struct life *life, enum order_wish wish, const char *body_text)
{
    OWN(json_freep) json_t *body = body_text ? fixture_json(body_text) : NULL;
    OWN(json_freep) json_t *deployment = NULL;
    const struct order_wish_call call = {
        .who = "test",
        .deployment_id = life->deployment,
        .device = FIXTURE_MAC,
        .wish = wish,
    };

    return order_wish_set(life->site, &call, body, &deployment);
}

static int want(struct life *life, enum order_wish wish)
{
    return want_for(life, wish, NULL);
}

/* What the device hears when it asks. */
static void assert_hears(struct life *life, const char *wish)
{
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(order_wish_get(life->site, life->device, life->order, &answer), 0);
    assert_string_equal(field_text(answer, "wish", ""), wish);
    assert_int_equal(field_bool(answer, "is_cancelled"), strcmp(wish, "cancel") == 0);
}

static void assert_shown(struct life *life, const char *state)
{
    OWN(json_freep) json_t *device = fixture_progress(life->site, life->deployment);

    assert_string_equal(field_text(device, "state", ""), state);
}

static void a_device_hears_that_it_is_to_wait_and_to_go_on(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    say(&life, "started");
    assert_hears(&life, "run");
    assert_int_equal(want(&life, ORDER_WISH_PAUSE), 0);
    assert_int_equal(want(&life, ORDER_WISH_PAUSE), 0);
    assert_hears(&life, "pause");
    assert_shown(&life, "in-progress");
    say(&life, "paused");
    assert_shown(&life, "paused");
    assert_int_equal(want(&life, ORDER_WISH_RUN), 0);
    assert_int_equal(want(&life, ORDER_WISH_RUN), 0);
    assert_hears(&life, "run");
    say(&life, "resumed");
    assert_shown(&life, "in-progress");
}

static void a_paused_order_is_neither_silent_nor_late(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    say(&life, "started");
    assert_int_equal(want(&life, ORDER_WISH_PAUSE), 0);
    say(&life, "paused");
    for (unsigned hour = 0; hour < 100; hour++)
        fixture_wait(life.site, HOUR_US);
    assert_shown(&life, "paused");
    assert_int_equal(want(&life, ORDER_WISH_RUN), 0);
    fixture_wait(life.site, 20 * MINUTE_US);
    say(&life, "resumed");
    assert_shown(&life, "in-progress");
}

static void a_pause_that_nobody_comes_back_for_ends(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    say(&life, "started");
    assert_int_equal(want(&life, ORDER_WISH_PAUSE), 0);
    say(&life, "paused");
    for (unsigned day = 0; day < 29; day++)
        fixture_wait(life.site, 24 * HOUR_US);
    assert_shown(&life, "paused");
    fixture_wait(life.site, 25 * HOUR_US);
    assert_shown(&life, "failed");
}

static void the_key_of_a_device_that_waits_stays_good(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    char id[ACCESS_DEVICE_ID_MAX];
    char ticket_hash[SHA256_TEXT_MAX];

    assert_int_equal(device_key_add(life.site, life.device, FIXTURE_SHA256, ""), 0);
    assert_int_equal(want(&life, ORDER_WISH_PAUSE), 0);
    for (unsigned hour = 0; hour < 60; hour++)
        fixture_wait(life.site, HOUR_US);
    assert_int_equal(device_key_find(life.site, FIXTURE_SHA256, id, ticket_hash), 0);
    assert_string_equal(id, life.device);
}

static void a_pause_with_a_time_ends_by_itself(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    say(&life, "started");
    assert_int_equal(want_for(&life, ORDER_WISH_PAUSE, "{'timeout_s': 7200}"), 0);
    say(&life, "paused");
    fixture_wait(life.site, HOUR_US);
    assert_hears(&life, "pause");
    fixture_wait(life.site, HOUR_US);
    assert_hears(&life, "run");
    fixture_wait(life.site, 20 * MINUTE_US);
    say(&life, "resumed");
}

static void a_pause_of_no_time_is_refused(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(want_for(&life, ORDER_WISH_PAUSE, "{'timeout_s': 0}"), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_INVALID);
    assert_hears(&life, "run");
}

static void a_cancelled_order_ends_as_cancelled_when_the_device_says_so(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    say(&life, "started");
    assert_int_equal(want(&life, ORDER_WISH_CANCEL), 0);
    assert_hears(&life, "cancel");
    assert_shown(&life, "in-progress");
    say(&life, "cancelled");
    assert_shown(&life, "cancelled");
    assert_int_equal(want(&life, ORDER_WISH_CANCEL), 0);
}

static void a_cancelled_order_of_a_device_that_is_off_ends_by_itself(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    say(&life, "started");
    assert_int_equal(want(&life, ORDER_WISH_CANCEL), 0);
    fixture_wait(life.site, 31 * MINUTE_US);
    assert_shown(&life, "cancelled");
}

static void what_is_cancelled_can_neither_wait_nor_go_on(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(want(&life, ORDER_WISH_PAUSE), 0);
    assert_int_equal(want(&life, ORDER_WISH_CANCEL), 0);
    assert_hears(&life, "cancel");
    assert_int_equal(want(&life, ORDER_WISH_PAUSE), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_ORDER_WISH);
    assert_int_equal(want(&life, ORDER_WISH_RUN), SITE_E_REFUSED);
    assert_hears(&life, "cancel");
}

static void a_cancelled_deployment_does_not_begin_again_on_that_device(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    struct boot_decision decision;

    assert_int_equal(want(&life, ORDER_WISH_CANCEL), 0);
    say(&life, "cancelled");
    decision = fixture_ask(life.site, FIXTURE_MAC, 7);
    assert_false(decision.is_offer);
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, life.order), 0);
}

static void an_order_that_is_over_or_never_was_cannot_be_paused(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *answer = NULL;

    say(&life, "failed");
    assert_int_equal(want(&life, ORDER_WISH_PAUSE), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_NO_ORDER);
    assert_int_equal(order_wish_get(life.site, life.device, life.order, &answer), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_ORDER_OVER);
    fixture_import(life.site, "other", "52:54:00:77:00:99");
    assert_int_equal(
        order_key_find_running(life.site, life.deployment, "other", &(struct order_key){0}),
        SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_NO_ORDER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_hears_that_it_is_to_wait_and_to_go_on),
        cmocka_unit_test(a_paused_order_is_neither_silent_nor_late),
        cmocka_unit_test(the_key_of_a_device_that_waits_stays_good),
        cmocka_unit_test(a_pause_that_nobody_comes_back_for_ends),
        cmocka_unit_test(a_pause_with_a_time_ends_by_itself),
        cmocka_unit_test(a_pause_of_no_time_is_refused),
        cmocka_unit_test(a_cancelled_order_ends_as_cancelled_when_the_device_says_so),
        cmocka_unit_test(a_cancelled_order_of_a_device_that_is_off_ends_by_itself),
        cmocka_unit_test(what_is_cancelled_can_neither_wait_nor_go_on),
        cmocka_unit_test(a_cancelled_deployment_does_not_begin_again_on_that_device),
        cmocka_unit_test(an_order_that_is_over_or_never_was_cannot_be_paused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
