/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate_parts.h"

#include "ts/test_validate.h"

static bool has_none(void *ctx, const char *name)
{
    (void)ctx;
    (void)name;
    return false;
}

static void what_the_site_does_not_tell_is_not_checked(void **state)
{
    (void)state;
    static const struct ts_site_facts silent = {0};
    static const struct ts_site_facts poor = {.has_application = has_none};
    static const char xml[] = SEQUENCE(
        "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s\"><defaultVarList><variable "
        "name=\"CommandLine\">x</variable><variable name=\"PackageID\">SLP00009</variable>"
        "</defaultVarList></step>");

    found(xml, &silent, "");
    found(xml, &poor, "");
}

static bool is_ours(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "SLP00001") == 0;
}

static void each_application_of_a_list_is_missing_here(void **state)
{
    (void)state;
    static const struct ts_site_facts site = {.has_application = is_ours};

    found(SEQUENCE(STEP_OF("InstallApplication", VALUE("ApplicationName", "ScopeId_A/App_1"))),
          &site,
          "SLW-0173");
    found(SEQUENCE(STEP_OF("InstallApplication",
                           VALUE("ApplicationName", "ScopeId_A/App_1,SLP00001,ScopeId_A/App_2"))),
          &site,
          "SLW-0173 SLW-0173");
    found(SEQUENCE(STEP_OF("InstallApplication", VALUE("ApplicationName", "SLP00001,%Other%"))),
          &site,
          "");
    /* the step goes by the other ones */
    found(SEQUENCE(STEP_OF("InstallApplication",
                           VALUE("ApplicationName", "ScopeId_A/App_1")
                               VALUE("OSDApp0Name", "SLP00001"))),
          &site,
          "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_site_does_not_tell_is_not_checked),
        cmocka_unit_test(each_application_of_a_list_is_missing_here),
    };

    return cmocka_run_group_tests_name("ts/validate_site", tests, NULL, NULL);
}
