/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "proto/dhcp/pxe_dialogue.h"
#include "rt/log.h"
#include "server/pxe/boot_name.h"
#include "server/pxe/pxe_role.h"
#include "server/pxe/second_stage.h"

enum {
    PACKETS_PER_WAKE = 32, /* then the others have a turn */
    N_EARS = 3,
};

struct ear;
typedef void
hear(struct ear *ear, struct bytes packet, struct sockaddr_in from, struct in_pktinfo at);

/* A socket and what is done with what it receives. */
struct ear {
    struct offers *offers;
    uv_poll_t poll;
    int fd;
    uint16_t port; /* what it is for, whatever the number it is bound to */
    hear *hear;
};

struct offers {
    struct pxe_role *role;
    struct ear ears[N_EARS];
    unsigned n_open;
};

/* What is carried along while the site thinks. */
struct pending {
    struct pxe_question question;
    struct pxe_target peer;
    struct ear *ear;
    unsigned interface;
};
_Static_assert(sizeof(struct pending) <= SITE_ASK_EXTRA_BYTES, "a question must fit");

static bool send_to(const struct pending *pending, struct pxe_target to, struct iovec packet)
{
    bool is_broadcast = to.address == INADDR_BROADCAST;
    struct sockaddr_in name = {
        .sin_family = AF_INET,
        .sin_port = htons(to.port),
        .sin_addr.s_addr = htonl(to.address),
    };
    /* From the address that was asked; a broadcast also out of the interface that was. */
    struct in_pktinfo from = {
        .ipi_ifindex = is_broadcast ? (int)pending->interface : 0,
        .ipi_spec_dst.s_addr = htonl(pending->question.local),
    };
    union {
        struct cmsghdr align;
        uint8_t raw[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control = {0};
    struct msghdr msg = {
        .msg_name = &name,
        .msg_namelen = sizeof(name),
        .msg_iov = &packet,
        .msg_iovlen = 1,
        .msg_control = control.raw,
        .msg_controllen = sizeof(control.raw),
    };
    struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

    head->cmsg_level = IPPROTO_IP;
    head->cmsg_type = IP_PKTINFO;
    head->cmsg_len = CMSG_LEN(sizeof(from));
    memcpy(CMSG_DATA(head), &from, sizeof(from));
    return sendmsg(pending->ear->fd, &msg, MSG_DONTWAIT) == (ssize_t)packet.iov_len;
}

static void
say(struct pxe_role *role, const struct pending *pending, const struct site_decision *decision)
{
    const struct pxe_question *question = &pending->question;
    const char *boot = question->is_http ? decision->url : decision->file;
    const char *stage = question->stage == PXE_STAGE_DISCOVER ? "offer" : "ack";
    uint8_t raw[PXE_ANSWER_MAX_BYTES];
    struct sink packet = {.ptr = raw, .cap = sizeof(raw)};
    struct pxe_target to;
    char mac[MAC_TEXT_MAX];
    char address[ADDRESS_TEXT_MAX];

    mac_put(mac, question->mac);
    if (boot[0] == '\0') {
        log_error("the site's decision names nothing to boot", "mac=%s", mac);
        return;
    }
    if (pxe_answer_put(question, &(struct pxe_decision){boot}, pending->peer, &packet, &to) != 0) {
        log_warning("no answer, it would be larger than the client can take",
                    "mac=%s max=%zu boot=\"%s\"",
                    mac,
                    question->max_bytes,
                    boot);
        site_link_report(role->site, question->mac, "answer-too-large", boot);
        return;
    }
    if (!send_to(pending, to, (struct iovec){raw, packet.len})) {
        log_warning("answer not sent",
                    "mac=%s to=%s error=\"%s\"",
                    mac,
                    address_text(address, to.address),
                    strerrordesc_np(errno));
        return;
    }
    log_debug(
        "answer sent", "mac=%s to=%s port=%u", mac, address_text(address, to.address), to.port);
    site_link_report(role->site,
                     question->mac,
                     question->stage == PXE_STAGE_DISCOVER ? "offer-sent" : "ack-sent",
                     boot);
    log_info("boot offered",
             "mac=%s stage=%s arch=%u client=%s%s reason=%s boot=\"%s\"",
             mac,
             stage,
             question->arch,
             question->is_http ? "http" : "pxe",
             question->is_ipxe ? "+ipxe" : "",
             decision->reason,
             boot);
}

void offers_answer(struct pxe_role *role, const void *extra, const struct site_decision *decision)
{
    const struct pending *pending = extra;
    struct boot_client *client = boot_clients_find(&role->clients, pending->question.mac);
    char mac[MAC_TEXT_MAX];

    if (decision->is_away)
        return;
    if (client) {
        client->site_says = decision->secure_boot;
        if (decision->is_offer)
            memcpy(client->folder, boot_name_read(decision->file).folder, sizeof(client->folder));
    }
    if (decision->is_offer) {
        say(role, pending, decision);
        return;
    }
    mac_put(mac, pending->question.mac);
    log_info("silence",
             "mac=%s arch=%u reason=%s text=\"%s\"",
             mac,
             pending->question.arch,
             decision->reason,
             decision->text);
}

static void remember(struct pxe_role *role, const struct pxe_question *question)
{
    uint64_t now = clock_monotonic_us();
    struct boot_client *client = boot_clients_see(&role->clients, question->mac, now);
    char mac[MAC_TEXT_MAX];

    memcpy(client->uuid, question->uuid, sizeof(client->uuid));
    client->has_uuid = question->has_uuid;
    client->arch = question->arch;
    client->is_http = question->is_http;
    client->is_ipxe = question->is_ipxe;
    client->relay = question->relay;
    if (question->client_address != 0)
        client->address = question->client_address;
    if (question->stage != PXE_STAGE_DISCOVER || !second_stage_begin(client, now))
        return;

    mac_put(mac, question->mac);
    log_warning(
        "the client did not start our GRUB, so Secure Boot seems to be on; it gets the signed one now",
        "mac=%s",
        mac);
    site_link_report(
        role->site, question->mac, "secure-boot-refused", "our GRUB was never started");
}

static void ask_site(struct pxe_role *role, const struct pending *pending, const char *interface)
{
    const struct pxe_question *question = &pending->question;
    struct site_ask ask = {
        .has_uuid = question->has_uuid,
        .is_http = question->is_http,
        .is_ipxe = question->is_ipxe,
        .arch = question->arch,
        .stage = question->stage == PXE_STAGE_DISCOVER ? SITE_ASK_DISCOVER : SITE_ASK_REQUEST,
        .server_address = question->local,
        .relay = question->relay,
        .key = question->xid,
    };
    int r;

    memcpy(ask.mac, question->mac, sizeof(ask.mac));
    memcpy(ask.uuid, question->uuid, sizeof(ask.uuid));
    (void)snprintf(ask.interface, sizeof(ask.interface), "%s", interface);
    r = site_link_ask(role->site, &ask, pending, sizeof(*pending));
    if (r == SITE_LINK_E_BUSY)
        log_warning("too many questions to the site at once, one is left unanswered",
                    "limit=%d",
                    SITE_ASKS_MAX);
    else if (r < 0)
        log_error("question to the site not asked", "error=\"%s\"", strerrordesc_np(-r));
}

static void
hear_question(struct ear *ear, struct bytes packet, struct sockaddr_in from, struct in_pktinfo at)
{
    struct pxe_role *role = ear->offers->role;
    struct pending pending = {
        .peer = {ntohl(from.sin_addr.s_addr), ntohs(from.sin_port)},
        .ear = ear,
        .interface = (unsigned)at.ipi_ifindex,
    };
    uint32_t local = ntohl(at.ipi_spec_dst.s_addr);
    char interface[SITE_INTERFACE_MAX];
    int r = pxe_question_read(packet, ear->port, local, &pending.question);

    if (r != 0) {
        log_debug("packet left alone", "port=%u why=%s", ear->port, pxe_why_not(r));
        return;
    }
    if (local == 0 || !pxe_role_name_interface(role, pending.interface, interface)) {
        log_debug("packet left alone", "port=%u why=interface", ear->port);
        return;
    }
    remember(role, &pending.question);
    ask_site(role, &pending, interface);
}

/* Only of clients that asked us before, so that others cannot fill the table. */
static void
hear_lease(struct ear *ear, struct bytes packet, struct sockaddr_in from, struct in_pktinfo at)
{
    struct pxe_role *role = ear->offers->role;
    struct pxe_lease lease;
    struct boot_client *client;

    (void)from;
    (void)at;
    if (!pxe_lease_read(packet, &lease))
        return;
    client = boot_clients_find(&role->clients, lease.mac);
    if (!client)
        return;
    client->has_lease = true;
    client->address = lease.address;
    client->next_server = lease.next_server;
}

static bool receive(struct ear *ear)
{
    uint8_t raw[DHCP_PACKET_MAX_BYTES + 1]; /* one more, to see what is too long */
    union {
        struct cmsghdr align;
        uint8_t raw[CMSG_SPACE(sizeof(struct in_pktinfo))];
    } control;
    struct sockaddr_in from = {0};
    struct in_pktinfo at = {0};
    struct iovec iov = {.iov_base = raw, .iov_len = sizeof(raw)};
    struct msghdr msg = {
        .msg_name = &from,
        .msg_namelen = sizeof(from),
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.raw,
        .msg_controllen = sizeof(control.raw),
    };
    ssize_t len = recvmsg(ear->fd, &msg, MSG_DONTWAIT);

    if (len < 0)
        return errno == EINTR;
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&msg); head; head = CMSG_NXTHDR(&msg, head))
        if (head->cmsg_level == IPPROTO_IP && head->cmsg_type == IP_PKTINFO)
            memcpy(&at, CMSG_DATA(head), sizeof(at));
    ear->hear(ear, (struct bytes){raw, (size_t)len}, from, at);
    return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    for (unsigned i = 0; i < PACKETS_PER_WAKE; i++)
        if (!receive(poll->data))
            return;
}

static int ear_open(struct offers *offers, int fd, uint16_t port, hear *how)
{
    struct ear *ear = &offers->ears[offers->n_open];
    int r;

    if (fd < 0)
        return 0;
    *ear = (struct ear){.offers = offers, .fd = fd, .port = port, .hear = how};
    ear->poll.data = ear;
    r = uv_poll_init(&offers->role->loop, &ear->poll, fd);
    if (r < 0)
        return ERR(r);
    offers->n_open++;
    r = uv_poll_start(&ear->poll, UV_READABLE, on_readable);
    return r < 0 ? ERR(r) : 0;
}

int offers_new(struct pxe_role *role, struct offers **ret)
{
    const struct role_options *options = role->options;
    OWN(freep) struct offers *offers = calloc(1, sizeof(*offers));
    int r;

    if (!offers)
        return ERR(-ENOMEM);
    offers->role = role;
    r = ear_open(offers, options->dhcp_fd, PXE_PORT_DHCP, hear_question);
    if (r == 0)
        r = ear_open(offers, options->boot_server_fd, PXE_PORT_BOOT_SERVER, hear_question);
    if (r == 0)
        r = ear_open(offers, options->lease_fd, PXE_PORT_CLIENT, hear_lease);
    *ret =
        TAKE(offers); /* also after a failure: handles that are open must be closed by the loop */
    return TRACE(r);
}

static void on_closed(uv_handle_t *handle)
{
    struct ear *ear = handle->data;

    if (--ear->offers->n_open == 0)
        free(ear->offers);
}

void offers_stop(struct offers *offers)
{
    if (!offers)
        return;

    unsigned n_open = offers->n_open; /* offers may be gone after the last uv_close() has run out */

    if (n_open == 0)
        free(offers);
    for (unsigned i = 0; i < n_open; i++)
        uv_close((uv_handle_t *)&offers->ears[i].poll, on_closed);
}
