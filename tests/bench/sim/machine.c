/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "machine.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "proto/dhcp/pxe_dialogue.h"
#include "ticket.h"

enum {
    DISCOVER_FIRST_US = 4000 * 1000, /* PXE 2.1: after 4, 8, 16 and 32 seconds */
    DISCOVER_TRIES_MAX = 4,
    REQUEST_FIRST_US = 1000 * 1000, /* after 1, 2, 3 and 4 seconds */
    REQUEST_TRIES_MAX = 8,
};

void machine_lose(struct machine *machine, const char *why)
{
    static const char *const stages[MACHINE_STAGES] = {
        "off", "DISCOVER", "REQUEST", "boot file", "menu", "registration", "order", "done", "lost"};
    char mac[MAC_TEXT_MAX];

    mac_put(mac, machine->agent.mac);
    (void)fprintf(
        stderr, "slipway-sim: %s: lost at its %s: %s\n", mac, stages[machine->stage], why);
    machine_fini(machine);
    machine->stage = MACHINE_LOST;
    machine->world->over(machine->world->ctx, false);
}

static bool send_dhcp(struct machine *machine)
{
    struct dhcp_ask ask = {
        .xid = (uint32_t)machine->number + 1,
        .address = machine->address,
        .is_http = machine->is_http,
        .is_request = machine->stage == MACHINE_REQUEST,
    };
    uint8_t raw[DHCP_ASK_MAX_BYTES];
    struct sink packet = {.ptr = raw, .cap = sizeof(raw)};
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(ask.is_request ? PXE_PORT_BOOT_SERVER : PXE_PORT_DHCP),
        .sin_addr.s_addr = htonl(ask.is_request ? machine->heard.server : INADDR_BROADCAST),
    };
    uint64_t wait_us = ask.is_request ? REQUEST_FIRST_US * (uint64_t)(machine->tries + 1)
                                      : (uint64_t)DISCOVER_FIRST_US << machine->tries;

    memcpy(ask.mac, machine->agent.mac, MAC_BYTES);
    if (!dhcp_ask_put(&ask, &packet))
        return false;
    (void)sendto(machine->world->dhcp.fd,
                 raw,
                 packet.len,
                 MSG_DONTWAIT,
                 (const struct sockaddr *)&to,
                 sizeof(to));
    return sim_timer_set(
               machine->world->loop, &machine->timer, machine->world->loop->now_us + wait_us) == 0;
}

static void on_timer(void *ctx)
{
    struct machine *machine = ctx;
    unsigned most = machine->stage == MACHINE_REQUEST ? REQUEST_TRIES_MAX : DISCOVER_TRIES_MAX;

    if (machine->stage > MACHINE_REQUEST) {
        machine_fetch_again(machine);
        return;
    }
    machine->world->n_dhcp_again++;
    if (++machine->tries > most || !send_dhcp(machine))
        machine_lose(machine, "nobody answers");
}

static void enter_register(struct machine *machine)
{
    machine->stage = MACHINE_REGISTER;
    agent_register(&machine->agent, machine->world->loop->now_us);
}

static void end_well(struct machine *machine)
{
    machine_fini(machine);
    machine->stage = MACHINE_DONE;
    figures_add(&machine->world->done, machine->world->loop->now_us - machine->on_us);
    machine->world->over(machine->world->ctx, true);
}

static void booted(struct machine *machine)
{
    if (machine->n_got != machine->world->options->boot_file.len) {
        machine_lose(machine, "the boot file is too short");
        return;
    }
    figures_add(&machine->world->booted, machine->world->loop->now_us - machine->on_us);
    if (!machine->world->options->site) {
        end_well(machine);
    } else if (machine->is_http) {
        enter_register(machine);
    } else {
        machine->stage = MACHINE_MENU;
        machine_fetch_menu(machine);
    }
}

void machine_fetched(struct machine *machine)
{
    if (machine->stage == MACHINE_BOOT_FILE)
        booted(machine);
    else if (ticket_find(buf_bytes(&machine->menu), machine->agent.ticket))
        enter_register(machine);
    else
        machine_lose(machine, "there is no ticket in it");
}

void machine_hear(struct machine *machine, const struct dhcp_heard *heard)
{
    bool is_offer = machine->stage == MACHINE_DISCOVER && !heard->is_ack;
    bool is_ack = machine->stage == MACHINE_REQUEST && heard->is_ack;

    if ((!is_offer && !is_ack) || !heard->is_boot_server)
        return;
    machine->heard = *heard;
    machine->tries = 0;
    sim_timer_clear(machine->world->loop, &machine->timer);
    if (is_offer)
        figures_add(&machine->world->offered, machine->world->loop->now_us - machine->on_us);
    if (is_offer && !machine->is_http) {
        machine->stage = MACHINE_REQUEST;
        if (!send_dhcp(machine))
            machine_lose(machine, "no memory");
        return;
    }
    machine->stage = MACHINE_BOOT_FILE;
    machine_fetch_boot_file(machine);
}

/* The agent in it has been answered. */
static void on_agent(void *ctx, bool is_good)
{
    struct machine *machine = ctx;

    if (!is_good) {
        char why[32];

        (void)snprintf(why, sizeof(why), "status %u", machine->agent.status);
        machine_lose(machine, why);
    } else if (machine->stage == MACHINE_REGISTER) {
        machine->stage = MACHINE_ORDER;
        agent_order(&machine->agent, machine->world->loop->now_us);
    } else {
        end_well(machine);
    }
}

void machine_init(struct machine *machine, struct machine_world *world, uint64_t number)
{
    *machine = (struct machine){
        .world = world,
        .number = number,
        .address = world->options->network + (uint32_t)number,
        .is_http = world->options->tftp_each == 0 || number % world->options->tftp_each != 0,
        .timer = {.fire = on_timer, .ctx = machine},
        .tftp = {.fd = -1},
        .menu = BUF_INIT(MACHINE_MENU_MAX_BYTES),
    };
    world->agents.done = on_agent;
    connection_init(&machine->http, &(struct connection_options){.loop = world->loop});
    agent_init(&machine->agent, &world->agents, machine, world->options->first + number);
    machine->agent.local = machine->address;
}

void machine_fini(struct machine *machine)
{
    struct sim_loop *loop = machine->world->loop;

    sim_timer_clear(loop, &machine->timer);
    sim_loop_close(loop, &machine->tftp);
    connection_fini(&machine->http);
    agent_fini(&machine->agent);
    buf_fini(&machine->menu);
}

void machine_start(struct machine *machine)
{
    machine->stage = MACHINE_DISCOVER;
    machine->on_us = machine->world->loop->now_us;
    if (!send_dhcp(machine))
        machine_lose(machine, "no memory");
}
