/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "agent/steps/test_bench.h"

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, */
#include <stddef.h>
#include <stdint.h> /* and this, to be there */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ts/diag.h"
#include "ts/document.h"
#include "ts/facts_json.h"

enum {
    LOG_MAX_BYTES = 256 * 1024,
    XML_MAX_BYTES = 64 * 1024,
};

static bool progress(void *ctx, unsigned percent, uint64_t rate, const char *what)
{
    const struct step_bench *b = ctx;

    (void)percent, (void)rate, (void)what;
    return !b->is_cancelled;
}

__attribute__((format(printf, 2, 3))) static void to_log(void *ctx, const char *format, ...)
{
    struct step_bench *b = ctx;
    char line[4096];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    buf_addf(&b->log, "%s\n", line);
}

static struct step_bench *
make(const char *type, const char *attributes, const char *action, const char *variables)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(XML_MAX_BYTES);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct step_bench *b = calloc(1, sizeof(*b));
    size_t n;

    assert_non_null(b);
    buf_addf(&xml,
             "<sequence version=\"3.10\"><step type=\"SMS_TaskSequence_%s\" name=\"the step\" %s>"
             "<action>%s</action><defaultVarList>%s</defaultVarList></step></sequence>",
             type,
             attributes,
             action,
             variables);
    assert_int_equal(ts_document_parse(buf_bytes(&xml), &b->doc, &diags), 0);
    b->log = BUF_INIT(LOG_MAX_BYTES);
    b->c = (struct step_context){
        .step = ts_document_steps(b->doc, &n),
        .order = &b->order,
        .machine = &b->machine,
        .target = &b->target,
        .environment = STEP_IN_FULL_OS,
        .step_name = "the step",
        .progress = progress,
        .log = to_log,
        .ctx = b,
    };
    assert_int_equal(ts_vars_new(&b->c.vars), 0);
    return b;
}

struct step_bench *step_bench_new(const char *type, const char *attributes, const char *variables)
{
    return make(type, attributes, "x.exe", variables);
}

struct step_bench *
step_bench_new_action(const char *type, const char *action, const char *variables)
{
    return make(type, "", action, variables);
}

void step_bench_free(struct step_bench *b)
{
    if (!b)
        return;
    step_context_fini(&b->c);
    ts_vars_free(b->c.vars);
    ts_table_free(b->table);
    ts_document_free(b->doc);
    buf_fini(&b->log);
    free(b);
}

void step_bench_set_facts(struct step_bench *b, const char *json)
{
    OWN(buf_fini) struct buf why = BUF_INIT(512);
    struct ts_facts_file file = {0};

    ts_table_free(b->table);
    assert_int_equal(ts_facts_parse(bytes_of(json), &file, &why), 0);
    ts_vars_free(file.vars);
    b->table = file.table;
    b->facts = ts_table_facts(b->table);
    b->c.facts = &b->facts;
}

void step_bench_set(struct step_bench *b, const char *name, const char *value)
{
    assert_int_equal(ts_vars_set(b->c.vars, name, value, TS_BY_ENGINE), 0);
}

const char *step_bench_get(const struct step_bench *b, const char *name)
{
    return ts_vars_get(b->c.vars, name);
}

const char *step_bench_run(struct step_bench *b)
{
    const struct step_type *type = step_type_find(b->c.step->type);

    assert_non_null(type);
    assert_int_equal(type->run(&b->c, &b->result), 0);
    return b->result.error_id;
}
