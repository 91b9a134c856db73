/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/toolkit_type.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ts/step_types.h"
#include "ts/validate.h"

/* As in "replace it by X or Y". */
static void each_step_that_is_named_is_one_that_runs(void **state)
{
    static const char *const types[] = {"BDD_ConfigureADDS",
                                        "BDD_ConfigureDHCP",
                                        "BDD_ConfigureDNS",
                                        "BDD_ExecuteRunbook",
                                        "BDD_InstallApplication",
                                        "BDD_InstallLanguagePacksOffline",
                                        "BDD_InstallLanguagePacksOnline",
                                        "BDD_InstallOS",
                                        "BDD_InstallRoles",
                                        "BDD_InstallUpdatesOffline",
                                        "BDD_RecoverDomainJoin",
                                        "BDD_RunPowerShellAction",
                                        "BDD_UninstallRoles",
                                        "BDD_UsePackage",
                                        "BDD_Validate"};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        const char *advice = ts_toolkit_type_advice(types[i]);
        const struct ts_step_type *type;
        size_t n_found = 0;

        assert_non_null(advice);
        for (size_t k = 0; (type = ts_step_type_at(k)) != NULL; k++)
            n_found += strstr(advice, type->display_name) && ts_type_is_supported(type->type);
        assert_true(n_found > 0);
    }
}

static void what_needs_no_step_is_disabled(void **state)
{
    (void)state;
    assert_non_null(strstr(ts_toolkit_type_advice("BDD_Gather"), "disable it"));
    assert_non_null(strstr(ts_toolkit_type_advice("BDD_InjectDrivers"), "disable it"));
}

static void another_type_of_the_toolkit_has_advice_too(void **state)
{
    (void)state;
    assert_non_null(ts_toolkit_type_advice("BDD_"));
    assert_non_null(ts_toolkit_type_advice("BDD_Nothing"));
}

static void what_is_not_of_the_toolkit_has_none(void **state)
{
    (void)state;
    assert_null(ts_toolkit_type_advice(""));
    assert_null(ts_toolkit_type_advice("BDD"));
    assert_null(ts_toolkit_type_advice("SMS_TaskSequence_RunCommandLineAction"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_that_is_named_is_one_that_runs),
        cmocka_unit_test(what_needs_no_step_is_disabled),
        cmocka_unit_test(another_type_of_the_toolkit_has_advice_too),
        cmocka_unit_test(what_is_not_of_the_toolkit_has_none),
    };

    return cmocka_run_group_tests_name("ts/toolkit_type", tests, NULL, NULL);
}
