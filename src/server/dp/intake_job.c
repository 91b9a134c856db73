/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/intake_job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "server/dp/uploads.h"
#include "store/intake.h"

enum {
    PARTS_FOLDER_MODE = 0700,
};

void intake_source_fini(struct intake_source *source)
{
    buf_fini(&source->path);
    buf_fini(&source->name);
}

/* Where a complete upload lies. Return: 0, INTAKE_JOB_E_TOLD, or -errno. */
static int find_data(const struct worker *worker, const char *id, struct buf *ret)
{
    int r = uploads_find(worker->state_folder, id, ret);

    if (r < 0)
        return TRACE(r);
    if (r == UPLOADS_E_INCOMPLETE)
        worker_fail("SLW-0314", "The upload %s is not complete. Finish it, then import.", id);
    else if (r != 0)
        worker_fail(
            "SLW-0310", "The upload %s is not there (any more). Upload the file again.", id);
    return r == 0 ? 0 : INTAKE_JOB_E_TOLD;
}

/* Part @number of a split image gets the name by which it is found beside the first one. */
static int
link_part(const struct worker *worker, const char *data, size_t number, struct buf *ret_path)
{
    buf_clear(ret_path);
    buf_addf(ret_path, "%s/" WORKER_PARTS_FOLDER "/image", worker->state_folder);
    if (number > 1)
        buf_addf(ret_path, "%zu", number);
    buf_adds(ret_path, ".swm");
    if (ret_path->failed)
        return ERR(-ENAMETOOLONG);
    return symlink(data, buf_str(ret_path)) == 0 ? 0 : ERR(-errno);
}

/* @source: of the first part; its path becomes the one beside which the others lie. */
static int
lay_out_parts(const struct worker *worker, const json_t *parts, struct intake_source *source)
{
    OWN(buf_fini) struct buf first = BUF_INIT(INTAKE_JOB_PATH_MAX);
    OWN(buf_fini) struct buf path = BUF_INIT(INTAKE_JOB_PATH_MAX);
    OWN(buf_fini) struct buf data = BUF_INIT(INTAKE_JOB_PATH_MAX);
    int r = worker_clean_up(worker->state_folder);

    buf_addf(&path, "%s/" WORKER_PARTS_FOLDER, worker->state_folder);
    if (r == 0)
        r = dir_make(buf_str(&path), PARTS_FOLDER_MODE);
    if (r == 0)
        r = link_part(worker, buf_str(&source->path), 1, &first);
    for (size_t i = 0; r == 0 && i < json_array_size(parts); i++) {
        const char *id = json_string_value(json_array_get(parts, i));

        buf_clear(&data);
        r = find_data(worker, id ? id : "", &data);
        if (r == 0)
            r = link_part(worker, buf_str(&data), i + 2, &path);
    }
    if (r != 0)
        return TRACE(r);
    buf_clear(&source->path);
    buf_add(&source->path, buf_bytes(&first));
    return source->path.failed ? ERR(-ENOMEM) : 0;
}

static int find_upload(const struct worker *worker, const char *id, struct intake_source *ret)
{
    const json_t *parts = json_object_get(worker->args, "part_upload_ids");
    int r = find_data(worker, id, &ret->path);

    ret->is_upload = true;
    if (r == 0)
        r = uploads_read_name(worker->state_folder, id, &ret->name);
    if (r == 0 && json_array_size(parts) > 0)
        r = lay_out_parts(worker, parts, ret);
    return TRACE(r);
}

static int refuse(const char *path, const char *why)
{
    worker_fail("SLW-0320",
                "The source \"%s\" cannot be read: %s. It must be an absolute path on the "
                "distribution point's host that the user slipway-dp may read.",
                path,
                why);
    return INTAKE_JOB_E_TOLD;
}

/* The last name of a path: "install.wim" of "/media/install.wim", "media" of "/media/". */
static void put_name(const char *path, struct buf *ret)
{
    size_t end = strlen(path);
    size_t begin;

    while (end > 1 && path[end - 1] == '/')
        end--;
    begin = end;
    while (begin > 0 && path[begin - 1] != '/')
        begin--;
    buf_add(ret, (struct bytes){(const uint8_t *)path + begin, end - begin});
}

static int find_path(const char *path, struct intake_source *ret)
{
    OWN(fd_closep) int fd = -1;
    struct stat st;

    if (path[0] != '/')
        return refuse(path, "it is not an absolute path");
    fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(path, strerrordesc_np(errno));
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return refuse(path, "it is neither a file nor a folder");
    ret->is_folder = S_ISDIR(st.st_mode);
    buf_adds(&ret->path, path);
    put_name(path, &ret->name);
    return ret->path.failed || ret->name.failed ? refuse(path, "it is too long") : 0;
}

int intake_job_find_source(const struct worker *worker, struct intake_source *ret)
{
    const char *id = json_string_value(json_object_get(worker->args, "upload_id"));
    const char *path = json_string_value(json_object_get(worker->args, "source_path"));

    if (id && !path)
        return TRACE(find_upload(worker, id, ret));
    if (path && !id)
        return TRACE(find_path(path, ret));
    worker_fail("SLW-0316", "The job must name an upload or a path, and not both.");
    return INTAKE_JOB_E_TOLD;
}

int intake_job_fail(int outcome, const char *what)
{
    switch (outcome) {
    case STORE_E_FULL:
        worker_fail("SLW-0303",
                    "The content store has no space left for %s. What was stored is kept, so free "
                    "some space and import again.",
                    what);
        return INTAKE_JOB_E_TOLD;
    case STORE_E_MISSING:
        worker_fail("SLW-0361",
                    "A validation found damaged content that %s shares, and took it away. Import "
                    "again.",
                    what);
        return INTAKE_JOB_E_TOLD;
    case INTAKE_E_TOO_LARGE:
        worker_fail("SLW-0320", "%s is larger than content may be (16 TiB).", what);
        return INTAKE_JOB_E_TOLD;
    case INTAKE_E_ENTRY:
        worker_fail("SLW-0320",
                    "%s: its path, its target or its folder is not one that can be kept.",
                    what);
        return INTAKE_JOB_E_TOLD;
    default:
        return outcome < 0 ? TRACE(outcome) : ERR(-EPROTO);
    }
}
