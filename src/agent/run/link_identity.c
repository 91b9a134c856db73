/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "agent/run/link_parts.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/random.h"
#include "rt/prove.h"

enum {
    HTTP_CREATED = 201,
    HTTP_UNAUTHORIZED = 401,
    HTTP_FORBIDDEN = 403,
    LIFE_MAX_S = 24 * 3600,
    US_PER_S = 1000 * 1000,
    RENEW_PAUSE_US = 30 * US_PER_S,
};

#define TIME_PATH "/api/v1/client/time"

DEFINE_FREEP(struct http_client *, http_client_free);

int link_make_key(struct link *link)
{
    link->identity = (struct link_identity){.has_key = true};
    random_bytes(link->identity.secret, sizeof(link->identity.secret));
    return 0;
}

static bool copy_text(char *dst, size_t cap, const char *text)
{
    size_t len = text ? strlen(text) : cap;

    if (len >= cap)
        return false;
    memcpy(dst, text, len + 1);
    return true;
}

int link_set_key(struct link *link,
                 const uint8_t secret[static SIGNATURE_KEY_BYTES],
                 const char *device_id)
{
    struct link_identity identity = {.has_key = true};

    memcpy(identity.secret, secret, sizeof(identity.secret));
    if (!copy_text(identity.device_id, sizeof(identity.device_id), device_id))
        return ERR(-EMSGSIZE);
    link->identity = identity;
    explicit_bzero(&identity, sizeof(identity));
    return 0;
}

const uint8_t *link_key(const struct link *link)
{
    return link->identity.has_key ? link->identity.secret : NULL;
}

/* @time: the site's answer, with a challenge. Return: 0, LINK_E_AWAY or -errno. */
static int sign(const struct link *link,
                const json_t *time,
                const char *purpose,
                const char *subject,
                json_t **ret)
{
    char pin[SHA256_TEXT_MAX] = "";
    const struct proof proof = {
        .purpose = purpose,
        .challenge = json_string_value(json_object_get(time, "challenge")),
        .pin = pin,
        .subject = subject,
    };
    int r;

    if (link->options.has_pin)
        hex_put(pin, (struct bytes){link->options.pin, SHA256_BYTES});
    r = prove(link->identity.secret, &proof, ret);
    return r == PROVE_E_UNFIT ? LINK_E_AWAY : TRACE(r);
}

int link_prove(struct link *link, const char *purpose, const char *subject, json_t **ret)
{
    OWN(json_decrefp) json_t *time = NULL;
    unsigned status = 0;
    int r = link_json(link, "GET", TIME_PATH, NULL, &status, &time);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    r = sign(link, time, purpose, subject, ret);
    if (r == LINK_E_AWAY)
        (void)copy_text(link->why, sizeof(link->why), "it gives no challenge to sign");
    return r < 0 ? TRACE(r) : r;
}

/* Between lock and unlock. It is renewed after half of its life. */
static int keep_token(struct link_identity *identity, const json_t *answer)
{
    const char *token = json_string_value(json_object_get(answer, "token"));
    json_int_t life_s = json_integer_value(json_object_get(answer, "token_life_s"));

    if (!copy_text(identity->token, sizeof(identity->token), token))
        return ERR(-EMSGSIZE);
    identity->renew_us = life_s > 0 && life_s <= LIFE_MAX_S
                             ? clock_monotonic_us() + (uint64_t)life_s * US_PER_S / 2
                             : UINT64_MAX;
    return 0;
}

int link_take_token(struct link *link, const json_t *answer)
{
    const char *device_id = json_string_value(json_object_get(answer, "device_id"));
    struct link_identity *identity = &link->identity;
    int r;

    (void)pthread_mutex_lock(&link->lock);
    if (device_id && !copy_text(identity->device_id, sizeof(identity->device_id), device_id))
        r = ERR(-EMSGSIZE);
    else
        r = keep_token(identity, answer);
    (void)pthread_mutex_unlock(&link->lock);
    return TRACE(r);
}

/* At one of the URLs. Return: 0: there is a new one, or the site refuses one for good; LINK_E_..., or -errno. */
static int renew_at(struct link *link, size_t url)
{
    OWN(http_client_freep) struct http_client *client = NULL;
    OWN(json_decrefp) json_t *time = NULL;
    OWN(json_decrefp) json_t *proof = NULL;
    OWN(json_decrefp) json_t *body = NULL;
    OWN(json_decrefp) json_t *answer = NULL;
    struct link_identity *identity = &link->identity;
    unsigned status = 0;
    int r = link_new_client(link, url, &client);

    if (r == 0)
        r = http_client_json(client, "GET", TIME_PATH, NULL, &status, &time);
    if (r == 0)
        r = sign(link, time, PROOF_TOKEN, identity->device_id, &proof);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    body = json_pack("{s:s, s:O}", "device_id", identity->device_id, "key", proof);
    r = http_client_json(client, "POST", "/api/v1/client/tokens", body, &status, &answer);
    if (r == 0 && status == HTTP_CREATED)
        return TRACE(keep_token(identity, answer));
    if (r == 0) /* a full disk, a busy site: it may give one later */
        r = status == HTTP_UNAUTHORIZED || status == HTTP_FORBIDDEN ? 0 : LINK_E_AWAY;
    if (r > 0)
        r = r == HTTP_CLIENT_E_PIN ? LINK_E_PIN : LINK_E_AWAY;
    return TRACE(r);
}

/*
 * Between lock and unlock: if it is time for that, and at the first @n_urls that answer. While there is a token, what fails is tried
 * again after a pause.
 */
static int renew(struct link *link, size_t n_urls)
{
    struct link_identity *identity = &link->identity;
    int r = 0;

    if (!identity->has_key || identity->device_id[0] == '\0' ||
        clock_monotonic_us() < identity->renew_us)
        return 0;
    for (size_t i = 0; i < n_urls; i++) {
        r = renew_at(link, (link->current + i) % link->options.n_urls);
        if (r <= 0)
            break;
    }
    if (r != 0 && identity->token[0] != '\0')
        identity->renew_us = clock_monotonic_us() + RENEW_PAUSE_US;
    return TRACE(r);
}

/* At the first @n_urls. Return: 0, LINK_E_... if there is none now, or -errno. */
static int get_token(struct link *link, size_t n_urls, char *dst, size_t cap)
{
    int r;

    dst[0] = '\0';
    (void)pthread_mutex_lock(&link->lock);
    r = renew(link, n_urls);
    if (copy_text(dst, cap, link->identity.token) && dst[0] != '\0')
        r = 0;
    (void)pthread_mutex_unlock(&link->lock);
    return TRACE(r);
}

int link_get_token(struct link *link, char *dst, size_t cap)
{
    return TRACE(get_token(link, 1, dst, cap));
}

void link_turn(struct link *link)
{
    (void)pthread_mutex_lock(&link->lock);
    link->current = (link->current + 1) % link->options.n_urls;
    (void)pthread_mutex_unlock(&link->lock);
}

bool link_forget_token(struct link *link, const char *token)
{
    struct link_identity *identity = &link->identity;
    bool may_renew;

    (void)pthread_mutex_lock(&link->lock);
    may_renew = identity->has_key && identity->device_id[0] != '\0';
    if (may_renew && (!token || strcmp(identity->token, token) == 0)) {
        identity->token[0] = '\0';
        identity->renew_us = 0;
    }
    (void)pthread_mutex_unlock(&link->lock);
    return may_renew;
}

static int put_token(void *ctx, char *dst, size_t cap)
{
    struct link *link = ctx;
    int r = get_token(link, link->options.n_urls, dst, cap);

    return r > 0 ? 1 : TRACE(r);
}

static bool refuse_token(void *ctx, const char *token)
{
    return link_forget_token(ctx, token);
}

struct http_tokens link_tokens(struct link *link)
{
    return (struct http_tokens){.put = put_token, .refuse = refuse_token, .ctx = link};
}
