/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/password_request.h"

#include <errno.h>

#include "base/err.h"
#include "base/own.h"
#include "site/fields.h"

DEFINE_FREEP(struct password_work *, password_work_free);

/* Return: 0, API_E_ANSWERED, or what the rules say. */
static int begin_work(struct api *api,
                      struct http_exchange *x,
                      const struct password_request *request,
                      const json_t *body)
{
    OWN(password_work_freep) struct password_work *work = password_work_new();
    int r;

    if (!work)
        return ERR(-ENOMEM);
    r = request->begin(api, x, body, work);
    if (r != 0)
        return TRACE(r);
    /* its count would be taken back with the rest, so it could be tried for ever */
    if (api->is_tried && work->given[0])
        return refuse_parameter(
            api->site, "validate_only", "What compares a password is done, or not asked for.");
    if (work->directory)
        http_defer_is_remote(x, API_REMOTE_DIRECTORY);
    r = http_defer(x, password_work_run, TAKE(work), password_work_free);
    api->is_failed |= r == 1; /* nobody looks at this password, so it does not count */
    return r < 0 ? TRACE(r) : API_E_ANSWERED;
}

int password_request_serve(struct api *api,
                           struct http_exchange *x,
                           const struct password_request *request)
{
    OWN(json_freep) json_t *body = NULL;
    const struct password_work *work = http_deferred(x);
    json_t *answer = NULL;
    int r = request->enter(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = work ? request->end(api, x, body, work, &answer) : begin_work(api, x, request, body);
    return api_finish(api, x, r, request->status, answer);
}
