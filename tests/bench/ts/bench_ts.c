/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * usage: bench_ts FILE ROUNDS           parse FILE so often, for comparing with another parser
 *        bench_ts                       simulate 500 steps with 200 conditions
 *
 * Prints the processor time: microseconds per parse, or per step.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "plat/file.h"
#include "ts/container.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/facts.h"
#include "ts/simulate.h"
#include "ts/vars.h"

enum {
    N_STEPS = 500,
    N_CONDITIONS = 200, /* of three expressions each, one of them a WMI query */
    N_ROUNDS = 20,
    US_PER_S = 1000 * 1000,
    NS_PER_US = 1000,
    ROUNDS_MAX = 1000000,
    STEP_MAX_US = 1000, /* what the product promises */
};

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_table *, ts_table_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static double processor_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * US_PER_S + (double)t.tv_nsec / NS_PER_US;
}

static int parse(const char *path, uint64_t rounds)
{
    OWN(buf_fini) struct buf text = BUF_INIT(TS_FILE_MAX_BYTES);
    double start;

    if (file_read(path, &text) != 0) {
        (void)fprintf(stderr, "bench_ts: %s cannot be read\n", path);
        return EXIT_FAILURE;
    }
    start = processor_us();
    for (uint64_t i = 0; i < rounds; i++) {
        OWN(ts_imports_fini) struct ts_imports imports = {0};
        OWN(ts_diags_fini) struct ts_diags diags = {0};

        if (ts_container_read(buf_bytes(&text), &imports, &diags) != 0) {
            (void)fprintf(stderr, "bench_ts: %s is no task sequence\n", path);
            return EXIT_FAILURE;
        }
    }
    return printf("%.1f\n", (processor_us() - start) / (double)rounds) > 0 ? EXIT_SUCCESS
                                                                           : EXIT_FAILURE;
}

static void put_condition(struct buf *xml, unsigned i)
{
    buf_addf(
        xml,
        "<condition><operator type=\"or\">"
        "<expression type=\"SMS_TaskSequence_VariableConditionExpression\">"
        "<variable name=\"Operator\">like</variable><variable name=\"Value\">*%u*</variable>"
        "<variable name=\"Variable\">V%u</variable></expression>"
        "<expression type=\"SMS_TaskSequence_WMIConditionExpression\">"
        "<variable name=\"Namespace\">root\\cimv2</variable><variable name=\"Query\">select * from "
        "Win32_ComputerSystem where Manufacturer like '%%Dell%%' and not (Model like '%%%u%%' or "
        "TotalPhysicalMemory &lt; 4294967296)</variable></expression>"
        "<expression type=\"SMS_TaskSequence_VariableConditionExpression\">"
        "<variable name=\"Operator\">notEquals</variable><variable name=\"Value\">%%V%u%%</variable>"
        "<variable name=\"Variable\">V1</variable></expression></operator></condition>",
        i,
        i % 50,
        i,
        i % 50);
}

static void put_sequence(struct buf *xml)
{
    buf_adds(xml, "<sequence version=\"3.10\">");
    for (unsigned i = 0; i < N_STEPS; i++) {
        if (i % 10 == 0)
            buf_addf(xml, "%s<group name=\"Group %u\">", i > 0 ? "</group>" : "", i / 10);
        buf_addf(xml,
                 "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"Step %u\" "
                 "runIn=\"WinPEandFullOS\"><action>x</action><defaultVarList>"
                 "<variable name=\"CommandLine\" hidden=\"true\">run %%V%u%% %%_SMSTSMachineName%%"
                 "</variable></defaultVarList>",
                 i,
                 i % 50);
        if (i * N_CONDITIONS / N_STEPS != (i + 1) * N_CONDITIONS / N_STEPS)
            put_condition(xml, i);
        buf_adds(xml, "</step>");
    }
    buf_adds(xml, "</group></sequence>");
}

static void put_facts(struct ts_table *table, struct ts_vars *vars)
{
    struct ts_instance *i =
        ts_class_add(table, ts_table_class(table, TS_CIMV2, "Win32_ComputerSystem"));

    ts_instance_add_text(table, i, "Manufacturer", "Dell Inc.");
    ts_instance_add_text(table, i, "Model", "Latitude 7490");
    ts_instance_add_number(table, i, "TotalPhysicalMemory", INT64_C(17179869184));
    for (unsigned n = 0; n < 50; n++) {
        OWN(buf_fini) struct buf name = BUF_INIT(16);

        buf_addf(&name, "V%u", n);
        (void)ts_vars_set(vars, buf_str(&name), "a value of some length", TS_BY_SITE);
    }
}

static int simulate(void)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(TS_FILE_MAX_BYTES);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;
    OWN(ts_table_freep) struct ts_table *table = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    struct ts_simulation_end end;
    double start;
    double us;

    put_sequence(&xml);
    if (ts_table_new(&table) != 0 || ts_vars_new(&vars) != 0 ||
        ts_document_parse(buf_bytes(&xml), &doc, &diags) != 0)
        return EXIT_FAILURE;
    put_facts(table, vars);

    const struct ts_facts facts = ts_table_facts(table);
    const struct ts_simulation simulation = {
        .start = {.document = doc, .vars = vars, .facts = &facts},
        .environment = TS_RUN_IN_BOOT_IMAGE,
    };

    start = processor_us();
    for (int i = 0; i < N_ROUNDS; i++)
        if (ts_simulate(&simulation, &end) != 0 || !end.is_succeeded ||
            end.n_run + end.n_left_out != N_STEPS)
            return EXIT_FAILURE;
    us = (processor_us() - start) / ((double)N_ROUNDS * N_STEPS);
    return printf("%.1f\n", us) > 0 && us < STEP_MAX_US ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    uint64_t rounds;

    if (argc == 1)
        return simulate();
    if (argc != 3 || !bytes_parse_u64(bytes_of(argv[2]), 1, ROUNDS_MAX, &rounds)) {
        (void)fputs("usage: bench_ts [FILE ROUNDS]\n", stderr);
        return EXIT_FAILURE;
    }
    return parse(argv[1], rounds);
}
