/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/file_capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "image/folder_capture.h"
#include "plat/digest.h"
#include "plat/file.h"

enum {
    PROC_PATH_MAX = 64,
    XATTR_LIST_MAX = 64 * 1024, /* of the kernel */
    PIECE_BYTES = 1024 * 1024,
};

DEFINE_FREEP(struct digest *, digest_free);

int file_capture_refuse(const struct file_capture *file, const char *what)
{
    buf_addf(file->why, "%s: %s", file->path->len > 0 ? buf_str(file->path) : "/", what);
    return FOLDER_CAPTURE_E_SOURCE;
}

int file_capture_fail(const struct file_capture *file, int error)
{
    if (error == ENOMEM || error == EMFILE || error == ENFILE)
        return ERR(-error);
    return file_capture_refuse(file, strerrordesc_np(error));
}

static bool is_same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool file_capture_is_same(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_mode == b->st_mode &&
           a->st_size == b->st_size && is_same_time(&a->st_mtim, &b->st_mtim) &&
           is_same_time(&a->st_ctim, &b->st_ctim);
}

/* Who may not leave the time of access as it is opens it all the same. */
static int open_quietly(int folder, const char *name, int flags)
{
    int fd = openat(folder, name, flags | O_NOATIME);

    return fd < 0 && errno == EPERM ? openat(folder, name, flags) : fd;
}

int file_capture_open(const struct file_capture *file,
                      int folder,
                      const char *name,
                      const struct stat *found,
                      int *ret)
{
    bool is_readable = S_ISREG(found->st_mode) || S_ISDIR(found->st_mode);
    int flags = O_NOFOLLOW | O_CLOEXEC;
    OWN(fd_closep) int fd = -1;
    struct stat st;

    if (is_readable)
        fd = open_quietly(folder,
                          name,
                          flags | O_RDONLY | O_NONBLOCK |
                              (S_ISDIR(found->st_mode) ? O_DIRECTORY : 0));
    else
        fd = openat(folder, name, flags | O_PATH);
    if (fd < 0 && (errno == ENOENT || errno == ELOOP || errno == ENOTDIR))
        return FILE_CAPTURE_E_CHANGED;
    if (fd < 0 || fstat(fd, &st) < 0)
        return file_capture_fail(file, errno);
    if (st.st_dev != found->st_dev || st.st_ino != found->st_ino ||
        (st.st_mode & S_IFMT) != (found->st_mode & S_IFMT))
        return FILE_CAPTURE_E_CHANGED;
    *ret = fd;
    fd = -1;
    return 0;
}

/* What is not open for reading is reached by its descriptor's name in /proc. */
struct xattr_source {
    int fd;
    char path[PROC_PATH_MAX]; /* "": by the descriptor */
};

static ssize_t list_names(const struct xattr_source *source, char *dst, size_t cap)
{
    return source->path[0] != '\0' ? listxattr(source->path, dst, cap)
                                   : flistxattr(source->fd, dst, cap);
}

static ssize_t get_value(const struct xattr_source *source, const char *name, void *dst, size_t cap)
{
    return source->path[0] != '\0' ? getxattr(source->path, name, dst, cap)
                                   : fgetxattr(source->fd, name, dst, cap);
}

/* @value: METADATA_XATTR_VALUE_MAX bytes, to work in */
static int add_xattr(const struct file_capture *file,
                     const struct xattr_source *source,
                     const char *name,
                     uint8_t *value)
{
    struct metadata_xattr xattr = {.name = name};
    ssize_t n = get_value(source, name, value, METADATA_XATTR_VALUE_MAX);
    int r;

    if (n < 0 && errno == ENODATA)
        return FILE_CAPTURE_E_CHANGED;
    if (n < 0 && (errno == ERANGE || errno == E2BIG))
        return file_capture_refuse(file, "an extended attribute is longer than 65535 bytes");
    if (n < 0)
        return file_capture_fail(file, errno);
    xattr.value = (struct bytes){value, (size_t)n};
    r = metadata_add_xattr(file->image, &xattr);
    if (r <= 0)
        return TRACE(r);
    return file_capture_refuse(file, "it has more extended attributes than an image can keep");
}

static int
add_xattrs(const struct file_capture *file, const struct xattr_source *source, struct bytes names)
{
    OWN(freep) uint8_t *value = malloc(METADATA_XATTR_VALUE_MAX);
    struct bytes name;

    if (!value)
        return ERR(-ENOMEM);
    while (bytes_take_cstr(&names, &name)) {
        int r = add_xattr(file, source, (const char *)name.ptr, value);

        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    return 0;
}

int file_capture_xattrs(const struct file_capture *file, int fd, const struct stat *found)
{
    struct xattr_source source = {.fd = fd};
    char names[XATTR_LIST_MAX];
    ssize_t n;

    if (!S_ISREG(found->st_mode) && !S_ISDIR(found->st_mode))
        (void)snprintf(source.path, sizeof(source.path), "/proc/self/fd/%d", fd);
    n = list_names(&source, names, sizeof(names));
    if (n < 0 && (errno == ENOTSUP || errno == ENOSYS))
        return 0;
    if (n < 0 && errno == ENOENT && source.path[0] != '\0')
        return file_capture_refuse(file,
                                   "its extended attributes cannot be read: /proc is not mounted");
    if (n < 0)
        return file_capture_fail(file, errno);
    return n > 0 ? add_xattrs(file, &source, (struct bytes){(const uint8_t *)names, (size_t)n}) : 0;
}

/* Exactly @n bytes. Return: 0, FILE_CAPTURE_E_CHANGED if there are fewer, or as file_capture_fail(). */
static int read_piece(const struct file_capture *file, int fd, uint8_t *dst, size_t n, uint64_t at)
{
    while (n > 0) {
        ssize_t got = pread(fd, dst, n, (off_t)at);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_capture_fail(file, errno);
        if (got == 0)
            return FILE_CAPTURE_E_CHANGED;
        dst += got;
        n -= (size_t)got;
        at += (uint64_t)got;
    }
    return 0;
}

static int check_unchanged(const struct file_capture *file, int fd, const struct stat *found)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return file_capture_fail(file, errno);
    return file_capture_is_same(&st, found) ? 0 : FILE_CAPTURE_E_CHANGED;
}

static const struct blob_sink *sink_of(const struct file_capture *file)
{
    return file->stream->sink;
}

static int take_room(const struct file_capture *file, size_t n, uint8_t **ret)
{
    const struct blob_sink *sink = sink_of(file);

    return sink->room(sink->ctx, n, ret) == 0 ? 0 : FOLDER_CAPTURE_E_STOPPED;
}

static int put(const struct file_capture *file, size_t n)
{
    const struct blob_sink *sink = sink_of(file);

    return sink->put(sink->ctx, n) == 0 ? 0 : FOLDER_CAPTURE_E_STOPPED;
}

static int end_unit(const struct file_capture *file)
{
    const struct blob_sink *sink = sink_of(file);

    return sink->end_unit(sink->ctx) == 0 ? 0 : FOLDER_CAPTURE_E_STOPPED;
}

static void put_head(uint8_t *dst, uint64_t size, const uint8_t sha1[static SHA1_BYTES])
{
    uint8_t room[WIM_RESOURCE_HEADER_BYTES];
    struct sink head = {.ptr = room, .cap = sizeof(room)};

    wim_put_resource_header(&head, size, sha1, WIM_RESOURCE_BLOB);
    memcpy(dst, room, sizeof(room));
}

/* Read where it will be sent from; if it is there already, the room is left as it was. */
static int put_small(const struct file_capture *file,
                     int fd,
                     const struct stat *found,
                     uint8_t ret_sha1[static SHA1_BYTES])
{
    size_t size = (size_t)found->st_size;
    uint8_t *room = NULL;
    int r = take_room(file, WIM_RESOURCE_HEADER_BYTES + size, &room);

    if (r == 0)
        r = read_piece(file, fd, room + WIM_RESOURCE_HEADER_BYTES, size, 0);
    if (r == 0)
        r = check_unchanged(file, fd, found);
    if (r == 0)
        r = digest_sha1((struct bytes){room + WIM_RESOURCE_HEADER_BYTES, size}, ret_sha1);
    if (r != 0 || blob_stream_find(file->stream, ret_sha1))
        return r < 0 ? TRACE(r) : r;
    put_head(room, size, ret_sha1);
    r = blob_stream_note(file->stream, ret_sha1, size);
    if (r == 0)
        r = put(file, WIM_RESOURCE_HEADER_BYTES + size);
    if (r == 0)
        r = end_unit(file);
    return r < 0 ? TRACE(r) : r;
}

/* Through the room; put too if @is_put. */
static int hash_large(const struct file_capture *file,
                      int fd,
                      uint64_t size,
                      bool is_put,
                      uint8_t ret_sha1[static SHA256_BYTES])
{
    OWN(digest_freep) struct digest *digest = NULL;
    size_t max = sink_of(file)->room_max < PIECE_BYTES ? sink_of(file)->room_max : PIECE_BYTES;
    int r = digest_new_sha1(&digest);

    for (uint64_t at = 0; r == 0 && at < size;) {
        size_t n = size - at < max ? (size_t)(size - at) : max;
        uint8_t *room = NULL;

        r = take_room(file, n, &room);
        if (r == 0)
            r = read_piece(file, fd, room, n, at);
        if (r == 0)
            r = digest_add(digest, (struct bytes){room, n});
        if (r == 0 && is_put)
            r = put(file, n);
        at += n;
    }
    if (r == 0)
        r = digest_end(digest, ret_sha1);
    return r < 0 ? TRACE(r) : r;
}

/* The header, which has the hash, comes before the bytes: so they are read twice, and have to be the same. */
static int put_large(const struct file_capture *file,
                     int fd,
                     const struct stat *found,
                     uint8_t ret_sha1[static SHA1_BYTES])
{
    uint64_t size = (uint64_t)found->st_size;
    uint8_t first[SHA256_BYTES] = {0};
    uint8_t second[SHA256_BYTES] = {0};
    uint8_t *room = NULL;
    int r = hash_large(file, fd, size, false, first);

    if (r == 0)
        r = check_unchanged(file, fd, found);
    memcpy(ret_sha1, first, SHA1_BYTES);
    if (r != 0 || blob_stream_find(file->stream, ret_sha1))
        return r < 0 ? TRACE(r) : r;
    r = take_room(file, WIM_RESOURCE_HEADER_BYTES, &room);
    if (r == 0) {
        put_head(room, size, ret_sha1);
        r = put(file, WIM_RESOURCE_HEADER_BYTES);
    }
    if (r == 0)
        r = hash_large(file, fd, size, true, second);
    if (r == 0)
        r = check_unchanged(file, fd, found);
    if (r == FILE_CAPTURE_E_CHANGED || (r == 0 && memcmp(first, second, SHA1_BYTES) != 0))
        return file_capture_refuse(file, "it changed while it was read");
    if (r == 0)
        r = blob_stream_note(file->stream, ret_sha1, size);
    if (r == 0)
        r = end_unit(file);
    return r < 0 ? TRACE(r) : r;
}

int file_capture_contents(const struct file_capture *file,
                          int fd,
                          const struct stat *found,
                          uint8_t ret_sha1[static SHA1_BYTES])
{
    bool is_small = (uint64_t)found->st_size <= sink_of(file)->room_max - WIM_RESOURCE_HEADER_BYTES;
    int r = is_small ? put_small(file, fd, found, ret_sha1) : put_large(file, fd, found, ret_sha1);

    return r < 0 ? TRACE(r) : r;
}
