/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/own.h"
#include "site/collection.h"
#include "site/device_import.h"
#include "site/fields.h"
#include "site/fixture.h"

static int import(struct site *site, const char *text)
{
    OWN(json_freep) json_t *body = fixture_json(text);
    OWN(json_freep) json_t *device = NULL;

    return device_import(site, "test", body, &device);
}

static void a_device_is_found_by_every_mark(void **state)
{
    (void)state;
    static const char *const marks[] = {
        "PC-1",
        "pc-1",
        "52:54:00:77:00:01",
        "52-54-00-77-00-01",
        "525400770001",
        FIXTURE_UUID,
        "4C4C4544-0000-1111-2222-333344445555",
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(import(site,
                            "{'name': 'PC-1', 'mac': '52:54:00:77:00:01', 'smbios_uuid': "
                            "'" FIXTURE_UUID "'}"),
                     0);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
        assert_int_equal(device_find(site, marks[i], id), 0);
    assert_int_equal(device_find(site, "PC-2", id), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_MISSING);
}

static void import_refuses_what_cannot_be_right(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum refusal_id id;
    } cases[] = {
        {"{'name': 'PC-1'}", REFUSAL_INVALID},
        {"{'name': '', 'mac': '52:54:00:77:00:01'}", REFUSAL_INVALID},
        {"{'name': '-PC', 'mac': '52:54:00:77:00:01'}", REFUSAL_INVALID},
        {"{'name': 'P C', 'mac': '52:54:00:77:00:01'}", REFUSAL_INVALID},
        {"{'name': 'PC', 'mac': '52:54:00:77:00'}", REFUSAL_INVALID},
        {"{'name': 'PC', 'mac': '52:54:00:77:00:01', 'colour': 'red'}", REFUSAL_INVALID},
        /* what a board's maker puts into all of them */
        {"{'name': 'PC', 'mac': '52:54:00:77:00:01', 'smbios_uuid': "
         "'03000200-0400-0500-0006-000700080009'}",
         REFUSAL_INVALID},
        {"{'name': 'OLD', 'mac': '52:54:00:77:00:01'}", REFUSAL_EXISTS},
        {"{'name': 'PC', 'mac': '52:54:00:77:00:09'}", REFUSAL_EXISTS},
        {"{'name': 'PC', 'mac': '52:54:00:77:00:01', 'collection': 'None'}", REFUSAL_MISSING},
        {"{'name': 'PC', 'mac': '52:54:00:77:00:01', 'collection': 'All Systems'}",
         REFUSAL_BUILTIN},
    };
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "OLD", "52:54:00:77:00:09");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(import(site, cases[i].body), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, cases[i].id);
        assert_int_equal(device_find(site, "52:54:00:77:00:01", id), SITE_E_REFUSED);
    }
}

static void registration_names_a_new_device_by_its_mac_and_uniquely(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char first[ACCESS_DEVICE_ID_MAX];
    char second[ACCESS_DEVICE_ID_MAX];
    char found[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(fixture_register(site, "52:54:00:77:ab:01", first), 0);
    assert_int_equal(fixture_register(site, "52:54:11:77:ab:01", second), 0);
    assert_int_equal(device_find(site, "SLW-77AB01", found), 0);
    assert_string_equal(found, first);
    assert_int_equal(device_find(site, "SLW-77AB01-2", found), 0);
    assert_string_equal(found, second);
}

static void registration_finds_the_imported_device(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    char id[ACCESS_DEVICE_ID_MAX];
    char found[ACCESS_DEVICE_ID_MAX];

    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    assert_int_equal(device_find(site, "PC-1", found), 0);
    assert_string_equal(found, id);
}

static void import_takes_over_an_unknown_computer(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *device = NULL;
    char id[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    fixture_import(site, "PC-1", FIXTURE_MAC);
    assert_int_equal(device_get(site, "PC-1", &device), 0);
    assert_string_equal(field_text(device, "id", ""), id);
    assert_true(field_bool(device, "is_imported"));
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(device, "collections"), 0)),
        "All Systems");
}

static void the_log_keeps_lines_of_any_kind(void **state)
{
    (void)state;
    static const char text[] =
        "<![LOG[Apply failed]LOG]!><time=\"09:30:05.123+000\" date=\"11-21-2026\" component=\"TSManager\""
        " context=\"\" type=\"3\" thread=\"1\" file=\"run.c:80\">\nnot a line of the format\n";
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *log = NULL;
    struct page page = {.after = "", .limit = 10, .is_log = true};
    const json_t *items;
    char id[ACCESS_DEVICE_ID_MAX];

    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    assert_int_equal(device_log_add(site, id, bytes_of(text)), 0);
    assert_int_equal(device_log_list(site, id, &page, &log), 0);
    items = json_object_get(log, "items");
    assert_int_equal(json_array_size(items), 2);
    assert_string_equal(field_text(json_array_get(items, 0), "severity", ""), "error");
    assert_string_equal(field_text(json_array_get(items, 0), "time", ""), "2026-11-21T09:30:05Z");
    assert_string_equal(field_text(json_array_get(items, 1), "message", ""),
                        "not a line of the format");
    assert_string_equal(field_text(log, "next", ""), "2");
}

/* So many lines of any length would fill the disk. A character is never cut in two: it would be none then. */
static void a_long_line_of_the_log_is_cut_between_characters(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *log = NULL;
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)4 * DEVICE_LOG_LINE_MAX_BYTES);
    struct page page = {.after = "", .limit = 10, .is_log = true};
    const char *kept;
    char id[ACCESS_DEVICE_ID_MAX];

    buf_adds(&text, "x");
    while (text.len < (size_t)2 * DEVICE_LOG_LINE_MAX_BYTES)
        buf_adds(&text, "\xc3\xa9");
    assert_int_equal(fixture_register(site, FIXTURE_MAC, id), 0);
    assert_int_equal(device_log_add(site, id, buf_bytes(&text)), 0);
    assert_int_equal(device_log_list(site, id, &page, &log), 0);
    kept = field_text(json_array_get(json_object_get(log, "items"), 0), "message", "");
    assert_int_equal(strlen(kept), DEVICE_LOG_LINE_MAX_BYTES - 1);
}

static void names_of_collections_are_unique(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *body = fixture_json("{'name': 'Lab'}");
    OWN(json_freep) json_t *first = NULL;
    OWN(json_freep) json_t *second = NULL;

    assert_int_equal(collection_create(site, "test", body, &first), 0);
    assert_int_equal(collection_create(site, "test", body, &second), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_is_found_by_every_mark),
        cmocka_unit_test(import_refuses_what_cannot_be_right),
        cmocka_unit_test(registration_names_a_new_device_by_its_mac_and_uniquely),
        cmocka_unit_test(registration_finds_the_imported_device),
        cmocka_unit_test(import_takes_over_an_unknown_computer),
        cmocka_unit_test(the_log_keeps_lines_of_any_kind),
        cmocka_unit_test(a_long_line_of_the_log_is_cut_between_characters),
        cmocka_unit_test(names_of_collections_are_unique),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
