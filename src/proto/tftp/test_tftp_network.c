/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A transfer over a network that loses, repeats, delays and reorders, all from a seed, in virtual time: what arrives
 * must be the file, and it must not have cost too many packets.
 */

#include "proto/tftp/tftp_send.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    BLOCK = 64,
    FLIGHT_MAX = 4096,
    CLIENT_WAIT_US = 700 * 1000,
    LOST_PERMILLE = 50,
    REPEATED_PERMILLE = 50,
    LATE_PERMILLE = 100,
    HOP_US = 500,
    LATE_US = 1500, /* on top: overtaken by others */
    TIME_MAX_US = 600 * 1000 * 1000,
};

struct packet {
    uint64_t due_us; /* 0: none */
    bool to_client;
    uint8_t bytes[TFTP_HEADER_BYTES + BLOCK + TFTP_SEND_CONTROL_MAX];
    size_t len;
};

struct world {
    uint64_t random;
    uint64_t now_us;
    bool is_rough; /* else every packet arrives once and in order */
    struct packet flight[FLIGHT_MAX];
    struct tftp_send server;
    uint64_t server_deadline_us;
    bool is_server_done;
    uint64_t n_sent; /* by the server */
    /* the client: RFC 7440's receiver */
    uint64_t window;
    uint64_t n_got; /* blocks, in order */
    uint64_t n_in_window;
    uint64_t got_bytes;
    bool is_gap_said; /* for this window */
    bool has_oack;
    bool is_client_done;
    uint64_t client_deadline_us;
};

static uint64_t random_below(struct world *w, uint64_t n)
{
    w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (w->random >> 33) % n;
}

static uint8_t file_byte(uint64_t offset)
{
    return (uint8_t)(offset * 131 >> 3 ^ offset);
}

static void launch(struct world *w, bool to_client, struct bytes packet)
{
    for (size_t i = 0; i < FLIGHT_MAX; i++) {
        struct packet *p = &w->flight[i];

        if (p->due_us != 0)
            continue;
        p->due_us = w->now_us + HOP_US;
        if (w->is_rough && random_below(w, 1000) < LATE_PERMILLE)
            p->due_us += random_below(w, LATE_US);
        p->to_client = to_client;
        memcpy(p->bytes, packet.ptr, packet.len);
        p->len = packet.len;
        return;
    }
    fail_msg("too many packets under way");
}

static void put_on_wire(struct world *w, bool to_client, struct bytes packet)
{
    if (w->is_rough && random_below(w, 1000) < LOST_PERMILLE)
        return;
    launch(w, to_client, packet);
    if (w->is_rough && random_below(w, 1000) < REPEATED_PERMILLE)
        launch(w, to_client, packet);
}

static void client_ack(struct world *w)
{
    const uint8_t packet[] = {0, TFTP_ACK, (uint8_t)(w->n_got >> 8), (uint8_t)w->n_got};

    w->n_in_window = 0;
    w->client_deadline_us = w->now_us + CLIENT_WAIT_US;
    put_on_wire(w, false, (struct bytes){packet, sizeof(packet)});
}

static void client_take_data(struct world *w, struct bytes packet)
{
    uint16_t number;

    assert_true(bytes_take_u16be(&packet, &number));
    if (number != (uint16_t)(w->n_got + 1)) {
        if (!w->is_gap_said)
            client_ack(w);
        w->is_gap_said = true;
        return;
    }
    for (size_t i = 0; i < packet.len; i++)
        assert_int_equal(packet.ptr[i], file_byte(w->n_got * BLOCK + i));
    w->n_got++;
    w->got_bytes += packet.len;
    w->is_gap_said = false;
    w->is_client_done = packet.len < BLOCK;
    if (++w->n_in_window == w->window || w->is_client_done)
        client_ack(w);
}

static void client_take(struct world *w, struct bytes packet)
{
    uint16_t opcode;

    assert_true(bytes_take_u16be(&packet, &opcode));
    if (w->is_client_done) {
        client_ack(w); /* it stays a while, in case its last ACK was lost */
    } else if (opcode == TFTP_OACK) {
        w->has_oack = true;
        if (w->n_got == 0)
            client_ack(w);
    } else if (opcode == TFTP_DATA && w->has_oack) {
        client_take_data(w, packet);
    }
}

static void server_send(struct world *w)
{
    for (;;) {
        uint8_t packet[TFTP_HEADER_BYTES + BLOCK + TFTP_SEND_CONTROL_MAX];
        struct sink out = {.ptr = packet, .cap = sizeof(packet)};
        struct tftp_send_step step = {0};
        enum tftp_send_want want = tftp_send_poll(&w->server, w->now_us, &out, &step);

        w->is_server_done = want == TFTP_SEND_DONE;
        w->server_deadline_us = step.deadline_us;
        if (want == TFTP_SEND_WAIT || want == TFTP_SEND_DONE)
            return;
        for (size_t i = 0; i < step.len; i++)
            sink_u8(&out, file_byte(step.offset + i));
        w->n_sent++;
        put_on_wire(w, true, (struct bytes){packet, out.len});
    }
}

/* The packet that arrives next, or NULL. */
static struct packet *next_packet(struct world *w)
{
    struct packet *next = NULL;

    for (size_t i = 0; i < FLIGHT_MAX; i++) {
        struct packet *p = &w->flight[i];

        if (p->due_us != 0 && (!next || p->due_us < next->due_us))
            next = p;
    }
    return next;
}

static void deliver(struct world *w, struct packet *p)
{
    struct packet copy = *p;
    struct bytes packet = {copy.bytes, copy.len};

    p->due_us = 0;
    w->now_us = copy.due_us > w->now_us ? copy.due_us : w->now_us;
    if (copy.to_client) {
        client_take(w, packet);
    } else {
        tftp_send_feed(&w->server, packet, w->now_us);
        server_send(w);
    }
}

/* One event: a packet arrives, or one of the two has waited long enough. */
static void turn(struct world *w)
{
    struct packet *p = next_packet(w);
    uint64_t client_us = w->is_client_done || !w->has_oack ? UINT64_MAX : w->client_deadline_us;
    uint64_t first = client_us < w->server_deadline_us ? client_us : w->server_deadline_us;

    if (p && p->due_us <= first) {
        deliver(w, p);
        return;
    }
    w->now_us = first;
    if (first == client_us)
        client_ack(w);
    else
        server_send(w);
}

static void run(struct world *w, uint64_t seed, uint64_t window, uint64_t size_bytes)
{
    struct tftp_opts opts = {
        .asked = 1u << TFTP_OPT_BLKSIZE | 1u << TFTP_OPT_WINDOWSIZE,
        .value = {BLOCK, 0, 0, window},
    };

    *w = (struct world){.random = seed, .is_rough = seed != 0, .window = window, .now_us = 1};
    tftp_send_init(
        &w->server, &opts, &(struct tftp_send_limits){.block_bytes = BLOCK}, size_bytes, 1);
    server_send(w);
    while (!w->is_server_done && w->now_us < TIME_MAX_US)
        turn(w);
    assert_true(w->is_server_done);
}

static void a_perfect_network_costs_each_packet_once(void **state)
{
    (void)state;
    static struct world w;
    static const uint64_t windows[] = {1, 4, 64};

    for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
        run(&w, 0, windows[i], 1000 * BLOCK + 5);
        assert_int_equal(tftp_send_result(&w.server), TFTP_SEND_FINISHED);
        assert_int_equal(w.got_bytes, 1000 * BLOCK + 5);
        assert_int_equal(w.n_sent, 1 + 1001); /* OACK and blocks */
    }
}

static void a_rough_network_delivers_the_file_or_says_that_it_did_not(void **state)
{
    (void)state;
    static struct world w;
    static const uint64_t windows[] = {1, 2, 4, 16, 64};
    unsigned n_finished = 0;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        uint64_t window = windows[seed % 5];
        uint64_t size_bytes = UINT64_C(100) * BLOCK + seed;

        run(&w, seed * UINT64_C(0x9e3779b97f4a7c15), window, size_bytes);
        n_finished += tftp_send_result(&w.server) == TFTP_SEND_FINISHED;
        assert_int_equal(w.is_client_done, w.got_bytes == size_bytes);
        if (tftp_send_result(&w.server) == TFTP_SEND_FINISHED)
            assert_int_equal(w.got_bytes, size_bytes);
        /* every block, and half a window for each: far below what packets that multiply would cost */
        assert_in_range(w.n_sent, 2, 102 + 102 * window / 2 + 60);
    }
    assert_in_range(n_finished, 38, 40); /* an OACK may be lost four times in a row, but seldom */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_perfect_network_costs_each_packet_once),
        cmocka_unit_test(a_rough_network_delivers_the_file_or_says_that_it_did_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
