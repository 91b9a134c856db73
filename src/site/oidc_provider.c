/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/oidc_provider.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "site/directory_account.h"
#include "site/oidc_http.h"
#include "site/secret_file.h"
#include "site/site.h"

#define KNOWN_US   (UINT64_C(3600) * 1000000)
#define REST_US    ((uint64_t)OIDC_REST_S * 1000000)
#define RENEWED_US (UINT64_C(5) * 1000000) /* so often keys are asked for because of a token */

#define WELL_KNOWN  "/.well-known/openid-configuration"
#define DEVICE_CODE "urn:ietf:params:oauth:grant-type:device_code"

enum {
    DERIVED_MAX = 44, /* 32 bytes in base64url and a NUL */
    FORM_MAX_BYTES = 16 * 1024,
    INTERVAL_S = 5, /* RFC 8628 */
    INTERVAL_MAX_S = 60,
};

struct oidc_provider {
    const struct oidc_settings *settings; /* borrowed */
    pthread_mutex_t lock;                 /* of all below; held while it is asked */
    json_t *metadata;                     /* owned; NULL: not known */
    json_t *keys;                         /* owned; NULL: not known */
    uint64_t known_us;                    /* when; of clock_monotonic_us(), as the next two */
    uint64_t renewed_us;                  /* when keys were last asked for */
    uint64_t rests_until_us;
};

int oidc_provider_new(const struct oidc_settings *settings, struct oidc_provider **ret)
{
    struct oidc_provider *provider = calloc(1, sizeof(*provider));

    if (!provider)
        return ERR(-ENOMEM);
    provider->settings = settings;
    (void)pthread_mutex_init(&provider->lock, NULL);
    *ret = provider;
    return 0;
}

void oidc_provider_free(struct oidc_provider *provider)
{
    if (!provider)
        return;
    json_decref(provider->metadata);
    json_decref(provider->keys);
    (void)pthread_mutex_destroy(&provider->lock);
    free(provider);
}

struct oidc_work *oidc_work_new(struct oidc_provider *provider, enum oidc_errand errand)
{
    struct oidc_work *work = sodium_init() < 0 ? NULL : calloc(1, sizeof(*work));

    if (!work)
        return NULL;
    work->provider = provider;
    work->errand = errand;
    return work;
}

void oidc_work_free(void *arg)
{
    struct oidc_work *work = arg;

    if (!work)
        return;
    oidc_claims_fini(&work->claims);
    explicit_bzero(work, sizeof(*work));
    free(work);
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* Return: -EIO, always, as the functions below that fail. */
static int say(struct oidc_work *work, enum oidc_outcome outcome, const char *what, const char *why)
{
    char text[2 * OIDC_WHY_MAX];

    (void)snprintf(text, sizeof(text), "%s%s%.*s", what, why[0] ? ": " : "", OIDC_WHY_MAX - 1, why);
    directory_plain(text, work->why, sizeof(work->why));
    work->outcome = outcome;
    return -EIO;
}

/* The others need not each wait as long. */
static int be_down(struct oidc_work *work, const char *what, const char *why)
{
    work->provider->rests_until_us = clock_monotonic_us() + REST_US;
    return say(work, OIDC_DOWN, what, why);
}

/* base64url of 32 bytes. */
static int put_digest(struct bytes src, char ret[static DERIVED_MAX])
{
    uint8_t hash[SHA256_BYTES];
    int r = digest_sha256(src, hash);

    if (r < 0)
        return TRACE(r);
    (void)sodium_bin2base64(
        ret, DERIVED_MAX, hash, sizeof(hash), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return 0;
}

/* What only who has the secret can say again. @name: "nonce" or "verifier" */
static int derive(const struct oidc_work *work, const char *name, char ret[static DERIVED_MAX])
{
    char text[2 * TOKEN_TEXT_MAX];

    (void)snprintf(text, sizeof(text), "slipway-oidc-%s:%s", name, work->secret);
    return TRACE(put_digest(bytes_of(text), ret));
}

/* Ask, and read the answer as JSON. @ret: owned by the caller; an object */
static int
ask(struct oidc_work *work, struct oidc_request *request, unsigned *ret_status, json_t **ret)
{
    OWN(buf_fini) struct buf answer = BUF_INIT(OIDC_ANSWER_MAX_BYTES + 1);
    uint64_t now_us = clock_monotonic_us();
    char why[OIDC_WHY_MAX] = "";

    if (now_us >= work->until_us)
        return be_down(work, "the provider takes too long", "");
    request->timeout_us = work->until_us - now_us;
    if (oidc_call(request, ret_status, &answer, why) != 0)
        return be_down(work, "the provider could not be asked", why);
    *ret = json_loadb(buf_str(&answer), answer.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(*ret) && *ret_status < 500)
        return 0;
    (void)snprintf(why, sizeof(why), "status %u", *ret_status);
    /* no is said to one who asks, by something before the provider: the others may fare better */
    return *ret_status >= 400 && *ret_status < 500
               ? say(work, OIDC_DOWN, "the provider's answer cannot be read", why)
               : be_down(work, "the provider's answer cannot be read", why);
}

static int get(struct oidc_work *work, const char *url, json_t **ret)
{
    struct oidc_request request = {.url = url, .ca_file = work->provider->settings->ca_file};
    unsigned status = 0;
    int r = ask(work, &request, &status, ret);

    return r == 0 && status != 200
               ? be_down(work, "the provider does not say where it has what", url)
               : r;
}

/* What it must have for us; the keys are read apart. */
static const char *why_unfit(const json_t *metadata, const char *issuer)
{
    static const char *const needed[] = {"authorization_endpoint", "token_endpoint", "jwks_uri"};

    if (strcmp(text_of(metadata, "issuer"), issuer) != 0)
        return "its document is another issuer's";
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (!oidc_is_https(text_of(metadata, needed[i])))
            return needed[i];
    return NULL;
}

static int renew_keys(struct oidc_work *work)
{
    struct oidc_provider *provider = work->provider;
    OWN(json_freep) json_t *document = NULL;
    OWN(freep) char *text = NULL;
    json_t *keys = NULL;
    char why[OIDC_WHY_MAX] = "";
    int r = get(work, text_of(provider->metadata, "jwks_uri"), &document);

    provider->renewed_us = clock_monotonic_us();
    if (r < 0)
        return r;
    text = json_dumps(document, JSON_COMPACT);
    if (!text || oidc_keys_parse(bytes_of(text), &keys, why) != 0)
        return be_down(work, "the provider's keys cannot be read", why);
    json_decref(provider->keys);
    provider->keys = keys;
    return 0;
}

static int renew(struct oidc_work *work)
{
    struct oidc_provider *provider = work->provider;
    OWN(buf_fini) struct buf url = BUF_INIT(OIDC_URI_MAX + sizeof(WELL_KNOWN));
    OWN(json_freep) json_t *metadata = NULL;
    size_t len = strlen(provider->settings->issuer);
    int r;

    if (len > 0 && provider->settings->issuer[len - 1] == '/')
        len--;
    buf_addf(&url, "%.*s%s", (int)len, provider->settings->issuer, WELL_KNOWN);
    r = get(work, buf_str(&url), &metadata);
    if (r < 0)
        return r;
    if (why_unfit(metadata, provider->settings->issuer))
        return be_down(work,
                       "the provider's document is not to be used",
                       why_unfit(metadata, provider->settings->issuer));
    json_decref(provider->metadata);
    provider->metadata = TAKE(metadata);
    r = renew_keys(work);
    if (r == 0)
        provider->known_us = clock_monotonic_us();
    return r;
}

/* What is known for an hour is good. */
static int know(struct oidc_work *work)
{
    struct oidc_provider *provider = work->provider;
    uint64_t now_us = clock_monotonic_us();

    if (now_us < provider->rests_until_us)
        return say(work, OIDC_DOWN, "it did not answer a moment ago", "");
    if (provider->keys && now_us < provider->known_us + KNOWN_US)
        return 0;
    return renew(work);
}

/* Whether the list @name of the metadata has it. */
static bool supports(const json_t *metadata, const char *name, const char *value)
{
    const json_t *list = json_object_get(metadata, name);

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *one = json_string_value(json_array_get(list, i));

        if (one && strcmp(one, value) == 0)
            return true;
    }
    return false;
}

/*
 * With the form go the client's id and, if it has one, its secret: by Basic, which every provider knows, unless this one says that
 * it wants it in the form.
 */
static int
post(struct oidc_work *work, const char *url, struct buf *form, unsigned *ret_status, json_t **ret)
{
    static const char methods[] = "token_endpoint_auth_methods_supported";
    const struct oidc_settings *settings = work->provider->settings;
    const json_t *metadata = work->provider->metadata;
    struct oidc_request request = {.url = url, .ca_file = settings->ca_file, .form = form};
    OWN(buf_fini) struct buf user = BUF_INIT(FORM_MAX_BYTES);
    OWN(buf_fini) struct buf password = BUF_INIT(FORM_MAX_BYTES);
    char secret[SECRET_FILE_MAX_BYTES] = "";
    const char *why =
        settings->secret_file[0] ? secret_file_read(settings->secret_file, secret) : NULL;
    bool is_in_form = supports(metadata, methods, "client_secret_post") &&
                      !supports(metadata, methods, "client_secret_basic");
    int r;

    if (why)
        return say(work, OIDC_DOWN, "[oidc] client-secret-file", why);
    oidc_put_parameter(&user, "u", settings->client_id);
    oidc_put_parameter(&password, "p", secret);
    if (!secret[0] || is_in_form)
        oidc_put_parameter(form, "client_id", settings->client_id);
    if (secret[0] && is_in_form)
        oidc_put_parameter(form, "client_secret", secret);
    if (secret[0] && !is_in_form) {
        request.user = buf_str(&user) + strlen("u=");
        request.password = buf_str(&password) + strlen("p=");
    }
    explicit_bzero(secret, sizeof(secret));
    r = ask(work, &request, ret_status, ret);
    if (password.ptr)
        explicit_bzero(password.ptr, password.len);
    return r;
}

static int start_code(struct oidc_work *work)
{
    const struct oidc_settings *settings = work->provider->settings;
    const char *endpoint = text_of(work->provider->metadata, "authorization_endpoint");
    OWN(buf_fini) struct buf query = BUF_INIT(OIDC_URL_MAX);
    char nonce[DERIVED_MAX];
    char verifier[DERIVED_MAX];
    char challenge[DERIVED_MAX];
    int r = derive(work, "nonce", nonce);

    if (r == 0)
        r = derive(work, "verifier", verifier);
    if (r == 0)
        r = put_digest(bytes_of(verifier), challenge);
    if (r < 0)
        return say(work, OIDC_DOWN, "there is no memory", "");
    oidc_put_parameter(&query, "response_type", "code");
    oidc_put_parameter(&query, "client_id", settings->client_id);
    oidc_put_parameter(&query, "redirect_uri", work->redirect_uri);
    oidc_put_parameter(&query, "scope", settings->scopes);
    oidc_put_parameter(&query, "state", work->state);
    oidc_put_parameter(&query, "nonce", nonce);
    oidc_put_parameter(&query, "code_challenge", challenge);
    oidc_put_parameter(&query, "code_challenge_method", "S256");
    if (strlen(endpoint) + 1 + query.len >= sizeof(work->url))
        return say(work, OIDC_DOWN, "the provider's address is too long", "");
    (void)snprintf(work->url,
                   sizeof(work->url),
                   "%s%c%s",
                   endpoint,
                   strchr(endpoint, '?') ? '&' : '?',
                   buf_str(&query));
    work->outcome = OIDC_RIGHT;
    return 0;
}

/* An error of the provider (RFC 6749, 5.2): its word, which is short. */
static int be_refused(struct oidc_work *work, const json_t *answer)
{
    const char *error = text_of(answer, "error");

    if (strcmp(error, "invalid_client") == 0 || strcmp(error, "unauthorized_client") == 0)
        return say(work, OIDC_DOWN, "the provider does not let the site itself in", error);
    return say(work, OIDC_REFUSED, "the provider refused", error);
}

static unsigned interval_of(const json_t *answer)
{
    json_int_t interval = json_integer_value(json_object_get(answer, "interval"));

    if (interval <= 0)
        return INTERVAL_S;
    return interval > INTERVAL_MAX_S ? INTERVAL_MAX_S : (unsigned)interval;
}

static int take_device(struct oidc_work *work, const json_t *answer)
{
    const char *state = text_of(answer, "device_code");
    const char *user_code = text_of(answer, "user_code");
    const char *whole = text_of(answer, "verification_uri_complete");
    json_int_t life_s = json_integer_value(json_object_get(answer, "expires_in"));
    uint64_t most_s = OIDC_LOGIN_US / 1000000;

    if (!state[0] || strlen(state) >= sizeof(work->state) || !user_code[0] ||
        strlen(user_code) >= sizeof(work->user_code) || life_s <= 0 ||
        !oidc_is_https(text_of(answer, "verification_uri")))
        return be_down(work, "the provider's codes for devices cannot be read", "");
    (void)snprintf(work->state, sizeof(work->state), "%s", state);
    (void)snprintf(work->user_code, sizeof(work->user_code), "%s", user_code);
    (void)snprintf(work->url, sizeof(work->url), "%s", text_of(answer, "verification_uri"));
    if (oidc_is_https(whole))
        (void)snprintf(work->whole_url, sizeof(work->whole_url), "%s", whole);
    work->interval_s = interval_of(answer);
    work->life_us = ((uint64_t)life_s < most_s ? (uint64_t)life_s : most_s) * 1000000;
    work->outcome = OIDC_RIGHT;
    return 0;
}

static int start_device(struct oidc_work *work)
{
    const char *url = text_of(work->provider->metadata, "device_authorization_endpoint");
    OWN(buf_fini) struct buf form = BUF_INIT(FORM_MAX_BYTES);
    OWN(json_freep) json_t *answer = NULL;
    unsigned status = 0;
    int r;

    if (!oidc_is_https(url))
        return say(work, OIDC_LACKING, "the provider has no codes for devices", "");
    oidc_put_parameter(&form, "scope", work->provider->settings->scopes);
    r = post(work, url, &form, &status, &answer);
    if (form.ptr)
        explicit_bzero(form.ptr, form.len); /* it may have the client's secret */
    if (r < 0)
        return r;
    return status == 200 ? take_device(work, answer) : be_refused(work, answer);
}

/* With a key of another name it may have new ones. Return: as oidc_token_check(). */
static int check_token(struct oidc_work *work, const char *token, const char *nonce)
{
    struct oidc_provider *provider = work->provider;
    const struct oidc_expected expected = {
        .issuer = provider->settings->issuer,
        .client_id = provider->settings->client_id,
        .nonce = nonce,
        .groups_claim = provider->settings->groups_claim,
        .name_claim = provider->settings->name_claim,
        .now_us = work->now_us,
    };
    char why[OIDC_WHY_MAX] = "there is no memory";
    int r = oidc_token_check(bytes_of(token), provider->keys, &expected, &work->claims, why);

    if (r == OIDC_E_KEY && clock_monotonic_us() >= provider->renewed_us + RENEWED_US) {
        if (renew_keys(work) < 0)
            return -EIO;
        r = oidc_token_check(bytes_of(token), provider->keys, &expected, &work->claims, why);
    }
    if (r != 0)
        return say(work, OIDC_REFUSED, why, "");
    work->outcome = OIDC_RIGHT;
    return 0;
}

static bool is_pending(struct oidc_work *work, const json_t *answer)
{
    const char *error = text_of(answer, "error");
    bool is_slow = strcmp(error, "slow_down") == 0;

    if (work->errand != OIDC_END_DEVICE ||
        (!is_slow && strcmp(error, "authorization_pending") != 0))
        return false;
    if (is_slow && work->interval_s < INTERVAL_MAX_S)
        work->interval_s += INTERVAL_S;
    work->outcome = OIDC_PENDING;
    return true;
}

/* @nonce: NULL: none was sent */
static int exchange(struct oidc_work *work, struct buf *form, const char *nonce)
{
    const char *url = text_of(work->provider->metadata, "token_endpoint");
    OWN(json_freep) json_t *answer = NULL;
    unsigned status = 0;
    int r = post(work, url, form, &status, &answer);

    if (form->ptr)
        explicit_bzero(form->ptr, form->len);
    if (r < 0)
        return r;
    if (status != 200)
        return is_pending(work, answer) ? 0 : be_refused(work, answer);
    if (!text_of(answer, "id_token")[0])
        return say(work, OIDC_REFUSED, "the provider gave no ID token", "");
    return check_token(work, text_of(answer, "id_token"), nonce);
}

/* RFC 9207: the answer of another provider, which somebody has mixed up, is not taken to this one. */
static bool is_issuer_right(const struct oidc_work *work)
{
    static const char supported[] = "authorization_response_iss_parameter_supported";

    if (work->issuer[0])
        return strcmp(work->issuer, work->provider->settings->issuer) == 0;
    return !json_is_true(json_object_get(work->provider->metadata, supported));
}

static int end_code(struct oidc_work *work)
{
    OWN(buf_fini) struct buf form = BUF_INIT(FORM_MAX_BYTES);
    char nonce[DERIVED_MAX];
    char verifier[DERIVED_MAX];
    int r = derive(work, "nonce", nonce);

    if (r == 0)
        r = derive(work, "verifier", verifier);
    if (r < 0)
        return say(work, OIDC_DOWN, "there is no memory", "");
    if (!is_issuer_right(work))
        return say(work, OIDC_REFUSED, "the answer is another issuer's", work->issuer);
    oidc_put_parameter(&form, "grant_type", "authorization_code");
    oidc_put_parameter(&form, "code", work->code);
    oidc_put_parameter(&form, "redirect_uri", work->redirect_uri);
    oidc_put_parameter(&form, "code_verifier", verifier);
    return exchange(work, &form, nonce);
}

static int end_device(struct oidc_work *work)
{
    OWN(buf_fini) struct buf form = BUF_INIT(FORM_MAX_BYTES);

    oidc_put_parameter(&form, "grant_type", DEVICE_CODE);
    oidc_put_parameter(&form, "device_code", work->state);
    return exchange(work, &form, NULL);
}

void oidc_work_run(void *arg)
{
    static int (*const errands[])(struct oidc_work *) = {
        [OIDC_START_CODE] = start_code,
        [OIDC_START_DEVICE] = start_device,
        [OIDC_END_CODE] = end_code,
        [OIDC_END_DEVICE] = end_device,
    };
    struct oidc_work *work = arg;

    work->until_us = clock_monotonic_us() + (uint64_t)OIDC_WAIT_ALL_S * 1000000;
    (void)pthread_mutex_lock(&work->provider->lock);
    if (know(work) == 0)
        (void)errands[work->errand](work);
    (void)pthread_mutex_unlock(&work->provider->lock);
}
