/* SPDX-License-Identifier: GPL-3.0-or-later */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/journal.h"
#include "agent/run/order.h"
#include "agent/run/report.h"
#include "agent/run/runner.h"
#include "agent/run/screen.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/sequence.h"
#include "ts/settings.h"
#include "ts/vars.h"

static const char format_type[] = "SMS_TaskSequence_PartitionDiskAction";

/* Return: 0, RUNNER_E_FAILED or -errno. */
static int parse(struct runner *rn, const char *id, const char *xml, struct ts_document **ret)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    int r = ts_document_parse(bytes_of(xml), ret, &diags);

    if (r == TS_E_MALFORMED)
        return runner_problem(rn,
                              "SLW-0402",
                              "check it with slipway ts validate and deploy it again",
                              "the task sequence %s cannot be read: line %u: %s",
                              id,
                              diags.n > 0 ? diags.items[0].line : 0,
                              diags.n > 0 ? diags.items[0].message : "");
    return r < 0 ? TRACE(r) : 0;
}

/* Whose computer this is, and what is done with it. */
static void show_sequence(struct runner *rn)
{
    const char *organization = ts_vars_get(rn->state->vars, "_SMSTSOrgName");
    const char *text = ts_vars_get(rn->state->vars, "_SMSTSCustomProgressDialogMessage");

    if (organization[0] != '\0')
        screen_set(
            rn->screen, SCREEN_SITE, "%s (%s)", organization, link_get_options(rn->link)->urls[0]);
    screen_set(rn->screen,
               SCREEN_SEQUENCE,
               "%s%s",
               text[0] != '\0' ? "" : "Running: ",
               text[0] != '\0' ? text : rn->state->order->task_sequence_name);
}

/* The order's task sequence, and those it runs. */
static int parse_all(struct runner *rn)
{
    const struct order *order = rn->state->order;
    int r = parse(rn, order->task_sequence_id, order->task_sequence_xml, &rn->document);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    rn->children = calloc(order->n_children + 1, sizeof(*rn->children));
    rn->child_documents = calloc(order->n_children + 1, sizeof(struct ts_document *));
    if (!rn->children || !rn->child_documents)
        return ERR(-ENOMEM);
    for (size_t i = 0; i < order->n_children; i++) {
        struct ts_document *document = NULL;

        r = parse(rn, order->children[i].id, order->children[i].xml, &document);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
        rn->child_documents[rn->n_children] = document;
        rn->children[rn->n_children++] =
            (struct ts_child){order->children[i].id, document, order->children[i].is_disabled};
    }
    return 0;
}

void runner_forget_documents(struct runner *rn)
{
    for (size_t i = 0; i < rn->n_children; i++)
        ts_document_free(rn->child_documents[i]);
    free(rn->child_documents);
    free(rn->children);
    ts_document_free(rn->document);
}

static int begin(struct runner *rn)
{
    struct state *s = rn->state;
    int r = ts_sequence_new(
        &(struct ts_start){
            .document = rn->document,
            .children = rn->children,
            .n_children = rn->n_children,
            .vars = s->vars,
            .facts = &rn->facts,
            .position = s->next_step,
            .is_begun = s->is_running || s->is_continued,
        },
        &rn->sequence);

    if (r > 0)
        return runner_problem(rn,
                              "SLW-0402",
                              "make it shorter, and deploy it again",
                              "the task sequence has more than %d steps with those it runs",
                              (int)TS_INSTRUCTIONS_MAX);
    if (r < 0)
        return TRACE(r);
    rn->n_steps = ts_sequence_size(rn->sequence);
    return 0;
}

int runner_prepare(struct runner *rn)
{
    struct state *s = rn->state;
    int r = parse_all(rn);

    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    show_sequence(rn);
    r = report_new(rn->link, rn->journal, s->order->order_id, s->seq, &rn->report);
    if (r < 0)
        return TRACE(r);
    rn->facts = runner_answers(rn);
    r = begin(rn);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    journal_set_vars(rn->journal, s->vars);
    runner_set_log(rn);
    runner_place_journal(rn);
    return 0;
}

int runner_set_globals(struct runner *rn)
{
    int r = ts_sequence_set_globals(rn->document, rn->state->vars);

    for (size_t i = 0; r == 0 && i < rn->n_children; i++)
        r = ts_sequence_set_globals(rn->children[i].document, rn->state->vars);
    if (r == 0)
        r = ts_settings_expand(rn->state->vars);
    return TRACE(r);
}

bool runner_is_format(const struct ts_step *step)
{
    return step && ts_step_is_enabled(step) && strcmp(step->type, format_type) == 0;
}

bool runner_has_format(const struct runner *rn)
{
    for (size_t i = 0; i < rn->n_steps; i++)
        if (runner_is_format(ts_sequence_step(rn->sequence, i)))
            return true;
    return false;
}
