/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/step.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/run/machine.h"
#include "agent/run/order.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static char package_id[] = "SLP00002";
static char kind[] = "os-image";
static char source[] = "http://192.0.2.1";

static const char sequence[] =
    "<sequence version=\"3.10\">"
    "<step type=\"SMS_TaskSequence_ApplyOperatingSystemAction\" name=\"a\"><defaultVarList>"
    "<variable name=\"ImagePackageID\" property=\"ImagePackageID\">SLP00002</variable>"
    "<variable name=\"OSDImageIndex\" property=\"ImageIndex\">%index%</variable>"
    "</defaultVarList></step></sequence>";

/* Run the step for an index of an order with an image of each sort that cannot be applied. */
static struct step_result apply(const char *index)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct order_index images[] = {
        {.index = 1, .has_no_unix_data = true},
        {.index = 2, .has_no_unix_data = true, .is_windows = true},
        {.index = 3, .is_windows = true},
        {.index = 4, .is_of_64_bits = true},
    };
    struct order_content content = {
        .package_id = package_id, .kind = kind, .indexes = images, .n_indexes = 4};
    char *sources[] = {source};
    struct order order = {.content = &content, .n_content = 1, .sources = sources, .n_sources = 1};
    const struct machine machine = {.is_64_bit = false};
    struct step_target target = {.root_device = "/dev/nonexistent1"};
    struct step_result result = {0};
    size_t n;

    assert_int_equal(ts_document_parse(bytes_of(sequence), &doc, &diags), 0);
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "index", index, TS_BY_SEQUENCE), 0);

    struct step_context c = {.step = ts_document_steps(doc, &n),
                             .vars = vars,
                             .order = &order,
                             .machine = &machine,
                             .target = &target,
                             .environment = STEP_IN_BOOT_IMAGE,
                             .step_name = "a"};

    assert_int_equal(step_apply_os_run(&c, &result), 0);
    step_context_fini(&c);
    return result;
}

static void
a_64_bit_system_is_refused_on_a_32_bit_processor_before_the_volume_is_touched(void **state)
{
    (void)state;
    struct step_result result = apply("4");

    assert_string_equal(result.error_id, "SLW-0458");
    assert_non_null(strstr(result.message, "SLP00002"));
}

static void an_image_without_unix_data_is_refused_before_the_volume_is_touched(void **state)
{
    (void)state;
    struct step_result result = apply("1");

    assert_string_equal(result.error_id, "SLW-0318");
    assert_non_null(strstr(result.message, "--unix-data"));
    assert_non_null(strstr(result.message, "SLP00002"));
}

static void an_image_of_windows_is_refused_as_such(void **state)
{
    (void)state;
    struct step_result result = apply("2");

    assert_string_equal(result.error_id, "SLW-0319");
    assert_non_null(strstr(result.message, "Windows targets are not supported by this version"));
    assert_string_equal(apply("3").error_id, "SLW-0319");
}

static void an_image_that_the_order_does_not_hold_is_refused(void **state)
{
    (void)state;
    assert_string_equal(apply("5").error_id, "SLW-0307");
    assert_string_equal(apply("0").error_id, "SLW-0307");
    assert_string_equal(apply("two").error_id, "SLW-0307");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            a_64_bit_system_is_refused_on_a_32_bit_processor_before_the_volume_is_touched),
        cmocka_unit_test(an_image_without_unix_data_is_refused_before_the_volume_is_touched),
        cmocka_unit_test(an_image_of_windows_is_refused_as_such),
        cmocka_unit_test(an_image_that_the_order_does_not_hold_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
