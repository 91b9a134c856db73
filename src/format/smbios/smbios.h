/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * SMBIOS (DSP0134): who made this computer, and which one it is
 *
 * Linux shows the tables in /sys/firmware/dmi/tables. Firmware fills them with whatever the board's
 * maker typed, so everything is bounded, printable, and empty where it is filler.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/text.h"

enum {
    SMBIOS_TEXT_MAX = 128, /* with the NUL; the rest of a longer string is dropped */
};

struct smbios {
    char uuid
        [UUID_TEXT_MAX]; /* as people and Configuration Manager write it; "" if all bits are equal */
    char manufacturer[SMBIOS_TEXT_MAX];
    char model[SMBIOS_TEXT_MAX];
    char serial[SMBIOS_TEXT_MAX];    /* of the system; of the chassis if the system has none */
    char asset_tag[SMBIOS_TEXT_MAX]; /* of the chassis */
};

/**
 * smbios_parse() - read System Information (type 1) and System Enclosure (type 3)
 * @entry_point: "smbios_entry_point"; only its version counts: before 2.6 a UUID had another byte
 *               order. Empty or unknown: a newer one is assumed
 * @table:       "DMI"
 * @ret:         always set; "" for what is missing, cut off or filler such as "To Be Filled By O.E.M."
 */
void smbios_parse(struct bytes entry_point, struct bytes table, struct smbios *ret);

/**
 * smbios_is_filler() - whether a string of the tables means "nobody wrote anything here"
 */
bool smbios_is_filler(const char *text);

/* One structure of the table. */
struct smbios_structure {
    uint8_t type;
    struct bytes formatted; /* with the header, so that offsets are those of the specification */
    struct bytes strings;
};

/**
 * smbios_take() - split off the first structure
 *
 * Return: false at the end, or where the table is cut off.
 */
bool smbios_take(struct bytes *table, struct smbios_structure *ret);

/* A number of 1 to 8 bytes, little-endian; 0 where the structure is shorter. */
uint64_t smbios_number(const struct smbios_structure *s, size_t offset, size_t n_bytes);

/* The string whose number stands at @offset, trimmed and printable, filler included; "" if there is none. */
void smbios_text(const struct smbios_structure *s, size_t offset, char dst[static SMBIOS_TEXT_MAX]);
