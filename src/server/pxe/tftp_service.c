/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/tftp_service.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "proto/tftp/tftp_request.h"
#include "server/pxe/tftp_body.h"
#include "server/pxe/tftp_session.h"
#include "server/pxe/tftp_table.h"
#include "server/pxe/tftp_wire.h"
#include "server/pxe/tftp_workers.h"

static_assert((int)TFTP_SESSIONS_MAX == (int)TFTP_TABLE_ROWS, "the table is the bound");
static_assert((int)TFTP_SESSIONS_PER_SOURCE_MAX == (int)TFTP_TABLE_ROWS_PER_SOURCE, "likewise");

enum {
    TICK_MS = 50,           /* how exact deadlines are */
    REQUESTS_PER_TURN = 32, /* then the transfers have their turn */
};

struct tftp_service {
    uv_poll_t listener;
    uv_timer_t ticker;
    uv_async_t over; /* a worker's word that there is something to take back */
    int socket_fd;   /* owned */
    int folder_fd;   /* owned */
    tftp_resolve *resolve;
    tftp_event_hook *event;
    void *ctx;
    uint64_t n_asks;
    unsigned n_handles; /* that the loop still knows */
    struct tftp_table table;
    struct tftp_session *sessions[TFTP_SESSIONS_MAX]; /* owned; by row */
    struct tftp_workers *workers;                     /* owned; they have the running ones */
    struct tftp_batch batch;                          /* for what no worker sends */
    uint8_t packet[TFTP_WIRE_REQUEST_MAX];
};

static struct sink packet_room(struct tftp_service *service)
{
    return (struct sink){.ptr = service->packet, .cap = sizeof(service->packet)};
}

static void service_free(struct tftp_service *service)
{
    if (!service)
        return;
    tftp_workers_free(service->workers);
    fd_closep(&service->socket_fd);
    fd_closep(&service->folder_fd);
    free(service);
}

DEFINE_FREEP(struct tftp_service *, service_free);

/* Take a session out of the table. It belongs to the caller then. */
static void session_leave(struct tftp_service *service, struct tftp_session *s)
{
    service->sessions[s->row] = NULL;
    tftp_table_drop(&service->table, s->row);
    if (service->table.n_used == 0)
        (void)uv_timer_stop(&service->ticker);
}

static void report(struct tftp_service *service,
                   enum tftp_event_kind kind,
                   const struct tftp_session *s,
                   const char *why)
{
    struct tftp_event event = {
        .kind = kind,
        .name = s->request.name,
        .peer = s->path.peer.sin_addr,
        .peer_port = s->path.peer.sin_port,
        .local = s->path.local,
        .size_bytes = s->is_running ? s->send.size_bytes : 0,
        .acked_bytes = s->is_running ? tftp_send_acked_bytes(&s->send) : 0,
        .why = why,
    };

    if (service->event)
        service->event(service->ctx, &event);
}

/* End a session that no worker has, and say so, in this order, so that the hook may call back. */
static void session_end(struct tftp_service *service,
                        struct tftp_session *s,
                        enum tftp_event_kind kind,
                        const char *why)
{
    session_leave(service, s);
    report(service, kind, s, why);
    tftp_session_free(s);
}

/* End any session. */
static void session_stop(struct tftp_service *service, struct tftp_session *s, const char *why)
{
    if (s->is_running)
        tftp_workers_remove(service->workers, s);
    if (s->is_over) /* a moment ago, on its own */
        session_end(service, s, s->end, s->why);
    else
        session_end(service, s, TFTP_EVENT_FAILED, why);
}

static void collect_over(struct tftp_service *service)
{
    struct tftp_session *s;

    while ((s = tftp_workers_take_over(service->workers)))
        session_end(service, s, s->end, s->why);
}

/* A single ERROR packet, from a port of its own. */
static void
send_error(struct tftp_service *service, const struct tftp_path *path, struct sink *packet)
{
    OWN(fd_closep) int fd = -1;
    uint64_t block_bytes;

    if (tftp_wire_open(path, &block_bytes, &fd) != 0)
        return; /* the client asks again */
    (void)tftp_batch_end(&service->batch, packet, 0);
    (void)tftp_batch_send(&service->batch, fd);
}

static void session_refuse(struct tftp_service *service,
                           struct tftp_session *s,
                           enum tftp_error code,
                           enum tftp_event_kind kind,
                           const char *why)
{
    struct sink packet = tftp_batch_begin(&service->batch);

    (void)tftp_error_put(&packet, code, kind == TFTP_EVENT_MISSING ? "file not found" : why);
    send_error(service, &s->path, &packet);
    session_end(service, s, kind, why);
}

static struct tftp_session *find_unanswered(struct tftp_service *service, uint64_t ticket)
{
    struct tftp_session *s = service->sessions[ticket % TFTP_SESSIONS_MAX];

    return s && s->ticket == ticket && !s->is_running ? s : NULL;
}

/* Answer with s->body. */
static void session_run(struct tftp_service *service, struct tftp_session *s)
{
    if (tftp_session_open(s) < 0) {
        session_end(service, s, TFTP_EVENT_FAILED, "no socket can be opened");
        return;
    }
    report(service, TFTP_EVENT_ASKED, s, "");
    if (tftp_workers_add(service->workers, s) < 0)
        session_end(service, s, TFTP_EVENT_FAILED, "its socket cannot be watched");
}

void tftp_service_reply_file(struct tftp_service *service,
                             uint64_t ticket,
                             const char *name,
                             const struct tftp_patch *patch)
{
    struct tftp_session *s = find_unanswered(service, ticket);

    if (!s)
        return;

    int r = tftp_body_open(service->folder_fd, name, patch, &s->body);

    if (r == 0)
        session_run(service, s);
    else if (r == TFTP_BODY_E_MISSING)
        session_refuse(service, s, TFTP_ERROR_MISSING, TFTP_EVENT_MISSING, "");
    else if (r == TFTP_BODY_E_PATCH)
        session_refuse(
            service, s, TFTP_ERROR_OTHER, TFTP_EVENT_FAILED, "the file cannot be adapted");
    else
        session_refuse(
            service, s, TFTP_ERROR_OTHER, TFTP_EVENT_FAILED, "the file cannot be opened");
}

void tftp_service_reply_bytes(struct tftp_service *service, uint64_t ticket, struct bytes content)
{
    struct tftp_session *s = find_unanswered(service, ticket);

    if (!s)
        return;
    if (content.len > TFTP_REPLY_BYTES_MAX)
        session_refuse(service, s, TFTP_ERROR_OTHER, TFTP_EVENT_FAILED, "the answer is too large");
    else if (tftp_body_copy(content, &s->body) < 0)
        session_refuse(service, s, TFTP_ERROR_OTHER, TFTP_EVENT_FAILED, "out of memory");
    else
        session_run(service, s);
}

void tftp_service_reply_missing(struct tftp_service *service, uint64_t ticket)
{
    struct tftp_session *s = find_unanswered(service, ticket);

    if (s)
        session_refuse(service, s, TFTP_ERROR_MISSING, TFTP_EVENT_MISSING, "");
}

static void tick(uv_timer_t *timer)
{
    struct tftp_service *service = timer->data;
    uint64_t now = tftp_now_us();

    for (unsigned i = 0; i < TFTP_SESSIONS_MAX; i++) {
        struct tftp_session *s = service->sessions[i];

        if (s && s->is_running)
            tftp_workers_tick(service->workers, s);
        else if (s && now - s->asked_us >= TFTP_RESOLVE_MAX_US)
            session_end(service, s, TFTP_EVENT_FAILED, "nobody said in time what to answer");
    }
}

static void sessions_are_over(uv_async_t *over)
{
    collect_over(over->data);
}

static void refuse_request(struct tftp_service *service, const struct tftp_path *path, int outcome)
{
    struct sink packet = tftp_batch_begin(&service->batch);
    struct tftp_session nobody = {.path = *path};

    if (outcome == TFTP_REQUEST_E_IGNORE)
        return;
    (void)tftp_request_refuse(&packet, outcome);
    send_error(service, path, &packet);
    report(service, TFTP_EVENT_FAILED, &nobody, tftp_request_why(outcome));
}

/* Is it the request of a session that goes on? One that the client has given up is ended. */
static bool is_repeat(struct tftp_service *service,
                      const struct tftp_path *path,
                      const struct tftp_request *request)
{
    unsigned row;

    if (!tftp_table_find(&service->table, path->peer.sin_addr.s_addr, path->peer.sin_port, &row))
        return false;

    struct tftp_session *s = service->sessions[row];

    if (strcmp(s->request.name, request->name) == 0 &&
        tftp_table_is_repeat(&service->table, row, tftp_now_us()))
        return true;
    session_stop(service, s, "the client asked for something else");
    return false;
}

/* A row in the table, whoever has to leave for it. */
static bool admit(struct tftp_service *service, const struct tftp_path *path, unsigned *ret_row)
{
    uint32_t source = path->peer.sin_addr.s_addr;
    int r = tftp_table_admit(&service->table, source, path->peer.sin_port, tftp_now_us(), ret_row);

    if (r != TFTP_TABLE_E_EVICT)
        return r == 0;
    session_stop(service, service->sessions[*ret_row], "it gave way to a newer request");
    return tftp_table_admit(&service->table, source, path->peer.sin_port, tftp_now_us(), ret_row) ==
           0;
}

static void ask(struct tftp_service *service, const struct tftp_session *s)
{
    struct tftp_ask question = {
        .ticket = s->ticket,
        .name = s->request.name,
        .peer = s->path.peer.sin_addr,
        .peer_port = s->path.peer.sin_port,
        .local = s->path.local,
        .interface = s->path.interface,
    };

    if (service->resolve)
        service->resolve(service->ctx, &question);
    else
        tftp_service_reply_file(service, s->ticket, s->request.name, NULL);
}

/* Tell the table which transfers are proven, and when they last moved. */
static void look_at_progress(struct tftp_service *service)
{
    for (unsigned row = 0; row < TFTP_SESSIONS_MAX; row++) {
        const struct tftp_session *s = service->sessions[row];
        uint64_t moved_us;

        if (s && s->is_running && tftp_workers_is_proven(service->workers, s, &moved_us))
            tftp_table_touch(&service->table, row, moved_us);
    }
}

static void accept_request(struct tftp_service *service,
                           const struct tftp_path *path,
                           const struct tftp_request *request)
{
    struct tftp_session *s;
    unsigned row;

    collect_over(service);
    look_at_progress(service);
    if (is_repeat(service, path, request) || !admit(service, path, &row))
        return; /* the client asks again */
    if (tftp_session_new(path, request, &s) < 0) {
        tftp_table_drop(&service->table, row);
        return;
    }
    s->row = row;
    s->ticket = ++service->n_asks * TFTP_SESSIONS_MAX + row;
    service->sessions[row] = s;
    if (!uv_is_active((const uv_handle_t *)&service->ticker))
        (void)uv_timer_start(&service->ticker, tick, TICK_MS, TICK_MS);
    ask(service, s);
}

static void listener_is_readable(uv_poll_t *poll, int status, int events)
{
    struct tftp_service *service = poll->data;

    (void)status;
    (void)events;
    for (unsigned i = 0; i < REQUESTS_PER_TURN; i++) {
        struct tftp_path path = {0};
        struct tftp_request request;
        struct bytes packet;
        int r = tftp_wire_take_request(service->socket_fd, packet_room(service), &packet, &path);

        if (r < 0 || r == TFTP_WIRE_E_NOTHING)
            return;
        if (r != 0)
            continue;
        r = tftp_request_parse(packet, &request);
        if (r == 0)
            accept_request(service, &path, &request);
        else
            refuse_request(service, &path, r);
    }
}

static void handle_is_closed(uv_handle_t *handle)
{
    struct tftp_service *service = handle->data;

    service->n_handles--;
    if (service->n_handles == 0)
        service_free(service);
}

static void wake(void *ctx)
{
    struct tftp_service *service = ctx;

    (void)uv_async_send(&service->over); /* cannot fail */
}

/* Let the loop watch it. Return: 0 or -errno; then the loop knows nothing of it. */
static int service_watch(struct tftp_service *service, uv_loop_t *loop)
{
    int r = uv_poll_init(loop, &service->listener, service->socket_fd);

    if (r < 0)
        return ERR(r); /* libuv's codes are -errno here */
    service->n_handles = 3;
    service->listener.data = service;
    service->ticker.data = service;
    service->over.data = service;
    r = uv_timer_init(loop, &service->ticker);
    assert(r == 0); /* it cannot fail */
    r = uv_async_init(loop, &service->over, sessions_are_over);
    assert(r == 0); /* nor this: the loop has had its pipe since it was made */
    r = uv_poll_start(&service->listener, UV_READABLE, listener_is_readable);
    assert(r == 0); /* its descriptor was good a moment ago */
    return 0;
}

int tftp_service_new(const struct tftp_service_options *options, struct tftp_service **ret)
{
    OWN(service_freep) struct tftp_service *service = calloc(1, sizeof(*service));
    int r;

    if (!service)
        return ERR(-ENOMEM);
    service->resolve = options->resolve;
    service->event = options->event;
    service->ctx = options->ctx;
    service->socket_fd = -1;
    service->folder_fd = open(options->boot_folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (service->folder_fd < 0)
        return ERR(-errno);
    r = tftp_wire_listen(options->socket_fd);
    if (r < 0)
        return TRACE(r);
    r = tftp_workers_new(options->n_workers, wake, service, &service->workers);
    if (r < 0)
        return TRACE(r);

    service->socket_fd = options->socket_fd;
    r = service_watch(service, options->loop);
    if (r < 0) {
        service->socket_fd = -1; /* the caller's again */
        return TRACE(r);
    }
    *ret = TAKE(service);
    return 0;
}

void tftp_service_stop(struct tftp_service *service)
{
    if (!service)
        return;
    tftp_workers_free(TAKE(service->workers)); /* so that nobody else has the sessions */
    for (unsigned i = 0; i < TFTP_SESSIONS_MAX; i++)
        tftp_session_free(TAKE(service->sessions[i]));
    uv_close((uv_handle_t *)&service->listener, handle_is_closed);
    uv_close((uv_handle_t *)&service->ticker, handle_is_closed);
    uv_close((uv_handle_t *)&service->over, handle_is_closed);
}

unsigned tftp_service_count(const struct tftp_service *service)
{
    return service->table.n_used;
}
