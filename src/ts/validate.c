/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/validate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "ts/sequence.h"
#include "ts/toolkit_type.h"
#include "ts/validate_parts.h"
#include "ts/xml.h"

enum {
    WHAT_MAX_BYTES = 768,
};

#define TYPE(name) "SMS_TaskSequence_" name "Action"

static const char type_format[] = TYPE("PartitionDisk");
static const char type_apply_os[] = TYPE("ApplyOperatingSystem");
static const char type_network[] = TYPE("ApplyNetworkSettings");
static const char type_settings[] = TYPE("ApplyWindowsSettings");
static const char type_setup[] = TYPE("SetupWindowsAndSMS");
static const char type_command[] = TYPE("RunCommandLine");
static const char type_variable[] = TYPE("SetVariable");
static const char type_variables[] = TYPE("SetDynamicVariables");
static const char type_restart[] = TYPE("Reboot");
static const char type_readiness[] = TYPE("PrestartCheck");
static const char type_join[] = TYPE("JoinDomainWorkgroup");
static const char type_connect[] = TYPE("ConnectNetworkFolder");
static const char type_updates[] = TYPE("InstallUpdate");
static const char type_application[] = TYPE("InstallApplication");
static const char type_package[] = TYPE("InstallSoftware");
static const char type_script[] = TYPE("RunPowerShellScript");
static const char type_download[] = TYPE("DownloadPackageContent");
static const char type_prepare_client[] = TYPE("PrepareSMSClient");
static const char type_prepare_os[] = TYPE("PrepareOS");
static const char type_capture[] = TYPE("CaptureSystemImage");
static const char type_capture_settings[] = TYPE("CaptureWindowsSettings");
static const char type_apply_data[] = TYPE("ApplyDataImage");
static const char type_capture_network[] = TYPE("CaptureNetworkSettings");

static const char *const supported[] = {
    type_format,          type_apply_os,    type_network,
    type_settings,        type_setup,       type_command,
    type_variable,        type_variables,   type_restart,
    type_readiness,       type_join,        type_connect,
    type_updates,         type_application, type_package,
    type_script,          type_download,    type_prepare_client,
    type_prepare_os,      type_capture,     type_capture_settings,
    type_capture_network, type_apply_data,  NULL,
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

static bool
is_told(const struct ts_diags *diags, const struct ts_diag_place *place, const char *what)
{
    for (size_t i = 0; i < diags->n; i++) {
        const struct ts_diag *diag = &diags->items[i];

        if (diag->line == place->line && diag->column == place->column &&
            strcmp(diag->id, place->id) == 0 && strcmp(diag->message, what) == 0 &&
            strcmp(diag->path, place->path ? place->path : "") == 0)
            return true;
    }
    return false;
}

__attribute__((format(printf, 5, 0))) static void report(const struct ts_check *c,
                                                         const xmlNode *node,
                                                         struct ts_diag_place *place,
                                                         enum ts_severity severity,
                                                         const char *format,
                                                         va_list args)
{
    char what[WHAT_MAX_BYTES];

    if (vsnprintf(what, sizeof(what), format, args) < 0)
        what[0] = '\0';
    if (node) {
        place->line = ts_xml_line(node);
        place->column = ts_xml_column(node);
    }
    if (!is_told(c->diags, place, what))
        ts_diags_add_at(c->diags, severity, place, "%s", what);
}

void ts_check_report(const struct ts_check *c,
                     int item,
                     enum ts_severity severity,
                     const char *id,
                     const char *format,
                     ...)
{
    const struct ts_tree_item *at = item == TS_NO_ITEM ? NULL : &c->tree.items[item];
    struct ts_diag_place place = {.id = id, .path = at ? at->path : NULL};
    va_list args;

    va_start(args, format);
    report(c, at ? at->node : NULL, &place, severity, format, args);
    va_end(args);
}

void ts_check_report_node(const struct ts_check *c,
                          const xmlNode *node,
                          enum ts_severity severity,
                          const char *id,
                          const char *format,
                          ...)
{
    struct ts_diag_place place = {.id = id};
    va_list args;

    va_start(args, format);
    report(c, node, &place, severity, format, args);
    va_end(args);
}

void ts_check_pass_on(const struct ts_check *c,
                      const xmlNode *node,
                      int item,
                      const char *part,
                      enum ts_severity worst,
                      const struct ts_diags *found)
{
    for (size_t i = 0; i < found->n; i++) {
        const struct ts_diag *diag = &found->items[i];
        enum ts_severity severity = diag->severity < worst ? diag->severity : worst;

        if (node)
            ts_check_report_node(c, node, severity, diag->id, "%s: %s", part, diag->message);
        else
            ts_check_report(c, item, severity, diag->id, "%s: %s", part, diag->message);
    }
}

const struct ts_step *ts_check_step(const struct ts_check *c, int item)
{
    return &c->steps[c->tree.items[item].step];
}

const char *ts_check_text(const struct ts_step *step, const char *name)
{
    const struct ts_variable *variable = ts_step_variable(step, name);

    return variable ? variable->text : "";
}

bool ts_check_is_true(const char *text)
{
    return bytes_eq_nocase(bytes_of(text), "true");
}

bool ts_check_is_one_of(const char *text, const char *choices)
{
    for (;;) {
        size_t len = strcspn(choices, "|");

        if (strlen(text) == len &&
            bytes_eq_nocase((struct bytes){(const uint8_t *)choices, len}, text))
            return true;
        if (choices[len] == '\0')
            return false;
        choices += len + 1;
    }
}

enum ts_severity ts_check_severity_on_linux(const struct ts_check *c)
{
    return c->platform == TS_PLATFORM_LINUX ? TS_ERROR : TS_WARNING;
}

/* A command of Windows Script Host, as most of MDT's are. */
static void check_script_host(const struct ts_check *c, int item, const struct ts_step *step)
{
    const char *own = ts_check_text(step, "CommandLine");

    if (c->platform != TS_PLATFORM_WINDOWS && strcmp(ts_step_runs_as(step), type_command) == 0 &&
        ts_command_is_of_script_host(own[0] != '\0' ? own : ts_step_action_command(step)))
        ts_check_report(
            c,
            item,
            ts_check_severity_on_linux(c),
            "SLW-0176",
            "it is a script for Windows Script Host and fails on Linux; disable, remove or replace the step");
}

/* What the agent can do with a step of this type. */
static void check_type(const struct ts_check *c, int item)
{
    const struct ts_step *step = ts_check_step(c, item);
    const struct ts_step_type *type = ts_step_type_find(step->type);

    /* The engine runs the steps of a nested task sequence, not a step of that type. */
    if (ts_type_is_supported(ts_step_runs_as(step)) || ts_step_child(step)) {
        check_script_host(c, item, step);
        return;
    }
    if (type && type->platform == TS_PLATFORM_WINDOWS && c->platform == TS_PLATFORM_WINDOWS)
        return;
    if (type && type->platform == TS_PLATFORM_WINDOWS)
        ts_check_report(c,
                        item,
                        ts_check_severity_on_linux(c),
                        "SLW-0176",
                        "\"%s\" is for Windows and fails on Linux; disable or remove the step",
                        type->display_name);
    else if (type)
        ts_check_report(c,
                        item,
                        TS_ERROR,
                        "SLW-0182",
                        "the agent cannot run \"%s\"; disable or remove the step",
                        type->display_name);
    else if (step->type[0] == '\0')
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0182",
            "the step has neither a type nor a command; replace it by a Run Command Line");
    else if (ts_toolkit_type_advice(step->type))
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0182",
            "\"%.80s\" is a script of the Microsoft Deployment Toolkit for Windows, which the agent cannot run; %s",
            step->type,
            ts_toolkit_type_advice(step->type));
    else
        ts_check_report(
            c,
            item,
            TS_ERROR,
            "SLW-0182",
            "the agent cannot run steps of type \"%.80s\"; disable the step or replace it by one of a known type",
            step->type);
}

static void check_whole(const struct ts_check *c)
{
    if (c->n_enabled == 0)
        ts_check_report(c,
                        TS_NO_ITEM,
                        TS_WARNING,
                        "SLW-0184",
                        "no step is enabled: the task sequence does nothing");
}

/* What the image is of that the first enabled Apply Operating System Image names. */
static void find_platform(struct ts_check *c)
{
    for (size_t i = 0; i < c->tree.n && c->platform == 0; i++) {
        const struct ts_tree_item *item = &c->tree.items[i];

        if (item->step == TS_NO_ITEM || !ts_tree_is_enabled(&c->tree, (int)i) ||
            strcmp(item->type, type_apply_os) != 0)
            continue;

        const char *id = ts_check_text(&c->steps[item->step], "ImagePackageID");

        if (id[0] != '\0' && c->site && c->site->platform_of)
            c->platform = c->site->platform_of(c->site->ctx, id);
    }
}

static void check_item(struct ts_check *c, int item)
{
    const struct ts_tree_item *at = &c->tree.items[item];

    ts_check_attributes(c, item);
    ts_check_condition(c, item);
    ts_check_secrets(c, item);
    if (at->is_group)
        return;
    c->n_enabled++;
    check_type(c, item);
    ts_check_properties(c, item);
    ts_check_partitions(c, item);
    ts_check_effect(c, item);
    ts_check_settings(c, item);
}

static int check_document(struct ts_check *c)
{
    const struct ts_site_facts *site = c->site;
    unsigned start = TS_PLACE_FULL_OS | TS_PLACE_BARE;

    find_platform(c);
    ts_check_root(c);
    ts_check_root_secrets(c);
    for (size_t i = 0; i < c->tree.n; i++)
        if (ts_tree_is_enabled(&c->tree, (int)i))
            check_item(c, (int)i);
    if (site && site->boot_image_id && site->boot_image_id[0] == '\0')
        start = TS_PLACE_FULL_OS;
    (void)ts_check_flow(c, start);
    check_whole(c);
    ts_check_global_values(c);
    ts_check_globals(c);
    return TRACE(ts_check_references(c));
}

int ts_validate_at(const struct ts_document *doc,
                   const struct ts_site_facts *site,
                   struct ts_diags *diags)
{
    struct ts_check c = {.doc = doc, .site = site, .diags = diags};
    size_t n_steps;
    const size_t first = diags->n;
    int r;

    c.steps = ts_document_steps(doc, &n_steps);
    r = ts_tree_read(ts_document_tree(doc), &c.tree);
    if (r == 0)
        r = ts_secret_names_new(doc, NULL, &c.secrets);
    if (r == 0)
        r = ts_assigned_read(doc, &c.assigned);
    ts_types_read(c.steps, n_steps, &c.types);
    if (r == 0)
        r = check_document(&c);
    ts_diags_sort(diags, first);
    ts_secret_names_free(c.secrets);
    ts_assigned_fini(&c.assigned);
    ts_tree_fini(&c.tree);
    return TRACE(r);
}

int ts_validate(const struct ts_document *doc, struct ts_diags *diags)
{
    return ts_validate_at(doc, NULL, diags);
}
