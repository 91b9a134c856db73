/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "rt/transfer/transfer.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "plat/clock.h"
#include "plat/digest.h"
#include "rt/transfer/engine.h"

enum {
    TELL_US = 250 * 1000,
    NAP_US = 50 * 1000,
    CONNECT_S = 10,
    STALL_S = 20, /* slower than STALL_BYTES_PER_S for so long is a broken transfer */
    STALL_BYTES_PER_S = 64,
    RECEIVE_BYTES = 512 * 1024,
    URL_MAX = 1024,
    SOURCES_TEXT_MAX = 512,
};

static const char *const fault_texts[TRANSFER_FAULT_COUNT] = {
    [TRANSFER_FAULT_MISSING] = "missing",
    [TRANSFER_FAULT_DAMAGED] = "damaged",
    [TRANSFER_FAULT_BROKEN] = "broken off",
    [TRANSFER_FAULT_SLOW] = "slow",
};

const char *transfer_fault_text(enum transfer_fault fault)
{
    return fault_texts[fault];
}

int transfer_new(const struct transfer_options *options,
                 struct transfer_report *report,
                 struct transfer **ret)
{
    OWN(transfer_freep) struct transfer *t = NULL;
    uint64_t now_us = clock_monotonic_us();

    *report = (struct transfer_report){0};
    t = calloc(1, sizeof(*t));
    if (!t)
        return ERR(-ENOMEM);
    t->options = options;
    t->report = report;
    t->begun_us = now_us;
    t->moved_us = now_us;
    t->told_us = now_us;
    sources_init(&t->sources, options->sources, options->n_sources, options->n_shared);
    t->curl = transfer_new_curl(t);
    t->multi = curl_multi_init();
    if (!t->curl || !t->multi)
        return ERR(-ENOMEM);
    (void)curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, (long)LANES);
    *ret = TAKE(t);
    return 0;
}

void transfer_free(struct transfer *t)
{
    if (!t)
        return;
    t->report->elapsed_us = clock_monotonic_us() - t->begun_us;
    curl_easy_cleanup(t->curl);
    (void)curl_multi_cleanup(t->multi);
    free(t);
}

bool transfer_is_over(const struct transfer *t)
{
    uint64_t most_us = t->options->give_up_us;

    if (most_us == 0)
        most_us = (uint64_t)TRANSFER_GIVE_UP_S * US_PER_S;
    return clock_monotonic_us() - t->moved_us > most_us;
}

bool transfer_tell(struct transfer *t)
{
    uint64_t now_us = clock_monotonic_us();
    uint64_t passed_us = now_us - t->told_us;

    if (t->is_cancelled)
        return false;
    if (!t->options->progress || passed_us < TELL_US)
        return true;
    t->progress.rate_bytes_per_s = (t->progress.done_bytes - t->told_bytes) * US_PER_S / passed_us;
    t->told_us = now_us;
    t->told_bytes = t->progress.done_bytes;
    t->is_cancelled = !t->options->progress(t->options->ctx, &t->progress);
    return !t->is_cancelled;
}

void transfer_set_total(struct transfer *t, uint64_t total_bytes)
{
    t->progress.total_bytes = total_bytes;
}

void transfer_add_done(struct transfer *t, uint64_t bytes)
{
    t->progress.done_bytes += bytes;
    t->moved_us = clock_monotonic_us();
}

void transfer_why(struct transfer *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(t->report->why, sizeof(t->report->why), format, args);
    va_end(args);
}

void transfer_put_sources(const struct transfer *t, struct buf *dst)
{
    for (size_t i = 0; i < t->sources.n; i++)
        buf_addf(dst, "%s%s", i > 0 ? ", " : "", t->sources.all[i].url);
}

CURL *transfer_new_curl(const struct transfer *t)
{
    const struct transfer_options *options = t->options;
    CURL *curl = curl_easy_init();

    if (!curl)
        return NULL;
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, options->proxy ? options->proxy : "");
    (void)curl_easy_setopt(curl, CURLOPT_NOPROXY, options->no_proxy ? options->no_proxy : "");
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_S);
    (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_S);
    (void)curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "slipway");
    if (options->unix_socket)
        (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
    return curl;
}

bool transfer_judge(CURL *curl, CURLcode code, enum transfer_fault *ret)
{
    long status = 0;

    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_WRITE_ERROR) /* what takes the bytes has had enough */
        *ret = TRANSFER_FAULT_DAMAGED;
    else if (code != CURLE_OK || status >= 500 || status == 408 || status == 429)
        *ret = TRANSFER_FAULT_BROKEN;
    else if (status != 200)
        *ret = TRANSFER_FAULT_MISSING;
    else
        return true;
    return false;
}

struct whole { /* one file on its way through transfer_get() */
    struct transfer *t;
    const struct transfer_taker *taker;
    const char *path;
    const char *what;
    struct sources_tried tried;
    int error; /* -errno of the taker */
};

static size_t on_body(char *piece, size_t size, size_t n, void *ctx)
{
    struct whole *whole = ctx;
    long status = 0;
    int r;

    whole->t->moved_us = clock_monotonic_us();
    whole->t->report->network.bytes += size * n;
    (void)curl_easy_getinfo(whole->t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200)
        return size * n; /* a page about the error */
    r = whole->taker->take(whole->taker->ctx, (struct bytes){(const uint8_t *)piece, size * n});
    if (r < 0)
        whole->error = r;
    return r == 0 ? size * n : 0;
}

static int
on_tick(void *ctx, curl_off_t down_all, curl_off_t down, curl_off_t up_all, curl_off_t up)
{
    struct whole *whole = ctx;

    (void)down_all, (void)down, (void)up_all, (void)up;
    return transfer_tell(whole->t) ? 0 : 1;
}

static int aim(const struct whole *whole, int source)
{
    struct transfer *t = whole->t;
    char url[URL_MAX];
    int n = snprintf(url, sizeof(url), "%s%s", t->sources.all[source].url, whole->path);

    if (n < 0 || (size_t)n >= sizeof(url))
        return ERR(-ENAMETOOLONG);
    (void)curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, whole);
    (void)curl_easy_setopt(t->curl, CURLOPT_XFERINFOFUNCTION, on_tick);
    (void)curl_easy_setopt(t->curl, CURLOPT_XFERINFODATA, whole);
    (void)curl_easy_setopt(t->curl, CURLOPT_NOPROGRESS, 0L);
    return curl_easy_setopt(t->curl, CURLOPT_URL, url) == CURLE_OK ? 0 : ERR(-ENOMEM);
}

static void note_fault(struct whole *whole, int source, enum transfer_fault fault)
{
    struct transfer *t = whole->t;
    struct transfer_bad bad = {t->sources.all[source].url, whole->what, fault};
    uint64_t now_us = clock_monotonic_us();

    t->report->n_retries++;
    if (fault == TRANSFER_FAULT_BROKEN)
        sources_broke(&t->sources, source, now_us);
    else
        sources_bad(&t->sources, &whole->tried, source, now_us);
    if (t->options->bad_source)
        t->options->bad_source(t->options->ctx, &bad);
}

/* Return: 0; 1: not this time; or -errno. */
static int get_once(struct whole *whole, int source)
{
    struct transfer *t = whole->t;
    enum transfer_fault fault = TRANSFER_FAULT_DAMAGED;
    int r = aim(whole, source);

    if (r == 0)
        r = whole->taker->begin(whole->taker->ctx);
    if (r < 0)
        return TRACE(r);

    CURLcode code = curl_easy_perform(t->curl);

    if (whole->error < 0)
        return TRACE(whole->error);
    if (t->is_cancelled)
        return 1;
    r = 1;
    if (transfer_judge(t->curl, code, &fault))
        r = whole->taker->end(whole->taker->ctx);
    if (r > 0)
        note_fault(whole, source, fault);
    if (r == 0) {
        sources_good(&t->sources, source, 0, 0);
        t->report->source = t->sources.all[source].url;
    }
    return TRACE(r);
}

/* Nobody can be asked now. Return: 0 to go on, or an outcome. */
static int wait_for_source(struct whole *whole)
{
    OWN(buf_fini) struct buf sources = BUF_INIT(SOURCES_TEXT_MAX);
    struct transfer *t = whole->t;

    if (t->sources.n == 0) {
        transfer_why(t, "there is no source for %s", whole->what);
        return TRANSFER_E_CONTENT;
    }
    transfer_put_sources(t, &sources);
    if (sources_is_hopeless(&t->sources, &whole->tried)) {
        transfer_why(t, "%s is missing or damaged at %s", whole->what, buf_str(&sources));
        return TRANSFER_E_CONTENT;
    }
    if (transfer_is_over(t)) {
        transfer_why(t, "no answer from %s while waiting for %s", buf_str(&sources), whole->what);
        return TRANSFER_E_UNREACHABLE;
    }
    clock_sleep_us(NAP_US);
    return 0;
}

int transfer_get(struct transfer *t,
                 const char *path,
                 const char *what,
                 const struct transfer_taker *taker)
{
    struct whole whole = {.t = t, .taker = taker, .path = path, .what = what};

    while (transfer_tell(t)) {
        int i = sources_choose(&t->sources, &whole.tried, SOURCES_NONE, clock_monotonic_us());
        int r = i == SOURCES_NONE ? wait_for_source(&whole) : get_once(&whole, i);

        if (r < 0)
            return TRACE(r);
        if (i == SOURCES_NONE ? r != 0 : r == 0)
            return r;
    }
    return TRANSFER_E_CANCELLED;
}

struct reading { /* a manifest on its way */
    struct buf *text;
    const uint8_t *name;
};

static int begin_reading(void *ctx)
{
    struct reading *reading = ctx;

    buf_clear(reading->text);
    return 0;
}

static int take_text(void *ctx, struct bytes piece)
{
    struct reading *reading = ctx;

    buf_add(reading->text, piece);
    return reading->text->failed ? 1 : 0;
}

static int end_reading(void *ctx)
{
    struct reading *reading = ctx;
    uint8_t is[SHA256_BYTES];
    int r = digest_sha256(buf_bytes(reading->text), is);

    if (r < 0)
        return TRACE(r);
    return memcmp(is, reading->name, sizeof(is)) == 0 ? 0 : 1;
}

/* Whether the manifest is on this machine, as its name says. */
static bool is_here(const struct transfer *t, const uint8_t *id, struct buf *ret)
{
    const struct transfer_options *options = t->options;
    uint8_t is[SHA256_BYTES];

    buf_clear(ret);
    return options->local_manifest && options->local_manifest(options->local_ctx, id, ret) &&
           digest_sha256(buf_bytes(ret), is) == 0 && memcmp(is, id, sizeof(is)) == 0;
}

int transfer_get_manifest_text(struct transfer *t,
                               const uint8_t id[static SHA256_BYTES],
                               struct buf *ret)
{
    struct reading reading = {.text = ret, .name = id};
    struct transfer_taker taker = {begin_reading, take_text, end_reading, &reading};
    char name[SHA256_TEXT_MAX];
    char path[WHAT_MAX];
    char what[WHAT_MAX];

    if (is_here(t, id, ret))
        return 0;
    hex_put(name, (struct bytes){id, SHA256_BYTES});
    (void)snprintf(path, sizeof(path), "/content/manifests/%s", name);
    (void)snprintf(what, sizeof(what), "manifest %s", name);
    return transfer_get(t, path, what, &taker);
}

int transfer_get_manifest(struct transfer *t,
                          const uint8_t id[static SHA256_BYTES],
                          struct manifest *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(MANIFEST_TEXT_MAX);
    char name[SHA256_TEXT_MAX];
    int r = transfer_get_manifest_text(t, id, &text);

    if (r != 0)
        return r;
    r = manifest_parse(buf_bytes(&text), ret);
    if (r <= 0)
        return TRACE(r);
    hex_put(name, (struct bytes){id, SHA256_BYTES});
    transfer_why(t, "manifest %s is none that this version understands", name);
    return TRANSFER_E_CONTENT;
}

enum transfer_bound transfer_bound_by(const struct transfer_report *report)
{
    if (report->write.busy_us >= report->network_wait_us &&
        report->write.busy_us >= report->unpack_wait_us)
        return TRANSFER_BY_DISK;
    return report->network_wait_us >= report->unpack_wait_us ? TRANSFER_BY_NETWORK
                                                             : TRANSFER_BY_PROCESSOR;
}
