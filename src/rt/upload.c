/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/upload.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"

enum {
    HEADER_MAX_BYTES = 64,
    HTTP_CONFLICT = 409,
};

static int read_part(const struct upload *u, uint8_t *dst, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = pread(u->fd, dst + done, len - done, (off_t)(u->offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0)
            return UPLOAD_E_FILE;
        done += (size_t)n;
    }
    return 0;
}

static bool take_offset(struct upload *u, const struct http_answer *answer)
{
    struct bytes text;

    return http_answer_header(answer, "Upload-Offset", &text) &&
           bytes_parse_u64(text, 0, u->size_bytes, &u->offset);
}

/* What became of a request that was answered. */
static int judge(struct upload *u, struct http_answer *answer)
{
    u->status = answer->status;
    if ((answer->status >= 200 && answer->status < 300) || answer->status == HTTP_CONFLICT)
        return take_offset(u, answer) ? 0 : UPLOAD_E_CONFUSED;
    if (answer->status >= 500)
        return UPLOAD_E_UNREACHABLE;
    http_answer_fini(&u->answer);
    u->answer = *answer;
    *answer = (struct http_answer){0};
    return UPLOAD_E_REFUSED;
}

static int request(struct upload *u, const char *method, struct bytes body)
{
    OWN(http_answer_fini) struct http_answer answer = {0};
    const char *type = body.len > 0 ? "application/octet-stream" : NULL;
    int r = http_client_call(u->client, method, u->path, body, type, &answer);

    if (r < 0)
        return TRACE(r);
    u->status = 0;
    if (r == HTTP_CLIENT_E_UNREACHABLE)
        return UPLOAD_E_UNREACHABLE;
    if (r == HTTP_CLIENT_E_PIN)
        return UPLOAD_E_PIN;
    return judge(u, &answer);
}

int upload_find(struct upload *u)
{
    return request(u, "HEAD", (struct bytes){0});
}

static int send_part(struct upload *u, uint8_t *part)
{
    uint64_t left = u->size_bytes - u->offset;
    size_t len = left < u->part_bytes ? (size_t)left : u->part_bytes;
    char header[HEADER_MAX_BYTES];
    int r = read_part(u, part, len);

    if (r != 0)
        return r;
    (void)snprintf(header, sizeof(header), "Upload-Offset: %" PRIu64, u->offset);
    r = http_client_next_header(u->client, header);
    if (r < 0)
        return TRACE(r);
    return request(u, "PATCH", (struct bytes){part, len});
}

/* Wait, and ask how much of the last part has arrived. */
static int recover(struct upload *u, unsigned n_tries)
{
    int r;

    clock_sleep_us(u->retry_us << (n_tries - 1));
    r = upload_find(u);
    return r == UPLOAD_E_UNREACHABLE ? 0 : r; /* the next part will tell */
}

int upload_run(struct upload *u)
{
    OWN(freep) uint8_t *part = malloc(u->part_bytes);
    unsigned n_tries = 0;

    if (!part)
        return ERR(-ENOMEM);
    while (u->offset < u->size_bytes) {
        uint64_t before = u->offset;
        int r = send_part(u, part);

        if (r == UPLOAD_E_UNREACHABLE && ++n_tries < UPLOAD_TRIES_MAX)
            r = recover(u, n_tries);
        else if (r == 0 && u->offset <= before && ++n_tries >= UPLOAD_TRIES_MAX)
            r = UPLOAD_E_CONFUSED;
        if (r != 0)
            return r;
        if (u->offset > before)
            n_tries = 0;
        u->on_progress(u->ctx, u->offset);
    }
    return 0;
}
