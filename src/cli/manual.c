/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/manual.h"

#include <ctype.h>
#include <string.h>

#include "base/own.h"
#include "cli/cmdlets.h"

enum {
    LINE_MAX_BYTES = 1024,
};

/* Text as roff takes it: what it would read as its own is escaped. */
static void put_text(struct buf *dst, const char *text)
{
    if (*text == '.' || *text == '\'')
        buf_adds(dst, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            buf_adds(dst, "\\e");
        else if (*text == '-')
            buf_adds(dst, "\\-");
        else
            buf_addf(dst, "%c", *text);
    }
}

static void put_upper(struct buf *dst, const char *text)
{
    for (; *text; text++)
        buf_addf(dst, *text == '-' ? "\\%c" : "%c", toupper((unsigned char)*text));
}

static void put_name(struct buf *dst, const struct args_command *command)
{
    put_text(dst, command->noun);
    if (command->verb) {
        buf_adds(dst, " ");
        put_text(dst, command->verb);
    }
}

static void put_option_name(struct buf *dst, const struct args_option *option)
{
    buf_adds(dst, "\\fB\\-\\-");
    put_text(dst, option->name);
    buf_adds(dst, "\\fR");
    if (!option->value)
        return;
    buf_adds(dst, " \\fI");
    put_text(dst, option->value);
    buf_adds(dst, "\\fR");
}

static void put_synopsis(struct buf *dst, const struct args_command *command)
{
    buf_adds(dst, ".TP\n\\fBslipway ");
    put_name(dst, command);
    buf_adds(dst, "\\fR");
    for (size_t i = 0; i < ARGS_OPERANDS_MAX && command->operands[i]; i++) {
        buf_adds(dst, " \\fI");
        put_text(dst, command->operands[i]);
        buf_adds(dst, "\\fR");
    }
    for (const struct args_option *o = command->options; o->name; o++) {
        buf_adds(dst, o->is_required ? " " : " [");
        put_option_name(dst, o);
        buf_adds(dst, o->is_required ? "" : "]");
    }
    buf_adds(dst, "\n");
    put_text(dst, command->summary);
    buf_adds(dst, "\n");
}

static void put_choices(struct buf *dst, const char *choices)
{
    buf_adds(dst, "\nOne of ");
    while (*choices) {
        size_t len = strcspn(choices, "|");

        buf_adds(dst, "\\fB");
        for (size_t i = 0; i < len; i++)
            buf_addf(dst, choices[i] == '-' ? "\\%c" : "%c", choices[i]);
        choices += len + (choices[len] == '|');
        buf_adds(dst, *choices ? "\\fR, " : "\\fR.");
    }
}

static void put_option(struct buf *dst, const struct args_option *option)
{
    buf_adds(dst, ".TP\n");
    put_option_name(dst, option);
    buf_adds(dst, "\n");
    put_text(dst, option->help);
    if (option->is_required)
        buf_adds(dst, "\nIt must be given.");
    if (option->may_repeat)
        buf_adds(dst, "\nIt may be given more than once.");
    if (option->choices)
        put_choices(dst, option->choices);
    buf_adds(dst, "\n");
}

static void put_options(struct buf *dst, const struct args_command *command)
{
    if (!command->options[0].name)
        return;
    buf_adds(dst, ".SS slipway ");
    put_name(dst, command);
    buf_adds(dst, "\n");
    for (const struct args_option *o = command->options; o->name; o++)
        put_option(dst, o);
}

static size_t count_common(enum args_effect effect)
{
    size_t n = 0;

    while (args_common(&(struct args_command){.effect = effect}, n))
        n++;
    return n;
}

/* What commands of a kind have beside what others have too. @from: where that begins */
static void
put_common(struct buf *dst, const char *whose, const struct args_command *kind, size_t from)
{
    const struct args_option *option;

    buf_addf(dst, ".SS %s\n", whose);
    for (size_t i = from; (option = args_common(kind, i)); i++)
        put_option(dst, option);
}

/* .SH OPTIONS: those of each verb, then those of all. */
static void put_all_options(struct buf *dst, const struct args_command *first, const char *noun)
{
    static const struct args_option help = {.name = "help",
                                            .help = "Show how the command is used."};

    buf_adds(dst, ".SH OPTIONS\n");
    for (const struct args_command *c = first; c->noun; c = args_next(c))
        if (strcmp(c->noun, noun) == 0)
            put_options(dst, c);
    put_common(dst, "Every command", &(struct args_command){.effect = ARGS_READS}, 0);
    put_option(dst, &help);
    put_common(dst,
               "Commands that can be watched",
               &(struct args_command){.effect = ARGS_READS, .topics = ""},
               count_common(ARGS_READS));
    put_common(dst,
               "Every command that changes something",
               &(struct args_command){.effect = ARGS_CHANGES},
               count_common(ARGS_READS));
    put_common(dst,
               "Every command that deletes, cancels or takes away",
               &(struct args_command){.effect = ARGS_DESTROYS},
               count_common(ARGS_CHANGES));
}

static void put_cmdlets(struct buf *dst, const struct args_command *table)
{
    buf_adds(dst, ".SH CMDLETS\n");
    for (const struct cmdlet *c = cmdlets; c->name; c++) {
        OWN(buf_fini) struct buf native = BUF_INIT(LINE_MAX_BYTES);

        cmdlet_put_native(&native, c, table);
        buf_adds(dst, ".TP\n");
        put_text(dst, c->name);
        buf_adds(dst, "\n");
        put_text(dst, native.len > 0 ? buf_str(&native) : "There is no such command.");
        buf_adds(dst, "\n");
        if (c->text) {
            put_text(dst, c->text);
            buf_adds(dst, "\n");
        }
    }
}

static const struct args_command *find(const struct args_command *table, const char *noun)
{
    while (table->noun && strcmp(table->noun, noun) != 0)
        table = args_next(table);
    return table->noun ? table : NULL;
}

int manual_put(struct buf *dst, const struct args_command *table, const char *noun)
{
    const struct args_command *first = find(table, noun);

    if (!first)
        return 1;
    buf_adds(dst, ".\\\" SPDX-License-Identifier: GPL-3.0-or-later\n.TH SLIPWAY\\-");
    put_upper(dst, noun);
    buf_adds(dst, " 1 \"\" \"slipway " CLI_VERSION "\" Slipway\n.SH NAME\nslipway\\-");
    put_text(dst, noun);
    buf_adds(dst, " \\- manage a Slipway site: ");
    put_text(dst, noun);
    buf_adds(dst, "\n.SH COMMANDS\n");
    for (const struct args_command *c = first; c->noun; c = args_next(c))
        if (strcmp(c->noun, noun) == 0)
            put_synopsis(dst, c);
    if (strcmp(noun, "cmdlet") == 0)
        put_cmdlets(dst, table);
    put_all_options(dst, first, noun);
    buf_adds(dst,
             ".SH EXIT STATUS\n0 done; 1 failed; 2 wrong usage; 3 not found; 4 conflict; 5 denied; "
             "6 the site was not reached, or did not answer in time; 7 done in part.\n"
             ".SH SEE ALSO\n.BR slipway (1),\n.BR slipwayd (8)\n");
    return 0;
}
