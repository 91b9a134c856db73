/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/locales.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void names_are_understood_as_windows_and_linux_write_them(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *name;
        const char *installed;
        const char *language;
    } cases[] = {
        {"de-DE", "de_DE.UTF-8", "de_DE.utf8", "de_DE"},
        {"DE_de", "de_DE.UTF-8", "de_DE.utf8", "de_DE"},
        {"de_AT.UTF-8", "de_AT.UTF-8", "de_AT.utf8", "de_AT"},
        {"en", "en_US.UTF-8", "en_US.utf8", "en_US"},
        {"ja", "ja_JP.UTF-8", "ja_JP.utf8", "ja_JP"},
        {"zh-Hans-CN", "zh_CN.UTF-8", "zh_CN.utf8", "zh_CN"},
        {"zh-Hant", "zh_TW.UTF-8", "zh_TW.utf8", "zh_TW"},
        {"zh-Hant-HK", "zh_HK.UTF-8", "zh_HK.utf8", "zh_HK"},
        {"sr-Latn-RS", "sr_RS.UTF-8@latin", "sr_RS.utf8@latin", "sr_RS@latin"},
        {"sr-Cyrl-RS", "sr_RS.UTF-8", "sr_RS.utf8", "sr_RS"},
        {"sr_RS.UTF-8@latin", "sr_RS.UTF-8@latin", "sr_RS.utf8@latin", "sr_RS@latin"},
        {"uz-Cyrl-UZ", "uz_UZ.UTF-8@cyrillic", "uz_UZ.utf8@cyrillic", "uz_UZ@cyrillic"},
        {"ca-ES-valencia", "ca_ES.UTF-8@valencia", "ca_ES.utf8@valencia", "ca_ES@valencia"},
        {"fil-PH", "fil_PH.UTF-8", "fil_PH.utf8", "fil_PH"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct ts_locale locale;

        assert_true(ts_locale_of(cases[i].text, &locale));
        assert_string_equal(locale.name, cases[i].name);
        assert_string_equal(locale.installed, cases[i].installed);
        assert_string_equal(locale.language, cases[i].language);
    }
}

static void what_is_no_name_of_a_language_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "-",
        "d",
        "xx",
        "de-",
        "-DE",
        "german",
        "de-DE-DE",
        "de-D1",
        "de DE",
        "de-DE/../..",
        "de_DE.ISO-8859-1",
        "de_DE@nonsense",
        "12-34",
        "de-DE-a-b-c",
        "ddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
    };
    struct ts_locale locale;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_false(ts_locale_of(cases[i], &locale));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_understood_as_windows_and_linux_write_them),
        cmocka_unit_test(what_is_no_name_of_a_language_is_refused),
    };

    return cmocka_run_group_tests_name("ts/locales", tests, NULL, NULL);
}
