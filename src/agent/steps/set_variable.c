/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/step.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/assign.h"

static void tell(void *ctx, const char *name, const char *value)
{
    struct step_context *c = ctx;

    c->log(c->ctx, "Set %s to \"%s\"", name, value);
}

static int assign(struct step_context *c, struct step_result *ret)
{
    OWN(buf_fini) struct buf why = BUF_INIT(TS_ASSIGN_TEXT_MAX);
    int r = ts_assign(c->step, c->vars, c->facts, tell, c, &why);

    *ret = (struct step_result){0};
    if (r < 0)
        return TRACE(r);
    return r > 0 ? step_fail(ret, "SLW-0407", "%s", buf_str(&why)) : 0;
}

/* Set Task Sequence Variable */
int step_set_variable_run(struct step_context *c, struct step_result *ret)
{
    return TRACE(assign(c, ret));
}

/* Set Dynamic Variables */
int step_set_dynamic_variables_run(struct step_context *c, struct step_result *ret)
{
    return TRACE(assign(c, ret));
}
