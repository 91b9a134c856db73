/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "ts/compare.h"
#include "ts/sequence.h"

static const char child_type[] = "SMS_TaskSequence_SubTasksequence";

struct filler {
    struct table *table;
    const struct ts_start *start;
};

void table_fini(struct table *table)
{
    for (size_t i = 0; i < table->n_scopes; i++)
        free(table->scopes[i]);
    free(table->scopes);
    free(table->items);
    *table = (struct table){0};
}

const char *ts_step_child(const struct ts_step *step)
{
    const struct ts_variable *id;

    if (strncmp(step->type, child_type, sizeof(child_type) - 1) != 0)
        return NULL;
    id = ts_step_variable(step, "TsPackageID");
    return id ? id->text : "";
}

static struct scope *add_scope(struct table *table, const struct scope *parent)
{
    struct scope **grown = realloc(table->scopes, (table->n_scopes + 1) * sizeof(struct scope *));
    struct scope *scope = calloc(1, sizeof(*scope));

    if (grown)
        table->scopes = grown;
    if (!grown || !scope) {
        free(scope);
        return NULL;
    }
    scope->parent = parent;
    grown[table->n_scopes++] = scope;
    return scope;
}

static int add_instruction(struct table *table, struct instruction instruction)
{
    struct instruction *grown;

    if (table->n == TS_INSTRUCTIONS_MAX)
        return TS_SEQUENCE_E_LIMIT;
    grown = realloc(table->items, (table->n + 1) * sizeof(*grown));
    if (!grown)
        return ERR(-ENOMEM);
    table->items = grown;
    grown[table->n++] = instruction;
    return 0;
}

static const struct ts_child *find_child(const struct ts_start *start, const char *id)
{
    for (size_t i = 0; i < start->n_children; i++)
        if (ts_compare_text(start->children[i].id, id) == 0)
            return &start->children[i];
    return NULL;
}

/* Whether the scopes around a step already are within the sequence @id, or too many. */
static const char *refusal(const struct ts_child *child, const struct scope *scope)
{
    unsigned depth = 0;

    if (!child)
        return "the task sequence that it runs is missing";
    if (child->is_disabled)
        return "the task sequence that it runs is disabled";
    for (; scope; scope = scope->parent) {
        if (!scope->call)
            continue;
        if (ts_compare_text(ts_step_child(scope->call), child->id) == 0)
            return "the task sequence that it runs would run itself";
        if (++depth == TS_NESTING_MAX - 1)
            return "task sequences are nested too deeply";
    }
    return NULL;
}

static int add_document(struct filler *f, const struct ts_document *doc, const struct scope *outer);

static int add_step(struct filler *f, const struct ts_step *step, const struct scope *scope)
{
    const char *id = ts_step_child(step);
    const struct ts_child *child = id ? find_child(f->start, id) : NULL;
    const char *broken = id ? refusal(child, scope) : NULL;
    struct scope *inner;
    int r;

    if (!id || broken)
        return TRACE(add_instruction(f->table, (struct instruction){step, scope, broken}));
    inner = add_scope(f->table, scope);
    if (!inner)
        return ERR(-ENOMEM);
    inner->item = &step->item;
    inner->call = step;
    inner->first = f->table->n;
    r = add_document(f, child->document, inner);
    inner->end = f->table->n;
    return r < 0 ? TRACE(r) : r;
}

/* The scope of @group among those of its document, which begin at @first. */
static struct scope *
find_scope(const struct table *table, size_t first, const struct ts_group *group)
{
    for (size_t i = first; group && i < table->n_scopes; i++)
        if (table->scopes[i]->group == group)
            return table->scopes[i];
    return NULL;
}

static int add_groups(struct filler *f, const struct ts_document *doc, const struct scope *outer)
{
    size_t first = f->table->n_scopes;
    size_t n;
    const struct ts_group *const *groups = ts_document_groups(doc, &n);

    for (size_t i = 0; i < n; i++) { /* each behind the one around it */
        const struct scope *parent = find_scope(f->table, first, groups[i]->item.parent);
        struct scope *scope = add_scope(f->table, parent ? parent : outer);

        if (!scope)
            return ERR(-ENOMEM);
        scope->item = &groups[i]->item;
        scope->group = groups[i];
    }
    return 0;
}

static int add_steps(struct filler *f,
                     const struct ts_document *doc,
                     const struct scope *outer,
                     size_t first_scope,
                     size_t *starts)
{
    size_t n;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    const struct ts_group *group = NULL;
    const struct scope *scope = outer;

    for (size_t i = 0; i < n; i++) {
        int r;

        if (steps[i].item.parent != group) {
            group = steps[i].item.parent;
            scope = group ? find_scope(f->table, first_scope, group) : outer;
        }
        starts[i] = f->table->n;
        r = add_step(f, &steps[i], scope);
        if (r != 0)
            return r < 0 ? TRACE(r) : r;
    }
    starts[n] = f->table->n;
    return 0;
}

/* The depth is bounded by TS_NESTING_MAX. */
static int add_document(struct filler *f, const struct ts_document *doc, const struct scope *outer)
{
    size_t first_scope = f->table->n_scopes;
    size_t n_steps;
    size_t n_groups;
    const struct ts_group *const *groups = ts_document_groups(doc, &n_groups);

    (void)ts_document_steps(doc, &n_steps);

    OWN(freep) size_t *starts = calloc(n_steps + 1, sizeof(*starts));
    int r;

    if (!starts)
        return ERR(-ENOMEM);
    r = add_groups(f, doc, outer);
    if (r == 0)
        r = add_steps(f, doc, outer, first_scope, starts);
    if (r != 0)
        return r < 0 ? TRACE(r) : r;
    for (size_t i = 0; i < n_groups; i++) {
        struct scope *scope = f->table->scopes[first_scope + i];

        scope->first = starts[groups[i]->first_step];
        scope->end = starts[groups[i]->end_step];
    }
    return 0;
}

int table_fill(struct table *table, const struct ts_start *start)
{
    struct filler f = {table, start};

    *table = (struct table){0};
    return add_document(&f, start->document, NULL);
}
