/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/without_effect.h"

#include "ts/document.h"
#include "ts/step_types.h"
#include "ts/vars.h"

static void log_one(struct step_context *c, const char *name)
{
    c->log(c->ctx, "%s has no meaning on Linux and is not used", name);
}

void step_log_without_effect(struct step_context *c)
{
    const struct ts_step_type *type = ts_step_type_find(c->step->type);
    const char *name;
    const char *value;

    for (size_t i = 0; i < c->step->n_variables; i++) {
        const struct ts_variable *v = &c->step->variables[i];

        if (ts_property_is_in_vain(ts_property_find(type, v->name), v->text) &&
            ts_vars_get(c->vars, v->name)[0] == '\0')
            log_one(c, v->name);
    }
    for (size_t i = 0; ts_vars_at(c->vars, i, &name, &value, NULL); i++)
        if (ts_property_is_in_vain(ts_property_find(type, name), value))
            log_one(c, name);
}
