/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/step.h"
#include "base/err.h"
#include "ts/vars.h"

/* Set Task Sequence Variable */
int step_set_variable_run(struct step_context *c, struct step_result *ret)
{
    const char *name = step_value(c, "VariableName");
    const char *value = step_value(c, "VariableValue");
    bool is_secret = bytes_eq_nocase(bytes_of(step_value(c, "DoNotShowVariableValue")), "true");
    int r = 0;

    *ret = (struct step_result){0};
    if (is_secret && name[0] != '_')
        r = ts_vars_set_secret(c->vars, name);
    if (r == 0)
        r = ts_vars_set(c->vars, name, value, TS_BY_SEQUENCE);
    if (r < 0)
        return TRACE(r);
    if (r == TS_VARS_E_READ_ONLY)
        return step_fail(
            ret, "SLW-0407", "\"%s\" begins with '_' and is read-only; choose another name", name);
    if (r == TS_VARS_E_NAME)
        return step_fail(ret,
                         "SLW-0407",
                         "\"%s\" is no variable name: letters, digits, '_' and '-', a letter first",
                         name);
    if (r == TS_VARS_E_LIMIT)
        return step_fail(ret, "SLW-0407", "the value of \"%s\" is too long", name);
    if (ts_vars_is_secret(c->vars, name))
        c->log(c->ctx, "Set %s to a value that is not shown", name);
    else
        c->log(c->ctx, "Set %s to \"%s\"", name, value);
    return 0;
}
