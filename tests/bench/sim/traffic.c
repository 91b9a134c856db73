/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "traffic.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/err.h"
#include "base/own.h"
#include "ticket.h"

enum {
    US_PER_S = 1000000,
    CYCLE = 8,
};

enum stage {
    STAGE_TICKET,
    STAGE_REGISTER,
    STAGE_ORDER,
    STAGE_BEGIN,
    STAGE_READY,
};

struct traffic;

struct worker {
    struct traffic *traffic;
    struct agent agent;
    struct connection roles; /* closed when it has its ticket */
    struct sim_timer due;
    enum stage stage;
    unsigned turn;
};

struct traffic {
    const struct traffic_options *options;
    struct sim_loop loop;
    struct agent_options agents;
    struct figures begun[AGENT_ASKS];
    struct figures figures[AGENT_ASKS];
    struct worker *workers; /* owned */
    uint64_t n_begun;
    uint64_t n_ready;
    uint64_t n_failed;
    uint64_t n_again;
    uint64_t begin_us;
    uint64_t end_us;
    struct sim_timer over;
};

static void begin_next(struct traffic *traffic);

static void fail(struct worker *worker, const char *what)
{
    static const char *const asks[] = {
        "the time", "its registration", "its token", "its order", "what is wanted", "its report"};
    struct traffic *traffic = worker->traffic;
    char mac[MAC_TEXT_MAX];

    mac_put(mac, worker->agent.mac);
    (void)fprintf(stderr,
                  "slipway-sim: %s: %s: status %u\n",
                  mac,
                  what ? what : asks[worker->agent.ask],
                  worker->agent.status);
    traffic->n_failed++;
    traffic->loop.is_over = true;
}

/* Of eight requests six report, one takes the policy whole, one asks what is wanted. */
static void ask_next(struct worker *worker, uint64_t due_us)
{
    static const enum agent_state states[CYCLE] = {
        [1] = AGENT_STEP_STARTED,
        [2] = AGENT_STEP_PROGRESS,
        [3] = AGENT_STEP_PROGRESS,
        [5] = AGENT_STEP_PROGRESS,
        [6] = AGENT_STEP_PROGRESS,
        [7] = AGENT_STEP_SUCCEEDED,
    };
    unsigned turn = worker->turn++ % CYCLE;

    if (turn == 0)
        agent_order(&worker->agent, due_us);
    else if (turn == 4)
        agent_wish(&worker->agent, due_us);
    else
        agent_report(&worker->agent, states[turn], due_us);
}

/* The next one is due a period after the last one was, however long that took. */
static void wait_turn(struct worker *worker, uint64_t due_us)
{
    const struct traffic_options *options = worker->traffic->options;
    struct sim_loop *loop = &worker->traffic->loop;

    if (loop->now_us >= worker->traffic->end_us)
        return;
    if (options->rate_per_s == 0) {
        ask_next(worker, loop->now_us);
        return;
    }
    due_us += options->n_agents * US_PER_S / options->rate_per_s;
    if (due_us <= loop->now_us)
        ask_next(worker, due_us);
    else if (sim_timer_set(loop, &worker->due, due_us) < 0)
        fail(worker, "no memory");
}

static void on_due(void *ctx)
{
    struct worker *worker = ctx;

    ask_next(worker, worker->due.at_us);
}

static void on_over(void *ctx)
{
    struct traffic *traffic = ctx;

    traffic->loop.is_over = true;
}

/* All are in their task sequences: the agents' turns are spread over their first period. */
static void begin_traffic(struct traffic *traffic)
{
    const struct traffic_options *options = traffic->options;
    uint64_t now_us = traffic->loop.now_us;
    uint64_t period_us =
        options->rate_per_s > 0 ? options->n_agents * US_PER_S / options->rate_per_s : 0;

    memcpy(traffic->begun, traffic->figures, sizeof(traffic->begun));
    memset(traffic->figures, 0, sizeof(traffic->figures));
    traffic->begin_us = now_us;
    traffic->end_us = now_us + options->duration_us;
    if (sim_timer_set(&traffic->loop, &traffic->over, traffic->end_us) < 0)
        traffic->loop.is_over = true;
    for (uint64_t i = 0; i < options->n_agents; i++)
        if (sim_timer_set(&traffic->loop,
                          &traffic->workers[i].due,
                          now_us + period_us * i / options->n_agents) < 0)
            traffic->loop.is_over = true;
}

static void go_on(struct worker *worker)
{
    struct traffic *traffic = worker->traffic;
    uint64_t now_us = traffic->loop.now_us;

    switch (worker->stage++) {
    case STAGE_TICKET:
        agent_register(&worker->agent, now_us);
        return;
    case STAGE_REGISTER:
        agent_order(&worker->agent, now_us);
        return;
    case STAGE_ORDER:
        agent_report(&worker->agent, AGENT_STARTED, now_us);
        return;
    case STAGE_BEGIN:
    case STAGE_READY:
        break;
    }
    traffic->n_ready++;
    if (traffic->n_ready == traffic->options->n_agents)
        begin_traffic(traffic);
    else
        begin_next(traffic);
}

static void on_done(void *ctx, bool is_good)
{
    struct worker *worker = ctx;

    if (!is_good)
        fail(worker, NULL);
    else if (worker->stage == STAGE_READY)
        wait_turn(worker, worker->agent.begin_us);
    else
        go_on(worker);
}

static void on_ticket(void *ctx, const struct answer *answer)
{
    struct worker *worker = ctx;

    if (!ticket_read(answer, worker->agent.ticket)) {
        worker->agent.status = answer->status;
        fail(worker, "the site offers it nothing to boot");
        return;
    }
    go_on(worker);
    connection_fini(&worker->roles);
}

static void ask_for_ticket(struct worker *worker)
{
    const struct traffic_options *options = worker->traffic->options;

    worker->stage = STAGE_TICKET;
    connection_init(&worker->roles,
                    &(struct connection_options){
                        .loop = &worker->traffic->loop, .answer = on_ticket, .ctx = worker});
    connection_aim(&worker->roles, options->roles, 0);
    if (ticket_ask(&worker->roles, worker->agent.mac, options->server) < 0)
        fail(worker, "the socket of the roles cannot be reached");
}

static void begin_next(struct traffic *traffic)
{
    const struct traffic_options *options = traffic->options;
    struct worker *worker;

    if (traffic->n_begun == options->n_agents)
        return;
    worker = &traffic->workers[traffic->n_begun];
    worker->traffic = traffic;
    worker->due = (struct sim_timer){.fire = on_due, .ctx = worker};
    agent_init(&worker->agent, &traffic->agents, worker, options->first + traffic->n_begun++);
    ask_for_ticket(worker);
}

static void print(const struct traffic *traffic)
{
    static const char *const names[] = {"time", "registration", "token", "order", "wish", "report"};
    struct figures all = {0};
    double elapsed_s = (double)(traffic->loop.now_us - traffic->begin_us) / US_PER_S;

    (void)printf("{");
    for (unsigned i = 0; i < AGENT_ASKS; i++) {
        const struct figures *f = i <= AGENT_REGISTER ? &traffic->begun[i] : &traffic->figures[i];

        (void)printf("\"%s\": ", names[i]);
        figures_print(f, stdout);
        (void)printf(", ");
        if (i > AGENT_TOKEN)
            figures_join(&all, f);
    }
    (void)printf("\"all\": ");
    figures_print(&all, stdout);
    (void)printf(", \"elapsed_s\": %.3f, \"requests_per_s\": %.0f, \"n_again\": %" PRIu64
                 ", \"n_failed\": %" PRIu64 "}\n",
                 elapsed_s,
                 elapsed_s > 0 ? (double)all.n / elapsed_s : 0,
                 traffic->n_again,
                 traffic->n_failed);
}

static int write_acknowledged(const struct traffic *traffic)
{
    FILE *file = fopen(traffic->options->ack_file, "we");

    if (!file)
        return ERR(-errno);
    for (uint64_t i = 0; i < traffic->n_ready; i++)
        (void)fprintf(file,
                      "%s %" PRIu64 "\n",
                      traffic->workers[i].agent.order_id,
                      traffic->workers[i].agent.acked);
    return fclose(file) != 0 ? ERR(-errno) : 0;
}

static int run(struct traffic *traffic)
{
    const struct traffic_options *options = traffic->options;
    int r;

    for (uint64_t i = 0; i < options->n_at_once; i++)
        begin_next(traffic);
    r = sim_loop_run(&traffic->loop);
    if (r == 0)
        print(traffic);
    if (r == 0 && options->ack_file)
        r = write_acknowledged(traffic);
    for (uint64_t i = 0; i < traffic->n_begun; i++) {
        agent_fini(&traffic->workers[i].agent);
        connection_fini(&traffic->workers[i].roles);
    }
    return r < 0 ? TRACE(r) : traffic->n_failed > 0;
}

int traffic_run(const struct traffic_options *options)
{
    OWN(freep) struct traffic *traffic = calloc(1, sizeof(*traffic));
    OWN(freep) struct worker *workers = calloc(options->n_agents, sizeof(*workers));
    int r;

    if (!traffic || !workers)
        return ERR(-ENOMEM);
    traffic->options = options;
    traffic->workers = workers;
    traffic->over = (struct sim_timer){.fire = on_over, .ctx = traffic};
    traffic->agents = (struct agent_options){.loop = &traffic->loop,
                                             .site = options->site,
                                             .figures = traffic->figures,
                                             .n_again = &traffic->n_again,
                                             .renew_us = options->renew_us,
                                             .done = on_done};
    r = sim_loop_init(&traffic->loop);
    if (r == 0)
        r = run(traffic);
    sim_loop_fini(&traffic->loop);
    return TRACE(r);
}
