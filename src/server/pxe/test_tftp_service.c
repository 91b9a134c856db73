/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The service on loopback with a client of a few lines: names, files, patches, answers by ticket, limits
 */

#include "server/pxe/tftp_service.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "plat/clock.h"
#include "plat/file.h"
#include "proto/tftp/tftp_packet.h"

enum {
    FILE_BYTES = 200 * 1000, /* more than is read ahead */
    PATIENCE_US = 5 * 1000 * 1000,
    SILENCE_US = 10 * 1000, /* long enough for an answer that must not come */
    N_MANY = 12,            /* clients; more than there are threads, which are */
    N_WORKERS = 5,
};

static const char marker[] = "@@MARKER@@";

struct fixture {
    char folder[64];
    uv_loop_t loop;
    struct tftp_service *service;
    struct sockaddr_in address;
    uint64_t ticket; /* of the last ask that was not answered at once */
    unsigned n_asks;
    enum tftp_event_kind last_event;
    unsigned n_finished;
    uint64_t acked_bytes;
};

static void on_ask(void *ctx, const struct tftp_ask *ask)
{
    struct fixture *f = ctx;
    struct tftp_patch patch = {bytes_of(marker), bytes_of("0123456789")};

    f->n_asks++;
    assert_int_equal(ntohl(ask->local.s_addr), INADDR_LOOPBACK);
    if (strcmp(ask->name, "later") == 0)
        f->ticket = ask->ticket;
    else if (strcmp(ask->name, "bytes") == 0)
        tftp_service_reply_bytes(f->service, ask->ticket, bytes_of("generated"));
    else if (strcmp(ask->name, "patched") == 0)
        tftp_service_reply_file(f->service, ask->ticket, "a/marked", &patch);
    else if (strcmp(ask->name, "patched-wrongly") == 0)
        tftp_service_reply_file(f->service, ask->ticket, "a/file", &patch);
    else
        tftp_service_reply_file(f->service, ask->ticket, ask->name, NULL);
}

static void on_event(void *ctx, const struct tftp_event *event)
{
    struct fixture *f = ctx;

    f->last_event = event->kind;
    f->n_finished += event->kind == TFTP_EVENT_FINISHED ? 1 : 0;
    f->acked_bytes = event->acked_bytes;
}

static uint8_t file_byte(size_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

static void make_files(struct fixture *f)
{
    char path[128];
    char to[128];
    uint8_t *content = malloc(FILE_BYTES);

    assert_non_null(content);
    for (size_t i = 0; i < FILE_BYTES; i++)
        content[i] = file_byte(i);
    (void)snprintf(path, sizeof(path), "%s/a", f->folder);
    assert_int_equal(dir_make(path, 0755), 0);
    (void)snprintf(path, sizeof(path), "%s/a/file", f->folder);
    assert_int_equal(file_write(path, (struct bytes){content, FILE_BYTES}, 0644), 0);
    (void)snprintf(to, sizeof(to), "%s/a/link", f->folder);
    assert_int_equal(symlink("file", to), 0);
    memcpy(content + 1020, marker, sizeof(marker) - 1); /* across the end of a block of 512 */
    (void)snprintf(path, sizeof(path), "%s/a/marked", f->folder);
    assert_int_equal(file_write(path, (struct bytes){content, FILE_BYTES}, 0644), 0);
    free(content);
}

static int set_up(void **state)
{
    static struct fixture f;
    socklen_t len = sizeof(f.address);
    struct tftp_service_options options = {
        .loop = &f.loop, .resolve = on_ask, .event = on_event, .n_workers = N_WORKERS};

    f = (struct fixture){
        .folder = "/tmp/test-tftp-XXXXXX",
        .address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}},
    };
    assert_non_null(mkdtemp(f.folder));
    make_files(&f);
    assert_int_equal(uv_loop_init(&f.loop), 0);
    options.socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(
        bind(options.socket_fd, (const struct sockaddr *)&f.address, sizeof(f.address)), 0);
    assert_int_equal(getsockname(options.socket_fd, (struct sockaddr *)&f.address, &len), 0);
    options.boot_folder = f.folder;
    options.ctx = &f;
    assert_int_equal(tftp_service_new(&options, &f.service), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    tftp_service_stop(f->service);
    assert_int_equal(uv_run(&f->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&f->loop), 0); /* -EBUSY: a handle was forgotten */
    return dir_remove(f->folder);
}

/* A client. Packets go to port 69's stand-in first, then to whoever answered. */
struct client {
    int fd;
    struct sockaddr_in peer;
    uint8_t packet[2048];
    size_t len;
};

static struct client client_new(const struct fixture *f)
{
    struct client c = {.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0),
                       .peer = f->address};

    assert_true(c.fd >= 0);
    return c;
}

static void client_send(struct client *c, const void *packet, size_t len)
{
    ssize_t n = sendto(c->fd, packet, len, 0, (const struct sockaddr *)&c->peer, sizeof(c->peer));

    assert_int_equal(n, len);
}

static void client_ask(struct client *c, const char *name, const char *windowsize)
{
    uint8_t packet[600];
    struct sink dst = {.ptr = packet, .cap = sizeof(packet)};

    sink_u16be(&dst, TFTP_RRQ);
    sink_cstr(&dst, name);
    sink_cstr(&dst, "octet");
    if (windowsize) {
        sink_cstr(&dst, "windowsize");
        sink_cstr(&dst, windowsize);
    }
    client_send(c, packet, dst.len);
}

/* Run the service until the client has a packet. Return: its opcode, or 0 if there is none in time. */
static unsigned client_wait(struct fixture *f, struct client *c, uint64_t patience_us)
{
    uint64_t end_us = clock_monotonic_us() + patience_us;

    while (clock_monotonic_us() < end_us) {
        socklen_t len = sizeof(c->peer);
        ssize_t n =
            recvfrom(c->fd, c->packet, sizeof(c->packet), 0, (struct sockaddr *)&c->peer, &len);

        if (n >= TFTP_HEADER_BYTES) {
            c->len = (size_t)n;
            return c->packet[1];
        }
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    }
    return 0;
}

static unsigned client_take(struct fixture *f, struct client *c)
{
    return client_wait(f, c, PATIENCE_US);
}

/* Run the service until @n transfers are left. */
static void wait_count(struct fixture *f, unsigned n)
{
    uint64_t end_us = clock_monotonic_us() + PATIENCE_US;

    while (tftp_service_count(f->service) != n && clock_monotonic_us() < end_us)
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(tftp_service_count(f->service), n);
}

static void client_ack(struct client *c, size_t block)
{
    const uint8_t packet[] = {0, TFTP_ACK, (uint8_t)(block >> 8), (uint8_t)block};

    client_send(c, packet, sizeof(packet));
}

/* The whole file, an ACK for each @window blocks. Return: its size. */
static size_t client_get(struct fixture *f, struct client *c, size_t window, uint8_t *ret)
{
    size_t len = 0;
    size_t block = 0;

    do {
        assert_int_equal(client_take(f, c), TFTP_DATA);
        assert_int_equal(c->packet[2] << 8 | c->packet[3], ++block);
        memcpy(ret + len, c->packet + TFTP_HEADER_BYTES, c->len - TFTP_HEADER_BYTES);
        len += c->len - TFTP_HEADER_BYTES;
        if (block % window == 0 || c->len < 512 + TFTP_HEADER_BYTES)
            client_ack(c, block);
    } while (c->len == 512 + TFTP_HEADER_BYTES);
    wait_count(f, 0);
    return len;
}

static void assert_refused(struct fixture *f, const char *name, unsigned code)
{
    struct client c = client_new(f);

    client_ask(&c, name, NULL);
    assert_int_equal(client_take(f, &c), TFTP_ERROR);
    assert_int_equal(c.packet[3], code);
    assert_int_equal(tftp_service_count(f->service), 0);
    (void)close(c.fd);
}

static void a_file_arrives_from_a_port_of_its_own(void **state)
{
    struct fixture *f = *state;
    struct client c = client_new(f);
    uint8_t *got = calloc(1, FILE_BYTES + 512);

    client_ask(&c, "/a//file", NULL);
    assert_int_equal(client_get(f, &c, 1, got), FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++)
        assert_int_equal(got[i], file_byte(i));
    assert_int_not_equal(c.peer.sin_port, f->address.sin_port);
    assert_int_equal(f->last_event, TFTP_EVENT_FINISHED);
    assert_int_equal(f->acked_bytes, FILE_BYTES);
    free(got);
    (void)close(c.fd);
}

static void a_window_begins_after_the_oack_is_acknowledged(void **state)
{
    struct fixture *f = *state;
    struct client c = client_new(f);
    uint8_t *got = calloc(1, FILE_BYTES + 512);

    client_ask(&c, "a/file", "16");
    assert_int_equal(client_take(f, &c), TFTP_OACK);
    assert_int_equal(client_wait(f, &c, SILENCE_US), 0);
    client_ack(&c, 0);
    assert_int_equal(client_get(f, &c, 16, got), FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++)
        assert_int_equal(got[i], file_byte(i));
    free(got);
    (void)close(c.fd);
}

static void a_patch_replaces_its_place_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct client c = client_new(f);
    uint8_t *got = calloc(1, FILE_BYTES + 512);

    client_ask(&c, "patched", NULL);
    assert_int_equal(client_get(f, &c, 1, got), FILE_BYTES);
    assert_memory_equal(got + 1020, "0123456789", 10);
    assert_int_equal(got[1019], file_byte(1019));
    assert_int_equal(got[1030], file_byte(1030));
    free(got);
    (void)close(c.fd);
}

static void a_patch_without_a_place_is_an_error(void **state)
{
    struct fixture *f = *state;

    assert_refused(f, "patched-wrongly", TFTP_ERROR_OTHER);
    assert_int_equal(f->last_event, TFTP_EVENT_FAILED);
}

static void generated_bytes_arrive(void **state)
{
    struct fixture *f = *state;
    struct client c = client_new(f);
    uint8_t got[512];

    client_ask(&c, "bytes", NULL);
    assert_int_equal(client_get(f, &c, 1, got), 9);
    assert_memory_equal(got, "generated", 9);
    (void)close(c.fd);
}

static void a_missing_file_is_said_at_once(void **state)
{
    struct fixture *f = *state;

    assert_refused(f, "a/none", TFTP_ERROR_MISSING);
    assert_int_equal(f->last_event, TFTP_EVENT_MISSING);
}

static void folders_links_and_ways_out_are_not_files(void **state)
{
    struct fixture *f = *state;

    assert_refused(f, "a", TFTP_ERROR_MISSING);
    assert_refused(f, "a/link", TFTP_ERROR_MISSING);
    assert_refused(f, "../etc/passwd", TFTP_ERROR_ACCESS);
    assert_int_equal(f->n_asks, 2); /* the last one never reached the role */
}

static void writing_is_refused(void **state)
{
    struct fixture *f = *state;
    struct client c = client_new(f);
    static const uint8_t packet[] = {0, TFTP_WRQ, 'a', 0, 'o', 'c', 't', 'e', 't', 0};

    client_send(&c, packet, sizeof(packet));
    assert_int_equal(client_take(f, &c), TFTP_ERROR);
    assert_int_equal(c.packet[3], TFTP_ERROR_ACCESS);
    (void)close(c.fd);
}

static void a_late_answer_finds_its_request_and_a_second_one_nothing(void **state)
{
    struct fixture *f = *state;
    struct client c = client_new(f);
    uint8_t got[512];

    client_ask(&c, "later", NULL);
    client_ask(&c, "later", NULL); /* impatient: the same request */
    assert_int_equal(client_wait(f, &c, SILENCE_US), 0);
    assert_int_equal(f->n_asks, 1);
    assert_int_equal(tftp_service_count(f->service), 1);
    tftp_service_reply_missing(f->service, f->ticket + 1);
    tftp_service_reply_bytes(f->service, f->ticket, bytes_of("now"));
    tftp_service_reply_missing(f->service, f->ticket);
    assert_int_equal(client_get(f, &c, 1, got), 3);
    assert_memory_equal(got, "now", 3);
    tftp_service_reply_bytes(f->service, f->ticket, bytes_of("again"));
    assert_int_equal(tftp_service_count(f->service), 0);
    (void)close(c.fd);
}

static void one_source_has_a_bounded_number_of_transfers(void **state)
{
    struct fixture *f = *state;
    struct client clients[TFTP_SESSIONS_PER_SOURCE_MAX + 4];

    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        clients[i] = client_new(f);
        client_ask(&clients[i], "a/file", NULL);
        assert_int_equal(client_take(f, &clients[i]), TFTP_DATA);
    }
    assert_int_equal(tftp_service_count(f->service), TFTP_SESSIONS_PER_SOURCE_MAX);
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
        (void)close(clients[i].fd);
}

static void a_client_that_closes_its_port_is_noticed(void **state)
{
    struct fixture *f = *state;
    struct client c = client_new(f);

    client_ask(&c, "a/file", NULL);
    assert_int_equal(client_take(f, &c), TFTP_DATA);
    client_ack(&c, 1); /* block 2 finds the port closed */
    (void)close(c.fd);
    wait_count(f, 0);
    assert_int_equal(f->last_event, TFTP_EVENT_FAILED);
}

/* An address of its own for each few, because of the bound for one source. */
static void client_bind(const struct client *c, unsigned number)
{
    const struct sockaddr_in local = {
        .sin_family = AF_INET,
        .sin_addr = {htonl(INADDR_LOOPBACK + number / TFTP_SESSIONS_PER_SOURCE_MAX)},
    };

    assert_int_equal(bind(c->fd, (const struct sockaddr *)&local, sizeof(local)), 0);
}

/* Take the next block, if it has come, and acknowledge it. Return: whether it was the last one. */
static bool client_step(struct client *c, size_t *n_bytes)
{
    socklen_t len = sizeof(c->peer);
    ssize_t n = recvfrom(c->fd, c->packet, sizeof(c->packet), 0, (struct sockaddr *)&c->peer, &len);

    if (n < 0)
        return false;
    assert_true(n >= TFTP_HEADER_BYTES);
    assert_int_equal(c->packet[1], TFTP_DATA);
    if ((size_t)(c->packet[2] << 8 | c->packet[3]) != *n_bytes / 512 + 1)
        return false; /* sent again, because this machine is slow */
    for (size_t i = TFTP_HEADER_BYTES; i < (size_t)n; i++)
        assert_int_equal(c->packet[i], file_byte((*n_bytes)++));
    client_ack(c, (size_t)(c->packet[2] << 8 | c->packet[3]));
    return n < 512 + TFTP_HEADER_BYTES;
}

static void many_clients_at_once_each_get_their_file(void **state)
{
    struct fixture *f = *state;
    struct client clients[N_MANY];
    size_t n_bytes[N_MANY] = {0};
    unsigned n_left = N_MANY;
    uint64_t end_us = clock_monotonic_us() + PATIENCE_US;

    for (unsigned i = 0; i < N_MANY; i++) {
        clients[i] = client_new(f);
        client_bind(&clients[i], i);
        client_ask(&clients[i], "a/file", NULL);
    }
    while (n_left > 0 && clock_monotonic_us() < end_us) {
        (void)uv_run(&f->loop, UV_RUN_NOWAIT);
        for (unsigned i = 0; i < N_MANY; i++)
            n_left -= client_step(&clients[i], &n_bytes[i]) ? 1 : 0;
    }
    assert_int_equal(n_left, 0);
    wait_count(f, 0);
    assert_int_equal(f->n_finished, N_MANY);
    for (unsigned i = 0; i < N_MANY; i++) {
        assert_int_equal(n_bytes[i], FILE_BYTES);
        (void)close(clients[i].fd);
    }
}

static void a_working_transfer_stays_when_silent_ones_give_way(void **state)
{
    struct fixture *f = *state;
    struct client worker = client_new(f);
    struct client silent[TFTP_SESSIONS_PER_SOURCE_MAX * 2];

    client_ask(&worker, "a/file", NULL);
    assert_int_equal(client_take(f, &worker), TFTP_DATA);
    client_ack(&worker, 1);
    assert_int_equal(client_take(f, &worker), TFTP_DATA);
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
        silent[i] = client_new(f);
        client_ask(&silent[i], "a/file", NULL);
        assert_int_equal(client_take(f, &silent[i]), TFTP_DATA);
    }
    assert_int_equal(f->last_event, TFTP_EVENT_ASKED);
    client_ack(&worker, 2);
    assert_int_equal(client_take(f, &worker), TFTP_DATA);
    assert_int_equal(worker.packet[3], 3);
    for (size_t i = 0; i < sizeof(silent) / sizeof(silent[0]); i++)
        (void)close(silent[i].fd);
    (void)close(worker.fd);
}

static void stopping_in_the_middle_of_transfers_is_clean(void **state)
{
    struct fixture *f = *state;
    struct client clients[N_MANY];
    size_t n_bytes[N_MANY] = {0};

    for (unsigned i = 0; i < N_MANY; i++) {
        clients[i] = client_new(f);
        client_bind(&clients[i], i);
        client_ask(&clients[i], "a/file", NULL);
    }
    wait_count(f, N_MANY);
    for (unsigned i = 0; i < N_MANY; i++)
        (void)client_step(&clients[i], &n_bytes[i]); /* and tear_down() while the workers work */
    assert_int_equal(f->n_finished, 0);
    for (unsigned i = 0; i < N_MANY; i++)
        (void)close(clients[i].fd);
}

#define SERVICE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVICE_TEST(a_file_arrives_from_a_port_of_its_own),
        SERVICE_TEST(a_window_begins_after_the_oack_is_acknowledged),
        SERVICE_TEST(a_patch_replaces_its_place_and_nothing_else),
        SERVICE_TEST(a_patch_without_a_place_is_an_error),
        SERVICE_TEST(generated_bytes_arrive),
        SERVICE_TEST(a_missing_file_is_said_at_once),
        SERVICE_TEST(folders_links_and_ways_out_are_not_files),
        SERVICE_TEST(writing_is_refused),
        SERVICE_TEST(a_late_answer_finds_its_request_and_a_second_one_nothing),
        SERVICE_TEST(one_source_has_a_bounded_number_of_transfers),
        SERVICE_TEST(a_client_that_closes_its_port_is_noticed),
        SERVICE_TEST(many_clients_at_once_each_get_their_file),
        SERVICE_TEST(a_working_transfer_stays_when_silent_ones_give_way),
        SERVICE_TEST(stopping_in_the_middle_of_transfers_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
