/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/time_zones.h"

#include <string.h>

#include "base/bytes.h"
#include "ts/time_zones_table.h"

enum {
    NAME_MAX_BYTES = 64,
};

#define N_OF(table) (sizeof(table) / sizeof((table)[0]))

/* "Area/City" of harmless characters, without "..": it becomes part of a path. */
static bool looks_like_one(const char *name)
{
    return strchr(name, '/') && name[0] != '/' && !strstr(name, "..") &&
           strlen(name) < NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") ==
               strlen(name);
}

static bool find(const char *name, struct ts_time_zone *ret)
{
    for (size_t i = 0; i < N_OF(windows_zones); i++)
        if (bytes_eq_nocase(bytes_of(name), windows_zones[i].windows)) {
            *ret = (struct ts_time_zone){windows_zones[i].iana, windows_zones[i].older};
            return true;
        }
    for (size_t i = 0; i < N_OF(iana_zones); i++)
        for (const char *iana = iana_zones[i]; *iana; iana += strlen(iana) + 1)
            if (bytes_eq_nocase(bytes_of(name), iana)) {
                *ret = (struct ts_time_zone){iana, NULL};
                return true;
            }
    return false;
}

bool ts_time_zone_is_known(const char *name)
{
    struct ts_time_zone zone;

    return find(name, &zone);
}

bool ts_time_zone_of(const char *name, struct ts_time_zone *ret)
{
    if (find(name, ret))
        return true;
    *ret = (struct ts_time_zone){name, NULL};
    return looks_like_one(name);
}
