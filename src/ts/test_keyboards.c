/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ts/locales.h"

static void
is_keyboard(const char *text, const char *layouts, const char *variants, const char *keymap)
{
    struct ts_keyboard k;

    assert_true(ts_keyboard_of(text, &k));
    assert_string_equal(k.layouts, layouts);
    assert_string_equal(k.variants, variants);
    assert_string_equal(k.keymap, keymap);
}

static void a_keyboard_is_named_by_its_number_or_its_language(void **state)
{
    (void)state;
    is_keyboard("0407:00000407", "de", "", "de");
    is_keyboard("0c07:00000407", "de", "", "de");
    is_keyboard("00000809", "gb", "", "uk");
    is_keyboard("0409:00010409", "us", "dvorak", "dvorak");
    is_keyboard("de-CH", "ch", "", "sg");
    is_keyboard("fr-CH", "ch", "fr", "fr_CH");
    is_keyboard("es-MX", "latam", "", "la-latin1");
    is_keyboard("en-AU", "us", "", "us");
    is_keyboard("sr-Latn-RS", "rs", "latin", "sr-latin");
    is_keyboard("0407:a0000407", "de", "", "de");
}

static void keyboards_without_latin_letters_have_others_beside_them(void **state)
{
    (void)state;
    struct ts_keyboard k;

    is_keyboard("0419:00000419", "us,ru", "", "ru");
    is_keyboard("hi-IN", "us,in", "", "us");
    is_keyboard("ta-IN", "us,in", ",tam", "us");
    assert_true(ts_keyboard_of("ru-RU", &k));
    assert_string_equal(k.options, "grp:alt_shift_toggle");
}

static void several_keyboards_stand_one_behind_the_other(void **state)
{
    (void)state;
    struct ts_keyboard k;

    is_keyboard("de-DE;en-US", "de,us", "", "de");
    is_keyboard("0407:00000407;0409:00010409", "de,us", ",dvorak", "de");
    assert_true(ts_keyboard_of("de-DE", &k));
    assert_string_equal(k.options, "");
}

static void what_is_no_keyboard_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "", ";", "9999:99999999", "german", ":", "de;de;de;de;de", "tlh-QO"};
    struct ts_keyboard k;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_false(ts_keyboard_of(cases[i], &k));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_keyboard_is_named_by_its_number_or_its_language),
        cmocka_unit_test(keyboards_without_latin_letters_have_others_beside_them),
        cmocka_unit_test(several_keyboards_stand_one_behind_the_other),
        cmocka_unit_test(what_is_no_keyboard_is_refused),
    };

    return cmocka_run_group_tests_name("ts/keyboards", tests, NULL, NULL);
}
