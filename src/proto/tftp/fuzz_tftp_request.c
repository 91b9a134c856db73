/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/tftp/tftp_request.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const char *name)
{
    size_t len = strnlen(name, TFTP_NAME_MAX);

    if (len == 0 || len == TFTP_NAME_MAX || name[0] == '/' || name[len - 1] == '/')
        abort();
    if (strstr(name, "//") || strchr(name, '\\') || strncmp(name, "../", 3) == 0 ||
        strstr(name, "/../") || strcmp(name, "..") == 0)
        abort();
    if (len >= 3 && strcmp(name + len - 3, "/..") == 0)
        abort();
}

/* A name that is accepted stays below its folder, and cleaning it again changes nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tftp_request request;
    struct tftp_request again;
    uint8_t packet[TFTP_NAME_MAX + 16];
    struct sink dst = {.ptr = packet, .cap = sizeof(packet)};
    int r = tftp_request_parse((struct bytes){data, size}, &request);

    if (r < 0 || r > TFTP_REQUEST_E_NAME)
        abort();
    if (r != 0)
        return 0;
    check_name(request.name);

    sink_u16be(&dst, TFTP_RRQ);
    sink_cstr(&dst, request.name);
    sink_cstr(&dst, "octet");
    if (dst.full || tftp_request_parse((struct bytes){packet, dst.len}, &again) != 0)
        abort();
    if (strcmp(request.name, again.name) != 0)
        abort();
    return 0;
}
