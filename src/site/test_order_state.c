/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order_state.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"

#define STATE_TEXT(seq, more) \
    "{'version': 1, 'seq': " seq ", 'phase': 'boot-image', 'next': {'step': 3}, " more "}"

struct life {
    struct site *site; /* owned */
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];
};

static void life_fini(struct life *life)
{
    fixture_free(life->site);
}

static struct life begin(void)
{
    struct life life = {.site = fixture_new()};

    fixture_deploy(life.site, "All Unknown Computers", "required", life.deployment);
    assert_int_equal(fixture_register(life.site, FIXTURE_MAC, life.device), 0);
    assert_int_equal(fixture_order(life.site, life.device, life.order), 1);
    return life;
}

static int tell(struct life *life, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    return order_state_put(life->site, life->device, life->order, body, &answer);
}

static void assert_kept(struct life *life, const char *name, const char *value)
{
    OWN(json_freep) json_t *row = NULL;
    const json_t *variables;

    assert_int_equal(order_state_get(life->site, life->deployment, FIXTURE_MAC, &row), 0);
    variables = json_object_get(json_object_get(row, "state"), "variables");
    assert_string_equal(field_text(variables, name, ""), value);
}

static void the_state_that_a_device_told_last_is_shown_and_goes_with_the_order(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *order = NULL;
    const struct order_client client = {.host = "10.77.0.1"};

    assert_int_equal(tell(&life, STATE_TEXT("5", "'variables': {'A': 'b'}, 'secrets': ['S']")), 0);
    assert_kept(&life, "A", "b");
    assert_int_equal(tell(&life, STATE_TEXT("6", "'variables': {'A': 'c'}, 'secrets': []")), 0);
    assert_int_equal(tell(&life, STATE_TEXT("4", "'variables': {'A': 'd'}, 'secrets': []")), 0);
    assert_kept(&life, "A", "c");
    assert_int_equal(order_get(life.site, life.device, &client, &order), 0);
    assert_int_equal(field_number(json_object_get(order, "mirror"), "seq", 0), 6);
}

static void a_state_with_the_value_of_a_secret_is_refused(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(tell(&life, STATE_TEXT("5", "'variables': {'S': 'x'}, 'secrets': ['S']")),
                     SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_CLIENT_INVALID);
    assert_int_equal(tell(&life, STATE_TEXT("5", "'variables': {'S': 1}, 'secrets': []")),
                     SITE_E_REFUSED);
    assert_int_equal(tell(&life, STATE_TEXT("5", "'variables': [], 'secrets': []")),
                     SITE_E_REFUSED);
}

static void a_state_of_an_order_that_is_over_is_refused(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();

    assert_int_equal(fixture_report(life.site, life.device, life.order, 1, "failed", "boot-image"),
                     0);
    assert_int_equal(tell(&life, STATE_TEXT("5", "'variables': {}, 'secrets': []")),
                     SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_ORDER_OVER);
}

static void a_log_is_wanted_until_it_has_come(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *wanted = NULL;
    OWN(json_freep) json_t *come = NULL;

    assert_int_equal(order_log_want(life.site, "test", life.deployment, FIXTURE_MAC, &wanted), 0);
    assert_true(field_bool(wanted, "is_wanted"));
    assert_int_equal(
        order_log_put(life.site, life.device, life.order, "1", bytes_of("a line\nanother\n")), 0);
    assert_int_equal(order_log_get(life.site, life.deployment, FIXTURE_MAC, &come), 0);
    assert_false(field_bool(come, "is_wanted"));
    assert_string_equal(field_text(come, "text", ""), "a line\nanother\n");
}

static void bytes_of_a_log_that_are_no_text_are_replaced(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *come = NULL;
    static const uint8_t bytes[] = {'a', 0xff, 0, 'b'};

    assert_int_equal(
        order_log_put(
            life.site, life.device, life.order, "0", (struct bytes){bytes, sizeof(bytes)}),
        0);
    assert_int_equal(order_log_get(life.site, life.deployment, FIXTURE_MAC, &come), 0);
    assert_string_equal(field_text(come, "text", ""), "a??b");
}

static void of_a_log_that_is_too_long_the_last_lines_are_kept(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *come = NULL;
    size_t len = ORDER_LOG_MAX_BYTES + 100;
    OWN(freep) char *text = malloc(len);

    assert_non_null(text);
    memset(text, 'x', len);
    text[150] = '\n';
    assert_int_equal(
        order_log_put(
            life.site, life.device, life.order, "0", (struct bytes){(const uint8_t *)text, len}),
        0);
    assert_int_equal(order_log_get(life.site, life.deployment, FIXTURE_MAC, &come), 0);
    assert_int_equal(strlen(field_text(come, "text", "")), len - 151);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_state_that_a_device_told_last_is_shown_and_goes_with_the_order),
        cmocka_unit_test(a_state_with_the_value_of_a_secret_is_refused),
        cmocka_unit_test(a_state_of_an_order_that_is_over_is_refused),
        cmocka_unit_test(a_log_is_wanted_until_it_has_come),
        cmocka_unit_test(bytes_of_a_log_that_are_no_text_are_replaced),
        cmocka_unit_test(of_a_log_that_is_too_long_the_last_lines_are_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
