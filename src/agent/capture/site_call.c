/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/capture/site_call.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"

enum {
    TRIES_MAX = 9,
    RETRY_US = 250 * 1000,
    LOOK_US = 100 * 1000, /* whether to give up */
};

bool site_is_stopped(const struct site *site)
{
    return site->is_stopped && site->is_stopped(site->ctx);
}

int site_sleep(const struct site *site, uint64_t us)
{
    uint64_t until = clock_monotonic_us() + us;
    uint64_t now;

    while ((now = clock_monotonic_us()) < until) {
        if (site_is_stopped(site))
            return SITE_E_STOPPED;
        clock_sleep_us(until - now < LOOK_US ? until - now : LOOK_US);
    }
    return site_is_stopped(site) ? SITE_E_STOPPED : 0;
}

/* What a problem+json says, or the status alone. */
static void explain(const struct http_answer *answer, struct buf *why)
{
    json_t *problem = json_loadb(buf_str(&answer->body), answer->body.len, 0, NULL);
    const char *id = json_string_value(json_object_get(problem, "error_id"));
    const char *title = json_string_value(json_object_get(problem, "title"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));

    if (id && title)
        buf_addf(why, "%s: %s. %s", id, title, detail ? detail : "");
    else
        buf_addf(why, "the site answered with the status %u", answer->status);
    json_decref(problem);
}

static bool is_worth_another_try(unsigned status)
{
    return status == 408 || status == 429 || (status >= 500 && status != 507);
}

/* A request that was answered with 2xx. */
static int keep_body(const struct http_answer *answer, struct buf *ret)
{
    if (!ret)
        return 0;
    buf_clear(ret);
    buf_add(ret, buf_bytes(&answer->body));
    return ret->failed ? ERR(-ENOBUFS) : 0;
}

int site_call(const struct site *site,
              const struct site_request *request,
              struct buf *why,
              struct buf *ret)
{
    for (unsigned n_tries = 1;; n_tries++) {
        OWN(http_answer_fini) struct http_answer answer = {0};
        bool is_last = n_tries == TRIES_MAX;
        int r = http_client_call(site->client,
                                 request->method,
                                 request->path,
                                 request->body,
                                 request->content_type,
                                 &answer);

        if (r < 0)
            return TRACE(r);
        if (r == 0 && answer.status >= 200 && answer.status < 300)
            return TRACE(keep_body(&answer, ret));
        if (r == 0 && (is_last || !is_worth_another_try(answer.status))) {
            explain(&answer, why);
            return SITE_E_FAILED;
        }
        if (r != 0 && (is_last || r == HTTP_CLIENT_E_PIN)) {
            buf_adds(why, http_client_why(site->client));
            return SITE_E_FAILED;
        }
        if (site_sleep(site, (uint64_t)RETRY_US << (n_tries - 1)) != 0)
            return SITE_E_STOPPED;
    }
}
