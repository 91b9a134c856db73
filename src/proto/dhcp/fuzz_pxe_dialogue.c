/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/dhcp/pxe_dialogue.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is answered is answered by a well-formed reply without an address, no larger than allowed. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct pxe_decision decision = {"SLP00001/x64/shimx64.efi"};
    static const struct pxe_target peer = {0x0a4d0853, 4011};
    static struct pxe_question question;
    static struct dhcp_packet packet;
    uint8_t raw[PXE_ANSWER_MAX_BYTES];
    struct sink dst = {.ptr = raw, .cap = sizeof(raw)};
    struct pxe_target to;
    struct pxe_lease lease;
    uint8_t type;

    if (size == 0)
        return 0;

    struct bytes src = {data + 1, size - 1};
    uint16_t port = data[0] & 4 ? PXE_PORT_BOOT_SERVER : PXE_PORT_DHCP;

    (void)pxe_lease_read(src, &lease);
    if (pxe_question_read(src, port, 0x0a4d0001, &question) != 0 ||
        pxe_answer_put(&question, &decision, peer, &dst, &to) != 0)
        return 0;
    if (dst.len > question.max_bytes || to.address == 0 || to.port == 0)
        abort();
    if (dhcp_packet_parse((struct bytes){raw, dst.len}, &packet) != 0 || packet.yiaddr != 0 ||
        packet.op != DHCP_OP_REPLY || packet.xid != question.xid)
        abort();
    if (!dhcp_packet_get_u8(&packet, DHCP_OPTION_TYPE, &type) ||
        (type != DHCP_TYPE_OFFER && type != DHCP_TYPE_ACK))
        abort();
    return 0;
}
