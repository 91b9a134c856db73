/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/restart.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/run/restart_parts.h"
#include "agent/steps/test_bench.h"
#include "base/own.h"
#include "image/boot_text.h"
#include "plat/file.h"

/* A Restart Computer into the boot image, in the boot image, with a volume. */
static struct step_bench *restarting(void)
{
    struct step_bench *b =
        step_bench_new("RebootAction", "", STEP_VARIABLE("SMSRebootTarget", "WinPE"));

    b->c.environment = STEP_IN_BOOT_IMAGE;
    b->target.is_mounted = true;
    return b;
}

static void a_disk_for_uefi_must_be_one_that_was_made(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = restarting();

    step_bench_set(b, "TSUEFIDrive", "/dev/no-such-partition");
    assert_string_equal(step_bench_run(b), "SLW-0415");
    assert_non_null(strstr(b->result.message, "TSUEFIDrive is \"/dev/no-such-partition\""));
}

static void a_computer_that_starts_by_uefi_already_restarts_as_ever(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = restarting();

    step_bench_set(b, "TSUEFIDrive", "/dev/no-such-partition");
    b->machine.is_uefi = true;
    assert_null(step_bench_run(b));
    assert_int_equal(b->result.then, STEP_THEN_RESTART_TO_BOOT_IMAGE);
}

static void without_the_variable_the_next_start_comes_from_the_network(void **state)
{
    (void)state;
    OWN(step_bench_freep) struct step_bench *b = restarting();

    assert_null(step_bench_run(b));
    assert_int_equal(b->result.then, STEP_THEN_RESTART_TO_BOOT_IMAGE);
}

static void a_boot_image_is_taken_from_a_volume_that_has_one(void **state)
{
    (void)state;
    char folder[] = "/tmp/slipway-test-restart-XXXXXX";
    char path[128];

    assert_non_null(mkdtemp(folder));
    assert_int_equal(restart_take_boot_image(folder), 0);
    (void)snprintf(path, sizeof(path), "%s" RESTART_BOOT_FOLDER, folder);
    assert_int_equal(dir_make(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s" BOOT_ONCE_FILE, folder);
    assert_int_equal(file_write(path, bytes_of("menu"), 0600), 0);
    assert_int_equal(restart_take_boot_image(folder), RESTART_SWITCHED_BACK);
    assert_false(file_exists(path));
    assert_int_equal(restart_take_boot_image(folder), 0);
    assert_int_equal(dir_remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_disk_for_uefi_must_be_one_that_was_made),
        cmocka_unit_test(a_computer_that_starts_by_uefi_already_restarts_as_ever),
        cmocka_unit_test(without_the_variable_the_next_start_comes_from_the_network),
        cmocka_unit_test(a_boot_image_is_taken_from_a_volume_that_has_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
