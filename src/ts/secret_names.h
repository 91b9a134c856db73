/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Which variables are secret, and what conditions compare them with: whoever sees that knows the secret
 *
 * By their name (ts_name_is_secret()), because a step of the sequence hides what it sets, or a rule of one does, or because
 * the site says so (ts_document_note_secret()).
 */

#include <stdbool.h>

#include <libxml/tree.h>

struct ts_document;
struct ts_secret_names;
struct ts_vars;

/* @also: a document whose names are meant as well; may be NULL. @ret: owned by the caller. Return: 0 or -ENOMEM. */
int ts_secret_names_new(const struct ts_document *doc,
                        const struct ts_document *also,
                        struct ts_secret_names **ret);
void ts_secret_names_free(struct ts_secret_names *names);

/* @names: NULL: by the name itself only */
bool ts_secret_names_have(const struct ts_secret_names *names, const char *name);

/* From now on nobody sees the values of those that @doc hides. Return: 0 or -ENOMEM. */
int ts_secret_names_set(const struct ts_document *doc, struct ts_vars *vars);

/* Whether an element is an expression of a condition that compares a secret variable; and whether one in it is what that is
   compared with, <variable name="Value">, of which there should be one. */
bool ts_secret_compares(const struct ts_secret_names *names, const xmlNode *node);
bool ts_secret_is_value(const xmlNode *node);

/* The first one in it, if it compares a secret variable; otherwise NULL. */
xmlNode *ts_secret_compared(const struct ts_secret_names *names, const xmlNode *expression);

/**
 * ts_secret_each_compared() - all of those in a node, but in no item within it
 *
 * Return: whether @visit has been called for all; it ends by returning false.
 */
bool ts_secret_each_compared(const struct ts_secret_names *names,
                             xmlNode *node,
                             bool (*visit)(void *ctx, xmlNode *value),
                             void *ctx);

/**
 * ts_secret_keep_compared() - what an export of @old has lost in its condition comes back into that of @item
 *
 * Where @item compares the same variable by the same operator as often before, and with nothing, or the mask. Return: 0 or
 * -ENOMEM.
 */
int ts_secret_keep_compared(const struct ts_secret_names *names, xmlNode *item, xmlNode *old);
