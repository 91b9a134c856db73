/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/apply_locale.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h> /* and this, */
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/steps/inside.h"
#include "agent/steps/test_bench.h"
#include "plat/file.h"

#define TYPE     "ApplyWindowsSettingsAction"
#define UI       "OSDWindowsSettingsUILanguage"
#define FALLBACK "OSDWindowsSettingsUILanguageFallback"
#define USER     "OSDWindowsSettingsUserLocale"
#define SYSTEM   "OSDWindowsSettingsSystemLocale"
#define INPUT    "OSDWindowsSettingsInputLocale"

static char folder[64];
static const struct inside_mode plain = {0644, 0, 0};

static int new_volume(const char *name)
{
    char path[128];
    int root = -1;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(dir_make(path, 0755), 0);
    assert_int_equal(inside_open(path, &root), 0);
    return root;
}

static void put(int root, const char *path, const char *text)
{
    assert_int_equal(inside_write(root, path, bytes_of(text), plain), 0);
}

static void file_is(int root, const char *path, const char *wanted)
{
    OWN(buf_fini) struct buf text = BUF_INIT(65536);

    assert_int_equal(inside_read(root, path, &text), 0);
    assert_string_equal(buf_str(&text), wanted);
}

static void languages_have_their_variables(void **state)
{
    (void)state;
    OWN(fd_closep) int root = new_volume("languages");
    OWN(step_bench_freep)
    struct step_bench *b =
        step_bench_new(TYPE,
                       "",
                       STEP_VARIABLE(UI, "de-DE") STEP_VARIABLE(FALLBACK, "en")
                           STEP_VARIABLE(USER, "de-AT") STEP_VARIABLE(SYSTEM, "ja-JP"));

    put(root, "usr/lib/locale/de_DE.utf8/LC_TIME", "");
    put(root, "usr/lib/locale/de_AT.utf8/LC_TIME", "");
    put(root, "usr/lib/locale/ja_JP.utf8/LC_TIME", "");
    assert_int_equal(locale_apply(&b->c, root, &b->result), 0);
    assert_null(b->result.error_id);
    file_is(
        root,
        "etc/default/locale",
        "LANG=de_DE.UTF-8\nLANGUAGE=de_DE:en_US\nLC_NUMERIC=de_AT.UTF-8\nLC_TIME=de_AT.UTF-8\n"
        "LC_MONETARY=de_AT.UTF-8\nLC_PAPER=de_AT.UTF-8\nLC_NAME=de_AT.UTF-8\nLC_ADDRESS=de_AT.UTF-8\n"
        "LC_TELEPHONE=de_AT.UTF-8\nLC_MEASUREMENT=de_AT.UTF-8\nLC_IDENTIFICATION=de_AT.UTF-8\n"
        "LC_CTYPE=ja_JP.UTF-8\n");
    assert_string_equal(step_bench_get(b, "_SLWLocales"), "");
    assert_false(inside_exists(root, "etc/locale.gen"));
}

static void the_user_locale_alone_is_the_language_too(void **state)
{
    (void)state;
    OWN(fd_closep) int root = new_volume("alone");
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new(TYPE, "", STEP_VARIABLE(USER, "sr-Latn-RS"));
    static const char archive[] = "head\0de_DE.utf8\0sr_RS.utf8@latin\0tail";

    assert_int_equal(inside_write(root,
                                  "usr/lib/locale/locale-archive",
                                  (struct bytes){(const uint8_t *)archive, sizeof(archive)},
                                  plain),
                     0);
    assert_int_equal(locale_apply(&b->c, root, &b->result), 0);
    file_is(root, "etc/locale.conf", "LANG=sr_RS.UTF-8@latin\n");
}

static void a_locale_that_is_not_there_is_made_by_setup_if_it_can(void **state)
{
    (void)state;
    OWN(fd_closep) int root = new_volume("made");
    OWN(step_bench_freep)
    struct step_bench *b =
        step_bench_new(TYPE, "", STEP_VARIABLE(UI, "de-DE") STEP_VARIABLE(USER, "de-DE"));

    put(root, "usr/lib/locale/C.utf8/LC_TIME", "");
    put(root, "usr/sbin/locale-gen", "");
    put(root, "usr/share/i18n/locales/de_DE", "");
    put(root, "etc/locale.gen", "# de_DE.UTF-8 UTF-8");
    assert_int_equal(locale_apply(&b->c, root, &b->result), 0);
    file_is(root, "etc/default/locale", "LANG=de_DE.UTF-8\n");
    file_is(root, "etc/locale.gen", "# de_DE.UTF-8 UTF-8\nde_DE.UTF-8 UTF-8\n");
    assert_string_equal(step_bench_get(b, "_SLWLocales"), "de_DE.UTF-8");
}

static void a_locale_that_cannot_be_made_is_left_out_with_a_warning(void **state)
{
    (void)state;
    OWN(fd_closep) int root = new_volume("left-out");
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new(TYPE, "", STEP_VARIABLE(UI, "de-DE"));

    put(root, "usr/lib/locale/C.utf8/LC_TIME", "");
    assert_int_equal(locale_apply(&b->c, root, &b->result), 0);
    assert_null(b->result.error_id);
    assert_false(inside_exists(root, "etc/default/locale"));
    assert_non_null(strstr(buf_str(&b->log), "Warning: the image has no locale de_DE.UTF-8"));
    assert_string_equal(step_bench_get(b, "_SLWLocales"), "");
}

static void a_system_without_glibc_takes_any_locale(void **state)
{
    (void)state;
    OWN(fd_closep) int root = new_volume("musl");
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new(TYPE, "", STEP_VARIABLE(UI, "de-DE"));

    put(root, "lib/ld-musl-x86_64.so.1", "");
    assert_int_equal(locale_apply(&b->c, root, &b->result), 0);
    file_is(root, "etc/locale.conf", "LANG=de_DE.UTF-8\n");
}

static void an_unknown_language_or_keyboard_is_a_failure(void **state)
{
    (void)state;
    OWN(fd_closep) int root = new_volume("unknown");
    OWN(step_bench_freep)
    struct step_bench *language = step_bench_new(TYPE, "", STEP_VARIABLE(UI, "german"));
    OWN(step_bench_freep)
    struct step_bench *keyboard = step_bench_new(TYPE, "", STEP_VARIABLE(INPUT, "qwertz"));

    assert_int_equal(locale_apply(&language->c, root, &language->result), 0);
    assert_string_equal(language->result.error_id, "SLW-0439");
    assert_int_equal(locale_apply_keyboard(&keyboard->c, root, &keyboard->result), 0);
    assert_string_equal(keyboard->result.error_id, "SLW-0439");
}

static void a_keyboard_is_set_for_screen_and_console(void **state)
{
    (void)state;
    OWN(fd_closep) int root = new_volume("keyboard");
    OWN(step_bench_freep)
    struct step_bench *b = step_bench_new(TYPE, "", STEP_VARIABLE(INPUT, "0419:00000419"));

    put(root,
        "etc/default/keyboard",
        "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"us\"\nBACKSPACE=\"guess\"\n");
    assert_int_equal(locale_apply_keyboard(&b->c, root, &b->result), 0);
    file_is(root,
            "etc/default/keyboard",
            "XKBMODEL=\"pc105\"\nBACKSPACE=\"guess\"\nXKBLAYOUT=\"us,ru\"\nXKBVARIANT=\"\"\n"
            "XKBOPTIONS=\"grp:alt_shift_toggle\"\n");
    file_is(root, "etc/vconsole.conf", "KEYMAP=ru\nXKBLAYOUT=us,ru\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(languages_have_their_variables),
        cmocka_unit_test(the_user_locale_alone_is_the_language_too),
        cmocka_unit_test(a_locale_that_is_not_there_is_made_by_setup_if_it_can),
        cmocka_unit_test(a_locale_that_cannot_be_made_is_left_out_with_a_warning),
        cmocka_unit_test(a_system_without_glibc_takes_any_locale),
        cmocka_unit_test(an_unknown_language_or_keyboard_is_a_failure),
        cmocka_unit_test(a_keyboard_is_set_for_screen_and_console),
    };

    (void)snprintf(folder, sizeof(folder), "/tmp/slipway-test-locale-XXXXXX");
    if (!mkdtemp(folder))
        return 1;

    int n_failed = cmocka_run_group_tests_name("agent/steps/apply_locale", tests, NULL, NULL);

    (void)dir_remove(folder);
    return n_failed;
}
