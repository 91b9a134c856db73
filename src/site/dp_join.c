/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "site/device_protection.h"
#include "site/dp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "site/access.h"
#include "site/dp_key.h"
#include "site/fields.h"

enum {
    JOIN_TOKEN_MAX_BYTES = 255,
    VERSION_MAX_BYTES = 64,
    PORT_MAX = 65535,
    HTTP_PORT = 80,
};

#define SIZE_MAX_BYTES (UINT64_C(1) << 60)

static int check_name_is_free(struct site *site, const char *name)
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    int r = db_first(site->db, SQL_DP_FIND, DB_ARGS(db_text(name)), &rows);

    if (r < 0)
        return TRACE(r);
    if (r == DB_ROW)
        return refuse(
            site,
            REFUSAL_EXISTS,
            "A distribution point named \"%.100s\" exists: remove it first if its host is set up anew.",
            name);
    return 0;
}

static int add_token(struct site *site, const char *name, const char *token)
{
    char hash[SHA256_TEXT_MAX];
    int r = access_hash_token(token, hash);

    if (r == 0)
        r = db_must(site->db, SQL_DP_TOKEN_DROP_NAME, DB_ARGS(db_text(name)));
    if (r < 0)
        return TRACE(r);
    return TRACE(
        db_must(site->db,
                SQL_DP_TOKEN_ADD,
                DB_ARGS(db_text(hash), db_text(name), db_u64(site->now_us + DP_JOIN_TOKEN_US))));
}

int dp_create_token(struct site *site, const char *who, const json_t *body, json_t **ret)
{
    static const struct field fields[] = {
        {"name", FIELD_NAME, true, 1, DP_NAME_MAX, NULL},
        {0},
    };
    OWN(db_rollbackp) struct db *tx = NULL;
    const char *name = field_text(body, "name", "");
    char token[TOKEN_TEXT_MAX];
    char expires[CLOCK_TEXT_MAX];
    int r = fields_check(site, body, fields, false, REFUSAL_INVALID);

    if (r == 0)
        r = db_begin(site->db, &tx);
    if (r == 0)
        r = check_name_is_free(site, name);
    if (r != 0)
        return TRACE(r);
    random_token(token, "slw_dp");
    r = add_token(site, name, token);
    if (r == 0)
        r = site_audit(site, who, "distribution-point.create-token", name, "");
    if (r == 0)
        r = db_commit(&tx);
    if (r < 0)
        return TRACE(r);
    clock_put_rfc3339(expires, site->now_us + DP_JOIN_TOKEN_US);
    *ret = json_pack("{s:o,s:s,s:s}",
                     "token",
                     json_sprintf("%s.%s", token, site->settings.pin),
                     "expires_at",
                     expires,
                     "pin",
                     site->settings.pin);
    explicit_bzero(token, sizeof(token));
    return *ret ? 0 : ERR(-ENOMEM);
}

/* Letters, digits and what an address, a port and a path have: nothing that could end a URL or a header. */
static bool is_url_text(const char *text)
{
    return text[0] != '\0' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_~:/[]") ==
               strlen(text);
}

static bool is_base_url(const char *url)
{
    size_t scheme = strncmp(url, "http://", 7) == 0 ? 7 : strncmp(url, "https://", 8) == 0 ? 8 : 0;
    size_t len = strlen(url);

    return scheme > 0 && is_url_text(url) && len > scheme && url[len - 1] != '/' &&
           url[scheme] != '/';
}

static int make_url(struct site *site, const json_t *body, char *ret, size_t cap)
{
    const json_t *addresses = json_object_get(body, "addresses");
    unsigned port = (unsigned)field_number(body, "http_port", HTTP_PORT);
    const char *address = json_string_value(json_array_get(addresses, 0));
    bool is_v6 = address && strchr(address, ':') != NULL;

    if (!address || !is_url_text(address) || strchr(address, '/') || strlen(address) > 128)
        return refuse(
            site,
            REFUSAL_INVALID,
            "\"addresses\" must begin with the address that clients reach the distribution point by.");
    (void)snprintf(ret, cap, is_v6 ? "http://[%s]" : "http://%s", address);
    if (port != HTTP_PORT)
        (void)snprintf(ret + strlen(ret), cap - strlen(ret), ":%u", port);
    return 0;
}

/* @ret: the name it was made for. */
static int take_token(struct site *site, const char *given, char ret[static 4 * DP_NAME_MAX + 1])
{
    OWN(db_rows_fini) struct db_rows rows = {0};
    char token[JOIN_TOKEN_MAX_BYTES + 1];
    char hash[SHA256_TEXT_MAX];
    int r;

    /* the pin behind the dot is for who joins */
    (void)snprintf(token, sizeof(token), "%.*s", (int)strcspn(given, "."), given);
    r = access_hash_token(token, hash);
    if (r < 0)
        return TRACE(r);
    r = db_first(site->db, SQL_DP_TOKEN_TAKE, DB_ARGS(db_text(hash), db_u64(site->now_us)), &rows);
    if (r < 0)
        return TRACE(r);
    if (r != DB_ROW)
        return refuse(
            site,
            REFUSAL_JOIN_TOKEN,
            "The token is unknown, used or older than 24 hours: make one with `slipway dp create-token`.");
    (void)snprintf(ret, 4 * DP_NAME_MAX + 1, "%s", db_get_text(&rows, 0));
    return 0;
}

/* What it will be known by: its key, or, as long as its program is older than keys, a token for ever. @token: "" or that */
static int
add_credential(struct site *site, const char *dp_id, const json_t *body, const char *token)
{
    if (token[0] != '\0')
        return 0; /* it is in its row */
    return TRACE(
        dp_key_add(site, dp_id, json_object_get(body, "key"), field_text(body, "token", "")));
}

/* @ret: NULL for "" */
static int hash_token(const char *token, char room[static SHA256_TEXT_MAX], const char **ret)
{
    *ret = token[0] != '\0' ? room : NULL;
    return token[0] != '\0' ? TRACE(access_hash_token(token, room)) : 0;
}

static int add(struct site *site, const json_t *body, const char *token, char id[static DP_ID_MAX])
{
    OWN(db_rollbackp) struct db *tx = NULL;
    char name[4 * DP_NAME_MAX + 1];
    char url[DP_URL_MAX_BYTES + 1];
    char room[SHA256_TEXT_MAX];
    const char *hash = NULL;
    int r = db_begin(site->db, &tx);

    if (r == 0)
        r = take_token(site, field_text(body, "token", ""), name);
    if (r == 0)
        r = make_url(site, body, url, sizeof(url));
    if (r == 0)
        r = check_name_is_free(site, name);
    if (r == 0)
        r = named_take_id(site, &dp_named, id);
    if (r == 0)
        r = hash_token(token, room, &hash);
    if (r == 0)
        r = db_must(site->db,
                    SQL_DP_ADD,
                    DB_ARGS(db_text(id),
                            db_text(name),
                            db_text(url),
                            db_text(hash),
                            db_text(field_text(body, "version", "")),
                            db_u64(site->now_us)));
    if (r == 0)
        r = add_credential(site, id, body, token);
    if (r == 0)
        r = site_audit(site, id, "distribution-point.join", id, url);
    if (r != 0)
        return TRACE(r);
    return TRACE(db_commit(&tx));
}

int dp_join(struct site *site, const json_t *body, const char *certificate, json_t **ret)
{
    static const struct field fields[] = {
        {"token", FIELD_TEXT, true, 1, JOIN_TOKEN_MAX_BYTES, NULL},
        {"name", FIELD_TEXT, false, 0, 255, NULL},
        {"addresses", FIELD_ARRAY, true, 0, DP_ADDRESSES_MAX, NULL},
        {"http_port", FIELD_NUMBER, false, 1, PORT_MAX, NULL},
        {"version", FIELD_TEXT, false, 0, VERSION_MAX_BYTES, NULL},
        {"key", FIELD_OBJECT, false, 0, 0, NULL},
        {0},
    };
    char token[TOKEN_TEXT_MAX] = "";
    char id[DP_ID_MAX];
    int r = fields_check(site, body, fields, true, REFUSAL_INVALID);

    if (r != 0)
        return TRACE(r);
    if (!json_is_object(json_object_get(body, "key")))
        random_token(token, "slw_dpc");
    r = add(site, body, token, id);
    if (r != 0)
        return TRACE(r);
    *ret = json_pack("{s:s,s:s,s:s?,s:s}",
                     "id",
                     id,
                     "site_name",
                     site->settings.name,
                     "token",
                     token[0] != '\0' ? token : NULL,
                     "certificate",
                     certificate);
    explicit_bzero(token, sizeof(token));
    return *ret ? 0 : ERR(-ENOMEM);
}

int dp_seen(struct site *site, const char *dp_id, const json_t *body)
{
    static const struct field fields[] = {
        {"free_bytes", FIELD_NUMBER, false, 0, SIZE_MAX_BYTES, NULL},
        {"total_bytes", FIELD_NUMBER, false, 0, SIZE_MAX_BYTES, NULL},
        {"version", FIELD_TEXT, false, 0, VERSION_MAX_BYTES, NULL},
        {"http_base", FIELD_TEXT, false, 0, DP_URL_MAX_BYTES, NULL},
        {0},
    };
    const char *base = field_text(body, "http_base", NULL);
    int r = body ? fields_check(site, body, fields, true, REFUSAL_INVALID) : 0;

    if (r == 0)
        r = device_protection_note(site, dp_id, json_object_get(body, "macs"));
    if (r != 0)
        return TRACE(r);
    if (base && base[0] == '\0')
        base = NULL;
    if (base && !is_base_url(base))
        return refuse(
            site, REFUSAL_INVALID, "\"http_base\" must be a URL without a path: http://…");
    return TRACE(db_must(site->db,
                         SQL_DP_SEEN,
                         DB_ARGS(db_text(dp_id),
                                 db_u64(site->now_us),
                                 rows_number_or_null(body, "free_bytes"),
                                 rows_number_or_null(body, "total_bytes"),
                                 db_text(field_text(body, "version", NULL)),
                                 db_text(base))));
}

static int add_url(const struct site *site, const char *host, size_t len, json_t *dst)
{
    OWN(json_freep)
    json_t *url = site->settings.http_port == HTTP_PORT
                      ? json_sprintf("http://%.*s", (int)len, host)
                      : json_sprintf("http://%.*s:%u", (int)len, host, site->settings.http_port);

    for (size_t i = 0; i < json_array_size(dst); i++)
        if (json_equal(json_array_get(dst, i), url))
            return 0;
    return json_array_append(dst, url) < 0 ? ERR(-ENOMEM) : 0;
}

/* The address it reached us by is sure to work; the others are for when it does not any more. */
int dp_put_own_urls(const struct site *site, const char *host, json_t *dst)
{
    const char *at = site->settings.addresses;
    int r = host && host[0] ? add_url(site, host, strlen(host), dst) : 0;

    while (r == 0 && *at) {
        size_t n = strcspn(at, " ");

        r = add_url(site, at, n, dst);
        at += n + (at[n] == ' ' ? 1 : 0);
    }
    return TRACE(r);
}
