/* SPDX-License-Identifier: GPL-3.0-or-later */

/* Variables without a value are asked for on the screen, before there is an order */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/link.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "agent/run/wizard.h"
#include "base/err.h"
#include "base/own.h"

enum {
    HTTP_OK = 200,
    HTTP_CONFLICT = 409,
    TYPED_MAX = SCREEN_TYPED_MAX,
    LABEL_MAX = 200,
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* Of many, those around the one that is asked for. */
static void show_values(struct runner *rn)
{
    char text[SCREEN_LINES_MAX][LABEL_MAX];
    const char *lines[SCREEN_LINES_MAX];
    size_t n = wizard_n_lines(rn->wizard);
    size_t at = wizard_at(rn->wizard);
    size_t first = at < SCREEN_LINES_MAX ? 0 : at + 1 - SCREEN_LINES_MAX;
    size_t shown = 0;

    if (first + SCREEN_LINES_MAX > n)
        first = n > SCREEN_LINES_MAX ? n - SCREEN_LINES_MAX : 0;
    for (size_t i = first; i < n && shown < SCREEN_LINES_MAX; i++, shown++) {
        wizard_put_line(rn->wizard, i, text[shown], LABEL_MAX);
        lines[shown] = text[shown];
    }
    screen_set_list(rn->screen, "Variable", lines, shown);
}

static void show(struct runner *rn, const json_t *waiting)
{
    char question[LABEL_MAX];

    runner_note_waiting(
        rn,
        "Variables of this computer have no value yet; nothing is written before they are typed");
    screen_set(rn->screen, SCREEN_SEQUENCE, "%s", text_of(waiting, "name"));
    screen_set(rn->screen, SCREEN_STATUS, "%s", rn->waits_for);
    show_values(rn);
    wizard_put_question(rn->wizard, question, sizeof(question));
    screen_hide_typing(rn->screen, wizard_is_secret(rn->wizard));
    screen_set(rn->screen, SCREEN_QUESTION, "%s", question);
}

static void end(struct runner *rn)
{
    wizard_free(rn->wizard);
    rn->wizard = NULL;
    runner_end_waiting(rn);
}

/* @status: what came of what was typed */
static void take_verdict(struct runner *rn, unsigned status, const json_t *answer)
{
    journal_write(rn->journal,
                  CMTRACE_INFORMATION,
                  "Registration",
                  "Variables were typed on the screen (status %u) %s",
                  status,
                  text_of(answer, "error_id"));
    if (status == HTTP_OK) {
        end(rn);
        rn->has_chosen = true;
        return;
    }
    screen_set(rn->screen, SCREEN_PROBLEM, "%s", text_of(answer, "detail"));
    if (status != HTTP_CONFLICT) /* then the site asks for something else anyway */
        wizard_reopen(rn->wizard);
}

static int tell(struct runner *rn)
{
    OWN(json_decrefp) json_t *body = wizard_answer(rn->wizard);
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;
    int r;

    if (!body)
        return ERR(-ENOMEM);
    r = link_json(rn->link, "PUT", "/api/v1/client/variables", body, &status, &answer);
    if (r == 0)
        take_verdict(rn, status, answer);
    else
        screen_set(rn->screen, SCREEN_PROBLEM, "The site does not answer; press Enter again");
    return r < 0 ? TRACE(r) : 0;
}

/* To the list, if what is to begin was chosen from one. */
static int go_back(struct runner *rn, const json_t *waiting)
{
    OWN(json_decrefp) json_t *answer = NULL;
    unsigned status;
    int r;

    if (!json_is_true(json_object_get(waiting, "has_list"))) {
        screen_set(rn->screen, SCREEN_PROBLEM, "There is nothing before the first one");
        return 0;
    }
    r = link_json(rn->link, "DELETE", "/api/v1/client/choice", NULL, &status, &answer);
    if (r != 0) {
        screen_set(rn->screen, SCREEN_PROBLEM, "The site does not answer; go back again");
        return r < 0 ? TRACE(r) : 0;
    }
    end(rn);
    rn->has_chosen = false;
    rn->choose_until_us = UINT64_MAX; /* somebody is there */
    return 0;
}

static int take_typed(struct runner *rn, const json_t *waiting, const char *typed)
{
    int r = wizard_take(rn->wizard, typed);

    screen_set(rn->screen, SCREEN_PROBLEM, "%s", r == WIZARD_NO_TEXT ? "This is not UTF-8" : "");
    switch (r) {
    case WIZARD_DONE:
        return TRACE(tell(rn));
    case WIZARD_BACK:
        return TRACE(go_back(rn, waiting));
    default:
        return r < 0 ? TRACE(r) : 0;
    }
}

int runner_ask_variables(struct runner *rn, const json_t *waiting)
{
    char typed[TYPED_MAX];
    int r = 0;

    if (rn->wizard && !wizard_fits(rn->wizard, waiting)) {
        wizard_free(rn->wizard);
        rn->wizard = NULL;
    }
    if (!rn->wizard)
        r = wizard_new(waiting, &rn->wizard);
    if (r < 0)
        return TRACE(r);
    show(rn, waiting);
    if (!screen_read_line(rn->screen, runner_turn_us(rn), typed, sizeof(typed)))
        return 0;
    r = take_typed(rn, waiting, typed);
    explicit_bzero(typed, sizeof(typed));
    return TRACE(r);
}
