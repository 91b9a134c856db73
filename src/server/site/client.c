/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/client.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "rt/log.h"
#include "server/site/password_request.h"
#include "site/boot_gate.h"
#include "site/challenge.h"
#include "site/client_policy.h"
#include "site/device.h"
#include "site/device_capture.h"
#include "site/device_key.h"
#include "site/fields.h"
#include "site/order.h"
#include "site/order_debug.h"
#include "site/order_state.h"
#include "site/order_wish.h"
#include "site/prestart.h"
#include "site/registration.h"
#include "site/tpm_key.h"
#include "site/unknown_request.h"

int client_time(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    char challenge[CHALLENGE_TEXT_MAX] = "";
    int r = api_begin(api);

    if (r == 0)
        r = challenge_put(api->site, challenge);
    return api_finish(
        api,
        x,
        r,
        200,
        json_pack("{s:I,s:s}", "time_us", (json_int_t)api->site->now_us, "challenge", challenge));
}

int client_register(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin(api);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = registration_take(api->site, body, &answer);
    if (r == 0)
        log_info("a device has registered",
                 "device=%s name=%s",
                 json_string_value(json_object_get(answer, "device_id")),
                 json_string_value(json_object_get(answer, "device_name")));
    return api_finish(api, x, r, 201, answer);
}

int client_renew_token(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin(api);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = device_token_renew(api->site, body, &answer);
    return api_finish(api, x, r, 201, answer);
}

int client_make_tpm_credential(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin(api);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = tpm_key_challenge(api->site, body, &answer);
    return api_finish(api, x, r, 201, answer);
}

/* The address of the Host header, without the port: what the device reached us by. "" if it is none. */
static void put_host(struct http_exchange *x, char *dst, size_t cap)
{
    const char *host = http_header(x, "Host");
    size_t n =
        host ? strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") : 0;

    dst[0] = '\0';
    if (n > 0 && n < cap && (host[n] == '\0' || host[n] == ':'))
        (void)snprintf(dst, cap, "%.*s", (int)n, host);
}

static int give_order(struct api *api, struct http_exchange *x, json_t **ret)
{
    char host[256];
    const struct order_client client = {.address = http_header(x, "X-Real-IP"), .host = host};

    put_host(x, host, sizeof(host));
    return TRACE(order_get(api->site, api->device_id, &client, ret));
}

/* Of the installed system, where nobody sits at a screen of the boot image. */
static int get_client_order(struct api *api, struct http_exchange *x, const json_t *body)
{
    json_t *order = NULL;
    bool is_there = false;
    int r = client_policy_begin(api->site, api->device_id, body, &is_there);

    if (r == 0 && is_there)
        r = give_order(api, x, &order);
    return api_finish(api, x, r, order ? 200 : 204, order);
}

int client_get_order(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *order = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0 && json_object_get(body, "environment"))
        return get_client_order(api, x, body);
    if (r == 0)
        r = boot_gate_ask(api->site, api->device_id, &order);
    if (r == 0 && !order)
        r = unknown_ask(api->site, api->device_id, &order);
    if (r == 0 && order)
        return api_finish(api, x, r, 202, order);
    if (r == 0)
        r = give_order(api, x, &order);
    return api_finish(api, x, r, order ? 200 : 204, order);
}

int client_put_inventory(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = client_policy_inventory(api->site, api->device_id, api_bearer(x), body, &answer);
    return api_finish(api, x, r, 200, answer);
}

int client_list_deployments(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = client_policy_list(api->site, api->device_id, &answer);
    return api_finish(api, x, r, 200, answer);
}

static int begin_boot_password(struct api *api,
                               struct http_exchange *x,
                               const json_t *body,
                               struct password_work *ret)
{
    return TRACE(boot_gate_begin_password(
        api->site, api->device_id, http_header(x, "X-Real-IP"), body, ret));
}

static int end_boot_password(struct api *api,
                             struct http_exchange *x,
                             const json_t *body,
                             const struct password_work *work,
                             json_t **ret)
{
    (void)body;
    return TRACE(
        boot_gate_end_password(api->site, api->device_id, http_header(x, "X-Real-IP"), work, ret));
}

int client_put_boot_password(void *ctx, struct http_exchange *x)
{
    static const struct password_request request = {
        200, api_begin_device, begin_boot_password, end_boot_password};

    return password_request_serve(ctx, x, &request);
}

typedef int device_rule(struct site *site, const char *device_id, const json_t *body, json_t **ret);

static int put_own(struct api *api, struct http_exchange *x, device_rule *rule)
{
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = rule(api->site, api->device_id, body, &answer);
    return api_finish(api, x, r, 200, answer);
}

int client_put_choice(void *ctx, struct http_exchange *x)
{
    return put_own(ctx, x, boot_gate_choose);
}

int client_reopen_choice(void *ctx, struct http_exchange *x)
{
    return put_own(ctx, x, order_reopen);
}

int client_drop_choice(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = boot_gate_unchoose(api->site, api->device_id, &answer);
    return api_finish(api, x, r, 200, answer);
}

int client_put_prestart(void *ctx, struct http_exchange *x)
{
    return put_own(ctx, x, prestart_take);
}

int client_put_variables(void *ctx, struct http_exchange *x)
{
    return put_own(ctx, x, boot_gate_take_variables);
}

int client_put_name(void *ctx, struct http_exchange *x)
{
    return put_own(ctx, x, unknown_name_from_screen);
}

typedef int order_rule(struct site *site,
                       const char *device_id,
                       const char *order_id,
                       const json_t *body,
                       json_t **ret);

static int tell(struct api *api, struct http_exchange *x, order_rule *rule)
{
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = rule(api->site, api->device_id, http_param(x, "id"), body, &answer);
    return api_finish(api, x, r, 200, answer);
}

int client_report_status(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = order_report(api->site, api->device_id, http_param(x, "id"), body, &answer);
    if (r == 0 && strcmp(field_text(body, "state", ""), "step-progress") != 0)
        r = device_key_reported(api->site, api_bearer(x));
    return api_finish(api, x, r, 200, answer);
}

int client_put_state(void *ctx, struct http_exchange *x)
{
    return tell(ctx, x, order_state_put);
}

int client_debug(void *ctx, struct http_exchange *x)
{
    return tell(ctx, x, order_debug_device);
}

int client_put_log(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = order_log_put(
            api->site, api->device_id, http_param(x, "id"), http_param(x, "number"), http_body(x));
    return api_finish(api, x, r, 204, NULL);
}

int client_get_wish(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = order_wish_get(api->site, api->device_id, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 200, answer);
}

int client_send_log(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = device_log_add(api->site, api->device_id, http_body(x));
    return api_finish(api, x, r, 204, NULL);
}

int client_begin_capture(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    OWN(json_freep) json_t *body = NULL;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = api_body(x, &body);
    if (r == 0)
        r = device_capture_begin(api->site, api->device_id, body, &answer);
    return api_finish(api, x, r, 201, answer);
}

int client_get_capture(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = device_capture_get(api->site, api->device_id, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 200, answer);
}

int client_publish_capture(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    json_t *answer = NULL;
    int r = api_begin_device(api, x);

    if (r == 0)
        r = device_capture_publish(api->site, api->device_id, http_param(x, "id"), &answer);
    return api_finish(api, x, r, 202, answer);
}
