/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/condition.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/facts.h"
#include "ts/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_table *, ts_table_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

enum {
    XML_MAX = 256 * 1024,
};

#define SECRET "Pa55-of-the-lab"

static struct ts_table *make_table(void)
{
    struct ts_table *table = NULL;
    struct ts_instance *one;

    if (ts_table_new(&table) != 0)
        abort();
    one = ts_class_add(table, ts_table_class(table, TS_CIMV2, "Win32_ComputerSystem"));
    ts_instance_add_text(table, one, "Model", "Latitude 7490");
    ts_instance_add_number(table, one, "TotalPhysicalMemory", 17179869184);
    one = ts_class_add(table, ts_table_class(table, TS_CIMV2, "Win32_OperatingSystem"));
    ts_instance_add_text(table, one, "Version", "10.0.19045");
    ts_instance_add_number(table, one, "ProductType", 1);
    one = ts_class_add(table, ts_table_class(table, TS_OF_OURS, "files"));
    ts_instance_add_text(table, one, "path", "C:\\a.exe");
    ts_instance_add_text(table, one, "version", "1.2.3");
    one = ts_class_add(table, ts_table_class(table, TS_OF_OURS, "software"));
    ts_instance_add_text(table, one, "product_code", "{1}");
    one = ts_class_add(table, ts_table_class(table, TS_OF_OURS, "software"));
    ts_instance_add_text(table, one, "name", "nginx");
    ts_instance_add_text(table, one, "version", "1:1.22.1-9");
    return table;
}

static const char *find_environment(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "HOME") == 0 ? "/root" : NULL;
}

static struct ts_vars *make_vars(void)
{
    struct ts_vars *vars = NULL;

    if (ts_vars_new(&vars) != 0 || ts_vars_set(vars, "Room", "12", TS_BY_SEQUENCE) != 0 ||
        ts_vars_set(vars, "JoinPassword", SECRET, TS_BY_SEQUENCE) != 0 ||
        ts_vars_set_secret(vars, "JoinPassword") != 0)
        abort();
    return vars;
}

/* Return: 0 or 1: whether it holds; -1: not a document. */
static int
evaluate(struct bytes inside, const char *before, const char *behind, struct ts_verdict *verdict)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(XML_MAX);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_table_freep) struct ts_table *table = make_table();
    OWN(ts_vars_freep) struct ts_vars *vars = make_vars();
    struct ts_facts facts = ts_table_facts(table);
    size_t n = 0;

    facts.find_environment = find_environment;
    buf_addf(&xml, "<sequence version=\"3.10\"><step type=\"x\" name=\"s\"><condition>%s", before);
    buf_add(&xml, inside);
    buf_addf(&xml, "%s</condition></step></sequence>", behind);
    if (xml.failed || ts_document_parse(buf_bytes(&xml), &doc, &diags) != 0)
        return -1;

    const struct ts_step *steps = ts_document_steps(doc, &n);

    return n != 1 ? -1 : ts_condition_holds(steps[0].item.condition, vars, &facts, verdict);
}

/* Any condition is true or false, "none of none of" it is the same, and no text about it holds a secret. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes inside = {data, size};
    OWN(ts_verdict_fini) struct ts_verdict verdict = TS_VERDICT_INIT;
    OWN(ts_verdict_fini) struct ts_verdict second = TS_VERDICT_INIT;
    int holds = evaluate(inside, "", "", &verdict);
    int twice;

    if (holds < 0)
        return 0;
    twice = evaluate(inside,
                     "<operator type=\"not\"><operator type=\"not\"><operator type=\"and\">",
                     "</operator></operator></operator>",
                     &second);
    if (twice >= 0 && twice != holds)
        abort();
    if (strstr(buf_str(&verdict.why), SECRET) || strstr(buf_str(&verdict.warnings), SECRET))
        abort();
    return 0;
}
