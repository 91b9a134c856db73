/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * Runs the steps of a sequence on the computer it is started on, as in an installed system, without site and sequencer
 *
 * usage: run_steps SEQUENCE.xml
 *
 * One after the other, all with the same variables; conditions, restarts and whether a step goes on after an error do not
 * matter. If there is a folder /run/slipway/target, it is the volume of the steps that write into one. How each ended is printed as JSON,
 * what it says goes to standard error. What the steps do is really done: tests start
 * it in namespaces, with a system of their own.
 */

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/run/machine.h"
#include "agent/run/order.h"
#include "agent/steps/step.h"
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
};

static bool go_on(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    (void)ctx, (void)percent, (void)rate, (void)what;
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

static int run_step(struct step_context *c, json_t *results)
{
    const struct step_type *type = step_type_find(c->step->type);
    struct step_result result = {0};
    int r = type ? type->run(c, &result) : ERR(-ENOENT);

    step_context_fini(c);
    if (r < 0)
        return TRACE(r);
    return json_array_append_new(results,
                                 json_pack("{s:s,s:s?,s:s,s:i,s:i,s:b}",
                                           "name",
                                           c->step_name,
                                           "error_id",
                                           result.error_id,
                                           "message",
                                           result.message,
                                           "exit_code",
                                           result.exit_code,
                                           "then",
                                           (int)result.then,
                                           "is_same_step_again",
                                           (int)result.is_same_step_again));
}

static int run_all(const struct ts_document *doc)
{
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(freep) struct machine *machine = calloc(1, sizeof(*machine));
    OWN(json_decrefp) json_t *results = json_array();
    const struct order order = {0};
    struct step_target target = {.is_mounted = file_exists(TARGET_ROOT)};
    size_t n = 0;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    int r = machine ? ts_vars_new(&vars) : ERR(-ENOMEM);

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct step_context c = {.step = &steps[i],
                                 .vars = vars,
                                 .order = &order,
                                 .machine = machine,
                                 .target = &target,
                                 .environment = STEP_IN_FULL_OS,
                                 .step_name = steps[i].item.name,
                                 .progress = go_on,
                                 .log = to_stderr};

        r = run_step(&c, results);
    }
    if (r < 0)
        return TRACE(r);
    return json_dumpf(results, stdout, JSON_INDENT(1)) == 0 ? 0 : ERR(-EIO);
}

int main(int argc, char **argv)
{
    OWN(buf_fini) struct buf text = BUF_INIT(SEQUENCE_MAX);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;

    if (argc != 2 || file_read(argv[1], &text) != 0 ||
        ts_document_parse(buf_bytes(&text), &doc, &diags) != 0)
        return 2;
    return run_all(doc) == 0 ? 0 : 1;
}
