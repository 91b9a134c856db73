/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/token_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    TOKEN_MAX_BYTES = 256,
};

static int put_token(void *ctx, char *dst, size_t cap)
{
    const struct token_file *file = ctx;
    OWN(buf_fini) struct buf text = BUF_INIT(TOKEN_MAX_BYTES);
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/" TOKEN_FILE, file->state_folder);
    int r;

    dst[0] = '\0';
    if (n < 0 || (size_t)n >= sizeof(path))
        return ERR(-ENAMETOOLONG);
    r = file_read(path, &text);
    if (r == FILE_E_MISSING)
        return 0;
    if (r != 0)
        return r < 0 ? TRACE(r) : ERR(-EFBIG);
    if (text.len >= cap)
        return ERR(-EFBIG);
    (void)snprintf(dst, cap, "%s", buf_str(&text));
    explicit_bzero(text.ptr, text.len);
    return 0;
}

/* Whether there is another one by now. */
static bool refuse_token(void *ctx, const char *token)
{
    char now[TOKEN_MAX_BYTES];
    bool is_other = put_token(ctx, now, sizeof(now)) == 0 && now[0] != '\0' &&
                    strcmp(now, token ? token : "") != 0;

    explicit_bzero(now, sizeof(now));
    return is_other;
}

struct http_tokens token_file_tokens(struct token_file *file)
{
    return (struct http_tokens){.put = put_token, .refuse = refuse_token, .ctx = file};
}
