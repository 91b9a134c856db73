/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/sending.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/progress.h"
#include "plat/file.h"
#include "rt/upload.h"

enum {
    PATH_MAX_BYTES = 1024,
    FIRST_RETRY_US = 500 * 1000,
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

    progress_show_bytes(&sending->progress,
                        sending->file,
                        &(struct progress_bytes){
                            .first = sending->first_offset,
                            .done = done_bytes,
                            .size = sending->upload.size_bytes,
                        });
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

bool sending_can(struct session *s, const char *file)
{
    OWN(fd_closep) int fd = -1;
    struct stat stat = {0};

    return open_file(s, file, &fd, &stat);
}

bool sending_file(struct session *s, const char *file, char ret_id[static UPLOAD_NOTE_ID_MAX])
{
    OWN(fd_closep) int fd = -1;
    struct stat stat = {0};
    struct sending sending = {.s = s, .file = file};
    bool is_sent;

    if (!open_file(s, file, &fd, &stat) || !session_open(s))
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
    (void)snprintf(ret_id, UPLOAD_NOTE_ID_MAX, "%s", sending.note.id);
    return true;
}

void sending_forget(const struct session *s, const char *file)
{
    struct upload_note note;
    struct stat st;

    if (stat(file, &st) != 0)
        return;
    upload_note_init(&note, s->site.url, &st);
    upload_note_remove(&note);
}
