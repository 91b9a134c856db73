/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "image/apply_ntfs_own.h" /* before those that follow: they use what it includes */

#include <ntfs-3g/dir.h>
#include <ntfs-3g/index.h>
#include <ntfs-3g/unistr.h>

#include "base/err.h"
#include "base/own.h"
#include "image/wim_apply.h"

enum {
    SHORT_NAME_UNITS = 12, /* eight, a dot, and three */
};

static bool is_folder(const struct apply_ntfs *ntfs, uint32_t inode)
{
    return (ntfs->image->inodes[inode].attributes & METADATA_FOLDER) != 0;
}

static int close_folder(struct apply_ntfs *ntfs)
{
    ntfs_inode *ni = ntfs->folder_inode;
    uint32_t inode = ntfs->folder;

    ntfs->folder_inode = NULL;
    ntfs->folder = METADATA_NONE;
    return ni ? ntfs_close_inode(ntfs, inode, ni) : 0;
}

/* The folder stays open, until another is wanted: names of one folder follow one another. */
static int open_folder(struct apply_ntfs *ntfs, uint32_t inode)
{
    if (ntfs->folder_inode && ntfs->folder == inode)
        return 0;

    int r = close_folder(ntfs);

    if (r != 0)
        return r;
    ntfs->folder_inode = ntfs_open_inode(ntfs, inode);
    ntfs->folder = inode;
    return ntfs->folder_inode ? 0 : ntfs_fail(ntfs, inode, "be opened");
}

/* A folder of that name, unless it is the file system's; NULL and errno. */
static ntfs_inode *open_existing(struct apply_ntfs *ntfs, const struct ntfs_name *name)
{
    u64 place = ntfs_inode_lookup_by_name(ntfs->folder_inode, name->units, name->n_units);
    ntfs_inode *ni = place != (u64)-1 && MREF(place) >= FILE_first_user
                         ? ntfs_inode_open(ntfs->volume, MREF(place))
                         : NULL;

    if (ni && !(ni->mrec->flags & MFT_RECORD_IS_DIRECTORY)) {
        (void)ntfs_inode_close(ni);
        ni = NULL;
    }
    if (!ni)
        errno = EEXIST;
    return ni;
}

/* What is done when it is made needs nobody to come back, unless there is more of it. */
static bool is_done(const struct apply_ntfs *ntfs, uint32_t inode)
{
    const struct metadata_inode *from = &ntfs->image->inodes[inode];

    return !is_folder(ntfs, inode) && ntfs->places[inode].n_blobs == 0 && from->n_names == 1 &&
           ntfs->image->names[from->first_name].short_name[0] == '\0' &&
           !ntfs_is_indexed(ntfs, inode);
}

/* A folder or a file in the open folder, by its first name. */
static int make(struct apply_ntfs *ntfs, uint32_t inode, const struct ntfs_name *name)
{
    ntfs_inode *ni = ntfs_create(ntfs->folder_inode,
                                 ntfs_security_of(ntfs, inode),
                                 name->units,
                                 name->n_units,
                                 is_folder(ntfs, inode) ? S_IFDIR : S_IFREG);

    if (!ni && errno == EEXIST && is_folder(ntfs, inode))
        ni = open_existing(ntfs, name);
    if (!ni)
        return ntfs_fail(ntfs, inode, "be made");
    ntfs->places[inode].number = ni->mft_no;

    int r = ntfs_put_attributes(ntfs, inode, ni);

    if (r == 0 && is_done(ntfs, inode))
        r = ntfs_put_times(ntfs, inode, ni);
    if (ntfs_inode_close_in_dir(ni, ntfs->folder_inode) != 0 && r == 0)
        r = ntfs_fail(ntfs, inode, "be written");
    return r;
}

static int make_names(struct apply_ntfs *ntfs)
{
    const struct metadata *image = ntfs->image;

    for (uint32_t i = 1; i < image->n_names; i++) {
        uint32_t inode = image->names[i].inode;
        struct ntfs_name name = {.n_units = 0};

        if (image->inodes[inode].first_name != i)
            continue;

        int r = open_folder(ntfs, image->names[i].parent);

        if (r == 0)
            r = ntfs_name_of(ntfs, image->names[i].name, &name);
        if (r == 0)
            r = make(ntfs, inode, &name);
        if (r != 0)
            return r;
    }
    return close_folder(ntfs);
}

/* Another name, in the open folder. */
static int link_name(struct apply_ntfs *ntfs, uint32_t inode, const char *text, ntfs_inode *ni)
{
    struct ntfs_name name = {.n_units = 0};
    int r = ntfs_name_of(ntfs, text, &name);

    if (r < 0)
        return TRACE(r);
    if (ntfs_link(ni, ntfs->folder_inode, name.units, name.n_units) != 0)
        return ntfs_fail(ntfs, inode, "get a second name");
    return 0;
}

/* The record of a name in the open folder, at @ctx; NULL if there is none. */
static FILE_NAME_ATTR *
find_name(struct apply_ntfs *ntfs, const struct ntfs_name *name, ntfs_attr_search_ctx *ctx)
{
    while (ntfs_attr_lookup(AT_FILE_NAME, AT_UNNAMED, 0, CASE_SENSITIVE, 0, NULL, 0, ctx) == 0) {
        FILE_NAME_ATTR *found =
            (FILE_NAME_ATTR *)((u8 *)ctx->attr + le16_to_cpu(ctx->attr->value_offset));

        if (MREF_LE(found->parent_directory) == ntfs->folder_inode->mft_no &&
            found->file_name_length == name->n_units &&
            memcmp(found->file_name, name->units, name->n_units * sizeof(ntfschar)) == 0)
            return found;
    }
    return NULL;
}

/* What kind of name it is stands in the file's record and in the folder's index. Return: whether it worked. */
static bool set_kind(struct apply_ntfs *ntfs, FILE_NAME_ATTR *name, FILE_NAME_TYPE_FLAGS kind)
{
    ntfs_index_context *index = ntfs_index_ctx_get(ntfs->folder_inode, NTFS_INDEX_I30, 4);
    bool is_found = index && ntfs_index_lookup(name, sizeof(*name), index) == 0;

    if (is_found) {
        ((FILE_NAME_ATTR *)index->data)->file_name_type = kind;
        ntfs_index_entry_mark_dirty(index);
        name->file_name_type = kind;
    }
    if (index)
        ntfs_index_ctx_put(index);
    return is_found;
}

/* The short name as a name of its own, beside the one at @from. Return: whether it worked; errno: EEXIST, or worse. */
static bool add_short_name(struct apply_ntfs *ntfs,
                           ntfs_inode *ni,
                           const FILE_NAME_ATTR *from,
                           const struct ntfs_name *name)
{
    struct {
        FILE_NAME_ATTR record;
        ntfschar units[SHORT_NAME_UNITS];
    } dos;
    u32 len = (u32)(sizeof(dos.record) + name->n_units * sizeof(ntfschar));

    memcpy(&dos.record, from, sizeof(dos.record));
    dos.record.file_name_length = name->n_units;
    dos.record.file_name_type = FILE_NAME_DOS;
    memcpy(dos.units, name->units, name->n_units * sizeof(ntfschar));
    if (ntfs_index_add_filename(ntfs->folder_inode,
                                &dos.record,
                                MK_MREF(ni->mft_no, le16_to_cpu(ni->mrec->sequence_number))) != 0)
        return false;
    if (ntfs_attr_add(ni, AT_FILE_NAME, AT_UNNAMED, 0, (const u8 *)&dos, len) != 0) {
        errno = errno == EEXIST ? EIO : errno;
        return false;
    }
    ni->mrec->link_count = cpu_to_le16((u16)(le16_to_cpu(ni->mrec->link_count) + 1));
    ntfs_inode_mark_dirty(ni);
    return true;
}

/*
 * A name of Windows with its short name: both are names of their own, or, if they are the same but for case, one of
 * both kinds. A folder that was there before keeps what it has. Return: whether it worked, or errno.
 */
static bool
pair_names(struct apply_ntfs *ntfs, ntfs_inode *ni, struct ntfs_name *name, struct ntfs_name *dos)
{
    ntfs_volume *volume = ntfs->volume;
    ntfs_attr_search_ctx *ctx = ntfs_attr_get_search_ctx(ni, NULL);
    FILE_NAME_ATTR *found = ctx ? find_name(ntfs, name, ctx) : NULL;
    bool is_one =
        ntfs_collapsible_chars(volume, dos->units, dos->n_units, name->units, name->n_units);
    FILE_NAME_TYPE_FLAGS kind = is_one ? FILE_NAME_WIN32_AND_DOS : FILE_NAME_WIN32;
    bool is_old = found && found->file_name_type != FILE_NAME_POSIX;
    bool is_set = found && !is_old && set_kind(ntfs, found, kind);

    if (is_set)
        ntfs_inode_mark_dirty(ctx->ntfs_ino);

    FILE_NAME_ATTR from = is_set ? *found : (FILE_NAME_ATTR){0};

    if (ctx)
        ntfs_attr_put_search_ctx(ctx);
    if (!is_set && !is_old)
        errno = EIO;
    return is_old || (is_set && (is_one || add_short_name(ntfs, ni, &from, dos)));
}

/* Whether a name in the open folder is that of another inode. */
static bool is_taken(struct apply_ntfs *ntfs, const struct ntfs_name *name, const ntfs_inode *ni)
{
    u64 holder = ntfs_inode_lookup_by_name(ntfs->folder_inode, name->units, name->n_units);

    return holder != (u64)-1 && MREF(holder) != ni->mft_no;
}

static int put_short_name(struct apply_ntfs *ntfs, uint32_t which, ntfs_inode *ni)
{
    const struct metadata_name *from = &ntfs->image->names[which];
    struct ntfs_name name = {.n_units = 0};
    struct ntfs_name dos = {.n_units = 0};
    int r = ntfs_name_of(ntfs, from->name, &name);

    if (r == 0)
        r = ntfs_name_of(ntfs, from->short_name, &dos);
    if (r != 0)
        return TRACE(r);

    if (dos.n_units > SHORT_NAME_UNITS ||
        ntfs_forbidden_names(ntfs->volume, dos.units, dos.n_units, TRUE) ||
        ntfs_forbidden_names(ntfs->volume, name.units, name.n_units, FALSE) ||
        is_taken(ntfs, &dos, ni)) {
        ntfs_lose(ntfs, NTFS_LOSS_SHORT_NAME, from->inode);
        return 0;
    }
    if (!pair_names(ntfs, ni, &name, &dos))
        return ntfs_fail(ntfs, from->inode, "get its short name");
    return 0;
}

/* Its other names, and the short name, of which an inode has one. */
static int put_names(struct apply_ntfs *ntfs, uint32_t inode, ntfs_inode *ni)
{
    const struct metadata *image = ntfs->image;
    uint32_t first = image->inodes[inode].first_name;
    bool has_short = false;
    int r = 0;

    for (uint32_t i = first; i != METADATA_NONE && r == 0; i = image->names[i].next) {
        bool wants_short = image->names[i].short_name[0] != '\0';

        if (i == first && !wants_short)
            continue;
        r = open_folder(ntfs, image->names[i].parent);
        if (r == 0 && i != first)
            r = link_name(ntfs, inode, image->names[i].name, ni);
        if (r == 0 && wants_short && !has_short)
            r = put_short_name(ntfs, i, ni);
        else if (wants_short)
            ntfs_lose(ntfs, NTFS_LOSS_SHORT_NAME, inode);
        has_short = has_short || wants_short;

        int closed = close_folder(ntfs);

        r = r != 0 ? r : closed;
    }
    return r;
}

/* What needs an inode that is open alone. */
static int complete(struct apply_ntfs *ntfs, uint32_t inode)
{
    ntfs_inode *ni = ntfs_open_inode(ntfs, inode);

    if (!ni)
        return ntfs_fail(ntfs, inode, "be opened");

    int r = inode == 0 ? ntfs_put_attributes(ntfs, inode, ni) : put_names(ntfs, inode, ni);

    if (r == 0)
        r = ntfs_put_indexed(ntfs, inode, ni);
    if (r == 0 && !is_folder(ntfs, inode) && ntfs->places[inode].n_blobs == 0)
        r = ntfs_put_times(ntfs, inode, ni);

    int closed = ntfs_close_inode(ntfs, inode, ni);

    return r != 0 ? r : closed;
}

/* Whether the first name of an inode is all there is to do. */
static bool is_complete(const struct apply_ntfs *ntfs, uint32_t inode)
{
    const struct metadata_inode *from = &ntfs->image->inodes[inode];

    return inode != 0 && from->n_names == 1 &&
           ntfs->image->names[from->first_name].short_name[0] == '\0' &&
           !ntfs_is_indexed(ntfs, inode);
}

int ntfs_make_tree(struct apply_ntfs *ntfs)
{
    ntfs->places[0].number = FILE_root;

    int r = make_names(ntfs);

    for (uint32_t i = 0; i < ntfs->image->n_inodes && r == 0; i++)
        if (!is_complete(ntfs, i))
            r = complete(ntfs, i);
    return r;
}
