/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/content.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "agent/steps/test_bench.h"

#define APPLY        "ApplyOperatingSystemAction"
#define RUN_FROM_NET STEP_VARIABLE("RunFromNet", "true")

/* Of a step after Format and Partition Disk, which has made a volume. */
static bool
is_streamed(enum order_content_option option, const char *attribute, const char *variable)
{
    OWN(step_bench_freep) struct step_bench *b = step_bench_new(APPLY, attribute, variable);

    b->order.content_option = option;
    (void)snprintf(b->target.root_device, sizeof(b->target.root_device), "/dev/sda2");
    return content_is_streamed(&b->c);
}

static void an_image_is_downloaded_first_if_the_deployment_says_so(void **state)
{
    (void)state;
    assert_true(is_streamed(ORDER_STREAM, "", ""));
    assert_false(is_streamed(ORDER_DOWNLOAD_WHEN_NEEDED, "", ""));
    assert_false(is_streamed(ORDER_DOWNLOAD_ALL_FIRST, "runFromNet=\"false\"", ""));
}

static void runFromNet_of_the_step_overrides_the_deployment(void **state)
{
    (void)state;
    assert_true(is_streamed(ORDER_DOWNLOAD_WHEN_NEEDED, "runFromNet=\"true\"", ""));
    assert_true(is_streamed(ORDER_DOWNLOAD_ALL_FIRST, "runFromNet=\"True\"", ""));
    assert_true(is_streamed(ORDER_DOWNLOAD_WHEN_NEEDED, "", RUN_FROM_NET));
    assert_true(is_streamed(ORDER_DOWNLOAD_WHEN_NEEDED, "runFromNet=\"false\"", RUN_FROM_NET));
}

static void what_runs_from_the_net_is_not_downloaded_before_the_first_step(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new(APPLY, "runFromNet=\"true\"", "");

    b->order.content_option = ORDER_DOWNLOAD_ALL_FIRST;
    assert_true(content_is_streamed(&b->c)); /* a step will make a volume */
    b->c.is_disk_kept = true;
    assert_false(content_is_streamed(&b->c)); /* it will be the old one's */
}

static void an_old_system_is_replaced_only_by_what_was_downloaded(void **state)
{
    (void)state;
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new(APPLY, "runFromNet=\"true\"", "");

    b->order.content_option = ORDER_DOWNLOAD_WHEN_NEEDED;
    (void)snprintf(b->target.root_device, sizeof(b->target.root_device), "/dev/sda2");
    b->target.is_old = true;
    assert_false(content_is_streamed(&b->c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_downloaded_first_if_the_deployment_says_so),
        cmocka_unit_test(runFromNet_of_the_step_overrides_the_deployment),
        cmocka_unit_test(what_runs_from_the_net_is_not_downloaded_before_the_first_step),
        cmocka_unit_test(an_old_system_is_replaced_only_by_what_was_downloaded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
