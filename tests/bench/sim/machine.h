/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * One machine that is switched on (storm.h)
 */

#include "agent.h"
#include "dhcp_ask.h"
#include "storm.h"
#include "tftp_receive.h"

enum {
    MACHINE_MENU_MAX_BYTES = 8 * 1024,
};

enum machine_stage {
    MACHINE_OFF,
    MACHINE_DISCOVER,
    MACHINE_REQUEST,
    MACHINE_BOOT_FILE,
    MACHINE_MENU,
    MACHINE_REGISTER,
    MACHINE_ORDER,
    MACHINE_DONE,
    MACHINE_LOST,
    MACHINE_STAGES,
};

struct machine;

/* What all machines share. */
struct machine_world {
    const struct storm_options *options;
    struct sim_loop *loop;
    struct sim_source dhcp; /* port 68 of the interface */
    struct agent_options agents;
    struct figures offered; /* from power on to the first OFFER */
    struct figures booted;  /* from power on to the last byte of the boot file */
    struct figures done;
    uint64_t n_dhcp_again;
    uint64_t n_tftp_again;
    uint64_t n_bytes;
    void (*over)(void *ctx, bool is_good); /* of one machine */
    void *ctx;
};

struct machine {
    struct machine_world *world;
    uint64_t number;
    uint32_t address; /* its own */
    bool is_http;
    enum machine_stage stage;
    uint64_t on_us;
    struct sim_timer timer;
    unsigned tries;
    struct dhcp_heard heard;
    struct sim_source tftp;
    struct tftp_receive receive;
    uint32_t tftp_server;                  /* host byte order */
    uint16_t tftp_port;                    /* of the transfer; 0: it has not answered yet */
    uint8_t last[TFTP_RECEIVE_PACKET_MAX]; /* sent again when nothing comes */
    size_t last_len;
    struct connection http;
    struct place place; /* of the boot file */
    char host[DHCP_ASK_BOOT_MAX];
    uint64_t n_got;
    struct buf menu;
    struct agent agent;
};

void machine_init(struct machine *machine, struct machine_world *world, uint64_t number);
void machine_fini(struct machine *machine);

/* Power on. */
void machine_start(struct machine *machine);

/* An answer to what it asked by DHCP. */
void machine_hear(struct machine *machine, const struct dhcp_heard *heard);

/* What was fetched is whole, or the machine is lost; for machine_fetch.c. */
void machine_fetched(struct machine *machine);
void machine_lose(struct machine *machine, const char *why);

/* machine_fetch.c: fetch heard.boot, the menu; and what the timer of a transfer does. */
void machine_fetch_boot_file(struct machine *machine);
void machine_fetch_menu(struct machine *machine);
void machine_fetch_again(struct machine *machine);
