/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "plat/file.h"

enum {
    PAGE_MAX_BYTES = 8 * 1024,
    BAR_CELLS = 40,
    REPAINT_US = 1000 * 1000,
    PERCENT_PER_LINE = 10,
    SAY_US = 30 * 1000 * 1000, /* between two lines about what nobody knows the percent of */
    BYTES_PER_MB = 1000 * 1000,
    BYTES_PER_KB = 1000,
    NO_PERCENT = 101,
    LINE_MAX_BYTES = SCREEN_TYPED_MAX - 1,
};

/* What is being typed. */
struct typed {
    char text[LINE_MAX_BYTES];
    size_t len;
};

struct screen {
    struct screen_output outputs[SCREEN_OUTPUTS_MAX];
    size_t n_outputs;
    bool owns_outputs;
    char fields[SCREEN_FIELDS][SCREEN_TEXT_MAX];
    unsigned percent; /* NO_PERCENT: none */
    unsigned said_percent;
    uint64_t rate;
    char what[SCREEN_TEXT_MAX];
    char said_what[SCREEN_TEXT_MAX];
    uint64_t said_us; /* monotonic: the last line of progress; 0: none of this step */
    uint64_t painted_us;
    bool hides_progress;
    struct typed typed[SCREEN_OUTPUTS_MAX];
    bool is_typing_hidden;
    bool is_lent;
    struct termios modes[SCREEN_OUTPUTS_MAX]; /* before it was lent */
    char lines[SCREEN_LINES_MAX][SCREEN_TEXT_MAX];
    size_t n_lines;
};

static const char *const labels[SCREEN_FIELDS] = {
    [SCREEN_MACHINE] = "Computer",
    [SCREEN_SITE] = "Site",
    [SCREEN_SEQUENCE] = "Task sequence",
    [SCREEN_GROUP] = "Group",
    [SCREEN_STEP] = "Step",
    [SCREEN_STATUS] = "Status",
    [SCREEN_CODE] = "Code",
    [SCREEN_PROBLEM] = "Problem",
    [SCREEN_REMEDY] = "What to do",
    [SCREEN_QUESTION] = "To be typed",
};

int screen_new(const struct screen_output *outputs, size_t n, struct screen **ret)
{
    struct screen *screen = calloc(1, sizeof(*screen));

    if (!screen)
        return ERR(-ENOMEM);
    screen->n_outputs = n < SCREEN_OUTPUTS_MAX ? n : SCREEN_OUTPUTS_MAX;
    if (screen->n_outputs > 0)
        memcpy(screen->outputs, outputs, screen->n_outputs * sizeof(*outputs));
    screen->percent = NO_PERCENT;
    *ret = screen;
    return 0;
}

/* "tty0" and "tty1" are virtual terminals, "ttyS0" and "hvc0" are lines. */
static bool is_virtual_terminal(const char *name)
{
    return strncmp(name, "tty", 3) == 0 && name[3] >= '0' && name[3] <= '9';
}

int screen_new_on_consoles(struct screen **ret)
{
    OWN(buf_fini) struct buf names = BUF_INIT(4096);
    struct screen_output outputs[SCREEN_OUTPUTS_MAX];
    size_t n = 0;
    int r = file_read("/sys/class/tty/console/active", &names);

    if (r < 0)
        return TRACE(r);
    for (const char *name = buf_str(&names); *name && n < SCREEN_OUTPUTS_MAX;) {
        size_t len = strcspn(name, " \n");
        char path[64];

        (void)snprintf(path, sizeof(path), "/dev/%.*s", (int)len, name);

        int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

        if (fd >= 0)
            outputs[n++] = (struct screen_output){fd, is_virtual_terminal(name)};
        name += len + strspn(name + len, " \n");
    }
    r = screen_new(outputs, n, ret);
    if (r < 0)
        return TRACE(r);
    (*ret)->owns_outputs = true;
    return 0;
}

void screen_free(struct screen *screen)
{
    if (!screen)
        return;
    for (size_t i = 0; screen->owns_outputs && i < screen->n_outputs; i++)
        (void)close(screen->outputs[i].fd);
    free(screen);
}

/* A console may be slow or gone: what it does not take at once is lost. */
static void put(const struct screen_output *output, const struct buf *text)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = write(output->fd, text->ptr + done, text->len - done);

        if (n > 0) {
            done += (size_t)n;
            continue;
        }

        struct pollfd p = {.fd = output->fd, .events = POLLOUT};

        if (n == 0 || (errno != EAGAIN && errno != EINTR) || poll(&p, 1, 200) <= 0)
            return;
    }
}

/* "12 MB/s", "345 kB/s" with @before in front; nothing if it is not known. */
static void add_rate(uint64_t rate, const char *before, struct buf *ret)
{
    if (rate >= BYTES_PER_MB)
        buf_addf(ret, "%s%" PRIu64 " MB/s", before, rate / BYTES_PER_MB);
    else if (rate > 0)
        buf_addf(ret, "%s%" PRIu64 " kB/s", before, (rate + BYTES_PER_KB - 1) / BYTES_PER_KB);
}

static void add_bar(const struct screen *s, struct buf *page)
{
    unsigned filled = s->percent * BAR_CELLS / 100;

    buf_adds(page, "\r\n");
    if (s->percent != NO_PERCENT) { /* otherwise nobody knows how far it is */
        buf_adds(page, "  [");
        for (unsigned i = 0; i < BAR_CELLS; i++)
            buf_adds(page, i < filled ? "#" : ".");
        buf_addf(page, "] %u %%", s->percent);
    }
    add_rate(s->rate, "  ", page);
    buf_addf(page, "  %s\r\n", s->what);
}

static bool is_hidden(const struct screen *s, int field)
{
    return s->hides_progress && (field == SCREEN_GROUP || field == SCREEN_STEP);
}

static void paint(const struct screen *s)
{
    OWN(buf_fini) struct buf page = BUF_INIT(PAGE_MAX_BYTES);

    buf_adds(&page, "\033[2J\033[H\r\n  Slipway: operating system deployment\r\n\r\n");
    for (int i = 0; i < SCREEN_QUESTION; i++)
        if (s->fields[i][0] != '\0' && !is_hidden(s, i))
            buf_addf(&page, "  %-14s %s\r\n", labels[i], s->fields[i]);
    if (!s->hides_progress && (s->percent != NO_PERCENT || s->what[0] != '\0'))
        add_bar(s, &page);
    if (s->n_lines > 0)
        buf_adds(&page, "\r\n");
    for (size_t i = 0; i < s->n_lines; i++)
        buf_addf(&page, "    %s\r\n", s->lines[i]);
    if (s->fields[SCREEN_QUESTION][0] != '\0') /* the terminal shows behind it what is typed */
        buf_addf(&page, "\r\n  %s: ", s->fields[SCREEN_QUESTION]);
    for (size_t i = 0; i < s->n_outputs; i++)
        if (s->outputs[i].is_page)
            put(&s->outputs[i], &page);
}

static void say(const struct screen *s, const char *label, const char *text)
{
    OWN(buf_fini) struct buf line = BUF_INIT(PAGE_MAX_BYTES);

    buf_addf(&line, "slipway: %s: %s\r\n", label, text);
    for (size_t i = 0; i < s->n_outputs; i++)
        if (!s->outputs[i].is_page)
            put(&s->outputs[i], &line);
}

/* Text from outside must not drive the terminal. */
static void make_harmless(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = '?';
}

void screen_set(struct screen *screen, enum screen_field field, const char *format, ...)
{
    char text[SCREEN_TEXT_MAX];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0)
        text[0] = '\0';
    va_end(args);
    make_harmless(text);
    if (strcmp(text, screen->fields[field]) == 0)
        return;
    memcpy(screen->fields[field], text, sizeof(text));
    if (field == SCREEN_STEP || field == SCREEN_PROBLEM) {
        screen->percent = NO_PERCENT;
        screen->rate = 0;
        screen->what[0] = screen->said_what[0] = '\0';
        screen->said_percent = 0;
        screen->said_us = 0;
    }
    paint(screen);
    if (text[0] != '\0' && !is_hidden(screen, (int)field))
        say(screen, labels[field], text);
}

void screen_set_list(struct screen *screen, const char *label, const char *const *lines, size_t n)
{
    bool is_new[SCREEN_LINES_MAX];
    bool is_other;

    n = n < SCREEN_LINES_MAX ? n : SCREEN_LINES_MAX;
    is_other = n != screen->n_lines;
    for (size_t i = 0; i < n; i++) {
        char text[SCREEN_TEXT_MAX];

        (void)snprintf(text, sizeof(text), "%s", lines[i]);
        make_harmless(text);
        is_new[i] = i >= screen->n_lines || strcmp(text, screen->lines[i]) != 0;
        is_other = is_other || is_new[i];
        memcpy(screen->lines[i], text, sizeof(text));
    }
    screen->n_lines = n;
    if (!is_other)
        return;
    paint(screen);
    for (size_t i = 0; i < n; i++)
        if (is_new[i])
            say(screen, label, screen->lines[i]);
}

void screen_hide_typing(struct screen *screen, bool is_hidden)
{
    if (screen->is_typing_hidden == is_hidden)
        return;
    screen->is_typing_hidden = is_hidden;
    for (size_t i = 0; i < screen->n_outputs; i++) {
        struct termios mode;

        if (tcgetattr(screen->outputs[i].fd, &mode) <
            0) /* no terminal: nothing is shown there anyway */
            continue;
        if (is_hidden)
            mode.c_lflag &= ~(tcflag_t)ECHO;
        else
            mode.c_lflag |= ECHO;
        (void)tcsetattr(screen->outputs[i].fd, TCSANOW, &mode);
    }
}

void screen_show_progress(struct screen *screen, bool is_shown)
{
    if (screen->hides_progress == !is_shown)
        return;
    screen->hides_progress = !is_shown;
    paint(screen);
}

/* On lines: every tenth percent; and what it does or waits for once a step, and now and then if nobody knows the percent. */
static bool is_worth_a_line(const struct screen *s, uint64_t now)
{
    if (s->percent != NO_PERCENT && s->percent >= s->said_percent + PERCENT_PER_LINE)
        return true;
    if (s->what[0] == '\0' || strcmp(s->what, s->said_what) == 0)
        return false;
    return s->said_us == 0 || (s->percent == NO_PERCENT && now >= s->said_us + SAY_US);
}

static void say_progress(struct screen *s, uint64_t now)
{
    OWN(buf_fini) struct buf text = BUF_INIT(PAGE_MAX_BYTES);

    if (s->percent != NO_PERCENT) {
        buf_addf(&text, "%u %%", s->percent);
        s->said_percent = s->percent - s->percent % PERCENT_PER_LINE;
    }
    add_rate(s->rate, text.len > 0 ? ", " : "", &text);
    if (s->what[0] != '\0')
        buf_addf(&text, "%s%s", text.len > 0 ? ", " : "", s->what);
    memcpy(s->said_what, s->what, sizeof(s->said_what));
    s->said_us = now;
    say(s, "Progress", buf_str(&text));
}

void screen_progress(struct screen *screen, unsigned percent, uint64_t rate, const char *what)
{
    uint64_t now = clock_monotonic_us();

    screen->percent = percent <= 100 ? percent : NO_PERCENT;
    screen->rate = rate;
    (void)snprintf(screen->what, sizeof(screen->what), "%s", what ? what : "");
    make_harmless(screen->what);
    if (screen->hides_progress)
        return;
    if (is_worth_a_line(screen, now))
        say_progress(screen, now);
    if (now < screen->painted_us + REPAINT_US)
        return;
    screen->painted_us = now;
    paint(screen);
}

/* A console without a reader is left alone from now on. Return: whether something was typed on one. */
static bool wait_for_input(struct screen *screen, struct pollfd *polls, uint64_t until_us)
{
    uint64_t now = clock_monotonic_us();
    uint64_t left_ms = until_us > now ? (until_us - now) / 1000 + 1 : 0;
    bool is_any = false;

    if (poll(polls, screen->n_outputs, left_ms < 1000 ? (int)left_ms : 1000) <= 0)
        return false;
    for (size_t i = 0; i < screen->n_outputs; i++) {
        if ((polls[i].revents & POLLIN) != 0)
            is_any = true;
        if ((polls[i].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
            polls[i].fd = -1;
    }
    return is_any;
}

static void fill_polls(const struct screen *screen, struct pollfd *polls)
{
    for (size_t i = 0; i < screen->n_outputs; i++)
        polls[i] = (struct pollfd){.fd = screen->outputs[i].fd, .events = POLLIN};
}

static void give_line(struct typed *typed, char *ret, size_t cap)
{
    size_t from = 0;

    while (from < typed->len && typed->text[from] == ' ')
        from++;
    while (typed->len > from && typed->text[typed->len - 1] == ' ')
        typed->len--;
    (void)snprintf(ret, cap, "%.*s", (int)(typed->len - from), typed->text + from);
    explicit_bzero(typed, sizeof(*typed));
}

/* One character. Return: whether it ends the line. */
static bool add_typed(struct typed *typed, char c)
{
    if (c == '\n' || c == '\r')
        return true;
    if ((c == '\b' || c == 0x7f) && typed->len > 0)
        typed->len--;
    else if ((unsigned char)c >= ' ' && c != 0x7f && typed->len < LINE_MAX_BYTES)
        typed->text[typed->len++] = c;
    return false;
}

/* Return: whether a line has ended. What is behind it on the same console waits in the kernel. */
static bool take_line(int fd, struct typed *typed, char *ret, size_t cap)
{
    char c;

    while (read(fd, &c, 1) == 1)
        if (add_typed(typed, c)) {
            give_line(typed, ret, cap);
            return true;
        }
    return false;
}

bool screen_read_line(struct screen *screen, uint64_t timeout_us, char *ret, size_t cap)
{
    uint64_t until = clock_monotonic_us() + timeout_us;
    struct pollfd polls[SCREEN_OUTPUTS_MAX];

    fill_polls(screen, polls);
    while (clock_monotonic_us() < until)
        if (wait_for_input(screen, polls, until))
            for (size_t i = 0; i < screen->n_outputs; i++)
                if ((polls[i].revents & POLLIN) != 0 &&
                    take_line(screen->outputs[i].fd, &screen->typed[i], ret, cap))
                    return true;
    return false;
}

/* Each key as it comes, and not shown: the program's own terminal does that. */
static void set_mode(struct screen *screen, size_t i, bool is_lent)
{
    struct termios mode;

    if (tcgetattr(screen->outputs[i].fd, &mode) < 0) /* no terminal: it has no modes */
        return;
    if (is_lent) {
        screen->modes[i] = mode;
        cfmakeraw(&mode);
    } else {
        mode = screen->modes[i];
    }
    (void)tcsetattr(screen->outputs[i].fd, TCSANOW, &mode);
}

void screen_lend(struct screen *screen, bool is_lent)
{
    if (screen->is_lent == is_lent)
        return;
    screen->is_lent = is_lent;
    for (size_t i = 0; i < screen->n_outputs; i++) {
        OWN(buf_fini) struct buf text = BUF_INIT(PAGE_MAX_BYTES);

        set_mode(screen, i, is_lent);
        buf_adds(&text, screen->outputs[i].is_page && is_lent ? "\033[2J\033[H" : "\r\n");
        put(&screen->outputs[i], &text);
    }
    if (!is_lent)
        paint(screen);
}

void screen_put(struct screen *screen, struct bytes text)
{
    OWN(buf_fini) struct buf copy = BUF_INIT(PAGE_MAX_BYTES);

    buf_add(&copy, text);
    for (size_t i = 0; i < screen->n_outputs; i++)
        put(&screen->outputs[i], &copy);
}

size_t screen_take(struct screen *screen, char *dst, size_t cap)
{
    struct pollfd polls[SCREEN_OUTPUTS_MAX];
    size_t len = 0;

    fill_polls(screen, polls);
    if (poll(polls, screen->n_outputs, 0) <= 0)
        return 0;
    for (size_t i = 0; i < screen->n_outputs && len < cap; i++) {
        ssize_t n = (polls[i].revents & POLLIN) != 0 ? read(polls[i].fd, dst + len, cap - len) : 0;

        len += n > 0 ? (size_t)n : 0;
    }
    return len;
}

static bool take_key(int fd)
{
    char keys[64];
    ssize_t n = read(fd, keys, sizeof(keys));

    return n > 0 && (memchr(keys, '\n', (size_t)n) || memchr(keys, '\r', (size_t)n));
}

bool screen_wait_key(struct screen *screen, uint64_t timeout_us)
{
    uint64_t until = clock_monotonic_us() + timeout_us;
    struct pollfd polls[SCREEN_OUTPUTS_MAX];

    fill_polls(screen, polls);
    while (clock_monotonic_us() < until)
        if (wait_for_input(screen, polls, until))
            for (size_t i = 0; i < screen->n_outputs; i++)
                if ((polls[i].revents & POLLIN) != 0 && take_key(screen->outputs[i].fd))
                    return true;
    return false;
}
