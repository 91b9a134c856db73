/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of ts/validate.c
 */

#include "ts/diag.h"
#include "ts/document.h"
#include "ts/secret_names.h"
#include "ts/step_types.h"
#include "ts/tree.h"
#include "ts/validate.h"

/* Where a sequence may be when a step is reached: bits, since conditions leave several. */
enum ts_place {
    TS_PLACE_FULL_OS = 1,
    TS_PLACE_BOOT_IMAGE =
        2, /* beside the system that it began in, whose disk keeps the state over a restart */
    TS_PLACE_BARE = 4, /* the boot image, nothing on the disk is ours */
    TS_PLACE_FORMATTED =
        8, /* the boot image, with a disk that keeps the state and cannot start yet */
    TS_PLACE_ANY = 15,
};

/* Names of variables, sorted. */
struct ts_assigned {
    char **items; /* owned */
    size_t n;
};

/* The types of steps that are enabled, each once, in the order of the first of them. */
struct ts_types {
    const struct ts_step_type *items[TS_STEP_TYPES_MAX];
    size_t n;
};

struct ts_check {
    const struct ts_document *doc;
    const struct ts_step *steps;
    const struct ts_site_facts *site; /* may be NULL */
    struct ts_tree tree;              /* owned */
    struct ts_secret_names *secrets;  /* owned */
    struct ts_assigned assigned; /* owned; what steps that are enabled, and globalVarList, set */
    struct ts_types types;
    struct ts_diags *diags;
    unsigned platform;            /* of the image it applies; 0: unknown */
    const struct ts_step *format; /* the first one before, NULL if there is none; likewise: */
    const struct ts_step *apply_os;
    const struct ts_step *setup;
    const struct ts_step *membership; /* Capture Network Settings, of domain or workgroup */
    size_t n_enabled;
    unsigned depth;  /* of nested task sequences that are followed */
    size_t n_walked; /* steps of all of them */
};

__attribute__((format(printf, 5, 6))) void ts_check_report(const struct ts_check *c,
                                                           int item,
                                                           enum ts_severity severity,
                                                           const char *id,
                                                           const char *format,
                                                           ...);

/* About @node, which lies in no item. */
__attribute__((format(printf, 5, 6))) void ts_check_report_node(const struct ts_check *c,
                                                                const xmlNode *node,
                                                                enum ts_severity severity,
                                                                const char *id,
                                                                const char *format,
                                                                ...);

/* What was found by a look at a part of @item, or of @node unless it is NULL, as findings of @c about it; none is worse than
   @worst. @part: "rule 2" */
void ts_check_pass_on(const struct ts_check *c,
                      const xmlNode *node,
                      int item,
                      const char *part,
                      enum ts_severity worst,
                      const struct ts_diags *found);

/* The step of an item that is one. */
const struct ts_step *ts_check_step(const struct ts_check *c, int item);

/* Text of the step's own variable, by name or property; "" if it has none. */
const char *ts_check_text(const struct ts_step *step, const char *name);

/* Whether the text is "true", in any case. */
bool ts_check_is_true(const char *text);

/* Whether it is one of @choices, "WinPE|HD", in any case. */
bool ts_check_is_one_of(const char *text, const char *choices);

/* ts/validate_assigned.c: the variables that the sequence sets. Return: 0 or -ENOMEM. */
int ts_assigned_read(const struct ts_document *doc, struct ts_assigned *ret);
/* May be called twice. */
void ts_assigned_fini(struct ts_assigned *names);
/* Whether the sequence sets this one, which then counts for each setting of that name. */
bool ts_check_is_assigned(const struct ts_check *c, const char *name);

/* Of what only Windows would take: an error if it is known that the sequence deploys a Linux. */
enum ts_severity ts_check_severity_on_linux(const struct ts_check *c);

/* ts/validate_attributes.c: attributes of a group or step. */
void ts_check_attributes(const struct ts_check *c, int item);
/* More than one list of variables of the sequence. */
void ts_check_root(const struct ts_check *c);
/* Whether they are integers with spaces, commas or semicolons between them, each a possible exit code. */
bool ts_check_are_codes(const char *text);

/* ts/validate_secrets.c: what an export has empty because of its name, and short secrets in a command. */
void ts_check_secrets(const struct ts_check *c, int item);
void ts_check_root_secrets(const struct ts_check *c);

/* ts/validate_step.c: its properties, one by one, against the table. */
void ts_check_properties(const struct ts_check *c, int item);
/* A text that a property has, or gets. @item: TS_NO_ITEM: by the list of variables of the sequence */
void ts_check_value(const struct ts_check *c,
                    int item,
                    const struct ts_property *property,
                    const char *text);
/* ts/validate_disks.c: whether the partitions of a Format and Partition Disk can be made on some disk. */
void ts_check_partitions(const struct ts_check *c, int item);
/* ts/validate_settings.c: settings of network and system that Linux could not have. */
void ts_check_settings(const struct ts_check *c, int item);
/* Whether an Apply Network Settings joins a domain. */
bool ts_check_joins_domain(const struct ts_step *step);
/* ts/validate_values.c: the types of what is enabled. */
void ts_types_read(const struct ts_step *steps, size_t n, struct ts_types *ret);
/* What its rules and variables set, and secrets that are not there; the list of variables of the sequence. */
void ts_check_values(const struct ts_check *c, int item);
void ts_check_global_values(const struct ts_check *c);
/* The element of the variable in globalVarList behind @last; of the first if that is NULL. */
const xmlNode *ts_check_next_global(const struct ts_check *c, const xmlNode *last);
/* Whether a step can set a variable of this name: only the engine's have a dot. */
bool ts_check_is_settable(const char *name);
/* ts/validate_condition.c: the condition of a step or group. */
void ts_check_condition(const struct ts_check *c, int item);

/* ts/validate_variable.c: variables that a step, or the sequence's own list, sets and that nothing reads. */
void ts_check_effect(const struct ts_check *c, int item);
void ts_check_globals(const struct ts_check *c);

/* ts/validate_site.c: what the sequence refers to. Return: 0 or -ENOMEM. */
int ts_check_references(const struct ts_check *c);

/* ts/validate_flow.c: what each step meets when it is reached. Return: where the sequence may be at its end. */
unsigned ts_check_flow(const struct ts_check *c, unsigned start);
