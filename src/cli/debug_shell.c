/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/own.h"
#include "cli/debug.h"
#include "cli/session.h"

enum {
    INPUT_MAX_BYTES = 4096,
    WAIT_MS = 100,
    LEAVE = 0x1d, /* Ctrl-] */
};

/* The terminal as it was. */
struct terminal_mode {
    struct termios before;
    bool is_raw;
};

static void terminal_mode_fini(struct terminal_mode *mode)
{
    if (mode->is_raw)
        (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &mode->before);
}

static bool make_raw(struct terminal_mode *mode)
{
    struct termios raw;

    if (tcgetattr(STDIN_FILENO, &mode->before) < 0)
        return false;
    raw = mode->before;
    cfmakeraw(&raw);
    mode->is_raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
    return mode->is_raw;
}

static json_t *typed_message(const char *text, size_t len)
{
    OWN(buf_fini) struct buf data = BUF_INIT((size_t)2 * INPUT_MAX_BYTES);

    base64_put(&data, (struct bytes){(const uint8_t *)text, len});
    return json_pack("{s:s, s:s}", "command", "shell-input", "data", buf_str(&data));
}

/* What is typed goes there, what it prints comes here. */
static bool relay(struct debugging *d)
{
    while (!d->is_over && !d->is_shell_over) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        char text[INPUT_MAX_BYTES];
        json_t *message = NULL;

        if (poll(&in, 1, WAIT_MS) > 0) {
            ssize_t n = read(STDIN_FILENO, text, sizeof(text));

            if (n <= 0 || memchr(text, LEAVE, (size_t)n))
                return debug_exchange(d, json_pack("{s:s}", "command", "shell-close"));
            message = typed_message(text, (size_t)n);
        }
        if (!debug_exchange(d, message))
            return false;
    }
    return true;
}

bool debug_run_shell(struct debugging *d)
{
    OWN(terminal_mode_fini) struct terminal_mode mode = {0};

    d->is_shell_over = false;
    if (isatty(STDIN_FILENO) != 1 || isatty(STDOUT_FILENO) != 1)
        return session_fail(d->s,
                            ARGS_EXIT_USAGE,
                            NULL,
                            "a shell wants a terminal; without one, use shell COMMAND");
    (void)fputs("A shell on the device; Ctrl-] ends it\n", stderr);
    if (!debug_exchange(d, json_pack("{s:s}", "command", "shell-open")))
        return false;
    if (!make_raw(&mode))
        return session_fail(d->s, ARGS_EXIT_FAILURE, NULL, "the terminal cannot be made raw");
    return relay(d);
}
