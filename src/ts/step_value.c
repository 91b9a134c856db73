/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/step_value.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/own.h"
#include "ts/action.h"
#include "ts/document.h"
#include "ts/step_types.h"
#include "ts/vars.h"

static const char reboot_type[] = "SMS_TaskSequence_RebootAction";

enum {
    VALUE_MAX_BYTES = 64 * 1024,
    NAME_MAX_BYTES = 64,
};

const char *ts_step_value(const struct ts_step *step, const struct ts_vars *vars, const char *name)
{
    const struct ts_variable *own = ts_step_variable(step, name);
    bool is_called_as_property = own && bytes_eq_nocase(bytes_of(own->name), own->property);
    const char *set = "";

    if (vars && (!own || !own->is_hidden))
        set = ts_vars_get(vars, own && !is_called_as_property ? own->name : name);
    if (set[0] != '\0')
        return set;
    return own ? own->text : "";
}

static bool is_true(const char *text)
{
    return bytes_eq_nocase(bytes_of(text), "true") || bytes_eq_nocase(bytes_of(text), "yes") ||
           strcmp(text, "1") == 0;
}

bool ts_step_wants_account(const struct ts_step *step,
                           const struct ts_vars *vars,
                           const char *family)
{
    OWN(buf_fini) struct buf expanded = BUF_INIT(VALUE_MAX_BYTES);
    char name[NAME_MAX_BYTES];
    const char *wanted;

    (void)snprintf(name, sizeof(name), "SMSTS%sAsUser", family);
    wanted = ts_vars_get(vars, name);
    if (wanted[0] != '\0')
        return is_true(wanted);
    wanted = ts_step_value(step, vars, "RunAsUser");
    if (wanted[0] == '\0') { /* who writes by hand may leave out the property */
        (void)snprintf(name, sizeof(name), "_SMSTS%sAsUser", family);
        wanted = ts_step_value(step, vars, name);
    }
    (void)ts_vars_expand(vars, wanted, &expanded);
    return is_true(buf_str(&expanded));
}

void ts_step_put_action_target(const struct ts_step *step, struct buf *ret)
{
    const char *target =
        strcmp(step->type, reboot_type) == 0
            ? ts_action_find_own(ts_step_type_find(step->type), step->action, "Target")
            : NULL;

    if (target && target != step->action)
        buf_add(ret, (struct bytes){(const uint8_t *)target, strcspn(target, " \t\r\n")});
}

void ts_step_put_target(const struct ts_step *step, const struct ts_vars *vars, struct buf *ret)
{
    OWN(buf_fini) struct buf of_action = BUF_INIT(VALUE_MAX_BYTES);
    const char *target = ts_step_value(step, vars, "SMSRebootTarget");

    if (target[0] == '\0') {
        ts_step_put_action_target(step, &of_action);
        target = buf_str(&of_action);
    }
    if (vars)
        (void)ts_vars_expand(vars, target, ret);
    else
        buf_adds(ret, target);
}
