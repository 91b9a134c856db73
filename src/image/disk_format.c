/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/disk_format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "image/disk_write.h"
#include "plat/file.h"
#include "plat/process.h"

enum {
    PIECE_BYTES = 1024 * 1024,     /* every partition is some of these */
    SYNC_BYTES = 64 * 1024 * 1024, /* so much may wait in memory */
    MKFS_OUTPUT_MAX = 16 * 1024,
};

#define MKFS_TIMEOUT_US ((uint64_t)30 * 60 * 1000 * 1000)

int disk_overwrite(const struct disk_partition *partition,
                   bool (*tell)(void *ctx, unsigned percent),
                   void *ctx,
                   struct buf *why)
{
    OWN(freep) uint8_t *zeros = calloc(1, PIECE_BYTES);
    OWN(fd_closep) int fd = open(partition->device, O_WRONLY | O_EXCL | O_CLOEXEC);
    int r = 0;

    if (!zeros)
        return ERR(-ENOMEM);
    if (fd < 0)
        return errno == EBUSY ? DISK_E_IN_USE : ERR(-errno);
    for (uint64_t done = 0; r == 0 && done < partition->size_bytes; done += PIECE_BYTES) {
        if (!tell(ctx, (unsigned)(done * 100 / partition->size_bytes)))
            return DISK_E_CANCELLED;
        r = fd_write_all(fd, (struct bytes){zeros, PIECE_BYTES});
        if (r == 0 && done % SYNC_BYTES == 0 && fdatasync(fd) != 0)
            r = ERR(-errno);
    }
    if (r == 0 && fsync(fd) != 0)
        r = ERR(-errno);
    if (r == 0)
        return 0;
    buf_addf(why, "%s cannot be written throughout (error %d)", partition->device, -r);
    return DISK_E_FAILED;
}

static int run_mkfs(const char *const *argv, struct buf *why)
{
    OWN(buf_fini) struct buf output = BUF_INIT(MKFS_OUTPUT_MAX);
    struct process_result result;
    int r = process_run(
        &(struct process_options){.argv = argv, .output = &output, .timeout_us = MKFS_TIMEOUT_US},
        &result);

    if (r == -ENOENT) {
        buf_addf(why, "this boot image has no program %s", argv[0]);
        return DISK_E_FAILED;
    }
    if (r < 0)
        return TRACE(r);
    if (result.signal == 0 && result.exit_code == 0)
        return 0;
    buf_addf(why, "%s ended with code %d: %s", argv[0], result.exit_code, buf_str(&output));
    return DISK_E_FAILED;
}

static size_t label_max(enum disk_file_system file_system)
{
    switch (file_system) {
    case DISK_FS_FAT32:
        return 11;
    case DISK_FS_XFS:
        return 12;
    case DISK_FS_EXT4:
        return 16;
    case DISK_FS_SWAP:
        return 15;
    case DISK_FS_NTFS:
        return 32;
    case DISK_FS_NONE:
    case DISK_FS_BTRFS:
    default:
        return DISK_LABEL_MAX - 1;
    }
}

static char label_char(char c, bool is_fat)
{
    if (c < ' ' || c > '~' || c == '/' || (is_fat && strchr("*?.,;:\\|+=<>[]\"", c)))
        return '_';
    if (is_fat && c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    return c;
}

/* As the file system allows: ASCII, and so many characters; those of FAT in upper case. */
void disk_label(const struct disk_wish *wish, char dst[static DISK_LABEL_MAX])
{
    size_t max = label_max(wish->file_system);
    size_t len = 0;

    for (const char *from = wish->label; *from != '\0' && len < max; from++)
        if (((unsigned char)*from & 0xc0) != 0x80) /* of a character of UTF-8 only the first byte */
            dst[len++] = label_char(*from, wish->file_system == DISK_FS_FAT32);
    while (len > 0 && dst[len - 1] == ' ')
        len--;
    dst[len] = '\0';
}

static int make_ntfs(const struct disk_partition *partition, const char *label, struct buf *why)
{
    uint64_t first = partition->start_bytes / DISK_SECTOR_MIN;
    char start[24];
    const char *argv[] = {"mkntfs",
                          "-F",
                          "-Q",
                          "-q",
                          "-H",
                          "255",
                          "-S",
                          "63",
                          "-p",
                          start,
                          "-L",
                          label,
                          partition->device,
                          NULL};

    (void)snprintf(start, sizeof(start), "%" PRIu64, first <= UINT32_MAX ? first : 0);
    return TRACE(run_mkfs(argv, why));
}

int disk_make_file_system(const struct disk_partition *partition, struct buf *why)
{
    const char *device = partition->device;
    char label[DISK_LABEL_MAX];

    disk_label(&partition->wish, label);
    /* Without the features that GRUB 2.06, or a kernel before 5.15, cannot read */
    const char *ext4[] = {"mkfs.ext4",
                          "-q",
                          "-F",
                          "-L",
                          label,
                          "-O",
                          "^metadata_csum_seed,^orphan_file",
                          "-E",
                          partition->wish.is_quick ? "lazy_itable_init=1,nodiscard"
                                                   : "lazy_itable_init=0,lazy_journal_init=0",
                          device,
                          NULL};
    const char *xfs[] = {"mkfs.xfs", "-q", "-f", "-L", label, device, NULL};
    const char *btrfs[] = {"mkfs.btrfs", "-q", "-f", "-L", label, device, NULL};
    const char *fat[] = {
        "mkfs.vfat", "-F", "32", "-n", label[0] != '\0' ? label : "NO NAME", device, NULL};
    const char *swap[] = {"mkswap", "-L", label, device, NULL};

    switch (partition->wish.file_system) {
    case DISK_FS_EXT4:
        return TRACE(run_mkfs(ext4, why));
    case DISK_FS_XFS:
        return TRACE(run_mkfs(xfs, why));
    case DISK_FS_BTRFS:
        return TRACE(run_mkfs(btrfs, why));
    case DISK_FS_FAT32:
        return TRACE(run_mkfs(fat, why));
    case DISK_FS_NTFS:
        return TRACE(make_ntfs(partition, label, why));
    case DISK_FS_SWAP:
        return TRACE(run_mkfs(swap, why));
    case DISK_FS_NONE:
    default:
        return 0;
    }
}
