/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * What the cmdlets of Configuration Manager are called here
 *
 * Who types one is told the command that does it; nothing is done, as its parameters are others.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "cli/args.h"

struct cmdlet {
    const char
        *name; /* "Get-CMDevice"; with a '*' at its end any that begins so; NULL ends the table */
    const char *noun; /* of the command that does it; NULL: there is none */
    const char *verb; /* NULL: the noun is the whole command */
    const char *more; /* what stands behind that; NULL: its operands and the options it must have */
    const char
        *text; /* what else is to be known, or, without a command, why and what to do; or NULL */
};

/* In the order of Microsoft's reference by what they are about; ends with .name == NULL. */
extern const struct cmdlet cmdlets[];

/* Whether @word looks like a cmdlet of Configuration Manager: "Verb-CMNoun", in any case. */
bool cmdlet_is_one(const char *word);

/* The cmdlet that is called so, in any case; NULL: none that is known. */
const struct cmdlet *cmdlet_find(const char *word);

/* "slipway collection create NAME", from the row of the command in @table; nothing if there is no command. */
void cmdlet_put_native(struct buf *dst,
                       const struct cmdlet *cmdlet,
                       const struct args_command *table);
