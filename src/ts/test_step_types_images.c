/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types_parts.h"

#include "ts/test_step_types.h"

static const struct type_fact types[] = {
    {"Apply Operating System Image", TS_RUN_IN_BOOT_IMAGE, false, "0", 0},
    {"Apply Data Image", TS_RUN_IN_BOOT_IMAGE, false, "0", 0},
    {"Setup Windows and Configuration Manager", TS_RUN_IN_BOTH, false, "0", 0},
    {"Upgrade Operating System", TS_RUN_IN_FULL_OS, true, "0", 0},
    {"Install Deployment Tools", TS_RUN_IN_FULL_OS, true, "0", 0},
    {"Prepare ConfigMgr Client for Capture", TS_RUN_IN_FULL_OS, false, "0", 0},
    {"Prepare Windows for Capture", TS_RUN_IN_FULL_OS, false, "0", 0},
    {"Capture Operating System Image", TS_RUN_IN_BOOT_IMAGE, false, "0", 0},
};

static const struct property_fact properties[] = {
    {"Apply Operating System Image", "OSDImageIndex", "ImageIndex", NULL, 0, 0, false},
    {"Apply Operating System Image", "OSDConfigFileName", "ConfigFileName", NULL, 0, 0, false},
    {"Apply Operating System Image", "OsdLayeredDriver", "LayeredDriver", "0", 0, 6, true},
    {"Apply Data Image", "OSDDataImageIndex", "ImageIndex", NULL, 1, 2147483647, false},
    {"Apply Data Image",
     "OSDWipeDestinationPartition",
     "WipeDestinationPartition",
     "true",
     0,
     0,
     false},
    {"Setup Windows and Configuration Manager",
     "SMSClientInstallProperties",
     "ClientInstallProperties",
     NULL,
     0,
     0,
     true},
    {"Prepare Windows for Capture", "OSDKeepActivation", "KeepActivation", "false", 0, 0, true},
    {"Capture Operating System Image",
     "OSDCaptureDestination",
     "CaptureDestination",
     NULL,
     1,
     255,
     false},
    {"Capture Operating System Image",
     "OSDImageDescription",
     "ImageDescription",
     NULL,
     0,
     255,
     false},
    {"Capture Operating System Image", "OSDImageVersion", "ImageVersion", NULL, 0, 32, false},
    {"Capture Operating System Image", "OSDImageCreator", "ImageCreator", NULL, 0, 255, false},
};

static void images_steps_run_where_they_are_documented_to(void **state)
{
    (void)state;
    ASSERT_TYPES(types);
    ASSERT_NONE_LEFT_OUT(types, ts_step_types_images, n_ts_step_types_images);
}

static void images_settings_have_the_documented_names_defaults_and_limits(void **state)
{
    (void)state;
    ASSERT_PROPERTIES(properties);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_steps_run_where_they_are_documented_to),
        cmocka_unit_test(images_settings_have_the_documented_names_defaults_and_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
