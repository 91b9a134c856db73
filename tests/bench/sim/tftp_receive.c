/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "tftp_receive.h"

#include "proto/tftp/tftp_opts.h"
#include "proto/tftp/tftp_packet.h"

enum {
    UNASKED_BLOCK_BYTES = 512,
};

bool tftp_receive_begin(struct tftp_receive *t, const char *name, struct sink *out)
{
    *t = (struct tftp_receive){.block_bytes = UNASKED_BLOCK_BYTES, .size_bytes = UINT64_MAX};
    sink_u16be(out, TFTP_RRQ);
    sink_cstr(out, name);
    sink_cstr(out, "octet");
    sink_cstr(out, "tsize");
    sink_decimal(out, 0);
    sink_cstr(out, "blksize");
    sink_decimal(out, TFTP_RECEIVE_BLOCK_BYTES);
    return !out->full;
}

static void acknowledge(const struct tftp_receive *t, struct sink *out)
{
    sink_u16be(out, TFTP_ACK);
    sink_u16be(out, (uint16_t)(t->n_blocks & 0xffff));
}

static int take_options(struct tftp_receive *t, struct bytes packet, struct sink *out)
{
    struct tftp_opts opts;

    if (t->n_blocks > 0)
        return TFTP_RECEIVE_WAIT;
    if (tftp_opts_parse(packet, &opts) != 0 ||
        opts.value[TFTP_OPT_BLKSIZE] > TFTP_RECEIVE_BLOCK_BYTES)
        return TFTP_RECEIVE_ERROR;
    t->block_bytes = opts.value[TFTP_OPT_BLKSIZE];
    if (tftp_opts_asked(&opts, TFTP_OPT_TSIZE))
        t->size_bytes = opts.value[TFTP_OPT_TSIZE];
    acknowledge(t, out);
    return TFTP_RECEIVE_WAIT;
}

static int
take_data(struct tftp_receive *t, struct bytes packet, struct sink *out, struct bytes *ret_data)
{
    uint16_t number;
    bool is_last = false;

    if (!bytes_take_u16be(&packet, &number) || packet.len > t->block_bytes)
        return TFTP_RECEIVE_ERROR;
    if (number == ((t->n_blocks + 1) & 0xffff)) {
        t->n_blocks++;
        t->n_bytes += packet.len;
        *ret_data = packet;
        is_last = packet.len < t->block_bytes;
    } else if (number != (t->n_blocks & 0xffff)) {
        return TFTP_RECEIVE_WAIT; /* neither the next one nor the last one again */
    }
    acknowledge(t, out);
    if (!is_last)
        return TFTP_RECEIVE_WAIT;
    return t->size_bytes == UINT64_MAX || t->size_bytes == t->n_bytes ? TFTP_RECEIVE_DONE
                                                                      : TFTP_RECEIVE_ERROR;
}

int tftp_receive_feed(struct tftp_receive *t,
                      struct bytes packet,
                      struct sink *out,
                      struct bytes *ret_data)
{
    uint16_t opcode;

    *ret_data = (struct bytes){0};
    if (!bytes_take_u16be(&packet, &opcode))
        return TFTP_RECEIVE_ERROR;
    if (opcode == TFTP_OACK)
        return take_options(t, packet, out);
    return opcode == TFTP_DATA ? take_data(t, packet, out, ret_data) : TFTP_RECEIVE_ERROR;
}
