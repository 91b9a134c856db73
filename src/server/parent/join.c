/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/join.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "plat/random.h"
#include "rt/http_client.h"
#include "rt/prove.h"
#include "server/config.h"
#include "server/parent/dp_key.h"
#include "server/parent/failure.h"
#include "server/parent/keys.h"
#include "server/parent/remote.h"
#include "server/parent/state.h"

enum {
    TOKEN_MAX_BYTES = 255,
    NAME_MAX_BYTES = 64,
    TIMEOUT_US = 30 * 1000 * 1000,
    WHY_MAX_BYTES = 1024,
    HTTP_CREATED = 201,
};

#define TOKEN_PREFIX "slw_dp_"

struct joining {
    const struct join_options *options;
    struct server_config config; /* owned */
    struct remote site;
    char token[TOKEN_MAX_BYTES + 2];
    uint8_t pin[SHA256_BYTES];
    char keys[PATH_MAX]; /* the folder */
    int lock_fd;         /* owned */
    uint8_t secret[SIGNATURE_KEY_BYTES];
    json_t *proof;  /* owned; NULL: the site is older than keys */
    json_t *answer; /* owned */
};

DEFINE_FREEP(struct http_client *, http_client_free);

static void joining_fini(struct joining *joining)
{
    explicit_bzero(joining->token, sizeof(joining->token));
    explicit_bzero(joining->secret, sizeof(joining->secret));
    server_config_fini(&joining->config);
    json_decref(joining->proof);
    json_decref(joining->answer);
    fd_closep(&joining->lock_fd);
}

bool join_read_token(const char *token, uint8_t ret_pin[static SHA256_BYTES])
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    size_t len = strspn(token, good);

    return strncmp(token, TOKEN_PREFIX, sizeof(TOKEN_PREFIX) - 1) == 0 &&
           len > sizeof(TOKEN_PREFIX) - 1 && token[len] == '.' &&
           strlen(token) <= TOKEN_MAX_BYTES &&
           hex_parse(bytes_of(token + len + 1), SHA256_BYTES, ret_pin);
}

static bool put_path(char dst[static PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(dst, PATH_MAX, "%s/%s", folder, name);

    return n > 0 && n < PATH_MAX;
}

static int read_arguments(struct joining *joining)
{
    const struct join_options *options = joining->options;
    const char *given = options->token;

    if (strcmp(given, "-") == 0) {
        if (!fgets(joining->token, sizeof(joining->token), stdin))
            joining->token[0] = '\0';
        joining->token[strcspn(joining->token, "\n")] = '\0';
    } else if (strlen(given) <= TOKEN_MAX_BYTES) {
        (void)snprintf(joining->token, sizeof(joining->token), "%s", given);
    }
    if (!join_read_token(joining->token, joining->pin))
        return parent_fail(
            PARENT_EXIT_JOIN_TOKEN,
            "this is no token to join with: copy all of what `slipway dp create-token` "
            "printed, slw_dp_..., with the dot and the 64 digits behind it");
    if (!remote_parse(options->url, &joining->site))
        return parent_fail(
            PARENT_EXIT_USAGE,
            "the site's URL must be https://ADDRESS or https://ADDRESS:PORT, not \"%s\"",
            options->url);
    return PARENT_EXIT_OK;
}

static int read_config(struct joining *joining)
{
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX_BYTES);
    const char *file = joining->options->config_file;
    int r = server_config_load(file ? file : SERVER_CONFIG_FILE, !file, &joining->config, &why);

    if (r < 0)
        return parent_fail_errno(r, "cannot read", file ? file : SERVER_CONFIG_FILE);
    return r > 0 ? parent_fail(PARENT_EXIT_BAD_CONFIG, "%s", buf_str(&why)) : PARENT_EXIT_OK;
}

/* That the folder is nobody's yet, before the token is used up. */
static int take_folder(struct joining *joining)
{
    const char *state = joining->options->state_folder;
    char path[PATH_MAX];
    pid_t owner = 0;
    int r = dir_make(state, 0755);

    if (r < 0)
        return parent_fail_errno(r, "cannot make the state folder", state);
    r = state_lock(state, &joining->lock_fd, &owner);
    if (r < 0)
        return parent_fail_errno(r, "cannot lock the state folder", state);
    if (r == STATE_E_LOCKED)
        return parent_fail(PARENT_EXIT_ALREADY_RUNNING,
                           "slipwayd runs on %s, pid %d: end it before joining",
                           state,
                           (int)owner);
    if (put_path(path, state, "keys/site-url") && file_exists(path))
        return parent_fail(PARENT_EXIT_JOINED,
                           "%s belongs to a site already: see its keys/site-url; remove that file "
                           "to join another one",
                           state);
    if (put_path(path, state, "site/slipway.db") && file_exists(path))
        return parent_fail(
            PARENT_EXIT_JOINED,
            "%s is the state folder of a site, which has a distribution point of its "
            "own: choose another one with --state",
            state);
    if (!put_path(joining->keys, state, "keys"))
        return parent_fail_errno(-ENAMETOOLONG, "cannot use", state);
    r = dir_make(joining->keys, 0755);
    if (r == 0)
        r = state_check_space(state);
    return r < 0 ? parent_fail_errno(r, "cannot write to", joining->keys) : PARENT_EXIT_OK;
}

static json_t *addresses_of(const struct joining *joining)
{
    const char *at =
        joining->options->address ? joining->options->address : joining->config.addresses;
    json_t *list = json_array();

    while (*at != '\0') {
        size_t len = strcspn(at, " ");

        (void)json_array_append_new(list, json_stringn(at, len));
        at += len;
        at += strspn(at, " ");
    }
    return list;
}

static json_t *make_request(const struct joining *joining)
{
    char host[NAME_MAX_BYTES + 1] = "";

    (void)gethostname(host, sizeof(host) - 1);
    return json_pack("{s:s, s:s, s:o, s:I, s:s, s:O?}",
                     "token",
                     joining->token,
                     "name",
                     joining->options->name ? joining->options->name : host,
                     "addresses",
                     addresses_of(joining),
                     "http_port",
                     (json_int_t)joining->config.http_port,
                     "version",
                     SLIPWAY_VERSION,
                     "key",
                     joining->proof);
}

static int fail_call(const struct joining *joining, int r, const char *why)
{
    if (r == HTTP_CLIENT_E_PIN)
        return parent_fail(
            PARENT_EXIT_JOIN_PIN,
            "whoever answers at %s does not have the key that the token names; nothing "
            "was sent to it: is the URL that of the site which made the token?",
            joining->site.url);
    if (r == HTTP_CLIENT_E_UNREACHABLE)
        return parent_fail(
            PARENT_EXIT_JOIN_AWAY, "the site at %s does not answer: %s", joining->site.url, why);
    return parent_fail_errno(r, "cannot ask the site at", joining->site.url);
}

static int fail_answer(const struct joining *joining, unsigned status)
{
    const char *detail = json_string_value(json_object_get(joining->answer, "detail"));
    const char *id = json_string_value(json_object_get(joining->answer, "error_id"));

    if (!detail)
        return parent_fail(PARENT_EXIT_JOIN_REFUSED,
                           "%s does not let this host join: it answered with HTTP status %u",
                           joining->site.url,
                           status);
    return parent_fail(PARENT_EXIT_JOIN_REFUSED,
                       "the site at %s does not let this host join: %s (%s)",
                       joining->site.url,
                       detail,
                       id ? id : "no id");
}

/* A key of its own, which it proves to have. Return: 0, HTTP_CLIENT_E_... or -errno. */
static int make_proof(struct joining *joining, struct http_client *client)
{
    OWN(json_decrefp) json_t *time = NULL;
    char pin[SHA256_TEXT_MAX];
    struct proof about = {.purpose = PROOF_DP_KEY, .pin = pin, .subject = joining->token};
    unsigned status = 0;
    int r = http_client_json(client, "GET", "/api/v1/client/time", NULL, &status, &time);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    random_bytes(joining->secret, sizeof(joining->secret));
    hex_put(pin, (struct bytes){joining->pin, sizeof(joining->pin)});
    about.challenge = json_string_value(json_object_get(time, "challenge"));
    r = prove(joining->secret, &about, &joining->proof);
    return r < 0 ? TRACE(r) : 0;
}

static int ask(struct joining *joining)
{
    OWN(http_client_freep) struct http_client *client = NULL;
    OWN(json_decrefp) json_t *request = NULL;
    const struct http_client_options options = {
        .base_url = joining->site.url,
        .pin = joining->pin,
        .user_agent = "slipwayd-join",
        .timeout_us = TIMEOUT_US,
    };
    unsigned status = 0;
    int r = http_client_new(&options, &client);

    if (r == 0)
        r = make_proof(joining, client);
    if (r == 0)
        request = make_request(joining);
    if (r == 0 && !request)
        r = -ENOMEM;
    if (r == 0)
        r = http_client_json(
            client, "POST", "/api/v1/distribution-points:join", request, &status, &joining->answer);
    if (r != 0)
        return fail_call(joining, r, client ? http_client_why(client) : "");
    return status == HTTP_CREATED ? PARENT_EXIT_OK : fail_answer(joining, status);
}

static int
write_key(const struct joining *joining, const char *name, const char *text, unsigned mode)
{
    char path[PATH_MAX];

    if (!put_path(path, joining->keys, name))
        return ERR(-ENAMETOOLONG);
    return TRACE(file_write(path, bytes_of(text), mode));
}

static void remove_key(const struct joining *joining, const char *name)
{
    char path[PATH_MAX];

    if (put_path(path, joining->keys, name))
        (void)unlink(path);
}

/* What it was told on the command line, it tells the site from now on. */
static int keep_address(const struct joining *joining)
{
    OWN(buf_fini) struct buf text = BUF_INIT(REMOTE_HOST_MAX);

    if (!joining->options->address)
        return 0;
    buf_addf(&text, "%s\n", joining->options->address);
    return text.failed ? ERR(-ENAMETOOLONG)
                       : TRACE(write_key(joining, "address", buf_str(&text), 0444));
}

/* @token: of a site that is older than keys, which gets the key when it is not any more; NULL: it has it */
static int keep_credentials(const struct joining *joining, const char *token)
{
    char text[DP_KEY_TEXT_MAX];
    int r;

    dp_key_put(text, joining->secret);
    r = write_key(joining, "dp-key", text, 0600);
    explicit_bzero(text, sizeof(text));
    if (r == 0 && token)
        return TRACE(write_key(joining, "dp-token", token, 0400));
    remove_key(joining, "dp-token");
    return TRACE(r);
}

/* keys/site-url last: it is what makes this host a distribution point. */
static int keep(const struct joining *joining, const char *token, const char *certificate)
{
    OWN(buf_fini) struct buf url = BUF_INIT(REMOTE_URL_MAX + 1);
    int r = keep_credentials(joining, token);

    buf_addf(&url, "%s\n", joining->site.url);
    if (r == 0)
        r = write_key(joining, "site.crt", certificate, 0444);
    remove_key(joining, "address");
    if (r == 0)
        r = keep_address(joining);
    if (r == 0)
        r = write_key(joining, "site-url", buf_str(&url), 0444);
    if (r == 0)
        return PARENT_EXIT_OK;
    remove_key(joining, "address");
    remove_key(joining, "site-url");
    remove_key(joining, "site.crt");
    remove_key(joining, "dp-token");
    remove_key(joining, "dp-key");
    return parent_fail_errno(
        r,
        "the site knows this host now, so remove it there (slipway dp remove) before "
        "it joins again: cannot write to",
        joining->keys);
}

static int take_answer(const struct joining *joining)
{
    const char *id = json_string_value(json_object_get(joining->answer, "id"));
    const char *site = json_string_value(json_object_get(joining->answer, "site_name"));
    const char *token = json_string_value(json_object_get(joining->answer, "token"));
    const char *certificate = json_string_value(json_object_get(joining->answer, "certificate"));
    uint8_t pin[SHA256_BYTES];
    int status;

    if (!id || !certificate || (token ? !dp_key_is_token(token) : !joining->proof))
        return parent_fail(PARENT_EXIT_JOIN_REFUSED,
                           "the answer of the site at %s cannot be read: is it of another version?",
                           joining->site.url);
    if (keys_pin_of_certificate(bytes_of(certificate), pin) != 0 ||
        memcmp(pin, joining->pin, sizeof(pin)) != 0)
        return parent_fail(PARENT_EXIT_JOIN_PIN,
                           "the certificate that the site at %s gave is not of its own key",
                           joining->site.url);
    status = keep(joining, token, certificate);
    if (status == PARENT_EXIT_OK)
        (void)printf("This host is distribution point %s of the site %s. Start slipwayd.\n",
                     id,
                     site ? site : joining->site.url);
    return status;
}

int join(const struct join_options *options)
{
    OWN(joining_fini) struct joining joining = {.options = options, .lock_fd = -1};
    int status = read_arguments(&joining);

    if (status == PARENT_EXIT_OK)
        status = read_config(&joining);
    if (status == PARENT_EXIT_OK)
        status = take_folder(&joining);
    if (status == PARENT_EXIT_OK)
        status = ask(&joining);
    if (status == PARENT_EXIT_OK)
        status = take_answer(&joining);
    return status;
}
