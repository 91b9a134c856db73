/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/order.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */

#include <cmocka.h>

#include "base/own.h"
#include "site/access.h"
#include "site/deployment.h"
#include "site/fields.h"
#include "site/fixture.h"

static void the_site_keeps_the_latest_progress_and_every_step(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *messages = NULL;
    const struct page page = {.after = "", .limit = ROWS_LIMIT_MAX, .is_log = true};
    const json_t *items;
    char deployment[SITE_ID_MAX];
    char device[ACCESS_DEVICE_ID_MAX];
    char order[UUID_TEXT_MAX];

    fixture_deploy(site, "All Unknown Computers", "required", deployment);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, device), 0);
    (void)fixture_order(site, device, order);
    assert_int_equal(fixture_report(site, device, order, 1, "step-started", "boot-image"), 0);
    for (unsigned i = 0; i < ORDER_PROGRESS_MESSAGES_MAX + 10; i++)
        assert_int_equal(fixture_report(site, device, order, 2 + i, "step-progress", "boot-image"),
                         0);
    assert_int_equal(status_message_list(site, NULL, deployment, &page, &messages), 0);
    items = json_object_get(messages, "items");
    assert_int_equal(json_array_size(items), ORDER_PROGRESS_MESSAGES_MAX + 1);
    assert_string_equal(field_text(json_array_get(items, 0), "state", ""), "step-started");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_site_keeps_the_latest_progress_and_every_step),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
