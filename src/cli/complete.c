/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/complete.h"

#include <string.h>

#include "cli/args.h"
#include "cli/cmdlets.h"

#define FILES ":file\n"

/* One question: what stands before the word, and how much of it is typed. */
struct question {
    struct buf *dst;
    const struct args_command *table;
    const char *const *words;
    size_t n;          /* of the words that are whole */
    const char *typed; /* the last one */
};

static bool begins(const char *word, const char *typed)
{
    return strncmp(word, typed, strlen(typed)) == 0;
}

static void put(const struct question *q, const char *word, const char *what)
{
    if (begins(word, q->typed))
        buf_addf(q->dst, "%s\t%s\n", word, what);
}

static void put_option(const struct question *q, const char *name, const char *help)
{
    /* "--" and the name, as far as it is typed */
    if (begins("--", q->typed) || (begins(q->typed, "--") && begins(name, q->typed + 2)))
        buf_addf(q->dst, "--%s\t%s\n", name, help);
}

/* Whether a row above this one has the same noun. */
static bool is_repeated(const struct question *q, const struct args_command *row)
{
    for (const struct args_command *c = q->table; c != row; c = args_next(c))
        if (strcmp(c->noun, row->noun) == 0)
            return true;
    return false;
}

/* Of Configuration Manager; only to who types a capital letter, as there are many. */
static void put_cmdlets(const struct question *q)
{
    for (const struct cmdlet *c = cmdlets; c->name; c++)
        if (!strchr(c->name, '*'))
            put(q, c->name, c->noun ? c->noun : c->text);
}

static void put_nouns(const struct question *q)
{
    for (const struct args_command *c = q->table; c->noun; c = args_next(c))
        if (!is_repeated(q, c))
            put(q, c->noun, c->verb ? "" : c->summary);
    if (q->typed[0] >= 'A' && q->typed[0] <= 'Z')
        put_cmdlets(q);
    put_option(q, "help", "Show every command.");
    put_option(q, "version", "Show the version.");
}

static void put_verbs(const struct question *q)
{
    for (const struct args_command *c = q->table; c->noun; c = args_next(c))
        if (strcmp(c->noun, q->words[0]) == 0 && c->verb)
            put(q, c->verb, c->summary);
}

static const struct args_command *command_of(const struct question *q)
{
    for (const struct args_command *c = q->table; c->noun; c = args_next(c)) {
        if (strcmp(c->noun, q->words[0]) != 0)
            continue;
        if (!c->verb || (q->n > 1 && strcmp(c->verb, q->words[1]) == 0))
            return c;
    }
    return NULL;
}

/* The option whose value is being typed; NULL: none. */
static const struct args_option *option_before(const struct question *q,
                                               const struct args_command *command)
{
    const char *before = q->words[q->n - 1];
    const struct args_option *common;

    if (!begins(before, "--"))
        return NULL;
    common = args_common_find(command, bytes_of(before + 2));
    if (common)
        return common->value ? common : NULL;
    for (const struct args_option *o = command->options; o->name; o++)
        if (strcmp(before + 2, o->name) == 0)
            return o->value ? o : NULL;
    return NULL;
}

static void put_choices(const struct question *q, const char *choices)
{
    while (*choices) {
        size_t len = strcspn(choices, "|");

        if (strncmp(choices, q->typed, strlen(q->typed)) == 0 && strlen(q->typed) <= len)
            buf_addf(q->dst, "%.*s\t\n", (int)len, choices);
        choices += len + (choices[len] == '|');
    }
}

/* Whether what the help calls @value is the name of a file: FILE, @FILE, FOLDER, "[FILE]...". */
static bool is_file(const char *value)
{
    return value && (strstr(value, "FILE") || strstr(value, "FOLDER"));
}

static bool is_given(const struct question *q, const struct args_option *option)
{
    for (size_t i = 1; i < q->n; i++)
        if (begins(q->words[i], "--") && strcmp(q->words[i] + 2, option->name) == 0)
            return true;
    return false;
}

static bool takes_files(const struct args_command *command)
{
    for (size_t i = 0; i < ARGS_OPERANDS_MAX; i++)
        if (is_file(command->operands[i]))
            return true;
    return false;
}

static void put_rest(const struct question *q, const struct args_command *command)
{
    const struct args_option *option = option_before(q, command);
    const struct args_option *common;

    if (option && option->choices) {
        put_choices(q, option->choices);
        return;
    }
    if (option) {
        buf_adds(q->dst, is_file(option->value) ? FILES : "");
        return;
    }
    for (const struct args_option *o = command->options; o->name; o++)
        if (o->may_repeat || !is_given(q, o))
            put_option(q, o->name, o->help);
    for (size_t i = 0; (common = args_common(command, i)); i++)
        if (!is_given(q, common))
            put_option(q, common->name, common->help);
    put_option(q, "help", "Show how the command is used.");
    if (takes_files(command) && !begins(q->typed, "-"))
        buf_adds(q->dst, FILES);
}

void complete_put(struct buf *dst,
                  const struct args_command *table,
                  const char *const *words,
                  size_t n)
{
    const struct question q = {
        .dst = dst, .table = table, .words = words, .n = n - 1, .typed = words[n - 1]};
    const struct args_command *command;

    if (q.n == 0) {
        put_nouns(&q);
        return;
    }
    command = command_of(&q);
    if (command)
        put_rest(&q, command);
    else if (q.n == 1)
        put_verbs(&q);
}
