/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * An ICU data library without data, for the boot image
 *
 * libxml2 pulls in ICU, whose data library has 31 MB, for character sets that the agent never meets:
 * WIM's XML is UTF-16 and task sequences are UTF-8, both of which libxml2 reads by itself. ICU accepts
 * a package with an empty table of contents and then knows no converter but the built-in ones.
 */

#include <stdint.h>

#define PASTE(a, b, c)  a##b##c
#define ENTRY_OF(major) PASTE(icudt, major, _dat)
#define ENTRY           ENTRY_OF(ICU_MAJOR)

struct icu_package {
    uint16_t header_bytes;
    uint8_t magic[2];
    uint16_t info_bytes;
    uint16_t reserved;
    uint8_t is_big_endian;
    uint8_t charset_family; /* 0: ASCII */
    uint8_t char_bytes;     /* UTF-16 */
    uint8_t reserved_too;
    uint8_t data_format[4]; /* "ToCP": common data, a table of contents with pointers */
    uint8_t format_version[4];
    uint8_t data_version[4];
    uint8_t padding[8];
    uint32_t n_entries;
    uint32_t n_entries_reserved;
    uint64_t entries[2];
};

extern __attribute__((visibility("default"))) const struct icu_package ENTRY;

_Alignas(16) const struct icu_package ENTRY = {
    .header_bytes = 32,
    .magic = {0xda, 0x27},
    .info_bytes = 20,
    .char_bytes = 2,
    .data_format = {'T', 'o', 'C', 'P'},
    .format_version = {1},
};
