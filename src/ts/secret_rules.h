/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The secrets that an export has lost in the rules of Set Dynamic Variables
 */

#include <libxml/tree.h>

struct ts_secret_names;

/**
 * ts_secret_keep_rules() - a variable gets the secrets back that its rules had
 * @names:    of both documents
 * @variable: its rules, as text that holds XML
 * @text:     what it has now
 * @old_text: what it had
 *
 * If nothing else has changed, they are again what they were byte for byte. What cannot be read stays as it is, and so it does
 * without memory.
 */
void ts_secret_keep_rules(const struct ts_secret_names *names,
                          xmlNode *variable,
                          const char *text,
                          const char *old_text);
