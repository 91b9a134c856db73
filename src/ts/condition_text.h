/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * A condition as one line for people
 *
 *     _SMSTSInWinPE equals "false" and (WMI "select * from Win32_Battery" or file "C:\x" exists)
 */

#include <libxml/tree.h>

#include "base/buf.h"

struct ts_secret_names;

/**
 * ts_condition_text() - append it
 * @condition: the element <condition>; NULL or an empty one appends nothing
 */
void ts_condition_text(const xmlNode *condition, struct buf *ret);

/* The same for people: what is compared with a secret variable is "***". @names: NULL: those that are by their name */
void ts_condition_shown(const xmlNode *condition,
                        const struct ts_secret_names *names,
                        struct buf *ret);
