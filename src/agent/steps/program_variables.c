/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/program_variables.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/steps/return_code.h"
#include "agent/steps/step.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/variable_file.h"

enum {
    WHY_MAX = 256,
    PIECE_BYTES = 4096,
};

int program_variables_begin(struct program_variables *v)
{
    static const char *const places[] = {"/run/slipway/variables-XXXXXX",
                                         "/tmp/slipway-variables-XXXXXX"};

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        (void)snprintf(v->path, sizeof(v->path), "%s", places[i]);
        v->fd = mkostemp(v->path, O_CLOEXEC);
        if (v->fd >= 0)
            return 0;
    }
    v->path[0] = '\0';
    return ERR(-errno);
}

/* One byte more than there may be is enough to see that it is too much. */
static int read_all(int fd, struct buf *ret)
{
    uint8_t piece[PIECE_BYTES];
    off_t at = 0;

    while (ret->len <= TS_VARIABLE_FILE_MAX_BYTES) {
        size_t room = TS_VARIABLE_FILE_MAX_BYTES + 1 - ret->len;
        ssize_t n = pread(fd, piece, room < sizeof(piece) ? room : sizeof(piece), at);

        if (n < 0 && errno != EINTR)
            return ERR(-errno);
        if (n == 0)
            break;
        if (n > 0)
            buf_add(ret, (struct bytes){piece, (size_t)n});
        at += n > 0 ? n : 0;
    }
    return ret->failed ? ERR(-ENOMEM) : 0;
}

static void told(void *ctx, const char *name, const char *value)
{
    struct step_context *c = ctx;

    c->log(c->ctx, "The program has set %s to %s", name, value);
}

int program_variables_take(struct program_variables *v,
                           struct step_context *c,
                           int code,
                           struct step_result *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_VARIABLE_FILE_MAX_BYTES + 1);
    OWN(buf_fini) struct buf why = BUF_INIT(WHY_MAX);
    int r;

    if (v->path[0] == '\0')
        return 0;
    r = read_all(v->fd, &text);
    if (r == 0)
        r = ts_variable_file_apply(buf_bytes(&text), c->vars, told, c, &why);
    if (r <= 0)
        return TRACE(r);
    return step_fail_with(ret,
                          code != 0 ? code : RETURN_PARAMETER,
                          "SLW-0468",
                          "the command of \"%s\" has left variables that cannot be set: %s",
                          c->step_name,
                          buf_str(&why));
}

void program_variables_fini(struct program_variables *v)
{
    if (v->path[0] == '\0')
        return;
    (void)unlink(v->path);
    (void)close(v->fd);
    v->path[0] = '\0';
}
