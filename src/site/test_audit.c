/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/audit.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/collection.h"
#include "site/fixture.h"

static json_t *log_of(struct site *site)
{
    const struct page page = {.after = "0", .limit = 1000, .is_log = true};
    json_t *log = NULL;

    assert_int_equal(audit_list(site, "", &page, &log), 0);
    return log;
}

static void a_record_says_which_request_it_was(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    const struct principal principal = {.name = "test", .request_id = "nightly-7"};
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Lab'}");
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *log = NULL;
    OWN(json_freep) json_t *found = NULL;
    const json_t *items;
    const json_t *last;

    principal_set(site, &principal);
    assert_int_equal(collection_create(site, "test", body, &made), 0);
    principal_clear(site);
    log = log_of(site);
    items = json_object_get(log, "items");
    last = json_array_get(items, json_array_size(items) - 1);
    assert_string_equal(json_string_value(json_object_get(last, "action")), "collection.create");
    assert_string_equal(json_string_value(json_object_get(last, "request_id")), "nightly-7");
    /* what the site did by itself was no request */
    assert_true(json_is_null(json_object_get(json_array_get(items, 0), "request_id")));
    assert_int_equal(audit_verify(site, &found), 0);
    assert_true(json_is_true(json_object_get(found, "is_whole")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_says_which_request_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
