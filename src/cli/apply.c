/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "cli/object.h"
#include "cli/session.h"

enum {
    TEXT_MAX_BYTES = 64 * 1024 * 1024,
    NAME_MAX_BYTES = 4096,
    VALUE_SHOWN_BYTES = 100,
};

/* One document against the site. */
struct state {
    const struct object_kind *kind;
    const json_t *wanted; /* borrowed */
    json_t *answer;       /* owned; NULL: the site has no such thing */
    json_t *changes;      /* owned */
};

static void state_fini(struct state *state)
{
    json_decref(state->answer);
    json_decref(state->changes);
}

static bool look(struct object_site *site, const json_t *wanted, struct state *ret)
{
    OWN(session_json_freep) json_t *is = NULL;

    *ret = (struct state){.kind = object_kind_find(output_text(wanted, "kind")), .wanted = wanted};
    if (!object_find(site, ret->kind, wanted, &ret->answer))
        return false;
    if (!ret->answer) {
        ret->changes = json_array();
        return true;
    }
    if (!object_read(site, ret->kind, ret->answer, &is))
        return false;
    ret->changes = object_compare(ret->kind, is, wanted);
    if (!ret->changes)
        return session_fail_errno(site->session, "comparing", -ENOMEM);
    return !ret->kind->has_sequence ||
           object_sequence_compare(site, ret->answer, wanted, ret->changes);
}

static void put_value(struct buf *dst, const json_t *value)
{
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;

    if (!text || json_is_null(value))
        buf_adds(dst, "nothing");
    else
        output_put_safe(dst, text, strnlen(text, VALUE_SHOWN_BYTES));
    if (text && strlen(text) > VALUE_SHOWN_BYTES)
        buf_adds(dst, "...");
    free(text);
}

static void put_change(struct buf *dst, const json_t *change)
{
    const char *member = output_text(change, "member");
    const char *operation = output_text(change, "operation");
    const json_t *sentences = json_object_get(change, "changes");

    for (size_t i = 0; i < json_array_size(sentences); i++) {
        buf_addf(dst, "  %s: ", member);
        put_value(dst, json_array_get(sentences, i));
        buf_adds(dst, "\n");
    }
    if (sentences)
        return;
    buf_addf(dst, "  %s: ", member);
    if (operation[0]) {
        buf_addf(dst, "%s ", operation);
        put_value(dst, json_object_get(change, "item"));
    } else {
        put_value(dst, json_object_get(change, "is"));
        buf_adds(dst, " -> ");
        put_value(dst, json_object_get(change, "wanted"));
    }
    buf_adds(dst,
             json_is_true(json_object_get(change, "is_fixed")) ? " (cannot be changed)\n" : "\n");
}

static const char *verdict_of(const struct state *state)
{
    if (!state->answer)
        return "missing";
    return json_array_size(state->changes) > 0 ? "different" : "same";
}

/* A row of the result: {"kind", "name", "state", "changes"}. */
static json_t *row_of(const struct state *state, const char *verdict)
{
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);

    object_put_name(&name, state->wanted);
    return json_pack("{s:s, s:s, s:s, s:O}",
                     "kind",
                     state->kind->kind,
                     "object",
                     buf_str(&name),
                     "state",
                     verdict,
                     "changes",
                     state->changes);
}

static bool print_rows(struct session *s, json_t *rows)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TEXT_MAX_BYTES);
    size_t i;
    json_t *row;

    if (s->format != ARGS_FORMAT_TABLE)
        return session_print_list(s, rows, NULL);
    json_array_foreach(rows, i, row)
    {
        const json_t *changes = json_object_get(row, "changes");

        output_put_safe(&text, output_text(row, "object"), strlen(output_text(row, "object")));
        buf_addf(&text, ": %s\n", output_text(row, "state"));
        for (size_t k = 0; k < json_array_size(changes); k++)
            put_change(&text, json_array_get(changes, k));
    }
    return session_write(s, &text);
}

static bool compare_one(struct object_site *site, const json_t *wanted, json_t *rows)
{
    OWN(state_fini) struct state state = {0};
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    bool is_ok;

    object_put_name(&name, wanted);
    site->session->about = buf_str(&name);
    is_ok = look(site, wanted, &state);
    site->session->about = NULL;
    return is_ok && json_array_append_new(rows, row_of(&state, verdict_of(&state))) == 0;
}

/* Compare every document; @rows: what differs and what does not. */
static bool compare_all(struct object_site *site, const json_t *documents, json_t *rows)
{
    site->documents = documents;
    for (size_t i = 0; i < json_array_size(documents); i++)
        if (!compare_one(site, json_array_get(documents, i), rows))
            return false;
    return true;
}

static bool is_any_different(const json_t *rows)
{
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (strcmp(output_text(json_array_get(rows, i), "state"), "same") != 0)
            return true;
    return false;
}

static bool diff(struct session *s, const struct args *args, bool is_told_by_exit)
{
    OWN(object_site_fini) struct object_site site = {.session = s};
    OWN(session_json_freep) json_t *documents = NULL;
    OWN(session_json_freep) json_t *rows = json_array();

    s->is_dry = false; /* it only asks */
    if (!object_files_read(s, args_get(args, "file"), &documents) || !session_open(s) ||
        !compare_all(&site, documents, rows) || !print_rows(s, rows))
        return false;
    if (is_told_by_exit && is_any_different(rows))
        s->exit_code = ARGS_EXIT_FAILURE;
    return true;
}

bool site_diff(struct session *s, const struct args *args)
{
    return diff(s, args, true);
}

typedef bool
one_fn(struct object_site *site, const json_t *wanted, const char *confirm, const char **verdict);

/* What is told meanwhile begins with the name of the document's thing. */
static bool with_name(one_fn *one,
                      struct object_site *site,
                      const json_t *wanted,
                      const char *confirm,
                      const char **verdict)
{
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);
    bool is_ok;

    object_put_name(&name, wanted);
    site->session->about = buf_str(&name);
    is_ok = one(site, wanted, confirm, verdict);
    site->session->about = NULL;
    return is_ok;
}

/* Change what differs. @verdict: "created" stays so. */
static bool change_one(struct object_site *site,
                       const json_t *wanted,
                       const char *confirm,
                       const char **verdict)
{
    OWN(state_fini) struct state state = {0};
    const size_t n_missing = site->n_missing;

    if (!look(site, wanted, &state))
        return false;
    if (state.answer && json_array_size(state.changes) == 0)
        return true;
    if (!object_apply(site, state.kind, state.answer, wanted, state.changes, confirm))
        return false;
    if (!*verdict && site->n_missing - n_missing == json_array_size(state.changes))
        *verdict = "incomplete";
    else if (!*verdict)
        *verdict = "changed";
    return true;
}

static size_t end_of_kind(const json_t *documents, size_t from)
{
    const struct object_kind *kind =
        object_kind_find(output_text(json_array_get(documents, from), "kind"));
    size_t to = from;

    while (to < json_array_size(documents) &&
           object_kind_find(output_text(json_array_get(documents, to), "kind")) == kind)
        to++;
    return to;
}

static bool create_missing(struct object_site *site,
                           const json_t *wanted,
                           const char *confirm,
                           const char **verdict)
{
    OWN(state_fini) struct state state = {0};

    state.kind = object_kind_find(output_text(wanted, "kind"));
    if (!object_find(site, state.kind, wanted, &state.answer))
        return false;
    if (state.answer)
        return true;
    if (!object_apply(site, state.kind, NULL, wanted, NULL, confirm))
        return false;
    *verdict = "created";
    return true;
}

/* @verdict: NULL: nothing was done */
static void note(json_t *rows, const json_t *wanted, const char *verdict)
{
    OWN(buf_fini) struct buf name = BUF_INIT(NAME_MAX_BYTES);

    object_put_name(&name, wanted);
    (void)json_array_append_new(rows,
                                json_pack("{s:s, s:s, s:s}",
                                          "kind",
                                          output_text(wanted, "kind"),
                                          "object",
                                          buf_str(&name),
                                          "state",
                                          verdict ? verdict : "same"));
}

/*
 * First every thing of the kind, behind them their lists: they may name one another. However it ends, what was done
 * until then is told.
 */
static bool apply_kind(struct object_site *site,
                       const json_t *documents,
                       size_t from,
                       size_t to,
                       const char *confirm,
                       json_t *rows)
{
    OWN(session_json_freep) json_t *verdicts = json_array(); /* of those that were looked at */
    size_t n_done = 0;
    bool is_ok = true;

    for (size_t i = from; i < to && is_ok; i++) {
        const char *verdict = NULL;

        is_ok = with_name(create_missing, site, json_array_get(documents, i), confirm, &verdict);
        if (is_ok)
            (void)json_array_append_new(verdicts, verdict ? json_string(verdict) : json_null());
    }
    for (size_t i = from; i < to && is_ok; i++) {
        const char *verdict = json_string_value(json_array_get(verdicts, i - from));

        is_ok = with_name(change_one, site, json_array_get(documents, i), confirm, &verdict);
        n_done += is_ok;
        if (is_ok && verdict)
            (void)json_array_set_new(verdicts, i - from, json_string(verdict));
    }
    for (size_t i = 0; i < json_array_size(verdicts); i++) {
        const char *verdict = json_string_value(json_array_get(verdicts, i));

        if (i < n_done || verdict)
            note(rows, json_array_get(documents, from + i), verdict);
    }
    return is_ok;
}

/* What is deployed would run without the secrets that are missing: it waits until they are there. */
static bool is_to_wait(const struct object_site *site, const json_t *document)
{
    const struct object_kind *kind = object_kind_find(output_text(document, "kind"));

    return site->n_missing > 0 && (kind->is_deployment || kind->is_confirmed);
}

/* Every document, one kind after the other. Return: whether all was done. */
static bool
apply_all(struct object_site *site, const json_t *documents, const char *confirm, json_t *rows)
{
    bool is_ok = true;

    site->documents = documents;
    for (size_t from = 0, to; is_ok && from < json_array_size(documents); from = to) {
        to = end_of_kind(documents, from);
        if (!is_to_wait(site, json_array_get(documents, from))) {
            is_ok = apply_kind(site, documents, from, to, confirm, rows);
            continue;
        }
        for (size_t i = from; i < to; i++)
            note(rows, json_array_get(documents, i), "waiting");
    }
    return is_ok && site->n_missing == 0;
}

/* It has failed. Some of it was done all the same? */
static bool end_partly(struct session *s, const json_t *rows)
{
    static const char *const done[] = {"created", "changed", "deleted"};

    for (size_t i = 0; i < json_array_size(rows); i++)
        for (size_t k = 0; k < sizeof(done) / sizeof(done[0]); k++)
            if (strcmp(output_text(json_array_get(rows, i), "state"), done[k]) == 0)
                s->exit_code = ARGS_EXIT_PARTIAL;
    return false;
}

bool site_apply(struct session *s, const struct args *args)
{
    OWN(object_site_fini) struct object_site site = {.session = s};
    OWN(session_json_freep) json_t *documents = NULL;
    OWN(session_json_freep) json_t *rows = json_array();
    bool is_ok;

    if (args->is_dry)
        return diff(s, args, false);
    if (!object_files_read(s, args_get(args, "file"), &documents) || !session_open(s))
        return false;
    is_ok = apply_all(&site, documents, args_get(args, "confirm"), rows);
    /* What was done before something failed is told as well. */
    return print_rows(s, rows) && (is_ok || end_partly(s, rows));
}

/* @confirm: "": nothing is deleted, but told; NULL: it is deleted */
static bool delete_one(struct object_site *site,
                       const json_t *wanted,
                       const char *confirm,
                       const char **verdict)
{
    const struct object_kind *kind = object_kind_find(output_text(wanted, "kind"));
    OWN(session_json_freep) json_t *answer = NULL;

    if (!object_find(site, kind, wanted, &answer))
        return false;
    if (answer && kind->is_kept)
        return session_fail(site->session,
                            ARGS_EXIT_CONFLICT,
                            "SLW-0714",
                            "%s \"%s\" is not deleted by a document",
                            kind->kind,
                            output_text(wanted, "name"));
    *verdict = !answer ? "missing" : confirm ? "to be deleted" : "deleted";
    return !answer || confirm || object_delete(site, kind, answer);
}

bool site_delete(struct session *s, const struct args *args)
{
    OWN(object_site_fini) struct object_site site = {.session = s};
    OWN(session_json_freep) json_t *documents = NULL;
    OWN(session_json_freep) json_t *rows = json_array();
    bool is_ok = true;

    if (!object_files_read(s, args_get(args, "file"), &documents) || !session_open(s))
        return false;
    site.documents = documents;
    for (size_t i = json_array_size(documents); is_ok && i-- > 0;) {
        const json_t *wanted = json_array_get(documents, i);
        const char *verdict = NULL;

        is_ok = with_name(delete_one, &site, wanted, args->is_dry ? "" : NULL, &verdict);
        if (is_ok)
            note(rows, wanted, verdict);
    }
    return print_rows(s, rows) && (is_ok || end_partly(s, rows));
}
