/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <string.h>

#include "agent/facts/facts.h"
#include "agent/run/journal.h"
#include "agent/run/order.h"
#include "agent/run/restart.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "agent/run/tpm_proof.h"
#include "base/err.h"
#include "base/own.h"
#include "format/proof/proof.h"
#include "plat/clock.h"

enum {
    HTTP_OK = 200,
    HTTP_CREATED = 201,
    HTTP_ACCEPTED = 202,
    HTTP_NO_CONTENT = 204,
    HTTP_TOO_MANY = 429,
    HTTP_SERVER_ERROR = 500,
    INTERFACE_MAX = 64,
    BACKOFF_FIRST_US = 1000 * 1000,
    BACKOFF_MAX_US = 15 * 1000 * 1000,
    US_PER_S = 1000 * 1000,
    ASK_INTERVAL_MAX_S = 3600,
    ASK_RETRY_MAX = 1000,
    SUBJECT_MAX = 1024,
};

DEFINE_FREEP(struct order *, order_free);
DEFINE_FREEP(struct state *, state_free);

/* Waiting between tries, a little longer each time. */
struct patience {
    uint64_t until_us;
    uint64_t pause_us;
};

static struct patience patience_start(const struct runner *rn)
{
    return (struct patience){clock_monotonic_us() + rn->platform->patience_us, BACKOFF_FIRST_US};
}

/* Return: false when it has run out. */
static bool patience_wait(struct runner *rn, struct patience *p)
{
    uint64_t pause = p->pause_us < rn->platform->poll_us ? p->pause_us : rn->platform->poll_us;

    if (clock_monotonic_us() >= p->until_us)
        return false;
    clock_sleep_us(pause);
    p->pause_us = 2 * p->pause_us < BACKOFF_MAX_US ? 2 * p->pause_us : BACKOFF_MAX_US;
    return true;
}

/* The inventory was taken before the interface was up, and so before it could have a link. */
static void note_link(struct machine *machine, const char *interface)
{
    for (size_t i = 0; i < machine->n_nics; i++)
        if (strcmp(machine->nics[i].name, interface) == 0)
            machine->nics[i].has_link = true;
}

static int bring_network_up(struct runner *rn)
{
    struct patience p = patience_start(rn);
    char interface[INTERFACE_MAX];

    for (;;) {
        OWN(buf_fini) struct buf why = BUF_INIT(PROBLEM_MAX);
        int r;

        screen_set(rn->screen, SCREEN_STATUS, "Bringing up the network");
        r = rn->platform->network_up(&rn->machine, interface, sizeof(interface), &why);
        if (r < 0)
            return TRACE(r);
        if (r == 0) {
            note_link(&rn->machine, interface);
            journal_write(
                rn->journal, CMTRACE_INFORMATION, "Network", "%s has an address", interface);
            return 0;
        }
        screen_set(rn->screen, SCREEN_STATUS, "No network yet: %s", buf_str(&why));
        if (!patience_wait(rn, &p))
            return runner_problem(rn,
                                  "SLW-0420",
                                  "check the cable and the DHCP server; the machine then restarts",
                                  "no network: %s",
                                  buf_str(&why));
    }
}

static int pin_problem(struct runner *rn)
{
    return runner_problem(rn,
                          "SLW-0422",
                          "boot again; if it stays, compare the site's pin with the boot menu's",
                          "whoever answers at %s does not have the site's key",
                          link_get_options(rn->link)->urls[0]);
}

struct question {
    const char *method;
    const char *path;
    json_t *body; /* borrowed; NULL: none */
    int (*prepare)(struct runner *rn,
                   json_t *body); /* before each try, with outcomes of link_json(); or NULL */
};

/* One call that is repeated while the site is away or busy. Return: 0, RUNNER_E_FAILED or -errno. */
static int call_patiently(struct runner *rn,
                          const struct question *question,
                          unsigned *ret_status,
                          json_t **ret)
{
    struct patience p = patience_start(rn);

    for (;;) {
        int r = question->prepare ? question->prepare(rn, question->body) : 0;

        if (r == 0)
            r = link_json(
                rn->link, question->method, question->path, question->body, ret_status, ret);
        if (r < 0)
            return TRACE(r);
        if (r == 0 && *ret_status < HTTP_SERVER_ERROR && *ret_status != HTTP_TOO_MANY)
            return 0;
        if (r == LINK_E_PIN)
            return pin_problem(rn);
        json_decref(*ret);
        *ret = NULL;
        screen_set(rn->screen,
                   SCREEN_STATUS,
                   "The site does not answer, trying again: %s",
                   r == 0 ? "it is busy or in trouble" : link_why(rn->link));
        if (!patience_wait(rn, &p))
            return runner_problem(rn,
                                  "SLW-0421",
                                  "check that the site server runs and can be reached from here",
                                  "the site at %s does not answer: %s",
                                  link_get_options(rn->link)->urls[0],
                                  r == 0 ? "server error" : link_why(rn->link));
    }
}

int runner_put_patiently(
    struct runner *rn, const char *path, json_t *body, unsigned *ret_status, json_t **ret)
{
    return TRACE(call_patiently(rn, &(struct question){"PUT", path, body, NULL}, ret_status, ret));
}

static int refused(struct runner *rn, const char *what, unsigned status, const json_t *answer)
{
    const char *detail = json_string_value(json_object_get(answer, "detail"));
    const char *error_id = json_string_value(json_object_get(answer, "error_id"));

    return runner_problem(
        rn,
        error_id ? error_id : "SLW-0423",
        "look the error id up in the documentation; slipway device explain-boot helps",
        "the site refused the %s (status %u): %s",
        what,
        status,
        detail ? detail : "no reason given");
}

static int set_clock(struct runner *rn)
{
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;
    int r = call_patiently(
        rn, &(struct question){"GET", "/api/v1/client/time", NULL, NULL}, &status, &answer);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;

    json_int_t now = json_integer_value(json_object_get(answer, "time_us"));

    if (status != HTTP_OK || now <= 0)
        return refused(rn, "question for the time", status, answer);
    if (!rn->options->is_full_os)
        (void)rn->platform->set_clock((uint64_t)now); /* a log with a wrong time is still a log */
    return 0;
}

int runner_wait_for_site(struct runner *rn)
{
    screen_set(rn->screen, SCREEN_SITE, "%s", link_get_options(rn->link)->urls[0]);
    return set_clock(rn);
}

/* What task sequences may ask about the computer, for dry runs. */
static int add_facts(struct runner *rn, json_t *body)
{
    OWN(json_decrefp) json_t *facts = NULL;
    int r = facts_for_registration("", &rn->machine, rn->options->is_full_os, &facts);

    if (r < 0)
        return TRACE(r);
    if (r > 0)
        journal_write(rn->journal,
                      CMTRACE_WARNING,
                      "Registration",
                      "There are too many facts: the %d largest classes are not registered",
                      r);
    if (rn->windows[0] != '\0') {
        json_t *variables = json_object_get(facts, "variables");

        (void)json_object_set_new(variables, "_OSDDetectedWinDrive", json_string(rn->windows));
        (void)json_object_set_new(variables, "_OSDDetectedWinDir", json_string("/Windows"));
    }
    return json_object_set(body, "facts", facts) == 0 ? 0 : ERR(-ENOMEM);
}

static int make_registration(struct runner *rn, json_t **ret)
{
    const struct run_options *o = rn->options;
    OWN(json_decrefp) json_t *body = NULL;
    int r = machine_to_json(&rn->machine, &body);

    if (r == 0)
        r = machine_add_addresses(json_object_get(body, "nics"));
    if (r < 0)
        return TRACE(r);
    if (json_object_set_new(
            body, "ticket", o->ticket[0] != '\0' ? json_string(o->ticket) : json_null()) != 0 ||
        json_object_set_new(body, "environment", json_string("boot-image")) != 0 ||
        json_object_set_new(body, "agent_version", json_string(o->version)) != 0 ||
        json_object_set_new(body, "boot_image", json_string(o->boot_image)) != 0)
        return ERR(-ENOMEM);
    r = add_facts(rn, body);
    if (r < 0)
        return TRACE(r);
    *ret = TAKE(body);
    return 0;
}

static uint64_t number_in(const json_t *object, const char *name, uint64_t max)
{
    json_int_t n = json_integer_value(json_object_get(object, name));

    return n > 0 && (uint64_t)n <= max ? (uint64_t)n : 0;
}

/* How often to ask for an order: variables of the device, which it cannot have yet. */
static void take_assignments(struct runner *rn, const json_t *answer)
{
    const json_t *assignments = json_object_get(answer, "assignments");

    rn->ask_again_us = number_in(assignments, "interval_s", ASK_INTERVAL_MAX_S) * US_PER_S;
    rn->n_asks_max = number_in(assignments, "retry", ASK_RETRY_MAX);
}

/* With a challenge of its own each time: the answer to the last one may have got lost on its way. */
static int prove_registration(struct runner *rn, json_t *body)
{
    OWN(buf_fini) struct buf subject = BUF_INIT(SUBJECT_MAX);
    const char *mac = json_string_value(json_object_get(body, "boot_mac"));
    json_t *proof = NULL;
    int r;

    buf_addf(&subject, "%s %s", rn->options->ticket, mac ? mac : "");
    r = link_prove(rn->link, PROOF_REGISTRATION, buf_str(&subject), &proof);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (json_object_set_new(body, "key", proof) != 0)
        return ERR(-ENOMEM);
    r = tpm_proof_add(rn, body, json_object_get(proof, "challenge"));
    return r < 0 ? TRACE(r) : r;
}

static int register_machine(struct runner *rn)
{
    OWN(json_decrefp) json_t *body = NULL;
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status = 0;
    int r = make_registration(rn, &body);

    if (r < 0)
        return TRACE(r);
    r = tpm_proof_begin(rn);
    if (r < 0)
        return TRACE(r);
    screen_set(rn->screen, SCREEN_STATUS, "Registering");
    r = link_make_key(rn->link);
    if (r == 0)
        r = call_patiently(
            rn,
            &(struct question){"POST", "/api/v1/client/registrations", body, prove_registration},
            &status,
            &answer);
    tpm_proof_end(rn);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;

    const char *token = json_string_value(json_object_get(answer, "token"));
    const char *name = json_string_value(json_object_get(answer, "device_name"));
    const char *site = json_string_value(json_object_get(answer, "site_name"));

    if (status != HTTP_CREATED || !token)
        return refused(rn, "registration", status, answer);
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "Registration",
                  "Registered at site \"%s\" as \"%s\"",
                  site ? site : "",
                  name ? name : "");
    take_assignments(rn, answer);
    if (site)
        screen_set(rn->screen, SCREEN_SITE, "%s (%s)", site, link_get_options(rn->link)->urls[0]);
    return TRACE(link_take_token(rn->link, answer));
}

/*
 * A boot image that the disk started has no ticket, and needs none: the state on that disk has the device's
 * key. Without it the machine registers as any other.
 */
static int take_key_from_disk(struct runner *rn, bool *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(STATE_MAX_BYTES);
    OWN(buf_fini) struct buf why = BUF_INIT(PROBLEM_MAX);
    OWN(state_freep) struct state *state = NULL;
    struct step_target target = {0};
    int r = rn->platform->find_state(&rn->machine, NULL, &target, &text);

    if (r == 0)
        r = state_parse(buf_bytes(&text), &state, &why);
    *ret = r == 0 && state->has_key;
    if (!*ret)
        return r < 0 ? TRACE(r) : 0;
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "Registration",
                  "Started by %s, as \"%s\"",
                  target.root_device,
                  state->order->device_name);
    return TRACE(link_set_key(rn->link, state->key, state->order->device_id));
}

static int identify(struct runner *rn)
{
    bool is_known = false;

    if (rn->options->is_from_disk) {
        int r = take_key_from_disk(rn, &is_known);

        if (r < 0)
            return TRACE(r);
    }
    return is_known ? 0 : TRACE(register_machine(rn));
}

/* Return: 0 with @ret, which stays NULL if there is none, and then maybe @ret_waiting; RUNNER_E_FAILED; -errno. */
static int ask_for_order(struct runner *rn, struct order **ret, json_t **ret_waiting)
{
    OWN(buf_fini) struct buf why = BUF_INIT(PROBLEM_MAX);
    OWN(json_decrefp) json_t *body = json_object();
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;
    int r = call_patiently(
        rn, &(struct question){"POST", "/api/v1/client/orders", body, NULL}, &status, &answer);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    if (status == HTTP_NO_CONTENT)
        return 0;
    if (status == HTTP_ACCEPTED && json_is_object(answer)) {
        *ret_waiting = TAKE(answer);
        return 0;
    }
    if (status != HTTP_OK)
        return refused(rn, "question for an order", status, answer);
    r = order_parse(answer, ret, &why);
    if (r == ORDER_E_MALFORMED)
        return runner_problem(
            rn,
            "SLW-0403",
            "site and boot image may have different versions: update the boot image",
            "the order makes no sense: %s",
            buf_str(&why));
    return r < 0 ? TRACE(r) : 0;
}

/* The disk may have been asked to start this boot image for an order that is over meanwhile. It starts its
   own operating system again. Return: 0, RUNNER_E_RESTART or -errno. */
static int give_disk_back(struct runner *rn)
{
    OWN(buf_fini) struct buf state = BUF_INIT(STATE_MAX_BYTES);
    struct step_target target = {0};
    int r = rn->platform->find_state(&rn->machine, NULL, &target, &state);

    if (r == 0)
        r = rn->platform->mount(&target);
    if (r != 0)
        return r < 0 ? TRACE(r) : 0;

    int back = rn->platform->boot_image_is_back(&target);

    r = rn->platform->unmount(&target);
    if (back < 0 || r < 0)
        return TRACE(back < 0 ? back : r);
    return back == RESTART_SWITCHED_BACK ? RUNNER_E_RESTART : 0;
}

/* Return: 0: somebody wants it to ask again; RUNNER_E_RESTART. */
static int give_up(struct runner *rn, uint64_t *n_asked)
{
    (void)runner_problem(rn,
                         "SLW-0472",
                         "deploy a task sequence to it and start it again",
                         "nothing is deployed to this computer, which has asked %u times",
                         (unsigned)*n_asked);
    if (!runner_wait_previous(rn, rn->platform->failed_wait_us))
        return RUNNER_E_RESTART;
    runner_go_back(rn);
    *n_asked = 0;
    return 0;
}

/* Until the next question; @n_asked: those that found nothing. Return: 0 or RUNNER_E_RESTART. */
static int wait_for_deployment(struct runner *rn, uint64_t *n_asked)
{
    runner_end_waiting(rn);
    if (rn->n_asks_max > 0 && ++*n_asked > rn->n_asks_max)
        return TRACE(give_up(rn, n_asked));
    screen_set(
        rn->screen,
        SCREEN_STATUS,
        "Nothing is deployed to this computer; deploy a task sequence to it, this screen waits");
    clock_sleep_us(rn->ask_again_us > 0 ? rn->ask_again_us : rn->platform->poll_us);
    return 0;
}

/* What keeps the site from giving an order: its "state". */
static int wait_a_turn(struct runner *rn, const json_t *waiting)
{
    const char *state = json_string_value(json_object_get(waiting, "state"));

    if (state && strcmp(state, "prestart") == 0)
        return TRACE(runner_run_prestart(rn, waiting));
    if (state && strcmp(state, "password") == 0)
        return TRACE(runner_ask_password(rn, waiting));
    if (state && strcmp(state, "choice") == 0)
        return TRACE(runner_ask_choice(rn, waiting));
    if (state && strcmp(state, "variables") == 0)
        return TRACE(runner_ask_variables(rn, waiting));
    return TRACE(runner_wait_unknown(rn, waiting));
}

static int wait_for_order(struct runner *rn, struct order **ret)
{
    OWN(order_freep) struct order *order = NULL;
    uint64_t n_asked = 0;

    for (bool is_first = true;; is_first = false) {
        OWN(json_decrefp) json_t *waiting = NULL;
        bool is_refused = false;
        int r = ask_for_order(rn, &order, &waiting);

        if (r == 0 && order)
            r = runner_check_content(rn, order, &is_refused);
        else if (r == 0 && waiting)
            r = wait_a_turn(rn, waiting);
        else if (r == 0 && is_first)
            r = give_disk_back(rn);
        if (r == 0 && order && !is_refused)
            break;
        order_free(TAKE(order));
        if (r == 0 && !is_refused && !waiting)
            r = wait_for_deployment(rn, &n_asked);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    runner_end_waiting(rn);
    *ret = TAKE(order);
    return 0;
}

int runner_connect(struct runner *rn, struct order **ret_order)
{
    int r = bring_network_up(rn);

    if (r == 0)
        r = runner_wait_for_site(rn);
    if (r == 0) {
        runner_find_windows(rn);
        r = identify(rn);
    }
    if (r == 0)
        r = wait_for_order(rn, ret_order);
    return r < 0 ? TRACE(r) : r;
}
