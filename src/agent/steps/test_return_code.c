/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/return_code.h"

#include <errno.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/steps/network_folder.h"
#include "agent/steps/step.h"

/* What Configuration Manager's own list of codes says, and each failure of ours that is such a thing. */
static const struct {
    uint32_t code;
    const char *meaning;
    const char *error_ids[20];
} documented[] = {
    {4316, "readiness check failed", {"SLW-0441"}},
    {0x80070002,
     "file not found",
     {"SLW-0333",
      "SLW-0416",
      "SLW-0432",
      "SLW-0444",
      "SLW-0445",
      "SLW-0460",
      "SLW-0462",
      "SLW-0464",
      "SLW-0483"}},
    {0x8007000F,
     "no suitable local partition or drive",
     {"SLW-0308",
      "SLW-0415",
      "SLW-0436",
      "SLW-0450",
      "SLW-0451",
      "SLW-0455",
      "SLW-0456",
      "SLW-0457",
      "SLW-0459",
      "SLW-0466"}},
    {0x80070032,
     "not supported",
     {"SLW-0318",
      "SLW-0319",
      "SLW-0401",
      "SLW-0405",
      "SLW-0409",
      "SLW-0458",
      "SLW-0461",
      "SLW-0480"}},
    {0x80070057,
     "invalid parameter",
     {"SLW-0402",
      "SLW-0407",
      "SLW-0408",
      "SLW-0433",
      "SLW-0435",
      "SLW-0437",
      "SLW-0438",
      "SLW-0439",
      "SLW-0440",
      "SLW-0442",
      "SLW-0454",
      "SLW-0468",
      "SLW-0486"}},
    {0x80070070, "disk full", {"SLW-0330", "SLW-0331", "SLW-0452"}},
    {0x80070490, "element not found", {"SLW-0307", "SLW-0434"}},
    {0x800704C7, "cancelled", {"SLW-0309", "SLW-0406", "SLW-0418"}},
    {0x800705B4, "the time is up", {"SLW-0431"}},
    {0x8007052E, "bad user name or password", {"SLW-0425"}},
    {0x80072EFD, "cannot connect", {"SLW-0302", "SLW-0482"}},
    {0x80091007, "content hash mismatch", {"SLW-0301", "SLW-0332"}},
    {0x87D00324, "application not detected", {"SLW-0446"}},
    {0x80004005, "unspecified", {"SLW-0304", "SLW-0305", "SLW-0306", "SLW-0400", "SLW-0410",
                                 "SLW-0411", "SLW-0412", "SLW-0413", "SLW-0414", "SLW-0417",
                                 "SLW-0430", "SLW-0443", "SLW-0447", "SLW-0448", "SLW-0449",
                                 "SLW-0453", "SLW-0463", "SLW-0465", "SLW-0481", "SLW-0484"}},
};

static void a_failure_has_the_documented_return_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(documented) / sizeof(documented[0]); i++)
        for (size_t k = 0; k < 20 && documented[i].error_ids[k]; k++) {
            struct step_result result;

            assert_int_equal(
                step_fail(&result, documented[i].error_ids[k], "%s", documented[i].meaning), 0);
            if ((uint32_t)result.exit_code != documented[i].code)
                fail_msg("%s is 0x%08X, not 0x%08X (%s)",
                         documented[i].error_ids[k],
                         (unsigned)result.exit_code,
                         documented[i].code,
                         documented[i].meaning);
        }
}

static void what_the_system_says_has_its_documented_code_too(void **state)
{
    (void)state;
    assert_int_equal((uint32_t)return_code_of_errno(ENOSPC, RETURN_UNSPECIFIED), 0x80070070);
    assert_int_equal((uint32_t)return_code_of_errno(EDQUOT, RETURN_UNSPECIFIED), 0x80070070);
    assert_int_equal((uint32_t)return_code_of_errno(ENOENT, RETURN_UNSPECIFIED), 0x80070002);
    assert_int_equal((uint32_t)return_code_of_errno(ENODEV, RETURN_UNSPECIFIED), 0x8007000F);
    assert_int_equal((uint32_t)return_code_of_errno(EOPNOTSUPP, RETURN_UNSPECIFIED), 0x80070032);
    assert_int_equal((uint32_t)return_code_of_errno(EIO, RETURN_UNSPECIFIED), 0x80004005);
    assert_int_equal((uint32_t)network_folder_code(NETWORK_FOLDER_E_NAME), 0x80072EE7);
    assert_int_equal((uint32_t)network_folder_code(NETWORK_FOLDER_E_UNREACHABLE), 0x80072EFD);
    assert_int_equal((uint32_t)network_folder_code(NETWORK_FOLDER_E_LOGON), 0x8007052E);
    assert_int_equal((uint32_t)network_folder_code(NETWORK_FOLDER_E_MISSING), 0x80070002);
    assert_int_equal((uint32_t)network_folder_code(NETWORK_FOLDER_E_UNSUPPORTED), 0x80070032);
    assert_int_equal((uint32_t)network_folder_code(NETWORK_FOLDER_E_REFUSED), 0x80004005);
}

static void a_step_that_knows_better_says_so(void **state)
{
    (void)state;
    struct step_result result;

    assert_int_equal(step_fail_with(&result, RETURN_NO_SCRIPT_HOST, "SLW-0444", "no %s", "pwsh"),
                     0);
    assert_int_equal((uint32_t)result.exit_code, 0x87D00320);
    assert_string_equal(result.message, "no pwsh");
    assert_string_equal(result.error_id, "SLW-0444");
}

static void codes_of_the_system_are_written_in_hexadecimal(void **state)
{
    (void)state;
    char text[RETURN_CODE_TEXT_MAX];

    return_code_put(text, RETURN_NOT_FOUND);
    assert_string_equal(text, "0x80070002");
    return_code_put(text, 3010);
    assert_string_equal(text, "3010");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_has_the_documented_return_code),
        cmocka_unit_test(what_the_system_says_has_its_documented_code_too),
        cmocka_unit_test(a_step_that_knows_better_says_so),
        cmocka_unit_test(codes_of_the_system_are_written_in_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
