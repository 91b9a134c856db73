/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Languages and keyboards as Windows names them, and what Linux calls them
 */

#include <stdbool.h>

enum {
    TS_LOCALE_MAX = 48,
    TS_KEYBOARD_MAX = 64,
};

struct ts_locale {
    char name[TS_LOCALE_MAX];      /* "de_DE.UTF-8", "sr_RS.UTF-8@latin" */
    char installed[TS_LOCALE_MAX]; /* as it is called where it is installed: "de_DE.utf8" */
    char language[TS_LOCALE_MAX];  /* for LANGUAGE: "de_DE", "sr_RS@latin" */
};

/**
 * ts_locale_of() - read a name
 * @name: "de-DE", "zh-Hans-CN", "sr-Latn-RS", "en", or as Linux has it
 *
 * A language alone is that of the country where most people speak it.
 *
 * Return: whether it is of that form, and the language alone, if it is, one that is known.
 */
bool ts_locale_of(const char *name, struct ts_locale *ret);

struct ts_keyboard {
    char layouts[TS_KEYBOARD_MAX];  /* of XKB, with commas between them: "us,ru" */
    char variants[TS_KEYBOARD_MAX]; /* of each, also with commas; "" if none has one */
    char options[TS_KEYBOARD_MAX];  /* how to change between them; "" for a single one */
    const char *keymap;             /* of the text console; a literal */
};

/**
 * ts_keyboard_of() - read an input locale
 * @text: "0407:00000407", "00000407" or "de-DE"; several with ';' between them
 *
 * A keyboard without Latin letters gets that of the USA beside it.
 *
 * Return: whether all of them are known.
 */
bool ts_keyboard_of(const char *text, struct ts_keyboard *ret);
