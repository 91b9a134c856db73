/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Runs the Format and Partition Disk steps of a sequence on disks that are named, for tests/system/partition_layouts.py
 *
 * usage: format_disk SEQUENCE.xml uefi|bios DISK...
 *
 * The disks ("loop0") are the computer's, numbered from 0. What came of each step, and for an Apply Operating System Image the
 * volume that its destination names and that becomes the target (of an Apply Data Image only the volume), is printed as JSON,
 * and which volume's state would be gone on with after a restart. Nothing but these disks is written to.
 */

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/run/target.h"
#include "agent/steps/step.h"
#include "agent/steps/volumes.h"
#include "base/err.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    SEQUENCE_MAX = 1024 * 1024,
    STATE_MAX = 64 * 1024,
    ARGUMENTS_MIN = 4,
};

/* What a step says of its progress. */
struct progress {
    unsigned percent;
    unsigned n_told;
    bool went_back;
};

static bool go_on(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    struct progress *progress = ctx;

    (void)rate;
    (void)what;
    progress->went_back = progress->went_back || percent < progress->percent || percent > 100;
    progress->percent = percent;
    progress->n_told++;
    return true;
}

__attribute__((format(printf, 2, 3))) static void to_stderr(void *ctx, const char *format, ...)
{
    va_list args;

    (void)ctx;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

static json_t *volumes_json(const struct ts_vars *vars)
{
    json_t *list = json_array();
    struct volume v;

    for (size_t i = 0; volumes_at(vars, i, &v); i++) {
        const char letter[] = {v.letter, '\0'};

        (void)json_array_append_new(list,
                                    json_pack("{s:s,s:s,s:I,s:I,s:s}",
                                              "device",
                                              v.device,
                                              "uuid",
                                              v.uuid,
                                              "disk",
                                              (json_int_t)v.disk,
                                              "partition",
                                              (json_int_t)v.partition,
                                              "letter",
                                              letter));
    }
    return list;
}

static json_t *variables_json(const struct ts_vars *vars)
{
    json_t *all = json_object();
    const char *name;
    const char *value;

    for (size_t i = 0; ts_vars_at(vars, i, &name, &value, NULL); i++)
        if (value[0] != '\0')
            (void)json_object_set_new(all, name, json_string(value));
    return all;
}

/* As a runner would have it there. */
static int put_state(const struct step_target *target)
{
    OWN(buf_fini) struct buf text = BUF_INIT(STATE_MAX);
    int r = dir_make(TARGET_ROOT "/" TARGET_STATE_FOLDER, 0700);

    buf_addf(&text,
             "{\"seq\":7,\"order\":{\"order_id\":\"o\"},\"target\":{\"disk_serial\":\"%s\","
             "\"disk_size_bytes\":%" PRIu64 "}}",
             target->disk_serial,
             target->disk_size_bytes);
    return r < 0 ? TRACE(r)
                 : TRACE(file_write(TARGET_ROOT "/" TARGET_STATE_FILE, buf_bytes(&text), 0600));
}

/* Where the agent would go on after a restart. */
static int find_state(const struct machine *machine, struct step_target *ret)
{
    OWN(buf_fini) struct buf text = BUF_INIT(STATE_MAX);
    int r = target_find_state(machine, "o", ret, &text);

    return r < 0 ? TRACE(r) : 0;
}

static int run_step(struct step_context *c, json_t *results)
{
    const struct progress *progress = c->ctx;
    struct step_result result = {0};
    struct volume volume = {0};
    bool is_apply = strstr(c->step->type, "ApplyOperatingSystem") != NULL;
    bool is_format = strstr(c->step->type, "PartitionDisk") != NULL;
    int r = is_format ? step_format_disk_run(c, &result) : volumes_destination(c, &volume, &result);

    if (r == 0 && is_format && c->target->is_mounted)
        r = put_state(c->target);
    if (r == 0 && is_apply)
        r = volumes_take_target(c, &volume, &result);

    step_context_fini(c);
    if (r < 0)
        return TRACE(r);
    return json_array_append_new(results,
                                 json_pack("{s:s*,s:s,s:s,s:i,s:b}",
                                           "error_id",
                                           result.error_id,
                                           "message",
                                           result.message,
                                           "destination",
                                           volume.device,
                                           "n_told",
                                           (int)progress->n_told,
                                           "went_back",
                                           (int)progress->went_back));
}

static int run_all(const struct ts_document *doc, const struct machine *machine)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(json_decrefp) json_t *results = json_array();
    struct step_target target = {0};
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    int r = ts_vars_new(&vars);

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct progress progress = {0};
        struct step_context c = {.ctx = &progress,
                                 .step = &steps[i],
                                 .vars = vars,
                                 .machine = machine,
                                 .target = &target,
                                 .environment = STEP_IN_BOOT_IMAGE,
                                 .step_name = "step",
                                 .progress = go_on,
                                 .log = to_stderr};

        r = run_step(&c, results);
    }
    bool is_mounted = target.is_mounted;
    struct step_target found = {0};

    if (r == 0)
        r = target_unmount(&target);
    if (r == 0)
        r = find_state(machine, &found);
    if (r < 0)
        return TRACE(r);
    OWN(json_decrefp)
    json_t *all = json_pack("{s:O,s:o,s:o,s:s,s:{s:s,s:s,s:s,s:b}}",
                            "results",
                            results,
                            "volumes",
                            volumes_json(vars),
                            "variables",
                            variables_json(vars),
                            "state",
                            found.root_device,
                            "target",
                            "disk",
                            target.disk,
                            "root",
                            target.root_device,
                            "esp",
                            target.esp_device,
                            "is_mounted",
                            (int)is_mounted);

    return all && json_dumpf(all, stdout, JSON_INDENT(1)) == 0 ? 0 : ERR(-EIO);
}

int main(int argc, char **argv)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SEQUENCE_MAX);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));

    if (argc < ARGUMENTS_MIN || !machine || argc - ARGUMENTS_MIN >= MACHINE_DISKS_MAX)
        return 2;
    machine->is_uefi = strcmp(argv[2], "uefi") == 0;
    for (int i = 3; i < argc; i++)
        machine_read_disk(argv[i], &machine->disks[machine->n_disks++]);
    if (file_read(argv[1], &text) != 0 || ts_document_parse(buf_bytes(&text), &doc, &diags) != 0)
        return 2;
    return run_all(doc, machine) == 0 ? 0 : 1;
}
