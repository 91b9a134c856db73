/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types_parts.h"

#include "ts/test_step_types.h"

static const struct type_fact types[] = {
    {"Request State Store", TS_RUN_IN_BOTH, true, "0", 0},
    {"Capture User State", TS_RUN_IN_BOTH, true, "0", 0},
    {"Restore User State", TS_RUN_IN_FULL_OS, true, "0", 0},
    {"Release State Store", TS_RUN_IN_BOTH, true, "0", 0},
    {"Auto Apply Drivers", TS_RUN_IN_BOOT_IMAGE, true, "0", 0},
    {"Apply Driver Package", TS_RUN_IN_BOOT_IMAGE, true, "0", 0},
};

static const struct property_fact properties[] = {
    {"Capture User State", "OSDMigrateMode", "Mode", "Simple", 0, 0, false},
    {"Capture User State",
     "OSDMigrateContinueOnLockedFiles",
     "ContinueOnLockedFiles",
     "true",
     0,
     0,
     false},
    {"Capture User State",
     "OSDMigrateSkipEncryptedFiles",
     "SkipEncryptedFiles",
     "false",
     0,
     0,
     false},
    {"Restore User State", "OSDMigrateContinueOnRestore", "ContinueOnRestore", "true", 0, 0, false},
    {"Restore User State", "OSDMigrateLocalAccounts", "LocalAccounts", "false", 0, 0, false},
    {"Auto Apply Drivers", "OSDAutoApplyDriverBestMatch", "BestMatch", "true", 0, 0, false},
    {"Request State Store", "OSDStateFallbackToNAA", "FallbackToNAA", "false", 0, 0, false},
};

static void state_steps_run_where_they_are_documented_to(void **state)
{
    (void)state;
    ASSERT_TYPES(types);
    ASSERT_NONE_LEFT_OUT(types, ts_step_types_state, n_ts_step_types_state);
}

static void state_settings_have_the_documented_names_defaults_and_limits(void **state)
{
    (void)state;
    ASSERT_PROPERTIES(properties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_steps_run_where_they_are_documented_to),
        cmocka_unit_test(state_settings_have_the_documented_names_defaults_and_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
