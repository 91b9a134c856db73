/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "ts/condition.h"
#include "ts/diag.h"
#include "ts/document.h"

#define TYPE(name) "SMS_TaskSequence_" name "Action"

static const char type_format[] = TYPE("PartitionDisk");
static const char type_apply_os[] = TYPE("ApplyOperatingSystem");
static const char type_network[] = TYPE("ApplyNetworkSettings");
static const char type_settings[] = TYPE("ApplyWindowsSettings");
static const char type_setup[] = TYPE("SetupWindowsAndSMS");
static const char type_command[] = TYPE("RunCommandLine");
static const char type_variable[] = TYPE("SetVariable");
static const char type_restart[] = TYPE("Reboot");

static const char *const supported[] = {
    type_format,
    type_apply_os,
    type_network,
    type_settings,
    type_setup,
    type_command,
    type_variable,
    type_restart,
    NULL,
};

/* What the steps before the one looked at have done. */
struct walk {
    struct ts_diags *diags;
    const struct ts_step *format;
    const struct ts_step *apply_os;
    const struct ts_step *setup;
    size_t n_enabled;
};

bool ts_type_is_supported(const char *type)
{
    for (const char *const *t = supported; *t; t++)
        if (strcmp(*t, type) == 0)
            return true;
    return false;
}

const char *const *ts_supported_types(void)
{
    return supported;
}

static void report(const struct walk *w,
                   enum ts_severity severity,
                   const struct ts_step *step,
                   const char *what)
{
    ts_diags_add(
        w->diags, severity, step->item.line, 0, "step \"%.100s\": %s", step->item.name, what);
}

static const char *text_of(const struct ts_step *step, const char *name)
{
    const struct ts_variable *variable = ts_step_variable(step, name);

    return variable ? variable->text : "";
}

static bool is_true(const char *text)
{
    return bytes_eq_nocase(bytes_of(text), "true");
}

static void check_format(struct walk *w, const struct ts_step *step)
{
    w->format = step;
    if (w->apply_os)
        report(
            w, TS_WARNING, step, "it may wipe the disk that an earlier step applied an image to");
}

static void check_apply_os(struct walk *w, const struct ts_step *step)
{
    if (text_of(step, "InstallPackageID")[0] != '\0' && text_of(step, "ImagePackageID")[0] == '\0')
        report(w,
               TS_ERROR,
               step,
               "it installs from an operating system upgrade package; choose an OS image instead");
    else if (text_of(step, "ImagePackageID")[0] == '\0')
        report(w, TS_ERROR, step, "no OS image is chosen (ImagePackageID)");
    if (text_of(step, "ConfigFilePackage")[0] != '\0')
        report(w, TS_WARNING, step, "its answer file is for Windows Setup and is not used");
    if (!w->format)
        report(
            w,
            TS_WARNING,
            step,
            "no Format and Partition Disk step comes before it, so there is no volume to write to");
    if (w->apply_os)
        report(w,
               TS_WARNING,
               step,
               "another Apply Operating System Image comes before it; the last one that runs wins");
    w->apply_os = step;
}

static void check_setup(struct walk *w, const struct ts_step *step)
{
    if (!w->apply_os)
        report(w,
               TS_ERROR,
               step,
               "no Apply Operating System Image comes before it, so there is nothing to set up");
    w->setup = step;
}

static void check_command(struct walk *w, const struct ts_step *step)
{
    if (text_of(step, "CommandLine")[0] == '\0' && step->action[0] == '\0')
        report(w, TS_ERROR, step, "it has no command line");
    if (is_true(text_of(step, "RunAsUser")))
        report(w, TS_ERROR, step, "it runs as another account; commands run as root only");
}

static void check_variable(struct walk *w, const struct ts_step *step)
{
    const char *name = text_of(step, "VariableName");

    if (name[0] == '\0')
        report(w, TS_ERROR, step, "it names no variable (VariableName)");
    else if (name[0] == '_')
        report(w, TS_ERROR, step, "variables that begin with '_' are read-only");
}

static void check_restart(struct walk *w, const struct ts_step *step)
{
    const char *target = text_of(step, "SMSRebootTarget");

    if (target[0] == '\0' || bytes_eq_nocase(bytes_of(target), "WinPE"))
        return;
    if (!bytes_eq_nocase(bytes_of(target), "HD"))
        report(w, TS_ERROR, step, "its target is neither HD nor WinPE (SMSRebootTarget)");
    else if (!w->setup)
        report(w,
               TS_ERROR,
               step,
               "it restarts into the installed operating system, but no Setup Windows and "
               "Configuration Manager step comes before it");
}

static void check_network(struct walk *w, const struct ts_step *step)
{
    if (text_of(step, "OSDDomainName")[0] != '\0' &&
        strcmp(text_of(step, "OSDNetworkJoinType"), "1") != 0)
        report(
            w, TS_ERROR, step, "it joins a domain, which cannot be done on Linux; use a workgroup");
}

static void check_order(struct walk *w, const struct ts_step *step)
{
    if (!w->apply_os)
        report(w,
               TS_WARNING,
               step,
               "no Apply Operating System Image comes before it, so there is nothing to change");
}

static void check_type(struct walk *w, const struct ts_step *step)
{
    static const struct {
        const char *type;
        void (*check)(struct walk *w, const struct ts_step *step);
    } checks[] = {
        {type_format, check_format},
        {type_apply_os, check_apply_os},
        {type_setup, check_setup},
        {type_command, check_command},
        {type_variable, check_variable},
        {type_restart, check_restart},
        {type_network, check_network},
        {type_settings, check_order},
    };

    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        if (strcmp(step->type, checks[i].type) != 0)
            continue;
        checks[i].check(w, step);
        return;
    }
    ts_diags_add(
        w->diags,
        TS_ERROR,
        step->item.line,
        0,
        "step \"%.100s\": the agent cannot run steps of type \"%.80s\"; disable or remove it",
        step->item.name,
        step->type);
}

static void check_condition(struct walk *w, const struct ts_item *item, const char *what)
{
    OWN(buf_fini) struct buf why = BUF_INIT(512);

    if (!ts_condition_is_portable(item->condition, &why))
        ts_diags_add(w->diags,
                     TS_WARNING,
                     item->line,
                     0,
                     "%s \"%.100s\": %s cannot be evaluated on Linux; if the rest of the condition "
                     "does not decide, it fails",
                     what,
                     item->name,
                     buf_str(&why));
}

static bool is_group_enabled(const struct ts_group *group)
{
    for (; group; group = group->item.parent)
        if (group->item.is_disabled)
            return false;
    return true;
}

static void check_whole(struct walk *w)
{
    if (w->n_enabled == 0)
        ts_diags_add(
            w->diags, TS_WARNING, 0, 0, "no step is enabled: the task sequence does nothing");
    if (w->apply_os && !w->setup)
        report(
            w,
            TS_WARNING,
            w->apply_os,
            "no Setup Windows and Configuration Manager step follows, so the disk will not boot");
}

int ts_validate(const struct ts_document *doc, struct ts_diags *diags)
{
    struct walk w = {.diags = diags};
    size_t n_steps;
    size_t n_groups;
    const struct ts_step *steps = ts_document_steps(doc, &n_steps);
    const struct ts_group *const *groups = ts_document_groups(doc, &n_groups);

    for (size_t i = 0; i < n_groups; i++)
        if (is_group_enabled(groups[i]))
            check_condition(&w, &groups[i]->item, "group");
    for (size_t i = 0; i < n_steps; i++) {
        if (!ts_step_is_enabled(&steps[i]))
            continue;
        w.n_enabled++;
        check_condition(&w, &steps[i].item, "step");
        check_type(&w, &steps[i]);
    }
    check_whole(&w);
    return 0;
}
