/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/tftp/tftp_send.h"

#include <assert.h>
#include <string.h>

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t block_bytes(const struct tftp_send *t)
{
    return t->opts.value[TFTP_OPT_BLKSIZE];
}

static uint64_t window_blocks(const struct tftp_send *t)
{
    return t->opts.value[TFTP_OPT_WINDOWSIZE];
}

static void grant(struct tftp_send *t, const struct tftp_send_limits *limits)
{
    uint64_t most = least(limits->block_bytes, TFTP_SEND_BLOCK_BYTES_MAX);

    tftp_opts_lower(&t->opts, TFTP_OPT_BLKSIZE, most);
    tftp_opts_lower(&t->opts,
                    TFTP_OPT_WINDOWSIZE,
                    least(TFTP_SEND_WINDOW_MAX, TFTP_SEND_WINDOW_BYTES_MAX / block_bytes(t)));
    if (t->opts.value[TFTP_OPT_TIMEOUT] > TFTP_SEND_TIMEOUT_MAX_S) {
        t->opts.asked &= ~(1u << TFTP_OPT_TIMEOUT);
        t->opts.value[TFTP_OPT_TIMEOUT] = 0;
    }
    t->opts.value[TFTP_OPT_TSIZE] = t->size_bytes;
}

static uint64_t first_wait_us(const struct tftp_send *t)
{
    uint64_t timeout_s = t->opts.value[TFTP_OPT_TIMEOUT];

    return timeout_s > 0 ? timeout_s * 1000 * 1000 : TFTP_SEND_RETRY_US;
}

/* From here on the window behind the last acknowledged block is sent. */
static void begin_window(struct tftp_send *t, bool is_resent, uint64_t now_us)
{
    t->next = t->acked + 1;
    t->window_end = least(t->acked + window_blocks(t), t->n_blocks);
    t->is_resent = is_resent;
    t->sent_us = now_us;
}

void tftp_send_init(struct tftp_send *t,
                    const struct tftp_opts *asked,
                    const struct tftp_send_limits *limits,
                    uint64_t size_bytes,
                    uint64_t now_us)
{
    assert(limits->block_bytes >= TFTP_SEND_BLOCK_BYTES_MIN);

    *t = (struct tftp_send){.opts = *asked, .size_bytes = size_bytes, .progress_us = now_us};
    grant(t, limits);
    t->n_blocks = size_bytes / block_bytes(t) + 1;
    t->wait_us = first_wait_us(t);
    t->has_oack = t->opts.asked != 0;
    t->is_oack_due = t->has_oack;
    t->sent_us = now_us;
    if (!t->has_oack)
        begin_window(t, false, now_us);
    else
        t->next = 1; /* behind window_end, 0: no block is due before the OACK is acknowledged */
}

static void measure_round_trip(struct tftp_send *t, uint64_t now_us)
{
    uint64_t rtt_us = now_us - t->sent_us;

    if (t->is_resent)
        return; /* nobody can say which of the two was answered */
    if (t->rtt_us == 0 || rtt_us < t->rtt_us)
        t->rtt_us = rtt_us > 0 ? rtt_us : 1;
}

static void take_progress(struct tftp_send *t, uint64_t now_us)
{
    measure_round_trip(t, now_us);
    t->is_proven = true;
    t->progress_us = now_us;
    t->retries = 0;
    t->wait_us = first_wait_us(t);
}

/* An ACK of what is known already. With a window it may mean that the first block of it was lost. */
static void take_repeated_ack(struct tftp_send *t, uint64_t now_us)
{
    bool is_answer = now_us - t->sent_us >= t->rtt_us;

    if (window_blocks(t) == 1 || t->is_resent || !is_answer || t->next <= t->window_end)
        return;
    begin_window(t, true, now_us);
}

static void take_ack(struct tftp_send *t, uint16_t number, uint64_t now_us)
{
    /* the first block after t->acked that has this number on the wire */
    uint64_t n_new = (uint16_t)(number - (uint16_t)t->acked);

    if (t->has_oack && !t->is_proven) {
        if (number != 0)
            return; /* nothing but the OACK can be acknowledged yet */
        take_progress(t, now_us);
        begin_window(t, false, now_us);
        return;
    }
    if (n_new == 0) {
        if (t->is_proven)
            take_repeated_ack(t, now_us);
        return;
    }
    if (n_new > t->sent_max - t->acked)
        return; /* older than t->acked, or never sent */

    bool is_whole = t->acked + n_new >= t->window_end;

    t->acked += n_new;
    take_progress(t, now_us);
    if (t->acked == t->n_blocks)
        t->result = TFTP_SEND_FINISHED;
    else
        begin_window(t, !is_whole, now_us);
}

static void keep_text(struct tftp_send *t, struct bytes text)
{
    struct sink dst = {.ptr = (uint8_t *)t->error_text, .cap = sizeof(t->error_text) - 1};
    size_t len = 0;

    while (len < text.len && len < dst.cap && text.ptr[len] != '\0')
        len++;
    sink_bytes(&dst, (struct bytes){text.ptr, len});
    t->error_text[dst.len] = '\0';
}

static void take_error(struct tftp_send *t, struct bytes packet)
{
    uint16_t code;

    if (!bytes_take_u16be(&packet, &code))
        return;
    t->error_code = code <= TFTP_ERROR_OPTIONS ? (enum tftp_error)code : TFTP_ERROR_OTHER;
    keep_text(t, packet);
    t->result = t->has_oack && t->acked == 0 && tftp_opts_asked(&t->opts, TFTP_OPT_TSIZE)
                    ? TFTP_SEND_SIZE_ONLY
                    : TFTP_SEND_REFUSED;
}

void tftp_send_feed(struct tftp_send *t, struct bytes packet, uint64_t now_us)
{
    uint16_t opcode;
    uint16_t number;

    if (t->result != TFTP_SEND_RUNNING || t->is_error_due || !bytes_take_u16be(&packet, &opcode))
        return;
    if (opcode == TFTP_ERROR)
        take_error(t, packet);
    else if (opcode == TFTP_ACK && bytes_take_u16be(&packet, &number))
        take_ack(t, number, now_us);
}

static enum tftp_send_want emit_error(struct tftp_send *t, struct sink *out)
{
    (void)tftp_error_put(out, t->error_code, t->error_text);
    t->is_error_due = false;
    t->result = TFTP_SEND_FAILED;
    return TFTP_SEND_EMIT;
}

static enum tftp_send_want
emit_block(struct tftp_send *t, struct sink *out, struct tftp_send_step *ret)
{
    ret->offset = (t->next - 1) * block_bytes(t);
    ret->len = (size_t)least(block_bytes(t), t->size_bytes - ret->offset);
    sink_u16be(out, TFTP_DATA);
    sink_u16be(out, (uint16_t)t->next);
    if (t->next > t->sent_max)
        t->sent_max = t->next;
    t->next++;
    return TFTP_SEND_DATA;
}

static bool is_time_to_give_up(const struct tftp_send *t, uint64_t now_us)
{
    unsigned most = t->is_proven ? TFTP_SEND_RETRIES_MAX : TFTP_SEND_RETRIES_UNPROVEN_MAX;

    return t->retries >= most || now_us - t->progress_us >= TFTP_SEND_IDLE_US;
}

/* The deadline has passed without an answer. */
static void send_again(struct tftp_send *t, uint64_t now_us)
{
    if (is_time_to_give_up(t, now_us)) {
        t->result = t->sent_max == t->n_blocks ? TFTP_SEND_UNCONFIRMED : TFTP_SEND_UNANSWERED;
        return;
    }
    t->retries++;
    if (!tftp_opts_asked(&t->opts, TFTP_OPT_TIMEOUT))
        t->wait_us = least(2 * t->wait_us, TFTP_SEND_RETRY_MAX_US);
    if (t->has_oack && !t->is_proven) {
        t->is_oack_due = true;
        t->is_resent = true;
        t->sent_us = now_us;
    } else {
        begin_window(t, true, now_us);
    }
}

enum tftp_send_want
tftp_send_poll(struct tftp_send *t, uint64_t now_us, struct sink *out, struct tftp_send_step *ret)
{
    bool is_idle = !t->is_error_due && !t->is_oack_due && t->next > t->window_end;

    if (t->result == TFTP_SEND_RUNNING && is_idle && now_us >= t->sent_us + t->wait_us)
        send_again(t, now_us);
    if (t->result != TFTP_SEND_RUNNING)
        return TFTP_SEND_DONE;
    if (t->is_error_due)
        return emit_error(t, out);
    if (t->is_oack_due) {
        (void)tftp_opts_put_oack(out, &t->opts);
        t->is_oack_due = false;
        return TFTP_SEND_EMIT;
    }
    if (t->next <= t->window_end)
        return emit_block(t, out, ret);

    ret->deadline_us = t->sent_us + t->wait_us;
    return TFTP_SEND_WAIT;
}

void tftp_send_fail(struct tftp_send *t, enum tftp_error code, const char *text)
{
    if (t->result != TFTP_SEND_RUNNING)
        return;
    t->error_code = code;
    keep_text(t, bytes_of(text));
    t->is_error_due = true;
}

enum tftp_send_result tftp_send_result(const struct tftp_send *t)
{
    return t->result;
}

uint64_t tftp_send_acked_bytes(const struct tftp_send *t)
{
    return least(t->acked * block_bytes(t), t->size_bytes);
}
