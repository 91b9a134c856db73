/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/api.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "rt/log.h"
#include "server/site/commit.h"
#include "site/device_key.h"
#include "site/dp_key.h"

#define BEARER  "Bearer "
#define REAL_IP "X-Real-IP"

enum {
    RATE_RETRY_AFTER_S = 1,
    SECONDS_MAX = 16,
};

static unsigned status_of(enum refusal_id id)
{
    static const unsigned statuses[N_REFUSALS] = {
        [REFUSAL_NOT_SIGNED_IN] = 401,
        [REFUSAL_INVALID] = 400,
        [REFUSAL_MISSING] = 404,
        [REFUSAL_EXISTS] = 409,
        [REFUSAL_TASK_SEQUENCE] = 422,
        [REFUSAL_NOT_READY] = 409,
        [REFUSAL_LOGIN] = 401,
        [REFUSAL_BUILTIN] = 409,
        [REFUSAL_NOT_A_ROLE] = 403,
        [REFUSAL_NO_IDS] = 409,
        [REFUSAL_FORBIDDEN] = 403,
        [REFUSAL_TOO_OFTEN] = 429,
        [REFUSAL_PASSWORD] = 401,
        [REFUSAL_LASTING] = 409,
        [REFUSAL_LAST_FULL] = 409,
        [REFUSAL_CSRF] = 403,
        [REFUSAL_GRANTED] = 409,
        [REFUSAL_FILTER] = 400,
        [REFUSAL_CIRCLE] = 409,
        [REFUSAL_COLLECTION_USED] = 409,
        [REFUSAL_NOT_TO_FILL] = 403,
        [REFUSAL_WOULD_WIPE] = 409,
        [REFUSAL_COUNTING] = 409,
        [REFUSAL_DIRECTORY_DOWN] = 503,
        [REFUSAL_NO_PASSWORD] = 409,
        [REFUSAL_DUPLICATE] = 409,
        [REFUSAL_BUSY] = 409,
        [REFUSAL_IN_USE] = 409,
        [REFUSAL_NO_SOURCE] = 409,
        [REFUSAL_ARCH] = 422,
        [REFUSAL_VERSION] = 409,
        [REFUSAL_JOB_OVER] = 409,
        [REFUSAL_KIND] = 409,
        [REFUSAL_AMBIGUOUS] = 409,
        [REFUSAL_DP_TOKEN] = 401,
        [REFUSAL_JOIN_TOKEN] = 401,
        [REFUSAL_DP_HAS_CONTENT] = 409,
        [REFUSAL_NO_ORDER] = 409,
        [REFUSAL_ORDER_WISH] = 409,
        [REFUSAL_NO_DEBUG] = 409,
        [REFUSAL_DEBUG_COLLECTION] = 409,
        [REFUSAL_NOT_DEPLOYABLE] = 409,
        [REFUSAL_EDIT] = 422,
        [REFUSAL_DISABLED] = 409,
        [REFUSAL_VARIABLE] = 422,
        [REFUSAL_NOT_DISTRIBUTED] = 409,
        [REFUSAL_OWN_DP] = 409,
        [REFUSAL_NOTHING_RUNS] = 409,
        [REFUSAL_TICKET] = 403,
        [REFUSAL_DEVICE_TOKEN] = 401,
        [REFUSAL_ORDER_OVER] = 410,
        [REFUSAL_SUCCESS_NOT_IN_OS] = 409,
        [REFUSAL_CLIENT_INVALID] = 400,
        [REFUSAL_ORDER_MISSING] = 404,
        [REFUSAL_COMPUTER_NAME] = 400,
        [REFUSAL_NO_NAME_WANTED] = 409,
        [REFUSAL_UNKNOWN_CODE] = 409,
        [REFUSAL_REQUEST_OVER] = 409,
        [REFUSAL_BOOT_PASSWORD] = 403,
        [REFUSAL_BOOT_TRIES] = 403,
        [REFUSAL_NOT_ASKED] = 409,
        [REFUSAL_CHOICE] = 409,
        [REFUSAL_PREFERRED] = 409,
        [REFUSAL_CAPTURE] = 403,
        [REFUSAL_CAPTURE_MISSING] = 404,
        [REFUSAL_CLIENT_DEPLOYMENT] = 409,
        [REFUSAL_BLOCKED] = 403,
        [REFUSAL_WOKEN] = 429,
        [REFUSAL_NO_MAC] = 409,
        [REFUSAL_DEVICE_KEY] = 401,
        [REFUSAL_PROOF] = 401,
        [REFUSAL_NO_KEY] = 403,
        [REFUSAL_TPM_KEY] = 403,
        [REFUSAL_OIDC_DOWN] = 503,
        [REFUSAL_OIDC_STATE] = 401,
        [REFUSAL_OIDC_REFUSED] = 401,
        [REFUSAL_OIDC_OFF] = 409,
        [REFUSAL_OIDC_REDIRECT] = 400,
        [REFUSAL_TOO_LONG] = 422,
        [REFUSAL_CURSOR] = 400,
        [REFUSAL_CHANGED] = 412,
        [REFUSAL_KEY_USED] = 422,
        [REFUSAL_RATE] = 429,
        [REFUSAL_TOO_BUSY] = 503,
        [REFUSAL_STREAMS] = 429,
    };

    /* without a status the connection would be closed, and nobody knew why */
    return statuses[id] != 0 ? statuses[id] : 409;
}

const char *api_bearer(struct http_exchange *x)
{
    const char *header = http_header(x, "Authorization");

    if (!header || strncmp(header, BEARER, strlen(BEARER)) != 0)
        return NULL;
    return header + strlen(BEARER);
}

int api_begin(struct api *api)
{
    api->site->now_us = clock_wall_us();
    return 0;
}

int api_begin_admin(struct api *api, struct http_exchange *x)
{
    (void)x;
    (void)api_begin(api);
    return api->who[0] ? 0 : ERR(-EPERM); /* the guard lets nobody else get here */
}

int api_begin_device(struct api *api, struct http_exchange *x)
{
    (void)api_begin(api);
    return TRACE(device_token_check(api->site, api_bearer(x), api->device_id));
}

static int begin_remote_role(struct api *api, struct http_exchange *x)
{
    int r = dp_check_token(api->site, api_bearer(x), api->dp_id);

    if (r == 0)
        (void)snprintf(api->who, sizeof(api->who), "%s", api->dp_id);
    return TRACE(r);
}

int api_begin_role(struct api *api, struct http_exchange *x)
{
    static const char *const names[N_ROLES] = {
        [ROLE_SITE] = "site",
        [ROLE_DP] = "dp",
        [ROLE_PXE] = "pxe",
    };
    uint32_t uid = 0;

    (void)api_begin(api);
    (void)snprintf(api->who, sizeof(api->who), "role");
    (void)snprintf(api->dp_id, sizeof(api->dp_id), "%s", DP_OWN_ID);
    /* nginx always says for whom it asks, and without root it runs as the same user as the roles */
    if (http_header(x, REAL_IP))
        return begin_remote_role(api, x);
    if (!http_peer_uid(x, &uid))
        return refuse(api->site, REFUSAL_NOT_A_ROLE, "The kernel does not say who calls.");
    for (size_t role = 0; role < N_ROLES; role++) {
        if (api->options->uids[role] != uid)
            continue;
        (void)snprintf(api->who, sizeof(api->who), "%s", names[role]);
        return 0;
    }
    return refuse(api->site,
                  REFUSAL_NOT_A_ROLE,
                  "The caller runs as user id %u, which is none of the site's roles.",
                  (unsigned)uid);
}

int api_body(struct http_exchange *x, json_t **ret)
{
    int r = http_body_json(x, ret);

    return r > 0 ? API_E_ANSWERED : TRACE(r);
}

int api_page(struct api *api, struct http_exchange *x, bool is_log, struct page *ret)
{
    (void)x;
    if (!api->capture)
        return ERR(-EINVAL); /* the contract does not call it a list */
    *ret = (struct page){
        .after = api->capture->after,
        .limit = api->capture->limit,
        .is_by_name = api->capture->is_by_name,
        .is_log = is_log,
    };
    return 0;
}

/* The refusal's further members ("diagnostics") beside those of every problem. */
static int reply_with_more(struct http_exchange *x, const struct refusal *refusal, unsigned status)
{
    OWN(freep) char *text = NULL;
    OWN(json_freep)
    json_t *problem = json_pack("{s:o,s:s,s:i,s:s,s:s,s:s}",
                                "type",
                                json_sprintf("urn:slipway:error:%s", refusal_error_id(refusal->id)),
                                "title",
                                refusal_title(refusal->id),
                                "status",
                                (int)status,
                                "detail",
                                refusal->detail,
                                "error_id",
                                refusal_error_id(refusal->id),
                                "request_id",
                                http_request_id(x));

    (void)json_object_update(problem, refusal->more);
    text = json_dumps(problem, JSON_COMPACT);
    return TRACE(
        http_reply_bytes(x, status, "application/problem+json", bytes_of(text ? text : "{}")));
}

static void add_retry_after(struct http_exchange *x, const struct refusal *refusal)
{
    unsigned wait_s = refusal->id == REFUSAL_RATE ? RATE_RETRY_AFTER_S : refusal->retry_after_s;
    char text[SECONDS_MAX];

    if (wait_s == 0)
        return;
    (void)snprintf(text, sizeof(text), "%u", wait_s);
    (void)http_add_header(x, "Retry-After", text);
}

static int reply_refusal(struct http_exchange *x, const struct refusal *refusal)
{
    unsigned status = status_of(refusal->id);

    add_retry_after(x, refusal);
    if (refusal->more)
        return TRACE(reply_with_more(x, refusal, status));
    return TRACE(http_reply_problem(x,
                                    status,
                                    refusal_error_id(refusal->id),
                                    refusal_title(refusal->id),
                                    "%s",
                                    refusal->detail));
}

int api_capture(struct api *api,
                struct http_exchange *x,
                http_handler *handle,
                struct api_capture *capture)
{
    int r;

    capture->r = API_CAPTURE_NOTHING; /* unless the handler says something */
    api->capture = capture;
    r = handle(api, x);
    api->capture = NULL;
    return TRACE(r);
}

int api_finish(struct api *api, struct http_exchange *x, int r, unsigned status, json_t *value)
{
    OWN(json_freep) json_t *owned = value;

    if (api->capture) {
        api->capture->r = r;
        api->capture->status = status;
        api->capture->value = r == 0 ? TAKE(owned) : NULL;
        return 0;
    }

    if (r == API_E_ANSWERED)
        return 0;
    api->is_failed = r < 0;
    if (r == -EAGAIN || r == -EROFS)
        return r; /* it is done again; by the writer, if a reader was to change something */
    if (r < 0) {
        log_error("the database said", "why=\"%s\"", db_why(api->site->db));
        return commit_is_known(r)
                   ? TRACE(commit_reply(x, r))
                   : TRACE(r); /* logged with the request by who called the handler */
    }
    if (r == SITE_E_REFUSED)
        return TRACE(reply_refusal(x, &api->site->refusal));
    if (!owned)
        return TRACE(http_reply_empty(x, status));
    return TRACE(http_reply_json(x, status, TAKE(owned)));
}
