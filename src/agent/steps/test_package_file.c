/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/package_file.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"

static const char whole[] =
    "{\"programs\": {\"Install\": {\"command\": \"./install.sh\", \"start_in\": \"data\","
    "   \"success_codes\": [0, 5], \"timeout_minutes\": 2}},"
    " \"application\": {\"name\": \"Editor\", \"version\": \"7\", \"install\": {\"packages\": [\"./x.deb\"]},"
    "   \"requirements\": [{\"any\": [{\"architecture\": \"x64\"}, {\"architecture\": \"x86\"}]}],"
    "   \"detection\": [{\"package\": \"nano\", \"min_version\": \"7\"}], \"dependencies\": [\"SLP00014\"]}}";

static void programs_and_the_application_are_read(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf why = BUF_INIT(512);
    OWN(json_decrefp) json_t *file = NULL;
    struct package_program program;
    struct package_application application;

    assert_int_equal(package_file_parse(bytes_of(whole), &file, &why), 0);
    assert_false(package_file_program(file, "install", &program)); /* capitals count */
    assert_true(package_file_program(file, "Install", &program));
    assert_string_equal(program.command, "./install.sh");
    assert_string_equal(program.start_in, "data");
    assert_int_equal(program.timeout_s, 120);
    assert_true(package_program_is_success(&program, 5));
    assert_false(package_program_is_success(&program, 3010));
    assert_true(package_file_application(file, &application));
    assert_string_equal(application.name, "Editor");
    assert_null(application.install.command);
    assert_int_equal(json_array_size(application.install.packages), 1);
    assert_true(package_program_is_success(&application.install, 3010));
    assert_true(package_program_is_success(&application.install, 1641));
    assert_false(package_program_is_success(&application.install, 1));
    assert_int_equal(json_array_size(application.dependencies), 1);
}

static void what_is_wrong_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "[]",
        "{\"program\": {}}",
        "{\"programs\": []}",
        "{\"programs\": {\"a\": {}}}",
        "{\"programs\": {\"a\": {\"command\": 1}}}",
        "{\"programs\": {\"a\": {\"command\": \"x\", \"packages\": [\"y\"]}}}",
        "{\"programs\": {\"a\": {\"command\": \"x\", \"timeout_minutes\": 0}}}",
        "{\"programs\": {\"a\": {\"command\": \"x\", \"success_codes\": [\"0\"]}}}",
        "{\"programs\": {\"a\": {\"command\": \"x\", \"sucess_codes\": [0]}}}",
        "{\"programs\": {\"a\": {\"packages\": [1]}}}",
        "{\"programs\": {}, \"programs\": {}}",
        "{\"application\": {\"name\": \"x\", \"install\": {\"command\": \"x\"}}}",
        "{\"application\": {\"name\": \"x\", \"install\": {\"command\": \"x\"}, \"detection\": []}}",
        "{\"application\": {\"install\": {\"command\": \"x\"}, \"detection\": [{\"file\": \"x\"}]}}",
        "{\"application\": {\"name\": \"x\", \"detection\": [{\"file\": \"x\"}]}}",
        "{\"application\": {\"name\": \"x\", \"install\": {\"command\": \"x\"}, \"detection\": [{\"moon\": \"x\"}]}}",
        "{\"application\": {\"name\": \"x\", \"install\": {\"command\": \"x\"}, \"detection\": [{\"file\": \"x\", \"min_version\": \"1\"}]}}",
        "{\"application\": {\"name\": \"x\", \"install\": {\"command\": \"x\"}, \"detection\": [{\"min_memory_mb\": -1}]}}",
        "{\"application\": {\"name\": \"x\", \"install\": {\"command\": \"x\"}, \"detection\": [{\"any\": []}]}}",
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        OWN(buf_fini) struct buf why = BUF_INIT(512);
        OWN(json_decrefp) json_t *file = NULL;

        if (package_file_parse(bytes_of(wrong[i]), &file, &why) != PACKAGE_FILE_E_MALFORMED)
            fail_msg("taken: %s", wrong[i]);
        assert_true(why.len > 0);
        assert_null(file);
    }
}

static void every_prefix_is_refused_without_harm(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof(whole) - 1; n++) {
        OWN(buf_fini) struct buf why = BUF_INIT(512);
        OWN(json_decrefp) json_t *file = NULL;

        assert_int_equal(package_file_parse((struct bytes){(const uint8_t *)whole, n}, &file, &why),
                         PACKAGE_FILE_E_MALFORMED);
    }
}

static void rules_within_too_many_rules_are_refused(void **state)
{
    (void)state;
    OWN(buf_fini) struct buf text = BUF_INIT(65536);
    OWN(buf_fini) struct buf why = BUF_INIT(512);
    OWN(json_decrefp) json_t *file = NULL;

    buf_adds(
        &text,
        "{\"application\": {\"name\": \"x\", \"install\": {\"command\": \"x\"}, \"detection\": ");
    for (size_t i = 0; i < 100; i++)
        buf_adds(&text, "[{\"any\": ");
    buf_adds(&text, "[{\"file\": \"x\"}]");
    for (size_t i = 0; i < 100; i++)
        buf_adds(&text, "}]");
    buf_adds(&text, "}}");
    assert_int_equal(package_file_parse(buf_bytes(&text), &file, &why), PACKAGE_FILE_E_MALFORMED);
    assert_non_null(strstr(buf_str(&why), "too many others"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_and_the_application_are_read),
        cmocka_unit_test(what_is_wrong_is_refused_with_a_reason),
        cmocka_unit_test(every_prefix_is_refused_without_harm),
        cmocka_unit_test(rules_within_too_many_rules_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
