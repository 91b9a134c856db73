/* SPDX-License-Identifier: GPL-3.0-or-later */

#pragma once

/*
 * The command line: slipway NOUN [VERB] [--option VALUE]... [OPERAND]...
 *
 * One row of a table describes a command; the parser, --help and the check of the manual pages and of
 * the completion come from it. Options may stand before or after operands; "--" ends them. There is
 * no abbreviation of options, so that a new one cannot change what a script means.
 *
 * getopt_long() is not used: it keeps its position in globals.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/bytes.h"

enum {
    ARGS_OPTIONS_MAX = 28,
    ARGS_OPERANDS_MAX = 2,
    ARGS_WORDS_MAX = 64, /* operands that are given */
};

/* Exit codes of the program; slipway(1). */
enum args_exit {
    ARGS_EXIT_OK = 0,
    ARGS_EXIT_FAILURE = 1,
    ARGS_EXIT_USAGE = 2,
    ARGS_EXIT_NOT_FOUND = 3,
    ARGS_EXIT_CONFLICT = 4,
    ARGS_EXIT_DENIED = 5,
    ARGS_EXIT_UNREACHABLE = 6,
    ARGS_EXIT_PARTIAL = 7,
};

enum args_format {
    ARGS_FORMAT_TABLE,
    ARGS_FORMAT_JSON,
    ARGS_FORMAT_YAML,
    ARGS_FORMAT_CSV,  /* for spreadsheets */
    ARGS_FORMAT_NAME, /* a line for each thing: what other commands call it */
    ARGS_FORMAT_WIDE, /* a table with all there is */
};

enum args_ask {
    ARGS_ASK_RUN,
    ARGS_ASK_HELP,
    ARGS_ASK_VERSION,
};

/* What a command does to the site; by this it has options of every command (args_common()). */
enum args_effect {
    ARGS_READS, /* nothing that stays; or it signs in, or is a conversation, and cannot be tried */
    ARGS_CHANGES,  /* --dry-run */
    ARGS_DESTROYS, /* --dry-run; a person at a terminal is asked first, but for --yes */
};

struct session;
struct args;

/**
 * args_run - do the command
 *
 * Return: false if it failed; then it has been reported, and the session has the exit code.
 */
typedef bool args_run(struct session *s, const struct args *args);

struct args_option {
    const char *name;    /* without the dashes; NULL ends the list */
    const char *value;   /* what the help calls its value; NULL: a switch without one */
    const char *choices; /* the words allowed, separated by '|'; NULL: any text */
    const char *help;    /* one sentence */
    bool is_required;
    bool may_repeat; /* its values are args->repeated; one such option per command */
};

struct args_command {
    const char *noun; /* NULL ends the table */
    const char *verb; /* NULL: the noun is the whole command */
    const char
        *operands[ARGS_OPERANDS_MAX]; /* their names in the help; "[NAME]" may be missing, and
                                                there may be more than one of the last, "[NAME]..." */
    const char *summary;
    enum args_effect effect;
    args_run *run;
    struct args_option options[ARGS_OPTIONS_MAX + 1];
    const char *
        topics; /* of events by which --watch runs it again; "": of all; NULL: it has no such option, or sees to it itself */
    bool is_by_id;     /* its first operand is an id: by --watch only events of that thing count */
    args_run *is_over; /* whether it is not to be run again; NULL: until it is interrupted */
    const struct args_command *more; /* of the row that ends a table: where it goes on, or NULL */
};

struct args {
    enum args_ask ask;
    const struct args_command *table;     /* borrowed */
    const struct args_command *command;   /* NULL: help on the noun, or on everything */
    const char *noun;                     /* NULL: help on everything */
    const char *values[ARGS_OPTIONS_MAX]; /* by position in command->options; "" for a switch */
    const char *operands[ARGS_WORDS_MAX];
    size_t n_operands;
    const char *repeated[ARGS_WORDS_MAX]; /* of the option that may repeat, as they were given */
    size_t n_repeated;
    enum args_format format;
    bool is_watched;        /* --watch of a command with topics */
    bool is_dry;            /* --dry-run */
    bool is_sure;           /* --yes */
    const char *request_id; /* --request-id; NULL: none */
};

/**
 * args_parse() - find the command and its options
 * @argv: borrowed for the life of @ret
 * @why:  on outcome 1: what is wrong, in one line
 *
 * Return: 0, or 1: wrong usage; then ret->noun and ret->command are as far as they were understood.
 */
int args_parse(const struct args_command *table,
               int argc,
               char *const *argv,
               struct args *ret,
               struct buf *why);

/* The row behind @command, also where the table goes on in another one; .noun is NULL behind the last. */
const struct args_command *args_next(const struct args_command *command);

/* The value of an option of the command's row; NULL if it was not given. */
const char *args_get(const struct args *args, const char *option);

/* The @at-th option that @command has as every one of its effect has: --output, --request-id...; NULL behind the last. */
const struct args_option *args_common(const struct args_command *command, size_t at);

/* The one that is called @name; NULL: it has none such. */
const struct args_option *args_common_find(const struct args_command *command, struct bytes name);

/* Help on what @args names: everything, a noun or a command. */
void args_put_help(struct buf *dst, const struct args *args);
