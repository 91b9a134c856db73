/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/zone.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "format/tzif/tzif.h"
#include "plat/file.h"

#define FOLDER   "/usr/share/zoneinfo/"
#define OWN_ZONE "/etc/localtime"

enum {
    US_PER_S = 1000000,
};

/* Words of letters, digits, '_', '+' and '-', separated by '/': nothing that leads out of the folder. */
static bool is_name(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > ZONE_NAME_MAX_BYTES || name[0] == '/' || name[n - 1] == '/')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = name[i];

        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '_' && c != '+' && c != '-' && c != '/')
            return false;
        if (c == '/' && name[i + 1] == '/')
            return false;
    }
    return true;
}

struct zone {
    struct tzif *tzif; /* owned */
};

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    tzif_free(zone->tzif);
    free(zone);
}

DEFINE_FREEP(struct zone *, zone_free);

int zone_open(const char *name, struct zone **ret)
{
    OWN(zone_freep) struct zone *zone = NULL;
    OWN(buf_fini) struct buf file = {.max = TZIF_MAX_BYTES};
    char path[sizeof(FOLDER) + ZONE_NAME_MAX_BYTES];
    int r;

    if (name[0] && !is_name(name))
        return ZONE_E_UNKNOWN;
    zone = calloc(1, sizeof(*zone));
    if (!zone)
        return ERR(-ENOMEM);
    (void)snprintf(path, sizeof(path), "%s%s", name[0] ? FOLDER : OWN_ZONE, name);
    r = file_read(path, &file);
    if (r == 0)
        r = tzif_parse(buf_bytes(&file), &zone->tzif);
    if (r > 0 || r == -EISDIR || r == -ENOTDIR)
        return ZONE_E_UNKNOWN;
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(zone);
    return 0;
}

uint64_t zone_utc_us(const struct zone *zone, int64_t wall_s)
{
    int64_t utc_s = zone ? tzif_to_utc_s(zone->tzif, wall_s) : wall_s;

    return utc_s > 0 ? (uint64_t)utc_s * US_PER_S : 0;
}

int64_t zone_wall_s(const struct zone *zone, uint64_t utc_us)
{
    int64_t utc_s = (int64_t)(utc_us / US_PER_S);

    return zone ? utc_s + tzif_offset_s(zone->tzif, utc_s) : utc_s;
}
