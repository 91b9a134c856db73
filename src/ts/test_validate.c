/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate.h"

#include "ts/test_ts.h"

#define TYPED(type, variables) \
    "<step type=\"SMS_TaskSequence_" type \
    "Action\" name=\"s\"><action/><defaultVarList>" variables "</defaultVarList></step>"
#define VAR(name, text) "<variable name=\"" name "\" property=\"" name "\">" text "</variable>"
#define FORMAT          TYPED("PartitionDisk", "")
#define APPLY           TYPED("ApplyOperatingSystem", VAR("ImagePackageID", "SLP00002"))
#define SETUP           TYPED("SetupWindowsAndSMS", "")

static void validate_finds_what_will_not_work(void **state)
{
    (void)state;
    static const struct {
        const char *xml;
        size_t n_errors;
        size_t n_warnings;
    } cases[] = {
        {SEQUENCE(FORMAT APPLY SETUP), 0, 0},
        {SEQUENCE(""), 0, 1},
        {SEQUENCE("<step type=\"SMS_TaskSequence_PrestartCheckAction\" name=\"x\"/>"), 1, 0},
        {SEQUENCE("<step type=\"unknown\" name=\"x\" disable=\"true\"/>" FORMAT APPLY SETUP), 0, 0},
        {SEQUENCE(FORMAT TYPED("ApplyOperatingSystem", "") SETUP), 1, 0},
        {SEQUENCE(FORMAT APPLY APPLY SETUP), 0, 1},
        {SEQUENCE(APPLY SETUP), 0, 1},
        {SEQUENCE(FORMAT APPLY), 0, 1},
        {SEQUENCE(SETUP), 1, 0},
        {SEQUENCE(TYPED("Reboot", VAR("SMSRebootTarget", "HD"))), 1, 0},
        {SEQUENCE(TYPED("Reboot", VAR("SMSRebootTarget", "Moon"))), 1, 0},
        {SEQUENCE(FORMAT APPLY SETUP TYPED("Reboot", VAR("SMSRebootTarget", "HD"))), 0, 0},
        {SEQUENCE(TYPED("SetVariable", "")), 1, 0},
        {SEQUENCE(TYPED("SetVariable", VAR("VariableName", "_X"))), 1, 0},
        {SEQUENCE(TYPED("RunCommandLine", "")), 1, 0},
        {SEQUENCE(TYPED("RunCommandLine",
                        VAR("CommandLine", "./check.sh") VAR("PackageID", "SLP00012"))),
         0,
         0},
        {SEQUENCE("<group name=\"g\"><condition>" WMI "</condition>" STEP("a", "") "</group>"),
         0,
         1},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        OWN(ts_document_freep) struct ts_document *doc = parse_ok(cases[i].xml);
        OWN(ts_diags_fini) struct ts_diags diags = {0};
        size_t n_errors = 0;

        assert_int_equal(ts_validate(doc, &diags), 0);
        for (size_t k = 0; k < diags.n; k++)
            n_errors += diags.items[k].severity == TS_ERROR;
        if (n_errors != cases[i].n_errors || diags.n - n_errors != cases[i].n_warnings)
            fail_msg("%s: %zu errors, %zu in all", cases[i].xml, n_errors, diags.n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(validate_finds_what_will_not_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
