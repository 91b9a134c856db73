/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * Secrets in what the format does not have: attributes, elements and variables that nobody knows, which only their names tell
 */

#include <stdbool.h>

#include <libxml/tree.h>

/**
 * ts_secret_is_called() - whether @text, of something nobody knows that is called @name, is a secret
 *
 * Not if it is empty, true or false, which say whether there is to be one; nor an integer if the name goes on to say what of a
 * password is counted (PasswordAgeDays).
 */
bool ts_secret_is_called(const char *name, const char *text);

/**
 * ts_secret_visit() - what is done with a secret
 * @node: the element or attribute that has it as text of its own
 * @name: what it is called after: the attribute, the element, or what an element's name, key or property says
 *
 * Return: false to end.
 */
typedef bool (*ts_secret_visit)(void *ctx, xmlNode *node, const char *name);

/**
 * ts_secret_each_unknown() - secrets in attributes and in elements that nobody knows, all that is in @item but in no item within it
 * @item: a group, a step or the root element
 *
 * Of an element that is called a secret all texts within it are, and its attributes value, text, data and content. Variables
 * (<variable>) are not looked at.
 *
 * Return: whether all were visited; without memory not.
 */
bool ts_secret_each_unknown(xmlNode *item, ts_secret_visit visit, void *ctx);

/* The text of an element without those of the elements in it, or of an attribute. Owned by the caller; NULL without memory. */
char *ts_secret_own_text(const xmlNode *node);

/* Takes that text away; white space around elements stays. */
void ts_secret_clear(xmlNode *node);

/* What an export of @old has lost comes back into @item, where it has nothing, or the mask, in the same place, by names and
   order. Without memory not. Return: whether the old one has any. */
bool ts_secret_keep_unknown(xmlNode *item, xmlNode *old);
