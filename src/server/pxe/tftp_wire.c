/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/tftp_wire.h"

#include <errno.h>
#include <stdalign.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    HEADERS_BYTES = 20 + 8 + TFTP_HEADER_BYTES, /* IPv4, UDP, DATA */
    SEND_BUFFER_BYTES = 512 * 1024,     /* a window with the kernel's own cost for each packet */
    RECEIVE_BUFFER_BYTES = 1024 * 1024, /* requests of a classroom switched on at once */
};

int tftp_wire_listen(int fd)
{
    int on = 1;
    int size = RECEIVE_BUFFER_BYTES;

    if (setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) != 0)
        return ERR(-errno);
    (void)setsockopt(
        fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)); /* less is slower, not wrong */
    return 0;
}

/* Only a single host that has a port can be answered. */
static bool is_answerable(const struct sockaddr_in *peer)
{
    uint32_t address = ntohl(peer->sin_addr.s_addr);

    return peer->sin_family == AF_INET && peer->sin_port != 0 && address != INADDR_ANY &&
           address < 0xe0000000u; /* below multicast, reserved and broadcast */
}

static void take_packet_info(struct msghdr *message, struct tftp_path *ret)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        struct in_pktinfo info;

        if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO)
            continue;
        memcpy(&info, CMSG_DATA(c), sizeof(info));
        ret->local = info.ipi_spec_dst; /* ours, even if the packet was a broadcast */
        ret->interface = (unsigned)info.ipi_ifindex;
    }
}

static int receive(int fd, struct msghdr *message, size_t *ret_len)
{
    ssize_t n = recvmsg(fd, message, MSG_DONTWAIT);

    if (n >= 0) {
        *ret_len = (size_t)n;
        return 0;
    }
    if (errno == EAGAIN || errno == EINTR)
        return TFTP_WIRE_E_NOTHING;
    return errno == ECONNREFUSED ? TFTP_WIRE_E_GONE : ERR(-errno);
}

int tftp_wire_take_request(int fd,
                           struct sink buffer,
                           struct bytes *ret,
                           struct tftp_path *ret_path)
{
    alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct iovec piece = {buffer.ptr, buffer.cap};
    struct msghdr message = {
        .msg_name = &ret_path->peer,
        .msg_namelen = sizeof(ret_path->peer),
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = sizeof(control),
    };
    size_t len = 0;
    int r = receive(fd, &message, &len);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    ret_path->local = (struct in_addr){0};
    ret_path->interface = 0;
    take_packet_info(&message, ret_path);
    *ret = (struct bytes){buffer.ptr, len};
    return is_answerable(&ret_path->peer) ? 0 : TFTP_WIRE_E_USELESS;
}

static int take(int fd, int flags, struct sink buffer, struct bytes *ret)
{
    ssize_t n = recv(fd, buffer.ptr, buffer.cap, flags);

    if (n >= 0) {
        *ret = (struct bytes){buffer.ptr, (size_t)n};
        return 0;
    }
    if (errno == ECONNREFUSED)
        return TFTP_WIRE_E_GONE;
    return errno == EAGAIN || errno == EINTR ? TFTP_WIRE_E_NOTHING : ERR(-errno);
}

int tftp_wire_take(int fd, struct sink buffer, struct bytes *ret)
{
    return take(fd, MSG_DONTWAIT, buffer, ret);
}

int tftp_wire_wait(int fd, struct sink buffer, struct bytes *ret)
{
    return take(fd, 0, buffer, ret);
}

void tftp_wire_interrupt(int fd)
{
    (void)shutdown(fd, SHUT_RDWR); /* then recv() gives 0 bytes at once */
}

static uint64_t block_bytes_of(int fd)
{
    int mtu = 0;
    socklen_t len = sizeof(mtu);

    if (getsockopt(fd, IPPROTO_IP, IP_MTU, &mtu, &len) != 0 || mtu < TFTP_WIRE_MTU_MIN)
        mtu = TFTP_WIRE_MTU_MIN;
    return (uint64_t)mtu - HEADERS_BYTES;
}

/* Tie @fd to both ends. */
static int open_socket(const struct tftp_path *path, int fd)
{
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr = path->local};
    struct timeval wait = {.tv_usec = TFTP_WIRE_WAIT_US};
    int size = SEND_BUFFER_BYTES;

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0)
        return ERR(-errno);
    (void)setsockopt(
        fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)); /* less is slower, not wrong */
    if (bind(fd, (const struct sockaddr *)&local, sizeof(local)) != 0)
        return ERR(-errno);
    if (connect(fd, (const struct sockaddr *)&path->peer, sizeof(path->peer)) != 0)
        return ERR(-errno);
    return 0;
}

int tftp_wire_open(const struct tftp_path *path, uint64_t *ret_block_bytes, int *ret_fd)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int r = fd < 0 ? ERR(-errno) : open_socket(path, fd);

    if (r < 0) {
        fd_closep(&fd);
        return TRACE(r);
    }
    *ret_block_bytes = block_bytes_of(fd);
    *ret_fd = fd;
    return 0;
}

struct sink tftp_batch_begin(struct tftp_batch *batch)
{
    return (struct sink){.ptr = batch->bytes + batch->len,
                         .cap = sizeof(batch->bytes) - batch->len};
}

bool tftp_batch_end(struct tftp_batch *batch, const struct sink *packet, size_t room)
{
    batch->len += packet->len;
    batch->ends[batch->n_packets++] = batch->len;
    return batch->n_packets < TFTP_SEND_WINDOW_MAX && sizeof(batch->bytes) - batch->len >= room;
}

/* Return: packets sent, or -1 with errno. */
static int send_packets(struct tftp_batch *batch, int fd)
{
    struct iovec pieces[TFTP_SEND_WINDOW_MAX];
    struct mmsghdr messages[TFTP_SEND_WINDOW_MAX];
    size_t begin = 0;

    if (batch->n_packets == 1)
        return send(fd, batch->bytes, batch->len, MSG_DONTWAIT) < 0 ? -1 : 1;
    for (unsigned i = 0; i < batch->n_packets; i++) {
        pieces[i] = (struct iovec){batch->bytes + begin, batch->ends[i] - begin};
        messages[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &pieces[i], .msg_iovlen = 1}};
        begin = batch->ends[i];
    }
    return sendmmsg(fd, messages, batch->n_packets, MSG_DONTWAIT);
}

int tftp_batch_send(struct tftp_batch *batch, int fd)
{
    int n = batch->n_packets > 0 ? send_packets(batch, fd) : 0;
    int error = n < 0 ? errno : 0;

    batch->len = 0;
    batch->n_packets = 0;
    switch (error) {
    case 0:
    case EAGAIN:
    case ENOBUFS:
    case EHOSTUNREACH: /* perhaps only until the peer answers ARP */
    case EPERM:        /* a firewall */
        return 0;
    case ECONNREFUSED:
        return TFTP_WIRE_E_GONE;
    default:
        return ERR(-error);
    }
}
