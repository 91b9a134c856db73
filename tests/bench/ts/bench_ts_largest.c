/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * usage: bench_ts_largest   read, validate, write as YAML and compare the largest documents that are taken
 *
 * Prints the processor time in milliseconds; exit status 1 if one takes more than a second for the first three, or
 * for the comparison with a document whose names are other ones.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/own.h"
#include "ts/container.h"
#include "ts/diag.h"
#include "ts/diff.h"
#include "ts/document.h"
#include "ts/validate.h"
#include "ts/xml.h"
#include "ts/yaml_form.h"

enum {
    MS_PER_S = 1000,
    NS_PER_MS = 1000 * 1000,
    SHAPE_MAX_NODES =
        199000, /* elements and attributes; with those around them as many as a document may have */
    SHAPE_MAX_STEPS = 9990,
    SHAPE_HEAD_BYTES = 4096,
    OTHERS = 200000,  /* a number that none of the others has */
    TARGET_MS = 1000, /* of processor time, for each */
};

static double processor_ms(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * MS_PER_S + (double)t.tv_nsec / NS_PER_MS;
}

#define A4(a)  a "0=\"\"" a "1=\"\"" a "2=\"\"" a "3=\"\""
#define A16(a) A4(a "0") A4(a "1") A4(a "2") A4(a "3")
#define A64(a) A16(a "0") A16(a "1") A16(a "2") A16(a "3")
#define ATTRIBUTES_STEP \
    "<step type=\"x\" name=\"s%u\"" A64(" a") A64(" b") A64(" c") A16(" d") A16(" e") A16(" f") "/>"

#define G4(g)  g g g g
#define G12(g) G4(g) G4(g) G4(g)
#define G60(g) G12(g) G12(g) G12(g) G12(g) G12(g)

/* A document that is as long as it may be by one thing after the other. */
static const struct shape {
    const char *name;
    const char *head;
    const char *one; /* with a number */
    const char *tail;
    size_t n_nodes; /* elements and attributes of one; comments are none */
    size_t n_max;   /* 0: as many as there is room for */
} shapes[] = {
    {"groups", "", "<group name=\"g%u\"/>", "", 2, 0},
    {"groups of one name", "", "<group name=\"g\"/>", "", 2, 0},
    {"comments", "<group name=\"g\">\n", "<!---->", "</group>", 0, 0},
    {"Set Task Sequence Variable",
     "<step type=\"SMS_TaskSequence_ApplyWindowsSettingsAction\" name=\"a\"/>",
     "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s%u\"><defaultVarList>"
     "<variable name=\"VariableName\">SLWUserName</variable><variable name=\"VariableValue\">"
     "eva</variable></defaultVarList></step>",
     "",
     8,
     SHAPE_MAX_STEPS},
    {"variables of the sequence",
     "<globalVarList>",
     "<variable name=\"v%u\">x</variable>",
     "</globalVarList>",
     2,
     0},
    {"variables of a step",
     "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\"><action>x</action>"
     "<defaultVarList>",
     "<variable name=\"v%u\">x</variable>",
     "</defaultVarList></step>",
     2,
     0},
    {"references", "<referenceList>", "<reference package=\"SLP%05X\"/>", "</referenceList>", 2, 0},
    {"conditions",
     "<group name=\"g\"><condition>",
     "<expression type=\"SMS_TaskSequence_VariableConditionExpression\"><variable "
     "name=\"Operator\">exists</variable><variable name=\"Variable\">v%u</variable>"
     "<variable name=\"Value\"/></expression>",
     "</condition></group>",
     8,
     0},
    {"platforms in numbers",
     "<group name=\"g\"><condition><osConditionGroup><osExpressionGroup>",
     "<platformKey/>",
     "</osExpressionGroup></osConditionGroup></condition></group>",
     1,
     0},
    {"lists of packages",
     "",
     "<step type=\"SMS_TaskSequence_InstallSoftwareAction\" name=\"i%u\"><defaultVarList>"
     "<variable name=\"BaseVariableName\">List%u_</variable></defaultVarList></step>"
     "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s%u\"><defaultVarList>"
     "<variable name=\"VariableName\">Other%u_001</variable><variable name=\"VariableValue\">"
     "SLP%05X:Install</variable></defaultVarList></step>",
     "",
     13,
     SHAPE_MAX_STEPS / 2},
    {"attributes", "", ATTRIBUTES_STEP, "", 243, 0},
    {"groups in groups", "", G60("<group name=\"g%u\">") G60("</group>"), "", 120, 0},
    {"dynamic rules",
     "<step type=\"SMS_TaskSequence_SetDynamicVariablesAction\" name=\"a\"><action>x</action>"
     "<defaultVarList><variable name=\"OSDSetDynamicVariablesRules\">&lt;Rules&gt;",
     "&lt;Rule&gt;&lt;condition/&gt;&lt;Variables&gt;&lt;Variable Name=\"v%u\"&gt;x"
     "&lt;/Variable&gt;&lt;/Variables&gt;&lt;/Rule&gt;",
     "&lt;/Rules&gt;</variable></defaultVarList></step>",
     0,
     0},
};

/* One that is over a limit, which has to be seen soon. */
static const struct shape refused_shape = {
    "attributes of one step", "<step", " a%u=\"\"", "/>", 1, 0};

/* Each "%u" and "%05X" in it is the number. */
static void put_one(struct buf *xml, const char *one, unsigned number)
{
    const char *at;

    while ((at = strchr(one, '%'))) {
        bool is_id = strncmp(at, "%05X", 4) == 0;

        buf_add(xml, (struct bytes){(const uint8_t *)one, (size_t)(at - one)});
        if (is_id)
            buf_addf(xml, "%05X", number);
        else
            buf_addf(xml, "%u", number);
        one = at + (is_id ? 4 : 2);
    }
    buf_adds(xml, one);
}

/* @first: number of the first. Return: how many there are of it. */
static size_t put_shape(struct buf *xml, const struct shape *shape, unsigned first)
{
    size_t n = 0;

    buf_addf(xml, "<sequence version=\"3.10\">%s", shape->head);
    while (xml->len + SHAPE_HEAD_BYTES < TS_XML_MAX_BYTES &&
           (n + 1) * shape->n_nodes <= SHAPE_MAX_NODES && (shape->n_max == 0 || n < shape->n_max))
        put_one(xml, shape->one, first + (unsigned)n++);
    buf_addf(xml, "%s</sequence>", shape->tail);
    return n;
}

/* With one in which no number is the same. Return: milliseconds; more than TARGET_MS also if it fails. */
static double compare_shape(const struct shape *shape, const struct ts_document *doc)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(TS_FILE_MAX_BYTES);
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_changes_fini) struct ts_changes changes = {0};
    double start;

    (void)put_shape(&xml, shape, OTHERS);
    if (ts_container_read(buf_bytes(&xml), &imports, &diags) != 0)
        return TARGET_MS + 1;
    start = processor_ms();
    return ts_diff(doc, imports.items[0].doc, &changes) == 0 ? processor_ms() - start
                                                             : TARGET_MS + 1;
}

static int measure_shape(const struct shape *shape, bool is_refused)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(TS_FILE_MAX_BYTES);
    OWN(buf_fini) struct buf yaml = BUF_INIT(TS_FILE_MAX_BYTES);
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    size_t n = put_shape(&xml, shape, 0);
    double start = processor_ms();
    double read;
    double validated;
    double written;
    double compared = 0;

    bool is_taken = ts_container_read(buf_bytes(&xml), &imports, &diags) == 0;

    if (is_taken == is_refused) {
        (void)fprintf(
            stderr, "bench_ts: %s: it is %s\n", shape->name, is_taken ? "taken" : "not taken");
        return EXIT_FAILURE;
    }
    read = processor_ms();
    if (is_taken && ts_validate(imports.items[0].doc, &diags) != 0)
        return EXIT_FAILURE;
    validated = processor_ms();
    if (is_taken && ts_yaml_put(imports.items[0].doc, &yaml) != 0)
        return EXIT_FAILURE;
    written = processor_ms();
    if (is_taken)
        compared = compare_shape(shape, imports.items[0].doc);
    (void)printf(
        "%-28s %6zu, %7zu bytes: %s %.0f ms, validate %.0f ms, YAML %.0f ms (at most %d together), "
        "compare %.0f ms\n",
        shape->name,
        n,
        xml.len,
        is_taken ? "read" : "refused",
        read - start,
        validated - read,
        written - validated,
        (int)TARGET_MS,
        compared);
    return written - start <= TARGET_MS && compared <= TARGET_MS ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* All are measured, also behind one that takes too long. */
int main(void)
{
    int r = measure_shape(&refused_shape, true);

    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        if (measure_shape(&shapes[i], false) != EXIT_SUCCESS)
            r = EXIT_FAILURE;
    return r;
}
