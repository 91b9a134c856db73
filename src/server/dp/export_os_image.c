/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The job export-os-image: images in the store become one standard WIM file for an administrator to fetch
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "image/wim_export.h"
#include "image/wim_import.h"
#include "plat/digest.h"
#include "plat/file.h"
#include "server/dp/content_store.h"
#include "server/dp/exports.h"
#include "server/dp/worker.h"
#include "store/store.h"

enum {
    PATH_MAX_BYTES = 4096,
    WHY_MAX_BYTES = 2048,
    PIECE_BYTES = 256 * 1024,
    FOLDER_MODE = 0700,
    FILE_MODE = 0600,
    JOIN_PERCENT = 20, /* the streams are put together, then compressed and read again */
    LAST_PERCENT = 99,
    EXPORT_E_TOLD = 1, /* it failed, and the last line is written */
};

DEFINE_FREEP(struct digest *, digest_free);

struct exporting {
    struct worker *worker;
    struct store *store;         /* owned */
    struct buf folder;           /* for the streams; removed at the end */
    char *paths[WIM_MAX_IMAGES]; /* owned; the streams */
    size_t n;
    uint64_t done_bytes;
    uint64_t all_bytes;
    int fd;      /* of the stream that is being put together */
    int outcome; /* of writing it */
};

static void exporting_fini(struct exporting *exporting)
{
    store_free(exporting->store);
    for (size_t i = 0; i < exporting->n; i++)
        free(exporting->paths[i]);
    if (exporting->folder.len > 0)
        (void)dir_remove(buf_str(&exporting->folder));
    buf_fini(&exporting->folder);
}

static void tell(struct worker *worker, unsigned percent, const char *message)
{
    unsigned shown = percent < LAST_PERCENT ? percent : LAST_PERCENT;

    if (shown != worker->told_percent)
        worker_tell(worker, shown, message);
}

static int write_piece(void *ctx, struct bytes piece)
{
    struct exporting *exporting = ctx;

    exporting->done_bytes += piece.len;
    if (exporting->all_bytes > 0 && exporting->done_bytes <= exporting->all_bytes)
        tell(exporting->worker,
             (unsigned)(exporting->done_bytes * JOIN_PERCENT / exporting->all_bytes),
             "Reading from the content store");
    exporting->outcome = fd_write_if_room(exporting->fd, piece);
    return exporting->outcome;
}

static int told(const char *message)
{
    worker_fail("SLW-0324", "The images cannot be exported: %s", message);
    return EXPORT_E_TOLD;
}

/* Return: 0, EXPORT_E_TOLD, or -errno. */
static int put_stream(struct exporting *exporting, const char *path, const uint8_t *id)
{
    const struct store_sink sink = {write_piece, exporting};
    OWN(fd_closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    int r;

    if (fd < 0)
        return ERR(-errno);
    exporting->fd = fd;
    r = store_read_stream(exporting->store, id, &sink);
    if (r < 0)
        return TRACE(r);
    if (r == STORE_E_STOPPED && exporting->outcome < 0)
        return TRACE(exporting->outcome);
    if (r == STORE_E_STOPPED)
        return told(
            "there is no space left to put them together; about twice their size is needed.");
    return r == 0
               ? 0
               : told("their content is missing or damaged in the store. Validate the content, and "
                      "redistribute or import it again.");
}

static int add_image(struct exporting *exporting, const char *manifest)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    uint8_t id[SHA256_BYTES];

    if (!hex_parse(bytes_of(manifest), sizeof(id), id)) {
        worker_fail("SLW-0316", "The job names no manifest.");
        return EXPORT_E_TOLD;
    }
    buf_addf(&path, "%s/%zu.pwm", buf_str(&exporting->folder), exporting->n + 1);
    exporting->paths[exporting->n] = buf_take(&path);
    if (!exporting->paths[exporting->n])
        return ERR(-ENOMEM);
    exporting->n++;
    return TRACE(put_stream(exporting, exporting->paths[exporting->n - 1], id));
}

/* One such job runs at a time (slots.h): what is there is of one that was killed. */
static int make_folder(struct exporting *exporting)
{
    const char *path;
    int r = 0;

    buf_addf(&exporting->folder, "%s/" WORKER_EXPORT_FOLDER, exporting->worker->state_folder);
    if (exporting->folder.failed)
        return ERR(-ENAMETOOLONG);
    path = buf_str(&exporting->folder);
    if (file_exists(path))
        r = dir_remove(path);
    return r < 0 ? TRACE(r) : TRACE(dir_make(path, FOLDER_MODE));
}

/* Return: 0, EXPORT_E_TOLD, or -errno. */
static int put_streams(struct exporting *exporting, const json_t *indexes)
{
    const json_t *index;
    size_t i;
    int r = content_store_open(exporting->worker, false, &exporting->store);

    if (r == 0)
        r = make_folder(exporting);
    json_array_foreach(indexes, i, index)
    {
        const json_t *size = json_object_get(index, "size_bytes");

        exporting->all_bytes += json_is_integer(size) && json_integer_value(size) > 0
                                    ? (uint64_t)json_integer_value(size)
                                    : 0;
    }
    json_array_foreach(indexes, i, index)
    {
        const char *manifest = json_string_value(json_object_get(index, "manifest"));

        if (r == 0)
            r = add_image(exporting, manifest ? manifest : "");
    }
    return TRACE(r);
}

static void on_percent(void *ctx, unsigned percent)
{
    struct exporting *exporting = ctx;

    tell(exporting->worker,
         JOIN_PERCENT + percent * (100 - JOIN_PERCENT) / 100,
         "Writing the WIM file");
}

static int hash_file(const char *path, uint8_t ret_sha256[static SHA256_BYTES], uint64_t *ret_size)
{
    OWN(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    OWN(digest_freep) struct digest *digest = NULL;
    OWN(freep) uint8_t *piece = malloc(PIECE_BYTES);
    int r;

    if (fd < 0 || !piece)
        return ERR(fd < 0 ? -errno : -ENOMEM);
    r = digest_new(&digest);
    while (r == 0) {
        ssize_t n = read(fd, piece, PIECE_BYTES);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return TRACE(digest_end(digest, ret_sha256));
        *ret_size += (uint64_t)n;
        r = digest_add(digest, (struct bytes){piece, (size_t)n});
    }
    return TRACE(r);
}

static int offer(const struct worker *worker, const char *id, const char *path)
{
    uint8_t sha256[SHA256_BYTES];
    char text[SHA256_TEXT_MAX];
    uint64_t size = 0;
    int r = hash_file(path, sha256, &size);

    if (r == 0)
        r = exports_publish(worker->state_folder, id);
    if (r < 0)
        return TRACE(r);
    hex_put(text, (struct bytes){sha256, sizeof(sha256)});
    return TRACE(worker_succeed(json_pack(
        "{s:s, s:I, s:s}", "export_id", id, "size_bytes", (json_int_t)size, "sha256", text)));
}

/* Return: 0, EXPORT_E_TOLD, or -errno. */
static int write_wim(struct exporting *exporting, struct wim_export_options *options)
{
    const char *state_folder = exporting->worker->state_folder;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    char id[UUID_TEXT_MAX];
    int r = exports_new(state_folder, id, &path);

    if (r < 0)
        return TRACE(r);
    options->streams = (const char *const *)exporting->paths;
    options->n_streams = exporting->n;
    options->tell = on_percent;
    options->ctx = exporting;
    r = wim_export(options, buf_str(&path), &why);
    if (r == 0)
        r = offer(exporting->worker, id, buf_str(&path));
    if (r != 0)
        exports_drop(state_folder, id);
    return r == WIM_EXPORT_E_FAILED ? told(buf_str(&why)) : TRACE(r);
}

int worker_export_os_image(struct worker *worker)
{
    OWN(exporting_fini)
    struct exporting exporting = {.worker = worker, .folder = BUF_INIT(PATH_MAX_BYTES)};
    struct wim_export_options options = {.compression = WIM_EXPORT_LZX};
    const json_t *indexes = json_object_get(worker->args, "indexes");
    const char *compress = json_string_value(json_object_get(worker->args, "compress"));
    size_t n = json_array_size(indexes);
    int r;

    options.is_solid = json_is_true(json_object_get(worker->args, "is_solid"));
    if (n < 1 || n > WIM_MAX_IMAGES ||
        (compress && !wim_export_parse_compression(compress, &options.compression))) {
        worker_fail("SLW-0316", "The job names no images, or a compression that is not known.");
        return 0;
    }
    r = put_streams(&exporting, indexes);
    if (r == 0)
        r = write_wim(&exporting, &options);
    return r < 0 ? TRACE(r) : 0;
}
