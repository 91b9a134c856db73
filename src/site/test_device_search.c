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

static void pages_by_name_are_in_the_order_of_small_letters(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const names[] = {"b-2", "A", "a-1", "C", "B", "a", "c9", "B-10", "ab"};
    static const char *const in_order[] = {"A", "a-1", "ab", "B", "B-10", "b-2", "C", "c9"};
    char after[256] = "";
    size_t n = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char mac[32];

        (void)snprintf(mac, sizeof(mac), "52:54:00:77:03:%02zx", i);
        if (strcmp(names[i], "a") != 0) /* there is A */
            fixture_import(site, names[i], mac);
    }
    do {
        OWN(json_freep) json_t *page = NULL;
        size_t n_items;

        assert_int_equal(
            device_search(
                site, NULL, &(struct page){.after = after, .limit = 3, .is_by_name = true}, &page),
            0);
        n_items = json_array_size(json_object_get(page, "items"));
        for (size_t i = 0; i < n_items; i++)
            assert_string_equal(name_at(page, i), in_order[n++]);
        (void)snprintf(after, sizeof(after), "%s", field_text(page, "next", ""));
    } while (after[0]);
    assert_int_equal(n, sizeof(in_order) / sizeof(in_order[0]));
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

/* "or" makes the search look at each device: both ways must find the same. */
static void assert_same_as_without_index(struct site *site, const char *term)
{
    char twice[128];
    OWN(json_freep) json_t *by_index = search(site, term, "", 100);
    OWN(json_freep) json_t *by_looking = NULL;

    (void)snprintf(twice, sizeof(twice), "%s or %s", term, term);
    by_looking = search(site, twice, "", 100);
    assert_true(json_equal(by_index, by_looking));
}

static void the_index_of_names_finds_what_looking_at_each_device_finds(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    static const char *const names[] = {
        "PC-19",  "pc-190",   "PC-1Z",   "PC-2",    "PC",     "P",    "pc-1-9", "PCz",
        "PD",     "Z",        "zz",      "Z9-a",    "z9",     "9",    "9a",     "a-b",
        "PC-199", "PC-199-9", "PC-1990", "PC-199z", "PC-19a", "PC-20"};
    static const char *const terms[] = {"name startswith 'pc-19'",
                                        "name startswith 'PC-1'",
                                        "name startswith 'p'",
                                        "name startswith 'pc-'",
                                        "name startswith 'z'",
                                        "name startswith 'z9-'",
                                        "name startswith '9'",
                                        "name startswith 'a-'",
                                        "name startswith ''",
                                        "name startswith 'pc-199'",
                                        "name eq 'PC-19'",
                                        "name eq 'pc-199'",
                                        "name eq 'a-b'",
                                        "name eq 'zz'",
                                        "name eq 'nobody'"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char mac[32];

        (void)snprintf(mac, sizeof(mac), "52:54:00:77:03:%02x", (unsigned)i);
        fixture_import(site, names[i], mac);
    }
    for (size_t i = 0; i < sizeof(terms) / sizeof(terms[0]); i++)
        assert_same_as_without_index(site, terms[i]);
}

static void a_name_beside_another_condition_is_found_by_both(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = many_devices();
    OWN(json_freep)
    json_t *page = search(site, "name startswith 'pc-1' and mac eq '52:54:00:77:02:0c'", "", 10);

    assert_int_equal(json_array_size(json_object_get(page, "items")), 1);
    assert_string_equal(name_at(page, 0), "PC-12");
    assert_true(json_is_null(json_object_get(page, "next")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_devices_that_fit_are_listed),
        cmocka_unit_test(pages_neither_skip_nor_repeat_a_device),
        cmocka_unit_test(pages_by_name_are_in_the_order_of_small_letters),
        cmocka_unit_test(a_filter_that_is_not_right_is_refused),
        cmocka_unit_test(the_index_of_names_finds_what_looking_at_each_device_finds),
        cmocka_unit_test(a_name_beside_another_condition_is_found_by_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
