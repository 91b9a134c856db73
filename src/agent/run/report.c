/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/run/report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "base/text.h"
#include "plat/clock.h"

enum {
    HTTP_OK = 200,
    HTTP_MULTIPLE_CHOICES = 300,
    HTTP_GONE = 410,
    HTTP_TOO_MANY = 429,
    HTTP_REQUEST_TIMEOUT = 408,
    HTTP_UNAUTHORIZED = 401,
    HTTP_SERVER_ERROR = 500,
    BACKOFF_FIRST_US = 1000 * 1000,
    BACKOFF_MAX_US = 30 * 1000 * 1000,
    PROGRESS_INTERVAL_US = 1000 * 1000,
    LOG_INTERVAL_US = 5 * 1000 * 1000,
    NAP_US = 200 * 1000,
    PERCENT_MAX = 100,
    LOG_TRIES_MAX = 3, /* that an order has failed is worth more than how */
    MESSAGE_MAX_BYTES = 16 * 1024,
    OUTPUT_MAX_BYTES = 1024 * 1024,
    WHOLE_LOG_MAX = 4 * 1024 * 1024 - 1, /* its end */
};

struct report {
    struct link *link;       /* borrowed */
    struct journal *journal; /* borrowed; NULL */
    char *path;              /* owned; of the order */
    json_t *queue;           /* owned; array of status objects, oldest first */
    uint64_t seq;
    uint64_t backoff_us;    /* 0: the site answers */
    uint64_t not_before_us; /* monotonic: no try before */
    uint64_t last_progress_us;
    uint64_t last_log_us;
    uint64_t last_whole_log_us;
    unsigned n_log_tries; /* of the log before a bad end */
    bool is_retry_off;
    bool has_given_up; /* by is_retry_off */
    bool is_over;
    bool is_cancelled; /* over, but the site waits for our word */
    struct report_wish wish;
};

DEFINE_FREEP(struct report *, report_free);

int report_new(struct link *link,
               struct journal *journal,
               const char *order_id,
               uint64_t seq,
               struct report **ret)
{
    OWN(report_freep) struct report *report = calloc(1, sizeof(*report));
    OWN(buf_fini) struct buf path = BUF_INIT(1024);

    if (!report)
        return ERR(-ENOMEM);
    buf_addf(&path, "/api/v1/client/orders/%s", order_id);
    report->link = link;
    report->journal = journal;
    report->seq = seq;
    report->path = buf_take(&path);
    report->queue = json_array();
    if (!report->path || !report->queue)
        return ERR(-ENOMEM);
    *ret = TAKE(report);
    return 0;
}

void report_free(struct report *report)
{
    if (!report)
        return;
    json_decref(report->queue);
    free(report->path);
    free(report);
}

/* Without secrets, and then the last bytes of it, from the beginning of a character. Return: 0 or -errno. */
static int put_output(struct report *report, const char *output, json_t *dst)
{
    OWN(buf_fini) struct buf text = BUF_INIT(OUTPUT_MAX_BYTES);
    const char *tail;

    if (!output || output[0] == '\0')
        return 0;
    if (report->journal)
        journal_mask(report->journal, output, &text);
    else
        buf_adds(&text, output);
    tail = buf_str(&text);
    if (text.len > REPORT_OUTPUT_MAX)
        tail += text.len - REPORT_OUTPUT_MAX;
    while (((unsigned char)*tail & 0xc0) == 0x80)
        tail++;
    return json_object_set_new(dst, "output", json_string(tail)) < 0 ? ERR(-ENOMEM) : 0;
}

static json_t *make_status(struct report *report, const struct report_status *s)
{
    OWN(buf_fini) struct buf message = BUF_INIT(MESSAGE_MAX_BYTES);

    if (report->journal) /* no secret in what is told: the same rule as for the log */
        journal_mask(report->journal, s->message ? s->message : "", &message);
    else
        buf_adds(&message, s->message ? s->message : "");
    if (message.ptr)
        text_make_utf8(message.ptr); /* a status that cannot be made would end the deployment */
    return json_pack(
        "{s:I, s:s, s:I, s:I, s:s, s:s, s:s, s:s, s:o, s:I, s:i, s:s?, s:s, s:s*, s:I, s:I, s:I}",
        "seq",
        (json_int_t)report->seq++,
        "state",
        s->state,
        "step",
        (json_int_t)s->step,
        "n_steps",
        (json_int_t)s->n_steps,
        "step_name",
        s->step_name ? s->step_name : "",
        "step_type",
        s->step_type ? s->step_type : "",
        "group",
        s->group ? s->group : "",
        "environment",
        s->is_full_os ? "full-os" : "boot-image",
        "percent",
        s->percent <= PERCENT_MAX ? json_integer((json_int_t)s->percent) : json_null(),
        "rate_bytes_per_s",
        (json_int_t)s->rate_bytes_per_s,
        "exit_code",
        s->exit_code,
        "error_id",
        s->error_id,
        "message",
        buf_str(&message),
        "restart_to",
        s->restart_to,
        "time_us",
        (json_int_t)clock_wall_us(),
        "downloaded_bytes",
        (json_int_t)s->downloaded_bytes,
        "reused_bytes",
        (json_int_t)s->reused_bytes);
}

static void back_off(struct report *report)
{
    report->backoff_us = report->backoff_us == 0 ? BACKOFF_FIRST_US : 2 * report->backoff_us;
    if (report->backoff_us > BACKOFF_MAX_US)
        report->backoff_us = BACKOFF_MAX_US;
    report->not_before_us = clock_monotonic_us() + report->backoff_us;
}

static bool is_worth_another_try(unsigned status)
{
    return status >= HTTP_SERVER_ERROR || status == HTTP_TOO_MANY || status == HTTP_REQUEST_TIMEOUT;
}

static void take_wish(struct report *report, const json_t *answer)
{
    const char *wish = json_string_value(json_object_get(answer, "wish"));
    json_int_t until = json_integer_value(json_object_get(answer, "pause_until_us"));
    json_int_t log = json_integer_value(json_object_get(answer, "log_wanted"));

    report->is_cancelled = json_is_true(json_object_get(answer, "is_cancelled"));
    report->wish = (struct report_wish){
        .is_paused = wish && strcmp(wish, "pause") == 0,
        .is_debug = json_is_true(json_object_get(answer, "is_debug")),
        .pause_until_us = until > 0 ? (uint64_t)until : 0,
        .log_wanted = log > 0 ? (uint64_t)log : 0,
    };
}

/* One call below the order. Return: whether the site has answered; false: try again later. */
static bool call(struct report *report,
                 const char *method,
                 const char *what,
                 const json_t *body,
                 unsigned *ret_code,
                 json_t **ret)
{
    OWN(buf_fini) struct buf path = BUF_INIT(1024);
    int r;

    buf_addf(&path, "%s/%s", report->path, what);
    r = link_json(report->link, method, buf_str(&path), body, ret_code, ret);
    if (r != 0 || is_worth_another_try(*ret_code)) {
        back_off(report);
        return false;
    }
    report->backoff_us = 0;
    report->not_before_us = 0;
    if (*ret_code == HTTP_OK)
        take_wish(report, *ret);
    else
        report->is_cancelled = false;
    /* a token that is too old, or of a computer that was deleted: no order can be alive with it */
    if (*ret_code == HTTP_GONE || *ret_code == HTTP_UNAUTHORIZED || report->is_cancelled)
        report->is_over = true;
    return true;
}

/* The whole of smsts.log, for the order. Return: 0, also if there is none to send, or why the site does not answer. */
static int put_log(struct report *report, uint64_t number, unsigned *ret_code)
{
    OWN(buf_fini) struct buf text = BUF_INIT(WHOLE_LOG_MAX);
    OWN(buf_fini) struct buf path = BUF_INIT(1024);

    *ret_code = HTTP_SERVER_ERROR;
    if (!report->journal || journal_read(report->journal, &text) < 0)
        return 0;
    buf_addf(&path, "%s/log/%" PRIu64, report->path, number);
    return link_text(report->link, "PUT", buf_str(&path), buf_bytes(&text), ret_code);
}

/* The end of an order that did not succeed: how it came to that goes before it, while the order is not over yet. */
static bool is_bad_end(const json_t *status)
{
    const char *state = json_string_value(json_object_get(status, "state"));

    return state && (strcmp(state, "failed") == 0 || strcmp(state, "cancelled") == 0);
}

/* Send one. Return: whether it is dealt with; false: try again later. */
static bool deliver(struct report *report, const json_t *status)
{
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned code = 0;

    if (is_bad_end(status) && report->n_log_tries < LOG_TRIES_MAX) {
        report->n_log_tries++;
        if (put_log(report, 0, &code) > 0) {
            back_off(report);
            return false;
        }
        report->n_log_tries = LOG_TRIES_MAX;
    }
    if (!call(report, "POST", "status", status, &code, &answer))
        return false;
    if (code != HTTP_OK && !report->is_over && report->journal) /* repeating makes it no better */
        journal_write(report->journal,
                      CMTRACE_WARNING,
                      "Status",
                      "The site refused a status with %u: %s",
                      code,
                      json_string_value(json_object_get(answer, "detail"))
                          ? json_string_value(json_object_get(answer, "detail"))
                          : "");
    return true;
}

static void send_log(struct report *report)
{
    uint64_t now = clock_monotonic_us();
    unsigned code = 0;
    struct bytes text;

    if (!report->journal || report->is_over || now < report->last_log_us + LOG_INTERVAL_US)
        return;
    text = journal_pending(report->journal);
    report->last_log_us = now;
    if (text.len == 0 || link_text(report->link, "POST", "/api/v1/client/log", text, &code) != 0 ||
        is_worth_another_try(code))
        return;
    journal_sent(report->journal, text.len);
}

/* Because somebody at the site wants it. Best effort: it is asked for until it has come. */
static void send_whole_log(struct report *report)
{
    uint64_t now = clock_monotonic_us();
    unsigned code = 0;

    if (report->wish.log_wanted == 0 || report->is_over ||
        now < report->last_whole_log_us + LOG_INTERVAL_US)
        return;
    report->last_whole_log_us = now;
    if (put_log(report, report->wish.log_wanted, &code) == 0 && code < HTTP_MULTIPLE_CHOICES)
        report->wish.log_wanted = 0;
}

/* Only the newest is kept, for report_drain(). */
static void give_up(struct report *report)
{
    if (!report->has_given_up && report->journal)
        journal_write(
            report->journal,
            CMTRACE_WARNING,
            "Status",
            "The site does not answer, and SMSTSDisableStatusRetry is set: it is not told "
            "what follows");
    report->has_given_up = true;
    while (json_array_size(report->queue) > 1)
        (void)json_array_remove(report->queue, 0);
}

static void flush(struct report *report)
{
    if (report->has_given_up) {
        give_up(report);
        return;
    }
    while (json_array_size(report->queue) > 0 && !report->is_over) {
        if (clock_monotonic_us() < report->not_before_us)
            return;
        if (!deliver(report, json_array_get(report->queue, 0))) {
            if (report->is_retry_off)
                give_up(report);
            return;
        }
        (void)json_array_remove(report->queue, 0);
    }
    send_log(report);
    send_whole_log(report);
}

int report_add(struct report *report, const struct report_status *status)
{
    OWN(json_decrefp) json_t *object = make_status(report, status);

    if (!object || put_output(report, status->output, object) < 0 ||
        json_array_append(report->queue, object) != 0)
        return ERR(-ENOMEM);
    if (json_array_size(report->queue) > REPORT_QUEUE_MAX)
        (void)json_array_remove(report->queue, 0);
    flush(report);
    return 0;
}

int report_progress(struct report *report, const struct report_status *status)
{
    uint64_t now = clock_monotonic_us();

    if (now < report->last_progress_us + PROGRESS_INTERVAL_US || report->is_over)
        return 0;
    report->last_progress_us = now;
    flush(report);
    if (json_array_size(report->queue) > 0 || now < report->not_before_us)
        return 0;

    OWN(json_decrefp) json_t *object = make_status(report, status);

    if (!object)
        return ERR(-ENOMEM);
    (void)deliver(report, object);
    return 0;
}

void report_set_retry(struct report *report, bool is_wanted)
{
    report->is_retry_off = !is_wanted;
}

bool report_drain(struct report *report, uint64_t patience_us)
{
    uint64_t until = clock_monotonic_us() + patience_us;

    report->not_before_us = 0;
    if (report->has_given_up) { /* one more try */
        report->has_given_up = false;
        patience_us = 0;
    }
    for (;;) {
        report->last_log_us = 0;
        flush(report);
        if (report->is_over || json_array_size(report->queue) == 0)
            return true;
        if (report->has_given_up || clock_monotonic_us() >= until)
            return false;
        clock_sleep_us(NAP_US);
    }
}

bool report_call(
    struct report *report, const char *method, const char *what, const json_t *body, json_t **ret)
{
    unsigned code = 0;

    flush(report);
    if (report->is_over || json_array_size(report->queue) > 0 ||
        clock_monotonic_us() < report->not_before_us)
        return false;
    return call(report, method, what, body, &code, ret) && code == HTTP_OK;
}

bool report_poll(struct report *report)
{
    OWN(json_decrefp) json_t *answer = NULL;

    return report_call(report, "GET", "wish", NULL, &answer);
}

const struct report_wish *report_wish(const struct report *report)
{
    return &report->wish;
}

void report_set_wish(struct report *report, const struct report_wish *wish)
{
    report->wish = *wish;
}

bool report_is_cancelled(const struct report *report)
{
    return report->is_cancelled;
}

int report_cancelled(struct report *report,
                     const struct report_status *status,
                     uint64_t patience_us)
{
    if (!report->is_cancelled)
        return 0;
    report->is_over = false;
    (void)json_array_clear(report->queue);

    int r = report_add(report, status);

    if (r == 0)
        (void)report_drain(report, patience_us);
    report->is_over = true;
    report->is_cancelled = true;
    return TRACE(r);
}

bool report_is_over(const struct report *report)
{
    return report->is_over;
}

uint64_t report_seq(const struct report *report)
{
    return report->seq;
}
