/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/fetch/pull.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"

enum {
    TELL_US = 250 * 1000,
    PAUSE_MIN_US = 250 * 1000,
    PAUSE_MAX_US = 10 * 1000 * 1000,
    CONNECT_S = 10,
    STALL_S = 20, /* slower than STALL_BYTES_PER_S for so long is a broken transfer */
    STALL_BYTES_PER_S = 64,
    RECEIVE_BYTES = 256 * 1024,
    URL_MAX = 1024,
    TRIES_WHEN_BAD = 2, /* the first, and once more */
    US_PER_S = 1000 * 1000,
};

void pull_init(struct pull *pull, const struct fetch_options *options, struct fetch_report *report)
{
    uint64_t now = clock_monotonic_us();

    *report = (struct fetch_report){0};
    *pull = (struct pull){
        .options = options,
        .report = report,
        .begun_us = now,
        .moved_us = now,
        .told_us = now,
    };
}

void pull_fini(struct pull *pull)
{
    pull->report->elapsed_us = clock_monotonic_us() - pull->begun_us;
}

void pull_moved(struct pull *pull)
{
    pull->moved_us = clock_monotonic_us();
    pull->pause_us = 0;
    pull->retry_at_us = 0;
}

void pull_broke(struct pull *pull)
{
    uint64_t now = clock_monotonic_us();

    pull->report->n_retries++;
    if (now < pull->retry_at_us)
        return; /* others broke at the same moment: one pause for all */
    pull->pause_us = pull->pause_us > 0 ? 2 * pull->pause_us : PAUSE_MIN_US;
    if (pull->pause_us > PAUSE_MAX_US)
        pull->pause_us = PAUSE_MAX_US;
    pull->retry_at_us = now + pull->pause_us;
}

bool pull_is_over(const struct pull *pull)
{
    uint64_t most = pull->options->give_up_us;

    if (most == 0)
        most = (uint64_t)FETCH_GIVE_UP_S * US_PER_S;
    return clock_monotonic_us() - pull->moved_us > most;
}

bool pull_tell(struct pull *pull)
{
    uint64_t now = clock_monotonic_us();
    uint64_t passed_us = now - pull->told_us;

    if (pull->is_cancelled)
        return false;
    if (!pull->options->progress || passed_us < TELL_US)
        return true;
    pull->progress.rate_bytes_per_s =
        (pull->progress.done_bytes - pull->told_bytes) * US_PER_S / passed_us;
    pull->told_us = now;
    pull->told_bytes = pull->progress.done_bytes;
    pull->is_cancelled = !pull->options->progress(pull->options->ctx, &pull->progress);
    return !pull->is_cancelled;
}

CURL *pull_new_transfer(const struct pull *pull)
{
    CURL *curl = curl_easy_init();

    if (!curl)
        return NULL;
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_S);
    (void)curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "slipway-agent");
    if (pull->options->unix_socket)
        (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, pull->options->unix_socket);
    return curl;
}

const char *pull_aim(const struct pull *pull, CURL *curl, unsigned n_tries, const char *path)
{
    const char *source = pull->options->sources[n_tries % pull->options->n_sources];
    char url[URL_MAX];
    int n = snprintf(url, sizeof(url), "%s%s", source, path);

    if (n < 0 || (size_t)n >= sizeof(url))
        return NULL;
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK ? source : NULL;
}

enum pull_verdict pull_judge(CURL *curl, CURLcode code)
{
    long status = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_WRITE_ERROR) /* what takes the bytes has had enough */
        return PULL_REFUSED;
    if (code != CURLE_OK || status >= 500 || status == 408 || status == 429)
        return PULL_BROKEN;
    return status == 200 ? PULL_DONE : PULL_REFUSED;
}

void pull_why(struct pull *pull, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(pull->report->why, sizeof(pull->report->why), format, args);
    va_end(args);
}

struct whole { /* one thing on its way through pull_get() */
    struct pull *pull;
    const struct pull_taker *taker;
    int error; /* -errno of the taker */
};

static size_t on_body(char *piece, size_t size, size_t n, void *ctx)
{
    struct whole *whole = ctx;
    int r = whole->taker->take(whole->taker->ctx, (struct bytes){(const uint8_t *)piece, size * n});

    if (r < 0)
        whole->error = r;
    pull_moved(whole->pull);
    whole->pull->report->received_bytes += size * n;
    return r == 0 ? size * n : 0;
}

static int
on_tick(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct whole *whole = ctx;

    (void)down_all, (void)down, (void)up_all, (void)up;
    return pull_tell(whole->pull) ? 0 : 1;
}

/* Wait for the time of the next transfer. */
static bool pause_and_tell(struct pull *pull)
{
    while (clock_monotonic_us() < pull->retry_at_us) {
        if (!pull_tell(pull))
            return false;
        clock_sleep_us(TELL_US / 2);
    }
    return pull_tell(pull);
}

static void curlp(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

/* Return: 0, PULL_BROKEN or PULL_REFUSED, or -errno. */
static int get_once(struct whole *whole, CURL *curl)
{
    int r = whole->taker->begin(whole->taker->ctx);

    if (r < 0)
        return TRACE(r);

    CURLcode code = curl_easy_perform(curl);

    if (whole->error < 0)
        return TRACE(whole->error);
    enum pull_verdict verdict = pull_judge(curl, code);

    if (verdict != PULL_DONE)
        return (int)verdict;
    r = whole->taker->end(whole->taker->ctx);
    if (r < 0)
        return TRACE(r);
    return r == 0 ? 0 : PULL_REFUSED;
}

int pull_get(struct pull *pull, const char *path, const char *what, const struct pull_taker *taker)
{
    struct whole whole = {pull, taker, 0};
    OWN(curlp) CURL *curl = pull_new_transfer(pull);
    unsigned n_bad = 0;

    if (!curl)
        return ERR(-ENOMEM);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &whole);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_tick);
    (void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &whole);
    (void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    for (unsigned n_tries = 0;; n_tries++) {
        if (!pause_and_tell(pull))
            return FETCH_E_CANCELLED;

        const char *source = pull_aim(pull, curl, n_tries, path);
        int r = source ? get_once(&whole, curl) : ERR(-ENAMETOOLONG);

        if (r <= 0)
            return r < 0 ? TRACE(r) : 0;
        if (pull->is_cancelled)
            return FETCH_E_CANCELLED;
        if (r == PULL_REFUSED && ++n_bad == TRIES_WHEN_BAD) {
            pull_why(pull, "%s is missing or damaged at %s", what, source);
            return FETCH_E_CONTENT;
        }
        if (r == PULL_BROKEN && pull_is_over(pull)) {
            pull_why(pull, "no answer from %s while waiting for %s", source, what);
            return FETCH_E_UNREACHABLE;
        }
        pull_broke(pull);
    }
}
