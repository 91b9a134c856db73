/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What of a task sequence nobody may see
 */

#include <stdbool.h>

#include <libxml/tree.h>

#include "base/buf.h"

struct ts_document;
struct ts_secret_names;
struct ts_secrets;
struct ts_step;
struct ts_step_type;
struct ts_variable;

/* Of whom variables are: what is found out once for all that a step has. */
struct ts_secret_owner {
    const struct ts_secret_names *names; /* as below */
    const struct ts_step_type *type;     /* NULL: none of ours */
    bool hides_value;                    /* a Set Task Sequence Variable: its VariableValue */
};

/**
 * ts_secret_owner_of() - of a step
 * @names: of the document, for the conditions of rules; NULL: those that are secret by their name (ts/secret_names.h), here and below
 * @step:  NULL: the sequence's own list
 */
struct ts_secret_owner ts_secret_owner_of(const struct ts_secret_names *names, const xmlNode *step);

/**
 * ts_secret_mask() - the text of a variable as it may be shown
 * @owner:    the step that has it
 * @variable: the element <variable>
 * @mask:     what takes the place of a secret that is not empty: "***", or "" for an export
 *
 * Of dynamic variables only the values of the secret ones are masked.
 *
 * Return: owned by the caller; NULL without memory.
 */
char *
ts_secret_mask(const struct ts_secret_owner *owner, const xmlNode *variable, const char *mask);

/* What a DoNotShowVariableValue or IsSecret says: only nothing, false, no and 0 let a value be seen, as who wrote anything else meant a secret. */
bool ts_secret_is_flag(const char *text);

/* Whether one of the step's variables, or what its condition compares one with, is something that nobody may see, also in a list that does not count; without memory it
   has. What does not follow from the variables is not shown then: it may repeat it. */
bool ts_secret_is_in_step(const struct ts_secret_names *names, xmlNode *step);

/* The secrets of a group or step, without those of the items in it. @ret: to be ended by the caller. Return: 0 or -ENOMEM. */
int ts_secret_gather(const struct ts_secret_names *names, xmlNode *item, struct ts_secrets *ret);

/* Whether the VariableValue of a step, a Set Task Sequence Variable, is not to be shown. */
bool ts_secret_hides_value(const struct ts_step *step);

/* The same as ts_secret_mask() of a step that has been read; @hides_value: ts_secret_hides_value() of it. */
char *ts_secret_mask_value(const struct ts_step *step,
                           bool hides_value,
                           const struct ts_variable *variable,
                           const char *mask);

/* The same for a simulation: a value that is withheld, as below, is "***" too. */
char *ts_secret_show_value(const struct ts_secret_names *names,
                           const struct ts_step *step,
                           bool hides_value,
                           const struct ts_variable *variable);

/* Whether a Set Task Sequence Variable, or a variable of one of ts_rules_read(), has a value that is not told here: it is a secret,
   and empty or "***", as in an export. */
bool ts_secret_withholds_value(const struct ts_step *step);
bool ts_secret_is_withheld(const struct ts_variable *variable);

/**
 * ts_document_export() - a document without secrets
 * @ret: owned by the caller
 *
 * Also without those in lists that do not count (ts_node_child()) or stand where no list belongs. A command that has one of its
 * item's secrets in it (ts/secret_find.h) is made anew if the template made it, and loses them otherwise.
 *
 * Return: 0 or -ENOMEM.
 */
int ts_document_export(const struct ts_document *doc, struct ts_document **ret);

/* The text of <action> of a step as ts_document_export() has it. Owned by the caller; NULL without memory. */
char *ts_secret_export_action(const struct ts_secret_names *names, xmlNode *step);

/**
 * ts_document_keep_secrets() - a document with the secrets that an export of @old has lost
 * @doc: made of such an export
 * @ret: owned by the caller
 *
 * A secret of a step of the same type and name is kept where @doc has nothing, or "***", in its place, and still calls it a
 * secret; that of an account (ts_secret_account()) only if it is the same account.
 *
 * Return: 0 or -ENOMEM.
 */
int ts_document_keep_secrets(const struct ts_document *doc,
                             const struct ts_document *old,
                             struct ts_document **ret);

/* The variable whose secret this one is: of a password the one with the account; NULL if there is none. */
const char *ts_secret_account(const char *variable);

/* Whether a text stands for a secret that is not there: empty, or the mask. */
bool ts_secret_is_blank(const char *text);
