/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/parent/dp_key.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/file.h"
#include "plat/random.h"
#include "rt/log.h"
#include "rt/token_file.h"
#include "server/parent/failure.h"

#define NGINX_TOKEN_FILE "http/dp-token.conf" /* of versions before there were keys */

void dp_key_put(char dst[static DP_KEY_TEXT_MAX], const uint8_t secret[static SIGNATURE_KEY_BYTES])
{
    hex_put(dst, (struct bytes){secret, SIGNATURE_KEY_BYTES});
    memcpy(dst + strlen(dst), "\n", 2);
}

bool dp_key_parse(struct bytes src, uint8_t ret[static SIGNATURE_KEY_BYTES])
{
    if (src.len > 0 && src.ptr[src.len - 1] == '\n')
        src.len--;
    return hex_parse(src, SIGNATURE_KEY_BYTES, ret);
}

bool dp_key_is_token(const char *text)
{
    size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

    return len > 0 && text[len] == '\0' && len <= DP_KEY_TOKEN_MAX_BYTES;
}

static bool put_path(char dst[static PATH_MAX], const char *state_folder, const char *name)
{
    int n = snprintf(dst, PATH_MAX, "%s/%s", state_folder, name);

    return n > 0 && n < PATH_MAX;
}

/* For the roles, and nobody else. */
static int write_token(const char *state_folder, const char *token, uint32_t roles_gid)
{
    char path[PATH_MAX];
    int r;

    if (!put_path(path, state_folder, TOKEN_FILE))
        return ERR(-ENAMETOOLONG);
    r = file_write(path, bytes_of(token), 0440);
    if (r == 0 && lchown(path, geteuid(), roles_gid) != 0)
        r = -errno;
    return r < 0 ? ERR(r) : 0;
}

/* Return: an exit status. */
static int make_key(const char *path)
{
    uint8_t secret[SIGNATURE_KEY_BYTES];
    char text[DP_KEY_TEXT_MAX];
    int r;

    random_bytes(secret, sizeof(secret));
    dp_key_put(text, secret);
    r = file_write(path, bytes_of(text), 0600);
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(text, sizeof(text));
    return r < 0 ? parent_fail_errno(r, "cannot write", path) : PARENT_EXIT_OK;
}

static int fail_damaged(const char *path)
{
    return parent_fail(PARENT_EXIT_BAD_KEYS,
                       "%s is missing or damaged: remove keys/site-url, and join the site again",
                       path);
}

/* @is_old: there is a token from before there were keys, which the site will take for one. Return: an exit status. */
static int prepare_key(const char *state_folder, bool is_old)
{
    OWN(buf_fini) struct buf text = BUF_INIT(DP_KEY_TEXT_MAX);
    uint8_t secret[SIGNATURE_KEY_BYTES];
    char path[PATH_MAX];
    bool is_key;
    int r;

    if (!put_path(path, state_folder, DP_KEY_FILE))
        return parent_fail_errno(-ENAMETOOLONG, "cannot use", state_folder);
    r = file_read(path, &text);
    if (r < 0)
        return parent_fail_errno(r, "cannot read", path);
    if (r == FILE_E_MISSING && is_old)
        return make_key(path);
    is_key = r == 0 && dp_key_parse(buf_bytes(&text), secret);
    explicit_bzero(secret, sizeof(secret));
    if (text.ptr)
        explicit_bzero(text.ptr, text.len);
    return is_key ? PARENT_EXIT_OK : fail_damaged(path);
}

/* @ret: whether there is one, which the roles show until the site has the key. Return: an exit status. */
static int prepare_old_token(const char *state_folder, uint32_t roles_gid, bool *ret)
{
    OWN(buf_fini) struct buf token = BUF_INIT(DP_KEY_TOKEN_MAX_BYTES);
    char path[PATH_MAX];
    int r;

    *ret = false;
    if (!put_path(path, state_folder, DP_KEY_OLD_TOKEN_FILE))
        return parent_fail_errno(-ENAMETOOLONG, "cannot use", state_folder);
    r = file_read(path, &token);
    if (r == FILE_E_MISSING)
        return PARENT_EXIT_OK;
    if (r < 0)
        return parent_fail_errno(r, "cannot read", path);
    if (r > 0 || !dp_key_is_token(buf_str(&token)))
        return fail_damaged(path);
    r = write_token(state_folder, buf_str(&token), roles_gid);
    explicit_bzero(token.ptr, token.len);
    if (r < 0)
        return parent_fail_errno(r, "cannot write below", state_folder);
    *ret = true;
    return PARENT_EXIT_OK;
}

static void remove_file(const char *state_folder, const char *name)
{
    char path[PATH_MAX];

    if (put_path(path, state_folder, name))
        (void)unlink(path);
}

int dp_key_prepare(const char *state_folder, uint32_t roles_gid)
{
    bool is_old = false;
    int status = prepare_old_token(state_folder, roles_gid, &is_old);

    remove_file(state_folder, NGINX_TOKEN_FILE);
    return status == PARENT_EXIT_OK ? prepare_key(state_folder, is_old) : status;
}

void dp_key_pipe_fini(struct dp_key_pipe *from)
{
    fd_closep(&from->fd);
    explicit_bzero(from->line, sizeof(from->line));
    from->len = 0;
}

int dp_key_pipe_open(struct dp_key_pipe *from, int *ret_write)
{
    int ends[2];

    dp_key_pipe_fini(from);
    *ret_write = -1;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return ERR(-errno);
    from->fd = ends[0];
    *ret_write = ends[1];
    return 0;
}

static void take_token(const char *token, const char *state_folder, uint32_t roles_gid)
{
    int r = dp_key_is_token(token) ? write_token(state_folder, token, roles_gid) : -EBADMSG;

    if (r < 0) {
        log_error("the token for the site could not be written for the roles",
                  "errno=%d text=\"%s\"",
                  -r,
                  strerrordesc_np(-r));
        return;
    }
    if (strncmp(token, DP_KEY_SHORT_TOKEN, strlen(DP_KEY_SHORT_TOKEN)) == 0)
        remove_file(state_folder, DP_KEY_OLD_TOKEN_FILE);
}

static void take_lines(struct dp_key_pipe *from, const char *state_folder, uint32_t roles_gid)
{
    char *end;

    while ((end = memchr(from->line, '\n', from->len)) != NULL) {
        size_t n = (size_t)(end - from->line) + 1;

        *end = '\0';
        take_token(from->line, state_folder, roles_gid);
        from->len -= n;
        memmove(from->line, from->line + n, from->len);
    }
}

void dp_key_pipe_read(struct dp_key_pipe *from, const char *state_folder, uint32_t roles_gid)
{
    size_t room = sizeof(from->line) - 1 - from->len;
    ssize_t n = room > 0 ? read(from->fd, from->line + from->len, room) : 0;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) { /* it has ended, and is started again, or says what is no token */
        dp_key_pipe_fini(from);
        return;
    }
    from->len += (size_t)n;
    take_lines(from, state_folder, roles_gid);
}
