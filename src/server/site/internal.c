/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/internal.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "db/copy.h"
#include "rt/log.h"
#include "server/site/api.h"
#include "server/site/guard.h"
#include "site/boot_decision.h"
#include "site/boot_image.h"
#include "site/content.h"
#include "site/device_capture.h"
#include "site/dp.h"
#include "site/dp_key.h"
#include "site/job.h"

DEFINE_FREEP(struct db *, db_free);

/* A device that captures may send what belongs to that. */
static int authorize_device(struct api *api, struct http_exchange *x)
{
    const char *method = http_header(x, "X-Original-Method");
    const char *path = http_header(x, "X-Original-URI");
    int r = api_begin_device(api, x);

    if (r != 0)
        return TRACE(r);
    return TRACE(device_capture_authorize(
        api->site, api->device_id, method ? method : "", path ? path : ""));
}

int internal_authorize(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    const char *method = http_header(x, "X-Original-Method");
    const char *uri = http_header(x, "X-Original-URI");
    int r = api->who[0] != '\0' ? guard_authorize(api, method ? method : "", uri ? uri : "")
                                : authorize_device(api, x);

    return api_finish(api, x, r, 204, NULL);
}

/*
 * What a role asks for says which one it is, also where all run as one user (without root). Its last sign of life is
 * shown by GET /status.
 */
static int begin(struct api *api, struct http_exchange *x, const char *role)
{
    int r = api_begin_role(api, x);

    return r == 0 && strcmp(api->dp_id, DP_OWN_ID) == 0 ? site_role_seen(api->site, role) : r;
}

int internal_decide_boot(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = begin(api, x, "pxe");

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = boot_decision_answer(api->site, api->dp_id, body, &answer);
    return api_finish(api, x, r, 200, answer);
}

int internal_report_boot_event(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    int r = begin(api, x, "pxe");

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = boot_event_report(api->site, body);
    return api_finish(api, x, r, 204, NULL);
}

int internal_register_dp_key(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    int r = api_begin_role(api, x);

    if (r == 0 && strcmp(api->dp_id, DP_OWN_ID) == 0)
        r = refuse(api->site, REFUSAL_NOT_A_ROLE, "The site's own distribution point has no key.");
    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = dp_key_register(api->site, api->dp_id, api_bearer(x), body);
    if (r == 0)
        log_info("a distribution point has a key now", "dp=%s", api->dp_id);
    return api_finish(api, x, r, 204, NULL);
}

int internal_renew_dp_token(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin(api);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = dp_token_renew(api->site, body, &answer);
    return api_finish(api, x, r, 201, answer);
}

int internal_claim_job(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *job = NULL;
    int r = begin(api, x, "dp");

    if (r == 0 && http_body(x).len > 0)
        r = api_body(x, &body);
    if (r == 0)
        r = dp_seen(api->site, api->dp_id, body);
    if (r == 0 && strcmp(api->dp_id, DP_OWN_ID) == 0)
        r = boot_image_follow(api->site, body);
    if (r == 0)
        r = job_keep_running(api->site, api->dp_id, json_object_get(body, "running"));
    if (r == 0)
        r = job_claim(api->site, api->dp_id, json_object_get(body, "kinds"), &job);
    if (job)
        log_info("a job is handed out",
                 "dp=%s job=%s kind=%s",
                 api->dp_id,
                 json_string_value(json_object_get(job, "id")),
                 json_string_value(json_object_get(job, "kind")));
    return api_finish(api, x, r, job ? 200 : 204, job);
}

int internal_find_unnamed(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = begin(api, x, "dp");

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = content_unnamed(api->site, body, &answer);
    return api_finish(api, x, r, 200, answer);
}

int internal_report_job(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = begin(api, x, "dp");

    if (r == 0)
        r = dp_seen(api->site, api->dp_id, NULL);
    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = job_report(api->site, api->dp_id, http_param(x, "id"), body, &answer);
    return api_finish(api, x, r, answer ? 200 : 204, answer);
}

/* A copy is made by a handle of its own, in another thread, while the site goes on. */
struct back_up {
    const char *database; /* borrowed */
    char path[PATH_MAX];
    int r;
};

static void copy_database(void *arg)
{
    struct back_up *back_up = arg;
    OWN(db_freep) struct db *db = NULL;

    back_up->r = db_open_reader(back_up->database, &db);
    if (back_up->r == 0)
        back_up->r = db_back_up(db, back_up->path);
}

static int begin_back_up(struct api *api, struct http_exchange *x)
{
    struct back_up *back_up = calloc(1, sizeof(*back_up));
    int r;

    if (!back_up)
        return ERR(-ENOMEM);
    back_up->database = api->database;
    (void)snprintf(
        back_up->path, sizeof(back_up->path), "%s/site/backup.db", api->options->state_folder);
    (void)unlink(back_up->path); /* of one that nobody fetched */
    r = http_defer(x, copy_database, back_up, free);
    return r < 0 ? TRACE(r) : API_E_ANSWERED; /* now, or when it is made */
}

/* For slipwayd backup, which asks as this role's own user. */
int internal_back_up(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    const struct back_up *made = http_deferred(x);
    int r = api_begin_role(api, x);

    if (r == 0 && (strcmp(api->dp_id, DP_OWN_ID) != 0 || strcmp(api->who, "site") != 0))
        r = refuse(api->site, REFUSAL_NOT_A_ROLE, "Only slipwayd itself asks for a backup.");
    if (r == 0)
        r = made ? made->r : begin_back_up(api, x);
    return api_finish(api, x, r, 204, NULL);
}
