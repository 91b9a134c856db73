/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/partitions.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "ts/values.h"
#include "ts/vars.h"

#define MIB ((uint64_t)1024 * 1024)
#define GIB (1024 * MIB)

enum {
    NAME_MAX_BYTES = 64,
    LABEL_CHARACTERS_MAX = 36, /* of a name on GPT */
};

static const char *get(const struct ts_values *values, size_t i, const char *property)
{
    char name[NAME_MAX_BYTES];

    (void)snprintf(name, sizeof(name), "OSDPartitions%zu%s", i, property);
    return values->get(values->ctx, name);
}

static bool is_word(const char *value, const char *word)
{
    return bytes_eq_nocase(bytes_of(value), word);
}

static bool is_true(const char *value)
{
    return is_word(value, "true") || is_word(value, "yes") || is_word(value, "1");
}

static bool is_false(const char *value)
{
    return is_word(value, "false") || is_word(value, "no") || is_word(value, "0");
}

static const struct {
    const char *word;
    enum disk_type type;
} types[] = {
    {"Primary", DISK_TYPE_PRIMARY},
    {"Extended", DISK_TYPE_EXTENDED},
    {"Logical", DISK_TYPE_LOGICAL},
    {"EFI", DISK_TYPE_EFI},
    {"MSR", DISK_TYPE_MSR},
    {"Recovery", DISK_TYPE_RECOVERY},
    {"Hidden", DISK_TYPE_HIDDEN},
};

static const struct {
    const char *word;
    enum disk_file_system file_system;
} file_systems[] = {
    {"", DISK_FS_NONE},
    {"None", DISK_FS_NONE},
    {"NTFS", DISK_FS_NTFS},
    {"ext4", DISK_FS_EXT4},
    {"xfs", DISK_FS_XFS},
    {"btrfs", DISK_FS_BTRFS},
    {"FAT32", DISK_FS_FAT32},
    {"vfat", DISK_FS_FAT32},
    {"swap", DISK_FS_SWAP},
};

static bool read_type(const char *word, enum disk_type *ret)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (is_word(word, types[i].word)) {
            *ret = types[i].type;
            return true;
        }
    }
    return false;
}

static bool read_file_system(const char *word, enum disk_file_system *ret)
{
    for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++) {
        if (is_word(word, file_systems[i].word)) {
            *ret = file_systems[i].file_system;
            return true;
        }
    }
    return false;
}

static bool read_size(const char *size, const char *units, struct disk_wish *ret)
{
    bool is_percent = is_word(units, "Percent") || is_word(units, "%");
    bool is_gib = is_word(units, "GB");
    uint64_t max = is_gib ? TS_PARTITION_SIZE_GIB_MAX : (uint64_t)TS_PARTITION_SIZE_GIB_MAX * 1024;

    ret->unit = DISK_SIZE_REST;
    if (size[0] == '\0')
        return true;
    if (!is_percent && !is_gib && units[0] != '\0' && !is_word(units, "MB"))
        return false;
    if (!bytes_parse_u64(bytes_of(size), 1, is_percent ? 100 : max, &ret->size))
        return false;
    ret->unit = is_percent ? DISK_SIZE_PERCENT : DISK_SIZE_BYTES;
    if (!is_percent)
        ret->size *= is_gib ? GIB : MIB;
    return true;
}

/* As much as fits, without half a character at its end. */
static void copy_label(const char *from, char dst[static DISK_LABEL_MAX])
{
    size_t n_characters = 0;
    size_t len = 0;

    for (; from[len] != '\0' && len < DISK_LABEL_MAX - 1; len++) {
        if (((unsigned char)from[len] & 0xc0) != 0x80 && ++n_characters > LABEL_CHARACTERS_MAX)
            break;
        dst[len] = from[len];
    }
    dst[len] = '\0';
}

/* What a type does not leave to choice. */
static void settle_file_system(struct disk_wish *wish)
{
    switch (wish->type) {
    case DISK_TYPE_MSR:
    case DISK_TYPE_EXTENDED:
    case DISK_TYPE_BIOS_BOOT:
        wish->file_system = DISK_FS_NONE;
        break;
    case DISK_TYPE_EFI:
        wish->file_system = DISK_FS_FAT32;
        break;
    case DISK_TYPE_PRIMARY:
    case DISK_TYPE_LOGICAL:
    case DISK_TYPE_RECOVERY:
    case DISK_TYPE_HIDDEN:
    default:
        break;
    }
}

bool ts_partition_exists(const struct ts_values *values, size_t i)
{
    return get(values, i, "Type")[0] != '\0';
}

/* Return: whether it is one that a sequence may set, or none. */
static bool read_variable(const char *name, struct disk_wish *ret)
{
    size_t len = strlen(name);

    if (len == 0)
        return true;
    if (name[0] == '_' || len >= sizeof(ret->variable) || !ts_vars_is_name(name, TS_BY_SEQUENCE))
        return false;
    memcpy(ret->variable, name, len);
    return true;
}

static void explain(struct buf *why, const struct ts_values *values, size_t i, const char *property)
{
    bool is_size = strcmp(property, "Size") == 0;

    buf_addf(why,
             "partition %zu has an unusable %s: \"%.64s\"%s%.32s",
             i,
             property,
             get(values, i, property),
             is_size ? " " : "",
             is_size ? get(values, i, "SizeUnits") : "");
}

int ts_partition_read(const struct ts_values *values,
                      size_t i,
                      struct disk_wish *ret,
                      struct buf *why)
{
    const char *bad = NULL;

    *ret = (struct disk_wish){.is_bootable = is_true(get(values, i, "Bootable")),
                              .is_quick = !is_false(get(values, i, "QuickFormat")),
                              .has_no_drive = is_false(get(values, i, "AssignVolumeLetter"))};
    copy_label(get(values, i, "VolumeName"), ret->label);
    if (!read_type(get(values, i, "Type"), &ret->type)) {
        explain(why, values, i, "Type");
        return TS_PARTITION_E_TYPE;
    }
    if (!read_file_system(get(values, i, "FileSystem"), &ret->file_system))
        bad = "FileSystem";
    else if (!read_size(get(values, i, "Size"), get(values, i, "SizeUnits"), ret))
        bad = "Size";
    else if (!read_variable(get(values, i, "VolumeLetterVariable"), ret))
        bad = "VolumeLetterVariable";
    if (bad) {
        explain(why, values, i, bad);
        return TS_PARTITION_E_MALFORMED;
    }
    settle_file_system(ret);
    return 0;
}

/* The kind of a disk ("BASIC") is no style, but it is also seen with one. */
static const char *style_of(const struct ts_values *values)
{
    const char *style = values->get(values->ctx, "OSDPartitionStyle");
    const char *kind = values->get(values->ctx, "OSDDiskType");

    return style[0] == '\0' && (is_word(kind, "GPT") || is_word(kind, "MBR")) ? kind : style;
}

int ts_partition_style(const struct ts_values *values,
                       bool is_uefi,
                       enum disk_style *ret,
                       struct buf *why)
{
    const char *style = style_of(values);

    *ret = DISK_STYLE_MBR;
    if (is_word(style, "GPT") || (style[0] == '\0' && is_uefi))
        *ret = DISK_STYLE_GPT;
    else if (style[0] != '\0' && !is_word(style, "MBR")) {
        buf_addf(why, "\"%.32s\" is no partition style: MBR or GPT", style);
        return TS_PARTITION_E_MALFORMED;
    }
    return 0;
}
