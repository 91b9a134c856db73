/* SPDX-License-Identifier: GPL-3.0-or-later */

#include "cli/args.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"

#define FORMATS  "table|json|yaml|csv|name|wide"
#define REPEATED "]..."

enum {
    COMMON_OUTPUT,
    COMMON_REQUEST_ID,
    COMMON_WATCH,
    COMMON_DRY_RUN,
    COMMON_YES,
};

static const struct {
    struct args_option option;
    enum args_effect from; /* which commands have it */
} common[] = {
    [COMMON_OUTPUT] = {{.name = "output",
                        .value = "FORMAT",
                        .choices = FORMATS,
                        .help = "How to write the result (default: table)."},
                       ARGS_READS},
    [COMMON_REQUEST_ID] = {{.name = "request-id",
                            .value = "ID",
                            .help = "What the site's log and the audit log call this command's "
                                    "requests: 1 to 64 of A-Z a-z 0-9 . _ -"},
                           ARGS_READS},
    [COMMON_WATCH] = {{.name = "watch",
                       .help = "Show it again whenever it changes, until it is over or "
                               "interrupted."},
                      ARGS_READS},
    [COMMON_DRY_RUN] = {{.name = "dry-run",
                         .help = "Only try it: the site says what it would do, and changes "
                                 "nothing."},
                        ARGS_CHANGES},
    [COMMON_YES] = {{.name = "yes", .help = "Do not ask whether it is to be done."}, ARGS_DESTROYS},
};

static bool has_common(const struct args_command *command, size_t at)
{
    return command->effect >= common[at].from && (at != COMMON_WATCH || command->topics);
}

const struct args_option *args_common(const struct args_command *command, size_t at)
{
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        if (has_common(command, i) && at-- == 0)
            return &common[i].option;
    return NULL;
}

const struct args_option *args_common_find(const struct args_command *command, struct bytes name)
{
    const struct args_option *option;

    for (size_t i = 0; (option = args_common(command, i)); i++)
        if (bytes_eq(name, bytes_of(option->name)))
            return option;
    return NULL;
}

struct cursor {
    int argc;
    char *const *argv;
    int at;
    struct args *ret;
    struct buf *why;
};

static bool same(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* Position of @word among "a|b|c"; -1: it is none of them. */
static int choice_find(const char *choices, const char *word)
{
    size_t len = strlen(word);

    for (int at = 0; *choices; at++) {
        size_t n = strcspn(choices, "|");

        if (n == len && memcmp(choices, word, n) == 0)
            return at;
        choices += n;
        choices += *choices == '|';
    }
    return -1;
}

const struct args_command *args_next(const struct args_command *command)
{
    command++;
    return !command->noun && command->more ? command->more : command;
}

static bool noun_find(const struct args_command *table, const char *noun)
{
    for (; table->noun; table = args_next(table)) {
        if (same(table->noun, noun))
            return true;
    }
    return false;
}

static const struct args_command *
command_find(const struct args_command *table, const char *noun, const char *verb)
{
    for (; table->noun; table = args_next(table)) {
        if (!same(table->noun, noun))
            continue;
        if (!table->verb || (verb && same(table->verb, verb)))
            return table;
    }
    return NULL;
}

static bool is_help(const char *word)
{
    return same(word, "--help") || same(word, "-h");
}

/* NOUN [VERB], or a question that stands alone. */
static int take_command(struct cursor *c)
{
    const char *noun = c->argc > 1 ? c->argv[1] : NULL;
    const char *verb = c->argc > 2 ? c->argv[2] : NULL;

    if (!noun) {
        buf_adds(c->why, "what is to be done is missing");
        return 1;
    }
    if (is_help(noun) || same(noun, "--version")) {
        c->ret->ask = is_help(noun) ? ARGS_ASK_HELP : ARGS_ASK_VERSION;
        return 0;
    }
    if (!noun_find(c->ret->table, noun)) {
        buf_addf(c->why, "there is no command \"%s\"", noun);
        return 1;
    }
    c->ret->noun = noun;
    c->ret->command = command_find(c->ret->table, noun, verb);
    if (c->ret->command) {
        c->at = c->ret->command->verb ? 3 : 2;
        return 0;
    }
    if (verb && is_help(verb)) {
        c->ret->ask = ARGS_ASK_HELP;
        return 0;
    }
    if (verb)
        buf_addf(c->why, "\"%s\" cannot be done with %s", verb, noun);
    else
        buf_addf(c->why, "what to do with %s is missing", noun);
    return 1;
}

static const struct args_option *
option_find(const struct args_command *command, struct bytes name, size_t *ret_at)
{
    for (size_t i = 0; command->options[i].name; i++) {
        assert(i < ARGS_OPTIONS_MAX);
        if (bytes_eq(name, bytes_of(command->options[i].name))) {
            *ret_at = i;
            return &command->options[i];
        }
    }
    return args_common_find(command, name);
}

/* The value behind '=' or in the next word. */
static const char *take_value(struct cursor *c, const char *equals)
{
    if (equals)
        return equals + 1;
    if (c->at + 1 < c->argc)
        return c->argv[++c->at];
    return NULL;
}

/* An option that is no member of the row. @at: where the table above has it */
static int set_common(struct cursor *c, size_t at, const char *value, int choice)
{
    switch (at) {
    case COMMON_OUTPUT:
        c->ret->format = (enum args_format)choice;
        return 0;
    case COMMON_REQUEST_ID:
        c->ret->request_id = value;
        if (request_id_is_fit(value))
            return 0;
        buf_addf(c->why, "--request-id is 1 to %d of A-Z a-z 0-9 . _ -", REQUEST_ID_MAX - 1);
        return 1;
    case COMMON_WATCH:
        c->ret->is_watched = true;
        return 0;
    case COMMON_DRY_RUN:
        c->ret->is_dry = true;
        return 0;
    default:
        c->ret->is_sure = true;
        return 0;
    }
}

static int
set_option(struct cursor *c, const struct args_option *option, size_t at, const char *value)
{
    int choice = option->choices ? choice_find(option->choices, value) : 0;

    if (choice < 0) {
        buf_addf(c->why, "--%s is one of %s, not \"%s\"", option->name, option->choices, value);
        return 1;
    }
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
        if (option == &common[i].option)
            return set_common(c, i, value, choice);
    if (option->may_repeat && c->ret->n_repeated < ARGS_WORDS_MAX) {
        c->ret->repeated[c->ret->n_repeated++] = value;
    } else if (option->may_repeat) {
        buf_addf(c->why, "--%s is given more than %d times", option->name, (int)ARGS_WORDS_MAX);
        return 1;
    } else if (c->ret->values[at]) {
        buf_addf(c->why, "--%s is given twice", option->name);
        return 1;
    }
    c->ret->values[at] = value;
    return 0;
}

/* The two that other programs of the kind have: "-f" and "-o". NULL: it is none of them. */
static const char *long_of(const char *word)
{
    if (same(word, "-f"))
        return "--file";
    return same(word, "-o") ? "--output" : NULL;
}

static int take_option(struct cursor *c)
{
    const char *given = c->argv[c->at];
    const char *word = long_of(given) ? long_of(given) : given;
    const char *equals = strchr(word, '=');
    struct bytes name = bytes_of(word);
    const struct args_option *option;
    const char *value = "";
    size_t at = 0;

    if (is_help(word)) {
        c->ret->ask = ARGS_ASK_HELP;
        return 0;
    }
    name.ptr += 2;
    name.len = (equals ? (size_t)(equals - word) : name.len) - 2;
    option = option_find(c->ret->command, name, &at);
    if (!option) {
        buf_addf(c->why, "there is no option \"%s\" here", given);
        return 1;
    }
    if (!option->value && equals) {
        buf_addf(c->why, "--%s takes no value", option->name);
        return 1;
    }
    if (option->value)
        value = take_value(c, equals);
    if (!value) {
        buf_addf(c->why, "--%s wants a value (%s)", option->name, option->value);
        return 1;
    }
    return set_option(c, option, at, value);
}

static bool may_repeat(const char *operand)
{
    size_t len = operand ? strlen(operand) : 0;

    return len > sizeof(REPEATED) - 1 && same(operand + len - (sizeof(REPEATED) - 1), REPEATED);
}

/* Whether the command takes an operand behind @n others. */
static bool takes_operand(const struct args_command *command, size_t n)
{
    if (n < ARGS_OPERANDS_MAX && command->operands[n])
        return true;
    for (size_t i = 0; i < ARGS_OPERANDS_MAX; i++)
        if (may_repeat(command->operands[i]))
            return n < ARGS_WORDS_MAX;
    return false;
}

static int take_operand(struct cursor *c)
{
    size_t n = c->ret->n_operands;

    if (!takes_operand(c->ret->command, n)) {
        buf_addf(c->why, "\"%s\" is one word too many", c->argv[c->at]);
        return 1;
    }
    c->ret->operands[c->ret->n_operands++] = c->argv[c->at];
    return 0;
}

static int check_complete(struct cursor *c)
{
    const struct args_command *command = c->ret->command;
    size_t n = c->ret->n_operands;

    if (n < ARGS_OPERANDS_MAX && command->operands[n] && command->operands[n][0] != '[') {
        buf_addf(c->why, "%s is missing", command->operands[n]);
        return 1;
    }
    for (size_t i = 0; command->options[i].name; i++) {
        if (command->options[i].is_required && !c->ret->values[i]) {
            buf_addf(c->why, "--%s is missing", command->options[i].name);
            return 1;
        }
    }
    return 0;
}

int args_parse(const struct args_command *table,
               int argc,
               char *const *argv,
               struct args *ret,
               struct buf *why)
{
    struct cursor c = {.argc = argc, .argv = argv, .ret = ret, .why = why};
    bool is_over = false; /* "--" was there */
    int r;

    *ret = (struct args){.ask = ARGS_ASK_RUN, .table = table};
    r = take_command(&c);
    if (r || !ret->command)
        return r;

    for (; c.at < argc; c.at++) {
        const char *word = argv[c.at];

        if (!is_over && same(word, "--")) {
            is_over = true;
            continue;
        }
        if (!is_over && (strncmp(word, "--", 2) == 0 || is_help(word) || long_of(word)))
            r = take_option(&c);
        else if (!is_over && word[0] == '-' && word[1])
            r = (buf_addf(why, "there is no option \"%s\" here", word), 1);
        else
            r = take_operand(&c);
        if (r)
            return r;
        if (ret->ask == ARGS_ASK_HELP)
            return 0;
    }
    return check_complete(&c);
}

const char *args_get(const struct args *args, const char *option)
{
    for (size_t i = 0; args->command->options[i].name; i++) {
        if (same(args->command->options[i].name, option))
            return args->values[i];
    }
    assert(false && "an option that the command's row does not have");
    return NULL;
}

static void put_usage(struct buf *dst, const struct args_command *command)
{
    buf_addf(dst, "slipway %s", command->noun);
    if (command->verb)
        buf_addf(dst, " %s", command->verb);
    for (size_t i = 0; i < ARGS_OPERANDS_MAX && command->operands[i]; i++)
        buf_addf(dst, " %s", command->operands[i]);
    for (const struct args_option *o = command->options; o->name; o++) {
        buf_addf(dst, o->is_required ? " --%s" : " [--%s", o->name);
        if (o->value)
            buf_addf(dst, " %s", o->value);
        if (!o->is_required)
            buf_adds(dst, "]");
    }
}

static void put_option(struct buf *dst, const struct args_option *option)
{
    buf_addf(dst, "  --%s", option->name);
    if (option->value)
        buf_addf(dst, " %s", option->value);
    buf_addf(dst, "\n        %s", option->help);
    if (option->choices)
        buf_addf(dst, " One of %s.", option->choices);
    buf_adds(dst, "\n");
}

static void put_command_help(struct buf *dst, const struct args_command *command)
{
    static const struct args_option help = {.name = "help", .help = "Show this text."};
    const struct args_option *option;

    buf_adds(dst, "usage: ");
    put_usage(dst, command);
    buf_addf(dst, "\n\n%s\n\noptions:\n", command->summary);
    for (const struct args_option *o = command->options; o->name; o++)
        put_option(dst, o);
    for (size_t i = 0; (option = args_common(command, i)); i++)
        put_option(dst, option);
    put_option(dst, &help);
}

void args_put_help(struct buf *dst, const struct args *args)
{
    if (args->command) {
        put_command_help(dst, args->command);
        return;
    }
    buf_adds(dst, "usage: slipway NOUN [VERB] [--option VALUE]... [OPERAND]...\n\ncommands:\n");
    for (const struct args_command *c = args->table; c->noun; c = args_next(c)) {
        if (args->noun && !same(args->noun, c->noun))
            continue;
        buf_addf(dst, "  %-15s %-15s %s\n", c->noun, c->verb ? c->verb : "", c->summary);
    }
    buf_adds(
        dst,
        "\nslipway NOUN VERB --help tells more; slipway --version prints the version; slipway(1).\n");
}
