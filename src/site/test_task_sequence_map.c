/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/task_sequence.h"

#include "site/test_task_sequence.h"

/* What a task sequence of a file refers to, and what takes its place here. */

static void what_is_missing_is_told_by_id_and_name_also_later(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    OWN(json_freep) json_t *later = NULL;
    const json_t *missing;

    assert_int_equal(
        create(site,
               FILE_OF(OBJECT("ABC00001", "T", "", SEQUENCE(RUN("a", "ABC00009")))
                           NAMED("ABC00009", "Dell drivers") NAMED("ABC00008", "Other")),
               "{}",
               &made),
        0);
    assert_false(field_bool(made, "is_deployable"));
    assert_int_equal(task_sequence_get(site, field_text(made, "id", ""), &later), 0);
    missing = json_object_get(later, "missing");
    assert_int_equal(json_array_size(missing), 1);
    assert_string_equal(field_text(json_array_get(missing, 0), "id", ""), "ABC00009");
    assert_string_equal(field_text(json_array_get(missing, 0), "name", ""), "Dell drivers");
    assert_string_equal(field_text(json_array_get(missing, 0), "kind", ""), "package");
    assert_null(json_object_get(json_object_get(later, "names"), "ABC00008"));
}

static void what_is_missing_is_of_the_kind_that_its_step_or_the_file_says(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *made = NULL;
    const json_t *missing;
    const json_t *one;
    size_t i;
    static const char *const kinds[][2] = {{"ABC00007", "task-sequence"},
                                           {"ABC00002", "os-image"},
                                           {"ABC00003", "driver-package"},
                                           {"ABC00004", "os-upgrade-package"},
                                           {"ABC00005", "content"}, /* a list of any */
                                           {"ABC00006", "content"}};
#define STEP_WITH(type, variable, text) \
    "<step type=\"SMS_TaskSequence_" type "Action\" name=\"" variable "\"><action/>" \
    "<defaultVarList><variable name=\"" variable "\">" text "</variable></defaultVarList></step>"

    assert_int_equal(
        create(
            site,
            FILE_OF(OBJECT(
                "ABC00001",
                "T",
                "",
                SEQUENCE(STEP_WITH("ApplyOperatingSystem", "ImagePackageID", "ABC00002") STEP_WITH(
                    "ApplyDriverPackage", "OSDApplyDriverDriverPackageID", "ABC00003")
                             STEP_WITH(
                                 "UpgradeOperatingSystem", "OSDUpgradeInstallPackageID", "ABC00004")
                                 STEP_WITH("DownloadPackageContent",
                                           "OSDDownloadDownloadPackages",
                                           "ABC00005,ABC00006") NEST("ABC00007")))),
            "{}",
            &made),
        0);
    missing = json_object_get(made, "missing");
    assert_int_equal(json_array_size(missing), sizeof(kinds) / sizeof(kinds[0]));
    json_array_foreach(missing, i, one)
    {
        assert_string_equal(field_text(one, "id", ""), kinds[i][0]);
        assert_string_equal(field_text(one, "kind", ""), kinds[i][1]);
    }
}

static void a_reference_is_mapped_by_the_name_that_its_file_gives_it(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *at_once = NULL;
    OWN(json_freep) json_t *later = NULL;
    OWN(json_freep) json_t *mapped = NULL;
    json_t *none = NULL;
    static const char xml[] = FILE_OF(OBJECT("ABC00001", "T", "", SEQUENCE(RUN("a", "ABC00009")))
                                          NAMED("ABC00009", "A, B = C"));

    assert_int_equal(create(site, xml, "{'map': {'a, b = c': '" FIXTURE_OS_IMAGE "'}}", &at_once),
                     0);
    assert_int_equal(json_array_size(json_object_get(at_once, "missing")), 0);
    assert_int_equal(create(site, xml, "{}", &later), 0);
    assert_int_equal(set(site,
                         field_text(later, "id", ""),
                         "{'map': {'A, B = C': '" FIXTURE_OS_IMAGE "'}}",
                         &mapped),
                     0);
    assert_int_equal(json_array_size(json_object_get(mapped, "missing")), 0);
    assert_int_equal(create(site, xml, "{'map': {'Zed': '" FIXTURE_OS_IMAGE "'}}", &none),
                     SITE_E_REFUSED);
    assert_non_null(strstr(site->refusal.detail, "Zed"));
}

static void of_several_with_one_name_the_version_decides(void **state)
{
    (void)state;
#define WANTS(version) \
    FILE_OF( \
        OBJECT("ABC00001", \
               "T", \
               "", \
               SEQUENCE(RUN( \
                   "a", "ABC00008"))) "<INSTANCE CLASSNAME=\"SMS_Package\">" PROPERTY("PackageID", \
                                                                                      "ABC00008") \
            PROPERTY("Name", "tools") PROPERTY("Version", version) "</INSTANCE>")
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *fits = NULL;
    OWN(json_freep) json_t *by_hand = NULL;
    OWN(json_freep) json_t *found = NULL;
    json_t *none = NULL;
    const json_t *mapped;

    make_package(site, "{'name': 'Tools', 'version': '1', 'source_path': '/srv/one'}");
    make_package(site, "{'name': 'Tools', 'version': '2 b', 'source_path': '/srv/two'}");
    assert_int_equal(create(site, WANTS("2 B"), "{'map_by_name': true}", &fits), 0);
    mapped = json_array_get(json_object_get(fits, "mapped_by_name"), 0);
    assert_string_equal(field_text(mapped, "id", ""), "ABC00008");
    assert_int_equal(json_array_size(json_object_get(fits, "missing")), 0);
    assert_int_equal(content_get(site, CONTENT_PACKAGE, field_text(mapped, "to", ""), &found), 0);
    assert_string_equal(field_text(found, "version", ""), "2 b");

    assert_int_equal(create(site, WANTS("3"), "{'map_by_name': true}", &none), SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_AMBIGUOUS);
    assert_non_null(strstr(site->refusal.detail, "(version 1), package SLP"));
    assert_non_null(strstr(site->refusal.detail, "(version 2 b)"));
    assert_non_null(strstr(site->refusal.detail, "\"tools\", version 3"));

    assert_int_equal(create(site, WANTS("3"), "{}", &by_hand), 0);
    assert_int_equal(set(site, field_text(by_hand, "id", ""), "{'map_by_name': true}", &none),
                     SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_AMBIGUOUS);
}

static void what_is_called_the_same_here_takes_its_place_if_that_is_wanted(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    OWN(json_freep) json_t *by_hand = NULL;
    OWN(json_freep) json_t *at_once = NULL;
    OWN(json_freep) json_t *later = NULL;
    const json_t *first;
    static const char xml[] = FILE_OF(
        OBJECT("ABC00001",
               "T",
               PROPERTY("BootImageID", "ABC00005"),
               SEQUENCE(RUN("a", "ABC00009") RUN("b", "ABC00008") RUN("c", "ABC00007")))
            NAMED("ABC00009", "debian") NAMED("ABC00008", "Tools") NAMED("ABC00007", "Nowhere"));

    assert_int_equal(create(site, xml, "{}", &by_hand), 0);
    assert_int_equal(json_array_size(json_object_get(by_hand, "mapped_by_name")), 0);
    assert_int_equal(json_array_size(json_object_get(by_hand, "missing")), 4);
    assert_int_equal(create(site, xml, "{'map_by_name': true}", &at_once), 0);
    assert_int_equal(json_array_size(json_object_get(at_once, "mapped_by_name")), 1);
    first = json_array_get(json_object_get(at_once, "mapped_by_name"), 0);
    assert_string_equal(field_text(first, "id", ""), "ABC00009");
    assert_string_equal(field_text(first, "to", ""), FIXTURE_OS_IMAGE);
    assert_int_equal(json_array_size(json_object_get(at_once, "missing")), 3);
    assert_int_equal(set(site, field_text(by_hand, "id", ""), "{'map_by_name': true}", &later), 0);
    assert_int_equal(json_array_size(json_object_get(later, "mapped_by_name")), 1);
    assert_int_equal(json_array_size(json_object_get(later, "missing")), 3);
}

static void a_name_that_two_have_is_refused(void **state)
{
    (void)state;
    OWN(fixture_freep) struct site *site = fixture_new();
    json_t *none = NULL;

    assert_int_equal(
        create(
            site,
            FILE_OF(OBJECT("ABC00001", "T", "", SEQUENCE(RUN("a", "ABC00009") RUN("b", "ABC00008")))
                        NAMED("ABC00009", "Tools") NAMED("ABC00008", "Tools")),
            "{'map': {'Tools': '" FIXTURE_OS_IMAGE "'}}",
            &none),
        SITE_E_REFUSED);
    assert_int_equal(site->refusal.id, REFUSAL_AMBIGUOUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_missing_is_told_by_id_and_name_also_later),
        cmocka_unit_test(what_is_missing_is_of_the_kind_that_its_step_or_the_file_says),
        cmocka_unit_test(a_reference_is_mapped_by_the_name_that_its_file_gives_it),
        cmocka_unit_test(of_several_with_one_name_the_version_decides),
        cmocka_unit_test(what_is_called_the_same_here_takes_its_place_if_that_is_wanted),
        cmocka_unit_test(a_name_that_two_have_is_refused),
    };

    return cmocka_run_group_tests_name("site/task_sequence_map", tests, NULL, NULL);
}
