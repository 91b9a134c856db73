/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/name_rule.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    INPUT_MAX = 1024,
};

/* A pattern, a line end, and what firmware says of itself: what comes out is a name, or nothing does. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[INPUT_MAX];
    char name[NAME_MAX_BYTES + 1];
    char base[NAME_BASE_MAX];
    struct name_facts facts = {0};
    const char *why;
    bool has_counter;
    char *line;
    int is_none;

    if (size >= sizeof(text))
        return 0;
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    line = strchr(text, '\n');
    if (line)
        *line++ = '\0';
    for (int i = 0; i < NAME_VALUES; i++)
        facts.values[i] = line;
    is_none = name_rule_check(text, &has_counter, &why);
    for (unsigned max = 1; max <= NAME_MAX_BYTES; max += 7) {
        const struct name_wish wish = {
            .pattern = text, .max = max, .number = size + 1, .twin = max};
        int r = name_rule_make(&wish, &facts, name);

        if ((is_none != 0) != (r == NAME_RULE_E_PATTERN))
            abort();
        if ((r == 0) != (name_rule_why_not(name, max) == NULL))
            abort();
    }
    if (name_rule_base(text, &facts, base) == 0 && strlen(base) >= sizeof(base))
        abort();
    return 0;
}
