/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * An unknown computer that waits for an administrator, for its name, or for both (docs/unknown-computers.md). Nothing is known
 * here but what is shown: no disk is touched before there is an order
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/clock.h"

enum {
    HTTP_OK = 200,
    HTTP_BAD_REQUEST = 400,
    HTTP_CONFLICT = 409,
    ASK_US = 5 * 1000 * 1000,
    TYPED_MAX = 64,
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static bool is_true(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

uint64_t runner_turn_us(const struct runner *rn)
{
    return rn->platform->poll_us < ASK_US ? rn->platform->poll_us : ASK_US;
}

void runner_note_waiting(struct runner *rn, const char *text)
{
    if (strcmp(rn->waits_for, text) == 0)
        return;
    (void)snprintf(rn->waits_for, sizeof(rn->waits_for), "%s", text);
    journal_write(rn->journal, CMTRACE_INFORMATION, "Registration", "%s", text);
}

static void show(struct runner *rn, const json_t *waiting)
{
    bool needs_name = is_true(waiting, "needs_name");
    bool needs_approval =
        is_true(waiting, "needs_approval") && strcmp(text_of(waiting, "state"), "approved") != 0;
    const char *what =
        needs_name && needs_approval ? "This unknown computer waits for its name and for an "
                                       "administrator's approval; nothing is written before"
        : needs_name ? "This unknown computer waits for its name; nothing is written before"
                     : "This unknown computer waits for an administrator's approval; nothing is "
                       "written before";

    runner_note_waiting(rn, what);
    screen_set(rn->screen, SCREEN_SEQUENCE, "%s", text_of(waiting, "task_sequence_name"));
    screen_set(rn->screen, SCREEN_STATUS, "%s", what);
    screen_set(rn->screen,
               SCREEN_CODE,
               "%s%s",
               text_of(waiting, "code"),
               needs_approval ? "  (slipway unknown approve CODE)" : "");
    if (needs_name)
        screen_set(rn->screen,
                   SCREEN_QUESTION,
                   "Name of this computer, or Enter for \"%s\"",
                   text_of(waiting, "suggested_name"));
    else
        screen_set(rn->screen, SCREEN_QUESTION, "%s", "");
}

/* The site says whether it can be called so; what is wrong is shown, and the question stays. */
static int tell_name(struct runner *rn, const char *name)
{
    OWN(json_decrefp) json_t *body = json_pack("{s:s}", "name", name);
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;
    int r;

    if (!body) {
        screen_set(rn->screen, SCREEN_PROBLEM, "This is not UTF-8");
        return 0;
    }
    r = link_json(rn->link, "PUT", "/api/v1/client/name", body, &status, &answer);
    if (r != 0) { /* the next turn asks the site patiently */
        screen_set(rn->screen, SCREEN_PROBLEM, "The site does not answer; type the name again");
        return r < 0 ? TRACE(r) : 0;
    }
    if (status == HTTP_BAD_REQUEST || status == HTTP_CONFLICT)
        screen_set(rn->screen, SCREEN_PROBLEM, "%s", text_of(answer, "detail"));
    else
        screen_set(rn->screen, SCREEN_PROBLEM, "%s", "");
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "Registration",
                  "The name \"%s\" was typed (status %u) %s",
                  name,
                  status,
                  text_of(answer, "detail"));
    return 0;
}

static int ask_name(struct runner *rn, const json_t *waiting)
{
    char name[TYPED_MAX];

    if (!screen_read_line(rn->screen, runner_turn_us(rn), name, sizeof(name)))
        return 0;
    return TRACE(tell_name(rn, name[0] != '\0' ? name : text_of(waiting, "suggested_name")));
}

int runner_wait_unknown(struct runner *rn, const json_t *waiting)
{
    const char *state = text_of(waiting, "state");
    const char *reason = text_of(waiting, "reason");

    if (strcmp(state, "denied") == 0 || strcmp(state, "expired") == 0)
        runner_end_waiting(rn);
    if (strcmp(state, "denied") == 0)
        return runner_problem(rn,
                              "SLW-0470",
                              "an administrator can let it ask again: slipway unknown forget",
                              "an administrator has denied this computer%s%s; nothing was written",
                              reason[0] != '\0' ? ": " : "",
                              reason);
    if (strcmp(state, "expired") == 0)
        return runner_problem(rn,
                              "SLW-0471",
                              "start the computer again from the network, and approve it in time",
                              "nobody has approved this computer in time; nothing was written");
    show(rn, waiting);
    if (is_true(waiting, "needs_name"))
        return TRACE(ask_name(rn, waiting));
    clock_sleep_us(runner_turn_us(rn));
    return 0;
}

void runner_end_waiting(struct runner *rn)
{
    screen_set(rn->screen, SCREEN_CODE, "%s", "");
    screen_set(rn->screen, SCREEN_QUESTION, "%s", "");
    screen_set_list(rn->screen, "", NULL, 0);
    screen_hide_typing(rn->screen, false);
    rn->choose_until_us = 0;
    rn->n_skipped = 0;
    if (rn->waits_for[0] != '\0')
        screen_set(rn->screen, SCREEN_PROBLEM, "%s", "");
    rn->waits_for[0] = '\0';
}
