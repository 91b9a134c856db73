/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_ntfs_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* ntfs-3g's headers use what they do not include, and types of their own */
#include <ntfs-3g/types.h>

#include <ntfs-3g/device.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    BLOCK_BYTES = 4096,
    MAX_BLOCKS = 16384,       /* 64 MiB */
    MAX_KEPT = 8192,          /* of them, when there has to be room */
    N_SLOTS = 4 * MAX_BLOCKS, /* a power of two, never more than a quarter full */
    DIRECT_BYTES = 16 * 1024, /* as much and more is not kept */
    RUN_BLOCKS = 256,         /* in one write: 1 MiB */
};

struct block {
    uint64_t number; /* of the block on the device */
    bool is_used;    /* it holds one */
    bool is_dirty;
    bool was_wanted; /* since there last had to be room */
};

struct place {
    uint64_t number;
    uint32_t block;
};

struct memory {
    int fd;
    int error;           /* errno of a write that came too late to be refused, or 0 */
    uint64_t size_bytes; /* of the device */
    uint64_t position;   /* of read() and seek() */
    uint8_t *bytes;      /* of MAX_BLOCKS */
    struct block *blocks;
    uint32_t *slots; /* by hash of the number: index of a block and 1, or 0 */
    uint32_t *free;  /* n_free indexes of blocks */
    size_t n_free;
    struct place *order; /* room for the sorting of MAX_BLOCKS */
};

static struct memory *memory_of(struct ntfs_device *dev)
{
    return dev->d_private;
}

static uint8_t *bytes_at(struct memory *m, uint32_t block)
{
    return m->bytes + (size_t)block * BLOCK_BYTES;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* As pread() and pwritev(), but all of it; errno is set. */
static bool read_all(int fd, uint8_t *dst, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pread(fd, dst, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        if (n == 0) { /* a device that became smaller */
            errno = EIO;
            return false;
        }
        dst += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

static bool write_all(int fd, const uint8_t *src, size_t len, uint64_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, src, len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n < 0 ? errno : EIO;
            return false;
        }
        src += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

/* The same of several parts, which one call writes, unless it is interrupted. */
static bool write_parts(int fd, const struct iovec *parts, size_t n_parts, uint64_t offset)
{
    ssize_t n = pwritev(fd, parts, (int)n_parts, (off_t)offset);
    size_t written = n > 0 ? (size_t)n : 0;

    if (n < 0 && errno != EINTR)
        return false;
    for (size_t i = 0; i < n_parts; i++) {
        size_t done = min_size(written, parts[i].iov_len);

        if (!write_all(fd,
                       (const uint8_t *)parts[i].iov_base + done,
                       parts[i].iov_len - done,
                       offset + done))
            return false;
        written -= done;
        offset += parts[i].iov_len;
    }
    return true;
}

/* Of a block, on the device: the last one may be cut. */
static size_t length_of(const struct memory *m, uint64_t number)
{
    return (size_t)(m->size_bytes - number * BLOCK_BYTES < BLOCK_BYTES
                        ? m->size_bytes - number * BLOCK_BYTES
                        : BLOCK_BYTES);
}

static size_t slot_of(uint64_t number)
{
    return (size_t)((number * UINT64_C(0x9e3779b97f4a7c15)) >> 40) & (N_SLOTS - 1);
}

/* Return: the slot with the block, or the one where it would be. */
static uint32_t *find_slot(struct memory *m, uint64_t number)
{
    size_t slot = slot_of(number);

    while (m->slots[slot] != 0 && m->blocks[m->slots[slot] - 1].number != number)
        slot = (slot + 1) & (N_SLOTS - 1);
    return &m->slots[slot];
}

static int compare_places(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;

    return left->number < right->number ? -1 : left->number > right->number;
}

static size_t sort_dirty(struct memory *m)
{
    size_t n = 0;

    for (uint32_t i = 0; i < MAX_BLOCKS; i++)
        if (m->blocks[i].is_used && m->blocks[i].is_dirty)
            m->order[n++] = (struct place){m->blocks[i].number, i};
    qsort(m->order, n, sizeof(*m->order), compare_places);
    return n;
}

/* Write one run of the sorted blocks. Return: how many those were; 0 and errno if it failed. */
static size_t write_run(struct memory *m, const struct place *order, size_t n)
{
    struct iovec parts[RUN_BLOCKS];
    size_t n_parts = 0;

    while (n_parts < n && n_parts < RUN_BLOCKS &&
           order[n_parts].number == order->number + n_parts) {
        parts[n_parts] =
            (struct iovec){bytes_at(m, order[n_parts].block), length_of(m, order[n_parts].number)};
        n_parts++;
    }
    if (!write_parts(m->fd, parts, n_parts, order->number * BLOCK_BYTES))
        return 0;
    for (size_t i = 0; i < n_parts; i++)
        m->blocks[order[i].block].is_dirty = false;
    return n_parts;
}

static bool flush(struct memory *m)
{
    size_t n = sort_dirty(m);

    for (size_t i = 0; i < n && m->error == 0;) {
        size_t n_written = write_run(m, &m->order[i], n - i);

        if (n_written == 0)
            m->error = errno;
        i += n_written;
    }
    errno = m->error;
    return m->error == 0;
}

/* Forget blocks that were not wanted of late, and more if that is not enough; all are clean. */
static void make_room(struct memory *m)
{
    size_t n_kept = 0;

    memset(m->slots, 0, N_SLOTS * sizeof(*m->slots));
    m->n_free = 0;
    for (uint32_t i = 0; i < MAX_BLOCKS; i++) {
        struct block *block = &m->blocks[i];

        if (block->is_used && block->was_wanted && n_kept < MAX_KEPT) {
            *find_slot(m, block->number) = i + 1;
            n_kept++;
        } else {
            block->is_used = false;
            m->free[m->n_free++] = i;
        }
        block->was_wanted = false;
    }
}

/* Return: the block in memory, read from the device if @wants_content; NULL and errno if it cannot be. */
static struct block *get(struct memory *m, uint64_t number, bool wants_content)
{
    uint32_t *slot = find_slot(m, number);

    if (*slot != 0) {
        m->blocks[*slot - 1].was_wanted = true;
        return &m->blocks[*slot - 1];
    }
    if (m->n_free == 0) {
        if (!flush(m))
            return NULL;
        make_room(m);
        slot = find_slot(m, number);
    }

    uint32_t index = m->free[m->n_free - 1];

    if (wants_content &&
        !read_all(m->fd, bytes_at(m, index), length_of(m, number), number * BLOCK_BYTES))
        return NULL;
    m->n_free--;
    *slot = index + 1;
    m->blocks[index] = (struct block){.number = number, .is_used = true};
    return &m->blocks[index];
}

/* What of it lies on the device. Return: false and errno if nothing does. */
static bool clip(const struct memory *m, s64 offset, s64 *len)
{
    uint64_t start = (uint64_t)offset;

    if (m->error != 0 || offset < 0 || *len < 0) {
        errno = m->error != 0 ? m->error : EINVAL;
        return false;
    }
    if (start >= m->size_bytes)
        *len = 0;
    else if ((uint64_t)*len > m->size_bytes - start)
        *len = (s64)(m->size_bytes - start);
    return true;
}

/* How much of a long piece lies in one block, from @done on; the block, or NULL if it is not kept. */
static size_t within_block(struct memory *m, uint64_t offset, size_t left, uint8_t **ret)
{
    size_t within = (size_t)(offset % BLOCK_BYTES);
    uint32_t slot = *find_slot(m, offset / BLOCK_BYTES);

    *ret = slot == 0 ? NULL : bytes_at(m, slot - 1) + within;
    return min_size(BLOCK_BYTES - within, left);
}

/* A long piece was read past what is kept, which is newer. */
static void use_kept(struct memory *m, uint8_t *piece, size_t len, uint64_t offset)
{
    uint8_t *kept;

    for (size_t done = 0; done < len;) {
        size_t n = within_block(m, offset + done, len - done, &kept);

        if (kept)
            memcpy(piece + done, kept, n);
        done += n;
    }
}

/* A long piece was written past what is kept, which is older. */
static void renew_kept(struct memory *m, const uint8_t *piece, size_t len, uint64_t offset)
{
    uint8_t *kept;

    for (size_t done = 0; done < len;) {
        size_t n = within_block(m, offset + done, len - done, &kept);

        if (kept)
            memcpy(kept, piece + done, n);
        done += n;
    }
}

static s64 device_pread(struct ntfs_device *dev, void *dst, s64 count, s64 offset)
{
    struct memory *m = memory_of(dev);
    uint8_t *piece = dst;

    if (!clip(m, offset, &count))
        return -1;

    size_t len = (size_t)count;

    if (len >= DIRECT_BYTES) {
        if (!read_all(m->fd, piece, len, (uint64_t)offset))
            return -1;
        use_kept(m, piece, len, (uint64_t)offset);
        return count;
    }
    for (size_t done = 0; done < len;) {
        uint64_t place = (uint64_t)offset + done;
        size_t within = (size_t)(place % BLOCK_BYTES);
        size_t n = min_size(BLOCK_BYTES - within, len - done);
        const struct block *block = get(m, place / BLOCK_BYTES, true);

        if (!block)
            return -1;
        memcpy(piece + done, bytes_at(m, (uint32_t)(block - m->blocks)) + within, n);
        done += n;
    }
    return count;
}

static bool write_direct(struct memory *m, const uint8_t *piece, size_t len, uint64_t offset)
{
    if (!write_all(m->fd, piece, len, offset))
        return false;
    renew_kept(m, piece, len, offset);
    return true;
}

static s64 device_pwrite(struct ntfs_device *dev, const void *src, s64 count, s64 offset)
{
    struct memory *m = memory_of(dev);
    const uint8_t *piece = src;
    s64 fits = count;

    if (!clip(m, offset, &fits))
        return -1;
    if (fits < count) {
        errno = ENOSPC;
        return -1;
    }

    size_t len = (size_t)count;

    NDevSetDirty(dev);
    if (len >= DIRECT_BYTES)
        return write_direct(m, piece, len, (uint64_t)offset) ? count : -1;
    for (size_t done = 0; done < len;) {
        uint64_t place = (uint64_t)offset + done;
        size_t within = (size_t)(place % BLOCK_BYTES);
        size_t n = min_size(BLOCK_BYTES - within, len - done);
        struct block *block = get(m, place / BLOCK_BYTES, n < length_of(m, place / BLOCK_BYTES));

        if (!block)
            return -1;
        memcpy(bytes_at(m, (uint32_t)(block - m->blocks)) + within, piece + done, n);
        block->is_dirty = true;
        done += n;
    }
    return count;
}

static s64 device_seek(struct ntfs_device *dev, s64 offset, int whence)
{
    struct memory *m = memory_of(dev);

    if (whence == SEEK_CUR)
        offset += (s64)m->position;
    else if (whence == SEEK_END)
        offset += (s64)m->size_bytes;
    if (offset < 0) {
        errno = EINVAL;
        return -1;
    }
    m->position = (uint64_t)offset;
    return offset;
}

static s64 device_read(struct ntfs_device *dev, void *dst, s64 count)
{
    struct memory *m = memory_of(dev);
    s64 n = device_pread(dev, dst, count, (s64)m->position);

    m->position += n > 0 ? (uint64_t)n : 0;
    return n;
}

static s64 device_write(struct ntfs_device *dev, const void *src, s64 count)
{
    struct memory *m = memory_of(dev);
    s64 n = device_pwrite(dev, src, count, (s64)m->position);

    m->position += n > 0 ? (uint64_t)n : 0;
    return n;
}

static int device_sync(struct ntfs_device *dev)
{
    struct memory *m = memory_of(dev);

    if (!flush(m) || fsync(m->fd) < 0)
        return -1;
    dev->d_state &= ~(1UL << ND_Dirty);
    return 0;
}

static int device_stat(struct ntfs_device *dev, struct stat *st)
{
    return fstat(memory_of(dev)->fd, st);
}

static int device_ioctl(struct ntfs_device *dev, unsigned long request, void *argument)
{
    return ioctl(memory_of(dev)->fd, request, argument);
}

static void memory_free(struct memory *m)
{
    if (!m)
        return;
    fd_closep(&m->fd);
    free(m->order);
    free(m->free);
    free(m->slots);
    free(m->blocks);
    free(m->bytes);
    free(m);
}
DEFINE_FREEP(struct memory *, memory_free);

static struct memory *memory_new(void)
{
    OWN(memory_freep) struct memory *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->fd = -1;
    m->bytes = calloc(MAX_BLOCKS, BLOCK_BYTES);
    m->blocks = calloc(MAX_BLOCKS, sizeof(*m->blocks));
    m->slots = calloc(N_SLOTS, sizeof(*m->slots));
    m->free = calloc(MAX_BLOCKS, sizeof(*m->free));
    m->order = calloc(MAX_BLOCKS, sizeof(*m->order));
    if (!m->bytes || !m->blocks || !m->slots || !m->free || !m->order)
        return NULL;
    make_room(m);
    return TAKE(m);
}

/* Whoever else works on volumes with libntfs-3g asks for this lock too. Return: whether it was got, or errno. */
static bool lock(int fd)
{
    struct flock all = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_SETLK, &all) == 0)
        return true;
    errno = errno == EACCES || errno == EAGAIN ? EBUSY : errno;
    return false;
}

static bool open_memory(struct memory *m, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return false;
    m->fd = open(path, O_RDWR | O_CLOEXEC | (S_ISBLK(st.st_mode) ? O_EXCL : 0));
    if (m->fd < 0 || fstat(m->fd, &st) < 0 || !lock(m->fd))
        return false;
    if (S_ISBLK(st.st_mode))
        return ioctl(m->fd, BLKGETSIZE64, &m->size_bytes) == 0;
    m->size_bytes = (uint64_t)st.st_size;
    return true;
}

static int device_open(struct ntfs_device *dev, int flags)
{
    OWN(memory_freep) struct memory *m = memory_new();

    (void)flags; /* it is opened for writing always */
    if (!m) {
        errno = ENOMEM;
        return -1;
    }
    if (!open_memory(m, dev->d_name)) {
        int error = errno;

        memory_freep(&m);
        m = NULL;
        errno = error;
        return -1;
    }
    dev->d_private = TAKE(m);
    NDevSetOpen(dev);
    return 0;
}

static int device_close(struct ntfs_device *dev)
{
    int r = NDevDirty(dev) ? device_sync(dev) : 0;
    int error = errno;

    memory_free(memory_of(dev));
    dev->d_private = NULL;
    dev->d_state &= ~(1UL << ND_Open);
    errno = error;
    return r;
}

int apply_ntfs_device_new(const char *path, struct ntfs_device **ret)
{
    static struct ntfs_device_operations operations = {
        .open = device_open,
        .close = device_close,
        .seek = device_seek,
        .read = device_read,
        .write = device_write,
        .pread = device_pread,
        .pwrite = device_pwrite,
        .sync = device_sync,
        .stat = device_stat,
        .ioctl = device_ioctl,
    };

    *ret = ntfs_device_alloc(path, 0, &operations, NULL);
    return *ret ? 0 : ERR(-ENOMEM);
}
