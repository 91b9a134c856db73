/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The job prestage-export: contents in a file, to be carried to a distribution point
 */

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "format/pack/pack.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "server/dp/content_args.h"
#include "server/dp/content_store.h"
#include "server/dp/exports.h"
#include "server/dp/prestage.h"
#include "server/dp/worker.h"
#include "store/store.h"

enum {
    PACKAGES_MAX = 1024,
    PATH_MAX_BYTES = 4096,
    MEMBER_MODE = 0644,
    PERCENT = 100,
};

DEFINE_FREEP(struct archive *, archive_write_free);

struct exporting {
    struct worker *worker;
    struct store *store;     /* owned */
    struct archive *archive; /* owned */
    struct digest *digest;   /* owned; of all that was written */
    int fd;                  /* owned */
    uint64_t size_bytes;     /* written */
    uint64_t done_bytes;     /* stored bytes of packs */
    uint64_t all_bytes;
    uint8_t (*seen)[SHA256_BYTES]; /* owned; the packs that are in it, sorted */
    size_t n_seen;
    size_t cap_seen;
    int error; /* -errno of a write */
};

static void exporting_fini(struct exporting *e)
{
    archive_write_freep(&e->archive);
    digest_free(e->digest);
    store_free(e->store);
    fd_closep(&e->fd);
    free(e->seen);
}

static la_ssize_t write_out(struct archive *archive, void *ctx, const void *ptr, size_t len)
{
    struct exporting *e = ctx;
    struct bytes piece = {ptr, len};

    e->error = fd_write_all(e->fd, piece);
    if (e->error == 0)
        e->error = digest_add(e->digest, piece);
    if (e->error < 0) {
        archive_set_error(archive, -e->error, "%s", "cannot write");
        return -1;
    }
    e->size_bytes += len;
    return (la_ssize_t)len;
}

static int put_member(struct exporting *e, const char *name, struct bytes content)
{
    struct archive_entry *entry = archive_entry_new();
    bool is_put;

    if (!entry)
        return ERR(-ENOMEM);
    archive_entry_set_pathname(entry, name);
    archive_entry_set_size(entry, (la_int64_t)content.len);
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, MEMBER_MODE);
    is_put = archive_write_header(e->archive, entry) == ARCHIVE_OK &&
             archive_write_data(e->archive, content.ptr, content.len) == (la_ssize_t)content.len;
    archive_entry_free(entry);
    if (is_put)
        return 0;
    return e->error < 0 ? TRACE(e->error) : ERR(-EIO);
}

/* Where it is in the sorted list, or belongs. Return: whether it is. */
static bool find_seen(const struct exporting *e, const uint8_t *sha256, size_t *ret)
{
    size_t low = 0;
    size_t high = e->n_seen;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = memcmp(e->seen[middle], sha256, SHA256_BYTES);

        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *ret = low;
    return false;
}

/* Return: 0; 1 if it was there; -ENOMEM. */
static int see(struct exporting *e, const uint8_t *sha256)
{
    size_t at;

    if (find_seen(e, sha256, &at))
        return 1;
    if (e->n_seen == e->cap_seen) {
        size_t cap = e->cap_seen > 0 ? e->cap_seen * 2 : 1024;
        void *longer = reallocarray(e->seen, cap, sizeof(*e->seen));

        if (!longer)
            return ERR(-ENOMEM);
        e->seen = longer;
        e->cap_seen = cap;
    }
    memmove(e->seen[at + 1], e->seen[at], (e->n_seen - at) * sizeof(*e->seen));
    memcpy(e->seen[at], sha256, SHA256_BYTES);
    e->n_seen++;
    return 0;
}

/* Return: 1, the failure told: */
static int fail_damaged(const char *what, const uint8_t *sha256)
{
    char name[SHA256_TEXT_MAX];

    hex_put(name, (struct bytes){sha256, SHA256_BYTES});
    worker_fail("SLW-0301",
                "The %s %s is missing or damaged on this distribution point. Validate the content, "
                "so that it is healed, and export again.",
                what,
                name);
    return 1;
}

/* The pack as it is stored, once it has been checked. */
static int put_pack(struct exporting *e, const struct manifest_pack *pack)
{
    OWN(buf_fini) struct buf plain = BUF_INIT(PACK_MAX_BYTES);
    OWN(buf_fini) struct buf frame = BUF_INIT(PACK_STORED_MAX_BYTES);
    char path[STORE_PATH_MAX];
    char name[PRESTAGE_NAME_MAX];
    int r = see(e, pack->sha256);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    r = store_get_pack(e->store, pack, &plain);
    if (r > 0)
        return fail_damaged("pack", pack->sha256);
    if (r < 0)
        return TRACE(r);
    store_pack_path(e->store, pack->sha256, path);
    r = file_read(path, &frame);
    if (r > 0)
        return fail_damaged("pack", pack->sha256);
    if (r < 0)
        return TRACE(r);
    prestage_name_put(PRESTAGE_PACK, pack->sha256, name);
    e->done_bytes += pack->stored_bytes;
    return TRACE(put_member(e, name, buf_bytes(&frame)));
}

static void tell(struct exporting *e)
{
    unsigned percent = e->all_bytes > 0 ? (unsigned)(e->done_bytes * PERCENT / e->all_bytes) : 0;

    if (percent != e->worker->told_percent && percent < PERCENT)
        worker_tell(e->worker, percent, "Writing the file");
}

static int put_content(struct exporting *e, const uint8_t *id)
{
    OWN(manifest_fini) struct manifest manifest = {.n_packs = 0};
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    char path[STORE_PATH_MAX];
    char name[PRESTAGE_NAME_MAX];
    int r = store_get_manifest(e->store, id, &manifest);

    if (r > 0)
        return fail_damaged("manifest", id);
    for (size_t i = 0; r == 0 && i < manifest.n_packs; i++) {
        r = put_pack(e, &manifest.packs[i]);
        tell(e);
    }
    if (r != 0)
        return r < 0 ? TRACE(r) : 1;
    store_manifest_path(e->store, id, path);
    r = file_read(path, &text);
    if (r != 0)
        return r < 0 ? TRACE(r) : fail_damaged("manifest", id);
    prestage_name_put(PRESTAGE_MANIFEST, id, name);
    return TRACE(put_member(e, name, buf_bytes(&text)));
}

static int add_size(struct exporting *e, const uint8_t *id)
{
    OWN(manifest_fini) struct manifest manifest = {.n_packs = 0};
    int r = store_get_manifest(e->store, id, &manifest);

    for (size_t i = 0; r == 0 && i < manifest.n_packs; i++)
        e->all_bytes += manifest.packs[i].stored_bytes;
    return r < 0 ? TRACE(r) : 0; /* one that is missing is told when its turn comes */
}

typedef int each_content(struct exporting *e, const uint8_t *id);

/* Return: as @what, or 1, and it is told, if the job is malformed. */
static int for_each(struct exporting *e, each_content *what, struct buf *head)
{
    const json_t *packages = json_object_get(e->worker->args, "packages");
    int r = json_array_size(packages) == 0 || json_array_size(packages) > PACKAGES_MAX ? 1 : 0;

    for (size_t i = 0; r == 0 && i < json_array_size(packages); i++) {
        const json_t *package = json_array_get(packages, i);
        const char *id = json_string_value(json_object_get(package, "package_id"));
        json_int_t version = json_integer_value(json_object_get(package, "version"));
        OWN(content_args_fini) struct content_args args = {.package_id = id};
        char name[SHA256_TEXT_MAX];

        r = id && strlen(id) < 32 && !strpbrk(id, " \n")
                ? content_args_read_manifests(
                      json_object_get(package, "manifests"), &args.manifests, &args.n_manifests)
                : 1;
        for (size_t k = 0; r == 0 && k < args.n_manifests; k++) {
            hex_put(name, (struct bytes){args.manifests[k], SHA256_BYTES});
            if (head)
                buf_addf(head, "%s %" JSON_INTEGER_FORMAT " %s\n", id, version, name);
            r = what(e, args.manifests[k]);
            if (r > 0)
                return 1;
        }
    }
    if (r > 0)
        worker_fail("SLW-0316", "The job to prestage content names no content.");
    return r < 0 ? TRACE(r) : r;
}

static int open_archive(struct exporting *e, const char *path)
{
    int r = digest_new(&e->digest);

    if (r < 0)
        return TRACE(r);
    e->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, EXPORTS_FILE_MODE);
    if (e->fd < 0)
        return ERR(-errno);
    e->archive = archive_write_new();
    if (!e->archive)
        return ERR(-ENOMEM);
    if (archive_write_set_format_ustar(e->archive) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(e->archive, 1) != ARCHIVE_OK ||
        archive_write_open(e->archive, e, NULL, write_out, NULL) != ARCHIVE_OK)
        return ERR(-EIO);
    return 0;
}

static int write_all(struct exporting *e, const char *path)
{
    OWN(buf_fini) struct buf head = BUF_INIT(PRESTAGE_HEAD_MAX_BYTES);
    int r;

    buf_adds(&head, PRESTAGE_HEAD_LINE);
    r = for_each(e, add_size, &head);
    if (r == 0 && head.failed)
        r = ERR(-ENOMEM);
    if (r == 0)
        r = open_archive(e, path);
    if (r == 0)
        r = put_member(e, PRESTAGE_HEAD_NAME, buf_bytes(&head));
    if (r == 0)
        r = for_each(e, put_content, NULL);
    if (r == 0 && archive_write_close(e->archive) != ARCHIVE_OK)
        r = e->error < 0 ? e->error : ERR(-EIO);
    if (r == -ENOSPC || r == -EDQUOT) {
        worker_fail("SLW-0313", "There is no space left for the file of prestaged content.");
        return 1;
    }
    return r < 0 ? TRACE(r) : r;
}

static int end(struct exporting *e, const char *id)
{
    uint8_t sha256[SHA256_BYTES];
    char text[SHA256_TEXT_MAX];
    int r = digest_end(e->digest, sha256);

    if (r == 0)
        r = exports_publish(e->worker->state_folder, id);
    if (r < 0)
        return TRACE(r);
    hex_put(text, (struct bytes){sha256, sizeof(sha256)});
    return TRACE(worker_succeed(json_pack("{s:s, s:I, s:s}",
                                          "export_id",
                                          id,
                                          "size_bytes",
                                          (json_int_t)e->size_bytes,
                                          "sha256",
                                          text)));
}

int worker_prestage_export(struct worker *worker)
{
    OWN(exporting_fini) struct exporting e = {.worker = worker, .fd = -1};
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    char id[UUID_TEXT_MAX];
    int r = content_store_open(worker, false, &e.store);

    if (r == 0)
        r = exports_new(worker->state_folder, id, &path);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    worker_tell(worker, 0, "Writing the file");
    r = write_all(&e, buf_str(&path));
    if (r == 0)
        r = end(&e, id);
    if (r != 0)
        exports_drop(worker->state_folder, id);
    return r < 0 ? TRACE(r) : 0;
}
