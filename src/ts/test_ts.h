/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* Shared by the tests of ts: a document from the inside of <sequence>. */

#include <setjmp.h> /* cmocka.h wants this, */
#include <stdarg.h> /* and this, to be there */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/own.h"
#include "ts/diag.h"
#include "ts/document.h"
#include "ts/vars.h"

#define SEQUENCE(inside) "<sequence version=\"3.10\">" inside "</sequence>"
#define STEP(name, attributes) \
    "<step type=\"SMS_TaskSequence_RunCommandLineAction\" name=\"" name "\" " attributes ">" \
    "<action>true</action></step>"
#define VARIABLE_IS(name, operator_name, value) \
    "<expression type=\"SMS_TaskSequence_VariableConditionExpression\">" \
    "<variable name=\"Operator\">" operator_name "</variable>" \
    "<variable name=\"Value\">" value "</variable>" \
    "<variable name=\"Variable\">" name "</variable></expression>"
#define WMI \
    "<expression type=\"SMS_TaskSequence_WMIConditionExpression\">" \
    "<variable name=\"Query\">select * from x</variable></expression>"

DEFINE_FREEP(struct ts_document *, ts_document_free);
DEFINE_FREEP(struct ts_vars *, ts_vars_free);

static inline struct ts_document *parse_ok(const char *xml)
{
    OWN(ts_diags_fini) struct ts_diags diags = {0};
    struct ts_document *doc = NULL;

    assert_int_equal(ts_document_parse(bytes_of(xml), &doc, &diags), 0);
    return doc;
}
