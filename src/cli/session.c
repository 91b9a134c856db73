/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/session.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/random.h"

enum {
    MESSAGE_MAX_BYTES = 4096,
    MESSAGE_SAFE_MAX_BYTES = 4 * MESSAGE_MAX_BYTES, /* each byte as \xNN */
    PATH_MAX_BYTES = 8192,
    PAGE_ITEMS = 500,
    HEADER_MAX_BYTES = 256,
    TRIES = 3, /* of a request that can be sent again */
    AGAIN_US = 200 * 1000,
    US_PER_S = 1000 * 1000,
    RATE_WAIT_MAX_S = 60, /* for a site that is asked too often, in all */
    PAGES_MAX = 100000,   /* a site that never ends its list ends here */
};

void session_json_freep(json_t **value)
{
    json_decref(*value);
}

void session_init(struct session *s, enum args_format format)
{
    const char *term = secure_getenv("TERM");
    const char *no_colour = secure_getenv("NO_COLOR");

    *s = (struct session){.env = credentials_env(), .format = format};
    s->is_wide = format == ARGS_FORMAT_WIDE;
    if (s->is_wide)
        s->format = ARGS_FORMAT_TABLE;
    s->is_out_terminal = isatty(STDOUT_FILENO) == 1;
    s->is_err_terminal = isatty(STDERR_FILENO) == 1;
    s->has_cursor = s->is_out_terminal && term && strcmp(term, "dumb") != 0;
    s->has_colour = s->has_cursor && (!no_colour || !no_colour[0]);
}

void session_fini(struct session *s)
{
    credentials_fini(&s->site);
    http_client_free(s->client);
    s->client = NULL;
}

/* "SLW-" and four digits; it may come from the site, or from who plays it. */
static bool is_error_id(const char *id)
{
    return id && strncmp(id, "SLW-", 4) == 0 && strlen(id) == 8 &&
           strspn(id + 4, "0123456789") == 4;
}

bool session_fail(
    struct session *s, enum args_exit exit_code, const char *error_id, const char *format, ...)
{
    char text[MESSAGE_MAX_BYTES];
    OWN(buf_fini) struct buf safe = BUF_INIT(MESSAGE_SAFE_MAX_BYTES);
    const char *about = s->about ? s->about : "";
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (about[0] && strncmp(text, about, strlen(about)) != 0) { /* it does not say so itself */
        output_put_safe(&safe, about, strlen(about));
        buf_adds(&safe, ": ");
    }
    output_put_safe(&safe, text, strlen(text));
    if (is_error_id(error_id))
        (void)fprintf(stderr, "slipway: %s (%s)\n", buf_str(&safe), error_id);
    else
        (void)fprintf(stderr, "slipway: %s\n", buf_str(&safe));
    s->exit_code = exit_code;
    return false;
}

bool session_fail_errno(struct session *s, const char *doing, int r)
{
    const char *why = strerrordesc_np(-r);

    return session_fail(
        s, ARGS_EXIT_FAILURE, "SLW-0704", "%s: %s", doing, why ? why : "unknown error");
}

enum args_exit session_exit_of(unsigned status)
{
    switch (status) {
    case 404:
    case 410:
        return ARGS_EXIT_NOT_FOUND;
    case 409:
    case 412:
        return ARGS_EXIT_CONFLICT;
    case 401:
    case 403:
        return ARGS_EXIT_DENIED;
    case 408:
    case 502:
    case 503:
    case 504:
        return ARGS_EXIT_UNREACHABLE;
    default:
        return ARGS_EXIT_FAILURE;
    }
}

/* "line 7, column 3: "; a place that is 0 is not known. */
static void put_place(struct buf *dst, const json_t *diagnostic)
{
    if (output_u64(diagnostic, "line") == 0)
        return;
    buf_addf(dst, "line %" PRIu64, output_u64(diagnostic, "line"));
    if (output_u64(diagnostic, "column") > 0)
        buf_addf(dst, ", column %" PRIu64, output_u64(diagnostic, "column"));
    buf_adds(dst, ": ");
}

static void print_diagnostics(struct session *s, const json_t *problem)
{
    const json_t *list = output_at(problem, "diagnostics");
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n; i++) {
        OWN(buf_fini) struct buf place = BUF_INIT(MESSAGE_MAX_BYTES);
        const json_t *d = json_array_get(list, i);
        const char *step = output_text(d, "step");
        const char *id = output_text(d, "error_id");
        const bool has_step = step[0] && !strstr(output_text(d, "message"), step);

        put_place(&place, d);
        (void)session_fail(s,
                           s->exit_code,
                           NULL,
                           "%s%s%s%s: %s%s%s",
                           buf_str(&place),
                           output_text(d, "severity"),
                           id[0] ? " " : "",
                           id,
                           has_step ? step : "",
                           has_step ? ": " : "",
                           output_text(d, "message"));
    }
}

bool session_problem(struct session *s, unsigned status, const json_t *problem)
{
    const char *title = output_text(problem, "title");
    const char *detail = output_text(problem, "detail");
    const char *request = output_text(problem, "request_id");

    if (!title[0] && !detail[0])
        detail = "the site gave no reason";
    (void)session_fail(s,
                       session_exit_of(status),
                       output_text(problem, "error_id"),
                       "%s%s%s [HTTP %u%s%s]%s",
                       title,
                       title[0] && detail[0] ? ": " : "",
                       detail,
                       status,
                       request[0] ? ", request " : "",
                       request,
                       status == 401 && s->site.token ? "; log in again with: slipway login URL"
                                                      : "");
    print_diagnostics(s, problem);
    return false;
}

bool session_no_answer(struct session *s, int r)
{
    const char *url = s->site.url;

    if (r == HTTP_CLIENT_E_UNREACHABLE)
        return session_fail(
            s,
            ARGS_EXIT_UNREACHABLE,
            "SLW-0702",
            "%s cannot be reached: %s; check the address and that slipwayd runs there",
            url,
            http_client_why(s->client));
    if (r == HTTP_CLIENT_E_PIN)
        return session_fail(
            s,
            ARGS_EXIT_FAILURE,
            "SLW-0703",
            "whoever answers at %s does not have the site's key: %s; nothing was sent. If the "
            "site was set up anew, log in again",
            url,
            http_client_why(s->client));
    if (r == -EBADMSG)
        return session_fail(s,
                            ARGS_EXIT_FAILURE,
                            "SLW-0705",
                            "the answer of %s is not one of a Slipway site; check the address",
                            url);
    return session_fail_errno(s, url, r);
}

bool session_connect(struct session *s)
{
    const bool is_unix = strncmp(s->site.url, "unix:", strlen("unix:")) == 0;
    const struct http_client_options options = {
        .base_url = is_unix ? "http://site" : s->site.url,
        .unix_socket = is_unix ? s->site.url + strlen("unix:") : NULL,
        .pin = s->site.has_pin && !is_unix ? s->site.pin : NULL,
        .bearer = s->site.token,
        .user_agent = "slipway/" CLI_VERSION,
    };
    int r;

    if (!credentials_url_is_fit(s->site.url))
        return session_fail(
            s,
            ARGS_EXIT_USAGE,
            "SLW-0701",
            "\"%s\" is not the address of a site: it looks like https://site.example:443",
            s->site.url);
    r = http_client_new(&options, &s->client);
    if (r == 0 && s->request_id) {
        char line[HEADER_MAX_BYTES];

        (void)snprintf(line, sizeof(line), "X-Request-Id: %s", s->request_id);
        r = http_client_add_header(s->client, line);
    }
    return r == 0 || session_fail_errno(s, s->site.url, r);
}

bool session_open(struct session *s)
{
    int r;

    if (s->client)
        return true;
    r = credentials_load(&s->env, &s->site);
    if (r < 0)
        return session_fail_errno(s, "the credentials of `slipway login`", r);
    if (r == CREDENTIALS_E_MISSING)
        return session_fail(
            s, ARGS_EXIT_DENIED, "SLW-0701", "no site is known; log in first: slipway login URL");
    if (r == CREDENTIALS_E_BROKEN)
        return session_fail(s,
                            ARGS_EXIT_DENIED,
                            "SLW-0701",
                            "the credentials file is damaged; log in again: slipway login URL");
    if (r == CREDENTIALS_E_PIN)
        return session_fail(s,
                            ARGS_EXIT_USAGE,
                            "SLW-0701",
                            "SLIPWAY_PIN is not a pin: it has 64 hexadecimal digits");
    return session_connect(s);
}

int session_try(struct session *s,
                const char *method,
                const char *path,
                const json_t *body,
                struct http_answer *ret)
{
    OWN(buf_fini) struct buf full = BUF_INIT(PATH_MAX_BYTES);
    OWN(freep) char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;

    buf_addf(&full, SESSION_API "%s", path);
    if (full.failed || (body && !text))
        return ERR(-ENOMEM);
    return http_client_call(s->client,
                            method,
                            buf_str(&full),
                            bytes_of(text ? text : ""),
                            text ? "application/json" : NULL,
                            ret);
}

bool session_if_match(struct session *s, const char *etag)
{
    if (etag && strlen(etag) >= sizeof(s->match))
        return session_fail_errno(s, "the site's ETag", -EMSGSIZE);
    (void)snprintf(s->match, sizeof(s->match), "%s", etag ? etag : "");
    return true;
}

/* How long to wait before asking again; 0: it is no matter of waiting. */
static uint64_t wait_of(const struct http_answer *answer)
{
    OWN(session_json_freep) json_t *problem = NULL;
    struct bytes text;
    uint64_t seconds = 1;

    if (answer->status != 429)
        return 0;
    problem = json_loadb(buf_str(&answer->body), answer->body.len, JSON_REJECT_DUPLICATES, NULL);
    /* others, as after wrong passwords, are not better for being asked again */
    if (strcmp(output_text(problem, "error_id"), "SLW-0124") != 0)
        return 0;
    if (http_answer_header(answer, "Retry-After", &text) &&
        !bytes_parse_u64(text, 0, RATE_WAIT_MAX_S, &seconds))
        return 0;
    return (seconds > 0 ? seconds : 1) * US_PER_S;
}

static int add_match(struct session *s)
{
    char line[HEADER_MAX_BYTES];

    (void)snprintf(line, sizeof(line), "If-Match: %s", s->match);
    return s->match[0] ? TRACE(http_client_next_header(s->client, line)) : 0;
}

/* The site asks for patience: it is given, up to a minute in all, and said who waits for what. */
static int try_patiently(struct session *s,
                         const char *method,
                         const char *path,
                         const json_t *body,
                         const char *header,
                         struct http_answer *ret)
{
    uint64_t left_us = (uint64_t)RATE_WAIT_MAX_S * US_PER_S;

    for (;;) {
        uint64_t wait_us;
        int r = header ? http_client_next_header(s->client, header) : 0;

        if (r == 0)
            r = add_match(s);
        if (r == 0)
            r = session_try(s, method, path, body, ret);
        wait_us = r == 0 ? wait_of(ret) : 0;
        if (wait_us == 0 || wait_us > left_us)
            return r;
        if (s->is_err_terminal)
            (void)fprintf(stderr,
                          "slipway: the site is asked too often; waiting %" PRIu64 " s\n",
                          wait_us / US_PER_S);
        http_answer_fini(ret);
        *ret = (struct http_answer){.status = 0};
        left_us -= wait_us;
        clock_sleep_us(wait_us);
    }
}

bool session_match_now(struct session *s, const char *path)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    OWN(buf_fini) struct buf text = BUF_INIT(PATH_MAX_BYTES);
    struct bytes etag;
    int r = try_patiently(s, "GET", path, NULL, NULL, &answer);

    if (r != 0)
        return session_no_answer(s, r);
    /* what is wrong with it, the change will say */
    if (answer.status != 200 || !http_answer_header(&answer, "ETag", &etag))
        return true;
    buf_add(&text, etag);
    return session_if_match(s, buf_str(&text));
}

bool session_delete(struct session *s, const char *path, const char *query)
{
    OWN(buf_fini) struct buf full = BUF_INIT(PATH_MAX_BYTES);

    buf_addf(&full, "%s%s", path, query);
    return session_match_now(s, path) && session_call(s, "DELETE", buf_str(&full), NULL, NULL);
}

/* Who is not signed in has no names that make two requests one. */
static bool is_nameless(const char *path)
{
    static const char *const paths[] = {"/logins", "/oidc/start", "/oidc/callback"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strcmp(path, paths[i]) == 0)
            return true;
    return false;
}

/* A POST that was perhaps done is sent again under its name, which makes it one; anything else is sent once. */
static int try_named(struct session *s,
                     const char *method,
                     const char *path,
                     const json_t *body,
                     struct http_answer *ret)
{
    char line[HEADER_MAX_BYTES];
    char name[TOKEN_TEXT_MAX];
    int r;

    if (strcmp(method, "POST") != 0 || is_nameless(path))
        return try_patiently(s, method, path, body, NULL, ret);
    random_token(name, "slipway");
    (void)snprintf(line, sizeof(line), "Idempotency-Key: %s", name);
    for (unsigned left = TRIES; left > 0; left--) {
        r = try_patiently(s, method, path, body, line, ret);
        if (r != HTTP_CLIENT_E_UNREACHABLE)
            break;
        clock_sleep_us(AGAIN_US);
    }
    return r;
}

bool session_end_try(struct session *s)
{
    (void)fputs("slipway: what follows needs what was only tried, and is not tried\n", stderr);
    s->is_over = true;
    return false;
}

/* What would have been done. */
static void tell_try(struct session *s, const char *method, const char *path, unsigned status)
{
    OWN(buf_fini) struct buf safe = BUF_INIT(MESSAGE_SAFE_MAX_BYTES);

    output_put_safe(&safe, path, strlen(path));
    (void)fprintf(
        stderr, "slipway: only tried, the site would do it: %s %s\n", method, buf_str(&safe));
    s->has_made |= status == 201 || status == 202;
}

bool session_call(
    struct session *s, const char *method, const char *path, json_t *body, json_t **ret)
{
    OWN(session_json_freep) json_t *owned = body;
    OWN(session_json_freep) json_t *value = NULL;
    OWN(http_answer_fini) struct http_answer answer = {0};
    OWN(buf_fini) struct buf full = BUF_INIT(PATH_MAX_BYTES);
    const bool is_tried = s->is_dry && strcmp(method, "GET") != 0;
    int r;

    buf_addf(&full, "%s", path);
    if (is_tried)
        buf_addf(&full, "%cvalidate_only=true", strchr(path, '?') ? '&' : '?');
    r = full.failed ? ERR(-ENAMETOOLONG) : try_named(s, method, buf_str(&full), owned, &answer);
    s->match[0] = '\0';
    if (r == 0 && answer.status == 404 && s->has_made)
        return session_end_try(s);
    if (r != 0)
        return session_no_answer(s, r);
    /* What is between us and the site may answer an error in a format of its own. */
    value = json_loadb(buf_str(&answer.body), answer.body.len, JSON_REJECT_DUPLICATES, NULL);
    if (answer.status < 200 || answer.status >= 300)
        return session_problem(s, answer.status, value);
    if (ret && !json_is_object(value))
        return session_no_answer(s, -EBADMSG);
    if (is_tried)
        tell_try(s, method, path, answer.status);
    if (ret)
        *ret = TAKE(value);
    return true;
}

bool session_get(struct session *s, json_t **ret, const char *path, ...)
{
    char full[PATH_MAX_BYTES];
    va_list args;
    int n;

    va_start(args, path);
    n = vsnprintf(full, sizeof(full), path, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof(full))
        return session_fail_errno(s, "the request", -ENAMETOOLONG);
    return session_call(s, "GET", full, NULL, ret);
}

/* One page into @rows. @cursor: of the page, then of the next one; "" after the last. */
static bool add_page(struct session *s, const char *path, struct buf *cursor, json_t *rows)
{
    OWN(session_json_freep) json_t *page = NULL;
    OWN(buf_fini) struct buf after = BUF_INIT(PATH_MAX_BYTES);
    const char *next;

    if (cursor->len > 0)
        buf_adds(&after, "&after=");
    session_escape(&after, buf_str(cursor));
    if (!session_get(s,
                     &page,
                     "%s%climit=%d%s",
                     path,
                     strchr(path, '?') ? '&' : '?',
                     PAGE_ITEMS,
                     buf_str(&after)))
        return false;
    if (!json_is_array(output_at(page, "items")))
        return session_no_answer(s, -EBADMSG);
    next = output_text(page, "next");
    if (next[0] && strcmp(next, buf_str(cursor)) == 0)
        return session_no_answer(s, -EBADMSG);
    buf_clear(cursor);
    buf_adds(cursor, next);
    if (cursor->failed || json_array_extend(rows, output_at(page, "items")) < 0)
        return session_fail_errno(s, path, -ENOMEM);
    return true;
}

bool session_list(struct session *s, const char *path, json_t **ret)
{
    OWN(session_json_freep) json_t *rows = json_array();
    OWN(buf_fini) struct buf cursor = BUF_INIT(PATH_MAX_BYTES);

    if (!rows)
        return session_fail_errno(s, path, -ENOMEM);
    for (unsigned pages = 0; pages < PAGES_MAX; pages++) {
        if (!add_page(s, path, &cursor, rows))
            return false;
        if (cursor.len == 0) {
            *ret = TAKE(rows);
            return true;
        }
    }
    return session_no_answer(s, -EBADMSG);
}

void session_escape(struct buf *dst, const char *text)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";

    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_add(dst, (struct bytes){(const uint8_t *)text, 1});
        else
            buf_addf(dst, "%%%02X", (unsigned)(unsigned char)*text);
    }
}
