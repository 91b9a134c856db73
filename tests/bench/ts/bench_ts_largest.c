/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * usage: bench_ts_largest   read, validate, write as YAML, compare, export, take back and show the largest documents
 *
 * Prints the processor time in milliseconds; exit status 1 if one takes more than a second for the first three, or more than
 * two to be compared with a document whose names are other ones, to be exported, to take back what such an export, or that other
 * document, has lost, or to be shown.
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
#include "ts/secret.h"
#include "ts/secret_names.h"
#include "ts/show.h"
#include "ts/tree.h"
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
    OTHERS = 200000,      /* a number that none of the others has */
    TARGET_MS = 1000,     /* of processor time, for the first three together */
    ACT_TARGET_MS = 2000, /* for each other one */
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

#define SET_VARIABLE \
    "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"a\"><action>x</action><defaultVarList>" \
    "<variable name=\"VariableName\">a</variable>"
#define RULES \
    "<step type=\"SMS_TaskSequence_SetDynamicVariablesAction\" name=\"a\"><action>x</action>" \
    "<defaultVarList><variable name=\"OSDSetDynamicVariablesRules\">&lt;Rules&gt;"
#define RULES_END "&lt;/Rules&gt;</variable></defaultVarList></step>"
#define RULE(condition, name) \
    "&lt;Rule&gt;&lt;condition&gt;" condition \
    "&lt;/condition&gt;&lt;Variables&gt;&lt;Variable Name=\"" name \
    "\" IsSecret=\"true\"&gt;x&lt;/Variable&gt;&lt;/Variables&gt;&lt;/Rule&gt;"
#define EXPRESSION(name, value) \
    "&lt;expression type=\"SMS_TaskSequence_VariableConditionExpression\"&gt;&lt;variable " \
    "name=\"Operator\"&gt;equals&lt;/variable&gt;&lt;variable name=\"Variable\"&gt;" name \
    "&lt;/variable&gt;" value "&lt;/expression&gt;"
/* A document that is as long as it may be by one thing after the other. */
static const struct shape {
    const char *name;
    const char *head;
    const char *one; /* with a number */
    const char *tail;
    size_t n_nodes; /* elements and attributes of one; comments are none */
    size_t n_max;   /* 0: as many as there is room for */
    size_t
        n_batch; /* behind so many of them the tail, and the head again; 0: not before all are there */
} shapes[] = {
    {"groups", "", "<group name=\"g%u\"/>", "", 2, 0, 0},
    {"groups of one name", "", "<group name=\"g\"/>", "", 2, 0, 0},
    {"comments", "<group name=\"g\">\n", "<!---->", "</group>", 0, 0, 0},
    {"Set Task Sequence Variable",
     "<step type=\"SMS_TaskSequence_ApplyWindowsSettingsAction\" name=\"a\"/>",
     "<step type=\"SMS_TaskSequence_SetVariableAction\" name=\"s%u\"><defaultVarList>"
     "<variable name=\"VariableName\">SLWUserName</variable><variable name=\"VariableValue\">"
     "eva</variable></defaultVarList></step>",
     "",
     8,
     SHAPE_MAX_STEPS,
     0},
    {"variables of the sequence",
     "<globalVarList>",
     "<variable name=\"v%u\">x</variable>",
     "</globalVarList>",
     2,
     0,
     0},
    {"variables of a step",
     "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\"><action>x</action>"
     "<defaultVarList>",
     "<variable name=\"v%u\">x</variable>",
     "</defaultVarList></step>",
     2,
     0,
     0},
    {"references",
     "<referenceList>",
     "<reference package=\"SLP%05X\"/>",
     "</referenceList>",
     2,
     0,
     0},
    {"conditions",
     "<group name=\"g\"><condition>",
     "<expression type=\"SMS_TaskSequence_VariableConditionExpression\"><variable "
     "name=\"Operator\">exists</variable><variable name=\"Variable\">v%u</variable>"
     "<variable name=\"Value\"/></expression>",
     "</condition></group>",
     8,
     0,
     0},
    {"platforms in numbers",
     "<group name=\"g\"><condition><osConditionGroup><osExpressionGroup>",
     "<platformKey/>",
     "</osExpressionGroup></osConditionGroup></condition></group>",
     1,
     0,
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
     SHAPE_MAX_STEPS / 2,
     0},
    {"attributes", "", ATTRIBUTES_STEP, "", 243, 0, 0},
    {"groups in groups", "", G60("<group name=\"g%u\">") G60("</group>"), "", 120, 0, 0},
    {"dynamic rules",
     "<step type=\"SMS_TaskSequence_SetDynamicVariablesAction\" name=\"a\"><action>x</action>"
     "<defaultVarList><variable name=\"OSDSetDynamicVariablesRules\">&lt;Rules&gt;",
     "&lt;Rule&gt;&lt;condition/&gt;&lt;Variables&gt;&lt;Variable Name=\"v%u\"&gt;x"
     "&lt;/Variable&gt;&lt;/Variables&gt;&lt;/Rule&gt;",
     "&lt;/Rules&gt;</variable></defaultVarList></step>",
     0,
     0,
     0},
    {"values of one step",
     SET_VARIABLE,
     "<variable name=\"VariableValue\">v%u</variable>",
     "</defaultVarList></step>",
     2,
     0,
     0},
    {"hidden values of one step",
     SET_VARIABLE,
     "<variable name=\"VariableValue\">v%u</variable>",
     "<variable name=\"DoNotShowVariableValue\">true</variable></defaultVarList></step>",
     2,
     0,
     0},
    {"secrets of a step",
     "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"a\"><action>x</action>"
     "<defaultVarList>",
     "<variable name=\"Password%u\">x</variable>",
     "</defaultVarList></step>",
     2,
     0,
     0},
    {"secrets of the sequence",
     "<globalVarList>",
     "<variable name=\"Password%u\">x</variable>",
     "</globalVarList>",
     2,
     0,
     0},
    {"steps with secrets",
     "",
     "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"s%u\"><action>x hunter2</action>"
     "<defaultVarList><variable name=\"SMSTSRunCommandLineUserPassword\">hunter2</variable>"
     "</defaultVarList></step>",
     "",
     7,
     SHAPE_MAX_STEPS,
     0},
    {"rules with secrets", RULES, RULE("", "v%u") RULE("", "w%u"), RULES_END, 0, 0, 0},
    {"rules with conditions",
     RULES,
     RULE(EXPRESSION("Password%u", "&lt;variable name=\"Value\"&gt;x&lt;/variable&gt;"), "v%u"),
     RULES_END,
     0,
     0,
     0},
    {"variables of a rule",
     RULES "&lt;Rule&gt;&lt;condition/&gt;&lt;Variables&gt;",
     "&lt;Variable Name=\"Password%u\"&gt;x&lt;/Variable&gt;",
     "&lt;/Variables&gt;&lt;/Rule&gt;" RULES_END,
     0,
     0,
     0},
    {"secret values of conditions",
     "<group name=\"g\"><condition>",
     "<expression type=\"SMS_TaskSequence_VariableConditionExpression\"><variable name=\"Operator\">"
     "equals</variable><variable name=\"Variable\">Password%u</variable><variable name=\"Value\">x"
     "</variable></expression>",
     "</condition></group>",
     9,
     0,
     200},
    {"values of an expression",
     "<group name=\"g\"><condition>"
     "<expression type=\"SMS_TaskSequence_VariableConditionExpression\">",
     "<variable name=\"Value\">x%u</variable>",
     "<variable name=\"Operator\">equals</variable><variable name=\"Variable\">Password</variable>"
     "</expression></condition></group>",
     2,
     0,
     0},
};

/* One that is over a limit, which has to be seen soon. */
static const struct shape refused_shape = {
    "attributes of one step", "<step", " a%u=\"\"", "/>", 1, 0, 0};

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
           (n + 1) * shape->n_nodes <= SHAPE_MAX_NODES && (shape->n_max == 0 || n < shape->n_max)) {
        if (n > 0 && shape->n_batch > 0 && n % shape->n_batch == 0)
            buf_addf(xml, "%s%s", shape->tail, shape->head);
        put_one(xml, shape->one, first + (unsigned)n++);
    }
    buf_addf(xml, "%s</sequence>", shape->tail);
    return n;
}

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_secret_names *, ts_secret_names_free);

/* What is done with a document; @other: one in which no number is the same. Return: 0 or negative. */
static int compare(struct ts_document *doc, struct ts_document *other)
{
    OWN(ts_changes_fini) struct ts_changes changes = {0};

    return ts_diff(doc, other, &changes);
}

static int export(struct ts_document *doc, struct ts_document *other)
{
    OWN(ts_document_freep) struct ts_document *safe = NULL;

    (void)other;
    return ts_document_export(doc, &safe);
}

static int take_back(struct ts_document *doc, struct ts_document *other)
{
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    OWN(ts_document_freep) struct ts_document *kept = NULL;
    int r = ts_document_export(doc, &safe);

    (void)other;
    return r == 0 ? ts_document_keep_secrets(safe, doc, &kept) : r;
}

static int take_other(struct ts_document *doc, struct ts_document *other)
{
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    OWN(ts_document_freep) struct ts_document *kept = NULL;
    int r = ts_document_export(other, &safe);

    return r == 0 ? ts_document_keep_secrets(safe, doc, &kept) : r;
}

static int ignore(void *ctx, const struct ts_shown *shown)
{
    (void)ctx;
    (void)shown;
    return 0;
}

static int show(struct ts_document *doc, struct ts_document *other)
{
    OWN(ts_secret_names_freep) struct ts_secret_names *names = NULL;
    OWN(ts_tree_fini) struct ts_tree tree = {0};
    int r = ts_secret_names_new(doc, NULL, &names);

    (void)other;
    if (r == 0)
        r = ts_tree_read(ts_document_tree(doc), &tree);
    for (size_t i = 0; r == 0 && i < tree.n; i++)
        r = ts_show(names, &tree.items[i], ignore, NULL);
    return r;
}

static const struct {
    const char *name;
    int (*act)(struct ts_document *doc, struct ts_document *other);
} acts[] = {
    {"compare", compare},
    {"export", export},
    {"take back", take_back},
    {"take another", take_other},
    {"show", show},
};

/* Return: whether none of them failed or took too long. */
static bool measure_acts(const struct shape *shape, struct ts_document *doc)
{
    OWN(buf_fini) struct buf xml = BUF_INIT(TS_FILE_MAX_BYTES);
    OWN(ts_imports_fini) struct ts_imports imports = {0};
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    bool is_good = true;

    (void)put_shape(&xml, shape, OTHERS);
    if (ts_container_read(buf_bytes(&xml), &imports, &diags) != 0)
        return false;
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        double start = processor_ms();
        bool is_done = acts[i].act(doc, imports.items[0].doc) == 0;
        double ms = processor_ms() - start;

        (void)printf(", %s %.0f ms", acts[i].name, ms);
        is_good = is_good && is_done && ms <= ACT_TARGET_MS;
    }
    return is_good;
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
    bool is_good;

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
    (void)printf(
        "%-28s %6zu, %7zu bytes: %s %.0f ms, validate %.0f ms, YAML %.0f ms (at most %d together)",
        shape->name,
        n,
        xml.len,
        is_taken ? "read" : "refused",
        read - start,
        validated - read,
        written - validated,
        (int)TARGET_MS);
    is_good = !is_taken || measure_acts(shape, imports.items[0].doc);
    (void)printf("\n");
    (void)fflush(stdout);
    return written - start <= TARGET_MS && is_good ? EXIT_SUCCESS : EXIT_FAILURE;
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
