/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/names.h"

#include <string.h>

json_t *names_split(const char *text)
{
    json_t *names = json_array();

    for (;;) {
        size_t len = strcspn(text, ",");
        json_t *name = json_stringn(text, len);

        (void)json_array_append_new(names, name ? name : json_string(""));
        if (text[len] == '\0')
            return names;
        text += len + 1;
    }
}
