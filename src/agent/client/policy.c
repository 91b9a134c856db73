/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/client/policy.h"

#include <errno.h>

#include "agent/facts/facts.h"
#include "agent/run/machine.h"
#include "base/err.h"
#include "base/own.h"

enum {
    HTTP_OK = 200,
    HTTP_NO_CONTENT = 204,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    HTTP_TOO_MANY = 429,
    HTTP_SERVER_ERROR = 500,
};

struct question {
    const char *method;
    const char *path;
    const json_t *body; /* borrowed; NULL: none */
};

static void add_refusal(const json_t *answer, unsigned status, struct buf *why)
{
    const char *id = json_string_value(json_object_get(answer, "error_id"));
    const char *detail = json_string_value(json_object_get(answer, "detail"));

    buf_clear(why);
    buf_addf(why, "%s: %s", id ? id : "SLW-0423", detail ? detail : "the site gives no reason");
    if (!detail)
        buf_addf(why, " (status %u)", status);
}

/* @ret: owned by the caller; NULL: there is none */
static int call(struct link *link, const struct question *question, json_t **ret, struct buf *why)
{
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;
    int r = link_json(link, question->method, question->path, question->body, &status, &answer);

    *ret = NULL;
    if (r < 0)
        return TRACE(r);
    if (r > 0) {
        buf_clear(why);
        buf_adds(why, link_why(link));
        return POLICY_E_AWAY;
    }
    if (status == HTTP_NO_CONTENT)
        return 0;
    if (status == HTTP_OK && answer) {
        *ret = TAKE(answer);
        return 0;
    }
    add_refusal(answer, status, why);
    if (status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN)
        return POLICY_E_UNKNOWN;
    return status >= HTTP_SERVER_ERROR || status == HTTP_TOO_MANY ? POLICY_E_AWAY
                                                                  : POLICY_E_REFUSED;
}

static int make_inventory(const struct run_platform *platform, const char *version, json_t **ret)
{
    static struct machine machine;
    OWN(json_decrefp) json_t *body = NULL;
    json_t *facts = NULL;
    int r = platform->collect(&machine);

    if (r == 0)
        r = machine_to_json(&machine, &body);
    if (r == 0)
        r = machine_add_addresses(json_object_get(body, "nics"));
    if (r == 0)
        r = facts_for_registration(platform->full_os_root, &machine, true, &facts);
    if (r < 0)
        return TRACE(r);
    if (json_object_set_new(body, "facts", facts) != 0 ||
        json_object_set_new(body, "environment", json_string("full-os")) != 0 ||
        json_object_set_new(body, "agent_version", json_string(version)) != 0)
        return ERR(-ENOMEM);
    if (json_is_null(json_object_get(body, "boot_mac")))
        (void)json_object_del(body, "boot_mac");
    *ret = TAKE(body);
    return 0;
}

int policy_tell(struct link *link,
                const struct run_platform *platform,
                const char *version,
                uint64_t *ret_poll_s,
                struct buf *why)
{
    OWN(json_decrefp) json_t *body = NULL;
    OWN(json_decrefp) json_t *answer = NULL;
    json_int_t poll_s;
    int r = make_inventory(platform, version, &body);

    if (r == 0)
        r = call(link, &(struct question){"PUT", "/api/v1/client/inventory", body}, &answer, why);
    if (r != 0)
        return TRACE(r);
    poll_s = json_integer_value(json_object_get(answer, "poll_s"));
    *ret_poll_s = poll_s < POLICY_POLL_MIN_S   ? POLICY_POLL_MIN_S
                  : poll_s > POLICY_POLL_MAX_S ? POLICY_POLL_MAX_S
                                               : (uint64_t)poll_s;
    return 0;
}

int policy_ask(struct link *link, const char *deployment_id, json_t **ret, struct buf *why)
{
    OWN(json_decrefp)
    json_t *body =
        json_pack("{s:s, s:s*}", "environment", "full-os", "deployment_id", deployment_id);

    if (!body)
        return ERR(-ENOMEM);
    return TRACE(call(link, &(struct question){"POST", "/api/v1/client/orders", body}, ret, why));
}

int policy_list(struct link *link, json_t **ret, struct buf *why)
{
    OWN(json_decrefp) json_t *answer = NULL;
    int r = call(link, &(struct question){"GET", "/api/v1/client/deployments", NULL}, &answer, why);

    if (r == 0)
        *ret = json_incref(json_object_get(answer, "items"));
    return TRACE(r);
}
