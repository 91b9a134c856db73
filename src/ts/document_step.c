/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/document.h"

#include <string.h>

#include "base/bytes.h"
#include "ts/step_types.h"

/* MDT names some variables as the property of the type is called: "Target" instead of "SMSRebootTarget". */
static const struct ts_variable *find_under_property(const struct ts_step *step, const char *name)
{
    const struct ts_property *property = ts_property_find(ts_step_type_find(step->type), name);

    if (!property || bytes_eq_nocase(bytes_of(property->name), name))
        return NULL;
    for (size_t i = 0; i < step->n_variables; i++)
        if (bytes_eq_nocase(bytes_of(step->variables[i].name), property->name))
            return &step->variables[i];
    return NULL;
}

const struct ts_variable *ts_step_variable(const struct ts_step *step, const char *name)
{
    for (size_t i = 0; i < step->n_variables; i++)
        if (bytes_eq_nocase(bytes_of(step->variables[i].name), name))
            return &step->variables[i];
    for (size_t i = 0; i < step->n_variables; i++)
        if (bytes_eq_nocase(bytes_of(step->variables[i].property), name))
            return &step->variables[i];
    return find_under_property(step, name);
}

bool ts_step_is_enabled(const struct ts_step *step)
{
    if (step->item.is_disabled)
        return false;
    for (const struct ts_group *g = step->item.parent; g; g = g->item.parent)
        if (g->item.is_disabled)
            return false;
    return true;
}

bool ts_step_is_success(const struct ts_step *step, int64_t code)
{
    const char *word = step->success_codes;

    while (*word) {
        size_t len = strcspn(word, " ,;\t\r\n");
        bool is_negative = word[0] == '-';
        struct bytes digits = {(const uint8_t *)word + (is_negative ? 1 : 0),
                               len - (is_negative ? 1 : 0)};
        uint64_t n;

        if (bytes_parse_u64(digits, 0, UINT32_MAX, &n) &&
            code == (is_negative ? -(int64_t)n : (int64_t)n))
            return true;
        word += len + (word[len] != '\0' ? 1 : 0);
    }
    return false;
}
