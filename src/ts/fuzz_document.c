/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "ts/document.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/own.h"
#include "ts/condition.h"
#include "ts/diag.h"
#include "ts/secret.h"
#include "ts/secret_find.h"
#include "ts/secret_unknown.h"
#include "ts/sequence.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/validate.h"
#include "ts/vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);
DEFINE_FREEP(struct ts_sequence *, ts_sequence_free);

enum {
    MIN_BYTES =
        4 *
        TS_SECRET_MIN_CHARS, /* that many characters at least, of which short secrets have fewer */
};

/* The command of a step without a type that we know has none of the step's secrets in it. */
static void check_commands(const struct ts_document *doc, const struct ts_document *safe)
{
    size_t n;
    size_t n_safe;
    const struct ts_step *steps = ts_document_steps(doc, &n);
    const struct ts_step *safe_steps = ts_document_steps(safe, &n_safe);

    if (n != n_safe)
        abort();
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; !ts_step_type_find(steps[i].type) && k < steps[i].n_variables; k++) {
            OWN(freep)
            char *shown = ts_secret_mask_value(&steps[i], false, &steps[i].variables[k], "");

            if (shown && shown[0] == '\0' && steps[i].variables[k].text[0] != '\0' &&
                strlen(steps[i].variables[k].text) >= MIN_BYTES &&
                strstr(safe_steps[i].action, steps[i].variables[k].text))
                abort();
        }
    }
}

static bool is_found(void *ctx, xmlNode *node, const char *name)
{
    (void)ctx;
    (void)node;
    (void)name;
    return false;
}

/* Nothing in it that nobody knows has the name of a secret and a text. */
static void check_unknown(const struct ts_document *safe)
{
    if (!ts_secret_each_unknown(xmlDocGetRootElement(ts_document_tree(safe)), is_found, NULL))
        abort();
}

/* What has no secrets any more has none that another export would find. */
static void check_export(const struct ts_document *doc)
{
    OWN(buf_fini) struct buf text = BUF_INIT(8 * (size_t)TS_XML_MAX_BYTES);
    OWN(buf_fini) struct buf text_again = BUF_INIT(8 * (size_t)TS_XML_MAX_BYTES);
    OWN(ts_document_freep) struct ts_document *safe = NULL;
    OWN(ts_document_freep) struct ts_document *again = NULL;

    if (ts_document_export(doc, &safe) != 0)
        return; /* a command that was made anew may be too long */
    check_commands(doc, safe);
    check_unknown(safe);
    if (ts_document_export(safe, &again) != 0 || ts_document_put(safe, &text) != 0 ||
        ts_document_put(again, &text_again) != 0)
        abort();
    if (strcmp(buf_str(&text), buf_str(&text_again)) != 0)
        abort();
}

/* Written and read again it has as many steps; and it ends, in as many decisions as it has items. */
static void check(const struct ts_document *doc)
{
    OWN(buf_fini) struct buf text = BUF_INIT(2 * (size_t)TS_XML_MAX_BYTES);
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *again = NULL;
    OWN(ts_vars_freep) struct ts_vars *vars = NULL;
    OWN(ts_sequence_freep) struct ts_sequence *sequence = NULL;
    struct ts_next next = {.kind = TS_NEXT_SKIP};
    struct ts_result result = {.environment = TS_RUN_IN_BOTH, .has_place = true};
    struct ts_after after;
    size_t n;
    size_t n_again;
    size_t n_groups;

    if (ts_document_put(doc, &text) != 0 ||
        ts_document_parse(buf_bytes(&text), &again, &diags) != 0)
        abort();
    check_export(doc);
    (void)ts_document_steps(doc, &n);
    (void)ts_document_steps(again, &n_again);
    (void)ts_document_groups(doc, &n_groups);
    if (n != n_again || ts_validate(doc, &diags) != 0)
        abort();
    if (ts_vars_new(&vars) != 0 ||
        ts_sequence_new(&(struct ts_start){.document = doc, .vars = vars}, &sequence) != 0)
        abort();
    for (size_t i = 0; i <= n + n_groups; i++) {
        if (ts_sequence_next(sequence, TS_RUN_IN_BOTH, &next) != 0)
            abort();
        result.outcome = i % 5 == 4 ? TS_STEP_FAILED : TS_STEP_SUCCEEDED;
        if (next.kind == TS_NEXT_RUN && ts_sequence_step_done(sequence, &result, &after) != 0)
            abort();
    }
    if (next.kind != TS_NEXT_SUCCEEDED && next.kind != TS_NEXT_FAILED)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    OWN(ts_document_freep) struct ts_document *doc = NULL;

    if (ts_document_parse((struct bytes){data, size}, &doc, &diags) == 0)
        check(doc);
    else if (!ts_diags_has_error(&diags))
        abort();
    return 0;
}
