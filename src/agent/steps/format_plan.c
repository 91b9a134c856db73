/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/steps/format_parts.h"
#include "base/bytes.h"
#include "ts/vars.h"

#define MIB ((uint64_t)1024 * 1024)
#define GIB (1024 * MIB)

enum {
    SETTING_NAME_MAX = 64,
    SIZE_GIB_MAX = 1024 * 1024,
};

#define TARGET_MIN_BYTES (256 * MIB) /* no operating system fits on less */

static const char *setting(struct step_context *c, size_t i, const char *property)
{
    char name[SETTING_NAME_MAX];

    (void)snprintf(name, sizeof(name), "OSDPartitions%zu%s", i, property);
    return step_value(c, name);
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
    {"EXT4", DISK_FS_EXT4},
    {"XFS", DISK_FS_XFS},
    {"BTRFS", DISK_FS_BTRFS},
    {"FAT32", DISK_FS_FAT32},
    {"VFAT", DISK_FS_FAT32},
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
    uint64_t n;

    ret->unit = DISK_SIZE_REST;
    if (size[0] == '\0')
        return true;
    if (is_word(units, "Percent") || is_word(units, "%")) {
        ret->unit = DISK_SIZE_PERCENT;
        return bytes_parse_u64(bytes_of(size), 1, 100, &ret->size);
    }
    ret->unit = DISK_SIZE_BYTES;
    if (units[0] == '\0' || is_word(units, "MB")) {
        if (!bytes_parse_u64(bytes_of(size), 1, (uint64_t)SIZE_GIB_MAX * 1024, &n))
            return false;
        ret->size = n * MIB;
        return true;
    }
    if (!is_word(units, "GB") || !bytes_parse_u64(bytes_of(size), 1, SIZE_GIB_MAX, &n))
        return false;
    ret->size = n * GIB;
    return true;
}

/* As much as fits, without half a character at its end. */
static void copy_label(const char *from, char dst[static DISK_LABEL_MAX])
{
    enum {
        CHARACTERS_MAX = 36
    };
    size_t n_characters = 0;
    size_t len = 0;

    for (; from[len] != '\0' && len < DISK_LABEL_MAX - 1; len++) {
        if (((unsigned char)from[len] & 0xc0) != 0x80 && ++n_characters > CHARACTERS_MAX)
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

/* Return: whether the step's partition @i makes sense; @result is the failure if not. */
static bool
read_wish(struct step_context *c, size_t i, struct disk_wish *ret, struct step_result *result)
{
    const char *type = setting(c, i, "Type");
    const char *file_system = setting(c, i, "FileSystem");
    const char *size = setting(c, i, "Size");
    const char *units = setting(c, i, "SizeUnits");
    const char *variable = setting(c, i, "VolumeLetterVariable");
    const char *bad = NULL;

    *ret = (struct disk_wish){.is_bootable = is_true(setting(c, i, "Bootable")),
                              .is_quick = !is_false(setting(c, i, "QuickFormat")),
                              .has_no_drive = is_false(setting(c, i, "AssignVolumeLetter"))};
    copy_label(setting(c, i, "VolumeName"), ret->label);
    if (!read_type(type, &ret->type))
        bad = "Type";
    else if (!read_file_system(file_system, &ret->file_system))
        bad = "FileSystem";
    else if (!read_size(size, units, ret))
        bad = "Size or SizeUnits";
    else if (variable[0] == '_' || strlen(variable) >= sizeof(ret->variable))
        bad = "VolumeLetterVariable";
    if (bad) {
        (void)step_fail(
            result,
            "SLW-0454",
            "Partition %zu has an unusable %s (Type \"%s\", FileSystem \"%s\", Size \"%s\" %s): "
            "correct the step Format and Partition Disk",
            i,
            bad,
            type,
            file_system,
            size,
            units);
        return false;
    }
    (void)snprintf(ret->variable, sizeof(ret->variable), "%s", variable);
    settle_file_system(ret);
    return true;
}

/* Return: whether the step says something that is a style. */
static bool read_style(struct step_context *c, enum disk_style *ret, struct step_result *result)
{
    const char *style = step_value(c, "OSDPartitionStyle");

    if (style[0] == '\0') { /* the kind of a disk ("BASIC"), but also seen with a style */
        style = step_value(c, "OSDDiskType");
        if (!is_word(style, "GPT") && !is_word(style, "MBR"))
            style = "";
    }
    *ret = DISK_STYLE_MBR;
    if (is_word(style, "GPT") || (style[0] == '\0' && c->machine->is_uefi))
        *ret = DISK_STYLE_GPT;
    else if (style[0] != '\0' && !is_word(style, "MBR"))
        return step_fail(result, "SLW-0454", "\"%s\" is no partition style: MBR or GPT", style) !=
               0;
    return true;
}

static bool has_type(const struct disk_wish *wishes, size_t n, enum disk_type type)
{
    for (size_t i = 0; i < n; i++)
        if (wishes[i].type == type)
            return true;
    return false;
}

static void put_first(struct disk_wish *wishes, size_t *n, const struct disk_wish *wish)
{
    memmove(wishes + 1, wishes, *n * sizeof(*wishes));
    wishes[0] = *wish;
    (*n)++;
}

/* What the disk starts from, though the step does not define it. */
static void add_for_firmware(struct step_context *c,
                             const struct disk_space *space,
                             bool is_for_os,
                             struct disk_wish *wishes,
                             size_t *n)
{
    if (space->style != DISK_STYLE_GPT)
        return;
    if (is_true(step_value(c, "OSDGPTBootDisk")) && !has_type(wishes, *n, DISK_TYPE_EFI)) {
        const struct disk_wish efi = disk_layout_efi(space);

        put_first(wishes, n, &efi);
        c->log(c->ctx, "A partition of type EFI is added, because the disk is to be started from");
    }
    if (is_for_os && !c->machine->is_uefi) { /* GRUB needs a place of its own there */
        put_first(wishes,
                  n,
                  &(struct disk_wish){.type = DISK_TYPE_BIOS_BOOT,
                                      .unit = DISK_SIZE_BYTES,
                                      .size = MIB,
                                      .label = "BIOS boot"});
    }
}

static bool fail_plan(int outcome,
                      const struct machine_disk *disk,
                      const struct disk_wish *wishes,
                      size_t i,
                      struct step_result *result)
{
    static const char *const failures[] = {
        [DISK_LAYOUT_E_TOO_SMALL] = "does not fit: make the partitions smaller",
        [DISK_LAYOUT_E_TOO_MANY] = "is more than the partition style has room for (MBR: 4 with the "
                                   "extended one, and 56 logical; GPT: 128)",
        [DISK_LAYOUT_E_STYLE] = "is of a type that the partition style does not have (Extended and "
                                "Logical are MBR's, MSR is GPT's)",
        [DISK_LAYOUT_E_EXTENDED] =
            "is a logical one with no extended one before it, or a second extended one",
        [DISK_LAYOUT_E_ACTIVE] = "cannot be the boot partition: there is one on an MBR disk, and "
                                 "it is of no type but Primary, EFI, Recovery or Hidden",
        [DISK_LAYOUT_E_FILE_SYSTEM] = "is smaller than its file system can be",
        [DISK_LAYOUT_E_SECTOR_BYTES] = "cannot be placed: the disk has sectors of unknown size",
    };
    bool is_room = outcome == DISK_LAYOUT_E_TOO_SMALL || outcome == DISK_LAYOUT_E_FILE_SYSTEM;

    (void)step_fail(result,
                    is_room ? "SLW-0452" : "SLW-0454",
                    "Partition %zu (\"%s\") on the disk of %" PRIu64
                    " MiB with sectors of %u bytes %s. Nothing was written",
                    i,
                    wishes[i].label,
                    disk->size_bytes / MIB,
                    disk->sector_bytes,
                    failures[outcome]);
    return false;
}

/* The operating system is a Linux: what sequences made for Windows call NTFS is then ext4. */
static bool
settle_os(struct step_context *c, struct disk_layout *layout, struct step_result *result)
{
    size_t root = disk_layout_root(layout);

    if (root == layout->n_partitions || layout->partitions[root].size_bytes < TARGET_MIN_BYTES) {
        (void)step_fail(result,
                        "SLW-0452",
                        "No partition of type Primary or Logical with a file system for Linux has "
                        "%" PRIu64 " MiB or more: the operating system has no place",
                        TARGET_MIN_BYTES / MIB);
        return false;
    }
    if (c->machine->is_uefi && (layout->style != DISK_STYLE_GPT ||
                                disk_layout_find(layout, DISK_TYPE_EFI) == layout->n_partitions)) {
        (void)step_fail(
            result,
            "SLW-0454",
            "This computer starts by UEFI, but the step defines no GPT disk with a partition of type "
            "EFI: set the style and add one, or let the step define no partitions at all");
        return false;
    }
    if (layout->partitions[root].wish.file_system == DISK_FS_NTFS) {
        layout->partitions[root].wish.file_system = DISK_FS_EXT4;
        c->log(c->ctx,
               "Partition %zu: NTFS is made ext4, because the operating system is a Linux",
               layout->partitions[root].number);
    }
    return true;
}

bool format_plan(struct step_context *c,
                 const struct machine_disk *disk,
                 bool is_for_os,
                 struct disk_layout *ret,
                 struct step_result *result)
{
    struct disk_wish wishes[DISK_PARTITIONS_MAX + 3];
    struct disk_space space = {.bytes = disk->size_bytes, .sector_bytes = disk->sector_bytes};
    size_t n = 0;

    if (!read_style(c, &space.style, result))
        return false;
    if (setting(c, 0, "Type")[0] == '\0') {
        n = is_for_os ? disk_layout_default(c->machine->is_uefi, &space, wishes)
                      : disk_layout_data(wishes);
    } else {
        for (; n <= DISK_PARTITIONS_MAX && setting(c, n, "Type")[0] != '\0'; n++)
            if (!read_wish(c, n, &wishes[n], result))
                return false;
        add_for_firmware(c, &space, is_for_os, wishes, &n);
    }
    int r = disk_layout_plan(&space, wishes, n, ret);

    if (r != 0)
        return fail_plan(r, disk, wishes, ret->n_partitions, result);
    return !is_for_os || settle_os(c, ret, result);
}
