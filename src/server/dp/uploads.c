/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/uploads.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "plat/random.h"
#include "rt/log.h"

enum {
    PATH_MAX_BYTES = 4096,
    INFO_MAX_BYTES = 4096,
    OFFSET_TEXT_MAX = 24,
    FILE_MODE = 0600,
    FOLDER_MODE = 0700,
    EXPIRE_S = 24 * 60 * 60,
    LOOK_S = 60,
    US_PER_S = 1000 * 1000,
};

#define FREE_RESERVE_BYTES (UINT64_C(256) * 1024 * 1024) /* the store and the logs need some, too */
#define FOLDER             "dp/staging/uploads"

struct uploads {
    char *state_folder; /* owned */
    uint64_t looked_us;
};

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool put_path(char dst[PATH_MAX_BYTES], const char *state, const char *id, const char *end)
{
    int n = snprintf(dst, PATH_MAX_BYTES, "%s/" FOLDER "/%s%s", state, id, end);

    return n > 0 && n < PATH_MAX_BYTES;
}

void uploads_free(struct uploads *uploads)
{
    if (!uploads)
        return;
    free(uploads->state_folder);
    free(uploads);
}

int uploads_new(const char *state_folder, struct uploads **ret)
{
    OWN(uploads_freep) struct uploads *uploads = calloc(1, sizeof(*uploads));
    char path[PATH_MAX_BYTES];
    int r;

    if (!uploads)
        return ERR(-ENOMEM);
    uploads->state_folder = strdup(state_folder);
    if (!uploads->state_folder)
        return ERR(-ENOMEM);
    if (!put_path(path, state_folder, "", ""))
        return ERR(-ENAMETOOLONG);
    r = dir_make(path, FOLDER_MODE);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(uploads);
    return 0;
}

void uploads_remove(const char *state_folder, const char *id)
{
    char path[PATH_MAX_BYTES];

    if (put_path(path, state_folder, id, ".data"))
        (void)unlink(path);
    if (put_path(path, state_folder, id, ".json"))
        (void)unlink(path);
}

/* @path is a file of an upload: is it too old? */
static bool is_expired(const char *path)
{
    uint64_t now_s = clock_wall_us() / US_PER_S;
    struct stat st;

    return stat(path, &st) == 0 && (uint64_t)st.st_mtim.tv_sec + EXPIRE_S < now_s;
}

static void expire_one(const struct uploads *uploads, const char *name)
{
    static const char end[] = ".data";
    size_t len = strlen(name);
    char path[PATH_MAX_BYTES];
    char id[UUID_TEXT_MAX];

    if (len != UUID_TEXT_MAX - 1 + sizeof(end) - 1 || strcmp(name + UUID_TEXT_MAX - 1, end) != 0)
        return;
    memcpy(id, name, UUID_TEXT_MAX - 1);
    id[UUID_TEXT_MAX - 1] = '\0';
    if (!put_path(path, uploads->state_folder, name, "") || !is_expired(path))
        return;
    uploads_remove(uploads->state_folder, id);
    log_info("dp: upload expired", "id=%s", id);
}

void uploads_expire(struct uploads *uploads)
{
    uint64_t now = clock_monotonic_us();
    char path[PATH_MAX_BYTES];

    if (uploads->looked_us > 0 && now - uploads->looked_us < (uint64_t)LOOK_S * US_PER_S)
        return;
    uploads->looked_us = now;
    if (!put_path(path, uploads->state_folder, "", ""))
        return;

    OWN(closedirp) DIR *dir = opendir(path);

    while (dir) {
        const struct dirent *entry = readdir(dir); /* NOLINT(concurrency-mt-unsafe): our own DIR */

        if (!entry)
            break;
        expire_one(uploads, entry->d_name);
    }
}

/* Room for @size bytes more, with some to spare? An unknown answer is yes: writing will tell. */
static bool has_room(const struct uploads *uploads, uint64_t size)
{
    struct statvfs fs;
    uint64_t available;

    if (statvfs(uploads->state_folder, &fs) < 0)
        return true;
    if (__builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &available))
        return true;
    return available > FREE_RESERVE_BYTES && available - FREE_RESERVE_BYTES >= size;
}

static int reply_full(struct http_exchange *x)
{
    return http_reply_problem(x,
                              507,
                              "SLW-0313",
                              "Not enough free space on the distribution point",
                              "The file system of the server's state folder has too little free "
                              "space for this upload. Free some, or move the state folder.");
}

static int reply_bad_request(struct http_exchange *x, const char *detail)
{
    return http_reply_problem(x, 400, "SLW-0312", "The upload request is not valid", "%s", detail);
}

/* Return: 0, FILE_E_FULL, or -errno. */
static int create_files(const struct uploads *uploads, const char *id, struct bytes info)
{
    char path[PATH_MAX_BYTES];
    int r;

    if (!put_path(path, uploads->state_folder, id, ".json"))
        return ERR(-ENAMETOOLONG);
    r = file_write_if_room(path, info, FILE_MODE);
    if (r != 0)
        return TRACE(r);
    if (!put_path(path, uploads->state_folder, id, ".data"))
        return ERR(-ENAMETOOLONG);
    r = file_write_if_room(path, bytes_of(""), FILE_MODE);
    if (r != 0)
        uploads_remove(uploads->state_folder, id);
    return TRACE(r);
}

static int create(const struct uploads *uploads, struct http_exchange *x, const char *id)
{
    OWN(json_decrefp) json_t *body = NULL;
    OWN(freep) char *info = NULL;
    const char *name;
    json_int_t size;
    int r = http_body_json(x, &body);

    if (r != 0)
        return r < 0 ? TRACE(r) : 0;
    if (json_unpack(body, "{s:s, s:I !}", "name", &name, "size_bytes", &size) != 0)
        return reply_bad_request(x, "Expected \"name\" and \"size_bytes\", and nothing else.");
    if (strlen(name) > UPLOAD_NAME_MAX || size < 1 || (uint64_t)size > UPLOAD_MAX_BYTES)
        return reply_bad_request(x, "A name has at most 255 bytes, a file 1 byte to 16 TiB.");
    if (!has_room(uploads, (uint64_t)size))
        return reply_full(x);
    info = json_dumps(body, JSON_COMPACT);
    if (!info)
        return ERR(-ENOMEM);
    r = create_files(uploads, id, bytes_of(info));
    if (r == FILE_E_FULL)
        return reply_full(x);
    if (r < 0)
        return TRACE(r);
    return http_reply_json(x, 201, json_pack("{s:s}", "id", id));
}

int uploads_create(void *ctx, struct http_exchange *x)
{
    char id[UUID_TEXT_MAX];

    random_uuid(id, clock_wall_us());
    return TRACE(create(ctx, x, id));
}

int uploads_create_named(void *ctx, struct http_exchange *x)
{
    const struct uploads *uploads = ctx;
    const char *id = http_param(x, "id");
    uint8_t uuid[UUID_BYTES];

    if (strlen(id) != UUID_TEXT_MAX - 1 || !uuid_parse(bytes_of(id), uuid))
        return reply_bad_request(x, "An upload is named by a UUID.");
    uploads_remove(uploads->state_folder, id);
    return TRACE(create(uploads, x, id));
}

struct upload { /* one that is there */
    const char *id;
    uint64_t size_bytes; /* that it will have */
    uint64_t offset;     /* that it has */
    int fd;              /* owned; its data */
};

static void upload_fini(struct upload *upload)
{
    fd_closep(&upload->fd);
}

/* Return: 0, UPLOADS_E_MISSING, or -errno. */
static int
read_info(const char *state_folder, const char *id, uint64_t *ret_size, struct buf *ret_name)
{
    OWN(buf_fini) struct buf text = BUF_INIT(INFO_MAX_BYTES);
    OWN(json_decrefp) json_t *info = NULL;
    char path[PATH_MAX_BYTES];
    const char *name;
    json_int_t size;
    int r;

    if (!put_path(path, state_folder, id, ".json"))
        return ERR(-ENAMETOOLONG);
    r = file_read(path, &text);
    if (r < 0)
        return TRACE(r);
    info = r == 0 ? json_loadb(buf_str(&text), text.len, 0, NULL) : NULL;
    if (!info || json_unpack(info, "{s:s, s:I}", "name", &name, "size_bytes", &size) != 0 ||
        size < 1)
        return UPLOADS_E_MISSING;
    *ret_size = (uint64_t)size;
    if (ret_name)
        buf_adds(ret_name, name);
    return 0;
}

int uploads_read_name(const char *state_folder, const char *id, struct buf *ret)
{
    uint64_t size;

    return TRACE(read_info(state_folder, id, &size, ret));
}

/* Return: 0, UPLOADS_E_MISSING, or -errno. */
static int open_upload(const char *state_folder, const char *id, struct upload *ret)
{
    uint8_t uuid[UUID_BYTES];
    char path[PATH_MAX_BYTES];
    struct stat st;
    int r;

    if (!uuid_parse(bytes_of(id), uuid))
        return UPLOADS_E_MISSING;
    r = read_info(state_folder, id, &ret->size_bytes, NULL);
    if (r != 0)
        return r;
    if (!put_path(path, state_folder, id, ".data"))
        return ERR(-ENAMETOOLONG);
    ret->fd = open(path, O_RDWR | O_CLOEXEC);
    if (ret->fd < 0)
        return errno == ENOENT ? UPLOADS_E_MISSING : ERR(-errno);
    if (fstat(ret->fd, &st) < 0)
        return ERR(-errno);
    ret->id = id;
    ret->offset = (uint64_t)st.st_size;
    return 0;
}

static int reply_missing(struct http_exchange *x)
{
    return http_reply_problem(x,
                              404,
                              "SLW-0310",
                              "There is no such upload",
                              "It was never made, was used or dropped, or has expired: an upload "
                              "is kept for 24 hours after its last part.");
}

static int reply_offset(struct http_exchange *x, unsigned status, uint64_t offset)
{
    char text[OFFSET_TEXT_MAX];
    int r;

    (void)snprintf(text, sizeof(text), "%" PRIu64, offset);
    r = http_add_header(x, "Upload-Offset", text);
    if (r < 0)
        return TRACE(r);
    if (status < 400)
        return http_reply_empty(x, status);
    return http_reply_problem(x,
                              status,
                              "SLW-0311",
                              "The part does not begin where the upload ends",
                              "Go on with the offset in the header Upload-Offset: %" PRIu64 ".",
                              offset);
}

/* All of it durably, or nothing. Return: 0, FILE_E_FULL, or -errno. */
static int append(const struct upload *upload, struct bytes part)
{
    int r;

    if (lseek(upload->fd, (off_t)upload->offset, SEEK_SET) < 0)
        return ERR(-errno);
    r = fd_write_if_room(upload->fd, part);
    if (r == 0)
        r = fd_sync_if_room(upload->fd);
    if (r != 0 && ftruncate(upload->fd, (off_t)upload->offset) < 0)
        return ERR(-errno);
    return TRACE(r);
}

int uploads_add_part(void *ctx, struct http_exchange *x)
{
    struct uploads *uploads = ctx;
    OWN(upload_fini) struct upload upload = {.fd = -1};
    const char *header = http_header(x, "Upload-Offset");
    struct bytes part = http_body(x);
    uint64_t offset;
    int r;

    if (!header || !bytes_parse_u64(bytes_of(header), 0, UPLOAD_MAX_BYTES, &offset))
        return reply_bad_request(x, "The header Upload-Offset is missing or is not a number.");
    r = open_upload(uploads->state_folder, http_param(x, "id"), &upload);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return reply_missing(x);
    if (offset != upload.offset)
        return reply_offset(x, 409, upload.offset);
    if (part.len > upload.size_bytes - upload.offset)
        return reply_bad_request(x, "The part goes beyond the size the upload was made with.");
    r = append(&upload, part);
    if (r == FILE_E_FULL)
        return reply_full(x);
    if (r < 0)
        return TRACE(r);
    return reply_offset(x, 204, offset + part.len);
}

int uploads_get_offset(void *ctx, struct http_exchange *x)
{
    struct uploads *uploads = ctx;
    OWN(upload_fini) struct upload upload = {.fd = -1};
    int r = open_upload(uploads->state_folder, http_param(x, "id"), &upload);

    if (r < 0)
        return TRACE(r);
    return r > 0 ? reply_missing(x) : reply_offset(x, 204, upload.offset);
}

int uploads_drop(void *ctx, struct http_exchange *x)
{
    struct uploads *uploads = ctx;
    OWN(upload_fini) struct upload upload = {.fd = -1};
    int r = open_upload(uploads->state_folder, http_param(x, "id"), &upload);

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return reply_missing(x);
    uploads_remove(uploads->state_folder, upload.id);
    return http_reply_empty(x, 204);
}

int uploads_find(const char *state_folder, const char *id, struct buf *ret)
{
    OWN(upload_fini) struct upload upload = {.fd = -1};
    int r = open_upload(state_folder, id, &upload);

    if (r != 0)
        return r < 0 ? TRACE(r) : UPLOADS_E_MISSING;
    if (upload.offset != upload.size_bytes)
        return UPLOADS_E_INCOMPLETE;
    buf_addf(ret, "%s/" FOLDER "/%s.data", state_folder, id);
    return ret->failed ? ERR(-ENAMETOOLONG) : 0;
}
