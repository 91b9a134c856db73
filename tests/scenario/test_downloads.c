/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * A room of machines loads its boot files at once, over a bad network, in virtual time
 *
 * The server's side is the real TFTP machine. The clients ask as the firmwares do that were captured:
 * OVMF first for the size only, then windows of 4; shim windows of 4 with small blocks; GRUB and iPXE in
 * lockstep. Packets are delayed, lost, doubled and so reordered, machines lose power in the middle and start
 * again. Whatever happens: nobody gets a wrong byte, nobody waits for ever, no packet storms.
 */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "proto/tftp/tftp_request.h"
#include "proto/tftp/tftp_send.h"
#include "scenario/world.h"

enum {
    N_MACHINES = 24,
    N_PACKETS_MAX = 8192,
    PACKET_MAX = 1600,
    ETHERNET_BLOCK = 1468,
    CLIENT_RETRY_US = 1000 * 1000,
    CLIENT_TRIES_MAX = 40,
    END_US = 900 * 1000 * 1000,
};

/* The option list, with the NUL behind its last value. */
#define ASKS(list, block, window) \
    { \
        list, sizeof(list), block, window \
    }

/* How a firmware asks. */
static const struct firmware {
    const char *request; /* behind the name and mode, with its NULs */
    size_t request_len;
    uint64_t block;
    uint64_t window;
} firmwares[] = {
    ASKS("blksize\0"
         "1468\0"
         "windowsize\0"
         "4",
         1468,
         4),
    ASKS("blksize\0"
         "512\0"
         "windowsize\0"
         "4",
         512,
         4),
    ASKS("blksize\0"
         "1024\0"
         "tsize\0"
         "0",
         1024,
         1),
    ASKS("blksize\0"
         "1432\0"
         "tsize\0"
         "0",
         1432,
         1),
    {"", 0, 512, 1},
};

struct packet {
    uint64_t due_us;
    uint64_t order;
    unsigned machine;
    unsigned transfer; /* which try of the machine it belongs to: another port on the wire */
    bool is_to_server;
    size_t len;
    uint8_t data[PACKET_MAX];
};

struct machine {
    const struct firmware *firmware;
    struct tftp_send server; /* the server's session for it */
    bool has_session;
    unsigned transfer;
    uint64_t block;  /* as granted */
    uint64_t window; /* as granted */
    uint64_t got_blocks;
    uint64_t got_bytes;
    uint64_t unacked;
    uint64_t resend_us;
    unsigned tries;
    bool is_done;
    bool has_failed;
};

struct world {
    struct chance chance;
    unsigned loss_percent;
    uint64_t now_us;
    uint64_t file_bytes;
    uint64_t n_sent;
    uint64_t n_order;
    struct machine machines[N_MACHINES];
    struct packet *packets;
    size_t n_packets;
};

static uint8_t file_byte(uint64_t offset)
{
    return (uint8_t)((offset * 2654435761u) >> 13 ^ offset);
}

static void put_on_wire(struct world *w, unsigned machine, bool is_to_server, struct bytes data)
{
    w->n_sent++;
    assert_true(data.len <= PACKET_MAX);
    for (unsigned copies = chance_percent(&w->chance, 3) ? 2 : 1; copies > 0; copies--) {
        if (chance_percent(&w->chance, w->loss_percent))
            continue;
        assert_true(w->n_packets < N_PACKETS_MAX); /* a storm ends here */

        struct packet *p = &w->packets[w->n_packets++];

        *p = (struct packet){
            .due_us = w->now_us + 200 +
                      chance_below(&w->chance, chance_percent(&w->chance, 5) ? 400000 : 3000),
            .order = w->n_order++,
            .machine = machine,
            .transfer = w->machines[machine].transfer,
            .is_to_server = is_to_server,
            .len = data.len,
        };
        memcpy(p->data, data.ptr, data.len);
    }
}

static void client_asks(struct world *w, unsigned i)
{
    struct machine *m = &w->machines[i];
    uint8_t room[256];
    struct sink dst = {.ptr = room, .cap = sizeof(room)};

    sink_u16be(&dst, TFTP_RRQ);
    sink_cstr(&dst, "SLP00001/x64/shimx64.efi");
    sink_cstr(&dst, "octet");
    if (m->firmware->request_len > 0)
        sink_bytes(&dst,
                   (struct bytes){(const uint8_t *)m->firmware->request, m->firmware->request_len});
    assert_false(dst.full);
    put_on_wire(w, i, true, (struct bytes){room, dst.len});
    m->resend_us = w->now_us + CLIENT_RETRY_US;
}

static void client_starts(struct world *w, unsigned i)
{
    struct machine *m = &w->machines[i];

    m->transfer++;
    m->got_blocks = 0;
    m->got_bytes = 0;
    m->unacked = 0;
    m->block = 512;
    m->window = 1;
    m->has_session = false;
    client_asks(w, i);
}

static void client_acks(struct world *w, unsigned i)
{
    struct machine *m = &w->machines[i];
    uint8_t ack[4] = {0, TFTP_ACK, (uint8_t)(m->got_blocks >> 8), (uint8_t)m->got_blocks};

    m->unacked = 0;
    put_on_wire(w, i, true, (struct bytes){ack, sizeof(ack)});
    m->resend_us = w->now_us + CLIENT_RETRY_US;
}

static void client_takes_oack(struct world *w, unsigned i, struct bytes rest)
{
    struct machine *m = &w->machines[i];
    struct tftp_opts opts;

    assert_int_equal(tftp_opts_parse(rest, &opts), 0);
    if (m->got_blocks > 0)
        return;
    m->block = opts.value[TFTP_OPT_BLKSIZE];
    m->window = opts.value[TFTP_OPT_WINDOWSIZE];
    assert_true(m->block <= m->firmware->block); /* never more than was asked for */
    assert_true(m->window <= m->firmware->window);
    if (tftp_opts_asked(&opts, TFTP_OPT_TSIZE))
        assert_int_equal(opts.value[TFTP_OPT_TSIZE], w->file_bytes);
    client_acks(w, i);
}

static void client_takes_data(struct world *w, unsigned i, uint16_t number, struct bytes data)
{
    struct machine *m = &w->machines[i];

    if (number != (uint16_t)(m->got_blocks + 1)) {
        /* a gap or an old one: say what we have, as RFC 7440 wants */
        if (m->unacked > 0 || number == (uint16_t)(m->got_blocks + 2))
            client_acks(w, i);
        return;
    }
    for (size_t at = 0; at < data.len; at++)
        assert_int_equal(data.ptr[at], file_byte(m->got_bytes + at));
    m->got_blocks++;
    m->got_bytes += data.len;
    m->unacked++;
    m->tries = 0;
    m->resend_us = w->now_us + CLIENT_RETRY_US;
    if (data.len < m->block) {
        assert_int_equal(m->got_bytes, w->file_bytes);
        m->is_done = true;
        client_acks(w, i);
    } else if (m->unacked >= m->window) {
        client_acks(w, i);
    }
}

static void client_hears(struct world *w, unsigned i, struct bytes packet)
{
    struct machine *m = &w->machines[i];
    uint16_t opcode;
    uint16_t number;

    if (m->is_done || !bytes_take_u16be(&packet, &opcode))
        return;
    if (opcode == TFTP_OACK)
        client_takes_oack(w, i, packet);
    else if (opcode == TFTP_DATA && bytes_take_u16be(&packet, &number))
        client_takes_data(w, i, number, packet);
    else if (opcode == TFTP_ERROR)
        client_starts(w, i);
}

/* What the role does around the machine: sends until the machine wants to wait. */
static void server_sends(struct world *w, unsigned i)
{
    struct machine *m = &w->machines[i];

    while (m->has_session) {
        uint8_t room[PACKET_MAX];
        struct sink dst = {.ptr = room, .cap = sizeof(room)};
        struct tftp_send_step step;
        enum tftp_send_want want = tftp_send_poll(&m->server, w->now_us, &dst, &step);

        if (want == TFTP_SEND_WAIT)
            return;
        if (want == TFTP_SEND_DONE) {
            m->has_session = false;
            return;
        }
        for (size_t at = 0; want == TFTP_SEND_DATA && at < step.len; at++)
            sink_u8(&dst, file_byte(step.offset + at));
        assert_false(dst.full);
        put_on_wire(w, i, false, (struct bytes){room, dst.len});
    }
}

static void server_hears(struct world *w, unsigned i, struct bytes packet)
{
    struct machine *m = &w->machines[i];
    struct tftp_request request;

    if (packet.len > 1 && packet.ptr[1] == TFTP_RRQ) {
        struct tftp_send_limits limits = {.block_bytes = ETHERNET_BLOCK};

        if (m->has_session) /* the same request again */
            return;
        assert_int_equal(tftp_request_parse(packet, &request), 0);
        tftp_send_init(&m->server, &request.opts, &limits, w->file_bytes, w->now_us);
        m->has_session = true;
    } else if (m->has_session) {
        tftp_send_feed(&m->server, packet, w->now_us);
    }
    server_sends(w, i);
}

static void clients_wait_long_enough(struct world *w)
{
    for (unsigned i = 0; i < N_MACHINES; i++) {
        struct machine *m = &w->machines[i];

        if (m->is_done || m->has_failed || w->now_us < m->resend_us)
            continue;
        if (++m->tries > CLIENT_TRIES_MAX)
            m->has_failed = true;
        else if (m->got_blocks > 0 && m->has_session)
            client_acks(w, i);
        else
            client_starts(w, i);
    }
}

static uint64_t next_event_us(struct world *w)
{
    uint64_t next = UINT64_MAX;

    for (size_t i = 0; i < w->n_packets; i++)
        if (w->packets[i].due_us < next)
            next = w->packets[i].due_us;
    for (unsigned i = 0; i < N_MACHINES; i++) {
        struct machine *m = &w->machines[i];
        struct sink nothing = {0};
        struct tftp_send_step step;

        if (m->has_session &&
            tftp_send_poll(&m->server, w->now_us, &nothing, &step) == TFTP_SEND_WAIT &&
            step.deadline_us < next)
            next = step.deadline_us;
        if (!m->is_done && !m->has_failed && m->resend_us < next)
            next = m->resend_us;
    }
    return next;
}

static void deliver_due(struct world *w)
{
    for (size_t i = 0; i < w->n_packets;) {
        if (w->packets[i].due_us > w->now_us) {
            i++;
            continue;
        }

        struct packet p = w->packets[i];

        w->packets[i] = w->packets[--w->n_packets];
        if (p.transfer != w->machines[p.machine].transfer)
            continue; /* for a port that is closed by now */
        if (p.is_to_server)
            server_hears(w, p.machine, (struct bytes){p.data, p.len});
        else
            client_hears(w, p.machine, (struct bytes){p.data, p.len});
    }
}

static void power_fails_somewhere(struct world *w)
{
    unsigned i = (unsigned)chance_below(&w->chance, N_MACHINES);

    if (!w->machines[i].is_done && chance_percent(&w->chance, 1))
        client_starts(w, i);
}

static bool all_over(const struct world *w)
{
    for (unsigned i = 0; i < N_MACHINES; i++)
        if (!w->machines[i].is_done && !w->machines[i].has_failed)
            return false;
    return true;
}

static unsigned
play(uint64_t seed, unsigned loss_percent, struct packet *packets, uint64_t *ret_n_sent)
{
    struct world w = {
        .chance = chance_seeded(seed),
        .loss_percent = loss_percent,
        .packets = packets,
    };
    unsigned n_done = 0;

    w.file_bytes = chance_below(&w.chance, 40000);
    for (unsigned i = 0; i < N_MACHINES; i++) {
        w.machines[i].firmware =
            &firmwares[chance_below(&w.chance, sizeof(firmwares) / sizeof(firmwares[0]))];
        client_starts(&w, i);
    }
    while (!all_over(&w)) {
        uint64_t next = next_event_us(&w);

        assert_true(next != UINT64_MAX); /* somebody always has a deadline */
        if (next > w.now_us)
            w.now_us = next;
        assert_true(w.now_us < END_US);
        deliver_due(&w);
        for (unsigned i = 0; i < N_MACHINES; i++)
            server_sends(&w, i);
        clients_wait_long_enough(&w);
        power_fails_somewhere(&w);
    }
    for (unsigned i = 0; i < N_MACHINES; i++)
        n_done += w.machines[i].is_done;
    *ret_n_sent = w.n_sent;
    return n_done;
}

static void a_room_of_machines_gets_every_byte_over_a_bad_network(void **state)
{
    struct packet *packets = *state;

    for (uint64_t seed = 1; seed <= 40; seed++) {
        unsigned loss_percent = (unsigned)(seed % 4) * 4;
        uint64_t n_sent;
        unsigned n_done = play(seed, loss_percent, packets, &n_sent);

        if (n_done != N_MACHINES)
            print_message("seed %u, loss %u %%: %u of %u\n",
                          (unsigned)seed,
                          loss_percent,
                          n_done,
                          (unsigned)N_MACHINES);
        assert_int_equal(n_done, N_MACHINES);
    }
}

static void a_dead_network_ends_in_failure_and_not_in_a_storm(void **state)
{
    struct packet *packets = *state;
    uint64_t n_sent;

    assert_int_equal(play(7, 100, packets, &n_sent), 0);
    assert_true(n_sent <= (size_t)N_MACHINES * (CLIENT_TRIES_MAX + 10));
}

static int make_wire(void **state)
{
    *state = calloc(N_PACKETS_MAX, sizeof(struct packet));
    return *state ? 0 : -1;
}

static int drop_wire(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_room_of_machines_gets_every_byte_over_a_bad_network),
        cmocka_unit_test(a_dead_network_ends_in_failure_and_not_in_a_storm),
    };

    return cmocka_run_group_tests(tests, make_wire, drop_wire);
}
