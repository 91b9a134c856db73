/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/own.h"
#include "cli/commands.h"
#include "cli/session.h"
#include "plat/file.h"

enum {
    LINE_MAX_BYTES = 4096,
    PRIVATE_MODE = 0600,
};

static bool write_token(struct session *s, const char *path)
{
    OWN(buf_fini) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    int r;

    buf_addf(&line, "%s\n", s->site.token);
    r = line.failed ? -ENOMEM : file_create(path, buf_bytes(&line), PRIVATE_MODE);
    if (line.ptr)
        explicit_bzero(line.ptr, line.len);
    if (r == FILE_E_EXISTS)
        return session_fail(s, ARGS_EXIT_FAILURE, "SLW-0710", "%s is there already", path);
    return r == 0 || session_fail_errno(s, path, r);
}

bool token_save(struct session *s, const struct args *args)
{
    const char *path = args->operands[0];
    char pin[SHA256_TEXT_MAX];
    OWN(buf_fini) struct buf text = BUF_INIT(LINE_MAX_BYTES);

    if (!session_open(s))
        return false;
    if (!s->site.token)
        return session_fail(
            s, ARGS_EXIT_FAILURE, "SLW-0701", "nobody is logged in: \"slipway login\" first");
    if (!write_token(s, path))
        return false;
    hex_put(pin, (struct bytes){s->site.pin, SHA256_BYTES});
    buf_addf(
        &text,
        "%s holds the token of this login, for as long as that is good; \"slipway logout\" ends both.\n",
        path);
    if (s->site.has_pin && strncmp(s->site.url, "https:", strlen("https:")) == 0)
        buf_addf(&text,
                 "slipway-agent capture FOLDER --site %s --pin %s --name NAME --token-file %s\n",
                 s->site.url,
                 pin,
                 path);
    return session_write(s, &text);
}
