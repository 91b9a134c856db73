/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/document.h"

#include <string.h>

#include "base/bytes.h"
#include "ts/step_types.h"

/* MDT names some variables as the property of the type is called: "Target" instead of "SMSRebootTarget". */
static const struct ts_variable *find_under_property(const struct ts_step *step, const char *name)
{
    const struct ts_property *property =
        ts_property_find(ts_step_type_find(ts_step_runs_as(step)), name);

    if (!property || bytes_eq_nocase(bytes_of(property->name), name))
        return NULL;
    for (size_t i = 0; i < step->n_variables; i++)
        if (bytes_eq_nocase(bytes_of(step->variables[i].name), property->name))
            return &step->variables[i];
    return NULL;
}

const struct ts_variable *ts_step_variable(const struct ts_step *step, const char *name)
{
    for (size_t i = 0; i < step->n_variables; i++)
        if (bytes_eq_nocase(bytes_of(step->variables[i].name), name))
            return &step->variables[i];
    for (size_t i = 0; i < step->n_variables; i++)
        if (bytes_eq_nocase(bytes_of(step->variables[i].property), name))
            return &step->variables[i];
    return find_under_property(step, name);
}

const char *ts_step_runs_as(const struct ts_step *step)
{
    bool is_command = step->type[0] == '\0' && step->action[0] != '\0';

    return is_command ? "SMS_TaskSequence_RunCommandLineAction" : step->type;
}

const char *ts_step_action_command(const struct ts_step *step)
{
    static const char prefix[] = "smsswd.exe /run:";
    const char *action = step->action;

    if (strncmp(action, prefix, sizeof(prefix) - 1) != 0)
        return action;
    action += sizeof(prefix) - 1;
    action += strcspn(action, " ");
    return action + strspn(action, " ");
}

bool ts_command_is_of_script_host(const char *command)
{
    static const char *const hosts[] = {"cscript", "cscript.exe", "wscript", "wscript.exe"};
    const char *name;
    size_t len;

    command += strspn(command, " \t\r\n");
    name = command + (command[0] == '"' ? 1 : 0);
    len = strcspn(name, command[0] == '"' ? "\"" : " \t\r\n");
    for (size_t i = len; i-- > 0;)
        if (name[i] == '\\' || name[i] == '/') {
            name += i + 1;
            len -= i + 1;
            break;
        }
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
        if (bytes_eq_nocase((struct bytes){(const uint8_t *)name, len}, hosts[i]))
            return true;
    return false;
}

bool ts_step_is_enabled(const struct ts_step *step)
{
    if (step->item.is_disabled)
        return false;
    for (const struct ts_group *g = step->item.parent; g; g = g->item.parent)
        if (g->item.is_disabled)
            return false;
    return true;
}

bool ts_step_is_success(const struct ts_step *step, int64_t code)
{
    const char *word = step->success_codes;

    while (*word) {
        size_t len = strcspn(word, " ,;\t\r\n");
        bool is_negative = word[0] == '-';
        struct bytes digits = {(const uint8_t *)word + (is_negative ? 1 : 0),
                               len - (is_negative ? 1 : 0)};
        uint64_t n;

        if (bytes_parse_u64(digits, 0, UINT32_MAX, &n) &&
            code == (is_negative ? -(int64_t)n : (int64_t)n))
            return true;
        word += len + (word[len] != '\0' ? 1 : 0);
    }
    return false;
}
