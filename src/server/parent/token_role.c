/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The process `token` of a remote distribution point: it has the secret key, and gets tokens of short life for it
 *
 * It keeps nothing, so the parent may end it at any time.
 */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "rt/http_client.h"
#include "rt/log.h"
#include "rt/prove.h"
#include "server/parent/dp_key.h"
#include "server/parent/keys.h"
#include "server/parent/remote.h"
#include "server/role.h"

enum {
    HTTP_CREATED = 201,
    HTTP_NO_CONTENT = 204,
    HTTP_UNAUTHORIZED = 401,
    HTTP_NOT_FOUND = 404,
    CERTIFICATE_MAX_BYTES = 64 * 1024,
    LIFE_MAX_S = 24 * 3600,
};

#define US_PER_S     UINT64_C(1000000)
#define TIMEOUT_US   (10 * US_PER_S)
#define AGAIN_US     (2 * US_PER_S) /* after a failure, then twice as long, up to */
#define AGAIN_MAX_US (30 * US_PER_S)
#define LATER_US     (60 * US_PER_S) /* when it is known why, and that lasts */

#define TIME_PATH   "/api/v1/client/time"
#define KEYS_PATH   "/api/v1/internal/dp/keys"
#define TOKENS_PATH "/api/v1/internal/dp/tokens"

DEFINE_FREEP(struct http_client *, http_client_free);

struct keeper {
    struct remote site;
    uint8_t pin[SHA256_BYTES];
    uint8_t secret[SIGNATURE_KEY_BYTES];
    char public_half[SIGNATURE_KEY_TEXT_MAX];
    char old_token[DP_KEY_TOKEN_MAX_BYTES + 1]; /* "": none */
    int token_fd;                               /* borrowed; to the parent */
    uint64_t again_us;                          /* until the next try; 0: the last one was good */
};

static void keeper_fini(struct keeper *keeper)
{
    explicit_bzero(keeper->secret, sizeof(keeper->secret));
    explicit_bzero(keeper->old_token, sizeof(keeper->old_token));
}

/* What the parent has opened, and our user could not: it is read as it is, since to open it anew would be our own doing. */
static int read_fd(int fd, struct buf *ret)
{
    uint8_t part[DP_KEY_TOKEN_MAX_BYTES + 1];
    ssize_t n = pread(fd, part, sizeof(part), 0);

    if (n < 0)
        return ERR(-errno);
    buf_add(ret, (struct bytes){part, (size_t)n});
    explicit_bzero(part, sizeof(part));
    return ret->failed ? ERR(-EBADMSG) : 0;
}

static int load_key(struct keeper *keeper, int fd)
{
    OWN(buf_fini) struct buf text = BUF_INIT(DP_KEY_TEXT_MAX);
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    int r = read_fd(fd, &text);

    if (r == 0 && !dp_key_parse(buf_bytes(&text), keeper->secret))
        r = ERR(-EBADMSG);
    if (text.ptr)
        explicit_bzero(text.ptr, text.len);
    if (r == 0)
        r = signature_public(keeper->secret, public_half);
    if (r < 0)
        return TRACE(r);
    hex_put(keeper->public_half, (struct bytes){public_half, sizeof(public_half)});
    return 0;
}

static int load_old_token(struct keeper *keeper, int fd)
{
    OWN(buf_fini) struct buf text = BUF_INIT(DP_KEY_TOKEN_MAX_BYTES);
    int r = fd < 0 ? 0 : read_fd(fd, &text);

    if (r < 0 || fd < 0)
        return TRACE(r);
    if (!dp_key_is_token(buf_str(&text)))
        return ERR(-EBADMSG);
    (void)snprintf(keeper->old_token, sizeof(keeper->old_token), "%s", buf_str(&text));
    explicit_bzero(text.ptr, text.len);
    return 0;
}

static int load_site(struct keeper *keeper, const char *state_folder)
{
    OWN(buf_fini) struct buf certificate = BUF_INIT(CERTIFICATE_MAX_BYTES);
    char path[PATH_MAX];
    int r = remote_load(state_folder, &keeper->site);

    if (r != 0 || !keeper->site.is_on)
        return r < 0 ? TRACE(r) : ERR(-EBADMSG);
    (void)snprintf(path, sizeof(path), "%s/keys/site.crt", state_folder);
    r = file_read(path, &certificate);
    if (r == 0)
        r = keys_pin_of_certificate(buf_bytes(&certificate), keeper->pin);
    return r > 0 ? ERR(-EBADMSG) : TRACE(r);
}

/* Return: 0, HTTP_CLIENT_E_..., PROVE_E_... as unreachable, or -errno. */
static int make_proof(const struct keeper *keeper,
                      struct http_client *client,
                      const char *purpose,
                      const char *subject,
                      json_t **ret)
{
    OWN(json_decrefp) json_t *time = NULL;
    char pin[SHA256_TEXT_MAX];
    struct proof about = {.purpose = purpose, .pin = pin, .subject = subject};
    unsigned status = 0;
    int r = http_client_json(client, "GET", TIME_PATH, NULL, &status, &time);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    hex_put(pin, (struct bytes){keeper->pin, sizeof(keeper->pin)});
    about.challenge = json_string_value(json_object_get(time, "challenge"));
    r = prove(keeper->secret, &about, ret);
    return r == PROVE_E_UNFIT ? HTTP_CLIENT_E_UNREACHABLE : TRACE(r);
}

/* @token: "" for none. Return: 0, HTTP_CLIENT_E_... or -errno. */
static int ask(const struct keeper *keeper,
               const char *path,
               const char *token,
               unsigned *ret_status,
               json_t **ret)
{
    OWN(http_client_freep) struct http_client *client = NULL;
    OWN(json_decrefp) json_t *proof = NULL;
    OWN(json_decrefp) json_t *body = NULL;
    const struct http_client_options options = {
        .base_url = keeper->site.url,
        .pin = keeper->pin,
        .bearer = token[0] != '\0' ? token : NULL,
        .user_agent = "slipwayd-token",
        .timeout_us = TIMEOUT_US,
    };
    bool is_key = token[0] != '\0';
    int r = http_client_new(&options, &client);

    *ret_status = 0;
    if (r == 0)
        r = make_proof(keeper,
                       client,
                       is_key ? PROOF_DP_KEY : PROOF_DP_TOKEN,
                       is_key ? token : keeper->public_half,
                       &proof);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    body = json_pack("{s:O}", "key", proof);
    if (!body)
        return ERR(-ENOMEM);
    r = http_client_json(client, "POST", path, body, ret_status, ret);
    return r < 0 ? TRACE(r) : r;
}

/* Return: 0 or -errno: the parent is gone. */
static int pass_on(struct keeper *keeper, const json_t *answer, uint64_t *ret_wait_us)
{
    OWN(buf_fini) struct buf line = BUF_INIT(sizeof(keeper->old_token) + 2);
    const char *token = json_string_value(json_object_get(answer, "token"));
    json_int_t life_s = json_integer_value(json_object_get(answer, "token_life_s"));
    int r;

    if (!token || !dp_key_is_token(token) || life_s <= 0 || life_s > LIFE_MAX_S)
        return ERR(-EBADMSG);
    buf_addf(&line, "%s\n", token);
    if (line.failed)
        return ERR(-ENOMEM);
    r = fd_write_all(keeper->token_fd, buf_bytes(&line));
    explicit_bzero(line.ptr, line.len);
    *ret_wait_us = (uint64_t)life_s * US_PER_S / 2;
    return TRACE(r);
}

/* What lasts is said once, what passes when it begins. Return: how long to wait. */
static uint64_t put_off(struct keeper *keeper, int r, unsigned status)
{
    bool is_new = keeper->again_us == 0;
    bool lasts = status == HTTP_UNAUTHORIZED || status == HTTP_NOT_FOUND;
    uint64_t next_us = is_new ? AGAIN_US : 2 * keeper->again_us;

    if (status == HTTP_UNAUTHORIZED && is_new)
        log_error("the site does not know this distribution point any more: it was removed, or the "
                  "site was set back to before it joined",
                  "error_id=SLW-0150 site=%s",
                  keeper->site.url);
    else if (status == HTTP_NOT_FOUND && is_new)
        log_warning("the site is older than this program and has no short tokens",
                    "site=%s",
                    keeper->site.url);
    else if (is_new)
        log_warning("the site gives no token now",
                    "site=%s status=%u error=%d",
                    keeper->site.url,
                    status,
                    r);
    if (lasts)
        next_us = LATER_US;
    else if (next_us > AGAIN_MAX_US)
        next_us = AGAIN_MAX_US;
    keeper->again_us = next_us;
    return next_us;
}

/* One that joined before there were keys: the site gets the key for the token. @ret_status: as of the last answer */
static int register_key(struct keeper *keeper, unsigned *ret_status)
{
    OWN(json_decrefp) json_t *nothing = NULL;
    int r = ask(keeper, KEYS_PATH, keeper->old_token, ret_status, &nothing);

    if (r != 0 || *ret_status != HTTP_NO_CONTENT)
        return r < 0 ? TRACE(r) : r;
    log_info("the site has the key of this distribution point now; its old token is void",
             "site=%s",
             keeper->site.url);
    explicit_bzero(keeper->old_token, sizeof(keeper->old_token));
    return 0;
}

/* Return: 0, or -errno if it makes no sense to go on. */
static int renew(struct keeper *keeper, uint64_t *ret_wait_us)
{
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;
    int r = ask(keeper, TOKENS_PATH, "", &status, &answer);

    if (r == 0 && status == HTTP_UNAUTHORIZED && keeper->old_token[0] != '\0') {
        r = register_key(keeper, &status);
        if (r == 0 && status == HTTP_NO_CONTENT) {
            *ret_wait_us = 0; /* at once, with it */
            return 0;
        }
    }
    if (r != 0 || status != HTTP_CREATED) {
        *ret_wait_us = put_off(keeper, r, status);
        return 0;
    }
    if (keeper->again_us > 0)
        log_info("the site gives tokens again", "site=%s", keeper->site.url);
    keeper->again_us = 0;
    return TRACE(pass_on(keeper, answer, ret_wait_us));
}

int server_token_main(const struct role_options *options)
{
    OWN(keeper_fini) struct keeper keeper = {.token_fd = options->token_fd};
    int r = load_site(&keeper, options->state_folder);

    if (r == 0)
        r = load_key(&keeper, options->key_fd);
    if (r == 0)
        r = load_old_token(&keeper, options->old_token_fd);
    while (r == 0) {
        uint64_t wait_us = 0;

        r = renew(&keeper, &wait_us);
        if (r == 0 && wait_us > 0)
            clock_sleep_us(wait_us);
    }
    log_error("token: cannot go on", "error=\"%s\"", strerrordesc_np(-r));
    return ROLE_EXIT_FAILED;
}
