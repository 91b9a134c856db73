/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/http_exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "plat/random.h"
#include "rt/http_values.h"
#include "rt/log.h"
#include "rt/work_pool.h"

#define REQUEST_ID         "X-Request-Id"
#define BUSY_RETRY_AFTER_S "5"

enum {
    REQUEST_ID_MADE_BYTES = 16,
    SHOWN_MAX = 256,
    UNWANTED_MAX_BYTES = 16 * 1024 * 1024, /* of a body that is read and not looked at */
};

struct http_exchange {
    struct MHD_Connection *connection;
    const char *method;
    const char *path;
    const struct http_route *route; /* NULL: refused */
    http_guard *guard;
    struct work_pool *pool;
    struct work_pool *const *remote_pools;
    int wake_fd;
    void (*work)(void *arg); /* NULL: nothing was put off */
    void *arg;               /* owned */
    void (*free_arg)(void *arg);
    bool is_waiting; /* until the work is done; set and cleared by the thread of the handlers */
    bool is_again;   /* the handler is to be called once more */
    bool was_read;   /* a reader has had it */
    bool is_settled; /* the answer may be sent */
    struct http_exchange *next; /* borrowed */
    char request_id[REQUEST_ID_MAX];
    struct http_values params;
    struct http_values query;
    struct http_values headers; /* of the answer */
    struct buf body;
    struct MHD_Response *response; /* owned */
    unsigned status;
};

DEFINE_FREEP(struct http_exchange *, http_exchange_free);

void http_exchange_free(struct http_exchange *x)
{
    if (!x)
        return;
    http_values_fini(&x->params);
    http_values_fini(&x->query);
    http_values_fini(&x->headers);
    buf_fini(&x->body);
    if (x->arg)
        x->free_arg(x->arg);
    if (x->response)
        MHD_destroy_response(x->response);
    free(x);
}

struct header_count {
    unsigned n_host;
    unsigned n_content_length;
    unsigned n_transfer_encoding;
};

static enum MHD_Result
count_header(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct header_count *count = ctx;

    (void)kind;
    (void)value;
    if (strcasecmp(name, "Host") == 0)
        count->n_host++;
    if (strcasecmp(name, "Content-Length") == 0)
        count->n_content_length++;
    if (strcasecmp(name, "Transfer-Encoding") == 0)
        count->n_transfer_encoding++;
    return MHD_YES;
}

/* Headers on which two servers in a row may disagree about where a request ends: nginx sends none such. */
static bool are_headers_ambiguous(struct MHD_Connection *connection)
{
    struct header_count count = {0};

    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, count_header, &count);
    return count.n_host > 1 || count.n_content_length + count.n_transfer_encoding > 1;
}

struct query_reader {
    struct http_values *values;
    int r;
};

static enum MHD_Result
add_query(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
    struct query_reader *reader = ctx;

    (void)kind;
    value = value ? value : "";
    reader->r = http_values_add_encoded(reader->values, name, value, strlen(value));
    return reader->r == 0 ? MHD_YES : MHD_NO;
}

/* Return: 0; 1 if the query is ill-encoded or too long; -ENOMEM. */
static int read_query(struct http_exchange *x)
{
    struct query_reader reader = {.values = &x->query};

    (void)MHD_get_connection_values(x->connection, MHD_GET_ARGUMENT_KIND, add_query, &reader);
    return TRACE(reader.r);
}

static bool is_method_of(const struct http_route *route, const char *method)
{
    if (strcmp(route->method, method) == 0)
        return true;
    return strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0;
}

/* Return: 0 with x->route set, 1 if no route has this path, 2 if none has it with this method. */
static int find_route(struct http_exchange *x, const struct http_route *routes)
{
    int outcome = 1;

    for (const struct http_route *route = routes; route->method; route++) {
        int r;

        http_values_fini(&x->params);
        r = http_values_match(route->pattern, x->path, &x->params);
        if (r < 0)
            return TRACE(r);
        if (r > 0)
            continue;
        outcome = 2;
        if (is_method_of(route, x->method)) {
            x->route = route;
            return 0;
        }
    }
    return outcome;
}

static int refuse_no_route(struct http_exchange *x, bool is_path_known)
{
    char shown[SHOWN_MAX];

    (void)log_escape(shown, sizeof(shown), x->path, strlen(x->path));
    if (is_path_known)
        return TRACE(http_reply_problem(x,
                                        405,
                                        "SLW-0004",
                                        "Method not allowed",
                                        "%s cannot be used on %s.",
                                        x->method,
                                        shown));
    return TRACE(http_reply_problem(
        x, 404, "SLW-0003", "No such resource", "There is nothing at %s.", shown));
}

static int refuse_large(struct http_exchange *x)
{
    return TRACE(http_reply_problem(x,
                                    413,
                                    "SLW-0005",
                                    "Request too large",
                                    "This request may have a body of at most %zu bytes.",
                                    x->route->body_max_bytes));
}

/* Whether the length that is announced is more than the route takes. */
static bool is_announced_too_large(struct http_exchange *x)
{
    const char *length = http_header(x, "Content-Length");
    uint64_t n;

    return length && !bytes_parse_u64(bytes_of(length), 0, x->route->body_max_bytes, &n);
}

static int look_at_start(struct http_exchange *x, const struct http_route *routes)
{
    int r;

    if (are_headers_ambiguous(x->connection))
        return TRACE(http_reply_problem(x,
                                        400,
                                        "SLW-0006",
                                        "Malformed request",
                                        "The host or the body's length is ambiguous."));
    r = read_query(x);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return TRACE(http_reply_problem(
            x, 400, "SLW-0006", "Malformed request", "The query string cannot be decoded."));
    r = find_route(x, routes);
    if (r < 0)
        return TRACE(r);
    if (r > 0)
        return TRACE(refuse_no_route(x, r == 2));
    if (is_announced_too_large(x))
        return TRACE(refuse_large(x));
    x->body = BUF_INIT(x->route->body_max_bytes);
    return 0;
}

/* As nginx has named it, whose log then speaks of the same; or anew. */
static void name_request(struct http_exchange *x)
{
    const char *given = http_header(x, REQUEST_ID);
    uint8_t made[REQUEST_ID_MADE_BYTES];

    random_bytes(made, sizeof(made));
    hex_put(x->request_id, (struct bytes){made, sizeof(made)});
    if (given && request_id_is_fit(given))
        (void)snprintf(x->request_id, sizeof(x->request_id), "%s", given);
}

int http_exchange_new(const struct http_exchange_start *start, struct http_exchange **ret)
{
    OWN(http_exchange_freep) struct http_exchange *x = calloc(1, sizeof(*x));
    int r;

    if (!x)
        return ERR(-ENOMEM);
    x->connection = start->connection;
    x->method = start->method;
    x->path = start->path;
    x->guard = start->guard;
    x->pool = start->pool;
    x->remote_pools = start->remote_pools;
    x->wake_fd = start->wake_fd;
    name_request(x);
    r = look_at_start(x, start->routes);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(x);
    return 0;
}

bool http_exchange_is_over(struct http_exchange *x)
{
    const char *length = http_header(x, "Content-Length");
    uint64_t n;

    if (!x->response)
        return false;
    return !length || http_header(x, "Expect") ||
           !bytes_parse_u64(bytes_of(length), 1, UNWANTED_MAX_BYTES, &n);
}

void http_exchange_feed(struct http_exchange *x, struct bytes piece)
{
    if (!x->response)
        buf_add(&x->body, piece);
}

static void drop_answer(struct http_exchange *x)
{
    if (x->response)
        MHD_destroy_response(x->response);
    x->response = NULL;
    http_values_fini(&x->headers);
}

/* What a handler could not say itself. */
static void fail(struct http_exchange *x, int r)
{
    char shown[SHOWN_MAX];

    log_error("request failed",
              "error=SLW-0001 request=%s method=%s path=\"%s\" errno=%d text=\"%s\"",
              x->request_id,
              x->method,
              log_escape(shown, sizeof(shown), x->path, strlen(x->path)),
              -r,
              strerrordesc_np(-r));
    drop_answer(x);
    (void)http_reply_problem(
        x, 500, "SLW-0001", "Internal error", "The server could not finish it; its log says why.");
}

/* In any thread. The exchange may be gone as soon as the connection goes on. */
static void resume(void *arg)
{
    struct http_exchange *x = arg;
    const uint64_t one = 1;
    int wake_fd = x->wake_fd;

    MHD_resume_connection(x->connection);
    if (write(wake_fd, &one, sizeof(one)) < 0)
        log_debug("http", "text=\"nobody can be woken: %s\"", strerrordesc_np(errno));
}

static int call_handler(struct http_exchange *x, void *ctx)
{
    int r;

    if (x->body.failed)
        r = refuse_large(x);
    else
        r = x->guard ? x->guard(ctx, x, x->route) : x->route->handle(ctx, x);
    return r == 0 && !x->response && !x->is_waiting ? ERR(-ENOMSG) : r;
}

void http_exchange_handle(struct http_exchange *x, void *ctx)
{
    int r;

    x->is_waiting = false;
    x->is_again = false;
    if (x->response)
        return;
    r = call_handler(x, ctx);
    x->is_again = r == -EAGAIN;
    if (x->is_again)
        drop_answer(x);
    else if (r < 0)
        fail(x, r);
}

void http_exchange_read(struct http_exchange *x, void *ctx)
{
    int r = call_handler(x, ctx);

    x->was_read = true;
    if (r == -EROFS || r == -EAGAIN)
        drop_answer(x);
    else if (r < 0)
        fail(x, r);
}

struct MHD_Connection *http_exchange_connection(const struct http_exchange *x)
{
    return x->connection;
}

int http_exchange_wake_fd(const struct http_exchange *x)
{
    return x->wake_fd;
}

const struct http_route *http_exchange_route(const struct http_exchange *x)
{
    return x->route;
}

bool http_exchange_has_answer(const struct http_exchange *x)
{
    return x->response != NULL;
}

bool http_exchange_was_read(const struct http_exchange *x)
{
    return x->was_read;
}

bool http_exchange_is_again(const struct http_exchange *x)
{
    return x->is_again;
}

void http_exchange_fail(struct http_exchange *x, const struct http_batch *batch, void *ctx, int r)
{
    x->is_again = false;
    drop_answer(x);
    if (!batch || batch->refuse(ctx, x, r) < 0 || !x->response)
        fail(x, r);
}

void http_exchange_repeat(struct http_exchange *x, const struct http_batch *batch, void *ctx)
{
    drop_answer(x);
    http_exchange_handle(x, ctx);
    if (!x->is_waiting || x->response)
        return;
    x->is_waiting = false; /* it is suspended already, and cannot wait for something else too */
    http_exchange_fail(x, batch, ctx, ERR(-EAGAIN));
}

void http_exchange_suspend(struct http_exchange *x)
{
    MHD_suspend_connection(x->connection);
}

void http_exchange_link(struct http_exchange *x, struct http_exchange *next)
{
    x->next = next;
}

bool http_exchange_is_settled(const struct http_exchange *x)
{
    return x->is_settled;
}

struct http_exchange *http_exchange_next(const struct http_exchange *x)
{
    return x->next;
}

void http_exchange_release(struct http_exchange *x)
{
    x->is_settled = x->response != NULL;
    resume(x);
}

int http_defer(struct http_exchange *x,
               void (*work)(void *arg),
               void *arg,
               void (*free_arg)(void *arg))
{
    x->arg = arg;
    x->free_arg = free_arg;
    if (!work_pool_has_room(x->pool)) {
        int r = http_add_header(x, "Retry-After", BUSY_RETRY_AFTER_S);

        if (r == 0)
            r = http_reply_problem(
                x, 503, "SLW-0007", "Too busy", "Too many such requests are waiting; try again.");
        return r < 0 ? TRACE(r) : 1;
    }
    x->work = work;
    x->is_waiting = true;
    return 0;
}

void http_defer_is_remote(struct http_exchange *x, unsigned which)
{
    assert(which < HTTP_REMOTES);
    x->pool = x->remote_pools[which];
}

void *http_deferred(struct http_exchange *x)
{
    return x->arg;
}

bool http_exchange_is_deferred(const struct http_exchange *x)
{
    return x->is_waiting && !x->response;
}

void http_exchange_wait(struct http_exchange *x)
{
    struct work work = {.run = x->work, .arg = x->arg, .done = resume, .ctx = x};
    int r;

    MHD_suspend_connection(x->connection); /* first: the work may be done before we are back */
    r = work_pool_submit(x->pool, &work);
    if (r == 0)
        return;
    MHD_resume_connection(x->connection);
    fail(x, r);
}

enum MHD_Result http_exchange_queue(struct http_exchange *x)
{
    if (!x->response)
        return MHD_NO; /* no memory even for the refusal: the connection is closed */
    return MHD_queue_response(x->connection, x->status, x->response);
}

const char *http_param(struct http_exchange *x, const char *name)
{
    return http_values_find(&x->params, name);
}

const char *http_query(struct http_exchange *x, const char *name)
{
    return http_values_find(&x->query, name);
}

const char *http_header(struct http_exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

const char *http_query_name(struct http_exchange *x, size_t n)
{
    return n < x->query.n ? x->query.names[n] : NULL;
}

const char *http_request_id(struct http_exchange *x)
{
    return x->request_id;
}

struct bytes http_body(struct http_exchange *x)
{
    return buf_bytes(&x->body);
}

const char *http_method(struct http_exchange *x)
{
    return x->method;
}

const char *http_path(struct http_exchange *x)
{
    return x->path;
}

bool http_peer_uid(struct http_exchange *x, uint32_t *ret)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t len = sizeof(peer);

    if (!info || getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
        return false;
    *ret = peer.uid;
    return true;
}

/* @type: of the content; NULL: none */
static bool add_headers(struct http_exchange *x, struct MHD_Response *response, const char *type)
{
    if (type && MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type) != MHD_YES)
        return false;
    for (size_t i = 0; i < x->headers.n; i++)
        if (MHD_add_response_header(response, x->headers.names[i], x->headers.values[i]) != MHD_YES)
            return false;
    if (!MHD_get_response_header(response, "Cache-Control") &&
        MHD_add_response_header(response, "Cache-Control", "no-store") != MHD_YES)
        return false;
    return MHD_add_response_header(response, REQUEST_ID, x->request_id) == MHD_YES &&
           MHD_add_response_header(response, "X-Content-Type-Options", "nosniff") == MHD_YES;
}

static void destroy_responsep(struct MHD_Response **response)
{
    if (*response)
        MHD_destroy_response(*response);
}

int http_exchange_answer(struct http_exchange *x,
                         unsigned status,
                         const char *content_type,
                         struct MHD_Response *response)
{
    OWN(destroy_responsep) struct MHD_Response *owned = response;

    if (x->response)
        return ERR(-EALREADY);
    if (!owned || !add_headers(x, owned, content_type))
        return ERR(-ENOMEM);
    x->status = status;
    x->response = TAKE(owned);
    return 0;
}

int http_add_header(struct http_exchange *x, const char *name, const char *value)
{
    int r = http_values_add(&x->headers, name, value);

    if (r == 1)
        return ERR(-ENOSPC);
    return TRACE(r);
}
