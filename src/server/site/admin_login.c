/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "rt/log.h"
#include "server/site/admin_security.h"
#include "server/site/directory_watch.h"
#include "server/site/password_request.h"
#include "server/site/shapes.h"
#include "site/administrator.h"
#include "site/fields.h"
#include "site/login.h"

/* Anybody may try. */
static int enter(struct api *api, struct http_exchange *x)
{
    (void)x;
    return api_begin(api);
}

static json_t *pack_login(const char *name, const char *secret, uint64_t expires_us)
{
    char expires[CLOCK_TEXT_MAX];

    clock_put_rfc3339(expires, expires_us);
    return json_pack("{s:s,s:s}", name, secret, "expires_at", expires);
}

/* The browser keeps the secret, and shows it to no script. */
static int put_session(struct http_exchange *x, const struct login_answer *login, json_t **ret)
{
    char cookie[TOKEN_TEXT_MAX + 128];
    int r;

    (void)snprintf(cookie,
                   sizeof(cookie),
                   API_SESSION_COOKIE "=%s; Path=/; Secure; HttpOnly; SameSite=Strict",
                   login->token);
    r = http_add_header(x, "Set-Cookie", cookie);
    explicit_bzero(cookie, sizeof(cookie));
    if (r < 0)
        return TRACE(r);
    *ret = pack_login("csrf_token", login->csrf, login->expires_us);
    return *ret ? 0 : ERR(-ENOMEM);
}

int admin_put_login(struct http_exchange *x, const struct login_answer *login, json_t **ret)
{
    if (login->csrf[0])
        return TRACE(put_session(x, login, ret));
    *ret = pack_login("token", login->token, login->expires_us);
    return *ret ? 0 : ERR(-ENOMEM);
}

static int
begin_login(struct api *api, struct http_exchange *x, const json_t *body, struct password_work *ret)
{
    (void)x;
    return TRACE(login_begin(api->site, body, ret));
}

static int end_login(struct api *api,
                     struct http_exchange *x,
                     const json_t *body,
                     const struct password_work *work,
                     json_t **ret)
{
    struct login_answer login;
    int r = login_end(api->site, body, work, &login);

    if (work->directory)
        directory_say_group(api->site, &work->answer);
    if (work->directory &&
        (work->answer.outcome == DIRECTORY_DOWN || work->answer.outcome == DIRECTORY_CANNOT_SAY))
        log_warning(
            "the directory could not be asked", "why=\"%s\" error_id=SLW-0194", work->answer.why);
    if (r == 0)
        r = admin_put_login(x, &login, ret);
    explicit_bzero(&login, sizeof(login));
    return TRACE(r);
}

static int put_one_time_login(struct api *api, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"token", FIELD_TEXT, true, 1, 255, NULL},
        {0},
    };
    char token[TOKEN_TEXT_MAX];
    uint64_t expires_us = 0;
    int r = fields_check(api->site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = access_login(api->site, field_text(body, "token", ""), token, &expires_us);
    if (r != 0)
        return r;
    *ret = pack_login("token", token, expires_us);
    return *ret ? 0 : ERR(-ENOMEM);
}

int admin_create_login(void *ctx, struct http_exchange *x)
{
    static const struct password_request request = {201, enter, begin_login, end_login};
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin(api);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0 && json_object_get(body, "user"))
        return password_request_serve(api, x, &request);
    if (r == 0)
        r = put_one_time_login(api, body, &answer);
    return api_finish(api, x, r, 201, answer);
}

int admin_delete_current_login(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_admin(api, x);

    if (r == 0)
        r = access_drop_token(api->site, api->site->principal.token_id);
    return api_finish(api, x, r, 204, NULL);
}

static int
begin_own(struct api *api, struct http_exchange *x, const json_t *body, struct password_work *ret)
{
    (void)x;
    return TRACE(login_begin_own(api->site, body, ret));
}

static int end_own(struct api *api,
                   struct http_exchange *x,
                   const json_t *body,
                   const struct password_work *work,
                   json_t **ret)
{
    (void)x;
    (void)body;
    (void)ret;
    return TRACE(login_end_own(api->site, work));
}

int admin_change_own_password(void *ctx, struct http_exchange *x)
{
    static const struct password_request request = {204, enter, begin_own, end_own};

    return password_request_serve(ctx, x, &request);
}

static int
begin_set(struct api *api, struct http_exchange *x, const json_t *body, struct password_work *ret)
{
    (void)x;
    return TRACE(login_begin_set(api->site, body, ret));
}

static int end_set(struct api *api,
                   struct http_exchange *x,
                   const json_t *body,
                   const struct password_work *work,
                   json_t **ret)
{
    (void)body;
    (void)ret;
    return TRACE(login_end_set(api->site, api->who, http_param(x, "id"), work));
}

int admin_set_password(void *ctx, struct http_exchange *x)
{
    static const struct password_request request = {204, enter, begin_set, end_set};

    return password_request_serve(ctx, x, &request);
}

int admin_list_tokens(void *ctx, struct http_exchange *x)
{
    return shape_list(ctx, x, administrator_token_list);
}

int admin_create_token(void *ctx, struct http_exchange *x)
{
    return shape_create(ctx, x, 201, administrator_token_create);
}

int admin_revoke_token(void *ctx, struct http_exchange *x)
{
    return shape_delete(ctx, x, administrator_token_revoke);
}
