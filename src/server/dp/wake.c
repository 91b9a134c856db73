/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The job that sends magic packets (docs/wake-on-lan.md): no right is needed for a broadcast
 */

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/clock.h"
#include "plat/file.h"
#include "proto/wol/magic_packet.h"
#include "server/dp/worker.h"

enum {
    TARGETS_MAX = 4096,
    PLACES_MAX = 32, /* of one target */
    PORT_MAX = 65535,
    PACKETS_PER_S_MAX = 1000,
    PERCENT = 100,
    US_PER_S = 1000 * 1000,
    WHY_MAX = 160,
};

struct sending {
    struct worker *worker;
    uint16_t port;
    uint64_t pause_us; /* from one packet to the next */
    uint64_t next_us;  /* when the next one may go; of the monotonic clock */
    json_t *failed;    /* owned */
};

static void sending_fini(struct sending *s)
{
    json_decref(s->failed);
}

/* @from: address of the interface that it leaves by; INADDR_ANY: as the routes say. Return: 0 or a negative errno. */
static int send_packet(struct sending *s,
                       struct in_addr from,
                       struct in_addr to,
                       const uint8_t packet[static MAGIC_PACKET_BYTES])
{
    OWN(fd_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr = from};
    struct sockaddr_in place = {.sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr = to};
    uint64_t now_us = clock_monotonic_us();
    int yes = 1;

    if (now_us < s->next_us)
        clock_sleep_us(s->next_us - now_us);
    s->next_us = clock_monotonic_us() + s->pause_us;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)) != 0)
        return -errno;
    if (from.s_addr != htonl(INADDR_ANY) &&
        bind(fd, (const struct sockaddr *)&source, sizeof(source)) != 0)
        return -errno;
    if (sendto(fd, packet, MAGIC_PACKET_BYTES, 0, (const struct sockaddr *)&place, sizeof(place)) !=
        MAGIC_PACKET_BYTES)
        return -errno;
    return 0;
}

/* To 255.255.255.255 on each network that we are in: Linux takes the interface that the source address is of. */
static int send_everywhere(struct sending *s, const uint8_t packet[static MAGIC_PACKET_BYTES])
{
    const struct in_addr everywhere = {.s_addr = htonl(INADDR_BROADCAST)};
    struct ifaddrs *all = NULL;
    int r = -ENETUNREACH;

    if (getifaddrs(&all) != 0)
        return -errno;
    for (const struct ifaddrs *a = all; a; a = a->ifa_next) {
        struct sockaddr_in own;
        int one;

        if (!a->ifa_addr || a->ifa_addr->sa_family != AF_INET || !(a->ifa_flags & IFF_UP) ||
            !(a->ifa_flags & IFF_BROADCAST))
            continue;
        memcpy(&own, a->ifa_addr, sizeof(own));
        one = send_packet(s, own.sin_addr, everywhere, packet);
        if (one == 0 || r != 0)
            r = one;
    }
    freeifaddrs(all);
    return r;
}

static int note_failed(struct sending *s, size_t target, const char *to, int error)
{
    char why[WHY_MAX];

    (void)snprintf(why, sizeof(why), "SLW-0265: it could not be sent: %s", strerrordesc_np(-error));
    return json_array_append_new(
               s->failed,
               json_pack("{s:I,s:s,s:s}", "target", (json_int_t)target, "to", to, "why", why)) < 0
               ? ERR(-ENOMEM)
               : 0;
}

static int send_to(struct sending *s,
                   size_t target,
                   const char *to,
                   const uint8_t packet[static MAGIC_PACKET_BYTES])
{
    const struct in_addr any = {.s_addr = htonl(INADDR_ANY)};
    struct in_addr place;
    int r;

    if (inet_pton(AF_INET, to, &place) != 1)
        return ERR(-EBADMSG);
    if (place.s_addr == htonl(INADDR_BROADCAST))
        r = send_everywhere(s, packet);
    else
        r = send_packet(s, any, place, packet);
    return r < 0 ? TRACE(note_failed(s, target, to, r)) : 0;
}

static bool is_target(const json_t *one)
{
    const json_t *to = json_object_get(one, "to");
    const char *mac = json_string_value(json_object_get(one, "mac"));
    uint8_t bytes[MAC_BYTES];
    struct in_addr place;

    if (!mac || !mac_parse(bytes_of(mac), bytes) || !json_is_array(to) ||
        json_array_size(to) > PLACES_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(to); i++) {
        const char *text = json_string_value(json_array_get(to, i));

        if (!text || inet_pton(AF_INET, text, &place) != 1)
            return false;
    }
    return true;
}

static int send_target(struct sending *s, size_t target, const json_t *one)
{
    const json_t *to = json_object_get(one, "to");
    const char *text = json_string_value(json_object_get(one, "mac"));
    uint8_t packet[MAGIC_PACKET_BYTES];
    uint8_t mac[MAC_BYTES];
    int r = 0;

    if (!is_target(one)) /* the others are sent all the same */
        return TRACE(note_failed(s, target, "", -EBADMSG));
    (void)mac_parse(bytes_of(text), mac);
    magic_packet_put(packet, mac);
    for (size_t i = 0; r == 0 && i < json_array_size(to); i++)
        r = send_to(s, target, json_string_value(json_array_get(to, i)), packet);
    return TRACE(r);
}

/* Return: borrowed; NULL if the arguments are not such ones. */
static const json_t *read_args(const json_t *args, struct sending *s)
{
    const json_t *targets = json_object_get(args, "targets");
    json_int_t port = json_integer_value(json_object_get(args, "port"));
    json_int_t rate = json_integer_value(json_object_get(args, "packets_per_s"));

    if (port < 1 || port > PORT_MAX || rate < 1 || rate > PACKETS_PER_S_MAX ||
        !json_is_array(targets) || json_array_size(targets) > TARGETS_MAX)
        return NULL;
    s->port = (uint16_t)port;
    s->pause_us = US_PER_S / (uint64_t)rate;
    return targets;
}

int worker_wake(struct worker *worker)
{
    OWN(sending_fini) struct sending s = {.worker = worker, .failed = json_array()};
    const json_t *targets = read_args(worker->args, &s);
    size_t n = json_array_size(targets);
    int r = s.failed ? 0 : ERR(-ENOMEM);

    if (!targets) {
        worker_fail("SLW-0316", "The site's job \"wake\" has arguments that cannot be read.");
        return 0;
    }
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = send_target(&s, i, json_array_get(targets, i));
        worker_tell(worker, (unsigned)((i + 1) * PERCENT / n), "Sending magic packets");
    }
    return r < 0 ? TRACE(r) : TRACE(worker_succeed(json_pack("{s:O}", "failed", s.failed)));
}
