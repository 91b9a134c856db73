/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_import.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "site/collection.h"
#include "site/device.h"
#include "site/fields.h"
#include "site/fixture.h"
#include "site/variable.h"

static json_t *import_file(struct site *site, const char *csv, bool validate_only)
{
    OWN(json_freep)
    json_t *body = json_pack("{s:s,s:b}", "csv", csv, "validate_only", (int)validate_only);
    json_t *answer = NULL;

    assert_int_equal(device_import_file(site, "test", body, &answer), 0);
    return answer;
}

static bool is_there(struct site *site, const char *name)
{
    char id[ACCESS_DEVICE_ID_MAX];

    return device_find(site, name, id) == 0;
}

static void all_lines_of_a_file_are_imported(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *create = fixture_json("{'name': 'Lab'}");
    OWN(json_freep) json_t *collection = NULL;
    OWN(json_freep) json_t *lab = NULL;
    OWN(json_freep) json_t *variables = NULL;
    OWN(json_freep) json_t *answer = NULL;

    assert_int_equal(collection_create(site, "test", create, &collection), 0);
    answer = import_file(site,
                         "name,mac,,smbios_uuid,collection,variable.Place\r\n"
                         "PC-1,52:54:00:77:00:01,ignored," FIXTURE_UUID ",Lab,\"Room 1, left\"\r\n"
                         "PC-2,52-54-00-77-00-02,,,,\r\n",
                         false);
    assert_int_equal(field_number(answer, "n_devices", 0), 2);
    assert_true(field_bool(answer, "is_imported"));
    assert_true(is_there(site, "PC-1") && is_there(site, FIXTURE_UUID) && is_there(site, "PC-2"));
    assert_int_equal(collection_get(site, "Lab", &lab), 0);
    assert_int_equal(field_number(lab, "n_members", 0), 1);
    assert_int_equal(variable_list(site, VARIABLE_OF_DEVICE, "PC-1", &variables), 0);
    assert_string_equal(
        field_text(json_array_get(json_object_get(variables, "items"), 0), "value", ""),
        "Room 1, left");
}

static void a_preview_says_what_is_wrong_by_line_and_nothing_is_imported(void **state)
{
    (void)state;
    static const char csv[] = "name,mac\n"
                              "PC-1,52:54:00:77:00:01\n"
                              "PC-2,not a MAC\n"
                              "PC-1,52:54:00:77:00:03\n"
                              "PC-4,52:54:00:77:00:01\n"
                              "PC 5,52:54:00:77:00:05\n";
    static const int lines[] = {3, 4, 5, 6};
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *answer = import_file(site, csv, false);
    const json_t *errors = json_object_get(answer, "errors");

    assert_false(field_bool(answer, "is_imported"));
    assert_int_equal(json_array_size(errors), 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(field_number(json_array_get(errors, i), "line", 0), lines[i]);
    assert_false(is_there(site, "PC-1"));
}

static void what_is_only_validated_is_not_imported(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *one =
        fixture_json("{'name': 'PC-2', 'mac': '52:54:00:77:00:02', 'validate_only': true}");
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep)
    json_t *answer = import_file(site, "name,mac\nPC-1,52:54:00:77:00:01\n", true);

    assert_int_equal(json_array_size(json_object_get(answer, "errors")), 0);
    assert_false(field_bool(answer, "is_imported"));
    assert_false(is_there(site, "PC-1"));
    assert_int_equal(device_import(site, "test", one, &device), 0);
    assert_string_equal(field_text(device, "name", ""), "PC-2");
    assert_false(is_there(site, "PC-2"));
}

static void a_file_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const files[] = {
        "",
        "name,nobody\nx,y\n",
        "name,mac\n\"open,52:54:00:77:00:01\n",
    };
    OWN(fixture_freep) struct site *site = fixture_new();

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        OWN(json_freep) json_t *body = json_pack("{s:s}", "csv", files[i]);
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(device_import_file(site, "test", body, &answer), SITE_E_REFUSED);
        assert_int_equal(site->refusal.id, REFUSAL_INVALID);
    }
}

static void nothing_that_a_file_says_is_left_out_in_silence(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "name,mac\nPC-1,52:54:00:77:00:01,W. Europe, Std\n",
        "name,mac\nPC-1,00:00:00:00:00:00\n",
        "name,mac\nPC-1,ff:ff:ff:ff:ff:ff\n",
        "name,mac\nPC-1,01:00:5e:00:00:01\n",
        "name,mac,smbios_uuid\nPC-1,,\n",
        "name,mac,smbios_uuid\nPC-1,52:54:00:77:00:01," FIXTURE_UUID
        "\nPC-2,52:54:00:77:00:02," FIXTURE_UUID "\n",
    };
    static const char *const heads[] = {
        "name,mac,mac\nPC-1,52:54:00:77:00:01,52:54:00:77:00:02\n",
        "name,mac,variable.X,variable.x\nPC-1,52:54:00:77:00:01,a,b\n",
        "name;mac\nPC-1;52:54:00:77:00:01\n",
    };
    OWN(fixture_freep) struct site *site = fixture_new();

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        OWN(json_freep) json_t *answer = import_file(site, lines[i], false);

        assert_int_equal(json_array_size(json_object_get(answer, "errors")), 1);
        assert_false(field_bool(answer, "is_imported"));
    }
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        OWN(json_freep) json_t *body = json_pack("{s:s}", "csv", heads[i]);
        OWN(json_freep) json_t *answer = NULL;

        assert_int_equal(device_import_file(site, "test", body, &answer), SITE_E_REFUSED);
    }
    assert_false(is_there(site, "PC-1"));
}

static void a_file_may_begin_with_the_mark_of_utf_8(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *answer = import_file(site, "\xef\xbb\xbfname,mac\r\nPC-4,52:54:00:00:00:04\r\n", false);

    assert_true(field_bool(answer, "is_imported"));
    assert_true(is_there(site, "PC-4"));
}

static void a_machine_may_be_known_by_its_uuid_alone(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep)
    json_t *other = fixture_json("{'name': 'PC-9', 'mac': '" FIXTURE_MAC
                                 "', 'smbios_uuid': '" FIXTURE_UUID "'}");
    OWN(json_freep) json_t *device = NULL;
    OWN(json_freep)
    json_t *answer = import_file(site, "name,smbios_uuid\nPC-4," FIXTURE_UUID "\n", false);
    char id[ACCESS_DEVICE_ID_MAX];

    assert_true(field_bool(answer, "is_imported"));
    assert_int_equal(device_find(site, FIXTURE_UUID, id), 0);
    assert_int_equal(device_import(site, "test", other, &device), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_EXISTS);
    assert_non_null(strstr(site->refusal.detail, "PC-4"));
    assert_false(is_there(site, "PC-9"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_lines_of_a_file_are_imported),
        cmocka_unit_test(a_preview_says_what_is_wrong_by_line_and_nothing_is_imported),
        cmocka_unit_test(what_is_only_validated_is_not_imported),
        cmocka_unit_test(a_file_that_is_none_is_refused),
        cmocka_unit_test(nothing_that_a_file_says_is_left_out_in_silence),
        cmocka_unit_test(a_file_may_begin_with_the_mark_of_utf_8),
        cmocka_unit_test(a_machine_may_be_known_by_its_uuid_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
