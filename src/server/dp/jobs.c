/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/dp/jobs.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "plat/clock.h"
#include "rt/http_client.h"
#include "rt/log.h"
#include "rt/token_file.h"
#include "server/dp/claim.h"
#include "server/dp/exports.h"
#include "server/dp/job.h"
#include "server/dp/unnamed.h"
#include "server/role.h"

enum {
    PATH_MAX_BYTES = 4096,
    RUNS_MAX = 8, /* jobs, those that wait for a place among them */
    PACE_US = 1000 * 1000,
    NAP_US = 100 * 1000,
    TIMEOUT_US = 20 * 1000 * 1000, /* of a call to the site */
    COLLECT_GRACE_S = 24 * 60 * 60,
    COLLECT_SOON_US = 60 * 1000 * 1000,
    US_PER_S = 1000 * 1000,
};

#define KEEP_HOUSE_US    (60ULL * 1000 * 1000)
#define COLLECT_EVERY_US (24ULL * 60 * 60 * 1000 * 1000)
#define COLLECT_AGAIN_US (10ULL * 60 * 1000 * 1000) /* when it was kept from it */

const struct jobs_pace jobs_usual_pace = {PACE_US, PACE_US};

/* A job and the thread that sees to it. */
struct run {
    pthread_t thread;
    struct job job; /* the thread's, until it is over */
    struct jobs *jobs;
    bool is_used;
    _Atomic bool is_over;
};

struct jobs {
    const struct role_options *options; /* borrowed */
    struct jobs_pace pace;
    struct token_file token;
    struct http_client *site; /* owned */
    struct slots slots;
    struct run runs[RUNS_MAX]; /* all but what is in them: of the thread that asks */
    uint64_t collect_us;       /* when it is due */
    uint64_t kept_house_us;
    pthread_t thread;
    _Atomic bool is_ending;
};

DEFINE_FREEP(struct http_client *, http_client_free);

static void nap(struct jobs *jobs, uint64_t us)
{
    uint64_t end_us = clock_monotonic_us() + us;

    while (!jobs->is_ending && clock_monotonic_us() < end_us)
        clock_sleep_us(us < NAP_US ? us : NAP_US);
}

static int open_site(struct jobs *jobs, struct http_client **ret)
{
    char path[PATH_MAX_BYTES];
    const struct http_client_options client = {
        .base_url = "http://site",
        .unix_socket = path,
        .tokens = token_file_tokens(&jobs->token),
        .user_agent = "slipwayd-dp",
        .timeout_us = TIMEOUT_US,
    };

    (void)snprintf(path, sizeof(path), "%s/run/roles.sock", jobs->options->state_folder);
    return TRACE(http_client_new(&client, ret));
}

/* Signals are for the main thread, which ends the role. */
static int start_thread(void *(*what)(void *), void *ctx, pthread_t *ret)
{
    sigset_t all;
    sigset_t before;
    int error;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(ret, NULL, what, ctx);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error == 0 ? 0 : ERR(-error);
}

static void *run_one(void *ctx)
{
    struct run *run = ctx;

    job_run(&run->job);
    run->is_over = true;
    return NULL;
}

static struct run *find_free(struct jobs *jobs)
{
    for (size_t i = 0; i < RUNS_MAX; i++)
        if (!jobs->runs[i].is_used)
            return &jobs->runs[i];
    return NULL;
}

/* A job of which the site has not heard for long is handed out again, but we still have it. */
static bool is_running(const struct jobs *jobs, const char *id)
{
    for (size_t i = 0; id && i < RUNS_MAX; i++)
        if (jobs->runs[i].is_used && jobs->runs[i].job.id && strcmp(jobs->runs[i].job.id, id) == 0)
            return true;
    return false;
}

/* @claim: taken over. */
static int start_run(struct jobs *jobs, json_t *claim)
{
    struct run *run = find_free(jobs);
    struct job job = {
        .options = jobs->options,
        .pace = jobs->pace,
        .is_ending = &jobs->is_ending,
        .slots = &jobs->slots,
    };
    int r = job_new(claim, &job);

    if (r == JOB_E_MALFORMED)
        log_error("dp: the site's job cannot be read", "bytes=%zu", json_object_size(claim));
    if (r == 0 && run && !is_running(jobs, job.id)) {
        r = open_site(jobs, &job.site);
        if (r == 0) {
            *run = (struct run){.job = job, .jobs = jobs};
            r = start_thread(run_one, run, &run->thread);
        }
        if (r == 0) {
            run->is_used = true;
            return 0;
        }
    }
    job_fini(&job);
    return r < 0 ? TRACE(r) : 0;
}

/* Packs that nobody needs any more are old enough to go at once, as a rule. */
static void plan_collection(struct jobs *jobs, const struct job *job)
{
    uint64_t now = clock_monotonic_us();
    bool is_done = job_has_succeeded(job);

    if (strcmp(job->kind, "remove") == 0 && is_done)
        jobs->collect_us = now + COLLECT_SOON_US;
    if (strcmp(job->kind, "collect") == 0)
        jobs->collect_us = now + (is_done ? COLLECT_EVERY_US : COLLECT_AGAIN_US);
}

/* @is_all: also those that are not over; their threads have been told to end. */
static void reap(struct jobs *jobs, bool is_all)
{
    for (size_t i = 0; i < RUNS_MAX; i++) {
        struct run *run = &jobs->runs[i];

        if (!run->is_used || (!is_all && !run->is_over))
            continue;
        (void)pthread_join(run->thread, NULL);
        plan_collection(jobs, &run->job);
        job_fini(&run->job);
        run->is_used = false;
    }
}

/* Return: owned; NULL if that cannot be known now: then they wait for the next collection. */
static json_t *find_unnamed(struct jobs *jobs)
{
    json_t *list = NULL;
    int r =
        unnamed_find(jobs->options->state_folder, jobs->site, clock_wall_us() / US_PER_S, &list);

    if (r != 0)
        log_warning("dp: what nobody needs any more is not known",
                    "why=\"%s\"",
                    r < 0 ? strerrordesc_np(-r) : "the site does not answer");
    return list;
}

/* What is done without being told to. */
static void keep_house(struct jobs *jobs)
{
    uint64_t now = clock_monotonic_us();
    json_t *claim;

    if (now - jobs->kept_house_us >= KEEP_HOUSE_US) {
        jobs->kept_house_us = now;
        exports_expire(jobs->options->state_folder);
    }
    if (now < jobs->collect_us || !find_free(jobs))
        return;
    jobs->collect_us = now + COLLECT_AGAIN_US;
    claim = json_pack("{s:s, s:{s:i, s:o*}}",
                      "kind",
                      "collect",
                      "args",
                      "grace_s",
                      (int)COLLECT_GRACE_S,
                      "manifests",
                      find_unnamed(jobs));
    if (claim && start_run(jobs, claim) < 0)
        log_error("dp: the collection could not be started", "again_in_s=%d", 600);
}

/* What we have, so that the site knows what was lost with a process that ended. */
static json_t *running_of(const struct jobs *jobs)
{
    json_t *list = json_array();

    for (size_t i = 0; i < RUNS_MAX; i++)
        if (jobs->runs[i].is_used && jobs->runs[i].job.id)
            (void)json_array_append_new(list, json_string(jobs->runs[i].job.id));
    return list;
}

/* Return: the HTTP status; 0 if the site is away. */
static unsigned ask(struct jobs *jobs, json_t **ret)
{
    OWN(json_decrefp) json_t *body = claim_body(jobs->options, &jobs->slots);
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;

    (void)json_object_set_new(body, "running", running_of(jobs));
    if (http_client_json(
            jobs->site, "POST", "/api/v1/internal/dp/jobs:claim", body, &status, &answer) != 0)
        return 0;
    if (status == 200)
        *ret = TAKE(answer);
    return status;
}

static void note_whether_away(struct jobs *jobs, bool *was_away, unsigned status)
{
    bool is_refused = status == 401 || status == 403;
    bool is_away = is_refused || status == 0 || status >= 500; /* nginx of a remote one says 502 */

    if (is_refused && !*was_away)
        log_error("dp: the site does not know this distribution point any more: join it again",
                  "status=%u",
                  status);
    else if (is_away && !*was_away)
        log_warning("dp: the site does not answer",
                    "status=%u why=\"%s\"",
                    status,
                    http_client_why(jobs->site));
    if (!is_away && *was_away)
        log_info("dp: the site answers again", "status=%u", status);
    *was_away = is_away;
}

static void *run(void *ctx)
{
    struct jobs *jobs = ctx;
    bool was_away = false;

    while (!jobs->is_ending) {
        json_t *claim = NULL;

        reap(jobs, false);
        keep_house(jobs);
        if (find_free(jobs))
            note_whether_away(jobs, &was_away, ask(jobs, &claim));
        if (!claim)
            nap(jobs, jobs->pace.ask_us);
        else if (start_run(jobs, claim) < 0)
            log_error("dp: the job could not be started", "runs=%d", RUNS_MAX);
    }
    reap(jobs, true);
    return NULL;
}

int jobs_start(const struct role_options *options, struct jobs_pace pace, struct jobs **ret)
{
    OWN(http_client_freep) struct http_client *site = NULL;
    OWN(freep) struct jobs *jobs = calloc(1, sizeof(*jobs));
    int r;

    if (!jobs)
        return ERR(-ENOMEM);
    jobs->options = options;
    jobs->token = (struct token_file){options->state_folder};
    r = open_site(jobs, &site);
    if (r == 0)
        r = slots_init(&jobs->slots);
    if (r < 0)
        return TRACE(r);
    jobs->pace = pace;
    jobs->site = site;
    jobs->collect_us = clock_monotonic_us() + COLLECT_AGAIN_US;
    r = start_thread(run, jobs, &jobs->thread);
    if (r < 0) {
        slots_fini(&jobs->slots);
        return TRACE(r);
    }
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
    slots_fini(&jobs->slots);
    http_client_free(jobs->site);
    free(jobs);
}
