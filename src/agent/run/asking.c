/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * What the site wants to be asked on the screen before there is an order: the password of those who start from the network, and which
 * of several deployments is to begin (docs/protocol/client-api.md). No disk is touched before there is an order
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "base/bytes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"

enum {
    HTTP_OK = 200,
    HTTP_FORBIDDEN = 403,
    HTTP_TOO_MANY = 429,
    TYPED_MAX = 256,
    PAGE_LINES = SCREEN_LINES_MAX - 2, /* and two for what is not a deployment */
    LABEL_MAX = 200,
};

#define US_PER_S        UINT64_C(1000000)
#define TOO_MANY_ID     "SLW-0217"
#define TOO_MANY_REMEDY "whoever knows the password starts the computer again from the network"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static int too_many(struct runner *rn)
{
    (void)runner_problem(
        rn, TOO_MANY_ID, TOO_MANY_REMEDY, "too many wrong passwords; nothing was written");
    return RUNNER_E_OFF;
}

/* @status: what came of a password that was typed */
static int take_verdict(struct runner *rn, unsigned status, const json_t *answer)
{
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "Registration",
                  "A password was typed (status %u)",
                  status);
    if (status == HTTP_OK) {
        screen_set(rn->screen, SCREEN_PROBLEM, "%s", "");
        runner_end_waiting(rn);
        return 0;
    }
    if (status == HTTP_FORBIDDEN && strcmp(text_of(answer, "error_id"), TOO_MANY_ID) == 0)
        return too_many(rn);
    if (status == HTTP_FORBIDDEN || status == HTTP_TOO_MANY)
        screen_set(rn->screen, SCREEN_PROBLEM, "%s", text_of(answer, "detail"));
    return 0;
}

static int tell_password(struct runner *rn, const char *password)
{
    OWN(json_decrefp) json_t *body = json_pack("{s:s}", "password", password);
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;
    int r;

    if (!body) {
        screen_set(rn->screen, SCREEN_PROBLEM, "This is not UTF-8");
        return 0;
    }
    screen_set(rn->screen, SCREEN_STATUS, "Looking at the password");
    r = link_json(rn->link, "PUT", "/api/v1/client/boot-password", body, &status, &answer);
    if (r != 0) { /* the next turn asks the site patiently */
        screen_set(rn->screen, SCREEN_PROBLEM, "The site does not answer; type the password again");
        return r < 0 ? TRACE(r) : 0;
    }
    return TRACE(take_verdict(rn, status, answer));
}

int runner_ask_password(struct runner *rn, const json_t *waiting)
{
    long long left = json_integer_value(json_object_get(waiting, "tries_left"));
    char password[TYPED_MAX];
    int r;

    if (left <= 0)
        return too_many(rn);
    runner_note_waiting(rn,
                        "This computer waits for the password of those who start from the network");
    screen_set(rn->screen, SCREEN_STATUS, "%s; nothing is written before", rn->waits_for);
    screen_hide_typing(rn->screen, true);
    screen_set(rn->screen,
               SCREEN_QUESTION,
               "Password (it is not shown; %lld %s left)",
               left,
               left == 1 ? "try" : "tries");
    if (!screen_read_line(rn->screen, runner_turn_us(rn), password, sizeof(password)) ||
        password[0] == '\0')
        return 0;
    r = tell_password(rn, password);
    explicit_bzero(password, sizeof(password));
    return r < 0 ? TRACE(r) : r;
}

static size_t count(const json_t *waiting)
{
    return json_array_size(json_object_get(waiting, "choices"));
}

static const json_t *choice_at(const json_t *waiting, size_t i)
{
    return json_array_get(json_object_get(waiting, "choices"), i);
}

/* "2: Install Windows (for the laboratory)" */
static void put_line(const json_t *waiting, size_t i, char *dst, size_t cap)
{
    const json_t *choice = choice_at(waiting, i);
    const char *comment = text_of(choice, "comment");

    (void)snprintf(dst,
                   cap,
                   "%zu: %.120s%s%.60s%s",
                   i + 1,
                   text_of(choice, "name"),
                   comment[0] != '\0' ? " (" : "",
                   comment,
                   comment[0] != '\0' ? ")" : "");
}

static void show_list(struct runner *rn, const json_t *waiting)
{
    char text[SCREEN_LINES_MAX][LABEL_MAX];
    const char *lines[SCREEN_LINES_MAX];
    size_t n = count(waiting);
    size_t shown = 0;

    if (rn->n_skipped >= n)
        rn->n_skipped = 0;
    for (size_t i = rn->n_skipped; i < n && shown < PAGE_LINES; i++)
        put_line(waiting, i, text[shown++], LABEL_MAX);
    if (n > PAGE_LINES)
        (void)snprintf(text[shown++], LABEL_MAX, "n: more of %zu", n);
    (void)snprintf(text[shown++], LABEL_MAX, "0: none of these, restart");
    for (size_t i = 0; i < shown; i++)
        lines[i] = text[i];
    screen_set_list(rn->screen, "To choose from", lines, shown);
}

/* @seconds: until the first one begins; 0: it does not by itself */
static void show_choice(struct runner *rn, const json_t *waiting, uint64_t seconds)
{
    runner_note_waiting(
        rn,
        "Several task sequences are deployed to this computer; nothing is written before one is chosen");
    show_list(rn, waiting);
    if (seconds > 0)
        screen_set(rn->screen,
                   SCREEN_STATUS,
                   "%s; number 1 begins in %u seconds",
                   rn->waits_for,
                   (unsigned)seconds);
    else
        screen_set(rn->screen, SCREEN_STATUS, "%s", rn->waits_for);
    screen_set(rn->screen, SCREEN_QUESTION, "Number, and Enter");
}

static int tell_choice(struct runner *rn, const char *id, bool is_by_time)
{
    OWN(json_decrefp) json_t *body = json_pack("{s:s}", "deployment_id", id);
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;
    int r;

    if (!body || (is_by_time && json_object_set_new(body, "is_by_time", json_true()) < 0))
        return ERR(-ENOMEM);
    r = link_json(rn->link, "PUT", "/api/v1/client/choice", body, &status, &answer);
    if (r != 0) {
        screen_set(rn->screen, SCREEN_PROBLEM, "The site does not answer; choose again");
        return r < 0 ? TRACE(r) : 0;
    }
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "Registration",
                  "The deployment %s was chosen %s (status %u)",
                  id,
                  is_by_time ? "because nobody did in time" : "on the screen",
                  status);
    rn->has_chosen = status == HTTP_OK;
    if (rn->has_chosen)
        runner_end_waiting(rn);
    else
        screen_set(rn->screen, SCREEN_PROBLEM, "%s", text_of(answer, "detail"));
    return 0;
}

/* What was typed. Return: as runner_ask_choice(). */
static int take_typed(struct runner *rn, const json_t *waiting, const char *typed)
{
    uint64_t number;

    rn->choose_until_us = UINT64_MAX; /* somebody is there: nothing begins by itself any more */
    screen_set(rn->screen, SCREEN_PROBLEM, "%s", "");
    if (strcmp(typed, "n") == 0) {
        rn->n_skipped += PAGE_LINES;
        return 0;
    }
    if (!bytes_parse_u64(bytes_of(typed), 0, count(waiting), &number)) {
        screen_set(rn->screen, SCREEN_PROBLEM, "Type one of the numbers, and Enter");
        return 0;
    }
    if (number == 0) {
        journal_write(rn->journal, CMTRACE_INFORMATION, "Registration", "None was chosen");
        return RUNNER_E_RESTART;
    }
    return TRACE(
        tell_choice(rn, text_of(choice_at(waiting, (size_t)number - 1), "deployment_id"), false));
}

int runner_ask_choice(struct runner *rn, const json_t *waiting)
{
    uint64_t wait_us = (uint64_t)json_integer_value(json_object_get(waiting, "wait_s")) * US_PER_S;
    uint64_t now = clock_monotonic_us();
    uint64_t turn_us = runner_turn_us(rn);
    uint64_t left_us;
    char typed[TYPED_MAX];

    if (rn->choose_until_us == 0)
        rn->choose_until_us = wait_us > 0 ? now + wait_us : UINT64_MAX;
    left_us = rn->choose_until_us == UINT64_MAX ? 0
              : rn->choose_until_us > now       ? rn->choose_until_us - now
                                                : 1;
    if (left_us > 0 && left_us < turn_us)
        turn_us = left_us;
    show_choice(rn, waiting, (left_us + US_PER_S - 1) / US_PER_S);
    if (screen_read_line(rn->screen, turn_us, typed, sizeof(typed)))
        return TRACE(take_typed(rn, waiting, typed));
    if (clock_monotonic_us() >= rn->choose_until_us)
        return TRACE(tell_choice(rn, text_of(waiting, "default_id"), true));
    return 0;
}

/* No key shortens it: it is there to keep who tries passwords from doing so. */
void runner_wait_off(struct runner *rn)
{
    screen_set(rn->screen,
               SCREEN_STATUS,
               "This computer is switched off in %u seconds",
               (unsigned)(rn->platform->off_us / US_PER_S));
    clock_sleep_us(rn->platform->off_us);
}
