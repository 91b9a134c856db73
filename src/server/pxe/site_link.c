/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "server/pxe/site_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"
#include "rt/http_client.h"
#include "rt/log.h"

#define AWAY_LOG_EVERY_US (60ULL * 1000 * 1000)
#define DECISIONS_PATH    "/api/v1/internal/boot-decisions"
#define EVENTS_PATH       "/api/v1/internal/boot-events"
#define USER_AGENT        "slipway-pxe"

/* One question in the thread pool. */
struct flight {
    uv_work_t work;
    struct site_link *link;
    struct flight *next;
    struct site_ask ask;
    uint64_t asked_us; /* monotonic */
    json_t *body;      /* owned */
    json_t *answer;    /* owned; NULL: none came */
    unsigned status;   /* 0: none came */
    char why[SITE_TEXT_MAX];
    _Alignas(max_align_t) uint8_t extra[SITE_ASK_EXTRA_BYTES];
};

/* The events taken to the site together. */
struct delivery {
    uv_work_t work;
    struct site_link *link;
    size_t n_events;
    json_t *events[SITE_EVENTS_MAX]; /* owned */
};

struct site_link {
    uv_loop_t *loop;
    char *socket_path; /* owned */
    struct http_tokens tokens;
    uint64_t timeout_us;
    site_answer *answer;
    void *ctx;
    bool is_stopping;

    struct flight *flights; /* owned by the thread pool until they land */
    unsigned n_flights;

    uv_mutex_t lock; /* of the next two: the pool's threads share them */
    struct http_client *idle[SITE_LINK_THREADS]; /* owned; open, and not used now */
    size_t n_idle;

    json_t *events[SITE_EVENTS_MAX]; /* owned; the oldest first */
    size_t n_events;
    uint64_t n_dropped;
    struct delivery *delivery; /* the thread pool's until it has landed; NULL: none is on its way */

    uint64_t away_logged_us;
};

static void flight_free(struct flight *flight)
{
    if (!flight)
        return;
    json_decref(flight->body);
    json_decref(flight->answer);
    free(flight);
}

static void delivery_free(struct delivery *delivery)
{
    if (!delivery)
        return;
    for (size_t i = 0; i < delivery->n_events; i++)
        json_decref(delivery->events[i]);
    free(delivery);
}

static void link_free(struct site_link *link)
{
    if (!link)
        return;
    for (size_t i = 0; i < link->n_events; i++)
        json_decref(link->events[i]);
    for (size_t i = 0; i < link->n_idle; i++)
        http_client_free(link->idle[i]);
    uv_mutex_destroy(&link->lock);
    free(link->socket_path);
    free(link);
}

DEFINE_FREEP(struct flight *, flight_free);
DEFINE_FREEP(struct delivery *, delivery_free);
DEFINE_FREEP(struct site_link *, link_free);

int site_link_size_pool(void)
{
    char text[8];

    (void)snprintf(text, sizeof(text), "%d", SITE_LINK_THREADS);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread, as long as the pool has none */
    return setenv("UV_THREADPOOL_SIZE", text, 1) == 0 ? 0 : ERR(-errno);
}

int site_link_new(const struct site_link_options *options, struct site_link **ret)
{
    OWN(link_freep) struct site_link *link = calloc(1, sizeof(*link));

    if (!link)
        return ERR(-ENOMEM);
    if (uv_mutex_init(&link->lock) < 0) {
        free(TAKE(link));
        return ERR(-ENOMEM);
    }
    link->loop = options->loop;
    link->answer = options->answer;
    link->ctx = options->ctx;
    link->tokens = options->tokens;
    link->timeout_us = options->timeout_us > 0 ? options->timeout_us : SITE_ASK_TIMEOUT_US;
    link->socket_path = strdup(options->socket_path);
    if (!link->socket_path)
        return ERR(-ENOMEM);

    *ret = TAKE(link);
    return 0;
}

/* Whoever ends last turns off the light. */
static void free_if_over(struct site_link *link)
{
    if (link->is_stopping && link->n_flights == 0 && !link->delivery)
        link_free(link);
}

void site_link_stop(struct site_link *link)
{
    if (!link)
        return;
    link->is_stopping = true;
    free_if_over(link);
}

static json_t *address_json(uint32_t address)
{
    char text[INET_ADDRSTRLEN];
    struct in_addr raw = {.s_addr = htonl(address)};

    if (address == 0 || !inet_ntop(AF_INET, &raw, text, sizeof(text)))
        return json_null();
    return json_string(text);
}

static json_t *ask_json(const struct site_ask *ask)
{
    static const char *const stages[] = {
        [SITE_ASK_DISCOVER] = "discover",
        [SITE_ASK_REQUEST] = "request",
        [SITE_ASK_CONFIG] = "config",
    };
    char mac[MAC_TEXT_MAX];
    char uuid[UUID_TEXT_MAX];

    mac_put(mac, ask->mac);
    uuid_put(uuid, ask->uuid);
    return json_pack("{s:s, s:s?, s:i, s:s, s:b, s:s, s:o, s:o, s:s}",
                     "mac",
                     mac,
                     "uuid",
                     ask->has_uuid ? uuid : NULL,
                     "arch",
                     (int)ask->arch,
                     "client",
                     ask->is_http ? "http" : "pxe",
                     "ipxe",
                     (int)ask->is_ipxe,
                     "interface",
                     ask->interface,
                     "server_address",
                     address_json(ask->server_address),
                     "relay",
                     address_json(ask->relay),
                     "stage",
                     stages[ask->stage]);
}

static int open_client(const struct site_link *link, struct http_client **ret)
{
    struct http_client_options options = {
        .base_url = "http://site",
        .unix_socket = link->socket_path,
        .tokens = link->tokens,
        .user_agent = USER_AGENT,
        .timeout_us = link->timeout_us,
    };

    return TRACE(http_client_new(&options, ret));
}

/* A connection that is open, if one is idle; in a thread of the pool, as the next. */
static int take_client(struct site_link *link, struct http_client **ret)
{
    *ret = NULL;
    uv_mutex_lock(&link->lock);
    if (link->n_idle > 0)
        *ret = link->idle[--link->n_idle];
    uv_mutex_unlock(&link->lock);
    return *ret ? 0 : TRACE(open_client(link, ret));
}

/* There is room: it is used by the thread that has it, and there are no more threads. */
static void put_client(struct site_link *link, struct http_client **client)
{
    uv_mutex_lock(&link->lock);
    if (*client && link->n_idle < SITE_LINK_THREADS)
        link->idle[link->n_idle++] = TAKE(*client);
    uv_mutex_unlock(&link->lock);
    http_client_free(*client);
}

/* Who asked so long ago has given up, or asks again: the thread is for others. */
static bool is_too_old(struct flight *flight)
{
    if (clock_monotonic_us() - flight->asked_us < flight->link->timeout_us)
        return false;
    (void)snprintf(flight->why, sizeof(flight->why), "it keeps too many other questions waiting");
    return true;
}

/* In a thread of the pool: touches nothing but @work's own. */
static void fly(uv_work_t *work)
{
    struct flight *flight = work->data;
    struct http_client *client = NULL;
    int r;

    if (is_too_old(flight))
        return;
    r = take_client(flight->link, &client);
    if (r == 0)
        r = http_client_json(
            client, "POST", DECISIONS_PATH, flight->body, &flight->status, &flight->answer);
    if (r > 0)
        (void)snprintf(flight->why, sizeof(flight->why), "%s", http_client_why(client));
    else if (r < 0)
        (void)snprintf(flight->why, sizeof(flight->why), "%s", strerrordesc_np(-r));
    if (r != 0)
        flight->status = 0;
    put_client(flight->link, &client);
}

static void read_text(const json_t *answer, const char *name, char dst[static SITE_TEXT_MAX])
{
    const json_t *value = json_object_get(answer, name);

    dst[0] = '\0';
    if (json_is_string(value))
        (void)log_escape(dst, SITE_TEXT_MAX, json_string_value(value), json_string_length(value));
}

static struct site_decision read_decision(const json_t *answer)
{
    struct site_decision ret = {.is_away = true};
    const char *word = json_string_value(json_object_get(answer, "answer"));
    const json_t *secure_boot = json_object_get(answer, "secure_boot");

    if (!word || (strcmp(word, "offer") != 0 && strcmp(word, "silence") != 0))
        return ret;
    ret.is_away = false;
    ret.is_offer = strcmp(word, "offer") == 0;
    if (json_is_boolean(secure_boot))
        ret.secure_boot = json_is_true(secure_boot) ? SECURE_BOOT_ON : SECURE_BOOT_OFF;
    read_text(answer, "reason", ret.reason);
    read_text(answer, "text", ret.text);
    read_text(answer, "file", ret.file);
    read_text(answer, "url", ret.url);
    ret.config = json_string_value(json_object_get(answer, "config"));
    return ret;
}

static void log_away(struct site_link *link, const char *why)
{
    uint64_t now = clock_monotonic_us();

    if (link->away_logged_us != 0 && now - link->away_logged_us < AWAY_LOG_EVERY_US)
        return;
    link->away_logged_us = now;
    log_warning("the site gives no boot decisions, so clients get no answer", "why=\"%s\"", why);
}

static void note_whether_away(struct site_link *link,
                              const struct flight *flight,
                              const struct site_decision *decision)
{
    char why[SITE_TEXT_MAX];

    if (decision->is_away) {
        (void)snprintf(why, sizeof(why), "the site answered with HTTP status %u", flight->status);
        log_away(link, flight->status == 0 ? flight->why : why);
        return;
    }
    if (link->away_logged_us != 0)
        log_info("the site gives boot decisions again", "socket=\"%s\"", link->socket_path);
    link->away_logged_us = 0;
}

static void land(uv_work_t *work, int status)
{
    OWN(flight_freep) struct flight *flight = work->data;
    struct site_link *link = flight->link;
    struct flight **at = &link->flights;
    struct site_decision decision = {.is_away = true};

    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    link->n_flights--;

    if (link->is_stopping) {
        free_if_over(link);
        return;
    }
    if (status == 0 && flight->status == 200)
        decision = read_decision(flight->answer);
    note_whether_away(link, flight, &decision);
    link->answer(link->ctx, &flight->ask, flight->extra, &decision);
}

static bool is_in_flight(const struct site_link *link, const struct site_ask *ask)
{
    for (const struct flight *f = link->flights; f; f = f->next)
        if (f->ask.key == ask->key && f->ask.stage == ask->stage &&
            memcmp(f->ask.mac, ask->mac, MAC_BYTES) == 0)
            return true;
    return false;
}

int site_link_ask(struct site_link *link,
                  const struct site_ask *ask,
                  const void *extra,
                  size_t extra_len)
{
    OWN(flight_freep) struct flight *flight = NULL;
    int r;

    if (is_in_flight(link, ask))
        return SITE_LINK_E_SAME;
    if (link->n_flights >= SITE_ASKS_MAX)
        return SITE_LINK_E_BUSY;

    flight = calloc(1, sizeof(*flight));
    if (!flight || extra_len > sizeof(flight->extra))
        return ERR(-ENOMEM);
    flight->work.data = flight;
    flight->link = link;
    flight->ask = *ask;
    flight->asked_us = clock_monotonic_us();
    memcpy(flight->extra, extra, extra_len);
    flight->body = ask_json(ask);
    if (!flight->body)
        return ERR(-ENOMEM);

    r = uv_queue_work(link->loop, &flight->work, fly, land);
    if (r < 0)
        return ERR(r);
    flight->next = link->flights;
    link->flights = TAKE(flight);
    link->n_flights++;
    return 0;
}

static int deliver_one(struct http_client *client, const json_t *event)
{
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;

    return http_client_json(client, "POST", EVENTS_PATH, event, &status, &answer);
}

/* If the site is away, the rest is lost with the one that it did not take. */
static void deliver(uv_work_t *work)
{
    struct delivery *delivery = work->data;
    struct http_client *client = NULL;
    int r = take_client(delivery->link, &client);

    for (size_t i = 0; r == 0 && i < delivery->n_events; i++)
        r = deliver_one(client, delivery->events[i]);
    put_client(delivery->link, &client);
}

static void start_delivery(struct site_link *link);

static void delivered(uv_work_t *work, int status)
{
    OWN(delivery_freep) struct delivery *delivery = work->data;
    struct site_link *link = delivery->link;

    (void)status;
    link->delivery = NULL;
    if (link->is_stopping)
        free_if_over(link);
    else
        start_delivery(link);
}

static void start_delivery(struct site_link *link)
{
    OWN(delivery_freep) struct delivery *delivery = NULL;

    if (link->delivery || link->n_events == 0)
        return;
    delivery = calloc(1, sizeof(*delivery));
    if (!delivery)
        return;
    delivery->work.data = delivery;
    delivery->link = link;
    for (size_t i = 0; i < link->n_events; i++)
        delivery->events[i] = link->events[i];
    delivery->n_events = link->n_events;
    link->n_events = 0;
    if (link->n_dropped > 0)
        log_warning("boot events dropped", "count=%" PRIu64, link->n_dropped);
    link->n_dropped = 0;

    if (uv_queue_work(link->loop, &delivery->work, deliver, delivered) < 0)
        return;
    link->delivery = TAKE(delivery);
}

void site_link_report(struct site_link *link,
                      const uint8_t mac[static MAC_BYTES],
                      const char *event,
                      const char *detail)
{
    char text[MAC_TEXT_MAX];
    json_t *body;

    mac_put(text, mac);
    body = json_pack("{s:s, s:s, s:s}", "mac", text, "event", event, "detail", detail);
    if (!body)
        return;
    if (link->n_events == SITE_EVENTS_MAX) {
        json_decref(link->events[0]);
        link->n_events--;
        for (size_t i = 0; i < link->n_events; i++)
            link->events[i] = link->events[i + 1];
        link->n_dropped++;
    }
    link->events[link->n_events++] = body;
    start_delivery(link);
}
