/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/locales.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

enum {
    PART_MAX = 12,
    PARTS_MAX = 4,
    LANGUAGE_MAX = 3,
    SCRIPT_LEN = 4,
    REGION_LEN = 2,
};

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

/* Languages and where most people speak them. */
static const char regions[] =
    "afZA amET arEG asIN azAZ beBY bgBG bnBD boCN brFR bsBA caES csCZ cyGB daDK deDE dvMV elGR enUS esES etEE euES faIR fiFI foFO "
    "frFR fyNL gaIE gdGB glES guIN haNG heIL hiIN hrHR huHU hyAM idID igNG isIS itIT jaJP kaGE kkKZ klGL kmKH knIN koKR kuTR "
    "kyKG lbLU loLA ltLT lvLV mkMK mlIN mnMN mrIN msMY mtMT myMM nbNO neNP nlNL nnNO noNO ocFR orIN paIN plPL psAF ptBR roRO "
    "ruRU saIN seNO siLK skSK slSI soSO sqAL srRS svSE swKE taIN teIN tgTJ thTH tiET tkTM trTR ttRU ugCN ukUA urPK uzUZ viVN "
    "woSN xhZA yoNG zhCN zuZA ";

struct parts {
    char items[PARTS_MAX][PART_MAX];
    size_t n;
};

static bool split(const char *name, struct parts *ret)
{
    ret->n = 0;
    for (;;) {
        size_t len = strcspn(name, "-_");

        if (ret->n == PARTS_MAX || len == 0 || len >= PART_MAX ||
            strspn(name, LOWER UPPER "0123456789") < len)
            return false;
        memcpy(ret->items[ret->n], name, len);
        ret->items[ret->n++][len] = '\0';
        if (name[len] == '\0')
            return true;
        name += len + 1;
    }
}

static bool is_letters(const char *text)
{
    return strspn(text, LOWER UPPER) == strlen(text);
}

static void to_case(char *text, bool is_upper)
{
    for (; *text; text++)
        if (is_upper ? *text >= 'a' && *text <= 'z' : *text >= 'A' && *text <= 'Z')
            *text = (char)(*text ^ 0x20);
}

static const char *region_of(const char *language)
{
    for (const char *at = regions; *at; at += 5)
        if (strncmp(at, language, 2) == 0 && language[2] == '\0')
            return at + 2;
    return NULL;
}

/* glibc writes a language in the script that it usually has, and names the others. */
static const char *modifier_of(const char *language, const char *script)
{
    static const char *const modifiers[][3] = {
        {"sr", "Latn", "@latin"},
        {"be", "Latn", "@latin"},
        {"uz", "Cyrl", "@cyrillic"},
        {"sd", "Deva", "@devanagari"},
        {"ks", "Deva", "@devanagari"},
    };

    for (size_t i = 0; i < sizeof(modifiers) / sizeof(modifiers[0]); i++)
        if (strcmp(modifiers[i][0], language) == 0 &&
            bytes_eq_nocase(bytes_of(script), modifiers[i][1]))
            return modifiers[i][2];
    return "";
}

static const char *region_of_script(const char *language, const char *script)
{
    bool is_traditional = bytes_eq_nocase(bytes_of(script), "Hant");

    return strcmp(language, "zh") == 0 && is_traditional ? "TW" : region_of(language);
}

static void
put(const char *language, const char *region, const char *modifier, struct ts_locale *ret)
{
    (void)snprintf(ret->name, sizeof(ret->name), "%s_%.2s.UTF-8%s", language, region, modifier);
    (void)snprintf(
        ret->installed, sizeof(ret->installed), "%s_%.2s.utf8%s", language, region, modifier);
    (void)snprintf(ret->language, sizeof(ret->language), "%s_%.2s%s", language, region, modifier);
}

/* "de_DE.UTF-8@latin": what is behind the point or '@'. Return: false if it is not that of a locale of ours. */
static bool cut_tail(char *name, const char **ret_modifier)
{
    static const char *const modifiers[] = {"@latin", "@cyrillic", "@devanagari", "@valencia"};
    char *at = strchr(name, '@');
    char *point = strchr(name, '.');

    *ret_modifier = "";
    for (size_t i = 0; at && i < sizeof(modifiers) / sizeof(modifiers[0]); i++)
        if (strcmp(at, modifiers[i]) == 0)
            *ret_modifier = modifiers[i];
    if (at && (*ret_modifier)[0] == '\0')
        return false;
    if (at)
        *at = '\0';
    if (!point)
        return true;
    *point = '\0';
    return bytes_eq_nocase(bytes_of(point + 1), "utf-8") ||
           bytes_eq_nocase(bytes_of(point + 1), "utf8");
}

bool ts_locale_of(const char *name, struct ts_locale *ret)
{
    char text[TS_LOCALE_MAX];
    struct parts parts;
    const char *modifier;
    const char *script = "";
    const char *region = NULL;
    size_t i = 1;

    if (strlen(name) >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), "%s", name);
    if (!cut_tail(text, &modifier) || !split(text, &parts))
        return false;

    char *language = parts.items[0];

    to_case(language, false);
    if (strlen(language) < 2 || strlen(language) > LANGUAGE_MAX || !is_letters(language))
        return false;
    if (i < parts.n && strlen(parts.items[i]) == SCRIPT_LEN && is_letters(parts.items[i]))
        script = parts.items[i++];
    if (i < parts.n && strlen(parts.items[i]) == REGION_LEN && is_letters(parts.items[i])) {
        to_case(parts.items[i], true);
        region = parts.items[i++];
    }
    if (!region)
        region = region_of_script(language, script);
    if (script[0] != '\0' && modifier[0] == '\0')
        modifier = modifier_of(language, script);
    if (i < parts.n && strcmp(language, "ca") == 0 &&
        bytes_eq_nocase(bytes_of(parts.items[i]), "valencia")) {
        modifier = "@valencia";
        i++;
    }
    if (!region || i < parts.n)
        return false;
    put(language, region, modifier, ret);
    return true;
}
