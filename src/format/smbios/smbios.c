/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "format/smbios/smbios.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    TYPE_SYSTEM = 1,
    TYPE_ENCLOSURE = 3,
    TYPE_END = 127,
    HEADER_BYTES = 4, /* type, length, handle */
};

static const char *const fillers[] = {
    "",
    "0",
    "00000000",
    "0123456789",
    "01234567890123456789",
    "1234567890",
    "123456789",
    "Asset-1234567890",
    "Chassis Asset Tag",
    "Chassis Manufacture",
    "Chassis Serial Number",
    "Default",
    "Default string",
    "Empty",
    "INVALID",
    "N/A",
    "NA",
    "No Asset Information",
    "No Asset Tag",
    "None",
    "Not Applicable",
    "Not Available",
    "Not Specified",
    "O.E.M.",
    "OEM",
    "Serial Number",
    "System manufacturer",
    "System Manufacturer",
    "System Product Name",
    "System Serial Number",
    "To Be Filled By O.E.M.",
    "To be filled by O.E.M.",
    "Unknown",
    "XXXXXXXX",
};

bool smbios_is_filler(const char *text)
{
    struct bytes view = bytes_of(text);

    for (size_t i = 0; i < sizeof(fillers) / sizeof(fillers[0]); i++)
        if (bytes_eq_nocase(view, fillers[i]))
            return true;
    return false;
}

/* The strings end with an empty one; a structure without strings has two NULs all the same. */
static bool take_strings(struct bytes *src, struct bytes *ret)
{
    for (size_t i = 1; i < src->len; i++)
        if (src->ptr[i - 1] == 0 && src->ptr[i] == 0)
            return bytes_take(src, i + 1, ret);
    return false;
}

bool smbios_take(struct bytes *table, struct smbios_structure *ret)
{
    struct bytes rest = *table;

    if (rest.len < HEADER_BYTES || rest.ptr[1] < HEADER_BYTES)
        return false;
    ret->type = rest.ptr[0];
    if (!bytes_take(&rest, rest.ptr[1], &ret->formatted) || !take_strings(&rest, &ret->strings))
        return false;
    *table = rest;
    return true;
}

static bool is_graphic(uint8_t c)
{
    return c > ' ' && c < 0x7f;
}

/* Trimmed, at most what fits, with '?' for what is not printable ASCII. */
static void copy_text(char dst[static SMBIOS_TEXT_MAX], struct bytes src)
{
    size_t len = 0;

    while (src.len > 0 && !is_graphic(src.ptr[src.len - 1]))
        src.len--;
    while (src.len > 0 && !is_graphic(src.ptr[0])) {
        src.ptr++;
        src.len--;
    }
    for (; len < src.len && len < SMBIOS_TEXT_MAX - 1; len++)
        dst[len] = (char)(is_graphic(src.ptr[len]) || src.ptr[len] == ' ' ? src.ptr[len] : '?');
    while (len > 0 && dst[len - 1] == ' ')
        len--;
    dst[len] = '\0';
}

uint64_t smbios_number(const struct smbios_structure *s, size_t offset, size_t n_bytes)
{
    uint64_t number = 0;

    if (offset > s->formatted.len || s->formatted.len - offset < n_bytes)
        return 0;
    for (size_t i = n_bytes; i > 0; i--)
        number = number << 8 | s->formatted.ptr[offset + i - 1];
    return number;
}

void smbios_text(const struct smbios_structure *s, size_t offset, char dst[static SMBIOS_TEXT_MAX])
{
    struct bytes rest = s->strings;
    struct bytes text = {0};
    uint8_t number = (uint8_t)smbios_number(s, offset, 1);

    dst[0] = '\0';
    for (uint8_t i = 0; i < number; i++)
        if (!bytes_take_cstr(&rest, &text) || text.len == 0)
            return;
    copy_text(dst, text);
}

/* @offset: where the structure holds the string's number, which counts from 1. */
static void
read_text(const struct smbios_structure *s, size_t offset, char dst[static SMBIOS_TEXT_MAX])
{
    smbios_text(s, offset, dst);
    if (smbios_is_filler(dst))
        dst[0] = '\0';
}

static void swap(uint8_t *a, uint8_t *b)
{
    uint8_t was = *a;

    *a = *b;
    *b = was;
}

static void
read_uuid(const struct smbios_structure *s, bool is_mixed, char dst[static UUID_TEXT_MAX])
{
    uint8_t uuid[UUID_BYTES];
    size_t n_zero = 0;
    size_t n_ones = 0;

    dst[0] = '\0';
    if (s->formatted.len < 8 + UUID_BYTES)
        return;
    memcpy(uuid, s->formatted.ptr + 8, UUID_BYTES);
    for (size_t i = 0; i < UUID_BYTES; i++) {
        n_zero += uuid[i] == 0x00;
        n_ones += uuid[i] == 0xff;
    }
    if (n_zero == UUID_BYTES || n_ones == UUID_BYTES)
        return;
    if (is_mixed) { /* the first three fields are little-endian */
        swap(&uuid[0], &uuid[3]);
        swap(&uuid[1], &uuid[2]);
        swap(&uuid[4], &uuid[5]);
        swap(&uuid[6], &uuid[7]);
    }
    uuid_put(dst, uuid);
}

static bool has_mixed_uuid(struct bytes entry_point)
{
    size_t at;

    if (entry_point.len >= 8 && memcmp(entry_point.ptr, "_SM_", 4) == 0)
        at = 6;
    else if (entry_point.len >= 9 && memcmp(entry_point.ptr, "_SM3_", 5) == 0)
        at = 7;
    else
        return true;
    uint8_t major = entry_point.ptr[at];
    uint8_t minor = entry_point.ptr[at + 1];

    return major > 2 || (major == 2 && minor >= 6);
}

void smbios_parse(struct bytes entry_point, struct bytes table, struct smbios *ret)
{
    bool is_mixed = has_mixed_uuid(entry_point);
    bool has_system = false;
    bool has_enclosure = false;
    struct smbios_structure s;
    char chassis_serial[SMBIOS_TEXT_MAX] = "";

    *ret = (struct smbios){0};
    while (smbios_take(&table, &s) && s.type != TYPE_END) {
        if (s.type == TYPE_SYSTEM && !has_system) {
            has_system = true;
            read_text(&s, 4, ret->manufacturer);
            read_text(&s, 5, ret->model);
            read_text(&s, 7, ret->serial);
            read_uuid(&s, is_mixed, ret->uuid);
        } else if (s.type == TYPE_ENCLOSURE && !has_enclosure) {
            has_enclosure = true;
            read_text(&s, 7, chassis_serial);
            read_text(&s, 8, ret->asset_tag);
        }
    }
    if (ret->serial[0] == '\0')
        memcpy(ret->serial, chassis_serial, sizeof(ret->serial));
}
