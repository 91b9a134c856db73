/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/own.h"
#include "cli/content.h"
#include "cli/download.h"
#include "cli/operation.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/upload_note.h"

enum {
    PATH_MAX_BYTES = 1024,
    KEY_MAX_BYTES = 16 * 1024,
    INDEX_MAX = 100000,
    FIRST_RETRY_US = 500 * 1000,
};

/* An export on its way to a file. */
struct exporting {
    struct session *s;
    const char *path; /* of the API, what makes the file */
    json_t *body;     /* borrowed; which file */
    const char *target;
    struct upload_note note; /* its id is the operation's */
    json_t *operation;       /* owned; as it was last seen */
    struct progress progress;
};

static void exporting_fini(struct exporting *e)
{
    json_decref(e->operation);
}

/* Of the same command, so that a run that was stopped is gone on with. */
static void init_note(struct exporting *e)
{
    OWN(buf_fini) struct buf key = BUF_INIT(KEY_MAX_BYTES);
    OWN(freep) char *folder = realpath(".", NULL);
    OWN(freep) char *wanted = json_dumps(e->body, JSON_COMPACT | JSON_SORT_KEYS);

    buf_addf(&key,
             "export\n%s\n%s\n%s\n%s\n%s",
             e->s->site.url,
             e->path,
             wanted ? wanted : "",
             e->target[0] == '/' || !folder ? "" : folder,
             e->target);
    upload_note_init_key(&e->note, buf_str(&key));
}

static json_t *make_request(struct session *s, const struct args *args)
{
    const char *index = args_get(args, "index");
    uint64_t n = 0;
    json_t *body = json_pack("{s:s*, s:b}",
                             "compress",
                             args_get(args, "compress"),
                             "is_solid",
                             (int)(args_get(args, "solid") != NULL));

    if (index && !bytes_parse_u64(bytes_of(index), 1, INDEX_MAX, &n)) {
        (void)session_fail(s, ARGS_EXIT_USAGE, NULL, "--index %s: not a number from 1", index);
        json_decref(body);
        return NULL;
    }
    if (index)
        (void)json_object_set_new(body, "indexes", json_pack("[I]", (json_int_t)n));
    return body;
}

static bool order_export(struct exporting *e)
{
    OWN(session_json_freep) json_t *begun = NULL;

    if (!session_call(e->s, "POST", e->path, json_incref(e->body), &begun))
        return false;
    upload_note_set(&e->note, output_text(begun, "operation_id"));
    return true;
}

/* Wait for the operation, and see what it made. */
static bool await_export(struct exporting *e)
{
    OWN(buf_fini) struct buf id = BUF_INIT(PATH_MAX_BYTES);

    session_escape(&id, e->note.id);
    json_decref(e->operation);
    e->operation = NULL;
    return operation_follow(e->s, e->note.id) &&
           session_get(e->s, &e->operation, "/operations/%s", buf_str(&id));
}

/* Whether the file of an earlier run's export is still at the site. */
static bool resume_export(struct exporting *e)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *state;

    if (!upload_note_load(&e->note))
        return false;
    buf_adds(&path, "/operations/");
    session_escape(&path, e->note.id);
    if (session_try(e->s, "GET", buf_str(&path), NULL, &answer) != 0 || answer.status != 200)
        return false;
    e->operation = json_loadb(buf_str(&answer.body), answer.body.len, 0, NULL);
    state = output_text(e->operation, "state");
    return strcmp(state, "queued") == 0 || strcmp(state, "running") == 0 ||
           strcmp(state, "succeeded") == 0;
}

static void show_coming(void *ctx, const struct download *d)
{
    struct exporting *e = ctx;

    progress_show_bytes(&e->progress,
                        e->target,
                        &(struct progress_bytes){
                            .first = d->first_offset,
                            .done = d->offset,
                            .size = d->size_bytes,
                        });
}

static bool report_download(struct exporting *e, struct download *d, int r)
{
    OWN(session_json_freep) json_t *problem = NULL;
    struct session *s = e->s;

    switch (r) {
    case DOWNLOAD_E_UNREACHABLE:
        return session_fail(
            s,
            ARGS_EXIT_UNREACHABLE,
            "SLW-0702",
            "%s: the download stopped after %" PRIu64
            " bytes, the site does not send more; the same command goes on from there",
            e->target,
            d->offset);
    case DOWNLOAD_E_PIN:
        return session_no_answer(s, HTTP_CLIENT_E_PIN);
    case DOWNLOAD_E_REFUSED:
        problem = json_loadb(buf_str(&d->answer.body), d->answer.body.len, 0, NULL);
        return session_problem(s, d->answer.status, problem);
    case DOWNLOAD_E_CORRUPT:
        return session_fail(
            s,
            ARGS_EXIT_FAILURE,
            "SLW-0708",
            "%s: what has arrived is not what the site made; nothing of it is kept, "
            "export it again",
            e->target);
    default:
        return r < 0 ? session_fail_errno(s, e->target, r) : session_no_answer(s, -EBADMSG);
    }
}

/* Return: as download_run(). */
static int download(struct exporting *e, struct download *d)
{
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const char *sha256 = output_text(e->operation, "result.sha256");
    int r;

    buf_adds(&path, SESSION_API "/exports/");
    session_escape(&path, output_text(e->operation, "result.export_id"));
    *d = (struct download){
        .client = e->s->client,
        .path = buf_str(&path),
        .target = e->target,
        .size_bytes = output_u64(e->operation, "result.size_bytes"),
        .part_bytes = DOWNLOAD_PART_BYTES,
        .retry_us = FIRST_RETRY_US,
        .on_progress = show_coming,
        .ctx = e,
    };
    if (!hex_parse(bytes_of(sha256), SHA256_BYTES, d->sha256))
        return DOWNLOAD_E_CONFUSED;
    progress_init(&e->progress, e->s->is_err_terminal);
    r = download_run(d);
    progress_end(&e->progress);
    return r;
}

static bool fetch_export(struct exporting *e)
{
    struct download d;
    int r = download(e, &d);
    bool is_done = r == 0 || report_download(e, &d, r);

    http_answer_fini(&d.answer);
    /* What can be gone on with stays noted. */
    if (r != DOWNLOAD_E_UNREACHABLE)
        upload_note_remove(&e->note);
    return is_done;
}

/* Whether the file can be written, before the site works for nothing. */
static bool check_target(struct session *s, const char *target)
{
    OWN(freep) char *folder = strdup(target);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    struct stat file;

    if (!folder)
        return session_fail_errno(s, target, -ENOMEM);
    if (stat(target, &file) == 0 && S_ISDIR(file.st_mode))
        return session_fail_errno(s, target, -EISDIR);
    if (slash)
        slash[slash == folder] = '\0';
    return access(slash ? folder : ".", W_OK | X_OK) == 0 || session_fail_errno(s, target, -errno);
}

static bool export_to(struct exporting *e, const struct output_column *fields)
{
    init_note(e);
    if (!resume_export(e) && !order_export(e))
        return false;
    return await_export(e) && fetch_export(e) && session_print_fields(e->s, e->operation, fields);
}

bool image_os_export(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"Operation", "id", OUTPUT_TEXT},
        {"OS image", "package_id", OUTPUT_TEXT},
        {"Content version", "version", OUTPUT_TEXT},
        {"Size", "result.size_bytes", OUTPUT_BYTES},
        {"SHA-256", "result.sha256", OUTPUT_TEXT},
        {0},
    };
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(session_json_freep) json_t *image = NULL;
    OWN(session_json_freep) json_t *body = make_request(s, args);
    OWN(exporting_fini) struct exporting e = {.s = s, .body = body, .target = args->operands[1]};

    if (!body || !check_target(s, e.target) || !session_open(s) || !content_find(s, args, &image))
        return false;
    buf_adds(&path, "/content/");
    session_escape(&path, output_text(image, "id"));
    buf_adds(&path, "/exports");
    e.path = buf_str(&path);
    return export_to(&e, fields);
}

/* "SLP00001,SLP00002" */
static json_t *make_prestage_request(const char *list)
{
    json_t *contents = json_array();

    while (*list != '\0') {
        size_t len = strcspn(list, ",");

        if (len > 0)
            (void)json_array_append_new(contents, json_stringn(list, len));
        list += len;
        list += strspn(list, ",");
    }
    return json_pack("{s:o}", "contents", contents);
}

bool content_prestage(struct session *s, const struct args *args)
{
    static const struct output_column fields[] = {
        {"Operation", "id", OUTPUT_TEXT},
        {"Size", "result.size_bytes", OUTPUT_BYTES},
        {"SHA-256", "result.sha256", OUTPUT_TEXT},
        {0},
    };
    OWN(session_json_freep) json_t *body = make_prestage_request(args->operands[0]);
    OWN(exporting_fini)
    struct exporting e = {
        .s = s, .path = "/prestaged-contents", .body = body, .target = args->operands[1]};

    return body && check_target(s, e.target) && session_open(s) && export_to(&e, fields);
}
