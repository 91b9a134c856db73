/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/job.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/text.h"
#include "plat/clock.h"
#include "rt/http_client.h"
#include "rt/log.h"
#include "server/dp/child.h"
#include "server/dp/uploads.h"
#include "server/dp/worker.h"
#include "server/role.h"

enum {
    API_PATH_MAX = 128,
    ARGUMENT_MAX = 4200,
    TEXT_MAX = 200,
    LINE_WAIT_MAX_MS = 500,
    NAP_US = 100 * 1000,
    US_PER_MS = 1000,
    HOW_MAX_BYTES = 128,
    MESSAGE_MAX = 256,
    LIMIT_LINE_MAX = 64,
};

int job_new(json_t *claim, struct job *ret)
{
    ret->claim = claim;
    ret->how = BUF_INIT(HOW_MAX_BYTES);
    if (json_unpack(
            claim, "{s?s, s:s, s:o}", "id", &ret->id, "kind", &ret->kind, "args", &ret->args) != 0)
        return JOB_E_MALFORMED;
    return ret->id && strlen(ret->id) >= UUID_TEXT_MAX ? JOB_E_MALFORMED : 0;
}

void job_fini(struct job *job)
{
    http_client_free(job->site);
    json_decref(job->claim);
    json_decref(job->progress);
    json_decref(job->end);
    buf_fini(&job->how);
}

bool job_has_succeeded(const struct job *job)
{
    return json_object_get(job->end, "result") != NULL;
}

/* Return: the HTTP status; 0 if the site is away. */
static unsigned tell_site(struct job *job, const json_t *state, json_t **ret)
{
    OWN(json_decrefp) json_t *answer = NULL;
    char path[API_PATH_MAX];
    unsigned status = 0;

    job->told_us = clock_monotonic_us();
    (void)snprintf(path, sizeof(path), "/api/v1/internal/dp/jobs/%s", job->id);
    if (http_client_json(job->site, "PATCH", path, state, &status, &answer) != 0)
        return 0;
    if (ret)
        *ret = TAKE(answer);
    return status;
}

static void pass_limit(const struct child *child, const json_t *answer)
{
    const json_t *limit = json_object_get(answer, "rate_limit_bytes_per_s");
    char line[LIMIT_LINE_MAX];

    if (!child || !json_is_integer(limit) || json_integer_value(limit) < 0)
        return;
    (void)snprintf(line,
                   sizeof(line),
                   "{\"rate_limit_bytes_per_s\": %" JSON_INTEGER_FORMAT "}\n",
                   json_integer_value(limit));
    child_say(child, line);
}

/* Also when nothing has changed: the site must hear that we are alive. @child: NULL: it has not begun */
static void tell_progress(struct job *job, const struct child *child)
{
    OWN(json_decrefp) json_t *state = json_pack("{s:s}", "state", "running");
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;

    if (!job->id || !state || clock_monotonic_us() - job->told_us < job->pace.tell_us)
        return;
    if (job->progress && json_object_update_missing(state, job->progress) != 0)
        return;
    status = tell_site(job, state, &answer);
    job->is_dropped = status == 404 || status == 409 || status == 410;
    if (status == 200)
        pass_limit(child, answer);
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

static void nap(const struct job *job, uint64_t us)
{
    uint64_t end_us = clock_monotonic_us() + us;

    while (!*job->is_ending && clock_monotonic_us() < end_us)
        clock_sleep_us(us < NAP_US ? us : NAP_US);
}

/* The end must reach the site, however long that is away. Return: whether it has; if not, the job is given out again. */
static bool tell_end(struct job *job)
{
    OWN(json_decrefp) json_t *state = final_state(job);
    const char *word = json_string_value(json_object_get(state, "state"));
    unsigned status = job->id ? 0 : 204;

    while (state && !*job->is_ending && (status == 0 || status >= 500)) {
        status = tell_site(job, state, NULL);
        if (status == 0 || status >= 500)
            nap(job, job->pace.ask_us);
    }
    if (status == 204 || status == 200)
        log_info("dp: job done",
                 "id=%s kind=%s state=%s",
                 job->id ? job->id : "-",
                 job->kind,
                 word ? word : "");
    else if (!*job->is_ending)
        log_warning("dp: the site did not take a job's end", "id=%s status=%u", job->id, status);
    return status != 0 && status < 500;
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
    uint64_t wait_ms = job->pace.tell_us / US_PER_MS / 2;
    int r = CHILD_E_NOTHING_YET;

    while (r != CHILD_E_END && !*job->is_ending && !job->is_dropped) {
        r = child_read_line(
            child, wait_ms < LINE_WAIT_MAX_MS ? (unsigned)wait_ms : LINE_WAIT_MAX_MS, &line);
        if (r < 0)
            return TRACE(r);
        if (r == 0)
            take_line(job, &line);
        if (r != CHILD_E_END)
            tell_progress(job, child);
    }
    if (r == CHILD_E_END)
        child_end(child, &job->how);
    return 0;
}

static int run_worker(struct job *job)
{
    const struct role_options *options = job->options;
    OWN(json_decrefp)
    json_t *input = json_pack("{s:s?, s:s, s:O, s:s, s:s}",
                              "id",
                              job->id,
                              "kind",
                              job->kind,
                              "args",
                              job->args,
                              "kernel_roots",
                              options->config->boot_image_kernel_roots,
                              "x86_root",
                              options->config->boot_image_x86_root);
    OWN(freep) char *text = input ? json_dumps(input, JSON_COMPACT) : NULL;
    OWN(buf_fini) struct buf line = BUF_INIT(CHILD_LINE_MAX_BYTES);
    OWN(child_fini) struct child child = CHILD_INIT;
    char state[ARGUMENT_MAX];
    const char *const argv[] = {options->self, "--role=worker", state, NULL};
    struct child_command command = {.argv = argv, .is_input_open = true, .is_group = true};
    int r;

    if (!text)
        return ERR(-ENOMEM);
    buf_addf(&line, "%s\n", text);
    if (line.failed)
        return ERR(-ENOMEM);
    command.input = buf_bytes(&line);
    (void)snprintf(state, sizeof(state), "--state=%s", options->state_folder);
    r = child_start(&command, &child);
    if (r < 0)
        return TRACE(r);
    return TRACE(follow(job, &child));
}

static void drop_upload(const struct job *job, const json_t *id)
{
    const char *text = json_string_value(id);
    uint8_t uuid[UUID_BYTES];

    if (text && uuid_parse(bytes_of(text), uuid))
        uploads_remove(job->options->state_folder, text);
}

/* Uploads have served their purpose once the site knows how their import ended, well or not. */
static void drop_uploads(const struct job *job)
{
    const json_t *parts = json_object_get(job->args, "part_upload_ids");

    drop_upload(job, json_object_get(job->args, "upload_id"));
    for (size_t i = 0; i < json_array_size(parts); i++)
        drop_upload(job, json_array_get(parts, i));
}

/* Return: whether there is one; otherwise the job is over before it began. */
static bool wait_for_slot(struct job *job, enum slots_class class)
{
    while (!*job->is_ending && !job->is_dropped) {
        if (slots_take(job->slots, class))
            return true;
        tell_progress(job, NULL);
        nap(job, job->pace.ask_us);
    }
    return false;
}

void job_run(struct job *job)
{
    enum slots_class class = slots_class_of(job->kind);
    const char *id = job->id ? job->id : "-";

    if (wait_for_slot(job, class)) {
        log_info("dp: job begins", "id=%s kind=%s", id, job->kind);
        if (run_worker(job) < 0)
            log_error("dp: the worker could not be run", "id=%s kind=%s", id, job->kind);
        if (class == SLOTS_MAKE && worker_clean_up(job->options->state_folder) < 0)
            log_warning("dp: a worker left something behind", "id=%s kind=%s", id, job->kind);
        slots_give(job->slots, class);
    }
    if (job->is_dropped)
        log_info("dp: job cancelled by the site", "id=%s", id);
    else if (*job->is_ending || !tell_end(job))
        return;
    drop_uploads(job);
}
