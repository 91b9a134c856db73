/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "rt/http_exchange.h"
#include "rt/http_server.h"
#include "rt/http_values.h"
#include "rt/log.h"

enum {
    DETAIL_MAX_BYTES = 4096,
};

static int
reply_value(struct http_exchange *x, unsigned status, const char *content_type, json_t *value)
{
    OWN(json_decrefp) json_t *owned = value;
    OWN(freep) char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;

    if (!text)
        return ERR(-ENOMEM);
    return TRACE(http_reply_bytes(x, status, content_type, bytes_of(text)));
}

int http_reply_json(struct http_exchange *x, unsigned status, json_t *value)
{
    return TRACE(reply_value(x, status, "application/json", value));
}

int http_reply_problem(struct http_exchange *x,
                       unsigned status,
                       const char *error_id,
                       const char *title,
                       const char *detail,
                       ...)
{
    char text[DETAIL_MAX_BYTES];
    char shown[DETAIL_MAX_BYTES];
    va_list args;
    int n;

    va_start(args, detail);
    n = vsnprintf(text, sizeof(text), detail, args);
    va_end(args);
    if (n < 0)
        return ERR(-EINVAL);

    OWN(json_decrefp) json_t *sentence = json_string(text);

    if (!sentence) /* not UTF-8, perhaps cut in the middle of a character */
        sentence = json_string(log_escape(shown, sizeof(shown), text, strlen(text)));
    return TRACE(reply_value(x,
                             status,
                             "application/problem+json",
                             json_pack("{s:s+, s:s, s:s, s:i, s:O, s:s}",
                                       "type",
                                       "urn:slipway:error:",
                                       error_id,
                                       "error_id",
                                       error_id,
                                       "title",
                                       title,
                                       "status",
                                       (int)status,
                                       "detail",
                                       sentence,
                                       "request_id",
                                       http_request_id(x))));
}

int http_reply_bytes(struct http_exchange *x,
                     unsigned status,
                     const char *content_type,
                     struct bytes body)
{
    void *content;

    /* MHD_RESPMEM_MUST_COPY only reads, whatever the prototype says */
    memcpy(&content, &body.ptr, sizeof(content));
    return TRACE(http_exchange_answer(
        x,
        status,
        content_type,
        MHD_create_response_from_buffer(body.len, content, MHD_RESPMEM_MUST_COPY)));
}

int http_reply_file(struct http_exchange *x, unsigned status, const char *content_type, int fd)
{
    OWN(fd_closep) int owned = fd;
    off_t size = lseek(fd, 0, SEEK_END);
    struct MHD_Response *response;

    if (size < 0)
        return ERR(-errno);
    response = MHD_create_response_from_fd64((uint64_t)size, fd);
    owned = response ? -1 : owned; /* the response has it */
    return TRACE(http_exchange_answer(x, status, content_type, response));
}

int http_reply_empty(struct http_exchange *x, unsigned status)
{
    return TRACE(http_reply_bytes(x, status, NULL, bytes_of("")));
}
