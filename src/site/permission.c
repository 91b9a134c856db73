/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/permission.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

const struct permission *permission_of_route(const char *method, const char *pattern)
{
    for (const struct permission *p = permissions; p->method; p++)
        if (strcmp(p->method, method) == 0 && strcmp(p->pattern, pattern) == 0)
            return p;
    return NULL;
}

/* {name} of the pattern stands for one segment that is not empty. */
static bool is_match(const char *pattern, const char *path)
{
    while (*pattern) {
        size_t n;

        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        n = strcspn(path, "/");
        if (n == 0)
            return false;
        path += n;
        pattern = strchr(pattern, '}') + 1;
    }
    return *path == '\0';
}

const struct permission *permission_of_path(const char *method, const char *path)
{
    for (const struct permission *p = permissions; p->method; p++)
        if (strcmp(p->method, method) == 0 && is_match(p->pattern, path))
            return p;
    return NULL;
}
