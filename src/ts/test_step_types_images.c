/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types_parts.h"

#include "ts/test_ts.h"

static void every_type_says_where_it_runs_and_what_it_runs(void **state)
{
    (void)state;
    bool is_found = false;

    assert_true(n_ts_step_types_images > 5);
    for (size_t i = 0; i < n_ts_step_types_images; i++) {
        const struct ts_step_type *type = &ts_step_types_images[i];

        is_found = is_found || strcmp(type->display_name, "Apply Operating System Image") == 0;
        assert_true(type->run_in >= TS_RUN_IN_BOOT_IMAGE && type->run_in <= TS_RUN_IN_BOTH);
        assert_true(strstr(type->command, ".exe") != NULL);
        assert_true(type->success_codes[0] == '0');
        assert_true(type->n_properties > 0);
    }
    assert_true(is_found);
}

static void no_property_is_named_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_ts_step_types_images; i++) {
        const struct ts_step_type *type = &ts_step_types_images[i];

        for (size_t k = 0; k < type->n_properties; k++)
            for (size_t m = 0; m < k; m++)
                assert_string_not_equal(type->properties[k].variable, type->properties[m].variable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_says_where_it_runs_and_what_it_runs),
        cmocka_unit_test(no_property_is_named_twice),
    };

    return cmocka_run_group_tests_name("ts/step_types_images", tests, NULL, NULL);
}
