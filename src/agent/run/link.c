/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/link_parts.h"
#include "base/err.h"
#include "base/own.h"

enum {
    HTTP_UNAUTHORIZED = 401,
};

bool link_options_set_urls(struct link_options *options, const char *list)
{
    options->n_urls = 0;
    while (*list) {
        size_t len = strcspn(list, ",");

        if (options->n_urls == LINK_URLS_MAX || len >= LINK_URL_MAX ||
            (strncmp(list, "https://", 8) != 0 && strncmp(list, "http://", 7) != 0))
            return false;
        memcpy(options->urls[options->n_urls], list, len);
        options->urls[options->n_urls][len] = '\0';
        options->n_urls++;
        list += len + (list[len] == ',' ? 1 : 0);
    }
    return options->n_urls > 0;
}

int link_new(const struct link_options *options, struct link **ret)
{
    struct link *link = calloc(1, sizeof(*link));

    if (!link)
        return ERR(-ENOMEM);
    link->options = *options;
    (void)pthread_mutex_init(&link->lock, NULL); /* it cannot fail */
    *ret = link;
    return 0;
}

void link_free(struct link *link)
{
    if (!link)
        return;
    http_client_free(link->client);
    (void)pthread_mutex_destroy(&link->lock);
    explicit_bzero(&link->identity, sizeof(link->identity));
    free(link);
}

const struct link_options *link_get_options(const struct link *link)
{
    return &link->options;
}

const char *link_why(const struct link *link)
{
    return link->why;
}

static void note_why(struct link *link, const char *text)
{
    size_t len = strnlen(text, sizeof(link->why) - 1);

    memcpy(link->why, text, len);
    link->why[len] = '\0';
}

int link_new_client(const struct link *link, size_t url, struct http_client **ret)
{
    const struct http_client_options options = {
        .base_url = link->options.urls[url],
        .unix_socket = link->options.unix_socket,
        .pin = link->options.has_pin ? link->options.pin : NULL,
        .user_agent = "slipway-agent",
        .timeout_us = LINK_CALL_TIMEOUT_US,
    };

    return TRACE(http_client_new(&options, ret));
}

static int connect_current(struct link *link)
{
    char token[LINK_TOKEN_MAX];
    int r = link->client ? 0 : link_new_client(link, link->current, &link->client);

    if (r == 0)
        r = link_get_token(link, token, sizeof(token));
    if (r > 0)
        note_why(link, "it gives the device no new token now");
    if (r == 0)
        r = http_client_set_bearer(link->client, token[0] ? token : NULL);
    explicit_bzero(token, sizeof(token));
    return TRACE(r);
}

struct call {
    const char *method;
    const char *path;
    const json_t *json; /* NULL: none */
    struct bytes text;  /* if there is no json */
    bool is_text;
    unsigned status;
    json_t *answer; /* owned */
};

static int call_text(struct http_client *client, struct call *call)
{
    struct http_answer answer = {0};
    int r = http_client_call(client, call->method, call->path, call->text, "text/plain", &answer);

    if (r == 0) {
        call->status = answer.status;
        http_answer_fini(&answer);
    }
    return r;
}

static int call_once(struct link *link, struct call *call)
{
    int r = connect_current(link);

    if (r != 0)
        return TRACE(r);
    if (call->is_text)
        r = call_text(link->client, call);
    else
        r = http_client_json(
            link->client, call->method, call->path, call->json, &call->status, &call->answer);
    if (r == -EBADMSG) {
        note_why(link, "the answer is not JSON: something else answers at the site's address");
        return LINK_E_AWAY;
    }
    if (r == HTTP_CLIENT_E_UNREACHABLE || r == HTTP_CLIENT_E_PIN) {
        note_why(link, http_client_why(link->client));
        return r == HTTP_CLIENT_E_PIN ? LINK_E_PIN : LINK_E_AWAY;
    }
    return r < 0 ? TRACE(r) : 0;
}

static int call_around_once(struct link *link, struct call *call)
{
    int worst = LINK_E_AWAY;

    for (size_t i = 0; i < link->options.n_urls; i++) {
        int r = call_once(link, call);

        if (r <= 0)
            return r < 0 ? TRACE(r) : 0;
        if (r == LINK_E_PIN)
            worst = r;
        http_client_free(TAKE(link->client));
        link_turn(link);
    }
    return worst;
}

/* With another token if the site does not take this one: it may have been restored, or asleep for too long. */
static int call_around(struct link *link, struct call *call)
{
    int r = call_around_once(link, call);

    if (r != 0 || call->status != HTTP_UNAUTHORIZED || !link_forget_token(link, NULL))
        return r < 0 ? TRACE(r) : r;
    json_decref(call->answer);
    call->answer = NULL;
    r = call_around_once(link, call);
    return r < 0 ? TRACE(r) : r;
}

int link_json(struct link *link,
              const char *method,
              const char *path,
              const json_t *body,
              unsigned *ret_status,
              json_t **ret)
{
    struct call call = {.method = method, .path = path, .json = body};
    int r = call_around(link, &call);

    *ret_status = call.status;
    *ret = call.answer;
    return r;
}

int link_text(struct link *link,
              const char *method,
              const char *path,
              struct bytes text,
              unsigned *ret_status)
{
    struct call call = {.method = method, .path = path, .text = text, .is_text = true};
    int r = call_around(link, &call);

    *ret_status = call.status;
    return r;
}
