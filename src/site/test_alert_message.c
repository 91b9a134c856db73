/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/alert_message.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/alert.h"
#include "site/deployment_change.h"
#include "site/fields.h"
#include "site/fixture.h"

#define HOUR_US (60 * FIXTURE_MINUTE_US)

enum {
    TEXT_MAX_BYTES = 16384,
};

static const struct alert_message example = {
    .id = 7,
    .number = 3,
    .raised_us = UINT64_C(1763800000000000),
    .changed_us = UINT64_C(1763803600000000),
    .kind = "deployment-failed",
    .object = "SLP20001",
    .severity = "error",
    .text = "The deployment of \"A\r\nBcc: all@example\" has failed on 2 devices.",
};

/* A deployment that is behind an hour from now; nothing else is an alert. */
static void begin_alert(struct site *site)
{
    OWN(json_freep)
    json_t *terms = fixture_json("{'alert_success_percent': 100, 'alert_after_s': 3600}");
    OWN(json_freep) json_t *changed = NULL;
    char deployment[SITE_ID_MAX];

    fixture_import(site, "A", FIXTURE_MAC);
    fixture_deploy(site, "All Systems", "required", deployment);
    assert_int_equal(deployment_change(site, "test", deployment, terms, &changed), 0);
    fixture_wait(site, HOUR_US);
    fixture_wait(site, ALERT_EVERY_US);
}

static void end_alert(struct site *site)
{
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "succeeded", "full-os"), 0);
    fixture_wait(site, ALERT_EVERY_US);
}

static void nothing_goes_out_where_no_way_is_set(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct alert_message message;

    begin_alert(site);
    assert_int_equal(alert_message_take(site, &message), 1);
}

static void an_alert_is_told_when_it_is_raised_and_when_it_is_over(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct alert_message message;

    site->settings.has_alert_webhook = true;
    begin_alert(site);
    assert_int_equal(alert_message_take(site, &message), 0);
    assert_false(message.is_mail);
    assert_false(message.is_over);
    assert_string_equal(message.kind, "deployment-success");
    assert_int_equal(alert_message_end(site, &message, NULL), 0);
    fixture_wait(site, HOUR_US); /* it goes on, and is not told again */
    assert_int_equal(alert_message_take(site, &message), 1);
    end_alert(site);
    assert_int_equal(alert_message_take(site, &message), 0);
    assert_true(message.is_over);
    assert_int_equal(message.number, 1);
    assert_int_equal(alert_message_end(site, &message, NULL), 0);
    assert_int_equal(alert_message_take(site, &message), 1);
}

static void each_way_gets_its_own(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct alert_message first;
    struct alert_message second;

    site->settings.has_alert_webhook = true;
    site->settings.has_alert_mail = true;
    begin_alert(site);
    assert_int_equal(alert_message_take(site, &first), 0);
    assert_int_equal(alert_message_take(site, &second), 0);
    assert_int_not_equal(first.is_mail, second.is_mail);
    assert_int_equal(alert_message_take(site, &second), 1); /* both are in hand */
}

static void
what_was_not_taken_is_tried_again_after_longer_and_longer_until_it_is_given_up(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct alert_message message;
    uint64_t waited_us = 0;
    uint64_t n = 0;

    site->settings.has_alert_mail = true;
    begin_alert(site);
    while (waited_us < 48 * HOUR_US) {
        if (alert_message_take(site, &message) == 0) {
            n++;
            assert_int_equal(message.n_tries, n);
            assert_int_equal(alert_message_end(site, &message, "nobody is there"), 0);
            assert_int_equal(alert_message_take(site, &message), 1);
        }
        site->now_us += FIXTURE_MINUTE_US;
        waited_us += FIXTURE_MINUTE_US;
    }
    assert_int_equal(n, ALERT_MESSAGE_TRIES);
}

static void who_ends_with_one_in_hand_does_not_lose_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    struct alert_message message;

    site->settings.has_alert_webhook = true;
    begin_alert(site);
    assert_int_equal(alert_message_take(site, &message), 0);
    site->now_us += ALERT_MESSAGE_TAKEN_US;
    assert_int_equal(alert_message_take(site, &message), 0);
    assert_int_equal(message.n_tries, 2);
}

static void a_webhook_gets_one_object(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    OWN(json_freep) json_t *body = NULL;

    assert_int_equal(alert_message_put_json(&example, "Lab", &text), 0);
    body = json_loads(buf_str(&text), JSON_REJECT_DUPLICATES, NULL);
    assert_string_equal(field_text(body, "event", ""), "alert.raised");
    assert_string_equal(field_text(body, "site", ""), "Lab");
    assert_int_equal(json_integer_value(json_object_get(body, "message")), 7);
    assert_string_equal(field_text(json_object_get(body, "alert"), "text", ""), example.text);
    assert_string_equal(field_text(json_object_get(body, "alert"), "raised_at", ""),
                        "2025-11-22T08:26:40Z");
}

static void no_name_begins_a_line_of_its_own_in_a_mail(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf subject = BUF_INIT(TEXT_MAX_BYTES);
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);

    alert_message_put_subject(&example, "Lab\nX", &subject);
    alert_message_put_text(&example, "Lab\nX", &text);
    assert_null(strpbrk(buf_str(&subject), "\r\n"));
    assert_memory_equal(buf_str(&subject), "[Lab X] error: The deployment", 29);
    assert_null(strstr(buf_str(&text), "\nBcc"));
    assert_null(strstr(buf_str(&text), "\nX"));
    assert_non_null(strstr(buf_str(&text), "slipway alert acknowledge 3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_goes_out_where_no_way_is_set),
        cmocka_unit_test(an_alert_is_told_when_it_is_raised_and_when_it_is_over),
        cmocka_unit_test(each_way_gets_its_own),
        cmocka_unit_test(
            what_was_not_taken_is_tried_again_after_longer_and_longer_until_it_is_given_up),
        cmocka_unit_test(who_ends_with_one_in_hand_does_not_lose_it),
        cmocka_unit_test(a_webhook_gets_one_object),
        cmocka_unit_test(no_name_begins_a_line_of_its_own_in_a_mail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
