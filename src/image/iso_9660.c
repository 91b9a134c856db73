/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "image/iso_import.h"
#include "plat/file.h"

enum {
    PIECE_BYTES = 256 * 1024,
    BLOCK_BYTES = 64 * 1024,
    MODE_MASK = 07777,
};

#define NS_PER_S UINT64_C(1000000000)

struct reading {
    struct archive *archive; /* owned */
    int spool;               /* owned; the files, one after the other */
    uint64_t spool_bytes;
    uint64_t disc_bytes;
    struct tree_list list;
    struct tree_list links; /* further names of files: the target is the name of the first */
    const struct tree_sink *sink;
    struct buf *why;
    uint8_t *piece; /* owned; PIECE_BYTES */
};

static void reading_fini(struct reading *reading)
{
    (void)archive_read_free(reading->archive);
    fd_closep(&reading->spool);
    tree_list_fini(&reading->list);
    tree_list_fini(&reading->links);
    free(reading->piece);
}

/* The words of libarchive, about what is being read. */
static int cannot_read(struct reading *reading, const char *what)
{
    const char *said = archive_error_string(reading->archive);

    return tree_refuse(reading->why, what, said ? said : "it cannot be read from the disc image");
}

static void describe(struct archive_entry *entry, struct tree_item *ret)
{
    time_t seconds = archive_entry_mtime(entry);
    mode_t type = archive_entry_filetype(entry);

    *ret = (struct tree_item){
        .entry = {.kind = MANIFEST_FOLDER, .mode = archive_entry_perm(entry) & MODE_MASK}};
    if (seconds > 0 && (uint64_t)seconds < INT64_MAX / NS_PER_S)
        ret->entry.mtime_ns =
            (uint64_t)seconds * NS_PER_S + (uint64_t)archive_entry_mtime_nsec(entry);
    if (type == AE_IFLNK)
        ret->entry.kind = MANIFEST_LINK;
    if (type == AE_IFREG) {
        ret->entry.kind = MANIFEST_REGULAR;
        ret->entry.size_bytes =
            archive_entry_size(entry) > 0 ? (uint64_t)archive_entry_size(entry) : 0;
    }
}

/* Return: 0, TREE_E_REFUSED, TREE_E_FULL, or -errno. */
static int put_aside(struct reading *reading, const struct tree_item *item, const char *path)
{
    uint64_t left = item->entry.size_bytes;

    /* what shares its place on the disc comes as one more name, so the files fit on the disc */
    if (left > reading->disc_bytes - reading->spool_bytes)
        return tree_refuse(reading->why, path, "it is larger than the disc image");
    reading->spool_bytes += left;
    while (left > 0) {
        la_ssize_t n = archive_read_data(reading->archive, reading->piece, PIECE_BYTES);
        int r;

        if (n <= 0 || (uint64_t)n > left)
            return cannot_read(reading, path);
        r = fd_write_if_room(reading->spool, (struct bytes){reading->piece, (size_t)n});
        if (r != 0)
            return r < 0 ? TRACE(r) : TREE_E_FULL;
        left -= (uint64_t)n;
    }
    return 0;
}

/* Split "a/b" into "a" and "b" and add it to @list. */
static int add(struct reading *reading,
               struct tree_list *list,
               const struct tree_item *item,
               const char *path,
               const char *target)
{
    OWN(freep) char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;

    if (!folder)
        return ERR(-ENOMEM);
    if (slash)
        *slash = '\0';
    return TRACE(tree_list_add(
        list, item, slash ? folder : "", slash ? slash + 1 : folder, target, reading->why));
}

static int take_entry(struct reading *reading, struct archive_entry *entry)
{
    const char *path = archive_entry_pathname_utf8(entry);
    const char *first = archive_entry_hardlink_utf8(entry);
    mode_t type = archive_entry_filetype(entry);
    struct tree_item item;
    int r;

    if (!path)
        return tree_refuse(reading->why, "/", "it holds a name that is no valid UTF-8");
    if (strcmp(path, ".") == 0)
        return 0;
    describe(entry, &item);
    if (first)
        return TRACE(add(reading, &reading->links, &item, path, first));
    if (type == AE_IFLNK)
        return TRACE(add(reading, &reading->list, &item, path, archive_entry_symlink_utf8(entry)));
    if (type != AE_IFREG && type != AE_IFDIR)
        return tree_refuse(
            reading->why, path, "only files, folders and symbolic links can be kept");
    item.offset = reading->spool_bytes;
    r = add(reading, &reading->list, &item, path, NULL);
    if (r == 0 && type == AE_IFREG)
        r = put_aside(reading, &item, path);
    return TRACE(r);
}

/* Each further name of a file becomes a file at the same place. */
static int resolve_links(struct reading *reading)
{
    size_t n = reading->list.n;
    int r = tree_list_sort(&reading->list, reading->why);

    for (size_t i = 0; i < reading->links.n && r == 0; i++) {
        const struct manifest_entry *link = &reading->links.items[i].entry;
        const struct tree_list sorted = {.items = reading->list.items, .n = n};
        const struct tree_item *first = tree_list_find(&sorted, link->target);
        struct tree_item item = reading->links.items[i];

        if (!first || first->entry.kind != MANIFEST_REGULAR)
            return tree_refuse(reading->why, link->path, "it shares the place of no other file");
        item.entry.kind = MANIFEST_REGULAR;
        item.entry.size_bytes = first->entry.size_bytes;
        item.offset = first->offset;
        r = add(reading, &reading->list, &item, link->path, NULL);
    }
    if (r != 0)
        return TRACE(r);
    return TRACE(tree_list_sort(&reading->list, reading->why));
}

static int read_disc(struct reading *reading)
{
    for (;;) {
        struct archive_entry *entry;
        int code = archive_read_next_header(reading->archive, &entry);
        int r;

        if (code == ARCHIVE_EOF)
            return TRACE(resolve_links(reading));
        if (code != ARCHIVE_OK)
            return cannot_read(reading, "the disc image");
        r = take_entry(reading, entry);
        if (r != 0)
            return TRACE(r);
    }
}

static int give_file(struct reading *reading, const struct tree_item *item)
{
    uint64_t left = item->entry.size_bytes;
    uint64_t offset = item->offset;
    int r = 0;

    while (left > 0 && r == 0) {
        size_t wanted = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;
        ssize_t n = pread(reading->spool, reading->piece, wanted, (off_t)offset);

        if (n <= 0)
            return ERR(n < 0 ? -errno : -EIO);
        left -= (uint64_t)n;
        offset += (uint64_t)n;
        r = tree_list_feed(
            &reading->list, reading->sink, (struct bytes){reading->piece, (size_t)n});
    }
    return TRACE(r);
}

static int give_all(struct reading *reading)
{
    for (size_t i = 0; i < reading->list.n; i++) {
        const struct tree_item *item = &reading->list.items[i];
        int r = reading->sink->entry(reading->sink->ctx, &item->entry) == 0 ? 0 : TREE_E_CANCELLED;

        if (r == 0 && item->entry.kind == MANIFEST_REGULAR)
            r = give_file(reading, item);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

/* Return: 0, TREE_E_UNKNOWN, TREE_E_REFUSED, or -errno. */
static int open_disc(struct reading *reading, const char *path, const char *spool_folder)
{
    struct stat st;

    if (!reading->archive || !reading->piece ||
        archive_read_support_format_iso9660(reading->archive) != ARCHIVE_OK)
        return ERR(-ENOMEM);
    if (stat(path, &st) < 0)
        return tree_refuse(reading->why, path, strerrordesc_np(errno));
    reading->disc_bytes = (uint64_t)st.st_size;
    if (archive_read_open_filename(reading->archive, path, BLOCK_BYTES) != ARCHIVE_OK) {
        buf_adds(reading->why, "it holds no ISO 9660 file system");
        return TREE_E_UNKNOWN;
    }
    reading->spool = open(spool_folder, O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return reading->spool >= 0 ? 0 : ERR(-errno);
}

static int
import(const char *path, const char *spool_folder, const struct tree_sink *sink, struct buf *why)
{
    OWN(reading_fini)
    struct reading reading = {.archive = archive_read_new(),
                              .spool = -1,
                              .sink = sink,
                              .why = why,
                              .piece = malloc(PIECE_BYTES)};
    int r = open_disc(&reading, path, spool_folder);

    if (r == 0)
        r = read_disc(&reading);
    if (r == 0)
        r = give_all(&reading);
    return TRACE(r);
}

/* libarchive turns names into what the thread's locale says: into UTF-8, wherever the process is. */
int iso_import_9660(const char *path,
                    const char *spool_folder,
                    const struct tree_sink *sink,
                    struct buf *why)
{
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before;
    int r;

    if (!utf8)
        return ERR(-errno);
    before = uselocale(utf8);
    r = import(path, spool_folder, sink, why);
    (void)uselocale(before);
    freelocale(utf8);
    return TRACE(r);
}
