/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/folder_capture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "format/wim/reparse.h"
#include "format/wim/utf16.h"
#include "image/file_capture.h"
#include "image/folder_describe.h"
#include "plat/file.h"

enum {
    FIRST_NAMES = 64,
    FIRST_LEVELS = 16,
    TRIES_MAX = 3, /* of a file that changes while it is read */
    PATH_MAX_BYTES = 1024 * 1024,
    TICKS_PER_S = 10 * 1000 * 1000,
    NS_PER_TICK = 100,
    TARGET_MAX_BYTES = 4096,
    NAME_MAX_BYTES = 4 * METADATA_NAME_MAX,
};

#define S_FROM_1601_TO_1970 INT64_C(11644473600)
#define YEARS_MAX_S         INT64_C(900000000000) /* what fits in 64 bits of 100 ns, rounded down */

/* A folder that is being read: its names, of which some were looked at. */
struct level {
    int fd;       /* owned */
    char **names; /* owned, as each; sorted */
    size_t n_names;
    size_t cap_names;
    size_t next;
    uint32_t inode;
    size_t path_len;
};

struct walk {
    struct blob_stream stream;
    struct metadata image;
    struct names links;   /* inodes with more than one name → number in image */
    struct level *levels; /* owned */
    size_t n_levels;
    size_t cap_levels;
    struct buf path;                    /* below the folder, of what is being read */
    struct buf text;                    /* of a name, as UTF-16 */
    struct buf *why;                    /* borrowed */
    const struct folder_filter *filter; /* borrowed; or NULL */
    uint64_t mount;                     /* what is mounted elsewhere is not read */
    bool has_mount;                     /* or else, of an old kernel: */
    dev_t device;
};

static void level_fini(struct level *level)
{
    fd_closep(&level->fd);
    for (size_t i = 0; i < level->n_names; i++)
        free(level->names[i]);
    free(level->names);
}

static void walk_fini(struct walk *walk)
{
    for (size_t i = 0; i < walk->n_levels; i++)
        level_fini(&walk->levels[i]);
    free(walk->levels);
    blob_stream_fini(&walk->stream);
    metadata_fini(&walk->image);
    names_fini(&walk->links);
    buf_fini(&walk->path);
    buf_fini(&walk->text);
}

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static struct file_capture file_of(struct walk *walk)
{
    return (struct file_capture){&walk->stream, &walk->image, &walk->path, walk->why};
}

static int refuse(struct walk *walk, const char *what)
{
    struct file_capture file = file_of(walk);

    return file_capture_refuse(&file, what);
}

static int fail(struct walk *walk, int error)
{
    struct file_capture file = file_of(walk);

    return file_capture_fail(&file, error);
}

static int has_changed(struct walk *walk)
{
    return refuse(walk, "it changed while it was read");
}

/* Of the model. */
static int too_much(struct walk *walk, int r)
{
    return r < 0 ? TRACE(r) : refuse(walk, "the tree is larger, or deeper, than an image may be");
}

static int compare_names(const void *a, const void *b)
{
    char *const *x = a;
    char *const *y = b;

    return strcmp(*x, *y);
}

static int add_listed(struct level *level, const char *name)
{
    if (level->n_names == level->cap_names) {
        size_t cap = level->cap_names > 0 ? 2 * level->cap_names : FIRST_NAMES;
        char **grown = realloc(level->names, cap * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        level->names = grown;
        level->cap_names = cap;
    }
    level->names[level->n_names] = strdup(name);
    if (!level->names[level->n_names])
        return ERR(-ENOMEM);
    level->n_names++;
    return 0;
}

static int list(struct walk *walk, struct level *level)
{
    OWN(fd_closep) int fd = fcntl(level->fd, F_DUPFD_CLOEXEC, 0);
    OWN(closedirp) DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

    if (!dir)
        return fail(walk, errno);
    fd = -1; /* now of @dir */
    for (;;) {
        const struct dirent *entry;
        int r;

        errno = 0;
        entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */
        if (!entry && errno != 0)
            return fail(walk, errno);
        if (!entry)
            break;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        r = add_listed(level, entry->d_name);
        if (r < 0)
            return TRACE(r);
    }
    if (level->n_names > 0)
        qsort(level->names, level->n_names, sizeof(*level->names), compare_names);
    return 0;
}

/* Read the names in a folder, to look at them next. @fd: taken over, on 0 */
static int enter(struct walk *walk, int fd, uint32_t inode)
{
    struct level *level;
    int r;

    if (walk->n_levels == METADATA_MAX_DEPTH)
        return refuse(walk, "its folders are nested too deeply");
    if (walk->n_levels == walk->cap_levels) {
        size_t cap = walk->cap_levels > 0 ? 2 * walk->cap_levels : FIRST_LEVELS;
        struct level *grown = realloc(walk->levels, cap * sizeof(*grown));

        if (!grown)
            return ERR(-ENOMEM);
        walk->levels = grown;
        walk->cap_levels = cap;
    }
    level = &walk->levels[walk->n_levels];
    *level = (struct level){.fd = fd, .inode = inode, .path_len = walk->path.len};
    r = list(walk, level);
    if (r != 0) {
        level->fd = -1; /* still the caller's */
        level_fini(level);
        return r < 0 ? TRACE(r) : r;
    }
    walk->n_levels++;
    return 0;
}

static uint64_t to_ticks(const struct statx_timestamp *time)
{
    if (time->tv_sec < -S_FROM_1601_TO_1970)
        return 0;
    if (time->tv_sec > YEARS_MAX_S)
        return (uint64_t)(YEARS_MAX_S + S_FROM_1601_TO_1970) * TICKS_PER_S;
    return (uint64_t)(time->tv_sec + S_FROM_1601_TO_1970) * TICKS_PER_S +
           time->tv_nsec / NS_PER_TICK;
}

static struct timespec to_timespec(const struct statx_timestamp *time)
{
    return (struct timespec){.tv_sec = (time_t)time->tv_sec, .tv_nsec = (long)time->tv_nsec};
}

/* What is compared with fstat() later. */
static struct stat to_stat(const struct statx *stx)
{
    return (struct stat){
        .st_dev = makedev(stx->stx_dev_major, stx->stx_dev_minor),
        .st_ino = stx->stx_ino,
        .st_mode = stx->stx_mode,
        .st_nlink = stx->stx_nlink,
        .st_size = (off_t)stx->stx_size,
        .st_mtim = to_timespec(&stx->stx_mtime),
        .st_ctim = to_timespec(&stx->stx_ctime),
    };
}

static bool is_mounted(const struct walk *walk, const struct statx *stx)
{
    if (walk->has_mount && (stx->stx_mask & STATX_MNT_ID) != 0)
        return stx->stx_mnt_id != walk->mount;
    return makedev(stx->stx_dev_major, stx->stx_dev_minor) != walk->device;
}

static struct metadata_inode describe(const struct statx *stx)
{
    struct metadata_inode inode = {
        .security = METADATA_NONE,
        .created =
            to_ticks(&stx->stx_mtime), /* what wimlib says; when it was made is of this disk */
        .accessed = to_ticks(&stx->stx_atime),
        .written = to_ticks(&stx->stx_mtime),
        .has_unix = true,
        .unix_data = {.uid = stx->stx_uid,
                      .gid = stx->stx_gid,
                      .mode = stx->stx_mode,
                      .rdev = (uint32_t)makedev(stx->stx_rdev_major, stx->stx_rdev_minor)},
    };

    if (S_ISREG(stx->stx_mode))
        inode.attributes = METADATA_NORMAL;
    if (S_ISDIR(stx->stx_mode))
        inode.attributes = METADATA_FOLDER;
    if (S_ISLNK(stx->stx_mode)) {
        inode.attributes = METADATA_REPARSE;
        inode.reparse_tag = METADATA_TAG_SYMLINK;
        inode.reparse_flags = METADATA_REPARSE_NOT_FIXED;
    }
    return inode;
}

/* The last inode, or @inode if it had a name before, is what is called so. */
static int add_name(struct walk *walk, const char *name, uint32_t inode)
{
    bool is_root = walk->n_levels == 0;
    struct metadata_name entry = {
        .name = name,
        .short_name = "",
        .parent = is_root ? METADATA_NONE : walk->levels[walk->n_levels - 1].inode,
        .inode = inode,
    };
    int r = metadata_add_name(&walk->image, &entry);

    return r == 0 ? 0 : too_much(walk, r);
}

static int add_inode(struct walk *walk, const struct metadata_inode *inode, uint32_t *ret)
{
    int r = metadata_add_inode(&walk->image, inode);

    if (r != 0)
        return too_much(walk, r);
    *ret = (uint32_t)(walk->image.n_inodes - 1);
    return 0;
}

static int
add_stream(struct walk *walk, enum metadata_stream_kind kind, const uint8_t sha1[static SHA1_BYTES])
{
    struct metadata_stream stream = {.kind = kind, .name = ""};
    int r;

    memcpy(stream.sha1, sha1, SHA1_BYTES);
    r = metadata_add_stream(&walk->image, &stream);
    return r == 0 ? 0 : too_much(walk, r);
}

/* Numbers of inodes are alike; the table wants names that are not. */
static void make_link_key(const struct statx *stx, uint8_t ret[static SHA256_BYTES])
{
    uint8_t room[SHA256_BYTES];
    struct sink key = {.ptr = room, .cap = sizeof(room)};

    sink_u64le(&key, (stx->stx_ino + 1) * UINT64_C(0x9e3779b97f4a7c15));
    sink_u64le(&key, stx->stx_ino);
    sink_u32le(&key, stx->stx_dev_major);
    sink_u32le(&key, stx->stx_dev_minor);
    sink_zero(&key, SHA256_BYTES - key.len);
    memcpy(ret, room, sizeof(room));
}

static bool find_link(struct walk *walk, const struct statx *stx, uint32_t *ret)
{
    uint8_t key[SHA256_BYTES];
    uint64_t number;

    make_link_key(stx, key);
    if (stx->stx_nlink < 2 || S_ISDIR(stx->stx_mode) || !names_get(&walk->links, key, &number))
        return false;
    *ret = (uint32_t)number;
    return true;
}

static int note_link(struct walk *walk, const struct statx *stx, uint32_t inode)
{
    uint8_t key[SHA256_BYTES];

    if (stx->stx_nlink < 2 || S_ISDIR(stx->stx_mode) || S_ISLNK(stx->stx_mode))
        return 0; /* a WIM has no hard links to symbolic links */
    make_link_key(stx, key);
    return TRACE(names_put(&walk->links, key, inode));
}

static int read_target(struct walk *walk, int fd, struct buf *ret)
{
    char target[TARGET_MAX_BYTES];
    ssize_t n = readlinkat(fd, "", target, sizeof(target));
    int r;

    if (n < 0)
        return fail(walk, errno);
    if ((size_t)n == sizeof(target))
        return refuse(walk, "the link's target is too long");
    r = reparse_put_symlink((struct bytes){(const uint8_t *)target, (size_t)n}, ret);
    if (r == 0 && ret->len <= REPARSE_DATA_MAX)
        return 0;
    if (r < 0)
        return TRACE(r);
    return refuse(walk, "the link's target is not UTF-8, or too long: an image cannot keep it");
}

static int read_link(struct walk *walk, int fd)
{
    OWN(buf_fini) struct buf data = BUF_INIT((size_t)2 * REPARSE_DATA_MAX);
    uint8_t sha1[SHA1_BYTES];
    int r = read_target(walk, fd, &data);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    r = blob_stream_add(&walk->stream, buf_bytes(&data), sha1);
    if (r == BLOB_STREAM_E_STOPPED)
        return FOLDER_CAPTURE_E_STOPPED;
    return r == 0 ? add_stream(walk, METADATA_LINK_DATA, sha1) : TRACE(r);
}

/* Windows tells links to folders from others; what the link leads to here is the best guess. */
static uint32_t link_attributes(int folder, const char *name, const struct statx *stx)
{
    struct stat st;

    return S_ISLNK(stx->stx_mode) && fstatat(folder, name, &st, AT_NO_AUTOMOUNT) == 0 &&
                   S_ISDIR(st.st_mode)
               ? METADATA_FOLDER
               : 0;
}

/* Add the inode with all that it has. @ret_fd: open, of a folder to be entered */
static int read_one(struct walk *walk,
                    int folder,
                    const char *name,
                    const struct statx *stx,
                    uint32_t *ret,
                    int *ret_fd)
{
    struct file_capture file = file_of(walk);
    struct stat found = to_stat(stx);
    OWN(fd_closep) int fd = -1;
    struct metadata_inode inode = describe(stx);
    uint8_t sha1[SHA1_BYTES];
    bool has_bytes = S_ISREG(stx->stx_mode) && stx->stx_size > 0 && !is_mounted(walk, stx);
    int r = 0;

    inode.attributes |= link_attributes(folder, name, stx);
    if (!is_mounted(walk, stx))
        r = file_capture_open(&file, folder, name, &found, &fd);
    if (r == 0 && has_bytes) /* before the inode: another try begins without one */
        r = file_capture_contents(&file, fd, &found, sha1);
    if (r == 0)
        r = add_inode(walk, &inode, ret);
    if (r == 0 && fd >= 0)
        r = file_capture_xattrs(&file, fd, &found);
    if (r == 0 && has_bytes)
        r = add_stream(walk, METADATA_DATA, sha1);
    if (r == 0 && fd >= 0 && S_ISLNK(stx->stx_mode))
        r = read_link(walk, fd);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (S_ISDIR(stx->stx_mode)) {
        *ret_fd = fd;
        fd = -1;
    }
    return 0;
}

static int look(struct walk *walk, int folder, const char *name, struct statx *ret)
{
    unsigned mask = STATX_BASIC_STATS | STATX_MNT_ID;

    if (statx(folder, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, mask, ret) == 0)
        return 0;
    return errno == ENOENT ? has_changed(walk) : fail(walk, errno);
}

/* What is called @name in the folder that is being read. */
static int add_entry(struct walk *walk, int folder, const char *name)
{
    OWN(fd_closep) int fd = -1;
    struct statx stx;
    uint32_t inode = 0;
    int r = FILE_CAPTURE_E_CHANGED;

    for (unsigned tries = 0; r == FILE_CAPTURE_E_CHANGED && tries < TRIES_MAX; tries++) {
        size_t n_inodes = walk->image.n_inodes;

        r = look(walk, folder, name, &stx);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        if (find_link(walk, &stx, &inode))
            return add_name(walk, name, inode);
        r = read_one(walk, folder, name, &stx, &inode, &fd);
        if (r == FILE_CAPTURE_E_CHANGED && walk->image.n_inodes > n_inodes)
            break; /* its attributes: too late for another try */
    }
    if (r == FILE_CAPTURE_E_CHANGED)
        return has_changed(walk);
    if (r == 0)
        r = note_link(walk, &stx, inode);
    if (r == 0)
        r = add_name(walk, name, inode);
    if (r == 0 && fd >= 0) {
        r = enter(walk, fd, inode);
        fd = r == 0 ? -1 : fd; /* now of the level */
    }
    return r < 0 ? TRACE(r) : r;
}

static void set_path(struct walk *walk, size_t len, const char *name)
{
    walk->path.len = len;
    if (walk->path.ptr)
        walk->path.ptr[len] = '\0';
    buf_addf(&walk->path, "/%s", name);
}

static bool is_text(struct walk *walk, const char *name)
{
    buf_clear(&walk->text);
    return utf16_put(&walk->text, bytes_of(name));
}

/* Everything below the levels that are there. */
static int walk_all(struct walk *walk)
{
    while (walk->n_levels > 0) {
        struct level *level = &walk->levels[walk->n_levels - 1];
        const char *name;
        int r;

        if (level->next == level->n_names) {
            level_fini(level);
            walk->n_levels--;
            continue;
        }
        name = level->names[level->next++];
        set_path(walk, level->path_len, name);
        if (walk->filter && !walk->path.failed &&
            walk->filter->is_left_out(walk->filter->ctx, buf_str(&walk->path)))
            continue;
        if (!is_text(walk, name))
            return refuse(walk, "its name is not UTF-8: an image cannot keep it");
        r = add_entry(walk, level->fd, name);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    return 0;
}

/* The folder itself, which may be named by a symbolic link. */
static int walk_root(struct walk *walk, const char *path)
{
    struct file_capture file = file_of(walk);
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct metadata_inode inode;
    struct statx stx;
    struct stat found;
    uint32_t number = 0;
    int r;

    if (fd < 0 || statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID, &stx) < 0)
        return fail(walk, errno);
    walk->has_mount = (stx.stx_mask & STATX_MNT_ID) != 0;
    walk->mount = stx.stx_mnt_id;
    walk->device = makedev(stx.stx_dev_major, stx.stx_dev_minor);
    inode = describe(&stx);
    found = to_stat(&stx);
    r = add_inode(walk, &inode, &number);
    if (r == 0)
        r = file_capture_xattrs(&file, fd, &found);
    if (r == FILE_CAPTURE_E_CHANGED)
        return has_changed(walk);
    if (r == 0)
        r = add_name(walk, "", number);
    if (r == 0)
        r = enter(walk, fd, number);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    fd = -1; /* now of the level */
    return 0;
}

int folder_capture(const char *path,
                   const char *name,
                   const struct folder_filter *filter,
                   const struct blob_sink *sink,
                   struct buf *why,
                   struct wim_image *ret)
{
    OWN(walk_fini)
    struct walk walk = {
        .stream = {.sink = sink},
        .path = BUF_INIT(PATH_MAX_BYTES),
        .text = BUF_INIT(NAME_MAX_BYTES),
        .why = why,
        .filter = filter,
    };
    struct wim_info info = {0};
    int r = walk_root(&walk, path);

    if (r == 0)
        r = walk_all(&walk);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    r = blob_stream_end(&walk.stream, &walk.image, name, why, &info);
    if (r == BLOB_STREAM_E_STOPPED)
        return FOLDER_CAPTURE_E_STOPPED;
    if (r == BLOB_STREAM_E_INFO)
        return FOLDER_CAPTURE_E_SOURCE;
    return r == 0 ? TRACE(folder_describe(&walk.image, name, &info, ret)) : TRACE(r);
}
