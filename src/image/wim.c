/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "image/wim.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <wimlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"

enum {
    MESSAGES_MAX_BYTES = 4096,
};

static pthread_mutex_t messages_lock = PTHREAD_MUTEX_INITIALIZER; /* guards the two below */
static char messages[MESSAGES_MAX_BYTES];
static size_t messages_len;
static size_t n_messages;

/* wimlib puts a newline before and after each message, and writes it in pieces. */
static ssize_t catch_message(void *cookie, const char *text, size_t len)
{
    (void)cookie;
    (void)pthread_mutex_lock(&messages_lock);
    for (size_t i = 0; i < len; i++) {
        bool is_line_end = text[i] == '\n' || text[i] == '\r';
        bool is_empty = messages_len == 0 || messages[messages_len - 1] == '\n';

        if (is_line_end && is_empty)
            continue;
        if (is_line_end)
            n_messages++;
        if (messages_len < sizeof(messages))
            messages[messages_len++] = (char)(is_line_end ? '\n' : text[i]);
    }
    (void)pthread_mutex_unlock(&messages_lock);
    return (ssize_t)len;
}

static void drop_messages(void)
{
    (void)pthread_mutex_lock(&messages_lock);
    messages_len = 0;
    n_messages = 0;
    (void)pthread_mutex_unlock(&messages_lock);
}

int wim_start(void)
{
    static bool is_started;
    static const cookie_io_functions_t catcher = {.write = catch_message};

    drop_messages();
    if (is_started)
        return 0;

    FILE *stream = fopencookie(NULL, "w", catcher); /* lives as long as the process */

    if (!stream)
        return ERR(-ENOMEM);
    (void)setvbuf(stream, NULL, _IONBF, 0);
    if (wimlib_set_error_file(stream) != 0 || wimlib_global_init(0) != 0)
        return ERR(-ENOTSUP);
    is_started = true;
    return 0;
}

size_t wim_messages_take(struct buf *ret)
{
    (void)pthread_mutex_lock(&messages_lock);

    size_t n = n_messages;

    while (messages_len > 0 && messages[messages_len - 1] == '\n')
        messages_len--;
    buf_add(ret, (struct bytes){(const uint8_t *)messages, messages_len});
    messages_len = 0;
    n_messages = 0;
    (void)pthread_mutex_unlock(&messages_lock);
    return n;
}

/* A line that begins an error or a warning, or goes on with one. Return: whether it is of an error. */
static bool add_error_line(struct bytes line, bool was_error, struct buf *ret)
{
    static const char begin[] = "[ERROR] ";
    struct bytes head;
    bool is_new = line.len > 0 && line.ptr[0] == '[';

    if (!is_new && !was_error)
        return false;
    if (is_new &&
        (!bytes_take(&line, sizeof(begin) - 1, &head) || !bytes_eq(head, bytes_of(begin))))
        return false;
    while (line.len > 0 && line.ptr[0] == ' ')
        line = (struct bytes){line.ptr + 1, line.len - 1};
    buf_adds(ret, ret->len == 0 ? "" : is_new ? "; " : " ");
    buf_add(ret, line);
    return true;
}

void wim_explain(int code, struct buf *ret)
{
    OWN(buf_fini) struct buf said = BUF_INIT(MESSAGES_MAX_BYTES);
    OWN(buf_fini) struct buf errors = BUF_INIT(MESSAGES_MAX_BYTES);
    struct bytes rest;
    bool is_error = false;

    (void)wim_messages_take(&said);
    rest = buf_bytes(&said);
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        struct bytes line = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
        size_t used = end ? line.len + 1 : line.len;

        is_error = add_error_line(line, is_error, &errors);
        rest = (struct bytes){rest.ptr + used, rest.len - used};
    }
    buf_adds(ret,
             errors.len > 0 ? buf_str(&errors)
                            : wimlib_get_error_string((enum wimlib_error_code)code));
}
