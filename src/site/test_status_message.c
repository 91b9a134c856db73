/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/status_message.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "site/access.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/order.h"
#include "site/order_step.h"

static const struct page everything = {.after = "", .limit = ROWS_LIMIT_MAX, .is_log = true};

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

static void tell(struct life *life, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *answer = NULL;

    life->site->now_us += FIXTURE_MINUTE_US;
    assert_int_equal(order_report(life->site, life->device, life->order, body, &answer), 0);
}

#define STEP(n) \
    "'environment': 'boot-image', 'step': " #n ", 'n_steps': 4, 'step_name': 'S" #n \
    "', 'group': 'G'"

static json_t *list(struct life *life, const char *severity)
{
    const struct status_message_query query = {.deployment = life->deployment,
                                               .severity = severity};
    json_t *found = NULL;

    assert_int_equal(status_message_list(life->site, &query, &everything, &found), 0);
    return found;
}

static void expect_message(const json_t *found, size_t at, unsigned id, const char *text)
{
    const json_t *message = json_array_get(json_object_get(found, "items"), at);

    assert_int_equal(field_number(message, "message_id", 0), id);
    assert_string_equal(field_text(message, "text", ""), text);
}

static void messages_have_numbers_and_texts_and_the_site_says_the_last_one(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *all = NULL;
    OWN(json_freep) json_t *errors = NULL;
    const json_t *last;

    tell(&life, "{'seq': 1, 'state': 'started', 'environment': 'boot-image'}");
    tell(&life,
         "{'seq': 2, 'state': 'step-failed', 'exit_code': 5, 'message': 'No disk.', " STEP(1) "}");
    tell(&life,
         "{'seq': 3, 'state': 'failed', 'environment': 'boot-image', 'error_id': 'SLW-0450', "
         "'message': 'No disk.'}");
    all = list(&life, NULL);
    assert_int_equal(json_array_size(json_object_get(all, "items")), 4);
    expect_message(all, 0, 11140, "The task sequence has begun in the environment boot-image.");
    expect_message(all,
                   1,
                   11135,
                   "The step \"S1\" in the group \"G\" has failed with the exit code 5: No disk.");
    expect_message(all, 3, 11170, "The deployment has ended with the error SLW-0450: No disk.");
    last = json_array_get(json_object_get(all, "items"), 3);
    assert_string_equal(field_text(last, "component", ""), "Task Sequence Manager");
    assert_string_equal(json_string_value(json_array_get(json_object_get(last, "parameters"), 0)),
                        "SLW-0450");
    errors = list(&life, "error");
    assert_int_equal(json_array_size(json_object_get(errors, "items")), 3);
}

static void messages_go_when_they_are_old(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *before = NULL;
    OWN(json_freep) json_t *after = NULL;
    OWN(json_freep) json_t *steps = NULL;

    tell(&life, "{'seq': 1, 'state': 'step-started', " STEP(0) "}");
    tell(&life, "{'seq': 2, 'state': 'step-succeeded', " STEP(0) "}");
    life.site->now_us += (STATUS_MESSAGE_DAYS - 1) * 24 * 60 * FIXTURE_MINUTE_US;
    fixture_wait(life.site, 0); /* it was silent: the site says one more */
    before = list(&life, NULL);
    assert_int_equal(json_array_size(json_object_get(before, "items")), 3);
    fixture_wait(life.site, UINT64_C(2) * 24 * 60 * FIXTURE_MINUTE_US);
    after = list(&life, NULL);
    assert_int_equal(json_array_size(json_object_get(after, "items")), 1);
    assert_int_equal(order_step_list(life.site, life.deployment, FIXTURE_MAC, &everything, &steps),
                     0);
    assert_int_equal(json_array_size(json_object_get(steps, "items")), 0);
}

static void
expect_step(const json_t *steps, size_t at, const char *name, const char *how, unsigned ms)
{
    const json_t *step = json_array_get(json_object_get(steps, "items"), at);

    assert_string_equal(field_text(step, "step_name", ""), name);
    assert_string_equal(field_text(step, "state", ""), how);
    assert_int_equal(field_number(step, "duration_ms", 0), ms);
}

static void each_step_that_ran_has_a_record(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *steps = NULL;

    tell(&life, "{'seq': 1, 'state': 'step-started', " STEP(0) "}");
    tell(&life,
         "{'seq': 2, 'state': 'step-succeeded', 'exit_code': 3010, 'output': 'well', " STEP(0) "}");
    tell(&life, "{'seq': 3, 'state': 'step-skipped', " STEP(1) "}");
    tell(&life, "{'seq': 4, 'state': 'step-started', " STEP(2) "}");
    tell(&life, "{'seq': 5, 'state': 'restarting', " STEP(2) "}");
    tell(&life, "{'seq': 6, 'state': 'step-started', " STEP(2) "}"); /* goes on */
    tell(&life, "{'seq': 7, 'state': 'step-started', " STEP(2) "}"); /* after a power cut */
    tell(&life, "{'seq': 8, 'state': 'cancelled', 'environment': 'boot-image'}");
    assert_int_equal(order_step_list(life.site, life.deployment, FIXTURE_MAC, &everything, &steps),
                     0);
    assert_int_equal(json_array_size(json_object_get(steps, "items")), 4);
    expect_step(steps, 0, "S0", "succeeded", 60000);
    expect_step(steps, 1, "S1", "skipped", 0);
    expect_step(steps, 2, "S2", "interrupted", 180000);
    expect_step(steps, 3, "S2", "interrupted", 60000);
    assert_string_equal(
        field_text(json_array_get(json_object_get(steps, "items"), 0), "output", ""), "well");
}

static void of_a_long_output_the_end_is_kept_in_whole_characters(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *steps = NULL;
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *body = fixture_json("{'seq': 1, 'state': 'step-failed', " STEP(0) "}");
    OWN(buf_fini) struct buf text = BUF_INIT(8192);
    const char *kept;

    for (size_t i = 0; i < 2000; i++)
        buf_adds(&text, "\xe2\x82\xac");
    buf_adds(&text, "x");
    assert_int_equal(json_object_set_new(body, "output", json_string(buf_str(&text))), 0);
    assert_int_equal(order_report(life.site, life.device, life.order, body, &answer), 0);
    assert_int_equal(order_step_list(life.site, life.deployment, FIXTURE_MAC, &everything, &steps),
                     0);
    kept = field_text(json_array_get(json_object_get(steps, "items"), 0), "output", "");
    assert_int_equal(strlen(kept), 4096); /* 1365 of three bytes, and x */
    assert_string_equal(kept, buf_str(&text) + text.len - 4096);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_have_numbers_and_texts_and_the_site_says_the_last_one),
        cmocka_unit_test(messages_go_when_they_are_old),
        cmocka_unit_test(each_step_that_ran_has_a_record),
        cmocka_unit_test(of_a_long_output_the_end_is_kept_in_whole_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
