/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/object_match.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "cli/output.h"

/* What a document and a thing are to one another. */
enum fit {
    FIT_NOT,    /* the document could not make it what it says */
    FIT_CHANGE, /* it could */
    FIT_SAME,
};

struct match {
    const json_t *documents; /* borrowed */
    size_t n_documents;
    size_t n_things;
    enum fit *fits;  /* owned; by document, then by thing */
    size_t *thing;   /* owned; of each document; n_things: none */
    bool *is_taken;  /* owned; of each thing */
    bool *is_looked; /* owned; of each thing, by one search */
};

static void match_fini(struct match *m)
{
    free(m->fits);
    free(m->thing);
    free(m->is_taken);
    free(m->is_looked);
}

static enum fit fit_of(const struct match *m, size_t document, size_t thing)
{
    return m->fits[document * m->n_things + thing];
}

static bool look(struct match *m, const struct object_kind *kind, const json_t *things)
{
    for (size_t i = 0; i < m->n_documents; i++)
        for (size_t k = 0; k < m->n_things; k++) {
            OWN(session_json_freep)
            json_t *changes =
                object_compare(kind, json_array_get(things, k), json_array_get(m->documents, i));
            enum fit fit = json_array_size(changes) > 0 ? FIT_CHANGE : FIT_SAME;

            if (!changes)
                return false;
            for (size_t c = 0; c < json_array_size(changes); c++)
                if (json_is_true(json_object_get(json_array_get(changes, c), "is_fixed")))
                    fit = FIT_NOT;
            m->fits[i * m->n_things + k] = fit;
        }
    return true;
}

/* Who has the thing; n_documents: nobody. */
static size_t owner_of(const struct match *m, size_t thing)
{
    size_t i = 0;

    while (i < m->n_documents && m->thing[i] != thing)
        i++;
    return i;
}

static void take(struct match *m, size_t document, size_t thing)
{
    m->thing[document] = thing;
    m->is_taken[thing] = true;
}

/* One that is the same for a document: a free one, or that of another one that finds another. Each thing is looked at once. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as there are things */
static bool find_same(struct match *m, size_t document)
{
    for (size_t k = 0; k < m->n_things; k++)
        if (!m->is_taken[k] && fit_of(m, document, k) == FIT_SAME) {
            take(m, document, k);
            return true;
        }
    for (size_t k = 0; k < m->n_things; k++) {
        if (m->is_looked[k] || fit_of(m, document, k) != FIT_SAME)
            continue;
        m->is_looked[k] = true;
        if (find_same(m, owner_of(m, k))) {
            take(m, document, k);
            return true;
        }
    }
    return false;
}

static bool has_same_comment(const struct match *m, const json_t *things, size_t i, size_t k)
{
    const char *comment = output_text(json_array_get(m->documents, i), "comment");

    return comment[0] && strcmp(comment, output_text(json_array_get(things, k), "comment")) == 0;
}

/* Of a document without a thing, or a thing without a document: the only one that is left for it. @n: how many there are */
static size_t only_thing(const struct match *m, size_t document, size_t *n)
{
    size_t found = m->n_things;

    *n = 0;
    for (size_t k = 0; k < m->n_things; k++)
        if (!m->is_taken[k] && fit_of(m, document, k) != FIT_NOT) {
            found = k;
            *n += 1;
        }
    return found;
}

static size_t n_wanting(const struct match *m, size_t thing)
{
    size_t n = 0;

    for (size_t i = 0; i < m->n_documents; i++)
        n += m->thing[i] == m->n_things && fit_of(m, i, thing) != FIT_NOT;
    return n;
}

/* What differs is known again by its comment, or because there is nothing else that it could be. */
static void pair_others(struct match *m, const json_t *things)
{
    bool is_more = true;

    for (size_t i = 0; i < m->n_documents; i++)
        for (size_t k = 0; m->thing[i] == m->n_things && k < m->n_things; k++)
            if (!m->is_taken[k] && fit_of(m, i, k) == FIT_CHANGE &&
                has_same_comment(m, things, i, k))
                take(m, i, k);
    while (is_more) {
        is_more = false;
        for (size_t i = 0; i < m->n_documents; i++) {
            size_t n = 0;
            size_t k = m->thing[i] == m->n_things ? only_thing(m, i, &n) : m->n_things;

            if (n == 1 && n_wanting(m, k) == 1) {
                take(m, i, k);
                is_more = true;
            }
        }
    }
}

enum object_match object_match(const struct object_kind *kind,
                               const json_t *things,
                               const json_t *documents,
                               size_t document,
                               size_t *ret)
{
    OWN(match_fini)
    struct match m = {
        .documents = documents,
        .n_documents = json_array_size(documents),
        .n_things = json_array_size(things),
    };
    size_t n = 0;

    if (m.n_documents == 1 && m.n_things == 1) {
        *ret = 0; /* what cannot be changed of it is told */
        return OBJECT_MATCH_ONE;
    }
    m.fits = calloc(m.n_documents * m.n_things + 1, sizeof(*m.fits));
    m.thing = calloc(m.n_documents + 1, sizeof(*m.thing));
    m.is_taken = calloc(m.n_things + 1, sizeof(*m.is_taken));
    m.is_looked = calloc(m.n_things + 1, sizeof(*m.is_looked));
    if (!m.fits || !m.thing || !m.is_taken || !m.is_looked || !look(&m, kind, things))
        return OBJECT_MATCH_NO_MEMORY;
    for (size_t i = 0; i < m.n_documents; i++)
        m.thing[i] = m.n_things;
    for (size_t i = 0; i < m.n_documents; i++) {
        memset(m.is_looked, 0, m.n_things * sizeof(*m.is_looked));
        (void)find_same(&m, i);
    }
    pair_others(&m, things);
    *ret = m.thing[document];
    if (*ret < m.n_things)
        return OBJECT_MATCH_ONE;
    (void)only_thing(&m, document, &n);
    return n > 0 ? OBJECT_MATCH_SEVERAL : OBJECT_MATCH_NONE;
}
