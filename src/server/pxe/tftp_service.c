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
#include "proto/tftp/tftp_send.h"
#include "server/pxe/tftp_body.h"
#include "server/pxe/tftp_table.h"
#include "server/pxe/tftp_wire.h"

static_assert((int)TFTP_SESSIONS_MAX == (int)TFTP_TABLE_ROWS, "the table is the bound");
static_assert((int)TFTP_SESSIONS_PER_SOURCE_MAX == (int)TFTP_TABLE_ROWS_PER_SOURCE, "likewise");

enum {
    TICK_MS = 50,           /* how exact deadlines are */
    REQUESTS_PER_TURN = 32, /* then the transfers have their turn */
};

/* A request that waits for its answer, or a transfer. */
struct session {
    struct tftp_service *service;
    uint64_t ticket;
    unsigned row;
    uint64_t asked_us;
    struct tftp_path path;
    struct tftp_request request;
    bool is_running; /* it has an answer; the fields below are valid */
    int fd;          /* owned; -1 until it is running */
    uv_poll_t poll;
    struct tftp_body body;
    struct tftp_send send;
    uint64_t deadline_us;
};

struct tftp_service {
    uv_loop_t *loop;
    uv_poll_t listener;
    uv_timer_t ticker;
    int socket_fd; /* owned */
    int folder_fd; /* owned */
    tftp_resolve *resolve;
    tftp_event_hook *event;
    void *ctx;
    uint64_t n_asks;
    unsigned n_handles; /* that the loop still knows */
    bool is_stopped;
    struct tftp_table table;
    struct session *sessions[TFTP_SESSIONS_MAX]; /* owned; by row */
    struct tftp_batch batch;
    uint8_t packet[TFTP_WIRE_REQUEST_MAX];
};

static uint64_t now_us(void)
{
    return uv_hrtime() / 1000;
}

static struct sink packet_room(struct tftp_service *service)
{
    return (struct sink){.ptr = service->packet, .cap = sizeof(service->packet)};
}

static void service_free(struct tftp_service *service)
{
    if (!service)
        return;
    fd_closep(&service->socket_fd);
    fd_closep(&service->folder_fd);
    free(service);
}

DEFINE_FREEP(struct tftp_service *, service_free);

static void handle_is_closed(struct tftp_service *service)
{
    service->n_handles--;
    if (service->is_stopped && service->n_handles == 0)
        service_free(service);
}

static void session_is_closed(uv_handle_t *handle)
{
    struct session *s = handle->data;
    struct tftp_service *service = s->service;

    free(s);
    handle_is_closed(service);
}

/* Take a session out; its memory goes when the loop has let go of it. */
static void session_close(struct session *s)
{
    struct tftp_service *service = s->service;

    service->sessions[s->row] = NULL;
    tftp_table_drop(&service->table, s->row);
    tftp_body_fini(&s->body);
    if (service->table.n_used == 0)
        (void)uv_timer_stop(&service->ticker);
    if (!s->is_running) {
        free(s);
        return;
    }
    uv_close((uv_handle_t *)&s->poll, session_is_closed);
    fd_closep(&s->fd);
}

static void report(struct tftp_service *service,
                   enum tftp_event_kind kind,
                   const struct session *s,
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

/* End a session and say so, in this order, so that the hook may call back. */
static void session_end(struct session *s, enum tftp_event_kind kind, const char *why)
{
    struct tftp_service *service = s->service;
    struct session copy = *s; /* for its words; it owns nothing */

    session_close(s);
    report(service, kind, &copy, why);
}

static void session_end_sent(struct session *s)
{
    assert(tftp_send_result(&s->send) != TFTP_SEND_RUNNING);

    switch (tftp_send_result(&s->send)) {
    case TFTP_SEND_FINISHED:
        session_end(s, TFTP_EVENT_FINISHED, "");
        return;
    case TFTP_SEND_SIZE_ONLY:
        session_end(s, TFTP_EVENT_SIZE, "");
        return;
    case TFTP_SEND_UNCONFIRMED:
        session_end(
            s, TFTP_EVENT_FAILED, "the client did not acknowledge the last block; it may have it");
        return;
    case TFTP_SEND_UNANSWERED:
        session_end(s, TFTP_EVENT_FAILED, "the client stopped answering");
        return;
    case TFTP_SEND_REFUSED:
    case TFTP_SEND_FAILED: {
        char why[TFTP_ERROR_TEXT_MAX];

        memcpy(why, s->send.error_text, sizeof(why));
        session_end(s, TFTP_EVENT_FAILED, why);
        return;
    }
    case TFTP_SEND_RUNNING:
        return;
    }
}

static void session_end_gone(struct session *s)
{
    bool may_be_whole = s->send.sent_max == s->send.n_blocks;

    session_end(s,
                TFTP_EVENT_FAILED,
                may_be_whole ? "the client closed its port before it acknowledged the last block"
                             : "the client closed its port");
}

/* Put the block that the machine wants behind its header. */
static void add_block(struct session *s, const struct tftp_send_step *step, struct sink *packet)
{
    int r = tftp_body_put(&s->body, step->offset, step->len, packet);

    if (r < 0) {
        (void)TRACE(r);
        packet->len = 0;
        tftp_send_fail(&s->send, TFTP_ERROR_OTHER, "the file cannot be read");
    }
}

/* Send what is due. Return: false if the session is no more. */
static bool session_pump(struct session *s)
{
    struct tftp_batch *batch = &s->service->batch;
    size_t room = TFTP_HEADER_BYTES + (size_t)s->send.opts.value[TFTP_OPT_BLKSIZE];
    uint64_t now = now_us();
    enum tftp_send_want want;
    bool has_room = true;
    int r = 0;

    if (room < TFTP_SEND_CONTROL_MAX)
        room = TFTP_SEND_CONTROL_MAX;
    do {
        struct sink packet = tftp_batch_begin(batch);
        struct tftp_send_step step = {0};

        want = tftp_send_poll(&s->send, now, &packet, &step);
        if (want == TFTP_SEND_WAIT)
            s->deadline_us = step.deadline_us;
        if (want == TFTP_SEND_DATA)
            add_block(s, &step, &packet);
        if (packet.len > 0)
            has_room = tftp_batch_end(batch, &packet, room);
        if (!has_room || want == TFTP_SEND_WAIT || want == TFTP_SEND_DONE)
            r = tftp_batch_send(batch, s->fd);
        has_room = true;
    } while (r == 0 && want != TFTP_SEND_WAIT && want != TFTP_SEND_DONE);

    if (r == TFTP_WIRE_E_GONE)
        session_end_gone(s);
    else if (r < 0)
        session_end(s, TFTP_EVENT_FAILED, "its packets cannot be sent");
    else if (want == TFTP_SEND_DONE)
        session_end_sent(s);
    return r == 0 && want != TFTP_SEND_DONE;
}

static void session_feed(struct session *s, struct bytes packet)
{
    uint64_t before_us = s->send.progress_us;
    uint64_t now = now_us();

    tftp_send_feed(&s->send, packet, now);
    if (s->send.is_proven && s->send.progress_us != before_us)
        tftp_table_touch(&s->service->table, s->row, now);
}

static void session_is_readable(uv_poll_t *poll, int status, int events)
{
    struct session *s = poll->data;
    struct bytes packet;
    int r = TFTP_WIRE_E_NOTHING;

    (void)status; /* an error shows itself in reading */
    (void)events;
    r = tftp_wire_take(s->fd, packet_room(s->service), &packet);
    if (r == 0) {
        session_feed(s, packet);
        (void)session_pump(s);
    } else if (r == TFTP_WIRE_E_GONE) {
        session_end_gone(s);
    } else if (r < 0) {
        session_end(s, TFTP_EVENT_FAILED, "its packets cannot be read");
    }
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

static void
session_refuse(struct session *s, enum tftp_error code, enum tftp_event_kind kind, const char *why)
{
    struct sink packet = tftp_batch_begin(&s->service->batch);

    (void)tftp_error_put(&packet, code, kind == TFTP_EVENT_MISSING ? "file not found" : why);
    send_error(s->service, &s->path, &packet);
    session_end(s, kind, why);
}

static struct session *find_unanswered(struct tftp_service *service, uint64_t ticket)
{
    struct session *s = service->sessions[ticket % TFTP_SESSIONS_MAX];

    return s && s->ticket == ticket && !s->is_running ? s : NULL;
}

/* Open what the transfer needs. Return: 0 or -errno; then nothing has changed. */
static int session_open(struct session *s, uint64_t *ret_block_bytes)
{
    int r = tftp_wire_open(&s->path, ret_block_bytes, &s->fd);

    if (r < 0)
        return TRACE(r);
    r = uv_poll_init(s->service->loop, &s->poll, s->fd);
    if (r < 0) {
        fd_closep(&s->fd);
        return ERR(r); /* libuv's codes are -errno here */
    }
    s->poll.data = s;
    s->service->n_handles++;
    s->is_running = true;
    return 0;
}

/* Answer with s->body. */
static void session_run(struct session *s)
{
    uint64_t block_bytes = 0;
    int r = session_open(s, &block_bytes);

    if (r < 0) {
        (void)TRACE(r);
        session_end(s, TFTP_EVENT_FAILED, "no socket can be opened");
        return;
    }
    tftp_send_init(&s->send,
                   &s->request.opts,
                   &(struct tftp_send_limits){.block_bytes = block_bytes},
                   s->body.size_bytes,
                   now_us());
    r = uv_poll_start(&s->poll, UV_READABLE, session_is_readable);
    if (r < 0) {
        session_end(s, TFTP_EVENT_FAILED, "its socket cannot be watched");
        return;
    }
    report(s->service, TFTP_EVENT_ASKED, s, "");
    (void)session_pump(s);
}

void tftp_service_reply_file(struct tftp_service *service,
                             uint64_t ticket,
                             const char *name,
                             const struct tftp_patch *patch)
{
    struct session *s = find_unanswered(service, ticket);

    if (!s)
        return;

    int r = tftp_body_open(service->folder_fd, name, patch, &s->body);

    if (r == 0)
        session_run(s);
    else if (r == TFTP_BODY_E_MISSING)
        session_refuse(s, TFTP_ERROR_MISSING, TFTP_EVENT_MISSING, "");
    else if (r == TFTP_BODY_E_PATCH)
        session_refuse(s, TFTP_ERROR_OTHER, TFTP_EVENT_FAILED, "the file cannot be adapted");
    else
        session_refuse(s, TFTP_ERROR_OTHER, TFTP_EVENT_FAILED, "the file cannot be opened");
}

void tftp_service_reply_bytes(struct tftp_service *service, uint64_t ticket, struct bytes content)
{
    struct session *s = find_unanswered(service, ticket);

    if (!s)
        return;
    if (content.len > TFTP_REPLY_BYTES_MAX)
        session_refuse(s, TFTP_ERROR_OTHER, TFTP_EVENT_FAILED, "the answer is too large");
    else if (tftp_body_copy(content, &s->body) < 0)
        session_refuse(s, TFTP_ERROR_OTHER, TFTP_EVENT_FAILED, "out of memory");
    else
        session_run(s);
}

void tftp_service_reply_missing(struct tftp_service *service, uint64_t ticket)
{
    struct session *s = find_unanswered(service, ticket);

    if (s)
        session_refuse(s, TFTP_ERROR_MISSING, TFTP_EVENT_MISSING, "");
}

static void tick(uv_timer_t *timer)
{
    struct tftp_service *service = timer->data;
    uint64_t now = now_us();

    for (unsigned i = 0; i < TFTP_SESSIONS_MAX; i++) {
        struct session *s = service->sessions[i];

        if (s && s->is_running && now >= s->deadline_us)
            (void)session_pump(s);
        else if (s && !s->is_running && now - s->asked_us >= TFTP_RESOLVE_MAX_US)
            session_end(s, TFTP_EVENT_FAILED, "nobody said in time what to answer");
    }
}

static void refuse_request(struct tftp_service *service, const struct tftp_path *path, int outcome)
{
    struct sink packet = tftp_batch_begin(&service->batch);
    struct session nobody = {.service = service, .path = *path};

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

    struct session *s = service->sessions[row];

    if (strcmp(s->request.name, request->name) == 0 &&
        tftp_table_is_repeat(&service->table, row, now_us()))
        return true;
    session_end(s, TFTP_EVENT_FAILED, "the client asked for something else");
    return false;
}

/* A row in the table, whoever has to leave for it. */
static bool admit(struct tftp_service *service, const struct tftp_path *path, unsigned *ret_row)
{
    uint32_t source = path->peer.sin_addr.s_addr;
    int r = tftp_table_admit(&service->table, source, path->peer.sin_port, now_us(), ret_row);

    if (r != TFTP_TABLE_E_EVICT)
        return r == 0;
    session_end(service->sessions[*ret_row], TFTP_EVENT_FAILED, "it gave way to a newer request");
    return tftp_table_admit(&service->table, source, path->peer.sin_port, now_us(), ret_row) == 0;
}

static void ask(struct tftp_service *service, const struct session *s)
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

static void accept_request(struct tftp_service *service,
                           const struct tftp_path *path,
                           const struct tftp_request *request)
{
    struct session *s;
    unsigned row;

    if (is_repeat(service, path, request) || !admit(service, path, &row))
        return; /* the client asks again */
    s = calloc(1, sizeof(*s));
    if (!s) {
        tftp_table_drop(&service->table, row);
        return;
    }
    *s = (struct session){
        .service = service,
        .ticket = ++service->n_asks * TFTP_SESSIONS_MAX + row,
        .row = row,
        .asked_us = now_us(),
        .path = *path,
        .request = *request,
        .fd = -1,
        .body = TFTP_BODY_INIT,
    };
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

static void service_handle_is_closed(uv_handle_t *handle)
{
    handle_is_closed(handle->data);
}

/* Let the loop watch it. Return: 0 or -errno; then no handle is left in the loop but those counted. */
static int service_watch(struct tftp_service *service)
{
    int r = uv_poll_init(service->loop, &service->listener, service->socket_fd);

    if (r < 0)
        return ERR(r);
    service->listener.data = service;
    service->n_handles++;
    r = uv_timer_init(service->loop, &service->ticker);
    assert(r == 0); /* it cannot fail */
    service->ticker.data = service;
    service->n_handles++;
    return 0;
}

int tftp_service_new(const struct tftp_service_options *options, struct tftp_service **ret)
{
    OWN(service_freep) struct tftp_service *service = calloc(1, sizeof(*service));
    int r;

    if (!service)
        return ERR(-ENOMEM);
    service->loop = options->loop;
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

    service->socket_fd = options->socket_fd;
    r = service_watch(service);
    if (r < 0) {
        service->socket_fd = -1; /* the caller's again */
        return TRACE(r);
    }
    r = uv_poll_start(&service->listener, UV_READABLE, listener_is_readable);
    assert(r == 0); /* its descriptor was good a moment ago */
    *ret = TAKE(service);
    return 0;
}

void tftp_service_stop(struct tftp_service *service)
{
    if (!service)
        return;
    service->is_stopped = true;
    for (unsigned i = 0; i < TFTP_SESSIONS_MAX; i++)
        if (service->sessions[i])
            session_close(service->sessions[i]);
    uv_close((uv_handle_t *)&service->listener, service_handle_is_closed);
    uv_close((uv_handle_t *)&service->ticker, service_handle_is_closed);
}

unsigned tftp_service_count(const struct tftp_service *service)
{
    return service->table.n_used;
}
