/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * The variables that the sequence itself sets: a setting of that name may have another value when its step runs
 */

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/assign.h"
#include "ts/compare.h"
#include "ts/validate_parts.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);

enum {
    GROW = 64,
    WHY_MAX_BYTES = 1024,
};

/* Return: 0 or -ENOMEM. */
static int add(struct ts_assigned *names, const char *name)
{
    char **grown = names->n % GROW == 0 ? realloc(names->items, (names->n + GROW) * sizeof(char *))
                                        : names->items;

    if (!grown)
        return ERR(-ENOMEM);
    names->items = grown;
    grown[names->n] = ts_copy(name);
    return grown[names->n] ? (names->n++, 0) : ERR(-ENOMEM);
}

/* What its properties name: the variable of a Set Task Sequence Variable, of an output, of a path. */
static int add_of_properties(struct ts_assigned *names, const struct ts_step *step)
{
    const struct ts_step_type *type = ts_step_type_find(step->type);
    int r = 0;

    for (size_t i = 0; r == 0 && i < step->n_variables; i++) {
        const struct ts_property *p = ts_property_find(type, step->variables[i].name);

        if (p && p->is_assigned && step->variables[i].text[0] != '\0')
            r = add(names, step->variables[i].text);
    }
    return TRACE(r);
}

static int add_of_rules(struct ts_assigned *names, const struct ts_step *step)
{
    const char *text = ts_check_text(step, "OSDSetDynamicVariablesRules");
    OWN(ts_document_freep) struct ts_document *rules = NULL;
    OWN(buf_fini) struct buf ignored = BUF_INIT(WHY_MAX_BYTES);
    const struct ts_step *steps;
    size_t n = 0;
    int r = text[0] != '\0' ? ts_rules_read(text, &rules, &ignored) : 0;

    if (r < 0)
        return TRACE(r);
    if (!rules)
        return 0;
    steps = ts_document_steps(rules, &n);
    r = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; r == 0 && k < steps[i].n_variables; k++)
            r = add(names, steps[i].variables[k].name);
    return TRACE(r);
}

static int compare(const void *a, const void *b)
{
    return ts_compare_text(*(const char *const *)a, *(const char *const *)b);
}

int ts_assigned_read(const struct ts_document *doc, struct ts_assigned *ret)
{
    size_t n;
    size_t n_globals;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    const struct ts_variable *globals = ts_document_globals(doc, &n_globals);
    int r = 0;

    for (size_t i = 0; r == 0 && i < n_globals; i++)
        r = add(ret, globals[i].name);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (!ts_step_is_enabled(&steps[i]))
            continue;
        r = add_of_properties(ret, &steps[i]);
        if (r == 0)
            r = add_of_rules(ret, &steps[i]);
    }
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof(char *), compare);
    return TRACE(r);
}

void ts_assigned_fini(struct ts_assigned *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->items[i]);
    free(names->items);
    *names = (struct ts_assigned){0};
}

bool ts_check_is_assigned(const struct ts_check *c, const char *name)
{
    return c->assigned.n > 0 &&
           bsearch(&name, c->assigned.items, c->assigned.n, sizeof(char *), compare);
}
