/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/classes.h"

#include "ts/test_ts.h"

static void a_base_class_stands_for_the_one_class_derived_from_it(void **state)
{
    (void)state;
    assert_string_equal(ts_class_of_base("root\\cimv2", "CIM_ComputerSystem"),
                        "Win32_ComputerSystem");
    assert_string_equal(ts_class_of_base("", "cim_chassis"), "Win32_SystemEnclosure");
    assert_string_equal(ts_class_of_base("ROOT/CIMV2", "CIM_CDROMDrive"), "Win32_CDROMDrive");
    assert_null(ts_class_of_base("root\\cimv2", "CIM_LogicalDevice")); /* several */
    assert_null(ts_class_of_base("root\\cimv2", "CIM_Product"));
    assert_null(ts_class_of_base("root\\wmi", "CIM_ComputerSystem"));
    assert_null(ts_class_of_base("root\\cimv2", "Win32_ComputerSystem"));
}

static void a_class_is_what_it_is_derived_from(void **state)
{
    (void)state;
    assert_true(ts_class_is_a("Win32_SystemEnclosure", "CIM_PhysicalPackage"));
    assert_true(ts_class_is_a("Win32_SystemEnclosure", "win32_systemenclosure"));
    assert_false(ts_class_is_a("Win32_SystemEnclosure", "CIM_SystemEnclosure"));
    assert_true(ts_class_is_a("Win32_Unheard", "CIM_Unheard"));
    assert_string_equal(ts_class_superclass("Win32_Processor"), "CIM_Processor");
    assert_string_equal(ts_class_superclass("Win32_Unheard"), "");
}

static void a_class_is_gathered_in_its_own_namespace_only(void **state)
{
    (void)state;
    assert_true(ts_class_is_gathered("", "Win32_BIOS"));
    assert_true(ts_class_is_gathered("\\\\.\\root\\cimv2\\", "win32_bios"));
    assert_true(ts_class_is_gathered("root/cimv2", "CIM_OperatingSystem"));
    assert_true(ts_class_is_gathered("root\\Microsoft\\Windows\\Storage", "MSFT_Disk"));
    assert_false(ts_class_is_gathered("root\\cimv2", "MSFT_Disk"));
    assert_false(ts_class_is_gathered("root\\wmi", "Win32_BIOS"));
    assert_false(ts_class_is_gathered("", "Win32_QuickFixEngineering"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_class_stands_for_the_one_class_derived_from_it),
        cmocka_unit_test(a_class_is_what_it_is_derived_from),
        cmocka_unit_test(a_class_is_gathered_in_its_own_namespace_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
