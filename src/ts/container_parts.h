/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The parts of ts/container.c
 */

#include <stdbool.h>

#include <libxml/tree.h>

#include "ts/container.h"

/* Text without white space around it, in place; NULL stays NULL. */
char *ts_container_trim(char *text);

/* <PROPERTY NAME="@name"><VALUE>text, or <@name>text, directly in @scope; "" if there is neither. Owned by the caller; NULL
   without memory. */
char *ts_container_property(const xmlNode *scope, const char *name);

/* ts/container_reference.c: what an instance says of itself: a package, an image, an application. Return: 0 or -ENOMEM. */
int ts_container_add_object(struct ts_imports *imports, const xmlNode *instance);

/* What a string of ReferencesInfo.xml or AppReferencesInfo.xml says of something else. Return: 0 or -ENOMEM. */
int ts_container_add_named(struct ts_imports *imports, const xmlNode *instance);

/**
 * ts_container_add_content() - a file of the content of a package in the .zip: CLASS/ID/..., but not its object.xml
 * @path: of the file in the .zip; nothing is made of it
 *
 * Return: 1 if it is one, 0, or -ENOMEM.
 */
int ts_container_add_content(struct ts_imports *imports, const char *path);
