/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/follow.h"

#include <string.h>

#include "base/own.h"
#include "cli/patience.h"
#include "plat/clock.h"

enum {
    PATH_MAX_BYTES = 1024,
    HEADER_MAX_BYTES = 128,
    PAUSE_US =
        1000 * 1000, /* before a broken stream is begun again, and between two runs of a command */
};

struct following {
    struct session *s;
    const struct follow_options *options;
    struct sse sse;
    uint64_t silent_since_us; /* 0: something has come */
    bool is_begun;
    bool is_enough;
};

static void following_fini(struct following *f)
{
    sse_fini(&f->sse);
}

static bool on_event(void *ctx, const struct sse_event *event)
{
    struct following *f = ctx;

    f->is_enough = !f->options->take(f->options->ctx, event);
    return !f->is_enough;
}

static bool on_piece(void *ctx, struct bytes piece)
{
    struct following *f = ctx;

    f->silent_since_us = 0;
    f->is_begun = true;
    return sse_feed(&f->sse, piece, on_event, f);
}

static bool on_idle(void *ctx)
{
    struct following *f = ctx;

    f->is_enough |= !f->options->idle(f->options->ctx, f->is_begun);
    return !f->is_enough;
}

static void put_path(struct buf *dst, const struct follow_options *options)
{
    char mark = '?';

    buf_adds(dst, SESSION_API "/events");
    if (options->topics) {
        buf_addf(dst, "%ctopics=", mark);
        session_escape(dst, options->topics);
        mark = '&';
    }
    if (options->since) {
        buf_addf(dst, "%csince=", mark);
        session_escape(dst, options->since);
    }
}

/* One stream, as long as it lasts. Return: as http_client_follow(). */
static int follow_once(struct following *f, struct http_answer *ret)
{
    const struct http_follow follow = {.take = on_piece, .idle = on_idle, .ctx = f};
    OWN(buf_fini) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    OWN(buf_fini) struct buf last = BUF_INIT(HEADER_MAX_BYTES);
    int r = 0;

    put_path(&path, f->options);
    sse_restart(&f->sse);
    if (f->sse.id[0]) {
        buf_addf(&last, "Last-Event-ID: %s", f->sse.id);
        r = http_client_next_header(f->s->client, buf_str(&last));
    }
    return r < 0 ? r : http_client_follow(f->s->client, buf_str(&path), &follow, ret);
}

/* Whether another try may help. */
static bool is_passing(int r, unsigned status)
{
    return r == HTTP_CLIENT_E_UNREACHABLE ||
           (r == 0 && (status == 200 || status == 429 ||
                       (status >= 400 && session_exit_of(status) == ARGS_EXIT_UNREACHABLE)));
}

static bool fail(struct session *s, int r, const struct http_answer *answer)
{
    OWN(session_json_freep) json_t *problem = NULL;

    if (r != 0)
        return session_no_answer(s, r);
    problem = json_loadb(buf_str(&answer->body), answer->body.len, JSON_REJECT_DUPLICATES, NULL);
    return session_problem(s, answer->status, problem);
}

bool follow_events(struct session *s, const struct follow_options *options)
{
    OWN(following_fini) struct following f = {.s = s, .options = options};

    sse_init(&f.sse);
    for (;;) {
        OWN(http_answer_fini) struct http_answer answer = {0};
        int r = follow_once(&f, &answer);
        uint64_t now_us = clock_monotonic_us();

        if (f.is_enough)
            return true;
        if (f.silent_since_us == 0)
            f.silent_since_us = now_us;
        if (!is_passing(r, answer.status) || now_us - f.silent_since_us >= PATIENCE_US)
            return fail(s, r, &answer);
        clock_sleep_us(PAUSE_US);
        if (!options->idle(options->ctx, f.is_begun))
            return true;
    }
}

/* A command that is run again and again. */
struct repeated {
    struct session *s;
    const struct args *args;
    uint64_t run_us; /* when it was run last */
    bool is_old;     /* what it showed */
    bool is_failed;
};

static bool run_again(struct repeated *c)
{
    static const char clear[] = "\x1b[H\x1b[2J\x1b[3J";
    OWN(buf_fini) struct buf text = BUF_INIT(sizeof(clear));

    if (c->run_us > 0) {
        buf_adds(&text, c->s->has_cursor ? clear : "\n");
        c->is_failed = c->s->format == ARGS_FORMAT_TABLE && !session_write(c->s, &text);
    }
    c->run_us = clock_monotonic_us();
    c->is_old = false;
    c->is_failed = c->is_failed || !c->args->command->run(c->s, c->args);
    return !c->is_failed;
}

/* Return: whether it goes on. */
static bool run_if_old(struct repeated *c)
{
    args_run *is_over = c->args->command->is_over;

    if (!c->is_old || clock_monotonic_us() - c->run_us < PAUSE_US)
        return true;
    return run_again(c) && !(is_over && is_over(c->s, c->args));
}

/* Of a command about one thing only its events count. */
static bool on_change(void *ctx, const struct sse_event *event)
{
    struct repeated *c = ctx;
    OWN(session_json_freep) json_t *data = json_loads(event->data, JSON_REJECT_DUPLICATES, NULL);
    const char *id = c->args->command->is_by_id ? c->args->operands[0] : NULL;

    c->is_old |=
        !id || strcmp(event->name, "reset") == 0 || strcmp(output_text(data, "id"), id) == 0;
    return run_if_old(c);
}

/* It is run first when the stream has begun: nothing happens unseen between the two. */
static bool on_second(void *ctx, bool is_begun)
{
    return !is_begun || run_if_old(ctx);
}

bool follow_command(struct session *s, const struct args *args)
{
    struct repeated c = {.s = s, .args = args, .is_old = true};
    const struct follow_options options = {
        .topics = args->command->topics[0] ? args->command->topics : NULL,
        .take = on_change,
        .idle = on_second,
        .ctx = &c};
    OWN(session_fini) struct session other;
    bool is_good;

    if (!session_open(s))
        return false;
    session_init(&other, s->format);
    other.request_id = s->request_id;
    is_good = session_open(&other) && follow_events(&other, &options);
    if (other.exit_code != ARGS_EXIT_OK)
        s->exit_code = other.exit_code;
    return is_good && !c.is_failed;
}
