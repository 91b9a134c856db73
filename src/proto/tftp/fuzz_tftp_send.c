/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A hostile client plays with a transfer: each byte of the input is a thing it does. Whatever it does, the machine
 * gives out only the file's bytes under their right number, only within the window, only so many packets for each
 * that it gets, and it ends.
 */

#include "proto/tftp/tftp_send.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    ENDS_WITHIN_DEADLINES = TFTP_SEND_RETRIES_MAX + 2,
};

struct game {
    struct tftp_send t;
    uint64_t now_us;
    uint64_t deadline_us;
    uint64_t n_sent; /* packets, in one turn */
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_data(const struct game *g, struct sink out, struct tftp_send_step step)
{
    uint64_t block_bytes = g->t.opts.value[TFTP_OPT_BLKSIZE];
    uint64_t block = step.offset / block_bytes + 1;

    check(out.len == TFTP_HEADER_BYTES && out.ptr[1] == TFTP_DATA);
    check((uint16_t)(out.ptr[2] << 8 | out.ptr[3]) == (uint16_t)block);
    check(step.offset % block_bytes == 0 && step.offset <= g->t.size_bytes);
    check(step.len == block_bytes || step.offset + step.len == g->t.size_bytes);
    check(step.len <= block_bytes && step.len <= g->t.size_bytes - step.offset);
    check(block > g->t.acked && block <= g->t.acked + g->t.opts.value[TFTP_OPT_WINDOWSIZE]);
}

/* Let it send. Return: whether it goes on. */
static bool poll_all(struct game *g)
{
    uint64_t most = g->t.is_proven ? g->t.opts.value[TFTP_OPT_WINDOWSIZE] + 1 : 1;

    for (g->n_sent = 0;; g->n_sent++) {
        uint8_t packet[TFTP_SEND_CONTROL_MAX];
        struct sink out = {.ptr = packet, .cap = sizeof(packet)};
        struct tftp_send_step step = {0};
        enum tftp_send_want want = tftp_send_poll(&g->t, g->now_us, &out, &step);

        check(!out.full);
        if (want == TFTP_SEND_DONE) {
            check(tftp_send_result(&g->t) != TFTP_SEND_RUNNING);
            return false;
        }
        if (want == TFTP_SEND_WAIT) {
            check(step.deadline_us > g->now_us);
            check(step.deadline_us <= g->now_us + UINT64_C(1000000) * TFTP_SEND_TIMEOUT_MAX_S);
            g->deadline_us = step.deadline_us;
            return true;
        }
        check(g->n_sent < most);
        if (want == TFTP_SEND_DATA)
            check_data(g, out, step);
    }
}

static void feed(struct game *g, uint16_t opcode, uint16_t number, size_t len)
{
    uint8_t packet[8];
    struct sink dst = {.ptr = packet, .cap = sizeof(packet)};

    sink_u16be(&dst, opcode);
    sink_u16be(&dst, number);
    sink_cstr(&dst, "no");
    tftp_send_feed(&g->t, (struct bytes){packet, len < dst.len ? len : dst.len}, g->now_us);
}

/* One move. The high bits say what, the low four how much. */
static void move(struct game *g, uint8_t what)
{
    unsigned n = what & 15u;

    switch (what >> 4) {
    case 0:
        g->now_us += (uint64_t)n * n * 10000;
        break;
    case 1:
        g->now_us = g->deadline_us;
        break;
    case 2:
        feed(g, n == 15 ? TFTP_ERROR : (uint16_t)n, 8, n);
        break;
    case 3: /* an ACK from the past or the future */
        feed(g, TFTP_ACK, (uint16_t)(g->t.acked - (uint64_t)n * n), 4);
        break;
    case 4:
        feed(g, TFTP_ACK, (uint16_t)(g->t.sent_max + n), 4);
        break;
    default: /* a good one, of some of what was sent */
        feed(g, TFTP_ACK, (uint16_t)(g->t.acked + (n < 8 ? n : g->t.sent_max - g->t.acked)), 4);
        break;
    }
}

static struct tftp_opts take_opts(struct bytes *src)
{
    struct tftp_opts opts = {.value = {512, 0, 0, 1}};
    uint16_t block_bytes;
    uint16_t more;

    if (!bytes_take_u16be(src, &block_bytes) || !bytes_take_u16be(src, &more))
        return opts;
    opts.asked = more & 15u;
    if (opts.asked & 1u << TFTP_OPT_BLKSIZE)
        opts.value[TFTP_OPT_BLKSIZE] = 8 + block_bytes % 65457u;
    if (opts.asked & 1u << TFTP_OPT_TIMEOUT)
        opts.value[TFTP_OPT_TIMEOUT] = 1 + (more >> 4) % 255u;
    if (opts.asked & 1u << TFTP_OPT_WINDOWSIZE)
        opts.value[TFTP_OPT_WINDOWSIZE] = 1 + (more >> 4);
    return opts;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes src = {data, size};
    struct game g = {0};
    struct tftp_opts opts = take_opts(&src);
    uint32_t size_bytes = 0;
    uint8_t what;

    (void)bytes_take_u32be(&src, &size_bytes);
    tftp_send_init(
        &g.t, &opts, &(struct tftp_send_limits){.block_bytes = 1468}, size_bytes, g.now_us);
    bool is_running = poll_all(&g);

    while (is_running && bytes_take_u8(&src, &what)) {
        move(&g, what);
        is_running = poll_all(&g);
    }
    for (unsigned i = 0; is_running && i < ENDS_WITHIN_DEADLINES; i++) {
        g.now_us = g.deadline_us;
        is_running = poll_all(&g);
    }
    check(!is_running);
    check(tftp_send_acked_bytes(&g.t) <= size_bytes);
    check((tftp_send_result(&g.t) == TFTP_SEND_FINISHED) == (g.t.acked == g.t.n_blocks));
    return 0;
}
