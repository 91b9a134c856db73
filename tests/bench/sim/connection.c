/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"

DEFINE_FREEP(X509 *, X509_free);

enum {
    REQUEST_MAX_BYTES = 256 * 1024,
    READ_BYTES = 64 * 1024,
    STATUS_FIRST = 100,
    STATUS_LAST = 599,
    HTTP_NO_CONTENT = 204,
    KEY_MAX_BYTES = 1024,
};

/* What moving bytes came to */
enum moved {
    MOVED_AGAIN, /* when the socket is ready */
    MOVED_ALL,
    MOVED_GONE, /* the connection is over */
};

static void drop(struct connection *c)
{
    SSL_free(c->ssl);
    c->ssl = NULL;
    sim_loop_close(c->options.loop, &c->source);
    c->state = CONNECTION_CLOSED;
}

static void finish(struct connection *c, unsigned status)
{
    struct answer answer = {.status = status};

    sim_timer_clear(c->options.loop, &c->timeout);
    if (status == 0 || c->is_last)
        drop(c);
    else
        c->state = CONNECTION_IDLE;
    if (status != 0 && !c->options.piece)
        answer.body =
            (struct bytes){(const uint8_t *)c->in.ptr + c->head_len, c->in.len - c->head_len};
    c->options.answer(c->options.ctx, &answer);
}

static void on_timeout(void *ctx)
{
    finish(ctx, 0);
}

static bool want(struct connection *c, uint32_t events)
{
    return sim_loop_watch(c->options.loop, &c->source, events) == 0;
}

static enum moved tls_moved(struct connection *c, int r)
{
    int why = SSL_get_error(c->ssl, r);

    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        return MOVED_GONE;
    return want(c, why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLIN | EPOLLOUT) ? MOVED_AGAIN
                                                                              : MOVED_GONE;
}

static bool has_pinned_key(const struct connection *c)
{
    OWN(X509_freep) X509 *certificate = SSL_get1_peer_certificate(c->ssl);
    uint8_t key[KEY_MAX_BYTES];
    uint8_t digest[SHA256_BYTES];
    uint8_t *at = key;
    int len = certificate ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), NULL) : 0;

    if (!c->place->pin)
        return true;
    if (len <= 0 || len > KEY_MAX_BYTES)
        return false;
    (void)i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &at);
    return EVP_Digest(key, (size_t)len, digest, NULL, EVP_sha256(), NULL) == 1 &&
           memcmp(digest, c->place->pin, sizeof(digest)) == 0;
}

static enum moved shake_hands(struct connection *c)
{
    int r;

    if (!c->place->tls)
        return MOVED_ALL;
    if (!c->ssl) {
        c->ssl = SSL_new(c->place->tls);
        if (!c->ssl || SSL_set_fd(c->ssl, c->source.fd) != 1)
            return MOVED_GONE;
    }
    r = SSL_connect(c->ssl);
    if (r != 1)
        return tls_moved(c, r);
    return has_pinned_key(c) ? MOVED_ALL : MOVED_GONE;
}

static enum moved send_some(struct connection *c, size_t *ret)
{
    const char *at = c->out.ptr + c->n_sent;
    size_t len = c->out.len - c->n_sent;
    ssize_t n;

    if (c->ssl) {
        int r = SSL_write_ex(c->ssl, at, len, ret);

        return r == 1 ? MOVED_ALL : tls_moved(c, r);
    }
    n = send(c->source.fd, at, len, MSG_NOSIGNAL);
    if (n < 0)
        return errno == EAGAIN && want(c, EPOLLIN | EPOLLOUT) ? MOVED_AGAIN : MOVED_GONE;
    *ret = (size_t)n;
    return MOVED_ALL;
}

static enum moved send_request(struct connection *c)
{
    while (c->n_sent < c->out.len) {
        size_t n = 0;
        enum moved moved = send_some(c, &n);

        if (moved != MOVED_ALL)
            return moved;
        c->n_sent += n;
    }
    return want(c, EPOLLIN) ? MOVED_ALL : MOVED_GONE;
}

static enum moved receive_some(struct connection *c, uint8_t *dst, size_t cap, size_t *ret)
{
    ssize_t n;

    if (c->ssl) {
        int r = SSL_read_ex(c->ssl, dst, cap, ret);

        return r == 1 ? MOVED_ALL : tls_moved(c, r);
    }
    n = recv(c->source.fd, dst, cap, 0);
    if (n <= 0)
        return n < 0 && errno == EAGAIN ? MOVED_AGAIN : MOVED_GONE;
    *ret = (size_t)n;
    return MOVED_ALL;
}

/* A line of the head that begins with that name; without the white space around. */
static bool find_header(struct bytes head, const char *name, struct bytes *ret)
{
    size_t len = strlen(name);

    for (size_t at = 0; at + len < head.len; at++) {
        const uint8_t *line = head.ptr + at;
        const uint8_t *end = memchr(line, '\r', head.len - at);
        size_t line_len = end ? (size_t)(end - line) : head.len - at;

        if (line_len > len && bytes_eq_nocase((struct bytes){line, len}, name)) {
            for (line += len, line_len -= len; line_len > 0 && *line == ' '; line_len--)
                line++;
            *ret = (struct bytes){line, line_len};
            return true;
        }
        at += line_len + 1;
    }
    return false;
}

/* Return: false: that is no answer that we can read. */
static bool read_head(struct connection *c)
{
    struct bytes head = {(const uint8_t *)c->in.ptr, c->head_len};
    struct bytes value;
    uint64_t status;

    if (head.len < sizeof("HTTP/1.1 200") ||
        !bytes_parse_u64((struct bytes){head.ptr + 9, 3}, STATUS_FIRST, STATUS_LAST, &status))
        return false;
    c->status = (unsigned)status;
    c->is_last = find_header(head, "Connection:", &value) && bytes_eq_nocase(value, "close");
    c->body_len = 0;
    if (find_header(head, "Content-Length:", &value))
        return bytes_parse_u64(value, 0, UINT64_MAX / 2, &c->body_len);
    return status == HTTP_NO_CONTENT;
}

static bool take_body(struct connection *c, struct bytes piece)
{
    c->n_body += piece.len;
    if (c->n_body > c->body_len)
        return false;
    if (c->options.piece)
        return piece.len == 0 || c->options.piece(c->options.ctx, piece);
    buf_add(&c->in, piece);
    return !c->in.failed;
}

static bool take(struct connection *c, struct bytes piece)
{
    size_t before = c->in.len;
    const char *end;

    if (c->head_len > 0)
        return take_body(c, piece);
    buf_add(&c->in, piece);
    if (c->in.failed)
        return false;
    end = memmem(c->in.ptr, c->in.len, "\r\n\r\n", 4);
    if (!end)
        return c->in.len < CONNECTION_HEAD_MAX_BYTES;
    c->head_len = (size_t)(end - c->in.ptr) + 4;
    c->in.len = c->head_len;
    return read_head(c) && take_body(c,
                                     (struct bytes){piece.ptr + (c->head_len - before),
                                                    piece.len - (c->head_len - before)});
}

/* Return: MOVED_ALL: the answer is whole. */
static enum moved receive_answer(struct connection *c)
{
    uint8_t raw[READ_BYTES];

    while (c->head_len == 0 || c->n_body < c->body_len) {
        size_t n = 0;
        enum moved moved = receive_some(c, raw, sizeof(raw), &n);

        if (moved != MOVED_ALL)
            return moved;
        if (!take(c, (struct bytes){raw, n}))
            return MOVED_GONE;
    }
    return MOVED_ALL;
}

static void go_on(struct connection *c)
{
    enum moved moved = MOVED_ALL;

    if (c->state == CONNECTION_OPENING) {
        moved = shake_hands(c);
        if (moved == MOVED_ALL)
            c->state = CONNECTION_ASKING;
    }
    if (moved == MOVED_ALL && c->n_sent < c->out.len)
        moved = send_request(c);
    if (moved == MOVED_ALL)
        moved = receive_answer(c);
    if (moved == MOVED_GONE)
        finish(c, 0);
    else if (moved == MOVED_ALL)
        finish(c, c->status);
}

static void on_ready(void *ctx, uint32_t events)
{
    struct connection *c = ctx;

    (void)events;
    if (c->state == CONNECTION_IDLE)
        drop(c); /* the server has closed it */
    else
        go_on(c);
}

void connection_init(struct connection *c, const struct connection_options *options)
{
    *c = (struct connection){
        .options = *options,
        .source = {.fd = -1, .ready = on_ready, .ctx = c},
        .timeout = {.fire = on_timeout, .ctx = c},
        .out = BUF_INIT(REQUEST_MAX_BYTES),
        .in = BUF_INIT(CONNECTION_KEPT_MAX_BYTES),
    };
}

void connection_fini(struct connection *c)
{
    sim_timer_clear(c->options.loop, &c->timeout);
    drop(c);
    buf_fini(&c->out);
    buf_fini(&c->in);
}

void connection_aim(struct connection *c, const struct place *place, uint32_t local)
{
    drop(c);
    c->place = place;
    c->local = local;
}

static int bind_local(const struct connection *c)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(c->local)};
    const int one = 1;

    if (c->local == 0)
        return 0;
    (void)setsockopt(c->source.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
    return bind(c->source.fd, (const struct sockaddr *)&name, sizeof(name)) < 0 ? ERR(-errno) : 0;
}

static int start(struct connection *c)
{
    const struct sockaddr *to = (const struct sockaddr *)&c->place->address;
    const int one = 1;
    int r;

    c->source.fd = socket(to->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->source.fd < 0)
        return ERR(-errno);
    c->state = CONNECTION_OPENING;
    r = bind_local(c);
    if (r < 0)
        return TRACE(r);
    (void)setsockopt(c->source.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(c->source.fd, to, c->place->address_len) < 0 && errno != EINPROGRESS)
        return ERR(-errno);
    return TRACE(sim_loop_watch(c->options.loop, &c->source, EPOLLOUT));
}

static void put_request(struct connection *c,
                        const char *method,
                        const char *path,
                        const char *token,
                        struct bytes body)
{
    buf_clear(&c->out);
    buf_addf(&c->out,
             "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: slipway-sim\r\n",
             method,
             path,
             c->place->host);
    if (token)
        buf_addf(&c->out, "Authorization: Bearer %s\r\n", token);
    if (body.len > 0)
        buf_addf(&c->out, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    buf_adds(&c->out, "\r\n");
    buf_add(&c->out, body);
}

/* On one that is open nothing waits: what comes wakes us. */
static int send_on_open(struct connection *c)
{
    enum moved moved;

    c->state = CONNECTION_ASKING;
    moved = send_request(c);
    return moved == MOVED_GONE ? ERR(-EPIPE) : 0;
}

int connection_ask(struct connection *c,
                   const char *method,
                   const char *path,
                   const char *token,
                   struct bytes body)
{
    int r;

    put_request(c, method, path, token, body);
    buf_clear(&c->in);
    c->n_sent = 0;
    c->n_body = 0;
    c->head_len = 0;
    c->is_last = false;
    if (c->out.failed)
        return ERR(-ENOMEM);
    r = c->state == CONNECTION_IDLE ? send_on_open(c) : start(c);
    if (r == 0)
        r = sim_timer_set(
            c->options.loop, &c->timeout, c->options.loop->now_us + CONNECTION_TIMEOUT_US);
    if (r < 0)
        drop(c);
    return TRACE(r);
}

SSL_CTX *connection_new_tls(void)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());

    if (tls) {
        SSL_CTX_set_verify(
            tls, SSL_VERIFY_NONE, NULL); /* the pin is what counts, as for the agent */
        (void)SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
        (void)SSL_CTX_set_mode(tls,
                               SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_RELEASE_BUFFERS |
                                   SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    return tls;
}
