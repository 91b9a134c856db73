/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/progress.h"

#include <stdio.h>
#include <string.h>

#include "base/own.h"
#include "cli/when.h"
#include "plat/clock.h"
#include "rt/log.h"

enum {
    BAR_WIDTH = 24,
    LINE_MAX_BYTES = 512,
    WHAT_MAX_BYTES = 128,
    AMOUNT_MAX_BYTES = 128,
    US_PER_S = 1000 * 1000,
    REDRAW_US = 100 * 1000,
    LINE_EVERY_US = 5 * 1000 * 1000,
};

void progress_init(struct progress *p, bool is_terminal)
{
    *p = (struct progress){.is_terminal = is_terminal, .started_us = clock_monotonic_us()};
}

void progress_put_bar(struct buf *dst, unsigned percent, unsigned width)
{
    unsigned most = percent < 100 ? percent : 100;
    unsigned n_full = most * width / 100;

    buf_adds(dst, "[");
    for (unsigned i = 0; i < width; i++)
        buf_adds(dst, i < n_full ? "#" : "-");
    buf_addf(dst, "] %3u %%", most);
}

void progress_show(struct progress *p, const char *what, unsigned percent, const char *more)
{
    OWN(buf_fini) struct buf line = BUF_INIT(LINE_MAX_BYTES);
    char safe[WHAT_MAX_BYTES];
    uint64_t now_us = clock_monotonic_us();

    if (p->shown_us && now_us - p->shown_us < (p->is_terminal ? REDRAW_US : LINE_EVERY_US))
        return;
    p->shown_us = now_us;
    percent = percent < 100 ? percent : 100;
    p->is_drawn = p->is_terminal;
    log_escape(safe, sizeof(safe), what, strlen(what));
    if (!p->is_terminal) {
        (void)fprintf(stderr, "%s: %u %% %s\n", safe, percent, more);
        return;
    }
    progress_put_bar(&line, percent, BAR_WIDTH);
    (void)fprintf(stderr, "\r%s %s %s\x1b[K", buf_str(&line), more, safe);
    (void)fflush(stderr);
}

void progress_show_bytes(struct progress *p, const char *what, const struct progress_bytes *bytes)
{
    OWN(buf_fini) struct buf more = BUF_INIT(AMOUNT_MAX_BYTES);
    uint64_t spent_us = clock_monotonic_us() - p->started_us;
    uint64_t percent = bytes->size / 100 ? bytes->done / (bytes->size / 100) : 100;

    when_put_bytes(&more, bytes->done);
    if (spent_us > US_PER_S && bytes->done >= bytes->first) {
        buf_adds(&more, ", ");
        when_put_bytes(&more, (bytes->done - bytes->first) / (spent_us / US_PER_S));
        buf_adds(&more, "/s");
    }
    progress_show(p, what, percent < 100 ? (unsigned)percent : 100, buf_str(&more));
}

void progress_end(struct progress *p)
{
    if (p->is_drawn)
        (void)fputs("\r\x1b[K", stderr);
    p->is_drawn = false;
}
