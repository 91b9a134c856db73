/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <termios.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"

enum {
    KEY_CANCEL = 3, /* Ctrl-C */
    KEY_END = 4,    /* Ctrl-D */
    KEY_BACKSPACE = 8,
    KEY_DELETE = 127,
};

static void backspace(int fd, bool is_secret, struct buf *line)
{
    if (line->len == 0)
        return;
    line->ptr[--line->len] = '\0';
    if (!is_secret)
        (void)fd_write_all(fd, bytes_of("\b \b"));
}

static int read_line(int fd, bool is_secret, struct buf *line)
{
    for (;;) {
        uint8_t key;
        ssize_t n = read(fd, &key, 1);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ERR(-errno);
        if (n == 0 || key == KEY_CANCEL || key == KEY_END || line->failed)
            return TERMINAL_E_CANCELLED;
        if (key == '\n' || key == '\r')
            return 0;
        if (key == KEY_BACKSPACE || key == KEY_DELETE) {
            backspace(fd, is_secret, line);
            continue;
        }
        buf_add(line, (struct bytes){&key, 1});
        if (!is_secret)
            (void)fd_write_all(fd, (struct bytes){&key, 1});
    }
}

int terminal_ask(const char *question, bool is_secret, struct buf *ret)
{
    OWN(fd_closep) int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    struct termios before;
    struct termios raw;
    int r;

    if (fd < 0 || tcgetattr(fd, &before) < 0)
        return TERMINAL_E_NONE;
    buf_clear(ret);
    r = fd_write_all(fd, bytes_of(question));
    if (r < 0)
        return TRACE(r);

    /* Keys one by one and no signal from them, so that the echo is always switched on again. */
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSAFLUSH, &raw) < 0)
        return ERR(-errno);
    r = read_line(fd, is_secret, ret);
    (void)tcsetattr(fd, TCSAFLUSH, &before);
    (void)fd_write_all(fd, bytes_of("\n"));
    return r < 0 ? TRACE(r) : r;
}
