/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The TFTP service of the role `pxe` and nothing else, for measurements: bench_tftpd ADDRESS FOLDER
 *
 * Serves FOLDER on port 69 of ADDRESS until SIGTERM or SIGINT; says "ready" on standard output when it listens.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "server/pxe/tftp_service.h"

enum {
    TFTP_PORT = 69,
};

struct bench {
    struct tftp_service *service;
    uv_signal_t term;
    uv_signal_t interrupt;
};

static void on_event(void *ctx, const struct tftp_event *event)
{
    (void)ctx;
    if (event->kind == TFTP_EVENT_FAILED)
        (void)fprintf(stderr, "%s: %s\n", event->name, event->why);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct bench *bench = handle->data;

    (void)number;
    tftp_service_stop(bench->service);
    uv_close((uv_handle_t *)&bench->term, NULL);
    uv_close((uv_handle_t *)&bench->interrupt, NULL);
}

static int stop_on(uv_loop_t *loop, uv_signal_t *handle, int number, struct bench *bench)
{
    int r = uv_signal_init(loop, handle);

    handle->data = bench;
    return r < 0 ? r : uv_signal_start(handle, on_signal, number);
}

static int bound_socket(const char *address)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(TFTP_PORT)};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || inet_pton(AF_INET, address, &local.sin_addr) != 1 ||
        bind(fd, (const struct sockaddr *)&local, sizeof(local)) != 0) {
        perror(address);
        return -1;
    }
    return fd;
}

int main(int argc, char **argv)
{
    uv_loop_t *loop = uv_default_loop();
    struct bench bench = {0};
    struct tftp_service_options options = {.loop = loop, .event = on_event};

    if (argc != 3) {
        (void)fprintf(stderr, "usage: %s ADDRESS FOLDER\n", argv[0]);
        return 2;
    }
    options.boot_folder = argv[2];
    options.socket_fd = bound_socket(argv[1]);
    if (options.socket_fd < 0 || tftp_service_new(&options, &bench.service) < 0 ||
        stop_on(loop, &bench.term, SIGTERM, &bench) < 0 ||
        stop_on(loop, &bench.interrupt, SIGINT, &bench) < 0)
        return 1;
    (void)puts("ready");
    (void)fflush(stdout);
    return uv_run(loop, UV_RUN_DEFAULT) == 0 ? 0 : 1;
}
