/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/tftp/tftp_packet.h"

bool tftp_error_put(struct sink *dst, enum tftp_error code, const char *text)
{
    sink_u16be(dst, TFTP_ERROR);
    sink_u16be(dst, (uint16_t)code);
    sink_cstr(dst, text);
    return !dst->full;
}
