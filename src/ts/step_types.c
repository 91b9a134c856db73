/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_types.h"

#include <string.h>

#include "base/bytes.h"
#include "ts/step_types_parts.h"

const struct ts_step_type *ts_step_type_at(size_t i)
{
    const struct {
        const struct ts_step_type *types;
        size_t n;
    } tables[] = {
        {ts_step_types_general, n_ts_step_types_general},
        {ts_step_types_software, n_ts_step_types_software},
        {ts_step_types_disks, n_ts_step_types_disks},
        {ts_step_types_state, n_ts_step_types_state},
        {ts_step_types_images, n_ts_step_types_images},
        {ts_step_types_settings, n_ts_step_types_settings},
    };

    for (size_t k = 0; k < sizeof(tables) / sizeof(tables[0]); k++) {
        if (i < tables[k].n)
            return &tables[k].types[i];
        i -= tables[k].n;
    }
    return NULL;
}

const struct ts_step_type *ts_step_type_find(const char *type)
{
    const struct ts_step_type *found;

    for (size_t i = 0; (found = ts_step_type_at(i)) != NULL; i++)
        if (bytes_eq_nocase(bytes_of(type), found->type) ||
            bytes_eq_nocase(bytes_of(type), found->display_name))
            return found;
    return NULL;
}

static unsigned lower(char c)
{
    const unsigned letter = (unsigned char)c;

    return letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool ts_pattern_matches(const char *pattern, const char *name)
{
    for (; *pattern; pattern++) {
        if (*pattern != '#') {
            if (lower(*pattern) != lower(*name++))
                return false;
            continue;
        }
        if (!is_digit(*name))
            return false;
        while (is_digit(*name))
            name++;
    }
    return *name == '\0';
}

const struct ts_property *ts_property_find(const struct ts_step_type *type, const char *name)
{
    for (size_t i = 0; type && i < type->n_properties; i++)
        if (ts_pattern_matches(type->properties[i].variable, name))
            return &type->properties[i];
    for (size_t i = 0; type && i < type->n_properties; i++)
        if (ts_pattern_matches(type->properties[i].name, name))
            return &type->properties[i];
    return NULL;
}

bool ts_property_is_secret(const struct ts_property *property)
{
    return property->kind == TS_KIND_SECRET || property->kind == TS_KIND_PRODUCT_KEY;
}

static bool contains(const char *text, const char *part)
{
    size_t n = strlen(part);
    size_t len = strlen(text);

    for (const char *last = text + len; (size_t)(last - text) >= n; text++)
        if (bytes_eq_nocase((struct bytes){(const uint8_t *)text, n}, part))
            return true;
    return false;
}

const char *ts_property_content(const struct ts_property *property)
{
    if (!property || property->kind != TS_KIND_PACKAGE)
        return "";
    return property->content ? property->content : "package";
}

bool ts_name_is_secret(const char *name)
{
    static const char *const parts[] = {"password",
                                        "passphrase",
                                        "passwd",
                                        "pwd",
                                        "secret",
                                        "productkey",
                                        "apikey",
                                        "accesskey",
                                        "privatekey"};
    static const char *const tails[] = {"pin", "startupkey", "token"};
    /* properties of the table that are no secret: whether there is to be one, and where it is to be kept */
    static const char *const others[] = {"RandomAdminPassword",
                                         "OSDRandomAdminPassword",
                                         "CreateRecoveryPassword",
                                         "OSDBitLockerCreateRecoveryPassword"};
    size_t len = strlen(name);

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (bytes_eq_nocase(bytes_of(name), others[i]))
            return false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        if (contains(name, parts[i]))
            return true;
    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        size_t tail_len = strlen(tails[i]);

        if (len >= tail_len && bytes_eq_nocase(bytes_of(name + len - tail_len), tails[i]))
            return true;
    }
    return false;
}

bool ts_property_is_in_vain(const struct ts_property *property, const char *text)
{
    return property && property->is_for_windows && text[0] != '\0' &&
           !bytes_eq_nocase(bytes_of(text), "false") && strcmp(text, "0") != 0 &&
           (!property->default_text || strcmp(text, property->default_text) != 0);
}

const char *ts_category_name(enum ts_category category)
{
    static const char *const names[] = {
        [TS_CATEGORY_GENERAL] = "General",
        [TS_CATEGORY_SOFTWARE] = "Software",
        [TS_CATEGORY_DISKS] = "Disks",
        [TS_CATEGORY_USER_STATE] = "User State",
        [TS_CATEGORY_IMAGES] = "Images",
        [TS_CATEGORY_DRIVERS] = "Drivers",
        [TS_CATEGORY_SETTINGS] = "Settings",
    };

    return names[category];
}

const char *ts_kind_name(enum ts_property_kind kind)
{
    static const char *const names[] = {
        [TS_KIND_TEXT] = "text",
        [TS_KIND_NUMBER] = "number",
        [TS_KIND_BOOL] = "true or false",
        [TS_KIND_CHOICE] = "choice",
        [TS_KIND_PACKAGE] = "package",
        [TS_KIND_APPLICATION] = "application",
        [TS_KIND_SEQUENCE] = "task sequence",
        [TS_KIND_SECRET] = "secret",
        [TS_KIND_PRODUCT_KEY] = "product key",
        [TS_KIND_VARIABLE] = "variable name",
        [TS_KIND_CODES] = "codes",
        [TS_KIND_VERSION] = "version",
        [TS_KIND_SCRIPT] = "script",
        [TS_KIND_RULES] = "rules",
        [TS_KIND_LIST] = "list",
    };

    return names[kind];
}
