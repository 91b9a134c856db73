/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/test_validate.h"

#define VENDOR(inside) \
    SEQUENCE("<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\">" inside "</step>")
#define COMMAND(text) "<action>" text "</action>"

static void what_an_export_has_empty_because_of_its_name_is_told(void **state)
{
    (void)state;
    finds(VENDOR(COMMAND("x") "<Password>hunter2</Password>"), "SLW-0197");
    finds(VENDOR(COMMAND(
              "x") "<v:Set xmlns:v=\"urn:v\"><v:p name=\"AdminPwd\" value=\"hunter2\"/></v:Set>"),
          "SLW-0197");
    finds(
        VENDOR(COMMAND(
            "x") "<defaultVarList><variable name=\"AdminPassword\">hunter2</variable></defaultVarList>"),
        "SLW-0197");
    finds(SEQUENCE(
              "<globalVarList><variable name=\"AdminPassword\">hunter2</variable></globalVarList>"
              "<ApiKey>hunter2</ApiKey>" STEP("a", "")),
          "SLW-0197 SLW-0197");
    finds(SEQUENCE("<group name=\"g\" vendorPassword=\"hunter2\">" STEP("a", "") "</group>"),
          "SLW-0197");
}

static void what_is_empty_or_says_whether_is_not(void **state)
{
    (void)state;
    finds(VENDOR(COMMAND("x") "<Password/><PasswordNeverExpires>true</PasswordNeverExpires>"), "");
    finds(VENDOR(COMMAND("x") "<Password> \n </Password><Secret><Other>false</Other></Secret>"),
          "");
    finds(
        SEQUENCE("<group name=\"Password\" description=\"the password\">" STEP("a", "") "</group>"),
        "");
}

static void a_short_secret_in_a_command_is_told(void **state)
{
    (void)state;
    finds(VENDOR(COMMAND("start adam.exe") "<Password>a</Password>"), "SLW-0197 SLW-0198");
    finds(VENDOR(COMMAND("start adam.exe") "<Password>xy</Password>"), "SLW-0197");
    finds(VENDOR(COMMAND("start adam.exe /p:adam") "<Password>adam</Password>"), "SLW-0197");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_an_export_has_empty_because_of_its_name_is_told),
        cmocka_unit_test(what_is_empty_or_says_whether_is_not),
        cmocka_unit_test(a_short_secret_in_a_command_is_told),
    };

    return cmocka_run_group_tests_name("ts/validate_secrets", tests, NULL, NULL);
}
