/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/err.h"
#include "base/own.h"

enum {
    HEADERS_MAX = 16,
    HEADER_MAX_BYTES = 8 * 1024,
    URL_MAX_BYTES = 16 * 1024,
    CONNECT_TIMEOUT_S = 30,
    STALL_S = 60, /* less than a byte a second for so long */
    PIN_TEXT_MAX = 64,
    US_PER_MS = 1000,
    SEND_BYTES = 512 * 1024, /* that libcurl hands on at once */
    ANSWER_HEADERS_MAX_BYTES = 64 * 1024,
    BEARER_MAX_BYTES = 256,
    HTTP_UNAUTHORIZED = 401,
};

#define BEARER_HEADER "Authorization: Bearer "

#define EMPTY_ANSWER \
    ((struct http_answer){ \
        .body = BUF_INIT(HTTP_ANSWER_MAX_BYTES), \
        .headers = BUF_INIT(ANSWER_HEADERS_MAX_BYTES), \
    })

struct http_client {
    CURL *curl;                 /* owned */
    char *base_url;             /* owned */
    char *bearer;               /* owned; a whole header line */
    struct http_tokens tokens;  /* .put NULL: it stays */
    char *headers[HEADERS_MAX]; /* owned */
    size_t n_headers;
    struct curl_slist *next; /* owned; headers of the next request only */
    char why[CURL_ERROR_SIZE];
};

DEFINE_FREEP(struct http_client *, http_client_free);
DEFINE_FREEP(struct curl_slist *, curl_slist_free_all);

void http_client_free(struct http_client *client)
{
    if (!client)
        return;
    if (client->curl)
        curl_easy_cleanup(client->curl);
    for (size_t i = 0; i < client->n_headers; i++)
        free(client->headers[i]);
    curl_slist_free_all(client->next);
    if (client->bearer)
        explicit_bzero(client->bearer, strlen(client->bearer));
    free(client->bearer);
    free(client->base_url);
    free(client);
}

/* "sha256//" and the pin in base64 (RFC 4648, section 4), as libcurl wants it. */
static void put_pin(char dst[static PIN_TEXT_MAX], const uint8_t *pin)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t at = strlen("sha256//");

    memcpy(dst, "sha256//", at);
    for (size_t i = 0; i < SHA256_BYTES; i += 3) {
        uint32_t bits = (uint32_t)pin[i] << 16 | (uint32_t)pin[i + 1] << 8;

        if (i + 2 < SHA256_BYTES)
            bits |= pin[i + 2];
        for (unsigned shift = 24; shift > 0; shift -= 6)
            dst[at++] = alphabet[bits >> (shift - 6) & 63];
    }
    dst[at - 1] = '='; /* 32 bytes are 43 characters */
    dst[at] = '\0';
}

static bool set_identity(CURL *curl, const struct http_client_options *options)
{
    char pin[PIN_TEXT_MAX];

    if (!options->pin)
        return curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK;
    put_pin(pin, options->pin);
    return curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pin) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L) == CURLE_OK;
}

static bool set_limits(CURL *curl, uint64_t timeout_us)
{
    long timeout_ms = (long)((timeout_us + US_PER_MS - 1) / US_PER_MS);

    /* one request at a time: HTTP/2 would only cut it into many small frames */
    return curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, (long)SEND_BYTES) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
}

static size_t add_piece(char *piece, size_t size, size_t n, void *ctx)
{
    struct buf *body = ctx;

    buf_add(body, (struct bytes){(const uint8_t *)piece, size * n});
    return body->failed ? 0 : size * n;
}

static size_t add_header_line(char *line, size_t size, size_t n, void *ctx)
{
    struct buf *headers = ctx;
    struct bytes got = {(const uint8_t *)line, size * n};

    /* each answer begins with its status line, also the one after a 100 Continue */
    if (got.len >= 5 && memcmp(line, "HTTP/", 5) == 0)
        buf_clear(headers);
    buf_add(headers, got);
    return headers->failed ? 0 : size * n;
}

static bool set_all(struct http_client *client, const struct http_client_options *options)
{
    CURL *curl = client->curl;

    if (!set_identity(curl, options) || !set_limits(curl, options->timeout_us))
        return false;
    /* a proxy of the environment is for the Internet, not for a socket in a folder */
    if (options->unix_socket &&
        (curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket) != CURLE_OK ||
         curl_easy_setopt(curl, CURLOPT_PROXY, "") != CURLE_OK))
        return false;
    if (options->user_agent &&
        curl_easy_setopt(curl, CURLOPT_USERAGENT, options->user_agent) != CURLE_OK)
        return false;
    return curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->why) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, add_piece) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, add_header_line) == CURLE_OK;
}

int http_client_new(const struct http_client_options *options, struct http_client **ret)
{
    OWN(http_client_freep) struct http_client *client = calloc(1, sizeof(*client));
    int r;

    if (!client)
        return ERR(-ENOMEM);
    client->base_url = strdup(options->base_url);
    client->curl = curl_easy_init();
    if (!client->base_url || !client->curl)
        return ERR(-ENOMEM);
    r = http_client_set_bearer(client, options->bearer);
    if (r < 0)
        return TRACE(r);
    if (!set_all(client, options))
        return ERR(-EINVAL);
    client->tokens = options->tokens;
    *ret = TAKE(client);
    return 0;
}

/* curl_slist_append() returns the whole list, or NULL and leaves the list alone. */
static int add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    if (!longer)
        return ERR(-ENOMEM);
    *list = longer;
    return 0;
}

/* A line break would smuggle a header of its own into the request. */
static bool is_one_line(const char *text)
{
    return !strpbrk(text, "\r\n");
}

int http_client_set_bearer(struct http_client *client, const char *bearer)
{
    char *line = NULL;

    if (bearer) {
        OWN(buf_fini) struct buf header = BUF_INIT(HEADER_MAX_BYTES);

        if (!is_one_line(bearer))
            return ERR(-EINVAL);
        buf_addf(&header, BEARER_HEADER "%s", bearer);
        line = buf_take(&header);
        if (!line)
            return ERR(-ENOMEM);
    }
    if (client->bearer)
        explicit_bzero(client->bearer, strlen(client->bearer));
    free(client->bearer);
    client->bearer = line;
    return 0;
}

int http_client_add_header(struct http_client *client, const char *header)
{
    if (client->n_headers == HEADERS_MAX || !is_one_line(header))
        return ERR(-EINVAL);

    char *copy = strdup(header);

    if (!copy)
        return ERR(-ENOMEM);
    client->headers[client->n_headers++] = copy;
    return 0;
}

int http_client_next_header(struct http_client *client, const char *header)
{
    if (!is_one_line(header))
        return ERR(-EINVAL);
    return TRACE(add_line(&client->next, header));
}

const char *http_client_why(const struct http_client *client)
{
    return client->why;
}

static int
make_headers(const struct http_client *client, const char *content_type, struct curl_slist **ret)
{
    OWN(buf_fini) struct buf line = BUF_INIT(HEADER_MAX_BYTES);
    int r = add_line(ret, "Expect:"); /* no wait for 100 Continue */

    buf_addf(&line, "Content-Type:%s%s", content_type ? " " : "", content_type ? content_type : "");
    if (line.failed)
        return ERR(-ENOMEM);
    if (r == 0)
        r = add_line(ret, buf_str(&line));
    if (r == 0 && client->bearer)
        r = add_line(ret, client->bearer);
    for (size_t i = 0; r == 0 && i < client->n_headers; i++)
        r = add_line(ret, client->headers[i]);
    for (const struct curl_slist *at = client->next; r == 0 && at; at = at->next)
        r = add_line(ret, at->data);
    return TRACE(r);
}

static bool set_method(CURL *curl, const char *method, struct bytes body)
{
    bool is_head = strcmp(method, "HEAD") == 0;

    if (curl_easy_setopt(curl, CURLOPT_NOBODY, 0L) != CURLE_OK)
        return false;
    /* back to GET first: what the last request was must not show */
    if (curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L) != CURLE_OK)
        return false;
    if (is_head)
        return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL) == CURLE_OK &&
               curl_easy_setopt(curl, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (body.len > 0 || (strcmp(method, "GET") != 0 && strcmp(method, "DELETE") != 0)) {
        if (curl_easy_setopt(curl, CURLOPT_POST, 1L) != CURLE_OK ||
            curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len) != CURLE_OK ||
            curl_easy_setopt(
                curl, CURLOPT_POSTFIELDS, body.len > 0 ? (const char *)body.ptr : "") != CURLE_OK)
            return false;
    }
    return curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method) == CURLE_OK;
}

/* What libcurl says, as http_client_call() says it. */
static int outcome_of(struct http_client *client, CURLcode code)
{
    switch ((unsigned)code) {
    case CURLE_OK:
        return 0;
    case CURLE_OUT_OF_MEMORY:
        return ERR(-ENOMEM);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_FUNCTION_ARGUMENT:
        return ERR(-EINVAL);
    case CURLE_WRITE_ERROR:
        return ERR(-EFBIG); /* beyond the limits, or no memory for what is within them */
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_PEER_FAILED_VERIFICATION:
        (void)snprintf(
            client->why, sizeof(client->why), "%s does not have the site's key", client->base_url);
        return HTTP_CLIENT_E_PIN;
    default:
        if (client->why[0] == '\0')
            (void)snprintf(client->why, sizeof(client->why), "%s", curl_easy_strerror(code));
        return HTTP_CLIENT_E_UNREACHABLE;
    }
}

static void keep_content_type(CURL *curl, struct http_answer *answer)
{
    const char *type = NULL;

    if (curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type)
        (void)snprintf(answer->content_type, sizeof(answer->content_type), "%s", type);
}

/* @sink: of the body, as CURLOPT_WRITEFUNCTION wants it */
static int
perform(struct http_client *client, const char *path, void *sink, struct http_answer *answer)
{
    OWN(buf_fini) struct buf url = BUF_INIT(URL_MAX_BYTES);
    long status = 0;

    buf_addf(&url, "%s%s", client->base_url, path);
    if (url.failed)
        return ERR(-ENOMEM);
    if (curl_easy_setopt(client->curl, CURLOPT_URL, buf_str(&url)) != CURLE_OK ||
        curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, sink) != CURLE_OK ||
        curl_easy_setopt(client->curl, CURLOPT_HEADERDATA, &answer->headers) != CURLE_OK)
        return ERR(-ENOMEM);
    client->why[0] = '\0';

    int r = outcome_of(client, curl_easy_perform(client->curl));

    if (r != 0)
        return TRACE(r);
    if (curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
        return ERR(-EIO);
    answer->status = (unsigned)status;
    keep_content_type(client->curl, answer);
    return 0;
}

void http_answer_fini(struct http_answer *answer)
{
    buf_fini(&answer->body);
    buf_fini(&answer->headers);
}

static struct bytes trim(struct bytes s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 &&
           (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

bool http_answer_header(const struct http_answer *answer, const char *name, struct bytes *ret)
{
    struct bytes left = buf_bytes(&answer->headers);

    while (left.len > 0) {
        const uint8_t *end = memchr(left.ptr, '\n', left.len);
        struct bytes line = {left.ptr, end ? (size_t)(end - left.ptr) : left.len};
        const uint8_t *colon = memchr(line.ptr, ':', line.len);
        size_t step = end ? line.len + 1 : line.len;

        if (colon && bytes_eq_nocase((struct bytes){line.ptr, (size_t)(colon - line.ptr)}, name)) {
            size_t at = (size_t)(colon - line.ptr) + 1;

            *ret = trim((struct bytes){line.ptr + at, line.len - at});
            return true;
        }
        left.ptr += step;
        left.len -= step;
    }
    return false;
}

/* It may be another one than the last time. */
static int refresh_bearer(struct http_client *client)
{
    char token[BEARER_MAX_BYTES] = "";
    int r;

    if (!client->tokens.put)
        return 0;
    r = client->tokens.put(client->tokens.ctx, token, sizeof(token));
    if (r == 0)
        r = http_client_set_bearer(client, token[0] ? token : NULL);
    explicit_bzero(token, sizeof(token));
    if (r <= 0)
        return TRACE(r);
    (void)snprintf(client->why, sizeof(client->why), "there is no token for the site now");
    return HTTP_CLIENT_E_UNREACHABLE;
}

static int call_once(struct http_client *client,
                     const char *method,
                     const char *path,
                     struct bytes body,
                     const char *content_type,
                     struct http_answer *ret)
{
    OWN(http_answer_fini) struct http_answer answer = EMPTY_ANSWER;
    OWN(curl_slist_free_allp) struct curl_slist *headers = NULL;
    int r = refresh_bearer(client);

    if (r == 0)
        r = make_headers(client, content_type, &headers);
    if (r != 0)
        return TRACE(r);
    if (!set_method(client->curl, method, body) ||
        curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK)
        return ERR(-ENOMEM);
    r = perform(client, path, &answer.body, &answer);
    (void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    if (r != 0)
        return TRACE(r);
    *ret = answer;
    answer = EMPTY_ANSWER; /* it is the caller's now */
    return 0;
}

/* Whether the token of the last request was not taken, and there may be another. */
static bool is_token_refused(struct http_client *client, const struct http_answer *answer)
{
    const char *token = client->bearer ? client->bearer + strlen(BEARER_HEADER) : "";

    return answer->status == HTTP_UNAUTHORIZED && client->tokens.refuse &&
           client->tokens.refuse(client->tokens.ctx, token);
}

int http_client_call(struct http_client *client,
                     const char *method,
                     const char *path,
                     struct bytes body,
                     const char *content_type,
                     struct http_answer *ret)
{
    struct http_answer answer = {0};
    int r = call_once(client, method, path, body, content_type, &answer);

    if (r == 0 && is_token_refused(client, &answer)) {
        http_answer_fini(&answer);
        r = call_once(client, method, path, body, content_type, &answer);
    }
    curl_slist_free_all(TAKE(client->next));
    if (r == 0)
        *ret = answer;
    return TRACE(r);
}

/* An answer on its way. */
struct following {
    CURL *curl;
    const struct http_follow *follow;
    struct buf *body; /* of an answer that is none */
    bool is_enough;
};

static size_t follow_piece(char *piece, size_t size, size_t n, void *ctx)
{
    struct following *f = ctx;
    struct bytes data = {(const uint8_t *)piece, size * n};
    long status = 0;

    if (curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK || status != 200)
        return add_piece(piece, size, n, f->body);
    f->is_enough = !f->follow->take(f->follow->ctx, data);
    return f->is_enough ? 0 : data.len;
}

/* NOLINTNEXTLINE(bugprone-easily-swappable-parameters): libcurl's order */
static int follow_idle(void *ctx, curl_off_t total, curl_off_t now, curl_off_t up, curl_off_t upped)
{
    struct following *f = ctx;

    (void)total;
    (void)now;
    (void)up;
    (void)upped;
    f->is_enough |= !f->follow->idle(f->follow->ctx);
    return f->is_enough ? 1 : 0;
}

static bool begin_following(CURL *curl, struct following *f)
{
    return curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, follow_piece) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, follow_idle) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_XFERINFODATA, f) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
}

static void end_following(CURL *curl)
{
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, add_piece);
}

int http_client_follow(struct http_client *client,
                       const char *path,
                       const struct http_follow *follow,
                       struct http_answer *ret)
{
    OWN(http_answer_fini) struct http_answer answer = EMPTY_ANSWER;
    OWN(curl_slist_free_allp) struct curl_slist *headers = NULL;
    struct following f = {.curl = client->curl, .follow = follow, .body = &answer.body};
    int r = make_headers(client, NULL, &headers);

    if (r < 0)
        return TRACE(r);
    if (!set_method(client->curl, "GET", bytes_of("")) || !begin_following(client->curl, &f) ||
        curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers) != CURLE_OK)
        r = ERR(-ENOMEM);
    else
        r = perform(client, path, &f, &answer);
    end_following(client->curl);
    (void)curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(TAKE(client->next));
    if (r != 0 && !f.is_enough)
        return TRACE(r);
    *ret = answer;
    answer = EMPTY_ANSWER; /* it is the caller's now */
    return 0;
}

static int parse_answer(const struct http_answer *answer, json_t **ret)
{
    json_error_t error;

    *ret = NULL;
    if (answer->body.len == 0)
        return 0;
    *ret = json_loadb(buf_str(&answer->body), answer->body.len, JSON_REJECT_DUPLICATES, &error);
    return *ret ? 0 : ERR(-EBADMSG);
}

int http_client_json(struct http_client *client,
                     const char *method,
                     const char *path,
                     const json_t *body,
                     unsigned *ret_status,
                     json_t **ret)
{
    OWN(freep) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    OWN(http_answer_fini) struct http_answer answer = EMPTY_ANSWER;
    int r;

    if (body && !text)
        return ERR(-ENOMEM);
    r = http_client_call(client,
                         method,
                         path,
                         bytes_of(text ? text : ""),
                         text ? "application/json" : NULL,
                         &answer);
    if (r != 0)
        return TRACE(r);
    r = parse_answer(&answer, ret);
    if (r < 0)
        return TRACE(r);
    *ret_status = answer.status;
    return 0;
}
