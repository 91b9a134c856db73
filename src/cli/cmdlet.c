/* SPDX-License-Identifier: GPL-3.0-or-later */

/*
 * slipway cmdlet: which command does what a cmdlet does
 */

#include <errno.h>
#include <stdio.h>

#include "base/own.h"
#include "cli/cmdlets.h"
#include "cli/commands.h"
#include "cli/session.h"

enum {
    LINE_MAX_BYTES = 1024,
};

static json_t *row_of(const struct cmdlet *cmdlet)
{
    OWN(buf_fini) struct buf native = BUF_INIT(LINE_MAX_BYTES);

    cmdlet_put_native(&native, cmdlet, commands);
    return json_pack("{s:s, s:s, s:s}",
                     "cmdlet",
                     cmdlet->name,
                     "native",
                     buf_str(&native),
                     "text",
                     cmdlet->text ? cmdlet->text : "");
}

static const struct output_column columns[] = {
    {"CMDLET", "cmdlet", OUTPUT_TEXT},
    {"HERE", "native", OUTPUT_TEXT},
    {"NOTE", "text", OUTPUT_TEXT},
    {0},
};

bool cmdlet_show(struct session *s, const struct args *args)
{
    OWN(session_json_freep) json_t *rows = json_array();
    const char *wanted = args->n_operands > 0 ? args->operands[0] : NULL;
    const struct cmdlet *found = wanted ? cmdlet_find(wanted) : NULL;

    if (wanted && !found)
        return session_fail(s,
                            ARGS_EXIT_NOT_FOUND,
                            NULL,
                            "%s is no cmdlet that is known here; see: slipway cmdlet",
                            wanted);
    for (const struct cmdlet *c = found ? found : cmdlets; c->name; c++) {
        if (json_array_append_new(rows, row_of(c)) < 0)
            return session_fail_errno(s, "the result", -ENOMEM);
        if (found)
            break;
    }
    return session_print_list(s, rows, columns);
}

enum args_exit cmdlet_answer(const char *word)
{
    OWN(session_fini) struct session s;
    OWN(buf_fini) struct buf native = BUF_INIT(LINE_MAX_BYTES);
    const struct cmdlet *cmdlet = cmdlet_find(word);

    session_init(&s, ARGS_FORMAT_TABLE);
    if (!cmdlet) {
        (void)session_fail(&s,
                           ARGS_EXIT_USAGE,
                           NULL,
                           "%s is no cmdlet that is known here; see: slipway cmdlet",
                           word);
        return s.exit_code;
    }
    if (!cmdlet->noun) {
        (void)session_fail(&s, ARGS_EXIT_USAGE, NULL, "nothing does %s: %s", word, cmdlet->text);
        return s.exit_code;
    }
    cmdlet_put_native(&native, cmdlet, commands);
    buf_adds(&native, "\n");
    if (cmdlet->text)
        buf_addf(&native, "# %s\n", cmdlet->text);
    return session_write(&s, &native) ? ARGS_EXIT_OK : s.exit_code;
}
