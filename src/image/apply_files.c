/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/wim/reparse.h"
#include "image/apply_attributes.h"
#include "image/apply_path.h"
#include "image/wim_apply.h"
#include "plat/file.h"

enum {
    REASON_MAX = 128,
};

enum apply_kind apply_kind_of(const struct metadata_inode *inode)
{
    mode_t type = inode->has_unix ? inode->unix_data.mode & S_IFMT : 0;

    if ((inode->attributes & METADATA_REPARSE) != 0 && reparse_is_link(inode->reparse_tag))
        return APPLY_KIND_LINK;
    if ((inode->attributes & METADATA_FOLDER) != 0)
        return APPLY_KIND_FOLDER;
    switch (type) {
    case 0:
    case S_IFREG:
        return APPLY_KIND_FILE;
    case S_IFBLK:
    case S_IFCHR:
    case S_IFIFO:
    case S_IFSOCK:
        return APPLY_KIND_SPECIAL;
    default:
        return APPLY_KIND_UNKNOWN;
    }
}

const struct metadata_stream *apply_contents(const struct metadata *image,
                                             const struct metadata_inode *inode)
{
    switch (apply_kind_of(inode)) {
    case APPLY_KIND_FILE:
    case APPLY_KIND_SPECIAL:
        return metadata_unnamed(image, inode, METADATA_DATA);
    case APPLY_KIND_LINK:
        return metadata_unnamed(image, inode, METADATA_LINK_DATA);
    case APPLY_KIND_FOLDER:
    case APPLY_KIND_UNKNOWN:
    default:
        return NULL;
    }
}

int apply_files_fail(
    struct apply_files *files, int outcome, uint32_t inode, const char *what, int error)
{
    char reason[REASON_MAX];

    (void)pthread_mutex_lock(&files->lock);
    if (files->why->len == 0) { /* what comes later comes of it */
        apply_path(files->image, inode, files->why);
        buf_addf(files->why, ": %s", what);
        if (error != 0)
            buf_addf(files->why, ": %s", strerror_r(error, reason, sizeof(reason)));
    }
    (void)pthread_mutex_unlock(&files->lock);
    return outcome;
}

static int fail_target(struct apply_files *files, uint32_t inode, const char *what)
{
    return apply_files_fail(files, WIM_APPLY_E_TARGET, inode, what, errno);
}

/* The open folder in which a name lies. */
static int open_parent(struct apply_files *files,
                       struct apply_dirs *dirs,
                       const struct metadata_name *name,
                       int *ret)
{
    int r = apply_dirs_get(dirs, name->parent, ret);

    return r == 0 ? 0
                  : apply_files_fail(
                        files, WIM_APPLY_E_TARGET, name->parent, "cannot open the folder", -r);
}

static int first_place(struct apply_files *files,
                       struct apply_dirs *dirs,
                       uint32_t inode,
                       struct apply_place *ret)
{
    const struct metadata_name *name = &files->image->names[files->image->inodes[inode].first_name];

    *ret = (struct apply_place){.parent = -1, .name = name->name, .fd = -1};
    return TRACE(open_parent(files, dirs, name, &ret->parent));
}

static int
set_attributes(struct apply_files *files, uint32_t inode, const struct apply_place *place)
{
    static const char *const what[] = {
        [APPLY_OWNER] = "cannot set the owner",
        [APPLY_MODE] = "cannot set the mode",
        [APPLY_XATTR] = "cannot set the extended attribute ",
        [APPLY_TIMES] = "cannot set the times",
    };
    OWN(buf_fini) struct buf text = BUF_INIT((size_t)2 * METADATA_XATTR_NAME_MAX);
    struct apply_refusal refusal = {0};
    unsigned n_left_out = 0;
    bool is_set =
        apply_attributes(files->image, &files->image->inodes[inode], place, &n_left_out, &refusal);

    if (n_left_out > 0) {
        (void)pthread_mutex_lock(&files->lock);
        files->n_left_out += n_left_out;
        (void)pthread_mutex_unlock(&files->lock);
    }
    if (is_set)
        return 0;
    buf_adds(&text, what[refusal.attribute]);
    buf_adds(&text, refusal.attribute == APPLY_XATTR ? refusal.xattr : "");
    return apply_files_fail(files, WIM_APPLY_E_TARGET, inode, buf_str(&text), refusal.error);
}

/* Further names of what has its first one. */
static int add_names(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode)
{
    const struct metadata *image = files->image;
    const struct metadata_name *first = &image->names[image->inodes[inode].first_name];

    for (uint32_t i = first->next; i != METADATA_NONE; i = image->names[i].next) {
        const struct metadata_name *name = &image->names[i];
        OWN(fd_closep) int kept = -1;
        int from;
        int to;
        int r = open_parent(files, dirs, first, &from);

        if (r != 0)
            return TRACE(r);
        kept = fcntl(from, F_DUPFD_CLOEXEC, 0); /* opening the other folder may close this one */
        if (kept < 0)
            return ERR(-errno);
        r = open_parent(files, dirs, name, &to);
        if (r != 0)
            return TRACE(r);
        r = linkat(kept, first->name, to, name->name, 0);
        if (r < 0 && errno == EEXIST && unlinkat(to, name->name, 0) == 0)
            r = linkat(kept, first->name, to, name->name, 0);
        if (r < 0)
            return fail_target(files, inode, "cannot make another link to it");
    }
    return 0;
}

/* Return: the file, or -1 with errno. */
static int create(const struct apply_place *place, unsigned mode)
{
    int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int fd = openat(place->parent, place->name, flags, mode);

    if (fd < 0 && errno == EEXIST && unlinkat(place->parent, place->name, 0) == 0)
        fd = openat(place->parent, place->name, flags, mode);
    return fd;
}

int apply_files_open(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode, int *ret)
{
    struct apply_place place;
    int r = first_place(files, dirs, inode, &place);

    if (r != 0)
        return TRACE(r);
    *ret = create(&place, apply_first_mode(&files->image->inodes[inode]));
    return *ret >= 0 ? 0 : fail_target(files, inode, "cannot make the file");
}

int apply_files_write(
    struct apply_files *files, uint32_t inode, int fd, uint64_t offset, struct bytes piece)
{
    while (piece.len > 0) {
        struct bytes written;
        ssize_t n = pwrite(fd, piece.ptr, piece.len, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_target(files, inode, "cannot write the file");
        offset += (uint64_t)n;
        (void)bytes_take(&piece, (size_t)n, &written);
    }
    return 0;
}

int apply_files_close(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode, int *fd)
{
    struct apply_place place = {.parent = -1, .fd = *fd};
    int r = set_attributes(files, inode, &place);

    if (r == 0)
        r = add_names(files, dirs, inode);
    if (close(*fd) < 0 && r == 0)
        r = fail_target(files, inode, "cannot write the file");
    *fd = -1;
    return TRACE(r);
}

static int
make_file(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode, struct bytes contents)
{
    OWN(fd_closep) int fd = -1;
    int r = apply_files_open(files, dirs, inode, &fd);

    if (r != 0)
        return TRACE(r);
    r = apply_files_write(files, inode, fd, 0, contents);
    if (r != 0)
        return TRACE(r);
    return TRACE(apply_files_close(files, dirs, inode, &fd));
}

/* What has its first name, but no descriptor. */
static int end_place(struct apply_files *files,
                     struct apply_dirs *dirs,
                     uint32_t inode,
                     const struct apply_place *place)
{
    int r = set_attributes(files, inode, place);

    return r == 0 ? TRACE(add_names(files, dirs, inode)) : TRACE(r);
}

static int
make_link(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode, struct bytes contents)
{
    OWN(buf_fini) struct buf target = BUF_INIT(REPARSE_TARGET_MAX);
    struct apply_place place;
    int r = reparse_target(files->image->inodes[inode].reparse_tag, contents, &target);

    if (r == REPARSE_E_MALFORMED)
        return apply_files_fail(
            files, WIM_APPLY_E_STREAM, inode, "the link's target is damaged", 0);
    if (r < 0)
        return TRACE(r);
    r = first_place(files, dirs, inode, &place);
    if (r != 0)
        return TRACE(r);
    r = symlinkat(buf_str(&target), place.parent, place.name);
    if (r < 0 && errno == EEXIST && unlinkat(place.parent, place.name, 0) == 0)
        r = symlinkat(buf_str(&target), place.parent, place.name);
    if (r < 0)
        return fail_target(files, inode, "cannot make the link");
    return TRACE(end_place(files, dirs, inode, &place));
}

static int make_special(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode)
{
    const struct metadata_unix *u = &files->image->inodes[inode].unix_data;
    struct apply_place place;
    mode_t mode = (u->mode & S_IFMT) | S_IRUSR | S_IWUSR;
    int r = first_place(files, dirs, inode, &place);

    if (r != 0)
        return TRACE(r);
    r = mknodat(place.parent, place.name, mode, u->rdev);
    if (r < 0 && errno == EEXIST && unlinkat(place.parent, place.name, 0) == 0)
        r = mknodat(place.parent, place.name, mode, u->rdev);
    if (r < 0)
        return fail_target(files, inode, "cannot make the special file");
    return TRACE(end_place(files, dirs, inode, &place));
}

int apply_files_make(struct apply_files *files,
                     struct apply_dirs *dirs,
                     uint32_t inode,
                     struct bytes contents)
{
    switch (apply_kind_of(&files->image->inodes[inode])) {
    case APPLY_KIND_FILE:
        return TRACE(make_file(files, dirs, inode, contents));
    case APPLY_KIND_LINK:
        return TRACE(make_link(files, dirs, inode, contents));
    case APPLY_KIND_SPECIAL:
        return TRACE(make_special(files, dirs, inode));
    case APPLY_KIND_FOLDER:
    case APPLY_KIND_UNKNOWN:
    default:
        return ERR(-ENOTRECOVERABLE);
    }
}

int apply_files_copy(struct apply_files *files,
                     struct apply_dirs *dirs,
                     uint32_t inode,
                     int from,
                     uint64_t size_bytes)
{
    OWN(fd_closep) int fd = -1;
    off_t at = 0;
    int r = apply_files_open(files, dirs, inode, &fd);

    if (r != 0)
        return TRACE(r);
    while ((uint64_t)at < size_bytes) {
        ssize_t n = copy_file_range(from, &at, fd, NULL, (size_t)(size_bytes - (uint64_t)at), 0);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = EIO;
        if (n <= 0)
            return fail_target(files, inode, "cannot write the file");
    }
    return TRACE(apply_files_close(files, dirs, inode, &fd));
}

int apply_files_folder(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode)
{
    struct apply_place place;
    struct stat st;
    int r = first_place(files, dirs, inode, &place);

    if (r != 0)
        return TRACE(r);
    if (mkdirat(place.parent,
                place.name,
                files->image->inodes[inode].has_unix ? S_IRWXU : S_IRWXU | 055) == 0)
        return 0;
    if (errno != EEXIST || fstatat(place.parent, place.name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISDIR(st.st_mode))
        return fail_target(files, inode, "cannot make the folder");
    return 0;
}

int apply_files_folder_end(struct apply_files *files, struct apply_dirs *dirs, uint32_t inode)
{
    struct apply_place place = {.parent = -1, .fd = -1};
    int r = apply_dirs_get(dirs, inode, &place.fd);

    if (r < 0)
        return apply_files_fail(files, WIM_APPLY_E_TARGET, inode, "cannot open the folder", -r);
    return TRACE(set_attributes(files, inode, &place));
}
