/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/tftp_session.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <uv.h>

#include "base/err.h"
#include "plat/file.h"

uint64_t tftp_now_us(void)
{
    return uv_hrtime() / 1000;
}

int tftp_session_new(const struct tftp_path *path,
                     const struct tftp_request *request,
                     struct tftp_session **ret)
{
    struct tftp_session *s = malloc(sizeof(*s));

    if (!s)
        return ERR(-ENOMEM);
    *s = (struct tftp_session){
        .asked_us = tftp_now_us(),
        .path = *path,
        .request = *request,
        .fd = -1,
        .body = TFTP_BODY_INIT,
        .why = "",
    };
    *ret = s;
    return 0;
}

void tftp_session_free(struct tftp_session *s)
{
    if (!s)
        return;
    tftp_body_fini(&s->body);
    fd_closep(&s->fd);
    free(s);
}

int tftp_session_open(struct tftp_session *s)
{
    struct tftp_send_limits limits;
    int r = tftp_wire_open(&s->path, &limits.block_bytes, &s->fd);

    if (r < 0)
        return TRACE(r);
    tftp_send_init(&s->send, &s->request.opts, &limits, s->body.size_bytes, tftp_now_us());
    s->is_running = true;
    return 0;
}

static void end(struct tftp_session *s, enum tftp_event_kind kind, const char *why)
{
    s->is_over = true;
    s->end = kind;
    s->why = why;
}

static void end_sent(struct tftp_session *s)
{
    assert(tftp_send_result(&s->send) != TFTP_SEND_RUNNING);

    switch (tftp_send_result(&s->send)) {
    case TFTP_SEND_FINISHED:
        end(s, TFTP_EVENT_FINISHED, "");
        return;
    case TFTP_SEND_SIZE_ONLY:
        end(s, TFTP_EVENT_SIZE, "");
        return;
    case TFTP_SEND_UNCONFIRMED:
        end(s, TFTP_EVENT_FAILED, "the client did not acknowledge the last block; it may have it");
        return;
    case TFTP_SEND_UNANSWERED:
        end(s, TFTP_EVENT_FAILED, "the client stopped answering");
        return;
    case TFTP_SEND_REFUSED:
    case TFTP_SEND_FAILED:
        end(s, TFTP_EVENT_FAILED, s->send.error_text);
        return;
    case TFTP_SEND_RUNNING:
        return;
    }
}

static void end_gone(struct tftp_session *s)
{
    bool may_be_whole = s->send.sent_max == s->send.n_blocks;

    end(s,
        TFTP_EVENT_FAILED,
        may_be_whole ? "the client closed its port before it acknowledged the last block"
                     : "the client closed its port");
}

/* Put the block that the machine wants behind its header. */
static void
add_block(struct tftp_session *s, const struct tftp_send_step *step, struct sink *packet)
{
    int r = tftp_body_put(&s->body, step->offset, step->len, packet);

    if (r < 0) {
        (void)TRACE(r);
        packet->len = 0;
        tftp_send_fail(&s->send, TFTP_ERROR_OTHER, "the file cannot be read");
    }
}

void tftp_session_pump(struct tftp_session *s, struct tftp_batch *batch)
{
    size_t room = TFTP_HEADER_BYTES + (size_t)s->send.opts.value[TFTP_OPT_BLKSIZE];
    uint64_t now = tftp_now_us();
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
        end_gone(s);
    else if (r < 0)
        end(s, TFTP_EVENT_FAILED, "its packets cannot be sent");
    else if (want == TFTP_SEND_DONE)
        end_sent(s);
}

void tftp_session_feed(struct tftp_session *s,
                       int outcome,
                       struct bytes packet,
                       struct tftp_batch *batch)
{
    if (outcome == 0) {
        tftp_send_feed(&s->send, packet, tftp_now_us());
        tftp_session_pump(s, batch);
    } else if (outcome == TFTP_WIRE_E_GONE) {
        end_gone(s);
    } else if (outcome < 0) {
        end(s, TFTP_EVENT_FAILED, "its packets cannot be read");
    }
}
