/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_search.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/fields.h"
#include "site/fixture.h"

enum {
    N_DEVICES = 25,
};

static struct site *many_devices(void)
{
    struct site *site = fixture_new();

    for (int i = 0; i < N_DEVICES; i++) {
        char name[16];
        char mac[32];

        (void)snprintf(name, sizeof(name), "PC-%02d", i);
        (void)snprintf(mac, sizeof(mac), "52:54:00:77:02:%02x", i);
        site->now_us += FIXTURE_MINUTE_US;
        fixture_import(site, name, mac);
    }
    return site;
}

static json_t *search(struct site *site, const char *filter, const char *after, unsigned limit)
{
    json_t *page = NULL;

    assert_int_equal(
        device_search(site, filter, &(struct page){.after = after, .limit = limit}, &page), 0);
    return page;
}

static const char *name_at(const json_t *page, size_t i)
{
    return field_text(json_array_get(json_object_get(page, "items"), i), "name", "");
}

static void only_devices_that_fit_are_listed(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = many_devices();
    OWN(json_freep)
    json_t *page = search(site, "name endswith '7' or mac eq '52:54:00:77:02:00'", "", 10);

    assert_int_equal(json_array_size(json_object_get(page, "items")), 3);
    assert_string_equal(name_at(page, 0), "PC-00");
    assert_string_equal(name_at(page, 1), "PC-07");
    assert_string_equal(name_at(page, 2), "PC-17");
    assert_true(json_is_null(json_object_get(page, "next")));
}

static void pages_neither_skip_nor_repeat_a_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = many_devices();
    char after[ACCESS_DEVICE_ID_MAX] = "";
    int n = 0;

    do {
        OWN(json_freep) json_t *page = search(site, "name ge 'pc-05'", after, 3);
        size_t n_items = json_array_size(json_object_get(page, "items"));

        for (size_t i = 0; i < n_items; i++) {
            char name[16];

            (void)snprintf(name, sizeof(name), "PC-%02d", 5 + n++);
            assert_string_equal(name_at(page, i), name);
        }
        (void)snprintf(after, sizeof(after), "%s", field_text(page, "next", ""));
    } while (after[0]);
    assert_int_equal(n, N_DEVICES - 5);
}

static void a_filter_that_is_not_right_is_refused(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    json_t *page = NULL;

    assert_int_equal(
        device_search(site, "name is 'x'", &(struct page){.after = "", .limit = 10}, &page),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_FILTER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_devices_that_fit_are_listed),
        cmocka_unit_test(pages_neither_skip_nor_repeat_a_device),
        cmocka_unit_test(a_filter_that_is_not_right_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
