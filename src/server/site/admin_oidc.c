/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "rt/log.h"
#include "server/site/admin_security.h"
#include "server/site/api.h"
#include "site/oidc_login.h"

/* What both requests have: who may call is anybody, and the provider is asked between their two halves. */
struct oidc_rule {
    int (*begin)(struct site *site, const json_t *body, struct oidc_work *ret);
    int (*end)(struct api *api,
               struct http_exchange *x,
               const json_t *body,
               const struct oidc_work *work,
               unsigned *ret_status,
               json_t **ret);
};

DEFINE_FREEP(struct oidc_work *, oidc_work_free);

/* Return: API_E_ANSWERED, or what the rules say. */
static int begin_work(struct api *api,
                      struct http_exchange *x,
                      const struct oidc_rule *rule,
                      const json_t *body)
{
    OWN(oidc_work_freep) struct oidc_work *work = oidc_work_new(api->oidc, OIDC_START_CODE);
    int r;

    if (!work)
        return ERR(-ENOMEM);
    r = rule->begin(api->site, body, work);
    if (r != 0)
        return TRACE(r);
    http_defer_is_remote(x, API_REMOTE_PROVIDER);
    r = http_defer(x, oidc_work_run, TAKE(work), oidc_work_free);
    api->is_failed |= r == 1; /* nobody has asked, so the code is not used up */
    return r < 0 ? TRACE(r) : API_E_ANSWERED;
}

/* What only the administrator of the site can mend. */
static void say(const struct oidc_work *work)
{
    if (work->outcome == OIDC_DOWN)
        log_warning(
            "the OpenID provider could not be asked", "why=\"%s\" error_id=SLW-0232", work->why);
}

static int serve(struct api *api, struct http_exchange *x, const struct oidc_rule *rule)
{
    OWN(json_freep) json_t *body = NULL;
    const struct oidc_work *work = http_deferred(x);
    unsigned status = 0;
    json_t *answer = NULL;
    int r = api_begin(api);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0 && !work)
        r = begin_work(api, x, rule, body);
    else if (r == 0) {
        say(work);
        r = rule->end(api, x, body, work, &status, &answer);
    }
    return api_finish(api, x, r, status, answer);
}

static int end_start(struct api *api,
                     struct http_exchange *x,
                     const json_t *body,
                     const struct oidc_work *work,
                     unsigned *ret_status,
                     json_t **ret)
{
    (void)x;
    (void)body;
    *ret_status = 201;
    return TRACE(oidc_end_start(api->site, work, ret));
}

int admin_start_oidc(void *ctx, struct http_exchange *x)
{
    static const struct oidc_rule rule = {oidc_begin_start, end_start};

    return serve(ctx, x, &rule);
}

static int end_login(struct api *api,
                     struct http_exchange *x,
                     const json_t *body,
                     const struct oidc_work *work,
                     unsigned *ret_status,
                     json_t **ret)
{
    struct login_answer login;
    unsigned interval_s = 0;
    int r = oidc_end_login(api->site, body, work, &login, &interval_s);

    if (r == OIDC_E_PENDING) {
        *ret_status = 202;
        *ret = json_pack("{s:i}", "interval_s", (int)interval_s);
        return *ret ? 0 : ERR(-ENOMEM);
    }
    *ret_status = 201;
    if (r == 0)
        r = admin_put_login(x, &login, ret);
    explicit_bzero(&login, sizeof(login));
    return TRACE(r);
}

int admin_finish_oidc(void *ctx, struct http_exchange *x)
{
    static const struct oidc_rule rule = {oidc_begin_login, end_login};

    return serve(ctx, x, &rule);
}
