/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "machine.h"

enum {
    TFTP_PORT = 69,
    HTTP_PORT = 80,
    TFTP_AGAIN_US = 1000 * 1000,
    TFTP_TRIES_MAX = 30, /* without anything new */
    PACKETS_PER_WAKE = 16,
    URL_HEAD = sizeof("http://") - 1,
};

/* @data is what comes next of the file that is fetched. Return: whether it is right. */
static bool take(struct machine *machine, struct bytes data)
{
    struct bytes file = machine->world->options->boot_file;
    uint64_t at = machine->n_got;

    machine->n_got += data.len;
    machine->world->n_bytes += data.len;
    if (machine->stage == MACHINE_MENU) {
        buf_add(&machine->menu, data);
        return !machine->menu.failed;
    }
    return data.len <= file.len && at <= file.len - data.len &&
           memcmp(file.ptr + at, data.ptr, data.len) == 0;
}

static bool send_last(struct machine *machine)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET,
        .sin_port = htons(machine->tftp_port > 0 ? machine->tftp_port : TFTP_PORT),
        .sin_addr.s_addr = htonl(machine->tftp_server),
    };

    (void)sendto(machine->tftp.fd,
                 machine->last,
                 machine->last_len,
                 0,
                 (const struct sockaddr *)&to,
                 sizeof(to));
    return sim_timer_set(machine->world->loop,
                         &machine->timer,
                         machine->world->loop->now_us + TFTP_AGAIN_US) == 0;
}

void machine_fetch_again(struct machine *machine)
{
    machine->world->n_tftp_again++;
    if (++machine->tries > TFTP_TRIES_MAX || !send_last(machine))
        machine_lose(machine, "the TFTP server says nothing");
}

/* Return: false: the machine has nothing more to receive, or is lost. */
static bool
take_packet(struct machine *machine, struct bytes packet, const struct sockaddr_in *from)
{
    struct sink out = {.ptr = machine->last, .cap = sizeof(machine->last)};
    struct bytes data;
    int r;

    if (machine->tftp_port != 0 && ntohs(from->sin_port) != machine->tftp_port)
        return true;
    machine->tftp_port = ntohs(from->sin_port);
    r = tftp_receive_feed(&machine->receive, packet, &out, &data);
    if (r == TFTP_RECEIVE_ERROR || !take(machine, data)) {
        machine_lose(machine, "what came by TFTP is wrong");
        return false;
    }
    if (data.len > 0)
        machine->tries = 0;
    machine->last_len = out.len > 0 ? out.len : machine->last_len;
    if (out.len > 0 && !send_last(machine)) {
        machine_lose(machine, "no memory");
        return false;
    }
    if (r == TFTP_RECEIVE_DONE) {
        sim_loop_close(machine->world->loop, &machine->tftp);
        sim_timer_clear(machine->world->loop, &machine->timer);
        machine_fetched(machine);
    }
    return r == TFTP_RECEIVE_WAIT;
}

static void on_packet(void *ctx, uint32_t events)
{
    struct machine *machine = ctx;
    uint8_t raw[TFTP_RECEIVE_BLOCK_BYTES + 64];

    (void)events;
    for (unsigned i = 0; i < PACKETS_PER_WAKE; i++) {
        struct sockaddr_in from;
        socklen_t len = sizeof(from);
        ssize_t n = recvfrom(machine->tftp.fd, raw, sizeof(raw), 0, (struct sockaddr *)&from, &len);

        if (n < 0 || !take_packet(machine, (struct bytes){raw, (size_t)n}, &from))
            return;
    }
}

static void fetch_by_tftp(struct machine *machine, const char *name)
{
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(machine->address)};
    struct sink out = {.ptr = machine->last, .cap = sizeof(machine->last)};
    struct sim_source *source = &machine->tftp;

    *source = (struct sim_source){.ready = on_packet, .ctx = machine};
    source->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    machine->n_got = 0;
    machine->tries = 0;
    machine->tftp_port = 0;
    machine->tftp_server = machine->heard.server;
    if (source->fd < 0 || bind(source->fd, (const struct sockaddr *)&own, sizeof(own)) < 0 ||
        sim_loop_watch(machine->world->loop, source, EPOLLIN) < 0 ||
        !tftp_receive_begin(&machine->receive, name, &out)) {
        machine_lose(machine, strerrordesc_np(errno));
        return;
    }
    machine->last_len = out.len;
    if (!send_last(machine))
        machine_lose(machine, "no memory");
}

static void on_answer(void *ctx, const struct answer *answer)
{
    struct machine *machine = ctx;

    if (answer->status != 200) {
        machine_lose(machine, "the boot file did not come by HTTP");
        return;
    }
    connection_fini(&machine->http);
    machine_fetched(machine);
}

static bool on_piece(void *ctx, struct bytes piece)
{
    return take(ctx, piece);
}

/* "http://10.77.0.1[:80]/boot/…" */
static bool aim(struct machine *machine, const char **ret_path)
{
    const char *url = machine->heard.boot;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(HTTP_PORT)};
    const char *path;
    const char *colon;
    uint64_t port;

    if (strncmp(url, "http://", URL_HEAD) != 0 || !(path = strchr(url + URL_HEAD, '/')))
        return false;
    (void)snprintf(machine->host,
                   sizeof(machine->host),
                   "%.*s",
                   (int)(path - url - (ptrdiff_t)URL_HEAD),
                   url + URL_HEAD);
    colon = strchr(machine->host, ':');
    if (colon && bytes_parse_u64(bytes_of(colon + 1), 1, UINT16_MAX, &port)) {
        to.sin_port = htons((uint16_t)port);
        machine->host[colon - machine->host] = '\0';
    }
    if (inet_pton(AF_INET, machine->host, &to.sin_addr) != 1)
        return false;
    machine->place = (struct place){.address_len = sizeof(to), .host = machine->host};
    memcpy(&machine->place.address, &to, sizeof(to));
    *ret_path = path;
    return true;
}

static void fetch_by_http(struct machine *machine)
{
    struct connection_options options = {
        .loop = machine->world->loop, .answer = on_answer, .piece = on_piece, .ctx = machine};
    const char *path;

    if (!aim(machine, &path)) {
        machine_lose(machine, "what it is to fetch is no address of HTTP");
        return;
    }
    machine->n_got = 0;
    connection_init(&machine->http, &options);
    connection_aim(&machine->http, &machine->place, machine->address);
    if (connection_ask(&machine->http, "GET", path, NULL, (struct bytes){0}) < 0)
        machine_lose(machine, "no connection to the HTTP server");
}

void machine_fetch_boot_file(struct machine *machine)
{
    if (machine->is_http)
        fetch_by_http(machine);
    else
        fetch_by_tftp(machine, machine->heard.boot);
}

void machine_fetch_menu(struct machine *machine)
{
    char mac[MAC_TEXT_MAX];
    char name[64];

    mac_put(mac, machine->agent.mac);
    (void)snprintf(name, sizeof(name), "grub/device/%s.cfg", mac);
    fetch_by_tftp(machine, name);
}
