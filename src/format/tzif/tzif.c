/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/tzif/tzif.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/err.h"
#include "base/own.h"
#include "format/tzif/posix_rule.h"

enum {
    RESERVED_BYTES = 15,
    TYPES_MAX = 256,
    TYPE_BYTES = 6,
    LOOK_S = 2 * CIVIL_DAY_S, /* so far from a time on the wall its moment never is */
    OFFSET_MAX_S = 26 * 3600, /* RFC 9636 section 3.2: more would be no place on Earth */
};

struct change {
    int64_t utc_s;
    int32_t offset_s; /* from then on */
};

struct tzif {
    int32_t first_s; /* before the first change */
    bool has_rule;
    struct posix_rule rule; /* after the last one */
    size_t n;
    struct change changes[];
};

struct header {
    uint8_t version;
    uint32_t n_utc;
    uint32_t n_std;
    uint32_t n_leaps;
    uint32_t n_changes;
    uint32_t n_types;
    uint32_t n_chars;
};

void tzif_free(struct tzif *zone)
{
    free(zone);
}

DEFINE_FREEP(struct tzif *, tzif_free);

static bool take_header(struct bytes *src, struct header *ret)
{
    struct bytes magic;
    struct bytes reserved;

    return bytes_take(src, 4, &magic) && bytes_eq(magic, bytes_of("TZif")) &&
           bytes_take_u8(src, &ret->version) && bytes_take(src, RESERVED_BYTES, &reserved) &&
           bytes_take_u32be(src, &ret->n_utc) && bytes_take_u32be(src, &ret->n_std) &&
           bytes_take_u32be(src, &ret->n_leaps) && bytes_take_u32be(src, &ret->n_changes) &&
           bytes_take_u32be(src, &ret->n_types) && bytes_take_u32be(src, &ret->n_chars) &&
           ret->n_leaps == 0 && ret->n_changes <= TZIF_CHANGES_MAX && ret->n_types >= 1 &&
           ret->n_types <= TYPES_MAX && ret->n_chars <= TZIF_MAX_BYTES &&
           ret->n_utc <= ret->n_types && ret->n_std <= ret->n_types;
}

static size_t body_bytes(const struct header *h, size_t time_bytes)
{
    return h->n_changes * (time_bytes + 1) + (size_t)h->n_types * TYPE_BYTES + h->n_chars +
           h->n_std + h->n_utc;
}

static int32_t to_signed(uint32_t n)
{
    int32_t ret;

    memcpy(&ret, &n, sizeof(ret));
    return ret;
}

static bool take_time(struct bytes *src, size_t time_bytes, int64_t *ret)
{
    uint32_t high = 0;
    uint32_t low;

    if (time_bytes == 8 && !bytes_take_u32be(src, &high))
        return false;
    if (!bytes_take_u32be(src, &low))
        return false;
    *ret = time_bytes == 8 ? (int64_t)to_signed(high) * (INT64_C(1) << 32) + low : to_signed(low);
    return true;
}

static bool take_offsets(struct bytes *src, uint32_t n, int32_t ret[static TYPES_MAX])
{
    for (uint32_t i = 0; i < n; i++) {
        struct bytes rest;
        uint32_t offset;

        if (!bytes_take_u32be(src, &offset) || !bytes_take(src, 2, &rest))
            return false;
        ret[i] = to_signed(offset);
        if (ret[i] < -OFFSET_MAX_S || ret[i] > OFFSET_MAX_S)
            return false;
    }
    return true;
}

/* @src: at the changes of a block whose length was checked. */
static bool
take_changes(struct bytes *src, const struct header *h, size_t time_bytes, struct tzif *zone)
{
    struct bytes types;
    int32_t offsets[TYPES_MAX] = {0};

    for (size_t i = 0; i < h->n_changes; i++)
        if (!take_time(src, time_bytes, &zone->changes[i].utc_s) ||
            (i > 0 && zone->changes[i].utc_s <= zone->changes[i - 1].utc_s))
            return false;
    if (!bytes_take(src, h->n_changes, &types) || !take_offsets(src, h->n_types, offsets))
        return false;
    for (size_t i = 0; i < h->n_changes; i++) {
        if (types.ptr[i] >= h->n_types)
            return false;
        zone->changes[i].offset_s = offsets[types.ptr[i]];
    }
    zone->first_s = offsets[0];
    zone->n = h->n_changes;
    return true;
}

/* "\n" rule "\n", where the rule may be empty */
static bool take_footer(struct bytes *src, struct tzif *zone)
{
    uint8_t c;

    if (!bytes_take_u8(src, &c) || c != '\n' || src->len == 0 || src->ptr[src->len - 1] != '\n')
        return false;
    src->len--;
    if (src->len == 0)
        return true;
    zone->has_rule = posix_rule_parse(*src, &zone->rule);
    return zone->has_rule;
}

/* Of a file with times of 8 bytes, only what is behind the block with those of 4. */
static bool skip_first_block(struct bytes *src, const struct header *first, struct header *ret)
{
    struct bytes skipped;

    return bytes_take(src, body_bytes(first, 4), &skipped) && take_header(src, ret);
}

int tzif_parse(struct bytes src, struct tzif **ret)
{
    OWN(tzif_freep) struct tzif *zone = NULL;
    struct header h;
    size_t time_bytes = 4;
    struct bytes body;

    if (src.len > TZIF_MAX_BYTES || !take_header(&src, &h))
        return TZIF_E_MALFORMED;
    if (h.version != 0) {
        struct header first = h;

        time_bytes = 8;
        if (!skip_first_block(&src, &first, &h))
            return TZIF_E_MALFORMED;
    }
    if (!bytes_take(&src, body_bytes(&h, time_bytes), &body))
        return TZIF_E_MALFORMED;
    zone = calloc(1, sizeof(*zone) + h.n_changes * sizeof(zone->changes[0]));
    if (!zone)
        return ERR(-ENOMEM);
    if (!take_changes(&body, &h, time_bytes, zone) || (time_bytes == 8 && !take_footer(&src, zone)))
        return TZIF_E_MALFORMED;
    *ret = TAKE(zone);
    return 0;
}

int32_t tzif_offset_s(const struct tzif *zone, int64_t utc_s)
{
    size_t low = 0;
    size_t high = zone->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->changes[middle].utc_s <= utc_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == zone->n && zone->has_rule)
        return posix_rule_offset_s(&zone->rule, utc_s);
    return low == 0 ? zone->first_s : zone->changes[low - 1].offset_s;
}

int64_t tzif_to_utc_s(const struct tzif *zone, int64_t wall_s)
{
    int32_t before = tzif_offset_s(zone, wall_s - LOOK_S);
    int32_t after = tzif_offset_s(zone, wall_s + LOOK_S);

    if (tzif_offset_s(zone, wall_s - before) == before)
        return wall_s - before;
    if (tzif_offset_s(zone, wall_s - after) == after)
        return wall_s - after;
    return wall_s - before;
}
