/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/operation.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/upload.h"
#include "cli/upload_note.h"
#include "cli/when.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    PATH_MAX_BYTES = 1024,
    US_PER_S = 1000000,
    FIRST_RETRY_US = 500 * 1000,
};

static const struct output_column os_columns[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"NAME", "name", OUTPUT_TEXT},
    {"VERSION", "version", OUTPUT_TEXT},
    {"STATE", "state", OUTPUT_TEXT},
    {"SIZE", "size_bytes", OUTPUT_BYTES},
    {"CREATED (UTC)", "created_at", OUTPUT_TIME},
    {0},
};

static const struct output_column boot_columns[] = {
    {"ID", "id", OUTPUT_TEXT},
    {"NAME", "name", OUTPUT_TEXT},
    {"ARCH", "arch", OUTPUT_TEXT},
    {"FLAVOUR", "flavour", OUTPUT_TEXT},
    {"STATE", "state", OUTPUT_TEXT},
    {"KERNEL", "kernel_version", OUTPUT_TEXT},
    {"CREATED (UTC)", "created_at", OUTPUT_TIME},
    {0},
};

/* An upload on its way. */
struct sending {
    struct session *s;
    const char *file;
    struct upload upload;
    struct upload_note note;
    struct progress progress;
    uint64_t first_offset; /* where this run began, for the rate */
};

static void show_sending(void *ctx, uint64_t done_bytes)
{
    struct sending *sending = ctx;
    OWN(buf_fini) struct buf more = BUF_INIT(PATH_MAX_BYTES);
    uint64_t size = sending->upload.size_bytes;
    uint64_t spent_us = clock_monotonic_us() - sending->progress.started_us;

    when_put_bytes(&more, done_bytes);
    if (spent_us > US_PER_S && done_bytes >= sending->first_offset) {
        buf_adds(&more, ", ");
        when_put_bytes(&more, (done_bytes - sending->first_offset) / (spent_us / US_PER_S));
        buf_adds(&more, "/s");
    }
    progress_show(&sending->progress,
                  sending->file,
                  (unsigned)(size / 100 ? done_bytes / (size / 100) : 100),
                  buf_str(&more));
}

static bool report_silence(struct sending *sending)
{
    struct session *s = sending->s;
    OWN(buf_fini) struct buf why = BUF_INIT(PATH_MAX_BYTES);

    if (sending->upload.status)
        buf_addf(&why, "it answers HTTP %u", sending->upload.status);
    else
        buf_adds(&why, http_client_why(s->client));
    return session_fail(
        s,
        ARGS_EXIT_UNREACHABLE,
        "SLW-0702",
        "%s: the upload stopped after %" PRIu64
        " bytes, the site cannot take more: %s; the same command goes on from there",
        sending->file,
        sending->upload.offset,
        buf_str(&why));
}

static bool report_upload(struct sending *sending, int r)
{
    struct session *s = sending->s;
    OWN(session_json_freep) json_t *problem = NULL;
    const struct http_answer *answer = &sending->upload.answer;

    if (r < 0)
        return session_fail_errno(s, sending->file, r);
    switch (r) {
    case UPLOAD_E_UNREACHABLE:
        return report_silence(sending);
    case UPLOAD_E_PIN:
        return session_no_answer(s, HTTP_CLIENT_E_PIN);
    case UPLOAD_E_REFUSED:
        problem = json_loadb(buf_str(&answer->body), answer->body.len, 0, NULL);
        return session_problem(s, answer->status, problem);
    case UPLOAD_E_FILE:
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0706",
                            "%s became shorter while it was sent; send it again when it is whole",
                            sending->file);
    default:
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0706",
                            "%s: the site lost track of the upload; send it again",
                            sending->file);
    }
}

static bool begin_upload(struct sending *sending)
{
    struct session *s = sending->s;
    OWN(session_json_freep) json_t *created = NULL;
    const char *slash = strrchr(sending->file, '/');
    json_t *body = json_pack("{s:s, s:I}",
                             "name",
                             slash ? slash + 1 : sending->file,
                             "size_bytes",
                             (json_int_t)sending->upload.size_bytes);

    if (!body)
        return session_fail(
            s, ARGS_EXIT_FAILURE, "SLW-0704", "%s: the name is not UTF-8", sending->file);
    if (!session_call(s, "POST", "/uploads", body, &created))
        return false;
    if (!output_text(created, "id")[0])
        return session_no_answer(s, -EBADMSG);
    upload_note_set(&sending->note, output_text(created, "id"));
    return true;
}

/* Whether an earlier run has begun with this file, and the site still knows. */
static bool resume_upload(struct sending *sending, struct buf *path)
{
    if (!upload_note_load(&sending->note))
        return false;
    buf_clear(path);
    buf_adds(path, SESSION_API "/uploads/");
    session_escape(path, sending->note.id);
    sending->upload.path = buf_str(path);
    return upload_find(&sending->upload) == 0;
}

static bool send_file(struct sending *sending)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    int r;

    progress_init(&sending->progress, sending->s->is_err_terminal);
    if (!resume_upload(sending, &path)) {
        sending->upload.offset = 0;
        if (!begin_upload(sending))
            return false;
        buf_clear(&path);
        buf_adds(&path, SESSION_API "/uploads/");
        session_escape(&path, sending->note.id);
    }
    sending->upload.path = buf_str(&path);
    sending->first_offset = sending->upload.offset;
    r = upload_run(&sending->upload);
    progress_end(&sending->progress);
    return r == 0 || report_upload(sending, r);
}

static bool open_file(struct session *s, const char *file, int *ret_fd, struct stat *ret)
{
    *ret_fd = open(file, O_RDONLY | O_CLOEXEC);
    if (*ret_fd < 0 || fstat(*ret_fd, ret) < 0)
        return session_fail_errno(s, file, -errno);
    if (!S_ISREG(ret->st_mode) || ret->st_size == 0)
        return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0704", "%s is not a file or is empty", file);
    return true;
}

static bool print_os_image(struct session *s, const char *id)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Name", "name", OUTPUT_TEXT},
        {"Version", "version", OUTPUT_TEXT},
        {"Comment", "comment", OUTPUT_TEXT},
        {"State", "state", OUTPUT_TEXT},
        {"Size", "size_bytes", OUTPUT_BYTES},
        {"Created (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };
    static const struct output_column indexes[] = {
        {"INDEX", "index", OUTPUT_TEXT},
        {"NAME", "name", OUTPUT_TEXT},
        {"DESCRIPTION", "description", OUTPUT_TEXT},
        {"ARCH", "arch", OUTPUT_TEXT},
        {"SIZE", "size_bytes", OUTPUT_BYTES},
        {"FILES", "file_count", OUTPUT_TEXT},
        {"MANIFEST", "manifest", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *image = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&path, id);
    return session_get(s, &image, "/os-images/%s", buf_str(&path)) &&
           session_print_fields(s, image, fields) &&
           session_print_part(s, "Indexes", output_at(image, "indexes"), indexes);
}

static bool print_boot_image(struct session *s, const char *id)
{
    static const struct output_column fields[] = {
        {"ID", "id", OUTPUT_TEXT},
        {"Name", "name", OUTPUT_TEXT},
        {"Architecture", "arch", OUTPUT_TEXT},
        {"Flavour", "flavour", OUTPUT_TEXT},
        {"State", "state", OUTPUT_TEXT},
        {"Kernel", "kernel_version", OUTPUT_TEXT},
        {"Agent", "agent_version", OUTPUT_TEXT},
        {"Created (UTC)", "created_at", OUTPUT_TIME},
        {0},
    };
    static const struct output_column files[] = {
        {"FILE", "name", OUTPUT_TEXT},
        {"SIZE", "size_bytes", OUTPUT_BYTES},
        {"SHA-256", "sha256", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *image = NULL;
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&path, id);
    return session_get(s, &image, "/boot-images/%s", buf_str(&path)) &&
           session_print_fields(s, image, fields) &&
           session_print_part(s, "Files", output_at(image, "files"), files);
}

static json_t *os_image_request(const struct args *args, const char *upload_id)
{
    const char *version = args_get(args, "version");
    const char *comment = args_get(args, "comment");

    return json_pack("{s:s, s:s, s:s*, s:s*}",
                     "name",
                     args_get(args, "name"),
                     "upload_id",
                     upload_id,
                     "version",
                     version,
                     "comment",
                     comment);
}

static bool import_os_image(struct session *s, const struct args *args, const char *upload_id)
{
    OWN(session_json_freep) json_t *image = NULL;
    json_t *body = os_image_request(args, upload_id);

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, "SLW-0704", "the name is not UTF-8");
    return session_call(s, "POST", "/os-images", body, &image) &&
           operation_follow(s, output_text(image, "operation_id")) &&
           print_os_image(s, output_text(image, "id"));
}

bool image_os_add(struct session *s, const struct args *args)
{
    OWN(fd_closep) int fd = -1;
    struct stat stat = {0};
    struct sending sending = {.s = s, .file = args->operands[0]};
    bool is_sent;

    if (!open_file(s, sending.file, &fd, &stat) || !session_open(s))
        return false;
    sending.upload = (struct upload){
        .client = s->client,
        .fd = fd,
        .size_bytes = (uint64_t)stat.st_size,
        .part_bytes = UPLOAD_PART_BYTES,
        .retry_us = FIRST_RETRY_US,
        .on_progress = show_sending,
        .ctx = &sending,
    };
    upload_note_init(&sending.note, s->site.url, &stat);
    is_sent = send_file(&sending);
    http_answer_fini(&sending.upload.answer);
    if (!is_sent)
        return false;
    upload_note_remove(&sending.note);
    return import_os_image(s, args, sending.note.id);
}

bool image_os_list(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *rows = NULL;

    (void)args;
    return session_open(s) && session_list(s, "/os-images", &rows) &&
           session_print_list(s, rows, os_columns);
}

bool image_os_show(struct session *s, const struct args *args)
{
    return session_open(s) && print_os_image(s, args->operands[0]);
}

bool image_boot_build(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *image = NULL;
    json_t *body = json_pack("{s:s, s:s*, s:s*}",
                             "arch",
                             args_get(args, "arch"),
                             "flavour",
                             args_get(args, "flavour"),
                             "name",
                             args_get(args, "name"));

    if (!body)
        return session_fail(s, ARGS_EXIT_USAGE, "SLW-0704", "the name is not UTF-8");
    if (!session_open(s)) {
        json_decref(body);
        return false;
    }
    return session_call(s, "POST", "/boot-images", body, &image) &&
           operation_follow(s, output_text(image, "operation_id")) &&
           print_boot_image(s, output_text(image, "id"));
}

bool image_boot_list(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *rows = NULL;

    (void)args;
    return session_open(s) && session_list(s, "/boot-images", &rows) &&
           session_print_list(s, rows, boot_columns);
}

bool image_boot_show(struct session *s, const struct args *args)
{
    return session_open(s) && print_boot_image(s, args->operands[0]);
}
