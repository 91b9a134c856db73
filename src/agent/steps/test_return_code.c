/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/return_code.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, to be there */
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/steps/step.h"

static void a_failure_has_the_documented_return_code(void **state)
{
    (void)state;
    static const struct {
        const char *error_id;
        uint32_t code;
    } cases[] = {
        {"SLW-0432", 0x80070002}, /* file not found */
        {"SLW-0450", 0x8007000F}, /* no suitable disk */
        {"SLW-0409", 0x80070032}, /* not supported */
        {"SLW-0454", 0x80070057}, /* invalid parameter */
        {"SLW-0330", 0x80070070}, /* disk full */
        {"SLW-0307", 0x80070490}, /* image index */
        {"SLW-0425", 0x8007052E}, /* bad user name or password */
        {"SLW-0302", 0x80072EFD}, /* cannot connect */
        {"SLW-0301", 0x80091007}, /* content hash mismatch */
        {"SLW-0441", 4316},       /* not ready */
        {"SLW-0463", 0x80004005}, /* unspecified */
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct step_result result;

        assert_int_equal(step_fail(&result, cases[i].error_id, "x"), 0);
        assert_int_equal((uint32_t)result.exit_code, cases[i].code);
    }
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
        cmocka_unit_test(a_step_that_knows_better_says_so),
        cmocka_unit_test(codes_of_the_system_are_written_in_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
