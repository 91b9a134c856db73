/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_references.h"

#include "ts/step_types.h"
#include "ts/test_ts.h"

static void only_properties_that_name_something_refer(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *name;
        const char *property;
        enum ts_referring refers;
    } cases[] = {
        {"Install Application", "ApplicationName", "ApplicationName", TS_REFERS_TO_APPLICATION},
        {"Install Application", "OSDApp7Name", "AppInfo7Name", TS_REFERS_TO_APPLICATION},
        {"Install Application", "OSDApp7DisplayName", "AppInfo7DisplayName", TS_REFERS_NOT},
        {"Download Package Content", "OSDPackage0Name", "PackageInfo0Name", TS_REFERS_NOT},
        {"Download Package Content", "OSDPackage0PackageId", "", TS_REFERS_TO_PACKAGE},
        {"Download Package Content", "OSDDownloadDownloadPackages", "", TS_REFERS_TO_PACKAGE},
        {"Run Task Sequence", "OSDSubTasksequencePackageID", "", TS_REFERS_TO_SEQUENCE},
        {"Run Command Line", "CommandLine", "CommandLine", TS_REFERS_NOT},
        {"Setup Windows and ConfigMgr",
         "_SMSClientPackageID",
         "ClientPackageID",
         TS_REFERS_TO_PACKAGE}, /* of the reference product's client */
        {"BDD_Vendor", "Thing", "VendorPackageID", TS_REFERS_TO_PACKAGE},
        {"BDD_Vendor", "Thing", "Thing", TS_REFERS_MAYBE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(
            ts_refers_by(ts_step_type_find(cases[i].type), cases[i].name, cases[i].property),
            cases[i].refers);
}

static void a_list_is_split_at_commas_and_a_slash_is_part_of_an_id(void **state)
{
    (void)state;
    static const char apps[] = " ScopeId_A/Application_1, My Editor ,,ScopeId_A/Application_11";
    const char *at = apps;
    struct bytes item;

    assert_true(ts_list_next("ApplicationName", &at, &item));
    assert_true(bytes_eq_nocase(item, "ScopeId_A/Application_1"));
    assert_true(ts_list_next("applicationname", &at, &item));
    assert_true(bytes_eq_nocase(item, "My Editor"));
    assert_true(ts_list_next("ApplicationName", &at, &item));
    assert_true(bytes_eq_nocase(item, "ScopeId_A/Application_11"));
    assert_false(ts_list_next("ApplicationName", &at, &item));

    assert_ptr_equal(ts_list_find("ApplicationName", apps, "ScopeId_A/Application_11"),
                     strstr(apps, "ScopeId_A/Application_11"));
    assert_null(ts_list_find("ApplicationName", apps, "Application_1"));
    assert_null(ts_list_find("ApplicationName", apps, ""));
    assert_non_null(ts_list_find("OSDDownloadDownloadPackages", "AAA00001 AAA00002", "AAA00002"));
    assert_true(ts_name_is_list("applicationname"));
    assert_false(ts_name_is_list("OSDApp0Name"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_properties_that_name_something_refer),
        cmocka_unit_test(a_list_is_split_at_commas_and_a_slash_is_part_of_an_id),
    };

    return cmocka_run_group_tests_name("ts/step_references", tests, NULL, NULL);
}
