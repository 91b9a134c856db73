/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "storm.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/err.h"
#include "base/own.h"
#include "machine.h"
#include "plat/clock.h"
#include "proto/dhcp/dhcp_packet.h"
#include "proto/dhcp/pxe_dialogue.h"

enum {
    US_PER_S = 1000000,
    RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024,
    PACKETS_PER_WAKE = 256,
};

struct storm {
    const struct storm_options *options;
    struct sim_loop loop;
    struct machine_world world;
    struct figures figures[AGENT_ASKS];
    struct machine *machines; /* owned */
    uint64_t n_on;
    uint64_t n_done;
    uint64_t n_lost;
    uint64_t n_again;
    uint64_t begin_us;
    struct sim_timer next_on;
    struct sim_timer limit;
};

static void on_over(void *ctx, bool is_good)
{
    struct storm *storm = ctx;

    if (is_good)
        storm->n_done++;
    else
        storm->n_lost++;
    if (storm->n_done + storm->n_lost == storm->options->n_machines)
        storm->loop.is_over = true;
}

static void on_limit(void *ctx)
{
    struct storm *storm = ctx;

    storm->loop.is_over = true;
}

static uint64_t on_at_us(const struct storm *storm, uint64_t i)
{
    return storm->begin_us + storm->options->spread_us * i / storm->options->n_machines;
}

static void on_power(void *ctx)
{
    struct storm *storm = ctx;
    uint64_t n = storm->options->n_machines;

    while (storm->n_on < n && on_at_us(storm, storm->n_on) <= storm->loop.now_us)
        machine_start(&storm->machines[storm->n_on++]);
    if (storm->n_on < n &&
        sim_timer_set(&storm->loop, &storm->next_on, on_at_us(storm, storm->n_on)) < 0)
        storm->loop.is_over = true;
}

static void on_dhcp(void *ctx, uint32_t events)
{
    struct storm *storm = ctx;
    uint8_t raw[DHCP_PACKET_MAX_BYTES];

    (void)events;
    for (unsigned i = 0; i < PACKETS_PER_WAKE; i++) {
        ssize_t n = recv(storm->world.dhcp.fd, raw, sizeof(raw), MSG_DONTWAIT);
        struct dhcp_heard heard;

        if (n < 0)
            return;
        if (dhcp_heard_read((struct bytes){raw, (size_t)n}, &heard) && heard.xid >= 1 &&
            heard.xid <= storm->n_on)
            machine_hear(&storm->machines[heard.xid - 1], &heard);
    }
}

static int open_dhcp(struct storm *storm)
{
    const char *interface = storm->options->interface;
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(PXE_PORT_CLIENT)};
    struct sim_source *source = &storm->world.dhcp;
    const int one = 1;
    const int size = RECEIVE_BUFFER_BYTES;

    *source = (struct sim_source){.ready = on_dhcp, .ctx = storm};
    source->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (source->fd < 0 || setsockopt(source->fd, SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)) < 0 ||
        setsockopt(
            source->fd, SOL_SOCKET, SO_BINDTODEVICE, interface, (socklen_t)strlen(interface) + 1) <
            0 ||
        bind(source->fd, (const struct sockaddr *)&own, sizeof(own)) < 0)
        return ERR(-errno);
    (void)setsockopt(source->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    return TRACE(sim_loop_watch(&storm->loop, source, EPOLLIN));
}

static void print(const struct storm *storm)
{
    const struct machine_world *world = &storm->world;
    const struct {
        const char *name;
        const struct figures *figures;
    } all[] = {
        {"offered", &world->offered},
        {"booted", &world->booted},
        {"registration", &storm->figures[AGENT_REGISTER]},
        {"order", &storm->figures[AGENT_ORDER]},
        {"done", &world->done},
    };

    (void)printf("{");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        (void)printf("\"%s\": ", all[i].name);
        figures_print(all[i].figures, stdout);
        (void)printf(", ");
    }
    (void)printf("\"n_machines\": %" PRIu64 ", \"n_done\": %" PRIu64 ", \"n_lost\": %" PRIu64
                 ", \"n_dhcp_again\": %" PRIu64 ", \"n_tftp_again\": %" PRIu64
                 ", \"n_again\": %" PRIu64 ", \"n_bytes\": %" PRIu64 ", \"elapsed_s\": %.3f}\n",
                 storm->options->n_machines,
                 storm->n_done,
                 storm->options->n_machines - storm->n_done,
                 world->n_dhcp_again,
                 world->n_tftp_again,
                 storm->n_again,
                 world->n_bytes,
                 (double)(storm->loop.now_us - storm->begin_us) / US_PER_S);
}

static int run(struct storm *storm)
{
    int r = open_dhcp(storm);

    for (uint64_t i = 0; i < storm->options->n_machines; i++)
        machine_init(&storm->machines[i], &storm->world, i);
    storm->loop.now_us = storm->begin_us = clock_monotonic_us();
    if (r == 0)
        r = sim_timer_set(&storm->loop, &storm->next_on, storm->begin_us);
    if (r == 0)
        r = sim_timer_set(&storm->loop, &storm->limit, storm->begin_us + storm->options->limit_us);
    if (r == 0)
        r = sim_loop_run(&storm->loop);
    if (r == 0)
        print(storm);
    for (uint64_t i = 0; i < storm->options->n_machines; i++)
        machine_fini(&storm->machines[i]);
    sim_loop_close(&storm->loop, &storm->world.dhcp);
    return r < 0 ? TRACE(r) : storm->n_done < storm->options->n_machines;
}

int storm_run(const struct storm_options *options)
{
    OWN(freep) struct storm *storm = calloc(1, sizeof(*storm));
    OWN(freep) struct machine *machines = calloc(options->n_machines, sizeof(*machines));
    int r;

    if (!storm || !machines)
        return ERR(-ENOMEM);
    storm->options = options;
    storm->machines = machines;
    storm->next_on = (struct sim_timer){.fire = on_power, .ctx = storm};
    storm->limit = (struct sim_timer){.fire = on_limit, .ctx = storm};
    storm->world = (struct machine_world){.options = options,
                                          .loop = &storm->loop,
                                          .dhcp = {.fd = -1},
                                          .over = on_over,
                                          .ctx = storm};
    storm->world.agents = (struct agent_options){.loop = &storm->loop,
                                                 .site = options->site,
                                                 .figures = storm->figures,
                                                 .n_again = &storm->n_again};
    r = sim_loop_init(&storm->loop);
    if (r == 0)
        r = run(storm);
    sim_loop_fini(&storm->loop);
    return TRACE(r);
}
