/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/worker.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/log.h"
#include "server/dp/exports.h"
#include "server/role.h"

enum {
    JOB_MAX_BYTES = 1024 * 1024,
    PATH_MAX_BYTES = 4096,
    PIECE_BYTES = 4096,
    MESSAGE_MAX_BYTES = 4096,
    FILES_MAX = 512,
};

/* A WIM whose tables ask for more than this is not an image of ours to import. */
#define MEMORY_MAX_BYTES (UINT64_C(6) * 1024 * 1024 * 1024)

int worker_clean_up(const char *state_folder)
{
    static const char *const folders[] = {
        WORKER_BUILD_FOLDER, WORKER_EXPORT_FOLDER, WORKER_PARTS_FOLDER};
    char path[PATH_MAX_BYTES];
    int r = 0;

    exports_drop_unfinished(state_folder);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && r == 0; i++) {
        if (snprintf(path, sizeof(path), "%s/%s", state_folder, folders[i]) >= (int)sizeof(path))
            return ERR(-ENAMETOOLONG);
        r = file_exists(path) ? dir_remove(path) : 0;
    }
    return TRACE(r);
}

static int put_line(const json_t *line)
{
    OWN(freep) char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    OWN(buf_fini) struct buf whole = BUF_INIT(SIZE_MAX / 2);

    if (!text)
        return ERR(-ENOMEM);
    buf_adds(&whole, text);
    buf_adds(&whole, "\n");
    if (whole.failed)
        return ERR(-ENOMEM);
    return TRACE(fd_write_all(STDOUT_FILENO, buf_bytes(&whole)));
}

void worker_tell_rate(struct worker *worker, unsigned percent, const char *message, uint64_t rate)
{
    OWN(json_decrefp)
    json_t *line = json_pack("{s:i, s:s, s:I}",
                             "percent",
                             (int)percent,
                             "message",
                             message,
                             "rate_bytes_per_s",
                             (json_int_t)rate);

    worker->told_percent = percent;
    (void)put_line(line); /* whoever does not listen will not miss it */
}

void worker_tell(struct worker *worker, unsigned percent, const char *message)
{
    OWN(json_decrefp)
    json_t *line = json_pack("{s:i, s:s}", "percent", (int)percent, "message", message);

    worker->told_percent = percent;
    (void)put_line(line);
}

void worker_fail(const char *error_id, const char *format, ...)
{
    char message[MESSAGE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(message, sizeof(message), format, args);
    va_end(args);

    /* text of wimlib may quote a file's name in any encoding: then only the id arrives */
    OWN(json_decrefp)
    json_t *line = json_pack("{s:s, s:s*}", "error_id", error_id, "message", message);

    if (!line)
        line = json_pack("{s:s}", "error_id", error_id);
    (void)put_line(line);
}

int worker_succeed(json_t *result)
{
    OWN(json_decrefp) json_t *line = json_pack("{s:o}", "result", result);

    return TRACE(put_line(line));
}

static void limit(__rlimit_resource_t what, uint64_t most)
{
    struct rlimit rlimit = {most, most};

    (void)setrlimit(what, &rlimit); /* a lower one that is already there stays */
}

/*
 * Add what has come on standard input to @worker->said.
 *
 * Return: false if nothing has come, or nothing will come any more.
 */
static bool hear(struct worker *worker)
{
    uint8_t piece[PIECE_BYTES];
    ssize_t n = read(STDIN_FILENO, piece, sizeof(piece));

    if (n <= 0)
        return n < 0 && errno == EINTR;
    buf_add(&worker->said, (struct bytes){piece, (size_t)n});
    return !worker->said.failed;
}

/* Return: owned; the next whole line as JSON; NULL if there is none, or it is no JSON. */
static json_t *take_line(struct worker *worker, bool *ret_is_line)
{
    const char *text = buf_str(&worker->said);
    const char *end = memchr(text, '\n', worker->said.len);

    *ret_is_line = end != NULL;
    if (!end || !worker->said.ptr)
        return NULL;

    size_t len = (size_t)(end - text);
    json_t *value = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);

    worker->said.len -= len + 1;
    memmove(worker->said.ptr, worker->said.ptr + len + 1, worker->said.len + 1);
    return value;
}

/* Somebody who starts a worker by hand may leave out the newline. */
static int read_job(struct worker *worker, json_t **ret)
{
    bool is_line = false;

    while (!memchr(buf_str(&worker->said), '\n', worker->said.len) && hear(worker))
        ;
    if (worker->said.failed)
        return ERR(-EMSGSIZE);
    *ret = take_line(worker, &is_line);
    if (!is_line)
        *ret = json_loadb(buf_str(&worker->said), worker->said.len, JSON_REJECT_DUPLICATES, NULL);
    return *ret ? 0 : ERR(-EBADMSG);
}

uint64_t worker_rate_limit(struct worker *worker)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    bool is_line = true;

    while (poll(&input, 1, 0) == 1 && hear(worker))
        ;
    while (is_line) {
        OWN(json_decrefp) json_t *line = take_line(worker, &is_line);
        const json_t *limit = json_object_get(line, "rate_limit_bytes_per_s");

        if (json_is_integer(limit) && json_integer_value(limit) >= 0)
            worker->rate_limit = (uint64_t)json_integer_value(limit);
    }
    return worker->rate_limit;
}

static const struct {
    const char *name;
    int (*run)(struct worker *worker);
} kinds[] = {
    {"build-boot-image", worker_build_boot_image},
    {"collect", worker_collect},
    {"export-os-image", worker_export_os_image},
    {"import-os-image", worker_import_os_image},
    {"import-tree", worker_import_tree},
    {"prestage-export", worker_prestage_export},
    {"remove", worker_remove},
    {"replicate", worker_replicate},
    {"validate", worker_validate},
    {"wake", worker_wake},
};

static int run_kind(struct worker *worker, const char *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kind, kinds[i].name) == 0)
            return TRACE(kinds[i].run(worker));
    worker_fail("SLW-0316", "This server knows no job of the kind \"%s\".", kind);
    return 0;
}

static void worker_fini(struct worker *worker)
{
    buf_fini(&worker->said);
}

static int run_job(const struct role_options *options)
{
    OWN(json_decrefp) json_t *job = NULL;
    OWN(worker_fini)
    struct worker worker = {
        .state_folder = options->state_folder,
        .self = options->self,
        .kernel_roots = "",
        .x86_root = "",
        .said = BUF_INIT(JOB_MAX_BYTES),
    };
    const char *kind;
    json_t *args;
    int r = read_job(&worker, &job);

    if (r < 0)
        return TRACE(r);
    if (json_unpack(job,
                    "{s:s, s:o, s?s, s?s}",
                    "kind",
                    &kind,
                    "args",
                    &args,
                    "kernel_roots",
                    &worker.kernel_roots,
                    "x86_root",
                    &worker.x86_root) != 0)
        return ERR(-EBADMSG);
    worker.args = args;
    return TRACE(run_kind(&worker, kind));
}

int server_worker_main(const struct role_options *options)
{
    int r;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, FILES_MAX);
    limit(RLIMIT_AS, MEMORY_MAX_BYTES);
    r = run_job(options);
    if (r < 0) {
        log_error("worker: cannot go on", "error=\"%s\"", strerrordesc_np(-r));
        return ROLE_EXIT_FAILED;
    }
    return ROLE_EXIT_DONE;
}
