/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/jobs.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "plat/clock.h"
#include "rt/http_client.h"
#include "rt/log.h"
#include "server/dp/child.h"
#include "server/dp/uploads.h"
#include "server/role.h"

enum {
    PATH_MAX_BYTES = 4096,
    API_PATH_MAX = 128,
    ARGUMENT_MAX = 4200,
    TEXT_MAX = 200,
    PACE_US = 1000 * 1000,
    NAP_US = 100 * 1000,
    LINE_WAIT_MAX_MS = 500,
    US_PER_MS = 1000,
    HOW_MAX_BYTES = 128,
    MESSAGE_MAX = 256,
    TIMEOUT_US = 20 * 1000 * 1000, /* of a call to the site */
};

const struct jobs_pace jobs_usual_pace = {PACE_US, PACE_US};

struct jobs {
    const struct role_options *options; /* borrowed */
    struct jobs_pace pace;
    struct http_client *site; /* owned */
    pthread_t thread;
    _Atomic bool is_ending;
};

struct job { /* the one that is run */
    struct jobs *jobs;
    char id[UUID_TEXT_MAX];
    const char *kind; /* of the claim */
    json_t *args;     /* of the claim */
    json_t *progress; /* owned; the last line with a percentage, or NULL */
    json_t *end;      /* owned; the line with the result or the error, or NULL */
    struct buf how;   /* owned; how the worker ended */
    uint64_t told_us;
    bool is_dropped; /* the site does not want it any more */
};

static void job_fini(struct job *job)
{
    json_decref(job->progress);
    json_decref(job->end);
    buf_fini(&job->how);
}

DEFINE_FREEP(struct http_client *, http_client_free);

static void nap(struct jobs *jobs, uint64_t us)
{
    uint64_t end_us = clock_monotonic_us() + us;

    while (!jobs->is_ending && clock_monotonic_us() < end_us)
        clock_sleep_us(us < NAP_US ? us : NAP_US);
}

/* Return: the HTTP status; 0 if the site is away. */
static unsigned
call_site(struct jobs *jobs, const char *method, const char *path, const json_t *body, json_t **ret)
{
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;
    int r = http_client_json(jobs->site, method, path, body, &status, &answer);

    if (r != 0)
        return 0;
    if (ret)
        *ret = TAKE(answer);
    return status;
}

static unsigned tell_site(struct job *job, const json_t *state)
{
    char path[API_PATH_MAX];

    job->told_us = clock_monotonic_us();
    (void)snprintf(path, sizeof(path), "/api/v1/internal/dp/jobs/%s", job->id);
    return call_site(job->jobs, "PATCH", path, state, NULL);
}

/* Also when nothing has changed: the site must hear that we are alive. */
static void tell_progress(struct job *job)
{
    OWN(json_decrefp) json_t *state = json_pack("{s:s}", "state", "running");
    unsigned status;

    if (!state || clock_monotonic_us() - job->told_us < job->jobs->pace.tell_us)
        return;
    if (job->progress && json_object_update_missing(state, job->progress) != 0)
        return;
    status = tell_site(job, state);
    job->is_dropped = status == 404 || status == 409 || status == 410;
}

static json_t *final_state(const struct job *job)
{
    const json_t *error_id = json_object_get(job->end, "error_id");
    const json_t *message = json_object_get(job->end, "message");
    json_t *result = json_object_get(job->end, "result");
    char ended[MESSAGE_MAX];

    (void)snprintf(ended,
                   sizeof(ended),
                   "The worker process %s before it had a result. Its messages are in the server's "
                   "log.",
                   job->how.len > 0 ? buf_str(&job->how) : "could not be run");
    if (result)
        return json_pack("{s:s, s:i, s:O}", "state", "succeeded", "percent", 100, "result", result);
    return json_pack("{s:s, s:s, s:s}",
                     "state",
                     "failed",
                     "error_id",
                     json_is_string(error_id) ? json_string_value(error_id) : "SLW-0315",
                     "message",
                     json_is_string(message) ? json_string_value(message) : ended);
}

/* The end must reach the site, however long that is away. */
static void tell_end(struct job *job)
{
    OWN(json_decrefp) json_t *state = final_state(job);
    unsigned status = 0;

    while (state && !job->jobs->is_ending && (status == 0 || status >= 500)) {
        status = tell_site(job, state);
        if (status == 0 || status >= 500)
            nap(job->jobs, job->jobs->pace.ask_us);
    }
    if (status == 204 || status == 200)
        log_info("dp: job done",
                 "id=%s kind=%s state=%s",
                 job->id,
                 job->kind,
                 json_string_value(json_object_get(state, "state")));
    else
        log_warning("dp: the site did not take a job's end", "id=%s status=%u", job->id, status);
}

static void take_line(struct job *job, const struct buf *line)
{
    json_t *value = json_loadb(buf_str(line), line->len, JSON_REJECT_DUPLICATES, NULL);
    bool is_end = json_object_get(value, "result") || json_object_get(value, "error_id");
    json_t **place = is_end ? &job->end : &job->progress;
    char text[TEXT_MAX];

    if (!json_is_object(value)) {
        log_warning("dp: the worker said something odd",
                    "line=\"%s\"",
                    log_escape(text, sizeof(text), buf_str(line), line->len));
        json_decref(value);
        return;
    }
    json_decref(*place);
    *place = value;
}

static int follow(struct job *job, struct child *child)
{
    OWN(buf_fini) struct buf line = BUF_INIT(CHILD_LINE_MAX_BYTES);
    uint64_t wait_ms = job->jobs->pace.tell_us / US_PER_MS / 2;
    int r = CHILD_E_NOTHING_YET;

    while (r != CHILD_E_END && !job->jobs->is_ending && !job->is_dropped) {
        r = child_read_line(
            child, wait_ms < LINE_WAIT_MAX_MS ? (unsigned)wait_ms : LINE_WAIT_MAX_MS, &line);
        if (r < 0)
            return TRACE(r);
        if (r == 0)
            take_line(job, &line);
        if (r != CHILD_E_END)
            tell_progress(job);
    }
    if (r == CHILD_E_END)
        child_end(child, &job->how);
    return 0;
}

static int run_worker(struct job *job)
{
    const struct role_options *options = job->jobs->options;
    OWN(json_decrefp)
    json_t *input = json_pack("{s:s, s:s, s:O, s:s}",
                              "id",
                              job->id,
                              "kind",
                              job->kind,
                              "args",
                              job->args,
                              "kernel_roots",
                              options->config->boot_image_kernel_roots);
    OWN(freep) char *text = input ? json_dumps(input, JSON_COMPACT) : NULL;
    OWN(child_fini) struct child child = {.out_fd = -1};
    char state[ARGUMENT_MAX];
    const char *const argv[] = {options->self, "--role=worker", state, NULL};
    int r;

    if (!text)
        return ERR(-ENOMEM);
    (void)snprintf(state, sizeof(state), "--state=%s", options->state_folder);
    r = child_start(argv, bytes_of(text), true, &child);
    if (r < 0)
        return TRACE(r);
    return TRACE(follow(job, &child));
}

/* An upload has served its purpose once the site knows how its import ended. */
static void drop_upload(const struct job *job)
{
    const char *id = json_string_value(json_object_get(job->args, "upload_id"));
    uint8_t uuid[UUID_BYTES];

    if (id && uuid_parse(bytes_of(id), uuid) && json_object_get(job->end, "result"))
        uploads_remove(job->jobs->options->state_folder, id);
}

static void run_job(struct jobs *jobs, json_t *claim)
{
    OWN(job_fini) struct job job = {.jobs = jobs, .how = BUF_INIT(HOW_MAX_BYTES)};
    const char *id;

    if (json_unpack(claim, "{s:s, s:s, s:o}", "id", &id, "kind", &job.kind, "args", &job.args) !=
            0 ||
        strlen(id) >= sizeof(job.id)) {
        log_error("dp: the site's job cannot be read", "%s", "");
        return;
    }
    (void)snprintf(job.id, sizeof(job.id), "%s", id);
    log_info("dp: job begins", "id=%s kind=%s", job.id, job.kind);
    if (run_worker(&job) < 0)
        log_error("dp: the worker could not be run", "id=%s kind=%s", job.id, job.kind);
    if (job.is_dropped) {
        log_info("dp: job cancelled by the site", "id=%s", job.id);
        return;
    }
    if (jobs->is_ending)
        return;
    tell_end(&job);
    drop_upload(&job);
}

static void *run(void *ctx)
{
    struct jobs *jobs = ctx;
    bool was_away = false;

    while (!jobs->is_ending) {
        OWN(json_decrefp) json_t *claim = NULL;
        unsigned status = call_site(jobs, "POST", "/api/v1/internal/dp/jobs:claim", NULL, &claim);

        if (status == 200 && claim)
            run_job(jobs, claim);
        else
            nap(jobs, jobs->pace.ask_us);
        if (status == 0 && !was_away)
            log_warning("dp: the site does not answer", "why=\"%s\"", http_client_why(jobs->site));
        if (status != 0 && was_away)
            log_info("dp: the site answers again", "status=%u", status);
        was_away = status == 0;
    }
    return NULL;
}

/* Signals are for the main thread, which ends the role. */
static int start_thread(struct jobs *jobs)
{
    sigset_t all;
    sigset_t before;
    int error;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&jobs->thread, NULL, run, jobs);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? 0 : ERR(-error);
}

int jobs_start(const struct role_options *options, struct jobs_pace pace, struct jobs **ret)
{
    OWN(http_client_freep) struct http_client *site = NULL;
    OWN(freep) struct jobs *jobs = calloc(1, sizeof(*jobs));
    char path[PATH_MAX_BYTES];
    struct http_client_options client = {
        .base_url = "http://site",
        .unix_socket = path,
        .user_agent = "slipwayd-dp",
        .timeout_us = TIMEOUT_US,
    };
    int r;

    if (!jobs)
        return ERR(-ENOMEM);
    (void)snprintf(path, sizeof(path), "%s/run/roles.sock", options->state_folder);
    r = http_client_new(&client, &site);
    if (r < 0)
        return TRACE(r);
    jobs->options = options;
    jobs->pace = pace;
    jobs->site = site;
    r = start_thread(jobs);
    if (r < 0)
        return TRACE(r);
    site = NULL; /* now the thread's */
    *ret = TAKE(jobs);
    return 0;
}

void jobs_stop(struct jobs *jobs)
{
    if (!jobs)
        return;
    jobs->is_ending = true;
    (void)pthread_join(jobs->thread, NULL);
    http_client_free(jobs->site);
    free(jobs);
}
