/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/site/event_hub.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "db/db.h"
#include "plat/clock.h"
#include "rt/http_server.h"
#include "rt/http_stream.h"
#include "rt/log.h"
#include "server/site/api.h"
#include "site/event.h"
#include "site/site.h"

#define CONTENT_TYPE "text/event-stream"
#define RETRY        "retry: 3000\n"

enum {
    POLL_US = 500 * 1000,      /* how soon what another site server has changed is seen */
    PAUSE_US = 100 * 1000,     /* between two rounds: what comes meanwhile is looked at together */
    SHORT_PAUSE_US = 5 * 1000, /* the same while somebody catches up */
    HEARTBEAT_US = 15 * 1000 * 1000,
    CHECK_US =
        5 * 1000 *
        1000, /* how often it is looked whether somebody may still follow who is told nothing */
    TEXT_MAX_BYTES = 16 * 1024,
    WAITING_MAX_BYTES = 2 * TEXT_MAX_BYTES,
    EVENT_TEXT_MAX_BYTES = 2048, /* names and ids are shorter by far */
    US_PER_S = 1000 * 1000,
    NS_PER_US = 1000,
};

struct follower {
    struct follower *next;      /* owned by the list */
    struct principal who;       /* its token's permissions as they were last */
    struct http_stream *stream; /* owned */
    uint32_t topics;
    bool has_place;
    uint64_t place; /* the last number that was written, or needs not be */
    uint64_t checked_us;
    uint64_t wrote_us; /* monotonic, as the one above; 0: nothing yet */
    bool is_over;
};

struct event_hub {
    struct site *site; /* owned; the thread's */
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t is_changed;
    bool is_ending;
    bool is_woken;
    struct follower *joining; /* owned; they have come since the last round */
    struct follower *first;   /* owned; by token and topics. Changed by the thread alone */
};

DEFINE_FREEP(struct event_hub *, event_hub_free);

static void follower_free(struct follower *f)
{
    http_stream_free(f->stream);
    free(f);
}

static bool comes_before(const struct follower *a, const struct follower *b)
{
    int order = strcmp(a->who.token_id, b->who.token_id);

    return order != 0 ? order < 0 : a->topics < b->topics;
}

/* With the lock. Those who are told the same stand together. */
static void insert(struct event_hub *hub, struct follower *f)
{
    struct follower **at = &hub->first;

    while (*at && !comes_before(f, *at))
        at = &(*at)->next;
    f->next = *at;
    *at = f;
}

/* With the lock. */
static void take_in(struct event_hub *hub)
{
    while (hub->joining) {
        struct follower *f = hub->joining;

        hub->joining = f->next;
        insert(hub, f);
    }
}

struct counts {
    size_t n;
    size_t n_of_one;
};

/* Those who have gone do not count. */
static void count(const struct follower *first, const char *administrator_id, struct counts *counts)
{
    for (const struct follower *f = first; f; f = f->next) {
        if (http_stream_is_over(f->stream))
            continue;
        counts->n++;
        counts->n_of_one += strcmp(f->who.id, administrator_id) == 0;
    }
}

/* With the lock. */
static bool has_room(const struct event_hub *hub, const char *administrator_id)
{
    struct counts counts = {0};

    count(hub->first, administrator_id, &counts);
    count(hub->joining, administrator_id, &counts);
    return counts.n < EVENT_FOLLOWERS_MAX && counts.n_of_one < EVENT_FOLLOWERS_OF_ONE_MAX;
}

static void wake(struct event_hub *hub)
{
    hub->is_woken = true;
    (void)pthread_cond_signal(&hub->is_changed);
}

void event_hub_wake(struct event_hub *hub)
{
    if (!hub)
        return;
    (void)pthread_mutex_lock(&hub->lock);
    if (hub->first || hub->joining)
        wake(hub);
    (void)pthread_mutex_unlock(&hub->lock);
}

/* With the lock. */
static int follow(struct event_hub *hub, struct http_exchange *x, const struct event_start *start)
{
    OWN(freep) struct follower *f = calloc(1, sizeof(*f));
    int r;

    if (!f)
        return ERR(-ENOMEM);
    f->who = *start->who;
    f->who.operation = NULL;
    f->topics = start->topics;
    f->has_place = start->has_place;
    f->place = start->place;
    r = http_stream_reply(x, CONTENT_TYPE, WAITING_MAX_BYTES, &f->stream);
    if (r < 0)
        return TRACE(r);
    f->next = hub->joining;
    hub->joining = TAKE(f);
    wake(hub);
    return 0;
}

int event_hub_follow(struct event_hub *hub,
                     struct http_exchange *x,
                     const struct event_start *start)
{
    int r = EVENT_HUB_E_FULL;

    (void)pthread_mutex_lock(&hub->lock);
    if (has_room(hub, start->who->id))
        r = follow(hub, x, start);
    (void)pthread_mutex_unlock(&hub->lock);
    return r > 0 ? r : TRACE(r);
}

/* What is told to one, and to all who stand where he does and see what he sees. */
struct text {
    const struct follower *of; /* borrowed for the round; NULL: of nobody */
    uint64_t from;
    uint64_t to;
    struct buf buf;
};

static bool put_event(void *ctx, const struct event *event)
{
    struct buf *text = ctx;
    OWN(freep) char *data = json_dumps(event->data, JSON_COMPACT);
    bool is_reset = strcmp(event->name, "reset") == 0;

    if (!data || text->len > TEXT_MAX_BYTES - EVENT_TEXT_MAX_BYTES)
        return false;
    /* who comes back after a reset is told what made it necessary, if he may see it */
    buf_addf(text,
             "id: %" PRIu64 "\nevent: %s\ndata: %s\n\n",
             is_reset ? event->number - 1 : event->number,
             event->name,
             data);
    return true;
}

static bool is_told_the_same(const struct text *text, const struct follower *f)
{
    return text->of && text->from == f->place && text->of->topics == f->topics &&
           strcmp(text->of->who.token_id, f->who.token_id) == 0;
}

static int
make_text(struct event_hub *hub, const struct follower *f, uint64_t newest, struct text *text)
{
    int r;

    if (is_told_the_same(text, f))
        return 0;
    text->of = NULL;
    text->from = f->place;
    buf_clear(&text->buf);
    principal_set(hub->site, &f->who);
    r = event_list(hub->site, f->place, newest, f->topics, put_event, &text->buf, &text->to);
    principal_clear(hub->site);
    if (r < 0)
        return TRACE(r);
    text->of = f;
    return 0;
}

/* Whether it was taken: a slow one gets it in another round. */
static bool write_to(struct follower *f, const char *text, uint64_t now_us)
{
    if (http_stream_write(f->stream, bytes_of(text)) != 0)
        return false;
    f->wrote_us = now_us;
    return true;
}

/* Where it begins, or why it cannot go on where it was. Return: whether that is said. */
static bool begin(struct follower *f, uint64_t newest, uint64_t gone, uint64_t now_us)
{
    bool is_lost = f->has_place && (f->place < gone || f->place > newest);
    uint64_t place = !f->has_place || is_lost ? newest : f->place;
    char text[256];

    if (f->wrote_us > 0 && !is_lost)
        return true;
    (void)snprintf(text,
                   sizeof(text),
                   RETRY "id: %" PRIu64 "\n%s\n",
                   place,
                   is_lost ? "event: reset\ndata: {\"reason\":\"gap\"}\n" : "");
    if (!write_to(f, text, now_us))
        return false;
    f->has_place = true;
    f->place = place;
    return true;
}

/* Its number goes along: who comes back after a quiet night need not begin anew. */
static void beat(struct follower *f, uint64_t now_us)
{
    char text[64];

    if (now_us - f->wrote_us < HEARTBEAT_US)
        return;
    (void)snprintf(text, sizeof(text), ": heartbeat\nid: %" PRIu64 "\n\n", f->place);
    (void)write_to(f, text, now_us);
}

/* Whether somebody is told something more. An answer that ends says why by the next one's status. */
static int check(struct event_hub *hub, struct follower *f, bool is_news, uint64_t now_us)
{
    bool is_good = true;
    int r = 0;

    if (is_news || now_us - f->checked_us >= CHECK_US) {
        r = event_check(hub->site, &f->who, &is_good);
        f->checked_us = now_us;
    }
    f->is_over |= !is_good;
    return TRACE(r);
}

/* Return: 1 if there is more for it at once; 0; -errno. */
static int serve_one(
    struct event_hub *hub, struct follower *f, uint64_t newest, uint64_t gone, struct text *text)
{
    uint64_t now_us = clock_monotonic_us();
    bool is_mine = is_told_the_same(text, f);
    int r;

    f->is_over |= http_stream_is_over(f->stream);
    if (f->is_over)
        return 0;
    /* of those who stand together one is checked for all */
    r = is_mine && !text->of->is_over ? 0 : check(hub, f, newest != f->place, now_us);
    if (r < 0 || f->is_over)
        return TRACE(r);
    if (!begin(f, newest, gone, now_us))
        return 0;
    if (f->place < newest) {
        r = make_text(hub, f, newest, text);
        if (r < 0)
            return TRACE(r);
        if (text->buf.len == 0 || write_to(f, buf_str(&text->buf), now_us))
            f->place = text->to;
        return f->place == text->to && f->place < newest;
    }
    beat(f, now_us);
    return 0;
}

/* Return: 1 if somebody has more to come at once; 0; -errno. */
static int serve(struct event_hub *hub, struct follower *first)
{
    struct text text = {.buf = BUF_INIT(TEXT_MAX_BYTES)};
    uint64_t newest = 0;
    uint64_t gone = 0;
    bool is_more = false;
    int r;

    hub->site->now_us = clock_wall_us();
    r = event_head(hub->site, &newest, &gone);
    for (struct follower *f = first; r >= 0 && f; f = f->next) {
        r = serve_one(hub, f, newest, gone, &text);
        is_more |= r > 0;
    }
    buf_fini(&text.buf);
    return r < 0 ? TRACE(r) : is_more;
}

/* With the lock. */
static void drop_over(struct event_hub *hub)
{
    struct follower **at = &hub->first;

    while (*at) {
        struct follower *f = *at;

        if (!f->is_over) {
            at = &f->next;
            continue;
        }
        *at = f->next;
        follower_free(f);
    }
}

/* With the lock. */
static void wait_until(struct event_hub *hub, uint64_t until_us)
{
    struct timespec until = {
        .tv_sec = (time_t)(until_us / US_PER_S),
        .tv_nsec = (long)(until_us % US_PER_S * NS_PER_US),
    };

    (void)pthread_cond_timedwait(&hub->is_changed, &hub->lock, &until);
}

/* With the lock. @is_more: somebody has more to come. @took_us: the last round; at least as long nothing is asked */
static void rest(struct event_hub *hub, bool is_more, uint64_t took_us)
{
    uint64_t begun_us = clock_monotonic_us();
    uint64_t least_us = is_more ? SHORT_PAUSE_US : PAUSE_US;
    uint64_t pause_us = begun_us + (took_us > least_us ? took_us : least_us);
    uint64_t poll_us = begun_us + POLL_US;

    while (!hub->is_ending && clock_monotonic_us() < pause_us)
        wait_until(hub, pause_us);
    while (!is_more && !hub->is_ending && !hub->is_woken && clock_monotonic_us() < poll_us)
        wait_until(hub, poll_us);
}

/* With the lock, which is away while the database is asked. */
static int one_round(struct event_hub *hub)
{
    struct follower *first;
    int r;

    take_in(hub);
    first = hub->first;
    hub->is_woken = false;
    (void)pthread_mutex_unlock(&hub->lock);
    r = db_snapshot_begin(hub->site->db);
    if (r == 0) {
        r = serve(hub, first);
        db_snapshot_end(hub->site->db);
    }
    (void)pthread_mutex_lock(&hub->lock);
    drop_over(hub);
    return r;
}

static void *run(void *arg)
{
    struct event_hub *hub = arg;
    bool is_failing = false;

    (void)pthread_mutex_lock(&hub->lock);
    while (!hub->is_ending) {
        uint64_t begun_us = clock_monotonic_us();
        int r;

        if (!hub->first && !hub->joining) {
            (void)pthread_cond_wait(&hub->is_changed, &hub->lock);
            continue;
        }
        r = one_round(hub);
        if (r < 0 && !is_failing)
            log_error("events cannot be read", "why=\"%s\"", db_why(hub->site->db));
        is_failing = r < 0;
        rest(hub, r > 0, clock_monotonic_us() - begun_us);
    }
    (void)pthread_mutex_unlock(&hub->lock);
    return NULL;
}

/* Signals are for the thread that serves. */
static int start(struct event_hub *hub)
{
    sigset_t every;
    sigset_t before;
    int r;

    (void)sigfillset(&every);
    (void)pthread_sigmask(SIG_SETMASK, &every, &before);
    r = pthread_create(&hub->thread, NULL, run, hub);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    hub->has_thread = r == 0;
    return r == 0 ? 0 : ERR(-r);
}

static void init_lock(struct event_hub *hub)
{
    pthread_condattr_t of_time;

    (void)pthread_mutex_init(&hub->lock, NULL);
    (void)pthread_condattr_init(&of_time);
    (void)pthread_condattr_setclock(&of_time, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&hub->is_changed, &of_time);
    (void)pthread_condattr_destroy(&of_time);
}

int event_hub_new(const struct api *writer, struct event_hub **ret)
{
    OWN(event_hub_freep) struct event_hub *hub = calloc(1, sizeof(*hub));
    int r;

    if (!hub)
        return ERR(-ENOMEM);
    init_lock(hub);
    r = site_open_reader(writer->database, &writer->site->settings, &hub->site);
    if (r == 0)
        r = start(hub);
    if (r != 0)
        return r > 0 ? ERR(-EBUSY) : TRACE(r);
    *ret = TAKE(hub);
    return 0;
}

void event_hub_free(struct event_hub *hub)
{
    if (!hub)
        return;
    (void)pthread_mutex_lock(&hub->lock);
    hub->is_ending = true;
    (void)pthread_cond_signal(&hub->is_changed);
    (void)pthread_mutex_unlock(&hub->lock);
    if (hub->has_thread)
        (void)pthread_join(hub->thread, NULL);
    take_in(hub);
    while (hub->first) {
        struct follower *f = hub->first;

        hub->first = f->next;
        follower_free(f);
    }
    site_free(hub->site);
    (void)pthread_cond_destroy(&hub->is_changed);
    (void)pthread_mutex_destroy(&hub->lock);
    free(hub);
}
