/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order_debug.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "db/db.h"
#include "site/access.h"
#include "site/fields.h"
#include "site/fixture.h"

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

static struct order_debug_call call_of(const struct life *life)
{
    return (struct order_debug_call){
        .who = "test", .deployment_id = life->deployment, .device = FIXTURE_MAC};
}

static void enable(struct life *life)
{
    OWN(json_freep) json_t *deployment = NULL;
    struct order_debug_call call = call_of(life);

    assert_int_equal(order_debug_enable(life->site, &call, &deployment), 0);
}

static int send_as_admin(struct life *life, const char *text, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    struct order_debug_call call = call_of(life);

    return order_debug_admin(life->site, &call, body, ret);
}

static int send_as_device(struct life *life, const char *text, json_t **ret)
{
    OWN(json_freep) json_t *body = fixture_json(text);

    return order_debug_device(life->site, life->device, life->order, body, ret);
}

static const json_t *first_body(const json_t *answer)
{
    return json_object_get(json_array_get(json_object_get(answer, "messages"), 0), "body");
}

static void what_was_not_made_for_debugging_is_not_debugged(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *answer = NULL;
    OWN(json_freep) json_t *heard = NULL;

    assert_int_equal(send_as_admin(&life,
                                   "{'after': 0, 'messages': [{'number': 1, 'command': 'step'}]}",
                                   &answer),
                     SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_NO_DEBUG);
    assert_int_equal(send_as_device(&life, "{'after': 0, 'messages': []}", &heard), 0);
    assert_int_equal(json_array_size(json_object_get(heard, "messages")), 0);
    assert_false(field_bool(heard, "is_debug"));
}

static void a_device_whose_variables_want_it_is_debugged(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *heard = NULL;
    OWN(json_freep) json_t *later = NULL;
    OWN(json_freep) json_t *back = NULL;
    static const char wanted[] = "{'after': 0, 'is_wanted': true, 'messages': [{'number': 7}]}";

    assert_int_equal(send_as_device(&life, wanted, &heard), 0);
    assert_true(field_bool(heard, "is_debug"));
    assert_int_equal(send_as_device(&life, "{'after': 0, 'messages': []}", &later), 0);
    assert_true(field_bool(later, "is_debug"));
    assert_int_equal(send_as_admin(&life, "{'after': 0, 'messages': []}", &back), 0);
    assert_int_equal(json_array_size(json_object_get(back, "messages")), 1);
    assert_int_equal(send_as_admin(&life, wanted, &back), SITE_E_REFUSED);
    assert_int_equal(life.site->refusal.id, REFUSAL_INVALID);
}

static void mail_goes_both_ways_and_once(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *sent = NULL;
    OWN(json_freep) json_t *again = NULL;
    OWN(json_freep) json_t *heard = NULL;
    OWN(json_freep) json_t *back = NULL;
    static const char step[] = "{'after': 0, 'messages': [{'number': 1, 'command': 'step'}]}";

    enable(&life);
    assert_int_equal(send_as_admin(&life, step, &sent), 0);
    assert_int_equal(send_as_admin(&life, step, &again), 0);
    assert_int_equal(send_as_device(&life,
                                    "{'after': 0, 'messages': [{'number': 7, 'event': 'stopped'}]}",
                                    &heard),
                     0);
    assert_int_equal(json_array_size(json_object_get(heard, "messages")), 1);
    assert_string_equal(field_text(first_body(heard), "command", ""), "step");
    assert_int_equal(send_as_admin(&life, "{'after': 0, 'messages': []}", &back), 0);
    assert_string_equal(field_text(first_body(back), "event", ""), "stopped");
}

static void an_order_that_is_debugged_has_no_deadline_but_must_be_heard(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *device = NULL;

    enable(&life);
    for (unsigned n = 0; n < 500; n++) {
        OWN(json_freep) json_t *heard = NULL;

        fixture_wait(life.site, UINT64_C(20) * 60 * 1000000);
        assert_int_equal(send_as_device(&life, "{'after': 0, 'messages': []}", &heard), 0);
    }
    fixture_wait(life.site, UINT64_C(40) * 60 * 1000000);
    device = fixture_progress(life.site, life.deployment);
    assert_string_equal(field_text(device, "state", ""), "failed");
    assert_string_equal(field_text(device, "error_id", ""), "SLW-0205");
}

static void commands_are_audited_and_what_is_typed_is_not(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *sent = NULL;
    OWN(db_rows_fini) struct db_rows rows = {0};
    unsigned n = 0;

    enable(&life);
    assert_int_equal(send_as_admin(&life,
                                   "{'after': 0, 'messages': [{'number': 1, 'command': 'shell'},"
                                   "{'number': 2, 'command': 'shell-input', 'data': 'eA=='}]}",
                                   &sent),
                     0);
    assert_int_equal(db_select(life.site->db,
                               SQL_AUDIT_RECORD_LIST,
                               DB_ARGS(db_u64(0), db_u64(1000), db_text("")),
                               &rows),
                     0);
    while (db_next(&rows) == DB_ROW)
        n += strcmp(db_get_text(&rows, 5), "order.debug") == 0;
    assert_int_equal(n, 1);
}

static void a_message_that_is_none_is_refused(void **state)
{
    (void)state;
    OWN(life_fini) struct life life = begin();
    OWN(json_freep) json_t *answer = NULL;

    enable(&life);
    assert_int_equal(send_as_admin(&life, "{'after': 0, 'messages': [{'command': 'x'}]}", &answer),
                     SITE_E_REFUSED);
    assert_int_equal(send_as_admin(&life, "{'messages': []}", &answer), SITE_E_REFUSED);
    assert_int_equal(send_as_device(&life, "{'after': 0, 'messages': [7]}", &answer),
                     SITE_E_REFUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_made_for_debugging_is_not_debugged),
        cmocka_unit_test(a_device_whose_variables_want_it_is_debugged),
        cmocka_unit_test(mail_goes_both_ways_and_once),
        cmocka_unit_test(an_order_that_is_debugged_has_no_deadline_but_must_be_heard),
        cmocka_unit_test(commands_are_audited_and_what_is_typed_is_not),
        cmocka_unit_test(a_message_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
