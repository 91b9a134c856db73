/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "proto/tftp/tftp_request.h"

#include <string.h>

static const struct {
    enum tftp_error code;
    const char *text;
} refusals[] = {
    [0] = {TFTP_ERROR_OTHER, "no error"},
    [TFTP_REQUEST_E_IGNORE] = {TFTP_ERROR_ILLEGAL, "not a request"},
    [TFTP_REQUEST_E_BROKEN] = {TFTP_ERROR_ILLEGAL, "the request is cut short"},
    [TFTP_REQUEST_E_WRITE] = {TFTP_ERROR_ACCESS, "this server takes no files"},
    [TFTP_REQUEST_E_MODE] = {TFTP_ERROR_ILLEGAL, "only mode octet is served"},
    [TFTP_REQUEST_E_NAME] = {TFTP_ERROR_ACCESS, "the file name is not allowed"},
};

static bool is_slash(uint8_t c)
{
    return c == '/' || c == '\\';
}

/* The next segment of a path, without its slashes; empty at the end of it. */
static struct bytes take_segment(struct bytes *path)
{
    struct bytes one;
    struct bytes segment;
    size_t len = 0;

    while (path->len > 0 && is_slash(path->ptr[0]))
        (void)bytes_take(path, 1, &one);
    while (len < path->len && !is_slash(path->ptr[len]))
        len++;
    (void)bytes_take(path, len, &segment); /* cannot be short */
    return segment;
}

static bool is_printable(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7e)
            return false;
    return true;
}

/* Append the name in its clean form, with its NUL, to an empty sink. */
static bool clean_name(struct bytes path, struct sink dst)
{
    struct bytes segment;

    if (!is_printable(path))
        return false;
    while ((segment = take_segment(&path)).len > 0) {
        if (bytes_eq(segment, bytes_of("..")))
            return false;
        if (bytes_eq(segment, bytes_of(".")))
            continue;
        if (dst.len > 0)
            sink_u8(&dst, '/');
        sink_bytes(&dst, segment);
    }
    if (dst.len == 0)
        return false;
    sink_u8(&dst, '\0');
    return !dst.full;
}

int tftp_request_parse(struct bytes packet, struct tftp_request *ret)
{
    uint16_t opcode;
    struct bytes name;
    struct bytes mode;

    if (!bytes_take_u16be(&packet, &opcode) || (opcode != TFTP_RRQ && opcode != TFTP_WRQ))
        return TFTP_REQUEST_E_IGNORE;
    if (opcode == TFTP_WRQ)
        return TFTP_REQUEST_E_WRITE;
    if (!bytes_take_cstr(&packet, &name) || !bytes_take_cstr(&packet, &mode))
        return TFTP_REQUEST_E_BROKEN;
    if (!bytes_eq_nocase(mode, "octet") && !bytes_eq_nocase(mode, "netascii"))
        return TFTP_REQUEST_E_MODE;
    if (!clean_name(name, (struct sink){.ptr = (uint8_t *)ret->name, .cap = sizeof(ret->name)}))
        return TFTP_REQUEST_E_NAME;

    (void)tftp_opts_parse(packet,
                          &ret->opts); /* its only outcome is the padding of some firmware */
    return 0;
}

bool tftp_request_refuse(struct sink *dst, int outcome)
{
    return tftp_error_put(dst, refusals[outcome].code, refusals[outcome].text);
}

const char *tftp_request_why(int outcome)
{
    return refusals[outcome].text;
}
