/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/own.h"
#include "format/proof/proof.h"

enum {
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_UNAUTHORIZED = 401,
    HTTP_SERVER_ERROR = 500,
    US_PER_S = 1000000,
};

void agent_mac(uint8_t ret[static MAC_BYTES], uint64_t number)
{
    ret[0] = 0x52;
    ret[1] = 0x54;
    for (unsigned i = 0; i < 4; i++)
        ret[2 + i] = (uint8_t)(number >> (24 - 8 * i));
}

/* What is signed (docs/protocol/client-api.md, Device keys). Return: whether it fits. */
static bool put_subject(const struct agent *agent, struct sink *dst)
{
    char mac[MAC_TEXT_MAX];
    char pin[SHA256_TEXT_MAX];
    char subject[TOKEN_TEXT_MAX + MAC_TEXT_MAX];
    bool is_token = agent->ask == AGENT_TOKEN;
    struct proof proof = {.purpose = is_token ? PROOF_TOKEN : PROOF_REGISTRATION,
                          .challenge = agent->challenge,
                          .pin = pin,
                          .subject = is_token ? agent->device : subject};

    mac_put(mac, agent->mac);
    hex_put(pin, (struct bytes){agent->options->site->pin, SHA256_BYTES});
    (void)snprintf(subject, sizeof(subject), "%s %s", agent->ticket, mac);
    return proof_put(&proof, dst);
}

/* That it has the key. Return: 0 or -errno. */
static int put_proof(const struct agent *agent, char dst[static AGENT_PROOF_MAX])
{
    uint8_t raw[PROOF_MAX_BYTES];
    struct sink text = {.ptr = raw, .cap = sizeof(raw)};
    uint8_t public_half[SIGNATURE_KEY_BYTES];
    uint8_t signature[SIGNATURE_BYTES];
    char public_text[SIGNATURE_KEY_TEXT_MAX];
    char signature_text[SIGNATURE_TEXT_MAX];
    int r = put_subject(agent, &text) ? signature_public(agent->key, public_half) : ERR(-ENOBUFS);

    if (r == 0)
        r = signature_make(agent->key, (struct bytes){raw, text.len}, signature);
    if (r < 0)
        return TRACE(r);
    hex_put(public_text, (struct bytes){public_half, sizeof(public_half)});
    hex_put(signature_text, (struct bytes){signature, sizeof(signature)});
    (void)snprintf(dst,
                   AGENT_PROOF_MAX,
                   "{\"public\": \"%s\", \"challenge\": \"%s\", \"signature\": \"%s\"}",
                   public_text,
                   agent->challenge,
                   signature_text);
    return 0;
}

static int put_registration(const struct agent *agent, char body[static AGENT_BODY_MAX])
{
    char proof[AGENT_PROOF_MAX];
    char mac[MAC_TEXT_MAX];
    char ticket[TOKEN_TEXT_MAX + 2] = "null";
    int r = put_proof(agent, proof);

    if (r < 0)
        return TRACE(r);
    mac_put(mac, agent->mac);
    if (agent->ticket[0] != '\0')
        (void)snprintf(ticket, sizeof(ticket), "\"%s\"", agent->ticket);
    (void)snprintf(
        body,
        AGENT_BODY_MAX,
        "{\"ticket\": %s, \"environment\": \"boot-image\", \"macs\": [\"%s\"], \"boot_mac\": \"%s\", \"smbios\": {\"uuid\": \"\","
        " \"serial\": \"\", \"manufacturer\": \"Slipway\", \"model\": \"Simulated\", \"asset_tag\": \"\"}, \"firmware\": \"uefi\","
        " \"secure_boot\": true, \"arch\": \"x64\", \"cpu\": \"simulated\", \"n_cpus\": 4, \"memory_bytes\": 8589934592,"
        " \"disks\": [{\"name\": \"nvme0n1\", \"model\": \"Simulated\", \"serial\": \"\", \"size_bytes\": 256060514304,"
        " \"sector_bytes\": 512, \"is_removable\": false}], \"nics\": [{\"name\": \"eth0\", \"mac\": \"%s\","
        " \"driver\": \"e1000e\", \"has_link\": true}], \"tpm\": \"2.0\", \"agent_version\": \"0.1.0\", \"boot_image\": \"\", \"key\": %s}",
        ticket,
        mac,
        mac,
        mac,
        proof);
    return 0;
}

static void put_report(const struct agent *agent, char body[static AGENT_BODY_MAX])
{
    static const char *const states[] = {
        "started", "step-started", "step-progress", "step-succeeded"};

    (void)snprintf(
        body,
        AGENT_BODY_MAX,
        "{\"seq\": %" PRIu64
        ", \"state\": \"%s\", \"step\": 2, \"n_steps\": 8, \"step_name\": \"Apply Operating System Image\","
        " \"step_type\": \"SMS_TaskSequence_ApplyOperatingSystemAction\", \"group\": \"Install Operating System\","
        " \"environment\": \"boot-image\", \"percent\": 41, \"rate_bytes_per_s\": 9000000, \"exit_code\": 0, \"error_id\": null,"
        " \"message\": \"\"}",
        agent->seq,
        states[agent->state]);
}

static int send_registration(struct agent *agent)
{
    char body[AGENT_BODY_MAX];
    int r = put_registration(agent, body);

    if (r < 0)
        return TRACE(r);
    return TRACE(connection_ask(
        &agent->connection, "POST", "/api/v1/client/registrations", NULL, bytes_of(body)));
}

static int send_token(struct agent *agent)
{
    char proof[AGENT_PROOF_MAX];
    char body[AGENT_BODY_MAX];
    int r = put_proof(agent, proof);

    if (r < 0)
        return TRACE(r);
    (void)snprintf(
        body, sizeof(body), "{\"device_id\": \"%s\", \"key\": %s}", agent->device, proof);
    return TRACE(
        connection_ask(&agent->connection, "POST", "/api/v1/client/tokens", NULL, bytes_of(body)));
}

static int send_ask(struct agent *agent)
{
    char path[AGENT_PATH_MAX];
    char body[AGENT_BODY_MAX];
    struct connection *c = &agent->connection;

    switch (agent->ask) {
    case AGENT_TIME:
        return connection_ask(c, "GET", "/api/v1/client/time", NULL, (struct bytes){0});
    case AGENT_REGISTER:
        return send_registration(agent);
    case AGENT_TOKEN:
        return send_token(agent);
    case AGENT_ORDER:
        return connection_ask(c, "POST", "/api/v1/client/orders", agent->token, bytes_of("{}"));
    case AGENT_WISH:
        (void)snprintf(path, sizeof(path), "/api/v1/client/orders/%s/wish", agent->order_id);
        return connection_ask(c, "GET", path, agent->token, (struct bytes){0});
    case AGENT_REPORT:
    case AGENT_ASKS:
        break;
    }
    put_report(agent, body);
    (void)snprintf(path, sizeof(path), "/api/v1/client/orders/%s/status", agent->order_id);
    return connection_ask(c, "POST", path, agent->token, bytes_of(body));
}

static void try(struct agent *agent)
{
    if (send_ask(agent) == 0)
        return;
    agent->status = 0;
    agent->options->done(agent->ctx, false);
}

static void on_again(void *ctx)
{
    struct agent *agent = ctx;

    if (agent->ask == AGENT_REGISTER || agent->ask == AGENT_TOKEN)
        agent->ask = AGENT_TIME; /* a challenge is good once */
    try(agent);
}

/* Return: whether it is there and fits. */
static bool read_text(const json_t *answer, const char *name, char *dst, size_t cap)
{
    const char *text = json_string_value(json_object_get(answer, name));

    return text && strlen(text) < cap && snprintf(dst, cap, "%s", text) > 0;
}

/* When it is to get another one. */
static bool read_token(struct agent *agent, const json_t *answer)
{
    uint64_t life_us =
        (uint64_t)json_integer_value(json_object_get(answer, "token_life_s")) * US_PER_S;
    uint64_t renew_us = agent->options->renew_us > 0 ? agent->options->renew_us : life_us / 2;

    agent->renew_at_us = agent->options->loop->now_us + renew_us;
    return life_us > 0 && read_text(answer, "token", agent->token, sizeof(agent->token));
}

/* Return: false if the answer is none that helps. */
static bool take_answer(struct agent *agent, const struct answer *answer)
{
    OWN(json_decrefp) json_t *body = NULL;
    bool makes = agent->ask == AGENT_REGISTER || agent->ask == AGENT_TOKEN;

    if (agent->ask == AGENT_REPORT)
        agent->acked = answer->status == HTTP_OK ? agent->seq : agent->acked;
    if (agent->ask == AGENT_WISH || agent->ask == AGENT_REPORT)
        return answer->status == HTTP_OK;
    if (answer->status != (makes ? HTTP_CREATED : HTTP_OK))
        return false;
    body = json_loadb((const char *)answer->body.ptr, answer->body.len, 0, NULL);
    if (agent->ask == AGENT_TIME)
        return read_text(body, "challenge", agent->challenge, sizeof(agent->challenge));
    if (agent->ask == AGENT_ORDER)
        return read_text(body, "order_id", agent->order_id, sizeof(agent->order_id));
    return read_token(agent, body) &&
           (agent->ask == AGENT_TOKEN ||
            read_text(body, "device_id", agent->device, sizeof(agent->device)));
}

/* The site takes the token no more, which is worth one other. */
static bool is_token_over(const struct agent *agent)
{
    return agent->status == HTTP_UNAUTHORIZED && agent->ask == agent->wanted &&
           agent->ask > AGENT_TOKEN && !agent->is_renewed;
}

static void renew(struct agent *agent)
{
    agent->is_renewed = true;
    agent->ask = AGENT_TIME;
    try(agent);
}

/* What comes after what has been answered. */
static void go_on(struct agent *agent)
{
    if (agent->ask == AGENT_TIME && agent->wanted != AGENT_REGISTER)
        agent->ask = AGENT_TOKEN;
    else
        agent->ask = agent->wanted;
    try(agent);
}

static void on_answer(void *ctx, const struct answer *answer)
{
    struct agent *agent = ctx;
    uint64_t now_us = agent->options->loop->now_us;
    bool is_good;

    agent->status = answer->status;
    if ((answer->status == 0 || answer->status >= HTTP_SERVER_ERROR) &&
        ++agent->tries < AGENT_TRIES_MAX) {
        ++*agent->options->n_again;
        if (sim_timer_set(agent->options->loop, &agent->again, now_us + AGENT_AGAIN_US) == 0)
            return;
    }
    if (is_token_over(agent)) {
        renew(agent);
        return;
    }
    is_good = take_answer(agent, answer);
    if (is_good)
        figures_add(&agent->options->figures[agent->ask], now_us - agent->begin_us);
    if (is_good && agent->ask != agent->wanted)
        go_on(agent);
    else
        agent->options->done(agent->ctx, is_good);
}

void agent_init(struct agent *agent,
                const struct agent_options *options,
                void *ctx,
                uint64_t number)
{
    *agent =
        (struct agent){.options = options, .ctx = ctx, .again = {.fire = on_again, .ctx = agent}};
    agent_mac(agent->mac, number);
    connection_init(
        &agent->connection,
        &(struct connection_options){.loop = options->loop, .answer = on_answer, .ctx = agent});
}

void agent_fini(struct agent *agent)
{
    sim_timer_clear(agent->options->loop, &agent->again);
    connection_fini(&agent->connection);
}

static void begin(struct agent *agent, enum agent_ask ask, uint64_t due_us)
{
    bool is_renewal = ask > AGENT_TOKEN && agent->options->loop->now_us >= agent->renew_at_us;

    agent->wanted = ask;
    agent->ask = ask == AGENT_REGISTER || is_renewal ? AGENT_TIME : ask;
    agent->is_renewed = is_renewal;
    agent->begin_us = due_us;
    agent->tries = 0;
    try(agent);
}

void agent_register(struct agent *agent, uint64_t due_us)
{
    agent->seq = 0;
    agent->acked = 0;
    connection_aim(&agent->connection, agent->options->site, agent->local);
    random_bytes(agent->key, sizeof(agent->key));
    begin(agent, AGENT_REGISTER, due_us);
}

void agent_order(struct agent *agent, uint64_t due_us)
{
    begin(agent, AGENT_ORDER, due_us);
}

void agent_wish(struct agent *agent, uint64_t due_us)
{
    begin(agent, AGENT_WISH, due_us);
}

void agent_report(struct agent *agent, enum agent_state state, uint64_t due_us)
{
    agent->state = state;
    agent->seq++;
    begin(agent, AGENT_REPORT, due_us);
}
