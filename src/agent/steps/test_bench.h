/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/* One step to be run by a test, with what it sees of the runner */

#include "agent/run/machine.h"
#include "agent/run/order.h"
#include "agent/steps/step.h"
#include "base/buf.h"
#include "base/own.h"
#include "ts/facts.h"
#include "ts/vars.h"

struct ts_document;
struct ts_table;

struct step_bench {
    struct ts_document *doc;
    struct ts_table *table;
    struct ts_facts facts;
    struct machine machine;
    struct order order;
    struct step_target target;
    struct step_context c;
    struct step_result result;
    struct buf log;
    bool is_cancelled; /* what progress() will say */
};

/* A step of the type "SMS_TaskSequence_@type" with these attributes and variables, as XML. @c is ready to run. */
struct step_bench *step_bench_new(const char *type, const char *attributes, const char *variables);
/* The same with this text of <action>. */
struct step_bench *
step_bench_new_action(const char *type, const char *action, const char *variables);
void step_bench_free(struct step_bench *b);
DEFINE_FREEP(struct step_bench *, step_bench_free);

/* What conditions and checks see: JSON as of slipway-agent facts. */
void step_bench_set_facts(struct step_bench *b, const char *json);

void step_bench_set(struct step_bench *b, const char *name, const char *value);
const char *step_bench_get(const struct step_bench *b, const char *name);

/* Run its type's function of the table. Return: the id of the failure, or NULL. */
const char *step_bench_run(struct step_bench *b);

/* <variable name="@name">@text</variable> */
#define STEP_VARIABLE(name, text) "<variable name=\"" name "\">" text "</variable>"
