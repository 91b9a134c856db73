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
#include "agent/steps/volumes.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static char package_id[] = "SLP00002";
static char kind[] = "os-image";
static char source[] = "http://192.0.2.1";

#define SEQUENCE(more) \
    "<sequence version=\"3.10\">" \
    "<step type=\"SMS_TaskSequence_ApplyDataImageAction\" name=\"a\"><defaultVarList>" \
    "<variable name=\"ImagePackageID\" property=\"ImagePackageID\">SLP00002</variable>" \
    "<variable name=\"OSDDataImageIndex\" property=\"ImageIndex\">%index%</variable>" more \
    "</defaultVarList></step></sequence>"
#define TO_PARTITION \
    "<variable name=\"DestinationDisk\" property=\"DestinationDisk\">0</variable>" \
    "<variable name=\"DestinationPartition\" property=\"DestinationPartition\">7</variable>"

/* Run the step for an index of an order with an image of each sort that no system could be started from. */
static struct step_result apply(const char *sequence, const char *index)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct order_index images[] = {
        {.index = 1, .has_no_unix_data = true},
        {.index = 2, .is_windows = true},
        {.index = 3, .is_of_64_bits = true},
    };
    struct order_content content = {
        .package_id = package_id, .kind = kind, .indexes = images, .n_indexes = 3};
    char *sources[] = {source};
    struct order order = {.content = &content, .n_content = 1, .sources = sources, .n_sources = 1};
    const struct machine machine = {
        .is_64_bit = false, .n_disks = 1, .disks = {{.name = "nosuchdisk"}}};
    struct step_target target = {.root_device = "/dev/nonexistent1", .root_uuid = "root"};
    struct volume os = {.partition = 1, .device = "/dev/nonexistent1", .uuid = "root"};
    struct step_result result = {0};
    size_t n;

    assert_int_equal(ts_document_parse(bytes_of(sequence), &doc, &diags), 0);
    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "index", index, TS_BY_SEQUENCE), 0);
    assert_int_equal(volumes_add(vars, &os, true), 0);

    struct step_context c = {.step = ts_document_steps(doc, &n),
                             .vars = vars,
                             .order = &order,
                             .machine = &machine,
                             .target = &target,
                             .environment = STEP_IN_BOOT_IMAGE,
                             .step_name = "a"};

    assert_int_equal(step_apply_data_run(&c, &result), 0);
    step_context_fini(&c);
    return result;
}

static void an_image_that_could_not_be_started_is_as_good_as_any(void **state)
{
    (void)state;
    static const char *const indexes[] = {"1", "2", "3"};

    for (size_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++)
        assert_string_equal(apply(SEQUENCE(""), indexes[i]).error_id, "SLW-0459");
}

static void the_volume_of_the_operating_system_is_not_available(void **state)
{
    (void)state;
    struct step_result result = apply(SEQUENCE(""), "1");

    assert_string_equal(result.error_id, "SLW-0459");
    assert_non_null(strstr(result.message, "No partition is available"));
}

static void a_partition_that_is_not_there_is_no_destination(void **state)
{
    (void)state;
    assert_string_equal(apply(SEQUENCE(TO_PARTITION), "1").error_id, "SLW-0459");
}

static void an_image_that_the_order_does_not_hold_is_refused(void **state)
{
    (void)state;
    assert_string_equal(apply(SEQUENCE(""), "4").error_id, "SLW-0307");
    assert_string_equal(apply(SEQUENCE(""), "0").error_id, "SLW-0307");
    assert_string_equal(apply(SEQUENCE(""), "two").error_id, "SLW-0307");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_that_could_not_be_started_is_as_good_as_any),
        cmocka_unit_test(the_volume_of_the_operating_system_is_not_available),
        cmocka_unit_test(a_partition_that_is_not_there_is_no_destination),
        cmocka_unit_test(an_image_that_the_order_does_not_hold_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
