/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
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
#include "server/role.h"

enum {
    JOB_MAX_BYTES = 64 * 1024,
    MESSAGE_MAX_BYTES = 4096,
    FILES_MAX = 512,
};

/* A WIM whose tables ask for more than this is not an image of ours to import. */
#define MEMORY_MAX_BYTES (UINT64_C(6) * 1024 * 1024 * 1024)

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

void worker_tell(struct worker *worker, unsigned percent, const char *message)
{
    OWN(json_decrefp)
    json_t *line = json_pack("{s:i, s:s}", "percent", (int)percent, "message", message);

    worker->told_percent = percent;
    (void)put_line(line); /* whoever does not listen will not miss it */
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

static int read_job(json_t **ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(JOB_MAX_BYTES);
    int r = file_read("/dev/stdin", &text);

    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-EMSGSIZE);
    *ret = json_loadb(buf_str(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
    return *ret ? 0 : ERR(-EBADMSG);
}

static int run_kind(struct worker *worker, const char *kind)
{
    if (strcmp(kind, "import-os-image") == 0)
        return TRACE(worker_import_os_image(worker));
    if (strcmp(kind, "build-boot-image") == 0)
        return TRACE(worker_build_boot_image(worker));
    worker_fail("SLW-0316", "This server knows no job of the kind \"%s\".", kind);
    return 0;
}

static int run_job(const struct role_options *options)
{
    OWN(json_decrefp) json_t *job = NULL;
    struct worker worker = {
        .state_folder = options->state_folder, .self = options->self, .kernel_roots = ""};
    const char *kind;
    json_t *args;
    int r = read_job(&job);

    if (r < 0)
        return TRACE(r);
    if (json_unpack(job,
                    "{s:s, s:o, s?s}",
                    "kind",
                    &kind,
                    "args",
                    &args,
                    "kernel_roots",
                    &worker.kernel_roots) != 0)
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
