/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/apply_folder.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "format/wim/reparse.h"
#include "image/apply_files.h"
#include "image/apply_lost.h"
#include "image/apply_queue.h"
#include "image/apply_sync.h"
#include "image/wim_apply.h"
#include "plat/file.h"

enum {
    N_DIRS = APPLY_QUEUE_THREADS_MAX + 1, /* the last is of the thread that reads the stream */
    READER = APPLY_QUEUE_THREADS_MAX,
};

/* A blob of several pieces: its first file is written by all threads, the others are made of that. */
struct large {
    const struct apply_use *uses; /* borrowed, like the job's */
    size_t n_uses;
    uint64_t size_bytes;
    uint32_t inode;
    int fd;                       /* owned */
    _Atomic uint64_t n_unwritten; /* pieces; who writes the last one ends the file */
    _Atomic uint64_t n_used;      /* pieces that are not dropped; with the last this is freed */
};

struct job {
    struct apply_job base;
    const struct apply_use *uses; /* of a whole blob; none: what has no blob */
    size_t n_uses;
    uint32_t inode;      /* of what has no blob */
    struct large *large; /* of a piece */
    uint64_t offset;
    size_t len;
    uint8_t bytes[];
};

struct apply_folder {
    int root;
    struct apply_files files;
    struct apply_dirs dirs[N_DIRS];
    struct apply_queue *queue; /* owned; NULL before begin and after stop, like sync */
    struct apply_sync *sync;
    struct apply_blob blob; /* that is coming */
    struct large *large;    /* its, as long as pieces are to be made */
    struct job *job;        /* owned; its next piece, NULL if nothing is made of it */
    uint64_t n_left;        /* bytes that are in no piece yet */
};

int apply_folder_new(int root, struct buf *why, struct apply_folder **ret)
{
    struct apply_folder *f = calloc(1, sizeof(*f));

    if (!f)
        return ERR(-ENOMEM);
    f->root = root;
    f->files.why = why;
    (void)pthread_mutex_init(&f->files.lock, NULL);
    *ret = f;
    return 0;
}

void apply_folder_free(struct apply_folder *f)
{
    if (!f)
        return;
    (void)pthread_mutex_destroy(&f->files.lock);
    free(f);
}

/* Whether a stream makes its inode's file or link; the others have no place in a folder. */
static bool is_made(const struct apply_folder *f, const struct apply_use *use)
{
    const struct metadata *image = f->files.image;

    return apply_contents(image, &image->inodes[use->inode]) == &image->streams[use->stream];
}

static int make_all(struct apply_folder *f, unsigned thread, const struct job *job)
{
    for (size_t i = 0; i < job->n_uses; i++) {
        const struct apply_use *use = &job->uses[i];
        int r =
            is_made(f, use)
                ? apply_files_make(
                      &f->files, &f->dirs[thread], use->inode, (struct bytes){job->bytes, job->len})
                : 0;

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

/* All pieces are written. */
static int end_large(struct apply_folder *f, unsigned thread, struct large *large)
{
    for (size_t i = 0; i < large->n_uses; i++) {
        const struct apply_use *use = &large->uses[i];
        int r = is_made(f, use) && use->inode != large->inode
                    ? apply_files_copy(
                          &f->files, &f->dirs[thread], use->inode, large->fd, large->size_bytes)
                    : 0;

        if (r != 0)
            return TRACE(r);
    }
    return TRACE(apply_files_close(&f->files, &f->dirs[thread], large->inode, &large->fd));
}

static int write_piece(struct apply_folder *f, unsigned thread, struct job *job)
{
    struct large *large = job->large;
    int r = apply_files_write(
        &f->files, large->inode, large->fd, job->offset, (struct bytes){job->bytes, job->len});

    if (r != 0)
        return TRACE(r);
    return atomic_fetch_sub(&large->n_unwritten, 1) == 1 ? TRACE(end_large(f, thread, large)) : 0;
}

static int do_job(struct apply_folder *f, unsigned thread, struct job *job)
{
    if (job->large)
        return TRACE(write_piece(f, thread, job));
    if (job->uses)
        return TRACE(make_all(f, thread, job));
    return TRACE(apply_files_make(&f->files, &f->dirs[thread], job->inode, (struct bytes){0}));
}

static int work(void *ctx, unsigned thread, struct apply_job *base)
{
    struct apply_folder *f = ctx;
    int r = do_job(f, thread, (struct job *)base);

    if (r == 0)
        apply_sync_wrote(f->sync, base->size_bytes);
    return TRACE(r);
}

static void unuse(struct large *large, uint64_t n)
{
    if (atomic_fetch_sub(&large->n_used, n) > n)
        return;
    fd_closep(&large->fd);
    free(large);
}

static void drop(void *ctx, struct apply_job *base)
{
    struct job *job = (struct job *)base;

    (void)ctx;
    if (job->large)
        unuse(job->large, 1);
    free(job);
}

static int put(struct apply_folder *f, struct job *job)
{
    return TRACE(apply_queue_put(f->queue, &job->base));
}

static struct job *new_job(size_t len)
{
    struct job *job = malloc(sizeof(*job) + len);

    if (job)
        *job = (struct job){.base = {.size_bytes = sizeof(*job) + len}};
    return job;
}

/* What no blob will come for. */
static int put_empty(struct apply_folder *f, uint32_t inode)
{
    struct job *job = new_job(0);

    if (!job)
        return ERR(-ENOMEM);
    job->inode = inode;
    return TRACE(put(f, job));
}

static int fail_stream(struct apply_folder *f, uint32_t inode, const char *what)
{
    return apply_files_fail(&f->files, WIM_APPLY_E_STREAM, inode, what, 0);
}

/* Whether it is something at all. */
static int check(struct apply_folder *f, uint32_t inode)
{
    const struct metadata *image = f->files.image;
    const struct metadata_stream *contents = apply_contents(image, &image->inodes[inode]);

    switch (apply_kind_of(&image->inodes[inode])) {
    case APPLY_KIND_UNKNOWN:
        return fail_stream(f, inode, "is of no kind of file");
    case APPLY_KIND_SPECIAL:
        return contents ? fail_stream(f, inode, "a special file has contents") : 0;
    case APPLY_KIND_LINK:
        return contents && metadata_has_blob(contents)
                   ? 0
                   : fail_stream(f, inode, "the link has no target");
    case APPLY_KIND_FILE:
    case APPLY_KIND_FOLDER:
    default:
        return 0;
    }
}

static int make_folders(struct apply_folder *f)
{
    const struct metadata *image = f->files.image;

    for (size_t i = 1; i < image->n_names; i++) {
        const struct metadata_name *name = &image->names[i];
        int r = apply_kind_of(&image->inodes[name->parent]) == APPLY_KIND_FOLDER
                    ? check(f, name->inode)
                    : fail_stream(f, name->inode, "lies in what is no folder");

        if (r == 0 && apply_kind_of(&image->inodes[name->inode]) == APPLY_KIND_FOLDER)
            r = apply_files_folder(&f->files, &f->dirs[READER], name->inode);
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static int make_empty(struct apply_folder *f)
{
    const struct metadata *image = f->files.image;

    for (size_t i = 1; i < image->n_inodes; i++) {
        const struct metadata_inode *inode = &image->inodes[i];
        bool is_here = apply_kind_of(inode) != APPLY_KIND_FOLDER && !apply_contents(image, inode);
        int r = is_here ? put_empty(f, (uint32_t)i) : 0;

        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static int begin(void *ctx, const struct metadata *image)
{
    struct apply_folder *f = ctx;
    const struct apply_queue_work what = {.ctx = f, .work = work, .drop = drop};
    int r;

    f->files.image = image;
    for (size_t i = 0; i < N_DIRS; i++)
        apply_dirs_init(&f->dirs[i], image, f->root);
    r = apply_sync_new(f->root, &f->sync);
    if (r == 0)
        r = apply_queue_new(&what, APPLY_FOLDER_QUEUE_BYTES, &f->queue);
    if (r == 0)
        r = make_folders(f);
    if (r == 0)
        r = make_empty(f);
    return TRACE(r);
}

/* The first file that is made of the blob, or NULL. A link's blob is no large one. */
static int
first_made(struct apply_folder *f, const struct apply_blob *blob, const struct apply_use **ret)
{
    const struct metadata *image = f->files.image;

    *ret = NULL;
    for (size_t i = 0; i < blob->n_uses; i++) {
        const struct apply_use *use = &blob->uses[i];

        if (!is_made(f, use))
            continue;
        if (apply_kind_of(&image->inodes[use->inode]) == APPLY_KIND_LINK &&
            blob->size_bytes > REPARSE_DATA_MAX)
            return fail_stream(f, use->inode, "the link's target is too long");
        if (!*ret)
            *ret = use;
    }
    return 0;
}

static int begin_large(struct apply_folder *f, const struct apply_use *first)
{
    uint64_t n = (f->blob.size_bytes + APPLY_FOLDER_PIECE_BYTES - 1) / APPLY_FOLDER_PIECE_BYTES;
    struct large *large = malloc(sizeof(*large));

    if (!large)
        return ERR(-ENOMEM);
    *large = (struct large){
        .uses = f->blob.uses,
        .n_uses = f->blob.n_uses,
        .size_bytes = f->blob.size_bytes,
        .inode = first->inode,
        .fd = -1,
        .n_unwritten = n,
        .n_used = n,
    };
    f->large = large;
    return TRACE(apply_files_open(&f->files, &f->dirs[READER], first->inode, &large->fd));
}

/* Room for what comes next. */
static int begin_piece(struct apply_folder *f)
{
    uint64_t left = f->n_left;
    size_t len = left < APPLY_FOLDER_PIECE_BYTES ? (size_t)left : APPLY_FOLDER_PIECE_BYTES;

    f->job = new_job(len);
    if (!f->job)
        return ERR(-ENOMEM);
    f->job->uses = f->blob.uses;
    f->job->n_uses = f->blob.n_uses;
    f->job->offset = f->blob.size_bytes - left;
    f->n_left -= len;
    return 0;
}

static int blob_begin(void *ctx, const struct apply_blob *blob)
{
    struct apply_folder *f = ctx;
    const struct apply_use *first;
    int r = first_made(f, blob, &first);

    if (r != 0 || !first)
        return TRACE(r);
    f->blob = *blob;
    f->n_left = blob->size_bytes;
    if (blob->size_bytes > APPLY_FOLDER_PIECE_BYTES)
        r = begin_large(f, first);
    return r == 0 ? TRACE(begin_piece(f)) : TRACE(r);
}

/* The piece is whole. */
static int put_piece(struct apply_folder *f)
{
    struct job *job = TAKE(f->job);

    job->large = f->large;
    if (f->large && f->n_left == 0)
        f->large = NULL; /* now it belongs to its pieces */
    return TRACE(put(f, job));
}

static int blob_piece(void *ctx, struct bytes piece)
{
    struct apply_folder *f = ctx;

    while (f->job && piece.len > 0) {
        size_t room = f->job->base.size_bytes - sizeof(*f->job) - f->job->len;
        struct bytes part;
        int r = 0;

        (void)bytes_take(&piece, piece.len < room ? piece.len : room, &part);
        memcpy(f->job->bytes + f->job->len, part.ptr, part.len);
        f->job->len += part.len;
        if (part.len == room && f->n_left > 0) {
            r = put_piece(f);
            if (r == 0)
                r = begin_piece(f);
        }
        if (r != 0)
            return TRACE(r);
    }
    return 0;
}

static int blob_end(void *ctx)
{
    struct apply_folder *f = ctx;

    return f->job ? TRACE(put_piece(f)) : 0;
}

static int finish(void *ctx)
{
    struct apply_folder *f = ctx;
    const struct metadata *image = f->files.image;
    int r = apply_queue_wait(f->queue);
    int error;

    /* what lies in a folder comes behind it */
    for (size_t i = image->n_inodes; r == 0 && i > 0; i--)
        if (apply_kind_of(&image->inodes[i - 1]) == APPLY_KIND_FOLDER)
            r = apply_files_folder_end(&f->files, &f->dirs[READER], (uint32_t)(i - 1));
    if (r != 0)
        return TRACE(r);
    error = apply_sync_end(f->sync);
    if (error != 0)
        return apply_files_fail(
            &f->files, WIM_APPLY_E_TARGET, 0, "cannot write to the disk", error);
    return apply_lost(image, f->files.n_left_out, f->files.why) ? WIM_APPLY_E_LOST : 0;
}

static void stop(void *ctx)
{
    struct apply_folder *f = ctx;
    uint64_t n_missing =
        (f->n_left + APPLY_FOLDER_PIECE_BYTES - 1) / APPLY_FOLDER_PIECE_BYTES + (f->job ? 1 : 0);

    apply_queue_free(f->queue);
    f->queue = NULL;
    apply_sync_free(f->sync);
    f->sync = NULL;
    if (f->large)
        unuse(f->large, n_missing);
    f->large = NULL;
    free(f->job);
    f->job = NULL;
    for (size_t i = 0; i < N_DIRS; i++)
        apply_dirs_fini(&f->dirs[i]);
}

struct apply_target apply_folder_target(struct apply_folder *f)
{
    return (struct apply_target){
        .ctx = f,
        .begin = begin,
        .blob_begin = blob_begin,
        .blob_piece = blob_piece,
        .blob_end = blob_end,
        .finish = finish,
        .stop = stop,
    };
}
