/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "ts/locales.h"

enum {
    KEYBOARDS_MAX = 4,
    HEX = 16,
};

struct layout {
    unsigned lcid;      /* of Windows: the lower half of a keyboard's number */
    const char *locale; /* as ts_locale_of() calls its language; "es_": any other country's */
    const char *layout; /* of XKB */
    const char *variant;
    const char *keymap; /* of the console; NULL: as the layout */
    bool is_not_latin;
};

static const struct layout layouts[] = {
    {0x0407, "de_DE", "de", "", NULL, false},
    {0x0c07, "de_AT", "at", "", "de", false},
    {0x0807, "de_CH", "ch", "", "sg", false},
    {0x1407, "de_LI", "ch", "", "sg", false},
    {0x1007, "de_LU", "ch", "fr", "fr_CH", false},
    {0x0407, "de_", "de", "", NULL, false},
    {0x0409, "en_US", "us", "", NULL, false},
    {0x0809, "en_GB", "gb", "", "uk", false},
    {0x1809, "en_IE", "ie", "", NULL, false},
    {0x0409, "en_", "us", "", NULL, false},
    {0x040c, "fr_FR", "fr", "", NULL, false},
    {0x080c, "fr_BE", "be", "", "be-latin1", false},
    {0x0c0c, "fr_CA", "ca", "", "cf", false},
    {0x1009, "fr_CA", "ca", "", "cf", false},
    {0x100c, "fr_CH", "ch", "fr", "fr_CH", false},
    {0x040c, "fr_", "fr", "", NULL, false},
    {0x0410, "it_IT", "it", "", NULL, false},
    {0x0810, "it_CH", "ch", "", "sg", false},
    {0x040a, "es_ES", "es", "", NULL, false},
    {0x0c0a, "es_ES", "es", "", NULL, false},
    {0x080a, "es_", "latam", "", "la-latin1", false},
    {0x0416, "pt_BR", "br", "", "br-abnt2", false},
    {0x0816, "pt_", "pt", "", "pt-latin1", false},
    {0x0413, "nl_NL", "us", "intl", "us", false},
    {0x0813, "nl_BE", "be", "", "be-latin1", false},
    {0x0406, "da_", "dk", "", NULL, false},
    {0x0414, "nb_", "no", "", NULL, false},
    {0x0814, "nn_", "no", "", NULL, false},
    {0x0014, "no_", "no", "", NULL, false},
    {0x041d, "sv_SE", "se", "", "sv-latin1", false},
    {0x081d, "sv_FI", "fi", "", NULL, false},
    {0x040b, "fi_", "fi", "", NULL, false},
    {0x040f, "is_", "is", "", "is-latin1", false},
    {0x0438, "fo_", "fo", "", "dk", false},
    {0x0415, "pl_", "pl", "", "pl2", false},
    {0x0405, "cs_", "cz", "", NULL, false},
    {0x041b, "sk_", "sk", "", "sk-qwertz", false},
    {0x040e, "hu_", "hu", "", NULL, false},
    {0x0418, "ro_", "ro", "", NULL, false},
    {0x041a, "hr_", "hr", "", "croat", false},
    {0x0424, "sl_", "si", "", "slovene", false},
    {0x081a, "sr_RS@latin", "rs", "latin", "sr-latin", false},
    {0x241a, "sr_RS@latin", "rs", "latin", "sr-latin", false},
    {0x0c1a, "sr_", "rs", "", "sr-cy", true},
    {0x281a, "sr_", "rs", "", "sr-cy", true},
    {0x141a, "bs_", "ba", "", "croat", false},
    {0x041c, "sq_", "al", "", "us", false},
    {0x041f, "tr_", "tr", "", "trq", false},
    {0x0427, "lt_", "lt", "", NULL, false},
    {0x0426, "lv_", "lv", "", NULL, false},
    {0x0425, "et_", "ee", "", "et", false},
    {0x043a, "mt_", "mt", "", "us", false},
    {0x083c, "ga_", "ie", "", NULL, false},
    {0x0452, "cy_", "gb", "", "uk", false},
    {0x0403, "ca_", "es", "cat", "es", false},
    {0x042d, "eu_", "es", "", NULL, false},
    {0x0456, "gl_", "es", "", NULL, false},
    {0x0436, "af_", "us", "", NULL, false},
    {0x0421, "id_", "us", "", NULL, false},
    {0x043e, "ms_", "us", "", NULL, false},
    {0x042c, "az_", "az", "", "us", false},
    {0x0442, "tk_", "tm", "", "us", false},
    {0x042a, "vi_", "vn", "", "us", false},
    {0x0411, "ja_", "jp", "", "jp106", false},
    {0x0412, "ko_", "kr", "", "us", false},
    {0x0804, "zh_CN", "cn", "", "us", false},
    {0x0404, "zh_TW", "tw", "", "us", false},
    {0x0804, "zh_", "cn", "", "us", false},
    {0x0402, "bg_", "bg", "", "bg_bds-utf8", true},
    {0x042f, "mk_", "mk", "", NULL, true},
    {0x0408, "el_", "gr", "", NULL, true},
    {0x0419, "ru_", "ru", "", NULL, true},
    {0x0422, "uk_", "ua", "", NULL, true},
    {0x0423, "be_", "by", "", NULL, true},
    {0x043f, "kk_", "kz", "", "kazakh", true},
    {0x0440, "ky_", "kg", "", "ky_alt_sh-UTF-8", true},
    {0x0443, "uz_", "uz", "", "us", true},
    {0x0450, "mn_", "mn", "", "us", true},
    {0x0437, "ka_", "ge", "", "us", true},
    {0x042b, "hy_", "am", "", "us", true},
    {0x040d, "he_", "il", "", NULL, true},
    {0x0401, "ar_", "ara", "", "us", true},
    {0x0429, "fa_", "ir", "", "us", true},
    {0x0420, "ur_", "pk", "", "us", true},
    {0x0439, "hi_", "in", "", "us", true},
    {0x0445, "bn_", "in", "ben", "us", true},
    {0x0449, "ta_", "in", "tam", "us", true},
    {0x044a, "te_", "in", "tel", "us", true},
    {0x044b, "kn_", "in", "kan", "us", true},
    {0x044c, "ml_", "in", "mal", "us", true},
    {0x0447, "gu_", "in", "guj", "us", true},
    {0x044e, "mr_", "in", "", "us", true},
    {0x041e, "th_", "th", "", "us", true},
};

/* Keyboards of a language that are not its usual one. */
static const struct {
    uint32_t number;
    struct layout layout;
} special[] = {
    {0x00010409, {.layout = "us", .variant = "dvorak", .keymap = "dvorak"}},
    {0x00020409, {.layout = "us", .variant = "intl", .keymap = "us-acentos"}},
    {0x00030409, {.layout = "us", .variant = "dvorak-l", .keymap = "dvorak-l"}},
    {0x00040409, {.layout = "us", .variant = "dvorak-r", .keymap = "dvorak-r"}},
    {0x00011009, {.layout = "ca", .variant = "multix", .keymap = "cf"}},
    {0x00010405, {.layout = "cz", .variant = "qwerty", .keymap = "cz-qwerty"}},
    {0x0001041b, {.layout = "sk", .variant = "qwerty", .keymap = "sk-qwerty"}},
    {0x00010415, {.layout = "pl", .variant = "legacy", .keymap = "pl"}},
    {0x0001041f, {.layout = "tr", .variant = "f", .keymap = "trf"}},
    {0x00010416, {.layout = "br", .variant = "", .keymap = "br-abnt2"}},
    {0x00020418, {.layout = "ro", .variant = "std", .keymap = "ro"}},
    {0x00010410, {.layout = "it", .variant = "", .keymap = "it"}},
    {0x0001080c, {.layout = "be", .variant = "", .keymap = "be-latin1"}},
};

static const struct layout *find_number(uint32_t number)
{
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (special[i].number == number)
            return &special[i].layout;
    for (size_t i = 0; number <= UINT16_MAX && i < sizeof(layouts) / sizeof(layouts[0]); i++)
        if (layouts[i].lcid == number)
            return &layouts[i];
    return NULL;
}

static const struct layout *find_locale(const char *name)
{
    struct ts_locale locale;

    if (!ts_locale_of(name, &locale))
        return NULL;
    for (size_t i = 0; i < sizeof(layouts) / sizeof(layouts[0]); i++) {
        const char *pattern = layouts[i].locale;
        size_t len = strlen(pattern);

        if (pattern[len - 1] == '_' ? strncmp(locale.language, pattern, len) == 0
                                    : strcmp(locale.language, pattern) == 0)
            return &layouts[i];
    }
    return NULL;
}

static bool parse_hex(const char *text, size_t len, uint32_t *ret)
{
    *ret = 0;
    for (size_t i = 0; i < len; i++) {
        const char *at = memchr("0123456789abcdef", text[i] | 0x20, HEX);

        if (text[i] >= '0' && text[i] <= '9')
            *ret = *ret * HEX + (uint32_t)(text[i] - '0');
        else if (at && text[i] > '9')
            *ret = *ret * HEX + (uint32_t)((text[i] | 0x20) - 'a') + 10;
        else
            return false;
    }
    return true;
}

/* "0407:00000407", "00000407" or "de-DE". A number that Windows made for one computer ("a0000407") has its language. */
static const struct layout *find(const char *text)
{
    const char *colon = strchr(text, ':');
    const char *digits = colon ? colon + 1 : text;
    const struct layout *found = NULL;
    uint32_t number;

    if (strlen(digits) == 8 && parse_hex(digits, 8, &number))
        found = find_number(number);
    if (!found && colon && colon - text == 4 && parse_hex(text, 4, &number))
        found = find_number(number);
    return found || colon ? found : find_locale(text);
}

static void add_word(char *list, size_t cap, const char *word, size_t i)
{
    size_t len = strlen(list);

    (void)snprintf(list + len, cap - len, "%s%s", i > 0 ? "," : "", word);
}

static void put(const struct layout *const *found, size_t n, struct ts_keyboard *ret)
{
    static const struct layout usa = {.layout = "us", .variant = ""};
    bool has_variant = false;

    *ret = (struct ts_keyboard){.keymap = found[0]->keymap ? found[0]->keymap : found[0]->layout};
    for (size_t i = 0; i < n; i++)
        has_variant |= found[i]->variant[0] != '\0';
    for (size_t i = 0; i < n + 1; i++) {
        const struct layout *one = i == 0 ? &usa : found[i - 1];
        size_t at = found[0]->is_not_latin ? i : i - 1;

        if (i == 0 && !found[0]->is_not_latin)
            continue;
        add_word(ret->layouts, sizeof(ret->layouts), one->layout, at);
        if (has_variant)
            add_word(ret->variants, sizeof(ret->variants), one->variant, at);
    }
    if (strchr(ret->layouts, ','))
        (void)snprintf(ret->options, sizeof(ret->options), "grp:alt_shift_toggle");
}

bool ts_keyboard_of(const char *text, struct ts_keyboard *ret)
{
    const struct layout *found[KEYBOARDS_MAX];
    size_t n = 0;

    while (*text) {
        char one[TS_LOCALE_MAX];
        size_t len = strcspn(text, "; ,");

        if (len >= sizeof(one))
            return false;
        memcpy(one, text, len);
        one[len] = '\0';
        if (len > 0) {
            if (n == KEYBOARDS_MAX || !(found[n] = find(one)))
                return false;
            n++;
        }
        text += len + (text[len] != '\0' ? 1 : 0);
    }
    if (n == 0)
        return false;
    put(found, n, ret);
    return true;
}
