/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/settings.h"

#include "ts/test_ts.h"

static void the_later_source_wins_whatever_the_order(void **state)
{
    (void)state;
    static const struct ts_setting settings[] = {
        {TS_FROM_PRESTART, 0, "E", "prestart", false},
        {TS_FROM_MEDIA, 0, "D", "media", false},
        {TS_FROM_MEDIA, 0, "e", "media", false},
        {TS_FROM_DEVICE, 0, "C", "device", false},
        {TS_FROM_DEVICE, 0, "D", "device", false},
        {TS_FROM_COLLECTION, 9, "B", "important", false},
        {TS_FROM_COLLECTION, 1, "B", "unimportant", false},
        {TS_FROM_COLLECTION, 1, "A", "collection", false},
        {TS_FROM_COLLECTION, 9, "C", "collection", false},
    };
    static const char *const expected[][2] = {{"A", "collection"},
                                              {"B", "important"},
                                              {"C", "device"},
                                              {"D", "media"},
                                              {"E", "prestart"}};
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    const struct ts_setting *refused;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(
        ts_settings_apply(settings, sizeof(settings) / sizeof(settings[0]), vars, &refused), 0);
    assert_null(refused);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        assert_string_equal(ts_vars_get(vars, expected[i][0]), expected[i][1]);
    assert_int_equal(ts_vars_set(vars, "E", "run", TS_BY_SEQUENCE), 0);
    assert_string_equal(ts_vars_get(vars, "E"), "run");
}

static void of_equal_ones_the_later_wins_and_empty_deletes(void **state)
{
    (void)state;
    static const struct ts_setting settings[] = {
        {TS_FROM_COLLECTION, 1, "A", "1", false},
        {TS_FROM_COLLECTION, 1, "A", "2", false},
        {TS_FROM_COLLECTION, 1, "B", "1", false},
        {TS_FROM_DEVICE, 0, "B", "", false},
    };
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    const struct ts_setting *refused;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_settings_apply(settings, 4, vars, &refused), 0);
    assert_string_equal(ts_vars_get(vars, "A"), "2");
    assert_string_equal(ts_vars_get(vars, "B"), "");
}

static void secrets_stay_secret_and_read_only_names_are_refused(void **state)
{
    (void)state;
    static const struct ts_setting settings[] = {
        {TS_FROM_COLLECTION, 1, "Key", "1", true},
        {TS_FROM_DEVICE, 0, "Key", "2", false},
        {TS_FROM_DEVICE, 0, "_SMSTSInWinPE", "false", false},
        {TS_FROM_DEVICE, 0, "Z", "1", false},
    };
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    const struct ts_setting *refused;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_settings_apply(settings, 4, vars, &refused), 0);
    assert_true(ts_vars_is_secret(vars, "Key"));
    assert_ptr_equal(refused, &settings[2]);
    assert_string_equal(ts_vars_get(vars, "Z"), "1");
}

static void variables_within_variables_have_their_values_when_a_run_begins(void **state)
{
    (void)state;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;

    assert_int_equal(ts_vars_new(&vars), 0);
    assert_int_equal(ts_vars_set(vars, "_SMSTSSerialNumber", "S1", TS_BY_ENGINE), 0);
    assert_int_equal(ts_vars_set(vars, "C", "<%B%>", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set(vars, "B", "pc-%_SMSTSSerialNumber%-%Later%", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set(vars, "Key", "geheim", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set_secret(vars, "Key"), 0);
    assert_int_equal(ts_vars_set(vars, "Line", "-k %Key%", TS_BY_SITE), 0);
    assert_int_equal(ts_vars_set(vars, "Round", "a%Round%", TS_BY_SITE), 0);
    assert_int_equal(ts_settings_expand(vars), 0);
    assert_string_equal(ts_vars_get(vars, "C"), "<pc-S1-%Later%>");
    assert_string_equal(ts_vars_get(vars, "Line"), "-k geheim");
    assert_true(ts_vars_is_secret(vars, "Line"));
    assert_true(strlen(ts_vars_get(vars, "Round")) < TS_VAR_VALUE_MAX); /* it ended */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_later_source_wins_whatever_the_order),
        cmocka_unit_test(of_equal_ones_the_later_wins_and_empty_deletes),
        cmocka_unit_test(secrets_stay_secret_and_read_only_names_are_refused),
        cmocka_unit_test(variables_within_variables_have_their_values_when_a_run_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
