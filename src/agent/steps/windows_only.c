/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/step.h"
#include "ts/document.h"
#include "ts/step_types.h"

/* A step that needs Windows: it says so, and fails as any step does. */
int step_windows_only_run(struct step_context *c, struct step_result *ret)
{
    const struct ts_step_type *type = ts_step_type_find(c->step->type);

    return step_fail(ret,
                     "SLW-0409",
                     "\"%s\" is a step of the type \"%s\", which does something that only Windows "
                     "has; disable it, or give it a condition that does not hold on Linux",
                     c->step_name,
                     type ? type->display_name : c->step->type);
}
