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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_site_does_not_tell_is_not_checked),
    };

    return cmocka_run_group_tests_name("ts/validate_site", tests, NULL, NULL);
}
