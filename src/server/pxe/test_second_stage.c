/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/second_stage.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */

#include <cmocka.h>

#define LOCAL 0x0a4d0001u
#define OTHER 0x0a4d0002u
#define NOW   1000000ULL

static void choice_follows_the_documented_table(void **state)
{
    static const struct {
        struct boot_client client;
        enum second_stage want;
        const char *why;
    } cases[] = {
        {{.has_lease = true, .next_server = LOCAL}, SECOND_STAGE_SIGNED, "next-server-is-us"},
        {{.has_lease = true, .next_server = OTHER}, SECOND_STAGE_SLIPWAY, "next-server-is-not-us"},
        {{.has_lease = true}, SECOND_STAGE_SLIPWAY, "next-server-is-not-us"},
        {{.next_server = LOCAL}, SECOND_STAGE_SLIPWAY, "next-server-unknown"},
        {{.site_says = SECURE_BOOT_ON}, SECOND_STAGE_SIGNED, "secure-boot-on"},
        {{.site_says = SECURE_BOOT_OFF, .has_lease = true, .next_server = LOCAL},
         SECOND_STAGE_SLIPWAY,
         "secure-boot-off"},
        {{.site_says = SECURE_BOOT_OFF, .needs_signed_until_us = NOW + 1},
         SECOND_STAGE_SIGNED,
         "refused-before"},
        {{.needs_signed_until_us = NOW}, SECOND_STAGE_SLIPWAY, "next-server-unknown"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *why = NULL;

        assert_int_equal(second_stage_choose(&cases[i].client, LOCAL, NOW, &why), cases[i].want);
        assert_string_equal(why, cases[i].why);
    }
}

static void stranger_gets_our_grub(void **state)
{
    const char *why = NULL;

    (void)state;
    assert_int_equal(second_stage_choose(NULL, LOCAL, NOW, &why), SECOND_STAGE_SLIPWAY);
    assert_string_equal(why, "unknown-client");
}

static void grub_that_was_sent_whole_and_never_started_was_refused(void **state)
{
    struct boot_client client = {.served = SECOND_STAGE_SLIPWAY, .is_served_whole = true};

    (void)state;
    assert_true(second_stage_begin(&client, NOW));
    assert_int_equal(client.needs_signed_until_us, NOW + SECOND_STAGE_MEMORY_US);
    assert_false(second_stage_begin(&client, NOW + 1)); /* the DISCOVER again */
    assert_int_equal(client.needs_signed_until_us, NOW + SECOND_STAGE_MEMORY_US);
}

static void grub_that_started_or_was_cut_off_was_not_refused(void **state)
{
    struct boot_client started = {
        .served = SECOND_STAGE_SLIPWAY, .is_served_whole = true, .is_grub_alive = true};
    struct boot_client cut = {.served = SECOND_STAGE_SLIPWAY};

    (void)state;
    assert_false(second_stage_begin(&started, NOW));
    assert_false(second_stage_begin(&cut, NOW));
    assert_int_equal(started.needs_signed_until_us, 0);
    assert_int_equal(cut.needs_signed_until_us, 0);
}

static void conclusion_is_dropped_when_the_signed_one_does_no_better(void **state)
{
    struct boot_client client = {
        .served = SECOND_STAGE_SIGNED, .is_served_whole = true, .needs_signed_until_us = NOW * 2};

    (void)state;
    assert_false(second_stage_begin(&client, NOW));
    assert_int_equal(client.needs_signed_until_us, 0);
}

static void being_switched_on_forgets_the_lease(void **state)
{
    struct boot_client client = {.has_lease = true, .next_server = LOCAL};

    (void)state;
    (void)second_stage_begin(&client, NOW);
    assert_false(client.has_lease);
    assert_int_equal(client.next_server, 0);
}

static void asking_for_mok_manager_is_a_refusal(void **state)
{
    struct boot_client client = {.served = SECOND_STAGE_SLIPWAY, .is_served_whole = true};
    const char *why;

    (void)state;
    second_stage_refuse(&client, NOW);
    assert_int_equal(second_stage_choose(&client, LOCAL, NOW + 1, &why), SECOND_STAGE_SIGNED);
    assert_false(second_stage_begin(&client, NOW + 2)); /* said once, not twice */
    assert_int_equal(second_stage_choose(&client, LOCAL, NOW + SECOND_STAGE_MEMORY_US, &why),
                     SECOND_STAGE_SLIPWAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choice_follows_the_documented_table),
        cmocka_unit_test(stranger_gets_our_grub),
        cmocka_unit_test(grub_that_was_sent_whole_and_never_started_was_refused),
        cmocka_unit_test(grub_that_started_or_was_cut_off_was_not_refused),
        cmocka_unit_test(conclusion_is_dropped_when_the_signed_one_does_no_better),
        cmocka_unit_test(being_switched_on_forgets_the_lease),
        cmocka_unit_test(asking_for_mok_manager_is_a_refusal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
